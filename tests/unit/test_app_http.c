/* HTTP as rules see it: buffers, bodies, holes, limits, however a flow is cut. */
#include "app/parts.h"
#include "support/app_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char request[] = "POST /a/./B%41?q=%41#f HTTP/1.1\r\nHost: Example.ORG:8080\r\n"
                              "Cookie: c=1\r\nContent-Length: 5\r\n\r\nhello";
static const char second[] = "GET /2 HTTP/1.1\r\nHost: e\r\n\r\n";

/* "hello, world: hello", by gzip. */
static const uint8_t zipped[36] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48,
    0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0x28, 0xcf, 0x2f, 0xca, 0x49, 0xb1, 0x52,
    0xc8, 0x00, 0xf1, 0x00, 0x6f, 0x8f, 0xea, 0xf5, 0x13, 0x00, 0x00, 0x00,
};

/* 3,000,000 zeros, by gzip twice. */
static const uint8_t bomb[73] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x93, 0xef, 0xe6, 0x60, 0x00,
    0x01, 0x26, 0xe6, 0xb7, 0x07, 0x19, 0x19, 0x81, 0x8c, 0x26, 0x85, 0xff, 0xeb, 0xf3, 0x3c,
    0x1c, 0x18, 0x19, 0x46, 0xc1, 0x28, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x8c, 0x82, 0x51, 0x30,
    0x0a, 0x46, 0xc1, 0x28, 0x18, 0x05, 0x54, 0x00, 0xfa, 0x6c, 0xa9, 0x8b, 0x18, 0x7d, 0x0f,
    0x1c, 0xd3, 0x65, 0x00, 0x00, 0xaa, 0x92, 0x52, 0x10, 0x7d, 0x0b, 0x00, 0x00,
};

static struct app_run run;

static void
send_text(enum weir_dir dir, const char *text)
{
    app_run_send(&run, dir, text, strlen(text), 1000);
}

static void
has(const char *text)
{
    if (strstr(run.text, text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, run.text);
}

static void
has_not(const char *text)
{
    if (strstr(run.text, text) != NULL)
        fail_msg("\"%s\" in:\n%s", text, run.text);
}

static void
done(void)
{
    app_run_end(&run);
    app_run_free(&run);
}

/* A response with chunks, the body by gzip; returns its length. */
static size_t
chunked(uint8_t *to)
{
    const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                        "Transfer-Encoding: chunked\r\nSet-Cookie: s=2\r\n\r\n";
    size_t n = strlen(head);

    memcpy(to, head, n);
    n += (size_t)sprintf((char *)to + n, "10\r\n");
    memcpy(to + n, zipped, 16);
    n += 16;
    n += (size_t)sprintf((char *)to + n, "\r\n14\r\n");
    memcpy(to + n, zipped + 16, 20);
    n += 20;
    return n + (size_t)sprintf((char *)to + n, "\r\n0\r\n\r\n");
}

static void
converse(size_t piece)
{
    static const char last[] =
        "HTTP/1.1 404 Not Found\r\nServer: s/2\r\nContent-Length: 2\r\n\r\nno";
    uint8_t first[500];
    const size_t n = chunked(first);

    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOSERVER, request, strlen(request), piece);
    app_run_send(&run, WEIR_TOSERVER, second, strlen(second), piece);
    app_run_send(&run, WEIR_TOCLIENT, first, n, piece);
    app_run_send(&run, WEIR_TOCLIENT, last, strlen(last), piece);
    app_run_end(&run);
}

static void
all_is_the_same_however_it_is_cut(void **state)
{
    char *whole;

    (void)state;
    converse(1000);
    whole = strdup(run.text);
    assert_non_null(whole);
    has("http/0 > end hello\n");
    has("http/0 < end hello, world: hello\n");
    has("http/1 < end no\n");
    app_run_free(&run);
    for (size_t piece = 1; piece < 250; piece++) {
        converse(piece);
        assert_string_equal(run.text, whole);
        app_run_free(&run);
    }
    free(whole);
}

