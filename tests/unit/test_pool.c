/* The pool: sizes, exhaustion, blocks that come back. */
#include "pool.h"

#include "poison.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
a_pool_too_small_is_refused(void **state)
{
    struct pool *pool = (struct pool *)state;

    assert_int_equal(pool_new(POOL_MIN_BYTES - 1, &pool), WEIR_E_INVAL);
    assert_null(pool);
    pool_free(NULL);
}

static void
blocks_have_the_least_size_that_fits(void **state)
{
    static const struct {
        size_t size;
        uint32_t room;
    } want[] = { { 1, POOL_SMALL },
                 { POOL_SMALL, POOL_SMALL },
                 { POOL_SMALL + 1, POOL_MIDDLE },
                 { POOL_MIDDLE + 1, POOL_LARGE },
                 { POOL_LARGE, POOL_LARGE } };
    struct pool *pool;
    uint32_t room;

    (void)state;
    assert_int_equal(pool_new(POOL_MIN_BYTES, &pool), WEIR_E_OK);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        uint8_t *block = pool_take(pool, want[i].size, &room);

        assert_non_null(block);
        assert_int_equal(room, want[i].room);
        memset(block, 0xaa, room);
    }
    pool_free(pool);
}

/* Five large blocks fit in a third of a MiB. */
static void
the_last_block_is_followed_by_none_and_a_count(void **state)
{
    uint8_t *block[5];
    struct pool *pool;
    uint32_t room;

    (void)state;
    assert_int_equal(pool_new(POOL_MIN_BYTES, &pool), WEIR_E_OK);
    for (unsigned i = 0; i < 5; i++) {
        block[i] = pool_take(pool, POOL_LARGE, &room);
        assert_non_null(block[i]);
        for (unsigned k = 0; k < i; k++)
            assert_true(block[i] >= block[k] + POOL_LARGE || block[k] >= block[i] + POOL_LARGE);
    }
    assert_null(pool_take(pool, POOL_LARGE, &room));
    assert_int_equal(pool_stats(pool)->exhausted, 1);
    pool_give(pool, block[2]);
    pool_give(pool, NULL);
    assert_ptr_equal(pool_take(pool, POOL_LARGE, &room), block[2]);
    pool_free(pool);
}

static void
small_messages_go_on_in_larger_blocks(void **state)
{
    struct pool *pool;
    uint32_t room = 0;
    unsigned n = 0;

    (void)state;
    assert_int_equal(pool_new(POOL_MIN_BYTES, &pool), WEIR_E_OK);
    while (pool_take(pool, 1, &room) != NULL)
        n++;
    assert_int_equal(n, 5 * 32 + 5 * 4 + 5);
    assert_int_equal(room, POOL_LARGE);
    pool_free(pool);
}

static void
a_block_given_back_may_not_be_touched(void **state)
{
    struct pool *pool;
    uint8_t *block;
    uint32_t room;

    (void)state;
    if (!POISONS)
        skip();
    assert_int_equal(pool_new(POOL_MIN_BYTES, &pool), WEIR_E_OK);
    block = pool_take(pool, POOL_MIDDLE, &room);
    assert_false(IS_POISONED(block, POOL_MIDDLE));
    pool_give(pool, block);
    assert_true(IS_POISONED(block, 1));
    assert_true(IS_POISONED(block + POOL_MIDDLE - 1, 1));
    assert_false(IS_POISONED(block + POOL_MIDDLE, 1));
    assert_ptr_equal(pool_take(pool, POOL_MIDDLE, &room), block);
    assert_false(IS_POISONED(block, POOL_MIDDLE));
    pool_give(pool, block);
    pool_free(pool);
    assert_false(IS_POISONED(block, POOL_MIDDLE)); /* others may be given these addresses */
}

static void
what_was_too_long_is_named(void **state)
{
    struct pool_stats stats = { .exhausted = 1 }, one = { .too_long = { [POOL_SSH_LINE] = 2 } };
    char text[POOL_TEXT];

    (void)state;
    pool_put_too_long(&stats, text);
    assert_string_equal(text, "0");
    pool_stats_add(&stats, &one);
    pool_stats_add(&stats, &one);
    pool_put_too_long(&stats, text);
    assert_string_equal(text, "4 SSH banners");
    memset(&stats, 0xff, sizeof(stats)); /* the longest there is */
    pool_put_too_long(&stats, text);
    assert_non_null(strstr(text, "DNS messages, "));
    assert_non_null(strstr(text, ", 18446744073709551615 SSH packets"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_too_small_is_refused),
        cmocka_unit_test(blocks_have_the_least_size_that_fits),
        cmocka_unit_test(the_last_block_is_followed_by_none_and_a_count),
        cmocka_unit_test(small_messages_go_on_in_larger_blocks),
        cmocka_unit_test(a_block_given_back_may_not_be_touched),
        cmocka_unit_test(what_was_too_long_is_named),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
