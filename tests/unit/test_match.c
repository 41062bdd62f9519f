/* Contents of a rule against buffers, whole ones and such as grow. */
#include "detect/match.h"
#include "rule/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct answer {
    enum match_answer is;
    uint64_t waits;
    int64_t until;
};

static const char *other_bytes; /* of struct match, kept */

static struct answer
ask(const char *options, const char *bytes, bool final, int fast, int64_t beyond)
{
    struct rules rules = { NULL, 0, 0, 0, NULL, NULL, 0 };
    struct vars *vars = vars_new();
    struct buffer buffer = { (const uint8_t *)bytes, 0, (int64_t)strlen(bytes), final };
    struct match m = {
        .buffer = &buffer, .fast = fast, .beyond = beyond, .kept = (const uint8_t *)other_bytes
    };
    struct weir_errbuf err = { "" };
    struct answer answer;
    char line[512];

    snprintf(line, sizeof(line), "alert tcp any any -> any any (%s sid:1;)", options);
    assert_int_equal(
        rules_load_text(&rules, vars, "t", (struct text){ line, strlen(line) }, NULL, NULL, &err),
        WEIR_E_OK);
    assert_int_equal(rules.n, 1);
    m.rule = &rules.at[0];
    answer.is = match_rule(&m);
    answer.waits = m.waits;
    answer.until = m.until;
    rules_free(&rules);
    vars_free(vars);
    return answer;
}

static enum match_answer
whole(const char *options, const char *bytes)
{
    return ask(options, bytes, true, -1, 0).is;
}

/* Whether the rule holds where one content at least is not in kept, which is as long as bytes. */
static bool
holds_apart(const char *options, const char *bytes, const char *kept)
{
    bool holds;

    assert_int_equal(strlen(bytes), strlen(kept));
    other_bytes = kept;
    holds = whole(options, bytes) == MATCH_YES;
    other_bytes = NULL;
    return holds;
}

static void
offset_and_depth_fence_a_content(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"abc\"; offset:2; depth:5;", "xxabcxx"), MATCH_YES);
    assert_int_equal(whole("content:\"abc\"; offset:2; depth:5;", "xxxxabc"), MATCH_YES);
    assert_int_equal(whole("content:\"abc\"; offset:2; depth:5;", "xxxxxabc"), MATCH_NO);
    assert_int_equal(whole("content:\"abc\"; offset:2;", "xabcx"), MATCH_NO);
    assert_int_equal(whole("content:\"abc\"; startswith;", "abcx"), MATCH_YES);
    assert_int_equal(whole("content:\"abc\"; startswith;", "xabc"), MATCH_NO);
    assert_int_equal(whole("content:\"abc\"; endswith;", "abcabc"), MATCH_YES);
    assert_int_equal(whole("content:\"abc\"; endswith;", "abcx"), MATCH_NO);
}

static void
distance_and_within_count_from_the_match_before(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; distance:1;", "ab.cd"), MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; distance:1;", "abcd"), MATCH_NO);
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; within:3;", "ab.cd"), MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; within:3;", "ab..cd"), MATCH_NO);
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; distance:2; within:3;", "ab...cd"),
                     MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; distance:-4;", "cdab"), MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; content:\"cd\";", "cdab"), MATCH_YES);
}

/* The first ab is followed by no cd; the second is. */
static void
earlier_matches_are_tried_again_further_on(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"ab\"; content:\"cd\"; within:2;", "ab.cd.abcd"), MATCH_YES);
    assert_int_equal(
        whole("content:\"a\"; content:\"b\"; distance:0; content:\"c\"; within:1;", "a.b.b.bc"),
        MATCH_YES);
    assert_int_equal(
        whole("content:\"a\"; content:!\"x\"; within:1; content:\"b\"; distance:0;", "ax b ay b"),
        MATCH_YES);
    assert_int_equal(whole("content:\"a\"; content:!\"zz\"; content:\"b\"; within:1;", "a ab"),
                     MATCH_YES);
}

static void
a_negated_content_must_not_be_in_its_range(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"ab\"; content:!\"x\"; within:2;", "ab..x"), MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; content:!\"x\"; within:3;", "ab..x"), MATCH_NO);
    assert_int_equal(whole("content:!\"x\";", "abc"), MATCH_YES);
    assert_int_equal(whole("content:!\"x\"; depth:2;", "abx"), MATCH_YES);
}

