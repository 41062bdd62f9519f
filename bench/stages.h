/* What bench_future.c calls: in a file of its own, so that no compiler sees through the calls. */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include <weir/tap.h>

#include <stdint.h>

enum { TYPE_WANTED = 2, TYPE_UNWANTED = 5 };

/* The least that a monitor does about an event without futures: count it. */
typedef void (*callback)(void *ctx, uint64_t length);
void count_bytes(void *ctx, uint64_t length);

/* A uint64_t is the event; three stages that count in ctx and hand a value on. */
extern const struct weir_tap_spec bench_three_stages;

/* The second of three stages sleeps until bench_pending is resolved. */
extern const struct weir_tap_spec bench_stage_sleeps;
extern struct weir_promise bench_pending;

#endif
