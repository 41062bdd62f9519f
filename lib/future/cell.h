/*
 * Cells: what a sleeping future is.
 *
 * A cell is promise, handler and result in one cache line. Cells of one strand form a list: `src`
 * leads from a waiter down to what it waits for, `out` back up. At its end is a leaf, which a
 * producer resolves. An outcome moves up: the source hands it to its waiter's `val` and is freed.
 *
 *     leaf SLEEP --out--> then SLEEP --out--> then SLEEP      (the future that the app holds)
 *          <---src---          <---src---
 *
 * When a handler returns a sleeping future, that future's cell takes the place of the handler's:
 * it gets its `out`, and the handler's cell is freed. Only if nobody waits for the handler's cell
 * yet must it stay, since somebody holds it as a future: it becomes a CELL_PASS, and the inner
 * cell, marked CELL_LINK, resolves it. Whoever comes to wait for a pass waits for the inner cell
 * instead, and the pass is freed. So a pass never has an `out`, and links never nest.
 */
#ifndef WEIR_FUTURE_CELL_H
#define WEIR_FUTURE_CELL_H

#include <weir/future.h>
#include <weir/tap.h>

#include "core/core.h"
#include "core/wheel.h"

#include <stdalign.h>

enum cell_kind {
    CELL_PASS, /* stands for another cell */
    /* Handlers: which outcomes they take is read off the two low bits. */
    CELL_THEN = 1,
    CELL_CATCH = 2,
    CELL_ALWAYS = 3,
    CELL_TAKES_READY = 1,
    CELL_TAKES_FAILED = 2,
    CELL_CO = 4 | CELL_TAKES_READY | CELL_TAKES_FAILED, /* may return its own future */
    CELL_HANDLERS = CELL_CO,
    /* Waiters of the library's own. */
    CELL_REPEAT,
    CELL_LEG, /* one of a join's sources */
    CELL_TIMEOUT,
    CELL_TAP,
    /* Waits for its legs, not for src. */
    CELL_ALL,
    CELL_ANY,
    /* Leaves. */
    CELL_PROMISE,
    CELL_TIMER,
    CELL_UNITS, /* waits for units of a semaphore */
};

enum cell_state {
    CELL_FREE,
    CELL_SLEEP,
    CELL_QUEUED,  /* its input is in val */
    CELL_RUNNING, /* its handler is on the stack */
    CELL_READY,   /* its outcome is in val, and nobody has asked yet */
    CELL_OVER,    /* called off; kept until the walk that did it is at its end */
};

enum cell_flag {
    CELL_LINK = 1,     /* out is a pass that this cell resolves */
    CELL_DETACHED = 2, /* nobody waits; a failure is counted */
    CELL_DROPPED = 4,  /* nobody waits, nobody cares */
    /*
     * A cancel that found an outcome on its way. It moves up with that outcome, until a handler
     * would sleep: then what that handler waits for is called off, and the mark is spent.
     */
    CELL_CANCEL = 8,
    CELL_CANCELED_ABOVE = 16, /* join, timeout: the walk of a cancel has passed here */
    /* join: some source was called off; any: the losers were, by the winner. */
    CELL_SOURCE_CANCELED = 32,
    CELL_EXPIRED = 64, /* timeout: it was time that called the source off */
    CELL_YIELDED = 64, /* repeat: queued for want of budget, not for an outcome */
};

