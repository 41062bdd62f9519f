/* Rules on transactions, with transactions of the test's own making. */
/* The functions of the application layer that are asked are the test's own. */
#define tx_buffer fake_tx_buffer
#define tx_number fake_tx_number
#include "detect/inspect.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SHOWN_MAX = 8 };

/* What a transaction shows. */
struct shown {
    enum weir_dir dir;
    enum buffer_id id;
    const char *bytes;
    int64_t start;
    bool more; /* bytes follow later */
};

struct fixture {
    struct rules rules;
    struct vars *vars;
    struct groups *groups;
    struct detect *detect;
    struct flow_scan scan;
    struct weir_event ev;
    struct tx tx;
    char alerts[256];
};

static struct shown shown[SHOWN_MAX];
static unsigned n_shown;
static int64_t rcode;
static const int64_t *rrtypes;
static unsigned n_rrtypes, n_sizes, asked;

bool
fake_tx_buffer(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i,
               struct tx_bytes *out)
{
    (void)tx;
    for (unsigned k = 0; k < n_shown; k++) {
        if (shown[k].dir != dir || shown[k].id != id || i-- > 0)
            continue;
        *out = (struct tx_bytes){ (const uint8_t *)shown[k].bytes, (uint32_t)strlen(shown[k].bytes),
                                  shown[k].start, !shown[k].more };
        return true;
    }
    return false;
}

bool
fake_tx_number(struct tx *tx, enum weir_dir dir, enum number_id id, unsigned i, int64_t *out)
{
    asked++;
    if (id == NUMBER_DNS_RRTYPE && i < n_rrtypes)
        *out = rrtypes[i];
    if (id == NUMBER_DNS_RRTYPE)
        return i < n_rrtypes;
    *out = rcode;
    if (id == NUMBER_TLS_NOT_AFTER || id == NUMBER_TLS_NOT_BEFORE) {
        *out = id == NUMBER_TLS_NOT_AFTER ? 1000 : 500;
        return tx->proto == APP_TLS && i == 0;
    }
    if (id == NUMBER_FILE_SIZE) {
        *out = i == 0 ? 2048 : 100;
        return tx->ended[dir] && i < n_sizes;
    }
    return id == NUMBER_DNS_RCODE && i == 0;
}

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct fixture *f = ctx;
    size_t n = strlen(f->alerts);

    assert_ptr_equal(detect_tx(f->detect), &f->tx);
    snprintf(f->alerts + n, sizeof(f->alerts) - n, "%u%c ", rule->sid,
             ev->direction == WEIR_TOSERVER ? 's' : 'c');
}

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .vars = vars_new(), .tx = { .proto = APP_HTTP } };
    f.ev = (struct weir_event){ .type = WEIR_EV_DATAGRAM, .number = 1 };
    n_shown = 0;
    n_sizes = 1;
    *state = &f;
    return f.vars != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->detect != NULL)
        inspect(f->detect, &f->tx, WEIR_TOSERVER, TX_GONE);
    detect_free(f->detect);
    groups_free(f->groups);
    rules_free(&f->rules);
    vars_free(f->vars);
    return 0;
}

/* Rules of these options, numbered from 1. */
static void
rules(struct fixture *f, unsigned n, const char *const *options)
{
    struct detect_opts opts = { .memory = 1 << 22 };
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; i < n; i++) {
        char line[512];

        snprintf(line, sizeof(line), "alert ip any any -> any any (%s sid:%u;)", options[i], i + 1);
        assert_int_equal(rules_load_text(&f->rules, f->vars, "t",
                                         (struct text){ line, strlen(line) }, NULL, NULL, &err),
                         WEIR_E_OK);
    }
    assert_int_equal(f->rules.n, n);
    assert_int_equal(groups_new(&f->rules, &f->groups, &err), WEIR_E_OK);
    assert_int_equal(detect_new(f->groups, &opts, on_alert, f, &f->detect, &err), WEIR_E_OK);
}
#define RULES(f, ...)                                                                              \
    rules(f, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),                             \
          (const char *[]){ __VA_ARGS__ })

