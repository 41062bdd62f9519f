#include "rd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* A reader of n counting bytes in a block of exactly that size. */
static struct rd
reader(size_t n, uint8_t **block)
{
    *block = malloc(n > 0 ? n : 1);
    assert_non_null(*block);
    for (size_t i = 0; i < n; i++)
        (*block)[i] = (uint8_t)(i + 1);
    return (struct rd){ *block, *block + n };
}

static void
numbers_are_in_network_order(void **state)
{
    uint8_t *block, u8;
    struct rd rd = reader(7, &block);
    uint16_t u16;
    uint32_t u32;

    (void)state;
    assert_true(rd_u8(&rd, &u8));
    assert_int_equal(u8, 0x01);
    assert_true(rd_be16(&rd, &u16));
    assert_int_equal(u16, 0x0203);
    assert_true(rd_be32(&rd, &u32));
    assert_int_equal(u32, 0x04050607);
    assert_int_equal(rd_left(&rd), 0);
    free(block);
}

static void
the_highest_bits_do_not_become_a_sign(void **state)
{
    static const uint8_t ff[] = { 0xff, 0xfe, 0xfd, 0xfc };

    (void)state;
    assert_true(be16(ff) == 0xfffe);
    assert_true(be32(ff) == UINT32_C(0xfffefdfc));
}

static void
a_read_that_does_not_fit_moves_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < 4; n++) {
        uint8_t *block, u8 = 0x5a;
        struct rd rd = reader(n, &block), sub = { NULL, NULL };
        uint16_t u16 = 0x5a5a;
        uint32_t u32 = 0x5a5a5a5a;

        assert_false(rd_be32(&rd, &u32));
        assert_int_equal(u32, 0x5a5a5a5a);
        if (n < 2)
            assert_false(rd_be16(&rd, &u16));
        if (n < 1)
            assert_false(rd_u8(&rd, &u8));
        assert_null(rd_take(&rd, n + 1));
        assert_null(rd_take(&rd, SIZE_MAX));
        assert_false(rd_sub(&rd, n + 1, &sub));
        assert_null(sub.p);
        assert_int_equal(u8, 0x5a);
        assert_int_equal(u16, 0x5a5a);
        assert_ptr_equal(rd.p, block);
        assert_int_equal(rd_left(&rd), n);
        free(block);
    }
}

static void
all_of_it_can_be_taken_at_once(void **state)
{
    uint8_t *block;
    struct rd rd = reader(5, &block);

    (void)state;
    assert_ptr_equal(rd_take(&rd, 5), block);
    assert_int_equal(rd_left(&rd), 0);
    assert_ptr_equal(rd_take(&rd, 0), block + 5);
    assert_null(rd_take(&rd, 1));
    free(block);
}

static void
a_part_is_fenced(void **state)
{
    uint8_t *block, u8;
    struct rd rd = reader(6, &block), sub;
    uint16_t u16;
    uint32_t u32;

    (void)state;
    assert_true(rd_u8(&rd, &u8));
    assert_true(rd_sub(&rd, 3, &sub));
    assert_int_equal(rd_left(&sub), 3);
    assert_false(rd_be32(&sub, &u32)); /* the bytes are there, but behind the fence */
    assert_true(rd_be16(&sub, &u16));
    assert_int_equal(u16, 0x0203);
    assert_true(rd_be16(&rd, &u16)); /* the outer one goes on behind the part */
    assert_int_equal(u16, 0x0506);
    free(block);
}

static void
an_empty_part_is_one(void **state)
{
    uint8_t *block, u8;
    struct rd rd = reader(1, &block), sub;

    (void)state;
    assert_true(rd_sub(&rd, 0, &sub));
    assert_false(rd_u8(&sub, &u8));
    assert_true(rd_u8(&rd, &u8));
    assert_true(rd_sub(&rd, 0, &sub)); /* at the very end, too */
    assert_int_equal(rd_left(&sub), 0);
    free(block);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_in_network_order),
        cmocka_unit_test(the_highest_bits_do_not_become_a_sign),
        cmocka_unit_test(a_read_that_does_not_fit_moves_nothing),
        cmocka_unit_test(all_of_it_can_be_taken_at_once),
        cmocka_unit_test(a_part_is_fenced),
        cmocka_unit_test(an_empty_part_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
