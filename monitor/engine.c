#include "engine.h"

#include "reasm.h"
#include "track.h"

#include <stdlib.h>
#include <string.h>

/* ---- taps ---------------------------------------------------------------------------------- */

static struct weir_tap *
app_tap(uint8_t *part, const struct app *app)
{
    return (struct weir_tap *)(void *)(part + app->at);
}

static void *
app_state(uint8_t *part, const struct app *app)
{
    return part + app->at + TAP_ROOM;
}

void
engine_start_taps(struct engine *e, uint8_t *part)
{
    for (unsigned i = 0; i < e->n_apps; i++) {
        const struct app *app = &e->apps[i];

        memset(part + app->at, 0, TAP_ROOM + app->pub.flow_size);
        weir_tap_init(app_tap(part, app), app->pub.spec);
    }
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

/*
 * A tap takes no more events while its stage sleeps. A replay waits as long as handlers can run;
 * live, or when nothing here can wake the stage, the event is dropped and counted.
 */
static void
push_again(struct engine *e, struct weir_tap *tap, void *state, struct weir_event *ev)
{
    while (!e->opts.live && weir_core_run(e->core, 256) > 0)
        if (weir_tap_push(tap, state, ev->type, ev) != WEIR_TAP_FULL)
            return;
    e->stats.tap_dropped++;
    e->stats.overload[WEIR_OVERLOAD_TAP_QUEUE]++;
    e->stats.events[WEIR_EV_OVERLOAD]++;
}

void
engine_deliver(struct engine *e, struct weir_flow *flow, struct weir_event *ev)
{
    uint8_t *part = flow != NULL ? flow_apps(flow) : e->flowless;

    ev->time = e->now;
    ev->packet = e->packet;
    ev->number = e->packet != NULL ? e->packet->number : 0;
    ev->flow = flow;
    ev->has_flow = flow != NULL;
    for (unsigned i = 0; i < e->n_apps; i++) {
        const struct app *app = &e->apps[i];
        struct weir_tap *tap = app_tap(part, app);

        ev->app = app->pub.arg;
        if (weir_tap_push(tap, app_state(part, app), ev->type, ev) == WEIR_TAP_FULL)
            push_again(e, tap, app_state(part, app), ev);
    }
}

void
engine_raise_plain(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                   enum weir_event_type type)
{
    struct weir_event ev = { .type = (uint8_t)type, .direction = dir };

    if (engine_raises(e, flow, type))
        engine_deliver(e, flow, &ev);
}

void
engine_overload(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                enum weir_overload what)
{
    struct weir_event ev = { .type = WEIR_EV_OVERLOAD, .direction = dir };

    e->stats.overload[what]++;
    if (!engine_raises(e, flow, WEIR_EV_OVERLOAD))
        return;
    ev.overload.what = what;
    ev.overload.count = (int64_t)e->stats.overload[what];
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

    for (const struct weir_field *f = weir_event_fields(ev->type); f->name != NULL; f++)
        if (f->kind == WEIR_FIELD_BYTES)
            out[n++] = (struct weir_bytes *)(void *)((uint8_t *)ev + f->at);
    return n;
}

static struct weir_held *
hold(void *arg, const void *event)
{
    struct engine *e = arg;
    struct weir_event ev = *(const struct weir_event *)event;
    struct mem *mem = ev.flow != NULL ? &flow_shard(ev.flow)->mem : &e->shards[0].mem;
    struct weir_bytes *show[2];
    unsigned n = ev.stable ? 0 : shown(&ev, show);
    size_t size = sizeof(struct held), at = 0;
    struct held *held;

    for (unsigned i = 0; i < n; i++)
        size += show[i]->n;
    held = size > (size_t)1 << MEM_MAX_SHIFT ? NULL : mem_alloc(mem, size);
    if (held == NULL)
        return NULL;
    held->mem = mem;
    held->size = size;
    for (unsigned i = 0; i < n; i++) {
        memcpy(held->bytes + at, show[i]->p, show[i]->n);
        show[i]->p = held->bytes + at;
        at += show[i]->n;
    }
    if (ev.packet != NULL) {
        held->packet = *ev.packet;
        ev.packet = &held->packet;
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

/* The last tap of a flow that ended has woken and is done: the flow may go. */
static void
ended(void *arg, struct weir_tap *tap)
{
    struct engine *e = arg;
    uint8_t *at = (uint8_t *)tap;
    const struct block *block;
    const struct shard_layout *layout = &e->layout;
    struct weir_flow *flow;

    if (at < e->range || at >= e->range + e->range_size)
        return; /* of events without a flow */
    block = (const struct block *)((uintptr_t)at & ~(uintptr_t)(BLOCK_SIZE - 1));
    flow = (struct weir_flow *)((uintptr_t)block + BLOCK_HEADER) +
           (size_t)(at - (const uint8_t *)block - layout->apps_at) / layout->app_stride;
    if (--flow_cold(flow)->asleep == 0)
        shard_release(block->shard, flow);
}

const struct weir_tap_ops engine_tap_ops = { hold, release, ended };

/* ---- deadlines ----------------------------------------------------------------------------- */

static uint64_t
idle_timeout(const struct weir_flow *flow)
{
    static const uint64_t second = 1000000000;

    switch (flow->key.proto) {
    case WEIR_PROTO_TCP:
        if (flow->flags & FLOW_CLOSED)
            return 60 * second;
        return flow->flags & FLOW_ESTABLISHED ? 600 * second : 60 * second;
    case WEIR_PROTO_UDP:
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        return flow->flags & FLOW_ESTABLISHED ? 300 * second : 30 * second;
    default:
        return 60 * second;
    }
}

static uint64_t
end_tick(const struct weir_flow *flow)
{
    return (flow->last + idle_timeout(flow) + TICK_NS - 1) / TICK_NS;
}

static uint64_t
forget_tick(const struct weir_flow *flow)
{
    return (flow->last + TICK_NS - 1) / TICK_NS + KEPT_IDLE_TICKS;
}

/* The first tick at which something is due for the flow. */
static uint64_t
next_tick(const struct engine *e, struct weir_flow *flow)
{
    uint64_t first = end_tick(flow), tick;

    for (int dir = 0; dir < 2; dir++)
        if (reasm_deadline(e, flow, dir, &tick) && tick < first)
            first = tick;
    if ((flow->kept[0] != NULL || flow->kept[1] != NULL) && forget_tick(flow) < first)
        first = forget_tick(flow);
    return first;
}

void
engine_arm(struct engine *e, struct weir_flow *flow)
{
    struct wheel_node *timer = &flow_cold(flow)->timer;

    if (flow->flags & FLOW_ENDED)
        return;
    wheel_remove(timer);
    wheel_add(&flow_shard(flow)->wheel, timer, next_tick(e, flow));
}

/* Do what is due for the flow at this tick, in the order of DESIGN: holes, then its end. */
static void
flow_due(struct engine *e, struct weir_flow *flow, uint64_t tick)
{
    for (int dir = 0; dir < 2; dir++)
        reasm_expire(e, flow, dir, tick);
    if (forget_tick(flow) <= tick)
        reasm_forget(flow);
    if (end_tick(flow) <= tick)
        engine_end_flow(e, flow, WEIR_END_TIMEOUT);
    else
        engine_arm(e, flow);
}

static int
by_id(const void *a, const void *b)
{
    uint64_t x = flow_cold(*(struct weir_flow *const *)a)->id;
    uint64_t y = flow_cold(*(struct weir_flow *const *)b)->id;

    return (x > y) - (x < y);
}

void
engine_sort_by_id(struct weir_flow **flows, size_t n)
{
    qsort(flows, n, sizeof(flows[0]), by_id);
}

/* A timer came round: kept for later if the flow is due, else filed again. */
static void
collect(void *ctx, struct wheel_node *timer)
{
    struct engine *e = ctx;
    struct weir_flow *flow = flow_of_timer(timer);
    struct shard *shard = flow_shard(flow);
    uint64_t tick = next_tick(e, flow);

    if (tick > shard->wheel.now || e->n_due == e->max_due) {
        wheel_add(&shard->wheel, timer, tick > shard->wheel.now ? tick : shard->wheel.now + 1);
        return;
    }
    e->due[e->n_due++] = flow;
}

/* All that is due at one tick, over all shards, in the order of the flows' ids. */
static void
run_tick(struct engine *e, uint64_t tick)
{
    uint64_t next;

    e->n_due = 0;
    for (unsigned i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &e->shards[i];

        if (shard->n_slots > 0 && wheel_next(&shard->wheel, &next) && next <= tick)
            wheel_turn(&shard->wheel, tick, collect, e);
    }
    engine_sort_by_id(e->due, e->n_due);
    e->now = tick * TICK_NS;
    for (size_t i = 0; i < e->n_due; i++)
        flow_due(e, e->due[i], tick);
}

static bool
first_tick(struct engine *e, uint64_t *tick)
{
    uint64_t next;
    bool any = false;

    for (unsigned i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &e->shards[i];

        if (shard->n_slots == 0 || !wheel_next(&shard->wheel, &next))
            continue;
        if (!any || next < *tick)
            *tick = next;
        any = true;
    }
    return any;
}

void
engine_run_timers(struct engine *e)
{
    uint64_t until = e->clock / TICK_NS, tick;

    if (until <= e->tick)
        return;
    e->packet = NULL;
    while (first_tick(e, &tick) && tick <= until)
        run_tick(e, tick);
    e->tick = until;
}
