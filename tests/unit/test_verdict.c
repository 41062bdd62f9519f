/* Inline: each packet leaves once or is dropped once; verdicts, what waits for them, answers. */
#include "checksum.h"
#include "decode.h"
#include "engine.h"
#include "support/frames.h"

#include <weir/future.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SENT = 600, ISN = 1000, PEER = 5000, CLIENT = 1000, ALL = 999 };

struct sent {
    uint8_t bytes[FRAME_ROOM];
    uint32_t n;
    uint8_t from;
    bool back;
};

/* What a stage does with an event of packet number `number` and this type. */
struct deed {
    uint64_t number;
    unsigned type;
    enum weir_verdict verdict;
    unsigned reject;
    bool sleeps;
    enum weir_verdict later; /* when it wakes */
    const char *payload;     /* written over the payload's start */
    int port;                /* becomes the destination's; 0: none */
};

struct fixture {
    struct weir_monitor *m;
    struct weir_monitor_opts opts;
    struct weir_outlet outlet;
    struct weir_tap_spec spec;
    struct sent sent[SENT];
    unsigned n_sent, flushed, refuse;
    struct deed deeds[8];
    unsigned n_deeds;
    struct weir_promise promise[8]; /* of deeds[] that sleep */
    uint64_t seen[WEIR_EV_COUNT];
    char bytes[256]; /* of payload events */
    size_t n_bytes;
    uint64_t ms;
    int rewritten; /* what the last call said */
};

/* In a flow: the event that the stage sleeps on. */
struct state {
    struct weir_event ev;
    const struct deed *deed;
};

static bool
keep(void *ctx, unsigned core, uint8_t from, bool back, const uint8_t *data, uint32_t len)
{
    struct fixture *f = ctx;
    struct sent *sent = &f->sent[f->n_sent];

    assert_int_equal(core, 0);
    if (f->refuse > 0) {
        f->refuse--;
        return false;
    }
    assert_true(f->n_sent < SENT && len <= FRAME_ROOM);
    memcpy(sent->bytes, data, len);
    sent->n = len;
    sent->from = from;
    sent->back = back;
    f->n_sent++;
    return true;
}

static void
flush(void *ctx, unsigned core)
{
    (void)core;
    ((struct fixture *)ctx)->flushed++;
}

static weir_fut
look(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct fixture *f = ev->app;
    struct state *s = ctx;

    f->seen[ev->type]++;
    if (ev->type == WEIR_EV_PAYLOAD && f->n_bytes + ev->payload.data.n < sizeof(f->bytes)) {
        memcpy(f->bytes + f->n_bytes, ev->payload.data.p, ev->payload.data.n);
        f->n_bytes += ev->payload.data.n;
    }
    for (unsigned i = 0; i < f->n_deeds; i++) {
        const struct deed *d = &f->deeds[i];

        if ((d->number != ev->number && d->number != ALL) || d->type != ev->type)
            continue;
        weir_verdict(ev, d->verdict);
        if (d->reject != 0)
            weir_reject(ev, d->reject);
        if (d->payload != NULL)
            f->rewritten = weir_rewrite_payload(ev, 0, d->payload, (uint32_t)strlen(d->payload));
        if (d->port != 0)
            f->rewritten = weir_rewrite_endpoint(
                ev, WEIR_DESTINATION, &(struct weir_addr){ { 192, 168, 7, 7 } }, d->port);
        if (!d->sleeps)
            continue;
        s->ev = *ev;
        s->deed = d;
        f->promise[i] = weir_promise_new();
        return weir_future(f->promise[i]);
    }
    return weir_stop();
}

static weir_fut
wake(void *ctx, weir_fut in)
{
    const struct state *s = ctx;

    weir_verdict(&s->ev, s->deed->later);
    return in;
}

static const weir_fn stages[] = { look, wake };

static int
set_up(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof(fixture));
    fixture.outlet = (struct weir_outlet){ &fixture, keep, flush };
    fixture.opts = (struct weir_monitor_opts){ .outlet = &fixture.outlet };
    fixture.spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 2, .want = WEIR_EV_ALL };
    *state = &fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    weir_monitor_free(f->m);
    return 0;
}

