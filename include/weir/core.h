/**
 * @file
 * Cores: one thread's share of everything, nothing shared.
 *
 * A core owns the cells of its futures, a queue of handlers that may run, and timers. Calls on
 * futures and taps mean the thread's current core: the only thread-local there is.
 *
 * Threads: a core is used by one thread at a time.
 * Time:    a core's time is what weir_core_advance() says, packet time as a rule. No wall clock.
 */
#ifndef WEIR_CORE_H
#define WEIR_CORE_H

#include <weir/api.h>
#include <weir/error.h>

#include <stdint.h>

struct weir_core; /* opaque */
struct weir_tap_ops;

struct weir_core_opts {
    uint32_t id;        /**< for people and for messages between cores */
    uint32_t cells;     /**< cells to make at once; 0: 1024. A cell is 64 bytes */
    uint32_t max_cells; /**< never have more; 0: as many as there is memory for */
    uint64_t seed;     /**< debug builds: if not 0, handlers run late and in an order drawn by it */
    uint64_t stall_ns; /**< debug builds: report handlers that run longer; 0: 10 ms */

    /** Takes a line of a report (leaks, stalls), without newline. NULL: to standard error. */
    void (*report)(void *arg, const char *line);
    void *report_arg;
};

/** Counters of a core. All but `live` only grow. */
struct weir_core_stats {
    uint64_t live;      /**< cells in use now */
    uint64_t cells;     /**< cells made */
    uint64_t grown;     /**< times the pool grew; steady when warm */
    uint64_t ran;       /**< handlers run from the queue */
    uint64_t stale;     /**< promises resolved late or twice */
    uint64_t unhandled; /**< failures of detached futures */
    uint64_t no_memory; /**< waits given up because there was no cell */
};

/**
 * @param[in]  opts  copied; NULL for the defaults.
 * @param[out] out   freed with weir_core_free(); NULL on error.
 * @return WEIR_E_OK or WEIR_E_NOMEM.
 */
WEIR_API WEIR_MUST_USE int weir_core_new(const struct weir_core_opts *opts, struct weir_core **out);

/**
 * End a core. Handlers that did not run never will.
 *
 * @param core  NULL is allowed. If it is the current core, there is none afterwards.
 * @return the number of cells still in use; each is reported: where it was made, what it waits for.
 */
WEIR_API uint64_t weir_core_free(struct weir_core *core);

/** Make @p core (or none: NULL) this thread's current core. @return the one before. */
WEIR_API struct weir_core *weir_core_enter(struct weir_core *core);

/** @return this thread's current core, or NULL. */
WEIR_API struct weir_core *weir_core_current(void);

/**
 * Run queued handlers, with @p core as the current one.
 *
 * @param budget  stop after so many handlers and loop turns.
 * @return how many handlers ran; 0: the queue is empty, or this is called from one of them.
 */
WEIR_API unsigned weir_core_run(struct weir_core *core, unsigned budget);

/**
 * Set the core's time and resolve the timers that are due, in the order of their deadlines. Runs no
 * handler: what waits is queued for weir_core_run().
 *
 * @param now  nanoseconds; an earlier time than before is ignored.
 */
WEIR_API void weir_core_advance(struct weir_core *core, uint64_t now);

/** @return the core's time. */
WEIR_API uint64_t weir_core_now(const struct weir_core *core);

/** @return when the next timer is due; UINT64_MAX: there is none. */
WEIR_API uint64_t weir_core_next_timer(const struct weir_core *core);

/** @return the number given in weir_core_opts.id. */
WEIR_API uint32_t weir_core_id(const struct weir_core *core);

/** Copy the counters. Threads: the one that uses the core. */
WEIR_API void weir_core_get_stats(const struct weir_core *core, struct weir_core_stats *out);

/** Report all cells in use: where each was made, and what it waits for. @return how many. */
WEIR_API uint64_t weir_core_report(const struct weir_core *core);

/** Say who owns this core's taps. @p ops must outlive the core; NULL: events cannot wait. */
WEIR_API void
weir_core_set_tap_ops(struct weir_core *core, const struct weir_tap_ops *ops, void *arg);

#endif
