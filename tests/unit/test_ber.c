/* Elements of BER: headers, what asn1 asks for, and any cut. */
#include "detect/ber.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static enum ber_answer
look(const char *bytes, size_t n, struct ber_ask ask)
{
    uint8_t *copy = exact_copy(bytes, n);
    uint64_t needed;
    enum ber_answer answer = ber_look(copy, n, &ask, &needed);

    free(copy);
    return answer;
}

#define LOOK(bytes, ...) look(bytes, sizeof(bytes) - 1, (struct ber_ask){ __VA_ARGS__ })

static void
headers_are_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum ber_answer answer;
        size_t header;
        uint64_t length;
    } rows[] = {
        { "\x04\x03", 2, BER_YES, 2, 3 },
        { "\x04\x81\x80", 3, BER_YES, 3, 128 },
        { "\x04\x82\x01\x02", 4, BER_YES, 4, 258 },
        { "\x04\x88\0\0\0\0\0\0\0\1", 10, BER_YES, 10, 1 },
        { "\x04\x89\0\0\0\0\0\0\0\0\1", 11, BER_NO, 0, 0 },
        { "\x3f\x81\x01\x05", 4, BER_YES, 4, 5 },
        { "\x30\x80", 2, BER_YES, 2, 0 },
        { "\x04", 1, BER_CUT, 0, 0 },
        { "\x04\x82\x01", 3, BER_CUT, 0, 0 },
        { "\x3f\x81\x81", 3, BER_CUT, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *copy = exact_copy(rows[i].bytes, rows[i].n);
        struct ber_element e;

        assert_int_equal(ber_read(copy, rows[i].n, &e), rows[i].answer);
        if (rows[i].answer == BER_YES) {
            assert_int_equal(e.tag, copy[0]);
            assert_int_equal(e.header, rows[i].header);
            assert_int_equal(e.length, rows[i].length);
            assert_int_equal(e.endless, copy[1] == 0x80);
            assert_int_equal(e.constructed, (copy[0] & 0x20) != 0);
        }
        free(copy);
    }
}

static void
lengths_are_compared_at_any_depth(void **state)
{
    (void)state;
    assert_int_equal(LOOK("\x30\x06\x30\x04\x04\x02xx", .longer = 5), BER_YES);
    assert_int_equal(LOOK("\x30\x06\x30\x04\x04\x02xx", .longer = 6), BER_CUT);
    assert_int_equal(LOOK("\x30\x06\x02\x01\x01\x04\x82\x08\x01", .longer = 2048), BER_YES);
    assert_int_equal(LOOK("\x30\x80\x02\x01\x01\0\0\x04\x82\x08\x01", .longer = 2048), BER_YES);
    assert_int_equal(LOOK("\x04\x89\0\0\0\0\0\0\0\0\1", .longer = 1), BER_NO);
}

static void
unused_bits_are_compared(void **state)
{
    (void)state;
    assert_int_equal(LOOK("\x30\x03\x03\x01\x05", .longer = UINT32_MAX, .bit_string = true),
                     BER_YES);
    assert_int_equal(LOOK("\x03\x02\x09x", .longer = UINT32_MAX, .bit_string = true), BER_YES);
    assert_int_equal(LOOK("\x03\x02\x08x", .longer = UINT32_MAX, .bit_string = true), BER_CUT);
    assert_int_equal(LOOK("\x03\x01\x00", .longer = UINT32_MAX, .bit_string = true), BER_CUT);
    assert_int_equal(LOOK("\x03\x01\x05", .longer = UINT32_MAX, .real = true), BER_CUT);
}

static void
long_decimal_reals_are_found(void **state)
{
    (void)state;
    assert_int_equal(LOOK("\x09\x82\x01\x01\x03", .longer = UINT32_MAX, .real = true), BER_YES);
    assert_int_equal(LOOK("\x09\x82\x01\x00\x03", .longer = UINT32_MAX, .real = true), BER_CUT);
    assert_int_equal(LOOK("\x09\x82\x01\x01\x83", .longer = UINT32_MAX, .real = true), BER_CUT);
}

/* Empty elements: it ends all the same. */
static void
so_many_elements_are_looked_at(void **state)
{
    static char many[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(many); i += 2)
        many[i] = 5;
    assert_int_equal(look(many, sizeof(many), (struct ber_ask){ .longer = 9 }), BER_NO);
    many[2 * (BER_ELEMENTS_MAX - 1) + 1] = 10;
    assert_int_equal(look(many, sizeof(many), (struct ber_ask){ .longer = 9 }), BER_YES);
}

static void
every_prefix_is_safe(void **state)
{
    static const char all[] =
        "\x30\x80\x1f\x81\x01\x02zz\x03\x82\0\2\1x\x09\1\0\x04\x88\0\0\0\0\0\0\0\4";

    (void)state;
    for (size_t n = 0; n < sizeof(all); n++) {
        const struct ber_ask ask = { .bit_string = true, .real = true, .longer = 9 };

        assert_int_equal(look(all, n, ask), BER_CUT);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(lengths_are_compared_at_any_depth),
        cmocka_unit_test(unused_bits_are_compared),
        cmocka_unit_test(long_decimal_reals_are_found),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(so_many_elements_are_looked_at),
    };

    return cmocka_run_group_tests_name("ber", tests, NULL, NULL);
}
