#include "future_help.h"

static unsigned forgotten;

static void
forget(void *arg)
{
    struct weir_promise *other = arg;

    forgotten++;
    if (other != NULL)
        weir_resolve(*other, weir_ok(77));
}

static struct weir_promise
promise_that_forgets(void *arg)
{
    struct weir_promise p = weir_promise_new();

    forgotten = 0;
    weir_promise_on_cancel(p, forget, arg);
    return p;
}

static void
handlers_see_a_cancel_once_and_from_the_core(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen first = { 0 }, second = { 0 };
    weir_fut f = weir_always(weir_future(p), note, &first);

    (void)state;
    weir_cancel(weir_always(f, note, &second));
    assert_int_equal(first.times, 0);
    run_all();
    assert_outcome(first, WEIR_E_CANCELED, 0);
    assert_outcome(second, WEIR_E_OK, 0); /* the first one has dealt with it */
    assert_int_equal(stats().unhandled, 0);
    assert_true(weir_resolve(p, weir_ok(1)));
}

static void
a_producer_that_can_forget_is_told_once(void **state)
{
    struct weir_promise p = promise_that_forgets(NULL);
    struct seen seen = { 0 };

    (void)state;
    weir_cancel(weir_always(weir_future(p), note, &seen));
    assert_int_equal(forgotten, 1);
    assert_false(weir_resolve(p, weir_ok(1)));
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    assert_int_equal(forgotten, 1);
}

static void
forget_is_not_called_for_a_promise_that_was_kept(void **state)
{
    struct weir_promise p = promise_that_forgets(NULL);
    struct seen seen;

    (void)state;
    watch(weir_future(p), &seen);
    weir_resolve(p, weir_ok(1));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 1);
    assert_int_equal(forgotten, 0);
}

static void
forget_may_resolve_another_promise(void **state)
{
    struct weir_promise other = weir_promise_new(), p = promise_that_forgets(&other);
    struct seen seen;

    (void)state;
    watch(weir_future(other), &seen);
    weir_cancel(weir_future(p));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 77);
}

/* What forget resolves may be another part of what is being cancelled. */
static void
forget_may_resolve_what_is_cancelled_with_it(void **state)
{
    struct weir_promise other = weir_promise_new(), p = promise_that_forgets(&other);
    weir_fut in[2] = { weir_future(p), weir_future(other) }, results[2];
    struct seen seen = { 0 };

    (void)state;
    weir_cancel(weir_always(weir_when_all(in, 2, results), note, &seen));
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    assert_int_equal(weir_code(results[0]), WEIR_E_CANCELED);
}

static void
a_resolved_future_is_just_dropped(void **state)
{
    struct weir_promise p = promise_that_forgets(NULL);

    (void)state;
    weir_resolve(p, weir_fail(-7, "x"));
    weir_cancel(weir_future(p));
    weir_cancel(weir_fail(-7, "x"));
    weir_cancel(weir_ok(1));
    assert_int_equal(forgotten, 0);
    assert_int_equal(stats().unhandled, 0);
}

static void
an_outcome_on_its_way_arrives_and_the_next_sleep_is_cancelled(void **state)
{
    struct weir_promise p = weir_promise_new(), q = promise_that_forgets(NULL);
    weir_fut inner = weir_future(q);
    struct seen first = { 0 }, last = { 0 };
    weir_fut f = weir_always(weir_future(p), note, &first);

    (void)state;
    f = weir_always(weir_then(f, give, &inner), note, &last);
    weir_resolve(p, weir_ok(5));
    weir_cancel(f);
    assert_int_equal(forgotten, 0);
    run_all();
    assert_outcome(first, WEIR_E_OK, 5);
    assert_int_equal(forgotten, 1);
    assert_outcome(last, WEIR_E_CANCELED, 0);
}

/* The same where the strand runs in parts, for want of budget. */
static void
the_mark_of_a_cancel_moves_up_with_the_outcome(void **state)
{
    struct weir_promise p = weir_promise_new(), q = promise_that_forgets(NULL);
    weir_fut inner = weir_future(q);
    weir_fut f = weir_then(weir_then(weir_future(p), plus_one, NULL), plus_one, NULL);
    struct seen last = { 0 };

    (void)state;
    f = weir_always(weir_then(f, give, &inner), note, &last);
    weir_resolve(p, weir_ok(5));
    weir_cancel(f);
    while (weir_core_run(core, 1) > 0)
        ;
    assert_int_equal(forgotten, 1);
    assert_outcome(last, WEIR_E_CANCELED, 0);
}

static void
cleaning_up_after_a_cancel_is_not_cancelled_again(void **state)
{
    struct weir_promise p = weir_promise_new(), clean = promise_that_forgets(NULL);
    weir_fut inner = weir_future(clean);
    struct seen last = { 0 };

    (void)state;
    weir_cancel(weir_always(weir_catch(weir_future(p), give, &inner), note, &last));
    run_all();
    assert_int_equal(last.times, 0);
    assert_int_equal(forgotten, 0);
    weir_resolve(clean, weir_ok(3));
    run_all();
    assert_outcome(last, WEIR_E_OK, 3);
    weir_resolve(p, weir_ok(0));
}

