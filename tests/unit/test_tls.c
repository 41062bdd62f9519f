/* TLS: hellos and certificates in place, connections however they are cut, holes, the end. */
#include "tls.h"

#include "support/exact.h"
#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OF(array)      ((struct weir_bytes){ array, sizeof(array) })
#define BYTES(literal) ((struct weir_bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static void
is_text(struct weir_bytes bytes, const char *text)
{
    assert_int_equal(bytes.n, strlen(text));
    assert_memory_equal(bytes.p, text, bytes.n);
}

static void
a_client_hello_is_read(void **state)
{
    struct tls_client_hello hello;
    struct weir_bytes name;

    (void)state;
    assert_int_equal(tls_client_hello_parse(OF(client_hello), &hello), WEIR_E_OK);
    assert_int_equal(hello.version, TLS_1_2);
    assert_false(hello.odd);
    is_text(hello.server_name, "www.example.org");
    assert_true(tls_next_name(&hello.alpn, &name));
    is_text(name, "h2");
    assert_true(tls_next_name(&hello.alpn, &name));
    is_text(name, "http/1.1");
    assert_false(tls_next_name(&hello.alpn, &name));
    assert_int_equal(hello.ciphers.n, 32);
    assert_int_equal(hello.groups.n, 8);
    assert_int_equal(hello.versions.n, 6);
    assert_int_equal(hello.point_formats.n, 1);
    assert_int_equal(hello.session_id.n, 4);
    assert_int_equal(hello.random.p[31], 31);
}

static void
server_hellos_say_the_version_that_was_chosen(void **state)
{
    struct tls_server_hello hello;

    (void)state;
    assert_int_equal(tls_server_hello_parse(OF(server_hello_12), &hello), WEIR_E_OK);
    assert_int_equal(hello.version, TLS_1_2);
    assert_int_equal(hello.cipher, 0xc02f);
    is_text(hello.alpn, "h2");
    assert_int_equal(tls_server_hello_parse(OF(server_hello_13), &hello), WEIR_E_OK);
    assert_int_equal(hello.version, TLS_1_3);
    assert_int_equal(hello.legacy_version, TLS_1_2);
    assert_false(hello.retry);
    assert_int_equal(tls_server_hello_parse(OF(server_hello_retry), &hello), WEIR_E_OK);
    assert_true(hello.retry);
    assert_string_equal(tls_version_name(TLS_1_3), "TLS 1.3");
    assert_null(tls_version_name(0x0305));
}

/* Its server hello has no session and no compression. */
static void
drafts_of_1_3_are_told_apart(void **state)
{
    uint8_t draft[36] = { 0x7f, 0x12, [34] = 0x13, [35] = 0x01 };
    struct tls_server_hello hello;

    (void)state;
    assert_int_equal(tls_server_hello_parse(OF(draft), &hello), WEIR_E_OK);
    assert_int_equal(hello.version, 0x7f12);
    assert_int_equal(hello.cipher, 0x1301);
    draft[1] = 22;
    assert_int_equal(tls_server_hello_parse(OF(draft), &hello), WEIR_E_TRUNC);
    assert_string_equal(tls_version_name(0x7f12), "TLS 1.3 draft-18");
    assert_string_equal(tls_version_name(0x7f1c), "TLS 1.3 draft-28");
    assert_null(tls_version_name(0x7f0f));
    assert_null(tls_version_name(0x7f1d));
}

