#include "future_help.h"
#include "support/allocs.h"

#include <weir/shared.h>

#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct weir_shared *
table(uint32_t entries)
{
    struct weir_shared *s;

    assert_int_equal(weir_shared_new(&(struct weir_shared_opts){ .entries = entries }, &s),
                     WEIR_E_OK);
    return s;
}

static int64_t
of(weir_fut f)
{
    assert_true(weir_is_ready(f));
    return weir_shared_value(f);
}

static int64_t
add(struct weir_shared *s, const char *key, int64_t delta, uint64_t ttl)
{
    return of(weir_shared_add(s, key, strlen(key), delta, ttl));
}

static int64_t
get(struct weir_shared *s, const char *key)
{
    return of(weir_shared_get(s, key, strlen(key)));
}

static int64_t
swap(struct weir_shared *s, const char *key, int64_t expected, int64_t value)
{
    return of(weir_shared_compare_and_set(s, key, strlen(key), expected, value, SECOND));
}

static weir_fut
put_in(struct weir_shared *s, const char *key, const char *member)
{
    return weir_shared_count_distinct(s, key, strlen(key), member, strlen(member), SECOND);
}

static void
a_key_that_is_not_there_is_zero_and_is_made_by_what_changes_it(void **state)
{
    struct weir_shared *s = table(8);
    struct weir_shared_stats stats;

    (void)state;
    assert_int_equal(get(s, "a"), 0);
    weir_shared_get_stats(s, &stats);
    assert_int_equal(stats.made, 0);
    assert_int_equal(add(s, "a", 5, SECOND), 5);
    assert_int_equal(add(s, "a", -7, SECOND), -2);
    assert_int_equal(get(s, "a"), -2);
    assert_int_equal(get(s, "b"), 0);
    assert_int_equal(get(s, ""), 0);
    assert_int_equal(add(s, "", 1, SECOND), 1);
    weir_shared_get_stats(s, &stats);
    assert_int_equal(stats.made, 2);
    assert_int_equal(stats.entries, 2);
    weir_shared_free(s);
}

static void
numbers_stay_within_their_range(void **state)
{
    struct weir_shared *s = table(8);

    (void)state;
    assert_true(add(s, "a", INT64_MAX, SECOND) == INT64_MAX);
    assert_true(add(s, "a", 1, SECOND) == INT64_MAX);
    assert_true(add(s, "b", INT64_MIN, SECOND) == INT64_MIN);
    assert_true(add(s, "b", -1, SECOND) == INT64_MIN);
    weir_shared_free(s);
}

static void
a_value_is_set_only_where_it_is_as_expected(void **state)
{
    struct weir_shared *s = table(8);

    (void)state;
    assert_int_equal(swap(s, "a", 1, 9), 0);
    assert_int_equal(get(s, "a"), 0);
    assert_int_equal(swap(s, "a", 0, 9), 0);
    assert_int_equal(get(s, "a"), 9);
    assert_int_equal(swap(s, "a", 0, 7), 9);
    assert_int_equal(swap(s, "a", 9, 7), 9);
    assert_int_equal(get(s, "a"), 7);
    weir_shared_free(s);
}

static void
equal_members_count_once_and_sets_are_apart(void **state)
{
    struct weir_shared *s = table(16);

    (void)state;
    assert_int_equal(of(put_in(s, "a", "x")), 1);
    assert_int_equal(of(put_in(s, "a", "y")), 2);
    assert_int_equal(of(put_in(s, "a", "x")), 2);
    assert_int_equal(of(put_in(s, "b", "x")), 1);
    assert_int_equal(of(put_in(s, "a", "")), 3);
    assert_int_equal(get(s, "a"), 3);
    weir_shared_free(s);
}

static void
a_key_lives_as_long_as_it_was_made_for(void **state)
{
    struct weir_shared *s = table(16);

    (void)state;
    assert_int_equal(add(s, "a", 1, 2 * SECOND), 1);
    assert_int_equal(of(put_in(s, "set", "x")), 1);
    weir_core_advance(core, SECOND);
    assert_int_equal(add(s, "a", 1, 9 * SECOND), 2); /* the first time counts */
    assert_int_equal(of(put_in(s, "set", "x")), 1);  /* a set and its members begin anew */
    weir_core_advance(core, 2 * SECOND - 1);
    assert_int_equal(get(s, "a"), 2);
    weir_core_advance(core, 2 * SECOND);
    assert_int_equal(get(s, "a"), 0);
    assert_int_equal(add(s, "a", 1, WEIR_SHARED_FOREVER), 1);
    weir_core_advance(core, UINT64_MAX - 1);
    assert_int_equal(get(s, "a"), 1);
    weir_shared_free(s);
}

static void
a_life_can_be_chosen_anew(void **state)
{
    struct weir_shared *s = table(16);

    (void)state;
    assert_int_equal(of(weir_shared_expire(s, "a", 1, SECOND)), 0);
    add(s, "a", 3, SECOND);
    add(s, "b", 4, SECOND);
    assert_int_equal(of(weir_shared_expire(s, "a", 1, 5 * SECOND)), 3);
    assert_int_equal(of(weir_shared_expire(s, "b", 1, 0)), 4);
    assert_int_equal(get(s, "b"), 0);
    weir_core_advance(core, 4 * SECOND);
    assert_int_equal(get(s, "a"), 3);
    weir_core_advance(core, 5 * SECOND);
    assert_int_equal(get(s, "a"), 0);
    weir_shared_free(s);
}