static void
start(struct fixture *f)
{
    const struct weir_app app = { .name = "judge",
                                  .spec = &f->spec,
                                  .flow_size = sizeof(struct state),
                                  .no_flow_packets = true,
                                  .gates = true,
                                  .arg = f };

    assert_int_equal(weir_monitor_new(&f->opts, &f->m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

static void
deed(struct fixture *f, struct deed d)
{
    f->deeds[f->n_deeds++] = d;
}

/* On the payload of packet number `number` the stage sleeps, or says this. */
static void
sleep_on(struct fixture *f, uint64_t number)
{
    deed(f, (struct deed){ .number = number, .type = WEIR_EV_PAYLOAD, .sleeps = true });
}

static void
judge(struct fixture *f, uint64_t number, enum weir_verdict verdict)
{
    deed(f, (struct deed){ .number = number, .type = WEIR_EV_PAYLOAD, .verdict = verdict });
}

static void
feed(struct fixture *f, struct weir_frame frame)
{
    frame.stable = false;
    frame.time += f->ms++ * MS;
    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static void
tcp(struct fixture *f, const struct segment *s)
{
    uint8_t room[FRAME_ROOM];

    feed(f, tcp_frame(s, room));
}

/* Bytes of a client at an offset, by its port. */
static void
client_of(struct fixture *f, uint16_t port, uint32_t offset, const char *data)
{
    tcp(f, &(struct segment){ .flags = WEIR_TH_ACK,
                              .seq = ISN + 1 + offset,
                              .ack = PEER + 1,
                              .data = data,
                              .n = (uint32_t)strlen(data),
                              .client_port = port });
}

/* Of the connection from the usual one: of its client, and of its server. */
static void
client(struct fixture *f, uint32_t offset, const char *data)
{
    client_of(f, CLIENT, offset, data);
}

static void
server(struct fixture *f, uint32_t offset, uint32_t ack, const char *data)
{
    tcp(f, &(struct segment){ .dir = WEIR_TOCLIENT,
                              .flags = WEIR_TH_ACK,
                              .seq = PEER + 1 + offset,
                              .ack = ISN + 1 + ack,
                              .data = data,
                              .n = (uint32_t)strlen(data),
                              .client_port = CLIENT });
}

/* Packets 1 to 3 of a flow, if it is the first. */
static void
connect(struct fixture *f, uint16_t port)
{
    tcp(f, &(struct segment){ .flags = WEIR_TH_SYN, .seq = ISN, .client_port = port });
    tcp(f, &(struct segment){ .dir = WEIR_TOCLIENT,
                              .flags = WEIR_TH_SYN | WEIR_TH_ACK,
                              .seq = PEER,
                              .ack = ISN + 1,
                              .client_port = port });
    client_of(f, port, 0, "");
}

/* With the deeds that were told of; packets 1 to 3 connect. */
static void
begin(struct fixture *f)
{
    start(f);
    connect(f, CLIENT);
}

static struct weir_monitor_stats
stats(const struct fixture *f)
{
    struct weir_monitor_stats s;

    weir_monitor_get_stats(f->m, &s);
    assert_int_equal(s.packets, s.forwarded + s.send_drops + s.dropped + s.fail_closed + s.held);
    return s;
}

static void
resolve(struct fixture *f, unsigned i)
{
    struct weir_core *before = weir_core_enter(f->m->e.core);

    assert_true(weir_resolve(f->promise[i], weir_ok(0)));
    weir_core_enter(before);
    assert_int_equal(weir_monitor_feed(f->m, NULL, 0), WEIR_E_OK);
}

static struct weir_packet
packet_of(const struct sent *sent)
{
    const struct weir_frame frame = {
        .data = sent->bytes, .caplen = sent->n, .wirelen = sent->n, .link = 1
    };
    struct decode_fault fault;
    struct weir_packet pkt;
    enum weir_layer layer;

    assert_int_equal(decode(&frame, &pkt, &fault), DECODE_FLOW);
    assert_true(checksums_right(&pkt, &layer));
    return pkt;
}

/* The payload of what was sent is this. */
static void
assert_payload(const struct fixture *f, unsigned i, const char *text)
{
    const struct weir_packet pkt = packet_of(&f->sent[i]);

    assert_true(i < f->n_sent);
    assert_int_equal(pkt.payload_len, strlen(text));
    assert_memory_equal(pkt.payload, text, strlen(text));
}

/* ---- what nobody judges ---------------------------------------------------------------------- */

static void
add_tag(struct weir_frame *frame, uint8_t *room, uint8_t high, uint8_t vlan)
{
    memmove(room + 16, room + 12, frame->caplen - 12);
    memcpy(room + 12, (uint8_t[]){ high, high == 0x88 ? 0xa8 : 0, 0, vlan }, 4);
    frame->caplen += 4;
    frame->wirelen += 4;
}

static void
everything_passes_untouched(void **state)
{
    struct fixture *f = *state;
    static uint8_t room[10][FRAME_ROOM];
    struct weir_frame frames[10];
    static uint8_t whole[64];
    unsigned n = 0;

    start(f);
    frames[n++] = tcp_frame(&(struct segment){ .flags = WEIR_TH_SYN }, room[0]);
    frames[n++] = tcp_frame(&(struct segment){ .flags = WEIR_TH_ACK, .bad_checksum = true },
                            room[1]);
    frames[n++] = udp_frame(WEIR_TOCLIENT, "odd", 3, 0, room[2]);
    add_tag(&frames[2], room[2], 0x88, 7);
    frames[n++] = udp_frame(WEIR_TOSERVER, "cut", 3, 0, room[3]);
    frames[3].caplen = frames[3].wirelen = 30; /* malformed */
    udp_whole(4, "a datagram in parts", 19, whole);
    frames[n++] = fragment_frame(&(struct ip_fragment){ .more = true, .data = whole, .n = 16 },
                                 room[4]);
    frames[n++] = fragment_frame(&(struct ip_fragment){ .start = 16, .data = whole + 16, .n = 11 },
                                 room[5]);
    memset(room[6], 0xff, 60); /* ARP */
    memcpy(room[6] + 12, (uint8_t[]){ 8, 6, 0, 1, 8, 0, 6, 4 }, 8);
    frames[n] = frames[0];
    frames[n++].data = room[6];
    memset(room[7], 0x88, 80); /* a type that nobody knows */
    frames[n] = frames[0];
    frames[n].data = room[7];
    frames[n].caplen = frames[n].wirelen = 80;
    n++;
    frames[n] = frames[0];
    frames[n].caplen = frames[n].wirelen = 1; /* no frame at all */
    n++;
    frames[n] = frames[0];
    frames[n++].link = 9999;
    for (unsigned i = 0; i < n; i++) {
        frames[i].stable = i % 2;
        frames[i].port = (uint8_t)(i % 3);
    }
    assert_int_equal(weir_monitor_feed(f->m, frames, n), WEIR_E_OK);
    weir_monitor_end(f->m);
    assert_int_equal(f->n_sent, n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(f->sent[i].n, frames[i].caplen);
        assert_memory_equal(f->sent[i].bytes, frames[i].data, frames[i].caplen);
        assert_int_equal(f->sent[i].from, i % 3);
        assert_false(f->sent[i].back);
    }
    assert_int_equal(stats(f).forwarded, n);
    assert_int_equal(stats(f).datagrams, 1);
    assert_true(f->flushed > 0);
}

static void
what_the_outlet_does_not_take_is_counted(void **state)
{
    struct fixture *f = *state;

    begin(f);
    f->refuse = 1;
    client(f, 0, "lost");
    client(f, 0, "lost");
    assert_int_equal(stats(f).send_drops, 1);
    assert_int_equal(stats(f).forwarded, 4);
    assert_payload(f, 3, "lost");
}

/* A judge that is not asked by the engine of a passive monitor says nothing. */
static void
without_an_outlet_nothing_happens(void **state)
{
    struct fixture *f = *state;

    f->opts.outlet = NULL;
    deed(f,
         (struct deed){
             .number = ALL, .type = WEIR_EV_PAYLOAD, .verdict = WEIR_RESET, .payload = "other" });
    begin(f);
    client(f, 0, "bytes");
    assert_int_equal(f->rewritten, WEIR_E_NOENT);
    assert_int_equal(f->n_sent, 0);
    weir_monitor_end(f->m);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void
a_dropped_packet_does_not_leave(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .verdict = WEIR_DROP });
    begin(f);
    client(f, 0, "first");
    client(f, 5, "second");
    assert_int_equal(f->n_sent, 4);
    assert_payload(f, 3, "second");
    client(f, 0, "first"); /* the packet was dropped, not its bytes */
    assert_payload(f, 4, "first");
    assert_int_equal(stats(f).dropped, 1);
    assert_memory_equal(f->bytes, "firstsecond", 11); /* the engine saw it */
}

/* There is no second event of the same bytes that could be judged. */
static void
bytes_that_were_dropped_stay_so(void **state)
{
    struct fixture *f = *state;

    judge(f, 4, WEIR_DROP);
    begin(f);
    client(f, 0, "attack");
    client(f, 6, " and more");
    client(f, 0, "attack");
    client(f, 4, "ck and");
    client(f, 6, " and");
    server(f, 0, 0, "answer");
    assert_int_equal(stats(f).dropped, 3);
    assert_int_equal(f->n_sent, 3 + 3);
    assert_payload(f, 3, " and more");
    assert_payload(f, 4, " and");
}

static void
a_dropped_syn_stays_dropped(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 1, .type = WEIR_EV_SYN, .verdict = WEIR_DROP });
    start(f);
    for (unsigned i = 0; i < 3; i++)
        tcp(f, &(struct segment){ .flags = WEIR_TH_SYN, .seq = ISN });
    assert_int_equal(f->n_sent, 0);
    assert_int_equal(stats(f).dropped, 3);
}

/* More stretches than are remembered one by one: none slips through. */
static void
many_dropped_stretches_stay_so(void **state)
{
    struct fixture *f = *state;

    judge(f, ALL, WEIR_DROP);
    begin(f);
    for (uint32_t i = 0; i < 12; i++)
        client(f, i * 4, i % 2 ? "bad!" : "evil");
    f->n_deeds = 0;
    assert_int_equal(f->n_sent, 3);
    for (uint32_t i = 12; i-- > 0;)
        client(f, i * 4, i % 2 ? "bad!" : "evil");
    assert_int_equal(f->n_sent, 3);
    assert_int_equal(stats(f).dropped, 24);
}

static void
a_dropped_flow_is_followed_but_does_not_leave(void **state)
{
    struct fixture *f = *state;

    judge(f, 4, WEIR_DROP_FLOW);
    begin(f);
    client(f, 0, "one");
    server(f, 0, 3, "two");
    connect(f, 1001);
    client_of(f, 1001, 0, "six");
    assert_int_equal(f->n_sent, 3 + 4);
    assert_int_equal(stats(f).dropped, 2);
    assert_int_equal(stats(f).rejects, 0);
    assert_memory_equal(f->bytes, "onetwosix", 9);
}

/* ---- resets ---------------------------------------------------------------------------------- */

static void
assert_rst(const struct sent *sent, bool back, uint16_t to_port, uint32_t seq, uint32_t ack)
{
    const struct weir_packet pkt = packet_of(sent);

    assert_int_equal(sent->back, back);
    assert_int_equal(pkt.proto, WEIR_PROTO_TCP);
    assert_int_equal(pkt.tcp_flags, WEIR_TH_RST | WEIR_TH_ACK);
    assert_int_equal(pkt.dst_port, to_port);
    assert_int_equal(pkt.tcp_seq, seq);
    assert_int_equal(pkt.tcp_ack, ack);
}

static void
a_reset_tells_both_ends(void **state)
{
    struct fixture *f = *state;

    judge(f, 5, WEIR_RESET);
    begin(f);
    client(f, 0, "good");
    client(f, 4, "attack");
    assert_int_equal(f->n_sent, 6);
    assert_rst(&f->sent[4], false, 80, ISN + 1 + 4, PEER + 1);
    assert_rst(&f->sent[5], true, CLIENT, PEER + 1, ISN + 1 + 10);
    assert_int_equal(stats(f).rejects, 2);
    assert_int_equal(stats(f).dropped, 1);
    server(f, 0, 4, "late"); /* who goes on is answered as by a closed host */
    assert_int_equal(f->n_sent, 7);
    assert_rst(&f->sent[6], true, 80, ISN + 1 + 4, PEER + 1 + 4);
    assert_int_equal(stats(f).dropped, 2);
    tcp(f, &(struct segment){ .dir = WEIR_TOCLIENT, .flags = WEIR_TH_RST, .seq = PEER + 900000 });
    assert_int_equal(f->n_sent, 7);
    connect(f, CLIENT); /* and may begin anew */
    assert_int_equal(f->n_sent, 10);
    assert_int_equal(packet_of(&f->sent[7]).tcp_flags, WEIR_TH_SYN);
    assert_int_equal(packet_of(&f->sent[9]).tcp_flags, WEIR_TH_ACK);
}

/* The RST has the number that the receiver expects, not one of what was dropped before. */
static void
a_reset_knows_what_was_dropped(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .verdict = WEIR_DROP });
    judge(f, 6, WEIR_RESET);
    begin(f);
    client(f, 0, "lost");
    client(f, 4, "kept");
    client(f, 8, "attack");
    assert_int_equal(f->n_sent, 6);
    assert_rst(&f->sent[4], false, 80, ISN + 1, PEER + 1);
}

