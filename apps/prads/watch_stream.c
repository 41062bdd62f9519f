#include "watched.h"

#include "ja.h"
#include "x509.h"

#include <weir/flow.h>
#include <weir/tap.h>

#include <stdio.h>
#include <string.h>

/* Per cent: how sure a way of finding out is. */
enum {
    BY_SIGNATURE = 85,
    BY_PARSER = 90,
    BY_PORT = 20,
    BY_CONTENT = 60,
    BY_SNI = 60,
    BY_CERTIFICATE = 70
};

static struct detect_ports
ports_of(const struct weir_flow *flow, const struct watched *x)
{
    struct weir_tuple tuple;

    weir_flow_tuple(flow, &tuple);
    return (struct detect_ports){ .server = tuple.port[watch_turn(x, WEIR_TOCLIENT)],
                                  .client = tuple.port[watch_turn(x, WEIR_TOSERVER)],
                                  .midstream = weir_flow_midstream(flow) };
}

/* The server of the flow at hand. */
static void
see_server_name(struct watch *w, const struct watched *x, const char *source, const char *name,
                uint8_t confidence)
{
    struct weir_tuple tuple;

    weir_flow_tuple(w->ev->flow, &tuple);
    watch_see_name(w, tuple.ip_version, &tuple.addr[watch_turn(x, WEIR_TOCLIENT)], source, name,
                   confidence);
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static void
add_ja3(struct watch *w, struct sighting *s, const char *key, const struct put *text,
        char hash[JA_HASH])
{
    if (w->digest == NULL)
        return;
    ja3_hash(w->digest, text, hash);
    watch_detail(s, key, hash);
}

static void
client_hello(struct watch *w, struct watched *x, const struct tls_message *message)
{
    char ja3[JA3_MAX], hash[JA_HASH], ja4[JA4_MAX + 1], name[TEXT_MAX], alpn[TEXT_MAX];
    struct sighting s = { .fact = { .source = "tls", .confidence = BY_PARSER },
                          .evidence = "client hello" };
    struct put text = put_begin(ja3, sizeof(ja3)), four = put_begin(ja4, sizeof(ja4));
    struct tls_client_hello hello;
    struct weir_bytes list, first;

    if ((message->sslv2 ? tls_v2_hello_parse(message->body, &hello)
                        : tls_client_hello_parse(message->body, &hello)) != WEIR_E_OK)
        return;
    s.fact.value = tls_version_name(hello.version);
    if (ja3_text(&hello, &text) == WEIR_E_OK)
        add_ja3(w, &s, "ja3", &text, hash);
    if (w->digest != NULL && ja4_text(&hello, w->digest, &four) == WEIR_E_OK) {
        s.fact.value = ja4;
        watch_detail(&s, "ja4", ja4);
    }
    if (s.fact.value == NULL)
        return;
    watch_detail(&s, "server_name", watch_text(name, hello.server_name));
    list = hello.alpn;
    if (tls_next_name(&list, &first))
        watch_detail(&s, "alpn", watch_text(alpn, first));
    watch_see_service(w, x, message->direction, &s);
    see_server_name(w, x, "tls", name, BY_SNI);
}

static void
server_hello(struct watch *w, struct watched *x, const struct tls_message *message)
{
    char ja3[JA3_MAX], hash[JA_HASH], alpn[TEXT_MAX];
    struct sighting s = { .fact = { .source = "tls", .confidence = BY_PARSER },
                          .evidence = "server hello" };
    struct put text = put_begin(ja3, sizeof(ja3));
    struct tls_server_hello hello;

    if (tls_server_hello_parse(message->body, &hello) != WEIR_E_OK || hello.retry)
        return;
    s.fact.value = tls_version_name(hello.version);
    if (s.fact.value == NULL)
        return;
    if (ja3s_text(&hello, &text) == WEIR_E_OK)
        add_ja3(w, &s, "ja3s", &text, hash);
    watch_detail(&s, "alpn", watch_text(alpn, hello.alpn));
    watch_see_service(w, x, message->direction, &s);
}

static void
alt_names(struct watch *w, const struct watched *x, struct weir_bytes list)
{
    char text[TEXT_MAX];
    struct weir_bytes name;

    for (int i = 0; i < 8 && x509_next_dns_name(&list, &name); i++)
        see_server_name(w, x, "certificate", watch_text(text, name), BY_CERTIFICATE);
}

static void
certificate(struct watch *w, struct watched *x, const struct tls_message *message)
{
    char subject[TEXT_MAX], issuer[TEXT_MAX], serial[TEXT_MAX], hash[3 * DIGEST_MAX];
    struct sighting s = { .fact = { .source = "certificate", .confidence = BY_PARSER },
                          .evidence = "certificate" };
    struct put put[4] = { put_begin(subject, TEXT_MAX), put_begin(issuer, TEXT_MAX),
                          put_begin(serial, TEXT_MAX), put_begin(hash, sizeof(hash)) };
    uint8_t sha1[DIGEST_MAX];
    struct weir_bytes list, der;
    struct x509 cert;

    if (tls_certificates(message->body, &list) != WEIR_E_OK || !tls_next_certificate(&list, &der) ||
        x509_parse(der, &cert) != WEIR_E_OK)
        return;
    if (x509_name_text(cert.subject, &put[0]) != WEIR_E_OK)
        return;
    x509_name_text(cert.issuer, &put[1]);
    x509_serial_text(cert.serial, &put[2]);
    if (w->digest != NULL)
        digest_text(sha1, digest_of(w->digest, DIGEST_SHA1, der.p, der.n, sha1), ':', &put[3]);
    s.fact.value = watch_text(
        subject, (struct weir_bytes){ (uint8_t *)subject, (uint32_t)put_length(&put[0]) });
    watch_detail(&s, "issuer",
                 watch_text(issuer, (struct weir_bytes){ (uint8_t *)issuer,
                                                         (uint32_t)put_length(&put[1]) }));
    watch_detail(&s, "serial", serial);
    watch_detail(&s, "fingerprint", hash);
    watch_see_service(w, x, message->direction, &s);
    if (message->direction == WEIR_TOCLIENT)
        alt_names(w, x, cert.alt_names);
}

static void
take_tls(void *ctx, const struct tls_message *message)
{
    struct watched *x = ctx;

    if (message->sslv2 || message->type == TLS_CLIENT_HELLO)
        client_hello(x->watch, x, message);
    else if (message->type == TLS_SERVER_HELLO)
        server_hello(x->watch, x, message);
    else if (message->type == TLS_CERTIFICATE)
        certificate(x->watch, x, message);
}

/* ---- SSH ----------------------------------------------------------------------------------- */

static void
ssh_banner(struct watch *w, struct watched *x, const struct ssh_banner *banner)
{
    char value[TEXT_MAX], version[TEXT_MAX];
    struct sighting s = { .fact = { .source = "ssh", .confidence = BY_PARSER },
                          .evidence = "banner" };
    struct weir_bytes software = banner->software;

    if (banner->comment.n > 0) /* both are in one line */
        software.n = (uint32_t)(banner->comment.p + banner->comment.n - software.p);
    s.fact.value = watch_text(value, software);
    watch_detail(&s, "version", watch_text(version, banner->version));
    watch_see_service(w, x, w->parsing, &s);
}

static void
ssh_kexinit(struct watch *w, struct watched *x, const struct ssh_kexinit *kex)
{
    char list[TEXT_MAX], hash[SSH_HASSH];
    struct put text = put_begin(list, sizeof(list));
    struct sighting s = { .fact = { .source = "hassh", .value = hash, .confidence = BY_PARSER },
                          .evidence = "key exchange" };

    if (w->digest == NULL)
        return;
    ssh_hassh(w->digest, kex, w->parsing, hash);
    if (ssh_hassh_text(kex, w->parsing, &text) == WEIR_E_OK)
        watch_detail(&s, "algorithms", list);
    watch_see_service(w, x, w->parsing, &s);
}

static void
take_ssh(void *ctx, const struct ssh_banner *banner, const struct ssh_kexinit *kex)
{
    struct watched *x = ctx;

    if (banner != NULL)
        ssh_banner(x->watch, x, banner);
    else
        ssh_kexinit(x->watch, x, kex);
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static void
http_side(struct watch *w, struct watched *x, enum weir_dir dir, const struct http_event *event,
          const char *header)
{
    char value[TEXT_MAX], host[TEXT_MAX];
    struct sighting s = { .fact = { .source = "http", .confidence = BY_PARSER },
                          .evidence = header };
    struct weir_bytes found;

    if (!http_find(event, header, &found) || found.n == 0)
        return;
    s.fact.value = watch_text(value, found);
    watch_detail(&s, "host", watch_text(host, event->host));
    watch_see_service(w, x, dir, &s);
}

void
watch_http(void *ctx, const struct http_event *event)
{
    struct watched *x = ctx;

    /* the first of each tells: connections hardly ever change their programs */
    if (event->type == HTTP_REQUEST && !x->parsed[WEIR_TOSERVER]) {
        http_side(x->watch, x, WEIR_TOSERVER, event, "User-Agent");
        x->parsed[WEIR_TOSERVER] = true;
    } else if (event->type == HTTP_RESPONSE && !x->parsed[WEIR_TOCLIENT]) {
        http_side(x->watch, x, WEIR_TOCLIENT, event, "Server");
        x->parsed[WEIR_TOCLIENT] = true;
    }
}

/* ---- parsers ------------------------------------------------------------------------------- */

static bool
take_dns(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    struct watched *x = ctx;

    (void)header;
    watch_dns(x->watch, x, body);
    return true;
}

/* Give bytes of a direction to the parser; remember whether it needs more. */
static void
parse(struct watch *w, struct watched *x, enum weir_dir dir, struct weir_bytes bytes)
{
    if (x->parsed[dir])
        return;
    w->parsing = dir;
    switch (x->proto) {
    case APP_TLS:
        tls_feed(&x->parser.tls, w->at->pool, dir, bytes, take_tls, x);
        x->parsed[dir] = tls_ended(&x->parser.tls, dir);
        break;
    case APP_SSH:
        ssh_feed(&x->parser.ssh[dir], w->at->pool, bytes, take_ssh, x);
        x->parsed[dir] = x->parser.ssh[dir].state >= SSH_DONE;
        break;
    case APP_HTTP:
        http_feed(x->parser.http, dir, bytes);
        x->parsed[dir] |= http_ended(x->parser.http, dir);
        break;
    case APP_DNS:
        x->parsed[dir] = !gather_feed(&x->parser.dns[dir], &dns_over_tcp, w->at->pool, bytes,
                                      take_dns, x);
        break;
    default:
        x->parsed[dir] = true;
    }
}

static void
parse_gap(struct watch *w, struct watched *x, enum weir_dir dir, uint64_t n)
{
    if (x->parsed[dir])
        return;
    switch (x->proto) {
    case APP_TLS:
        tls_gap(&x->parser.tls, w->at->pool, dir, n);
        break;
    case APP_SSH:
        ssh_gap(&x->parser.ssh[dir], w->at->pool, n);
        break;
    case APP_HTTP:
        http_gap(x->parser.http, dir, n);
        break;
    case APP_DNS:
        x->parsed[dir] = !gather_gap(&x->parser.dns[dir], w->at->pool, n);
        break;
    default:
        break;
    }
}

void
watch_stream_end(struct watch *w, struct watched *x)
{
    switch (x->proto) {
    case APP_TLS:
        tls_end(&x->parser.tls, w->at->pool);
        break;
    case APP_SSH:
        ssh_end(&x->parser.ssh[WEIR_TOSERVER], w->at->pool);
        ssh_end(&x->parser.ssh[WEIR_TOCLIENT], w->at->pool);
        break;
    case APP_HTTP:
        http_close(x->parser.http);
        break;
    case APP_DNS:
        gather_reset(&x->parser.dns[WEIR_TOSERVER], w->at->pool);
        gather_reset(&x->parser.dns[WEIR_TOCLIENT], w->at->pool);
        break;
    default:
        break;
    }
    x->proto = APP_UNKNOWN;
}

/* What a direction brought until its protocol was known. More than is kept: it is given up. */
static void
parse_beginning(struct watch *w, struct watched *x, enum weir_dir dir)
{
    const enum weir_dir from = watch_turn(x, dir);
    int64_t n = weir_flow_next_offset(w->ev->flow, from);

    if (n <= 0)
        return;
    if (n > WATCH_BYTES || weir_flow_read(w->ev->flow, from, 0, w->bytes, (size_t)n) != (size_t)n)
        x->parsed[dir] = true;
    parse(w, x, dir, (struct weir_bytes){ w->bytes, (uint32_t)n });
}

/* The protocol is known: its parser gets both directions from the first byte on. */
static void
begin_parser(struct watch *w, struct watched *x, enum app_proto proto)
{
    memset(&x->parser, 0, sizeof(x->parser));
    x->proto = (uint8_t)proto;
    if (proto == APP_UNKNOWN)
        x->parsed[0] = x->parsed[1] = true;
    if (proto == APP_HTTP && (w->http == NULL || (x->parser.http = http_open(w->http, x)) == NULL))
        x->proto = APP_UNKNOWN;
    parse_beginning(w, x, WEIR_TOSERVER);
    parse_beginning(w, x, WEIR_TOCLIENT);
}

/* ---- signatures ---------------------------------------------------------------------------- */

static void
see_service(struct watch *w, struct watched *x, enum weir_dir dir, const char *service,
            const char *application, uint8_t confidence, const char *evidence)
{
    char value[TEXT_MAX];
    struct sighting s = { .fact = { .source = service, .confidence = confidence },
                          .evidence = evidence };

    s.fact.value = watch_text(
        value, (struct weir_bytes){ (const uint8_t *)application, (uint32_t)strlen(application) });
    watch_see_service(w, x, dir, &s);
}

/* The beginning of a direction, with what the event brings; shorter where it is not held. */
static struct weir_bytes
beginning(struct watch *w)
{
    const struct weir_event *ev = w->ev;
    int64_t end = ev->payload.offset + ev->payload.length;
    size_t n;

    if (ev->payload.offset == 0)
        return (struct weir_bytes){ ev->payload.data.p, ev->payload.data.n < WATCH_BYTES
                                                            ? ev->payload.data.n
                                                            : WATCH_BYTES };
    n = weir_flow_read(ev->flow, (enum weir_dir)ev->direction, 0, w->bytes,
                       end < WATCH_BYTES ? (size_t)end : WATCH_BYTES);
    return (struct weir_bytes){ w->bytes, (uint32_t)n };
}

static void
try_signatures(struct watch *w, struct watched *x)
{
    enum weir_dir dir = watch_turn(x, w->ev->direction);
    struct service_list *list = dir == WEIR_TOCLIENT ? w->opts.server : w->opts.client;
    struct weir_bytes bytes;
    struct service_hit hit;

    if (list == NULL || x->named[dir] || x->looks[dir] == WATCH_LOOKS ||
        w->ev->payload.offset >= WATCH_BYTES)
        return;
    x->looks[dir]++;
    bytes = beginning(w);
    if (service_match(list, bytes.p, bytes.n, &hit))
        see_service(w, x, dir, hit.service, hit.application, BY_SIGNATURE, "signature");
}

void
watch_name_anyhow(struct watch *w, struct watched *x, enum weir_dir dir)
{
    const char *custom = service_of_port(WEIR_PROTO_TCP, ports_of(w->ev->flow, x).server);
    const char *protocol = app_proto_name(x->detect.answer);
    char value[32];

    if (x->named[dir])
        return;
    snprintf(value, sizeof(value), "@%s", protocol);
    if (x->detect.answer > APP_UNKNOWN)
        see_service(w, x, dir, protocol, value, BY_CONTENT, "content");
    else if (custom != NULL)
        see_service(w, x, dir, "unknown", custom, BY_PORT, "port");
}

/* ---- events -------------------------------------------------------------------------------- */

static bool
has_looked(const struct watch *w, const struct watched *x, enum weir_dir dir)
{
    return x->named[dir] || x->looks[dir] == WATCH_LOOKS ||
           weir_flow_next_offset(w->ev->flow, watch_turn(x, dir)) >= WATCH_BYTES ||
           (dir == WEIR_TOCLIENT ? w->opts.server : w->opts.client) == NULL;
}

/* Both directions have told what they can: only the end is waited for. */
static void
stop_if_done(struct watch *w, struct watched *x)
{
    bool done = true;

    for (int dir = 0; dir < 2; dir++) {
        int64_t next = weir_flow_next_offset(w->ev->flow, watch_turn(x, (unsigned)dir));

        if (next >= WATCH_PARSED)
            x->parsed[dir] = true;
        if (has_looked(w, x, (enum weir_dir)dir) && x->parsed[dir])
            watch_name_anyhow(w, x, (enum weir_dir)dir);
        else
            done = false;
    }
    if (!done)
        return;
    watch_stream_end(w, x);
    weir_tap_want(w->ev->tap, WEIR_EV_BIT(WEIR_EV_FLOW_END) |
                                  (watch_wants_packets(w) ? WEIR_EV_BIT(WEIR_EV_PACKET) : 0));
}

/* What is by direction changes places. */
static void
swap_sides(struct watched *x)
{
    const uint8_t looks = x->looks[0];
    const bool named = x->named[0], parsed = x->parsed[0];

    x->swapped = !x->swapped;
    x->detect.swapped = false;
    x->looks[0] = x->looks[1];
    x->looks[1] = looks;
    x->named[0] = x->named[1];
    x->named[1] = named;
    x->parsed[0] = x->parsed[1];
    x->parsed[1] = parsed;
}

void
watch_guess_sides(struct watch *w, struct watched *x)
{
    const struct detect_ports ports = ports_of(w->ev->flow, x);

    x->swapped = service_of_port(WEIR_PROTO_TCP, ports.server) == NULL &&
                 service_of_port(WEIR_PROTO_TCP, ports.client) != NULL;
}

/* By the bytes at hand, and those before; who is the server, too, where nobody saw who began. */
static enum app_proto
detect(struct watch *w, struct watched *x)
{
    enum app_proto proto = detect_stream(&x->detect, ports_of(w->ev->flow, x),
                                         watch_turn(x, w->ev->direction), w->ev->payload.data);

    if (x->detect.swapped)
        swap_sides(x);
    return proto;
}

void
watch_payload(struct watch *w, struct watched *x)
{
    const bool known = x->proto != APP_UNKNOWN_YET;
    const enum app_proto proto = known ? x->proto : detect(w, x);

    try_signatures(w, x);
    if (known)
        parse(w, x, watch_turn(x, w->ev->direction), w->ev->payload.data);
    else if (proto != APP_UNKNOWN_YET)
        begin_parser(w, x, proto);
    stop_if_done(w, x);
}

void
watch_gap(struct watch *w, struct watched *x)
{
    enum weir_dir dir = watch_turn(x, w->ev->direction);

    if (x->proto != APP_UNKNOWN_YET)
        parse_gap(w, x, dir, (uint64_t)w->ev->gap.length);
    else if (detect_gap(&x->detect, ports_of(w->ev->flow, x), dir) == APP_UNKNOWN)
        x->parsed[0] = x->parsed[1] = true;
}
