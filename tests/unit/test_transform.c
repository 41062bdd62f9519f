/* Transforms of buffers: how options name them, and what becomes of exact bytes. */
#include "detect/transform.h"

#include "rule/buffer.h"
#include "rule/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct rules rules;
    struct vars *vars;
    struct transformer *transformer;
    struct regex_scratch *scratch;
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
    return f.vars != NULL && transformer_new(&f.transformer) == WEIR_E_OK &&
                   regex_scratch_new(&f.scratch) == WEIR_E_OK
               ? 0
               : -1;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    rules_free(&f->rules);
    vars_free(f->vars);
    transformer_free(f->transformer);
    regex_scratch_free(f->scratch);
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

static void
refused(struct fixture *f, const char *options, const char *why)
{
    assert_null(rule(f, options));
    if (strstr(f->said, why) == NULL)
        fail_msg("'%s' is said of '%s', not '%s'", f->said, options, why);
}

/* What the transforms, which stand behind a buffer's name, make of n bytes; in memory of just that
 * size, so that a byte too far is seen. */
static struct buffer
made(struct fixture *f, const char *transforms, const void *p, size_t n)
{
    char options[512];
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct buffer buffer = { copy, 0, (int64_t)n, true };
    const struct rule *r;

    snprintf(options, sizeof(options), "http.uri; %s content:\"x\";", transforms);
    r = rule(f, options);
    if (r == NULL)
        fail_msg("%s: %s", transforms, f->said);
    assert_int_equal(r->step[0].chain, 1);
    memcpy(copy, p, n);
    assert_int_equal(transform(f->transformer, r, 1, f->scratch, &buffer), TRANSFORM_DONE);
    free(copy);
    assert_int_equal(buffer.start, 0);
    return buffer;
}

static void
makes(struct fixture *f, const char *transforms, const char *from, const void *to, size_t n)
{
    struct buffer buffer = made(f, transforms, from, strlen(from));

    if ((size_t)buffer.end != n || memcmp(buffer.p, to, n) != 0)
        fail_msg("%s makes '%.*s' of '%s'", transforms, (int)buffer.end, buffer.p, from);
}

static void
text(struct fixture *f, const char *transforms, const char *from, const char *to)
{
    makes(f, transforms, from, to, strlen(to));
}

static void
case_changes(void **state)
{
    text(*state, "to_lowercase;", "GeT @[`{\xc4 /A", "get @[`{\xc4 /a");
    text(*state, "to_uppercase;", "GeT @[`{\xe4 /a", "GET @[`{\xe4 /A");
    text(*state, "to_lowercase;", "", "");
}

static void
spaces_go(void **state)
{
    text(*state, "strip_whitespace;", " a \t\r\n\v\fb c ", "abc");
    text(*state, "strip_whitespace;", " \n ", "");
    text(*state, "compress_whitespace;", "  a \t\nb\t c", " a b\tc");
    makes(*state, "compress_whitespace;", "\n ", "\n", 1);
}

static void
percent_signs_are_decoded(void **state)
{
    text(*state, "url_decode;", "a%20b+%2B%2f%C3", "a b +/\xc3");
    text(*state, "url_decode;", "%", "%");
    text(*state, "url_decode;", "%4", "%4");
    text(*state, "url_decode;", "%41%4g%zz%%41", "A%4g%zz%A");
    makes(*state, "url_decode;", "a%00b", "a\0b", 3);
}

static void
a_dot_comes_first(void **state)
{
    text(*state, "dotprefix;", "google.com", ".google.com");
    text(*state, "dotprefix;", "", ".");
    text(*state, "dotprefix; dotprefix; to_uppercase;", "a", "..A");
}

static void
bytes_are_xored(void **state)
{
    text(*state, "xor:\"0d0ac8ff\";", "\x7d\x6b\xbb\x8c\x7a", "passw");
    text(*state, "xor:20;", "aBc", "AbC");
    refused(*state, "http.uri; xor:\"0d0\"; content:\"a\";", "pairs of hexadecimal digits");
    refused(*state, "http.uri; xor:0g; content:\"a\";", "hexadecimal digits");
    refused(*state, "http.uri; xor; content:\"a\";", "pairs of hexadecimal digits");
}