static void
what_would_be_forgotten_next_makes_room(void **state)
{
    struct weir_shared *s = table(3);
    struct weir_shared_stats stats;

    (void)state;
    add(s, "long", 1, 9 * SECOND);
    add(s, "short", 1, 2 * SECOND);
    add(s, "short too", 1, 2 * SECOND);
    add(s, "new", 1, 5 * SECOND); /* of equal ones, the one that was made first */
    assert_int_equal(get(s, "short"), 0);
    assert_int_equal(get(s, "short too"), 1);
    add(s, "newer", 1, SECOND);
    assert_int_equal(get(s, "short too"), 0);
    assert_int_equal(get(s, "long") + get(s, "new") + get(s, "newer"), 3);
    weir_shared_get_stats(s, &stats);
    assert_int_equal(stats.evicted, 2);
    assert_int_equal(stats.entries, 3);
    weir_shared_free(s);
}

static void
a_set_does_not_lose_its_key_to_its_member(void **state)
{
    struct weir_shared *s = table(2);
    struct weir_shared_stats stats;

    (void)state;
    assert_int_equal(of(put_in(s, "a", "x")), 1);
    assert_int_equal(weir_code(put_in(s, "a", "y")), WEIR_E_LIMIT);
    assert_int_equal(get(s, "a"), 1);
    weir_shared_get_stats(s, &stats);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.evicted, 0);
    weir_shared_free(s);
}

static void
members_of_a_former_life_do_not_count(void **state)
{
    struct weir_shared *s = table(8);

    (void)state;
    assert_int_equal(of(put_in(s, "a", "x")), 1);
    assert_int_equal(of(weir_shared_expire(s, "a", 1, 0)), 1);
    assert_int_equal(of(put_in(s, "a", "x")), 1);
    assert_int_equal(of(put_in(s, "a", "y")), 2);
    weir_shared_free(s);
}

static void
wrong_calls_are_refused(void **state)
{
    static const uint8_t zeros[64];
    struct weir_shared *s = NULL;

    (void)state;
    assert_int_equal(weir_shared_new(&(struct weir_shared_opts){ .entries = 0 }, &s), WEIR_E_INVAL);
    assert_null(s);
    assert_int_equal(weir_shared_new(&(struct weir_shared_opts){ .entries = (1U << 26) + 1 }, &s),
                     WEIR_E_INVAL);
    weir_shared_free(NULL);
    s = table(4);
    assert_int_equal(of(weir_shared_add(s, zeros, WEIR_SHARED_KEY_MAX, 1, SECOND)), 1);
    assert_int_equal(weir_code(weir_shared_add(s, zeros, WEIR_SHARED_KEY_MAX + 1, 1, SECOND)),
                     WEIR_E_INVAL);
    assert_int_equal(of(weir_shared_count_distinct(s, "k", 1, zeros, 32, SECOND)), 1);
    assert_int_equal(weir_code(weir_shared_count_distinct(s, "k", 1, zeros, 33, SECOND)),
                     WEIR_E_INVAL);
    weir_core_enter(NULL);
    assert_int_equal(weir_code(weir_shared_get(s, "k", 1)), WEIR_E_INVAL);
    weir_core_enter(core);
    weir_shared_free(s);
}

/* Keys that differ in length only, or begin alike. */
static void
keys_are_their_bytes_and_their_length(void **state)
{
    static const uint8_t zeros[WEIR_SHARED_KEY_MAX];
    struct weir_shared *s = table(64);

    (void)state;
    for (size_t n = 0; n <= sizeof(zeros); n++)
        assert_int_equal(of(weir_shared_add(s, zeros, n, (int64_t)n + 1, SECOND)), n + 1);
    for (size_t n = 0; n <= sizeof(zeros); n++)
        assert_int_equal(of(weir_shared_get(s, zeros, n)), n + 1);
    weir_shared_free(s);
}

static void
no_call_asks_for_memory_or_a_cell(void **state)
{
    struct weir_shared *s = table(1000);
    struct weir_shared_stats counted;
    uint64_t before = allocs();
    int64_t total = 0;

    (void)state;
    assert_true(before > 0); /* they are counted */
    for (uint64_t i = 0; i < 100000; i++) {
        const uint64_t key = i % 3000;
        weir_fut f;

        weir_core_advance(core, i * 1000);
        total += of(weir_shared_add(s, &key, sizeof(key), 1, i % 7 * 1000000));
        f = weir_shared_count_distinct(s, &key, 4, &i, sizeof(i), 500000);
        total += weir_is_ready(f) ? weir_shared_value(f) : 0;
        total += of(weir_shared_compare_and_set(s, &key, sizeof(key), 2, 0, SECOND));
        total += of(weir_shared_expire(s, &key, sizeof(key), i % 5 * 1000));
    }
    assert_true(total > 0);
    assert_int_equal(allocs(), before);
    assert_int_equal(stats().live, 0);
    weir_shared_get_stats(s, &counted);
    assert_true(counted.expired > 1000 && counted.evicted > 1000);
    weir_shared_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(a_key_that_is_not_there_is_zero_and_is_made_by_what_changes_it),
        in_core(numbers_stay_within_their_range),
        in_core(a_value_is_set_only_where_it_is_as_expected),
        in_core(equal_members_count_once_and_sets_are_apart),
        in_core(a_key_lives_as_long_as_it_was_made_for),
        in_core(a_life_can_be_chosen_anew),
        in_core(what_would_be_forgotten_next_makes_room),
        in_core(a_set_does_not_lose_its_key_to_its_member),
        in_core(members_of_a_former_life_do_not_count),
        in_core(wrong_calls_are_refused),
        in_core(keys_are_their_bytes_and_their_length),
        in_core(no_call_asks_for_memory_or_a_cell),
    };

    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
