/* Heads of HTTP that leave nothing to interpret, and what does not. */
#include "http_form.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct http_form form;

typedef bool form_fn(struct weir_bytes bytes, struct http_form *form);

/* Of bytes that end where they say. */
static bool
has_form(form_fn *fn, const char *text, size_t n)
{
    uint8_t *copy = exact_copy(text, n);
    const bool has = fn((struct weir_bytes){ copy, (uint32_t)n }, &form);

    free(copy);
    return has;
}

static void
assert_place(const char *text, struct http_place place, const char *expected)
{
    assert_int_equal(place.n, strlen(expected));
    assert_memory_equal(text + place.at, expected, place.n);
}

static const char request[] =
    "GET /a/b.c?d=%41 HTTP/1.1\r\nHost: www.e-x.org:8080\r\nA:b, c\r\n\r\n";
static const char response[] = "HTTP/1.0 404 Not Found\r\nContent-Length: 12\r\nServer: s\r\n\r\n";

static void
a_request_has_its_parts(void **state)
{
    const struct http_field *field;

    (void)state;
    assert_true(has_form(http_form_request, request, strlen(request)));
    assert_int_equal(form.n, strlen(request));
    assert_int_equal(form.length, -1);
    assert_place(request, form.line, "GET /a/b.c?d=%41 HTTP/1.1");
    assert_place(request, form.method, "GET");
    assert_place(request, form.uri, "/a/b.c?d=%41");
    assert_place(request, form.path, "/a/b.c");
    assert_true(form.has_query);
    assert_place(request, form.query, "d=%41");
    assert_place(request, form.protocol, "HTTP/1.1");
    assert_place(request, form.host, "www.e-x.org");
    assert_place(request, form.raw, "Host: www.e-x.org:8080\r\nA:b, c\r\n\r\n");
    assert_int_equal(form.n_field, 2);
    field = http_form_find(&form, (const uint8_t *)request, "a");
    assert_non_null(field);
    assert_place(request, field->name, "A");
    assert_place(request, field->value, "b, c");
    assert_null(http_form_find(&form, (const uint8_t *)request, "b"));
}

static void
a_response_has_its_parts(void **state)
{
    (void)state;
    assert_true(has_form(http_form_response, response, strlen(response)));
    assert_int_equal(form.n, strlen(response));
    assert_int_equal(form.length, 12);
    assert_int_equal(form.status, 404);
    assert_place(response, form.line, "HTTP/1.0 404 Not Found");
    assert_place(response, form.protocol, "HTTP/1.0");
    assert_place(response, form.status_text, "404");
    assert_place(response, form.message, "Not Found");
    assert_place(response, form.raw, "Content-Length: 12\r\nServer: s\r\n\r\n");
}

/* Nor is anything read behind it. */
static void
a_part_of_a_head_has_none(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(request); n++)
        assert_false(has_form(http_form_request, request, n));
    for (size_t n = 0; n < strlen(response); n++)
        assert_false(has_form(http_form_response, response, n));
}