static void
digests_are_raw_bytes(void **state)
{
    /* RFC 1321 A.5, RFC 3174 7.3 (FIPS 180's first example), FIPS 180-2 B.1 */
    static const uint8_t md5[] = { 0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                   0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72 };
    static const uint8_t sha1[] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                    0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d };
    static const uint8_t sha256[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                      0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                      0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                      0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
    struct fixture *f = *state;

    if (rule(f, "http.uri; to_md5; content:\"a\";") == NULL) {
        assert_non_null(strstr(f->said, "without libcrypto"));
        skip();
    }
    makes(f, "to_md5;", "abc", md5, sizeof(md5));
    makes(f, "to_sha1;", "abc", sha1, sizeof(sha1));
    makes(f, "to_sha256;", "abc", sha256, sizeof(sha256));
    makes(f, "strip_whitespace; to_md5;", " a b\tc", md5, sizeof(md5));
    refused(f, "http.uri; to_md5:1; content:\"a\";", "no value expected");
}

static void
a_digest_waits_for_the_end(void **state)
{
    struct fixture *f = *state;
    const struct rule *r = rule(f, "http.request_body; to_lowercase; content:\"a\"; "
                                   "http.request_body; to_md5; content:\"b\";");
    struct buffer buffer = { (const uint8_t *)"AB", 0, 2, false };

    if (r == NULL)
        skip();
    assert_int_equal(transform(f->transformer, r, 2, f->scratch, &buffer), TRANSFORM_WAIT);
    assert_int_equal(transform(f->transformer, r, 1, f->scratch, &buffer), TRANSFORM_DONE);
    assert_false(buffer.final);
    assert_memory_equal(buffer.p, "ab", 2);
}

static void
headers_change(void **state)
{
    text(*state, "header_lowercase;", "Host: A.b\r\nX-Own: C:D\r\nEnd",
         "host: A.b\r\nx-own: C:D\r\nend");
    text(*state, "strip_pseudo_headers;",
         ":method: GET\r\nHost: a:b\r\n:path: /\n:", "Host: a:b\r\n");
    text(*state, "strip_pseudo_headers;", "", "");
}

static void
base64_is_decoded(void **state)
{
    text(*state, "from_base64;", "SGVsbG8=", "Hello");
    text(*state, "from_base64;", "SGVsbG8", "Hello");
    text(*state, "from_base64:offset 3;", "a?bSGVsbG8", "Hello");
    text(*state, "from_base64: bytes 4, offset 1 ;", "=SGVsbG8", "Hel");
    text(*state, "from_base64:mode rfc4648;", "SGVs bG8", "Hel");
    text(*state, "from_base64:mode rfc2045;", "SG-Vs\r\n bG8=", "Hello");
    text(*state, "from_base64:mode strict;", "SGVsbG8=", "Hello");
}

static void
what_is_no_base64_stays(void **state)
{
    text(*state, "from_base64;", "-SGVs", "-SGVs");
    text(*state, "from_base64;", "S", "S");
    text(*state, "from_base64:offset 5;", "SGVs", "SGVs");
    text(*state, "from_base64:bytes 9;", "SGVsbG8", "SGVsbG8");
    text(*state, "from_base64:mode strict;", "SGVs bG8", "SGVs bG8");
    refused(*state, "http.uri; from_base64:mode x; content:\"a\";", "rfc2045");
    refused(*state, "http.uri; from_base64:bytes 0; content:\"a\";", "bytes N");
    refused(*state, "http.uri; from_base64:offset 65536; content:\"a\";", "up to 65535");
    refused(*state, "http.uri; from_base64:offset; content:\"a\";", "bytes N");
}

