#include "future_help.h"

#include "core/core.h"

#include <stdio.h>

/* ---- a flow with one tap, and an owner that copies numbers ---- */

struct flow {
    struct weir_tap tap;
    struct weir_promise later; /* what wait_for_odd() sleeps on */
    uint64_t seen[32];         /* what came out of the last stage */
    unsigned n, ended;
    int why;
    bool close_in_stage, cancel_in_stage;
    uint64_t push_in_stage; /* push this number from inside */
};

static unsigned held, told_ended;

static struct weir_held *
copy_number(void *arg, const void *event)
{
    struct weir_held *copy = malloc(sizeof(*copy) + sizeof(uint64_t));

    (void)arg;
    if (copy == NULL)
        return NULL;
    *(uint64_t *)weir_held_event(copy) = *(const uint64_t *)event;
    held++;
    return copy;
}

static void
free_copy(void *arg, struct weir_held *copy)
{
    (void)arg;
    *(uint64_t *)weir_held_event(copy) = 0xdead;
    held--;
    free(copy);
}

static void
on_tap_ended(void *arg, struct weir_tap *tap)
{
    struct flow *flow = arg;

    assert_ptr_equal(tap, &flow->tap);
    assert_int_equal(flow->ended, 1);
    told_ended++;
}

static const struct weir_tap_ops ops = { copy_number, free_copy, on_tap_ended };

/* ---- stages ---- */

static enum weir_tap_result push(struct flow *flow, unsigned type, uint64_t number);

static weir_fut
read_number(void *ctx, weir_fut in)
{
    struct flow *flow = ctx;
    const uint64_t *number = weir_ptr(in), more = flow->push_in_stage;

    flow->push_in_stage = 0;
    if (more != 0)
        assert_int_equal(push(flow, 1, more), WEIR_TAP_QUEUED);
    if (flow->close_in_stage)
        assert_false(weir_tap_finish(&flow->tap, flow));
    if (flow->cancel_in_stage)
        assert_false(weir_tap_cancel(&flow->tap, flow));
    return weir_ok(*number);
}

static weir_fut
wait_for_odd(void *ctx, weir_fut in)
{
    struct flow *flow = ctx;

    if (weir_value(in) % 2 == 0)
        return in;
    if (weir_value(in) == 13)
        return weir_fail(-1313, "13");
    if (weir_value(in) == 15)
        return weir_stop();
    flow->later = weir_promise_new();
    return weir_future(flow->later);
}

static weir_fut
write_number(void *ctx, weir_fut in)
{
    struct flow *flow = ctx;

    flow->seen[flow->n++] = weir_value(in);
    return weir_ok(0);
}

static void
on_end(void *ctx, weir_fut why)
{
    struct flow *flow = ctx;

    flow->ended++;
    flow->why = weir_code(why);
}

static const weir_fn stages[] = { read_number, wait_for_odd, write_number };
static const struct weir_tap_spec spec = {
    .stage = stages, .n_stages = 3, .want = 1 << 1, .queue_max = 4, .on_end = on_end
};

static enum weir_tap_result
push(struct flow *flow, unsigned type, uint64_t number)
{
    enum weir_tap_result result = weir_tap_push(&flow->tap, flow, type, &number);

    number = 0xdead; /* it was lent for the call only */
    return result;
}

static void
start(struct flow *flow)
{
    *flow = (struct flow){ .ended = 0 };
    held = told_ended = 0;
    weir_core_set_tap_ops(core, &ops, flow);
    weir_tap_init(&flow->tap, &spec);
}

/* Put the tap to sleep on number 1, resolve it with 100 when asked to go on. */
static void
start_asleep(struct flow *flow)
{
    start(flow);
    assert_int_equal(push(flow, 1, 1), WEIR_TAP_DONE);
    assert_int_equal(flow->tap.state, WEIR_TAP_ASLEEP);
}

static void
go_on(struct flow *flow)
{
    weir_resolve(flow->later, weir_ok(100));
    run_all();
}

/* ---- events ---- */

