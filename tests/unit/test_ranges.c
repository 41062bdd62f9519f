/* Sets of numbers, against a table of booleans. */
#include "rule/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
neighbours_become_one_range(void **state)
{
    struct ranges set = { NULL, 0 };

    (void)state;
    assert_true(ranges_add(&set, 5, 7));
    assert_true(ranges_add(&set, 1, 2));
    assert_true(ranges_add(&set, 3, 4));
    assert_int_equal(set.n, 1);
    assert_true(set.at[0].first == 1 && set.at[0].last == 7);
    ranges_free(&set);
}

static void
both_ends_of_all_numbers_belong_to_a_set(void **state)
{
    struct ranges all = { NULL, 0 }, one = { NULL, 0 }, rest;
    u128 most = ~(u128)0;

    (void)state;
    assert_true(ranges_add(&all, 0, most));
    assert_true(ranges_add(&one, 0, 0) && ranges_add(&one, most, most));
    assert_true(ranges_have(&all, 0) && ranges_have(&all, most));
    assert_true(ranges_minus(&all, &one, &rest));
    assert_false(ranges_have(&rest, 0) || ranges_have(&rest, most));
    assert_true(ranges_have(&rest, 1) && ranges_have(&rest, most - 1));
    ranges_free(&all);
    ranges_free(&one);
    ranges_free(&rest);
}

static void
nothing_is_left_of_a_set_without_itself(void **state)
{
    struct ranges set = { NULL, 0 }, rest;

    (void)state;
    assert_true(ranges_add(&set, 10, 20) && ranges_add(&set, 30, 40));
    assert_true(ranges_minus(&set, &set, &rest));
    assert_int_equal(rest.n, 0);
    ranges_free(&set);
}

enum { NUMBERS = 64 };

static void
random_set(struct ranges *set, bool model[NUMBERS], unsigned *seed)
{
    *set = (struct ranges){ NULL, 0 };
    for (int i = 0; i < NUMBERS; i++)
        model[i] = false;
    for (int n = rand_r(seed) % 6; n > 0; n--) {
        int first = rand_r(seed) % NUMBERS, last = first + rand_r(seed) % (NUMBERS - first);

        assert_true(ranges_add(set, (u128)first, (u128)last));
        for (int i = first; i <= last; i++)
            model[i] = true;
    }
}

static void
sets_agree_with_a_table_of_booleans(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        bool in_a[NUMBERS], in_b[NUMBERS];
        struct ranges a, b, both, less, gathered = { NULL, 0 };

        random_set(&a, in_a, &seed);
        random_set(&b, in_b, &seed);
        assert_true(ranges_gather(&gathered, &b) && ranges_gather(&gathered, &a));
        ranges_sort(&gathered);
        assert_true(ranges_union(&a, &b, &both) && ranges_minus(&a, &b, &less));
        for (int i = 0; i < NUMBERS; i++) {
            assert_int_equal(ranges_have(&both, (u128)i), in_a[i] || in_b[i]);
            assert_int_equal(ranges_have(&less, (u128)i), in_a[i] && !in_b[i]);
        }
        for (size_t i = 1; i < both.n; i++)
            assert_true(both.at[i - 1].last + 1 < both.at[i].first);
        assert_true(ranges_equal(&gathered, &both));
        ranges_free(&gathered);
        ranges_free(&a);
        ranges_free(&b);
        ranges_free(&both);
        ranges_free(&less);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_become_one_range),
        cmocka_unit_test(both_ends_of_all_numbers_belong_to_a_set),
        cmocka_unit_test(nothing_is_left_of_a_set_without_itself),
        cmocka_unit_test(sets_agree_with_a_table_of_booleans),
    };

    return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
