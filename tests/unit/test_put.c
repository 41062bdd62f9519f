/* Text in a bounded buffer. */
#include "put.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
what_does_not_fit_is_cut_and_told(void **state)
{
    char text[8] = "???????";
    struct put put = put_begin(text, 5);

    (void)state;
    assert_string_equal(text, "");
    put_str(&put, "abc");
    assert_false(put.more);
    put_char(&put, 'd');
    assert_false(put.more);
    assert_string_equal(text, "abcd");
    put_str(&put, "ef");
    assert_true(put.more);
    assert_int_equal(put_length(&put), 4);
    assert_memory_equal(text, "abcd\0??", 7);
}

static void
numbers_are_written(void **state)
{
    char text[64];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    put_u64(&put, 0);
    put_char(&put, ' ');
    put_u64(&put, UINT64_MAX);
    put_char(&put, ' ');
    put_hex(&put, 0xabc, 4);
    put_char(&put, ' ');
    put_hex(&put, 0xabc, 2);
    assert_string_equal(text, "0 18446744073709551615 0abc bc");
}

static void
bytes_may_be_zeros_or_none(void **state)
{
    char text[8];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    put_bytes(&put, NULL, 0);
    put_bytes(&put, "a\0b", 3);
    assert_int_equal(put_length(&put), 3);
    assert_memory_equal(text, "a\0b", 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_cut_and_told),
        cmocka_unit_test(numbers_are_written),
        cmocka_unit_test(bytes_may_be_zeros_or_none),
    };

    return cmocka_run_group_tests_name("put", tests, NULL, NULL);
}
