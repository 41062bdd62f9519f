/*
 * TLS: two directions of any bytes are the same messages however they are cut, over holes too; what
 * can be parsed of them obeys its bounds. Certificates likewise.
 *
 * Input: how many bytes a piece has (0: the rest is a certificate), where the client's stream ends
 * (in 8 bytes), a hole's place in the server's and its length, the bytes.
 */
#include "ja.h"
#include "tls.h"
#include "x509.h"

#include "support/exact.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 4 };

static struct digest *digest; /* NULL: built without libcrypto */

static bool
within(struct weir_bytes part, struct weir_bytes whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_certificate(struct weir_bytes der)
{
    char text[256];
    struct put put = put_begin(text, sizeof(text));
    struct weir_bytes name;
    struct x509 cert;
    int rc = x509_parse(der, &cert);

    assert(rc == WEIR_E_OK || rc == WEIR_E_TRUNC || rc == WEIR_E_MALFORMED);
    assert(within(cert.serial, der) && within(cert.issuer, der) && within(cert.subject, der));
    assert(within(cert.alt_names, der));
    assert(cert.version >= 1 && cert.version <= 3);
    assert(rc != WEIR_E_OK || (cert.not_before >= INT64_C(-62167219200) - 31 * 86400 &&
                               cert.not_before < INT64_C(253402300800) + 3 * 86400));
    rc = x509_name_text(cert.subject, &put);
    assert(rc == WEIR_E_OK || rc == WEIR_E_MALFORMED);
    x509_serial_text(cert.serial, &put);
    assert(put_length(&put) < sizeof(text));
    if (x509_common_name(cert.issuer, &name))
        assert(within(name, cert.issuer));
    while (x509_next_dns_name(&cert.alt_names, &name))
        assert(within(name, der));
}

static void
check_fingerprints(const struct tls_client_hello *hello)
{
    char text[JA3_MAX];
    struct put put = put_begin(text, sizeof(text));
    int rc = ja3_text(hello, &put);

    assert(rc == WEIR_E_OK ? !put.more : rc == WEIR_E_LIMIT || hello->sslv2);
    put = put_begin(text, JA4_MAX + 1);
    if (digest != NULL && ja4_text(hello, digest, &put) == WEIR_E_OK)
        assert(put_length(&put) == JA4_MAX && text[10] == '_' && text[23] == '_');
}

static void
check_client_hello(struct weir_bytes body, bool sslv2)
{
    struct tls_client_hello hello;
    int rc = (sslv2 ? tls_v2_hello_parse : tls_client_hello_parse)(body, &hello);

    assert(rc == WEIR_E_OK || rc == WEIR_E_TRUNC || rc == WEIR_E_MALFORMED);
    assert(within(hello.random, body) && within(hello.session_id, body));
    assert(within(hello.extensions, body) && within(hello.ciphers, body));
    assert(within(hello.server_name, hello.extensions) && within(hello.alpn, hello.extensions));
    assert(hello.groups.n % 2 == 0 && hello.versions.n % 2 == 0);
    assert(hello.server_name.n == 0 || hello.has_server_name);
    if (rc == WEIR_E_OK)
        check_fingerprints(&hello);
}

static void
check_server_hello(struct weir_bytes body)
{
    struct tls_server_hello hello;
    char text[JA3_MAX];
    struct put put = put_begin(text, sizeof(text));
    int rc = tls_server_hello_parse(body, &hello);

    assert(rc == WEIR_E_OK || rc == WEIR_E_TRUNC || rc == WEIR_E_MALFORMED);
    assert(within(hello.alpn, hello.extensions) && within(hello.extensions, body));
    if (rc == WEIR_E_OK)
        ja3s_text(&hello, &put);
}

static void
on_message(void *ctx, const struct tls_message *m)
{
    uint64_t *sum = ctx;
    struct weir_bytes list, der;

    *sum = *sum * 31 + m->type * 4U + m->direction * 2U + m->sslv2;
    for (uint32_t i = 0; i < m->body.n; i++)
        *sum = *sum * 31 + m->body.p[i];
    if (m->type == TLS_CLIENT_HELLO)
        check_client_hello(m->body, m->sslv2);
    else if (m->type == TLS_SERVER_HELLO)
        check_server_hello(m->body);
    else if (m->type == TLS_CERTIFICATE && tls_certificates(m->body, &list) == WEIR_E_OK)
        while (tls_next_certificate(&list, &der))
            check_certificate(der);
}

static void
feed(struct tls *tls, struct pool *pool, enum weir_dir dir, struct weir_bytes bytes, size_t piece,
     uint64_t *sum)
{
    for (size_t at = 0; at < bytes.n; at += piece) {
        const size_t n = bytes.n - at < piece ? bytes.n - at : piece;
        uint8_t *copy = exact_copy(bytes.p + at, n);

        tls_feed(tls, pool, dir, (struct weir_bytes){ copy, (uint32_t)n }, on_message, sum);
        assert(!tls_ended(tls, dir) || tls->side[dir].handshake.block == NULL);
        free(copy);
    }
}

/* Returns a sum over all messages. */
static uint64_t
run(struct pool *pool, struct weir_bytes client, struct weir_bytes server, size_t piece,
    uint32_t hole, uint32_t length)
{
    struct tls tls = { .retried = false };
    uint64_t sum = 0;

    if (hole + length > server.n)
        hole = server.n, length = 0;
    feed(&tls, pool, WEIR_TOSERVER, client, piece, &sum);
    feed(&tls, pool, WEIR_TOCLIENT, (struct weir_bytes){ server.p, hole }, piece, &sum);
    tls_gap(&tls, pool, WEIR_TOCLIENT, length);
    feed(&tls, pool, WEIR_TOCLIENT,
         (struct weir_bytes){ server.p + hole + length, server.n - hole - length }, piece, &sum);
    sum = sum * 31 + tls.side[0].state;
    sum = sum * 31 + tls.side[1].state;
    tls_end(&tls, pool);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pool *pool;
    const struct weir_bytes rest = { data + PREFIX, (uint32_t)(size - PREFIX) };
    struct weir_bytes client = rest, server = rest;

    if (pool == NULL) {
        (void)digest_new(&digest);
        if (pool_new(POOL_MIN_BYTES, &pool) != WEIR_E_OK)
            return 0;
    }
    if (size < PREFIX || size > 70000)
        return 0;
    if (data[0] == 0) {
        uint8_t *copy = exact_copy(rest.p, rest.n);

        check_certificate((struct weir_bytes){ copy, rest.n });
        free(copy);
        return 0;
    }
    client.n = data[1] * 8U < rest.n ? data[1] * 8U : rest.n;
    server.p += client.n;
    server.n -= client.n;
    assert(run(pool, client, server, size, data[2], data[3]) ==
           run(pool, client, server, data[0], data[2], data[3]));
    assert(pool_stats(pool)->exhausted == 0);
    return 0;
}
