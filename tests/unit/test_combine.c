#include "future_help.h"

enum { PARTS = 3 };

static struct weir_promise part[PARTS];
static weir_fut parts[PARTS], results[PARTS];

static int
enter_core_with_parts(void **state)
{
    if (enter_core(state) != 0)
        return -1;
    for (unsigned i = 0; i < PARTS; i++) {
        part[i] = weir_promise_new();
        parts[i] = weir_future(part[i]);
        results[i] = weir_ok(99);
    }
    return 0;
}

/* ---- when_all ---- */

static void
when_all_waits_for_all_and_gives_their_outcomes(void **state)
{
    struct seen seen;

    (void)state;
    watch(weir_when_all(parts, PARTS, results), &seen);
    weir_resolve(part[2], weir_ok(12));
    weir_resolve(part[0], weir_ok(10));
    run_all();
    assert_int_equal(seen.times, 0);
    weir_resolve(part[1], weir_ok(11));
    run_all();
    assert_outcome(seen, WEIR_E_OK, PARTS);
    for (unsigned i = 0; i < PARTS; i++)
        assert_int_equal(weir_value(results[i]), 10 + i);
}

static void
when_all_fails_with_the_lowest_index_that_failed(void **state)
{
    struct seen seen;

    (void)state;
    watch(weir_when_all(parts, PARTS, results), &seen);
    weir_resolve(part[2], weir_fail(-102, "c"));
    weir_resolve(part[1], weir_fail(-101, "b"));
    weir_resolve(part[0], weir_ok(1));
    run_all();
    assert_outcome(seen, -101, 0);
    assert_int_equal(weir_code(results[2]), -102);
    assert_true(weir_is_ready(results[0]));
}

static void
when_all_of_resolved_futures_is_resolved_and_takes_no_cell(void **state)
{
    const weir_fut in[2] = { weir_ok(1), weir_fail(-7, "x") };
    weir_fut f;

    (void)state;
    f = weir_when_all(in, 2, results);
    assert_int_equal(weir_code(f), -7);
    assert_int_equal(weir_value(results[0]), 1);
    f = weir_when_all(in, 1, NULL);
    assert_int_equal(weir_value(f), 1);
    f = weir_when_all(NULL, 0, NULL);
    assert_true(weir_is_ready(f));
    assert_int_equal(weir_value(f), 0);
    assert_int_equal(stats().live, 0);
}

static void
results_may_take_the_place_of_the_futures(void **state)
{
    struct seen seen;

    (void)state;
    weir_resolve(part[0], weir_ok(10));
    watch(weir_when_all(parts, PARTS, parts), &seen);
    weir_resolve(part[1], weir_ok(11));
    weir_resolve(part[2], weir_ok(12));
    run_all();
    assert_outcome(seen, WEIR_E_OK, PARTS);
    for (unsigned i = 0; i < PARTS; i++)
        assert_int_equal(weir_value(parts[i]), 10 + i);
}

/* ---- when_any ---- */

static void
when_any_gives_the_first_and_cancels_the_others(void **state)
{
    struct seen seen, loser = { 0 };

    (void)state;
    parts[2] = weir_always(parts[2], note, &loser);
    watch(weir_when_any(parts, PARTS, results), &seen);
    weir_resolve(part[1], weir_ok(11));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 1);
    assert_outcome(loser, WEIR_E_CANCELED, 0);
    assert_int_equal(weir_code(results[0]), WEIR_E_CANCELED);
    assert_int_equal(weir_value(results[1]), 11);
    assert_int_equal(stats().live, 2); /* the promises nobody waits for; nothing of ours */
    weir_resolve(part[0], weir_fail(-7, "late"));
    weir_resolve(part[2], weir_ok(0));
    assert_int_equal(stats().unhandled, 0);
}