static void
a_wanted_event_passes_all_stages_at_once_without_a_cell(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    assert_int_equal(push(&flow, 1, 8), WEIR_TAP_DONE);
    assert_int_equal(flow.n, 1);
    assert_int_equal(flow.seen[0], 8);
    assert_int_equal(stats().live, 0);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
an_unwanted_event_is_not_seen(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    assert_int_equal(push(&flow, 0, 8), WEIR_TAP_DONE);
    assert_int_equal(push(&flow, 57, 8), WEIR_TAP_DONE);
    assert_int_equal(flow.n, 0);
    assert_true(weir_tap_wants(&flow.tap, 1));
    assert_false(weir_tap_wants(&flow.tap, 57));
    weir_tap_want(&flow.tap, UINT64_C(1) << 57);
    assert_true(weir_tap_wants(&flow.tap, 57));
    assert_int_equal(push(&flow, 57, 8), WEIR_TAP_DONE);
    assert_int_equal(push(&flow, 1, 8), WEIR_TAP_DONE);
    assert_int_equal(flow.n, 1);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
a_tap_without_stages_wants_nothing(void **state)
{
    static const struct weir_tap_spec none = { .n_stages = 0, .want = UINT64_MAX };
    struct weir_tap tap;
    uint64_t number = 8;

    (void)state;
    weir_tap_init(&tap, &none);
    assert_false(weir_tap_wants(&tap, 1));
    weir_tap_want(&tap, UINT64_MAX);
    assert_false(weir_tap_wants(&tap, 1));
    assert_int_equal(weir_tap_push(&tap, NULL, 1, &number), WEIR_TAP_DONE);
    assert_true(weir_tap_finish(&tap, NULL));
}

static void
a_sleeping_stage_resumes_where_it_slept(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    assert_int_equal(flow.n, 0);
    assert_int_equal(stats().live, 2);
    go_on(&flow);
    assert_int_equal(flow.n, 1);
    assert_int_equal(flow.seen[0], 100);
    assert_int_equal(flow.tap.state, WEIR_TAP_IDLE);
    assert_int_equal(stats().live, 0);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
events_behind_a_sleeper_follow_in_order(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_QUEUED);
    assert_int_equal(push(&flow, 0, 99), WEIR_TAP_DONE);
    assert_int_equal(push(&flow, 1, 3), WEIR_TAP_QUEUED);
    assert_int_equal(push(&flow, 1, 4), WEIR_TAP_QUEUED);
    go_on(&flow); /* up to 3, which sleeps */
    assert_int_equal(flow.n, 2);
    go_on(&flow);
    assert_int_equal(flow.n, 4);
    assert_int_equal(flow.seen[0], 100);
    assert_int_equal(flow.seen[1], 2);
    assert_int_equal(flow.seen[2], 100);
    assert_int_equal(flow.seen[3], 4);
    assert_int_equal(held, 0);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
the_queue_is_bounded(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(push(&flow, 1, 2), WEIR_TAP_QUEUED);
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_FULL);
    go_on(&flow);
    assert_int_equal(flow.n, 5);
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_DONE);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
without_an_owner_nothing_can_wait(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    weir_core_set_tap_ops(core, NULL, NULL);
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_FULL);
    go_on(&flow);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
events_that_wait_are_asked_again_in_their_turn(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    push(&flow, 1, 2);
    push(&flow, 1, 4);
    weir_tap_want(&flow.tap, 0);
    go_on(&flow);
    assert_int_equal(flow.n, 1);
    assert_int_equal(held, 0);
    assert_int_equal(flow.tap.state, WEIR_TAP_IDLE);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
a_stage_may_push_to_its_own_tap(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    flow.push_in_stage = 6;
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_DONE);
    assert_int_equal(flow.n, 2);
    assert_int_equal(flow.seen[1], 6);
    assert_int_equal(stats().live, 0);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
a_long_queue_shares_the_core_with_others(void **state)
{
    struct weir_promise p;
    struct seen seen;
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    for (unsigned i = 0; i < 4; i++)
        push(&flow, 1, 2);
    p = weir_promise_new();
    watch(weir_future(p), &seen);
    weir_resolve(flow.later, weir_ok(100));
    weir_resolve(p, weir_ok(0));
    assert_int_equal(weir_core_run(core, 2), 1);
    assert_in_range(flow.n, 2, 3);
    assert_int_equal(weir_core_run(core, 1), 1);
    assert_int_equal(seen.times, 1);
    run_all();
    assert_int_equal(flow.n, 5);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
a_queue_drains_with_the_smallest_budget(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    for (unsigned i = 0; i < 4; i++)
        push(&flow, 1, 2);
    weir_resolve(flow.later, weir_ok(100));
    for (unsigned i = 0; i < 5; i++)
        weir_core_run(core, 1);
    assert_int_equal(flow.n, 5);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

/* ---- ends ---- */

static void
stop_ends_the_chain_for_this_event_only(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    push(&flow, 1, 15);
    assert_int_equal(flow.n, 0);
    push(&flow, 1, 2);
    assert_int_equal(flow.n, 1);
    assert_int_equal(flow.ended, 0);
    assert_true(weir_tap_finish(&flow.tap, &flow));
}

static void
any_other_failure_ends_the_tap_once(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    push(&flow, 1, 13);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, -1313);
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_DONE);
    weir_tap_want(&flow.tap, UINT64_MAX);
    assert_int_equal(push(&flow, 1, 2), WEIR_TAP_DONE);
    assert_int_equal(flow.n, 0);
    assert_true(weir_tap_finish(&flow.tap, &flow));
    assert_true(weir_tap_cancel(&flow.tap, &flow));
    assert_int_equal(flow.ended, 1);
    assert_int_equal(told_ended, 0);
}

static void
a_late_failure_drops_what_waits(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    push(&flow, 1, 2);
    weir_resolve(flow.later, weir_fail(-5, "disk"));
    run_all();
    assert_int_equal(flow.n, 0);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, -5);
    assert_int_equal(held, 0);
}

static void
finish_lets_those_that_wait_have_their_turn(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    push(&flow, 1, 2);
    assert_false(weir_tap_finish(&flow.tap, &flow));
    assert_int_equal(push(&flow, 1, 4), WEIR_TAP_DONE);
    assert_int_equal(flow.ended, 0);
    go_on(&flow);
    assert_int_equal(flow.n, 2);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_OK);
    assert_int_equal(told_ended, 1);
}

static void
cancel_ends_a_sleeping_tap_when_its_strand_has_run(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    push(&flow, 1, 2);
    assert_false(weir_tap_cancel(&flow.tap, &flow));
    assert_int_equal(held, 0);
    assert_int_equal(flow.ended, 0);
    run_all();
    assert_int_equal(flow.n, 0);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_CANCELED);
    assert_int_equal(told_ended, 1);
    assert_true(weir_resolve(flow.later, weir_ok(0))); /* the late answer harms nobody */
}

