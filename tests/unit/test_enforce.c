/* What rules do to packets, in line: which leave, which do not, and who is told. */
#include "enforce.h"

#include "app/app.h"
#include "checksum.h"
#include "decode.h"
#include "detect/detect.h"
#include "detect/inspect.h"
#include "support/frames.h"
#include "support/loaded.h"

#include <weir/verdict.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SENT = 64, ROOMS = 64, ISN = 1000, PEER = 5000 };

struct sent {
    uint8_t bytes[FRAME_ROOM];
    uint32_t n;
    bool back;
};

struct fixture {
    struct loaded l;
    struct detect *detect;
    struct app_layer *app;
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    struct enforce_opts opts;
    struct enforced done;
    struct flow_scan *scan;
    const struct weir_event *ev;
    struct tx *tx;
    struct sent sent[SENT];
    unsigned n_sent, n, ms, alerts;
    bool replaced;
    uint8_t (*room)[FRAME_ROOM];
};

static bool
keep(void *ctx, unsigned core, uint8_t from, bool back, const uint8_t *data, uint32_t len)
{
    struct fixture *f = ctx;

    (void)core, (void)from;
    assert_true(f->n_sent < SENT && len <= FRAME_ROOM);
    memcpy(f->sent[f->n_sent].bytes, data, len);
    f->sent[f->n_sent].n = len;
    f->sent[f->n_sent++].back = back;
    return true;
}

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .l = { .vars = vars_new() }, .room = malloc(ROOMS * sizeof(*f.room)) };
    *state = &f;
    return f.l.vars == NULL || f.room == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->m != NULL)
        weir_monitor_end(f->m); /* parsers go with their flows */
    weir_monitor_free(f->m);
    app_free(f->app);
    detect_free(f->detect);
    unload(&f->l);
    free(f->room);
    return 0;
}

/* ---- the app ------------------------------------------------------------------------------- */

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    (void)rule, (void)ev;
    ((struct fixture *)ctx)->alerts++;
}

static void
on_act(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct fixture *f = ctx;

    enforce_rule(&f->done, rule, outcome_action(detect_outcome(f->detect)), f->tx != NULL, ev);
    if (rule->replaces)
        f->replaced = detect_replace(f->detect, rule, ev);
}

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct fixture *f = ctx;

    f->tx = tx;
    inspect(f->detect, tx, dir, stage);
    f->tx = NULL;
}