struct weir_cell {
    alignas(64) uint8_t kind;
    uint8_t state;
    uint8_t flags;
    uint8_t stage; /* tap: the next one to run */
    uint16_t gen;  /* counted up when the cell is freed: an old promise does not fit any more */
    uint16_t held; /* tap: events that wait */
    union {
        struct {
            weir_fn fn;
            void *ctx;
        } handler; /* of a repeat: the body */
        struct {
            void (*fn)(void *arg); /* NULL: the producer cannot be called off */
            void *arg;
        } forget;                /* promise */
        struct wheel_node timer; /* timer, timeout */
        struct {
            weir_fut *results; /* NULL: not wanted */
            uint32_t left;     /* legs that have not come home */
            uint32_t which;    /* all: the lowest index that failed */
        } join;
        struct {
            struct weir_cell *next; /* leg of the same join */
            uint32_t index;
        } leg;
        struct {
            struct weir_tap *tap;
            void *ctx;
        } tap;
        struct {
            struct weir_cell *next, **pprev; /* in the semaphore's list */
        } wait;
    };
    union {
        struct weir_cell *out;       /* who waits for this cell; a leg's join */
        struct weir_held *held_last; /* tap: the events that wait, a ring */
    };
    union {
        struct weir_cell *src;  /* what this cell waits for; a join's first leg */
        struct weir_cell *next; /* in the free list, the run queue, a list of cells called off */
    };
    const char *site;
    union {
        weir_fut val; /* queued: input. ready: outcome. join: the outcome so far */
        struct {
            uint64_t deadline, number;
        } due; /* timer, timeout, while asleep */
        struct {
            uint64_t units;
            struct weir_sem *sem;
        } want;                     /* units, while asleep */
        struct weir_cell *next_leg; /* leg, while asleep: the next to be called off */
    };
};
static_assert(sizeof(struct weir_cell) == 64, "a cell is one cache line");

static inline struct weir_cell *
cell_of(weir_fut f)
{
    return (struct weir_cell *)(uintptr_t)weir_fut_low(f);
}

static inline weir_fut
cell_future(struct weir_cell *cell)
{
    return weir_fut_make((uintptr_t)cell, 0);
}

/* ---- the pool (cell.c) ---- */

/* Make some more cells. @return false: there is no memory, or max_cells are made. */
bool cells_grow(struct weir_core *core);

/* Make sure that the next @n calls of cell_new() succeed. */
bool cells_reserve(struct weir_core *core, unsigned n);

void cells_free_all(struct weir_core *core);

/* The cell at a place in the core's slabs, by its number; NULL behind the last. */
struct weir_cell *cells_at(const struct weir_core *core, uint64_t number);

bool cells_own(const struct weir_core *core, const struct weir_cell *cell);

#ifdef WEIR_DEBUG_FUTURES
#define CELL_DEBUG 1
void cell_poison(struct weir_cell *cell);
void cell_check_poison(struct weir_core *core, const struct weir_cell *cell);
#else
#define CELL_DEBUG                    0
#define cell_poison(cell)             ((void)0)
#define cell_check_poison(core, cell) ((void)0)
#endif

/* @return a sleeping cell without handler, out and src; NULL: there is no memory. */
static inline struct weir_cell *
cell_new(struct weir_core *core, enum cell_kind kind, const char *site)
{
    struct weir_cell *cell = core->free;

    if (WEIR_UNLIKELY(cell == NULL)) {
        if (!cells_grow(core))
            return NULL;
        cell = core->free;
    }
    cell_check_poison(core, cell);
    core->free = cell->next;
    core->stats.live++;
    cell->kind = (uint8_t)kind;
    cell->state = CELL_SLEEP;
    cell->flags = 0;
    cell->out = NULL;
    cell->src = NULL;
    cell->site = site;
    return cell;
}

static inline void
cell_free(struct weir_core *core, struct weir_cell *cell)
{
    cell_poison(cell);
    cell->state = CELL_FREE;
    cell->gen++;
    cell->next = core->free;
    core->free = cell;
    core->stats.live--;
}

/* ---- the run queue ---- */

static inline void
queue_push(struct weir_core *core, struct weir_cell *cell)
{
    cell->state = CELL_QUEUED;
    cell->next = NULL;
    *core->ready.last = cell;
    core->ready.last = &cell->next;
}

static inline void
queue_push_front(struct weir_core *core, struct weir_cell *cell)
{
    cell->state = CELL_QUEUED;
    cell->next = core->ready.first;
    if (cell->next == NULL)
        core->ready.last = &cell->next;
    core->ready.first = cell;
}

