#include "future_help.h"

/* ---- values ---- */

static void
a_ready_future_carries_a_word_and_no_cell(void **state)
{
    (void)state;
    assert_true(weir_is_ready(weir_ok(UINT64_MAX)));
    assert_int_equal(weir_value(weir_ok(UINT64_MAX)), UINT64_MAX);
    assert_ptr_equal(weir_ptr(weir_ok_ptr(&core)), &core);
    assert_int_equal(weir_code(weir_ok(7)), WEIR_E_OK);
    assert_int_equal(stats().live, 0);
}

static void
a_failed_future_carries_a_code_and_a_text(void **state)
{
    const weir_fut f = weir_fail(-1234, "why");

    (void)state;
    assert_true(weir_is_failed(f));
    assert_false(weir_is_ready(f));
    assert_false(weir_is_asleep(f));
    assert_false(weir_is_stop(f));
    assert_int_equal(weir_code(f), -1234);
    assert_string_equal(weir_message(f), "why");
}

static void
a_stop_is_a_failure_with_a_code_of_its_own(void **state)
{
    (void)state;
    assert_true(weir_is_failed(weir_stop()));
    assert_true(weir_is_stop(weir_stop()));
    assert_true(weir_is_stop(weir_fail(WEIR_STOP, "other text")));
    assert_false(weir_is_stop(weir_ok(0)));
}

/* ---- promises ---- */

static void
resolve_runs_nothing_until_the_core_does(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen seen;

    (void)state;
    watch(weir_future(p), &seen);
    assert_true(weir_resolve(p, weir_ok(5)));
    assert_int_equal(seen.times, 0);
    assert_int_equal(weir_core_run(core, 100), 1);
    assert_outcome(seen, WEIR_E_OK, 5);
}

static void
a_promise_may_be_resolved_before_anyone_waits(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen seen;

    (void)state;
    weir_resolve(p, weir_ok(6));
    watch(weir_future(p), &seen);
    run_all();
    assert_outcome(seen, WEIR_E_OK, 6);
}

/* A cell that is freed is the next one taken. */
static void
an_old_promise_is_refused_for_65535_lives(void **state)
{
    const struct weir_promise old = weir_promise_new();
    struct weir_promise other;

    (void)state;
    weir_detach(weir_future(old));
    assert_true(weir_resolve(old, weir_ok(0)));
    weir_core_run(weir_core_current(), UINT32_MAX);
    for (unsigned i = 0; i < 65535; i++) {
        other = weir_promise_new();
        assert_ptr_equal(other.cell, old.cell);
        assert_false(weir_resolve(old, weir_ok(0)));
        weir_detach(weir_future(other));
        assert_true(weir_resolve(other, weir_ok(0)));
        weir_core_run(weir_core_current(), UINT32_MAX);
    }
    assert_int_equal(stats().stale, 65535);
}

static void
resolving_twice_is_refused_and_counted(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen seen;

    (void)state;
    assert_true(weir_resolve(p, weir_ok(1)));
    assert_false(weir_resolve(p, weir_ok(2)));
    watch(weir_future(p), &seen);
    run_all();
    assert_false(weir_resolve(p, weir_ok(3)));
    assert_outcome(seen, WEIR_E_OK, 1);
    assert_int_equal(stats().stale, 2);
}

static void
an_old_promise_does_not_fit_the_cells_next_life(void **state)
{
    struct weir_promise old = weir_promise_new(), young;
    struct seen seen;

    (void)state;
    weir_resolve(old, weir_ok(1));
    weir_detach(weir_future(old));
    young = weir_promise_new();
    assert_ptr_equal(young.cell, old.cell);
    watch(weir_future(young), &seen);
    assert_false(weir_resolve(old, weir_ok(2)));
    weir_resolve(young, weir_ok(3));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 3);
}

static void
a_broken_promise_fails_its_future(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen seen;

    (void)state;
    watch(weir_future(p), &seen);
    assert_true(weir_promise_break(p));
    run_all();
    assert_outcome(seen, WEIR_E_BROKEN, 0);
    assert_false(weir_promise_break(p));
}

