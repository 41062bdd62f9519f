/* What becomes of packets: each finds its flow, and is followed. */
#include "engine.h"

#include "checksum.h"
#include "core/core.h"
#include "deliver.h"
#include "hosts.h"
#include "quote.h"
#include "reasm.h"
#include "track.h"

#include <string.h>

enum {
    AT_ONCE = 32,   /* arrivals that a core of several takes at once, */
    AHEAD = 8,      /* so many lie between what the cache is asked for and its use, */
    FAR_AHEAD = 16, /* for the flow, */
    DATA_AHEAD = 2, /* and for its data, of which at most so many bytes: */
    FETCHED = 2048,
    CACHE_LINE = 64,
    EVICT_LOOK = 64, /* flows that are looked at to find one that has been idle for long */
};

/* ---- checksums ----------------------------------------------------------------------------- */

/* A host whose network card computes checksums sends wrong ones, as seen by a capture on it. */
static void
note_sender(struct engine *e, const struct weir_packet *pkt)
{
    uint64_t half[2];
    struct sender *s;

    memcpy(half, pkt->src.b, sizeof(half));
    s = &e->senders[mix64(half[0] ^ mix64(half[1])) % N_SENDERS];
    if (pkt->bad_checksum)
        s->bad++;
    else
        s->good++;
}

/* ---- a packet ------------------------------------------------------------------------------ */

static enum weir_dir
direction(const struct weir_flow *flow, const struct flow_ref *ref)
{
    return ref->swapped == !!(flow->flags & FLOW_CLIENT_HIGH) ? WEIR_TOSERVER : WEIR_TOCLIENT;
}

/* End one of the flows that have been idle longest, of a few; what they wait for is given up. */
static bool
evict(struct engine *e, struct shard *shard)
{
    const struct weir_packet *packet = e->packet;
    struct weir_flow *victim = NULL;

    for (uint32_t n = 0; n < EVICT_LOOK; n++) {
        struct weir_flow *flow = shard_next(shard, shard->hand);

        shard->hand = flow; /* NULL behind the last: the next turn begins anew */
        if (flow != NULL && flow_used(flow) && !(flow->flags & FLOW_ENDED) &&
            (victim == NULL || flow->last < victim->last))
            victim = flow;
    }
    if (victim == NULL)
        return false;
    e->packet = NULL; /* it is another flow's */
    engine_end_flow(e, victim, WEIR_END_EVICTED);
    e->packet = packet;
    return true;
}

static struct weir_flow *
add_flow(struct engine *e, const struct arrival *a)
{
    struct shard *shard = &e->shards[a->ref.shard];
    struct weir_flow *flow = shard_add(shard, &a->ref, &a->pkt, &e->secret);

    e->tables[a->ref.shard] = shard_table(shard); /* it may have grown */
    if (flow != NULL)
        return flow;
    engine_overload(e, NULL, WEIR_TOSERVER, WEIR_OVERLOAD_FLOWS);
    for (int i = 0; i < 2 && flow == NULL && evict(e, shard); i++)
        flow = shard_add(shard, &a->ref, &a->pkt, &e->secret);
    e->tables[a->ref.shard] = shard_table(shard);
    return flow;
}

/* The receiver of each direction decides; pkt goes in direction dir. */
static void
set_policies(const struct engine *e, struct weir_flow *flow, const struct weir_packet *pkt,
             enum weir_dir dir)
{
    flow_set_policy(flow, dir, hosts_find(e->hosts, &pkt->dst, pkt->ip_version));
    flow_set_policy(flow, !dir, hosts_find(e->hosts, &pkt->src, pkt->ip_version));
}

/* answers: the SYN that this SYN/ACK answers came while the tuple was another flow's. */
static struct weir_flow *
start_flow(struct engine *e, const struct arrival *a, bool answers)
{
    const struct weir_packet *pkt = &a->pkt;
    bool tcp = pkt->proto == WEIR_PROTO_TCP, from_client = !tcp || tcp_from_client(pkt);
    struct weir_flow *flow = add_flow(e, a);
    struct flow_cold *cold;

    if (flow == NULL)
        return NULL;
    cold = flow_cold(flow);
    cold->id = pkt->number;
    cold->start = pkt->time;
    flow->last = e->clock;
    if (a->ref.swapped == from_client)
        flow->flags |= FLOW_CLIENT_HIGH;
    if (tcp && (!tcp_is_syn(pkt) || (!from_client && !answers)))
        flow->flags |= FLOW_MIDSTREAM;
    flow->side[WEIR_TOCLIENT].state = WEIR_TCP_LISTEN;
    if (tcp)
        set_policies(e, flow, pkt, from_client ? WEIR_TOSERVER : WEIR_TOCLIENT);
    e->stats.flows++;
    e->stats.live_flows++;
    if (e->layout.app_stride > 0)
        engine_start_taps(e, flow_apps(flow));
    return flow;
}

