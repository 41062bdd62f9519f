#include "engine.h"

#include "core/core.h"
#include "deliver.h"
#include "reasm.h"
#include "track.h"

#include <string.h>

/* ---- taps ---------------------------------------------------------------------------------- */

void
engine_place_apps(struct engine *e)
{
    size_t at = (e->n_apps * sizeof(struct weir_tap) + 15) / 16 * 16;

    for (unsigned i = 0; i < e->n_apps; i++) {
        e->apps[i].tap = i * sizeof(struct weir_tap);
        e->apps[i].state = at;
        at += (e->apps[i].pub.flow_size + 15) / 16 * 16;
    }
    if (e->inl != NULL)
        at += inline_place(e, at);
    e->layout.app_stride = at;
}

void
engine_start_taps(struct engine *e, uint8_t *part)
{
    for (unsigned i = 0; i < e->n_apps; i++) {
        const struct app *app = &e->apps[i];

        memset(part + app->state, 0, app->pub.flow_size);
        weir_tap_init(app_tap(part, app), app->pub.spec);
    }
    if (e->inl != NULL)
        inline_start_flow(e->inl, part);
    engine_start_definitions(e, part);
}

unsigned
engine_finish_taps(struct engine *e, uint8_t *part)
{
    unsigned asleep = 0;

    for (unsigned i = 0; i < e->n_apps; i++) {
        const struct app *app = &e->apps[i];

        if (!weir_tap_finish(app_tap(part, app), app_state(part, app)))
            asleep++;
    }
    return asleep;
}

uint8_t *
engine_flowless(struct engine *e)
{
    uint8_t *part = e->flowless + e->shard * e->layout.app_stride;

    if (!e->flowless_used[e->shard]) {
        e->flowless_used[e->shard] = true;
        engine_start_taps(e, part);
    }
    return part;
}

/* Push an event to every tap that wants it; full() is told of each that cannot take it. */
static inline void
push_all(struct engine *e, struct weir_flow *flow, struct weir_event *ev, take_full *full)
{
    uint8_t *part = flow != NULL ? flow_apps(flow) : engine_flowless(e);

    complete(e, flow, ev);
    push_to_all(e, part, ev->type, ev, full);
}

/* Push an event and what is defined on it. */
static inline void
push_with_defined(struct engine *e, struct weir_flow *flow, struct weir_event *ev,
                  engine_push *push)
{
    push(e, flow, ev);
    if (e->bases >> ev->type & 1)
        engine_raise_defined(e, flow, ev, push);
}

static void
count_dropped(struct engine *e, struct weir_tap *tap, void *state, struct weir_event *ev)
{
    (void)state;
    e->stats.tap_dropped++;
    if (e->inl != NULL)
        inline_unseen(e, tap, ev);
}

static void
push_or_drop(struct engine *e, struct weir_flow *flow, struct weir_event *ev)
{
    ev->base = engine_root(e, ev->type);
    push_all(e, flow, ev, count_dropped);
}

/* How often a limit was hit, where it was: in this shard. */
static int64_t
count_overload(struct engine *e, const struct weir_flow *flow, enum weir_overload what)
{
    const size_t shard = flow != NULL ? (size_t)(flow_shard(flow) - e->shards) : e->shard;

    e->stats.overload[what]++;
    return (int64_t)++e->overload[shard][what];
}

bool
engine_settle(struct engine *e)
{
    static const uint64_t second = 1000000000;
    bool over = false;

    if (core_sleeps_outside(e->core) == 0)
        return false;
    do
        over = core_wait_outside(e->core, second);
    while (!over && !e->opts.live && !*e->stop);
    return over;
}

/*
 * A tap takes no more events while its stage sleeps. A replay waits as long as handlers can run;
 * live, or when nothing here can wake the stage, the event is dropped, and the other taps are told.
 */
