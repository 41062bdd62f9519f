/* Alert and flow records of eve.json and fast.log, to the byte. */
#include "detect/detect.h"
#include "enforce.h"
#include "engine.h"
#include "out/eve_out.h"
#include "out/eve_stats.h"
#include "out/packet_alerts.h"
#include "support/frames.h"
#include "support/loaded.h"

#include "digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOMS = 16 };

struct flow_state {
    struct flow_scan scan;
    struct eve_flow eve;
};

struct fixture {
    struct loaded l;
    struct detect *detect;
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    struct out eve, fast;
    struct eve_opts opts; /* what records hold: nothing that is optional, at first */
    struct eve_about about;
    struct enforced done; /* about.done, while it says so */
    struct eve_out *writer;
    struct packet_alerts *alerts;
    struct flow_state *flow; /* whose event is under way */
    char eve_path[32], fast_path[32];
    char said[1 << 16];
    unsigned n;
    uint8_t room[ROOMS][FRAME_ROOM];
};

static void
on_told(void *ctx, const struct eve_draft *draft)
{
    struct fixture *f = ctx;

    eve_alert_end(f->writer, draft);
    fast_alert(&f->fast, draft->rule, &draft->ev);
}

static void
on_packet_end(void *arg)
{
    struct fixture *f = arg;

    packet_alerts_end(f->alerts);
}

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct fixture *f = ctx;

    packet_alerts_add(f->alerts, f->writer, &f->flow->eve, rule, ev, &f->about);
    monitor_when_done(f->m, 0, on_packet_end, f);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct fixture *f = ev->app;
    struct eve_about about = f->about;

    f->flow = ctx;
    eve_event(f->writer, &f->flow->eve, ev, &about);
    detect_event(f->detect, &f->flow->scan, ev);
    if (ev->type == WEIR_EV_FLOW_END)
        packet_alerts_tell(f->alerts);
    about.alerted = f->flow->scan.alerted;
    if (about.done != NULL && enforced_on(about.done, ev))
        eve_drop(f->writer, &f->flow->eve, ev, &about);
    if (ev->type == WEIR_EV_FLOW_END)
        eve_flow_record(f->writer, &f->flow->eve, ev, &about);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static int
