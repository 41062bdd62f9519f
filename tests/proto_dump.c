/*
 * Prints what the parsers of proto/ find in captures, a value a line with the number of its packet:
 * proto_dump FILE... For whole runs (tests/verify/proto-*) and .ci/proto.py; it also shows how the
 * parts of proto/ go together.
 */
#include "detect_proto.h"
#include "dhcp.h"
#include "dns.h"
#include "http.h"
#include "ja.h"
#include "ssh.h"
#include "tls.h"
#include "x509.h"

#include <weir/monitor.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes of a direction that detection may want to see again when it has an answer. */
enum { HISTORY = 65536 };

struct conn {
    struct detect_proto detect;
    struct detect_first first;
    struct tls tls;
    struct ssh_side ssh[2];
    struct gather dns[2];
    bool dns_lost[2];
    struct http_flow *http;
    bool http_tried;
};

struct dump {
    struct pool *pool;
    struct digest *digest;
    struct http *http;
    const struct weir_event *ev; /* at hand */
    enum weir_dir dir;           /* of the bytes that a parser reads */
};

static void
line(const struct dump *d, const char *name, struct weir_bytes bytes)
{
    printf("%" PRIu64 "\t%s\t", d->ev->number, name);
    for (uint32_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] > 0x20 && bytes.p[i] < 0x7f && bytes.p[i] != '\\')
            putchar(bytes.p[i]);
        else
            printf("\\x%02x", bytes.p[i]);
    putchar('\n');
}

static void
text_line(const struct dump *d, const char *name, const struct put *put)
{
    line(d, name, (struct weir_bytes){ (const uint8_t *)put->start, (uint32_t)put_length(put) });
}

/* ---- DNS */

static void
dns_message(const struct dump *d, const uint8_t *p, size_t n)
{
    struct dns_message msg;
    struct dns_record record;
    struct dns_walk walk;

    if (dns_parse(p, n, &msg) != WEIR_E_OK)
        return;
    for (walk = dns_records(&msg); dns_next(&walk, &record);) {
        char text[1024];
        struct put put = put_begin(text, sizeof(text));

        line(d, record.section == DNS_QUESTION ? "dns.qry" : "dns.rr",
             (struct weir_bytes){ (const uint8_t *)record.name.text, record.name.n });
        if (record.section != DNS_QUESTION && (record.type == DNS_A || record.type == DNS_AAAA) &&
            dns_rdata_text(&walk, &record, &put) == WEIR_E_OK)
            text_line(d, record.type == DNS_A ? "dns.a" : "dns.aaaa", &put);
    }
    if (walk.rc != WEIR_E_OK)
        line(d, "dns.bad", (struct weir_bytes){ NULL, 0 });
}

static bool
on_dns(void *ctx, const uint8_t *header, struct weir_bytes body)
{
    (void)header;
    dns_message(ctx, body.p, body.n);
    return true;
}

/* ---- TLS */

static void
client_hello(const struct dump *d, const struct tls_message *m)
{
    char text[JA3_MAX], hash[JA_HASH];
    struct put put = put_begin(text, sizeof(text));
    struct tls_client_hello hello;

    if ((m->sslv2 ? tls_v2_hello_parse : tls_client_hello_parse)(m->body, &hello) != WEIR_E_OK) {
        line(d, "tls.bad", (struct weir_bytes){ NULL, 0 });
        return;
    }
    if (hello.server_name.n > 0)
        line(d, "tls.sni", hello.server_name);
    if (d->digest == NULL || ja3_text(&hello, &put) != WEIR_E_OK)
        return;
    ja3_hash(d->digest, &put, hash);
    put = put_begin(text, sizeof(text));
    put_str(&put, hash);
    text_line(d, "tls.ja3", &put);
    put = put_begin(text, sizeof(text));
    if (ja4_text(&hello, d->digest, &put) == WEIR_E_OK)
        text_line(d, "tls.ja4", &put);
}

static void
server_hello(const struct dump *d, const struct tls_message *m)
{
    char text[JA3_MAX], hash[JA_HASH];
    struct put put = put_begin(text, sizeof(text));
    struct tls_server_hello hello;

    if (d->digest == NULL || tls_server_hello_parse(m->body, &hello) != WEIR_E_OK ||
        ja3s_text(&hello, &put) != WEIR_E_OK)
        return;
    ja3_hash(d->digest, &put, hash);
    put = put_begin(text, sizeof(text));
    put_str(&put, hash);
    text_line(d, "tls.ja3s", &put);
}