void
engine_push_again(struct engine *e, struct weir_tap *tap, void *state, struct weir_event *ev)
{
    struct weir_event overload = { .type = WEIR_EV_OVERLOAD, .direction = ev->direction };

    while (!e->opts.live && (weir_core_run(e->core, 256) > 0 || engine_settle(e)))
        if (weir_tap_push(tap, state, ev->type, ev) != WEIR_TAP_FULL)
            return;
    count_dropped(e, tap, state, ev);
    overload.overload.what = WEIR_OVERLOAD_TAP_QUEUE;
    overload.overload.count = count_overload(e, ev->flow, WEIR_OVERLOAD_TAP_QUEUE);
    if (engine_raises(e, ev->flow, WEIR_EV_OVERLOAD))
        push_with_defined(e, ev->flow, &overload, push_or_drop);
}

static void
push_or_wait(struct engine *e, struct weir_flow *flow, struct weir_event *ev)
{
    ev->base = engine_root(e, ev->type);
    push_all(e, flow, ev, engine_push_again);
}

void
engine_deliver_with_defined(struct engine *e, struct weir_flow *flow, struct weir_event *ev)
{
    push_with_defined(e, flow, ev, push_or_wait);
}

void
engine_deliver(struct engine *e, struct weir_flow *flow, struct weir_event *ev)
{
    if (WEIR_UNLIKELY(e->bases >> ev->type & 1)) {
        engine_deliver_with_defined(e, flow, ev);
        return;
    }
    ev->base = ev->type;
    push_all(e, flow, ev, engine_push_again);
}

void
engine_show_no_flow(struct engine *e)
{
    struct weir_event ev = { .type = WEIR_EV_PACKET, .base = WEIR_EV_PACKET };
    uint8_t *part = engine_flowless(e);

    complete(e, NULL, &ev);
    for (unsigned i = 0; i < e->n_apps; i++)
        if (e->apps[i].pub.no_flow_packets)
            push_to(e, &e->apps[i], part, WEIR_EV_PACKET, &ev, engine_push_again);
}

void
engine_raise_plain(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                   enum weir_event_type type)
{
    struct weir_event ev;

    if (!engine_raises(e, flow, type))
        return;
    ev.type = (uint8_t)type;
    ev.direction = (uint8_t)dir;
    ev.stable = false;
    engine_deliver(e, flow, &ev);
}

void
engine_overload(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                enum weir_overload what)
{
    struct weir_event ev = { .type = WEIR_EV_OVERLOAD, .direction = (uint8_t)dir };

    ev.overload.what = (uint8_t)what;
    ev.overload.count = count_overload(e, flow, what);
    if (!engine_raises(e, flow, WEIR_EV_OVERLOAD))
        return;
    engine_deliver(e, flow, &ev);
}

/* ---- events that wait ---------------------------------------------------------------------- */

/* A copy of an event, in the memory of its flow's shard. What it shows follows, if not stable. */
struct held {
    struct weir_held head;
    struct weir_event ev; /* where weir_held_event() says */
    struct weir_packet packet;
    struct mem *mem;
    size_t size;
    uint8_t bytes[];
};
static_assert(offsetof(struct held, ev) == sizeof(struct weir_held), "taps look for it there");

/* The fields of an event that show bytes: two at most. */
static unsigned
shown(struct weir_event *ev, struct weir_bytes *out[2])
{
    unsigned n = 0;

    for (const struct weir_field *f = weir_event_fields(ev->base); f->name != NULL; f++)
        if (f->kind == WEIR_FIELD_BYTES)
            out[n++] = (struct weir_bytes *)(void *)((uint8_t *)ev + f->at);
    return n;
}

static const uint8_t *
moved(const uint8_t *p, const struct weir_packet *from, const uint8_t *frame)
{
    return p != NULL ? frame + (p - from->frame) : NULL;
}

/* The packet, with pointers into a copy of its frame at room; stable ones keep theirs. */
static void
hold_packet(const struct weir_packet *from, uint8_t *room, struct weir_packet *to)
{
    *to = *from;
    if (from->stable)
        return;
    memcpy(room, from->frame, from->caplen);
    to->frame = room;
    to->ip = moved(from->ip, from, room);
    to->l4 = moved(from->l4, from, room);
    to->payload = moved(from->payload, from, room);
    to->tcp_options = moved(from->tcp_options, from, room);
}