static void
a_cancel_goes_through_a_link(void **state)
{
    struct weir_promise p = weir_promise_new(), q = promise_that_forgets(NULL);
    weir_fut inner = weir_future(q), f = weir_then(weir_future(p), give, &inner);

    (void)state;
    weir_resolve(p, weir_ok(0));
    run_all();
    weir_cancel(f);
    assert_int_equal(forgotten, 1);
}

struct self {
    weir_fut strand;
    struct weir_promise later;
};

static weir_fut
cancel_own_strand(void *ctx, weir_fut in)
{
    struct self *self = ctx;

    (void)in;
    weir_cancel(self->strand);
    self->later = promise_that_forgets(NULL);
    return weir_future(self->later);
}

static void
a_handler_may_cancel_the_strand_it_runs_in(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct seen seen = { 0 };
    struct self self;

    (void)state;
    self.strand = weir_always(weir_then(weir_future(p), cancel_own_strand, &self), note, &seen);
    weir_resolve(p, weir_ok(0));
    run_all();
    assert_int_equal(forgotten, 1);
    assert_outcome(seen, WEIR_E_CANCELED, 0);
}

static void
a_long_strand_is_cancelled_without_recursion(void **state)
{
    struct weir_promise p = weir_promise_new();
    weir_fut f = weir_future(p);

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        f = weir_then(f, plus_one, NULL);
    weir_cancel(f);
    run_all();
    assert_int_equal(stats().live, 1);
    weir_resolve(p, weir_ok(0));
}

static void
nested_joins_are_cancelled_without_recursion(void **state)
{
    struct weir_promise p = promise_that_forgets(NULL);
    weir_fut f = weir_future(p);
    struct seen seen = { 0 };

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        f = i % 2 == 0 ? weir_when_all(&f, 1, NULL) : weir_when_any(&f, 1, NULL);
    weir_cancel(weir_always(f, note, &seen));
    assert_int_equal(forgotten, 1);
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
}

/* ---- joins ---- */

static void
a_join_passes_a_cancel_on_if_no_part_has_seen_it(void **state)
{
    struct weir_promise p = weir_promise_new(), q = promise_that_forgets(NULL);
    weir_fut in = weir_future(p), inner = weir_future(q);
    struct seen seen = { 0 };

    (void)state;
    for (unsigned all = 0; all < 2; all++) {
        weir_fut f = all == 0 ? weir_when_any(&in, 1, NULL) : weir_when_all(&in, 1, NULL);

        f = weir_always(weir_then(f, give, &inner), note, &seen);
        weir_resolve(p, weir_ok(0));
        weir_cancel(f);
        run_all();
        assert_int_equal(forgotten, 1);
        assert_outcome(seen, WEIR_E_CANCELED, 0);
        p = weir_promise_new();
        q = promise_that_forgets(NULL);
        in = weir_future(p);
        inner = weir_future(q);
        seen = (struct seen){ 0 };
    }
    weir_detach(in);
    weir_detach(inner);
    weir_resolve(p, weir_ok(0));
    weir_resolve(q, weir_ok(0));
}

static void
a_join_keeps_a_cancel_that_a_part_has_seen(void **state)
{
    struct weir_promise p = weir_promise_new(), q = promise_that_forgets(NULL);
    struct seen part = { 0 }, seen = { 0 };
    weir_fut in = weir_always(weir_future(p), note, &part), inner = weir_future(q);

    (void)state;
    weir_cancel(weir_always(weir_then(weir_when_all(&in, 1, NULL), give, &inner), note, &seen));
    run_all();
    assert_outcome(part, WEIR_E_CANCELED, 0);
    assert_int_equal(forgotten, 0);
    weir_resolve(q, weir_ok(8));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 8);
    weir_resolve(p, weir_ok(0));
}

/* ---- timers and units ---- */

static void
a_cancelled_timer_never_fires(void **state)
{
    struct seen seen = { 0 };

    (void)state;
    weir_cancel(weir_always(weir_after(100), note, &seen));
    weir_cancel(weir_after(UINT64_C(5) << 30));
    assert_int_equal(weir_core_next_timer(core), UINT64_MAX);
    run_all();
    weir_core_advance(core, 1000);
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
}

static void
a_cancelled_waiter_lets_those_behind_it_pass(void **state)
{
    struct seen big = { 0 }, small = { 0 };
    struct weir_sem sem;
    weir_fut f;

    (void)state;
    weir_sem_init(&sem, 1);
    f = weir_always(weir_sem_take(&sem, 5), note, &big);
    weir_detach(weir_always(weir_sem_take(&sem, 1), note, &small));
    run_all();
    assert_int_equal(small.times, 0);
    weir_cancel(f);
    run_all();
    assert_outcome(big, WEIR_E_CANCELED, 0);
    assert_outcome(small, WEIR_E_OK, 0);
    assert_int_equal(sem.units, 0);
}

