/*
 * Random packets, random verdicts and handlers that sleep as they like, on one to four cores: what
 * leaves is what a slow model says, which knows the verdicts and nothing of how packets wait. With
 * little room each packet still leaves once or is counted once, in the order of its flow.
 */
#include "engine.h"
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 3000, PORTS = 30, FIRST_PORT = 2000, APPS = 3, SPAN = 4096, IDENTS = 8 };

static uint64_t
mix(uint64_t a, uint64_t b)
{
    return mix64(a * UINT64_C(0x9e3779b97f4a7c15) ^ mix64(b));
}

static uint64_t
random_below(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

/* ---- packets ------------------------------------------------------------------------------- */

struct script {
    struct weir_frame frame[PACKETS];
    uint8_t room[PACKETS][FRAME_ROOM];
    unsigned flow[PACKETS]; /* whose order counts; 0: nobody's */
    unsigned key[PACKETS];  /* of the datagram that it is a fragment of; 0: of none */
};

static void
draw_segment(uint64_t *seed, uint64_t ms, unsigned i, struct script *script)
{
    static const uint8_t flags[] = { WEIR_TH_SYN,
                                     WEIR_TH_SYN | WEIR_TH_ACK,
                                     WEIR_TH_ACK,
                                     WEIR_TH_ACK,
                                     WEIR_TH_ACK,
                                     WEIR_TH_ACK | WEIR_TH_PUSH,
                                     WEIR_TH_ACK | WEIR_TH_FIN,
                                     WEIR_TH_RST | WEIR_TH_ACK };
    struct segment s = { .ms = ms };
    bool back;

    s.flags = flags[random_below(seed, random_below(seed, 10) ? 6 : sizeof(flags))];
    back = s.flags & WEIR_TH_SYN ? s.flags & WEIR_TH_ACK : random_below(seed, 2);
    s.dir = back ? WEIR_TOCLIENT : WEIR_TOSERVER;
    s.seq = (uint32_t)(back ? 5000 : 1000);
    if (!(s.flags & WEIR_TH_SYN))
        s.seq += 1 + (uint32_t)random_below(seed, 60);
    s.ack = (uint32_t)((back ? 1001 : 5001) + random_below(seed, 40));
    s.data = "forty bytes of data, of which few are sent";
    s.n = s.flags & WEIR_TH_SYN ? 0 : (uint32_t)random_below(seed, 20);
    s.client_port = (uint16_t)(FIRST_PORT + random_below(seed, PORTS));
    s.bad_checksum = random_below(seed, 50) == 0;
    script->flow[i] = s.client_port - FIRST_PORT + 2U;
    script->frame[i] = tcp_frame(&s, script->room[i]);
}

static struct weir_frame
draw_fragment(uint64_t *seed, uint64_t ms, uint8_t *room, unsigned *key)
{
    static uint8_t whole[64];
    struct ip_fragment f = { .ms = ms };

    f.version = random_below(seed, 2) ? 6 : 4;
    (void)udp_whole(f.version, "a datagram in several parts, some of them lost", 40, whole);
    f.ident = (uint32_t)random_below(seed, IDENTS);
    *key = 1 + f.ident + (f.version == 6 ? IDENTS : 0);
    f.start = (uint32_t)random_below(seed, 6) * 8;
    f.n = random_below(seed, 2) ? 8 : 16;
    f.more = f.start + f.n < 48;
    f.n = f.more ? f.n : 48 - f.start;
    f.data = whole + f.start;
    return fragment_frame(&f, room);
}

/* The source's Ethernet address is the frame's number. */
static void
draw_script(struct script *script, uint64_t seed)
{
    uint64_t ms = 0;

    memset(script->flow, 0, sizeof(script->flow));
    memset(script->key, 0, sizeof(script->key));
    for (unsigned i = 0; i < PACKETS; i++) {
        uint8_t *room = script->room[i];
        const uint64_t kind = random_below(&seed, 12);

        ms += random_below(&seed, 300) == 0 ? 40000 : random_below(&seed, 30);
        if (kind == 0) {
            script->frame[i] = draw_fragment(&seed, ms, room, &script->key[i]);
        } else if (kind == 1) {
            script->flow[i] = 1;
            script->frame[i] = udp_frame(random_below(&seed, 2) ? WEIR_TOCLIENT : WEIR_TOSERVER,
                                         "question", 8, ms, room);
        } else if (kind == 2) {
            script->frame[i] = udp_frame(WEIR_TOSERVER, "malformed", 9, ms, room);
            script->frame[i].caplen = script->frame[i].wirelen = 14 +
                                                                 (uint32_t)random_below(&seed, 25);
        } else {
            draw_segment(&seed, ms, i, script);
        }
        memcpy(room + 6, &i, sizeof(i));
        script->frame[i].stable = random_below(&seed, 2);
    }
}

/* ---- apps: what they say, and what the model notes of it ------------------------------------- */

struct said {
    uint64_t flow; /* id; 0: none */
    uint8_t verdict;
    bool sticks, tcp, ignored; /* ignored: a bad checksum or the like */
    uint8_t dir;
    bool discards; /* the datagram that it is a fragment of */
    uint32_t seq, n;
};

struct run {
    struct script *script;
    struct weir_monitor *m;
    struct said said[PACKETS + 1]; /* by packet */
    uint8_t sent[PACKETS + 1];     /* how often each left */
    bool reused[PACKETS + 1]; /* by flow: it ended for another, and did not wait for verdicts */
    unsigned last[PORTS + 2]; /* of each flow: the latest that left */
    _Atomic bool disorder, foreign; /* by any core */
    uint64_t seed;
    unsigned answers[64]; /* by core */
};

/* Of each app in a flow. */
struct state {
    struct run *run;
    struct weir_event ev;
    uint64_t luck;
};

static bool
comes_once(const struct weir_event *ev)
{
    switch (ev->base) {
    case WEIR_EV_FLOW_START:
    case WEIR_EV_SYN:
    case WEIR_EV_SYN_ACK:
    case WEIR_EV_ESTABLISHED:
    case WEIR_EV_STATE:
    case WEIR_EV_PAYLOAD:
    case WEIR_EV_DATA_ON_SYN:
    case WEIR_EV_URGENT:
    case WEIR_EV_FIN:
    case WEIR_EV_RST:
    case WEIR_EV_TUPLE_REUSE:
        return true;
    default:
        return false;
    }
}

static void
judge(struct run *run, const struct weir_event *ev, enum weir_verdict v)
{
    weir_verdict(ev, v);
    if (v == WEIR_PASS || ev->number == 0)
        return;
    /* Of a flow that the packet's own has taken the place of: too late. */
    if (run->said[ev->number].flow != 0 && run->said[ev->number].flow != weir_flow_id(ev->flow))
        return;
    if (v > run->said[ev->number].verdict)
        run->said[ev->number].verdict = (uint8_t)v;
    run->said[ev->number].sticks |= comes_once(ev);
}

static enum weir_verdict
draw_verdict(uint64_t luck)
{
    const uint64_t of = luck % 400;

    return of < 12 ? WEIR_DROP : of == 12 ? WEIR_DROP_FLOW : of == 13 ? WEIR_RESET : WEIR_PASS;
}

static void
note(struct run *run, const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;
    struct said *said = &run->said[ev->number];

    /* Told on one core; the packet itself may be shown, of no flow, on another. */
    if ((ev->type == WEIR_EV_FRAG_OVERLAP && ev->frag_overlap.discarded) ||
        (ev->type == WEIR_EV_FRAG_BAD && ev->frag_bad.discarded))
        said->discards = true;
    if (ev->flow == NULL)
        return;
    said->flow = weir_flow_id(ev->flow);
    said->dir = ev->direction;
    said->tcp = pkt->proto == WEIR_PROTO_TCP;
    said->seq = pkt->tcp_seq;
    said->n = pkt->payload_wire + !!(pkt->tcp_flags & WEIR_TH_SYN) +
              !!(pkt->tcp_flags & WEIR_TH_FIN);
}

/* The first app notes packets; it waits for nothing. */
static weir_fut
look_and_note(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct run *run = ev->app;

    (void)ctx;
    if (ev->type == WEIR_EV_PACKET || ev->type == WEIR_EV_FRAG_OVERLAP ||
        ev->type == WEIR_EV_FRAG_BAD)
        note(run, ev);
    if (ev->type == WEIR_EV_FLOW_END) {
        run->reused[weir_flow_id(ev->flow)] = ev->flow_end.reason != WEIR_END_TIMEOUT &&
                                              ev->flow_end.reason != WEIR_END_EOF;
        return weir_ok(0);
    }
    if (ev->flow != NULL || ev->type == WEIR_EV_PACKET)
        judge(run, ev, draw_verdict(mix(run->seed, ev->number * 64 + ev->type)));
    return weir_ok(0);
}

static weir_fut
look_and_sleep(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct run *run = ev->app;
    struct state *s = ctx;

    s->run = run;
    s->ev = *ev;
    s->luck = mix(run->seed + (uint64_t)(ev->tap->want & 1), ev->number * 64 + ev->type + 77);
    if (ev->flow == NULL)
        return weir_stop(); /* nobody waits for what is said later */
    if (s->luck % 3 == 0)
        return weir_after(s->luck % 700 * MS);
    return weir_ok(0);
}

static weir_fut
say(void *ctx, weir_fut in)
{
    const struct state *s = ctx;

    judge(s->run, &s->ev, draw_verdict(s->luck >> 20));
    return in;
}

static const weir_fn quick[] = { look_and_note }, slow[] = { look_and_sleep, say };

/* An event of the engine's own that is not about the packet at hand would upset the model. */
#define WANT (WEIR_EV_ALL & ~WEIR_EV_BIT(WEIR_EV_FLOW_END) & ~WEIR_EV_BIT(WEIR_EV_OVERLOAD))

static const struct weir_tap_spec specs[APPS] = {
    { .stage = quick,
      .n_stages = 1,
      .want = WANT | WEIR_EV_BIT(WEIR_EV_FLOW_END),
      .queue_max = 65535 },
    { .stage = slow, .n_stages = 2, .want = WANT, .queue_max = 65535 },
    { .stage = slow,
      .n_stages = 2,
      .want = WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_DATAGRAM),
      .queue_max = 65535 },
};

