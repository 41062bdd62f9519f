/*
 * The whole engine over packets of a few connections.
 *
 * Input: a byte of options, then steps of four bytes (see struct step). Each makes packets that fit
 * what its connection has come to, or nearly, so that handshakes, overlaps and holes do happen.
 * They are fed twice: one by one, beside an app that sleeps, to apps that read back; and all at
 * once, with another seed, to one that does not.
 */
#include "fuzz_facts.h"

#include "support/frames.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_STEPS = 200, MAX_FRAMES = 3 * MAX_STEPS, N_CONNECTIONS = 3 };

enum option { OPT_NO_CHECKSUMS = 1, OPT_STABLE = 2 }; /* the upper four bits: the policy */

struct step {
    uint8_t what; /* bits 0 and 1: connection, 3 is UDP; bit 2: direction; the rest: kind */
    uint8_t a, b, c;
};

struct connection {
    uint32_t isn[2], next[2]; /* next: bytes sent, by direction */
};

struct plan {
    struct connection connection[N_CONNECTIONS];
    struct weir_frame frames[MAX_FRAMES];
    uint8_t wake[MAX_FRAMES + 1]; /* futures to resolve before the frame */
    unsigned n;
    uint64_t ms;
    bool stable;
};

/* ---- from steps to frames ---- */

static void
add_frame(struct plan *plan, struct weir_frame frame)
{
    uint8_t *copy = malloc(frame.caplen > 0 ? frame.caplen : 1);

    assert(copy != NULL && plan->n < MAX_FRAMES);
    memcpy(copy, frame.data, frame.caplen);
    frame.data = copy;
    frame.stable = plan->stable;
    plan->frames[plan->n++] = frame;
}

/* Byte i of a stream; every variant but 0 differs from it in one of eight bytes. */
static uint8_t
stream_byte(uint32_t i, uint8_t variant)
{
    return (uint8_t)('a' + i % 23) ^ (variant != 0 && i % 8 == variant % 8U ? 1 : 0);
}

/* Complete a segment: ports, numbers relative to what was sent, and data. */
static struct weir_frame
frame_of(struct plan *plan, const struct step *step, struct segment s, int32_t at, int32_t ack,
         uint8_t room[FRAME_ROOM])
{
    const unsigned which = step->what & 3U;
    struct connection *c = &plan->connection[which % N_CONNECTIONS];
    const uint32_t from = c->next[s.dir] + (uint32_t)at;
    uint8_t data[FRAME_ROOM];

    for (uint32_t i = 0; i < s.n; i++)
        data[i] = stream_byte(from + i, s.data != NULL ? step->c : 0);
    s.client_port = (uint16_t)(1000 + which);
    s.seq = c->isn[s.dir] + from;
    s.ack = c->isn[!s.dir] + c->next[!s.dir] + (uint32_t)ack;
    s.data = data;
    s.ms = plan->ms++;
    return tcp_frame(&s, room);
}

/* s.data not NULL: other bytes than the stream's, by the step's last. */
static void
add_segment(struct plan *plan, const struct step *step, struct segment s, int32_t at, int32_t ack)
{
    uint8_t room[FRAME_ROOM];

    add_frame(plan, frame_of(plan, step, s, at, ack, room));
}

static enum weir_dir
dir_of(const struct step *step)
{
    return step->what >> 2 & 1 ? WEIR_TOCLIENT : WEIR_TOSERVER;
}

static void
send_next(struct plan *plan, const struct step *step, uint32_t n)
{
    const struct segment s = { .dir = dir_of(step), .flags = WEIR_TH_ACK, .n = n };

    add_segment(plan, step, s, 0, 0);
    plan->connection[step->what & 3U].next[s.dir] += n;
}

static void
send_handshake(struct plan *plan, const struct step *step)
{
    struct connection *c = &plan->connection[step->what & 3U];
    const uint8_t wscale = step->a % 16;

    c->isn[0] += step->b << 12;
    c->next[0] = c->next[1] = 0;
    add_segment(plan, step, (struct segment){ .flags = WEIR_TH_SYN, .wscale = wscale }, -1, 0);
    add_segment(plan, step,
                (struct segment){
                    .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .wscale = wscale },
                -1, 0);
    add_segment(plan, step, (struct segment){ .flags = WEIR_TH_ACK }, 0, 0);
}

