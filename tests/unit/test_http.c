/* HTTP/1.x: requests and responses however they are cut, holes, limits. */
#include "http.h"
#include "mem.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct bench {
    struct http *http;
    struct http_flow *flow;
    char seen[4000];
};

static void
say(struct bench *b, const char *format, ...)
{
    size_t n = strlen(b->seen);
    va_list ap;

    va_start(ap, format);
    vsnprintf(b->seen + n, sizeof(b->seen) - n, format, ap);
    va_end(ap);
}

static void
say_bytes(struct bench *b, const char *name, struct weir_bytes bytes)
{
    if (bytes.p != NULL)
        say(b, "%s=%.*s ", name, (int)bytes.n, (const char *)bytes.p);
}

static void
say_headers(struct bench *b, const struct http_event *ev)
{
    struct weir_bytes name, value;

    for (unsigned i = 0; http_header(ev, i, &name, &value); i++) {
        say_bytes(b, "h", name);
        say_bytes(b, "v", value);
    }
}

static void
on_event(void *ctx, const struct http_event *ev)
{
    static const char *const names[] = {
        [HTTP_REQUEST_START] = "req-start",
        [HTTP_REQUEST_RAW] = "req-raw",
        [HTTP_REQUEST] = "REQ",
        [HTTP_REQUEST_BODY] = "req-body",
        [HTTP_REQUEST_END] = "req-end",
        [HTTP_RESPONSE_START] = "res-start",
        [HTTP_RESPONSE_RAW] = "res-raw",
        [HTTP_RESPONSE] = "RES",
        [HTTP_RESPONSE_BODY] = "res-body",
        [HTTP_RESPONSE_END] = "res-end",
        [HTTP_NOTE] = "note",
        [HTTP_GONE] = "gone",
        [HTTP_MOVED] = "moved",
    };
    struct bench *b = ctx;
    struct weir_bytes value;

    say(b, "%s%u ", names[ev->type], (unsigned)ev->tx);
    if (ev->type == HTTP_REQUEST) {
        say_bytes(b, "m", ev->method);
        say_bytes(b, "u", ev->uri);
        say_bytes(b, "host", ev->host);
        say_headers(b, ev);
        if (http_find(ev, "a", &value))
            say_bytes(b, "found", value);
    } else if (ev->type == HTTP_RESPONSE) {
        say(b, "%d ", ev->status);
        say_bytes(b, "u", ev->uri);
        say_headers(b, ev);
    }
    say_bytes(b, "d", ev->data);
    say(b, "; ");
}

static struct bench bench;

static struct bench *
begin(const struct http_opts *opts)
{
    struct bench *b = &bench;

    b->seen[0] = '\0';
    if (http_new(opts, on_event, &b->http) == WEIR_E_UNSUPPORTED)
        skip();
    b->flow = http_open(b->http, b);
    assert_non_null(b->flow);
    return b;
}

static void
end(struct bench *b)
{
    http_close(b->flow);
    http_free(b->http);
}

static void
feed(struct bench *b, enum weir_dir dir, const char *text, size_t piece)
{
    const size_t n = strlen(text);

    for (size_t at = 0; at < n; at += piece) {
        const size_t part = n - at < piece ? n - at : piece;
        uint8_t *copy = exact_copy(text + at, part);

        http_feed(b->flow, dir, (struct weir_bytes){ copy, (uint32_t)part });
        free(copy);
    }
}

static const char two_requests[] = "GET /a?b=c HTTP/1.1\r\nHost: Example.ORG:8080\r\n"
                                   "User-Agent: x/1\r\n\r\n"
                                   "POST /p HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\nhello";
static const char two_responses[] = "HTTP/1.1 200 OK\r\nServer: s/2\r\nContent-Length: 2\r\n\r\nhi"
                                    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