static void
show(enum weir_dir dir, enum buffer_id id, const char *bytes)
{
    assert_true(n_shown < SHOWN_MAX);
    shown[n_shown++] = (struct shown){ dir, id, bytes, 0, false };
}

/* What alerted when the side came to the stage. */
static void
at(struct fixture *f, enum weir_dir dir, enum tx_stage stage, const char *alerts)
{
    f->alerts[0] = '\0';
    f->ev.number++;
    detect_begin(f->detect, &f->scan, &f->ev);
    inspect(f->detect, &f->tx, dir, stage);
    assert_string_equal(f->alerts, alerts);
}

static void
each_buffer_is_looked_at(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.uri; content:\"/evil\";", "http.uri; content:\"/good\";",
          "content:\"GET\"; http_method; content:\"/evil\"; http_uri;",
          "http.uri; content:\"/evil\"; http.user_agent; content:\"curl\";",
          "http.uri; content:\"/evil\"; http.user_agent; content:\"wget\";",
          "http.uri; content:\"/evil\"; content:\"php\"; distance:1;", "urilen:9;", "urilen:>9;");
    show(WEIR_TOSERVER, BUFFER_HTTP_METHOD, "GET");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/evil.php");
    show(WEIR_TOSERVER, BUFFER_HTTP_USER_AGENT, "curl/8");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 3s 4s 6s 7s ");
    at(f, WEIR_TOSERVER, TX_END, "");
}

static void
what_is_not_shown_fits_no_rule(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.cookie; content:!\"x\";", "http.uri; content:!\"x\";", "http.cookie; bsize:0;");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/");
    at(f, WEIR_TOSERVER, TX_HEAD, "2s ");
}

static void
a_rule_waits_for_the_body(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.uri; content:\"/a\"; http.request_body; content:\"secret\";",
          "http.request_body; content:\"secret\"; content:\"end\";",
          "http.request_body; content:!\"other\"; http.uri; content:\"/a\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/a");
    at(f, WEIR_TOSERVER, TX_HEAD, "");
    show(WEIR_TOSERVER, BUFFER_HTTP_REQUEST_BODY, "a secret and more");
    shown[1].more = true;
    at(f, WEIR_TOSERVER, TX_BODY, "1s 3s ");
    shown[1] = (struct shown){ WEIR_TOSERVER, BUFFER_HTTP_REQUEST_BODY, "secret and more end", 2,
                               false };
    at(f, WEIR_TOSERVER, TX_END, "2s ");
}

static void
a_response_knows_its_request(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.uri; content:\"/a\"; http.stat_code; content:\"200\";",
          "http.uri; content:\"/b\"; http.stat_code; content:\"200\";",
          "http.header; content:\"Host\";", "http.stat_code; content:\"404\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/a");
    show(WEIR_TOSERVER, BUFFER_HTTP_HEADER, "Host: x");
    at(f, WEIR_TOSERVER, TX_HEAD, "3s ");
    show(WEIR_TOCLIENT, BUFFER_HTTP_STAT_CODE, "200");
    show(WEIR_TOCLIENT, BUFFER_HTTP_HEADER, "Server: y");
    at(f, WEIR_TOCLIENT, TX_HEAD, "1c ");
    at(f, WEIR_TOCLIENT, TX_END, "");
}

static void
any_instance_will_do(void **state)
{
    struct fixture *f = *state;

    f->tx.proto = APP_DNS;
    RULES(f, "dns.query; content:\"evil\"; content:\".com\"; distance:0; endswith;",
          "dns.query; content:\"good\";", "dns.rcode:3;", "dns.rcode:>3;",
          "http.uri; content:\"evil\";");
    show(WEIR_TOSERVER, BUFFER_DNS_QUERY, "evil.org");
    show(WEIR_TOSERVER, BUFFER_DNS_QUERY, "evil.com");
    rcode = 3;
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 3s ");
}

