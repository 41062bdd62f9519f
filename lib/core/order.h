/*
 * What several cores do, in the order in which one core would have done it.
 *
 * Each core says how far it has come (order_reach()): a moment is a packet, and a place before, at
 * or behind it. It posts calls for its present moment; they are run one after the other in the
 * order of moments, by whichever core finds time, once no core can post an earlier one any more.
 * And a core can wait for its turn: until all others are past its moment, so that what it then
 * reads and changes of what cores share is as one core would have found and left it.
 *
 * Threads: a core's end is used by its own thread. Nobody spins: who waits sleeps, and tells the
 *          others how far it has come, so that the earliest of those who wait can always go on.
 * Memory:  all at order_new(). Posts wait in a ring of their core; where it is full, the core
 *          waits.
 */
#ifndef WEIR_CORE_ORDER_H
#define WEIR_CORE_ORDER_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compared member by member; where several cores have the same one, the first core's is first. */
struct moment {
    uint64_t
        packet; /* number; what is due before a packet, and what comes behind it, have its own */
    uint64_t phase; /* a tick that is due before the packet, or a PHASE_ */
    uint64_t id;    /* flow; of timers the deadline */
    uint64_t made;  /* of timers of one deadline: which was made first */
};

/* Behind all ticks. */
#define PHASE_WOKEN  (UINT64_MAX - 4) /* handlers that slept on logs, before timers */
#define PHASE_TIMERS (UINT64_MAX - 3) /* of handlers */
#define PHASE_SETTLE (UINT64_MAX - 2) /* handlers wake that slept on logs */
#define PHASE_PACKET (UINT64_MAX - 1)
#define PHASE_QUOTED UINT64_MAX /* the flow that an ICMP error is about */

/* The number of what comes when the input is over. */
#define ORDER_AT_END (UINT64_MAX - 1)

struct order;
struct records;
struct weir_core;

/* A core's end. */
struct order_end {
    alignas(64) _Atomic uint64_t packet; /* all before this one is done */
    struct moment now;                   /* the core's own */
    struct moment passed;                /* all before it is done; under the order's lock */
    struct order *order;
    struct records *posts;
};

struct order {
    struct order_end *end;
    unsigned n;
    pthread_mutex_t lock;    /* of passed and changes, and for those who wait */
    pthread_cond_t changed;  /* some core has gone on, or waits, or there is room in a ring */
    uint64_t changes;        /* how often */
    _Atomic uint64_t wanted; /* some core waits for others to pass this packet; UINT64_MAX: none */
    pthread_mutex_t running; /* who holds it runs posts, */
    _Atomic bool again;      /* and looks again, for somebody else would have */
};

/* A call: p has n bytes, aligned to 8, and is the callee's until it returns. */
typedef void order_fn(void *ctx, const void *p, size_t n);

/* Rings of so many bytes, a power of two from 4096 on. NULL: no memory. */
struct order *order_new(unsigned cores, size_t ring);
void order_free(struct order *order);

static inline struct order_end *
order_end(struct order *order, unsigned core)
{
    return &order->end[core];
}

/* The end of the thread's current core; NULL where there is no order, for only one core runs. */
struct order_end *order_here(struct order *order);

/* For those who wait: this core has gone on. */
void order_tell(struct order *order);

/*
 * This core has come to a moment, not before the last one. (Who waits may miss the news of a
 * packet, and has it with the batch: looking for who waits is cheap here, but may come too early.)
 */
static inline void
order_reach(struct order_end *end, uint64_t packet, uint64_t phase, uint64_t id, uint64_t made)
{
    end->now = (struct moment){ packet, phase, id, made };
    if (atomic_load_explicit(&end->packet, memory_order_relaxed) == packet)
        return;
    /* Release: who sees it sees all posts of earlier packets. */
    atomic_store_explicit(&end->packet, packet, memory_order_release);
    if (atomic_load_explicit(&end->order->wanted, memory_order_relaxed) < packet)
        order_tell(end->order);
}

/*
 * As above, to where a batch ends: nothing before that comes any more. Who waits is told for sure.
 */
void order_pass(struct order_end *end, const struct moment *next);

struct piece_of_post {
    const void *p;
    size_t n;
};

/*
 * Have fn(ctx, copy of head and tail, their length) run in its turn; they are less than half a ring
 * by a hundred bytes. Blocks while the ring is full.
 */
void order_post(struct order_end *end, order_fn *fn, void *ctx, struct piece_of_post head,
                struct piece_of_post tail);

/* Block until all other cores are past this core's moment. */
void order_turn(struct order_end *end);

/* The same where there may be no order, or only one core. */
static inline void
order_turn_here(struct order *order)
{
    if (order != NULL)
        order_turn(order_here(order));
}

/* The same, and all posts of earlier moments, and of this core, have run. */
void order_catch_up(struct order_end *end);

/* The longest that order_post() takes. */
size_t order_longest(const struct order_end *end);

/*
 * Run the posts whose turn has come; if another core is at it, it does that, too. Returns whether
 * there were some.
 */
bool order_run(struct order *order);

/* The same, for sure: when all cores have passed the same packet, all posts. */
void order_run_all(struct order *order);

#endif