static void
a_request_shows_its_buffers(void **state)
{
    (void)state;
    converse(1000);
    has("http/0 >\n  http.uri=/a/BA?q=A#f\n  http.uri.raw=/a/./B%41?q=%41#f\n  http.method=POST\n"
        "  http.header=Host: Example.ORG:8080\\r\\nContent-Length: 5\\r\\n\n"
        "  http.header.raw=Host: Example.ORG:8080\\r\\nCookie: c=1\\r\\nContent-Length: "
        "5\\r\\n\\r\\n\n"
        "  http.cookie=c=1\n"
        "  http.host=example.org\n  http.host.raw=Example.ORG:8080\n  http.content_len=5\n"
        "  http.start=POST /a/./B%41?q=%41#f HTTP/1.1\\r\\nHost: Example.ORG:8080\\r\\n"
        "Cookie: c=1\\r\\nContent-Length: 5\\r\\n\\r\\n\n"
        "  http.request_line=POST /a/./B%41?q=%41#f HTTP/1.1\n  http.protocol=HTTP/1.1\n"
        "  http.header_names=\\r\\nHost\\r\\nCookie\\r\\nContent-Length\\r\\n\\r\\n\n"
        "  http.request_header=Host: Example.ORG:8080\n  http.request_header=Cookie: c=1\n"
        "  http.request_header=Content-Length: 5\n");
    app_run_free(&run);
}

static void
a_response_shows_its_buffers(void **state)
{
    (void)state;
    converse(1000);
    has("http/1 <\n  http.header=Server: s/2\\r\\nContent-Length: 2\\r\\n\n"
        "  http.header.raw=Server: s/2\\r\\nContent-Length: 2\\r\\n\\r\\n\n"
        "  http.content_len=2\n  http.server=s/2\n"
        "  http.start=HTTP/1.1 404 Not Found\\r\\nServer: s/2\\r\\nContent-Length: 2\\r\\n\\r\\n\n"
        "  http.response_line=HTTP/1.1 404 Not Found\n  http.protocol=HTTP/1.1\n"
        "  http.header_names=\\r\\nServer\\r\\nContent-Length\\r\\n\\r\\n\n"
        "  http.stat_code=404\n  http.stat_msg=Not Found\n"
        "  http.response_header=Server: s/2\n  http.response_header=Content-Length: 2\n");
    has("  http.cookie=s=2\n");
    app_run_free(&run);
}

static void
a_hole_in_a_body_is_not_joined_over(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234");
    app_run_lose(&run, WEIR_TOCLIENT, 10);
    send_text(WEIR_TOCLIENT, "56789");
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 204 No\r\n\r\n");
    app_run_end(&run);
    has("http/0 < end 01234[hole]56789\n");
    has("http.stat_code=204\n");
    app_run_free(&run);
}

/* The rest of a compressed body says nothing. */
static void
a_hole_ends_what_is_compressed(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT,
              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 36\r\n\r\n");
    app_run_send(&run, WEIR_TOCLIENT, zipped, 20, 20);
    app_run_lose(&run, WEIR_TOCLIENT, 4);
    app_run_send(&run, WEIR_TOCLIENT, zipped + 24, 12, 12);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 204 No\r\n\r\n");
    app_run_end(&run);
    has("http.stat_code=204\n");
    has_not("\\xc8");
    app_run_free(&run);
}

/* Requests that nobody answers any more are told of to the end, and do not pile up. */
static void
a_lost_direction_leaves_the_other(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nContent-Le");
    app_run_lose(&run, WEIR_TOCLIENT, 10);
    send_text(WEIR_TOCLIENT, "56789");
    for (int i = 0; i < 500; i++) {
        send_text(WEIR_TOSERVER, second);
        assert_true(run.alive <= 100); /* the engine waits a while for the hole */
    }
    assert_true(run.alive <= 1);
    app_run_end(&run);
    has("http/500 >\n  http.uri=/2\n");
    assert_int_equal(app_http_stats(run.app)->lost, 1);
    app_run_free(&run);
}