static struct weir_held *
hold(void *arg, const void *event)
{
    struct engine *e = arg;
    struct weir_event ev = *(const struct weir_event *)event;
    struct mem *mem = ev.flow != NULL ? &flow_shard(ev.flow)->mem : &e->shards[e->shard].mem;
    struct weir_bytes *show[2];
    unsigned n = ev.stable ? 0 : shown(&ev, show);
    size_t frame = ev.packet != NULL && !ev.packet->stable ? ev.packet->caplen : 0, at = frame;
    size_t size = sizeof(struct held) + frame;
    struct held *held;

    for (unsigned i = 0; i < n; i++)
        size += show[i]->n;
    held = size > (size_t)1 << MEM_MAX_SHIFT ? NULL : mem_alloc(mem, size);
    if (held == NULL)
        return NULL;
    held->mem = mem;
    held->size = size;
    if (ev.packet != NULL) {
        hold_packet(ev.packet, held->bytes, &held->packet);
        ev.packet = &held->packet;
    }
    for (unsigned i = 0; i < n; i++) {
        memcpy(held->bytes + at, show[i]->p, show[i]->n);
        show[i]->p = held->bytes + at;
        at += show[i]->n;
    }
    held->ev = ev;
    return &held->head;
}

static void
release(void *arg, struct weir_held *head)
{
    struct held *held = (struct held *)head;

    (void)arg;
    mem_free(held->mem, held, held->size);
}

struct weir_flow *
engine_flow_of(const struct engine *e, const struct weir_tap *tap, unsigned *app)
{
    const uint8_t *at = (const uint8_t *)tap;
    const struct block *block;
    const uint32_t stride = e->layout.stride;
    uint8_t *flow;

    if (at < e->range || at >= e->range + e->range_size)
        return NULL;
    block = (const struct block *)((uintptr_t)at & ~(uintptr_t)(BLOCK_SIZE - 1));
    flow = (uint8_t *)(uintptr_t)block + BLOCK_HEADER;
    flow += (size_t)(at - flow) / stride * stride;
    *app = (unsigned)((size_t)(at - flow) - sizeof(struct weir_flow)) / sizeof(*tap);
    return (struct weir_flow *)(void *)flow;
}

/* The last tap of a flow that ended has woken and is done: the flow may go. */
static void
ended(void *arg, struct weir_tap *tap)
{
    struct engine *e = arg;
    unsigned app;
    struct weir_flow *flow = engine_flow_of(e, tap, &app);

    if (flow != NULL && --flow_cold(flow)->asleep == 0)
        shard_release(flow_shard(flow), flow);
}

const struct weir_tap_ops engine_tap_ops = { hold, release, ended };

/* ---- deadlines ----------------------------------------------------------------------------- */

const uint32_t engine_timeouts[WEIR_TIMEOUT_COUNT] = {
    [WEIR_TIMEOUT_TCP_NEW] = 60,           [WEIR_TIMEOUT_TCP_ESTABLISHED] = 600,
    [WEIR_TIMEOUT_TCP_CLOSED] = 60,        [WEIR_TIMEOUT_UDP_NEW] = 30,
    [WEIR_TIMEOUT_UDP_ESTABLISHED] = 300,  [WEIR_TIMEOUT_ICMP_NEW] = 30,
    [WEIR_TIMEOUT_ICMP_ESTABLISHED] = 300, [WEIR_TIMEOUT_OTHER] = 60,
};

void
engine_set_timeouts(struct engine *e, const uint32_t seconds[WEIR_TIMEOUT_COUNT])
{
    for (unsigned i = 0; i < WEIR_TIMEOUT_COUNT; i++)
        e->timeout[i] = (seconds[i] != 0 ? seconds[i] : engine_timeouts[i]) * UINT64_C(1000000000);
}

