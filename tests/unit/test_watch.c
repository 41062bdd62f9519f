/* weir-prads' app: what it says of hosts, in both logs, by frames that are fed to a monitor. */
#include "watched.h"

#include "support/capture_out.h"
#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT = WEIR_TOSERVER, SERVER = WEIR_TOCLIENT, START = 1700000000, TEXT = 1 << 18 };

#define S WEIR_TH_SYN
#define A WEIR_TH_ACK
#define F WEIR_TH_FIN

struct fixture {
    struct watch_opts opts;
    struct watch *watch;
    struct weir_monitor *m;
    struct out log, json;
    int log_fd, json_fd;
    unsigned blocks; /* of the pool, free at the beginning */
    uint64_t ms;     /* packet time, since START */
    uint32_t seq[2];
    uint16_t port[2];
    const uint8_t *around; /* bytes between Ethernet's addresses and IP, with the type */
    size_t n_around;
    bool six, extension;
    char log_text[TEXT], json_text[TEXT];
};

#define QUESTION "\0\1\1\0\0\1\0\0\0\0\0\0\3www\1x\0\0\1\0\1"

/* ---- frames, whose checksums nobody verifies ------------------------------------------------ */

static void
put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void
feed(struct fixture *f, const uint8_t *data, size_t n)
{
    struct weir_frame frame = { .data = data,
                                .caplen = (uint32_t)n,
                                .wirelen = (uint32_t)n,
                                .time = START * UINT64_C(1000000000) + f->ms * 1000000,
                                .link = 1 };

    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
    f->ms += 10;
}

/* 10.0.0.1 and .2, or 2001:db8::1 and ::2, with an extension header where it is wanted. */
static size_t
put_ip(const struct fixture *f, uint8_t *ip, unsigned dir, uint8_t proto, size_t n)
{
    const size_t more = f->extension ? 8 : 0;

    if (!f->six) {
        memcpy(ip, "\x45\0\0\0\0\1\x40\0\x40\0\0\0\x0a\0\0\1\x0a\0\0\2", 20);
        put16(ip + 2, (unsigned)(20 + n));
        ip[9] = proto;
        ip[15] = dir == CLIENT ? 1 : 2;
        ip[19] = dir == CLIENT ? 2 : 1;
        return 20;
    }
    memset(ip, 0, 48);
    ip[0] = 0x60;
    put16(ip + 4, (unsigned)(n + more));
    ip[6] = f->extension ? 60 : proto;
    ip[7] = 64;
    memcpy(ip + 8, "\x20\1\x0d\xb8", 4);
    memcpy(ip + 24, "\x20\1\x0d\xb8", 4);
    ip[23] = dir == CLIENT ? 1 : 2;
    ip[39] = dir == CLIENT ? 2 : 1;
    ip[40] = proto;
    return 40 + more;
}

static size_t
begin(const struct fixture *f, uint8_t *frame, unsigned dir, uint8_t proto, size_t n)
{
    const uint8_t *around = f->around;
    size_t at = 12;

    memset(frame, 0, 12);
    if (around != NULL) {
        memcpy(frame + at, around, f->n_around);
        at += f->n_around;
    } else {
        put16(frame + at, f->six ? 0x86dd : 0x0800);
        at += 2;
    }
    return at + put_ip(f, frame + at, dir, proto, n);
}

/* A segment from an offset of the stream on; -1: the SYN. */
static void
segment(struct fixture *f, unsigned dir, uint8_t flags, int64_t offset, const void *data, size_t n)
{
    uint8_t frame[2000], *tcp;
    size_t options = flags & S ? 4 : 0, head = 20 + options;
    size_t at = begin(f, frame, dir, WEIR_PROTO_TCP, head + n);
    uint32_t seq = 1001 + (uint32_t)offset, ack = 1001 + f->seq[!dir];

    tcp = frame + at;
    memset(tcp, 0, head);
    put16(tcp, f->port[dir]);
    put16(tcp + 2, f->port[!dir]);
    put16(tcp + 4, seq >> 16);
    put16(tcp + 6, seq & 0xffff);
    if (flags & A) {
        put16(tcp + 8, ack >> 16);
        put16(tcp + 10, ack & 0xffff);
    }
    tcp[12] = (uint8_t)(head / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, 65535);
    if (options > 0)
        memcpy(tcp + 20, "\2\4\5\xb4", 4);
    memcpy(tcp + head, data, n);
    feed(f, frame, at + head + n);
}

static void
handshake(struct fixture *f, uint16_t client, uint16_t server)
{
    f->port[CLIENT] = client;
    f->port[SERVER] = server;
    f->seq[0] = f->seq[1] = 0;
    segment(f, CLIENT, S, -1, "", 0);
    segment(f, SERVER, S | A, -1, "", 0);
    segment(f, CLIENT, A, 0, "", 0);
}

/* The next bytes of a side, acknowledged by the other. */
static void
say(struct fixture *f, unsigned dir, const void *data, size_t n)
{
    segment(f, dir, A, f->seq[dir], data, n);
    f->seq[dir] += (uint32_t)n;
    segment(f, !dir, A, f->seq[!dir], "", 0);
}

#define SAY(f, dir, literal) say(f, dir, literal, sizeof(literal) - 1)

static void
hang_up(struct fixture *f)
{
    segment(f, CLIENT, F | A, f->seq[CLIENT]++, "", 0);
    segment(f, SERVER, F | A, f->seq[SERVER]++, "", 0);
    segment(f, CLIENT, A, f->seq[CLIENT], "", 0);
}