/* A frame cut by the snap length, or with a byte changed. */
static void
send_broken(struct plan *plan, const struct step *step, bool cut)
{
    const struct segment s = { .dir = dir_of(step), .flags = WEIR_TH_ACK, .n = 32 };
    uint8_t room[FRAME_ROOM];
    struct weir_frame frame = frame_of(plan, step, s, (int8_t)step->c, 0, room);

    if (cut)
        frame.caplen -= step->a % frame.caplen;
    else
        room[step->a % frame.caplen] ^= step->b;
    add_frame(plan, frame);
}

static void
send_datagram(struct plan *plan, const struct step *step)
{
    uint8_t room[FRAME_ROOM], data[256];

    memset(data, step->b, sizeof(data));
    add_frame(plan, udp_frame(dir_of(step), data, step->a, plan->ms++, room));
}

/*
 * A piece of one of eight datagrams of 64 bytes, which all fragments together can complete: by
 * direction IPv4 or IPv6, by connection its identification. Some pieces are odd, others overlap.
 */
static void
send_fragment(struct plan *plan, const struct step *step)
{
    struct ip_fragment f = { .version = dir_of(step) == WEIR_TOSERVER ? 4 : 6,
                             .ident = step->what & 3U,
                             .start = step->a % 9 * 8,
                             .n = step->b < 192 ? (step->b % 8 + 1) * 8U : step->b % 33U,
                             .ms = plan->ms++ };
    uint8_t room[FRAME_ROOM], data[128], whole[144];

    memset(data, 'a' + (int)f.ident, sizeof(data));
    udp_whole(f.version, data, 56, whole);
    memset(whole + 64, '.', sizeof(whole) - 64);
    if (step->c % 4 == 3)
        whole[f.start + step->b % 8] ^= 1;
    if (step->c % 16 != 15 && f.start < 64 && f.start + f.n > 64)
        f.n = 64 - f.start;
    f.data = whole + f.start;
    f.more = step->c % 8 == 7 ? step->c & 8 : f.start + f.n < 64;
    f.lack = step->c > 240 ? f.n / 2 : 0;
    add_frame(plan, fragment_frame(&f, room));
}

/* The kinds of segments that need but their numbers. */
static void
send_segment(struct plan *plan, const struct step *step)
{
    const uint16_t window = (uint16_t)(step->b << 8);
    struct segment s = { .dir = dir_of(step), .flags = WEIR_TH_ACK };
    int32_t at = (int8_t)step->a, ack = 0;

    switch (step->what >> 3) {
    case 4: /* any bytes, anywhere near */
    case 5:
    case 6:
        s.n = 1 + step->b % 64;
        s.data = step->c % 4 == 3 ? step : NULL;
        break;
    case 7: /* far ahead */
        at = step->a << 10;
        s.n = step->b;
        break;
    case 8:
        ack = at;
        at = 0;
        s.window = window;
        s.zero_window = window == 0;
        break;
    case 9:
        s.flags |= WEIR_TH_FIN;
        s.n = step->b % 8;
        break;
    case 10:
        s.flags = step->b & 1 ? WEIR_TH_RST : WEIR_TH_RST | WEIR_TH_ACK;
        break;
    case 11:
        s.flags = WEIR_TH_SYN;
        at = -1 + step->a % 4;
        s.n = step->b % 16;
        break;
    case 12:
        s.flags = WEIR_TH_SYN | WEIR_TH_ACK;
        ack = at;
        at = -1;
        s.n = step->b % 16;
        break;
    case 13: /* keep-alive */
        at = -1;
        s.n = step->b & 1;
        break;
    case 14:
        s.flags = step->b;
        s.n = step->c % 32;
        break;
    default:
        s.n = 8;
        s.bad_checksum = true;
        break;
    }
    add_segment(plan, step, s, at, ack);
}