static void
a_group_is_taken(void **state)
{
    struct fixture *f = *state;

    if (rule(f, "http.uri; pcrexform:\"(a)\"; content:\"a\";") == NULL)
        skip();
    text(f, "pcrexform:\"[a-z]+\\s+(.*)\\s+HTTP\";", "get /x.jpg HTTP/1.0", "/x.jpg");
    text(f, "pcrexform:\"a(.*)c\"; to_uppercase;", "xabbc", "BB");
    text(f, "pcrexform:\"a(x*)c\";", "bac", "");
    text(f, "pcrexform:\"a(x)?c\";", "bac", "bac"); /* it took nothing: as it was */
    text(f, "pcrexform:\"a(.)c\";", "no", "no");
    refused(f, "http.uri; pcrexform:\"abc\"; content:\"a\";", "one group");
    refused(f, "http.uri; pcrexform:\"(a)(b)\"; content:\"a\";", "one group");
    refused(f, "http.uri; pcrexform:\"(a\"; content:\"a\";", "parenthesis");
    refused(f, "http.uri; pcrexform:abc; content:\"a\";", "quoted");
}

static void
what_is_too_long_is_cut_and_counted(void **state)
{
    struct fixture *f = *state;
    uint8_t *p = malloc(TRANSFORM_ROOM + 1);
    struct buffer buffer;

    memset(p, 'A', TRANSFORM_ROOM + 1);
    buffer = made(f, "to_lowercase;", p, TRANSFORM_ROOM);
    assert_int_equal(buffer.end, TRANSFORM_ROOM);
    assert_int_equal(transformer_lost(f->transformer), 0);
    buffer = made(f, "to_lowercase;", p, TRANSFORM_ROOM + 1);
    assert_int_equal(buffer.end, TRANSFORM_ROOM);
    assert_int_equal(transformer_lost(f->transformer), 1);
    assert_int_equal(transformer_lost(f->transformer), 0);
    buffer = made(f, "dotprefix;", p, TRANSFORM_ROOM);
    assert_int_equal(buffer.end, TRANSFORM_ROOM);
    assert_int_equal(transformer_lost(f->transformer), 1);
    free(p);
}

static void
chains_end_with_the_buffer_and_begin_behind_contents(void **state)
{
    struct fixture *f = *state;
    const struct rule *r = rule(f, "http.uri; content:\"1\"; to_lowercase; url_decode; "
                                   "content:\"2\"; content:\"3\"; xor:20; content:\"4\"; "
                                   "http.uri; to_lowercase; url_decode; content:\"5\"; "
                                   "http.host; content:\"6\";");

    assert_non_null(r);
    assert_int_equal(r->n_sections, 4);
    assert_int_equal(r->section[0].chain, 0);
    assert_int_equal(r->section[0].behind - r->section[0].first, 1);
    assert_int_equal(r->section[1].chain, 1);
    assert_int_equal(r->section[1].behind - r->section[1].first, 3); /* 2, 3 and 5 */
    assert_int_equal(r->section[2].chain, 2);
    assert_int_equal(r->chains[1].behind - r->chains[1].first, 1);
    assert_int_equal(r->section[3].buffer, BUFFER_HTTP_HOST);
    assert_int_equal(r->section[3].chain, 0);
}

static void
the_payload_stays_as_it_is(void **state)
{
    refused(*state, "to_lowercase; content:\"a\";", "a buffer expected before it");
    refused(*state, "http.uri; content:\"a\"; pkt_data; url_decode; content:\"a\";",
            "a buffer expected before it");
    assert_non_null(rule(*state, "ipv4.hdr; xor:20; content:\"a\";"));
}

static void
compressed_bytes_are_read(void **state)
{
    /* "Hello" in RFC 1952's form, made by gzip -n, and in RFC 1950's, by zlib's compress() */
    static const uint8_t gz[] = { 0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                  3,    0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x82,
                                  0x89, 0xd1, 0xf7, 5,    0,    0,    0 };
    static const uint8_t z[] = { 0x78, 0x9c, 0xf3, 0x48, 0xcd, 0xc9, 0xc9,
                                 0x07, 0x00, 0x05, 0x8c, 0x01, 0xf5 };
    struct fixture *f = *state;
    struct buffer buffer;

    if (rule(f, "http.uri; gunzip; content:\"a\";") == NULL) {
        assert_non_null(strstr(f->said, "without zlib"));
        skip();
    }
    buffer = made(f, "gunzip;", gz, sizeof(gz));
    assert_int_equal(buffer.end, 5);
    assert_memory_equal(buffer.p, "Hello", 5);
    buffer = made(f, "zlib_deflate: max-size 4; to_uppercase;", z, sizeof(z));
    assert_int_equal(buffer.end, 4);
    assert_memory_equal(buffer.p, "HELL", 4);
    for (size_t n = 0; n < sizeof(z); n++)
        assert_true(made(f, "zlib_deflate;", z, n).end <= 5);
    for (size_t n = 0; n < sizeof(gz); n++)
        assert_true(made(f, "gunzip;", gz, n).end <= 5);
    assert_int_equal(made(f, "gunzip;", z, sizeof(z)).end, 0);
    refused(f, "http.uri; gunzip:max-size 0; content:\"a\";", "max-size N");
    refused(f, "http.uri; gunzip:max-size 65537; content:\"a\";", "max-size N");
    refused(f, "http.uri; zlib_deflate:8; content:\"a\";", "max-size N");
}

