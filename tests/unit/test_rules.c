/* Rule files: what becomes of a rule's text, and what is said of one that is refused. */
#include "rule/regex.h"
#include "rule/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct rules rules;
    struct vars *vars;
    char said[4096]; /* of refused rules, a line each */
};

static void
on_refused(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    size_t n = strlen(f->said);

    snprintf(f->said + n, sizeof(f->said) - n, "%s\n", text);
}

static int
set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .vars = vars_new() };
    *state = &fixture;
    return fixture.vars == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    rules_free(&f->rules);
    vars_free(f->vars);
    return 0;
}

static void
load(struct fixture *f, const char *text)
{
    struct weir_errbuf err = { "" };

    assert_int_equal(rules_load_text(&f->rules, f->vars, "t.rules",
                                     (struct text){ text, strlen(text) }, on_refused, f, &err),
                     WEIR_E_OK);
}

/* The rule made of these options. */
static const struct rule *
options(struct fixture *f, const char *text)
{
    char line[1024];
    static unsigned sid = 1000;

    snprintf(line, sizeof(line), "alert tcp any any -> any any (%s sid:%u;)", text, ++sid);
    load(f, line);
    assert_string_equal(f->said, "");
    return &f->rules.at[f->rules.n - 1];
}

static void
refused(struct fixture *f, const char *text, const char *why)
{
    char line[1024];

    f->said[0] = '\0';
    snprintf(line, sizeof(line), "alert tcp any any -> any any (%s sid:1;)", text);
    load(f, line);
    if (strstr(f->said, why) == NULL)
        fail_msg("'%s' is said of '%s', not '%s'", f->said, text, why);
    assert_int_equal(f->rules.n, 0);
}

static void
a_rule_says_what_it_says(void **state)
{
    const struct rule *r = options(*state, "msg:\"a \\\"b\\\"\\; c\"; gid:3; rev:7; "
                                           "classtype:web-application-attack; "
                                           "reference:cve,2024-1; metadata:k v w, x y;");

    assert_string_equal(r->msg, "a \"b\"; c");
    assert_int_equal(r->gid, 3);
    assert_int_equal(r->rev, 7);
    assert_int_equal(r->priority, 1);
    assert_string_equal(r->class->text, "Web Application Attack");
    assert_int_equal(r->n_reference, 1);
    assert_string_equal(r->reference[0].value, "2024-1");
    assert_int_equal(r->n_metadata, 2);
    assert_string_equal(r->metadata[0].value, "v w");
    assert_string_equal(r->metadata[1].key, "x");
}

static void
a_priority_of_its_own_outranks_the_class(void **state)
{
    assert_int_equal(options(*state, "priority:4; classtype:misc-attack;")->priority, 4);
    assert_int_equal(options(*state, "")->priority, 3);
}

static void
content_is_bytes_hex_and_escapes(void **state)
{
    const struct step *s = options(*state, "content:\"a|00 ff|b\\\"\\;\\\\|3B|\";")->step;

    assert_int_equal(s->n, 8);
    assert_memory_equal(s->bytes,
                        "a\0\xff"
                        "b\";\\;",
                        8);
}

static void
nocase_keeps_lower_case(void **state)
{
    const struct step *s = options(*state, "content:!\"GeT|41|\"; nocase;")->step;

    assert_memory_equal(s->bytes, "geta", 4);
    assert_int_equal(s->flags, STEP_NOCASE | STEP_NEGATED);
}

static void
places_are_absolute_or_relative(void **state)
{
    const struct rule *r = options(*state, "content:\"ab\"; offset:3; depth:10; "
                                           "content:\"cd\"; distance:-4; within:6;");

    assert_int_equal(r->n_steps, 2);
    assert_int_equal(r->step[0].offset, 3);
    assert_int_equal(r->step[0].length, 10);
    assert_int_equal(r->step[0].flags, STEP_OFFSET | STEP_DEPTH);
    assert_int_equal(r->step[1].offset, -4);
    assert_int_equal(r->step[1].length, 6);
    assert_int_equal(r->step[1].flags, STEP_RELATIVE | STEP_WITHIN);
}

static void
flow_words_add_up(void **state)
{
    assert_int_equal(options(*state, "flow:established, from_client,only_stream;")->flow,
                     RULE_ESTABLISHED | RULE_TO_SERVER | RULE_ONLY_STREAM);
}