/* Of what is behind a content, wherever that is. */
static void
a_length_may_be_of_the_rest(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.uri; content:\"/a\"; bufferlen:3,relative;",
          "http.uri; content:\"/a\"; bufferlen:>5,relative;",
          "http.uri; content:\"/a\"; bufferlen:4,relative;",
          "http.uri; content:\"/a\"; bufferlen:10;", "http.uri; bufferlen:10,relative;");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/a/b//axyz");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 2s 4s 5s ");
}

static void
named_again_another_instance_will_do(void **state)
{
    struct fixture *f = *state;

    f->tx.proto = APP_DNS;
    RULES(f, "dns.query; content:\"example\"; content:\".com\";",
          "dns.query; content:\"example\"; dns.query; content:\".com\";",
          "dns.query; content:\".com\"; dns.query; content:!\"example\";",
          "dns.query; content:\"example\"; dns.query; content:\".org\";");
    show(WEIR_TOSERVER, BUFFER_DNS_QUERY, "example.net");
    show(WEIR_TOSERVER, BUFFER_DNS_QUERY, "something.com");
    at(f, WEIR_TOSERVER, TX_HEAD, "2s 3s ");
}

static void
decoded_bytes_are_looked_at(void **state)
{
    struct fixture *f = *state;

    RULES(f,
          "http.cookie; content:\"t=\"; base64_decode:relative; base64_data; content:\"secret\";",
          "http.cookie; content:\"t=\"; base64_decode:bytes 4,relative; base64_data; "
          "content:\"secret\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_COOKIE, "t=YSBzZWNyZXQ=; u=v");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s ");
}

static void
transformed_bytes_are_looked_at(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.host; dotprefix; content:\".evil.com\"; endswith;",
          "http.host; dotprefix; content:\".vil.com\"; endswith;",
          "http.host; content:\".evil.com\";", "http.host; to_uppercase; content:\"EVIL\";",
          "http.host; to_uppercase; content:\"evil\";",
          "http.uri; url_decode; content:\"/a b\"; fast_pattern; startswith;",
          "http.uri; content:\"%20\"; url_decode; content:\"%20\";",
          "http.uri; strip_whitespace; content:\"/a%20b\"; http.host; dotprefix; content:\".\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_HOST, "evil.com");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/a%20b");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 4s 6s 8s ");
}

/* Lists of names stand behind dotprefix: a query must not cost a look at each rule. */
static void
names_behind_a_dot_are_found_fast(void **state)
{
    struct fixture *f = *state;

    f->tx.proto = APP_DNS;
    RULES(f, "dns.query; dotprefix; content:\".evil.com\"; endswith;",
          "dns.query; dotprefix; content:\".other.com\"; endswith;",
          "dns.query; to_lowercase; content:\"another\";",
          "dns.query; url_decode; content:\"evil\";");
    show(WEIR_TOSERVER, BUFFER_DNS_QUERY, "www.evil.com");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 4s ");
    assert_int_equal(detect_get_stats(f->detect)->candidates, 2);
}

static void
what_base64_decode_made_is_transformed(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.cookie; url_decode; content:\"t=\"; base64_decode:relative; base64_data; "
             "to_uppercase; content:\"SECRET\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_COOKIE, "t%3dYSBzZWNyZXQ=; u=v");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s ");
}

static void
a_header_is_found_by_its_name(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http_header:field x-own; content:\"evil\", depth 4;",
          "http_header:field x-other; content:\"evil\";",
          "http_header:field x-own; content:\"X-Own\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_REQUEST_HEADER, "Host: evil");
    show(WEIR_TOSERVER, BUFFER_HTTP_REQUEST_HEADER, "X-Own: evil");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s ");
}

static void
a_missing_buffer_is_known_at_the_end(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.request_body; absent;", "http.cookie; absent;", "http.uri; absent;",
          "http.cookie; absent:or_else; content:\"a\";", "http.uri; absent:or_else; content:\"a\";",
          "http.uri; absent:or_else; content:\"b\";");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/a");
    at(f, WEIR_TOSERVER, TX_HEAD, "2s 4s 5s ");
    at(f, WEIR_TOSERVER, TX_END, "1s ");
}