static void
datagram(struct fixture *f, unsigned dir, uint16_t from, uint16_t to, const void *data, size_t n)
{
    uint8_t frame[2000];
    size_t at = begin(f, frame, dir, WEIR_PROTO_UDP, 8 + n);

    put16(frame + at, from);
    put16(frame + at + 2, to);
    put16(frame + at + 4, (unsigned)(8 + n));
    put16(frame + at + 6, 0);
    memcpy(frame + at + 8, data, n);
    feed(f, frame, at + 8 + n);
}

static void
icmp6(struct fixture *f, const void *data, size_t n, uint8_t hops)
{
    uint8_t frame[2000];
    size_t at;

    f->six = true;
    at = begin(f, frame, CLIENT, WEIR_PROTO_ICMPV6, n);
    frame[14 + 7] = hops;
    memcpy(frame + at, data, n);
    feed(f, frame, at + n);
}

static void
arp(struct fixture *f, uint8_t op, const char *sender)
{
    uint8_t frame[80] = { [6] = 2, [11] = 1, [12] = 8, [13] = 6 };
    size_t at = 12;

    if (f->around != NULL) {
        memcpy(frame + at, f->around, f->n_around);
        at += f->n_around - 2;
    }
    memcpy(frame + at, "\x08\6\0\1\x08\0\6\4\0", 9);
    frame[at + 9] = op;
    memcpy(frame + at + 10, "\2\0\0\0\0\1", 6);
    memcpy(frame + at + 16, sender, 4);
    memcpy(frame + at + 26, "\x0a\0\0\x63", 4);
    feed(f, frame, sizeof(frame));
}

/* ---- runs ----------------------------------------------------------------------------------- */

/* How many blocks of all sizes are free: they are taken, and given back. */
static unsigned
blocks_of(struct pool *pool)
{
    static const size_t sizes[POOL_SIZES] = { POOL_SMALL, POOL_MIDDLE, POOL_LARGE };
    static uint8_t *held[POOL_MIN_BYTES / POOL_SMALL];
    unsigned n = 0;
    uint32_t room;

    for (unsigned i = POOL_SIZES; i-- > 0;)
        while (n < sizeof(held) / sizeof(*held) &&
               (held[n] = pool_take(pool, sizes[i], &room)) != NULL)
            n++;
    for (unsigned i = 0; i < n; i++)
        pool_give(pool, held[i]);
    return n;
}

static unsigned
free_blocks(const struct watch *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->shares.n; i++)
        n += blocks_of(w->shares.at[i].pool);
    return n;
}

static void
start(struct fixture *f)
{
    const struct weir_monitor_opts opts = { .no_checksums = true };
    struct weir_errbuf err = { "" };

    f->opts.report = (struct report){ .log = &f->log, .json = &f->json };
    assert_int_equal(watch_new(&f->opts, &f->watch, &err), WEIR_E_OK);
    assert_int_equal(weir_monitor_new(&opts, &f->m), WEIR_E_OK);
    assert_int_equal(watch_add(&f->watch, f->m), WEIR_E_OK);
    f->blocks = free_blocks(f->watch);
    assert_true(f->blocks > 100);
}

/* For tests that libhtp is needed for. */
static void
start_http(struct fixture *f)
{
    start(f);
    if (f->watch->http == NULL)
        skip();
}

static void
capture(struct out *out, int fd, char text[TEXT])
{
    assert_true(out_flush(out));
    capture_fd = fd;
    assert_true(capture_text(text, TEXT) < TEXT - 1);
}

/* Every line of a log is whole: printable, and of the form. */
static void
lines_are_whole(const char *text, const char *begin, const char *end)
{
    size_t n_begin = strlen(begin), n_end = strlen(end);

    for (size_t n; *text != '\0'; text += n + 1) {
        n = strcspn(text, "\n");
        assert_int_equal(text[n], '\n');
        for (size_t i = 0; i < n; i++)
            assert_true((uint8_t)text[i] >= ' ' && text[i] != 0x7f);
        assert_true(n > n_begin + n_end && memcmp(text, begin, n_begin) == 0);
        assert_memory_equal(text + n - n_end, end, n_end);
    }
}

/* The end of the run: all is given back, and both logs are read. */
static void
finish(struct fixture *f)
{
    weir_monitor_end(f->m);
    assert_int_equal(free_blocks(f->watch), f->blocks);
    watch_end(f->watch);
    capture(&f->log, f->log_fd, f->log_text);
    capture(&f->json, f->json_fd, f->json_text);
    lines_are_whole(f->log_text, "", "");
    lines_are_whole(f->json_text, "{\"timestamp\":\"20", "}}");
}

static int
set_up(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    f.opts.checks = CHECKS_ALL &
                    ~(CHECK_BIT(CHECK_SYN) | CHECK_BIT(CHECK_SYNACK) | CHECK_BIT(CHECK_FIN) |
                      CHECK_BIT(CHECK_RST) | CHECK_BIT(CHECK_ACK) | CHECK_BIT(CHECK_UDP) |
                      CHECK_BIT(CHECK_ICMP));
    capture_open(&f.log);
    f.log_fd = capture_fd;
    capture_open(&f.json);
    f.json_fd = capture_fd;
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    weir_monitor_free(f->m);
    watch_free(f->watch);
    service_list_free(f->opts.server);
    service_list_free(f->opts.client);
    service_list_free(f->opts.udp);
    p0f_list_free(f->opts.stacks);
    mac_list_free(f->opts.macs);
    capture_fd = f->log_fd;
    capture_close(&f->log);
    capture_fd = f->json_fd;
    capture_close(&f->json);
    return 0;
}