temporary(struct out *out, char path[32])
{
    struct weir_errbuf err = { "" };
    int fd;

    strcpy(path, "/tmp/weir-test-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    return out_open(out, path, false, &err);
}

static int
set_up(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    f.l.vars = vars_new();
    f.opts = (struct eve_opts){ .types = 1U << EVE_ALERT | 1U << EVE_FLOW,
                                .app_layer = true,
                                .alert_flow = true,
                                .rule_metadata = true,
                                .rule_reference = true,
                                .payload_buffer_size = 64 };
    *state = &f;
    return f.l.vars == NULL || temporary(&f.eve, f.eve_path) != 0 ||
           temporary(&f.fast, f.fast_path) != 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    weir_monitor_free(f->m);
    detect_free(f->detect);
    packet_alerts_free(f->alerts);
    eve_out_free(f->writer);
    unload(&f->l);
    unlink(f->eve_path);
    unlink(f->fast_path);
    return 0;
}

static void
begin(struct fixture *f, const char *rules)
{
    struct weir_app app = { .name = "ids",
                            .spec = &f->spec,
                            .flow_size = sizeof(struct flow_state),
                            .history = DETECT_WINDOW,
                            .arg = f };
    struct detect_opts opts = { .memory = 1 << 20 };
    struct weir_errbuf err = { "" };

    f->l.rules.keep_text = f->opts.rule_raw;
    assert_int_equal(eve_out_new(&f->opts, &f->eve, &f->writer, &err), WEIR_E_OK);
    assert_int_equal(packet_alerts_new(15, on_told, f, &f->alerts, &err), WEIR_E_OK);
    load(&f->l, rules, "");
    assert_int_equal(detect_new(f->l.groups, &opts, on_alert, f, &f->detect, &err), WEIR_E_OK);
    f->spec = (struct weir_tap_spec){ .stage = stages,
                                      .n_stages = 1,
                                      .want = detect_wants(f->detect) | eve_wants(f->writer) };
    assert_int_equal(weir_monitor_new(NULL, &f->m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

static void
feed(struct fixture *f, struct weir_frame frame)
{
    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static void
segment(struct fixture *f, enum weir_dir dir, uint8_t flags, uint32_t seq, uint32_t ack,
        const char *data)
{
    struct segment s = { .dir = dir,
                         .flags = flags,
                         .seq = seq,
                         .ack = ack,
                         .data = data,
                         .n = (uint32_t)strlen(data),
                         .ms = 10 * f->n };

    feed(f, tcp_frame(&s, f->room[f->n]));
    f->n++;
}

/* Of the client, when the server has sent nothing yet. */
static void
client(struct fixture *f, uint32_t seq, const char *data)
{
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK, seq, 5001, data);
}

static void
datagram(struct fixture *f, enum weir_dir dir, const char *data)
{
    feed(f, udp_frame(dir, data, (uint32_t)strlen(data), 10 * f->n, f->room[f->n]));
    f->n++;
}

static void
slurp(struct fixture *f, const char *path)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    f->said[fread(f->said, 1, sizeof(f->said) - 1, file)] = '\0';
    fclose(file);
}

/* End the run; its records are these. */
static void
expect(struct fixture *f, const char *eve, const char *fast)
{
    struct weir_errbuf err = { "" };

    weir_monitor_end(f->m);
    assert_int_equal(out_close(&f->eve, &err), WEIR_E_OK);
    assert_int_equal(out_close(&f->fast, &err), WEIR_E_OK);
    slurp(f, f->eve_path);
    assert_string_equal(f->said, eve);
    slurp(f, f->fast_path);
    if (fast != NULL)
        assert_string_equal(f->said, fast);
}

static void
an_alert_says_what_its_rule_says(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert tcp any any -> any 80 (msg:\"two words\"; flow:established,to_server; "
             "content:\"evil\"; gid:3; sid:77; rev:5; classtype:misc-attack; "
             "reference:cve,2024-1; reference:url,a.example/b; "
             "metadata:created 2024, tag x, tag y z, bare;)");
    segment(f, WEIR_TOSERVER, WEIR_TH_SYN, 1000, 0, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, 5000, 1001, "");
    client(f, 1001, "");
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK | WEIR_TH_PUSH, 1001, 5001, "evil");
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK | WEIR_TH_RST, 5001, 1005, "");
    expect(f,
           "{\"timestamp\":\"2023-11-14T22:13:20.030000+0000\",\"flow_id\":1,\"pcap_cnt\":4,"
           "\"event_type\":\"alert\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":80,\"proto\":\"TCP\",\"ip_v\":4,"
           "\"pkt_src\":\"wire/"
           "pcap\",\"alert\":{\"action\":\"allowed\",\"gid\":3,\"signature_id\":77,\"rev\":5,"
           "\"signature\":\"two words\",\"category\":\"Misc Attack\",\"severity\":2,"
           "\"references\":[\"cve,2024-1\",\"url,a.example/b\"],"
           "\"metadata\":{\"created\":[\"2024\"],\"tag\":[\"x\",\"y z\"],\"bare\":[\"\"]}},"
           "\"direction\":\"to_server\","
           "\"flow\":{\"pkts_toserver\":3,\"pkts_toclient\":1,\"bytes_toserver\":166,"
           "\"bytes_toclient\":54,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\",\"src_port\":1000,\"dest_port\":80}}\n"
           "{\"timestamp\":\"2023-11-14T22:13:20.040000+0000\",\"flow_id\":1,"
           "\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":80,\"proto\":\"TCP\",\"ip_v\":4,"
           "\"flow\":{\"pkts_toserver\":3,\"pkts_toclient\":2,\"bytes_toserver\":166,"
           "\"bytes_toclient\":108,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"end\":\"2023-11-14T22:13:20.040000+0000\",\"age\":0,\"state\":\"closed\","
           "\"reason\":\"timeout\",\"alerted\":true},"
           "\"tcp\":{\"tcp_flags\":\"1e\",\"tcp_flags_ts\":\"1a\",\"tcp_flags_tc\":\"16\","
           "\"syn\":true,\"rst\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}\n",
           "11/14/2023-22:13:20.030000  [**] [3:77:5] two words [**] "
           "[Classification: Misc Attack] [Priority: 2] {TCP} 10.0.0.1:1000 -> 10.0.0.2:80\n");
}

/* Control characters, quotes, and bytes that are no UTF-8, wherever a rule may hold them. */
static void
odd_bytes_do_no_harm(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert udp any any -> any any (msg:\"a\\\"b\\\\c\td\x1b[0m\xff\xc3\xa4\"; "
             "content:\"x\"; sid:1; reference:\xfe,\"q\"; metadata:\"k\x01 \xc3\xa4\xc3;)");
    feed(f, udp_frame(WEIR_TOSERVER, "x", 1, 0, f->room[0]));
    expect(f,
           "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,\"pcap_cnt\":1,"
           "\"event_type\":\"alert\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,\"proto\":\"UDP\",\"ip_v\":4,"
           "\"pkt_src\":\"wire/"
           "pcap\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":1,\"rev\":0,"
           "\"signature\":\"a\\\"b\\\\c\\td\\u001b[0m\\u00ff\xc3\xa4\",\"category\":\"\","
           "\"severity\":3,\"references\":[\"\\u00fe,\\\"q\\\"\"],"
           "\"metadata\":{\"\\\"k\\u0001\":[\"\xc3\xa4\\u00c3\"]}},"
           "\"direction\":\"to_server\","
           "\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":0,\"bytes_toserver\":43,"
           "\"bytes_toclient\":0,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\",\"src_port\":1000,"
           "\"dest_port\":53}}\n"
           "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,"
           "\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,\"proto\":\"UDP\",\"ip_v\":4,"
           "\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":0,\"bytes_toserver\":43,"
           "\"bytes_toclient\":0,\"start\":\"2023-11-14T22:13:20.000000+0000\","
           "\"end\":\"2023-11-14T22:13:20.000000+0000\",\"age\":0,\"state\":\"new\","
           "\"reason\":\"shutdown\",\"alerted\":true}}\n",
           "11/14/2023-22:13:20.000000  [**] [1:1:0] a\"b\\c?d?[0m\xff\xc3\xa4 [**] "
           "[Classification: (null)] [Priority: 3] {UDP} 10.0.0.1:1000 -> 10.0.0.2:53\n");
}

/* Decided by the flow's end: no packet number, and the ends of the direction that matched. */
static void
an_alert_without_a_packet_has_the_ends_of_its_direction(void **state)
{
    struct fixture *f = *state;
    static const char eve[] = "{\"timestamp\":\"2023-11-14T22:13:20.030000+0000\",\"flow_id\":1,"
                              "\"event_type\":\"alert\",\"src_ip\":\"10.0.0.2\",\"src_port\":80,"
                              "\"dest_ip\":\"10.0.0.1\",\"dest_port\":1000,\"proto\":\"TCP\",";
    struct weir_errbuf err = { "" };

    begin(f, "alert tcp any any -> any any (content:\"ab\"; content:!\"z\"; within:9; sid:2;)");
    segment(f, WEIR_TOSERVER, WEIR_TH_SYN, 1000, 0, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, 5000, 1001, "");
    client(f, 1001, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK, 5001, 1001, "ab");
    weir_monitor_end(f->m);
    assert_int_equal(out_close(&f->eve, &err), WEIR_E_OK);
    assert_int_equal(out_close(&f->fast, &err), WEIR_E_OK);
    slurp(f, f->eve_path);
    assert_memory_equal(f->said, eve, sizeof(eve) - 1);
    assert_non_null(strstr(f->said, "\"direction\":\"to_client\""));
    slurp(f, f->fast_path);
    assert_string_equal(f->said,
                        "11/14/2023-22:13:20.030000  [**] [1:2:0]  [**] [Classification: (null)] "
                        "[Priority: 3] {TCP} 10.0.0.2:80 -> 10.0.0.1:1000\n");
}

/* The first line in which this stands; from it on to its end. */
static const char *
find(struct fixture *f, const char *text)
{
    struct weir_errbuf err = { "" };
    char *at;

    if (f->said[0] == '\0') {
        weir_monitor_end(f->m);
        assert_int_equal(out_close(&f->eve, &err), WEIR_E_OK);
        assert_int_equal(out_close(&f->fast, &err), WEIR_E_OK);
        slurp(f, f->eve_path);
    }
    at = strstr(f->said, text);
    if (at == NULL)
        fail_msg("'%s' does not stand in: %s", text, f->said);
    return at;
}

static void
lacks(struct fixture *f, const char *text)
{
    if (strstr(f->said, text) != NULL)
        fail_msg("'%s' stands in: %s", text, f->said);
}

static void
handshake(struct fixture *f)
{
    segment(f, WEIR_TOSERVER, WEIR_TH_SYN, 1000, 0, "");
    segment(f, WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, 5000, 1001, "");
    client(f, 1001, "");
}

static void
an_alert_shows_the_bytes_that_it_is_about(void **state)
{
    struct fixture *f = *state;

    f->opts.payload = f->opts.payload_printable = f->opts.packet = f->opts.verdict = true;
    begin(f, "alert udp any any -> any any (content:\"a\"; sid:1;)");
    feed(f, udp_frame(WEIR_TOSERVER, "a\"\\\n\r\x01z", 7, 0, f->room[0]));
    find(f, "\"verdict\":{\"action\":\"alert\"},\"direction\"");
    find(f, "\"payload\":\"YSJcCg0Beg==\",\"payload_printable\":\"a\\\"\\\\\\n\\r.z\","
            "\"stream\":0,\"packet\":\"");
    find(f, "\"packet_info\":{\"linktype\":1,\"linktype_name\":\"EN10MB\"}}\n");
}

/* What alerts do to a packet is known when they are told of. */
static void
a_dropped_packet_has_a_record(void **state)
{
    struct fixture *f = *state;

    f->opts.types = 1U << EVE_DROP;
    f->opts.drop_verdict = f->opts.drop_alerts = true;
    f->about.done = &f->done;
    f->about.action = "blocked";
    begin(f, "reject tcp any any -> any any (msg:\"m\"; flags:PA; sid:7;)");
    handshake(f);
    f->done = (struct enforced){
        .packet = 4, .reason = "rules", .rule = f->l.rules.at, .reject = ACTION_REJECT
    };
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK | WEIR_TH_PUSH, 1001, 5001, "evil");
    f->done.packet = 5; /* the second one of its direction is not told of, */
    segment(f, WEIR_TOSERVER, WEIR_TH_ACK | WEIR_TH_PUSH, 1005, 5001, "evil");
    f->done = (struct enforced){ .packet = 6, .reason = "flow drop" };
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK, 5001, 1001, "");
    expect(f,
           "{\"timestamp\":\"2023-11-14T22:13:20.030000+0000\",\"flow_id\":1,\"pcap_cnt\":4,"
           "\"event_type\":\"drop\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
           "\"dest_ip\":\"10.0.0.2\",\"dest_port\":80,\"proto\":\"TCP\",\"ip_v\":4,"
           "\"pkt_src\":\"wire/pcap\",\"drop\":{\"len\":44,\"tos\":0,\"ttl\":64,\"ipid\":0,"
           "\"tcpseq\":1001,\"tcpack\":5001,\"tcpwin\":65535,\"syn\":false,\"ack\":true,"
           "\"psh\":true,\"rst\":false,\"urg\":false,\"fin\":false,\"tcpres\":0,\"tcpurgp\":0,"
           "\"reason\":\"rules\"},\"verdict\":{\"action\":\"drop\","
           "\"reject-target\":\"to_client\",\"reject\":[\"tcp-reset\"]},"
           "\"alert\":{\"action\":\"blocked\",\"gid\":1,\"signature_id\":7,\"rev\":0,"
           "\"signature\":\"m\",\"category\":\"\",\"severity\":3}}\n"
           "{\"timestamp\":\"2023-11-14T22:13:20.050000+0000\",\"flow_id\":1,\"pcap_cnt\":6,"
           "\"event_type\":\"drop\",\"src_ip\":\"10.0.0.2\",\"src_port\":80,"
           "\"dest_ip\":\"10.0.0.1\",\"dest_port\":1000,\"proto\":\"TCP\",\"ip_v\":4,"
           "\"pkt_src\":\"wire/pcap\",\"drop\":{\"len\":40,\"tos\":0,\"ttl\":64,\"ipid\":0,"
           "\"tcpseq\":5001,\"tcpack\":1001,\"tcpwin\":65535,\"syn\":false,\"ack\":true,"
           "\"psh\":false,\"rst\":false,\"urg\":false,\"fin\":false,\"tcpres\":0,\"tcpurgp\":0,"
           "\"reason\":\"flow drop\"},\"verdict\":{\"action\":\"drop\"}}\n",
           NULL);
}