static void
cancel_overrides_an_outcome_on_its_way(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    weir_resolve(flow.later, weir_ok(100));
    assert_false(weir_tap_cancel(&flow.tap, &flow));
    run_all();
    assert_int_equal(flow.n, 0);
    assert_int_equal(flow.why, WEIR_E_CANCELED);
    assert_int_equal(told_ended, 1);
}

static void
cancel_after_finish_ends_once(void **state)
{
    struct flow flow;

    (void)state;
    start_asleep(&flow);
    push(&flow, 1, 2);
    assert_false(weir_tap_finish(&flow.tap, &flow));
    assert_false(weir_tap_cancel(&flow.tap, &flow));
    assert_false(weir_tap_cancel(&flow.tap, &flow));
    assert_false(weir_tap_finish(&flow.tap, &flow));
    run_all();
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_CANCELED);
    assert_int_equal(told_ended, 1);
    weir_resolve(flow.later, weir_ok(0));
}

static void
a_stage_may_finish_its_own_tap(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    flow.close_in_stage = true;
    push(&flow, 1, 2);
    assert_int_equal(flow.n, 1);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_OK);
    assert_int_equal(told_ended, 1);
}

static void
a_stage_may_cancel_its_own_tap(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    flow.cancel_in_stage = true;
    push(&flow, 1, 2);
    assert_int_equal(flow.n, 0);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_CANCELED);
    assert_int_equal(told_ended, 1);
}

/* The stage after the one that cancels does not run; here the one that cancels sleeps. */
static weir_fut
cancel_and_sleep(void *ctx, weir_fut in)
{
    struct flow *flow = ctx;

    (void)in;
    assert_false(weir_tap_cancel(&flow->tap, flow));
    flow->later = weir_promise_new();
    return weir_future(flow->later);
}

static void
a_stage_may_cancel_its_own_tap_and_sleep(void **state)
{
    static const weir_fn stage[] = { cancel_and_sleep, write_number };
    static const struct weir_tap_spec own = {
        .stage = stage, .n_stages = 2, .want = 2, .on_end = on_end
    };
    struct flow flow;

    (void)state;
    start(&flow);
    weir_tap_init(&flow.tap, &own);
    push(&flow, 1, 2);
    assert_int_equal(flow.ended, 0);
    run_all();
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_CANCELED);
    assert_int_equal(told_ended, 1);
    weir_resolve(flow.later, weir_ok(0));
}

static char steps[128]; /* what the owner was told */

static void
on_slept(void *arg, struct weir_tap *tap)
{
    assert_ptr_equal(tap, &((struct flow *)arg)->tap);
    strcat(steps, "slept ");
}

