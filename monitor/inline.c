#include "inline.h"

#include "core/core.h"

#include "engine.h"
#include "frag_verdict.h"
#include "reject.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HELD_PACKETS = 256,
    HELD_FLOW = 1 << 20,
    HELD_CORE = 64 << 20,
};

/* ---- life ---------------------------------------------------------------------------------- */

int
inline_new(const struct weir_outlet *outlet, const struct weir_monitor_opts *opts,
           struct inline_core **out)
{
    struct inline_core *inl;

    *out = NULL;
    if (outlet->send == NULL)
        return WEIR_E_OK;
    if ((inl = calloc(1, sizeof(*inl))) == NULL)
        return WEIR_E_NOMEM;
    inl->outlet = *outlet;
    inl->max_packets = opts->held_packets != 0 ? opts->held_packets : HELD_PACKETS;
    inl->max_bytes = opts->held_flow != 0 ? opts->held_flow : HELD_FLOW;
    inl->edit = malloc(EDIT_ROOM);
    if (inl->edit == NULL) {
        inline_free(inl);
        return WEIR_E_NOMEM;
    }
    *out = inl;
    return WEIR_E_OK;
}

void
inline_free(struct inline_core *inl)
{
    if (inl == NULL)
        return;
    if (inl->range != NULL) {
        arena_give_back(&inl->arena, inl->range);
        munmap(inl->range, inl->range_size);
    }
    free(inl->edit);
    free(inl);
}

/* Address space: four times the cap, for what was freed in small blocks serves no larger one. */
int
inline_start(struct inline_core *inl, const struct weir_monitor_opts *opts)
{
    const size_t cap = opts->held_core != 0 ? (size_t)opts->held_core : HELD_CORE;
    const size_t size = 4 * cap + (size_t)4 * ARENA_UNIT;
    void *range;

    if (inl->range != NULL)
        return WEIR_E_OK;
    range = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (range == MAP_FAILED)
        return WEIR_E_NOMEM;
    inl->range = range;
    inl->range_size = size;
    arena_init(&inl->arena, range, size);
    mem_init_arena(&inl->mem, &inl->arena, cap);
    return WEIR_E_OK;
}

size_t
inline_place(struct engine *e, size_t at)
{
    struct inline_core *inl = e->inl;

    inl->at = at;
    inl->n_gates = 0;
    for (unsigned i = 0; i < e->n_apps; i++)
        inl->gate_of[i] = e->apps[i].pub.gates ? (uint8_t)inl->n_gates++ : NO_GATE;
    return (sizeof(struct gate) + inl->n_gates * sizeof(uint64_t) + 15) / 16 * 16;
}

void
inline_flush(const struct engine *e)
{
    const struct weir_outlet *outlet = &e->inl->outlet;

    if (outlet->flush != NULL)
        outlet->flush(outlet->ctx, e->index);
}

static struct gate *
gate_of(const struct engine *e, const struct weir_flow *flow)
{
    return inline_gate(e->inl, flow_apps(flow));
}

/* ---- sequence numbers ------------------------------------------------------------------------ */

static bool
is_tcp(const struct weir_packet *pkt)
{
    return pkt->proto == WEIR_PROTO_TCP && pkt->l4 != NULL;
}

static struct seqs
seqs_of(const struct weir_packet *pkt)
{
    const uint8_t flags = pkt->tcp_flags;

    return (struct seqs){ pkt->tcp_seq, pkt->tcp_seq + pkt->payload_wire + !!(flags & WEIR_TH_SYN) +
                                            !!(flags & WEIR_TH_FIN) };
}

/* ---- our own answers ------------------------------------------------------------------------- */

static void
send_own(struct engine *e, const struct passing *p, bool back, const uint8_t *frame, uint32_t n)
{
    const struct weir_outlet *outlet = &e->inl->outlet;

    if (n > 0 && outlet->send(outlet->ctx, e->index, p->from, back, frame, n))
        e->stats.rejects++;
}

