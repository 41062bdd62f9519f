/*
 * A core from inside: what one thread's futures, taps and timers share.
 *
 * Threads: one thread at a time; nothing here is locked or atomic.
 */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include <weir/core.h>

#include "core/wheel.h"

#include <stdbool.h>
#include <stdint.h>

struct weir_cell;
struct slab;

/* Cells that wait for weir_core_run(), linked through weir_cell.src. */
struct cell_queue {
    struct weir_cell *first, **last;
};

struct weir_core {
    struct weir_cell *free; /* linked through weir_cell.src; the one freed last comes first */
    struct cell_queue ready;
    int64_t budget; /* handlers and loop turns left; may go below 0 */
    bool running;   /* inside weir_core_run() */
    struct weir_core_stats stats;

    const struct weir_tap_ops *tap_ops;
    void *tap_arg;

    uint64_t now; /* ns */
    uint64_t timers_made;
    struct wheel_node *soon; /* timers whose tick has come, but not their deadline */
    bool soon_sorted;
    struct wheel wheel;

    struct slab *slabs;
    struct weir_core_opts opts;
    uint64_t random; /* debug builds: state of the shuffle; 0: no shuffle */
};

/* Loop turns allowed outside weir_core_run(), from one run to the next. */
#define CORE_BUDGET_BETWEEN_RUNS 1024

/* The only thread-local. Initial-exec: any other model makes each access a call. */
extern __thread struct weir_core *core_current __attribute__((tls_model("initial-exec")));

#endif