static void
take_step(struct plan *plan, const struct step *step)
{
    const unsigned kind = step->what >> 3;

    if (kind == 16)
        plan->ms += step->a * 100U + step->b * 10000U;
    else if (kind == 17)
        plan->wake[plan->n] = step->a;
    else if (kind >= 28)
        send_fragment(plan, step);
    else if ((step->what & 3) == 3)
        send_datagram(plan, step);
    else if (kind < 3)
        send_next(plan, step, 1 + step->a % 64);
    else if (kind == 3)
        send_next(plan, step, 1 + step->a * 5);
    else if (kind < 16)
        send_segment(plan, step);
    else if (kind < 20)
        send_handshake(plan, step);
    else
        send_broken(plan, step, kind < 24);
}

static void
make_plan(struct plan *plan, const uint8_t *data, size_t size)
{
    struct step step;

    *plan = (struct plan){ .stable = data[0] & OPT_STABLE };
    for (unsigned i = 0; i < N_CONNECTIONS; i++)
        plan->connection[i] = (struct connection){ .isn = { 0xffffff80U, 5000 * i + 1 } };
    for (size_t at = 1; at + sizeof(step) <= size; at += sizeof(step)) {
        memcpy(&step, data + at, sizeof(step));
        take_step(plan, &step);
    }
}

static void
free_plan(struct plan *plan)
{
    for (unsigned i = 0; i < plan->n; i++)
        free((void *)(uintptr_t)plan->frames[i].data);
}

/* ---- running ---- */

static struct weir_monitor *
new_monitor(uint8_t options, uint64_t seed)
{
    const enum weir_policy policy = (enum weir_policy)((options >> 4) % WEIR_POLICY_COUNT);
    const struct weir_monitor_opts opts = { .seed = seed,
                                            .policy = policy,
                                            .no_checksums = options & OPT_NO_CHECKSUMS };
    struct weir_monitor *m;

    assert(weir_monitor_new(&opts, &m) == WEIR_E_OK);
    return m;
}

/* The bytes of a frame that is not stable are gone when the call returns. */
static void
feed_one(struct weir_monitor *m, struct weir_frame frame)
{
    uint8_t *copy = NULL;

    if (!frame.stable) {
        copy = malloc(frame.caplen > 0 ? frame.caplen : 1);
        assert(copy != NULL);
        memcpy(copy, frame.data, frame.caplen);
        frame.data = copy;
    }
    assert(weir_monitor_feed(m, &frame, 1) == WEIR_E_OK);
    free(copy);
}

/* Bytes that an engine holds when all its flows have ended: its tables. */
static uint64_t
memory_left(const struct weir_monitor *m)
{
    struct weir_monitor_stats stats;

    weir_monitor_get_stats(m, &stats);
    return stats.memory;
}

static uint64_t
memory_of_an_empty_engine(void)
{
    struct weir_monitor *m = new_monitor(0, 0);
    uint8_t room[FRAME_ROOM];
    const struct weir_frame frame = udp_frame(WEIR_TOSERVER, "x", 1, 0, room);
    uint64_t memory;

    assert(weir_monitor_feed(m, &frame, 1) == WEIR_E_OK);
    weir_monitor_end(m);
    memory = memory_left(m);
    weir_monitor_free(m);
    return memory;
}

static void
check_memory(const struct weir_monitor *m)
{
    static uint64_t empty;

    if (empty == 0)
        empty = memory_of_an_empty_engine();
    assert(memory_left(m) == empty || memory_left(m) == 0); /* 0: no packet came */
}

static uint64_t
run_one_by_one(const struct plan *plan, uint8_t options)
{
    static struct facts facts, beside;
    struct weir_monitor *m = new_monitor(options, 0);

    facts_listen(&facts, m, false, 65536);
    facts_listen(&beside, m, true, 1 << 20);
    for (unsigned i = 0; i < plan->n; i++) {
        facts_wake(&beside, plan->wake[i]);
        feed_one(m, plan->frames[i]);
    }
    facts_wake(&beside, plan->wake[plan->n]);
    weir_monitor_end(m);
    facts_wake(&beside, MAX_SLEEPING); /* too late: all were cancelled */
    facts_check_end(&facts);
    facts_check_end(&beside);
    check_memory(m);
    weir_monitor_free(m);
    return facts.sum;
}

static uint64_t
run_at_once(const struct plan *plan, uint8_t options)
{
    static struct facts facts;
    struct weir_monitor *m = new_monitor(options, options + 1);

    facts_listen(&facts, m, false, 0);
    assert(weir_monitor_feed(m, plan->frames, plan->n) == WEIR_E_OK);
    weir_monitor_end(m);
    facts_check_end(&facts);
    check_memory(m);
    weir_monitor_free(m);
    return facts.sum;
}