/* What the sender takes for the next number of its peer. */
static uint32_t
next_for_sender(const struct gate *gate, const struct passing *p)
{
    const struct cut *cut = &gate->cut[!p->dir];
    uint32_t next = p->expected_back;

    if (cut->any && seq_before(cut->lacking.from, next))
        next = cut->lacking.from;
    return seq_before(next, p->pkt->tcp_ack) ? p->pkt->tcp_ack : next;
}

static void
rst_to_sender(struct engine *e, const struct weir_flow *flow, const struct gate *gate,
              const struct passing *p)
{
    const uint8_t ttl = (uint8_t)(flow->flags >> (p->dir == WEIR_TOSERVER ? FLOW_TTL_TOCLIENT
                                                                          : FLOW_TTL_TOSERVER));
    const struct seqs seqs = seqs_of(p->pkt);
    uint8_t room[REJECT_ROOM];
    struct rst rst = { .back = true, .ack = true, .ack_number = seqs.to, .ttl = ttl };

    if (p->pkt->tcp_flags & WEIR_TH_ACK)
        rst.seq = next_for_sender(gate, p);
    send_own(e, p, true, room, reject_rst(p->pkt, &rst, room));
}

/* Not of a SYN that nobody knows of yet. */
static void
rst_to_receiver(struct engine *e, const struct gate *gate, const struct passing *p)
{
    const struct cut *cut = &gate->cut[p->dir];
    struct rst rst = { .seq = p->expected, .ttl = p->pkt->ttl, .ack_number = p->pkt->tcp_ack };
    uint8_t room[REJECT_ROOM];

    if (!p->known && (p->pkt->tcp_flags & (WEIR_TH_SYN | WEIR_TH_ACK)) == WEIR_TH_SYN)
        return;
    if (cut->any && seq_before(cut->lacking.from, rst.seq))
        rst.seq = cut->lacking.from;
    rst.ack = p->pkt->tcp_flags & WEIR_TH_ACK;
    send_own(e, p, false, room, reject_rst(p->pkt, &rst, room));
}

static bool
may_answer(const struct weir_packet *pkt)
{
    return !pkt->bad_checksum && !(is_tcp(pkt) && pkt->tcp_flags & WEIR_TH_RST);
}

static void
reject(struct engine *e, const struct weir_flow *flow, const struct gate *gate,
       const struct passing *p, unsigned to)
{
    uint8_t room[REJECT_ROOM];

    if (!is_tcp(p->pkt)) {
        if (to & WEIR_REJECT_SENDER)
            send_own(e, p, true, room, reject_icmp(p->pkt, room));
        return;
    }
    if (!may_answer(p->pkt))
        return;
    if (to & WEIR_REJECT_RECEIVER)
        rst_to_receiver(e, gate, p);
    if (to & WEIR_REJECT_SENDER)
        rst_to_sender(e, flow, gate, p);
}

/* A flow that was reset: who still sends is told, and its peer if it was not. */
static void
answer(struct engine *e, const struct weir_flow *flow, struct gate *gate, const struct passing *p)
{
    const unsigned receiver = p->dir == WEIR_TOSERVER;
    unsigned to = is_tcp(p->pkt) || !gate->rst_sent[!receiver] ? WEIR_REJECT_SENDER : 0;

    if (!may_answer(p->pkt))
        return;
    if (!gate->rst_sent[receiver])
        to |= WEIR_REJECT_RECEIVER;
    gate->rst_sent[0] = gate->rst_sent[1] = true;
    reject(e, flow, gate, p, to);
}

/* ---- fragments ------------------------------------------------------------------------------- */

/*
 * Whether a datagram of the same key before this one did not leave: its target may lack just these
 * bytes. One that waits in another flow, or on another core, may not leave either.
 */