static void
a_cancelled_last_waiter_leaves_the_list_whole(void **state)
{
    struct weir_sem sem;
    struct seen seen[2];

    (void)state;
    weir_sem_init(&sem, 0);
    watch(weir_sem_take(&sem, 1), &seen[0]);
    weir_cancel(weir_sem_take(&sem, 1));
    watch(weir_sem_take(&sem, 1), &seen[1]);
    weir_sem_give(&sem, 2);
    run_all();
    assert_outcome(seen[0], WEIR_E_OK, 0);
    assert_outcome(seen[1], WEIR_E_OK, 0);
}

/* ---- timeouts ---- */

static void
a_cancel_from_above_is_no_timeout(void **state)
{
    struct weir_promise p = promise_that_forgets(NULL);
    struct seen seen = { 0 };

    (void)state;
    weir_cancel(weir_always(weir_timeout(weir_future(p), 100), note, &seen));
    assert_int_equal(weir_core_next_timer(core), UINT64_MAX);
    weir_core_advance(core, 1000);
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    assert_int_equal(forgotten, 1);
}

/* The source was called off by time; the cancel is for what comes behind the timeout. */
static void
a_cancel_passes_a_timeout_that_has_expired(void **state)
{
    struct weir_promise p = weir_promise_new(), clean = promise_that_forgets(NULL), last;
    weir_fut cleaning = weir_future(clean), inner;
    struct seen seen = { 0 };
    weir_fut f = weir_timeout(weir_catch(weir_future(p), give, &cleaning), 100);

    (void)state;
    last = weir_promise_new();
    inner = weir_future(last);
    f = weir_always(weir_always(f, give, &inner), note, &seen);
    weir_core_advance(core, 100);
    run_all();
    weir_cancel(f);
    run_all();
    assert_int_equal(forgotten, 0);
    assert_int_equal(seen.times, 0);
    weir_resolve(clean, weir_ok(0));
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    weir_resolve(p, weir_ok(0));
    weir_resolve(last, weir_ok(0));
}

static void
the_cancel_of_a_timeout_stays_below_it(void **state)
{
    struct weir_promise p = weir_promise_new(), q = promise_that_forgets(NULL);
    weir_fut inner = weir_future(q);
    struct seen seen = { 0 };
    weir_fut f = weir_timeout(weir_then(weir_future(p), plus_one, NULL), 100);

    (void)state;
    watch(weir_then(f, give, &inner), &seen);
    weir_resolve(p, weir_ok(0)); /* on its way when time is over */
    weir_core_advance(core, 100);
    run_all();
    assert_int_equal(forgotten, 0);
    weir_resolve(q, weir_ok(4));
    run_all();
    assert_outcome(seen, WEIR_E_OK, 4);
}

/* ---- loops ---- */

static weir_fut
for_ever(void *ctx, weir_fut in)
{
    unsigned *turns = ctx;

    (void)in;
    ++*turns;
    return weir_ok(1);
}

static void
a_loop_that_never_sleeps_is_cancelled_between_its_turns(void **state)
{
    struct seen seen = { 0 };
    unsigned turns = 0, before;
    weir_fut f = weir_always(weir_repeat(for_ever, &turns), note, &seen);

    (void)state;
    weir_core_run(core, 10);
    before = turns;
    assert_true(before > 0);
    weir_cancel(f);
    run_all();
    assert_outcome(seen, WEIR_E_CANCELED, 0);
    assert_int_equal(turns, before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(handlers_see_a_cancel_once_and_from_the_core),
        in_core(a_producer_that_can_forget_is_told_once),
        in_core(forget_is_not_called_for_a_promise_that_was_kept),
        in_core(forget_may_resolve_another_promise),
        in_core(forget_may_resolve_what_is_cancelled_with_it),
        in_core(a_resolved_future_is_just_dropped),
        in_core(an_outcome_on_its_way_arrives_and_the_next_sleep_is_cancelled),
        in_core(the_mark_of_a_cancel_moves_up_with_the_outcome),
        in_core(cleaning_up_after_a_cancel_is_not_cancelled_again),
        in_core(a_cancel_goes_through_a_link),
        in_core(a_handler_may_cancel_the_strand_it_runs_in),
        in_core(a_long_strand_is_cancelled_without_recursion),
        in_core(nested_joins_are_cancelled_without_recursion),
        in_core(a_join_passes_a_cancel_on_if_no_part_has_seen_it),
        in_core(a_join_keeps_a_cancel_that_a_part_has_seen),
        in_core(a_cancelled_timer_never_fires),
        in_core(a_cancelled_waiter_lets_those_behind_it_pass),
        in_core(a_cancelled_last_waiter_leaves_the_list_whole),
        in_core(a_cancel_from_above_is_no_timeout),
        in_core(a_cancel_passes_a_timeout_that_has_expired),
        in_core(the_cancel_of_a_timeout_stays_below_it),
        in_core(a_loop_that_never_sleeps_is_cancelled_between_its_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