static void
send_body(size_t n, char c)
{
    char *bytes = malloc(n), head[100];

    assert_non_null(bytes);
    memset(bytes, c, n);
    sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n + 4);
    send_text(WEIR_TOCLIENT, head);
    app_run_send(&run, WEIR_TOCLIENT, bytes, n, 1900);
    send_text(WEIR_TOCLIENT, "last");
    free(bytes);
}

static void
a_long_body_slides(void **state)
{
    struct app_opts opts = app_defaults();

    (void)state;
    opts.response_body = 0;
    app_run_begin(&run, &opts);
    send_text(WEIR_TOSERVER, second);
    send_body(300000, 'x');
    app_run_end(&run);
    has("xlast\n");
    assert_int_equal(run.bodies, 2);
    assert_int_equal(app_get_stats(run.app)->bodies_cut, 0);
    app_run_free(&run);
}

static void
a_body_is_looked_at_up_to_its_limit(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_body(150000, 'x');
    app_run_end(&run);
    has_not("xlast");
    has("xxx\n");
    assert_int_equal(run.bodies, 1);
    assert_int_equal(app_get_stats(run.app)->bodies_cut, 1);
    app_run_free(&run);
}

static void
send_bomb(const struct app_opts *opts, size_t piece)
{
    app_run_begin(&run, opts);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT,
              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 73\r\n\r\n");
    app_run_send(&run, WEIR_TOCLIENT, bomb, sizeof(bomb), piece);
    app_run_end(&run);
}

static void
a_bomb_does_not_go_off(void **state)
{
    struct app_opts opts = app_defaults();

    (void)state;
    opts.response_body = 0;
    send_bomb(&opts, sizeof(bomb));
    has("! http.compression_bomb <\n");
    assert_true(app_http_stats(run.app)->bombs > 0);
    app_run_free(&run);

    send_bomb(NULL, sizeof(bomb)); /* the limit of a body comes first */
    has("\\x00\\x00\n");
    assert_int_equal(app_get_stats(run.app)->bodies_cut, 1);
    app_run_free(&run);
}

/* Four blocks of deflate that are stored as they are, and one of a kind that does not exist. */
static void
nothing_is_decompressed_behind_the_limit(void **state)
{
    static const uint8_t head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3 };
    static uint8_t block[5 + 50000] = { 0, 0x50, 0xc3, 0xaf, 0x3c };

    (void)state;
    memset(block + 5, 'x', 50000);
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT,
              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 200034\r\n\r\n");
    app_run_send(&run, WEIR_TOCLIENT, head, sizeof(head), 10);
    for (int i = 0; i < 4; i++)
        app_run_send(&run, WEIR_TOCLIENT, block, sizeof(block), 1900);
    app_run_send(&run, WEIR_TOCLIENT, "\7\7\7\7", 4, 4);
    app_run_end(&run);
    assert_int_equal(run.bodies, 1);
    assert_int_equal(run.events, 0);
    app_run_free(&run);
}

static void
oddities_are_events(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "GET / HTTP/1.1\r\nAuthorization: Weird x\r\nnocolon\r\n\r\n");
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    app_run_end(&run);
    has("! http.missing_host_header >\n");
    has("! http.request_field_missing_colon >\n");
    has("! http.request_auth_unrecognized >\n");
    app_run_free(&run);
}

static void
a_credential_by_bearer_is_not_odd(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n");
    app_run_end(&run);
    assert_int_equal(run.events, 0);
    app_run_free(&run);
}