/* ---- what leaves ----------------------------------------------------------------------------- */

static bool
note_sent(void *ctx, unsigned core, uint8_t from, bool back, const uint8_t *data, uint32_t len)
{
    struct run *run = ctx;
    const bool own = back || (len >= 34 && data[12] == 8 && data[20] == 0x40);
    const struct weir_frame *frame;
    unsigned i, flow;

    (void)from;
    if (own) {
        run->answers[core]++;
        return true;
    }
    memcpy(&i, data + 6, sizeof(i));
    if (i >= PACKETS) {
        run->foreign = true;
        return true;
    }
    frame = &run->script->frame[i];
    if (frame->caplen != len || memcmp(frame->data, data, len) != 0)
        run->foreign = true;
    run->sent[i + 1]++;
    flow = run->script->flow[i];
    if (flow == 0)
        return true;
    if (run->last[flow] > i)
        run->disorder = true;
    run->last[flow] = i;
    return true;
}

static struct weir_monitor_stats
replay(struct run *run, struct script *script, const struct weir_monitor_opts *how)
{
    const struct weir_outlet outlet = { .ctx = run, .send = note_sent };
    struct weir_monitor_opts opts = *how;
    struct weir_monitor_stats stats;

    memset(run->said, 0, sizeof(*run) - offsetof(struct run, said));
    run->script = script;
    run->seed = how->seed;
    opts.outlet = &outlet;
    opts.memcap = 256 << 20;
    assert_int_equal(weir_monitor_new(&opts, &run->m), WEIR_E_OK);
    for (unsigned i = 0; i < APPS; i++) {
        const struct weir_app app = { .name = "model",
                                      .spec = &specs[i],
                                      .flow_size = sizeof(struct state),
                                      .no_flow_packets = i == 0,
                                      .gates = i > 0,
                                      .arg = run };

        assert_int_equal(weir_monitor_add(run->m, &app), WEIR_E_OK);
    }
    for (unsigned i = 0; i < PACKETS; i += 50)
        assert_int_equal(weir_monitor_feed(run->m, script->frame + i, 50), WEIR_E_OK);
    weir_monitor_end(run->m);
    weir_monitor_get_stats(run->m, &stats);
    weir_monitor_free(run->m);
    assert_false(run->disorder || run->foreign);
    assert_int_equal(stats.packets, PACKETS);
    assert_int_equal(stats.held, 0);
    assert_int_equal(stats.packets,
                     stats.forwarded + stats.dropped + stats.fail_closed + stats.send_drops);
    return stats;
}