static enum weir_timeout
timeout_of(const struct weir_flow *flow)
{
    bool established = flow->flags & FLOW_ESTABLISHED;

    switch (key_proto(&flow->key)) {
    case WEIR_PROTO_TCP:
        if (flow->flags & FLOW_CLOSED)
            return WEIR_TIMEOUT_TCP_CLOSED;
        return established ? WEIR_TIMEOUT_TCP_ESTABLISHED : WEIR_TIMEOUT_TCP_NEW;
    case WEIR_PROTO_UDP:
        return established ? WEIR_TIMEOUT_UDP_ESTABLISHED : WEIR_TIMEOUT_UDP_NEW;
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        return established ? WEIR_TIMEOUT_ICMP_ESTABLISHED : WEIR_TIMEOUT_ICMP_NEW;
    default:
        return WEIR_TIMEOUT_OTHER;
    }
}

static uint64_t
end_tick(const struct engine *e, const struct weir_flow *flow)
{
    return (flow->last + e->timeout[timeout_of(flow)] + TICK_NS - 1) / TICK_NS;
}

static uint64_t
forget_tick(const struct weir_flow *flow)
{
    return (flow->last + TICK_NS - 1) / TICK_NS + KEPT_IDLE_TICKS;
}

/*
 * The first tick at which something is due for the flow, or has to be looked at: what will be kept
 * for comparison files no timer of its own.
 */
static uint64_t
next_tick(const struct engine *e, struct weir_flow *flow)
{
    uint64_t first = end_tick(e, flow), tick;
    bool idle = forget_tick(flow) <= e->tick;

    for (int dir = 0; dir < 2; dir++)
        if (reasm_deadline(e, flow, dir, &tick) && tick < first)
            first = tick;
    if ((!idle || reasm_may_forget(e, flow)) && forget_tick(flow) < first)
        first = forget_tick(flow);
    return first;
}

/* File a timer, for the next tick if its own has passed, and note when to look at its shard. */
static void
file_timer(struct engine *e, struct shard *shard, struct wheel_node *timer, uint64_t tick)
{
    wheel_add(shard->wheel, timer, tick > e->tick ? tick : e->tick + 1);
    wheel_next(shard->wheel, &e->next_tick[shard - e->shards]);
}

void
engine_arm(struct engine *e, struct weir_flow *flow)
{
    struct wheel_node *timer = &flow_cold(flow)->timer;

    if (flow->flags & FLOW_ENDED)
        return;
    wheel_remove(timer);
    file_timer(e, flow_shard(flow), timer, next_tick(e, flow));
}

void
engine_established(struct engine *e, struct weir_flow *flow)
{
    uint64_t before = e->timeout[timeout_of(flow)];

    flow->flags |= FLOW_ESTABLISHED;
    if (e->timeout[timeout_of(flow)] < before)
        engine_arm(e, flow);
}

/* Do what is due for the flow at this tick, in the order of DESIGN: holes, then its end. */
static void
flow_due(struct engine *e, struct weir_flow *flow, uint64_t tick)
{
    if (flow->flags & FLOW_RARE)
        tcp_expire(e, flow, tick);
    if (reasm_may_forget(e, flow) && forget_tick(flow) <= tick)
        reasm_forget(e, flow);
    if (end_tick(e, flow) <= tick)
        engine_end_flow(e, flow, WEIR_END_TIMEOUT);
    else
        engine_arm(e, flow);
}

static_assert(offsetof(struct flow_cold, timer) == 0, "a timer is found where its cold part is");

static uint64_t
id_of(const struct wheel_node *timer)
{
    return ((const struct flow_cold *)(const void *)timer)->id;
}

static struct wheel_node *
merge(struct wheel_node *a, struct wheel_node *b)
{
    struct wheel_node *first = NULL, **last = &first;

    while (a != NULL && b != NULL) {
        struct wheel_node **least = id_of(a) < id_of(b) ? &a : &b;

        *last = *least;
        last = &(*least)->next;
        *least = *last;
    }
    *last = a != NULL ? a : b;
    return first;
}