/* Nor one of what was dropped and came again. */
static void
a_reset_knows_what_came_again(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .verdict = WEIR_DROP });
    judge(f, 7, WEIR_RESET);
    begin(f);
    client(f, 0, "lost");
    client(f, 4, "kept");
    client(f, 0, "lost");
    client(f, 8, "attack");
    assert_int_equal(f->n_sent, 7);
    assert_rst(&f->sent[5], false, 80, ISN + 1 + 8, PEER + 1);
    assert_rst(&f->sent[6], true, CLIENT, PEER + 1, ISN + 1 + 14);
}

static void
a_reset_again_knows_that_all_has_come(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .verdict = WEIR_DROP });
    judge(f, 6, WEIR_RESET);
    begin(f);
    client(f, 0, "lost");
    client(f, 0, "lost");
    client(f, 4, "attack");
    assert_rst(&f->sent[4], false, 80, ISN + 1 + 4, PEER + 1);
}

/* What the sender has been sent meanwhile it has, though it did not say so. */
static void
a_reset_knows_what_the_sender_was_sent(void **state)
{
    struct fixture *f = *state;

    judge(f, 5, WEIR_RESET);
    begin(f);
    server(f, 0, 0, "banner");
    client(f, 0, "attack");
    assert_rst(&f->sent[5], true, CLIENT, PEER + 1 + 6, ISN + 1 + 6);
}

static void
a_reset_syn_tells_its_sender(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 1, .type = WEIR_EV_FLOW_START, .verdict = WEIR_RESET });
    start(f);
    tcp(f, &(struct segment){ .flags = WEIR_TH_SYN, .seq = ISN });
    assert_int_equal(f->n_sent, 1);
    assert_rst(&f->sent[0], true, CLIENT, 0, ISN + 1);
}

