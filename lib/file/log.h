/*
 * A log from inside (weir/log.h is its face).
 *
 * A core's end of a log is a ring of records and, for those that somebody awaits, a row of
 * promises: the k-th awaited record of the ring is the k-th promise of the row. The log's thread
 * counts them as they are over, in their order, with a code each; the core reads the count when it
 * polls.
 *
 * One thread a log, not one for all: a FIFO whose reader stands still, or a disk that does, holds
 * up nobody else's records.
 */
#ifndef WEIR_FILE_LOG_H
#define WEIR_FILE_LOG_H

#include <weir/log.h>

#include "core/core.h"
#include "file/records.h"
#include "file/log_uring.h"
#include "file/target.h"

#include <pthread.h>

/* How an awaited record ended. */
enum log_code {
    LOG_DONE,
    LOG_FAILED,
    LOG_TO_SYNC, /* the kernel has it; it is not on disk yet */
};

/* A record, or a flush, that waits for room. */
struct waiting {
    struct weir_promise promise; /* cell NULL: called off */
    const void *p;
    size_t n;
    enum record_kind kind;
};

struct log_end {
    struct records ring;

    /* The core's. */
    alignas(64) struct core_poller poller;
    struct weir_log *log;
    struct weir_promise *promises; /* mask + 1 */
    uint32_t mask;
    uint32_t asked;          /* awaited records put into the ring so far */
    uint32_t answered;       /* of these, taken note of */
    struct waiting *waiting; /* waiting_mask + 1 */
    uint32_t waiting_mask, waiting_first, waiting_last;
    _Atomic uint64_t dropped, refused, waited;

    /* The log's thread's. */
    alignas(64) _Atomic uint32_t over; /* awaited records that are over, as the core may see */
    uint32_t reached;                  /* the same, those still to come to the disk included */
    bool to_sync;                      /* one of them is LOG_TO_SYNC */
    uint8_t *codes;                    /* enum log_code, mask + 1 */
    size_t part;                       /* bytes of the first record that the kernel has already */

    alignas(64) _Atomic uint64_t cut; /* weir_log_reopen(): what lies before goes to the old file */
    _Atomic bool taken;               /* by a core, or by log_take_end() */
};

enum log_reopen { REOPEN_NONE, REOPEN_BEING_ASKED, REOPEN_ASKED };

struct log_counters {
    _Atomic uint64_t records, bytes, writes, failed, errors, reconnects, cut_back, reopened,
        not_reopened;
    _Atomic int last_errno;
};

struct weir_log {
    struct log_end *ends;
    uint32_t n_ends;
    struct log_end *merged; /* of ends: what cores post in their order; NULL: there is one core */
    struct weir_log_opts opts;
    _Atomic bool ended; /* by an error, for good */
    _Atomic int reopen; /* enum log_reopen */

    /* The thread's. */
    alignas(64) struct target target;
    const struct target_ops *ops;
    void *ops_arg;
    struct uring *uring; /* NULL: not in use */
    bool broken;         /* the last try failed; the next comes at retry_at */
    bool stalled;        /* the other side takes no more for now */
    uint64_t retry_at;   /* monotonic ns */
    uint64_t backoff;    /* ns */
    uint64_t moved;      /* bytes of rings that are over */
    struct log_counters counters;

    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;      /* the thread: hurry or closing */
    pthread_cond_t progress;  /* those who block: something is over */
    bool hurry, closing;      /* under lock */
    _Atomic uint32_t blocked; /* how many wait for progress; written under lock */
};

/* As weir_log_open(), with other ways into the kernel. */
int log_open_with(const struct weir_log_opts *opts, const struct target_ops *ops, void *arg,
                  struct weir_log **out, struct weir_errbuf *err);

/* An end for a thread that has no core, for good; NULL: none is left. */
struct log_end *log_take_end(struct weir_log *log);

/* This core's end, taken now if need be; NULL: none is left, or no current core. */
struct log_end *log_end_here(struct weir_log *log);

/* As weir_log_wait_room(), for one end; WEIR_E_AGAIN after ns. */
int log_end_wait_room(struct log_end *end, size_t n, uint64_t ns);

/* As weir_log_drain(), for one end; WEIR_E_AGAIN after ns. */
int log_end_drain(struct log_end *end, uint64_t ns);

/* Block until over() or for ns. The log's thread hurries. @return whether it is over. */
bool log_block(struct weir_log *log, bool over(const void *arg), const void *arg, uint64_t ns);

/* The log's thread (writer.c). */
void *log_writer(void *log);

/*
 * In a replay: put a record into the log, in its turn among those of all cores; where there is no
 * room, block. @return WEIR_E_OK, WEIR_E_INVAL or WEIR_E_IO.
 */
int log_end_put(struct log_end *end, const void *p, size_t n);

/* In a replay: block until all that was put into the log before this is over. */
int log_end_catch_up(struct log_end *end);

/* Futures (log_future.c). */
extern const struct core_poller log_poller;

/* Block until no record waits for room, or for ns. @return false: some still do. */
bool log_end_feed(struct log_end *end, uint64_t ns);

/* The log's thread is gone: resolve what it left; records that still wait for room fail. */
void log_end_finish(struct log_end *end);

static inline struct log_end *
log_end_of(struct core_poller *poller)
{
    return (struct log_end *)(void *)((char *)poller - offsetof(struct log_end, poller));
}

/* Only one thread writes such a counter. */
static inline void
log_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline bool
log_has_ended(const struct weir_log *log)
{
    return atomic_load_explicit(&log->ended, memory_order_acquire);
}

#endif