/* ---- inline ---- */

/* A judge that sleeps now and then, and its verdicts. */
struct judged {
    struct weir_event ev;
};

static uint64_t sent_frames;

static bool
count_sent(void *ctx, unsigned core, uint8_t from, bool back, const uint8_t *data, uint32_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    (void)ctx, (void)core, (void)from, (void)back;
    assert(copy != NULL);
    memcpy(copy, data, len); /* all of it is there */
    free(copy);
    sent_frames++;
    return true;
}

static uint32_t
luck_of(const struct weir_event *ev, uint64_t salt)
{
    return (uint32_t)((ev->number * 64 + ev->type + salt) * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

static weir_fut
hesitate(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    const uint32_t luck = luck_of(ev, 1);
    struct judged *judged = ctx;

    judged->ev = *ev;
    if (luck % 7 == 0)
        (void)!weir_rewrite_payload(ev, luck % 20, "other", 1 + luck % 5);
    if (luck % 11 == 0)
        (void)!weir_rewrite_endpoint(ev, luck % 2 ? WEIR_SOURCE : WEIR_DESTINATION,
                                     &(struct weir_addr){ { 1, 2, 3, 4 } }, (int)(luck % 65536));
    return luck % 4 == 0 && ev->flow != NULL ? weir_after(luck % 500 * MS) : weir_ok(0);
}

static weir_fut
decide(void *ctx, weir_fut in)
{
    const struct weir_event *ev = &((struct judged *)ctx)->ev;
    const uint32_t luck = luck_of(ev, 2) % 32;

    if (luck == 5)
        weir_reject(ev, WEIR_REJECT_SENDER | WEIR_REJECT_RECEIVER);
    weir_verdict(ev, luck < 4 ? WEIR_DROP : luck == 4 ? WEIR_DROP_FLOW : WEIR_PASS);
    return in;
}

/*
 * Each packet leaves once or is counted once, and other apps see what they see of a passive
 * monitor.
 */
static uint64_t
run_inline(const struct plan *plan, uint8_t options)
{
    static const weir_fn stages[] = { hesitate, decide };
    static const struct weir_tap_spec spec = {
        .stage = stages, .n_stages = 2, .want = WEIR_EV_ALL, .queue_max = 65535
    };
    static struct facts facts;
    const struct weir_app app = { .name = "judge",
                                  .spec = &spec,
                                  .flow_size = sizeof(struct judged),
                                  .no_flow_packets = true,
                                  .gates = true };
    const struct weir_outlet outlet = { .send = count_sent };
    const struct weir_monitor_opts opts = { .policy = (options >> 4) % WEIR_POLICY_COUNT,
                                            .no_checksums = options & OPT_NO_CHECKSUMS,
                                            .outlet = &outlet,
                                            .held_packets = 65535 };
    struct weir_monitor_stats s;
    struct weir_monitor *m;

    sent_frames = 0;
    assert(weir_monitor_new(&opts, &m) == WEIR_E_OK);
    facts_listen(&facts, m, false, 0);
    assert(weir_monitor_add(m, &app) == WEIR_E_OK);
    for (unsigned i = 0; i < plan->n; i++)
        feed_one(m, plan->frames[i]);
    weir_monitor_end(m);
    facts_check_end(&facts);
    check_memory(m);
    weir_monitor_get_stats(m, &s);
    assert(s.held == 0 && s.packets == plan->n);
    assert(s.packets == s.forwarded + s.dropped + s.fail_closed + s.send_drops);
    assert(sent_frames == s.forwarded + s.rejects);
    weir_monitor_free(m);
    return facts.sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plan plan;
    uint64_t sum;

    if (size < 1 + sizeof(struct step) || size > 1 + MAX_STEPS * sizeof(struct step))
        return 0;
    make_plan(&plan, data, size);
    sum = run_one_by_one(&plan, data[0]);
    assert(run_at_once(&plan, data[0]) == sum);
    assert(run_inline(&plan, data[0]) == sum);
    free_plan(&plan);
    return 0;
}
