#include <weir/monitor.h>

#include "checksum.h"
#include "core/core.h"
#include "decode.h"
#include "engine.h"
#include "hosts.h"
#include "quote.h"
#include "reasm.h"
#include "track.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DEFAULT_MEMCAP (UINT64_C(4) << 30)
#define LEAST_MEMCAP   (UINT64_C(256) << 20)

enum {
    SETTLE_EVERY = 256, /* packets of a replay, after which handlers that sleep on a log wake */
    MAX_HISTORY = 1 << 20,
    MAX_STAGES = 255, /* a tap counts them in a byte */
    MAX_NESTED = 4,   /* fragments inside what was put together from fragments */
    EVICT_LOOK = 64,  /* flows that are looked at to find one that has been idle for long */
};

/* ---- life ---------------------------------------------------------------------------------- */

static bool
opts_are_valid(const struct weir_monitor_opts *opts)
{
    for (unsigned i = 0; i < WEIR_TIMEOUT_COUNT; i++)
        if (opts->timeout[i] > WEIR_TIMEOUT_MAX)
            return false;
    return (opts->memcap == 0 || opts->memcap >= LEAST_MEMCAP) && opts->retain <= RETAIN_MAX &&
           (unsigned)opts->policy < WEIR_POLICY_COUNT;
}

int
weir_monitor_new(const struct weir_monitor_opts *opts, struct weir_monitor **out)
{
    static const struct weir_monitor_opts defaults;
    struct weir_monitor *m;
    struct engine *e;
    int rc;

    *out = NULL;
    if (opts == NULL)
        opts = &defaults;
    if (!opts_are_valid(opts))
        return WEIR_E_INVAL;
    m = aligned_alloc(alignof(struct weir_monitor), sizeof(*m));
    if (m == NULL)
        return WEIR_E_NOMEM;
    memset(m, 0, sizeof(*m));
    e = &m->e;
    e->opts = *opts;
    if (e->opts.memcap == 0)
        e->opts.memcap = DEFAULT_MEMCAP;
    e->secret = (struct hash_key){ mix64(opts->seed + 1), mix64(~opts->seed) };
    if (e->opts.retain == 0)
        e->opts.retain = KEPT_WINDOW;
    e->window = e->opts.retain;
    rc = hosts_new(opts->hosts, opts->n_hosts, opts->policy, &e->hosts);
    if (rc == WEIR_E_OK)
        rc = weir_core_new(&(struct weir_core_opts){ .seed = opts->seed }, &e->core);
    if (rc != WEIR_E_OK) {
        hosts_free(e->hosts);
        free(m);
        return rc;
    }
    engine_set_timeouts(e, opts->timeout);
    e->opts.hosts = NULL; /* copied; not ours to keep */
    weir_core_set_tap_ops(e->core, &engine_tap_ops, e);
    e->core->polls_when_told = !opts->live;
    *out = m;
    return WEIR_E_OK;
}

int
weir_monitor_add(struct weir_monitor *m, const struct weir_app *app)
{
    struct engine *e = &m->e;

    if (e->started || app->history > MAX_HISTORY || app->spec->n_stages > MAX_STAGES ||
        (app->spec->n_stages == 0 && app->spec->want != 0) ||
        app->spec->want >> (WEIR_EV_COUNT + e->n_defs) != 0)
        return WEIR_E_INVAL;
    if (e->n_apps == MAX_APPS)
        return WEIR_E_LIMIT;
    e->apps[e->n_apps++] = (struct app){ .pub = *app };
    e->want |= app->spec->want;
    e->history |= app->history > 0;
    e->no_flow_packets |= app->no_flow_packets && app->spec->want & WEIR_EV_BIT(WEIR_EV_PACKET);
    if (app->history > e->window)
        e->window = app->history;
    return WEIR_E_OK;
}

/*
 * Address space for all shards, used as needed. Four times the cap: what was freed in small blocks
 * serves no larger one.
 */
static int
reserve(struct engine *e)
{
    size_t size = 4 * (size_t)e->opts.memcap + (size_t)N_SHARDS * 4 * ARENA_UNIT;
    void *range = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (range == MAP_FAILED)
        return WEIR_E_NOMEM;
    madvise(range, size, MADV_HUGEPAGE); /* a fault is dearer than all else for a new flow */
    e->range = range;
    e->range_size = size;
    arena_init(&e->arena, range, size);
    e->layout.base = e->arena.next;
    return WEIR_E_OK;
}