static void
a_field_is_the_value_of_its_line(void **state)
{
    struct fixture *f = *state;
    const struct rule *r = rule(f, "flow:to_client; http_header:field X-Own; content:\"a\";");
    struct buffer buffer = { (const uint8_t *)"x-oWn: \t Value", 0, 14, true };

    assert_non_null(r);
    assert_int_equal(r->section[0].buffer, BUFFER_HTTP_RESPONSE_HEADER);
    assert_int_equal(transform(f->transformer, r, 1, f->scratch, &buffer), TRANSFORM_DONE);
    assert_int_equal(buffer.end, 5);
    assert_memory_equal(buffer.p, "Value", 5);
    buffer = (struct buffer){ (const uint8_t *)"x-owner: a", 0, 10, true };
    assert_int_equal(transform(f->transformer, r, 1, f->scratch, &buffer), TRANSFORM_NONE);
    buffer = (struct buffer){ (const uint8_t *)"x-own", 0, 5, true };
    assert_int_equal(transform(f->transformer, r, 1, f->scratch, &buffer), TRANSFORM_NONE);
    buffer = (struct buffer){ (const uint8_t *)"x-own:", 0, 6, true };
    assert_int_equal(transform(f->transformer, r, 1, f->scratch, &buffer), TRANSFORM_DONE);
    assert_int_equal(buffer.end, 0);
}

static void
slices_are_counted_from_either_end(void **state)
{
    static const struct {
        const char *option, *made;
    } as[] = {
        { "subslice:1;", "bcdefgh" },
        { "subslice: 0 , 3 ;", "abc" },
        { "subslice:1,-2;", "bcdef" },
        { "subslice:-3;", "fgh" },
        { "subslice:-3,2;", "fg" },
        { "subslice:7,-6;", "cdefg" },
        { "subslice:8;", "" },
        { "subslice:-8,8;", "abcdefgh" },
        { "subslice:9;", "" },
        { "subslice:-9;", "" },
        { "subslice:2,7;", "" },
        { "subslice:2,-9;", "" },
        { "subslice:9,truncate;", "" },
        { "subslice:-9,truncate;", "abcdefgh" },
        { "subslice:2,7,TRUNCATE;", "cdefgh" },
        { "subslice:2,-9, truncate;", "ab" },
        { "subslice:1; subslice:1,2;", "cd" },
    };
    static const char *const bad[] = {
        "", "x", "1,0", "1,x", "1,2,3", "1,truncate,2", "1,2,truncate,3", "[1,2]"
    };

    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++)
        text(*state, as[i].option, "abcdefgh", as[i].made);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char options[80];

        snprintf(options, sizeof(options), "http.uri; subslice:%s; content:\"x\";", bad[i]);
        refused(*state, options, "subslice: OFFSET");
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(case_changes),
        TEST(spaces_go),
        TEST(percent_signs_are_decoded),
        TEST(a_dot_comes_first),
        TEST(bytes_are_xored),
        TEST(digests_are_raw_bytes),
        TEST(a_digest_waits_for_the_end),
        TEST(headers_change),
        TEST(base64_is_decoded),
        TEST(what_is_no_base64_stays),
        TEST(a_group_is_taken),
        TEST(what_is_too_long_is_cut_and_counted),
        TEST(chains_end_with_the_buffer_and_begin_behind_contents),
        TEST(the_payload_stays_as_it_is),
        TEST(compressed_bytes_are_read),
        TEST(slices_are_counted_from_either_end),
        TEST(a_field_is_the_value_of_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