static void
a_refused_datagram_has_an_icmp_error(void **state)
{
    struct fixture *f = *state;
    uint8_t room[FRAME_ROOM];
    struct weir_frame frame = udp_frame(WEIR_TOSERVER, "query", 5, 0, room);
    struct weir_packet pkt;

    deed(f, (struct deed){ .number = ALL, .type = WEIR_EV_DATAGRAM, .verdict = WEIR_RESET });
    start(f);
    memcpy(room, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    add_tag(&frame, room, 0x81, 9);
    add_tag(&frame, room, 0x88, 8);
    feed(f, frame);
    feed(f, frame);
    assert_int_equal(f->n_sent, 1);
    assert_true(f->sent[0].back);
    assert_memory_equal(f->sent[0].bytes, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    assert_memory_equal(f->sent[0].bytes + 12, room + 12, 8);
    pkt = packet_of(&f->sent[0]);
    assert_int_equal(pkt.n_vlan, 2);
    assert_int_equal(pkt.icmp_type, 3);
    assert_int_equal(pkt.icmp_code, 10);
    assert_int_equal(pkt.payload_len, 20 + 8 + 5);
    assert_memory_equal(pkt.payload, room + 22, 33);
    assert_int_equal(stats(f).dropped, 2);
}

static void
a_refused_packet_need_not_end_its_flow(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .reject = WEIR_REJECT_RECEIVER });
    begin(f);
    client(f, 0, "one");
    assert_int_equal(f->n_sent, 4);
    assert_rst(&f->sent[3], false, 80, ISN + 1, PEER + 1);
    client(f, 0, "one");
    assert_int_equal(f->n_sent, 5);
}

/* ---- what is held ---------------------------------------------------------------------------- */

static void
a_sleeping_judge_holds_its_flow_alone(void **state)
{
    struct fixture *f = *state;

    sleep_on(f, 4);
    begin(f);
    client(f, 0, "one");
    server(f, 0, 3, "two");
    connect(f, 1001);
    client_of(f, 1001, 0, "other");
    assert_int_equal(stats(f).held, 2);
    assert_int_equal(f->n_sent, 7);
    assert_payload(f, 6, "other");
    resolve(f, 0);
    assert_int_equal(stats(f).held, 0);
    assert_int_equal(stats(f).held_max, 2);
    assert_payload(f, 7, "one");
    assert_payload(f, 8, "two");
    assert_int_equal(stats(f).fail_open, 0);
    assert_int_equal(f->m->e.inl->mem.used, 0);
}

/* The verdict is of the packet that the event was about, not of the latest. */
static void
a_late_verdict_finds_its_packet(void **state)
{
    struct fixture *f = *state;

    deed(f,
         (struct deed){ .number = 5, .type = WEIR_EV_PAYLOAD, .sleeps = true, .later = WEIR_DROP });
    sleep_on(f, 4);
    begin(f);
    client(f, 0, "one");
    client(f, 3, "two");
    client(f, 6, "three");
    client(f, 3, "two");
    assert_int_equal(stats(f).held, 4);
    resolve(f, 1);
    assert_int_equal(stats(f).held, 3); /* its judge sleeps on "two" now */
    assert_payload(f, 3, "one");
    resolve(f, 0);
    assert_int_equal(f->n_sent, 5);
    assert_payload(f, 4, "three");
    assert_int_equal(stats(f).dropped, 2);
}

static void
a_late_reset_is_carried_out_in_its_turn(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){
                .number = 4, .type = WEIR_EV_PAYLOAD, .sleeps = true, .later = WEIR_RESET });
    begin(f);
    client(f, 0, "attack");
    client(f, 6, "and on");
    server(f, 0, 0, "");
    assert_int_equal(f->n_sent, 3);
    resolve(f, 0);
    assert_rst(&f->sent[3], false, 80, ISN + 1, PEER + 1);
    assert_rst(&f->sent[4], true, CLIENT, PEER + 1, ISN + 1 + 6);
    assert_int_equal(stats(f).dropped, 3);
    assert_int_equal(stats(f).held, 0);
}

/* What timers raise, or what no app wants, makes nobody wait once the judge has caught up. */
static void
an_unwanted_packet_waits_only_behind_others(void **state)
{
    struct fixture *f = *state;

    f->spec.want = WEIR_EV_BIT(WEIR_EV_PAYLOAD);
    sleep_on(f, 4);
    begin(f);
    client(f, 0, "one");
    server(f, 0, 3, "");
    assert_int_equal(stats(f).held, 2);
    resolve(f, 0);
    server(f, 0, 3, "");
    assert_int_equal(f->n_sent, 6);
}

static void
past_the_bound_it_fails_open(void **state)
{
    struct fixture *f = *state;

    f->opts.held_packets = 2;
    deed(f, (struct deed){
                .number = 4, .type = WEIR_EV_PAYLOAD, .sleeps = true, .later = WEIR_DROP_FLOW });
    begin(f);
    for (uint32_t i = 0; i < 2; i++)
        client(f, i * 3, "one");
    assert_int_equal(f->n_sent, 3);
    for (uint32_t i = 2; i < 5; i++)
        client(f, i * 3, "two");
    assert_int_equal(f->n_sent, 8);
    assert_payload(f, 4, "one");
    assert_payload(f, 5, "two");
    assert_int_equal(stats(f).fail_open, 5);
    assert_int_equal(stats(f).overload[WEIR_OVERLOAD_HELD], 1);
    resolve(f, 0);
    assert_int_equal(f->seen[WEIR_EV_OVERLOAD], 1);
    client(f, 15, "end"); /* the verdict came too late for its packet, not for the flow */
    assert_int_equal(f->n_sent, 8);
    assert_int_equal(stats(f).dropped, 1);
}

/* When the judge has caught up, the next one waits again, and the next overload is told. */
static void
failing_open_ends_with_the_judges_sleep(void **state)
{
    struct fixture *f = *state;

    f->opts.held_packets = 1;
    sleep_on(f, 4);
    sleep_on(f, 6);
    begin(f);
    client(f, 0, "one");
    client(f, 3, "two");
    assert_int_equal(f->n_sent, 5);
    resolve(f, 0);
    client(f, 6, "six");
    assert_int_equal(stats(f).held, 1);
    client(f, 9, "ten");
    assert_int_equal(f->n_sent, 7);
    assert_int_equal(stats(f).overload[WEIR_OVERLOAD_HELD], 2);
}

/* A judge that sleeps on what no packet brought holds what comes then, and not what came before. */
static void
a_sleep_between_packets_holds_the_next(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 0, .type = WEIR_EV_GAP, .sleeps = true });
    deed(f, (struct deed){ .number = 5, .type = WEIR_EV_PACKET, .sleeps = true });
    begin(f);
    client(f, 4, "behind a hole");
    server(f, 0, 17, ""); /* it was delivered, though nobody saw it */
    assert_int_equal(stats(f).held, 1);
    f->ms += 2000;
    client(f, 17, "next");
    assert_int_equal(f->seen[WEIR_EV_GAP], 0); /* it waits behind the packet before */
    resolve(f, 1);
    assert_int_equal(f->seen[WEIR_EV_GAP], 1);
    assert_int_equal(f->n_sent, 5);
    assert_int_equal(stats(f).held, 1);
    resolve(f, 0);
    assert_int_equal(f->n_sent, 6);
    assert_payload(f, 5, "next");
}

