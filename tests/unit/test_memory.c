/* What is remembered of a flow, against a plain array; and what it costs. */
#include "detect/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NAMES = 40, SIZE = 1 << 20 };

struct fixture {
    void *base;
    struct mem mem;
};

static int
set_up(void **state)
{
    static struct fixture f;

    f.base = aligned_alloc(64, SIZE);
    mem_init(&f.mem, f.base, SIZE, SIZE);
    *state = &f;
    return f.base == NULL;
}

static int
tear_down(void **state)
{
    free(((struct fixture *)*state)->base);
    return 0;
}

static void
nothing_is_held_of_most_flows(void **state)
{
    struct fixture *f = *state;
    struct memory *m = NULL;

    assert_null(memory_find(m, 1));
    memory_unset(m, 1);
    memory_unset_bits(m);
    assert_int_equal(f->mem.used, 0);
    for (uint32_t i = 0; i < 7; i++)
        assert_true(memory_set(&m, &f->mem, i, i));
    assert_int_equal(f->mem.used, 64);
    assert_true(memory_set(&m, &f->mem, 7, 7));
    assert_int_equal(f->mem.used, 128);
    memory_free(m, &f->mem);
    assert_int_equal(f->mem.used, 0);
}

static void
bits_go_and_numbers_stay(void **state)
{
    struct fixture *f = *state;
    struct memory *m = NULL;

    assert_true(memory_set(&m, &f->mem, MEMORY_NUMBERS, 5));
    assert_true(memory_set(&m, &f->mem, MEMORY_NUMBERS - 1U, 1));
    assert_true(memory_set(&m, &f->mem, 0, 1));
    memory_unset_bits(m);
    assert_null(memory_find(m, 0));
    assert_null(memory_find(m, MEMORY_NUMBERS - 1U));
    assert_int_equal(*memory_find(m, MEMORY_NUMBERS), 5);
    memory_free(m, &f->mem);
}

static void
without_memory_all_stays_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct memory *m = NULL;

    f->mem.cap = 64;
    for (uint32_t i = 0; i < 7; i++)
        assert_true(memory_set(&m, &f->mem, i, i));
    assert_false(memory_set(&m, &f->mem, 7, 7));
    assert_true(memory_set(&m, &f->mem, 3, 9)); /* it has its place */
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(*memory_find(m, i), i == 3 ? 9 : i);
    assert_null(memory_find(m, 7));
    memory_free(m, &f->mem);
}

static void
check(const struct memory *m, const uint32_t *value, const bool *is_set)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        const uint32_t *found = memory_find(m, i);

        assert_int_equal(found != NULL, is_set[i]);
        assert_true(found == NULL || *found == value[i]);
    }
}

static void
names_are_as_in_a_plain_array(void **state)
{
    struct fixture *f = *state;
    uint32_t value[NAMES] = { 0 };
    bool is_set[NAMES] = { false };
    struct memory *m = NULL;
    uint64_t x = 1;

    for (unsigned i = 0; i < 5000; i++) {
        uint32_t name;

        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        name = (uint32_t)(x >> 40) % NAMES;
        if (x >> 62 == 0) {
            memory_unset(m, name);
            is_set[name] = false;
        } else {
            assert_true(memory_set(&m, &f->mem, name, (uint32_t)(x >> 32)));
            value[name] = (uint32_t)(x >> 32);
            is_set[name] = true;
        }
        check(m, value, is_set);
    }
    memory_free(m, &f->mem);
    assert_int_equal(f->mem.used, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(nothing_is_held_of_most_flows),
        T(bits_go_and_numbers_stay),
        T(without_memory_all_stays_as_it_was),
        T(names_are_as_in_a_plain_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