/* The first packet: all apps are known, so the size of a flow is. */
static int
start(struct weir_monitor *m, uint64_t time)
{
    struct engine *e = &m->e;
    size_t stride;
    uint64_t fragments = e->opts.memcap / FRAG_SHARE;

    if (e->started)
        return WEIR_E_OK;
    engine_place_apps(e);
    engine_place_definitions(e);
    stride = e->layout.app_stride;
    if (!shard_layout(&e->layout, (size_t)((e->opts.memcap - fragments) / N_SHARDS), stride))
        return WEIR_E_LIMIT;
    if (e->flowless == NULL)
        e->flowless = calloc(1, stride + 1);
    if (e->flowless == NULL || (e->range == NULL && reserve(e) != WEIR_E_OK))
        return WEIR_E_NOMEM;
    for (unsigned i = 0; i < N_SHARDS; i++) {
        if (!shard_init(&e->shards[i], &e->arena, &e->layout, e, &e->wheels[i]))
            return WEIR_E_NOMEM;
        wheel_init(&e->wheels[i], time / TICK_NS);
        e->next_tick[i] = UINT64_MAX;
    }
    frag_init(&e->frags, &e->arena, (size_t)fragments);
    e->tick = time / TICK_NS;
    engine_start_taps(e, e->flowless);
    e->started = true;
    return WEIR_E_OK;
}

void
weir_monitor_free(struct weir_monitor *m)
{
    if (m == NULL)
        return;
    weir_core_free(m->e.core);
    if (m->e.range != NULL) {
        arena_give_back(&m->e.arena, m->e.range);
        munmap(m->e.range, m->e.range_size);
    }
    free(m->e.flowless);
    hosts_free(m->e.hosts);
    free(m);
}

/* ---- checksums ----------------------------------------------------------------------------- */

static bool
mostly_bad(const struct sender *s)
{
    return s->bad * UINT64_C(5) > (uint64_t)s->good + s->bad;
}

/* A host whose network card computes checksums sends wrong ones, as seen by a capture on it. */
static void
note_sender(struct engine *e, const struct weir_packet *pkt)
{
    uint64_t half[2];
    struct sender *s;
    uint32_t who;

    memcpy(half, pkt->src.b, sizeof(half));
    who = (uint32_t)mix64(half[0] ^ mix64(half[1]));
    s = &e->senders[who % N_SENDERS];
    if (s->who != who) {
        e->offload = e->offload || mostly_bad(s);
        *s = (struct sender){ .who = who };
    }
    if (pkt->bad_checksum)
        s->bad++;
    else
        s->good++;
}

static bool
any_offload(const struct engine *e)
{
    bool any = e->offload;

    for (unsigned i = 0; i < N_SENDERS; i++)
        any = any || mostly_bad(&e->senders[i]);
    return any;
}

/* ---- a packet ------------------------------------------------------------------------------ */

/* What is known of a packet before its turn comes. */
struct arrival {
    struct weir_packet pkt;
    struct flow_ref ref;
    enum decode_result result;
    struct decode_fault fault;
    enum weir_layer bad_layer; /* pkt.bad_checksum: where */
    struct weir_flow *guess;   /* the flow it will most likely find, for the cache */
};

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

    if (flow != NULL)
        return flow;
    engine_overload(e, NULL, WEIR_TOSERVER, WEIR_OVERLOAD_FLOWS);
    for (int i = 0; i < 2 && flow == NULL && evict(e, shard); i++)
        flow = shard_add(shard, &a->ref, &a->pkt, &e->secret);
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
    if (e->n_apps > 0)
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

static void
count_packet(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];

    flow->last = e->clock;
    side->packets++;
    side->bytes = (side->bytes + pkt->wirelen) & SIDE_BYTES_MAX;
    side->tcp_flags |= pkt->tcp_flags;
}

/* Of what was put together from fragments a wrong checksum says that it was put together wrongly. */
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

/* An ICMP error is told to the flow of the packet that it quotes. */
static void
tell_quoted(struct engine *e)
{
    struct weir_event ev = { .type = WEIR_EV_ICMP_ERROR };
    struct weir_packet quoted;
    struct flow_ref ref;
    struct weir_flow *flow;

    if (!quote_read(e->packet, &quoted))
        return;
    flow_ref(&quoted, !e->opts.no_vlan, &e->secret, &ref);
    flow = shard_find(&e->shards[ref.shard], &ref, &quoted);
    if (flow == NULL || !engine_raises(e, flow, WEIR_EV_ICMP_ERROR))
        return;
    ev.direction = (uint8_t)direction(flow, &ref);
    ev.icmp_error.type = e->packet->icmp_type;
    ev.icmp_error.code = e->packet->icmp_code;
    engine_deliver(e, flow, &ev);
}

