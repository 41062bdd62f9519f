#include "stages.h"

struct weir_promise bench_pending;

void
count_bytes(void *ctx, uint64_t length)
{
    *(uint64_t *)ctx += length;
}

static weir_fut
first(void *ctx, weir_fut in)
{
    const uint64_t *length = weir_ptr(in);

    *(uint64_t *)ctx += *length;
    return weir_ok(*length);
}

static weir_fut
second(void *ctx, weir_fut in)
{
    *(uint64_t *)ctx ^= weir_value(in);
    return weir_ok(weir_value(in) + 1);
}

static weir_fut
third(void *ctx, weir_fut in)
{
    *(uint64_t *)ctx -= weir_value(in);
    return weir_ok(weir_value(in) + 1);
}

static weir_fut
sleeping(void *ctx, weir_fut in)
{
    (void)ctx;
    (void)in;
    bench_pending = weir_promise_new();
    return weir_future(bench_pending);
}

static const weir_fn three[] = { first, second, third };
static const weir_fn with_a_wait[] = { first, sleeping, third };

const struct weir_tap_spec bench_three_stages = { .stage = three,
                                                  .n_stages = 3,
                                                  .want = UINT64_C(1) << TYPE_WANTED };

const struct weir_tap_spec bench_stage_sleeps = { .stage = with_a_wait,
                                                  .n_stages = 3,
                                                  .want = UINT64_C(1) << TYPE_WANTED };