static void
raise_flow_start(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct weir_event ev = { .type = WEIR_EV_FLOW_START, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_FLOW_START))
        return;
    ev.flow_start.midstream = flow->flags & FLOW_MIDSTREAM;
    engine_deliver(e, flow, &ev);
}

static inline void
count_packet(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
             const struct weir_packet *pkt)
{
    struct side *side = &flow->side[dir];

    flow->last = e->clock;
    side->packets++;
    side->bytes = (side->bytes + pkt->wirelen) & SIDE_BYTES_MAX;
    side->tcp_flags |= pkt->tcp_flags;
}

/*
 * Of what was put together from fragments a wrong checksum says that it was put together wrongly.
 */
static bool
is_taken_anyhow(const struct engine *e, const struct arrival *a)
{
    return e->opts.bad_udp && a->bad_layer == WEIR_LAYER_UDP && !a->pkt.whole;
}

static void
raise_bad_checksum(struct engine *e, struct weir_flow *flow, const struct arrival *a)
{
    enum weir_dir dir = flow != NULL ? direction(flow, &a->ref) : WEIR_TOSERVER;
    struct weir_event ev = { .type = WEIR_EV_BAD_CHECKSUM, .direction = (uint8_t)dir };

    if (flow != NULL && !is_taken_anyhow(e, a))
        engine_raise_plain(e, flow, dir, WEIR_EV_PACKET);
    e->stats.bad_checksums++;
    if (!engine_raises(e, flow, WEIR_EV_BAD_CHECKSUM))
        return;
    ev.bad_checksum.layer = (uint8_t)a->bad_layer;
    engine_deliver(e, flow, &ev);
}

/* Who has been told that the connection is over may open another at once. */
static bool
opens_another(const struct engine *e, struct weir_flow *flow, const struct arrival *a)
{
    if (!e->opts.packets_only && tcp_opens_another(flow, &a->pkt, direction(flow, &a->ref)))
        return true;
    return e->inl != NULL && inline_was_reset(e, flow) && tcp_is_syn(&a->pkt) &&
           !(a->pkt.tcp_flags & WEIR_TH_ACK);
}

static inline void
track(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    if (e->opts.packets_only)
        return;
    if (WEIR_LIKELY(pkt->proto == WEIR_PROTO_TCP))
        track_tcp(e, flow, dir);
    else
        track_datagram(e, flow, dir);
}

/*
 * The packet is not of a flow that goes on, or there is something to say before: whatever it is.
 *
 * Not inline: what most packets take stays short.
 */
static __attribute__((noinline)) void
take_odd_packet(struct engine *e, struct arrival *a, struct weir_flow *flow)
{
    bool tcp = a->pkt.proto == WEIR_PROTO_TCP, reuse = false, live = false, new;
    struct tcp_syn syn = { .known = false };
    unsigned unanswered = 0;
    enum weir_dir dir;

    if (e->inl != NULL && flow != NULL)
        inline_found(e, flow, direction(flow, &a->ref));
    if (a->pkt.bad_checksum) {
        raise_bad_checksum(e, flow, a);
        if (!is_taken_anyhow(e, a))
            return;
        a->pkt.bad_checksum = false;
    }
    if (flow != NULL && tcp && a->pkt.tcp_flags & WEIR_TH_SYN && opens_another(e, flow, a)) {
        live = !(flow->flags & FLOW_CLOSED);
        unanswered = live ? tcp_unanswered_syns(flow) : 0;
        syn = tcp_syn_before(flow, &a->pkt);
        engine_end_flow(e, flow, WEIR_END_REUSE);
        flow = NULL;
        reuse = true;
        if (e->inl != NULL)
            e->inl->flow = NULL;
    }
    new = flow == NULL;
    if (new)
        flow = start_flow(e, a, reuse);
    if (flow == NULL)
        return;
    if (syn.known)
        tcp_recall_syn(flow, &a->pkt, &syn);
    dir = direction(flow, &a->ref);
    if (e->inl != NULL && new)
        inline_found(e, flow, dir);
    count_packet(e, flow, dir, &a->pkt);
    if (new) {
        raise_flow_start(e, flow, dir);
        engine_arm(e, flow);
    }
    engine_raise_plain(e, flow, dir, WEIR_EV_PACKET);
    if (live)
        engine_raise_plain(e, flow, dir, WEIR_EV_TUPLE_REUSE);
    if (unanswered > 0 && !e->opts.packets_only)
        tcp_note_unanswered(e, flow, dir, unanswered);
    track(e, flow, dir, &a->pkt);
}

