/*
 * The timer wheel against a plain array of deadlines: random adds, moves, removals and jumps. At
 * each step the model says which timers must have fired, and when.
 */
#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define N_TIMERS 64

struct timer {
    struct wheel_node node;
    uint64_t deadline; /* 0: not running */
    uint64_t fired;    /* 0: not yet */
};

static struct wheel wheel;
static struct timer timers[N_TIMERS];
static uint64_t seed;

static uint64_t
draw(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1;
    return (seed >> 33) % n;
}

/* Small and huge distances alike, and many next to the borders of slots. */
static uint64_t
some_distance(void)
{
    const uint64_t distance = UINT64_C(1) << draw(31);

    return draw(2) ? draw(distance) + 1 : distance + draw(3);
}

static void
fire_or_file_again(void *ctx, struct wheel_node *node)
{
    struct timer *timer = (struct timer *)node;

    (void)ctx;
    assert_int_not_equal(timer->deadline, 0);
    assert_int_equal(timer->fired, 0);
    if (timer->deadline > wheel.now)
        wheel_add(&wheel, node, timer->deadline);
    else
        timer->fired = wheel.now;
}

static void
run_to(uint64_t end)
{
    uint64_t tick;

    while (wheel_next(&wheel, &tick) && tick <= end)
        wheel_turn(&wheel, tick, fire_or_file_again, NULL);
    wheel_turn(&wheel, end, fire_or_file_again, NULL);
}

static void
change(struct timer *timer)
{
    if (timer->deadline == 0) {
        timer->deadline = wheel.now + some_distance();
        wheel_add(&wheel, &timer->node, timer->deadline);
    } else if (draw(2)) {
        timer->deadline += some_distance(); /* not filed again: the wheel will ask */
    } else {
        wheel_remove(&timer->node);
        timer->deadline = 0;
    }
}

/* What the model says: those due have fired exactly at their deadline, the others have not. */
static void
check_and_collect(void)
{
    for (unsigned i = 0; i < N_TIMERS; i++) {
        struct timer *timer = &timers[i];

        if (timer->deadline == 0 || timer->deadline > wheel.now) {
            assert_int_equal(timer->fired, 0);
            assert_int_equal(wheel_is_filed(&timer->node), timer->deadline != 0);
        } else {
            assert_int_equal(timer->fired, timer->deadline);
            timer->deadline = timer->fired = 0;
        }
    }
}

static void
one_program(uint64_t number)
{
    seed = number;
    wheel_init(&wheel, draw(2) ? 0 : some_distance());
    for (unsigned i = 0; i < N_TIMERS; i++)
        timers[i] = (struct timer){ 0 };
    for (unsigned step = 0; step < 100; step++) {
        for (uint64_t n = draw(8); n > 0; n--)
            change(&timers[draw(N_TIMERS)]);
        run_to(wheel.now + some_distance() - 1);
        check_and_collect();
    }
}

static void
the_wheel_agrees_with_a_plain_list(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 300; number++)
        one_program(number);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wheel_agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