static bool
is_late(const struct passing *p)
{
    if (p->came.frame == NULL)
        return false;
    return p->came.late ||
           (p->came.after != NULL && frag_verdict_state(p->came.after) != FRAG_LEFT);
}

/* The packet was settled: who sends a fragment of its datagrams again is answered by that. */
static void
tell_fragments(const struct passing *p, bool left)
{
    struct frag_verdict *also;

    if (p->came.frame == NULL)
        return;
    for (struct frag_verdict *v = p->came.completes; v != NULL; v = also) {
        also = v->also;
        atomic_store_explicit(&v->state, left ? FRAG_LEFT : FRAG_DROPPED, memory_order_release);
        frag_verdict_release(v);
    }
    if (p->came.after != NULL)
        frag_verdict_release(p->came.after);
}

/* It is held: fragments that come behind it wait in its flow. */
static void
lead_fragments(const struct passing *p, struct weir_flow *flow)
{
    if (p->came.frame == NULL)
        return;
    for (struct frag_verdict *v = p->came.completes; v != NULL; v = v->also)
        v->flow = flow;
}

/* ---- settling a packet ----------------------------------------------------------------------- */

static void
note_lost(struct gate *gate, const struct passing *p)
{
    if (gate != NULL && is_tcp(p->pkt) && !p->pkt->bad_checksum)
        cut_lacks(&gate->cut[p->dir], seqs_of(p->pkt));
}

/* Returns whether it left. */
static bool
forward(struct engine *e, struct gate *gate, const struct passing *p, bool unjudged)
{
    const struct weir_outlet *outlet = &e->inl->outlet;

    if (!outlet->send(outlet->ctx, e->index, p->from, false, p->data, p->len)) {
        e->stats.send_drops++;
        note_lost(gate, p);
        return false;
    }
    e->stats.forwarded++;
    e->stats.rewritten += p->rewritten;
    e->stats.fail_open += unjudged;
    if (gate != NULL && gate->cut[p->dir].any && is_tcp(p->pkt) && !p->pkt->bad_checksum)
        cut_got(&gate->cut[p->dir], seqs_of(p->pkt));
    return true;
}

/* A verdict is carried out: the packet is dropped. */
static void
drop(struct engine *e, struct weir_flow *flow, struct gate *gate, const struct passing *p)
{
    const struct judged *judged = &p->judged;

    e->stats.dropped++;
    if (flow == NULL)
        return;
    note_lost(gate, p);
    if (judged->sticks && is_tcp(p->pkt))
        cut_stick(&gate->cut[p->dir], seqs_of(p->pkt));
    if (judged->verdict == WEIR_DROP_FLOW && gate->state == GATE_OPEN)
        gate->state = GATE_DROPS;
    if (judged->verdict == WEIR_RESET)
        gate->state = GATE_RESETS;
    if (gate->state == GATE_RESETS)
        answer(e, flow, gate, p);
    else if (judged->reject != 0)
        reject(e, flow, gate, p, judged->reject);
}

/* Returns whether it left. */
static bool
carry_out(struct engine *e, struct weir_flow *flow, const struct passing *p, bool unjudged)
{
    struct gate *gate = flow != NULL ? gate_of(e, flow) : NULL;

    if (p->judged.verdict >= WEIR_DROP || p->judged.reject != 0 ||
        (gate != NULL && gate->state != GATE_OPEN)) {
        drop(e, flow, gate, p);
    } else if (is_late(p)) {
        e->stats.dropped++;
        e->stats.late_fragments++;
        note_lost(gate, p);
    } else if (gate != NULL && is_tcp(p->pkt) && cut_sticks(&gate->cut[p->dir], seqs_of(p->pkt))) {
        e->stats.dropped++;
    } else if (unjudged && e->opts.fail_closed) {
        e->stats.fail_closed++;
        note_lost(gate, p);
    } else {
        return forward(e, gate, p, unjudged);
    }
    return false;
}

