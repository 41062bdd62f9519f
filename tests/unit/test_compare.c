/* Numbers with a relation: every form, at its bounds. */
#include "rule/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int
parse_to(const char *text, int64_t max, struct compare *cmp)
{
    struct weir_errbuf err = { "" };

    return compare_parse((struct text){ text, strlen(text) }, max, cmp, &err);
}

static int
parse(const char *text, struct compare *cmp)
{
    return parse_to(text, 100, cmp);
}

/* A letter for each of 3 to 9: y where it holds. */
static void
holds(const char *text, const char *expected)
{
    char got[8] = "";
    struct compare cmp;

    assert_int_equal(parse(text, &cmp), WEIR_E_OK);
    for (int x = 3; x <= 9; x++)
        got[x - 3] = compare_holds(&cmp, x) ? 'y' : '-';
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s, not %s", text, got, expected);
}

static void
all_forms_hold_where_they_should(void **state)
{
    (void)state;
    holds("5", "--y----");
    holds("=5", "--y----");
    holds("== 5", "--y----");
    holds("0x5", "--y----");
    holds("!5", "yy-yyyy");
    holds("!=5", "yy-yyyy");
    holds("<5", "yy-----");
    holds("<= 5", "yyy----");
    holds(">5", "---yyyy");
    holds(">=5", "--yyyyy");
    holds("5<>8", "---yy--");
    holds("5 <> 8", "---yy--");
    holds("5-8", "---yy--");
    holds("!5-8", "yyy--yy");
    holds("5<=>8", "--yyyy-");
    holds("5<=>5", "--y----");
    holds("&6=4", "-yy----");
    holds("& 0x6 = 0x4", "-yy----");
    holds("&6!=4", "y--yyyy");
    holds("&1 != 0", "y-y-y-y");
}

static void
numbers_have_units(void **state)
{
    struct compare cmp;

    (void)state;
    assert_int_equal(parse_to(">1kb", 1 << 30, &cmp), WEIR_E_OK);
    assert_int_equal(cmp.value, 1024);
    assert_int_equal(parse_to("2 KiB<>1mb", 1 << 30, &cmp), WEIR_E_OK);
    assert_int_equal(cmp.first, 2048);
    assert_int_equal(cmp.value, 1048576);
    assert_int_equal(parse_to("1GB", 1 << 30, &cmp), WEIR_E_OK);
    assert_int_equal(cmp.value, 1 << 30);
    assert_int_equal(parse_to("2GB", 1 << 30, &cmp), WEIR_E_SYNTAX);
    assert_int_equal(parse_to("1tb", 1 << 30, &cmp), WEIR_E_SYNTAX);
    assert_int_equal(parse_to("kb", 1 << 30, &cmp), WEIR_E_SYNTAX);
}

static void
what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = { "",     "x",    "<",     "5x",    "-5",     "101",    "8<>5",
                                       "5<>6", "5<>5", "5-",    "-8",    "8<=>5",  "!5<=>8", "0x",
                                       "0xg",  "0x65", "<<5",   "5<>x",  "1<>101", "&6",     "&6=8",
                                       "&=4",  "&4<4", "!&6=4", "&101=4" };
    struct compare cmp;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (parse(bad[i], &cmp) != WEIR_E_SYNTAX)
            fail_msg("%s is taken", bad[i]);
    assert_int_equal(parse("100", &cmp), WEIR_E_OK);
    assert_int_equal(parse("0x64", &cmp), WEIR_E_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_hold_where_they_should),
        cmocka_unit_test(numbers_have_units),
        cmocka_unit_test(what_is_no_number_is_refused),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