/* One host name that is not empty, in one extension. */
static void
what_is_wrong_with_a_server_name_is_said(void **state)
{
    static const struct {
        uint8_t bytes[24], n, fault;
    } as[] = {
        { { 0, 0, 0, 6, 0, 4, 0, 0, 1, 'a' }, 10, TLS_NAME_RIGHT },
        { { 0, 0, 0, 6, 0, 4, 0, 0, 1, 'a', 0, 0, 0, 6, 0, 4, 0, 0, 1, 'b' }, 20, TLS_NAME_TWICE },
        { { 0, 0, 0, 6, 0, 4, 1, 0, 1, 'a' }, 10, TLS_NAME_TYPE },
        { { 0, 0, 0, 5, 0, 3, 0, 0, 0 }, 9, TLS_NAME_LENGTH },
        { { 0, 0, 0, 6, 0, 4, 0, 1, 0, 'a' }, 10, TLS_NAME_LENGTH },
        { { 0, 23, 0, 0 }, 4, TLS_NAME_RIGHT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
        uint8_t body[80] = { 3, 3, [34] = 0, [35] = 0, [36] = 2, [37] = 0, [38] = 5, [39] = 1 };
        struct tls_client_hello hello;

        body[42] = as[i].n;
        memcpy(body + 43, as[i].bytes, as[i].n);
        assert_int_equal(tls_client_hello_parse((struct weir_bytes){ body, 43U + as[i].n }, &hello),
                         WEIR_E_OK);
        assert_int_equal(hello.name_fault, as[i].fault);
        if (as[i].fault == TLS_NAME_TWICE)
            is_text(hello.server_name, "a");
    }
}

/* But where the extensions could begin: a hello without any is one of old. */
static void
every_prefix_is_truncated_and_safe(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < sizeof(client_hello); n++) {
        uint8_t *copy = exact_copy(client_hello, n);
        struct tls_client_hello hello;

        assert_int_equal(tls_client_hello_parse((struct weir_bytes){ copy, n }, &hello),
                         n == 75 ? WEIR_E_OK : WEIR_E_TRUNC);
        free(copy);
    }
    for (uint32_t n = 0; n < sizeof(server_hello_12); n++) {
        uint8_t *copy = exact_copy(server_hello_12, n);
        struct tls_server_hello hello;

        assert_int_equal(tls_server_hello_parse((struct weir_bytes){ copy, n }, &hello),
                         n == 38 ? WEIR_E_OK : WEIR_E_TRUNC);
        free(copy);
    }
}

static void
what_an_odd_extension_says_is_left_out(void **state)
{
    uint8_t bytes[sizeof(client_hello)];
    struct tls_client_hello hello;

    (void)state;
    memcpy(bytes, client_hello, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes) - 15; i++)
        if (memcmp(bytes + i, "www.example.org", 15) == 0)
            bytes[i - 1]++; /* the name is longer than its list */
    assert_int_equal(tls_client_hello_parse(OF(bytes), &hello), WEIR_E_OK);
    assert_true(hello.odd);
    assert_true(hello.has_server_name);
    assert_int_equal(hello.server_name.n, 0);
    assert_int_equal(hello.groups.n, 8);
}

static void
a_hello_of_ssl_2_has_ciphers_of_three_bytes(void **state)
{
    struct tls_client_hello hello;

    (void)state;
    assert_int_equal(tls_v2_hello_parse(BYTES("\1\3\1\0\6\0\0\0\4\0\0\5\1\0\200"
                                              "abcd"),
                                        &hello),
                     WEIR_E_OK);
    assert_true(hello.sslv2);
    assert_int_equal(hello.version, TLS_1_0);
    assert_int_equal(hello.ciphers.n, 6);
    is_text(hello.random, "abcd");
    assert_int_equal(tls_v2_hello_parse(BYTES("\1\3\1\0\5\0\0\0\4\0\0\5\1\0abcd"), &hello),
                     WEIR_E_MALFORMED);
    assert_int_equal(tls_v2_hello_parse(BYTES("\1\3\1\0\6\0\0\0\4\0\0\5\1\0\200"
                                              "abc"),
                                        &hello),
                     WEIR_E_TRUNC);
}