static void
on_went_on(void *arg, struct weir_tap *tap, struct weir_held *next)
{
    char step[32] = "rests ";

    (void)arg;
    if (next != NULL)
        snprintf(step, sizeof(step), "%u ", (unsigned)*(uint64_t *)weir_held_event(next));
    else if (tap->state == WEIR_TAP_ENDED)
        strcpy(step, "ended ");
    strcat(steps, step);
}

static const struct tap_hooks hooks = { on_slept, on_went_on };

/* So who owns it knows which event it is at. */
static void
the_owner_is_told_how_far_it_is(void **state)
{
    struct flow flow;

    (void)state;
    steps[0] = '\0';
    start(&flow);
    core->tap_hooks = &hooks;
    push(&flow, 1, 2);
    assert_null(strstr(steps, "slept")); /* debug builds say that it rests */
    steps[0] = '\0';
    push(&flow, 1, 1);
    push(&flow, 1, 4);
    push(&flow, 1, 3);
    push(&flow, 1, 6);
    assert_string_equal(steps, "slept ");
    go_on(&flow);
    assert_string_equal(steps, "slept 4 3 slept ");
    go_on(&flow);
    assert_string_equal(steps, "slept 4 3 slept 6 rests ");
    push(&flow, 1, 5);
    push(&flow, 1, 8);
    steps[0] = '\0';
    assert_false(weir_tap_cancel(&flow.tap, &flow));
    run_all();
    assert_string_equal(steps, "ended ");
    weir_resolve(flow.later, weir_ok(0));
}

/* on_end may free the flow's state: the tap must not be touched behind ended(). */
static void
free_tap(void *arg, struct weir_tap *tap)
{
    (void)arg;
    free(tap);
}

static void
the_tap_may_be_freed_when_it_has_ended(void **state)
{
    static const struct weir_tap_ops frees = { copy_number, free_copy, free_tap };
    struct weir_tap *tap = malloc(sizeof(*tap));
    uint64_t number = 1;
    struct flow flow;

    (void)state;
    assert_non_null(tap);
    start(&flow);
    weir_core_set_tap_ops(core, &frees, NULL);
    weir_tap_init(tap, &spec);
    weir_tap_push(tap, &flow, 1, &number);
    weir_tap_push(tap, &flow, 1, &number);
    assert_false(weir_tap_cancel(tap, &flow));
    run_all();
    assert_int_equal(flow.ended, 1);
    weir_resolve(flow.later, weir_ok(0));
}

static int
enter_tiny_core(void **state)
{
    (void)state;
    return enter_core_with(&(struct weir_core_opts){ .cells = 1, .max_cells = 1 });
}

static void
a_sleep_without_a_cell_ends_the_tap(void **state)
{
    struct flow flow;

    (void)state;
    start(&flow);
    push(&flow, 1, 1);
    assert_int_equal(flow.ended, 1);
    assert_int_equal(flow.why, WEIR_E_NOMEM);
    assert_int_equal(stats().no_memory, 1);
    weir_resolve(flow.later, weir_ok(0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(a_wanted_event_passes_all_stages_at_once_without_a_cell),
        in_core(an_unwanted_event_is_not_seen),
        in_core(a_tap_without_stages_wants_nothing),
        in_core(a_sleeping_stage_resumes_where_it_slept),
        in_core(events_behind_a_sleeper_follow_in_order),
        in_core(the_queue_is_bounded),
        in_core(without_an_owner_nothing_can_wait),
        in_core(events_that_wait_are_asked_again_in_their_turn),
        in_core(a_stage_may_push_to_its_own_tap),
        in_core(a_long_queue_shares_the_core_with_others),
        in_core(a_queue_drains_with_the_smallest_budget),
        in_core(stop_ends_the_chain_for_this_event_only),
        in_core(any_other_failure_ends_the_tap_once),
        in_core(a_late_failure_drops_what_waits),
        in_core(finish_lets_those_that_wait_have_their_turn),
        in_core(cancel_ends_a_sleeping_tap_when_its_strand_has_run),
        in_core(cancel_overrides_an_outcome_on_its_way),
        in_core(cancel_after_finish_ends_once),
        in_core(a_stage_may_finish_its_own_tap),
        in_core(a_stage_may_cancel_its_own_tap),
        in_core(a_stage_may_cancel_its_own_tap_and_sleep),
        in_core(the_owner_is_told_how_far_it_is),
        in_core(the_tap_may_be_freed_when_it_has_ended),
        cmocka_unit_test_setup_teardown(a_sleep_without_a_cell_ends_the_tap, enter_tiny_core,
                                        leave_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