static void
when_any_waits_for_the_losers_to_clean_up(void **state)
{
    struct weir_promise clean = weir_promise_new();
    weir_fut cleaning = weir_future(clean);
    struct seen seen;

    (void)state;
    parts[0] = weir_catch(parts[0], give, &cleaning);
    watch(weir_when_any(parts, PARTS, NULL), &seen);
    weir_resolve(part[2], weir_ok(0));
    run_all();
    assert_int_equal(seen.times, 0);
    weir_resolve(clean, weir_ok(0));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 2);
    weir_resolve(part[0], weir_ok(0));
    weir_resolve(part[1], weir_ok(0));
}

static void
the_failure_of_the_first_is_the_result(void **state)
{
    struct seen seen;

    (void)state;
    watch(weir_when_any(parts, PARTS, results), &seen);
    weir_resolve(part[1], weir_fail(-101, "b"));
    weir_resolve(part[0], weir_ok(0)); /* on its way already: it is not cancelled */
    run_all();
    assert_outcome(seen, -101, 0);
    assert_true(weir_is_ready(results[0]));
    weir_resolve(part[2], weir_ok(0));
}

static void
of_several_resolved_the_lowest_index_is_first(void **state)
{
    struct seen seen;

    (void)state;
    weir_resolve(part[2], weir_ok(12));
    weir_resolve(part[1], weir_ok(11));
    watch(weir_when_any(parts, PARTS, results), &seen);
    run_all();
    assert_outcome(seen, WEIR_E_OK, 1);
    assert_int_equal(weir_value(results[2]), 12);
    assert_int_equal(weir_code(results[0]), WEIR_E_CANCELED);
    weir_resolve(part[0], weir_ok(0));
}

static void
when_any_of_nothing_is_an_error(void **state)
{
    weir_fut f = weir_when_any(NULL, 0, NULL);

    (void)state;
    assert_int_equal(weir_code(f), WEIR_E_INVAL);
}

static int
enter_small_core(void **state)
{
    (void)state;
    return enter_core_with(&(struct weir_core_opts){ .cells = 4, .max_cells = 5 });
}

static void
a_join_without_cells_cancels_all_parts(void **state)
{
    struct weir_promise p[3] = { weir_promise_new(), weir_promise_new(), weir_promise_new() };
    weir_fut in[3] = { weir_future(p[0]), weir_future(p[1]), weir_future(p[2]) };
    weir_fut f = weir_when_all(in, 3, results);

    (void)state;
    assert_int_equal(weir_code(f), WEIR_E_NOMEM);
    assert_int_equal(weir_code(results[1]), WEIR_E_NOMEM);
    for (unsigned i = 0; i < 3; i++)
        weir_resolve(p[i], weir_ok(0));
}

/* ---- repeat ---- */

static weir_fut
count_down(void *ctx, weir_fut in)
{
    uint64_t *left = ctx;

    assert_true(weir_is_ready(in));
    assert_int_equal(weir_value(in), 0);
    return weir_ok(--*left);
}

static void
ready_turns_follow_each_other_at_once(void **state)
{
    uint64_t left = 100;
    weir_fut f = weir_repeat(count_down, &left);

    (void)state;
    assert_true(weir_is_ready(f));
    assert_int_equal(weir_value(f), 0);
    assert_int_equal(left, 0);
}

static void
a_loop_shares_the_core_with_others(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen loop, other;
    uint64_t left = 100000, before;

    (void)state;
    watch(weir_repeat(count_down, &left), &loop);
    watch(weir_future(p), &other);
    weir_resolve(p, weir_ok(0));
    before = left;
    weir_core_run(core, 500);
    assert_in_range(before - left, 400, 500);
    weir_core_run(core, 500);
    assert_int_equal(other.times, 1);
    run_all();
    assert_outcome(loop, WEIR_E_OK, 0);
    assert_int_equal(left, 0);
}

static weir_fut
stop_or_fail(void *ctx, weir_fut in)
{
    int *code = ctx;

    (void)in;
    return weir_fail(*code, "x");
}

