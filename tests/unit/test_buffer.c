/* Options that name buffers: where contents belong, in both dialects, and at which side of a
 * transaction their rule is decided. */
#include "rule/buffer.h"
#include "rule/option_buffer.h"
#include "rule/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct rules rules;
    struct vars *vars;
    char said[512];
};

static void
on_refused(void *ctx, const char *text)
{
    struct fixture *f = ctx;

    snprintf(f->said, sizeof(f->said), "%s", text);
}

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .vars = vars_new() };
    *state = &f;
    return f.vars != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    rules_free(&f->rules);
    vars_free(f->vars);
    return 0;
}

/* The rule of these options; NULL: it is refused, said has why. */
static const struct rule *
rule(struct fixture *f, const char *options)
{
    struct weir_errbuf err = { "" };
    char line[1024];
    static unsigned sid;
    size_t n = f->rules.n;

    snprintf(line, sizeof(line), "alert tcp any any -> any any (%s sid:%u;)", options, ++sid);
    f->said[0] = '\0';
    assert_int_equal(rules_load_text(&f->rules, f->vars, "t", (struct text){ line, strlen(line) },
                                     on_refused, f, &err),
                     WEIR_E_OK);
    return f->rules.n > n ? &f->rules.at[n] : NULL;
}

static const struct rule *
accepted(struct fixture *f, const char *options)
{
    const struct rule *r = rule(f, options);

    if (r == NULL)
        fail_msg("%s: %s", options, f->said);
    return r;
}

static void
refused(struct fixture *f, const char *options, const char *why)
{
    assert_null(rule(f, options));
    if (strstr(f->said, why) == NULL)
        fail_msg("'%s' is said of '%s', not '%s'", f->said, options, why);
}

/* Buffers of the sections, by name: "http.uri payload". */
static void
has_sections(const struct rule *r, const char *names)
{
    char text[512] = "";

    for (unsigned i = 0; i < r->n_sections; i++) {
        size_t n = strlen(text);

        snprintf(text + n, sizeof(text) - n, "%s%s:%u", i > 0 ? " " : "",
                 buffer_info(r->section[i].buffer)->name,
                 r->section[i].behind - r->section[i].first);
    }
    assert_string_equal(text, names);
}

static void
a_modifier_moves_the_content_before_it(void **state)
{
    const struct rule *r = accepted(
        *state, "content:\"a\"; http_uri; nocase; content:\"b\"; content:\"c\"; http_uri;");

    has_sections(r, "http.uri:2 payload:1");
    assert_memory_equal(r->step[0].bytes, "a", 1);
    assert_int_equal(r->step[0].flags, STEP_NOCASE);
    assert_memory_equal(r->step[1].bytes, "c", 1);
    assert_memory_equal(r->step[2].bytes, "b", 1);
    assert_int_equal(r->tx_side, SIDE_REQUEST);
    assert_int_equal(r->n_payload, 0);
}

static void
a_sticky_buffer_holds_for_what_follows(void **state)
{
    const struct rule *r = accepted(*state,
                                    "http.method; content:\"GET\"; http.uri; content:\"a\"; "
                                    "pcre:\"/b/\"; isdataat:!1,relative; bsize:>3; "
                                    "pkt_data; content:\"c\";");

    has_sections(r, "http.method:1 http.uri:4 payload:1");
    assert_int_equal(r->step[4].kind, STEP_BSIZE);
}

static void
snort_3_puts_the_buffer_first(void **state)
{
    const struct rule *r = accepted(
        *state, "flow:to_server; http_uri; content:\"/a\"; http_header; content:\"b\"; "
                "bufferlen:<5; pkt_data; content:\"c\";");

    has_sections(r, "http.uri:1 http.header:2 payload:1");
    r = accepted(*state, "http_header:field user-agent; content:\"x\";");
    has_sections(r, "http.user_agent:1");
    r = accepted(*state, "http_header:field X-Own; content:\"x\";");
    has_sections(r, "http.request_header:1");
    assert_int_equal(r->step[0].chain, 1);
    r = accepted(*state, "flow:to_client; http_header:field X-Own; content:\"x\"; http_header; "
                         "content:\"y\";");
    has_sections(r, "http.response_header:1 http.header:1");
    refused(*state, "http_header:field; content:\"x\";", "http_header: 'field'");
    refused(*state, "http_uri:field a; content:\"x\";", "http_uri: 'field a'");
    refused(*state, "http_header:request; content:\"x\";", "http_header: 'request'");
}