static void
take_flow_packet(struct engine *e, struct arrival *a)
{
    struct weir_flow *flow = shard_find(&e->shards[a->ref.shard], &a->ref, &a->pkt);
    bool tcp = a->pkt.proto == WEIR_PROTO_TCP, reuse = false, live = false, new;
    unsigned unanswered = 0;
    enum weir_dir dir;

    if (a->pkt.bad_checksum) {
        raise_bad_checksum(e, flow, a);
        if (!is_taken_anyhow(e, a))
            return;
        a->pkt.bad_checksum = false;
    }
    if (flow != NULL && tcp && !e->opts.packets_only &&
        tcp_opens_another(flow, &a->pkt, direction(flow, &a->ref))) {
        live = !(flow->flags & FLOW_CLOSED);
        unanswered = live ? tcp_unanswered_syns(flow) : 0;
        engine_end_flow(e, flow, WEIR_END_REUSE);
        flow = NULL;
        reuse = true;
    }
    new = flow == NULL;
    if (new)
        flow = start_flow(e, a, reuse);
    if (flow == NULL)
        return;
    dir = direction(flow, &a->ref);
    count_packet(e, flow, dir);
    if (new) {
        raise_flow_start(e, flow, dir);
        engine_arm(e, flow);
    }
    engine_raise_plain(e, flow, dir, WEIR_EV_PACKET);
    if (live)
        engine_raise_plain(e, flow, dir, WEIR_EV_TUPLE_REUSE);
    if (e->opts.packets_only)
        return;
    if (unanswered > 0)
        tcp_note_unanswered(e, flow, dir, unanswered);
    if (tcp)
        track_tcp(e, flow, dir);
    else
        track_datagram(e, flow, dir);
    if (a->pkt.proto == WEIR_PROTO_ICMP || a->pkt.proto == WEIR_PROTO_ICMPV6)
        tell_quoted(e);
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

/* The flow of a datagram that was put together is not in the cache yet; it has to do without. */
static void
refer(struct engine *e, struct arrival *a)
{
    flow_ref(&a->pkt, !e->opts.no_vlan, &e->secret, &a->ref);
    if (!e->opts.no_checksums)
        a->pkt.bad_checksum = !checksums_right(&a->pkt, &a->bad_layer);
}

static bool
fragment_is_sound(struct engine *e, struct arrival *a)
{
    a->pkt.bad_checksum = !e->opts.no_checksums && !ip_checksum_right(&a->pkt);
    if (!a->pkt.bad_checksum)
        return true;
    a->bad_layer = WEIR_LAYER_IPV4;
    raise_bad_checksum(e, NULL, a);
    return false;
}

/*
 * A fragment. The packet that completes a datagram is the datagram from then on; inside a tunnel
 * that may be a fragment again, so there is a limit. Returns what the packet's bytes belong to now.
 *
 * Not inline: what all packets take stays short.
 */
static __attribute__((noinline)) struct datagram *
take_fragment(struct engine *e, struct arrival *a)
{
    struct whole whole = { .datagram = NULL }, outer;

    e->stats.fragments++;
    for (unsigned n = 0; a->result == DECODE_FRAGMENT && n < MAX_NESTED; n++) {
        outer = whole;
        whole.datagram = NULL;
        if (fragment_is_sound(e, a) && frag_add(e, &a->pkt, &whole)) {
            e->stats.datagrams++;
            a->result = decode_whole(&whole.frame, whole.ip, &a->pkt, &a->fault);
        }
        frag_free(&e->frags, outer.datagram);
        if (whole.datagram == NULL)
            break;
    }
    if (a->result == DECODE_FRAGMENT && whole.datagram != NULL) {
        a->result = DECODE_BAD;
        a->fault = (struct decode_fault){ WEIR_LAYER_LINK, WEIR_BAD_LAYERS };
    }
    if (a->result == DECODE_FLOW)
        refer(e, a);
    return whole.datagram;
}

static void
take(struct engine *e, struct arrival *a)
{
    struct datagram *datagram = NULL;

    if (a->pkt.time > e->clock)
        e->clock = a->pkt.time;
    if (e->clock >= e->next_run)
        engine_run_timers(e);
    if (a->pkt.number % SETTLE_EVERY == 0)
        (void)engine_settle(e);
    e->now = a->pkt.time;
    e->packet = &a->pkt;
    e->stats.packets++;
    e->stats.bytes += a->pkt.wirelen;
    if (a->result == DECODE_FRAGMENT)
        datagram = take_fragment(e, a);
    if (a->result == DECODE_FLOW) {
        take_flow_packet(e, a);
    } else {
        e->stats.no_flow++;
        if (e->no_flow_packets)
            engine_show_no_flow(e);
        if (a->result == DECODE_BAD)
            raise_bad_packet(e, a);
    }
    weir_core_run(e->core, UINT32_MAX);
    e->packet = NULL;
    if (datagram != NULL)
        frag_free(&e->frags, datagram);
}

/* ---- batches: what the cache lacks is asked for ahead of its turn ---------------------------- */

static void
look_ahead(struct engine *e, const struct weir_frame *frame, struct arrival *a)
{
    a->guess = NULL;
    a->result = decode(frame, &a->pkt, &a->fault);
    a->pkt.number = ++e->number;
    if (a->result != DECODE_FLOW)
        return;
    flow_ref(&a->pkt, !e->opts.no_vlan, &e->secret, &a->ref);
    shard_prefetch(&e->shards[a->ref.shard], &a->ref);
    if (!e->opts.no_checksums) {
        a->pkt.bad_checksum = !checksums_right(&a->pkt, &a->bad_layer);
        note_sender(e, &a->pkt);
    }
}

static void
prefetch_flow(struct engine *e, struct arrival *a)
{
    if (a->result != DECODE_FLOW)
        return;
    a->guess = shard_guess(&e->shards[a->ref.shard], &a->ref);
    if (a->guess == NULL)
        return;
    __builtin_prefetch(flow_block(a->guess));
    __builtin_prefetch(a->guess, 1);
    __builtin_prefetch((const char *)a->guess + 64, 1);
}

/* Always inline: GCC takes a function that only prefetches for one without effect, and drops it. */
static inline __attribute__((always_inline)) void
prefetch_rest(const struct arrival *a)
{
    if (a->guess == NULL)
        return;
    if (a->pkt.payload_len > 0)
        __builtin_prefetch(a->guess->kept[direction(a->guess, &a->ref)], 1);
    if (a->pkt.tcp_flags & (WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST))
        __builtin_prefetch(flow_cold(a->guess), 1);
}

int
weir_monitor_feed(struct weir_monitor *m, const struct weir_frame *frames, unsigned n)
{
    struct engine *e = &m->e;
    struct arrival batch[BATCH];
    struct weir_core *before;
    int rc = n > 0 ? start(m, frames[0].time) : WEIR_E_OK;

    if (rc != WEIR_E_OK)
        return rc;
    before = weir_core_enter(e->core);
    if (n == 0)
        weir_core_run(e->core, UINT32_MAX);
    while (n > 0) {
        unsigned size = n < BATCH ? n : BATCH;

        for (unsigned i = 0; i < size; i++)
            look_ahead(e, &frames[i], &batch[i]);
        for (unsigned i = 0; i < size; i++)
            prefetch_flow(e, &batch[i]);
        for (unsigned i = 0; i < size; i++)
            prefetch_rest(&batch[i]);
        for (unsigned i = 0; i < size; i++)
            take(e, &batch[i]);
        frames += size;
        n -= size;
    }
    weir_core_enter(before);
    return WEIR_E_OK;
}

int
weir_monitor_run(struct weir_monitor *m, struct weir_port *port, struct weir_errbuf *err)
{
    struct weir_frame frames[BATCH];
    int n, rc;

    do {
        n = weir_port_read(port, frames, BATCH, err);
        rc = n < 0 ? n : weir_monitor_feed(m, frames, (unsigned)n);
    } while (rc == WEIR_E_OK && !m->e.stop && (n > 0 || m->e.opts.live));
    return rc;
}

void
weir_monitor_stop(struct weir_monitor *m)
{
    m->e.stop = 1;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Let all handlers run that can, those that sleep on a log among them. */
static void
run_all(struct engine *e)
{
    do
        while (weir_core_run(e->core, UINT32_MAX) > 0)
            continue;
    while (engine_settle(e));
}

/*
 * Let what sleeps on logs wake when they are written, and what sleeps on the core's timers as if
 * time went on, for a day; what sleeps on, and what only ever waits for its next turn, is cancelled.
 */
static void
drain_core(struct engine *e)
{
    const uint64_t day = UINT64_C(86400) * 1000000000;
    uint64_t next;

    do {
        run_all(e);
        next = weir_core_next_timer(e->core);
        if (next <= e->clock + day)
            weir_core_advance(e->core, next);
    } while (next <= e->clock + day);
    engine_cancel_sleepers(e);
    run_all(e);
}

void
weir_monitor_end(struct weir_monitor *m)
{
    struct engine *e = &m->e;
    struct weir_core *before;

    if (!e->started)
        return;
    before = weir_core_enter(e->core);
    e->packet = NULL;
    e->now = e->clock;
    frag_clear(&e->frags);
    engine_end_all(e);
    if (!e->flowless_ended)
        e->flowless_asleep = engine_finish_taps(e, e->flowless);
    e->flowless_ended = true;
    drain_core(e);
    weir_core_enter(before);
}

void
weir_monitor_get_stats(const struct weir_monitor *m, struct weir_monitor_stats *out)
{
    *out = m->e.stats;
    out->offload = any_offload(&m->e);
    out->memory = m->e.frags.mem.used;
    for (unsigned i = 0; i < N_SHARDS; i++)
        out->memory += m->e.shards[i].mem.used;
}
