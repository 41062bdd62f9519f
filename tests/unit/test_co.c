#include "future_help.h"

struct job {
    struct weir_co co;
    struct weir_promise next;
    uint64_t sum;
    bool cleaned;
};

static weir_fut
ask(struct job *job)
{
    job->next = weir_promise_new();
    return weir_future(job->next);
}

static weir_fut
sum_of_three(void *ctx, weir_fut in)
{
    struct job *job = ctx;

    WEIR_BEGIN(&job->co, sum_of_three, job, in);
    job->sum = weir_value(in);
    WEIR_AWAIT(&job->co, ask(job));
    if (weir_is_failed(job->co.got)) {
        job->cleaned = true;
        WEIR_RETURN(&job->co, job->co.got);
    }
    job->sum += weir_value(job->co.got);
    WEIR_TRY(&job->co, weir_ok(5));
    job->sum += weir_value(job->co.got);
    WEIR_TRY(&job->co, ask(job));
    job->sum += weir_value(job->co.got);
    WEIR_END(&job->co);
    return weir_ok(job->sum);
}

static void
a_coroutine_goes_on_behind_each_wait(void **state)
{
    struct job job = { 0 };
    struct seen seen;

    (void)state;
    watch(sum_of_three(&job, weir_ok(1)), &seen);
    assert_int_equal(stats().live, 3);
    weir_resolve(job.next, weir_ok(10));
    run_all();
    assert_int_equal(seen.times, 0);
    weir_resolve(job.next, weir_ok(100));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 116);
    assert_int_equal(job.co.line, 0);
}

static void
a_coroutine_may_run_again_when_it_is_over(void **state)
{
    struct job job = { 0 };
    struct seen seen;

    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        watch(sum_of_three(&job, weir_ok(i)), &seen);
        weir_resolve(job.next, weir_ok(10));
        run_all();
        weir_resolve(job.next, weir_ok(100));
        run_all();
        assert_outcome(seen, WEIR_E_OK, 115 + i);
    }
}

static void
try_returns_a_failure_await_shows_it(void **state)
{
    struct job job = { 0 };
    struct seen seen;

    (void)state;
    watch(sum_of_three(&job, weir_ok(1)), &seen);
    weir_resolve(job.next, weir_fail(-7, "x"));
    run_all();
    assert_outcome(seen, -7, 0);
    assert_true(job.cleaned);

    watch(sum_of_three(&job, weir_ok(1)), &seen);
    weir_resolve(job.next, weir_ok(1));
    run_all();
    weir_resolve(job.next, weir_fail(-8, "x"));
    run_all();
    assert_outcome(seen, -8, 0);
    assert_int_equal(job.co.line, 0);
}

static weir_fut
ready_only(void *ctx, weir_fut in)
{
    struct weir_co *co = ctx;
    struct weir_promise p;

    WEIR_BEGIN(co, ready_only, co, in);
    WEIR_AWAIT(co, weir_ok(1));
    p = weir_promise_new();
    weir_resolve(p, weir_ok(weir_value(co->got) + 1));
    WEIR_AWAIT(co, weir_future(p));
    WEIR_END(co);
    return weir_ok(weir_value(co->got));
}

static void
ready_waits_take_no_cell_of_their_own(void **state)
{
    struct weir_co co = { 0 };
    weir_fut f = ready_only(&co, weir_ok(0));

    (void)state;
    assert_true(weir_is_ready(f));
    assert_int_equal(weir_value(f), 2);
}

static void
a_cancel_wakes_a_coroutine_where_it_sleeps(void **state)
{
    struct job job = { 0 };
    struct weir_promise first;
    struct seen seen = { 0 };

    (void)state;
    weir_cancel(weir_always(sum_of_three(&job, weir_ok(1)), note, &seen));
    run_all();
    assert_true(job.cleaned);
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    weir_resolve(job.next, weir_ok(0));

    /* An outcome was on its way: the next wait is cancelled. */
    seen = (struct seen){ 0 };
    job = (struct job){ 0 };
    {
        weir_fut f = weir_always(sum_of_three(&job, weir_ok(1)), note, &seen);

        first = job.next;
        weir_resolve(first, weir_ok(1));
        weir_cancel(f);
    }
    run_all();
    assert_false(job.cleaned);
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    weir_resolve(job.next, weir_ok(0));
}

static weir_fut
tail(void *ctx, weir_fut in)
{
    struct job *job = ctx;

    WEIR_BEGIN(&job->co, tail, job, in);
    WEIR_TRY(&job->co, ask(job));
    WEIR_END(&job->co);
    return ask(job);
}

static void
a_coroutine_may_end_with_a_sleeping_future(void **state)
{
    struct job job = { 0 };
    struct seen seen;

    (void)state;
    watch(tail(&job, weir_ok(0)), &seen);
    weir_resolve(job.next, weir_ok(1));
    run_all();
    assert_int_equal(stats().live, 2);
    weir_resolve(job.next, weir_ok(9));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 9);
}

static int
enter_tiny_core(void **state)
{
    (void)state;
    return enter_core_with(&(struct weir_core_opts){ .cells = 1, .max_cells = 1 });
}

static void
a_wait_without_a_cell_fails(void **state)
{
    struct job job = { 0 };
    weir_fut f = sum_of_three(&job, weir_ok(0));

    (void)state;
    assert_int_equal(weir_code(f), WEIR_E_NOMEM);
    assert_true(job.cleaned);
    weir_resolve(job.next, weir_ok(0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(a_coroutine_goes_on_behind_each_wait),
        in_core(a_coroutine_may_run_again_when_it_is_over),
        in_core(try_returns_a_failure_await_shows_it),
        in_core(ready_waits_take_no_cell_of_their_own),
        in_core(a_cancel_wakes_a_coroutine_where_it_sleeps),
        in_core(a_coroutine_may_end_with_a_sleeping_future),
        cmocka_unit_test_setup_teardown(a_wait_without_a_cell_fails, enter_tiny_core, leave_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