static void
numbers_compare_in_all_ways(void **state)
{
    const struct rule *r = options(*state, "dsize:10<>20; ttl:>5; itype:!8; icode:3; dsize:<=7;");

    assert_int_equal(r->n_checks, 5);
    assert_true(compare_holds(&r->check[0].compare, 11) &&
                !compare_holds(&r->check[0].compare, 10));
    assert_true(compare_holds(&r->check[1].compare, 6) && !compare_holds(&r->check[1].compare, 5));
    assert_true(compare_holds(&r->check[2].compare, 7) && !compare_holds(&r->check[2].compare, 8));
    assert_true(compare_holds(&r->check[3].compare, 3) && !compare_holds(&r->check[3].compare, 2));
    assert_true(compare_holds(&r->check[4].compare, 7) && !compare_holds(&r->check[4].compare, 8));
}

static void
flags_have_a_sign_and_a_mask(void **state)
{
    const struct rule *r = options(*state, "flags:+SA,CE; flags:F*;");

    assert_int_equal(r->check[0].how, '+');
    assert_int_equal(r->check[0].flags, WEIR_TH_SYN | WEIR_TH_ACK);
    assert_int_equal(r->check[0].mask, WEIR_TH_CWR | WEIR_TH_ECE);
    assert_int_equal(r->check[1].how, '*');
}

static void
flow_event_tests_fields_by_name(void **state)
{
    const struct event_test *t =
        options(*state, "flow-event:fake_retransmit, diff_length >= 2,kept=new, offset != -1;")
            ->event;

    assert_int_equal(t->type, WEIR_EV_FAKE_RETRANSMIT);
    assert_int_equal(t->n, 3);
    assert_string_equal(t->condition[0].field->name, "diff_length");
    assert_int_equal(t->condition[0].compare.op, CMP_GE);
    assert_int_equal(t->condition[0].compare.value, 2);
    assert_int_equal(t->condition[1].compare.value, WEIR_KEPT_NEW);
    assert_int_equal(t->condition[2].compare.value, -1);
}

static void
lines_join_and_comments_are_counted(void **state)
{
    struct fixture *f = *state;

    load(f, "# a comment\n\n"
            "alert tcp any any -> any any \\\n  (msg:\"x\"; \\\r\n sid:5;)\r\n"
            "#alert udp any any -> any any (sid:6;)\n"
            "alert udp any any <> any 53 (sid:7;)");
    assert_string_equal(f->said, "");
    assert_int_equal(f->rules.n, 2);
    assert_int_equal(f->rules.disabled, 1);
    assert_int_equal(f->rules.at[0].line, 3);
    assert_int_equal(f->rules.at[1].line, 7);
    assert_true(f->rules.at[1].both_ways);
}

static void
one_bad_rule_stops_no_other(void **state)
{
    struct fixture *f = *state;

    load(f, "alert tcp any any -> any any (sid:1;)\nalert nonsense\n"
            "alert tcp any any -> any any (sid:2;)\n");
    assert_int_equal(f->rules.n, 2);
    assert_int_equal(f->rules.refused, 1);
    assert_string_equal(f->said, "t.rules:2: the header is too short: source addresses expected\n");
}

static void
a_sid_is_taken_once(void **state)
{
    struct fixture *f = *state;

    load(f, "alert tcp any any -> any any (sid:1;)\nalert udp any any -> any any (sid:1;)\n"
            "alert udp any any -> any any (gid:2; sid:1;)\n");
    assert_int_equal(f->rules.n, 2);
    assert_non_null(strstr(f->said, "t.rules:2: sid: 1:1 is taken by t.rules:1"));
}