static void
past_the_bound_it_fails_closed(void **state)
{
    struct fixture *f = *state;

    f->opts.held_packets = 2;
    f->opts.fail_closed = true;
    sleep_on(f, 4);
    begin(f);
    for (uint32_t i = 0; i < 4; i++)
        client(f, i * 3, "one");
    assert_int_equal(f->n_sent, 3);
    assert_int_equal(stats(f).fail_closed, 2);
    assert_int_equal(stats(f).overload[WEIR_OVERLOAD_HELD], 1);
    resolve(f, 0);
    assert_int_equal(f->n_sent, 5);
    client(f, 6, "one");
    assert_int_equal(f->n_sent, 6);
    assert_int_equal(stats(f).fail_open, 0);
}

/* Bytes that the judge refuses when their packet is gone do not come through in another. */
static void
a_late_drop_is_of_the_bytes(void **state)
{
    struct fixture *f = *state;

    f->opts.held_packets = 1;
    f->opts.fail_closed = true;
    sleep_on(f, 4);
    judge(f, 5, WEIR_DROP);
    begin(f);
    client(f, 0, "good");
    client(f, 4, "evil");
    assert_int_equal(stats(f).fail_closed, 1);
    resolve(f, 0);
    client(f, 4, "evil");
    assert_int_equal(f->n_sent, 4);
    assert_int_equal(stats(f).dropped, 1);
}

static void
bytes_are_bounded_too(void **state)
{
    struct fixture *f = *state;

    f->opts.held_flow = 150;
    sleep_on(f, 4);
    begin(f);
    client(f, 0, "forty bytes of data, as good as any.");
    client(f, 36, "forty bytes of data, as good as any.");
    assert_int_equal(f->n_sent, 5);
    assert_int_equal(stats(f).fail_open, 2);
    weir_monitor_end(f->m);
}

static void
a_core_holds_no_more_than_its_own(void **state)
{
    struct fixture *f = *state;

    f->opts.held_core = 4096;
    f->opts.fail_closed = true;
    deed(f, (struct deed){ .number = ALL, .type = WEIR_EV_DATAGRAM, .sleeps = true });
    start(f);
    for (unsigned i = 0; i < 20; i++) {
        uint8_t room[FRAME_ROOM];

        feed(f, udp_frame(WEIR_TOSERVER, "datagram", 8, 0, room));
    }
    assert_in_range(stats(f).held, 4, 12);
    assert_int_equal(stats(f).fail_closed, 20 - stats(f).held);
}

/* The queue behind the judge is full: the packet would leave without having been shown to it. */
static void
an_event_without_room_is_no_verdict(void **state)
{
    struct fixture *f = *state;

    f->opts.fail_closed = true;
    f->spec.queue_max = 1;
    f->spec.want = WEIR_EV_BIT(WEIR_EV_PAYLOAD);
    sleep_on(f, 4);
    begin(f);
    for (uint32_t i = 0; i < 4; i++)
        client(f, i * 3, "one");
    assert_int_equal(stats(f).held, 4);
    resolve(f, 0);
    assert_int_equal(f->n_sent, 5);
    assert_int_equal(stats(f).fail_closed, 2);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void
run_out(struct fixture *f, bool closed)
{
    f->opts.fail_closed = closed;
    sleep_on(f, 4);
    begin(f);
    client(f, 0, "one");
    client(f, 3, "two");
    assert_int_equal(stats(f).held, 2);
}

static void
a_flow_that_ends_holds_nothing(void **state)
{
    struct fixture *f = *state;

    run_out(f, false);
    f->ms += 700000;
    connect(f, 1001);
    assert_int_equal(stats(f).held, 0);
    assert_int_equal(stats(f).fail_open, 2);
    assert_payload(f, 3, "one");
    assert_payload(f, 4, "two");
}

static void
at_the_end_nothing_is_held(void **state)
{
    struct fixture *f = *state;

    run_out(f, true);
    weir_monitor_end(f->m);
    assert_int_equal(stats(f).held, 0);
    assert_int_equal(stats(f).fail_closed, 2);
    assert_int_equal(f->n_sent, 3);
}

static void
freed_packets_do_not_leave(void **state)
{
    struct fixture *f = *state;

    run_out(f, false);
    weir_monitor_free(f->m);
    f->m = NULL;
    assert_int_equal(f->n_sent, 3);
}

static weir_fut
after_a_second(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct state *s = ctx;

    s->ev = *ev;
    return weir_after(1000 * MS);
}

static weir_fut
then_drop(void *ctx, weir_fut in)
{
    weir_verdict(&((struct state *)ctx)->ev, WEIR_DROP);
    return in;
}

/* At the end handlers still wake on time, and what they say counts. */
static void
the_end_waits_for_verdicts(void **state)
{
    struct fixture *f = *state;
    static const weir_fn slow[] = { after_a_second, then_drop };

    f->spec = (struct weir_tap_spec){ .stage = slow,
                                      .n_stages = 2,
                                      .want = WEIR_EV_BIT(WEIR_EV_PAYLOAD) };
    begin(f);
    client(f, 0, "one");
    client(f, 3, "two");
    weir_monitor_end(f->m);
    assert_int_equal(f->n_sent, 3);
    assert_int_equal(stats(f).dropped, 2);
}

static weir_fut
sleep_then_fail(void *ctx, weir_fut in)
{
    (void)ctx, (void)in;
    return weir_fail(WEIR_E_IO, "judge");
}

/* A judge that fails has answered nothing. */
static void
a_judge_that_fails_is_no_verdict(void **state)
{
    struct fixture *f = *state;
    static const weir_fn slow[] = { after_a_second, sleep_then_fail };

    f->opts.fail_closed = true;
    f->spec = (struct weir_tap_spec){ .stage = slow,
                                      .n_stages = 2,
                                      .want = WEIR_EV_BIT(WEIR_EV_PAYLOAD) };
    begin(f);
    client(f, 0, "one");
    client(f, 3, "two");
    weir_monitor_end(f->m);
    assert_int_equal(f->n_sent, 3);
    assert_int_equal(stats(f).fail_closed, 2);
}

/* ---- fragments ------------------------------------------------------------------------------- */

static void
the_last_fragment_has_the_verdict_of_the_whole(void **state)
{
    struct fixture *f = *state;
    uint8_t whole[64], room[FRAME_ROOM];

    deed(f, (struct deed){ .number = 2,
                           .type = WEIR_EV_DATAGRAM,
                           .sleeps = true,
                           .payload = "no",
                           .later = WEIR_DROP });
    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_DATAGRAM, .payload = "no" });
    start(f);
    udp_whole(6, "a datagram in parts", 19, whole);
    for (uint32_t i = 0; i < 2; i++) {
        feed(f, fragment_frame(
                    &(struct ip_fragment){
                        .version = 6, .ident = i, .more = true, .data = whole, .n = 16 },
                    room));
        feed(f, fragment_frame(
                    &(struct ip_fragment){
                        .version = 6, .ident = i, .start = 16, .data = whole + 16, .n = 11 },
                    room));
    }
    assert_int_equal(f->rewritten, WEIR_E_UNSUPPORTED);
    assert_int_equal(f->n_sent, 2); /* the first parts */
    assert_int_equal(stats(f).held, 2);
    resolve(f, 0);
    assert_int_equal(f->n_sent, 3);
    assert_int_equal(f->sent[2].n, 14 + 48 + 11);
    assert_memory_equal(f->sent[2].bytes, room, f->sent[2].n);
}