/* A rule on bad_packet drops what ends inside its header. */
static void
a_dropped_packet_may_be_cut(void **state)
{
    static const uint8_t protos[] = { WEIR_PROTO_TCP, WEIR_PROTO_UDP, WEIR_PROTO_ICMP };
    struct fixture *f = *state;
    uint8_t ip[20] = { 0x45, 0, 0, 20 };
    struct weir_packet pkt = {
        .number = 9, .frame = ip, .caplen = 20, .ip_version = 4, .ip = ip, .l4 = ip + 20
    };
    struct weir_event ev = { .type = WEIR_EV_BAD_PACKET, .number = 9, .packet = &pkt };
    struct eve_flow none = { 0 };

    f->opts.types = 1U << EVE_DROP;
    f->about.done = &f->done;
    begin(f, "drop tcp any any -> any any (flow-event:bad_packet; sid:1;)");
    f->done = (struct enforced){ .packet = 9, .reason = "rules" };
    for (size_t i = 0; i < sizeof(protos); i++) {
        pkt.proto = protos[i];
        eve_drop(f->writer, &none, &ev, &f->about);
    }
    weir_monitor_end(f->m);
    assert_int_equal(out_close(&f->eve, NULL), WEIR_E_OK);
    slurp(f, f->eve_path);
    for (const char *p = f->said; *p != '\0'; p = strchr(p, '\n') + 1)
        assert_non_null(strstr(p, "\"ttl\":0,\"ipid\":0,\"reason\":\"rules\"}}\n"));
    assert_null(strstr(f->said, "tcp"));
    assert_null(strstr(f->said, "len\":0"));
    assert_null(strstr(f->said, "icmp_id"));
}