/* The asset log, without times: ",1700000000" at each line's end. */
static void
log_is(struct fixture *f, const char *expected)
{
    char *to = f->log_text;

    for (const char *p = f->log_text; *p != '\0';) {
        size_t n = strcspn(p, "\n"), kept = n;

        while (kept > 0 && p[kept - 1] != ',')
            kept--;
        memmove(to, p, kept - 1);
        to[kept - 1] = '\n';
        to += kept;
        p += n + 1;
    }
    *to = '\0';
    assert_string_equal(f->log_text, expected);
}

static unsigned
count(const char *text, const char *part)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
        n++;
    return n;
}

/* A part of a line of assets.json, with those behind it in the same line; NULL ends them. */
static void
json_has(struct fixture *f, const char *part, ...)
{
    const char *line = f->json_text;
    char copy[8192];

    for (size_t n; *line != '\0'; line += n + 1) {
        bool all = true;
        va_list parts;

        n = strcspn(line, "\n");
        snprintf(copy, sizeof(copy), "%.*s", (int)n, line);
        va_start(parts, part);
        for (const char *p = part; p != NULL && all; p = va_arg(parts, const char *))
            all = strstr(copy, p) != NULL;
        va_end(parts);
        if (all)
            return;
    }
    fail_msg("no line with '%s' in:\n%s", part, f->json_text);
}

#define HOST1 "\"ip\":\"10.0.0.1\""
#define HOST2 "\"ip\":\"10.0.0.2\""
#define NEW   "\"change\":\"new\""

/* ---- SSH ------------------------------------------------------------------------------------ */

static void
banners_are_put_together(void **state)
{
    struct fixture *f = *state;

    start(f);
    handshake(f, 40000, 22);
    segment(f, SERVER, A, 12, "SSH_9.2p1 De", 12); /* the middle, the end, the beginning */
    segment(f, SERVER, A, 24, "bian-2\r\n", 8);
    segment(f, SERVER, A, 0, "SSH-2.0-Open", 12);
    f->seq[SERVER] = 32;
    segment(f, CLIENT, A, 0, "", 0);
    SAY(f, CLIENT, "SSH-2.0-PuTTY");
    SAY(f, CLIENT, "_Release_0.79\r\n");
    hang_up(f);
    finish(f);
    log_is(f, "10.0.0.2,0,22,6,SERVER,[ssh:OpenSSH_9.2p1 Debian-2],0\n"
              "10.0.0.1,0,22,6,CLIENT,[ssh:PuTTY_Release_0.79],0\n");
    json_has(f, NEW, HOST2, "\"kind\":\"server\",\"proto\":\"TCP\",\"port\":22,\"source\":\"ssh\"",
             "\"value\":\"OpenSSH_9.2p1 Debian-2\"", "\"evidence\":\"banner\"",
             "\"details\":{\"version\":\"2.0\"}", NULL);
    json_has(f, "\"change\":\"end\",\"reason\":\"eof\"", HOST1, "PuTTY", "\"seen\":1", NULL);
    assert_int_equal(count(f->json_text, "\n"), 4);
}