/* ---- the model ------------------------------------------------------------------------------- */

struct model_flow {
    uint64_t id;
    bool dropped;
    uint8_t gone[2][SPAN]; /* sequence numbers that stay dropped */
};

static unsigned
stretches(const uint8_t *gone)
{
    unsigned n = 0;

    for (unsigned i = 1; i < SPAN; i++)
        n += gone[i] && !gone[i - 1];
    return n;
}

/* The nearest stretch that is gone, of equal ones the lower: fill what is between. */
static void
fill_to_nearest(uint8_t *gone, unsigned from, unsigned to)
{
    unsigned low = from, high = to;

    while (low > 0 && !gone[low - 1])
        low--;
    while (high < SPAN && !gone[high])
        high++;
    if (low > 0 && (high == SPAN || from - low <= high - to))
        memset(gone + low, 1, from - low);
    else
        memset(gone + to, 1, high - to);
}

static void
stay(uint8_t *gone, unsigned from, unsigned n)
{
    uint8_t with[SPAN];

    if (n == 0)
        return;
    memcpy(with, gone, SPAN);
    memset(with + from, 1, n);
    /*
     * A fifth, whether or not it touches others: the nearest of those is the one that it touches.
     */
    if (stretches(gone) == 4 && stretches(with) > 4)
        fill_to_nearest(with, from, from + n);
    memcpy(gone, with, SPAN);
}

