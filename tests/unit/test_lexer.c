/* The shape of rules: pieces of text, words of a header, options. */
#include "rule/lexer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct text
text(const char *s)
{
    return (struct text){ s, strlen(s) };
}

static void
is(struct text t, const char *expected)
{
    if (!text_is(t, expected))
        fail_msg("'%.*s' is not '%s'", TEXT(t), expected);
}

static void
parts_are_cut_at_the_separator_and_trimmed(void **state)
{
    struct text rest = text(" a ,b\t,, c d"), part;

    (void)state;
    assert_true(text_next(&rest, ',', &part));
    is(part, "a");
    assert_true(text_next(&rest, ',', &part));
    is(part, "b");
    assert_true(text_next(&rest, ',', &part));
    is(part, "");
    assert_true(text_next(&rest, ',', &part));
    is(part, "c d");
    assert_false(text_next(&rest, ',', &part));
}

static void
an_empty_text_has_one_empty_part(void **state)
{
    struct text rest = text(""), part;

    (void)state;
    assert_true(text_next(&rest, ',', &part));
    is(part, "");
    assert_false(text_next(&rest, ',', &part));
}

static void
numbers_are_whole_and_in_range(void **state)
{
    static const char *const none[] = { "",   "-",   "+1",  "1a", "0x1",
                                        " 1", "--1", "256", "-1", "1234567890123456789" };
    int64_t v;

    (void)state;
    assert_true(text_int(text("255"), 0, 255, &v));
    assert_int_equal(v, 255);
    assert_true(text_int(text("007"), 0, 255, &v));
    assert_int_equal(v, 7);
    assert_true(text_int(text("-4"), -4, 255, &v));
    assert_int_equal(v, -4);
    assert_false(text_int(text("-5"), -4, 255, &v));
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        if (text_int(text(none[i]), 0, 255, &v))
            fail_msg("'%s' is taken as a number", none[i]);
}

static void
quotes_come_off_in_pairs(void **state)
{
    struct text inner;

    (void)state;
    assert_true(text_unquote(text("\"a\"b\""), &inner));
    is(inner, "a\"b");
    assert_true(text_unquote(text("\"\""), &inner));
    is(inner, "");
    assert_false(text_unquote(text("\""), &inner));
    assert_false(text_unquote(text("\"a"), &inner));
    assert_false(text_unquote(text("a\""), &inner));
}

static void
a_rule_is_seven_words_and_options(void **state)
{
    static const char *const words[] = { "alert", "tcp", "[10.0.0.1, [a , b]]", "any", "->",
                                         "any",   "80" };
    struct weir_errbuf err = { "" };
    struct rule_text rule;

    (void)state;
    assert_int_equal(
        rule_split(text("alert  tcp [10.0.0.1, [a , b]]\tany -> any 80(a:(1); b;)"), &rule, &err),
        WEIR_E_OK);
    for (unsigned i = 0; i < HEADER_WORDS; i++)
        is(rule.word[i], words[i]);
    is(rule.options, "a:(1); b;");
}

static void
every_prefix_of_a_rule_is_refused(void **state)
{
    static const char rule[] = "alert tcp [1.2.3.4,!5.6.7.8] any -> any 80 (sid:1;)";
    struct weir_errbuf err;
    struct rule_text out;

    (void)state;
    for (size_t n = 0; n < sizeof(rule) - 1; n++) {
        err.text[0] = '\0';
        assert_int_equal(rule_split((struct text){ rule, n }, &out, &err), WEIR_E_SYNTAX);
        assert_non_null(strstr(err.text, "expected"));
    }
    assert_int_equal(rule_split((struct text){ rule, sizeof(rule) - 1 }, &out, &err), WEIR_E_OK);
}

static void
options_end_at_a_semicolon_without_backslash(void **state)
{
    struct text rest = text(" msg : \"a\\;b: c\" ;nocase; x:;");
    struct weir_errbuf err = { "" };
    struct option_text o;

    (void)state;
    assert_int_equal(option_next(&rest, &o, &err), WEIR_E_OK);
    is(o.name, "msg");
    is(o.value, "\"a\\;b: c\"");
    assert_true(o.has_value);
    assert_int_equal(option_next(&rest, &o, &err), WEIR_E_OK);
    is(o.name, "nocase");
    is(o.value, "");
    assert_false(o.has_value);
    assert_int_equal(option_next(&rest, &o, &err), WEIR_E_OK);
    is(o.name, "x");
    assert_true(o.has_value);
    assert_int_equal(o.value.n, 0);
    assert_int_equal(option_next(&rest, &o, &err), WEIR_E_NOENT);
}

static void
options_without_a_name_or_an_end_are_refused(void **state)
{
    static const char *const wrong[] = { ";", ":1;", "sid:1", "msg:\"a\\;", "a\\" };
    struct weir_errbuf err;
    struct option_text o;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct text rest = text(wrong[i]);

        err.text[0] = '\0';
        assert_int_equal(option_next(&rest, &o, &err), WEIR_E_SYNTAX);
        assert_non_null(strstr(err.text, "expected"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_cut_at_the_separator_and_trimmed),
        cmocka_unit_test(an_empty_text_has_one_empty_part),
        cmocka_unit_test(numbers_are_whole_and_in_range),
        cmocka_unit_test(quotes_come_off_in_pairs),
        cmocka_unit_test(a_rule_is_seven_words_and_options),
        cmocka_unit_test(every_prefix_of_a_rule_is_refused),
        cmocka_unit_test(options_end_at_a_semicolon_without_backslash),
        cmocka_unit_test(options_without_a_name_or_an_end_are_refused),
    };

    return cmocka_run_group_tests_name("lexer", tests, NULL, NULL);
}