/* What is inside a tunnel is found anew: here the bytes of SSH. */
static void
a_tunnel_carries_another_protocol(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "CONNECT e:22 HTTP/1.1\r\nHost: e:22\r\n\r\n");
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\n\r\n");
    send_text(WEIR_TOCLIENT, "SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
    send_text(WEIR_TOSERVER, "SSH-2.0-PuTTY\r\n");
    app_run_end(&run);
    has("http/0 gone\nssh/1 <\n  ssh.proto=2.0\n  ssh.software=OpenSSH_9.2p1\n");
    has("ssh/1 >\n  ssh.proto=2.0\n  ssh.software=PuTTY\n");
    assert_int_equal(app_flow_proto(&run.flow), APP_SSH);
    app_run_free(&run);
}

/* Nothing of it is lost where it comes with the heads in one segment. */
static void
a_tunnel_begins_right_behind_the_heads(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "CONNECT e:22 HTTP/1.1\r\nHost: e:22\r\n\r\nSSH-2.0-PuTTY\r\n");
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-OpenSSH_9.2p1 Debian\r\n");
    app_run_end(&run);
    has("ssh/1 >\n  ssh.proto=2.0\n  ssh.software=PuTTY\n");
    has("ssh/1 <\n  ssh.proto=2.0\n  ssh.software=OpenSSH_9.2p1\n");
    app_run_free(&run);
}

static void
a_connect_that_is_refused_is_no_tunnel(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "CONNECT e:22 HTTP/1.1\r\nHost: e:22\r\n\r\n");
    send_text(WEIR_TOCLIENT, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno");
    send_text(WEIR_TOSERVER, second);
    app_run_end(&run);
    has("http/0 < end no\n");
    has("http/1 >\n  http.uri=/2\n");
    app_run_free(&run);
}

static void
the_files_of_a_form_are_file_data(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER,
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 92\r\n"
              "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
              "--x\r\nA: name=a\r\n\r\nvalue\r\n"
              "--x\r\nContent-Disposition: a; filename=n\r\n\r\nthe file\r\n--x--\r\n");
    app_run_end(&run);
    has("  file=the file\nhttp/0 > end --x\\r\\n");
    app_run_free(&run);
}

static void
of_many_files_the_last_are_one(void **state)
{
    static const char part[] = "--x\r\nContent-Disposition: a; filename=n\r\n\r\nf\r\n";
    char form[2000] = "";

    (void)state;
    for (int i = 0; i < 20; i++)
        strcat(form, part);
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 960\r\n"
                             "Content-Type: multipart/form-data; boundary=x\r\n\r\n");
    send_text(WEIR_TOSERVER, form);
    app_run_end(&run);
    has("  file=f\n  file=f\\r\\n--x\\r\\nContent-Disposition: a; "
        "filename=n\\r\\n\\r\\nf\\r\\n--x");
    app_run_free(&run);
}

static void
a_response_without_length_ends_with_its_side(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
    has_not("< end");
    app_run_fin(&run, WEIR_TOCLIENT);
    has("http/0 < end until the end\n");
    done();
}

/* An injected RST does not blind: the flow goes on, and its body is whole. */
static void
a_body_goes_on_after_a_rst(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    app_run_rst(&run, WEIR_TOSERVER);
    assert_int_equal(run.bodies, 1);
    send_text(WEIR_TOCLIENT, "56789");
    app_run_end(&run);
    has("http/0 < end 0123456789\n");
    app_run_free(&run);
}

/* Where nothing was open the parser holds nothing, and is there again when it is needed. */
static void
requests_go_on_after_a_rst(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    app_run_rst(&run, WEIR_TOCLIENT);
    has("http/0 gone\n");
    send_text(WEIR_TOSERVER, second);
    send_text(WEIR_TOCLIENT, "HTTP/1.1 204 No\r\n\r\n");
    app_run_end(&run);
    has("http/1 >\n  http.uri=/2\n");
    has("http.stat_code=204\n");
    app_run_free(&run);
}