static void
what_follows_the_head_is_not_looked_at(void **state)
{
    static const char more[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\0\n:";

    (void)state;
    assert_true(has_form(http_form_request, more, sizeof(more) - 1));
    assert_int_equal(form.n, sizeof(more) - 1 - 3);
    assert_int_equal(form.length, 3);
}

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

static void
odd_requests_have_none(void **state)
{
    static const char *const odd[] = {
        "PUT / HTTP/1.1\r\n" HOST "\r\n",
        "get / HTTP/1.1\r\n" HOST "\r\n",
        " GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET  / HTTP/1.1\r\n" HOST "\r\n",
        "GET\t/ HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1 \r\n" HOST "\r\n",
        "GET / HTTP/1.2\r\n" HOST "\r\n",
        "GET /\r\n" HOST "\r\n",
        "GET / HTTP/1.1\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET a HTTP/1.1\r\n" HOST "\r\n",
        "GET http://a/ HTTP/1.1\r\n" HOST "\r\n",
        "GET /a%41 HTTP/1.1\r\n" HOST "\r\n",
        "GET /a//b HTTP/1.1\r\n" HOST "\r\n",
        "GET /a/../b HTTP/1.1\r\n" HOST "\r\n",
        "GET /a\\b HTTP/1.1\r\n" HOST "\r\n",
        "GET /a;b HTTP/1.1\r\n" HOST "\r\n",
        "GET /a#b HTTP/1.1\r\n" HOST "\r\n",
        "GET /a?b#c HTTP/1.1\r\n" HOST "\r\n",
        "GET /a? HTTP/1.1\r\n" HOST "\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n",
        LINE "Host: a\n\r\n",
        LINE "Host: a\r\n\n",
        LINE "Host: A\r\n\r\n",
        LINE "Host: a.\r\n\r\n",
        LINE "Host: .a\r\n\r\n",
        LINE "Host: a..b\r\n\r\n",
        LINE "Host: -a\r\n\r\n",
        LINE "Host: a_b\r\n\r\n",
        LINE "Host: [::1]\r\n\r\n",
        LINE "Host: a:\r\n\r\n",
        LINE "Host: a:0\r\n\r\n",
        LINE "Host: a:080\r\n\r\n",
        LINE "Host: a:65536\r\n\r\n",
        LINE "Host: a:8o\r\n\r\n",
        LINE "Host: a:8:8\r\n\r\n",
        LINE "Host:\r\n\r\n",
        LINE "Host:  a\r\n\r\n",
        LINE "Host: a \r\n\r\n",
        LINE "Host:\ta\r\n\r\n",
        LINE HOST "hOst: a\r\n\r\n",
        LINE HOST "A: b\r\n c\r\n\r\n",
        LINE HOST "A : b\r\n\r\n",
        LINE HOST "A\r\n\r\n",
        LINE HOST ": b\r\n\r\n",
        LINE HOST "A_: b\r\n\r\n",
        LINE HOST "A: \r\n\r\n",
        LINE HOST "A: b\rc\r\n\r\n",
        LINE HOST "A: b\x7f\r\n\r\n",
        LINE HOST "A: \x80\r\n\r\n",
        LINE HOST "Content-Length: 1\r\n\r\n",
        LINE HOST "Content-Length: -1\r\n\r\n",
        LINE HOST "Content-Length: +0\r\n\r\n",
        LINE HOST "Content-Length: 00\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 01\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000000000000\r\n\r\n",
        LINE HOST "Transfer-Encoding: chunked\r\n\r\n",
        LINE HOST "Content-Encoding: gzip\r\n\r\n",
        LINE HOST "AUTHORIZATION: Basic a\r\n\r\n",
    };

    (void)state;
    assert_true(has_form(http_form_request, LINE HOST "\r\n", strlen(LINE HOST "\r\n")));
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        if (has_form(http_form_request, odd[i], strlen(odd[i])))
            fail_msg("%s", odd[i]);
}

static void
odd_responses_have_none(void **state)
{
    static const char *const odd[] = {
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 \r\n\r\n",
        "HTTP/1.1 200  OK\r\n\r\n",
        "HTTP/1.1 200 OK \r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        " HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 020 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 2o0 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 \xc3\xa4\r\n\r\n",
        "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Not\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/byteranges\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\na: c\r\n\r\n",
        "HTTP/1.1 200 OK\n\r\n",
    };

    (void)state;
    assert_true(has_form(http_form_response, "HTTP/1.1 204 No\r\n\r\n", 19));
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        if (has_form(http_form_response, odd[i], strlen(odd[i])))
            fail_msg("%s", odd[i]);
}

static void
heads_have_their_bounds(void **state)
{
    char text[FORM_HEAD + 100];
    size_t n;

    (void)state;
    for (unsigned fields = FORM_FIELDS - 2; fields <= FORM_FIELDS; fields++) {
        n = (size_t)sprintf(text, LINE HOST);
        for (unsigned i = 0; i < fields; i++)
            n += (size_t)sprintf(text + n, "A%u: b\r\n", i);
        n += (size_t)sprintf(text + n, "\r\n");
        assert_int_equal(has_form(http_form_request, text, n), fields < FORM_FIELDS);
    }
    for (unsigned whole = FORM_HEAD - 1; whole <= FORM_HEAD + 1; whole++) {
        n = (size_t)sprintf(text, LINE HOST "A: ");
        memset(text + n, 'b', whole - n - 4);
        memcpy(text + whole - 4, "\r\n\r\n", 4);
        assert_int_equal(has_form(http_form_request, text, whole), whole <= FORM_HEAD);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_parts),
        cmocka_unit_test(a_response_has_its_parts),
        cmocka_unit_test(a_part_of_a_head_has_none),
        cmocka_unit_test(what_follows_the_head_is_not_looked_at),
        cmocka_unit_test(odd_requests_have_none),
        cmocka_unit_test(odd_responses_have_none),
        cmocka_unit_test(heads_have_their_bounds),
    };

    return cmocka_run_group_tests_name("http_form", tests, NULL, NULL);
}
