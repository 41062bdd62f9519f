#include "app/parts.h"

#include "ja.h"
#include "x509.h"

#include <string.h>

enum tls_kept {
    KEPT_SNI,
    KEPT_ALPN,        /* the client's list as on the wire */
    KEPT_ALPN_SERVER, /* the protocol */
    KEPT_JA3,
    KEPT_JA3_HASH,
    KEPT_JA4,
    KEPT_JA3S,
    KEPT_JA3S_HASH,
    KEPT_SUBJECT,
    KEPT_ISSUER,
    KEPT_SERIAL,
    KEPT_FINGERPRINT,
    KEPT_ALT_NAMES, /* as in the certificate */
    KEPT_VERSION,   /* "1.2" */
    KEPT_RANDOM,
    KEPT_RANDOM_SERVER,
};

enum { NAME_TEXT = 4096, RANDOM_TIME = 4, RANDOM = 32 }; /* RFC 5246 section 7.4.1.2 */

struct tls_tx {
    struct tx tx;
    struct tls_facts facts;
    struct kept kept;
    struct weir_bytes chain; /* certificates of the message at hand; lent while it is told */
};

struct tls_conn {
    struct app_conn conn;
    struct tls tls;
    struct tls_tx t;
    bool begun;        /* the transaction */
    bool long_told[2]; /* by enum weir_dir */
};

static void
keep(struct tls_tx *t, enum tls_kept k, struct weir_bytes bytes)
{
    kept_set(&t->kept, t->tx.app, k, bytes.p, bytes.n);
}

static void
keep_text(struct tls_tx *t, enum tls_kept k, const char *text)
{
    kept_set(&t->kept, t->tx.app, k, text, strlen(text));
}

static void
keep_put(struct tls_tx *t, enum tls_kept k, const struct put *put)
{
    t->tx.app->stats.text_cut += put->more;
    kept_set(&t->kept, t->tx.app, k, put->start, put_length(put));
}

/* As tls.version asks for it; for drafts of 1.3, too. */
static void
keep_version(struct tls_tx *t, uint16_t version)
{
    const char *name = tls_version_name(tls_version_is_draft(version) ? TLS_1_3 : version);

    t->facts.version = version;
    if (version == TLS_1_0)
        name = "1.0";
    else if (name == NULL)
        name = "?";
    keep_text(t, KEPT_VERSION, strncmp(name, "TLS ", 4) == 0 ? name + 4 : name);
}

/* ---- what is read */

static void
fingerprint_client(struct tls_tx *t, const struct tls_client_hello *hello)
{
    char text[JA3_MAX], hash[JA_HASH], four[JA4_MAX + 1];
    struct put put = put_begin(text, sizeof(text));
    struct put put4 = put_begin(four, sizeof(four));
    struct digest *digest = t->tx.app->digest;

    if (digest == NULL)
        return;
    if (ja3_text(hello, &put) == WEIR_E_OK) {
        ja3_hash(digest, &put, hash);
        keep_put(t, KEPT_JA3, &put);
        keep_text(t, KEPT_JA3_HASH, hash);
    }
    if (ja4_text(hello, digest, &put4) == WEIR_E_OK)
        keep_put(t, KEPT_JA4, &put4);
}

static bool
client_hello(struct tls_tx *t, const struct tls_message *message, const char **fault)
{
    static const char *const faults[] = { [TLS_NAME_RIGHT] = NULL,
                                          [TLS_NAME_TWICE] = "tls.multiple_sni_extensions",
                                          [TLS_NAME_TYPE] = "tls.invalid_sni_type",
                                          [TLS_NAME_LENGTH] = "tls.invalid_sni_length" };
    struct tls_client_hello hello;

    if ((message->sslv2 ? tls_v2_hello_parse(message->body, &hello)
                        : tls_client_hello_parse(message->body, &hello)) != WEIR_E_OK)
        return false;
    *fault = faults[hello.name_fault];
    keep_version(t, hello.version);
    if (hello.random.n == RANDOM)
        keep(t, KEPT_RANDOM, hello.random);
    if (hello.server_name.n > 0)
        keep(t, KEPT_SNI, hello.server_name);
    if (hello.alpn.n > 0)
        keep(t, KEPT_ALPN, hello.alpn);
    fingerprint_client(t, &hello);
    return true;
}