static void
certificates(const struct dump *d, const struct tls_message *m)
{
    struct weir_bytes list, der;

    if (tls_certificates(m->body, &list) != WEIR_E_OK)
        return;
    while (tls_next_certificate(&list, &der)) {
        char text[2048];
        struct put put = put_begin(text, sizeof(text));
        struct x509 cert;

        if (x509_parse(der, &cert) != WEIR_E_OK)
            line(d, "cert.bad", (struct weir_bytes){ NULL, 0 });
        x509_serial_text(cert.serial, &put);
        text_line(d, "cert.serial", &put);
        put = put_begin(text, sizeof(text));
        x509_name_text(cert.subject, &put);
        text_line(d, "cert.subject", &put);
    }
}

static void
on_tls(void *ctx, const struct tls_message *m)
{
    if (m->type == TLS_CLIENT_HELLO)
        client_hello(ctx, m);
    else if (m->type == TLS_SERVER_HELLO)
        server_hello(ctx, m);
    else if (m->type == TLS_CERTIFICATE)
        certificates(ctx, m);
}

/* ---- SSH, HTTP, DHCP */

static void
on_ssh(void *ctx, const struct ssh_banner *banner, const struct ssh_kexinit *kex)
{
    struct dump *d = ctx;
    char hash[SSH_HASSH];

    if (banner != NULL) {
        line(d, "ssh.banner", banner->line);
        return;
    }
    if (d->digest == NULL)
        return;
    ssh_hassh(d->digest, kex, d->dir, hash);
    line(d, d->dir == WEIR_TOSERVER ? "ssh.hassh" : "ssh.hasshserver",
         (struct weir_bytes){ (const uint8_t *)hash, sizeof(hash) - 1 });
}

static void
on_http(void *ctx, const struct http_event *ev)
{
    struct weir_bytes value;

    if (ev->type == HTTP_REQUEST) {
        line(ctx, "http.uri", ev->uri);
        if (http_find(ev, "user-agent", &value))
            line(ctx, "http.ua", value);
    } else if (ev->type == HTTP_RESPONSE) {
        line(ctx, "http.status", ev->status_text);
        if (http_find(ev, "server", &value))
            line(ctx, "http.server", value);
    }
}

static void
dhcp_message(const struct dump *d, struct weir_bytes bytes)
{
    struct dhcp_message m;

    if (dhcp_parse(bytes.p, bytes.n, &m) == WEIR_E_MALFORMED)
        return;
    if (m.hostname.p != NULL)
        line(d, "dhcp.hostname", m.hostname);
    if (m.vendor_class.p != NULL)
        line(d, "dhcp.vendor", m.vendor_class);
}

/* ---- flows */

static struct detect_ports
ports_of(const struct weir_event *ev)
{
    struct weir_tuple t;

    weir_flow_tuple(ev->flow, &t);
    return (struct detect_ports){ .server = t.port[1],
                                  .client = t.port[0],
                                  .midstream = weir_flow_midstream(ev->flow) };
}

static void
open_http(struct dump *d, struct conn *c)
{
    c->http_tried = true;
    if (d->http != NULL)
        c->http = http_open(d->http, d);
    for (unsigned dir = 0; c->http != NULL && dir < 2; dir++)
        if (c->detect.cut[dir ^ c->detect.swapped])
            http_gap(c->http, (enum weir_dir)dir, 1);
}

static void
feed(struct dump *d, struct conn *c, enum weir_dir dir, struct weir_bytes bytes)
{
    if (c->detect.swapped)
        dir = dir == WEIR_TOSERVER ? WEIR_TOCLIENT : WEIR_TOSERVER;
    d->dir = dir;
    switch (c->detect.answer) {
    case APP_TLS:
        tls_feed(&c->tls, d->pool, dir, bytes, on_tls, d);
        break;
    case APP_SSH:
        ssh_feed(&c->ssh[dir], d->pool, bytes, on_ssh, d);
        break;
    case APP_DNS:
        if (!c->dns_lost[dir])
            gather_feed(&c->dns[dir], &dns_over_tcp, d->pool, bytes, on_dns, d);
        break;
    case APP_HTTP:
        if (!c->http_tried)
            open_http(d, c);
        if (c->http != NULL)
            http_feed(c->http, dir, bytes);
        break;
    default:
        break;
    }
}

/* What came before the answer; the client's first. */
static void
feed_earlier(struct dump *d, struct conn *c, const struct weir_event *ev)
{
    static uint8_t bytes[HISTORY];

    for (unsigned dir = 0; dir < 2; dir++) {
        const int64_t next = dir == ev->direction
                                 ? ev->payload.offset
                                 : weir_flow_next_offset(ev->flow, (enum weir_dir)dir);
        size_t n = next > 0 ? (size_t)next : 0;

        if (n > 0 && n <= HISTORY && !c->detect.cut[dir])
            n = weir_flow_read(ev->flow, (enum weir_dir)dir, 0, bytes, n);
        else
            n = 0;
        feed(d, c, (enum weir_dir)dir, (struct weir_bytes){ bytes, (uint32_t)n });
    }
}

