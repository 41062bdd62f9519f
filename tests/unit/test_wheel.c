#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct timer {
    struct wheel_node node; /* first, so that a node is its timer */
    uint64_t deadline;
    uint64_t fired; /* tick; 0: not yet */
    unsigned asked; /* how often its slot came round */
};

static struct wheel wheel;

static void
fire_or_file_again(void *ctx, struct wheel_node *node)
{
    struct timer *timer = (struct timer *)node;

    assert_ptr_equal(ctx, &wheel);
    assert_false(wheel_is_filed(node));
    timer->asked++;
    if (timer->deadline > wheel.now)
        wheel_add(&wheel, node, timer->deadline);
    else
        timer->fired = wheel.now;
}

/* @return turns taken */
static unsigned
run_to(uint64_t end)
{
    unsigned turns = 0;
    uint64_t tick;

    while (wheel_next(&wheel, &tick) && tick <= end) {
        wheel_turn(&wheel, tick, fire_or_file_again, &wheel);
        turns++;
    }
    wheel_turn(&wheel, end, fire_or_file_again, &wheel);
    return turns;
}

static void
add(struct timer *timer, uint64_t deadline)
{
    *timer = (struct timer){ .deadline = deadline };
    wheel_add(&wheel, &timer->node, deadline);
}

static void
every_deadline_fires_on_its_tick(void **state)
{
    static const uint64_t ahead[] = { 1,       2,       63,         64,         65,        4095,
                                      4096,    4097,    262143,     262144,     16777215,  16777216,
                                      1 << 27, 1 << 28, 3000000000, 7000000001, 1ULL << 40 };
    static const uint64_t start[] = { 0, 1, 63, 64, 4095, 16777215, 17000000000 };
    struct timer timer;

    (void)state;
    for (size_t s = 0; s < sizeof(start) / sizeof(start[0]); s++)
        for (size_t a = 0; a < sizeof(ahead) / sizeof(ahead[0]); a++) {
            wheel_init(&wheel, start[s]);
            add(&timer, start[s] + ahead[a]);
            run_to(timer.deadline - 1);
            assert_int_equal(timer.fired, 0);
            run_to(timer.deadline);
            assert_int_equal(timer.fired, timer.deadline);
        }
}

static void
a_node_passes_each_level_once(void **state)
{
    struct timer timer;

    (void)state;
    wheel_init(&wheel, 0);
    add(&timer, 1 + 64 * (1 + 64 * (1 + 64 * 1)));
    assert_int_equal(run_to(timer.deadline), WHEEL_LEVELS);
    assert_int_equal(timer.asked, WHEEL_LEVELS);
}

static void
a_jump_of_years_costs_no_turns(void **state)
{
    const uint64_t ten_years = UINT64_C(10) * 365 * 86400 * 10;
    struct timer timer;

    (void)state;
    wheel_init(&wheel, 0);
    assert_int_equal(run_to(ten_years), 0);
    add(&timer, ten_years + 5);
    assert_int_equal(run_to(2 * ten_years), 1);
    assert_int_equal(timer.fired, ten_years + 5);
}

static void
a_moved_deadline_is_asked_for_once(void **state)
{
    struct timer timer;

    (void)state;
    wheel_init(&wheel, 100);
    add(&timer, 110);
    timer.deadline = 120;
    run_to(119);
    assert_int_equal(timer.fired, 0);
    assert_int_equal(timer.asked, 1);
    run_to(120);
    assert_int_equal(timer.fired, 120);
}

static void
a_deadline_that_has_passed_comes_at_the_next_tick(void **state)
{
    struct timer timer;

    (void)state;
    wheel_init(&wheel, 1000);
    add(&timer, 7);
    run_to(1001);
    assert_int_equal(timer.fired, 1001);
}

static void
removed_nodes_never_come(void **state)
{
    struct timer timer[3];
    uint64_t tick;

    (void)state;
    wheel_init(&wheel, 0);
    for (unsigned i = 0; i < 3; i++)
        add(&timer[i], 50);
    wheel_remove(&timer[1].node);
    wheel_remove(&timer[1].node);
    run_to(60);
    assert_int_equal(timer[0].fired, 50);
    assert_int_equal(timer[1].asked, 0);
    assert_int_equal(timer[2].fired, 50);
    assert_false(wheel_next(&wheel, &tick));
}

static void
remove_other(void *ctx, struct wheel_node *node)
{
    struct timer *pair = ctx;

    ((struct timer *)node)->fired = wheel.now;
    wheel_remove(&pair[node == &pair[0].node].node);
}

static void
the_owner_may_remove_others_that_came_round_too(void **state)
{
    struct timer pair[2];

    (void)state;
    wheel_init(&wheel, 0);
    add(&pair[0], 9);
    add(&pair[1], 9);
    wheel_turn(&wheel, 9, remove_other, pair);
    assert_int_equal(pair[0].fired + pair[1].fired, 9);
}

static void
an_empty_wheel_has_no_next_tick(void **state)
{
    struct timer timer;
    uint64_t tick;

    (void)state;
    wheel_init(&wheel, 5);
    assert_false(wheel_next(&wheel, &tick));
    add(&timer, UINT64_MAX);
    assert_true(wheel_next(&wheel, &tick));
    assert_true(tick > 5 + (1 << 23));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deadline_fires_on_its_tick),
        cmocka_unit_test(a_node_passes_each_level_once),
        cmocka_unit_test(a_jump_of_years_costs_no_turns),
        cmocka_unit_test(a_moved_deadline_is_asked_for_once),
        cmocka_unit_test(a_deadline_that_has_passed_comes_at_the_next_tick),
        cmocka_unit_test(removed_nodes_never_come),
        cmocka_unit_test(the_owner_may_remove_others_that_came_round_too),
        cmocka_unit_test(an_empty_wheel_has_no_next_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
