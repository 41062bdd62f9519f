#include "app/parts.h"

#include "tls.h"

struct dns_tx {
    struct tx tx;
    struct dns_message msg;
};

struct dns_conn {
    struct app_conn conn;
    struct gather gather[2]; /* by enum weir_dir */
    bool lost[2];
};

/* ---- messages */

/*
 * Why the records cannot be read to the end, as an event; NULL: they can. Their types are kept: of
 * what was asked, of a response of its answers.
 */
static const char *
read_records(struct app_layer *app, const struct dns_message *msg, enum weir_dir dir)
{
    const enum dns_section section = dir == WEIR_TOSERVER ? DNS_QUESTION : DNS_ANSWER;
    struct dns_walk walk = dns_records(msg);
    struct dns_record record;

    app->n_rrtypes = 0;
    while (dns_next(&walk, &record))
        if (record.section == section)
            app->rrtype[app->n_rrtypes++] = record.type;
    if (walk.rc == WEIR_E_OK)
        return NULL;
    if (walk.fault == DNS_FAULT_LONG)
        return "dns.name_too_long";
    if (walk.fault == DNS_FAULT_POINTERS)
        return "dns.infinite_loop";
    if (walk.section == DNS_ADDITIONAL)
        return "dns.invalid_additionals";
    return walk.section == DNS_AUTHORITY ? "dns.invalid_authorities" : "dns.malformed_data";
}

static void
tell_oddities(struct dns_tx *d, enum weir_dir dir)
{
    const bool response = (d->msg.flags & DNS_QR) != 0;

    if (response && dir == WEIR_TOSERVER)
        app_tell_event(d->tx.app, "dns.not_request", &d->tx, dir);
    if (!response && dir == WEIR_TOCLIENT)
        app_tell_event(d->tx.app, "dns.not_response", &d->tx, dir);
    if (d->msg.flags & DNS_Z)
        app_tell_event(d->tx.app, "dns.z_flag_set", &d->tx, dir);
    if (d->msg.opcode >= 7)
        app_tell_event(d->tx.app, "dns.invalid_opcode", &d->tx, dir);
}

static void
on_message(struct app_layer *app, struct app_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    struct dns_tx d = { .tx = { .proto = APP_DNS } };
    const char *fault;

    if (dns_parse(bytes.p, bytes.n, &d.msg) != WEIR_E_OK) {
        app_tell_event(app, "dns.malformed_data", NULL, dir);
        return;
    }
    fault = read_records(app, &d.msg, dir);
    tx_begin(app, flow, APP_DNS, &d.tx);
    tx_tell(&d.tx, dir, TX_HEAD);
    tell_oddities(&d, dir);
    if (fault != NULL)
        app_tell_event(app, fault, &d.tx, dir);
    tx_finish(&d.tx);
}

void
app_dns_datagram(struct app_layer *app, struct app_flow *flow, enum weir_dir dir,
                 struct weir_bytes bytes)
{
    on_message(app, flow, dir, bytes);
}

/* ---- over TCP */

static bool
on_body(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct app_conn *conn = ctx;

    (void)header;
    on_message(conn->app, conn->flow, conn->dir, body);
    return true;
}

static bool
open_dns(struct app_layer *app, struct app_conn *conn)
{
    (void)app;
    (void)conn;
    return true;
}

static void
feed(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, struct weir_bytes bytes)
{
    struct dns_conn *c = (struct dns_conn *)conn;

    if (!c->lost[dir])
        gather_feed(&c->gather[dir], &dns_over_tcp, app->at->pool, bytes, on_body, conn);
}

static void
gap(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, uint64_t n)
{
    struct dns_conn *c = (struct dns_conn *)conn;

    if (!c->lost[dir])
        c->lost[dir] = !gather_gap(&c->gather[dir], app->at->pool, n);
}

static bool
ended(const struct app_conn *conn, enum weir_dir dir)
{
    return ((const struct dns_conn *)conn)->lost[dir];
}

static void
close_dns(struct app_layer *app, struct app_conn *conn)
{
    struct dns_conn *c = (struct dns_conn *)conn;

    gather_reset(&c->gather[WEIR_TOSERVER], app->at->pool);
    gather_reset(&c->gather[WEIR_TOCLIENT], app->at->pool);
}

const struct app_ops app_dns = { .size = sizeof(struct dns_conn),
                                 .open = open_dns,
                                 .feed = feed,
                                 .gap = gap,
                                 .end = NULL,
                                 .pause = NULL,
                                 .ended = ended,
                                 .close = close_dns };

/* ---- buffers */

