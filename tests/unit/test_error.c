#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
every_code_has_a_text_of_its_own(void **state)
{
    static const int codes[] = {
#define X(name, val, text) val,
        WEIR_ERR_LIST(X)
#undef X
    };
    const size_t n = sizeof(codes) / sizeof(codes[0]);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(weir_strerror(codes[i]), weir_strerror(codes[j]));
    assert_string_equal(weir_strerror(-9999), "unknown error");
}

static void
long_texts_are_cut_and_terminated(void **state)
{
    struct weir_errbuf err;

    (void)state;
    assert_int_equal(weir_err_set(&err, WEIR_E_SYNTAX, "%600d", 1), WEIR_E_SYNTAX);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(weir_err_set(NULL, WEIR_E_IO, "x"), WEIR_E_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(long_texts_are_cut_and_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
