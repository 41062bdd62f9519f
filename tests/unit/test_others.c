/* Copies of bytes that did not stay: how many are remembered, for how long, and looked at when. */
#include "detect/others.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t range[4 << 20];
static struct arena arena;
static struct mem mem;

static int
set_up(void **state)
{
    arena_init(&arena, range, sizeof(range));
    mem_init_arena(&mem, &arena, sizeof(range));
    *state = others_new(&mem, 100);
    return *state == NULL;
}

static int
tear_down(void **state)
{
    others_free(*state, &mem);
    arena_give_back(&arena, range);
    return 0;
}

static enum others_added
add(struct others *o, int64_t from, const char *text, int64_t end)
{
    return others_add(o, &mem, from, (const uint8_t *)text, strlen(text), end);
}

static void
so_many_are_remembered_and_no_more(void **state)
{
    struct others *o = *state;
    static uint8_t big[OTHER_BYTES_MAX + 1];

    assert_int_equal(others_add(o, &mem, 0, big, sizeof(big), 0), OTHERS_LOST);
    assert_int_equal(others_add(o, &mem, 0, big, sizeof(big) - 1, 0), OTHERS_ADDED);
    for (int i = 1; i < OTHERS_MAX; i++)
        assert_int_equal(add(o, i, "ab", 0), OTHERS_ADDED);
    assert_int_equal(add(o, 100, "ab", 0), OTHERS_LOST);
    assert_int_equal(add(o, 1, "ab", 0), OTHERS_KNOWN);
    others_forget_begun(o, &mem, 1);
    assert_int_equal(add(o, 1, "ac", 0), OTHERS_ADDED);
    assert_int_equal(o->n, OTHERS_MAX);
}

static void
without_memory_a_copy_is_lost(void **state)
{
    struct mem none;

    mem_init_arena(&none, &arena, 0);
    assert_int_equal(others_add(*state, &none, 0, range, 1, 0), OTHERS_LOST);
    assert_null(others_new(&none, 1));
}

static void
the_stream_leaves_them_behind(void **state)
{
    struct others *o = *state;

    add(o, 10, "ab", 5);  /* waits: counted from its own end */
    add(o, 11, "ab", 20); /* came late: from there */
    o->told[1] = 1;
    others_forget_behind(o, &mem, 12 + OTHER_REACH - 1);
    assert_int_equal(o->n, 2);
    others_forget_behind(o, &mem, 12 + OTHER_REACH);
    assert_int_equal(o->n, 1);
    assert_int_equal(o->at[0].from, 11);
    assert_int_equal(o->told[1], 1);
    others_forget_behind(o, &mem, 20 + OTHER_REACH);
    assert_int_equal(o->n, 0);
    assert_int_equal(o->told[1], 0); /* with the last one it begins anew */
}

static void
a_copy_that_stayed_is_none(void **state)
{
    struct others *o = *state;

    add(o, 10, "abc", 0);
    add(o, 10, "xyz", 0);
    add(o, 12, "cd", 0); /* not all of it is there */
    others_forget_same(o, &mem, 9, (const uint8_t *)".abc", 4);
    assert_int_equal(o->n, 2);
    assert_memory_equal(o->at[0].bytes, "xyz", 3);
}

static void
each_is_laid_alone_and_all_together(void **state)
{
    struct others *o = *state;
    uint8_t p[] = "..........";

    add(o, 101, "ab", 0);
    add(o, 102, "cd", 0);
    add(o, 99, "no", 0);
    add(o, 109, "no", 0);
    assert_int_equal(others_lay(o, 0, 100, p, 10), 1);
    assert_string_equal(p, ".ab.......");
    assert_int_equal(others_lay(o, 2, 100, p, 10), 0);
    assert_int_equal(others_lay(o, 3, 100, p, 10), 0);
    assert_string_equal(p, ".ab.......");
    memset(p, '.', 10);
    assert_int_equal(others_lay(o, ALL_OTHERS, 100, p, 10), 2);
    assert_string_equal(p, ".acd......");
    assert_true(others_are_in(o, 101, 103));
    assert_false(others_are_in(o, 102, 103));
}

/* One byte at a time, so that each look costs as much as it can. */
static void
a_stream_of_single_bytes_is_not_looked_at_each_time(void **state)
{
    struct others *o = *state;
    unsigned looks = 0;
    bool last = false;

    assert_false(others_are_due(o, 0));
    add(o, 0, "ab", 2);
    for (int64_t end = 2; end <= 2 + OTHER_REACH; end++) {
        last = others_are_due(o, end);
        looks += last;
        assert_true(last || end >= 2 + LOOKS_FREE);
    }
    assert_true(last); /* before it is forgotten */
    assert_in_range(looks, LOOKS_FREE, LOOKS_FREE + 8);
}

static void
looks_begin_anew_where_the_stream_reaches_a_copy(void **state)
{
    struct others *o = *state;

    add(o, 0, "ab", 0);
    add(o, 50, "ab", 0);
    for (int64_t end = 2; end < 50; end++)
        others_are_due(o, end);
    assert_false(others_are_due(o, 51));
    assert_true(others_are_due(o, 52));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(so_many_are_remembered_and_no_more),
        T(without_memory_a_copy_is_lost),
        T(the_stream_leaves_them_behind),
        T(a_copy_that_stayed_is_none),
        T(each_is_laid_alone_and_all_together),
        T(a_stream_of_single_bytes_is_not_looked_at_each_time),
        T(looks_begin_anew_where_the_stream_reaches_a_copy),
    };

    return cmocka_run_group_tests_name("others", tests, NULL, NULL);
}
