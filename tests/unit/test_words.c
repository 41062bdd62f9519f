#include "port/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_words(const char *text, int n, const char *const *expected)
{
    struct words words;

    assert_int_equal(words_split(&words, "first", text), WEIR_E_OK);
    assert_int_equal(words.n, n + 1);
    assert_string_equal(words.at[0], "first");
    for (int i = 0; i < n; i++)
        assert_string_equal(words.at[i + 1], expected[i]);
    assert_null(words.at[n + 1]);
    words_free(&words);
}

static void
blanks_part_words(void **state)
{
    (void)state;
    assert_words("", 0, NULL);
    assert_words(" \t\n", 0, NULL);
    assert_words("a", 1, (const char *[]){ "a" });
    assert_words("  -l 0\t--no-huge ", 3, (const char *[]){ "-l", "0", "--no-huge" });
}

static void
quotations_keep_blanks(void **state)
{
    (void)state;
    assert_words("--vdev='net_pcap0,rx_pcap=my file' x", 2,
                 (const char *[]){ "--vdev=net_pcap0,rx_pcap=my file", "x" });
    assert_words("\"it's\" 'a \"b\" \\c'", 2, (const char *[]){ "it's", "a \"b\" \\c" });
    assert_words("a\\ b \"c\\\"d\" '' e\\", 4, (const char *[]){ "a b", "c\"d", "", "e\\" });
}

static void
a_quotation_has_an_end(void **state)
{
    struct words words;

    (void)state;
    assert_int_equal(words_split(&words, "first", "a 'b"), WEIR_E_SYNTAX);
    assert_int_equal(words_split(&words, "first", "\"b\\\""), WEIR_E_SYNTAX);
    assert_null(words.at);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_part_words),
        cmocka_unit_test(quotations_keep_blanks),
        cmocka_unit_test(a_quotation_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