static void
certificates_are_walked(void **state)
{
    struct weir_bytes list, der;

    (void)state;
    assert_int_equal(tls_certificates(BYTES("\0\0\011\0\0\2ab\0\0\1c"), &list), WEIR_E_OK);
    assert_true(tls_next_certificate(&list, &der));
    is_text(der, "ab");
    assert_true(tls_next_certificate(&list, &der));
    is_text(der, "c");
    assert_false(tls_next_certificate(&list, &der));
    assert_int_equal(tls_certificates(BYTES("\0\0\012\0\0\2ab\0\0\1c"), &list), WEIR_E_TRUNC);
}

static void
values_of_rfc_8701_are_known(void **state)
{
    (void)state;
    assert_true(tls_is_grease(0x0a0a));
    assert_true(tls_is_grease(0xfafa));
    assert_false(tls_is_grease(0x0a1a));
    assert_false(tls_is_grease(0x0a0b));
}

/* ---- connections */

struct bench {
    struct pool *pool;
    struct tls tls;
    char seen[200]; /* direction, type, length; of each message */
};

static int
set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){ .pool = NULL };
    *state = &bench;
    return pool_new(POOL_MIN_BYTES, &bench.pool);
}

static int
tear_down(void **state)
{
    struct bench *b = *state;

    tls_end(&b->tls, b->pool);
    pool_free(b->pool);
    return 0;
}

static void
on_message(void *ctx, const struct tls_message *m)
{
    struct bench *b = ctx;
    size_t n = strlen(b->seen);

    snprintf(b->seen + n, sizeof(b->seen) - n, "%c%s%u:%u ",
             m->direction == WEIR_TOSERVER ? '>' : '<', m->sslv2 ? "v2-" : "", m->type, m->body.n);
}

struct stream {
    uint8_t at[2048];
    uint32_t n;
};

static void
add(struct stream *s, const void *p, size_t n)
{
    memcpy(s->at + s->n, p, n);
    s->n += (uint32_t)n;
}

static void
add_record(struct stream *s, uint8_t type, const void *p, size_t n)
{
    const uint8_t head[5] = { type, 3, 3, (uint8_t)(n >> 8), (uint8_t)n };

    add(s, head, 5);
    add(s, p, n);
}

/* A handshake message in records of at most so many bytes. */
static void
add_message(struct stream *s, uint8_t type, const void *p, size_t n, size_t most)
{
    struct stream whole = { .n = 0 };
    const uint8_t head[4] = { type, 0, (uint8_t)(n >> 8), (uint8_t)n };

    add(&whole, head, 4);
    add(&whole, p, n);
    for (uint32_t at = 0; at < whole.n; at += (uint32_t)most)
        add_record(s, 22, whole.at + at, whole.n - at < most ? whole.n - at : most);
}

static void
feed_part(struct bench *b, enum weir_dir dir, const struct stream *s, uint32_t from, uint32_t to)
{
    uint8_t *copy = exact_copy(s->at + from, to - from);

    tls_feed(&b->tls, b->pool, dir, (struct weir_bytes){ copy, to - from }, on_message, b);
    free(copy);
}

static void
feed_pieces(struct bench *b, enum weir_dir dir, const struct stream *s, uint32_t piece)
{
    for (uint32_t at = 0; at < s->n; at += piece)
        feed_part(b, dir, s, at, at + piece < s->n ? at + piece : s->n);
}

static struct stream
client_12(void)
{
    struct stream s = { .n = 0 };

    add_message(&s, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello), 100);
    add_message(&s, 16, "keykey", 6, 1000);
    add_record(&s, 20, "\1", 1);
    add_record(&s, 22, "encrypted", 9);
    return s;
}

static struct stream
server_12(void)
{
    struct stream s = { .n = 0 };

    add_message(&s, TLS_SERVER_HELLO, server_hello_12, sizeof(server_hello_12), 1000);
    add_message(&s, TLS_CERTIFICATE, certificate, sizeof(certificate), 300);
    add_message(&s, TLS_SERVER_HELLO_DONE, "", 0, 1000);
    return s;
}

