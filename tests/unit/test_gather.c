/* Messages with a length in front, however they are cut, and what holes and limits do to them. */
#include "gather.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint32_t
one_byte(const uint8_t *header)
{
    return header[1];
}

/* A letter, a length, so many bytes. */
static const struct gather_spec spec = {
    .kind = POOL_TLS, .header = 2, .max = 9, .length = one_byte
};

struct seen {
    char text[128]; /* of each message its letter, its body, a semicolon */
    size_t n;
    const uint8_t *at; /* of the last body */
    unsigned stop_at;  /* messages; 0: never */
    unsigned messages;
};

static bool
note(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct seen *seen = ctx;

    seen->text[seen->n++] = (char)header[0];
    memcpy(seen->text + seen->n, body.p, body.n);
    seen->n += body.n;
    seen->text[seen->n++] = ';';
    seen->at = body.p;
    return ++seen->messages != seen->stop_at;
}

struct bench {
    struct pool *pool;
    struct gather g;
    struct seen seen;
};

static int
set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){ .pool = NULL };
    *state = &bench;
    return pool_new(POOL_MIN_BYTES, &bench.pool);
}

static int
tear_down(void **state)
{
    pool_free(((struct bench *)*state)->pool);
    return 0;
}

static bool
feed(struct bench *b, const char *bytes, size_t n)
{
    return gather_feed(&b->g, &spec, b->pool,
                       (struct weir_bytes){ (const uint8_t *)bytes, (uint32_t)n }, note, &b->seen);
}

#define FEED(b, literal) feed(b, literal, sizeof(literal) - 1)

static const char three[] = "a\003xyzb\000c\005hello";

static void
whole_messages_are_shown_where_they_lie(void **state)
{
    struct bench *b = *state;

    assert_true(FEED(b, three));
    assert_string_equal(b->seen.text, "axyz;b;chello;");
    assert_ptr_equal(b->seen.at, three + 9);
    assert_int_equal(pool_stats(b->pool)->gathered, 0);
    assert_null(b->g.block);
}

static void
any_cut_gives_the_same_messages(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(three); i++)
        for (size_t k = i; k < sizeof(three); k++) {
            memset(&b->seen, 0, sizeof(b->seen));
            assert_true(feed(b, three, i));
            assert_true(feed(b, three + i, k - i));
            assert_true(feed(b, three + k, sizeof(three) - 1 - k));
            assert_string_equal(b->seen.text, "axyz;b;chello;");
            assert_null(b->g.block);
        }
    assert_true(pool_stats(b->pool)->gathered > 0);
    assert_int_equal(pool_stats(b->pool)->exhausted, 0);
}

static void
a_message_over_its_bound_is_passed_over(void **state)
{
    struct bench *b = *state;

    assert_true(FEED(b, "l\012012345"));
    assert_null(b->g.block);
    assert_true(FEED(b, "6789a\001x"));
    assert_string_equal(b->seen.text, "ax;");
    assert_int_equal(pool_stats(b->pool)->too_long[POOL_TLS], 1);
}

static void
without_a_block_a_message_is_passed_over(void **state)
{
    struct bench *b = *state;
    uint32_t room;

    while (pool_take(b->pool, 1, &room) != NULL)
        continue;
    assert_true(FEED(b, "a\003x"));
    assert_true(FEED(b, "yzc\001!"));
    assert_string_equal(b->seen.text, "c!;");
    assert_int_equal(pool_stats(b->pool)->exhausted, 2);
}

static void
a_hole_within_a_message_loses_that_one_only(void **state)
{
    struct bench *b = *state;

    assert_true(FEED(b, "a\005xy"));
    assert_true(gather_gap(&b->g, b->pool, 2));
    assert_null(b->g.block);
    assert_true(FEED(b, "zc\001!"));
    assert_true(FEED(b, "d\002"));
    assert_true(gather_gap(&b->g, b->pool, 2)); /* ends with the message */
    assert_true(FEED(b, "e\001?"));
    assert_string_equal(b->seen.text, "c!;e?;");
    assert_int_equal(pool_stats(b->pool)->lost, 2);
}

static void
behind_other_holes_the_boundary_is_lost(void **state)
{
    struct bench *b = *state;

    assert_true(gather_gap(&b->g, b->pool, 0));
    assert_false(gather_gap(&b->g, b->pool, 1));
    assert_true(FEED(b, "a"));
    assert_false(gather_gap(&b->g, b->pool, 1));
    assert_true(FEED(b, "a\003x"));
    assert_false(gather_gap(&b->g, b->pool, 3));
    assert_null(b->g.block);
    assert_true(FEED(b, "b\001!")); /* the caller knows of a boundary */
    assert_string_equal(b->seen.text, "b!;");
}

static void
who_has_heard_enough_hears_no_more(void **state)
{
    struct bench *b = *state;

    b->seen.stop_at = 2;
    assert_false(FEED(b, three));
    assert_string_equal(b->seen.text, "axyz;b;");
}

static void
a_block_grows_with_what_came(void **state)
{
    static const struct gather_spec longer = {
        .kind = POOL_TLS, .header = 2, .max = 255, .length = one_byte
    };
    struct bench *b = *state;
    uint8_t bytes[257] = { 'a', 120 };

    memset(bytes + 2, 'z', 255);
    for (unsigned i = 0; i < 122; i++)
        assert_true(gather_feed(&b->g, &longer, b->pool, (struct weir_bytes){ bytes + i, 1 }, note,
                                &b->seen));
    assert_int_equal(b->seen.n, 122);
    assert_int_equal(b->seen.text[120], 'z');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_messages_are_shown_where_they_lie, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_cut_gives_the_same_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_over_its_bound_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_block_a_message_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hole_within_a_message_loses_that_one_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(behind_other_holes_the_boundary_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_heard_enough_hears_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_block_grows_with_what_came, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