/* unjudged: an app that gates has not done with it. */
static void
settle(struct engine *e, struct weir_flow *flow, const struct passing *p, bool unjudged)
{
    const bool lacked_room = p->came.frame != NULL && p->came.lacked_room;

    tell_fragments(p, carry_out(e, p->lodger ? NULL : flow, p, unjudged || lacked_room));
}

/* ---- packets that are held ------------------------------------------------------------------- */

static struct held_packet *
first_of(const struct gate *gate)
{
    return gate->last->next;
}

static void
append(struct engine *e, struct gate *gate, struct held_packet *held)
{
    held->next = gate->last != NULL ? gate->last->next : held;
    if (gate->last != NULL)
        gate->last->next = held;
    gate->last = held;
    gate->n++;
    gate->bytes += held->p.len;
    if (++e->stats.held > e->stats.held_max)
        e->stats.held_max = e->stats.held;
}

static struct held_packet *
take_first(struct engine *e, struct gate *gate)
{
    struct held_packet *held = first_of(gate);

    if (held == gate->last)
        gate->last = NULL;
    else
        gate->last->next = held->next;
    gate->n--;
    gate->bytes -= held->p.len;
    e->stats.held--;
    return held;
}

/* Whether an app that gates is at this packet's events, or at those of an earlier one. */
static bool
is_awaited(const struct inline_core *inl, const struct gate *gate, uint64_t number)
{
    for (unsigned i = 0; i < inl->n_gates; i++)
        if (gate->at[i] != 0 && gate->at[i] <= at_packet(number))
            return true;
    return false;
}

static void
settle_first(struct engine *e, struct weir_flow *flow, struct gate *gate, bool unjudged)
{
    struct held_packet *held = take_first(e, gate);

    settle(e, flow, &held->p, unjudged || held->p.judged.unseen);
    mem_free(&e->inl->mem, held, held->size);
}

/* The apps have gone on: what they have done with leaves. */
static void
release(struct engine *e, struct weir_flow *flow, struct gate *gate)
{
    while (gate->n > 0 &&
           (gate->state != GATE_OPEN || !is_awaited(e->inl, gate, first_of(gate)->p.judged.number)))
        settle_first(e, flow, gate, false);
}

static void
release_all(struct engine *e, struct weir_flow *flow, struct gate *gate)
{
    while (gate->n > 0)
        settle_first(e, flow, gate, is_awaited(e->inl, gate, first_of(gate)->p.judged.number));
}

static uint8_t *
moved(const uint8_t *p, const struct weir_packet *from, uint8_t *frame)
{
    return p != NULL ? frame + (p - from->frame) : NULL;
}

/* Bytes of the packet's frame that our own answers need, beside what leaves. */
static uint32_t
headers_apart(const struct passing *p)
{
    const struct weir_packet *pkt = p->pkt;
    size_t n;

    if (!pkt->whole)
        return 0;
    n = (pkt->payload != NULL ? (size_t)(pkt->payload - pkt->frame) : 0) + 8;
    return n < pkt->caplen ? (uint32_t)n : pkt->caplen;
}

/* A copy that may wait; NULL: there is no room. */
static struct held_packet *
copy(struct inline_core *inl, const struct passing *p)
{
    const uint32_t headers = headers_apart(p);
    const size_t size = sizeof(struct held_packet) + p->len + headers;
    struct held_packet *held = size > (size_t)1 << MEM_MAX_SHIFT ? NULL
                                                                 : mem_alloc(&inl->mem, size);
    const struct weir_packet *from = p->pkt;
    uint8_t *frame;

    if (held == NULL)
        return NULL;
    held->size = size;
    held->p = *p;
    held->p.data = memcpy(held->room, p->data, p->len);
    held->pkt = *from;
    frame = headers > 0 ? memcpy(held->room + p->len, from->frame, headers) : held->room;
    held->pkt.frame = frame;
    held->pkt.caplen = headers > 0 ? headers : from->caplen;
    held->pkt.ip = moved(from->ip, from, frame);
    held->pkt.l4 = moved(from->l4, from, frame);
    held->pkt.payload = moved(from->payload, from, frame);
    held->pkt.tcp_options = moved(from->tcp_options, from, frame);
    held->p.pkt = &held->pkt;
    return held;
}

