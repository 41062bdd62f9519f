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
    unsigned limits;
};

static const char *other_bytes; /* of struct match, kept */

static struct answer
ask(const char *options, const char *bytes, bool final, int fast, int64_t beyond)
{
    struct rules rules = { .at = NULL };
    struct vars *vars = vars_new();
    struct buffer buffer = { (const uint8_t *)bytes, 0, (int64_t)strlen(bytes), final };
    struct match m = {
        .buffer = &buffer, .fast = fast, .beyond = beyond, .kept = (const uint8_t *)other_bytes
    };
    struct weir_errbuf err = { "" };
    struct answer answer = { 0 };
    char line[512];

    snprintf(line, sizeof(line), "alert tcp any any -> any any (%s sid:1;)", options);
    assert_int_equal(
        rules_load_text(&rules, vars, "t", (struct text){ line, strlen(line) }, NULL, NULL, &err),
        WEIR_E_OK);
    assert_int_equal(rules.n, 1);
    m.rule = &rules.at[0];
    m.behind = m.rule->n_steps;
    assert_int_equal(regex_scratch_new(&m.scratch), WEIR_E_OK);
    answer.is = match_rule(&m);
    answer.limits = m.limits;
    regex_scratch_free(m.scratch);
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

static void
elements_of_ber_are_read(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"ab\"; ber_data:0x30; content:\"c\"; within:1;", "ab0\x82zzc"),
                     MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; ber_data:48; content:\"c\"; within:1;", "ab1\1c"),
                     MATCH_NO);
    assert_int_equal(whole("content:\"ab\"; ber_skip:1,optional; ber_data:4; content:\"c\"; "
                           "within:1;",
                           "ab\1\2xx\4\1c"),
                     MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; ber_skip:1,optional; ber_data:4; content:\"c\"; "
                           "within:1;",
                           "ab\4\1c"),
                     MATCH_YES);
    assert_int_equal(whole("content:\"ab\"; ber_skip:1; ber_data:4;", "ab\4\1c"), MATCH_NO);
    assert_int_equal(ask("content:\"ab\"; ber_data:4;", "ab\4", false, -1, 0).until, 4);
    assert_true(holds_apart("content:\"ab\"; ber_data:4;", "ab\4\1c", "ab\5\1c"));
}