static inline void
raise_packet(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct weir_event ev;

    if (!engine_raises(e, flow, WEIR_EV_PACKET))
        return;
    ev.direction = (uint8_t)dir;
    ev.stable = false;
    deliver_here(e, flow, WEIR_EV_PACKET, &ev);
}

static void
take_flow_packet(struct engine *e, struct arrival *a)
{
    struct weir_flow *flow = shard_find_guessed(&e->shards[a->ref.shard], &a->ref, &a->pkt,
                                                a->guess);
    enum weir_dir dir;

    e->stats.lookups++;
    if (WEIR_UNLIKELY(flow == NULL || e->inl != NULL || a->pkt.bad_checksum ||
                      a->pkt.tcp_flags & WEIR_TH_SYN)) {
        take_odd_packet(e, a, flow);
        return;
    }
    dir = direction(flow, &a->ref);
    count_packet(e, flow, dir, &a->pkt);
    raise_packet(e, flow, dir);
    track(e, flow, dir, &a->pkt);
}

static void
raise_bad_packet(struct engine *e, const struct arrival *a)
{
    struct weir_event ev = { .type = WEIR_EV_BAD_PACKET };

    if (!engine_raises(e, NULL, WEIR_EV_BAD_PACKET))
        return;
    ev.bad_packet.layer = (uint8_t)a->fault.layer;
    ev.bad_packet.why = (uint8_t)a->fault.why;
    engine_deliver(e, NULL, &ev);
}

/* ---- arrivals ------------------------------------------------------------------------------ */

static void
count(struct engine *e, const struct arrival *a)
{
    e->stats.packets++;
    if (WEIR_UNLIKELY(a->fragments > 0)) {
        e->stats.fragments += a->fragments;
        e->stats.datagrams += a->datagrams;
    }
    e->stats.bytes += a->bytes;
}

static void
take_packet(struct engine *e, struct arrival *a)
{
    e->shard = a->ref.shard;
    e->syns = a->syns;
    count(e, a);
    take_flow_packet(e, a);
}

static void
take_no_flow(struct engine *e, struct arrival *a)
{
    count(e, a);
    e->stats.no_flow++;
    if (e->no_flow_packets)
        engine_show_no_flow(e);
    if (a->result == DECODE_BAD)
        raise_bad_packet(e, a);
}

/* An ICMP error is told to the flow of the packet that it quotes. */
static void
take_quote(struct engine *e, struct arrival *a)
{
    struct weir_event ev = { .type = WEIR_EV_ICMP_ERROR };
    struct weir_packet quoted;
    struct weir_flow *flow;

    if (!quote_read(&a->pkt, &quoted))
        return;
    e->shard = a->ref.shard;
    e->stats.lookups++;
    flow = shard_find(&e->shards[a->ref.shard], &a->ref, &quoted);
    if (flow == NULL || !engine_raises(e, flow, WEIR_EV_ICMP_ERROR))
        return;
    ev.direction = (uint8_t)direction(flow, &a->ref);
    ev.icmp_error.type = a->pkt.icmp_type;
    ev.icmp_error.code = a->pkt.icmp_code;
    engine_deliver(e, flow, &ev);
}

