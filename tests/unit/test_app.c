/* The application layer: DNS, TLS and SSH as rules see them; flows that are not read. */
#include "support/app_run.h"
#include "tls_bytes.h"

#include "digest.h"
#include "tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct app_run run;
static bool have_digest;

static void
has(const char *text)
{
    if (strstr(run.text, text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, run.text);
}

/* ---- DNS */

static const uint8_t query[] = { 0, 7, 1,   0, 0,   1,   0, 0, 0, 0, 0,
                                 0, 1, 'a', 2, 'b', 'c', 0, 0, 1, 0, 1 };
static const uint8_t answer[] = { 0, 7,   0x81, 0x83, 0,   1, 0, 1, 0, 0, 0,    0,
                                  1, 'a', 2,    'b',  'c', 0, 0, 1, 0, 1, 0xc0, 12,
                                  0, 28,  0,    1,    0,   0, 0, 9, 0, 2, 1,    2 };

static void
datagrams_are_transactions(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    app_run_datagram(&run, WEIR_TOSERVER, query, sizeof(query));
    app_run_datagram(&run, WEIR_TOCLIENT, answer, sizeof(answer));
    app_run_end(&run);
    assert_string_equal(run.text, "dns/0 >\n  dns.query=a.bc\n  dns.queries.rrname=a.bc\n"
                                  "dns/0 > end \ndns/0 gone\n"
                                  "dns/1 <\n  dns.queries.rrname=a.bc\n  dns.answers.rrname=a.bc\n"
                                  "  dns.response.rrname=a.bc\n  dns.response.rrname=a.bc\n"
                                  "dns/1 < end \ndns/1 gone\n");
    app_run_free(&run);
}

static void
an_answer_whose_question_nobody_saw_is_one(void **state)
{
    (void)state;
    app_run_begin(&run, NULL);
    app_run_datagram(&run, WEIR_TOCLIENT, answer, sizeof(answer));
    app_run_datagram(&run, WEIR_TOSERVER, query, sizeof(query));
    app_run_end(&run);
    has("dns/0 <\n  dns.queries.rrname=a.bc\n  dns.answers.rrname=a.bc\n");
    has("dns/1 >\n  dns.query=a.bc\n");
    assert_int_equal(run.events, 0);
    app_run_free(&run);
}

static void
what_is_odd_in_dns_is_an_event(void **state)
{
    uint8_t bytes[sizeof(answer)];

    (void)state;
    app_run_begin(&run, NULL);
    app_run_datagram(&run, WEIR_TOSERVER, query, sizeof(query));
    app_run_datagram(&run, WEIR_TOCLIENT, query, sizeof(query));
    has("! dns.not_response <\n");
    app_run_datagram(&run, WEIR_TOSERVER, answer, sizeof(answer));
    has("! dns.not_request >\n");
    memcpy(bytes, answer, sizeof(answer));
    bytes[3] |= 0x40;
    bytes[2] |= 0x78;
    app_run_datagram(&run, WEIR_TOCLIENT, bytes, sizeof(bytes));
    has("! dns.z_flag_set <\n! dns.invalid_opcode <\n");
    app_run_datagram(&run, WEIR_TOCLIENT, answer, sizeof(answer) - 1);
    has("! dns.malformed_data <\n");
    memcpy(bytes, answer, sizeof(answer));
    bytes[23] = 22; /* the answer's name points to itself */
    app_run_datagram(&run, WEIR_TOCLIENT, bytes, sizeof(bytes));
    has("! dns.infinite_loop <\n");
    app_run_end(&run);
    app_run_free(&run);
}

static void
messages_over_tcp_are_found_however_they_are_cut(void **state)
{
    uint8_t both[4 + 2 * sizeof(query)] = { 0, sizeof(query) };
    char *whole = NULL;

    (void)state;
    memcpy(both + 2, query, sizeof(query));
    memcpy(both + 2 + sizeof(query), both, 2 + sizeof(query));
    for (size_t piece = sizeof(both); piece > 0; piece--) {
        app_run_begin(&run, NULL);
        app_run_send(&run, WEIR_TOSERVER, both, sizeof(both), piece);
        app_run_end(&run);
        if (whole == NULL)
            whole = strdup(run.text);
        has("dns/1 >\n  dns.query=a.bc\n");
        assert_string_equal(run.text, whole);
        app_run_free(&run);
    }
    free(whole);
}

/* ---- TLS */

struct stream {
    uint8_t at[2000];
    size_t n;
};

static void
add_record(struct stream *s, uint8_t type, const void *p, size_t n)
{
    const uint8_t head[5] = { type, 3, 3, (uint8_t)(n >> 8), (uint8_t)n };

    memcpy(s->at + s->n, head, 5);
    memcpy(s->at + s->n + 5, p, n);
    s->n += 5 + n;
}

static void
add_message(struct stream *s, uint8_t type, const void *p, size_t n)
{
    uint8_t message[1000] = { type, 0, (uint8_t)(n >> 8), (uint8_t)n };

    memcpy(message + 4, p, n);
    add_record(s, 22, message, n + 4);
}

static void
shake_hands(size_t piece)
{
    struct stream client = { .n = 0 }, server = { .n = 0 }, rest = { .n = 0 };
    uint8_t chain[6 + sizeof(certificate)] = { 0, 2, 17, 0, 2, 14 };

    memcpy(chain + 6, certificate, sizeof(certificate));
    add_message(&client, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello));
    add_message(&server, TLS_SERVER_HELLO, server_hello_12, sizeof(server_hello_12));
    add_message(&server, TLS_CERTIFICATE, chain, sizeof(chain));
    add_record(&rest, 20, "\1", 1);
    add_record(&rest, 22, "encrypted", 9);
    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOSERVER, client.at, client.n, piece);
    app_run_send(&run, WEIR_TOCLIENT, server.at, server.n, piece);
    app_run_send(&run, WEIR_TOSERVER, rest.at, rest.n, piece);
    app_run_send(&run, WEIR_TOCLIENT, rest.at, rest.n, piece);
}