/* What is behind a gap may be anything: only the port speaks. */
static void
a_banner_behind_a_gap_is_none(void **state)
{
    struct fixture *f = *state;

    start(f);
    handshake(f, 40000, 22);
    segment(f, SERVER, A, 5, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
    f->seq[SERVER] = 28;
    segment(f, CLIENT, A, 0, "", 0); /* acknowledged: it was there */
    SAY(f, CLIENT, "SSH-2.0-PuTTY\r\n");
    hang_up(f);
    finish(f);
    json_has(f, HOST2, "\"value\":\"@ssh\"", "\"confidence\":60", NULL);
    json_has(f, HOST1, "\"value\":\"PuTTY\"", NULL);
    assert_null(strstr(f->json_text, "OpenSSH"));
}

/* A gap within the banner. */
static void
a_banner_with_a_gap_is_none(void **state)
{
    struct fixture *f = *state;

    start(f);
    handshake(f, 40000, 22);
    SAY(f, SERVER, "SSH-2.0-Op");
    f->seq[SERVER] += 4;
    segment(f, SERVER, A, 14, "H_9.2p1\r\n", 9);
    f->seq[SERVER] += 9;
    segment(f, CLIENT, A, 0, "", 0);
    hang_up(f);
    finish(f);
    log_is(f, "10.0.0.2,0,22,6,SERVER,[ssh:@ssh],0\n");
}

/* ---- streams without their beginning -------------------------------------------------------- */

static void
midstream_the_answer_tells_the_server(void **state)
{
    struct fixture *f = *state;

    start_http(f);
    f->port[CLIENT] = 40000;
    f->port[SERVER] = 8088; /* no port that custom knows */
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: example/1\r\nContent-Length: 0\r\n\r\n");
    SAY(f, CLIENT, "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: agent/2\r\n\r\n");
    finish(f);
    log_is(f, "10.0.0.2,0,8088,6,SERVER,[http:example/1],0\n"
              "10.0.0.1,0,8088,6,CLIENT,[http:agent/2],0\n");
}

static void
midstream_the_port_tells_the_server(void **state)
{
    struct fixture *f = *state;

    start(f);
    f->port[CLIENT] = 40000;
    f->port[SERVER] = 22;
    SAY(f, SERVER, "SSH-2.0-OpenSSH_9.2p1\r\n");
    SAY(f, CLIENT, "SSH-2.0-PuTTY\r\n");
    finish(f);
    log_is(f, "10.0.0.2,0,22,6,SERVER,[ssh:OpenSSH_9.2p1],0\n"
              "10.0.0.1,0,22,6,CLIENT,[ssh:PuTTY],0\n");
}

static void
midstream_the_client_may_be_first(void **state)
{
    struct fixture *f = *state;

    start_http(f);
    f->port[CLIENT] = 40000;
    f->port[SERVER] = 80;
    SAY(f, CLIENT, "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: agent/2\r\n\r\n");
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: example/1\r\nContent-Length: 0\r\n\r\n");
    finish(f);
    log_is(f, "10.0.0.1,0,80,6,CLIENT,[http:agent/2],0\n"
              "10.0.0.2,0,80,6,SERVER,[http:example/1],0\n");
}

/* ---- TLS ------------------------------------------------------------------------------------ */

/* A handshake message in a record. */
static size_t
record(uint8_t *to, uint8_t type, const void *body, size_t n)
{
    to[0] = 22;
    put16(to + 1, 0x0301);
    put16(to + 3, (unsigned)(4 + n));
    to[5] = type;
    to[6] = 0;
    put16(to + 7, (unsigned)n);
    memcpy(to + 9, body, n);
    return 9 + n;
}

static void
tls_tells_of_both_sides(void **state)
{
    struct fixture *f = *state;
    uint8_t hello[300], answer[100], chain[600], list[600];
    size_t n = record(hello, 1, client_hello, sizeof(client_hello)), m;

    start(f);
    if (f->watch->digest == NULL)
        skip();
    handshake(f, 40000, 8443);
    say(f, CLIENT, hello, 30);
    say(f, CLIENT, hello + 30, 100);
    say(f, CLIENT, hello + 130, n - 130);
    say(f, SERVER, answer, record(answer, 2, server_hello_12, sizeof(server_hello_12)));
    memset(list, 0, 6);
    put16(list + 1, 3 + sizeof(certificate));
    put16(list + 4, sizeof(certificate));
    memcpy(list + 6, certificate, sizeof(certificate));
    m = record(chain, 11, list, 6 + sizeof(certificate));
    say(f, SERVER, chain, 7);
    say(f, SERVER, chain + 7, m - 7);
    hang_up(f);
    finish(f);
    json_has(f, NEW, HOST1, "\"kind\":\"client\"", "\"port\":8443,\"source\":\"tls\"",
             "\"value\":\"t13d1516h2_8daaf6152771_", "\"ja3\":\"", "\"ja4\":\"t13d1516h2_",
             "\"server_name\":\"www.example.org\"", "\"alpn\":\"h2\"", NULL);
    json_has(f, NEW, HOST2, "\"kind\":\"name\",\"source\":\"tls\",\"value\":\"www.example.org\"",
             NULL);
    json_has(f, NEW, HOST2, "\"kind\":\"server\"", "\"source\":\"tls\",\"value\":\"TLS 1.2\"",
             "\"ja3s\":\"", NULL);
    json_has(f, NEW, HOST2, "\"source\":\"certificate\"", "CN=www.example.org", "\"issuer\":\"",
             "\"serial\":\"", "\"fingerprint\":\"", NULL);
    json_has(f, NEW, HOST2, "\"source\":\"certificate\",\"value\":\"*.example.net\"", NULL);
    assert_int_equal(count(f->log_text, "\n"), 2); /* the first of each side */
}

/* Wherever a connection is cut, what parsers hold is given back; finish() looks. */
static void
a_cut_connection_holds_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t hello[300];
    size_t n = record(hello, 1, client_hello, sizeof(client_hello));

    start(f);
    for (uint16_t i = 0; i < 60; i++) {
        handshake(f, (uint16_t)(40000 + i), 443);
        say(f, CLIENT, hello, 10 + i * (n - 11) / 60);
        if (i % 3 == 0)
            hang_up(f);
        else if (i % 3 == 1)
            segment(f, SERVER, WEIR_TH_RST | A, f->seq[SERVER], "", 0);
    }
    assert_true(free_blocks(f->watch) < f->blocks); /* of those that go on */
    for (uint16_t i = 0; i < 20; i++) {
        handshake(f, (uint16_t)(41000 + i), 22);
        say(f, SERVER, "SSH-2.0-Open", 9 + i % 3);
        handshake(f, (uint16_t)(42000 + i), 53);
        say(f, CLIENT, "\0\x17" QUESTION, 18 + i % 6);
        handshake(f, (uint16_t)(43000 + i), 80);
        say(f, CLIENT, "GET / HTTP/1.1\r\nHost: h\r\nUser", 10 + i);
    }
    finish(f);
    assert_int_equal(count(f->log_text, "[tls:"), count(f->log_text, "[tls:@tls]"));
}