/* What the reader has to tell. */
static void
take_told(struct engine *e, struct arrival *a)
{
    const struct told *told = &a->told;
    struct weir_event ev = { .type = told->type };

    if (told->type == WEIR_EV_BAD_CHECKSUM)
        e->stats.bad_checksums++;
    for (uint32_t i = 0; i < told->times; i++)
        engine_overload(e, NULL, WEIR_TOSERVER, WEIR_OVERLOAD_FRAGMENTS);
    if (told->type == WEIR_EV_OVERLOAD || !engine_raises(e, NULL, told->type))
        return;
    if (told->type == WEIR_EV_BAD_CHECKSUM) {
        ev.bad_checksum.layer = told->layer;
    } else if (told->type == WEIR_EV_FRAG_BAD) {
        ev.frag_bad.why = told->why;
        ev.frag_bad.discarded = told->discarded;
    } else if (told->type == WEIR_EV_FRAG_OVERLAP) {
        ev.frag_overlap.conflict = told->conflict;
        ev.frag_overlap.discarded = told->discarded;
    }
    engine_deliver(e, NULL, &ev);
}

/* A datagram of which a part never came, in its turn among the flows that are due. */
static void
take_expired(struct engine *e, struct arrival *a)
{
    const uint64_t next = a->told.before, tick = a->told.tick;

    e->clock = a->clock;
    engine_run_due(e, next, tick, a->told.id);
    e->tick = tick > e->tick ? tick : e->tick;
    e->now = tick * TICK_NS;
    engine_reach(e, next, tick, a->told.id, 0);
    e->packet = &a->pkt;
    if (core_of_shard(0, e->n_cores) == e->index)
        take_told(e, a);
}

static void
settle(struct engine *e, uint64_t number)
{
    engine_reach(e, number, PHASE_SETTLE, 0, 0);
    if (e->opts.live || engine_settle(e))
        engine_run_core(e);
}

static inline void
begin(struct engine *e, const struct arrival *a)
{
    const bool quotes = a->kind == ARRIVES_QUOTE;

    e->clock = a->clock;
    e->now = a->pkt.time;
    e->packet = &a->pkt;
    /* Behind those of earlier packets on all cores, and of what quotes, behind the packet's. */
    e->core->timers_from = a->pkt.number << 20 | (uint64_t)quotes << 19;
    engine_reach(e, a->pkt.number, quotes ? PHASE_QUOTED : PHASE_PACKET, 0, 0);
    if (e->inl != NULL)
        inline_begin(e, a);
}

/* All but the packets of flows. */
static __attribute__((noinline)) void
take_other(struct engine *e, struct arrival *a)
{
    e->shard = 0;
    switch ((enum arrival_kind)a->kind) {
    case ARRIVES_TICK:
        e->clock = a->clock;
        engine_run_timers(e, a->pkt.number, a->clock);
        return;
    case ARRIVES_SETTLE:
        settle(e, a->pkt.number);
        return;
    case ARRIVES_END:
        e->clock = a->clock;
        engine_end(e);
        return;
    case ARRIVES_EXPIRED:
        take_expired(e, a);
        break;
    case ARRIVES_PACKET:
        break;
    case ARRIVES_NO_FLOW:
        begin(e, a);
        take_no_flow(e, a);
        break;
    case ARRIVES_EVENT:
        begin(e, a);
        take_told(e, a);
        break;
    case ARRIVES_QUOTE:
        begin(e, a);
        take_quote(e, a);
        break;
    }
    engine_call_done(e);
    engine_run_core(e);
    if (e->inl != NULL && a->kind == ARRIVES_NO_FLOW)
        inline_settle(e);
    e->packet = NULL;
}

static void
take(struct engine *e, struct arrival *a)
{
    if (WEIR_LIKELY(a->kind == ARRIVES_PACKET)) {
        begin(e, a);
        take_packet(e, a);
        engine_call_done(e);
        engine_run_core(e);
        if (e->inl != NULL)
            inline_settle(e);
        e->packet = NULL;
    } else {
        take_other(e, a);
    }
}

/* ---- batches: what the cache lacks is asked for ahead of its turn -------------------------- */

/*
 * Always inline, all of them: GCC takes a function that only prefetches for one without effect, and
 * drops it.
 */

/* Where the flow is found. */
static inline __attribute__((always_inline)) void
prefetch_bucket(struct engine *e, const struct arrival *a)
{
    if (a->kind == ARRIVES_PACKET)
        shard_prefetch(&e->tables[a->ref.shard], &a->ref);
}

/* The flow, when its bucket is there. */
static inline __attribute__((always_inline)) void
prefetch_flow(struct engine *e, struct arrival *a)
{
    if (a->kind != ARRIVES_PACKET)
        return;
    a->guess = shard_guess(&e->tables[a->ref.shard], e->layout.base, &a->ref);
    if (a->guess == NULL)
        return;
    __builtin_prefetch(flow_apps(a->guess), 1);
    __builtin_prefetch(a->guess, 1);
    __builtin_prefetch((const char *)a->guess + 64, 1);
}