static void
on_payload(struct dump *d, struct conn *c, const struct weir_event *ev)
{
    const enum weir_dir dir = (enum weir_dir)ev->direction;

    if (c->detect.answer == APP_UNKNOWN_YET) {
        c->detect.first = &c->first;
        if (detect_stream(&c->detect, ports_of(ev), dir, ev->payload.data) <= APP_UNKNOWN)
            return;
        feed_earlier(d, c, ev);
    }
    feed(d, c, dir, ev->payload.data);
}

static void
on_gap(struct dump *d, struct conn *c, const struct weir_event *ev)
{
    const uint64_t n = (uint64_t)ev->gap.length;
    enum weir_dir dir = (enum weir_dir)ev->direction;

    c->detect.first = &c->first;
    detect_gap(&c->detect, ports_of(ev), dir);
    if (c->detect.swapped)
        dir = dir == WEIR_TOSERVER ? WEIR_TOCLIENT : WEIR_TOSERVER;
    tls_gap(&c->tls, d->pool, dir, n);
    ssh_gap(&c->ssh[dir], d->pool, n);
    if (!gather_gap(&c->dns[dir], d->pool, n))
        c->dns_lost[dir] = true;
    if (c->http != NULL)
        http_gap(c->http, dir, n);
}

static void
on_datagram(struct dump *d, const struct weir_event *ev)
{
    const struct weir_bytes bytes = ev->datagram.data;

    switch (detect_datagram(ports_of(ev), (enum weir_dir)ev->direction, bytes)) {
    case APP_DNS:
        dns_message(d, bytes.p, bytes.n);
        break;
    case APP_DHCP:
        dhcp_message(d, bytes);
        break;
    default:
        break;
    }
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct dump *d = ev->app;
    struct conn *c = ctx;

    d->ev = ev;
    if (ev->type == WEIR_EV_PAYLOAD) {
        on_payload(d, c, ev);
    } else if (ev->type == WEIR_EV_GAP) {
        on_gap(d, c, ev);
    } else if (ev->type == WEIR_EV_DATAGRAM && weir_flow_proto(ev->flow) == WEIR_PROTO_UDP) {
        on_datagram(d, ev);
    } else if (ev->type == WEIR_EV_FLOW_END) {
        http_close(c->http);
        c->http = NULL;
        tls_end(&c->tls, d->pool);
        for (unsigned dir = 0; dir < 2; dir++) {
            ssh_end(&c->ssh[dir], d->pool);
            gather_reset(&c->dns[dir], d->pool);
        }
    }
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static const struct weir_tap_spec spec = { .stage = stages,
                                           .n_stages = 1,
                                           .want = WEIR_EV_BIT(WEIR_EV_PAYLOAD) |
                                                   WEIR_EV_BIT(WEIR_EV_GAP) |
                                                   WEIR_EV_BIT(WEIR_EV_DATAGRAM) |
                                                   WEIR_EV_BIT(WEIR_EV_FLOW_END) };

static int
dump_file(struct dump *d, const char *path)
{
    const struct weir_monitor_opts opts = { .no_checksums = true };
    const struct weir_app app = { .name = "dump",
                                  .spec = &spec,
                                  .flow_size = sizeof(struct conn),
                                  .history = HISTORY,
                                  .arg = d };
    struct weir_errbuf err = { "" };
    struct weir_monitor *m = NULL;
    struct weir_port *port = NULL;
    int rc = weir_port_open_file(path, NULL, &port, &err);

    if (rc == WEIR_E_OK)
        rc = weir_monitor_new(&opts, &m);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(m, &app);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_run(m, port, &err);
    if (m != NULL)
        weir_monitor_end(m);
    weir_monitor_free(m);
    weir_port_close(port);
    if (rc != WEIR_E_OK)
        fprintf(stderr, "%s: %s %s\n", path, weir_strerror(rc), err.text);
    return rc;
}

int
main(int argc, char **argv)
{
    struct dump d = { .pool = NULL };
    int rc = pool_new(16 << 20, &d.pool);

    (void)digest_new(&d.digest);            /* without it there are no fingerprints, */
    (void)http_new(NULL, on_http, &d.http); /* without it no HTTP */
    for (int i = 1; rc == WEIR_E_OK && i < argc; i++)
        rc = dump_file(&d, argv[i]);
    if (d.pool != NULL) {
        const struct pool_stats *stats = pool_stats(d.pool);
        char too_long[POOL_TEXT];

        pool_put_too_long(stats, too_long);
        printf("0\tpool\texhausted=%" PRIu64 ",too_long=%s,gathered=%" PRIu64 ",lost=%" PRIu64 "\n",
               stats->exhausted, too_long, stats->gathered, stats->lost);
    }
    http_free(d.http);
    digest_free(d.digest);
    pool_free(d.pool);
    return rc == WEIR_E_OK ? 0 : 1;
}
