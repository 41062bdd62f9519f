/*
 * The engine's inside: what one core of a monitor owns, and how its rooms raise events.
 *
 * Threads: one. What all cores of a monitor share (hosts, definitions, apps) does not change once
 * the first packet has come.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include "batch.h"
#include "core/order.h"
#include "for_programs.h"
#include "inline.h"
#include "shard.h"

#include <weir/core.h>
#include <weir/monitor.h>

enum { MAX_APPS = 16, SCRATCH = 65536, N_SENDERS = 2048 };

/*
 * An app, and where its tap and its state lie in a flow's part for apps: the taps of all apps come
 * first, since each event asks every one of them whether it wants it.
 */
struct app {
    struct weir_app pub;
    size_t tap, state; /* offsets in the part; the state's is a multiple of 16 */
    void *core_arg[MAX_CORES];
};

/*
 * Checksums seen of source addresses, to notice a host whose network card computes them. Addresses
 * with the same hash count as one: what many cores saw of them adds up to what one would have seen.
 */
struct sender {
    uint32_t good, bad;
};

/* An event of the program's own. */
struct definition {
    struct weir_event_def pub;
    uint8_t root; /* built-in type that it goes back to */
    bool live;    /* an app wants it, or another one that is live has it as base */
    size_t at;    /* offset of the filter's state in a flow's part for apps */
};

struct engine {
    /* What every packet touches, side by side. */
    const struct weir_packet *packet; /* being looked at; NULL: a timer is */
    uint64_t now;                     /* time that events raised now carry */
    uint64_t clock;                   /* greatest packet time so far */
    uint64_t syns;                    /* segments with SYN that all cores were given so far */
    unsigned shard;                   /* of the packet that is looked at; 0: of none */
    unsigned index, n_cores;
    struct order_end *order; /* NULL: there is one core */
    struct weir_core *core;
    struct inline_core *inl; /* NULL: passive */
    void (*done)(void *arg); /* once, when the packet's events are told; NULL: nothing */
    void *done_arg;
    uint64_t want;  /* what any app wants, and the bases of that */
    uint64_t bases; /* of definitions that are live */
    struct shard_layout layout;
    struct weir_monitor_stats stats;
    struct shard_table tables[N_SHARDS];

    struct weir_monitor_opts opts;
    uint64_t timeout[WEIR_TIMEOUT_COUNT]; /* nanoseconds, by enum weir_timeout */
    struct hash_key secret;
    struct weir_outlet outlet; /* .send NULL: passive */

    struct app apps[MAX_APPS + 1]; /* the one behind the last has no spec */
    unsigned n_apps;
    struct hosts *hosts; /* policies by address */
    struct definition defs[WEIR_EV_DEFINED_MAX];
    unsigned n_defs;
    uint8_t *flowless; /* by shard: taps and state for events that belong to no flow */
    bool flowless_used[N_SHARDS];
    unsigned flowless_asleep[N_SHARDS]; /* of its taps, after the end */
    bool ended;
    bool no_flow_packets; /* an app wants packets that belong to no flow */
    bool history;         /* an app reads delivered bytes back: they stay while the flow lives */
    uint32_t window;      /* acknowledged bytes a direction that are retained */

    bool started;
    uint64_t tick;                /* clock / TICK_NS, up to which timers ran */
    uint64_t due_tick;            /* of those in due */
    uint64_t next_tick[N_SHARDS]; /* no timer of the shard comes round before */

    uint8_t *range; /* address range of all shards */
    size_t range_size;
    struct arena arena;
    struct shard shards[N_SHARDS];
    struct wheel wheels[N_SHARDS];

    uint64_t overload[N_SHARDS][sizeof(((struct weir_monitor_stats *)NULL)->overload) /
                                sizeof(uint64_t)]; /* by enum weir_overload */
    struct sender senders[N_SENDERS];
    struct wheel_node *due;   /* timers that came round, linked through next */
    uint8_t scratch[SCRATCH]; /* old bytes of a conflict, put together */

    const _Atomic bool *stop; /* the monitor's, set by whoever wants the run to end */
};

struct cores;

struct weir_monitor {
    struct engine e; /* of the first core; what is known before the first packet is here */
    struct cores *cores;
    _Atomic bool stop;
    uint64_t passed_at; /* live, of queues: monotonic ns, when all heard last that none came */
    uint64_t call_at;   /* packet time of a call of monitor_call_at(); UINT64_MAX: there is none */
    uint64_t (*call)(void *ctx, uint64_t now);
    void *call_ctx;
};

/* How much lies between several cores. */
struct cores_sizes {
    unsigned batch;   /* arrivals in one, at most BATCH_MANY */
    unsigned batches; /* that cores may be apart */
    size_t ring;      /* bytes of posts that wait in one core, as order_new() has them */
};

/* As weir_monitor_new(), with other sizes; NULL: the usual ones. */
int monitor_new_sized(const struct weir_monitor_opts *opts, const struct cores_sizes *sizes,
                      struct weir_monitor **out);

/* The core of an engine. WEIR_E_OK or WEIR_E_NOMEM. */
int engine_make_core(struct engine *e);

/* Another core's engine, as the first one was set up. */
int engine_copy(const struct engine *first, unsigned index, struct engine **out);

/* All apps are known: make room for flows. */
int engine_start(struct engine *e, uint64_t time);

/* Free what an engine owns, and itself. NULL is allowed. */
void engine_release(struct engine *e);
void engine_free(struct engine *e);

extern const struct weir_tap_ops engine_tap_ops;

/* The flow and the app of a tap; NULL: it is for events without a flow. */
struct weir_flow *engine_flow_of(const struct engine *e, const struct weir_tap *tap, unsigned *app);