/* The app asks for no more once both sides have told: there is nothing of what follows. */
static void
enough_is_enough(void **state)
{
    struct fixture *f = *state;

    start_http(f);
    handshake(f, 40000, 80);
    SAY(f, CLIENT, "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: first\r\n\r\n");
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: first\r\nContent-Length: 0\r\n\r\n");
    f->watch->ev = NULL;
    SAY(f, CLIENT, "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: second\r\n\r\n");
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: second\r\nContent-Length: 0\r\n\r\n");
    assert_null(f->watch->ev); /* it was called with none of them */
    finish(f);
    assert_null(strstr(f->json_text, "second"));
}

/* ---- HTTP ----------------------------------------------------------------------------------- */

static void
http_tells_agent_and_server(void **state)
{
    struct fixture *f = *state;

    start_http(f);
    handshake(f, 40000, 8080);
    SAY(f, CLIENT, "GET / HTTP/1.1\r\nHost: www.exam");
    SAY(f, CLIENT, "ple.org\r\nUser-Agent: agent/2 (x)\r\n\r\n");
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nSer");
    SAY(f, SERVER, "ver: example/1\r\nContent-Length: 0\r\n\r\n");
    hang_up(f);
    finish(f);
    log_is(f, "10.0.0.1,0,8080,6,CLIENT,[http:agent/2 (x)],0\n"
              "10.0.0.2,0,8080,6,SERVER,[http:example/1],0\n");
    json_has(f, HOST1, "\"evidence\":\"User-Agent\"", "\"host\":\"www.example.org\"", NULL);
}

/* What hosts send can be anything; finish() looks at the lines. */
static void
control_characters_never_break_a_line(void **state)
{
    struct fixture *f = *state;

    start_http(f);
    handshake(f, 40000, 8080);
    SAY(f, CLIENT,
        "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: a\x01\x1b[2J\x7f\t\xff\xc3(\"\\,]\r\n\r\n");
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: b\0c\r\nContent-Length: 0\r\n\r\n");
    handshake(f, 40001, 22);
    SAY(f, SERVER, "SSH-2.0-Open\x1b[31m\x08SSH\x07 x\ty\r\n");
    hang_up(f);
    datagram(f, CLIENT, 68, 67, "\1\1\6", 3);
    finish(f);
    assert_non_null(strstr(f->log_text, "[http:a..[2J.."));
    assert_non_null(strstr(f->log_text, "[ssh:Open.[31m.SSH. x.y]"));
}

/* ---- signatures ----------------------------------------------------------------------------- */

static struct service_list *
services(const char *text)
{
    struct service_list *list;
    struct weir_errbuf err;
    char *copy = strdup(text);

    assert_non_null(copy);
    assert_int_equal(service_list_parse(copy, "x", NULL, NULL, &list, &err), WEIR_E_OK);
    free(copy);
    return list;
}

static void
signatures_see_the_beginning_put_together(void **state)
{
    struct fixture *f = *state;

    f->opts.server = services("ftp,v/ExampleFTP/$1//,^220 ExampleFTP (\\S+) ready\n");
    f->opts.client = services("ftp,v/ExampleClient///,^USER example\n");
    f->opts.udp = services("time,v/ExampleTime/$1//,^time (\\d+)\n");
    start(f);
    handshake(f, 40000, 2121);
    SAY(f, SERVER, "220 Exam");
    SAY(f, SERVER, "pleFTP 1.2\nX re");
    SAY(f, CLIENT, "USER exam");
    SAY(f, SERVER, "");
    SAY(f, CLIENT, "ple\r\n");
    handshake(f, 40001, 2121);
    SAY(f, SERVER, "220 ExampleFTP 1");
    SAY(f, SERVER, ".2 ready\r\n");
    datagram(f, CLIENT, 5000, 3737, "what time is it", 15);
    datagram(f, SERVER, 3737, 5000, "time 1234 is it", 15);
    finish(f);
    log_is(f, "10.0.0.1,0,2121,6,CLIENT,[ftp:ExampleClient],0\n"
              "10.0.0.2,0,2121,6,SERVER,[ftp:ExampleFTP 1.2],0\n"
              "10.0.0.2,0,3737,17,SERVER,[time:ExampleTime 1234],0\n");
    json_has(f, HOST2, "ExampleFTP", "\"confidence\":85", "\"evidence\":\"signature\"", NULL);
}

/* ---- DNS and DHCP --------------------------------------------------------------------------- */

#define ANSWER                                                                                     \
    "\0\1\x81\x80\0\1\0\2\0\0\0\0\3www\1x\0\0\1\0\1"                                               \
    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\2\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\x63"

static void
dns_names_hosts_that_are_known(void **state)
{
    struct fixture *f = *state;

    start(f);
    datagram(f, CLIENT, 5000, 53, QUESTION, sizeof(QUESTION) - 1);
    datagram(f, SERVER, 53, 5000, ANSWER, sizeof(ANSWER) - 1);
    finish(f);
    log_is(f, "10.0.0.1,0,53,17,CLIENT,[domain:DNS],0\n"
              "10.0.0.2,0,53,17,SERVER,[domain:DNS],0\n");
    json_has(f, NEW, HOST2, "\"kind\":\"name\",\"source\":\"dns\",\"value\":\"www.x\"", NULL);
    assert_null(strstr(f->json_text, "10.0.0.99"));
}