static void
pipelined_requests_meet_their_responses_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 200; piece++) {
        struct bench *b = begin(NULL);

        feed(b, WEIR_TOSERVER, two_requests, piece);
        feed(b, WEIR_TOCLIENT, two_responses, piece);
        end(b);
        assert_string_equal(b->seen,
                            "REQ0 m=GET u=/a?b=c host=Example.ORG h=Host v=Example.ORG:8080 "
                            "h=User-Agent v=x/1 ; req-end0 ; "
                            "REQ1 m=POST u=/p host=e h=Host v=e h=Content-Length v=5 ; req-end1 ; "
                            "RES0 200 u=/a?b=c h=Server v=s/2 h=Content-Length v=2 ; res-end0 ; "
                            "RES1 404 u=/p h=Content-Length v=0 ; res-end1 ; ");
    }
}

static void
bodies_are_told_where_they_are_asked_for(void **state)
{
    const struct http_opts opts = { .bodies = true };
    struct bench *b = begin(&opts);

    (void)state;
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.0\r\n\r\n", 100);
    feed(b, WEIR_TOCLIENT,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 1000);
    assert_non_null(strstr(b->seen, "res-body0 d=abc ; res-end0"));
    end(b);
}

static void
a_hole_in_a_body_is_passed_over(void **state)
{
    const struct http_opts opts = { .bodies = true };
    struct bench *b = begin(&opts);

    (void)state;
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 100);
    feed(b, WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", 100);
    http_gap(b->flow, WEIR_TOCLIENT, 5);
    feed(b, WEIR_TOCLIENT, "xyzHTTP/1.1 204 No\r\n\r\n", 100);
    assert_false(http_ended(b->flow, WEIR_TOCLIENT));
    assert_non_null(strstr(b->seen, "res-body0 d=ab ; res-body0 ; res-body0 d=xyz ; res-end0 ; "
                                    "RES1 204 u=/2"));
    end(b);
}

/* The response begins, a hole of so many bytes follows. Returns whether it goes on. */
static bool
passes_over(const char *response, uint64_t hole)
{
    struct bench *b = begin(NULL);
    bool ended;

    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 100);
    feed(b, WEIR_TOCLIENT, response, 100);
    http_gap(b->flow, WEIR_TOCLIENT, hole);
    ended = http_ended(b->flow, WEIR_TOCLIENT);
    assert_int_equal(http_get_stats(b->http)->lost, ended);
    end(b);
    return !ended;
}