static void
what_tls_lacks_may_come_yet(void **state)
{
    struct fixture *f = *state;

    f->tx.proto = APP_TLS;
    RULES(f, "tls.cert_subject; absent;", "tls.cert_issuer; absent;");
    at(f, WEIR_TOCLIENT, TX_HEAD, "");
    show(WEIR_TOCLIENT, BUFFER_TLS_CERT_ISSUER, "CN=x");
    at(f, WEIR_TOCLIENT, TX_HEAD, "");
    at(f, WEIR_TOCLIENT, TX_END, "1c ");
}

static void
entropy_is_of_the_bytes_asked_for(void **state)
{
    struct fixture *f = *state;

    RULES(f, "http.uri; entropy:value 2;", "http.uri; entropy:bytes 4, value 1;",
          "http.uri; entropy:offset 4, value 1;", "http.uri; entropy:value !2;",
          "http.uri; entropy:offset 8, value <8;");
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "ababcdcd");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 2s 3s ");
}

static void
instances_of_a_number_are_counted(void **state)
{
    static const int64_t types[] = { 5, 1, 1 };
    struct fixture *f = *state;

    f->tx.proto = APP_DNS;
    RULES(f, "dns.rrtype:1;", "dns.rrtype:1,all;", "dns.rrtype:1,0;", "dns.rrtype:1,-1;",
          "dns.rrtype:1,nb 2;", "dns.rrtype:1,nb>2;", "dns.rrtype:1,3;", "dns.rrtype:1,oob_or 3;",
          "dns.rrtype:1,-3;", "dns.rrtype:1,-4;", "dns.rrtype:<9,all_or_absent;",
          "dns.rrtype:2,or_absent;", "dns.rrtype:count 3;", "dns.rrtype:count<1;");
    rrtypes = types;
    n_rrtypes = 3;
    show(WEIR_TOSERVER, BUFFER_DNS_QUERY, "a");
    at(f, WEIR_TOSERVER, TX_HEAD, "1s 4s 5s 8s 11s 13s ");
    inspect(f->detect, &f->tx, WEIR_TOSERVER, TX_GONE);
    n_rrtypes = 0;
    at(f, WEIR_TOSERVER, TX_HEAD, "8s 11s 12s 14s ");
}

static void
certificates_age_with_the_packets(void **state)
{
    struct fixture *f = *state;

    f->tx.proto = APP_TLS;
    RULES(f, "tls_cert_expired;", "tls_cert_valid;", "tls_cert_notbefore:500;",
          "tls_cert_notafter:<1000;", "tls_cert_notafter:>1001;", "tls_cert_notafter:999<>1000;");
    f->ev.time = UINT64_C(1000999999999);
    at(f, WEIR_TOCLIENT, TX_HEAD, "2c 3c 4c 6c ");
    f->ev.time++;
    at(f, WEIR_TOCLIENT, TX_HEAD, "1c ");
}

/* Of one that is cut nobody knows how much longer it is. */
static void
files_have_a_size_at_their_end(void **state)
{
    struct fixture *f = *state;

    RULES(f, "filesize:2kb;", "filesize:>2047;", "filesize:>=2kb;", "filesize:<1MB;",
          "filesize:2047<>2049;", "filesize:>2048;");
    at(f, WEIR_TOCLIENT, TX_BODY, "");
    f->tx.ended[WEIR_TOCLIENT] = true;
    at(f, WEIR_TOCLIENT, TX_END, "1c 2c 3c 4c 5c ");
    inspect(f->detect, &f->tx, WEIR_TOSERVER, TX_GONE);
    f->ev.type = WEIR_EV_FLOW_END;
    at(f, WEIR_TOCLIENT, TX_END, "2c 3c ");
}

