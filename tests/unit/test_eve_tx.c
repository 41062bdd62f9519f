/* Records of transactions, to the byte; and what no message may do to the log. */
#include "out/eve_out.h"
#include "out/eve_tx.h"
#include "support/frames.h"
#include "tls_bytes.h"

#include "digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOMS = 16, MESSAGE_MAX = 1400 };

struct flow_state {
    struct app_flow app;
    struct eve_flow eve;
};

struct fixture {
    struct app_layer *app;
    struct eve_opts opts;
    struct eve_out *writer;
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    struct out eve;
    char path[32];
    struct flow_state *flow; /* whose event is under way */
    const struct weir_event *ev;
    uint32_t seq[2]; /* by enum weir_dir: what comes next */
    unsigned n;
    uint8_t room[ROOMS][FRAME_ROOM];
    char said[1 << 20];
};

/* As if a rule had matched where the side is complete. */
static void
raise_alert(struct fixture *f, struct tx *tx)
{
    char msg[] = "";
    const struct rule rule = { .gid = 1, .sid = 1, .msg = msg };
    const struct eve_about about = {
        .app = tx->proto, .tx = tx, .has_tx_id = true, .tx_id = tx->id
    };

    eve_alert(f->writer, &f->flow->eve, &rule, f->ev, &about);
}

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct fixture *f = ctx;

    eve_tx(f->writer, &f->flow->eve, f->ev, tx, dir, stage);
    if (stage == TX_END)
        raise_alert(f, tx);
}