static void
case_counts_unless_told_otherwise(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"AbC\";", "xabcx"), MATCH_NO);
    assert_int_equal(whole("content:\"AbC\"; nocase;", "xaBcx"), MATCH_YES);
    assert_int_equal(whole("content:\"|c4|\"; nocase;", "\xe4"), MATCH_NO);
}

/* Long ones are looked for in another way than short ones. */
static void
long_contents_are_found_without_case_too(void **state)
{
    static const char content[] = "content:\"The Quick brown FOX 0123456789\"; nocase;";

    (void)state;
    assert_int_equal(whole(content, "THE QUICK BROWN FOX 0123456789"), MATCH_YES);
    assert_int_equal(whole(content, "the the quick brown fox 0123456789 ..."), MATCH_YES);
    assert_int_equal(whole(content, "... \xff the quick brown fox 0123456789"), MATCH_YES);
    assert_int_equal(whole(content, "the quick brown fox 012345678"), MATCH_NO);
    assert_int_equal(whole(content, "the quick brown fix 0123456789"), MATCH_NO);
}

static void
isdataat_asks_for_bytes(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"ab\"; isdataat:2,relative;", "ab12"), MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; isdataat:3,relative;", "ab12"), MATCH_NO);
    assert_int_equal(whole("content:\"ab\"; isdataat:!3,relative;", "ab12"), MATCH_YES);
    assert_int_equal(whole("content:\"a\"; isdataat:3;", "ab12"), MATCH_YES);
    assert_int_equal(whole("content:\"a\"; isdataat:4;", "ab12"), MATCH_NO);
}

static void
what_may_still_come_is_waited_for(void **state)
{
    struct answer a = ask("content:\"ab\"; content:\"cd\";", "ab..", false, 0, 0);

    (void)state;
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.waits, 2);
    a = ask("content:\"ab\"; content:\"cd\"; within:2;", "ab..", false, 0, 0);
    assert_int_equal(a.is, MATCH_NO); /* the place for cd is past */
    a = ask("content:\"ab\"; content:!\"x\"; within:8;", "ab..", false, 0, 0);
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.until, 10);
    a = ask("content:\"ab\"; isdataat:6,relative;", "ab..", false, 0, 0);
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.until, 8);
    assert_int_equal(ask("content:\"ab\"; content:\"cd\";", "ab..", true, 0, 0).is, MATCH_NO);
}

static void
the_fast_pattern_has_to_be_a_new_one(void **state)
{
    (void)state;
    assert_int_equal(ask("content:\"ab\";", "ab..ab", false, 0, 2).is, MATCH_YES);
    assert_int_equal(ask("content:\"ab\";", "ab....", false, 0, 2).is, MATCH_NO);
    assert_int_equal(ask("content:\"ab\"; content:\"c\"; within:1;", "abcab.", false, 0, 3).is,
                     MATCH_NO);
}

/* The prefilter looks for the first FAST_MAX bytes only: the rest of a long content may come late. */
static void
the_rest_of_a_long_fast_pattern_is_waited_for(void **state)
{
    static const char content[] = "content:\"0123456789abcdef0123456789abcdef-rest\";";
    struct answer a = ask(content, "0123456789abcdef0123456789abcdef-re", false, 0, 10);

    (void)state;
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.waits, 1);
    assert_int_equal(ask(content, "0123456789abcdef0123456789abcdef-rest", false, 0, 10).is,
                     MATCH_YES);
}

static void
a_negated_content_may_be_forbidden_at_the_end_alone(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"a\"; content:!\"yz\"; endswith;", "a yz z"), MATCH_YES);
    assert_int_equal(whole("content:\"a\"; content:!\"yz\"; endswith;", "a y yz"), MATCH_NO);
}

/* 5000 first contents in a large buffer, of which only the last is followed by the second. */
static void
many_places_are_tried(void **state)
{
    static char bytes[60001];

    (void)state;
    memset(bytes, '.', sizeof(bytes) - 1);
    for (int i = 0; i < 5000; i++)
        bytes[12 * i] = 'a';
    bytes[12 * 4999 + 3] = 'b';
    assert_int_equal(whole("content:\"a\"; content:\"b\"; within:5;", bytes), MATCH_YES);
}