static bool
is_gone(const uint8_t *gone, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++)
        if (gone[i])
            return true;
    return false;
}

static bool
model_drops(struct model_flow *flow, const struct said *said)
{
    uint8_t *gone = flow->gone[said->dir];
    const unsigned from = (said->seq - (said->dir ? 5000 : 1000) + 100) % SPAN;

    if (said->verdict == WEIR_PASS && !flow->dropped)
        return said->tcp && is_gone(gone, from, said->n);
    flow->dropped = flow->dropped || said->verdict >= WEIR_DROP_FLOW;
    if (said->tcp && said->sticks && said->verdict != WEIR_PASS)
        stay(gone, from, said->n);
    return true;
}

/* By key of the datagram: of one that waits, and of the one before it. */
struct model_datagram {
    bool waits, after; /* after one that did not leave */
    uint64_t deadline; /* ticks of 100 ms, as the next */
    bool was_dropped;
    uint64_t until;
};

/* Fragments leave as they come, but behind a datagram that did not leave. */
static bool
model_is_late(struct model_datagram *d, bool v6, uint64_t ms)
{
    if (d->waits && d->deadline <= ms / 100)
        d->waits = false;
    if (!d->waits) {
        d->after = d->was_dropped && d->until > ms / 100;
        d->deadline = (ms + (v6 ? 60000 : 30000) + 99) / 100;
    }
    d->waits = true;
    return d->after;
}