/* ---- handlers ---- */

static void
then_on_a_ready_future_runs_at_once(void **state)
{
    weir_fut f = weir_then(weir_ok(1), plus_one, NULL);

    (void)state;
    assert_true(weir_is_ready(f));
    assert_int_equal(weir_value(f), 2);
    assert_int_equal(stats().ran, 0);
}

static void
then_skips_failures_catch_skips_values_always_sees_both(void **state)
{
    struct seen seen = { 0 };
    weir_fut f;

    (void)state;
    f = weir_then(weir_fail(-7, "x"), note, &seen);
    assert_int_equal(weir_code(f), -7);
    f = weir_catch(weir_ok(7), note, &seen);
    assert_int_equal(weir_value(f), 7);
    assert_int_equal(seen.times, 0);
    f = weir_catch(weir_fail(-7, "x"), note, &seen);
    assert_outcome(seen, -7, 0);
    f = weir_always(weir_ok(8), note, &seen);
    f = weir_always(weir_stop(), note, &seen);
    assert_int_equal(seen.times, 3);
    assert_true(weir_is_ready(f));
}

static void
the_same_holds_for_sleeping_futures(void **state)
{
    const weir_fut outcome[] = { weir_ok(4), weir_fail(-7, "x") };
    struct seen then, caught, always;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct weir_promise p[3] = { weir_promise_new(), weir_promise_new(), weir_promise_new() };

        then = caught = always = (struct seen){ 0 };
        weir_detach(weir_catch(weir_then(weir_future(p[0]), note, &then), give, &(weir_fut){ 0 }));
        weir_detach(weir_catch(weir_future(p[1]), note, &caught));
        weir_detach(weir_always(weir_future(p[2]), note, &always));
        for (unsigned k = 0; k < 3; k++)
            weir_resolve(p[k], outcome[i]);
        run_all();
        assert_int_equal(then.times, i == 0);
        assert_int_equal(caught.times, i == 1);
        assert_int_equal(always.times, 1);
    }
}

static void
a_chain_behind_one_promise_runs_in_one_go(void **state)
{
    struct weir_promise p = weir_promise_new(), other = weir_promise_new();
    struct seen seen, later;
    weir_fut f = weir_future(p);

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        f = weir_then(f, plus_one, NULL);
    watch(f, &seen);
    watch(weir_future(other), &later);
    weir_resolve(p, weir_ok(0));
    weir_resolve(other, weir_ok(0));
    weir_core_run(core, 6);
    assert_outcome(seen, WEIR_E_OK, 5);
    assert_int_equal(later.times, 0);
    run_all();
}

static void
the_order_of_handlers_does_not_depend_on_the_budget(void **state)
{
    struct weir_promise p = weir_promise_new(), other = weir_promise_new();
    struct seen seen, later;

    (void)state;
    watch(weir_then(weir_then(weir_future(p), plus_one, NULL), plus_one, NULL), &seen);
    watch(weir_future(other), &later);
    weir_resolve(p, weir_ok(0));
    weir_resolve(other, weir_ok(0));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(later.times, 0);
        assert_int_equal(weir_core_run(core, 1), 1);
    }
    assert_outcome(seen, WEIR_E_OK, 2);
    run_all();
}

static void
a_future_returned_by_a_handler_is_waited_for(void **state)
{
    struct weir_promise outer = weir_promise_new(), inner = weir_promise_new();
    weir_fut in = weir_future(inner);
    struct seen seen;

    (void)state;
    watch(weir_then(weir_then(weir_future(outer), give, &in), plus_one, NULL), &seen);
    weir_resolve(outer, weir_ok(0));
    run_all();
    assert_int_equal(seen.times, 0);
    weir_resolve(inner, weir_ok(30));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 31);
}