static int
section_of(enum weir_dir dir, enum buffer_id id)
{
    switch (id) {
    case BUFFER_DNS_QUERY:
        return dir == WEIR_TOSERVER ? DNS_QUESTION : -1;
    case BUFFER_DNS_QUERIES_RRNAME:
        return DNS_QUESTION;
    case BUFFER_DNS_ANSWERS_RRNAME:
        return DNS_ANSWER;
    case BUFFER_DNS_AUTHORITIES_RRNAME:
        return DNS_AUTHORITY;
    case BUFFER_DNS_ADDITIONALS_RRNAME:
        return DNS_ADDITIONAL;
    default:
        return -1;
    }
}

/* Whether a record's data is a name, or begins with one that is shown. */
static bool
is_name(unsigned type)
{
    switch (type) {
    case DNS_NS:
    case DNS_CNAME:
    case DNS_SOA:
    case DNS_PTR:
    case DNS_MX:
        return true;
    default:
        return false;
    }
}

/* All names of a response, of its questions too, and those in its data. */
static bool
build_names(struct tx *tx, const struct dns_message *msg)
{
    struct dns_walk walk = dns_records(msg);
    struct dns_record record;

    while (!tx->app->scratch.full && dns_next(&walk, &record)) {
        char text[DNS_NAME_MAX + 1];
        struct put put = put_begin(text, sizeof(text));

        build_add(tx->app, record.name.text, record.name.n);
        build_instance(tx->app);
        if (!is_name(record.type) || dns_rdata_text(&walk, &record, &put) != WEIR_E_OK)
            continue;
        build_add(tx->app, text, (uint32_t)put_length(&put));
        build_instance(tx->app);
    }
    tx->app->stats.text_cut += walk.data_pointers == 0;
    return true;
}

bool
dns_build(struct tx *tx, enum weir_dir dir, enum buffer_id id)
{
    const struct dns_tx *d = (const struct dns_tx *)tx;
    const int section = section_of(dir, id);
    struct dns_walk walk = dns_records(&d->msg);
    struct dns_record record;

    if (id == BUFFER_DNS_RESPONSE_RRNAME && dir == WEIR_TOCLIENT && tx->head[dir])
        return build_names(tx, &d->msg);
    if (section < 0 || !tx->head[dir])
        return false;
    while (!tx->app->scratch.full && dns_next(&walk, &record) && (int)record.section <= section) {
        if ((int)record.section != section)
            continue;
        build_add(tx->app, record.name.text, record.name.n);
        build_instance(tx->app);
    }
    return true;
}

static bool
rrtype(const struct app_layer *app, unsigned i, int64_t *out)
{
    if (i >= app->n_rrtypes)
        return false;
    *out = app->rrtype[i];
    return true;
}

static int64_t
version_bit(uint16_t version)
{
    if (version == SSL_2_0)
        return 1;
    if (tls_version_is_draft(version))
        version = TLS_1_3;
    return version >= SSL_3_0 && version <= TLS_1_3 ? INT64_C(2) << (version - SSL_3_0) : 0;
}

/* The version is that of the latest hello. */
static bool
tls_number(const struct tx *tx, enum weir_dir dir, enum number_id id, int64_t *out)
{
    struct tls_facts facts;

    if (id < NUMBER_TLS_HELLO || id > NUMBER_TLS_NOT_AFTER || !tx_tls(tx, &facts))
        return false;
    if (id == NUMBER_TLS_CHAIN) {
        *out = facts.chain;
        return facts.chain > 0 && dir == WEIR_TOCLIENT;
    }
    if (id == NUMBER_TLS_NOT_BEFORE || id == NUMBER_TLS_NOT_AFTER) {
        *out = id == NUMBER_TLS_NOT_BEFORE ? facts.not_before : facts.not_after;
        return facts.has_dates && dir == WEIR_TOCLIENT;
    }
    *out = id == NUMBER_TLS_HELLO     ? 1
           : id == NUMBER_TLS_VERSION ? version_bit(facts.version)
                                      : facts.version;
    return true;
}

bool
tx_number(struct tx *tx, enum weir_dir dir, enum number_id id, unsigned i, int64_t *out)
{
    const struct dns_tx *d = (const struct dns_tx *)tx;

    if (!tx->head[dir])
        return false;
    if (tx->proto == APP_HTTP)
        return id == NUMBER_FILE_SIZE && http_file_size(tx, dir, i, out);
    if (tx->proto == APP_TLS)
        return i == 0 && tls_number(tx, dir, id, out);
    if (tx->proto != APP_DNS || id > NUMBER_DNS_RRTYPE)
        return false;
    if (id == NUMBER_DNS_RRTYPE)
        return rrtype(tx->app, i, out);
    *out = id == NUMBER_DNS_OPCODE ? d->msg.opcode : d->msg.rcode;
    return i == 0;
}

const struct dns_message *
tx_dns(const struct tx *tx)
{
    return tx->proto == APP_DNS ? &((const struct dns_tx *)tx)->msg : NULL;
}