static void
headers_that_are_wrong_are_refused(void **state)
{
    static const struct {
        const char *rule, *why;
    } bad[] = {
        { "warn tcp any any -> any any (sid:1;)", "action 'warn' is not supported" },
        { "alert http any any -> any any (sid:1;)", "protocol 'http' is not supported" },
        { "alert tcp any any <- any any (sid:1;)", "-> or <> expected, not '<-'" },
        { "alert tcp any any -> any any", "'(' expected" },
        { "alert tcp any any -> any any (sid:1;", "')' expected" },
        { "alert tcp 1.2.3 any -> any any (sid:1;)", "an address" },
        { "alert tcp [1.2.3.4 any -> any any (sid:1;)",
          "source addresses: ']' expected for '[1.2" },
        { "alert tcp any http -> any any (sid:1;)", "a port" },
        { "alert tcp any any -> any any (sid:1)", "';' expected behind 'sid:1'" },
        { "alert tcp any any -> any any (;sid:1;)", "an option expected" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        f->said[0] = '\0';
        load(f, bad[i].rule);
        if (strstr(f->said, bad[i].why) == NULL)
            fail_msg("'%s' is said of '%s'", f->said, bad[i].rule);
    }
    assert_int_equal(f->rules.n, 0);
}

static void
options_that_are_wrong_are_refused(void **state)
{
    struct fixture *f = *state;

    refused(f, "asn1:oversize_length 5;", "option 'asn1' is not supported");
    refused(f, "nocase;", "nocase: a content expected");
    refused(f, "content:abc;", "content: a quoted string expected");
    refused(f, "content:\"\";", "content: bytes expected");
    refused(f, "content:\"|4|\";", "odd number");
    refused(f, "content:\"|4g|\";", "hexadecimal");
    refused(f, "content:\"|41\";", "'|' expected");
    refused(f, "content:\"a\\x\";", "backslash");
    refused(f, "content:\"abc\"; depth:2;", "at least the 3 bytes");
    refused(f, "content:\"abc\"; offset:1; distance:1;", "another place");
    refused(f, "content:\"abc\"; startswith; depth:9;", "another place");
    refused(f, "content:\"abc\"; depth:9; depth:9;", "another place");
    refused(f, "content:!\"abc\"; fast_pattern;", "negated");
    refused(f, "content:\"a\"; fast_pattern; content:\"b\"; fast_pattern;", "one for a rule");
    refused(f, "msg;", "msg: a value expected");
    refused(f, "content:\"a\"; nocase:1;", "nocase: no value expected");
    refused(f, "flow:to_server,to_client;", "'to_client' contradicts");
    refused(f, "flow:sideways;", "'sideways' is not supported");
    refused(f, "classtype:nonsense;", "no known classification");
    refused(f, "dsize:70000;", "dsize");
    refused(f, "dsize:9<>3;", "dsize");
    refused(f, "flags:Q;", "flags");
    refused(f, "flow-event:nonsense;", "'nonsense' is no event");
    refused(f, "flow-event:gap,colour = 1;", "gap has no field 'colour' (offset, length, cause)");
    refused(f, "flow-event:fin,length = 1;", "fin has no field 'length' (it has none)");
    refused(f, "flow-event:gap,length 1;", "one of = ");
    refused(f, "flow-event:gap,cause = rain;", "a value of cause (acked, ");
    refused(f, "flow-event:gap,length = rain;", "a value of length (a number) expected");
    refused(f, "flow-event:retransmit,acked = 2x;", "a value of acked (true, false) expected");
    refused(f, "flow-event:gap,cause > acked;", "= or != expected behind 'cause'");
    refused(f, "flow-event:retransmit,acked <= true;", "= or != expected behind 'acked'");
    refused(f, "flow-event:payload,data = 1;", "data holds bytes, which cannot");
    refused(f, "flow-event:syn; flow-event:fin;", "one for a rule");
    refused(f, "priority:0;", "priority");
}

static void
numbers_that_are_wrong_are_refused(void **state)
{
    struct fixture *f = *state;

    refused(f, "byte_test:2,>,5;", "byte_test: more values expected than '2,>,5'");
    refused(f, "byte_test:0,>,5,0;", "byte_test: 1 to 23 bytes expected, not '0'");
    refused(f, "byte_test:9,>,5,0;", "at most 8 bytes, or string, expected");
    refused(f, "byte_test:2,~,5,0;",
            "one of < <= = >= > & ^, perhaps behind a !, expected, not '~'");
    refused(f, "byte_test:2,>,x,0;", "a number, or a variable set before, expected, not 'x'");
    refused(f, "byte_test:2,>,5,x;", "an offset of at most 65535, or a variable set before");
    refused(f, "byte_test:2,>,5,-1;", "relative expected with a negative offset");
    refused(f, "byte_test:2,>,5,0,dce;", "dce is not supported");
    refused(f, "byte_test:2,>,5,0,align;", "'align' is not supported");
    refused(f, "byte_test:2,>,5,0,bitmask 0;", "a mask that is not zero expected");
    refused(f, "byte_test:2,>,18446744073709551616,0;", "a number, or a variable");
    refused(f, "byte_jump:2;", "more values expected");
    refused(f, "byte_jump:2,0,multiplier 0;", "a multiplier from 1 to 65535 expected, not '0'");
    refused(f, "byte_jump:2,0,multiplier;", "a value expected behind multiplier");
    refused(f, "byte_jump:2,0,relative 1;", "no value expected behind relative");
    refused(f, "byte_jump:2,0,align 3;", "align 2 or 4 expected, not '3'");
    refused(f, "byte_jump:2,0,from_end,from_beginning;", "one of from_beginning and from_end");
    refused(f, "byte_jump:2,0,post_offset x;", "a post_offset of at most 65535");
    refused(f, "byte_extract:2,0,1a;", "a variable's name expected, not '1a'");
    refused(f, "byte_extract:2,0,a; byte_extract:2,0,a;", "'a' is set already");
    refused(f, "content:\"x\"; offset:a; byte_extract:2,0,a;", "a variable set before, expected");
    refused(f, "byte_math:bytes 2,offset 0,oper +,rvalue 1;", "bytes, offset, oper, rvalue and");
    refused(f, "byte_math:bytes 2,offset 0,oper %,rvalue 1,result a;", "one of + - * / << >>");
    refused(f, "byte_math:bytes 2,offset 0,oper /,rvalue 0,result a;", "a divisor that is not");
}

static void
expressions_that_are_wrong_are_refused(void **state)
{
    struct fixture *f = *state;
    struct regex *regex;
    struct weir_errbuf err;

    refused(f, "pcre:/x/;", "pcre: a quoted string expected, not '/x/'");
    refused(f, "pcre:\"x\";", "pcre: /expression/flags expected");
    refused(f, "pcre:\"/x\";", "pcre: /expression/flags expected");
    refused(f, "pcre:\"\";", "pcre: /expression/flags expected");
    refused(f, "pcre:\"/x/iU\";", "pcre: flag 'U' names a buffer of a protocol, which is not");
    refused(f, "pcre:\"/x/q\";", "pcre: flag 'q' is not supported");
    refused(f, "pcre:\"/(x)/R, pkt:a\";", "variables for groups are not supported");
    if (regex_new((struct text){ "(", 1 }, 0, &regex, &err) == WEIR_E_UNSUPPORTED) {
        refused(f, "pcre:\"/x/\";", "pcre: weir-ids was built without PCRE2");
        return;
    }
    refused(f, "pcre:\"/x/\"; nocase;", "nocase: a content expected");
    refused(f, "pcre:\"/(x/\";", "pcre: missing closing parenthesis at character 2");
    refused(f, "pcre:\"/(*UTF)x/\";", "pcre: using UTF is disabled");
}

/* Snort 3 writes the same, with spaces where Snort 2 and Suricata have commas too. */
static void
numbers_have_their_words(void **state)
{
    const struct rule *r = options(
        *state,
        "byte_extract:2,4,len,relative,little,multiplier 2; "
        "byte_jump:4, -8, relative, string hex, align 4, from_beginning, post_offset -4; "
        "byte_test:2,!>,len,6,relative,endian big,bitmask 0xFF0; content:\"x\"; within:len;");

    assert_int_equal(r->n_steps, 4);
    assert_int_equal(r->step[0].offset, 4);
    assert_true(r->step[0].number->little);
    assert_int_equal(r->step[0].number->multiplier, 2);
    assert_string_equal(r->step[0].number->name, "len");
    assert_int_equal(r->step[1].offset, -8);
    assert_int_equal(r->step[1].number->base, NUMBER_HEX);
    assert_int_equal(r->step[1].number->align, 4);
    assert_int_equal(r->step[1].number->from, JUMP_FROM_BEGINNING);
    assert_int_equal(r->step[1].number->post_offset, -4);
    assert_int_equal(r->step[2].flags, STEP_RELATIVE | STEP_NEGATED);
    assert_int_equal(r->step[2].number->op, NUMBER_GT);
    assert_int_equal(r->step[2].number->operand_by, 1);
    assert_int_equal(r->step[2].number->mask, 0xff0);
    assert_int_equal(r->step[3].length_by, 1);
}

static void
a_rule_needs_a_sid(void **state)
{
    struct fixture *f = *state;

    load(f, "alert tcp any any -> any any (msg:\"x\";)");
    assert_non_null(strstr(f->said, "sid expected"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_rule_says_what_it_says),           T(a_priority_of_its_own_outranks_the_class),
        T(content_is_bytes_hex_and_escapes),   T(nocase_keeps_lower_case),
        T(places_are_absolute_or_relative),    T(flow_words_add_up),
        T(numbers_compare_in_all_ways),        T(flags_have_a_sign_and_a_mask),
        T(flow_event_tests_fields_by_name),    T(lines_join_and_comments_are_counted),
        T(one_bad_rule_stops_no_other),        T(a_sid_is_taken_once),
        T(headers_that_are_wrong_are_refused), T(options_that_are_wrong_are_refused),
        T(numbers_that_are_wrong_are_refused), T(expressions_that_are_wrong_are_refused),
        T(numbers_have_their_words),           T(a_rule_needs_a_sid),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
