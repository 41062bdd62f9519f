/*
 * A core from inside: what one thread's futures, taps and timers share.
 *
 * Threads: one thread at a time; nothing here is locked or atomic.
 */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include <weir/core.h>

#include "core/wheel.h"

#include <stdbool.h>
#include <stdint.h>

struct weir_cell;
struct node;
struct slab;

/* Cells that wait for weir_core_run(), linked through weir_cell.src. */
struct cell_queue {
    struct weir_cell *first, **last;
};

/*
 * Resolves futures for what happens outside the core: on another thread, in the kernel. A core
 * without pollers pays a test for them.
 */
struct core_poller {
    struct core_poller *next;
    struct weir_core *core; /* NULL: on no core's list */
    uint32_t asleep; /* futures that this will resolve; poll() is called if there are some, */
    bool serves;     /* or always, for it has work for this core */

    /* Resolve what is over. The core is the current one. */
    void (*poll)(struct core_poller *poller);
    /* Block until all that sleep now are over. @return false: they are not, and ns have passed. */
    bool (*wait)(struct core_poller *poller, uint64_t ns);
    /* The core is about to end: take the poller off its list. */
    void (*core_ends)(struct core_poller *poller);
};

struct weir_held;
struct weir_tap;

/* Who has to know how far taps that sleep are: core->tap_hooks. With tap_arg of the ops. */
struct tap_hooks {
    /* The tap fell asleep: on the event that was pushed, if it rested before, else on the one that
       it went on with. */
    void (*slept)(void *arg, struct weir_tap *tap);
    /* The tap has done with an event behind which others may wait, and goes on with next; NULL:
       none waits, or the tap has ended. */
    void (*went_on)(void *arg, struct weir_tap *tap, struct weir_held *next);
};

struct weir_core {
    struct weir_cell *free; /* linked through weir_cell.src; the one freed last comes first */
    struct cell_queue ready;
    int64_t budget; /* handlers and loop turns left; may go below 0 */
    bool running;   /* inside weir_core_run() */
    struct weir_core_stats stats;

    struct core_poller *pollers;
    struct node *links; /* to other cores (submit.c); NULL: there are none */
    struct order_end
        *order;   /* a replay's on several cores, to which logs keep; NULL: there is none */
    bool replays; /* weir_core_run() leaves the pollers alone: only core_wait_outside() asks them;
                     and what logs have no room for waits, with the thread, for it */

    const struct weir_tap_ops *tap_ops;
    void *tap_arg;
    const struct tap_hooks *tap_hooks; /* NULL: nobody */

    uint64_t now;            /* ns */
    uint64_t timers_made;    /* the number of the next one, */
    uint64_t timers_from;    /* but at least this */
    struct wheel_node *soon; /* timers whose tick has come, but not their deadline */
    bool soon_sorted;
    struct wheel wheel;

    struct slab *slabs;
    struct weir_core_opts opts;
    uint64_t random; /* debug builds: state of the shuffle; 0: no shuffle */
};

/* Loop turns allowed outside weir_core_run(), from one run to the next. */
#define CORE_BUDGET_BETWEEN_RUNS 1024

/* The only thread-local. Initial-exec: any other model makes each access a call. */
extern __thread struct weir_core *core_current __attribute__((tls_model("initial-exec")));

/*
 * Whether weir_core_run() may have something to do: mostly not, and it is asked for every packet.
 */
static inline bool
core_may_run(const struct weir_core *c)
{
    return c->ready.first != NULL || c->pollers != NULL;
}

/* Pollers are asked in the order in which they were added. */
void core_add_poller(struct weir_core *core, struct core_poller *poller);
void core_remove_poller(struct core_poller *poller);

/* Resolve what is over outside. Runs no handler. */
void core_poll(struct weir_core *core);

/*
 * weir_core_advance() in steps: the time first, then one timer after the other, so that the caller
 * knows whose handlers run. The core is the current one.
 */
void core_set_time(struct weir_core *core, uint64_t now);

/* Resolve the first timer that is due; false: none is. */
bool core_fire_first(struct weir_core *core, uint64_t *deadline, uint64_t *made);

/* How many futures sleep on what happens outside. */
uint32_t core_sleeps_outside(const struct weir_core *core);

/*
 * Block until everything outside that the core's futures sleep on is over, and resolve them: all at
 * once, in an order that does not depend on how long anything took. Not for a live packet core.
 * @return false: ns have passed for one of the pollers, and nothing was resolved.
 */
bool core_wait_outside(struct weir_core *core, uint64_t ns);

#endif