/* How many instances one rule asks for, of these three. */
static unsigned
asked_by(struct fixture *f, const char *option)
{
    static const int64_t types[] = { 1, 5, 1 };

    tear_down((void **)&f);
    set_up((void **)&f);
    f->tx.proto = APP_DNS;
    rules(f, 1, &option);
    rrtypes = types;
    n_rrtypes = 3;
    asked = 0;
    f->ev.number++;
    detect_begin(f->detect, &f->scan, &f->ev);
    inspect(f->detect, &f->tx, WEIR_TOSERVER, TX_HEAD);
    return asked;
}

static void
no_more_instances_are_asked_for_than_decide(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(asked_by(f, "dns.rrtype:1;"), 1);
    assert_int_equal(asked_by(f, "dns.rrtype:5;"), 2);
    assert_int_equal(asked_by(f, "dns.rrtype:9;"), 4);
    assert_int_equal(asked_by(f, "dns.rrtype:1,all;"), 2);
    assert_int_equal(asked_by(f, "dns.rrtype:9,all_or_absent;"), 1);
    assert_int_equal(asked_by(f, "dns.rrtype:1,or_absent;"), 1);
    assert_int_equal(asked_by(f, "dns.rrtype:1,0;"), 2); /* and the one itself */
    assert_int_equal(asked_by(f, "dns.rrtype:9,-1;"), 5);
    assert_int_equal(asked_by(f, "dns.rrtype:9,nb 2;"), 4);
}

static void
a_size_is_that_of_the_file_with_the_name(void **state)
{
    struct fixture *f = *state;

    RULES(f, "file.name; content:\"big\"; filesize:2048;",
          "file.name; content:\"big\"; filesize:100;",
          "file.name; content:\"small\"; filesize:<200;", "filesize:100;",
          "file.name; content:\"small\"; "
          "filesize:>0; filesize:>100;");
    n_sizes = 2;
    show(WEIR_TOSERVER, BUFFER_FILE_NAME, "big");
    show(WEIR_TOSERVER, BUFFER_FILE_NAME, "small");
    at(f, WEIR_TOSERVER, TX_BODY, "");
    f->tx.ended[WEIR_TOSERVER] = true;
    at(f, WEIR_TOSERVER, TX_END, "1s 3s 4s ");
}

static void
rules_that_cannot_be_remembered_are_counted(void **state)
{
    struct fixture *f = *state;
    const char *options[TX_RULES_MAX + 10];

    for (unsigned i = 0; i < TX_RULES_MAX + 10; i++)
        options[i] = "http.uri; content:\"/a\"; http.request_body; content:\"x\";";
    rules(f, TX_RULES_MAX + 10, options);
    show(WEIR_TOSERVER, BUFFER_HTTP_URI, "/a");
    at(f, WEIR_TOSERVER, TX_HEAD, "");
    assert_true(detect_get_stats(f->detect)->tx_lost >= 10);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_buffer_is_looked_at),
        TEST(what_is_not_shown_fits_no_rule),
        TEST(a_rule_waits_for_the_body),
        TEST(a_response_knows_its_request),
        TEST(any_instance_will_do),
        TEST(a_length_may_be_of_the_rest),
        TEST(named_again_another_instance_will_do),
        TEST(decoded_bytes_are_looked_at),
        TEST(transformed_bytes_are_looked_at),
        TEST(names_behind_a_dot_are_found_fast),
        TEST(what_base64_decode_made_is_transformed),
        TEST(a_header_is_found_by_its_name),
        TEST(a_missing_buffer_is_known_at_the_end),
        TEST(what_tls_lacks_may_come_yet),
        TEST(entropy_is_of_the_bytes_asked_for),
        TEST(instances_of_a_number_are_counted),
        TEST(certificates_age_with_the_packets),
        TEST(files_have_a_size_at_their_end),
        TEST(no_more_instances_are_asked_for_than_decide),
        TEST(a_size_is_that_of_the_file_with_the_name),
        TEST(rules_that_cannot_be_remembered_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
