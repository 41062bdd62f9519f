/*
 * What the tests of futures share: a core for each test, that must be empty at its end.
 */
#ifndef FUTURE_HELP_H
#define FUTURE_HELP_H

#include <weir/core.h>
#include <weir/future.h>
#include <weir/tap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static struct weir_core *core;

static inline int
enter_core_with(const struct weir_core_opts *opts)
{
    if (weir_core_new(opts, &core) != WEIR_E_OK)
        return -1;
    weir_core_enter(core);
    return 0;
}

static inline int
enter_core(void **state)
{
    (void)state;
    return enter_core_with(NULL);
}

/* A test that leaves a cell behind fails. */
static inline int
leave_core(void **state)
{
    const uint64_t left = weir_core_free(core);

    (void)state;
    core = NULL;
    return left == 0 ? 0 : -1;
}

static inline void
run_all(void)
{
    while (weir_core_run(core, 1000) > 0)
        ;
}

static inline struct weir_core_stats
stats(void)
{
    struct weir_core_stats s;

    weir_core_get_stats(core, &s);
    return s;
}

/* What a note() handler has seen. */
struct seen {
    unsigned times;
    int code;
    uint64_t value;
};

static inline weir_fut
note(void *ctx, weir_fut in)
{
    struct seen *seen = ctx;

    seen->times++;
    seen->code = weir_code(in);
    seen->value = weir_is_ready(in) ? weir_value(in) : 0;
    return weir_ok(0);
}

/* Consume @f into @seen, now or later. */
static inline void
watch(weir_fut f, struct seen *seen)
{
    *seen = (struct seen){ 0 };
    weir_detach(weir_always(f, note, seen));
}

static inline weir_fut
plus_one(void *ctx, weir_fut in)
{
    (void)ctx;
    return weir_ok(weir_value(in) + 1);
}

/* Returns the future that ctx points to. */
static inline weir_fut
give(void *ctx, weir_fut in)
{
    (void)in;
    return *(weir_fut *)ctx;
}

#define assert_outcome(seen, is_code, is_value)                                                    \
    do {                                                                                           \
        assert_int_equal((seen).times, 1);                                                         \
        assert_int_equal((seen).code, (is_code));                                                  \
        assert_int_equal((seen).value, (is_value));                                                \
    } while (0)

#define in_core(fact) cmocka_unit_test_setup_teardown(fact, enter_core, leave_core)

#endif