/* An answer is no sight of the host it names: that keeps its tag, and expires when it is due. */
static void
who_is_named_was_not_seen(void **state)
{
    struct fixture *f = *state;

    f->opts.inventory.expire = UINT64_C(60) * 1000000000;
    start(f);
    f->around = (const uint8_t *)"\x81\0\0\x05\x08\0";
    f->n_around = 6;
    arp(f, 2, "\x0a\0\0\x63");
    f->around = NULL;
    f->ms += 59000;
    datagram(f, SERVER, 53, 5000, ANSWER, sizeof(ANSWER) - 1);
    f->ms += 2000;
    arp(f, 2, "\x0a\0\0\6");
    finish(f);
    json_has(f, NEW, "\"ip\":\"10.0.0.99\",\"vlan\":5,\"kind\":\"name\"", NULL);
    json_has(f, "\"reason\":\"expired\",\"ip\":\"10.0.0.99\",\"vlan\":5", "www.x",
             "\"host_last_seen\":\"2023-11-14T22:13:20.000000+0000\"", NULL);
}

static void
dns_over_tcp_may_come_in_pieces(void **state)
{
    struct fixture *f = *state;
    char question[100] = "", answer[100] = "";
    size_t n = sizeof(QUESTION) - 1, m = sizeof(ANSWER) - 1;

    question[1] = (char)n;
    answer[1] = (char)m;
    memcpy(question + 2, QUESTION, n);
    memcpy(answer + 2, ANSWER, m);
    start(f);
    handshake(f, 40000, 53);
    say(f, CLIENT, question, 1);
    say(f, CLIENT, question + 1, 20);
    say(f, CLIENT, question + 21, n + 2 - 21);
    say(f, SERVER, answer, 30);
    say(f, SERVER, answer + 30, m + 2 - 30);
    hang_up(f);
    finish(f);
    log_is(f, "10.0.0.1,0,53,6,CLIENT,[domain:DNS],0\n"
              "10.0.0.2,0,53,6,SERVER,[domain:DNS],0\n");
    json_has(f, NEW, HOST2, "\"kind\":\"name\",\"source\":\"dns\",\"value\":\"www.x\"", NULL);
}

/* A request for an address (four bytes) of a host with a name. */
static void
dhcp(struct fixture *f, const char *asked)
{
    uint8_t m[300] = { 1, 1, 6, 0 };

    memcpy(m + 236, "\x63\x82\x53\x63\x35\1\3\x0c\6na\nme\x01\x32\4\0\0\0\0\x3c\4MSFT\xff", 28);
    memcpy(m + 236 + 17, asked, 4);
    datagram(f, CLIENT, 68, 67, m, 236 + 28);
}

static void
dhcp_tells_name_and_system(void **state)
{
    struct fixture *f = *state;

    start(f);
    dhcp(f, "\x0a\0\0\x09");
    dhcp(f, "\0\0\0\0"); /* for none: of no host */
    finish(f);
    json_has(f, NEW, "\"ip\":\"10.0.0.9\"", "\"kind\":\"dhcp\"", "\"vendor_class\":\"MSFT\"",
             "\"os\":\"unknown\"", NULL);
    json_has(f, NEW, "\"ip\":\"10.0.0.9\"", "\"kind\":\"name\",\"source\":\"dhcp\"",
             "\"value\":\"na.me.\"", NULL);
    assert_int_equal(count(f->log_text, "\n"), 1);
    assert_int_equal(count(f->log_text, "10.0.0.9,0,0,17,DHCP,[3:64:53,12,50,60,255"), 1);
    assert_null(strstr(f->json_text, "0.0.0.0"));
}

/* ---- network cards -------------------------------------------------------------------------- */

static void
arp_tells_of_senders(void **state)
{
    struct fixture *f = *state;
    struct weir_errbuf err;
    char macs[] = "02:00:00\tTest\n";

    assert_int_equal(mac_list_parse(macs, "x", &f->opts.macs, &err), WEIR_E_OK);
    start(f);
    arp(f, 1, "\x0a\0\0\5");
    arp(f, 2, "\x0a\0\0\6");
    arp(f, 1, "\0\0\0\0");   /* a probe */
    arp(f, 3, "\x0a\0\0\7"); /* another protocol's */
    f->around = (const uint8_t *)"\x81\0\0\x07\x08\6";
    f->n_around = 6;
    arp(f, 1, "\x0a\0\0\x08");
    finish(f);
    log_is(f, "10.0.0.5,0,0,0,ARP,[02:00:00:00:00:01,(Test)],0\n"
              "10.0.0.6,0,0,0,ARP,[02:00:00:00:00:01,(Test)],0\n"
              "10.0.0.8,7,0,0,ARP,[02:00:00:00:00:01,(Test)],0\n");
    json_has(f, "10.0.0.8", "\"vlan\":7", "\"kind\":\"mac\",\"source\":\"arp\"",
             "\"value\":\"02:00:00:00:00:01\"", "\"vendor\":\"Test\"", NULL);
}

/* A tag with id 0 is none, and only three are kept: their packets are as others. */
static void
arp_is_looked_for_behind_all_tags(void **state)
{
    static const char tags[] = "\x81\0\xe0\0\x88\xa8\0\5\x91\0\0\6\x92\0\0\7\x81\0\0\x08\x08\6";
    struct fixture *f = *state;

    start(f);
    f->around = (const uint8_t *)"\x81\0\xe0\0\x08\6"; /* urgent: IEEE 802.1Q section 9.6 */
    f->n_around = 6;
    arp(f, 1, "\x0a\0\0\5");
    f->around = (const uint8_t *)tags;
    f->n_around = sizeof(tags) - 1;
    arp(f, 2, "\x0a\0\0\6");
    finish(f);
    log_is(f, "10.0.0.5,0,0,0,ARP,[02:00:00:00:00:01],0\n"
              "10.0.0.6,5,0,0,ARP,[02:00:00:00:00:01],0\n");
}