static void
asn1_looks_for_odd_elements(void **state)
{
    (void)state;
    assert_int_equal(
        whole("content:\"ab\"; asn1:oversize_length 9, relative_offset 1;", "ab.0\x0b\4\tyy"),
        MATCH_YES);
    assert_int_equal(
        whole("content:\"ab\"; asn1:oversize_length 11, relative_offset 1;", "ab.0\x0b\4\tyy"),
        MATCH_NO);
    assert_int_equal(
        whole("content:\"ab\"; asn1:oversize_length 9, absolute_offset 3;", "ab.0\x0b\4\tyy"),
        MATCH_YES);
    assert_int_equal(whole("asn1:bitstring_overflow, double_overflow;", "0\3\3\1\5"), MATCH_YES);
    assert_int_equal(whole("asn1:double_overflow;", "0\3\3\1\5"), MATCH_NO);
    assert_int_equal(
        ask("content:\"ab\"; asn1:oversize_length 99, relative_offset 0;", "ab\4\tyy", false, -1, 0)
            .until,
        14);
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

/*
 * The prefilter looks for the first FAST_MAX bytes only: the rest of a long content may come late.
 */
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

/* ---- numbers ------------------------------------------------------------------------------- */

static void
byte_test_compares_a_number(void **state)
{
    (void)state;
    assert_int_equal(whole("byte_test:2,=,0x4142,1;", "xABx"), MATCH_YES);
    assert_int_equal(whole("byte_test:2,=,0x4241,1,little;", "xABx"), MATCH_YES);
    assert_int_equal(whole("byte_test:2,=,16706,1,endian little;", "xABx"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,<,0x42,0;", "A"), MATCH_YES);
    assert_int_equal(whole("byte_test:1,<,0x41,0;", "A"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,<=,0x41,0;", "A"), MATCH_YES);
    assert_int_equal(whole("byte_test:1,>,0x41,0;", "A"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,>=,0x41,0;", "A"), MATCH_YES);
    assert_int_equal(whole("byte_test:1,!>=,0x41,0;", "A"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,&,0x40,0;", "A"), MATCH_YES);
    assert_int_equal(whole("byte_test:1,!&,0x40,0;", "A"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,^,0x41,0;", "A"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,!,0x41,0;", "A"), MATCH_NO);
    assert_int_equal(whole("byte_test:1,!=,0x42,0;", "A"), MATCH_YES);
    assert_int_equal(whole("byte_test:8,=,0x4142434445464748,0;", "ABCDEFGH"), MATCH_YES);
    /* 0x4142 & 0x0ff0 is 0x140, whose zeros at the mask's end go */
    assert_int_equal(whole("byte_test:2,=,0x14,0,bitmask 0x0ff0;", "AB"), MATCH_YES);
    /* Bytes that are not there fulfil nothing, nor its opposite. */
    assert_int_equal(whole("byte_test:2,=,0,3;", "ABCD"), MATCH_NO);
    assert_int_equal(whole("byte_test:2,!=,0,3;", "ABCD"), MATCH_NO);
    assert_int_equal(whole("content:\"B\"; byte_test:1,=,0x41,-2,relative;", "AB"), MATCH_YES);
    assert_int_equal(whole("content:\"B\"; byte_test:1,!=,0x41,-3,relative;", "AB"), MATCH_NO);
}

static void
numbers_may_be_text(void **state)
{
    (void)state;
    assert_int_equal(whole("byte_test:4,=,1234,0,string,dec;", "1234"), MATCH_YES);
    assert_int_equal(whole("byte_test:4,=,0x1234,0,string,hex;", "1234"), MATCH_YES);
    assert_int_equal(whole("byte_test:6,=,0x12ab,0,hex,string;", "0x12aB"), MATCH_YES);
    assert_int_equal(whole("byte_test:3,=,63,0,string,oct;", "077"), MATCH_YES);
    assert_int_equal(whole("byte_test:4,=,12,0,string;", " 12x"), MATCH_YES);
    assert_int_equal(whole("byte_test:4,!=,12,0,string;", "x123"), MATCH_NO);
    assert_int_equal(whole("byte_test:4,!=,12,0,string;", "-123"), MATCH_NO);
    assert_int_equal(whole("byte_test:20,=,18446744073709551615,0,string;", "18446744073709551615"),
                     MATCH_YES);
    assert_int_equal(whole("byte_test:20,!=,0,0,string;", "18446744073709551616"), MATCH_NO);
}

static void
the_length_of_a_number_may_vary(void **state)
{
    (void)state;
    assert_int_equal(whole("byte_test:0,>,99,0,string,dec;", "100"), MATCH_YES);
    assert_int_equal(whole("byte_test:0,<,100,0,string,dec;", "100"), MATCH_NO);
    assert_int_equal(whole("byte_test:0,=,12,1,string,dec;", "x12y345"), MATCH_YES);
    assert_int_equal(whole("byte_test:0,=,12,3,string,dec;", "x12"), MATCH_NO);
    assert_int_equal(whole("byte_test:0,>,0,0,string,dec;", "x12"), MATCH_NO);
    assert_int_equal(whole("byte_extract:1,0,n; byte_test:n,=,0x4142,1;", "\2ABC"), MATCH_YES);
    assert_int_equal(whole("byte_extract:1,0,n; byte_test:n,=,0x4142,1;", "\1ABC"), MATCH_NO);
    assert_int_equal(whole("byte_extract:1,0,n; byte_test:n,>=,0,1;", "\3AB"), MATCH_NO);
    assert_int_equal(whole("byte_extract:1,0,n; byte_test:n,>=,0,1;", "\11ABCDEFGHI"), MATCH_NO);
    assert_int_equal(
        whole("byte_extract:1,0,n; byte_jump:n,0,relative; content:\"X\"; within:1;", "\1\2abX"),
        MATCH_YES);
}

static void
byte_jump_leads_elsewhere(void **state)
{
    (void)state;
    /* two bytes of length, behind which the next one stands */
    assert_int_equal(whole("byte_jump:1,0,string; content:\"B\"; within:1;", "3xyzB"), MATCH_YES);
    assert_int_equal(whole("byte_jump:1,0,string; content:\"B\"; within:1;", "2xyzB"), MATCH_NO);
    assert_int_equal(whole("byte_jump:1,0,string,multiplier 3; content:\"B\"; within:1;", "1xyzB"),
                     MATCH_YES);
    assert_int_equal(whole("byte_jump:1,0,string,align; content:\"B\"; within:1;", "1xyzwB"),
                     MATCH_YES);
    assert_int_equal(whole("byte_jump:1,0,string,align 2; content:\"B\"; within:1;", "1xyB"),
                     MATCH_YES);
    assert_int_equal(
        whole("byte_jump:1,0,string,post_offset -1; content:\"B\"; within:1;", "4xyzB"), MATCH_YES);
    assert_int_equal(whole("byte_jump:1,2,string,from_beginning; content:\"B\"; within:1;", "xB1y"),
                     MATCH_YES);
    assert_int_equal(
        whole("byte_jump:0,0,from_end,post_offset -2; content:\"B\"; within:1;", "BxBy"),
        MATCH_YES);
    assert_int_equal(
        whole("content:\"a\"; byte_jump:1,1,relative,string; content:\"B\"; within:1;", "xa.2..B"),
        MATCH_YES);
    assert_int_equal(whole("byte_jump:1,0,bitmask 0x0c; byte_test:1,=,0x42,0,relative;", "LxyzB"),
                     MATCH_YES);
    /* the last byte is the furthest */
    assert_int_equal(whole("byte_jump:1,0,string;", "1ab"), MATCH_YES);
    assert_int_equal(whole("byte_jump:1,0,string;", "2ab"), MATCH_NO);
    assert_int_equal(whole("byte_jump:1,0,string,post_offset -9; content:\"1a\"; within:2;", "1ab"),
                     MATCH_YES); /* the first is the nearest */
    assert_int_equal(whole("byte_jump:8,0,multiplier 65535;", "\xff\xff\xff\xff\xff\xff\xff\xff"),
                     MATCH_NO);
}

static void
variables_stand_for_numbers(void **state)
{
    static const char extract[] = "byte_extract:1,0,v,string; ";
    static const struct {
        const char *options, *bytes;
        enum match_answer is;
    } all[] = {
        { "content:\"B\"; offset:v; depth:1;", "2.B", MATCH_YES },
        { "content:\"B\"; offset:v; depth:1;", "1.B", MATCH_NO },
        { "content:\"B\"; depth:v;", "3.B", MATCH_YES },
        { "content:\"B\"; depth:v;", "2.B", MATCH_NO },
        { "content:\"B\"; distance:v; within:1;", "1.B", MATCH_YES },
        { "content:\"B\"; within:v;", "2.B", MATCH_YES },
        { "content:\"B\"; within:v;", "1.B", MATCH_NO },
        { "isdataat:v,relative;", "2.B", MATCH_YES },
        { "isdataat:v,relative;", "3.B", MATCH_NO },
        { "byte_test:1,=,v,1,string;", "77", MATCH_YES },
        { "byte_test:1,=,v,1,string;", "78", MATCH_NO },
        { "byte_test:1,=,0x42,v;", "2.B", MATCH_YES },
        { "byte_jump:1,v,string; isdataat:!3,relative;", "210...", MATCH_NO },
        { "byte_math:bytes 1, offset 0, oper *, rvalue v, result w, string dec; "
          "byte_test:1,=,0x42,w;",
          "2...B", MATCH_YES },
        /* 0x31 + 0xf is 0x40, of which the mask leaves 4 */
        { "byte_math:bytes 1,offset 0,oper +,rvalue 15,result w,bitmask 0xf0; "
          "content:\"B\"; offset:w; depth:1;",
          "1...B", MATCH_YES },
        { "byte_math:bytes 1,offset 0,oper /,rvalue v,result w,string dec;", "0", MATCH_NO },
        { "byte_math:bytes 1,offset 0,oper <<,rvalue 64,result w;", "1", MATCH_NO },
        { "byte_math:bytes 1,offset 0,oper -,rvalue 48,result w; byte_test:1,=,0x42,w;", "2.B",
          MATCH_YES },
        { "byte_math:bytes 1,offset 0,oper >>,rvalue 4,result w; byte_test:1,=,0x42,w;", "2..B",
          MATCH_YES },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        char options[512];

        snprintf(options, sizeof(options), "%s%s", extract, all[i].options);
        if (whole(options, all[i].bytes) != all[i].is)
            fail_msg("%s on %s", options, all[i].bytes);
    }
    assert_int_equal(
        whole("byte_extract:1,0,v,string,multiplier 2,align 4; byte_test:1,=,0x42,v;", "1...B"),
        MATCH_YES);
}

/*
 * The first a is followed by a number that leads nowhere; what failed for it may hold for another.
 */
static void
numbers_are_read_again_behind_later_matches(void **state)
{
    (void)state;
    assert_int_equal(whole("content:\"a\"; byte_test:1,=,2,0,relative,string;", "a1a2"), MATCH_YES);
    assert_int_equal(
        whole("content:\"a\"; byte_jump:1,0,relative,string; content:\"B\"; within:1;", "a2..a1.B"),
        MATCH_YES);
    assert_int_equal(whole("content:\"a\"; byte_extract:1,0,v,relative,string; content:\"B\"; "
                           "content:\"C\"; distance:v; within:1;",
                           "a1a2B..C"),
                     MATCH_YES);
    assert_int_equal(whole("content:\"a\"; byte_extract:1,0,v,relative,string; content:\"B\"; "
                           "content:\"C\"; distance:v; within:1;",
                           "a1a3B..C"),
                     MATCH_NO);
}

static void
bytes_of_numbers_are_waited_for(void **state)
{
    struct answer a = ask("content:\"a\"; byte_test:4,>,1,2,relative;", "xa123", false, 0, 0);

    (void)state;
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.until, 8);
    a = ask("content:\"a\"; byte_jump:1,0,relative,string;", "a9..", false, 0, 0);
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.until, 12);
}

static void
numbers_count_as_bytes_that_differ(void **state)
{
    static const char options[] = "content:\"ab\"; byte_test:1,>,0,1,relative,string;";

    (void)state;
    assert_true(holds_apart(options, "ab.1", "ab.2"));
    assert_false(holds_apart(options, "ab.1", "ab:1"));
}

/* ---- expressions --------------------------------------------------------------------------- */

static bool
have_expressions(void)
{
    struct regex *regex;
    struct weir_errbuf err;
    int rc = regex_new((struct text){ "a", 1 }, 0, &regex, &err);

    regex_free(regex);
    return rc == WEIR_E_OK;
}

static void
expressions_match_with_their_flags(void **state)
{
    static const struct {
        const char *options, *bytes;
        enum match_answer is;
    } all[] = {
        { "pcre:\"/b+c/\";", "abbbcd", MATCH_YES },
        { "pcre:\"/b+d/\";", "abbbcd", MATCH_NO },
        { "pcre:!\"/b+d/\";", "abbbcd", MATCH_YES },
        { "pcre:!\"/b+c/\";", "abbbcd", MATCH_NO },
        { "pcre:\"/B+C/\";", "abbbcd", MATCH_NO },
        { "pcre:\"/B+C/i\";", "abbbcd", MATCH_YES },
        { "pcre:\"m#a/b#\";", "a/b", MATCH_YES },
        { "pcre:\"/a\\/b\\;\\x41/\";", "a/b;A", MATCH_YES },
        { "pcre:\"/a.b/\";", "a\nb", MATCH_NO },
        { "pcre:\"/a.b/s\";", "a\nb", MATCH_YES },
        { "pcre:\"/^b/\";", "a\nb", MATCH_NO },
        { "pcre:\"/^b/m\";", "a\nb", MATCH_YES },
        { "pcre:\"/a b/\";", "ab", MATCH_NO },
        { "pcre:\"/a b/x\";", "ab", MATCH_YES },
        { "pcre:\"/b/A\";", "ab", MATCH_NO },
        { "pcre:\"/a$/\";", "a\n", MATCH_YES },
        { "pcre:\"/a$/E\";", "a\n", MATCH_NO },
        { "pcre:\"/a.*b/\"; content:\"c\"; within:1;", "abcb", MATCH_NO },
        { "pcre:\"/a.*b/G\"; content:\"c\"; within:1;", "abcb", MATCH_YES },
        { "pcre:\"/(a)\\1(?=c)(?<!x)/\";", "baac", MATCH_YES },
        { "pcre:\"/\\xe4\\xff/\";", "\xe4\xff", MATCH_YES }, /* bytes, not characters */
    };

    (void)state;
    if (!have_expressions())
        skip();
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (whole(all[i].options, all[i].bytes) != all[i].is)
            fail_msg("%s on %s", all[i].options, all[i].bytes);
}

/* R: the bytes behind the match before are all that the expression sees. */
static void
expressions_take_part_in_the_chain(void **state)
{
    static const struct {
        const char *options, *bytes;
        enum match_answer is;
    } all[] = {
        { "content:\"ab\"; pcre:\"/c/R\";", "cab", MATCH_NO },
        { "content:\"ab\"; pcre:\"/c/\";", "cab", MATCH_YES },
        { "content:\"ab\"; pcre:\"/^c/R\";", "ab.abc", MATCH_YES },
        { "content:\"ab\"; pcre:\"/c/AR\";", "ab.abc", MATCH_YES },
        { "content:\"ab\"; pcre:\"/c/AR\";", "ab.ab.c", MATCH_NO },
        { "content:\"ab\"; pcre:!\"/^c/R\";", "abc.abd", MATCH_YES },
        { "content:\"ab\"; pcre:!\"/^c/R\";", "abc", MATCH_NO },
        /* a later match of the expression is needed, and one that overlaps the first */
        { "pcre:\"/a[0-9]/\"; content:\"B\"; within:1;", "a1.a2.a3B", MATCH_YES },
        { "pcre:\"/aa/\"; content:\"B\"; within:1;", "aaaB", MATCH_YES },
        { "pcre:\"/a[0-9]/\"; content:\"B\"; within:1;", "a1.a2.a3.B", MATCH_NO },
        { "content:\"x\"; pcre:\"/[0-9]/R\"; content:\"B\"; within:1;", "x1.2B", MATCH_YES },
        { "content:\"x\"; pcre:\"/^[0-9]/R\"; content:\"B\"; within:1;", "x1.2B", MATCH_NO },
        { "content:\"x\"; pcre:\"/a/R\"; byte_test:1,>,4,0,relative,string;", "x.a3.a5",
          MATCH_YES },
        { "byte_jump:1,0,string; pcre:\"/^B/R\";", "2..B", MATCH_YES },
        { "content:\"ab\"; pcre:\"/$/R\";", "ab", MATCH_YES }, /* nothing is left */
    };

    (void)state;
    if (!have_expressions())
        skip();
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (whole(all[i].options, all[i].bytes) != all[i].is)
            fail_msg("%s on %s", all[i].options, all[i].bytes);
}

static void
expressions_wait_and_have_to_be_new(void **state)
{
    struct answer a;

    (void)state;
    if (!have_expressions())
        skip();
    a = ask("content:\"ab\"; pcre:\"/c/R\";", "ab..", false, 0, 0);
    assert_int_equal(a.is, MATCH_WAIT);
    assert_int_equal(a.until, 5);
    assert_int_equal(ask("pcre:\"/c/\";", "ac.c", false, 0, 2).is, MATCH_YES);
    assert_int_equal(ask("pcre:\"/c/\";", "ac..", false, 0, 2).is, MATCH_WAIT);
    assert_true(holds_apart("pcre:\"/a[0-9]/\";", "a1a2", "a1ax"));
    assert_false(holds_apart("pcre:\"/a[0-9]/\";", "a1.2", "a1.3"));
}

/* Neither found nor missing, and counted. */
static void
expressions_have_a_limit(void **state)
{
    static const char *const slow[] = {
        "pcre:\"/(a+)+[bc]/\";",
        "pcre:!\"/(a+)+[bc]/\";",
        "pcre:\"/(a+)+[bc]/O\";",
        "pcre:\"/(*NO_JIT)(a+)+[bc]/\";",
        "pcre:\"/(*NO_JIT)(?:(a)|b)*[bc]/O\";", /* takes much memory */
    };
    static char bytes[20001];
    struct answer a;

    (void)state;
    if (!have_expressions())
        skip();
    memset(bytes, 'a', sizeof(bytes) - 1);
    for (size_t i = 0; i < sizeof(slow) / sizeof(*slow); i++) {
        a = ask(slow[i], bytes, true, -1, 0);
        assert_int_equal(a.is, MATCH_NO);
        assert_int_equal(a.limits, 1);
    }
    assert_int_equal(ask("pcre:\"/a{2000}a{2000}[bc]/\";", bytes, true, -1, 0).limits, 0);
    /* without a limit hit, but for each place behind each other */
    assert_int_equal(
        whole("content:\"a\"; pcre:\"/a/R\"; pcre:\"/a/R\"; content:\"b\"; within:1;", bytes),
        MATCH_NO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offset_and_depth_fence_a_content),
        cmocka_unit_test(distance_and_within_count_from_the_match_before),
        cmocka_unit_test(earlier_matches_are_tried_again_further_on),
        cmocka_unit_test(elements_of_ber_are_read),
        cmocka_unit_test(asn1_looks_for_odd_elements),
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
        cmocka_unit_test(byte_test_compares_a_number),
        cmocka_unit_test(numbers_may_be_text),
        cmocka_unit_test(the_length_of_a_number_may_vary),
        cmocka_unit_test(byte_jump_leads_elsewhere),
        cmocka_unit_test(variables_stand_for_numbers),
        cmocka_unit_test(numbers_are_read_again_behind_later_matches),
        cmocka_unit_test(bytes_of_numbers_are_waited_for),
        cmocka_unit_test(numbers_count_as_bytes_that_differ),
        cmocka_unit_test(expressions_match_with_their_flags),
        cmocka_unit_test(expressions_take_part_in_the_chain),
        cmocka_unit_test(expressions_wait_and_have_to_be_new),
        cmocka_unit_test(expressions_have_a_limit),
        cmocka_unit_test(a_content_has_to_be_where_the_kept_bytes_lack_it),
    };

    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