/* ---- strands (future.c) ---- */

/* Hand an outcome to a cell that waits; the caller queues or runs it. */
static inline void
deliver(struct weir_cell *waiter, weir_fut outcome)
{
    /* val holds a timer's deadline while it is filed. */
    if (WEIR_UNLIKELY(waiter->kind == CELL_TIMEOUT))
        wheel_remove(&waiter->timer);
    waiter->val = outcome;
    waiter->src = NULL;
}

/*
 * Resolve a cell. It is freed, unless somebody may still ask for its outcome.
 * @return who waited for it and may run now; NULL: nobody.
 */
struct weir_cell *settle(struct weir_core *core, struct weir_cell *cell, weir_fut outcome);

/* As settle(), with the waiter queued. */
void settle_later(struct weir_core *core, struct weir_cell *cell, weir_fut outcome);

/* Let @waiter wait for @source, which sleeps and for which nobody waits yet. */
void attach(struct weir_core *core, struct weir_cell *waiter, struct weir_cell *source);

/* Whether @f sleeps and has no outcome yet, which weir_poll() would find. */
bool is_unresolved(weir_fut f);

/* A wait has no cell: cancel its source. @return its failure. */
weir_fut give_up(struct weir_core *core, weir_fut source);

/* ---- cancelling (cancel.c) ---- */

/*
 * Call off what @cell waits for; if an outcome is on its way there, leave the mark CELL_CANCEL
 * with it. Queues handlers and runs none, but calls the producers' forget functions.
 */
void call_off(struct weir_core *core, struct weir_cell *cell);

/* The same for all legs of a join that have not come home. */
void call_off_legs(struct weir_core *core, struct weir_cell *join);

static inline weir_fut
canceled(void)
{
    return weir_fail(WEIR_E_CANCELED, "cancelled");
}

/* ---- what cells of the library do with their input: @return who may run next, or NULL ---- */

struct weir_cell *repeat_run(struct weir_core *core, struct weir_cell *cell, weir_fut in);
struct weir_cell *leg_run(struct weir_core *core, struct weir_cell *leg, weir_fut in);
struct weir_cell *timeout_run(struct weir_core *core, struct weir_cell *cell, weir_fut in);
void tap_run(struct weir_core *core, struct weir_cell *sleeper, weir_fut in);

/* Let those have their units for whom there are enough (sem.c). */
void sem_serve(struct weir_core *core, struct weir_sem *sem);
void sem_leave(struct weir_cell *cell);

/* ---- debug builds (debug.c) ---- */

/* Report @format and abort: an app has broken the rules. */
void broken_rule(const struct weir_core *core, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
void report_line(const struct weir_core *core, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef WEIR_DEBUG_FUTURES
void debug_check_owner(const struct weir_core *core, const struct weir_cell *cell);
void debug_check_source(const struct weir_core *core, const struct weir_cell *source);
/* Take a cell drawn by chance out of the queue, which is not empty. */
struct weir_cell *debug_queue_pop(struct weir_core *core);
/*
 * When a handler was called: nanoseconds of the clock and of this thread's work, waits of its own.
 */
struct debug_time {
    uint64_t ns, cpu_ns, waits;
};
struct debug_time debug_clock(void);
void debug_check_stall(const struct weir_core *core, struct debug_time since, const char *what,
                       const char *site);
#else
struct debug_time {
    char none;
};
#define debug_check_owner(core, cell)              ((void)0)
#define debug_check_source(core, cell)             ((void)0)
#define debug_queue_pop(core)                      ((struct weir_cell *)NULL)
#define debug_clock()                              ((struct debug_time){ 0 })
#define debug_check_stall(core, since, what, site) ((void)(core), (void)(since), (void)(site))
#endif

/* Debug builds with a seed run handlers late and in any order. */
static inline bool
shuffles(const struct weir_core *core)
{
    return CELL_DEBUG && core->random != 0;
}

#endif