static void
on_app_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct fixture *f = ctx;
    const struct eve_about about = { .app = APP_DNS };

    (void)tx, (void)dir;
    eve_app_anomaly(f->writer, &f->flow->eve, f->ev, name, &about);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct fixture *f = ev->app;

    f->flow = ctx;
    f->ev = ev;
    app_event(f->app, &f->flow->app, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static int
set_up(void **state)
{
    static struct fixture f;
    struct weir_errbuf err = { "" };
    int fd;

    memset(&f, 0, sizeof(f));
    *state = &f;
    strcpy(f.path, "/tmp/weir-test-XXXXXX");
    fd = mkstemp(f.path);
    if (fd < 0)
        return -1;
    close(fd);
    f.opts = (struct eve_opts){ .types = 1U << EVE_HTTP | 1U << EVE_DNS | 1U << EVE_TLS |
                                         1U << EVE_SSH | 1U << EVE_FILEINFO,
                                .http_extended = true,
                                .dns_requests = true,
                                .dns_responses = true,
                                .tls_extended = true };
    return out_open(&f.eve, f.path, false, &err);
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    weir_monitor_free(f->m);
    app_free(f->app);
    eve_out_free(f->writer);
    unlink(f->path);
    return 0;
}

static void
begin(struct fixture *f)
{
    struct weir_app app = { .name = "ids",
                            .spec = &f->spec,
                            .flow_size = sizeof(struct flow_state),
                            .history = APP_HISTORY,
                            .arg = f };
    struct app_opts opts = app_defaults();
    struct weir_errbuf err = { "" };

    assert_int_equal(eve_out_new(&f->opts, &f->eve, &f->writer, &err), WEIR_E_OK);
    assert_int_equal(app_new(&opts, on_tx, on_app_event, f, &f->app, &err), WEIR_E_OK);
    f->spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = app_wants() };
    assert_int_equal(weir_monitor_new(NULL, &f->m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

static void
feed(struct fixture *f, struct weir_frame frame)
{
    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
    f->n++;
}

static void
segment(struct fixture *f, enum weir_dir dir, uint8_t flags, const void *data, size_t n)
{
    struct segment s = { .dir = dir,
                         .flags = flags,
                         .seq = f->seq[dir],
                         .ack = f->seq[!dir],
                         .data = data,
                         .n = (uint32_t)n,
                         .ms = f->n };

    feed(f, tcp_frame(&s, f->room[f->n]));
    f->seq[dir] += (uint32_t)n + ((flags & (WEIR_TH_SYN | WEIR_TH_FIN)) != 0);
}

static void
handshake(struct fixture *f)
{
    f->seq[0] = 1000;
    f->seq[1] = 5000;
    segment(f, WEIR_TOSERVER, WEIR_TH_SYN, "", 0);
    segment(f, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, "", 0);
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK, "", 0);
}

static void
say(struct fixture *f, enum weir_dir dir, const char *text)
{
    segment(f, dir, WEIR_TH_ACK, text, strlen(text));
}

static void
end(struct fixture *f)
{
    struct weir_errbuf err = { "" };
    FILE *file;

    weir_monitor_end(f->m);
    assert_int_equal(out_close(&f->eve, &err), WEIR_E_OK);
    file = fopen(f->path, "r");
    assert_non_null(file);
    f->said[fread(f->said, 1, sizeof(f->said) - 1, file)] = '\0';
    fclose(file);
}

#define HEAD(ms, cnt, type, from, to)                                                              \
    "{\"timestamp\":\"2023-11-14T22:13:20.00" ms "000+0000\",\"flow_id\":1,\"pcap_cnt\":" cnt      \
    ",\"event_type\":\"" type "\"," from "," to ","
#define SRC(ip, port)  "\"src_ip\":\"" ip "\",\"src_port\":" port
#define DEST(ip, port) "\"dest_ip\":\"" ip "\",\"dest_port\":" port
#define TCP_TX         "\"proto\":\"TCP\",\"ip_v\":4,\"pkt_src\":\"wire/pcap\",\"tx_id\":0,"
#define UDP_TX(id)     "\"proto\":\"UDP\",\"ip_v\":4,\"pkt_src\":\"wire/pcap\",\"tx_id\":" id ","

#ifdef HAVE_HTP
static void
a_request_and_its_answer_are_one_record(void **state)
{
    static const char http[] =
        "\"http\":{\"hostname\":\"e.org\",\"http_port\":8080,\"url\":\"/a\\\"b?c\","
        "\"http_user_agent\":\"x\\u00ff\",\"http_refer\":\"r\",\"http_method\":\"GET\","
        "\"protocol\":\"HTTP/1.1\",\"http_content_type\":\"text/html\",\"status\":302,"
        "\"redirect\":\"/n\",\"length\":5,"
        "\"request_headers\":[{\"name\":\"Host\",\"value\":\"e.org:8080\"},"
        "{\"name\":\"User-Agent\",\"value\":\"x\\u00ff\"},{\"name\":\"Referer\",\"value\":\"r\"}]}";
    struct fixture *f = *state;
    char expected[4096];

    f->opts.http_request_headers = true;
    begin(f);
    handshake(f);
    say(f, WEIR_TOSERVER,
        "GET /a\"b?c HTTP/1.1\r\nHost: e.org:8080\r\nUser-Agent: x\xff\r\nReferer: r\r\n\r\n");
    say(f, WEIR_TOCLIENT,
        "HTTP/1.1 302 Found\r\nContent-Type: text/html; charset=x\r\nLocation: /n\r\n"
        "Content-Length: 5\r\n\r\nhello");
    end(f);
    snprintf(expected, sizeof(expected), "%s%s%s%s%s%s%s%s",
             HEAD("4", "5", "fileinfo", SRC("10.0.0.2", "80"), DEST("10.0.0.1", "1000")), TCP_TX,
             http,
             ",\"app_proto\":\"http\",\"fileinfo\":{\"filename\":\"/a\\\"b\",\"gaps\":false,"
             "\"state\":\"CLOSED\",\"stored\":false,\"size\":5,\"tx_id\":0}}\n",
             HEAD("4", "5", "http", SRC("10.0.0.1", "1000"), DEST("10.0.0.2", "80")), TCP_TX, http,
             "}\n");
    assert_string_equal(f->said, expected);
}

static void
a_request_without_answer_is_told_at_the_end(void **state)
{
    struct fixture *f = *state;

    f->opts.http_extended = false;
    begin(f);
    handshake(f);
    say(f, WEIR_TOSERVER, "GET / HTTP/1.0\r\n\r\n");
    end(f);
    assert_non_null(strstr(f->said, "\"pkt_src\":\"stream (flow timeout)\",\"tx_id\":0,"
                                    "\"http\":{\"url\":\"/\"}}\n"));
}
#endif

/* A question for a.bc, and an answer with an address, a name and a type without text. */
static const uint8_t query[] = { 0, 7, 1,   0, 0,   1,   0, 0, 0, 0, 0,
                                 0, 1, 'a', 2, 'b', 'c', 0, 0, 1, 0, 1 };
static const uint8_t answer[] = {
    0,    7,  0x85, 0x80, 0, 1, 0, 3, 0, 0, 0, 1, 1,   'a', 2,    'b',
    'c',  0,  0,    1,    0, 1,                                       /* question */
    0xc0, 12, 0,    5,    0, 1, 0, 0, 0, 9, 0, 4, 1,   'z', 0xc0, 14, /* CNAME */
    0xc0, 34, 0,    1,    0, 1, 0, 0, 1, 0, 0, 4, 10,  0,   0,    9,  /* A */
    0xc0, 34, 0xff, 0xfe, 0, 1, 0, 0, 0, 0, 0, 1, 'x',                /* unknown */
    0,    0,  41,   16,   0, 0, 0, 0, 0, 0, 0,                        /* OPT */
};

static void
messages_of_dns_are_records_of_their_own(void **state)
{
    struct fixture *f = *state;
    static const char expected[] = HEAD("0", "1", "dns", SRC("10.0.0.1", "1000"),
                                        DEST("10.0.0.2", "53"))
        UDP_TX("0") "\"dns\":{\"version\":3,\"type\":\"request\",\"tx_id\":0,\"id\":7,"
                    "\"flags\":\"100\",\"rd\":true,\"opcode\":0,"
                    "\"queries\":[{\"rrname\":\"a.bc\",\"rrtype\":\"A\"}]}}\n" HEAD(
                        "1", "2", "dns", SRC("10.0.0.1", "1000"), DEST("10.0.0.2", "53"))
                        UDP_TX("1") "\"dns\":{\"version\":3,\"type\":\"response\",\"tx_id\":1,"
                                    "\"id\":7,\"flags\":\"8580\",\"qr\":true,\"aa\":true,"
                                    "\"rd\":true,\"ra\":true,\"opcode\":0,\"rcode\":\"NOERROR\","
                                    "\"queries\":[{\"rrname\":\"a.bc\",\"rrtype\":\"A\"}],"
                                    "\"answers\":[{\"rrname\":\"a.bc\",\"rrtype\":\"CNAME\","
                                    "\"ttl\":9,\"rdata\":\"z.bc\"},{\"rrname\":\"z.bc\","
                                    "\"rrtype\":\"A\",\"ttl\":256,\"rdata\":\"10.0.0.9\"},"
                                    "{\"rrname\":\"z.bc\",\"rrtype\":\"65534\",\"ttl\":0}],"
                                    "\"grouped\":{\"A\":[\"10.0.0.9\"],\"CNAME\":[\"z.bc\"]}}}\n";

    begin(f);
    feed(f, udp_frame(WEIR_TOSERVER, query, sizeof(query), 0, f->room[0]));
    feed(f, udp_frame(WEIR_TOCLIENT, answer, sizeof(answer), 1, f->room[1]));
    end(f);
    assert_string_equal(f->said, expected);
}

/* Alerts show what they are about, unless that is not wanted of the protocol. */
static void
an_alert_shows_its_transaction(void **state)
{
    struct fixture *f = *state;

    f->opts.types = 1U << EVE_ALERT;
    f->opts.app_layer = f->opts.alert_dns = true;
    begin(f);
    feed(f, udp_frame(WEIR_TOSERVER, query, sizeof(query), 0, f->room[0]));
    handshake(f);
    say(f, WEIR_TOSERVER, "SSH-2.0-x\r\n");
    end(f);
    assert_non_null(strstr(f->said, "\"tx_id\":0,\"alert\":{"));
    assert_non_null(strstr(f->said, "\"dns\":{\"version\":3,\"type\":\"request\",\"tx_id\":0,"));
    assert_non_null(strstr(f->said, "\"app_proto\":\"dns\""));
    assert_non_null(strstr(f->said, "\"app_proto\":\"ssh\""));
    assert_null(strstr(f->said, "\"ssh\":{"));
}

static void
only_questions_are_told_if_asked_so(void **state)
{
    struct fixture *f = *state;

    f->opts.dns_responses = false;
    begin(f);
    feed(f, udp_frame(WEIR_TOSERVER, query, sizeof(query), 0, f->room[0]));
    feed(f, udp_frame(WEIR_TOCLIENT, answer, sizeof(answer), 1, f->room[1]));
    end(f);
    assert_non_null(strstr(f->said, "\"request\""));
    assert_null(strstr(f->said, "\"response\""));
}

/* A message that repeats a long name by pointers must not become a record too long for the log. */
static void
a_message_is_cut_before_it_is_too_long(void **state)
{
    struct fixture *f = *state;
    uint8_t message[MESSAGE_MAX] = { 0, 7, 0x81, 0x80, 0, 1, 0, 70 };
    size_t n = DNS_HEADER;
    unsigned records = 0;

    for (unsigned label = 0; label < 4; label++) { /* 4 labels of 60 bytes that need escapes */
        message[n++] = 60;
        memset(message + n, 1, 60);
        n += 60;
    }
    message[n++] = 0;
    n += 4; /* type and class 0 */
    for (; records < 70 && n + 12 <= sizeof(message); records++) {
        const uint8_t rr[12] = { 0xc0, 12, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0 };

        memcpy(message + n, rr, sizeof(rr));
        n += sizeof(rr);
    }
    assert_int_equal(records, 70);
    begin(f);
    feed(f, udp_frame(WEIR_TOCLIENT, message, (uint32_t)n, 0, f->room[0]));
    end(f);
    assert_non_null(strstr(f->said, "\"answers\":["));
    records = 0;
    for (const char *p = f->said; (p = strstr(p, "\"ttl\"")) != NULL; p++)
        records++;
    assert_int_equal(records, DNS_SHOWN);
    assert_int_equal(f->writer->count.dns_cut, 1);
}

static void
what_is_odd_is_an_anomaly(void **state)
{
    struct fixture *f = *state;

    f->opts.types = 1U << EVE_ANOMALY;
    f->opts.anomaly_applayer = true;
    begin(f);
    feed(f, udp_frame(WEIR_TOCLIENT, answer, sizeof(answer) - 20, 0, f->room[0]));
    end(f);
    assert_non_null(strstr(f->said, "\"app_proto\":\"dns\",\"anomaly\":{\"app_proto\":\"dns\","
                                    "\"type\":\"applayer\",\"event\":\"dns.malformed_data\","
                                    "\"layer\":\"proto_parser\"}}\n"));
}

/* A handshake message in a record. */
static void
tell(struct fixture *f, enum weir_dir dir, uint8_t type, const uint8_t *body, size_t n)
{
    uint8_t record[MESSAGE_MAX] = {
        22, 3, 3, (uint8_t)((n + 4) >> 8), (uint8_t)(n + 4), type, 0, (uint8_t)(n >> 8), (uint8_t)n
    };

    memcpy(record + 9, body, n);
    segment(f, dir, WEIR_TH_ACK, record, n + 9);
}

/* What the client offers is not what it will be. */
static void
a_hello_alone_has_no_version(void **state)
{
    struct fixture *f = *state;

    begin(f);
    handshake(f);
    tell(f, WEIR_TOSERVER, 1, client_hello, sizeof(client_hello));
    end(f);
    assert_non_null(strstr(f->said, "\"sni\":\"www.example.org\",\"version\":\"UNDETERMINED\""));
}

static void
a_handshake_of_tls_is_one_record(void **state)
{
    struct fixture *f = *state;
    uint8_t certificates[6 + sizeof(certificate)] = { 0, 2, 0x11, 0, 2, 0x0e }; /* 526 bytes */
    static const char valid[] = "\"notbefore\":\"2026-11-26T00:18:04\","
                                "\"notafter\":\"2027-11-26T00:18:04\","
                                "\"sni\":\"www.example.org\",\"version\":\"TLS 1.2\"",
                      alpns[] =
                          "\"client_alpns\":[\"h2\",\"http/1.1\"],\"server_alpns\":[\"h2\"]}}\n";

    memcpy(certificates + 6, certificate, sizeof(certificate));
    begin(f);
    handshake(f);
    tell(f, WEIR_TOSERVER, 1, client_hello, sizeof(client_hello));
    tell(f, WEIR_TOCLIENT, 2, server_hello_12, sizeof(server_hello_12));
    tell(f, WEIR_TOCLIENT, 11, certificates, sizeof(certificates));
    end(f);
    if (strstr(f->said, valid) == NULL || strstr(f->said, alpns) == NULL)
        fail_msg("%s", f->said);
}

static void
a_handshake_of_ssh_is_one_record(void **state)
{
    struct fixture *f = *state;

    begin(f);
    handshake(f);
    say(f, WEIR_TOSERVER, "SSH-2.0-OpenSSH_9.2 Debian\r\n");
    say(f, WEIR_TOCLIENT, "SSH-1.99-dropbear\r\n");
    end(f);
    assert_non_null(strstr(f->said,
                           "\"ssh\":{\"client\":{\"proto_version\":\"2.0\","
                           "\"software_version\":\"OpenSSH_9.2\"},\"server\":{"
                           "\"proto_version\":\"1.99\",\"software_version\":\"dropbear\"}}}\n"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
#ifdef HAVE_HTP
        T(a_request_and_its_answer_are_one_record),
        T(a_request_without_answer_is_told_at_the_end),
#endif
        T(messages_of_dns_are_records_of_their_own),
        T(only_questions_are_told_if_asked_so),
        T(an_alert_shows_its_transaction),
        T(a_message_is_cut_before_it_is_too_long),
        T(what_is_odd_is_an_anomaly),
        T(a_hello_alone_has_no_version),
        T(a_handshake_of_tls_is_one_record),
        T(a_handshake_of_ssh_is_one_record),
    };

    return cmocka_run_group_tests_name("eve_tx", tests, NULL, NULL);
}