static void
on_app_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    (void)ctx, (void)name, (void)tx, (void)dir;
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct fixture *f = ev->app;

    f->scan = ctx;
    f->ev = ev;
    detect_begin(f->detect, ctx, ev);
    if (ev->flow != NULL)
        app_event(f->app, &f->scan->app, ev);
    detect_go_on(f->detect);
    if (f->scan->established)
        enforce_stream(&f->done, &f->opts, ev);
    enforce_urgent(&f->done, &f->opts, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static void
begin_with(struct fixture *f, const char *rules, const char *limits)
{
    const struct weir_outlet outlet = { .ctx = f, .send = keep };
    const struct weir_monitor_opts opts = { .outlet = &outlet,
                                            .urgent_in_band = f->opts.urgent == URGENT_INLINE };
    const struct weir_app app = { .name = "ids",
                                  .spec = &f->spec,
                                  .flow_size = sizeof(struct flow_scan),
                                  .history = DETECT_WINDOW,
                                  .gates = true,
                                  .arg = f };
    struct app_opts app_opts = app_defaults();
    struct detect_opts detect = { .memory = 64 << 20, .act = on_act };
    struct weir_errbuf err = { "" };

    f->l.rules.in_line = true;
    load(&f->l, rules, limits);
    detect.outcome.limits = &f->l.limits;
    assert_int_equal(detect_new(f->l.groups, &detect, on_alert, f, &f->detect, &err), WEIR_E_OK);
    assert_int_equal(app_new(&app_opts, on_tx, on_app_event, f, &f->app, &err), WEIR_E_OK);
    f->spec = (struct weir_tap_spec){ .stage = stages,
                                      .n_stages = 1,
                                      .want = detect_wants(f->detect) | app_wants() |
                                              enforce_wants(&f->opts) };
    assert_int_equal(weir_monitor_new(&opts, &f->m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

static void
begin(struct fixture *f, const char *rules)
{
    begin_with(f, rules, "");
}

/* ---- packets ------------------------------------------------------------------------------- */

static void
tcp(struct fixture *f, struct segment s)
{
    struct weir_frame frame;

    assert_true(f->n < ROOMS);
    s.ms = f->ms++;
    frame = tcp_frame(&s, f->room[f->n++]);
    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static void
client(struct fixture *f, uint32_t offset, const char *data)
{
    tcp(f, (struct segment){ .flags = WEIR_TH_ACK,
                             .seq = ISN + 1 + offset,
                             .ack = PEER + 1,
                             .data = data,
                             .n = (uint32_t)strlen(data) });
}

static void
server(struct fixture *f, uint32_t ack, const char *data)
{
    tcp(f, (struct segment){ .dir = WEIR_TOCLIENT,
                             .flags = WEIR_TH_ACK,
                             .seq = PEER + 1,
                             .ack = ISN + 1 + ack,
                             .data = data,
                             .n = (uint32_t)strlen(data) });
}

/* The handshake; nothing is in sent[] then. */
static void
connect(struct fixture *f)
{
    tcp(f, (struct segment){ .flags = WEIR_TH_SYN, .seq = ISN });
    tcp(f, (struct segment){ .dir = WEIR_TOCLIENT,
                             .flags = WEIR_TH_SYN | WEIR_TH_ACK,
                             .seq = PEER,
                             .ack = ISN + 1 });
    client(f, 0, "");
    assert_int_equal(f->n_sent, 3);
    f->n_sent = 0;
}

static void
udp(struct fixture *f, const char *data)
{
    struct weir_frame frame = udp_frame(WEIR_TOSERVER, data, (uint32_t)strlen(data), f->ms++,
                                        f->room[f->n++]);

    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static struct weir_packet
packet_of(const struct fixture *f, unsigned i)
{
    const struct weir_frame frame = {
        .data = f->sent[i].bytes, .caplen = f->sent[i].n, .wirelen = f->sent[i].n, .link = 1
    };
    struct decode_fault fault;
    struct weir_packet pkt;
    enum weir_layer layer;

    assert_true(i < f->n_sent);
    assert_int_equal(decode(&frame, &pkt, &fault), DECODE_FLOW);
    assert_true(checksums_right(&pkt, &layer));
    return pkt;
}

static void
assert_payload(const struct fixture *f, unsigned i, const char *text)
{
    const struct weir_packet pkt = packet_of(f, i);

    assert_int_equal(pkt.payload_len, strlen(text));
    assert_memory_equal(pkt.payload, text, strlen(text));
}

static bool
is_rst(const struct fixture *f, unsigned i, bool back)
{
    return f->sent[i].back == back && packet_of(f, i).tcp_flags & WEIR_TH_RST;
}

/* ---- drop ---------------------------------------------------------------------------------- */

#define TCP "tcp any any -> any any (msg:\"m\"; "

static void
a_rule_of_packets_drops_the_packet(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop " TCP "content:\"evil\"; offset:0; flow:no_stream; sid:1;)");
    connect(f);
    client(f, 0, "evil");
    client(f, 4, "good");
    client(f, 0, "evil"); /* once more, and asked once more */
    assert_int_equal(f->n_sent, 1);
    assert_payload(f, 0, "good");
    assert_int_equal(f->alerts, 2);
    assert_string_equal(f->done.reason, "rules");
    assert_false(f->done.of_flow);
}

static void
a_rule_of_streams_drops_the_flow(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    client(f, 0, "good ev");
    client(f, 7, "il");
    client(f, 9, "more");
    client(f, 7, "il"); /* nor does what comes again */
    server(f, 7, "answer");
    assert_int_equal(f->alerts, 1);
    assert_int_equal(f->n_sent, 1);
    assert_true(f->done.of_flow);
}

/* What lay in one packet comes again in two. */
static void
what_a_packet_showed_does_not_come_in_pieces(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop " TCP "content:\"evil\"; startswith; sid:1;)");
    connect(f);
    client(f, 0, "evil");
    client(f, 0, "ev");
    client(f, 2, "il");
    assert_int_equal(f->n_sent, 0);
    assert_true(f->done.of_flow);
}

/* The receiver may not have taken it: a router may have dropped it, or its options the host. */
static void
data_behind_a_rst_does_not_leave(void **state)
{
    struct fixture *f = *state;

    f->opts.invalid = true;
    begin(f, "drop " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    tcp(f, (struct segment){ .flags = WEIR_TH_RST, .seq = ISN + 1 });
    assert_int_equal(f->n_sent, 1);
    client(f, 0, "evil");
    client(f, 0, "ev");
    client(f, 2, "il");
    assert_int_equal(f->n_sent, 1);
    server(f, 0, "answer"); /* of whom nobody has seen a RST */
    assert_int_equal(f->n_sent, 2);
}

static void
a_rule_of_transactions_drops_the_flow(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop http any any -> any any (http.uri; content:\"/evil\"; sid:1;)");
    connect(f);
    client(f, 0, "GET /evil HTTP/1.1\r\n");
    f->n_sent = 0;
    client(f, 20, "Host: x\r\n\r\n");
    client(f, 31, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(f->alerts, 1);
    assert_int_equal(f->n_sent, 0);
}

static void
a_rule_of_datagrams_drops_the_datagram(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop udp any any -> any any (content:\"evil\"; sid:1;)");
    udp(f, "an evil one");
    udp(f, "another");
    assert_int_equal(f->n_sent, 1);
    assert_payload(f, 0, "another");
}

static void
a_rule_of_addresses_drops_the_flow(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop ip 10.0.0.1 any -> any any (sid:1;)");
    udp(f, "one");
    udp(f, "two");
    assert_int_equal(f->n_sent, 0);
    assert_true(f->done.of_flow);
}

static void
block_is_of_the_flow(void **state)
{
    struct fixture *f = *state;

    begin(f, "block udp any any -> any any (content:\"evil\"; sid:1;)");
    udp(f, "evil");
    udp(f, "good");
    assert_int_equal(f->n_sent, 0);
}

static void
pass_comes_before_drop(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop " TCP "content:\"evil\"; sid:1;)\n"
             "pass " TCP "content:\"evil but known\"; sid:2;)");
    connect(f);
    client(f, 0, "evil but known");
    client(f, 14, "evil");
    assert_int_equal(f->n_sent, 2);
}

static void
noalert_drops_without_a_word(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop udp any any -> any any (content:\"evil\"; noalert; sid:1;)");
    udp(f, "evil");
    assert_int_equal(f->n_sent, 0);
    assert_int_equal(f->alerts, 0);
}

static void
alert_lets_pass(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert udp any any -> any any (content:\"evil\"; sid:1;)");
    udp(f, "evil");
    assert_int_equal(f->n_sent, 1);
    assert_int_equal(f->alerts, 1);
    assert_int_equal(f->done.packet, 0);
}

/* ---- how often ----------------------------------------------------------------------------- */

static unsigned
left_of(struct fixture *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        udp(f, "evil");
    return f->n_sent;
}

static void
limits_are_of_alerts_and_not_of_drops(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop udp any any -> any any (content:\"evil\"; "
             "threshold:type limit, track by_src, count 1, seconds 60; sid:1;)");
    assert_int_equal(left_of(f, 5), 0);
    assert_int_equal(f->alerts, 1);
}

static void
both_drops_from_where_it_alerts(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop udp any any -> any any (content:\"evil\"; "
             "threshold:type both, track by_src, count 3, seconds 60; sid:1;)");
    assert_int_equal(left_of(f, 6), 2);
    assert_int_equal(f->alerts, 1);
}

static void
a_threshold_drops_what_alerts(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop udp any any -> any any (content:\"evil\"; "
             "threshold:type threshold, track by_src, count 3, seconds 60; sid:1;)");
    assert_int_equal(left_of(f, 7), 5);
}

static void
a_detection_filter_drops_what_goes_beyond(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop udp any any -> any any (content:\"evil\"; "
             "detection_filter:track by_src, count 3, seconds 60; sid:1;)");
    assert_int_equal(left_of(f, 7), 3);
}

static void
a_rate_filter_makes_it_drop(void **state)
{
    struct fixture *f = *state;

    begin_with(f, "alert udp any any -> any any (content:\"evil\"; sid:1;)",
               "rate_filter gen_id 1, sig_id 1, track by_src, count 4, seconds 60, "
               "new_action drop, timeout 60");
    assert_int_equal(left_of(f, 7), 4);
    assert_int_equal(f->alerts, 7);
}

static void
what_is_suppressed_is_dropped(void **state)
{
    struct fixture *f = *state;

    begin_with(f, "drop udp any any -> any any (content:\"evil\"; sid:1;)",
               "suppress gen_id 1, sig_id 1");
    assert_int_equal(left_of(f, 2), 0);
    assert_int_equal(f->alerts, 0);
}

/* ---- reject -------------------------------------------------------------------------------- */

/* What leaves when the client sends "evil", and the rule says this. */
static void
reject(struct fixture *f, const char *action)
{
    char rule[128];

    snprintf(rule, sizeof(rule), "%s " TCP "content:\"evil\"; flow:no_stream; sid:1;)", action);
    begin(f, rule);
    connect(f);
    client(f, 0, "evil");
}

static void
reject_tells_the_sender(void **state)
{
    struct fixture *f = *state;

    reject(f, "reject");
    assert_int_equal(f->n_sent, 1);
    assert_true(is_rst(f, 0, true));
    assert_int_equal(f->done.reject, ACTION_REJECT);
    server(f, 0, "answer");
    assert_payload(f, 1, "answer");
}

static void
rejectsrc_tells_the_sender(void **state)
{
    struct fixture *f = *state;

    reject(f, "rejectsrc");
    assert_int_equal(f->n_sent, 1);
    assert_true(is_rst(f, 0, true));
}

static void
rejectdst_tells_the_receiver(void **state)
{
    struct fixture *f = *state;

    reject(f, "rejectdst");
    assert_int_equal(f->n_sent, 1);
    assert_true(is_rst(f, 0, false));
    assert_int_equal(packet_of(f, 0).tcp_seq, ISN + 1);
}

static void
rejectboth_tells_both(void **state)
{
    struct fixture *f = *state;

    reject(f, "rejectboth");
    assert_int_equal(f->n_sent, 2);
    assert_true(is_rst(f, 0, false));
    assert_true(is_rst(f, 1, true));
}

static void
snorts_reject_ends_the_connection(void **state)
{
    struct fixture *f = *state;

    begin(f, "reject tcp any any -> any any (content:\"evil\",depth 4; sid:1;)");
    connect(f);
    client(f, 0, "evil");
    assert_int_equal(f->n_sent, 2);
    client(f, 4, "more");
    assert_int_equal(f->n_sent, 3);
    assert_true(is_rst(f, 2, true));
}

static void
a_rejected_datagram_is_told_of_each_time(void **state)
{
    struct fixture *f = *state;

    begin(f, "reject udp any any -> any any (content:\"evil\"; sid:1;)");
    assert_int_equal(left_of(f, 2), 2);
    assert_int_equal(packet_of(f, 1).icmp_type, 3);
    assert_true(f->sent[1].back);
    udp(f, "good");
    assert_payload(f, 2, "good");
}

/* ---- replace ------------------------------------------------------------------------------- */

static void
contents_are_replaced_in_the_packet(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert " TCP "content:\"Evil\"; nocase; replace:\"good\"; content:\"|00|\"; "
             "distance:2; replace:\"|0d|\"; sid:1;)");
    connect(f);
    tcp(f, (struct segment){ .flags = WEIR_TH_ACK,
                             .seq = ISN + 1,
                             .ack = PEER + 1,
                             .data = "eVIL evil\0.\0!",
                             .n = 13 });
    assert_int_equal(f->alerts, 1);
    assert_true(f->replaced);
    assert_int_equal(packet_of(f, 0).payload_len, 13);
    assert_memory_equal(packet_of(f, 0).payload, "good evil\r.\0!", 13);
    client(f, 13, "no more");
    assert_payload(f, 1, "no more");
}

/* Bytes of one content in two packets are not there to be replaced, as in Suricata. */
static void
what_lies_in_two_packets_stays(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert " TCP "content:\"evil\"; replace:\"good\"; sid:1;)");
    connect(f);
    client(f, 0, "ev");
    client(f, 2, "il");
    assert_int_equal(f->alerts, 0);
    assert_payload(f, 1, "il");
}

static void
datagrams_are_changed_too(void **state)
{
    struct fixture *f = *state;

    begin(f, "rewrite udp any any -> any any (content:\"evil\"; replace:\"good\"; sid:1;)");
    udp(f, "an evil one");
    assert_payload(f, 0, "an good one");
}

static void
what_cannot_be_replaced_is_refused(void **state)
{
    static const char *const options[] = {
        "content:\"evil\"; replace:\"better\";",
        "content:!\"evil\"; replace:\"good\";",
        "replace:\"good\"; content:\"evil\";",
        "content:\"evil\"; replace:good;",
        "content:\"evil\"; replace:\"good\"; replace:\"good\";",
        "content:\"evil\"; http_uri; replace:\"good\";",
        "http.uri; content:\"evil\"; replace:\"good\";",
        "http.uri; content:\"x\"; pkt_data; content:\"evil\"; replace:\"good\";",
        "content:\"evil\"; replace:\"good\"; flow:only_stream;",
        "flow:only_stream; content:\"evil\"; replace:\"good\";",
        "flow-event:retransmit; content:\"evil\"; replace:\"good\";",
    };
    struct fixture *f = *state;
    struct weir_errbuf err;

    f->l.rules.in_line = true;
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        char rule[256];
        int n = snprintf(rule, sizeof(rule), "alert tcp any any -> any any (%s sid:1;)",
                         options[i]);

        assert_int_equal(rules_load_text(&f->l.rules, f->l.vars, "t",
                                         (struct text){ rule, (size_t)n }, NULL, NULL, &err),
                         WEIR_E_OK);
        assert_int_equal(f->l.rules.refused, i + 1);
    }
}

/* Where nobody is in line the rule alerts, and that is all. */
static void
looking_on_nothing_is_replaced(void **state)
{
    static const char rule[] = "alert tcp any any -> any any (content:\"evil\"; replace:\"good\"; "
                               "sid:1;)";
    struct fixture *f = *state;
    struct weir_errbuf err;

    assert_int_equal(rules_load_text(&f->l.rules, f->l.vars, "t",
                                     (struct text){ rule, sizeof(rule) - 1 }, NULL, NULL, &err),
                     WEIR_E_OK);
    assert_int_equal(f->l.rules.n, 1);
    assert_false(f->l.rules.at[0].replaces);
    assert_null(f->l.rules.at[0].step[0].instead);
    assert_int_equal(f->l.rules.at[0].flow & RULE_NO_STREAM, 0);
}

/* ---- what hosts would not take ------------------------------------------------------------- */

static void
other_bytes_than_before_do_not_leave(void **state)
{
    struct fixture *f = *state;

    f->opts.conflicting = true;
    begin(f, "alert " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    client(f, 0, "good");
    client(f, 0, "evil");
    client(f, 0, "good");
    assert_int_equal(f->n_sent, 2);
    assert_payload(f, 1, "good");
    assert_string_equal(f->done.reason, "stream error");
}

static void
urgent(struct fixture *f, uint32_t offset, const char *data, uint16_t pointer)
{
    tcp(f, (struct segment){ .flags = WEIR_TH_ACK | WEIR_TH_URG,
                             .seq = ISN + 1 + offset,
                             .ack = PEER + 1,
                             .data = data,
                             .n = (uint32_t)strlen(data),
                             .urgent = pointer });
}

/* Rules see "evl", and a host that reads in band sees more. */
static void
urgent_bytes_leave_as_they_came_by_default(void **state)
{
    struct fixture *f = *state;

    begin(f, "drop " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    urgent(f, 0, "evil", 3);
    assert_int_equal(f->n_sent, 1);
    assert_int_equal(packet_of(f, 0).tcp_flags, WEIR_TH_ACK | WEIR_TH_URG);
}

static void
in_band_urgent_pointers_are_taken_off(void **state)
{
    struct fixture *f = *state;
    struct weir_packet pkt;

    f->opts.urgent = URGENT_INLINE;
    begin(f, "drop " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    urgent(f, 0, "good", 3);
    assert_int_equal(f->n_sent, 1);
    pkt = packet_of(f, 0); /* its checksum is right */
    assert_int_equal(pkt.tcp_flags, WEIR_TH_ACK);
    assert_memory_equal(pkt.l4 + 18, "\0", 2);
    assert_payload(f, 0, "good");
    urgent(f, 4, "evil", 3);
    assert_int_equal(f->n_sent, 1);
}

static void
packets_with_urgent_bytes_can_be_dropped(void **state)
{
    struct fixture *f = *state;

    f->opts.urgent = URGENT_DROP;
    begin(f, "drop " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    urgent(f, 0, "good", 3);
    assert_int_equal(f->n_sent, 0);
    assert_string_equal(f->done.reason, "stream urgent");
    client(f, 0, "good");
    assert_int_equal(f->n_sent, 1);
}

/*
 * Rules on established connections see it when the receiver has taken it: only then is it theirs.
 */
static void
data_on_a_syn_meets_rules_before_it_leaves_if_they_may_match_there(void **state)
{
    static const struct {
        const char *rule;
        unsigned n_sent[2]; /* of the SYN; of the SYN/ACK, too */
    } rows[] = {
        { "drop " TCP "content:\"evil\"; sid:1;)", { 0, 0 } },
        { "drop " TCP "content:\"evil\"; flow:to_server; sid:1;)", { 0, 0 } },
        { "drop " TCP "flow-event:data_on_syn; sid:1;)", { 0, 1 } },
        { "drop " TCP "content:\"evil\"; flow:only_stream; sid:1;)", { 1, 1 } },
        { "drop " TCP "content:\"evil\"; flow:established; sid:1;)", { 1, 1 } },
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct fixture *f = *state;

        begin(f, rows[i].rule);
        tcp(f, (struct segment){ .flags = WEIR_TH_SYN, .seq = ISN, .data = "evil", .n = 4 });
        assert_int_equal(f->n_sent, rows[i].n_sent[0]);
        tcp(f, (struct segment){ .dir = WEIR_TOCLIENT,
                                 .flags = WEIR_TH_SYN | WEIR_TH_ACK,
                                 .seq = PEER,
                                 .ack = ISN + 5 });
        assert_int_equal(f->n_sent, rows[i].n_sent[1]);
        tear_down(state);
        set_up(state);
    }
}

static void
invalid_segments_do_not_leave(void **state)
{
    struct fixture *f = *state;

    f->opts.invalid = true;
    begin(f, "alert " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    client(f, 100000, "out of window");
    tcp(f, (struct segment){
               .flags = WEIR_TH_ACK, .seq = ISN + 1, .ack = PEER + 90000, .data = "x", .n = 1 });
    tcp(f, (struct segment){ .flags = WEIR_TH_SYN | WEIR_TH_FIN, .seq = ISN + 1 });
    assert_int_equal(f->n_sent, 0);
    client(f, 0, "good");
    assert_int_equal(f->n_sent, 1);
    /* what the receiver may take after all */
    tcp(f, (struct segment){ .flags = WEIR_TH_ACK,
                             .seq = ISN + 5,
                             .ack = PEER + 1,
                             .data = "evil",
                             .n = 4,
                             .ttl = 40 });
    tcp(f, (struct segment){
               .flags = WEIR_TH_ACK, .seq = ISN + 5, .ack = PEER + 100, .data = "evil", .n = 4 });
    assert_int_equal(f->n_sent, 1);
    client(f, 4, "more");
    assert_int_equal(f->n_sent, 2);
}

static void
nothing_is_invalid_that_may_be(void **state)
{
    struct fixture *f = *state;

    begin(f, "alert " TCP "content:\"evil\"; sid:1;)");
    connect(f);
    client(f, 100000, "out of window");
    client(f, 0, "good");
    client(f, 0, "evil");
    assert_int_equal(f->n_sent, 3);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_rule_of_packets_drops_the_packet),
        T(a_rule_of_streams_drops_the_flow),
        T(what_a_packet_showed_does_not_come_in_pieces),
        T(data_behind_a_rst_does_not_leave),
        T(a_rule_of_transactions_drops_the_flow),
        T(a_rule_of_datagrams_drops_the_datagram),
        T(a_rule_of_addresses_drops_the_flow),
        T(block_is_of_the_flow),
        T(pass_comes_before_drop),
        T(noalert_drops_without_a_word),
        T(alert_lets_pass),
        T(limits_are_of_alerts_and_not_of_drops),
        T(both_drops_from_where_it_alerts),
        T(a_threshold_drops_what_alerts),
        T(a_detection_filter_drops_what_goes_beyond),
        T(a_rate_filter_makes_it_drop),
        T(what_is_suppressed_is_dropped),
        T(reject_tells_the_sender),
        T(rejectsrc_tells_the_sender),
        T(rejectdst_tells_the_receiver),
        T(rejectboth_tells_both),
        T(snorts_reject_ends_the_connection),
        T(a_rejected_datagram_is_told_of_each_time),
        T(contents_are_replaced_in_the_packet),
        T(what_lies_in_two_packets_stays),
        T(datagrams_are_changed_too),
        T(what_cannot_be_replaced_is_refused),
        T(looking_on_nothing_is_replaced),
        T(other_bytes_than_before_do_not_leave),
        T(urgent_bytes_leave_as_they_came_by_default),
        T(in_band_urgent_pointers_are_taken_off),
        T(packets_with_urgent_bytes_can_be_dropped),
        T(data_on_a_syn_meets_rules_before_it_leaves_if_they_may_match_there),
        T(invalid_segments_do_not_leave),
        T(nothing_is_invalid_that_may_be),
    };

    return cmocka_run_group_tests_name("enforce", tests, NULL, NULL);
}