static void
a_future_that_was_linked_may_be_returned_again(void **state)
{
    struct weir_promise p[3] = { weir_promise_new(), weir_promise_new(), weir_promise_new() };
    weir_fut inner = weir_future(p[0]);
    weir_fut linked = weir_then(weir_future(p[1]), give, &inner);
    struct seen seen;

    (void)state;
    weir_resolve(p[1], weir_ok(0));
    run_all();
    watch(weir_then(weir_then(weir_future(p[2]), give, &linked), plus_one, NULL), &seen);
    weir_resolve(p[2], weir_ok(0));
    run_all();
    weir_resolve(p[0], weir_ok(50));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 51);
}

static void
a_linked_future_may_resolve_before_anyone_asks(void **state)
{
    struct weir_promise outer = weir_promise_new(), inner = weir_promise_new();
    weir_fut in = weir_future(inner), f = weir_then(weir_future(outer), give, &in);

    (void)state;
    weir_resolve(outer, weir_ok(0));
    run_all();
    f = weir_poll(f);
    assert_true(weir_is_asleep(f));
    weir_resolve(inner, weir_ok(9));
    f = weir_poll(f);
    assert_true(weir_is_ready(f));
    assert_int_equal(weir_value(f), 9);
}

static void
a_handlers_failure_goes_on_as_its_result(void **state)
{
    struct weir_promise p = weir_promise_new();
    weir_fut failure = weir_fail(-9, "no");
    struct seen skipped = { 0 }, seen;

    (void)state;
    watch(weir_then(weir_then(weir_future(p), give, &failure), note, &skipped), &seen);
    weir_resolve(p, weir_ok(0));
    run_all();
    assert_int_equal(skipped.times, 0);
    assert_outcome(seen, -9, 0);
}

/* ---- space and depth ---- */

struct tail {
    unsigned left;
    struct weir_promise next;
};

static weir_fut
tail_loop(void *ctx, weir_fut in)
{
    struct tail *tail = ctx;

    (void)in;
    if (--tail->left == 0)
        return weir_ok(42);
    tail->next = weir_promise_new();
    return weir_then(weir_future(tail->next), tail_loop, tail);
}

static void
a_tail_loop_of_100000_turns_holds_a_handful_of_cells(void **state)
{
    struct tail tail = { .left = 100000 };
    uint64_t most = 0;
    struct seen seen;

    (void)state;
    watch(tail_loop(&tail, weir_ok(0)), &seen);
    while (seen.times == 0) {
        weir_resolve(tail.next, weir_ok(0));
        run_all();
        most = stats().live > most ? stats().live : most;
    }
    assert_outcome(seen, WEIR_E_OK, 42);
    assert_true(most <= 3);
}

/* The same with the future held by nobody but the test: the link stays. */
static void
an_unwatched_tail_loop_is_as_small(void **state)
{
    struct tail tail = { .left = 1000 };
    weir_fut f = tail_loop(&tail, weir_ok(0));
    uint64_t most = 0;

    (void)state;
    while (tail.left > 0) {
        weir_resolve(tail.next, weir_ok(0));
        run_all();
        most = stats().live > most ? stats().live : most;
    }
    f = weir_poll(f);
    assert_int_equal(weir_value(f), 42);
    assert_true(most <= 3);
}

static void
a_chain_of_100000_sleeping_stages_needs_no_stack(void **state)
{
    struct weir_promise p = weir_promise_new();
    weir_fut f = weir_future(p);
    struct seen seen;

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        f = weir_then(f, plus_one, NULL);
    watch(f, &seen);
    weir_resolve(p, weir_ok(0));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 100000);
}

/* ---- detach and poll ---- */

static void
failures_of_detached_futures_are_counted(void **state)
{
    struct weir_promise p = weir_promise_new(), q = weir_promise_new();

    (void)state;
    weir_detach(weir_ok(1));
    weir_detach(weir_stop());
    assert_int_equal(stats().unhandled, 0);
    weir_detach(weir_fail(-7, "now"));
    assert_int_equal(stats().unhandled, 1);
    weir_detach(weir_then(weir_future(p), plus_one, NULL));
    weir_resolve(p, weir_fail(-7, "later"));
    weir_resolve(q, weir_fail(-7, "before"));
    weir_detach(weir_future(q));
    run_all();
    assert_int_equal(stats().unhandled, 3);
}