/* Each place of a content is tried once, not once for each place of those before it. */
static void
chains_of_contents_are_decided(void **state)
{
    static const char options[] = "content:\"a\"; content:\"a\"; distance:0; content:\"a\"; "
                                  "distance:0; content:\"a\"; distance:0; content:\"b\"; within:1;";
    static char bytes[20001];

    (void)state;
    memset(bytes, 'a', sizeof(bytes) - 1);
    bytes[19999] = 'b';
    assert_int_equal(whole(options, bytes), MATCH_YES);
}

/* Chains of a's would take their number to the power of the chain's length. */
static void
a_search_without_end_is_given_up(void **state)
{
    static const char chain[] = "content:\"a\"; content:\"a\"; distance:0; content:\"a\"; "
                                "distance:0; content:\"a\"; distance:0; ";
    static const char *const ends[] = {
        "content:\"b\"; within:1;", "content:\"b\"; distance:60000;", /* behind the end */
        "content:!\"b\"; distance:60000; content:\"b\";",             /* and this is even true */
    };
    static char bytes[20001];
    char options[512];

    (void)state;
    memset(bytes, 'a', sizeof(bytes) - 1);
    for (int i = 0; i < 3; i++) {
        snprintf(options, sizeof(options), "%s%s", chain, ends[i]);
        assert_int_equal(whole(options, bytes), MATCH_NO);
    }
}

static void
a_content_has_to_be_where_the_kept_bytes_lack_it(void **state)
{
    static const char two[] = "content:\"ab\"; content:\"cd\";";
    static const char near[] = "content:\"ab\"; content:\"cd\"; within:3;";
    static char bytes[20001], kept[20001];

    (void)state;
    assert_true(holds_apart("content:\"ab\";", "abxx", "a.xx"));
    assert_false(holds_apart("content:\"ab\";", "abxx", "ab.x"));
    assert_true(holds_apart("content:\"ab\";", "abab", "ab.b")); /* the second one */
    assert_false(holds_apart("content:\"ab\"; nocase;", "Ab", "aB"));
    assert_true(holds_apart(two, "ab.cd", "ab.ce")); /* either content */
    assert_true(holds_apart(two, "ab.cd", "aa.cd"));
    assert_true(holds_apart(two, "ab.cd.ab", "ab.cd.aa"));
    assert_false(holds_apart(two, "ab.cd.", "ab.cdx"));
    assert_true(holds_apart("content:\"a\"; content:\"b\"; distance:0;", "a.ab", "a.xb"));
    assert_true(holds_apart(near, "ab.cd.....ab.cd", "ab.cd.....ab.ce"));
    assert_false(holds_apart(near, "ab.cd.....ab....", "ab.cd.....aa...."));
    assert_false(holds_apart("content:!\"ab\";", "cd", "ab"));

    /* What fails where nothing differs yet may hold behind something that does, and many places
     * are no more than many places. */
    memset(bytes, 'a', 20000);
    memset(kept, 'a', 20000);
    kept[19990] = 'x';
    assert_true(holds_apart("content:\"a\"; content:\"a\"; distance:0; content:\"a\"; distance:0;",
                            bytes, kept));
    assert_false(holds_apart("content:\"a\"; content:\"a\"; distance:0; content:\"b\"; distance:0;",
                             bytes, kept));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offset_and_depth_fence_a_content),
        cmocka_unit_test(distance_and_within_count_from_the_match_before),
        cmocka_unit_test(earlier_matches_are_tried_again_further_on),
        cmocka_unit_test(a_negated_content_must_not_be_in_its_range),
        cmocka_unit_test(case_counts_unless_told_otherwise),
        cmocka_unit_test(long_contents_are_found_without_case_too),
        cmocka_unit_test(isdataat_asks_for_bytes),
        cmocka_unit_test(what_may_still_come_is_waited_for),
        cmocka_unit_test(the_fast_pattern_has_to_be_a_new_one),
        cmocka_unit_test(the_rest_of_a_long_fast_pattern_is_waited_for),
        cmocka_unit_test(a_negated_content_may_be_forbidden_at_the_end_alone),
        cmocka_unit_test(many_places_are_tried),
        cmocka_unit_test(chains_of_contents_are_decided),
        cmocka_unit_test(a_search_without_end_is_given_up),
        cmocka_unit_test(a_content_has_to_be_where_the_kept_bytes_lack_it),
    };

    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