/* Between transactions nothing is held, whoever read them; nor are bodies that nobody looks at. */
static void
an_idle_connection_takes_no_memory(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n",
    };
    char body[401];

    (void)state;
    memset(body, 'b', 400);
    body[400] = '\0';
    for (unsigned i = 0; i < 2; i++) {
        size_t held;

        app_run_begin(&run, NULL);
        app_show_bodies(run.app, false);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(run.app->mem->used, 0);
            send_text(WEIR_TOSERVER, second);
            send_text(WEIR_TOCLIENT, answers[i]);
            held = run.app->mem->used;
            assert_in_range(held, 1, 2048);
            app_run_send(&run, WEIR_TOCLIENT, body, 400, 10);
            if (i == 1) {
                assert_int_equal(run.app->mem->used, held);
                send_text(WEIR_TOCLIENT, "\r\n0\r\n\r\n");
            }
            assert_int_equal(run.alive, 0);
        }
        has("http/2 < end");
        done();
    }
}

static void
an_interim_response_leaves_nothing(void **state)
{
    static const char both[] = "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    (void)state;
    for (size_t piece = 1; piece <= strlen(both); piece++) {
        app_run_begin(&run, NULL);
        send_text(WEIR_TOSERVER, second);
        app_run_send(&run, WEIR_TOCLIENT, both, strlen(both), piece);
        app_run_end(&run);
        has("  http.header.raw=Content-Length: 0\\r\\n\\r\\n\n");
        has_not("http.stat_code=100");
        app_run_free(&run);
    }
}

/* Servers answer so to requests of HTTP/0.9, and to what is none. */
static void
a_status_line_is_one_whatever_the_request_was(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "GET /\r\n");
    send_text(WEIR_TOCLIENT, "HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno");
    app_run_end(&run);
    has("http.stat_code=400\n");
    has("http/0 < end no\n");
    app_run_free(&run);
}

static void
what_is_incomplete_ends_with_the_flow(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    send_text(WEIR_TOSERVER, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart");
    app_run_end(&run);
    has("http/0 > end part\nhttp/0 gone\n");
    app_run_free(&run);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_request_shows_its_buffers),
        cmocka_unit_test(a_response_shows_its_buffers),
        cmocka_unit_test(a_hole_in_a_body_is_not_joined_over),
        cmocka_unit_test(a_hole_ends_what_is_compressed),
        cmocka_unit_test(a_lost_direction_leaves_the_other),
        cmocka_unit_test(a_long_body_slides),
        cmocka_unit_test(a_body_is_looked_at_up_to_its_limit),
        cmocka_unit_test(a_bomb_does_not_go_off),
        cmocka_unit_test(nothing_is_decompressed_behind_the_limit),
        cmocka_unit_test(oddities_are_events),
        cmocka_unit_test(a_credential_by_bearer_is_not_odd),
        cmocka_unit_test(a_tunnel_carries_another_protocol),
        cmocka_unit_test(a_tunnel_begins_right_behind_the_heads),
        cmocka_unit_test(a_connect_that_is_refused_is_no_tunnel),
        cmocka_unit_test(the_files_of_a_form_are_file_data),
        cmocka_unit_test(of_many_files_the_last_are_one),
        cmocka_unit_test(a_response_without_length_ends_with_its_side),
        cmocka_unit_test(a_body_goes_on_after_a_rst),
        cmocka_unit_test(requests_go_on_after_a_rst),
        cmocka_unit_test(an_idle_connection_takes_no_memory),
        cmocka_unit_test(an_interim_response_leaves_nothing),
        cmocka_unit_test(a_status_line_is_one_whatever_the_request_was),
        cmocka_unit_test(what_is_incomplete_ends_with_the_flow),
    };
    struct http *http;

    if (http_new(NULL, NULL, &http) == WEIR_E_UNSUPPORTED)
        return 77;
    http_free(http);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