static void
a_handshake_shows_its_buffers(void **state)
{
    (void)state;
    shake_hands(1000);
    has("tls/0 >\n  tls.sni=");
    has("tls/0 <\n  tls.version=1.2\n");
    has("  tls.cert_subject=C=US, ");
    has("  tls.cert_serial=");
    has("  tls.random=\\x00\\x01\\x02\\x03\\x04\\x05\\x06");
    has("  tls.random_time=\\x00\\x01\\x02\\x03\n  tls.random_bytes=\\x04\\x05");
    has("\\x1e\\x1f\n");
    has("  tls.cert_chain_len=1\n");
    if (have_digest) {
        has("  ja4.hash=t13d1516h2_8daaf6152771_e5627efa2ab1\n");
        has("  ja3s.hash=");
        has("  tls.cert_fingerprint=");
    }
    app_run_end(&run);
    app_run_free(&run);
}

/* The handshake tells all: what is encrypted needs no memory. */
static void
the_transaction_of_tls_ends_where_encryption_begins(void **state)
{
    (void)state;
    shake_hands(1000);
    has("tls/0 > end \ntls/0 < end \ntls/0 gone\n");
    app_run_end(&run);
    assert_true(run.flow.done);
    assert_int_equal(app_flow_proto(&run.flow), APP_TLS);
    app_run_free(&run);
}