/* Sort timers that are on no wheel by the ids of their flows; list i holds 2^i of them or none. */
static struct wheel_node *
sort_by_id(struct wheel_node *timers)
{
    struct wheel_node *lists[64] = { NULL }, *all = NULL;

    while (timers != NULL) {
        struct wheel_node *carry = timers;
        unsigned i = 0;

        timers = timers->next;
        carry->next = NULL;
        while (lists[i] != NULL) {
            carry = merge(lists[i], carry);
            lists[i++] = NULL;
        }
        lists[i] = carry;
    }
    for (unsigned i = 0; i < 64; i++)
        all = merge(all, lists[i]);
    return all;
}

static struct weir_flow *
pop_due(struct engine *e)
{
    struct wheel_node *timer = e->due;

    e->due = timer->next;
    timer->next = NULL;
    return flow_of_timer(timer);
}

static void
push_due(struct engine *e, struct wheel_node *timer)
{
    timer->next = e->due;
    e->due = timer;
}

/* A timer came round: kept for its turn if the flow is due, else filed again. */
static void
collect(void *ctx, struct wheel_node *timer)
{
    struct engine *e = ctx;
    struct weir_flow *flow = flow_of_timer(timer);
    struct shard *shard = flow_shard(flow);
    uint64_t tick = next_tick(e, flow);

    if (tick > shard->wheel->now)
        wheel_add(shard->wheel, timer, tick);
    else
        push_due(e, timer);
}

/* All that is due at one tick, over all shards, in the order of the flows' ids. */
static void
collect_tick(struct engine *e, uint64_t tick)
{
    for (unsigned i = 0; i < N_SHARDS; i++) {
        if (e->next_tick[i] > tick)
            continue;
        wheel_turn(&e->wheels[i], tick, collect, e);
        wheel_next(&e->wheels[i], &e->next_tick[i]);
    }
    e->tick = e->due_tick = tick;
    e->due = sort_by_id(e->due);
}

static uint64_t
first_tick(const struct engine *e)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < N_SHARDS; i++)
        if (e->next_tick[i] < first)
            first = e->next_tick[i];
    return first;
}

void
engine_run_due(struct engine *e, uint64_t number, uint64_t tick, uint64_t id)
{
    e->packet = NULL;
    for (;;) {
        while (e->due != NULL && (e->due_tick < tick || id_of(e->due) < id)) {
            struct weir_flow *flow = pop_due(e);

            e->now = e->due_tick * TICK_NS;
            engine_reach(e, number, e->due_tick, weir_flow_id(flow), 0);
            flow_due(e, flow, e->due_tick);
            engine_call_done(e);
        }
        if (e->due != NULL || first_tick(e) > tick)
            break;
        collect_tick(e, first_tick(e));
    }
}

void
engine_run_core(struct engine *e)
{
    if (WEIR_UNLIKELY(core_may_run(e->core)))
        weir_core_run(e->core, UINT32_MAX);
}

/* One after the other, so that their order is that of all cores' timers. */
static void
fire_timers(struct engine *e, uint64_t number, uint64_t now)
{
    uint64_t deadline, made;

    core_set_time(e->core, now);
    while (core_fire_first(e->core, &deadline, &made)) {
        engine_reach(e, number, PHASE_TIMERS, deadline, made);
        engine_run_core(e);
    }
}

void
engine_run_timers(struct engine *e, uint64_t number, uint64_t clock)
{
    const uint64_t until = clock / TICK_NS;

    engine_run_due(e, number, until, UINT64_MAX);
    e->tick = until;
    e->now = until * TICK_NS;
    /*
     * What is done elsewhere takes no packet time, so no timer may come before it; at each tick,
     * for when a timer comes depends on which flows are this core's.
     */
    if (!e->opts.live && core_sleeps_outside(e->core) > 0) {
        engine_reach(e, number, PHASE_WOKEN, 0, 0);
        (void)engine_settle(e);
        engine_run_core(e);
    }
    fire_timers(e, number, e->now);
}

/* ---- the end of flows ---------------------------------------------------------------------- */