static void
only_holes_within_a_body_of_known_length_are_passed_over(void **state)
{
    static const char with_length[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab";
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab";
    static const char complete[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    static const char to_the_end[] = "HTTP/1.1 200 OK\r\n\r\nab";

    (void)state;
    assert_true(passes_over(with_length, 8));
    assert_false(passes_over(with_length, 9));
    assert_false(passes_over(chunked, 2));
    assert_false(passes_over(complete, 5));
    assert_true(passes_over(to_the_end, 100000));
    assert_false(passes_over("HTTP/1.1 200 OK\r\nConte", 5));
}

static void
a_hole_elsewhere_ends_its_direction_only(void **state)
{
    struct bench *b = begin(NULL);

    (void)state;
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\nHo", 100);
    http_gap(b->flow, WEIR_TOSERVER, 5);
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    feed(b, WEIR_TOSERVER, "st: x\r\n\r\n", 100); /* never joined */
    feed(b, WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nServer: s\r\n\r\n", 100);
    assert_null(strstr(b->seen, "REQ"));
    assert_non_null(strstr(b->seen, "RES0 200 "));
    assert_non_null(strstr(b->seen, "h=Server v=s"));
    assert_int_equal(http_get_stats(b->http)->lost, 1);
    end(b);
}

static void
before_the_first_byte_too(void **state)
{
    struct bench *b = begin(NULL);

    (void)state;
    http_gap(b->flow, WEIR_TOSERVER, 5);
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    assert_int_equal(http_get_stats(b->http)->lost, 1);
    end(b);
}

static void
a_head_has_its_bound(void **state)
{
    const struct http_opts opts = { .head = 1000, .headers = 4 };
    struct bench *b = begin(&opts);

    (void)state;
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\n", 100);
    for (unsigned i = 0; i < 120; i++)
        feed(b, WEIR_TOSERVER, "A: 1234\r\n", 100);
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    assert_int_equal(http_get_stats(b->http)->head, 1);
    http_close(b->flow);
    b->flow = http_open(b->http, b);
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n\r\n", 100);
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    assert_int_equal(http_get_stats(b->http)->head, 2);
    assert_int_equal(http_get_stats(b->http)->malformed, 0);
    end(b);
}

static void
connections_and_requests_have_their_bounds(void **state)
{
    const struct http_opts opts = { .flows = 1, .requests = 3, .pending = 2 };
    struct bench *b = begin(&opts);

    (void)state;
    assert_null(http_open(b->http, b));
    assert_int_equal(http_get_stats(b->http)->flows, 1);
    feed(b, WEIR_TOSERVER, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 100);
    assert_false(http_ended(b->flow, WEIR_TOSERVER));
    feed(b, WEIR_TOSERVER, "GET /3 HTTP/1.1\r\n\r\n", 100);
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    assert_int_equal(http_get_stats(b->http)->pending, 1);
    http_close(b->flow);
    b->flow = http_open(b->http, b);
    for (unsigned i = 0; i < 4; i++) {
        assert_false(http_ended(b->flow, WEIR_TOSERVER));
        feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\n\r\n", 100);
        feed(b, WEIR_TOCLIENT, "HTTP/1.1 204 No\r\n\r\n", 100);
    }
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    assert_int_equal(http_get_stats(b->http)->requests, 1);
    end(b);
}

static void
a_tunnel_is_no_http(void **state)
{
    struct bench *b = begin(NULL);

    (void)state;
    feed(b, WEIR_TOSERVER, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 100);
    feed(b, WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\n\r\n", 100);
    feed(b, WEIR_TOSERVER, "\x16\3\1\2\1\n", 100);
    feed(b, WEIR_TOCLIENT, "\x16\3\1\2\1\n", 100);
    assert_true(http_ended(b->flow, WEIR_TOSERVER));
    assert_true(http_ended(b->flow, WEIR_TOCLIENT));
    assert_int_equal(http_get_stats(b->http)->malformed, 0);
    end(b);
}

static void
repeated_headers_are_joined(void **state)
{
    struct bench *b = begin(NULL);

    (void)state;
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\nA: 1\r\na: 2\r\n\r\n", 100);
    assert_non_null(strstr(b->seen, "h=A v=1, 2"));
    assert_non_null(strstr(b->seen, "found=1, 2"));
    end(b);
}

/* ---- bodies that nobody looks at: all but their pieces has to be told as ever */

struct outline {
    uint64_t bytes[2];    /* of bodies, by enum weir_dir */
    unsigned moved, kept; /* transactions that libhtp got later, and never */
    struct bench *b;
};

static void
on_outline(void *ctx, const struct http_event *ev)
{
    struct outline *o = ctx;
    struct weir_bytes raw;

    o->kept += ev->type == HTTP_GONE && http_raw(ev->htp, WEIR_TOSERVER, &raw);
    if (ev->type == HTTP_REQUEST_BODY || ev->type == HTTP_RESPONSE_BODY)
        o->bytes[ev->type == HTTP_RESPONSE_BODY] += ev->data.n;
    else if (ev->type == HTTP_MOVED)
        o->moved++;
    else if (ev->type != HTTP_REQUEST_RAW && ev->type != HTTP_RESPONSE_RAW)
        say(o->b, "%u:%u %u %u;", (unsigned)ev->type, (unsigned)ev->tx, (unsigned)o->bytes[0],
            (unsigned)o->bytes[1]);
}

/* A step is a side's: '>' and what the client sends, '<' the server; '-': a hole, '.': a FIN. */
static struct outline
outline(const char *const *steps, bool skims, bool forms, size_t piece)
{
    static _Alignas(64) uint8_t blocks[1 << 16];
    struct http_opts opts = { .bodies = true, .detail = true };
    static struct mem mem; /* made once: what it has freed is poisoned */
    struct http_share share = { .mem = &mem };
    struct outline o = { .b = &bench };

    if (mem.cap == 0)
        mem_init(&mem, blocks, sizeof(blocks), sizeof(blocks));
    opts.forms = forms;
    bench.seen[0] = '\0';
    if (http_new(&opts, on_outline, &bench.http) == WEIR_E_UNSUPPORTED)
        skip();
    http_skim(bench.http, skims);
    if (forms)
        http_use(bench.http, &share);
    bench.flow = http_open(bench.http, &o);
    for (; *steps != NULL; steps++) {
        const enum weir_dir dir = **steps == '<' ? WEIR_TOCLIENT : WEIR_TOSERVER;

        if ((*steps)[1] == '.')
            http_end(bench.flow, dir);
        else if ((*steps)[1] == '-')
            http_gap(bench.flow, dir, 9);
        else
            feed(&bench, dir, *steps + 1, piece);
    }
    end(&bench);
    assert_int_equal(mem.used, 0);
    return o;
}

static void
skims_alike(const char *const *steps)
{
    for (size_t piece = 1; piece < 200; piece++) {
        char looked_at[sizeof(bench.seen)];

        (void)outline(steps, false, false, piece);
        strcpy(looked_at, bench.seen);
        for (unsigned how = 1; how < 4; how++) {
            (void)outline(steps, how & 1, how & 2, piece);
            assert_string_equal(bench.seen, looked_at);
        }
    }
}

#define POST ">POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n"
#define TEN  "0123456789"
#define OK   "<HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"

static void
what_is_passed_over_changes_nothing_else(void **state)
{
    static const char *const all[][9] = {
        { POST TEN TEN, ">.", OK TEN, "<." },
        { POST TEN TEN, OK TEN TEN TEN TEN, ">" TEN TEN },
        { POST TEN TEN TEN TEN, OK TEN TEN, POST TEN TEN TEN TEN, "<" TEN TEN },
        { POST TEN TEN, "<HTTP/1.1 101 Other\r\n\r\n" TEN },
        { POST TEN, ">-", ">" TEN TEN "1", OK, "<" TEN, "<-", "<" TEN TEN },
        { POST TEN, OK TEN, ">-", ">" TEN TEN "1", "<" TEN TEN },
        { POST TEN, OK TEN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        skims_alike(all[i]);
}

/* ---- messages of a form */

#define GET  ">GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD ">HEAD /a HTTP/1.0\r\nHost: a:80\r\n\r\n"
#define ZIP  "<HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
messages_of_a_form_are_told_as_libhtp_tells_them(void **state)
{
    static const struct {
        const char *steps[9];
        unsigned kept, moved; /* in pieces that no message is longer than */
    } all[] = {
        { { GET, OK TEN TEN, "<" TEN TEN, GET, OK TEN TEN TEN TEN }, 2, 0 },
        { { POST TEN, ">" TEN TEN TEN, OK TEN TEN TEN TEN }, 1, 0 },
        { { HEAD, OK, HEAD, "<HTTP/1.1 304 No\r\n\r\n", GET, "<HTTP/1.1 204 No\r\n\r\n" }, 3, 0 },
        { { GET, "<HTTP/1.0 200 OK\r\n\r\n" TEN, "<" TEN, "<." }, 1, 0 },
        { { GET, "<HTTP/1.0 200 OK\r\n\r\n" TEN, "<" TEN }, 1, 0 },
        { { GET, OK TEN, "<." }, 1, 0 },
        { { GET, ">.", OK TEN TEN, "<" TEN TEN, "<." }, 1, 0 },
        { { GET, OK TEN }, 1, 0 },
        { { GET }, 1, 0 },
        { { POST TEN }, 0, 1 },
        { { POST TEN, ">." }, 0, 1 },
        { { GET, "<." }, 0, 1 },
        { { GET, ZIP "2\r\nab\r\n0\r\n\r\n", GET, OK TEN TEN TEN TEN }, 0, 1 },
        { { GET, "<HTTP/1.1 100 Go on\r\n\r\n", OK TEN TEN TEN TEN }, 0, 1 },
        { { GET, GET, OK TEN TEN TEN TEN OK TEN TEN TEN TEN }, 0, 1 },
        { { GET, OK TEN, GET, "<" TEN TEN TEN, OK TEN TEN TEN TEN }, 0, 1 },
        { { GET, OK TEN TEN TEN TEN TEN }, 0, 1 },
        { { GET, OK TEN, "<-", "<" TEN TEN "1" }, 0, 1 },
        { { GET, ">.", OK TEN, "<-", "<" TEN TEN "1" }, 0, 1 },
        { { POST TEN, OK TEN, ">" TEN TEN TEN, "<" TEN TEN TEN }, 0, 1 },
        { { GET, OK TEN TEN TEN TEN, OK }, 1, 0 },
        { { OK, GET }, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        struct outline o;

        skims_alike(all[i].steps);
        o = outline(all[i].steps, false, true, 1000);
        assert_int_equal(o.kept, all[i].kept);
        assert_int_equal(o.moved, all[i].moved);
    }
}

/* A connection at rest may be closed and opened again. */
static void
between_transactions_a_connection_is_idle(void **state)
{
    static const struct http_opts opts = { .detail = true };
    struct bench *b = begin(&opts);

    (void)state;
    assert_false(http_is_idle(b->flow)); /* libhtp reads it, and nothing has come */
    feed(b, WEIR_TOSERVER, &GET[1], 10);
    assert_false(http_is_idle(b->flow));
    feed(b, WEIR_TOCLIENT, &OK TEN[1], 10);
    assert_false(http_is_idle(b->flow));
    feed(b, WEIR_TOCLIENT, TEN TEN TEN, 10);
    assert_true(http_is_idle(b->flow));
    feed(b, WEIR_TOSERVER, "G", 1);
    assert_false(http_is_idle(b->flow));
    end(b);
}

static void
what_libhtp_remarked_on_is_never_idle(void **state)
{
    static const struct http_opts opts = { .detail = true };
    struct bench *b = begin(&opts);

    (void)state;
    feed(b, WEIR_TOSERVER, "GET / HTTP/1.1\r\n\r\n", 100);
    feed(b, WEIR_TOCLIENT, &OK TEN TEN TEN TEN[1], 100);
    assert_non_null(strstr(b->seen, "note"));
    assert_non_null(strstr(b->seen, "gone0"));
    assert_false(http_is_idle(b->flow));
    end(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_requests_meet_their_responses_however_they_are_cut),
        cmocka_unit_test(bodies_are_told_where_they_are_asked_for),
        cmocka_unit_test(a_hole_in_a_body_is_passed_over),
        cmocka_unit_test(only_holes_within_a_body_of_known_length_are_passed_over),
        cmocka_unit_test(a_hole_elsewhere_ends_its_direction_only),
        cmocka_unit_test(before_the_first_byte_too),
        cmocka_unit_test(a_head_has_its_bound),
        cmocka_unit_test(connections_and_requests_have_their_bounds),
        cmocka_unit_test(a_tunnel_is_no_http),
        cmocka_unit_test(repeated_headers_are_joined),
        cmocka_unit_test(what_is_passed_over_changes_nothing_else),
        cmocka_unit_test(messages_of_a_form_are_told_as_libhtp_tells_them),
        cmocka_unit_test(between_transactions_a_connection_is_idle),
        cmocka_unit_test(what_libhtp_remarked_on_is_never_idle),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