/* One of the two parts of a datagram of 27 bytes in IPv4, or IPv6. */
static void
part(struct fixture *f, uint8_t version, uint32_t ident, bool last)
{
    uint8_t whole[64], room[FRAME_ROOM];
    struct ip_fragment p = { .version = version, .ident = ident, .n = 16, .more = !last };

    udp_whole(version, "a datagram in parts", 19, whole);
    p.start = last ? 16 : 0;
    p.n = last ? 11 : 16;
    p.data = whole + p.start;
    feed(f, fragment_frame(&p, room));
}

/* Its target has the rest of it, and waits. */
static void
what_completed_a_dropped_datagram_is_dropped_when_it_comes_again(void **state)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct fixture *f = *state;

        deed(f, (struct deed){ .number = 2, .type = WEIR_EV_DATAGRAM, .verdict = WEIR_DROP });
        start(f);
        part(f, version, 1, false);
        part(f, version, 1, true);
        part(f, version, 1, true);
        part(f, version, 1, false);
        assert_int_equal(f->n_sent, 1);
        assert_int_equal(stats(f).late_fragments, 2);
        assert_int_equal(f->seen[WEIR_EV_DATAGRAM], 2); /* the second time nobody minded */
        part(f, version, 1, true);
        assert_int_equal(f->n_sent, 1);
        part(f, version, 2, true); /* another one */
        part(f, version, 2, false);
        assert_int_equal(f->n_sent, 3);
        part(f, version, 2, false); /* passed: what comes again is the first of a new one */
        assert_int_equal(f->n_sent, 4);
        f->ms += 59500;
        part(f, version, 1, true);
        assert_int_equal(f->n_sent, 4);
        f->ms += 121000;
        part(f, version, 1, true);
        assert_int_equal(f->n_sent, 5);
        assert_int_equal(stats(f).late_fragments, 4);
        tear_down(state);
        set_up(state);
    }
}

static void
what_completed_a_datagram_that_could_not_be_sent_is_dropped_too(void **state)
{
    struct fixture *f = *state;

    start(f);
    part(f, 4, 1, false);
    f->refuse = 1;
    part(f, 4, 1, true);
    part(f, 4, 1, true);
    assert_int_equal(f->n_sent, 1);
    assert_int_equal(stats(f).send_drops, 1);
    assert_int_equal(stats(f).late_fragments, 1);
}

static void
a_fragment_waits_for_the_verdict_of_the_datagram_before_it(void **state)
{
    for (unsigned drops = 0; drops < 2; drops++) {
        struct fixture *f = *state;

        deed(f, (struct deed){ .number = 2,
                               .type = WEIR_EV_DATAGRAM,
                               .sleeps = true,
                               .later = drops ? WEIR_DROP : WEIR_PASS });
        start(f);
        part(f, 4, 1, false);
        part(f, 4, 1, true);
        part(f, 4, 1, true);
        assert_int_equal(f->n_sent, 1);
        assert_int_equal(stats(f).held, 2);
        resolve(f, 0);
        assert_int_equal(f->n_sent, drops ? 1 : 3);
        assert_int_equal(stats(f).held, 0);
        assert_int_equal(stats(f).late_fragments, drops);
        tear_down(state);
        set_up(state);
    }
}

/* In a tunnel: both the datagram and the one around it may be what a target waits for. */
static void
part_in_parts(struct fixture *f, uint32_t ident, uint32_t inner_ident, bool last)
{
    uint8_t whole[64], inner[FRAME_ROOM], room[FRAME_ROOM];
    struct ip_fragment p = { .ident = inner_ident, .n = 16, .more = !last };
    uint32_t n;

    udp_whole(4, "a datagram in parts", 19, whole);
    p.start = last ? 16 : 0;
    p.n = last ? 11 : 16;
    p.data = whole + p.start;
    n = fragment_frame(&p, inner).caplen - 14; /* an IP packet, which becomes the payload of two */
    p = (struct ip_fragment){
        .ident = ident, .proto = 4, .more = true, .data = inner + 14, .n = 24
    };
    feed(f, fragment_frame(&p, room));
    p = (struct ip_fragment){
        .ident = ident, .proto = 4, .start = 24, .data = inner + 14 + 24, .n = n - 24
    };
    feed(f, fragment_frame(&p, room));
}

static void
a_datagram_in_a_datagram_is_remembered_too(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_DATAGRAM, .verdict = WEIR_DROP });
    start(f);
    part_in_parts(f, 1, 7, false);
    part_in_parts(f, 2, 7, true);
    assert_int_equal(f->seen[WEIR_EV_DATAGRAM], 1);
    assert_int_equal(f->n_sent, 3);
    part_in_parts(f, 3, 7, true); /* the inner one's last part again, in another around it, */
    assert_int_equal(f->n_sent, 4);
    part_in_parts(f, 2, 8, true); /* in the one around it that was dropped, */
    assert_int_equal(f->n_sent, 4);
    part_in_parts(f, 1, 7, true); /* in one that was not */
    assert_int_equal(f->n_sent, 5);
    assert_int_equal(stats(f).dropped, 1 + 1 + 2 + 1);
    assert_int_equal(stats(f).late_fragments, 4);
}

/* ---- no room for fragments ------------------------------------------------------------------- */

/* Of datagrams 0 to n - 1; what leaves is told of the last. */
static void
many_parts(struct fixture *f, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        f->n_sent = 0;
        part(f, 4, i, false);
    }
}

static void
without_room_fragments_pass_and_are_counted(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = ALL, .type = WEIR_EV_DATAGRAM, .verdict = WEIR_DROP });
    start(f);
    many_parts(f, 16385);
    assert_int_equal(f->n_sent, 1);
    assert_int_equal(stats(f).fail_open, 1);
    part(f, 4, 0, true); /* of the one that was given up: in the place of the next */
    assert_int_equal(f->n_sent, 2);
    assert_int_equal(stats(f).fail_open, 2);
    assert_int_equal(stats(f).dropped, 0);
}