static void
a_stop_ends_a_loop_well_and_a_failure_badly(void **state)
{
    int code = WEIR_STOP;
    weir_fut f = weir_repeat(stop_or_fail, &code);

    (void)state;
    assert_true(weir_is_ready(f));
    code = -7;
    f = weir_repeat(stop_or_fail, &code);
    assert_int_equal(weir_code(f), -7);
}

struct slow {
    unsigned left;
    struct weir_promise next;
};

static weir_fut
slow_turn(void *ctx, weir_fut in)
{
    struct slow *slow = ctx;

    (void)in;
    slow->left--;
    slow->next = weir_promise_new();
    return weir_future(slow->next);
}

static void
a_sleeping_turn_is_waited_for(void **state)
{
    struct slow slow = { .left = 1000 };
    struct seen seen;

    (void)state;
    watch(weir_repeat(slow_turn, &slow), &seen);
    while (slow.left > 0) {
        assert_int_equal(stats().live, 3);
        weir_resolve(slow.next, weir_ok(1));
        run_all();
    }
    assert_int_equal(seen.times, 0);
    weir_resolve(slow.next, weir_ok(0));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 0);
}

/* ---- time ---- */

static void
timers_resolve_in_the_order_of_their_deadlines(void **state)
{
    static const uint64_t at[] = { 500,           3,     500,      UINT64_C(1) << 40, 1 << 20,
                                   (1 << 20) - 1, 70000, 90000000, UINT64_C(3) << 33, 499 };
    enum { N = sizeof(at) / sizeof(at[0]) };
    struct seen seen[N];
    uint64_t last = 0;

    (void)state;
    for (unsigned i = 0; i < N; i++)
        watch(weir_after(at[i]), &seen[i]);
    for (unsigned fired = 0; fired < N;) {
        const uint64_t next = weir_core_next_timer(core);

        assert_true(next > last);
        weir_core_advance(core, next - 1);
        assert_int_equal(weir_core_run(core, 100), 0);
        weir_core_advance(core, next);
        run_all();
        for (unsigned i = 0; i < N; i++) {
            assert_int_equal(seen[i].times, at[i] <= next);
            fired += at[i] == next;
        }
        last = next;
    }
    assert_int_equal(weir_core_next_timer(core), UINT64_MAX);
}

struct log {
    unsigned n;
    uint64_t order[8];
};

struct entry {
    struct log *log;
    uint64_t number;
};

static weir_fut
log_number(void *ctx, weir_fut in)
{
    struct entry *entry = ctx;

    (void)in;
    entry->log->order[entry->log->n++] = entry->number;
    return weir_ok(0);
}

static void
one_step_of_time_keeps_the_order_of_deadlines(void **state)
{
    static const uint64_t at[] = { 9000000, 700, 50, 700, UINT64_C(1) << 36, 1 };
    static const uint64_t order[] = { 5, 2, 1, 3, 0, 4 };
    struct entry entry[6];
    struct log log = { 0 };

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        entry[i] = (struct entry){ &log, i };
        weir_detach(weir_then(weir_after(at[i]), log_number, &entry[i]));
    }
    weir_core_advance(core, UINT64_C(1) << 37);
    run_all();
    assert_int_equal(log.n, 6);
    assert_memory_equal(log.order, order, sizeof(order));
}

static void
time_does_not_go_back(void **state)
{
    struct seen seen;

    (void)state;
    weir_core_advance(core, 1000);
    weir_core_advance(core, 10);
    assert_int_equal(weir_core_now(core), 1000);
    watch(weir_after(5), &seen);
    assert_int_equal(weir_core_next_timer(core), 1005);
    weir_core_advance(core, 1005);
    run_all();
    assert_outcome(seen, WEIR_E_OK, 0);
    assert_true(weir_is_ready(weir_after(0)));
}

