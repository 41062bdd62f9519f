/* Signatures of services: reading, the scan ahead, filling in. */
#include "literal.h"
#include "regex.h"
#include "service.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned n_bad;

static void
on_bad(void *ctx, const char *text)
{
    (void)ctx;
    assert_memory_equal(text, "test: near '", 12);
    n_bad++;
}

static struct service_list *
parse(const char *text)
{
    char *copy = strdup(text);
    struct weir_errbuf err = { "" };
    struct service_list *list;

    n_bad = 0;
    assert_int_equal(service_list_parse(copy, "test", on_bad, NULL, &list, &err), WEIR_E_OK);
    free(copy);
    return list;
}

static void
gives(struct service_list *list, const char *data, const char *expected)
{
    struct service_hit hit;
    char text[600] = "nothing";

    if (service_match(list, (const uint8_t *)data, strlen(data), &hit))
        snprintf(text, sizeof(text), "%s:%s", hit.service, hit.application);
    assert_string_equal(text, expected);
}

static void
templates_are_filled_in(void **state)
{
    struct service_list *list = parse("# comment\n"
                                      "a,v/Apache/$1/$2/,Server: Apache\\/(\\S+) \\((.*)\\)\n"
                                      "b,v/$1//$2/,Agent: (.*)[+-](.*)\\r\n"
                                      "c,v/Lotus/$2/$1,220 (\\S+) Lotus (\\S+)\n"
                                      "d,v/M/B//$1/,Mail (\\w+)\n"
                                      "e,v/Group 3: $3///,three, (x)?\n");

    (void)state;
    assert_int_equal(service_list_size(list), 5);
    gives(list, "Server: Apache/2.4 (Debian)", "a:Apache 2.4 (Debian)");
    gives(list, "Server: Apache/2.4 ()", "a:Apache 2.4 ()");
    gives(list, "Agent: x-y\r\n", "b:x (y)");
    gives(list, "Agent: -\r\n", "b: ()");
    gives(list, "220 host Lotus 5", "c:Lotus 5 (host)");
    gives(list, "Mail me", "d:M B");
    gives(list, "three, ", "e:Group 3: ");
    gives(list, "nothing at all", "nothing");
    service_list_free(list);
}

static void
the_first_in_the_file_wins(void **state)
{
    struct service_list *list = parse("a,v/first///,bcd\nb,v/second///,abc\nc,v/third///,a\n");

    (void)state;
    gives(list, "abcd", "a:first");
    gives(list, "abc", "b:second");
    gives(list, "xa", "c:third");
    service_list_free(list);
}

static void
long_results_are_cut(void **state)
{
    struct service_list *list = parse("a,v/$1///,(x+)\n");
    char data[700], expected[520] = "a:";

    (void)state;
    memset(data, 'x', 600);
    data[600] = '\0';
    memset(expected + 2, 'x', 511);
    expected[513] = '\0';
    gives(list, data, expected);
    service_list_free(list);
}

static void
bad_lines_are_passed_over(void **state)
{
    struct service_list *list = parse("a,v/A///,(unclosed\nno commas\nb,x/B///,b\nc,v/C///,c\n");

    (void)state;
    assert_int_equal(n_bad, 3);
    assert_int_equal(service_list_size(list), 1);
    gives(list, "c", "c:C");
    service_list_free(list);
}

static void
ports_have_names(void **state)
{
    (void)state;
    assert_string_equal(service_of_port(6, 80), "@www");
    assert_string_equal(service_of_port(6, 6667), "@irc");
    assert_string_equal(service_of_port(17, 53), "@domain");
    assert_null(service_of_port(17, 80));
    assert_null(service_of_port(6, 53));
}

/* ---- literals -------------------------------------------------------------------------------- */

static void
has_literal(const char *pattern, const char *expected)
{
    uint8_t literal[LITERAL_MAX];
    size_t n = literal_of(pattern, literal);

    assert_int_equal(n, strlen(expected));
    assert_memory_equal(literal, expected, n);
}

static void
literals_are_in_every_match(void **state)
{
    (void)state;
    has_literal("User-Agent\\x3A (.*)\\r", "User-Agent: ");
    has_literal("ab?cd", "cd");
    has_literal("abc*d", "ab");
    has_literal("abc+d", "abc");
    has_literal("ab{0,2}cde", "cde");
    has_literal("a{b}", "a{b}");
    has_literal("^ab[c-e]fgh", "fgh");
    has_literal("ab(cde|f)", "ab");
    has_literal("ab|cd", "");
    has_literal("(?i)abc", "");
    has_literal("\\x84\\012x\\.y", "\x84\nx.y");
    has_literal("[]a]bc", "bc");
    has_literal("a\\1bc", "");
    has_literal("a\\Qb\\Ec", "");
    has_literal("ab\\", "");
    has_literal("ab(cd", "");
    has_literal("a.b\\Scd", "cd");
    has_literal("", "");
}

/* ---- the same answer as without Hyperscan ---------------------------------------------------- */

static uint32_t seed = 1;

static unsigned
roll(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static void
random_pattern(char *out)
{
    static const char *const parts[] = {
        "a", "b",      "ab",   "c?",    "[ab]",   "(a|b)", "(b*)",  "\\d", "\\x61", "^a", "b$",
        ".", "(a.b)+", "a{2}", "(?=b)", "(a)\\1", "|c",    "\\bab", "b+?", "[^a]",  "\\s"
    };
    unsigned n = 1 + roll(4);

    *out = '\0';
    for (unsigned i = 0; i < n; i++)
        strcat(out, parts[roll(sizeof(parts) / sizeof(parts[0]))]);
}

static void
the_scan_ahead_changes_no_answer(void **state)
{
    struct regex_groups fast, slow;
    struct weir_errbuf err;
    char pattern[100];
    uint8_t data[24];

    (void)state;
    for (unsigned turn = 0; turn < 60; turn++) {
        struct regex_list *list;

        assert_int_equal(regex_list_new(&list), WEIR_E_OK);
        for (unsigned i = 0; i < 12; i++) {
            random_pattern(pattern);
            assert_int_equal(regex_list_add(list, pattern, &err), WEIR_E_OK);
        }
        assert_int_equal(regex_list_ready(list, &err), WEIR_E_OK);
        for (unsigned k = 0; k < 300; k++) {
            size_t n = roll(sizeof(data));
            int a, b;

            for (size_t i = 0; i < n; i++)
                data[i] = (uint8_t) "aabbc1 \n\x80"[roll(9)];
            a = regex_list_match(list, data, n, &fast);
            b = regex_list_match_slow(list, data, n, &slow);
            assert_int_equal(a, b);
        }
        regex_list_free(list);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_are_filled_in),
        cmocka_unit_test(the_first_in_the_file_wins),
        cmocka_unit_test(long_results_are_cut),
        cmocka_unit_test(bad_lines_are_passed_over),
        cmocka_unit_test(ports_have_names),
        cmocka_unit_test(literals_are_in_every_match),
        cmocka_unit_test(the_scan_ahead_changes_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
