/*
 * The engine's inside: what one monitor owns, and how its rooms raise events.
 *
 * Threads: one.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include "frag.h"
#include "shard.h"

#include <weir/core.h>
#include <weir/monitor.h>

enum { MAX_APPS = 16, BATCH = 32, SCRATCH = 65536, N_SENDERS = 1024 };

/*
 * An app, and where its tap and its state lie in a flow's part for apps: the taps of all apps come
 * first, since each event asks every one of them whether it wants it.
 */
struct app {
    struct weir_app pub;
    size_t tap, state; /* offsets in the part; the state's is a multiple of 16 */
};

/* Checksums seen of a source address, to notice a host whose network card computes them. */
struct sender {
    uint32_t who; /* hash of the address; a later one takes the place of an earlier */
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
    struct weir_monitor_opts opts;
    uint64_t timeout[WEIR_TIMEOUT_COUNT]; /* nanoseconds, by enum weir_timeout */
    struct hash_key secret;
    struct weir_core *core;

    struct app apps[MAX_APPS];
    unsigned n_apps;
    struct hosts *hosts; /* policies by address */
    struct definition defs[WEIR_EV_DEFINED_MAX];
    unsigned n_defs;
    uint64_t want;     /* what any app wants, and the bases of that */
    uint64_t bases;    /* of definitions that are live */
    uint8_t *flowless; /* taps and state for events that belong to no flow */
    bool flowless_ended;
    unsigned flowless_asleep; /* of its taps, after the end */
    bool no_flow_packets;     /* an app wants packets that belong to no flow */
    bool history;    /* an app reads delivered bytes back: they stay while the flow lives */
    uint32_t window; /* acknowledged bytes a direction that are retained */

    bool started;
    uint64_t clock;                   /* greatest packet time so far */
    uint64_t tick;                    /* clock / TICK_NS, up to which timers ran */
    uint64_t next_run;                /* clock at which timers have to run again */
    uint64_t next_tick[N_SHARDS];     /* no timer of the shard comes round before */
    uint64_t now;                     /* time that events raised now carry */
    uint64_t number;                  /* packets so far */
    const struct weir_packet *packet; /* being looked at; NULL: a timer is */

    uint8_t *range; /* address range of all shards */
    size_t range_size;
    struct arena arena;
    struct shard_layout layout;
    struct shard shards[N_SHARDS];
    struct wheel wheels[N_SHARDS];
    struct frag_room frags;

    struct weir_monitor_stats stats;
    struct sender senders[N_SENDERS];
    bool offload;             /* a sender whose place another took had mostly bad checksums */
    struct wheel_node *due;   /* timers that came round, linked through next */
    uint8_t scratch[SCRATCH]; /* old bytes of a conflict, put together */

    volatile int stop; /* set by a signal handler */
};

struct weir_monitor {
    struct engine e;
};

extern const struct weir_tap_ops engine_tap_ops;

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

/* What TTL this side uses. */
static inline void
flow_set_ttl(struct weir_flow *flow, enum weir_dir dir, uint8_t ttl)
{
    unsigned shift = dir == WEIR_TOSERVER ? FLOW_TTL_TOSERVER : FLOW_TTL_TOCLIENT;

    flow->flags = (flow->flags & ~(UINT32_C(0xff) << shift)) | (uint32_t)ttl << shift;
}

/* All apps are known: where their taps and states lie. */
void engine_place_apps(struct engine *e);

/* Make the taps of all apps in a flow's part for apps, and their state, zeroed. */
void engine_start_taps(struct engine *e, uint8_t *part);

/* No more events will come for this part. How many of its taps have not ended, but sleep. */
unsigned engine_finish_taps(struct engine *e, uint8_t *part);

/* Do what the clock has made due, tick by tick. */
void engine_run_timers(struct engine *e);

/*
 * Let everything that sleeps on logs and the like be over, however long that takes: to a replay,
 * whose handlers see no clock but the packets', it has taken no time, and all handlers wake at the
 * same packet in each run. Live this is for the end, and waits for a second.
 *
 * Returns whether there was something, and it is over: its handlers can run.
 */
bool engine_settle(struct engine *e);

/* End all flows, in the order of their ids. */
void engine_end_all(struct engine *e);

/* Cancel the taps that sleep although their flow has ended and nothing will wake them. */
void engine_cancel_sleepers(struct engine *e);

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

/* End a flow: what waits is given up or delivered, flow_end is raised, the flow leaves its table. */
void engine_end_flow(struct engine *e, struct weir_flow *flow, enum weir_end_reason reason);

#endif
