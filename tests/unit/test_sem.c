#include "future_help.h"

static void
units_are_taken_at_once_while_there_are_enough(void **state)
{
    struct weir_sem sem;
    weir_fut f;

    (void)state;
    weir_sem_init(&sem, 3);
    f = weir_sem_take(&sem, 2);
    assert_true(weir_is_ready(f));
    f = weir_sem_take(&sem, 1);
    assert_true(weir_is_ready(f));
    assert_int_equal(sem.units, 0);
    assert_int_equal(stats().live, 0);
}

static void
waiters_are_served_in_their_order(void **state)
{
    struct seen big, small;
    struct weir_sem sem;

    (void)state;
    weir_sem_init(&sem, 1);
    watch(weir_sem_take(&sem, 3), &big);
    watch(weir_sem_take(&sem, 1), &small); /* there is one, but it is not its turn */
    weir_sem_give(&sem, 1);
    run_all();
    assert_int_equal(small.times, 0);
    weir_sem_give(&sem, 1);
    run_all();
    assert_outcome(big, WEIR_E_OK, 0);
    assert_int_equal(small.times, 0);
    weir_sem_give(&sem, 5);
    run_all();
    assert_outcome(small, WEIR_E_OK, 0);
    assert_int_equal(sem.units, 4);
}

static void
a_broken_semaphore_fails_those_who_wait_and_those_who_come(void **state)
{
    struct weir_sem sem;
    struct seen seen;
    weir_fut f;

    (void)state;
    weir_sem_init(&sem, 1);
    watch(weir_sem_take(&sem, 2), &seen);
    weir_sem_break(&sem);
    f = weir_sem_take(&sem, 1);
    assert_int_equal(weir_code(f), WEIR_E_BROKEN);
    memset(&sem, 0xdb, sizeof(sem)); /* its memory may go */
    run_all();
    assert_outcome(seen, WEIR_E_BROKEN, 0);
}

static void
a_gate_closes_when_all_have_left(void **state)
{
    struct weir_gate gate = { 0 };
    struct seen seen;

    (void)state;
    assert_true(weir_gate_enter(&gate));
    assert_true(weir_gate_enter(&gate));
    watch(weir_gate_close(&gate), &seen);
    assert_false(weir_gate_enter(&gate));
    weir_gate_leave(&gate);
    run_all();
    assert_int_equal(seen.times, 0);
    weir_gate_leave(&gate);
    run_all();
    assert_outcome(seen, WEIR_E_OK, 0);
}

static void
an_empty_gate_is_closed_at_once(void **state)
{
    struct weir_gate gate = { 0 };
    weir_fut f;

    (void)state;
    assert_true(weir_gate_enter(&gate));
    weir_gate_leave(&gate);
    f = weir_gate_close(&gate);
    assert_true(weir_is_ready(f));
    assert_false(weir_gate_enter(&gate));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(units_are_taken_at_once_while_there_are_enough),
        in_core(waiters_are_served_in_their_order),
        in_core(a_broken_semaphore_fails_those_who_wait_and_those_who_come),
        in_core(a_gate_closes_when_all_have_left),
        in_core(an_empty_gate_is_closed_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