static void
model_take_fragment(struct model_datagram *d, const struct said *said, uint64_t ms, bool left)
{
    if (said->flow != 0) {
        d->was_dropped = !left;
        d->until = (ms + 60000) / 100 + 1;
    }
    if (said->flow != 0 || said->discards)
        d->waits = false;
}

static uint64_t
ms_of(const struct run *run, unsigned number)
{
    return run->script->frame[number - 1].time / MS;
}

static void
assert_as_model(const struct run *run)
{
    static struct model_datagram datagrams[2 * IDENTS + 1];
    static struct model_flow flows[PACKETS + 1]; /* by id */

    unsigned checked = 0;

    memset(flows, 0, sizeof(flows));
    memset(datagrams, 0, sizeof(datagrams));
    for (unsigned i = 1; i <= PACKETS; i++) {
        const struct said *said = &run->said[i];
        const unsigned key = run->script->key[i - 1];
        struct model_datagram *d = &datagrams[key];
        bool drops = said->flow != 0 ? model_drops(&flows[said->flow], said)
                                     : said->verdict != WEIR_PASS;

        if (key != 0) {
            drops |= model_is_late(d, key > IDENTS, ms_of(run, i));
            model_take_fragment(d, said, ms_of(run, i), run->sent[i]);
        }
        if (said->flow != 0 && run->reused[said->flow])
            continue;
        checked++;
        if (run->sent[i] != !drops)
            fail_msg("packet %u left %u times, flow %llu", i, run->sent[i],
                     (unsigned long long)said->flow);
    }
    assert_true(checked > PACKETS / 4);
}

static void
what_leaves_is_what_the_model_says(void **state)
{
    struct script *script = malloc(sizeof(*script));
    struct run *run = malloc(sizeof(*run)), *one = malloc(sizeof(*one));
    uint64_t late = 0;

    (void)state;
    assert_true(script != NULL && run != NULL && one != NULL);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        draw_script(script, seed);
        for (unsigned cores = 1; cores <= 4; cores++) {
            const struct weir_monitor_opts opts = {
                .cores = cores, .seed = seed, .held_packets = 65535, .held_flow = UINT32_MAX
            };
            const struct weir_monitor_stats stats = replay(cores == 1 ? one : run, script, &opts);

            assert_int_equal(stats.fail_closed, 0);
            assert_true(stats.dropped > 100 && stats.held_max > 3 && stats.rejects > 0);
            late += stats.late_fragments;
            assert_as_model(cores == 1 ? one : run);
            if (cores > 1)
                assert_memory_equal(run->sent, one->sent, sizeof(one->sent));
        }
    }
    assert_true(late > 100);
    free(script);
    free(run);
    free(one);
}

static void
with_little_room_each_leaves_once_or_is_counted(void **state)
{
    struct script *script = malloc(sizeof(*script));
    struct run *run = malloc(sizeof(*run));

    (void)state;
    assert_true(script != NULL && run != NULL);
    for (uint64_t seed = 1; seed <= 24; seed++) {
        const struct weir_monitor_opts opts = { .cores = (uint32_t)(1 + seed % 4),
                                                .seed = seed,
                                                .live = seed & 4,
                                                .fail_closed = seed & 8,
                                                .held_packets = (uint32_t)(1 + seed % 3),
                                                .held_core = seed & 1 ? 4096 : 0 };
        struct weir_monitor_stats stats;
        uint64_t left = 0;

        draw_script(script, seed);
        stats = replay(run, script, &opts);
        for (unsigned i = 1; i <= PACKETS; i++) {
            assert_in_range(run->sent[i], 0, 1);
            left += run->sent[i];
        }
        assert_int_equal(left, stats.forwarded);
        assert_true(stats.held_max > 0);
        assert_true(seed & 8 ? stats.fail_closed > 0 && stats.fail_open == 0
                             : stats.fail_open > 0 && stats.fail_closed == 0);
    }
    free(script);
    free(run);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_leaves_is_what_the_model_says),
        cmocka_unit_test(with_little_room_each_leaves_once_or_is_counted),
    };

    return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
