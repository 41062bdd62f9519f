/* Values by key: what is found, what is forgotten, and that the hash decides nothing. */
#include "detect/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct keyed_key
key(unsigned a)
{
    return (struct keyed_key){ (u128)a << 64 | a, 0, 1, 0 };
}

static void
put(struct keyed *t, unsigned a, uint64_t until, uint64_t now)
{
    struct keyed_key k = key(a);
    struct keyed_value *v = keyed_take(t, &k, now);

    v->until = until;
    v->count = a;
}

static const struct keyed_opts opts = { .seed = 1 }, other = { .seed = 99 };

static bool
has(struct keyed *t, unsigned a, uint64_t now)
{
    struct keyed_key k = key(a);
    struct keyed_value *v = keyed_find(t, &k, now);

    assert_true(v == NULL || v->count == a);
    return v != NULL;
}

static void
keys_differ_in_each_part(void **state)
{
    static const struct keyed_key keys[] = {
        { 1, 0, 0, 0 },
        { 0, 1, 0, 0 },
        { 0, 0, 1, 0 },
        { (u128)1 << 64, 0, 0, 0 },
        { 0, (u128)1 << 64, 0, 0 },
        { 0, 0, 0, 1 },
    };
    struct keyed *t = keyed_new(16, &opts);

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        keyed_take(t, &keys[i], 0)->count = i;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(keyed_find(t, &keys[i], 0)->count, i);
    keyed_free(t);
}

static void
a_value_ends_with_its_time(void **state)
{
    struct keyed *t = keyed_new(16, &opts);
    struct keyed_key k = key(3);

    (void)state;
    put(t, 3, 100, 0);
    assert_true(has(t, 3, 99));
    assert_false(has(t, 3, 100));
    assert_int_equal(keyed_take(t, &k, 100)->count, 0); /* begun anew */
    assert_int_equal(keyed_find(t, &k, 100)->until, UINT64_MAX);
    keyed_drop(t, &k);
    assert_null(keyed_find(t, &k, 0));
    keyed_drop(t, &k);
    keyed_free(t);
}

static void
what_was_used_longest_ago_makes_room(void **state)
{
    struct keyed *t = keyed_new(4, &opts);

    (void)state;
    for (unsigned i = 1; i <= 4; i++)
        put(t, i, UINT64_MAX, 0);
    assert_true(has(t, 1, 0)); /* a look is a use */
    put(t, 5, UINT64_MAX, 0);
    assert_true(has(t, 1, 0) && !has(t, 2, 0) && has(t, 3, 0) && has(t, 4, 0) && has(t, 5, 0));
    assert_int_equal(keyed_lost(t), 1);
    keyed_free(t);
}

static void
what_means_nothing_any_more_is_no_loss(void **state)
{
    struct keyed *t = keyed_new(2, &opts);

    (void)state;
    put(t, 1, 10, 0);
    put(t, 2, UINT64_MAX, 0);
    put(t, 3, UINT64_MAX, 20);
    assert_int_equal(keyed_lost(t), 0);
    assert_true(has(t, 2, 20) && has(t, 3, 20));
    keyed_free(t);
}

static void
owners_share_a_table_and_its_time(void **state)
{
    struct keyed *t = keyed_new(4, &opts), *same = keyed_share(t);

    (void)state;
    assert_false(keyed_was_used(same));
    put(t, 1, 100, keyed_turn(t, 50));
    assert_true(keyed_was_used(same));
    assert_int_equal(keyed_turn(same, 20), 50); /* of what one of them has seen */
    assert_true(has(same, 1, 50));
    keyed_free(t);
    assert_int_equal(keyed_turn(same, 60), 60);
    assert_true(has(same, 1, 60));
    keyed_free(same);
}

static uint64_t
next_random(uint64_t *x)
{
    *x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *x >> 33;
}

/* The same calls under two seeds, in a table that is always full. */
static void
seeds_decide_nothing(void **state)
{
    struct keyed *a = keyed_new(50, &opts), *b = keyed_new(50, &other);
    uint64_t x = 7;

    (void)state;
    for (uint64_t now = 0; now < 20000; now++) {
        unsigned k = (unsigned)(next_random(&x) % 120), what = (unsigned)(next_random(&x) % 8);
        uint64_t until = now + next_random(&x) % 200;
        struct keyed_key drop = key(k);

        if (what == 0) {
            keyed_drop(a, &drop);
            keyed_drop(b, &drop);
        } else if (what < 5) {
            put(a, k, until, now);
            put(b, k, until, now);
        } else {
            assert_int_equal(has(a, k, now), has(b, k, now));
        }
    }
    assert_true(keyed_lost(a) > 100);
    assert_int_equal(keyed_lost(a), keyed_lost(b));
    keyed_free(a);
    keyed_free(b);
    keyed_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_differ_in_each_part),
        cmocka_unit_test(a_value_ends_with_its_time),
        cmocka_unit_test(what_was_used_longest_ago_makes_room),
        cmocka_unit_test(what_means_nothing_any_more_is_no_loss),
        cmocka_unit_test(owners_share_a_table_and_its_time),
        cmocka_unit_test(seeds_decide_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