static const char want_12[] = ">1:245 >16:6 <2:54 <11:526 <14:0 ";

static void
messages_are_found_however_they_are_cut(void **state)
{
    const struct stream client = client_12(), server = server_12();
    struct bench *b = *state;

    for (uint32_t piece = 1; piece < 700; piece++) {
        memset(&b->tls, 0, sizeof(b->tls));
        b->seen[0] = '\0';
        feed_pieces(b, WEIR_TOSERVER, &client, piece);
        feed_pieces(b, WEIR_TOCLIENT, &server, piece);
        assert_string_equal(b->seen, want_12);
        assert_true(tls_ended(&b->tls, WEIR_TOSERVER));
        assert_true(tls_ended(&b->tls, WEIR_TOCLIENT));
        assert_int_equal(b->tls.side[WEIR_TOCLIENT].state, TLS_DONE);
        assert_null(b->tls.side[0].handshake.block);
        assert_null(b->tls.side[1].handshake.block);
    }
}

static void
tls_13_ends_with_the_server_hello(void **state)
{
    struct stream client = { .n = 0 }, server = { .n = 0 };
    struct bench *b = *state;

    add_message(&client, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello), 1000);
    feed_pieces(b, WEIR_TOSERVER, &client, 1000);
    assert_false(tls_ended(&b->tls, WEIR_TOSERVER));
    add_message(&server, TLS_SERVER_HELLO, server_hello_13, sizeof(server_hello_13), 1000);
    add_record(&server, 20, "\1", 1);
    add_record(&server, 23, "encrypted", 9);
    feed_pieces(b, WEIR_TOCLIENT, &server, 1000);
    assert_string_equal(b->seen, ">1:245 <2:62 ");
    assert_true(tls_ended(&b->tls, WEIR_TOSERVER));
    assert_true(tls_ended(&b->tls, WEIR_TOCLIENT));
}

static void
a_retry_is_followed_by_both_hellos_again(void **state)
{
    struct stream client = { .n = 0 }, server = { .n = 0 };
    struct bench *b = *state;

    add_message(&client, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello), 1000);
    feed_pieces(b, WEIR_TOSERVER, &client, 1000);
    add_message(&server, TLS_SERVER_HELLO, server_hello_retry, sizeof(server_hello_retry), 1000);
    add_record(&server, 20, "\1", 1);
    feed_pieces(b, WEIR_TOCLIENT, &server, 1000);
    client.n = 0;
    add_record(&client, 20, "\1", 1);
    add_message(&client, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello), 1000);
    feed_pieces(b, WEIR_TOSERVER, &client, 1000);
    server.n = 0;
    add_message(&server, TLS_SERVER_HELLO, server_hello_13, sizeof(server_hello_13), 1000);
    feed_pieces(b, WEIR_TOCLIENT, &server, 1000);
    assert_string_equal(b->seen, ">1:245 <2:46 >1:245 <2:62 ");
    assert_true(tls_ended(&b->tls, WEIR_TOCLIENT));
}

static void
a_hole_within_a_record_loses_its_message_only(void **state)
{
    const struct stream server = server_12();
    struct bench *b = *state;
    const uint32_t in_certificate = 5 + 4 + sizeof(server_hello_12) + 5 + 50;

    feed_part(b, WEIR_TOCLIENT, &server, 0, in_certificate);
    tls_gap(&b->tls, b->pool, WEIR_TOCLIENT, 200);
    feed_part(b, WEIR_TOCLIENT, &server, in_certificate + 200, server.n);
    assert_string_equal(b->seen, "<2:54 <14:0 ");
    assert_int_equal(pool_stats(b->pool)->lost, 1);
}