static struct held_packet *
copy_within(struct inline_core *inl, const struct gate *gate)
{
    if (gate->n >= inl->max_packets || (uint64_t)gate->bytes + inl->now.len > inl->max_bytes)
        return NULL;
    return copy(inl, &inl->now);
}

/* Live nobody waits; in a replay handlers that can run make room. */
static struct held_packet *
find_room(struct engine *e, struct weir_flow *flow, struct gate *gate)
{
    struct held_packet *held;

    while ((held = copy_within(e->inl, gate)) == NULL) {
        if (e->opts.live || (weir_core_run(e->core, 256) == 0 && !engine_settle(e)))
            return NULL;
        release(e, flow, gate);
    }
    return held;
}

/* Past the bounds: by the policy, and the flow's taps are told once. */
static void
overflow(struct engine *e, struct weir_flow *flow, struct gate *gate)
{
    struct passing *now = &e->inl->now;
    const enum weir_dir dir = (enum weir_dir)now->dir;

    if (!e->opts.fail_closed) {
        gate->fails_open = true;
        release_all(e, flow, gate);
    }
    settle(e, flow, now, true);
    now->judged.number = 0;
    if (gate->told)
        return;
    gate->told = true;
    engine_overload(e, flow, dir, WEIR_OVERLOAD_HELD);
}

static void
hold(struct engine *e, struct weir_flow *flow, struct gate *gate)
{
    struct inline_core *inl = e->inl;
    struct held_packet *held = find_room(e, flow, gate);

    if (held == NULL) {
        overflow(e, flow, gate);
        return;
    }
    append(e, gate, held);
    lead_fragments(&held->p, flow);
    inl->now.judged.number = 0;
    release(e, flow, gate); /* handlers that made room may have done with it */
}

/* ---- the packet at hand ---------------------------------------------------------------------- */

void
inline_begin(struct engine *e, const struct arrival *a)
{
    struct inline_core *inl = e->inl;
    struct passing *now = &inl->now;
    const bool told = a->kind == ARRIVES_EVENT;
    const bool was_told = a->kind == ARRIVES_NO_FLOW && now->judged.number == a->pkt.number;
    const struct judged judged = now->judged;

    inl->flow = NULL;
    *now = (struct passing){ .judged.number = a->pkt.number, .pkt = &a->pkt };
    if (was_told || (told && judged.number == a->pkt.number))
        now->judged = judged; /* what the reader told of it has been judged */
    if (a->kind == ARRIVES_QUOTE)
        now->judged.number = 0; /* it has been settled, as one of its own flow */
    if (told || a->kind == ARRIVES_QUOTE)
        return;
    now->data = a->pkt.frame;
    now->len = a->pkt.caplen;
    now->from = a->pkt.port;
    if (a->fragments == 0)
        return;
    now->came = a->came;
    now->data = a->came.frame;
    now->len = a->came.len;
    now->from = a->came.port;
}

/* The number of the next byte that is expected of a side. */
static uint32_t
next_of(const struct side *side)
{
    return side->base + (uint32_t)side->next + !!(side->flags & SIDE_FIN);
}

void
inline_found(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];
    struct passing *now = &e->inl->now;

    e->inl->flow = flow;
    gate_of(e, flow)->latest = now->judged.number;
    now->dir = (uint8_t)dir;
    now->known = side->flags & SIDE_SEEN;
    now->expected = now->known ? next_of(side) : now->pkt->tcp_seq;
    now->expected_back = peer->flags & SIDE_SEEN ? next_of(peer) : now->pkt->tcp_ack;
}