static void
an_alert_says_what_became_of_its_packet(void **state)
{
    struct fixture *f = *state;

    f->opts.verdict = true;
    f->about.done = &f->done;
    f->done = (struct enforced){ .packet = 1, .reason = "rules" };
    begin(f, "drop udp any any -> any any (content:\"a\"; sid:1;)");
    datagram(f, WEIR_TOSERVER, "a");
    find(f, "\"verdict\":{\"action\":\"drop\"}");
}

/* The stream's newest bytes, as far back as asked for, those of the event's own packet too. */
static void
a_stream_shows_its_newest_bytes(void **state)
{
    struct fixture *f = *state;

    f->opts.payload_printable = true;
    f->opts.payload_buffer_size = 8;
    begin(f, "alert tcp any any -> any any (content:\"evil\"; sid:1;)");
    handshake(f);
    client(f, 1001, "012345ev");
    client(f, 1009, "il!");
    find(f, "\"payload_printable\":\"345evil!\",\"stream\":1}\n");
    lacks(f, "\"payload\":");
}

/* What was not captured is told in words, also before the first byte. */
static void
a_stream_tells_of_its_hole(void **state)
{
    struct fixture *f = *state;

    f->opts.payload_printable = true;
    begin(f, "alert tcp-stream any any -> any any (content:\"DATA\"; sid:1;)");
    handshake(f);
    client(f, 1001, "VERY");
    client(f, 1009, "DATA");
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK, 5001, 1013, "");
    find(f, "\"payload_printable\":\"VERY[4 bytes missing]DATA\",\"stream\":1}\n");
    find(f, "\"state\":\"established\",\"ts_gap\":true}}\n");
    lacks(f, "tc_gap");
}