static void
behind_a_longer_hole_the_direction_is_lost(void **state)
{
    const struct stream client = client_12(), server = server_12();
    struct bench *b = *state;

    feed_part(b, WEIR_TOCLIENT, &server, 0, 150);
    tls_gap(&b->tls, b->pool, WEIR_TOCLIENT, 300);
    assert_int_equal(b->tls.side[WEIR_TOCLIENT].state, TLS_LOST);
    assert_null(b->tls.side[WEIR_TOCLIENT].handshake.block);
    feed_part(b, WEIR_TOCLIENT, &server, 450, server.n);
    feed_pieces(b, WEIR_TOSERVER, &client, 1000);
    assert_string_equal(b->seen, "<2:54 >1:245 >16:6 ");
    tls_gap(&b->tls, b->pool, WEIR_TOSERVER, 1); /* has ended */
    assert_int_equal(b->tls.side[WEIR_TOSERVER].state, TLS_DONE);
}

static void
a_hello_of_ssl_2_is_followed_by_records(void **state)
{
    struct stream client = { .n = 0 };
    struct bench *b = *state;

    add(&client, "\x80\x13\1\3\1\0\6\0\0\0\4\0\0\5\1\0\200abcd", 21);
    add_message(&client, 16, "keykey", 6, 1000);
    add_record(&client, 20, "\1", 1);
    for (uint32_t piece = 1; piece < 40; piece++) {
        memset(&b->tls, 0, sizeof(b->tls));
        b->seen[0] = '\0';
        feed_pieces(b, WEIR_TOSERVER, &client, piece);
        assert_string_equal(b->seen, ">v2-1:19 >16:6 ");
        assert_true(tls_ended(&b->tls, WEIR_TOSERVER));
    }
}

static void
what_is_no_tls_is_given_up(void **state)
{
    static const char *const bytes[] = { "GET / HTTP/1.1", "\x16\2\1\0\5hello", "\x16\3\1\xff\xff",
                                         "\x16\3\1\0\6\x0b\0\0\2ab" };
    struct bench *b = *state;

    for (size_t i = 0; i < 4; i++) {
        struct stream s = { .n = 0 };

        memset(&b->tls, 0, sizeof(b->tls));
        add(&s, bytes[i], i == 2 ? 5 : i == 3 ? 11 : i == 1 ? 10 : 14);
        feed_pieces(b, WEIR_TOSERVER, &s, 100);
        assert_int_equal(b->tls.side[WEIR_TOSERVER].state, TLS_BAD);
    }
    assert_string_equal(b->seen, "");
}

static void
alerts_and_empty_records_are_passed_over(void **state)
{
    struct stream s = { .n = 0 };
    struct bench *b = *state;

    add_record(&s, 22, "", 0);
    add_record(&s, 21, "\1\0", 2);
    add_message(&s, TLS_SERVER_HELLO, server_hello_12, sizeof(server_hello_12), 1000);
    feed_pieces(b, WEIR_TOCLIENT, &s, 1);
    assert_string_equal(b->seen, "<2:54 ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_hello_is_read),
        cmocka_unit_test(server_hellos_say_the_version_that_was_chosen),
        cmocka_unit_test(every_prefix_is_truncated_and_safe),
        cmocka_unit_test(drafts_of_1_3_are_told_apart),
        cmocka_unit_test(what_is_wrong_with_a_server_name_is_said),
        cmocka_unit_test(what_an_odd_extension_says_is_left_out),
        cmocka_unit_test(a_hello_of_ssl_2_has_ciphers_of_three_bytes),
        cmocka_unit_test(certificates_are_walked),
        cmocka_unit_test(values_of_rfc_8701_are_known),
        cmocka_unit_test_setup_teardown(messages_are_found_however_they_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tls_13_ends_with_the_server_hello, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_retry_is_followed_by_both_hellos_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hole_within_a_record_loses_its_message_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(behind_a_longer_hole_the_direction_is_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hello_of_ssl_2_is_followed_by_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_tls_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alerts_and_empty_records_are_passed_over, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