static void
without_room_fragments_are_dropped_where_it_fails_closed(void **state)
{
    struct fixture *f = *state;

    f->opts.fail_closed = true;
    deed(f, (struct deed){ .number = ALL, .type = WEIR_EV_DATAGRAM, .verdict = WEIR_DROP });
    start(f);
    many_parts(f, 16385);
    assert_int_equal(f->n_sent, 0);
    assert_int_equal(stats(f).fail_closed, 1);
    part(f, 4, 16384, true);
    assert_int_equal(stats(f).fail_closed, 2);
    part(f, 4, 0, true);
    assert_int_equal(f->n_sent, 0);
    assert_int_equal(stats(f).dropped, 1);
    part(f, 4, 16384, true); /* there is room again */
    assert_int_equal(f->n_sent, 1);
    assert_int_equal(stats(f).forwarded, 16384 + 1);
}

/*
 * Its memory is used up by those that wait: one of them gets no more, and is not forgotten for
 * that.
 */
static void
a_fragment_without_memory_is_dropped_where_it_fails_closed(void **state)
{
    struct fixture *f = *state;
    uint8_t whole[64], room[FRAME_ROOM];
    struct ip_fragment p = { .start = 65000, .more = true, .data = whole, .n = 8 };

    f->opts.fail_closed = true;
    f->opts.memcap = 256 << 20;
    deed(f, (struct deed){ .number = ALL, .type = WEIR_EV_DATAGRAM, .verdict = WEIR_DROP });
    start(f);
    udp_whole(4, "a datagram in parts", 19, whole);
    part(f, 4, 1000, false);
    for (; p.ident < 200; p.ident++)
        feed(f, fragment_frame(&p, room));
    assert_in_range(f->n_sent, 120, 128);
    assert_int_equal(stats(f).fail_closed, 201 - f->n_sent);
    p.ident = 1000;
    feed(f, fragment_frame(&p, room));
    assert_int_equal(stats(f).fail_closed, 202 - f->n_sent);
    part(f, 4, 1000, true); /* as if that had never come */
    assert_int_equal(stats(f).dropped, 1);
}

/* Some hosts wait for the rest for 60 s, we for 30. */
static void
the_rest_of_what_waited_too_long_is_dropped_where_it_fails_closed(void **state)
{
    for (unsigned closed = 0; closed < 2; closed++) {
        struct fixture *f = *state;

        f->opts.fail_closed = closed;
        start(f);
        part(f, 4, 1, false);
        f->ms += 31000;
        part(f, 4, 1, true);
        assert_int_equal(f->n_sent, closed ? 1 : 2);
        f->ms += 61000;
        part(f, 4, 1, true);
        assert_int_equal(f->n_sent, closed ? 2 : 3);
        tear_down(state);
        set_up(state);
    }
}

/* What the reader tells of a fragment is told before it, and counts if it completes nothing. */
static void
a_fragment_can_be_dropped_for_what_is_wrong_with_it(void **state)
{
    struct fixture *f = *state;
    uint8_t whole[64], room[FRAME_ROOM];
    struct ip_fragment part = { .more = true, .data = whole, .n = 24 };

    deed(f, (struct deed){ .number = ALL, .type = WEIR_EV_FRAG_OVERLAP, .verdict = WEIR_DROP });
    start(f);
    udp_whole(4, "a datagram in parts, a long one", 31, whole);
    feed(f, fragment_frame(&part, room));
    part = (struct ip_fragment){ .start = 16, .more = true, .data = whole + 16, .n = 16 };
    feed(f, fragment_frame(&part, room));
    assert_int_equal(f->seen[WEIR_EV_FRAG_OVERLAP], 1);
    assert_int_equal(f->n_sent, 1);
    assert_int_equal(stats(f).dropped, 1);
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

static void
a_refused_ipv6_datagram_has_an_icmpv6_error(void **state)
{
    struct fixture *f = *state;
    uint8_t whole[64], room[FRAME_ROOM];
    struct weir_packet pkt;

    deed(f, (struct deed){ .number = 2,
                           .type = WEIR_EV_DATAGRAM,
                           .reject = WEIR_REJECT_SENDER | WEIR_REJECT_RECEIVER });
    start(f);
    udp_whole(6, "a datagram in parts", 19, whole);
    feed(f, fragment_frame(
                &(struct ip_fragment){ .version = 6, .more = true, .data = whole, .n = 16 }, room));
    feed(f, fragment_frame(
                &(struct ip_fragment){ .version = 6, .start = 16, .data = whole + 16, .n = 11 },
                room));
    assert_int_equal(f->n_sent, 2);
    assert_true(f->sent[1].back);
    pkt = packet_of(&f->sent[1]);
    assert_int_equal(pkt.proto, WEIR_PROTO_ICMPV6);
    assert_int_equal(pkt.icmp_type, 1);
    assert_int_equal(pkt.icmp_code, 1);
    assert_int_equal(pkt.dst.b[15], 1);
    assert_int_equal(pkt.payload_len, 40 + 8 + 19);
    assert_memory_equal(pkt.payload + 48, "a datagram in parts", 19);
}

/* A segment between 2001:db8::1 and ::2 in VLAN 7, without a checksum. */
static struct weir_frame
segment6(bool back, uint8_t flags, uint32_t seq, uint32_t ack, uint8_t n, uint8_t room[FRAME_ROOM])
{
    static const uint8_t head[] = { 2, 0, 0,    0, 0, 2, 2,    0,    0,   0,
                                    0, 1, 0x81, 0, 0, 7, 0x86, 0xdd, 0x60 };
    uint8_t *ip = room + 18, *tcp = ip + 40;

    memset(room, 0, 18 + 40 + 20 + n);
    memcpy(room, head, sizeof(head));
    ip[5] = (uint8_t)(20 + n);
    ip[6] = WEIR_PROTO_TCP;
    ip[7] = 64;
    for (unsigned i = 0; i < 2; i++) {
        memcpy(ip + 8 + 16 * i, "\x20\1\xd\xb8", 4);
        ip[8 + 16 * i + 15] = (uint8_t)(i == back ? 1 : 2);
    }
    tcp[back ? 0 : 2] = 1; /* ports 256 and 2 */
    tcp[back ? 3 : 1] = 2;
    for (unsigned i = 0; i < 4; i++) {
        tcp[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
        tcp[8 + i] = (uint8_t)(ack >> (24 - 8 * i));
    }
    tcp[12] = 0x50;
    tcp[13] = flags;
    tcp[14] = 0xff;
    return (struct weir_frame){ .data = room,
                                .caplen = 18 + 40 + 20 + n,
                                .wirelen = 18 + 40 + 20 + n,
                                .time = START_SECONDS * UINT64_C(1000000000),
                                .link = 1 };
}

static void
a_reset_of_ipv6_keeps_its_vlan(void **state)
{
    struct fixture *f = *state;
    uint8_t room[FRAME_ROOM];

    f->opts.no_checksums = true;
    judge(f, 4, WEIR_RESET);
    start(f);
    feed(f, segment6(false, WEIR_TH_SYN, ISN, 0, 0, room));
    feed(f, segment6(true, WEIR_TH_SYN | WEIR_TH_ACK, PEER, ISN + 1, 0, room));
    feed(f, segment6(false, WEIR_TH_ACK, ISN + 1, PEER + 1, 0, room));
    feed(f, segment6(false, WEIR_TH_ACK, ISN + 1, PEER + 1, 5, room));
    assert_int_equal(f->n_sent, 5);
    assert_rst(&f->sent[3], false, 256, ISN + 1, PEER + 1);
    assert_rst(&f->sent[4], true, 2, PEER + 1, ISN + 1 + 5);
    for (unsigned i = 3; i < 5; i++) {
        const struct weir_packet pkt = packet_of(&f->sent[i]);

        assert_int_equal(pkt.ip_version, 6);
        assert_int_equal(pkt.n_vlan, 1);
        assert_int_equal(pkt.vlan[0], 7);
        assert_int_equal(f->sent[i].bytes[5], i == 3 ? 2 : 1);
        assert_int_equal(pkt.dst.b[15], i == 3 ? 2 : 1);
    }
}

/* The packet that quotes a flow has left; the flow can be dropped for it. */
static void
a_quoted_flow_can_be_dropped(void **state)
{
    struct fixture *f = *state;
    uint8_t room[FRAME_ROOM], error[FRAME_ROOM];
    struct weir_frame frame = udp_frame(WEIR_TOSERVER, "query", 5, 0, room), icmp = frame;

    deed(f, (struct deed){ .number = 2, .type = WEIR_EV_ICMP_ERROR, .verdict = WEIR_DROP_FLOW });
    f->opts.no_checksums = true;
    start(f);
    feed(f, frame);
    memset(error, 0, sizeof(error));
    memcpy(error, room, 14 + 20);
    memcpy(error + 26, "\x0a\0\0\2\x0a\0\0\1", 8); /* from the server */
    error[17] = 20 + 8 + 28;
    error[23] = WEIR_PROTO_ICMP;
    error[34] = 3;
    memcpy(error + 42, room + 14, 28);
    icmp.data = error;
    icmp.caplen = icmp.wirelen = 14 + 20 + 8 + 28;
    feed(f, icmp);
    feed(f, frame);
    assert_int_equal(f->seen[WEIR_EV_ICMP_ERROR], 1);
    assert_int_equal(f->n_sent, 2);
    assert_int_equal(stats(f).dropped, 1);
}

/* ---- rewriting ------------------------------------------------------------------------------- */

static void
other_bytes_leave_than_are_seen(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .payload = "XXX", .sleeps = true });
    deed(f,
         (struct deed){ .number = 5, .type = WEIR_EV_PAYLOAD, .payload = "YYYYYYY", .port = 81 });
    begin(f);
    client(f, 0, "one two");
    client(f, 7, "odd one"); /* changed while it waits */
    client(f, 0, "one two");
    resolve(f, 0);
    assert_payload(f, 3, "XXX two");
    assert_payload(f, 4, "YYYYYYY");
    assert_int_equal(packet_of(&f->sent[4]).dst_port, 81);
    assert_memory_equal(packet_of(&f->sent[4]).dst.b, "\300\250\7\7", 4);
    assert_payload(f, 5, "one two"); /* a packet of its own */
    assert_memory_equal(f->bytes, "one twoodd one", 14);
    assert_int_equal(stats(f).rewritten, 2);
    assert_int_equal(f->seen[WEIR_EV_FAKE_RETRANSMIT], 0);
}