static bool
server_hello(struct tls_tx *t, const struct tls_message *message)
{
    char text[JA3_MAX], hash[JA_HASH];
    struct put put = put_begin(text, sizeof(text));
    struct tls_server_hello hello;

    if (tls_server_hello_parse(message->body, &hello) != WEIR_E_OK)
        return false;
    keep_version(t, hello.version);
    t->facts.chosen = hello.version;
    keep(t, KEPT_RANDOM_SERVER, hello.random);
    if (hello.alpn.n > 0)
        keep(t, KEPT_ALPN_SERVER, hello.alpn);
    if (t->tx.app->digest == NULL || ja3s_text(&hello, &put) != WEIR_E_OK)
        return true;
    ja3_hash(t->tx.app->digest, &put, hash);
    keep_put(t, KEPT_JA3S, &put);
    keep_text(t, KEPT_JA3S_HASH, hash);
    return true;
}

static void
keep_name(struct tls_tx *t, enum tls_kept k, struct weir_bytes name)
{
    char text[NAME_TEXT];
    struct put put = put_begin(text, sizeof(text));

    if (x509_name_text(name, &put) == WEIR_E_OK)
        keep_put(t, k, &put);
}

static void
keep_serial(struct tls_tx *t, const struct x509 *cert)
{
    char text[512];
    struct put put = put_begin(text, sizeof(text));

    x509_serial_text(cert->serial, &put);
    keep_put(t, KEPT_SERIAL, &put);
}

static void
keep_fingerprint(struct tls_tx *t, struct weir_bytes der)
{
    char text[3 * DIGEST_MAX];
    struct put put = put_begin(text, sizeof(text));
    uint8_t sha1[DIGEST_MAX];
    struct digest *digest = t->tx.app->digest;

    if (digest == NULL)
        return;
    digest_text(sha1, digest_of(digest, DIGEST_SHA1, der.p, der.n, sha1), ':', &put);
    keep_put(t, KEPT_FINGERPRINT, &put);
}

/* Whether the bytes end within the length of an element, at the top or one level down. */
static bool
length_is_cut(struct weir_bytes der)
{
    for (int level = 0; level < 2; level++) {
        const uint32_t octets = der.n > 1 && der.p[1] >= 0x80 ? der.p[1] & 0x7fU : 0;
        uint32_t n = 0;

        if (der.n < 2 || octets > 4 || octets > der.n - 2)
            return true;
        for (uint32_t i = 0; i < octets; i++)
            n = n << 8 | der.p[2 + i];
        if (octets == 0)
            n = der.p[1];
        der = (struct weir_bytes){ der.p + 2 + octets, der.n - 2 - octets };
        der.n = n < der.n ? n : der.n;
    }
    return false;
}

static uint32_t
count_chain(struct weir_bytes list)
{
    struct weir_bytes der;
    uint32_t n = 0;

    while (tls_next_certificate(&list, &der))
        n++;
    return n;
}

/* The sender's own certificate is the first of the chain. */
static const char *
certificate(struct tls_tx *t, const struct tls_message *message)
{
    struct weir_bytes list, der;
    struct x509 cert;

    if (tls_certificates(message->body, &list) != WEIR_E_OK)
        return "tls.invalid_certificate";
    t->chain = list;
    t->facts.chain = count_chain(list);
    if (!tls_next_certificate(&list, &der))
        return list.n > 0 ? "tls.invalid_certificate" : NULL;
    if (x509_parse(der, &cert) != WEIR_E_OK)
        return length_is_cut(der) ? "tls.certificate_invalid_length" : "tls.invalid_certificate";
    t->facts.has_certificate = true;
    t->facts.has_dates = !cert.undated;
    t->facts.not_before = cert.not_before;
    t->facts.not_after = cert.not_after;
    keep_name(t, KEPT_SUBJECT, cert.subject);
    keep_name(t, KEPT_ISSUER, cert.issuer);
    keep_serial(t, &cert);
    keep_fingerprint(t, der);
    if (cert.alt_names.n > 0)
        keep(t, KEPT_ALT_NAMES, cert.alt_names);
    return cert.undated ? "tls.invalid_certificate" : NULL;
}