static void
neighbours_tell_of_themselves(void **state)
{
    static const uint8_t target[16] = { 0xfe, 0x80, [15] = 9 };
    struct fixture *f = *state;
    uint8_t solicit[32] = { 135, [24] = 1, 1, 2, 0, 0, 0, 0, 1 };
    uint8_t advert[32] = { 136, [24] = 2, 1, 2, 0, 0, 0, 0, 2 };

    memcpy(advert + 8, target, 16);
    start(f);
    icmp6(f, solicit, sizeof(solicit), 255);
    icmp6(f, advert, sizeof(advert), 255);
    advert[23] = 10;
    icmp6(f, advert, sizeof(advert), 64); /* came over a router: it lies */
    icmp6(f, advert, 28, 255);            /* the option is cut */
    advert[25] = 0;
    icmp6(f, advert, sizeof(advert), 255);
    finish(f);
    log_is(f, "2001:db8::1,0,0,0,NDP,[02:00:00:00:00:01],0\n"
              "fe80::9,0,0,0,NDP,[02:00:00:00:00:02],0\n");
}

static void
there_are_no_neighbours_of_ipv6_in_ipv4(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[100], advert[32] = { 136, [8] = 0xfe, 0x80, [24] = 2, 1, 2, 0, 0, 0, 0, 2 };
    size_t at;

    start(f);
    at = begin(f, frame, CLIENT, WEIR_PROTO_ICMPV6, sizeof(advert));
    frame[14 + 8] = 255; /* the TTL */
    memcpy(frame + at, advert, sizeof(advert));
    feed(f, frame, at + sizeof(advert));
    finish(f);
    log_is(f, "");
}

/* ---- what is around IP ---------------------------------------------------------------------- */

static void
web(struct fixture *f, uint16_t port)
{
    handshake(f, port, 80);
    SAY(f, CLIENT, "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: agent\r\n\r\n");
}

static void
two_tags_are_looked_behind(void **state)
{
    struct fixture *f = *state;

    start_http(f);
    f->around = (const uint8_t *)"\x88\xa8\0\x05\x81\0\0\x06\x08\0";
    f->n_around = 10;
    web(f, 40000);
    hang_up(f);
    finish(f);
    log_is(f, "10.0.0.1,5,80,6,CLIENT,[http:agent],0\n");
    json_has(f, HOST1, "\"vlan\":5", NULL);
}

/*
 * By the port, when the flow has timed out and there is no packet: tag and time are still those of
 * its last one.
 */
static void
a_flow_s_end_keeps_its_tag(void **state)
{
    struct fixture *f = *state;

    start(f);
    f->around = (const uint8_t *)"\x81\0\0\x05\x08\0";
    f->n_around = 6;
    handshake(f, 40000, 25);
    SAY(f, SERVER, "something else");
    f->ms += 3600000;
    arp(f, 2, "\x0a\0\0\6");
    finish(f);
    json_has(f, NEW, HOST2, "\"vlan\":5", "\"first_seen\":\"2023-11-14T22:13:20.040000+0000\"",
             NULL);
    json_has(f, "\"end\"", HOST2, "\"host_last_seen\":\"2023-11-14T22:13:20.040000+0000\"", NULL);
    assert_non_null(strstr(f->log_text, "@smtp],0,1700000000\n"));
    log_is(f, "10.0.0.2,5,25,6,SERVER,[unknown:@smtp],0\n"
              "10.0.0.6,5,0,0,ARP,[02:00:00:00:00:01],0\n");
}

static void
ip_in_ip_and_gre_are_opened(void **state)
{
    static uint8_t ipip[22] = "\x08\0\x45\0\0\0\0\0\0\0\x40\4\0\0\xc0\0\2\1\xc0\0\2\2";
    static uint8_t gre[26] = "\x08\0\x45\0\0\0\0\0\0\0\x40\x2f\0\0\xc0\0\2\1\xc0\0\2\2\0\0\x08\0";
    struct fixture *f = *state;

    start(f);
    put16(ipip + 4, 20 + 28 + 8);
    put16(gre + 4, 24 + 28 + 8);
    f->around = ipip;
    f->n_around = sizeof(ipip);
    datagram(f, CLIENT, 5000, 123, "12345678", 8);
    f->around = gre;
    f->n_around = sizeof(gre);
    datagram(f, CLIENT, 5000, 514, "12345678", 8);
    finish(f);
    log_is(f, "10.0.0.1,0,123,17,CLIENT,[unknown:@ntp],0\n"
              "10.0.0.1,0,514,17,CLIENT,[unknown:@syslog],0\n");
}

static void
ip6_with_an_extension_header(void **state)
{
    struct fixture *f = *state;

    f->six = f->extension = true;
    start_http(f);
    web(f, 40000);
    finish(f);
    log_is(f, "2001:db8::1,0,80,6,CLIENT,[http:agent],0\n");
}

/* ---- limits and choices --------------------------------------------------------------------- */