/* Also what the packet released behind it: what came before gives way, its own bytes do not. */
static void
a_stream_shows_what_its_packet_released(void **state)
{
    struct fixture *f = *state;

    f->opts.payload_printable = true;
    f->opts.payload_buffer_size = 9;
    begin(f, "alert tcp-stream any any -> any any (content:\"evil\"; sid:1;)");
    handshake(f);
    client(f, 1001, "0123");
    client(f, 1009, "beh");
    client(f, 1012, "ind it");
    client(f, 1005, "evil");
    find(f, "\"pcap_cnt\":7,");
    find(f, "\"payload_printable\":\"evilbehin\",\"stream\":1}\n");
}

static void
a_stream_tells_of_a_hole_behind_its_bytes(void **state)
{
    struct fixture *f = *state;

    f->opts.payload_printable = true;
    f->opts.payload_buffer_size = 8;
    begin(f, "alert tcp-stream any any -> any any (content:\"EVIL\"; sid:1;)");
    handshake(f);
    client(f, 1005, "EVIL");
    client(f, 1011, "DATA.");
    segment(f, WEIR_TOCLIENT, WEIR_TH_ACK, 5001, 1016, "");
    find(f, "\"payload_printable\":\"[4 bytes missing]EVIL[2 bytes missing]DATA\",\"stream\":1}\n");
}