static void
begin(struct tls_conn *c)
{
    if (c->begun)
        return;
    c->begun = true;
    tx_begin(c->conn.app, c->conn.flow, APP_TLS, &c->t.tx);
}

/* A certificate of a client tells nothing that rules ask for. */
static void
on_message(void *ctx, const struct tls_message *message)
{
    struct tls_conn *c = ctx;
    const enum weir_dir dir = message->direction;
    const char *fault = NULL;
    bool whole;

    if (message->sslv2 || message->type == TLS_CLIENT_HELLO) {
        begin(c);
        whole = client_hello(&c->t, message, &fault);
    } else if (message->type == TLS_SERVER_HELLO) {
        begin(c);
        whole = server_hello(&c->t, message);
    } else if (message->type == TLS_CERTIFICATE && dir == WEIR_TOCLIENT) {
        begin(c);
        fault = certificate(&c->t, message);
        whole = fault == NULL;
    } else {
        return;
    }
    tx_tell(&c->t.tx, dir, TX_HEAD);
    c->t.chain = (struct weir_bytes){ NULL, 0 };
    if (!whole)
        app_tell_event(c->conn.app, "tls.invalid_handshake_message", &c->t.tx, dir);
    if (fault != NULL)
        app_tell_event(c->conn.app, fault, &c->t.tx, dir);
}

/* ---- the connection */

static bool
open_tls(struct app_layer *app, struct app_conn *conn)
{
    (void)app;
    (void)conn;
    return true;
}

static void
finish(struct tls_conn *c)
{
    if (!c->begun)
        return;
    tx_finish(&c->t.tx);
    kept_free(&c->t.kept, c->conn.app);
}

static void
check_end(struct tls_conn *c, enum weir_dir dir, bool before)
{
    const char *fault = tls_record_fault(&c->tls, dir);

    if (before || !tls_ended(&c->tls, dir))
        return;
    if (fault != NULL)
        app_tell_event(c->conn.app, fault, c->begun ? &c->t.tx : NULL, dir);
    if (c->tls.side[dir].state == TLS_BAD)
        app_tell_event(c->conn.app, "tls.invalid_ssl_record", c->begun ? &c->t.tx : NULL, dir);
    if (c->begun && c->t.tx.head[dir])
        tx_tell(&c->t.tx, dir, TX_END);
}

static void
feed(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, struct weir_bytes bytes)
{
    struct tls_conn *c = (struct tls_conn *)conn;
    const bool before = tls_ended(&c->tls, dir);
    const uint64_t *too_long = &pool_stats(app->at->pool)->too_long[POOL_TLS];
    const uint64_t had = *too_long;

    tls_feed(&c->tls, app->at->pool, dir, bytes, on_message, c);
    if (*too_long > had && !c->long_told[dir])
        app_tell_event(app, "tls.long_handshake_message", c->begun ? &c->t.tx : NULL, dir);
    c->long_told[dir] |= *too_long > had;
    check_end(c, dir, before);
}

static void
gap(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, uint64_t n)
{
    struct tls_conn *c = (struct tls_conn *)conn;
    const bool before = tls_ended(&c->tls, dir);

    tls_gap(&c->tls, app->at->pool, dir, n);
    check_end(c, dir, before);
}

static bool
ended(const struct app_conn *conn, enum weir_dir dir)
{
    return tls_ended(&((const struct tls_conn *)conn)->tls, dir);
}

static void
close_tls(struct app_layer *app, struct app_conn *conn)
{
    struct tls_conn *c = (struct tls_conn *)conn;

    finish(c);
    tls_end(&c->tls, app->at->pool);
}

const struct app_ops app_tls = { .size = sizeof(struct tls_conn),
                                 .open = open_tls,
                                 .feed = feed,
                                 .gap = gap,
                                 .end = NULL,
                                 .pause = NULL,
                                 .ended = ended,
                                 .close = close_tls };

/* ---- what it shows */