static void
only_hosts_at_home_are_reported(void **state)
{
    struct fixture *f = *state;
    struct homenets home;

    assert_true(homenets_parse(&home, "10.0.0.2/32"));
    f->opts.home = &home;
    start_http(f);
    web(f, 40000);
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: example\r\nContent-Length: 0\r\n\r\n");
    finish(f);
    log_is(f, "10.0.0.2,0,80,6,SERVER,[http:example],0\n");
    assert_int_equal(watch_get_stats(f->watch)->foreign, 1);
}

static void
what_is_not_checked_is_not_told(void **state)
{
    struct fixture *f = *state;

    f->opts.checks = CHECK_BIT(CHECK_CLIENT);
    start_http(f);
    web(f, 40000);
    SAY(f, SERVER, "HTTP/1.1 200 OK\r\nServer: example\r\nContent-Length: 0\r\n\r\n");
    arp(f, 2, "\x0a\0\0\6");
    dhcp(f, "\x0a\0\0\x09");
    datagram(f, SERVER, 53, 5000, ANSWER, sizeof(ANSWER) - 1);
    finish(f);
    log_is(f, "10.0.0.1,0,80,6,CLIENT,[http:agent],0\n");
}

static void
systems_have_a_confidence(void **state)
{
    struct fixture *f = *state;
    struct weir_errbuf err;

    f->opts.checks = CHECK_BIT(CHECK_SYN) | CHECK_BIT(CHECK_SYNACK);
    assert_int_equal(p0f_list_parse(strdup("[tcp:request]\nlabel = g:unix:Example:\n"
                                           "sig = *:64:0:*:*,*:mss:df,id+:0\n"
                                           "[tcp:response]\nlabel = s:unix:Example:2\n"
                                           "sig = *:64:0:*:*,*:mss:df,id+:0\n"),
                                    "x", &f->opts.stacks, &err),
                     WEIR_E_OK);
    start(f);
    handshake(f, 40000, 80);
    finish(f);
    json_has(f, HOST1, "\"source\":\"syn\",\"value\":\"Example\",\"confidence\":60",
             "\"p0f\":\"4:64+0:0:1460:65535,0:mss:df,id+:0\"", NULL);
    json_has(f, HOST2, "\"source\":\"synack\",\"value\":\"Example 2\",\"confidence\":75", NULL);
    log_is(f, "10.0.0.1,0,40000,6,SYN,[65535:64:1:44:M1460:.:Example::link:ethernet/modem],0\n"
              "10.0.0.2,0,80,6,SYNACK,[65535:64:1:44:M1460:A:Example:2:link:ethernet/modem],0\n");
}

/* By the time of packets: a host is news again. */
static void
hosts_expire(void **state)
{
    struct fixture *f = *state;

    f->opts.inventory.expire = UINT64_C(60) * 1000000000;
    start(f);
    arp(f, 2, "\x0a\0\0\6");
    f->ms += 59000;
    arp(f, 2, "\x0a\0\0\6"); /* seen: it stays */
    f->ms += 61000;
    arp(f, 2, "\x0a\0\0\7");
    arp(f, 2, "\x0a\0\0\6");
    finish(f);
    assert_int_equal(count(f->log_text, "10.0.0.6"), 2);
    json_has(f, "\"change\":\"end\",\"reason\":\"expired\",\"ip\":\"10.0.0.6\"", "\"seen\":2",
             NULL);
    assert_int_equal(watch_get_inventory(f->watch)->expired, 1);
}

static void
a_host_has_no_more_facts_than_allowed(void **state)
{
    struct fixture *f = *state;
    char text[100];

    f->opts.inventory.a_host = 3;
    start_http(f);
    for (uint16_t i = 0; i < 5; i++) {
        handshake(f, (uint16_t)(40000 + i), 80);
        say(f, CLIENT, text,
            (size_t)snprintf(text, sizeof(text),
                             "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: agent%u\r\n\r\n", i));
    }
    finish(f);
    assert_int_equal(count(f->log_text, "\n"), 3);
    assert_int_equal(watch_get_inventory(f->watch)->too_many, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(banners_are_put_together),
        TEST(a_banner_behind_a_gap_is_none),
        TEST(a_banner_with_a_gap_is_none),
        TEST(midstream_the_answer_tells_the_server),
        TEST(midstream_the_port_tells_the_server),
        TEST(midstream_the_client_may_be_first),
        TEST(tls_tells_of_both_sides),
        TEST(a_cut_connection_holds_nothing),
        TEST(enough_is_enough),
        TEST(http_tells_agent_and_server),
        TEST(control_characters_never_break_a_line),
        TEST(signatures_see_the_beginning_put_together),
        TEST(dns_names_hosts_that_are_known),
        TEST(who_is_named_was_not_seen),
        TEST(dns_over_tcp_may_come_in_pieces),
        TEST(dhcp_tells_name_and_system),
        TEST(arp_tells_of_senders),
        TEST(arp_is_looked_for_behind_all_tags),
        TEST(neighbours_tell_of_themselves),
        TEST(there_are_no_neighbours_of_ipv6_in_ipv4),
        TEST(two_tags_are_looked_behind),
        TEST(a_flow_s_end_keeps_its_tag),
        TEST(ip_in_ip_and_gre_are_opened),
        TEST(ip6_with_an_extension_header),
        TEST(only_hosts_at_home_are_reported),
        TEST(what_is_not_checked_is_not_told),
        TEST(systems_have_a_confidence),
        TEST(hosts_expire),
        TEST(a_host_has_no_more_facts_than_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