/* What the flow leads to, when it is there. */
static inline __attribute__((always_inline)) void
prefetch_rest(struct engine *e, const struct arrival *a)
{
    if (a->guess == NULL)
        return;
    if (a->pkt.payload_len > 0) {
        const uintptr_t end = flow_kept_end(a->guess, direction(a->guess, &a->ref));

        __builtin_prefetch((const void *)end, 1);
        __builtin_prefetch((const void *)(end + a->pkt.payload_len), 1); /* else it is waited for */
    }
    if (a->pkt.tcp_flags & (WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST)) {
        __builtin_prefetch(flow_block(a->guess));
        __builtin_prefetch(shard_cold(&e->layout, a->guess), 1);
    }
}

void
engine_foresee(struct engine *e, const struct batch *batch, struct arrival *last)
{
    prefetch_bucket(e, last);
    if (batch->n > FAR_AHEAD)
        prefetch_flow(e, last - FAR_AHEAD);
    if (batch->n > FAR_AHEAD + AHEAD)
        prefetch_rest(e, last - FAR_AHEAD - AHEAD);
}

/* What is summed up, where another core has read it: only its own cache has had it since. */
static inline __attribute__((always_inline)) void
prefetch_data(const struct arrival *a)
{
    const uint32_t n = a->pkt.payload_len < FETCHED ? a->pkt.payload_len : FETCHED;

    if (a->kind != ARRIVES_PACKET)
        return;
    for (uint32_t at = 0; at < n; at += CACHE_LINE)
        __builtin_prefetch(a->pkt.payload + at);
}

static void
verify(struct engine *e, struct arrival *a)
{
    if (a->kind != ARRIVES_PACKET)
        return;
    /* What a card looks at is all that there is to look at, where no tunnel or tag is. */
    a->pkt.bad_checksum = !(a->verified && a->plain) && !checksums_right(&a->pkt, &a->bad_layer);
    if (!a->pkt.whole) /* it is not as it was sent */
        note_sender(e, &a->pkt);
}

static void
verify_all(struct engine *e, struct arrival *const *mine, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (e->n_cores > 1 && i + DATA_AHEAD < n)
            prefetch_data(mine[i + DATA_AHEAD]);
        verify(e, mine[i]);
    }
}

/*
 * Take arrivals; of the first so many the flows were asked for before, and of those AHEAD of them
 * what they lead to.
 */
static void
take_all(struct engine *e, struct arrival *const *mine, unsigned n, unsigned foreseen)
{
    const unsigned rest = foreseen > AHEAD ? foreseen - AHEAD : 0;

    while (foreseen < n && foreseen < FAR_AHEAD)
        prefetch_flow(e, mine[foreseen++]);
    if (!e->opts.no_checksums)
        verify_all(e, mine, n);
    for (unsigned i = rest; i < n && i < AHEAD; i++)
        prefetch_rest(e, mine[i]);
    for (unsigned i = 0; i < n; i++) {
        if (foreseen < n)
            prefetch_flow(e, mine[foreseen++]);
        if (i + AHEAD < n)
            prefetch_rest(e, mine[i + AHEAD]);
        take(e, mine[i]);
    }
}

/* The next arrivals of this core, from *i on; returns how many. */
static unsigned
next_of_mine(struct engine *e, const struct batch *batch, unsigned *i,
             struct arrival *mine[AT_ONCE])
{
    unsigned n = 0;

    for (; *i < batch->n && n < AT_ONCE; ++*i) {
        if (batch->core[*i] != e->index && batch->core[*i] != ALL_CORES)
            continue;
        mine[n] = &batch->at[*i];
        prefetch_bucket(e, mine[n++]);
    }
    return n;
}

void
engine_take(struct engine *e, struct batch *batch)
{
    struct weir_core *before = weir_core_enter(e->core);
    struct arrival *mine[AT_ONCE];
    unsigned at = 0, n;

    if (batch->all != NULL)
        take_all(e, batch->all, batch->n, batch->n > FAR_AHEAD ? batch->n - FAR_AHEAD : 0);
    else
        while ((n = next_of_mine(e, batch, &at, mine)) > 0)
            take_all(e, mine, n, 0);
    if (e->inl != NULL)
        inline_flush(e);
    weir_core_enter(before);
}