/* A connection that was closed ended by that, however long it was remembered. */
static enum weir_end_reason
end_reason(const struct weir_flow *flow, enum weir_end_reason reason)
{
    if (!(flow->flags & FLOW_CLOSED))
        return reason;
    return flow->flags & FLOW_RESET ? WEIR_END_RST : WEIR_END_FIN;
}

static void
raise_flow_end(struct engine *e, struct weir_flow *flow, enum weir_end_reason reason)
{
    const struct rare *rare = flow_rare(flow);
    const struct side *side = flow->side;
    struct weir_event ev = { .type = WEIR_EV_FLOW_END, .direction = WEIR_TOSERVER };

    if (!engine_raises(e, flow, WEIR_EV_FLOW_END))
        return;
    ev.flow_end.reason = (uint8_t)end_reason(flow, reason);
    ev.flow_end.pkts_toserver = side[WEIR_TOSERVER].packets;
    ev.flow_end.pkts_toclient = side[WEIR_TOCLIENT].packets;
    ev.flow_end.bytes_toserver = side[WEIR_TOSERVER].bytes;
    ev.flow_end.bytes_toclient = side[WEIR_TOCLIENT].bytes;
    ev.flow_end.payload_toserver = (int64_t)reasm_delivered(flow, WEIR_TOSERVER);
    ev.flow_end.payload_toclient = (int64_t)reasm_delivered(flow, WEIR_TOCLIENT);
    ev.flow_end.undelivered = rare != NULL ? (int64_t)rare->undelivered : 0;
    engine_deliver(e, flow, &ev);
}

void
engine_end_flow(struct engine *e, struct weir_flow *flow, enum weir_end_reason reason)
{
    struct shard *shard = flow_shard(flow);

    if (key_proto(&flow->key) == WEIR_PROTO_TCP)
        tcp_finish(e, flow);
    flow->flags |= FLOW_ENDED;
    raise_flow_end(e, flow, reason);
    if (e->inl != NULL && reason != WEIR_END_EOF)
        inline_flow_ends(e, flow);
    wheel_remove(&flow_cold(flow)->timer);
    shard_unlink(shard, flow, &e->secret);
    reasm_free(flow);
    e->stats.live_flows--;
    flow_cold(flow)->asleep = e->n_apps > 0 ? engine_finish_taps(e, flow_apps(flow)) : 0;
    if (flow_cold(flow)->asleep == 0)
        shard_release(shard, flow);
}

/* The timers of a shard's live flows, sorted, on no wheel any more. */
static struct wheel_node *
take_timers(struct engine *e, const struct shard *shard)
{
    struct weir_flow *flow = NULL;
    struct wheel_node *timers;

    while ((flow = shard_next(shard, flow)) != NULL) {
        if (!flow_used(flow) || flow->flags & FLOW_ENDED)
            continue;
        wheel_remove(&flow_cold(flow)->timer);
        push_due(e, &flow_cold(flow)->timer);
    }
    timers = sort_by_id(e->due);
    e->due = NULL;
    return timers;
}

/* Sorted lists as a heap: list 0 begins with the least id, 2i+1 and 2i+2 with no less than i. */
struct heap {
    struct wheel_node *list[N_SHARDS];
    unsigned n;
};

/* Let the list at place i sink to where it belongs. */
static void
sink(struct heap *heap, unsigned i)
{
    struct wheel_node *list = heap->list[i];
    uint64_t id = id_of(list);

    for (;;) {
        unsigned least = 2 * i + 1;

        if (least + 1 < heap->n && id_of(heap->list[least + 1]) < id_of(heap->list[least]))
            least++;
        if (least >= heap->n || id_of(heap->list[least]) >= id)
            break;
        heap->list[i] = heap->list[least];
        i = least;
    }
    heap->list[i] = list;
}