static void
what_is_relative_stays_with_the_content_before_it(void **state)
{
    const struct rule *r = accepted(*state, "content:\"p\"; content:\"a\"; http_uri; "
                                            "isdataat:!1,relative; byte_test:1,>,2,0,relative;");

    has_sections(r, "payload:1 http.uri:3");
}

static void
flags_of_an_expression_name_a_buffer(void **state)
{
    static const struct {
        const char *flag, *sections;
    } cases[] = {
        { "U", "http.uri:1" },          { "I", "http.uri.raw:1" },
        { "P", "http.request_body:1" }, { "Q", "http.response_body:1" },
        { "H", "http.header:1" },       { "D", "http.header.raw:1" },
        { "M", "http.method:1" },       { "C", "http.cookie:1" },
        { "S", "http.stat_code:1" },    { "Y", "http.stat_msg:1" },
        { "V", "http.user_agent:1" },   { "W", "http.host:1" },
        { "Ui", "http.uri:1" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char options[64];

        snprintf(options, sizeof(options), "pcre:\"/x/%s\";", cases[i].flag);
        has_sections(accepted(*state, options), cases[i].sections);
    }
}

static void
variables_are_found_where_their_step_went(void **state)
{
    const struct rule *r = accepted(
        *state, "content:\"u\"; http_uri; byte_extract:1,0,n; content:\"v\"; http_uri; "
                "content:\"x\"; offset:n;");

    has_sections(r, "http.uri:2 payload:2");
    assert_int_equal(r->step[2].kind, STEP_BYTE_EXTRACT);
    assert_int_equal(r->step[3].offset_by, 3);
}

static void
a_rule_is_decided_where_its_last_buffer_comes(void **state)
{
    static const struct {
        const char *options;
        unsigned side;
        bool body;
    } cases[] = {
        { "content:\"x\";", 0, false },
        { "http.uri; content:\"x\";", SIDE_REQUEST, false },
        { "http.stat_code; content:\"x\";", SIDE_RESPONSE, false },
        { "http.header; content:\"x\";", SIDE_BOTH, false },
        { "flow:to_client; http.header; content:\"x\";", SIDE_RESPONSE, false },
        { "flow:to_server; http.header; content:\"x\";", SIDE_REQUEST, false },
        { "http.header; content:\"x\"; http.uri; content:\"y\";", SIDE_REQUEST, false },
        { "http.uri; content:\"x\"; http.stat_code; content:\"y\";", SIDE_RESPONSE, false },
        { "file.data; content:\"x\";", SIDE_BOTH, true },
        { "http.uri; content:\"x\"; http.response_body; content:\"y\";", SIDE_RESPONSE, true },
        { "urilen:3;", SIDE_REQUEST, false },
        { "dns.rcode:3;", SIDE_BOTH, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct rule *r = accepted(*state, cases[i].options);

        assert_int_equal(r->tx_side, cases[i].side);
        assert_int_equal(r->tx_body, cases[i].body);
    }
    refused(*state, "flow:to_server; http.stat_code; content:\"x\";", "response");
    refused(*state, "flow-event:syn; http.uri; content:\"x\";", "flow-event");
}

static void
values_are_contents_of_a_buffer(void **state)
{
    const struct rule *r = accepted(*state, "tls.version:1.2;");

    has_sections(r, "tls.version:1");
    assert_int_equal(r->step[0].flags, STEP_STARTSWITH | STEP_DEPTH | STEP_ENDSWITH);
    r = accepted(*state, "tls.version:0x7f12;");
    assert_int_equal(r->step[0].kind, STEP_TX_NUMBER);
    assert_int_equal(r->step[0].compare->value, 0x7f12);
    r = accepted(*state, "tls.subject:!\"CN=x\";");
    has_sections(r, "tls.cert_subject:1");
    assert_int_equal(r->step[0].flags, STEP_NEGATED);
    r = accepted(*state, "fileext:!\"exe\";");
    has_sections(r, "file.name:1");
    assert_int_equal(r->step[0].flags, STEP_NEGATED | STEP_NOCASE | STEP_ENDSWITH);
    assert_int_equal(r->step[0].n, 4);
    r = accepted(*state, "filename:\"a b\"; file.name; content:\"c\";");
    has_sections(r, "file.name:1 file.name:1");
    refused(*state, "fileext:\"\";", "fileext: up to 500");
    r = accepted(*state, "tls.cert_chain_len:>1; tls.cert_subject; content:\"x\";");
    has_sections(r, "tls.cert_subject:2");
    assert_int_equal(r->tx_side, SIDE_RESPONSE);
    refused(*state, "tls.cert_chain_len:x;", "tls.cert_chain_len: ");
    r = accepted(*state, "uricontent:\"x\"; nocase;");
    has_sections(r, "http.uri:1");
    refused(*state, "bsize:3;", "bsize: a buffer expected before it");
    refused(*state, "http_uri; bsize:x;", "bsize: ");
    refused(*state, "urilen:3,cooked;", "urilen: raw or norm expected");
    refused(*state, "nocase; http_uri;", "nocase: a content expected");
}

static void
base64_is_decoded_among_the_steps(void **state)
{
    const struct rule *r = accepted(*state,
                                    "content:\"a\"; base64_decode:bytes 8,offset 2,relative; "
                                    "base64_data; content:\"x\";");

    has_sections(r, "payload:2 base64_data:1");
    assert_int_equal(r->step[1].length, 8);
    assert_int_equal(r->step[1].offset, 2);
    assert_int_equal(r->step[1].flags, STEP_RELATIVE);
    assert_int_equal(r->n_payload, 2);
    accepted(*state, "base64_decode; base64_data; content:\"x\";");
    refused(*state, "base64_data; content:\"x\";", "base64_data: base64_decode expected");
    refused(*state, "content:\"a\"; base64_data; content:\"x\"; pkt_data; content:\"b\";",
            "base64_data: base64_decode expected");
    refused(*state, "base64_data; content:\"x\"; http.uri; base64_decode;",
            "base64_data: base64_decode expected");
    refused(*state, "base64_decode:bytes 0;", "base64_decode: bytes N, offset N or relative");
    refused(*state, "base64_decode:many 3;", "base64_decode: bytes N, offset N or relative");
}

static void
a_part_of_a_content_is_looked_for_first(void **state)
{
    const struct rule *r = accepted(*state, "content:\"abcdef\"; fast_pattern:2,3;");

    assert_int_equal(r->step[0].fast_at, 2);
    assert_int_equal(r->step[0].fast_n, 3);
    refused(*state, "content:\"abc\"; fast_pattern:2,3;", "fast_pattern: only, or offset,length");
    refused(*state, "content:\"abc\"; fast_pattern:2;", "fast_pattern: only, or offset,length");
}

static void
a_buffer_may_have_to_be_missing(void **state)
{
    const struct rule *r = accepted(*state, "http.request_body; absent; http.method; "
                                            "content:\"POST\";");

    has_sections(r, "http.request_body:1 http.method:1");
    assert_int_equal(r->step[0].kind, STEP_ABSENT);
    assert_int_equal(r->step[0].flags, 0);
    r = accepted(*state, "http.request_body; absent: or_else; content:!\"a\";");
    assert_int_equal(r->step[0].flags, STEP_OR_ELSE);
    refused(*state, "http.uri; absent; content:\"a\";", "absent: without or_else");
    refused(*state, "http.uri; content:\"a\"; absent:or_else;", "absent: to be the first");
    refused(*state, "http.uri; absent:if;", "absent: or_else expected");
    refused(*state, "absent;", "absent: a buffer of an application protocol");
}

static void
entropy_is_compared(void **state)
{
    const struct rule *r = accepted(*state,
                                    "file.data; entropy: bytes 10, offset 3, value >= 4.5;");

    has_sections(r, "file.data:1");
    assert_int_equal(r->step[0].length, 10);
    assert_int_equal(r->step[0].offset, 3);
    assert_int_equal(r->step[0].compare->op, CMP_GE);
    assert_int_equal(r->step[0].compare->value, INT64_C(4500000000));
    accepted(*state, "entropy:value 7.1-8;");
    refused(*state, "file.data; entropy:value >8.1;", "entropy: ");
    refused(*state, "file.data; entropy:bytes 3;", "entropy: value with a comparison");
    refused(*state, "file.data; entropy:value >1, value <2;", "entropy: bytes N");
    refused(*state, "file.data; entropy:offset 65536, value 1;", "entropy: bytes N");
}

static void
numbers_may_have_an_index(void **state)
{
    static const struct {
        const char *options;
        int index, at;
    } cases[] = {
        { "dns.rrtype:1;", INDEX_ANY, 0 },
        { "dns.rrtype:1,any;", INDEX_ANY, 0 },
        { "dns.rrtype:!1, all;", INDEX_ALL, 0 },
        { "dns.rrtype:1,all_or_absent;", INDEX_ALL_OR_ABSENT, 0 },
        { "dns.rrtype:1,or_absent;", INDEX_OR_ABSENT, 0 },
        { "dns.rrtype:1,all1;", INDEX_ALL, 0 },
        { "dns.rrtype:count >2;", INDEX_TOTAL, 0 },
        { "dns.rrtype:1,nb>2;", INDEX_COUNT, 0 },
        { "dns.rrtype:1,nb 2;", INDEX_COUNT, 0 },
        { "dns.rrtype:1,3;", INDEX_AT, 3 },
        { "dns.rrtype:1,-1;", INDEX_AT, -1 },
        { "dns.rrtype:1,oob_or 2;", INDEX_AT_OR_OUT, 2 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct rule *r = accepted(*state, cases[i].options);

        assert_int_equal(r->step[0].index, cases[i].index);
        assert_int_equal(r->step[0].length, cases[i].at);
    }
    assert_true(accepted(*state, "dns.rrtype:NS;")->step[0].compare->value == 2);
    assert_true(accepted(*state, "dns.rrtype: !aaaa,all;")->step[0].compare->value == 28);
    assert_int_equal(accepted(*state, "dns.rrtype:!A;")->step[0].compare->op, CMP_NE);
    assert_true(accepted(*state, "dns.rcode:NXDOMAIN;")->step[0].compare->value == 3);
    assert_true(accepted(*state, "dns.opcode:!QUERY;")->step[0].compare->value == 0);
    refused(*state, "dns.rcode:NS;", "dns.rcode: N, <N");
    refused(*state, "dns.rrtype:1,some;", "dns.rrtype: an index expected");
    refused(*state, "dns.rrtype:1,65536;", "dns.rrtype: an index expected");
    refused(*state, "dns.rrtype:1,nb;", "dns.rrtype: an index expected");
    refused(*state, "dns.rrtype:1,nb x;", "dns.rrtype: N, <N");
    refused(*state, "dns.rcode:1,all;", "dns.rcode: N, <N");
}

static void
hellos_and_versions_of_tls_are_asked_for(void **state)
{
    const struct rule *r = accepted(*state, "flow:to_client; ssl_state:server_hello; "
                                            "content:\"a\";");

    has_sections(r, "tls.cert_subject:1 payload:1");
    assert_int_equal(r->tx_side, SIDE_RESPONSE);
    r = accepted(*state, "ssl_version:sslv2,tls1.3; ssl_state:client_hello; content:\"a\";");
    has_sections(r, "tls.version:1 tls.sni:1 payload:1");
    assert_int_equal(r->tx_side, SIDE_REQUEST);
    assert_int_equal(r->step[0].compare->value, 1 | 32);
    r = accepted(*state, "ssl_version:!sslv2,!sslv3; tls.sni; content:\"a\";");
    assert_int_equal(r->step[0].compare->value, 4 | 8 | 16 | 32);
    r = accepted(*state, "ssl_state:client_hello|server_hello;");
    assert_int_equal(r->tx_side, SIDE_BOTH);
    refused(*state, "ssl_state:server_keyx;", "ssl_state: only client_hello and server_hello");
    refused(*state, "ssl_state:!client_hello;", "ssl_state: only client_hello and server_hello");
    refused(*state, "ssl_version:tls1.4;", "ssl_version: sslv2, sslv3");
    r = accepted(*state, "ssl_version:SSLv3, TLS1.0 ,!tls1.2,!tls1.0;");
    assert_int_equal(r->step[0].compare->value, 2);
    refused(*state, "ssl_version:sslv3; content:\"a\";", "ssl_version: next to contents");
}

/* Packets and streams are looked for by it. */
/* As in Suricata from 7 on: each time it is named another instance may be meant. */
static void
a_buffer_of_many_instances_begins_anew(void **state)
{
    has_sections(accepted(*state,
                          "dns.query; content:\"a\"; content:\"b\"; dns.query; content:\"c\"; "
                          "bsize:3; dns.query; to_lowercase; content:\"d\";"),
                 "dns.query:2 dns.query:2 dns.query:1");
    has_sections(accepted(*state, "file_data; content:\"a\"; file.name; content:\"b\"; file.data; "
                                  "content:\"c\"; distance:0;"),
                 "file.data:1 file.name:1 file.data:1");
    has_sections(accepted(*state, "http.uri; content:\"a\"; http.uri; content:\"b\"; distance:0;"),
                 "http.uri:2");
}

static void
the_payload_comes_before_headers(void **state)
{
    const struct rule *r = accepted(*state, "tcp.hdr; byte_extract:1,13,f; byte_test:1,&,f,13; "
                                            "ip.src; bsize:4; pkt_data; content:\"a\"; tcp.hdr; "
                                            "bsize:20;");

    has_sections(r, "payload:1 tcp.hdr:3 ip.src:1");
    assert_int_equal(r->n_payload, 1);
    assert_int_equal(r->step[2].number->operand_by, 2);
    refused(*state, "tcp.hdr; byte_extract:1,13,f; pkt_data; content:\"a\"; offset:f;",
            "variables of headers");
}

static void
digits_may_be_in_either_case(void **state)
{
    static const struct {
        const char *options, *bytes;
    } as[] = {
        { "ja3.hash; content:\"0Aaf@[`{\";", "0aaf@[`{" },
        { "ja3s.hash; content:\"AF\";", "af" },
        { "tls.cert_fingerprint; content:\"0A:fF\";", "0a:ff" },
        { "tls.cert_serial; content:\"0a:Ff\";", "0A:FF" },
        { "tls.cert_serial; content:\"A\"; nocase;", "a" },
        { "ssh.hassh; content:\"AB\";", "ab" },
        { "ssh.hassh.server; content:\"AB\";", "ab" },
        { "tls.cert_serial; to_lowercase; content:\"a\";", "a" },
        { "ja3.string; content:\"A\";", "A" },
    };

    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
        const struct rule *r = accepted(*state, as[i].options);

        assert_int_equal(r->step[0].n, strlen(as[i].bytes));
        assert_memory_equal(r->step[0].bytes, as[i].bytes, r->step[0].n);
    }
}

static void
dates_of_certificates(void **state)
{
    static const struct {
        const char *options;
        enum compare_op op;
        int64_t first, value;
    } as[] = {
        { "tls_cert_notafter:2015-10;", CMP_EQ, 0, 1443657600 },
        { "tls_cert_notafter:<2015-10-22;", CMP_LE, 0, 1445472000 },
        { "tls_cert_notbefore:> 2015-10-22 23;", CMP_GE, 0, 1445554800 },
        { "tls_cert_notbefore:2015-10-22T23:59;", CMP_EQ, 0, 1445558340 },
        { "tls_cert_notbefore:2015-10-22 23:59:59;", CMP_EQ, 0, 1445558399 },
        { "tls_cert_notbefore:1445558399;", CMP_EQ, 0, 1445558399 },
        { "tls_cert_notbefore:1998-05-01 <> 2008-05-01;", CMP_WITHIN, 893980800, 1209600000 },
        { "tls_cert_notbefore:2016-02-29T0:0:1;", CMP_EQ, 0, 1456704001 },
        { "tls_cert_expired;", CMP_GT, 0, 0 },
        { "tls_cert_valid;", CMP_LE, 0, 0 },
    };
    static const char *const bad[] = { "x",
                                       "2015-",
                                       "2015-13",
                                       "2015-10-32",
                                       "2015/10",
                                       "2015-10-22T24",
                                       "2015-10-22T1:1:1:1",
                                       "23:59",
                                       "<2015<>2016",
                                       "2016<>2015",
                                       "2015-10-22 Z",
                                       "!2015-10",
                                       "99-10-22" };

    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
        const struct rule *r = accepted(*state, as[i].options);

        assert_int_equal(r->tx_side, SIDE_RESPONSE);
        assert_int_equal(r->step[0].compare->op, as[i].op);
        assert_int_equal(r->step[0].compare->first, as[i].first);
        assert_int_equal(r->step[0].compare->value, as[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char options[64];

        snprintf(options, sizeof(options), "tls_cert_notafter:%s;", bad[i]);
        refused(*state, options, "tls_cert_notafter");
    }
    refused(*state, "tls_cert_valid:1;", "tls_cert_valid: no value");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_modifier_moves_the_content_before_it),
        TEST(a_sticky_buffer_holds_for_what_follows),
        TEST(snort_3_puts_the_buffer_first),
        TEST(what_is_relative_stays_with_the_content_before_it),
        TEST(flags_of_an_expression_name_a_buffer),
        TEST(variables_are_found_where_their_step_went),
        TEST(a_rule_is_decided_where_its_last_buffer_comes),
        TEST(values_are_contents_of_a_buffer),
        TEST(base64_is_decoded_among_the_steps),
        TEST(a_part_of_a_content_is_looked_for_first),
        TEST(a_buffer_may_have_to_be_missing),
        TEST(entropy_is_compared),
        TEST(numbers_may_have_an_index),
        TEST(hellos_and_versions_of_tls_are_asked_for),
        TEST(a_buffer_of_many_instances_begins_anew),
        TEST(the_payload_comes_before_headers),
        TEST(digits_may_be_in_either_case),
        TEST(dates_of_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
