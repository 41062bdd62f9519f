/* Tables that grow a bucket at a time. */
#include "table.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct entry {
    uint64_t key[2];
    uint64_t value;
};

static uint64_t *
key_of(uint64_t n, uint64_t key[2])
{
    key[0] = n * 0x10001;
    key[1] = ~n;
    return key;
}

static void
what_was_added_is_found_however_many_came_since(void **state)
{
    enum { MANY = 100000 };
    uint64_t key[2];
    struct table t;
    bool made;

    (void)state;
    assert_int_equal(table_new(&t, sizeof(struct entry), 16, MANY, 7), WEIR_E_OK);
    for (uint64_t n = 0; n < MANY; n++) {
        struct entry *e = table_add(&t, key_of(n, key), &made);

        assert_true(made);
        assert_int_equal(e->value, 0);
        e->value = n;
    }
    for (uint64_t n = 0; n < MANY; n++) {
        struct entry *e = table_add(&t, key_of(n, key), &made);

        assert_false(made);
        assert_int_equal(e->value, n);
        assert_ptr_equal(table_find(&t, key), e);
        assert_ptr_equal(table_at(&t, table_index(&t, e)), e);
    }
    assert_null(table_find(&t, key_of(MANY, key)));
    table_free(&t);
}

static void
a_full_table_refuses_and_counts(void **state)
{
    uint64_t key[2];
    struct table t;
    bool made;

    (void)state;
    assert_int_equal(table_new(&t, sizeof(struct entry), 16, 3, 7), WEIR_E_OK);
    for (uint64_t n = 0; n < 3; n++)
        assert_non_null(table_add(&t, key_of(n, key), &made));
    assert_null(table_add(&t, key_of(3, key), &made));
    assert_null(table_add(&t, key_of(4, key), &made));
    assert_int_equal(t.refused, 2);
    assert_non_null(table_add(&t, key_of(1, key), &made));
    table_free(&t);
}

/* Chains stay short: a bucket for each entry, give or take. */
static void
buckets_grow_with_entries(void **state)
{
    uint64_t key[2];
    struct table t;
    bool made;

    (void)state;
    assert_int_equal(table_new(&t, sizeof(struct entry), 16, 300000, 7), WEIR_E_OK);
    for (uint64_t n = 0; n < 300000; n++)
        table_add(&t, key_of(n, key), &made);
    assert_true(t.n_buckets >= 300000 && t.n_buckets <= 300000 + 65536);
    table_free(&t);
}

static bool
is_odd(void *ctx, const void *entry)
{
    (void)ctx;
    return ((const struct entry *)entry)->value % 2;
}

static void
what_is_kept_is_found_and_the_rest_is_not(void **state)
{
    uint64_t key[2];
    struct table t;
    bool made;

    (void)state;
    assert_int_equal(table_new(&t, sizeof(struct entry), 16, 5000, 7), WEIR_E_OK);
    for (uint64_t n = 0; n < 5000; n++)
        ((struct entry *)table_add(&t, key_of(n, key), &made))->value = n;
    table_keep(&t, is_odd, NULL);
    assert_int_equal(t.n, 2500);
    for (uint64_t n = 0; n < 5000; n++) {
        struct entry *e = table_find(&t, key_of(n, key));

        assert_true((e != NULL) == n % 2);
        assert_true(e == NULL || e->value == n);
    }
    for (uint64_t n = 0; n < 5000; n += 2)
        assert_int_equal(((struct entry *)table_add(&t, key_of(n, key), &made))->value, 0);
    assert_int_equal(t.n, 5000);
    table_keep(&t, NULL, NULL);
    assert_int_equal(t.n, 0);
    assert_null(table_find(&t, key_of(1, key)));
    table_free(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_however_many_came_since),
        cmocka_unit_test(a_full_table_refuses_and_counts),
        cmocka_unit_test(buckets_grow_with_entries),
        cmocka_unit_test(what_is_kept_is_found_and_the_rest_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