static void
a_record_says_what_its_caller_knows(void **state)
{
    struct fixture *f = *state;

    f->opts.rule_raw = true;
    f->opts.rule_reference = f->opts.alert_flow = false;
    f->about = (struct eve_about){ .app = APP_HTTP,
                                   .has_tx_id = true,
                                   .tx_id = 3,
                                   .tx_count = 4,
                                   .action = "blocked",
                                   .target = EVE_TARGET_DEST };
    begin(f, "alert udp any any -> any any (content:\"a\"; reference:cve,1; sid:1;)");
    datagram(f, WEIR_TOCLIENT, "a");
    find(f, "\"pkt_src\":\"wire/pcap\",\"tx_id\":3,\"alert\":{\"action\":\"blocked\",");
    find(f,
         "\"severity\":3,\"source\":{\"ip\":\"10.0.0.2\",\"port\":53},"
         "\"target\":{\"ip\":\"10.0.0.1\",\"port\":1000},"
         "\"rule\":\"alert udp any any -> any any (content:\\\"a\\\"; reference:cve,1; sid:1;)\"},"
         "\"app_proto\":\"http\",\"direction\":\"to_server\"}\n");
    find(f, "\"app_proto\":\"http\",\"flow\":{");
    find(f, "\"alerted\":true,\"tx_cnt\":4}");
}

static void
a_flow_has_its_community_id(void **state)
{
    struct fixture *f = *state;
    struct digest *digest;

    if (digest_new(&digest) != WEIR_E_OK)
        skip();
    digest_free(digest);
    f->opts.community_id = true;
    begin(f, "alert udp any any -> any any (content:\"a\"; sid:1;)");
    datagram(f, WEIR_TOSERVER, "a");
    find(f, "\"pkt_src\":\"wire/pcap\",\"community_id\":\"1:3dOlp8ntUVx1pST5gnmqaqHNfUY=\"");
    find(f, "\"ip_v\":4,\"community_id\":\"1:3dOlp8ntUVx1pST5gnmqaqHNfUY=\",\"flow\"");
}

static void
anomalies_have_suricatas_names(void **state)
{
    struct fixture *f = *state;

    f->opts.types = 1U << EVE_ANOMALY;
    f->opts.anomaly_stream = true;
    begin(f, "alert tcp any any -> any any (content:\"xyz\"; sid:1;)");
    handshake(f);
    client(f, 1001, "abcd");
    client(f, 1001, "abXd");
    client(f, 1001, "aYYd");
    segment(f, WEIR_TOSERVER, 0, 1005, 5001, "");
    segment(f, WEIR_TOCLIENT, 0, 5001, 1005, "");
    find(f, "\"pcap_cnt\":5,\"event_type\":\"anomaly\"");
    find(f, "\"pkt_src\":\"wire/pcap\",\"anomaly\":{\"type\":\"stream\","
            "\"event\":\"stream.reassembly_overlap_different_data\"}}\n");
    find(f, "\"anomaly\":{\"type\":\"stream\",\"event\":\"weir.bad_flags.null\"}}\n");
    lacks(f, "\"event_type\":\"flow\"");
    lacks(f, "\"pcap_cnt\":6"); /* of a kind only the first, ... */
    find(f, "\"pcap_cnt\":7");
    find(f, "\"pcap_cnt\":8"); /* ... but of each direction */
}

static void
all_anomalies_are_told_if_asked_for(void **state)
{
    struct fixture *f = *state;

    f->opts.types = 1U << EVE_ANOMALY;
    f->opts.anomaly_stream = f->opts.anomaly_repeat = true;
    begin(f, "alert tcp any any -> any any (content:\"xyz\"; sid:1;)");
    handshake(f);
    client(f, 1001, "abcd");
    client(f, 1001, "abXd");
    client(f, 1001, "aYYd");
    find(f, "\"pcap_cnt\":5");
    find(f, "\"pcap_cnt\":6");
}