/* As rules ask for it, whatever records call it. */
static void
old_versions_and_drafts_are_shown(void **state)
{
    static const struct {
        uint8_t version[2];
        const char *shown;
    } as[] = {
        { { 3, 0 }, "SSLv3" }, { { 3, 1 }, "1.0" }, { { 3, 2 }, "1.1" }, { { 0x7f, 28 }, "1.3" }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
        struct stream server = { .n = 0 }, client = { .n = 0 };
        uint8_t hello[sizeof(server_hello_12)];
        char line[64];

        memcpy(hello, server_hello_12, sizeof(hello));
        memcpy(hello, as[i].version, 2);
        add_message(&client, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello));
        add_message(&server, TLS_SERVER_HELLO, hello, sizeof(hello));
        app_run_begin(&run, NULL);
        app_run_send(&run, WEIR_TOSERVER, client.at, client.n, 1000);
        app_run_send(&run, WEIR_TOCLIENT, server.at, server.n, 1000);
        snprintf(line, sizeof(line), "tls/0 <\n  tls.version=%s\n", as[i].shown);
        has(line);
        app_run_end(&run);
        app_run_free(&run);
    }
}

static void
records_that_are_none_are_told(void **state)
{
    static const struct {
        uint8_t head[5];
        const char *event;
    } as[] = { { { 22, 4, 3, 0, 4 }, "! tls.invalid_record_version >\n" },
               { { 22, 3, 3, 0x80, 0 }, "! tls.invalid_record_length >\n" },
               { { 99, 3, 3, 0, 4 }, "! tls.invalid_record_type >\n" } };

    (void)state;
    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
        struct stream client = { .n = 0 };

        add_message(&client, TLS_CLIENT_HELLO, client_hello, sizeof(client_hello));
        app_run_begin(&run, NULL);
        app_run_send(&run, WEIR_TOSERVER, client.at, client.n, 1000);
        app_run_send(&run, WEIR_TOSERVER, as[i].head, 5, 1000);
        has(as[i].event);
        has("! tls.invalid_ssl_record >\n");
        app_run_end(&run);
        app_run_free(&run);
    }
}

static void
a_handshake_is_the_same_however_it_is_cut(void **state)
{
    char *whole;

    (void)state;
    shake_hands(1900);
    app_run_end(&run);
    whole = strdup(run.text);
    app_run_free(&run);
    for (size_t piece = 1; piece < 300; piece++) {
        shake_hands(piece);
        app_run_end(&run);
        assert_string_equal(run.text, whole);
        app_run_free(&run);
    }
    free(whole);
}

/* ---- SSH */

static size_t
kexinit(uint8_t *to)
{
    static const char *const lists[] = { "k1,k2", "h", "c1", "c2", "m1", "m2", "z1", "z2", "", "" };
    size_t n = 5 + 17;

    memset(to, 0, 200);
    to[5] = 20;
    for (size_t i = 0; i < 10; i++) {
        const size_t length = strlen(lists[i]);

        to[n + 3] = (uint8_t)length;
        memcpy(to + n + 4, lists[i], length);
        n += 4 + length;
    }
    n += 5 + 4; /* two fields, and padding */
    to[3] = (uint8_t)(n - 4);
    to[4] = 4;
    return n;
}

static void
greet(size_t piece)
{
    static const char client[] = "SSH-2.0-PuTTY_Release_0.78\r\n";
    static const char server[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
    uint8_t kex[200];
    const size_t n = kexinit(kex);

    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOSERVER, client, strlen(client), piece);
    app_run_send(&run, WEIR_TOCLIENT, server, strlen(server), piece);
    app_run_send(&run, WEIR_TOSERVER, kex, n, piece);
    app_run_send(&run, WEIR_TOCLIENT, kex, n, piece);
    app_run_end(&run);
}

static void
ssh_shows_its_buffers_however_it_is_cut(void **state)
{
    char *whole;

    (void)state;
    greet(1000);
    whole = strdup(run.text);
    has("ssh/0 >\n  ssh.proto=2.0\n  ssh.software=PuTTY_Release_0.78\n");
    has("ssh/0 <\n  ssh.proto=2.0\n  ssh.software=OpenSSH_9.2p1\n");
    if (have_digest) {
        has("  ssh.hassh.string=k1,k2;c1;m1;z1\n");
        has("  ssh.hassh.server.string=k1,k2;c2;m2;z2\n");
    }
    has("ssh/0 < end \nssh/0 gone\n");
    app_run_free(&run);
    for (size_t piece = 1; piece < 100; piece++) {
        greet(piece);
        assert_string_equal(run.text, whole);
        app_run_free(&run);
    }
    free(whole);
}