static void
detaching_a_linked_future_lets_the_inner_run(void **state)
{
    struct weir_promise outer = weir_promise_new(), inner = weir_promise_new();
    weir_fut in = weir_future(inner), f = weir_then(weir_future(outer), give, &in);

    (void)state;
    weir_resolve(outer, weir_ok(0));
    run_all();
    weir_detach(f);
    assert_int_equal(stats().live, 1);
    weir_resolve(inner, weir_fail(-7, "late"));
    assert_int_equal(stats().unhandled, 1);
}

static void
poll_consumes_only_what_is_resolved(void **state)
{
    struct weir_promise p = weir_promise_new();
    weir_fut f = weir_poll(weir_future(p));

    (void)state;
    assert_true(weir_is_asleep(f));
    weir_resolve(p, weir_ok(3));
    f = weir_poll(f);
    assert_int_equal(weir_value(f), 3);
    assert_int_equal(stats().live, 0);
    assert_int_equal(weir_value(weir_poll(weir_ok(4))), 4);
}

/* ---- memory ---- */

static int
enter_small_core(void **state)
{
    (void)state;
    return enter_core_with(&(struct weir_core_opts){ .cells = 4, .max_cells = 4 });
}

static void
a_wait_without_a_cell_fails_and_cancels_its_source(void **state)
{
    struct weir_promise p[4];
    weir_fut f;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        p[i] = weir_promise_new();
    f = weir_then(weir_future(p[0]), plus_one, NULL);
    assert_int_equal(weir_code(f), WEIR_E_NOMEM);
    assert_int_equal(stats().no_memory, 1);
    f = weir_future(weir_promise_new());
    assert_int_equal(weir_code(f), WEIR_E_NOMEM);
    assert_int_equal(stats().no_memory, 2);
    weir_detach(weir_future(p[1]));
    weir_detach(weir_future(p[2]));
    weir_detach(weir_future(p[3]));
    for (unsigned i = 0; i < 4; i++)
        assert_true(weir_resolve(p[i], weir_ok(0)));
}

static void
a_promise_without_memory_is_harmless(void **state)
{
    struct weir_promise none = { NULL, 0 };

    (void)state;
    assert_false(weir_resolve(none, weir_ok(0)));
    assert_false(weir_promise_break(none));
    weir_promise_on_cancel(none, free, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(a_ready_future_carries_a_word_and_no_cell),
        in_core(a_failed_future_carries_a_code_and_a_text),
        in_core(a_stop_is_a_failure_with_a_code_of_its_own),
        in_core(resolve_runs_nothing_until_the_core_does),
        in_core(a_promise_may_be_resolved_before_anyone_waits),
        in_core(an_old_promise_is_refused_for_65535_lives),
        in_core(resolving_twice_is_refused_and_counted),
        in_core(an_old_promise_does_not_fit_the_cells_next_life),
        in_core(a_broken_promise_fails_its_future),
        in_core(then_on_a_ready_future_runs_at_once),
        in_core(then_skips_failures_catch_skips_values_always_sees_both),
        in_core(the_same_holds_for_sleeping_futures),
        in_core(a_chain_behind_one_promise_runs_in_one_go),
        in_core(the_order_of_handlers_does_not_depend_on_the_budget),
        in_core(a_future_returned_by_a_handler_is_waited_for),
        in_core(a_future_that_was_linked_may_be_returned_again),
        in_core(a_linked_future_may_resolve_before_anyone_asks),
        in_core(a_handlers_failure_goes_on_as_its_result),
        in_core(a_tail_loop_of_100000_turns_holds_a_handful_of_cells),
        in_core(an_unwatched_tail_loop_is_as_small),
        in_core(a_chain_of_100000_sleeping_stages_needs_no_stack),
        in_core(failures_of_detached_futures_are_counted),
        in_core(detaching_a_linked_future_lets_the_inner_run),
        in_core(poll_consumes_only_what_is_resolved),
        cmocka_unit_test_setup_teardown(a_wait_without_a_cell_fails_and_cancels_its_source,
                                        enter_small_core, leave_core),
        in_core(a_promise_without_memory_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