static void
flow_events_are_written_if_asked_for(void **state)
{
    struct fixture *f = *state;

    f->opts.types = 1U << EVE_FLOW_EVENT;
    f->opts.flow_event_bytes = 2;
    begin(f, "alert tcp any any -> any any (content:\"xyz\"; sid:1;)");
    handshake(f);
    client(f, 1001, "abcd");
    client(f, 1001, "aXYZ");
    find(f, "\"flow_event\":{\"event\":\"fake_retransmit\",\"direction\":\"toserver\","
            "\"offset\":0,\"length\":4,\"diff_offset\":1,\"diff_length\":3,\"kept\":\"old\","
            "\"old_data\":\"YmM=\",\"new_data\":\"WFk=\"}}\n");
    find(f, "\"flow_event\":{\"event\":\"flow_start\"");
    lacks(f, "\"event\":\"packet\"");
    lacks(f, "\"event_type\":\"flow\"");
}

static void
counters_end_the_log(void **state)
{
    struct fixture *f = *state;
    const struct eve_counters counters = { .start = START_SECONDS * UINT64_C(1000000000),
                                           .now = (START_SECONDS + 2) * UINT64_C(1000000000),
                                           .alerts = 7,
                                           .rules_loaded = 1 };
    struct weir_monitor_stats stats;

    f->opts.types = 1U << EVE_STATS;
    begin(f, "alert udp any any -> any any (content:\"a\"; sid:1;)");
    weir_monitor_get_stats(f->m, &stats);
    eve_stats(f->writer, &stats, &counters); /* no packet, no record */
    datagram(f, WEIR_TOSERVER, "a");
    weir_monitor_end(f->m);
    weir_monitor_get_stats(f->m, &stats);
    eve_stats(f->writer, &stats, &counters);
    expect(f,
           "{\"timestamp\":\"2023-11-14T22:13:22.000000+0000\",\"event_type\":\"stats\","
           "\"stats\":{\"uptime\":2,"
           "\"decoder\":{\"pkts\":1,\"bytes\":43,\"invalid\":0,\"avg_pkt_size\":43},"
           "\"flow\":{\"total\":1,\"active\":0,\"tcp\":0,\"udp\":1,\"icmpv4\":0,\"icmpv6\":0,"
           "\"memcap\":0},"
           "\"defrag\":{\"fragments\":0,\"reassembled\":0,\"max_frag_hits\":0},"
           "\"tcp\":{\"sessions\":0,\"syn\":0,\"synack\":0,\"rst\":0,\"urg\":0,"
           "\"invalid_checksum\":0,\"segment_memcap_drop\":0,\"reassembly_gap\":0,\"overlap\":0,"
           "\"overlap_diff_data\":0,\"insert_list_fail\":0},"
           "\"detect\":{\"engines\":[{\"id\":0,\"rules_loaded\":1,\"rules_failed\":0}],"
           "\"alert\":7,\"alerts_suppressed\":0},"
           "\"app_layer\":{\"flow\":{},\"tx\":{}}}}\n",
           "11/14/2023-22:13:20.000000  [**] [1:1:0]  [**] [Classification: (null)] [Priority: 3] "
           "{UDP} 10.0.0.1:1000 -> 10.0.0.2:53\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_alert_says_what_its_rule_says),
        T(odd_bytes_do_no_harm),
        T(an_alert_without_a_packet_has_the_ends_of_its_direction),
        T(an_alert_shows_the_bytes_that_it_is_about),
        T(a_dropped_packet_has_a_record),
        T(a_dropped_packet_may_be_cut),
        T(an_alert_says_what_became_of_its_packet),
        T(a_stream_shows_its_newest_bytes),
        T(a_stream_tells_of_its_hole),
        T(a_stream_shows_what_its_packet_released),
        T(a_stream_tells_of_a_hole_behind_its_bytes),
        T(a_record_says_what_its_caller_knows),
        T(a_flow_has_its_community_id),
        T(anomalies_have_suricatas_names),
        T(all_anomalies_are_told_if_asked_for),
        T(flow_events_are_written_if_asked_for),
        T(counters_end_the_log),
    };

    return cmocka_run_group_tests_name("eve_alert", tests, NULL, NULL);
}