/* The packet is of no flow, but a datagram before it is held: it waits behind that. */
static struct weir_flow *
lodge(const struct engine *e, struct passing *now)
{
    struct frag_verdict *after = now->came.frame != NULL ? now->came.after : NULL;

    if (after == NULL || after->core != e->index || frag_verdict_state(after) != FRAG_OPEN)
        return NULL;
    now->lodger = true;
    return after->flow;
}

void
inline_settle(struct engine *e)
{
    struct inline_core *inl = e->inl;
    struct passing *now = &inl->now;
    struct weir_flow *flow = inl->flow != NULL ? inl->flow : lodge(e, now);
    struct gate *gate = flow != NULL ? gate_of(e, flow) : NULL;
    bool awaited;

    if (gate == NULL) {
        settle(e, NULL, now, false);
        now->judged.number = 0;
        return;
    }
    awaited = is_awaited(inl, gate, now->judged.number);
    if (gate->n == 0 && (!awaited || gate->fails_open || gate->state != GATE_OPEN)) {
        settle(e, flow, now, awaited || now->judged.unseen);
        now->judged.number = 0;
        return;
    }
    hold(e, flow, gate);
}

void
inline_flow_ends(struct engine *e, struct weir_flow *flow)
{
    release_all(e, flow, gate_of(e, flow));
}

bool
inline_was_reset(const struct engine *e, const struct weir_flow *flow)
{
    return gate_of(e, flow)->state == GATE_RESETS;
}

/* ---- taps that wait -------------------------------------------------------------------------- */

/* Where the tap of an app that gates says how far it is; NULL: there is nothing to gate. */
static uint64_t *
place_of(const struct engine *e, const struct weir_tap *tap, struct weir_flow **flow,
         struct gate **gate)
{
    unsigned app, place;

    if ((*flow = engine_flow_of(e, tap, &app)) == NULL)
        return NULL;
    place = e->inl->gate_of[app];
    *gate = gate_of(e, *flow);
    return place != NO_GATE ? &(*gate)->at[place] : NULL;
}

static void
slept(void *arg, struct weir_tap *tap)
{
    const struct engine *e = arg;
    struct weir_flow *flow;
    struct gate *gate;
    uint64_t *at = place_of(e, tap, &flow, &gate);

    if (at == NULL || *at != 0)
        return;
    *at = e->packet != NULL ? at_packet(e->packet->number) : at_timer(gate->latest);
}

void
inline_unseen(struct engine *e, const struct weir_tap *tap, const struct weir_event *ev)
{
    struct passing *p = inline_find(e, ev);
    struct weir_flow *flow;
    struct gate *gate;

    if (p != NULL && place_of(e, tap, &flow, &gate) != NULL)
        p->judged.unseen = true;
}

/* A tap has ended before its time: nobody will answer for the packets from that place on. */
static void
give_up(const struct gate *gate, uint64_t at)
{
    struct held_packet *held = gate->last;

    if (gate->n == 0)
        return;
    do {
        held = held->next;
        if (at <= at_packet(held->p.judged.number))
            held->p.judged.unseen = true;
    } while (held != gate->last);
}

/* All that gate have done with all events. */
static void
catch_up(const struct inline_core *inl, struct gate *gate)
{
    for (unsigned i = 0; i < inl->n_gates; i++)
        if (gate->at[i] != 0)
            return;
    gate->fails_open = false;
    gate->told = false;
}