static void
only_what_is_there_can_be_rewritten(void **state)
{
    struct fixture *f = *state;

    deed(f, (struct deed){ .number = 4, .type = WEIR_EV_PACKET, .payload = "longer" });
    begin(f);
    client(f, 0, "short");
    assert_int_equal(f->rewritten, WEIR_E_INVAL);
    assert_int_equal(stats(f).rewritten, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(everything_passes_untouched),
        T(what_the_outlet_does_not_take_is_counted),
        T(without_an_outlet_nothing_happens),
        T(a_dropped_packet_does_not_leave),
        T(bytes_that_were_dropped_stay_so),
        T(a_dropped_syn_stays_dropped),
        T(many_dropped_stretches_stay_so),
        T(a_dropped_flow_is_followed_but_does_not_leave),
        T(a_reset_tells_both_ends),
        T(a_reset_knows_what_was_dropped),
        T(a_reset_knows_what_came_again),
        T(a_reset_again_knows_that_all_has_come),
        T(a_reset_knows_what_the_sender_was_sent),
        T(a_reset_syn_tells_its_sender),
        T(a_refused_datagram_has_an_icmp_error),
        T(a_refused_packet_need_not_end_its_flow),
        T(a_sleeping_judge_holds_its_flow_alone),
        T(a_late_verdict_finds_its_packet),
        T(a_late_reset_is_carried_out_in_its_turn),
        T(an_unwanted_packet_waits_only_behind_others),
        T(past_the_bound_it_fails_open),
        T(failing_open_ends_with_the_judges_sleep),
        T(a_sleep_between_packets_holds_the_next),
        T(past_the_bound_it_fails_closed),
        T(a_late_drop_is_of_the_bytes),
        T(bytes_are_bounded_too),
        T(a_core_holds_no_more_than_its_own),
        T(an_event_without_room_is_no_verdict),
        T(a_flow_that_ends_holds_nothing),
        T(at_the_end_nothing_is_held),
        T(freed_packets_do_not_leave),
        T(the_end_waits_for_verdicts),
        T(a_judge_that_fails_is_no_verdict),
        T(the_last_fragment_has_the_verdict_of_the_whole),
        T(what_completed_a_dropped_datagram_is_dropped_when_it_comes_again),
        T(what_completed_a_datagram_that_could_not_be_sent_is_dropped_too),
        T(a_fragment_waits_for_the_verdict_of_the_datagram_before_it),
        T(a_datagram_in_a_datagram_is_remembered_too),
        T(without_room_fragments_pass_and_are_counted),
        T(without_room_fragments_are_dropped_where_it_fails_closed),
        T(a_fragment_without_memory_is_dropped_where_it_fails_closed),
        T(the_rest_of_what_waited_too_long_is_dropped_where_it_fails_closed),
        T(a_fragment_can_be_dropped_for_what_is_wrong_with_it),
        T(a_refused_ipv6_datagram_has_an_icmpv6_error),
        T(a_reset_of_ipv6_keeps_its_vlan),
        T(a_quoted_flow_can_be_dropped),
        T(other_bytes_leave_than_are_seen),
        T(only_what_is_there_can_be_rewritten),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