/* ---- flows */

static void
a_flow_of_nothing_known_is_let_go(void **state)
{
    static const char bytes[] =
        "\1\2\3\4 nothing that has a name, though it is long enough to tell";

    (void)state;
    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOSERVER, bytes, sizeof(bytes), 10);
    app_run_send(&run, WEIR_TOCLIENT, bytes, sizeof(bytes), 10);
    app_run_end(&run);
    assert_string_equal(run.text, "");
    assert_true(run.flow.done);
    assert_int_equal(app_flow_proto(&run.flow), APP_UNKNOWN);
    app_run_free(&run);
}

static void
the_other_side_may_tell_the_protocol(void **state)
{
    static const char bytes[] =
        "\1\2\3\4 nothing that has a name, though it is long enough to tell";
    static const char ok[] = "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n";

    (void)state;
    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOSERVER, bytes, sizeof(bytes), 100);
    app_run_send(&run, WEIR_TOCLIENT, ok, strlen(ok), 100);
    app_run_end(&run);
    assert_int_equal(app_flow_proto(&run.flow), APP_HTTP);
    has("! applayer_detect_protocol_only_one_direction <\n");
    app_run_free(&run);
}

static void
sides_that_do_not_agree_are_an_event(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char ssh[] = "SSH-2.0-OpenSSH_9.2p1\r\n";

    (void)state;
    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOSERVER, get, strlen(get), 100);
    app_run_send(&run, WEIR_TOCLIENT, ssh, strlen(ssh), 100);
    app_run_end(&run);
    has("! applayer_mismatch_protocol_both_directions <\n");
    app_run_free(&run);
}

static void
a_server_that_speaks_first_is_an_event(void **state)
{
    static const char ok[] = "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n";

    (void)state;
    app_run_begin(&run, NULL);
    app_run_send(&run, WEIR_TOCLIENT, ok, strlen(ok), 100);
    app_run_end(&run);
    has("! applayer_wrong_direction_first_data <\n");
    app_run_free(&run);
}

static void
little_is_kept_in_a_flow(void **state)
{
    (void)state;
    assert_true(sizeof(struct app_flow) <= 128);
}

static void
without_memory_flows_are_not_read(void **state)
{
    struct app_opts opts = app_defaults();

    (void)state;
    opts.memory = 4096;
    app_run_begin(&run, &opts);
    app_run_send(&run, WEIR_TOSERVER, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, 27);
    app_run_end(&run);
    assert_string_equal(run.text, "");
    assert_true(app_get_stats(run.app)->no_memory > 0);
    app_run_free(&run);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_are_transactions),
        cmocka_unit_test(an_answer_whose_question_nobody_saw_is_one),
        cmocka_unit_test(what_is_odd_in_dns_is_an_event),
        cmocka_unit_test(messages_over_tcp_are_found_however_they_are_cut),
        cmocka_unit_test(a_handshake_shows_its_buffers),
        cmocka_unit_test(old_versions_and_drafts_are_shown),
        cmocka_unit_test(records_that_are_none_are_told),
        cmocka_unit_test(the_transaction_of_tls_ends_where_encryption_begins),
        cmocka_unit_test(a_handshake_is_the_same_however_it_is_cut),
        cmocka_unit_test(ssh_shows_its_buffers_however_it_is_cut),
        cmocka_unit_test(a_flow_of_nothing_known_is_let_go),
        cmocka_unit_test(the_other_side_may_tell_the_protocol),
        cmocka_unit_test(sides_that_do_not_agree_are_an_event),
        cmocka_unit_test(a_server_that_speaks_first_is_an_event),
        cmocka_unit_test(little_is_kept_in_a_flow),
        cmocka_unit_test(without_memory_flows_are_not_read),
    };
    struct digest *digest = NULL;

    have_digest = digest_new(&digest) == WEIR_E_OK;
    digest_free(digest);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