static void
went_on(void *arg, struct weir_tap *tap, struct weir_held *next)
{
    struct engine *e = arg;
    struct weir_flow *flow;
    struct gate *gate;
    uint64_t *at = place_of(e, tap, &flow, &gate);
    const struct weir_event *ev = next != NULL ? weir_held_event(next) : NULL;

    if (at == NULL || (*at == 0 && next == NULL))
        return;
    if (tap->state == WEIR_TAP_ENDED)
        give_up(gate, *at);
    if (ev == NULL)
        *at = 0;
    else if (ev->number != 0)
        *at = at_packet(ev->number);
    else
        *at = *at != 0 ? *at | 1 : at_timer(gate->latest);
    release(e, flow, gate);
    catch_up(e->inl, gate);
}

const struct tap_hooks inline_hooks = { slept, went_on };

/* ---- what stages say ------------------------------------------------------------------------- */

struct engine *
inline_engine(void)
{
    struct weir_core *core = core_current;

    if (core == NULL || core->tap_hooks != &inline_hooks)
        return NULL;
    return core->tap_arg;
}

struct passing *
inline_find(struct engine *e, const struct weir_event *ev)
{
    struct gate *gate = ev->flow != NULL ? gate_of(e, ev->flow) : NULL;
    struct held_packet *held;

    if (ev->number == 0)
        return NULL;
    if (e->inl->now.judged.number == ev->number)
        return &e->inl->now;
    if (gate == NULL || gate->n == 0)
        return NULL;
    held = gate->last;
    do {
        held = held->next;
        if (held->p.judged.number == ev->number)
            return &held->p;
    } while (held != gate->last);
    return NULL;
}

uint8_t *
inline_edit(struct engine *e, struct passing *p)
{
    struct inline_core *inl = e->inl;

    if (p != &inl->now || p->rewritten)
        return (uint8_t *)(uintptr_t)p->data; /* in a held packet's room, or in edit */
    if (p->len > EDIT_ROOM)
        return NULL;
    p->data = memcpy(inl->edit, p->data, p->len);
    return inl->edit;
}

/* Of bytes, or of a step of the connection, there is one such event. */
static bool
comes_once(const struct weir_event *ev)
{
    const uint64_t once = WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_SYN) |
                          WEIR_EV_BIT(WEIR_EV_SYN_ACK) | WEIR_EV_BIT(WEIR_EV_ESTABLISHED) |
                          WEIR_EV_BIT(WEIR_EV_STATE) | WEIR_EV_BIT(WEIR_EV_PAYLOAD) |
                          WEIR_EV_BIT(WEIR_EV_URGENT) | WEIR_EV_BIT(WEIR_EV_FIN) |
                          WEIR_EV_BIT(WEIR_EV_RST) | WEIR_EV_BIT(WEIR_EV_DATA_ON_SYN) |
                          WEIR_EV_BIT(WEIR_EV_TUPLE_REUSE);

    return once >> ev->base & 1;
}

/* The packet has left, or there never was one. */
static void
judge_late(struct engine *e, const struct weir_event *ev, enum weir_verdict v)
{
    struct gate *gate = gate_of(e, ev->flow);
    const struct side *side = &ev->flow->side[ev->direction];

    if (ev->base == WEIR_EV_PAYLOAD) {
        const uint32_t from = side->base + (uint32_t)ev->payload.offset;

        cut_stick(&gate->cut[ev->direction],
                  (struct seqs){ from, from + (uint32_t)ev->payload.length });
    }
    if (v == WEIR_DROP_FLOW && gate->state == GATE_OPEN)
        gate->state = GATE_DROPS;
    if (v == WEIR_RESET)
        gate->state = GATE_RESETS;
}

void
inline_judge(struct engine *e, const struct weir_event *ev, enum weir_verdict v, unsigned to)
{
    struct passing *p = inline_find(e, ev);

    if (v == WEIR_PASS)
        return;
    if (p == NULL) {
        if (ev->flow != NULL)
            judge_late(e, ev, v);
        return;
    }
    if (v > p->judged.verdict)
        p->judged.verdict = (uint8_t)v;
    p->judged.reject |= (uint8_t)to;
    p->judged.sticks = p->judged.sticks || comes_once(ev);
}