static void
a_deadline_beyond_the_end_of_time_is_never(void **state)
{
    weir_fut f;

    (void)state;
    weir_core_advance(core, UINT64_MAX / 2);
    f = weir_after(UINT64_MAX);
    assert_int_equal(weir_core_next_timer(core), UINT64_MAX);
    weir_core_advance(core, UINT64_MAX - 1);
    f = weir_poll(f);
    assert_true(weir_is_asleep(f));
    weir_cancel(f);
}

static void
a_timeout_in_time_gives_the_outcome(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen seen;

    (void)state;
    watch(weir_timeout(weir_future(p), 100), &seen);
    assert_int_equal(weir_core_next_timer(core), 100);
    weir_core_advance(core, 99);
    weir_resolve(p, weir_ok(5));
    assert_int_equal(weir_core_next_timer(core), UINT64_MAX);
    weir_core_advance(core, 200); /* the outcome is on its way */
    run_all();
    assert_outcome(seen, WEIR_E_OK, 5);
}

static void
a_timeout_cancels_what_is_late(void **state)
{
    struct weir_promise p = weir_promise_new();
    weir_fut own = weir_fail(-1300, "gave up");
    weir_fut f = weir_catch(weir_future(p), give, &own);
    struct seen seen;

    (void)state;
    watch(weir_timeout(f, 100), &seen);
    weir_core_advance(core, 100);
    run_all();
    assert_outcome(seen, -1300, 0); /* it ended, in its own way */
    weir_resolve(p, weir_ok(0));

    p = weir_promise_new();
    watch(weir_timeout(weir_future(p), 100), &seen);
    weir_core_advance(core, 200);
    run_all();
    assert_outcome(seen, WEIR_E_TIMEOUT, 0);
    weir_resolve(p, weir_ok(0));
}

static void
a_timeout_of_nothing_is_over_at_once(void **state)
{
    struct weir_promise p = weir_promise_new(), q = weir_promise_new();
    struct seen seen;
    weir_fut f;

    (void)state;
    watch(weir_timeout(weir_future(p), 0), &seen);
    run_all();
    assert_outcome(seen, WEIR_E_TIMEOUT, 0);
    weir_resolve(p, weir_ok(0));
    weir_resolve(q, weir_ok(3));
    f = weir_timeout(weir_future(q), 0);
    assert_int_equal(weir_value(f), 3);
}

#define with_parts(fact) cmocka_unit_test_setup_teardown(fact, enter_core_with_parts, leave_core)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        with_parts(when_all_waits_for_all_and_gives_their_outcomes),
        with_parts(when_all_fails_with_the_lowest_index_that_failed),
        in_core(when_all_of_resolved_futures_is_resolved_and_takes_no_cell),
        with_parts(results_may_take_the_place_of_the_futures),
        with_parts(when_any_gives_the_first_and_cancels_the_others),
        with_parts(when_any_waits_for_the_losers_to_clean_up),
        with_parts(the_failure_of_the_first_is_the_result),
        with_parts(of_several_resolved_the_lowest_index_is_first),
        in_core(when_any_of_nothing_is_an_error),
        cmocka_unit_test_setup_teardown(a_join_without_cells_cancels_all_parts, enter_small_core,
                                        leave_core),
        in_core(ready_turns_follow_each_other_at_once),
        in_core(a_loop_shares_the_core_with_others),
        in_core(a_stop_ends_a_loop_well_and_a_failure_badly),
        in_core(a_sleeping_turn_is_waited_for),
        in_core(timers_resolve_in_the_order_of_their_deadlines),
        in_core(one_step_of_time_keeps_the_order_of_deadlines),
        in_core(time_does_not_go_back),
        in_core(a_deadline_beyond_the_end_of_time_is_never),
        in_core(a_timeout_in_time_gives_the_outcome),
        in_core(a_timeout_cancels_what_is_late),
        in_core(a_timeout_of_nothing_is_over_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
