/* Rule files: what becomes of a rule's text, and what is said of one that is refused. */
#include "detect_proto.h"
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
    const struct step *s = options(*state, "content:\"a|00 f f|b\\\"\\;\\\\|3B|\";")->step;

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
contents_may_hold_their_modifiers(void **state)
{
    const struct rule *r = options(
        *state,
        "content:\"aB\\\",c\" , nocase, offset 3,depth 10,fast_pattern, "
        "fast_pattern_offset 1,fast_pattern_length 2; content:!\"cd\",distance -4,within 6; "
        "content:\"e\"; content:\"0123456789\"; within:20;");

    assert_int_equal(r->n_steps, 4);
    assert_memory_equal(r->step[0].bytes, "ab\",c", 5);
    assert_int_equal(r->step[0].flags, STEP_NOCASE | STEP_OFFSET | STEP_DEPTH | STEP_FAST);
    assert_int_equal(r->step[0].offset, 3);
    assert_int_equal(r->step[0].length, 10);
    assert_int_equal(r->step[1].flags, STEP_NEGATED | STEP_RELATIVE | STEP_WITHIN);
    assert_int_equal(r->step[1].offset, -4);
    r = options(*state, "content:!\"AB\"; fast_pattern; content:\"c\"; fast_pattern;");
    assert_int_equal(r->step[0].flags, STEP_NEGATED);
    assert_int_equal(r->step[1].flags, STEP_FAST);
    r = options(*state, "content:\"AB\"; isdataat:!1,relative; nocase;");
    assert_int_equal(r->step[0].flags, STEP_NOCASE);
    r = options(*state, "content:\"0123456789\"; fast_pattern:4,6;");
    assert_int_equal(r->step[0].flags, STEP_FAST);
    assert_int_equal(r->step[0].n, 10);
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
names_of_suricata_stand_for_events(void **state)
{
    struct fixture *f = *state;
    const struct rule *r = options(f, "stream-event:est_invalid_ack;");

    assert_int_equal(r->n_events, 2);
    assert_int_equal(r->event[0].type, WEIR_EV_BAD_ACK);
    assert_int_equal(r->event[0].condition[0].compare.value, WEIR_BAD_ACK_UNSENT);
    assert_int_equal(r->event[1].condition[0].compare.value, WEIR_BAD_ACK_OLD);
    assert_int_equal(r->check[0].kind, CHECK_FLAGS);
    assert_int_equal(r->check[1].kind, CHECK_CLOSING);
    r = options(f, "decode-event:ipv6.frag_overlap;");
    assert_int_equal(r->event[0].type, WEIR_EV_FRAG_OVERLAP);
    assert_int_equal(r->ip_version, 6);
    r = options(f, "decode-event:ipv6.exthdr_useless_fh;");
    assert_int_equal(r->event[0].type, TEST_ANOMALY + ANOMALY_IPV6_USELESS_FH);
    r = options(f, "engine-event:stream.est_syn_toclient;");
    assert_int_equal(r->flow, RULE_TO_CLIENT);
    r = options(f, "stream-event:wrong_thread;");
    assert_non_null(r->event);
    assert_int_equal(r->n_events, 0);
    assert_string_equal(r->never, "stream.wrong_thread");
    assert_string_equal(f->rules.files[4].notes.at[0].text, "stream.wrong_thread never comes here");
    r = options(f, "app-layer-event:http.gzip_decompression_failed;");
    assert_string_equal(r->app_event, "http.gzip_decompression_failed");
    r = options(f, "tcpv4-csum:invalid;");
    assert_int_equal(r->event[0].type, WEIR_EV_BAD_CHECKSUM);
    assert_int_equal(r->event[0].condition[0].compare.value, WEIR_LAYER_TCP);
    assert_null(options(f, "tcpv6-csum:valid;")->event);
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
a_later_revision_takes_the_place(void **state)
{
    struct fixture *f = *state;

    load(f, "alert tcp any any -> any any (msg:\"old\"; sid:1; rev:2;)\n"
            "alert udp any any -> any any (msg:\"new\"; sid:1; rev:3;)\n");
    assert_int_equal(f->rules.n, 1);
    assert_string_equal(f->rules.at[0].msg, "new");
    assert_int_equal(f->rules.files[0].loaded, 1);
    assert_int_equal(f->rules.files[0].replaced, 1);
    load(f, "alert tcp any any -> any any (sid:1; rev:3;)");
    assert_non_null(strstr(f->said, "sid: 1:1 is taken by t.rules:2"));
}

static void
what_is_required_decides_before_all_else(void **state)
{
    static const struct {
        const char *requires;
        bool met;
    } cases[] = {
        { "version >= 7", true },
        { "version >= 7.0.3 < 8", false },
        { "version >= 7.0.3 < 8 | >= 8.0.0", true },
        { "version < 8.0.0-dev", false },
        { "version == 8", true },
        { "keyword dsize", true },
        { "keyword dsize, version >= 9", false },
        { "feature geoip", false },
        { "weather sunny", false },
    };
    struct fixture *f = *state;
    size_t loaded = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char line[256];

        snprintf(line, sizeof(line), "alert %s any any -> any any (%s requires: %s; sid:%zu;)",
                 cases[i].met ? "tcp" : "gopher", cases[i].met ? "" : "nonsense;",
                 cases[i].requires, i + 1);
        load(f, line);
        loaded += cases[i].met;
        if (f->rules.n != loaded || f->rules.skipped != i + 1 - loaded)
            fail_msg("%s: %s", cases[i].requires, f->said);
    }
    assert_string_equal(f->said, "");
}

static void
headers_name_actions_and_protocols(void **state)
{
    struct fixture *f = *state;
    const struct rule *r;

    load(f, "rejectsrc pkthdr any any -> any any (sid:1;)\n"
            "drop http any any -> any any (sid:2;)\n"
            "block dns ( sid:3; )\n"
            "alert sctp any any -> any any (sid:4;)\n"
            "alert tcp any any -> any 80 (app-layer-protocol:!tls; service:http, netbios-ssn,x; "
            "target:dest_ip; sid:5;)\n"
            "alert http any any -> any any (app-layer-protocol:http2,final; sid:6;)\n"
            "alert tcp any any -> any 80 (metadata:policy x, service ssl; sid:7;)\n");
    assert_string_equal(f->said, "");
    r = f->rules.at;
    assert_int_equal(r[0].action, ACTION_REJECT_SRC);
    assert_int_equal(r[0].protos, RULE_IP);
    assert_int_equal(r[1].action, ACTION_DROP);
    assert_int_equal(r[1].protos, RULE_TCP);
    assert_int_equal(r[1].app_any, 1U << APP_HTTP | 1U << APP_HTTP2);
    assert_int_equal(r[1].app_proto, APP_HTTP);
    assert_int_equal(r[2].action, ACTION_BLOCK);
    assert_int_equal(r[2].protos, RULE_TCP | RULE_UDP);
    assert_null(r[2].src);
    assert_int_equal(r[3].check[0].compare.value, 132);
    assert_int_equal(r[4].app_none, 1U << APP_TLS);
    assert_int_equal(r[4].services, 1U << APP_HTTP | 1U << APP_HTTP2 | 1U << APP_SMB);
    assert_int_equal(r[4].target, TARGET_DST);
    assert_int_equal(r[5].app_any, 1U << APP_HTTP2);
    assert_int_equal(r[6].services, 1U << APP_TLS);
}

static void
stream_sizes_have_two_forms(void **state)
{
    const struct rule *r = options(*state, "stream_size:server, >=,5; stream_size:5<=>9,either;"
                                           "stream_size:!3;");

    assert_int_equal(r->n_checks, 3);
    assert_int_equal(r->check[0].how, 's');
    assert_int_equal(r->check[0].compare.op, CMP_GE);
    assert_int_equal(r->check[0].compare.value, 5);
    assert_int_equal(r->check[1].how, 'e');
    assert_int_equal(r->check[1].compare.op, CMP_WITHIN);
    assert_int_equal(r->check[2].compare.op, CMP_NE);
}

static void
snort_3_comments_and_long_rules(void **state)
{
    struct fixture *f = *state;

    load(f, "/* alert tcp any any -> any any (sid:1;)\n"
            "alert tcp any any -> any any (sid:2;) */\n"
            "#begin\nalert tcp any any -> any any (sid:3;)\n#end\n"
            "alert tcp\n(\n  msg:\"/* x (y)\";\n# of sid 4\n  sid:4;\n)\n"
            "alert tcp any any -> any any (sid:5;\n"
            "alert tcp any any -> any any (sid:6;)\n"
            "/* no end\n");
    assert_int_equal(f->rules.n, 2);
    assert_string_equal(f->rules.at[0].msg, "/* x (y)");
    assert_int_equal(f->rules.at[0].line, 6);
    assert_int_equal(f->rules.at[1].sid, 6);
    assert_int_equal(f->rules.at[1].line, 13);
    assert_string_equal(f->said, "t.rules:12: ')' expected at the end of the rule\n"
                                 "t.rules:14: the header is too short: source ports expected\n");
}

/* Marks without an end, and blank lines within a rule, are passed once, not for each line. */
static void
marks_without_an_end_cost_no_more(void **state)
{
    enum { LINES = 200000 };
    static char text[8 * LINES + 100];
    struct fixture *f = *state;
    char *p = text;

    for (unsigned i = 0; i < LINES; i++)
        p += sprintf(p, "#begin\n");
    p += sprintf(p, "alert tcp any any -> any any (");
    memset(p, '\n', LINES);
    strcpy(p + LINES, "sid:1;)\n");
    load(f, text);
    assert_int_equal(f->rules.n, 1);
}

static void
what_became_of_a_file_is_counted(void **state)
{
    struct fixture *f = *state;
    const struct rule_file *file;

    load(f, "alert tcp any any -> any any (lua:1; sid:1;)\n"
            "alert tcp any any -> any any (dsize:x; sid:1;)\n"
            "alert tcp any any -> any any (dsize:y; sid:1;)\n"
            "alert gopher any any -> any any (sid:1;)\n"
            "alert tcp any any -> any any (classtype:made-up; sid:2;)\n"
            "alert tcp any any -> any any (sid:2;)\n"
            "# alert tcp any any -> any any (sid:3;)\n"
            "#pass tcp any any -> any any (sid:4;)\n"
            "# this is none (really)\n");
    file = &f->rules.files[0];
    assert_int_equal(file->loaded, 1);
    assert_int_equal(file->refused, 5);
    assert_int_equal(file->disabled, 2);
    assert_int_equal(file->refusals.n, 4);
    assert_string_equal(file->refusals.at[0].text, "dsize: wrong");
    assert_int_equal(file->refusals.at[0].n, 2);
    assert_string_equal(file->refusals.at[1].text, "option 'lua' is not supported");
    assert_string_equal(file->refusals.at[2].text, "protocol 'gopher' is not supported");
    assert_string_equal(file->refusals.at[3].text, "sid: taken already");
    assert_int_equal(file->notes.n, 1);
    assert_string_equal(file->notes.at[0].text,
                        "classtype 'made-up' is defined nowhere: priority 3");
}

/* Reasons with names in them may all be different. */
static void
reasons_beyond_a_bound_are_counted_as_one(void **state)
{
    struct fixture *f = *state;
    static char text[(TALLY_MAX + 9) * 64];
    const struct tally *refusals;
    size_t n = 0;

    for (unsigned i = 0; i < TALLY_MAX + 9; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "alert no%u any any -> any any ()\n", i);
    load(f, text);
    refusals = &f->rules.files[0].refusals;
    assert_int_equal(f->rules.files[0].refused, TALLY_MAX + 9);
    assert_int_equal(refusals->n, TALLY_MAX);
    assert_string_equal(refusals->at[0].text, "others");
    assert_int_equal(refusals->at[0].n, 10);
}

static void
headers_that_are_wrong_are_refused(void **state)
{
    static const struct {
        const char *rule, *why;
    } bad[] = {
        { "activate tcp any any -> any any (sid:1;)", "action 'activate' is not supported" },
        { "alert gopher any any -> any any (sid:1;)", "protocol 'gopher' is not supported" },
        { "alert modbus any any -> any any (sid:1;)", "protocol 'modbus' is not decoded" },
        { "alert tcp any any => any any (sid:1;)", "=> expects buffers" },
        { "alert http any any => any any (flow:to_server; http.uri; content:\"a\"; sid:1;)",
          "=> expects buffers" },
        { "alert tcp any any >> any any (sid:1;)", "->, <> or => expected, not '>>'" },
        { "alert (sid:1;)", "the header is too short: a protocol expected" },
        { "alert tcp any (sid:1;)", "the header is too short: source ports expected" },
        { "warn tcp any any -> any any (sid:1;)", "action 'warn' is not supported" },
        { "alert tcp any any <- any any (sid:1;)", "->, <> or => expected, not '<-'" },
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

    refused(f, "lua:five.lua;", "option 'lua' is not supported");
    refused(f, "nocase;", "nocase: a content expected");
    refused(f, "content:abc;", "content: a quoted string expected");
    refused(f, "ber_data:0x ff;", "ber_data: a type of 0 to 255 expected, not '0x ff'");
    refused(f, "ber_data:0x0x1;", "ber_data: a type of 0 to 255 expected, not '0x0x1'");
    refused(f, "ber_skip:0x100;", "ber_skip: a type of 0 to 255 expected, not '0x100'");
    refused(f, "content:\"\";", "content: bytes expected");
    refused(f, "content:\"|4|\";", "odd number");
    refused(f, "content:\"|4g|\";", "hexadecimal");
    refused(f, "content:\"|41\";", "'|' expected");
    refused(f, "content:\"a\\x\";", "backslash");
    refused(f, "content:\"abc\"; depth:2;", "at least the 3 bytes");
    refused(f, "content:\"abc\"; offset:1; distance:1;", "another place");
    refused(f, "content:\"abc\"; startswith; depth:9;", "another place");
    refused(f, "content:\"abc\"; depth:9; depth:9;", "another place");
    refused(f, "content:\"abc\"; fast_pattern:1,3;", "within the 3 bytes of its content");
    refused(f, "content:\"abc\"; fast_pattern:1;", "only, or offset,length");
    refused(f, "content:\"abc\",nocase 1;", "content: no value expected behind nocase");
    refused(f, "content:\"abc\",depth;", "content: a value expected behind depth");
    refused(f, "content:\"abc\",;", "content: '' is not supported");
    refused(f, "content:\"abc\",depth 9,depth 9;", "content: depth: not with another place");
    refused(f, "content:\"abc\",fast_pattern_offset 4;", "fast_pattern_offset: a number up to 2");
    refused(f, "content:\"abc\" nocase;", "content: a quoted string expected");
    refused(f, "content:\"a\"; fast_pattern; content:\"b\"; fast_pattern;", "one for a rule");
    refused(f, "msg;", "msg: a value expected");
    refused(f, "content:\"a\"; nocase:1;", "nocase: no value expected");
    refused(f, "flow:to_server,to_client;", "'to_client' contradicts");
    refused(f, "flow:sideways;", "'sideways' is not supported");
    refused(f, "target:x;", "target: src_ip or dest_ip expected, not 'x'");
    refused(f, "app-layer-protocol:modbus;", "protocol 'modbus' is not decoded");
    refused(f, "app-layer-protocol:tls,sideways;", "mode 'sideways' is not supported");
    refused(f, "app-layer-protocol:tls; app-layer-protocol:ssh;", "'ssh' contradicts");
    refused(f, "requires: version 8;", "requires: version, an operator and a version expected");
    refused(f, "requires: version >= x;", "requires: version, an operator and a version expected");
    refused(f, "stream_size:server,<;", "SIDE,OPERATOR,NUMBER expected, not 'server,<'");
    refused(f, "stream_size:server,<1,2;", "SIDE,OPERATOR,NUMBER expected");
    refused(f, "stream_size:5,sideways;", "server, client, both or either expected");
    refused(f, "ipopts:x;", "one of rr, eol");
    refused(f, "ip_proto:nonsense;", "up to 255, expected, not 'nonsense'");
    refused(f, "sameip:1;", "sameip: no value expected");
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
    refused(f, "stream-event:nonsense;", "stream-event: 'stream.nonsense' is no event");
    refused(f, "decode-event:stream;", "decode-event: 'stream' is no event");
    refused(f, "stream-event:fin_syn; flow-event:fin;", "one for a rule");
    refused(f, "stream-event:wrong_thread; flow-event:fin;", "one for a rule");
    refused(f, "flow:to_server; stream-event:est_syn_toclient;", "contradicts flow");
    refused(f, "udpv4-csum:invalid;", "not with the protocol of the header");
    refused(f, "tcpv4-csum:x;", "valid or invalid expected");
    refused(f, "app-layer-event:a b;", "an event's name expected, not 'a b'");
    refused(f, "priority:0;", "priority");
}

static void
numbers_that_are_wrong_are_refused(void **state)
{
    struct fixture *f = *state;

    refused(f, "byte_test:2,>,5;", "byte_test: more values expected than '2,>,5'");
    refused(f, "byte_test:0,>,5,0;", "byte_test: 1 to 8 bytes, or 0 with string");
    refused(f, "byte_test:24,>,5,0,string;", "byte_test: up to 23 bytes");
    refused(f, "byte_jump:len,0;", "byte_jump: up to 23 bytes, or a variable set before");
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
    refused(f, "byte_math:bytes 2,offset 0,oper +,rvalue 1,result a,result b;",
            "one name expected");
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
    refused(f, "pcre:\"/x/q\";", "pcre: flag 'q' is not supported");
    if (regex_new((struct text){ "(", 1 }, 0, &regex, &err) == WEIR_E_UNSUPPORTED) {
        refused(f, "pcre:\"/x/\";", "pcre: weir-ids was built without PCRE2");
        return;
    }
    refused(f, "pcre:\"/(x)/R, pkt:a, flow:b\";", "2 variables, but 1 groups");
    refused(f, "pcre:\"/(x)/R, a\";", "flow:NAME, pkt:NAME or alert:NAME");
    refused(f, "pcre:\"/(x)/R, flow:\";", "flow:NAME, pkt:NAME or alert:NAME");
    refused(f,
            "pcre:\"/(a)(b)(c)(d)(e)(f)(g)(h)(i)/,flow:a,flow:b,flow:c,flow:d,flow:e,flow:f,flow:g,"
            "flow:h,flow:i\";",
            "more than 8 groups have names");
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
    r = options(*state, "byte_extract:2,0,a.b; content:\"x\"; within:a.b; "
                        "byte_extract:2,2,a.b; content:\"x\"; within:a.b;");
    assert_int_equal(r->step[1].length_by, 1);
    assert_int_equal(r->step[3].length_by, 3);
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
        T(a_rule_says_what_it_says),
        T(a_priority_of_its_own_outranks_the_class),
        T(content_is_bytes_hex_and_escapes),
        T(nocase_keeps_lower_case),
        T(places_are_absolute_or_relative),
        T(contents_may_hold_their_modifiers),
        T(flow_words_add_up),
        T(numbers_compare_in_all_ways),
        T(flags_have_a_sign_and_a_mask),
        T(flow_event_tests_fields_by_name),
        T(names_of_suricata_stand_for_events),
        T(lines_join_and_comments_are_counted),
        T(one_bad_rule_stops_no_other),
        T(a_sid_is_taken_once),
        T(headers_that_are_wrong_are_refused),
        T(options_that_are_wrong_are_refused),
        T(numbers_that_are_wrong_are_refused),
        T(expressions_that_are_wrong_are_refused),
        T(numbers_have_their_words),
        T(a_rule_needs_a_sid),
        T(a_later_revision_takes_the_place),
        T(what_is_required_decides_before_all_else),
        T(headers_name_actions_and_protocols),
        T(stream_sizes_have_two_forms),
        T(snort_3_comments_and_long_rules),
        T(marks_without_an_end_cost_no_more),
        T(what_became_of_a_file_is_counted),
        T(reasons_beyond_a_bound_are_counted_as_one),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