bool
tx_tls(const struct tx *tx, struct tls_facts *out)
{
    if (tx->proto != APP_TLS)
        return false;
    *out = ((const struct tls_tx *)tx)->facts;
    return true;
}

static int
kept_of(enum weir_dir dir, enum buffer_id id)
{
    const bool client = dir == WEIR_TOSERVER;

    switch (id) {
    case BUFFER_TLS_SNI:
        return client ? KEPT_SNI : -1;
    case BUFFER_TLS_VERSION:
        return KEPT_VERSION;
    case BUFFER_TLS_RANDOM:
    case BUFFER_TLS_RANDOM_TIME:
    case BUFFER_TLS_RANDOM_BYTES:
        return client ? KEPT_RANDOM : KEPT_RANDOM_SERVER;
    case BUFFER_JA3_HASH:
        return client ? KEPT_JA3_HASH : -1;
    case BUFFER_JA3_STRING:
        return client ? KEPT_JA3 : -1;
    case BUFFER_JA4_HASH:
        return client ? KEPT_JA4 : -1;
    case BUFFER_JA3S_HASH:
        return client ? -1 : KEPT_JA3S_HASH;
    case BUFFER_JA3S_STRING:
        return client ? -1 : KEPT_JA3S;
    case BUFFER_TLS_CERT_SUBJECT:
        return client ? -1 : KEPT_SUBJECT;
    case BUFFER_TLS_CERT_ISSUER:
        return client ? -1 : KEPT_ISSUER;
    case BUFFER_TLS_CERT_SERIAL:
        return client ? -1 : KEPT_SERIAL;
    case BUFFER_TLS_CERT_FINGERPRINT:
        return client ? -1 : KEPT_FINGERPRINT;
    default:
        return -1;
    }
}

bool
tls_direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, struct tx_bytes *out)
{
    const struct tls_tx *t = (const struct tls_tx *)tx;
    const int k = kept_of(dir, id);
    struct weir_bytes bytes;

    if (k < 0 || !kept_get(&t->kept, (unsigned)k, &bytes))
        return false;
    if (id == BUFFER_TLS_RANDOM_TIME)
        bytes.n = RANDOM_TIME;
    else if (id == BUFFER_TLS_RANDOM_BYTES)
        bytes = (struct weir_bytes){ bytes.p + RANDOM_TIME, bytes.n - RANDOM_TIME };
    *out = (struct tx_bytes){ .p = bytes.p, .n = bytes.n, .start = 0, .final = true };
    return true;
}

/* Take elements off a list, each of which is an instance. */
static bool
build_list(struct app_layer *app, struct weir_bytes list,
           bool (*next)(struct weir_bytes *list, struct weir_bytes *element))
{
    struct weir_bytes element;

    while (!app->scratch.full && next(&list, &element)) {
        build_add(app, element.p, element.n);
        build_instance(app);
    }
    return true;
}

static bool
build_alpn(struct tls_tx *t, enum weir_dir dir)
{
    struct app_layer *app = t->tx.app;
    struct weir_bytes bytes;

    if (dir == WEIR_TOSERVER)
        return kept_get(&t->kept, KEPT_ALPN, &bytes) && build_list(app, bytes, tls_next_name);
    if (!kept_get(&t->kept, KEPT_ALPN_SERVER, &bytes))
        return false;
    build_add(app, bytes.p, bytes.n);
    build_instance(app);
    return true;
}

bool
tls_build(struct tx *tx, enum weir_dir dir, enum buffer_id id)
{
    struct tls_tx *t = (struct tls_tx *)tx;
    struct weir_bytes bytes;

    switch (id) {
    case BUFFER_TLS_ALPN:
        return build_alpn(t, dir);
    case BUFFER_TLS_SUBJECTALTNAME:
        return dir == WEIR_TOCLIENT && kept_get(&t->kept, KEPT_ALT_NAMES, &bytes) &&
               build_list(tx->app, bytes, x509_next_dns_name);
    case BUFFER_TLS_CERTS:
        return dir == WEIR_TOCLIENT && t->chain.n > 0 &&
               build_list(tx->app, t->chain, tls_next_certificate);
    default:
        return false;
    }
}