/* Ask the cache for what the ends of the next flow of this shard, and of the one behind, need. */
static inline __attribute__((always_inline)) void
prefetch_ends(const struct wheel_node *next)
{
    const struct weir_flow *flow;

    if (next == NULL)
        return;
    flow = flow_of_timer(next);
    __builtin_prefetch((const void *)flow_kept_end(flow, WEIR_TOSERVER), 1);
    __builtin_prefetch((const void *)flow_kept_end(flow, WEIR_TOCLIENT), 1);
    if (next->next == NULL)
        return;
    flow = flow_of_timer(next->next);
    __builtin_prefetch(flow, 1);
    __builtin_prefetch((const char *)flow + 64, 1);
}

static struct weir_flow *
pop_first(struct heap *heap)
{
    struct wheel_node *timer = heap->list[0];

    prefetch_ends(timer->next);
    heap->list[0] = timer->next != NULL ? timer->next : heap->list[--heap->n];
    timer->next = NULL;
    if (heap->n > 0)
        sink(heap, 0);
    return flow_of_timer(timer);
}

static void
end_all_flows(struct engine *e)
{
    struct heap heap = { .n = 0 };

    for (unsigned i = e->index; i < N_SHARDS; i += e->n_cores) {
        heap.list[heap.n] = take_timers(e, &e->shards[i]);
        heap.n += heap.list[heap.n] != NULL;
    }
    for (unsigned i = heap.n; i-- > 0;)
        sink(&heap, i);
    while (heap.n > 0) {
        struct weir_flow *flow = pop_first(&heap);

        engine_reach(e, ORDER_AT_END, 0, weir_flow_id(flow), 0);
        engine_end_flow(e, flow, WEIR_END_EOF);
    }
}

static void
cancel_taps(struct engine *e, uint8_t *part)
{
    for (unsigned i = 0; i < e->n_apps; i++) {
        const struct app *app = &e->apps[i];

        if (weir_tap_cancel(app_tap(part, app), app_state(part, app)))
            continue; /* had ended before */
    }
}

static void
cancel_shard(struct engine *e, unsigned shard)
{
    struct weir_flow *flow = NULL;
    uint64_t n = 0;

    e->shard = shard;
    while ((flow = shard_next(&e->shards[shard], flow)) != NULL) {
        engine_reach(e, ORDER_AT_END, PHASE_PACKET, shard, n++);
        if (flow_used(flow) && flow_cold(flow)->asleep > 0)
            cancel_taps(e, flow_apps(flow));
    }
    engine_reach(e, ORDER_AT_END, PHASE_PACKET, shard, n);
    if (e->flowless_asleep[shard] > 0)
        cancel_taps(e, engine_flowless(e));
}

static void
end_flowless(struct engine *e)
{
    for (e->shard = e->index; e->shard < N_SHARDS; e->shard += e->n_cores) {
        engine_reach(e, ORDER_AT_END, 1, e->shard, 0);
        if (e->flowless_used[e->shard])
            e->flowless_asleep[e->shard] = engine_finish_taps(e, engine_flowless(e));
    }
    e->shard = 0;
}

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
 * time went on, for a day; what sleeps on, and what only ever waits for its next turn, is
 * cancelled.
 */
static void
drain_core(struct engine *e)
{
    const uint64_t day = UINT64_C(86400) * 1000000000;
    const uint64_t last = e->clock < UINT64_MAX - day ? e->clock + day : UINT64_MAX - 1;
    uint64_t next;

    engine_reach(e, ORDER_AT_END, PHASE_WOKEN, 0, 0);
    run_all(e);
    while ((next = weir_core_next_timer(e->core)) <= last) {
        fire_timers(e, ORDER_AT_END, next);
        run_all(e);
    }
    for (unsigned i = e->index; i < N_SHARDS; i += e->n_cores)
        cancel_shard(e, i);
    engine_reach(e, ORDER_AT_END, PHASE_QUOTED, 0, 0);
    run_all(e);
}

void
engine_end(struct engine *e)
{
    e->packet = NULL;
    e->now = e->clock;
    e->shard = 0;
    end_all_flows(e);
    if (!e->ended)
        end_flowless(e);
    e->ended = true;
    drain_core(e);
}