/* The built-in type whose fields an event of this type has. */
static inline uint8_t
engine_root(const struct engine *e, unsigned type)
{
    return type < WEIR_EV_COUNT ? (uint8_t)type : e->defs[type - WEIR_EV_COUNT].root;
}

/* What the receiver of this direction's data is. */
static inline enum weir_policy
flow_policy(const struct weir_flow *flow, enum weir_dir dir)
{
    return (enum weir_policy)flow_cold(flow)->policy[dir];
}

static inline void
flow_set_policy(struct weir_flow *flow, enum weir_dir dir, enum weir_policy policy)
{
    flow_cold(flow)->policy[dir] = (uint8_t)policy;
}

/* All apps are known: which definitions are live, and where the state of their filters lies. */
void engine_place_definitions(struct engine *e);

typedef void engine_push(struct engine *e, struct weir_flow *flow, struct weir_event *ev);

/* Push what is defined on an event, directly or not. */
void engine_raise_defined(struct engine *e, struct weir_flow *flow, const struct weir_event *ev,
                          engine_push *push);

/* The state of the filters in a flow's part for apps, zeroed. */
void engine_start_definitions(const struct engine *e, uint8_t *part);

/* Where in weir_flow.flags the TTL of a side is. */
static inline unsigned
flow_ttl_shift(enum weir_dir dir)
{
    return FLOW_TTL_TOSERVER + (FLOW_TTL_TOCLIENT - FLOW_TTL_TOSERVER) * (unsigned)dir;
}

/* What TTL this side uses; 0: nothing came of it yet. */
static inline uint8_t
flow_ttl(const struct weir_flow *flow, enum weir_dir dir)
{
    return (uint8_t)(flow->flags >> flow_ttl_shift(dir));
}

static inline void
flow_set_ttl(struct weir_flow *flow, enum weir_dir dir, uint8_t ttl)
{
    unsigned shift = flow_ttl_shift(dir);

    flow->flags = (flow->flags & ~(UINT32_C(0xff) << shift)) | (uint32_t)ttl << shift;
}

/* All apps are known: where their taps and states lie. */
void engine_place_apps(struct engine *e);

/* Make the taps of all apps in a flow's part for apps, and their state, zeroed. */
void engine_start_taps(struct engine *e, uint8_t *part);

/* No more events will come for this part. How many of its taps have not ended, but sleep. */
unsigned engine_finish_taps(struct engine *e, uint8_t *part);

/* All events of a packet, or of a flow that was due, were told. */
static inline void
engine_call_done(struct engine *e)
{
    void (*done)(void *arg) = e->done;

    if (WEIR_LIKELY(done == NULL))
        return;
    e->done = NULL;
    done(e->done_arg);
}

/* Where in the order of the run the engine is. */
static inline void
engine_reach(struct engine *e, uint64_t packet, uint64_t phase, uint64_t id, uint64_t made)
{
    if (e->order != NULL)
        order_reach(e->order, packet, phase, id, made);
}

/*
 * Do what is due before packet number @number at ticks before @tick, and then for flows before @id.
 */
void engine_run_due(struct engine *e, uint64_t number, uint64_t tick, uint64_t id);

/* Do what the clock has made due before packet number @number: of flows, then of handlers. */
void engine_run_timers(struct engine *e, uint64_t number, uint64_t clock);

/* Run handlers that can. */
void engine_run_core(struct engine *e);

/* One core: ask the cache for what the arrival that was added last, and others before it, will
 * need. */
void engine_foresee(struct engine *e, const struct batch *batch, struct arrival *last);

/* Take what is this core's of a batch. */
void engine_take(struct engine *e, struct batch *batch);

/* End all flows and wait for what sleeps on time; cancel what sleeps on. */
void engine_end(struct engine *e);

/* The taps and state of this shard for events without a flow; made if they are new. */
uint8_t *engine_flowless(struct engine *e);

/*
 * Let everything that sleeps on logs and the like be over, however long that takes: to a replay,
 * whose handlers see no clock but the packets', it has taken no time, and all handlers wake at the
 * same packet in each run. Live this is for the end, and waits for a second.
 *
 * Returns whether there was something, and it is over: its handlers can run.
 */
bool engine_settle(struct engine *e);

/* Hand an event to every tap of its flow that wants it; type and own fields are set. */
void engine_deliver(struct engine *e, struct weir_flow *flow, struct weir_event *ev);

/* Show the packet, which belongs to no flow, to the apps that asked for such. */
void engine_show_no_flow(struct engine *e);

/* Count an event; whether anybody wants it, so that its fields are worth working out. */
static inline bool
engine_raises(struct engine *e, const struct weir_flow *flow, enum weir_event_type type)
{
    (void)flow;
    e->stats.events[type]++;
    return e->want >> type & 1;
}

/* Raise an event that has no own fields. */
void engine_raise_plain(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                        enum weir_event_type type);

/* A limit was hit: count, and tell the flow's taps. */
void engine_overload(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                     enum weir_overload what);

/* File the flow's timer for the earliest deadline it has now. */
void engine_arm(struct engine *e, struct weir_flow *flow);

/* The flow becomes FLOW_ESTABLISHED, with the timeout that belongs to it. */
void engine_established(struct engine *e, struct weir_flow *flow);

/* What they are if not set, in seconds. */
extern const uint32_t engine_timeouts[WEIR_TIMEOUT_COUNT];

/* 0: the default. */
void engine_set_timeouts(struct engine *e, const uint32_t seconds[WEIR_TIMEOUT_COUNT]);

/*
 * End a flow: what waits is given up or delivered, flow_end is raised, the flow leaves its table.
 */
void engine_end_flow(struct engine *e, struct weir_flow *flow, enum weir_end_reason reason);

#endif
