/* Futures of a log's records: made and resolved on the core that writes them. */
#include "file/log.h"
#include "future/cell.h"

#include <string.h>

/* Why a record ended badly. */
static weir_fut
no_ring(void)
{
    return weir_fail(WEIR_E_INVAL,
                     "the log has fewer rings than there are cores (weir_log_opts.cores)");
}

static weir_fut
outcome_of(enum log_code code)
{
    return code == LOG_DONE ? weir_ok(0) : weir_fail(WEIR_E_IO, "the log could not be written");
}

/* The record that is about to be committed has this promise. */
static inline void
await(struct log_end *end, struct weir_promise promise)
{
    struct weir_promise *to = &end->promises[end->asked++ & end->mask];

    /*
     * One by one: they have just been stored so, and together they could not be loaded from there.
     */
    to->cell = promise.cell;
    to->gen = promise.gen;
}

/* ---- records that wait for room -------------------------------------------------------------- */

static void
forget(void *arg)
{
    struct waiting *w = arg;

    w->promise.cell = NULL;
}

/* The oldest of those that wait goes into the ring. @return false: there is no room, or nobody. */
static bool
feed_one(struct log_end *end)
{
    struct waiting *w = &end->waiting[end->waiting_first & end->waiting_mask];
    uint8_t *to;

    if (end->waiting_first == end->waiting_last)
        return false;
    if (w->promise.cell == NULL) { /* called off: its bytes may be gone */
        end->waiting_first++;
        end->poller.asleep--;
        return true;
    }
    if ((to = records_reserve(&end->ring, w->n)) == NULL)
        return false;
    if (w->n > 0)
        memcpy(to, w->p, w->n);
    weir_promise_on_cancel(w->promise, NULL, NULL);
    await(end, w->promise);
    end->waiting_first++;
    records_commit(&end->ring, w->kind, w->n);
    return true;
}

static void
feed(struct log_end *end)
{
    while (feed_one(end))
        continue;
}

static weir_fut
wait_for_room(struct log_end *end, const struct waiting *w)
{
    struct waiting *slot = &end->waiting[end->waiting_last++ & end->waiting_mask];

    *slot = *w;
    end->poller.asleep++;
    log_count(&end->waited, w->n > 0);
    weir_promise_on_cancel(w->promise, forget, slot);
    return weir_future(w->promise);
}

/* ---- polling --------------------------------------------------------------------------------- */

/* Promises of a core that has ended since are all zero. */
static void
take_answers(struct log_end *end)
{
    const uint32_t over = atomic_load_explicit(&end->over, memory_order_acquire);

    while (end->answered != over) {
        const uint32_t k = end->answered++ & end->mask;

        if (end->promises[k].cell == NULL)
            continue;
        end->poller.asleep--;
        weir_resolve(end->promises[k], outcome_of(end->codes[k]));
    }
}

void
log_end_finish(struct log_end *end)
{
    take_answers(end);
    for (; end->waiting_first != end->waiting_last; end->waiting_first++) {
        const struct waiting *w = &end->waiting[end->waiting_first & end->waiting_mask];

        end->poller.asleep--;
        if (w->promise.cell == NULL)
            continue;
        log_count(&end->dropped, w->n > 0);
        weir_resolve(w->promise, outcome_of(LOG_FAILED));
    }
}

static void
poll_end(struct core_poller *poller)
{
    struct log_end *end = log_end_of(poller);

    take_answers(end);
    if (WEIR_UNLIKELY(end->waiting_first != end->waiting_last))
        feed(end);
}

static bool
all_answered(const void *arg)
{
    const struct log_end *end = arg;

    return atomic_load_explicit(&end->over, memory_order_acquire) == end->asked;
}

/* Whether there is room for the first of those that wait, or it was called off. */
static bool
can_feed(const void *arg)
{
    const struct log_end *end = arg;
    const struct waiting *w = &end->waiting[end->waiting_first & end->waiting_mask];
    const uint64_t head = atomic_load_explicit(&end->ring.head, memory_order_acquire);
    const uint64_t tail = atomic_load_explicit(&end->ring.tail, memory_order_relaxed);
    const uint64_t to_end = end->ring.size - (tail & end->ring.mask), size = record_size(w->n);

    return w->promise.cell == NULL ||
           tail + (size > to_end ? to_end : 0) + size - head <= end->ring.size;
}

bool
log_end_feed(struct log_end *end, uint64_t ns)
{
    struct weir_core *before = weir_core_enter(end->poller.core);
    bool over = true;

    for (feed(end); over && end->waiting_first != end->waiting_last; feed(end))
        over = log_block(end->log, can_feed, end, ns);
    weir_core_enter(before);
    return over;
}

static bool
wait_end(struct core_poller *poller, uint64_t ns)
{
    struct log_end *end = log_end_of(poller);

    return log_end_feed(end, ns) && log_block(end->log, all_answered, end, ns);
}

/* The next core to take this end must not be told of this one's records. */
static void
leave_end(struct core_poller *poller)
{
    struct log_end *end = log_end_of(poller);
    struct weir_core *before = weir_core_enter(poller->core);

    for (uint32_t k = end->answered; k != end->asked; k++) {
        struct weir_promise *promise = &end->promises[k & end->mask];

        if (promise->cell != NULL && (promise->cell->flags & CELL_DROPPED) != 0)
            weir_promise_break(*promise); /* called off: nobody has left anything behind */
        promise->cell = NULL;
    }
    end->waiting_first = end->waiting_last;
    poller->asleep = 0;
    weir_core_enter(before);
    core_remove_poller(poller);
    atomic_store_explicit(&end->taken, false, memory_order_release);
}

const struct core_poller log_poller = { .poll = poll_end,
                                        .wait = wait_end,
                                        .core_ends = leave_end };

/* ---- writing --------------------------------------------------------------------------------- */

/* There is no room: ready if this may wait for some. A flush always may. */
static __attribute__((noinline)) weir_fut
may_wait(struct log_end *end, size_t n)
{
    const bool waits = n == 0 || end->log->opts.full == WEIR_LOG_WAIT;

    if (log_has_ended(end->log)) {
        log_count(&end->dropped, n > 0);
        return weir_fail(WEIR_E_IO, "an error has ended the log");
    }
    if (waits && end->waiting_last - end->waiting_first < end->log->opts.waiting)
        return weir_ok(0);
    if (waits) {
        log_count(&end->refused, 1);
        return weir_fail(WEIR_E_LIMIT, "too many records wait for room in the log's ring");
    }
    log_count(&end->dropped, 1);
    return weir_fail(WEIR_E_LIMIT, "the log's ring is full");
}

static inline bool
has_promise_left(const struct log_end *end)
{
    const uint32_t waiting = end->waiting_last - end->waiting_first;

    return end->asked - end->answered + waiting < end->log->opts.futures;
}

static inline weir_fut
write_record(struct log_end *end, const void *p, size_t n, enum record_kind kind, const char *site)
{
    struct weir_promise promise;
    uint8_t *to = NULL;
    weir_fut may;

    if (WEIR_UNLIKELY(n > records_longest(&end->ring)))
        return weir_fail(WEIR_E_INVAL, "the record is too long for the log's ring");
    if (WEIR_UNLIKELY(!has_promise_left(end))) {
        log_count(&end->refused, 1);
        return weir_fail(WEIR_E_LIMIT, "too many futures of the log sleep");
    }
    if (WEIR_LIKELY(end->waiting_first == end->waiting_last && !log_has_ended(end->log)))
        to = records_reserve(&end->ring, n);
    if (WEIR_UNLIKELY(to == NULL) && !weir_is_ready(may = may_wait(end, n)))
        return may;
    promise = weir_promise_new_at(site);
    if (WEIR_UNLIKELY(promise.cell == NULL))
        return weir_future(promise);
    __builtin_prefetch(core_current->free, 1); /* the next record's: it has been asleep for long */
    if (WEIR_UNLIKELY(to == NULL))
        return wait_for_room(end,
                             &(struct waiting){ .promise = promise, .p = p, .n = n, .kind = kind });
    if (n > 0)
        memcpy(to, p, n);
    await(end, promise);
    end->poller.asleep++;
    records_commit(&end->ring, kind, n);
    return weir_future(promise);
}

/* ---- in a replay ----------------------------------------------------------------------------- */

/* Nobody can be told: ask for what is on disk, and block until it is. */
static enum log_code
sync_now(struct log_end *end)
{
    const uint32_t k = end->asked & end->mask;

    while (records_reserve(&end->ring, 0) == NULL)
        (void)log_end_wait_room(end, 0, UINT64_C(1000000000));
    await(end, (struct weir_promise){ .cell = NULL });
    records_commit(&end->ring, RECORD_ON_DISK, 0);
    while (!log_block(end->log, all_answered, end, UINT64_C(1000000000)))
        continue;
    take_answers(end);
    return end->codes[k];
}

/*
 * A record is over when it is in the log's ring, or in the queue of what cores post, so that
 * handlers go on at the same packet in every run; only the disk is waited for, by the thread.
 */
static __attribute__((noinline)) weir_fut
write_now(struct log_end *end, const void *p, size_t n, enum record_kind kind)
{
    int rc = p != NULL ? log_end_put(end, p, n) : WEIR_E_OK;

    if (rc == WEIR_E_OK && (p == NULL || kind == RECORD_ON_DISK))
        rc = log_end_catch_up(end);
    if (rc == WEIR_E_OK && kind == RECORD_ON_DISK)
        return outcome_of(sync_now(end));
    if (rc == WEIR_E_INVAL)
        return weir_fail(rc, "the record is too long for the log's ring");
    return rc == WEIR_E_OK ? weir_ok(0) : outcome_of(LOG_FAILED);
}

/* ---- the calls ------------------------------------------------------------------------------- */

weir_fut
weir_log_write_at(struct weir_log *log, const void *p, size_t n, const char *site)
{
    struct log_end *end = log_end_here(log);

    const enum record_kind kind = log->opts.on_disk ? RECORD_ON_DISK : RECORD_AWAITED;

    if (WEIR_UNLIKELY(end == NULL))
        return no_ring();
    if (WEIR_UNLIKELY(core_current->replays))
        return write_now(end, p, n, kind);
    return write_record(end, p, n, kind, site);
}

static weir_fut
flush(struct weir_log *log, enum record_kind kind, const char *site)
{
    struct log_end *end = log_end_here(log);

    if (end == NULL)
        return no_ring();
    return core_current->replays ? write_now(end, NULL, 0, kind)
                                 : write_record(end, NULL, 0, kind, site);
}

weir_fut
weir_log_flush_at(struct weir_log *log, const char *site)
{
    return flush(log, RECORD_AWAITED, site);
}

weir_fut
weir_log_sync_at(struct weir_log *log, const char *site)
{
    return flush(log, RECORD_ON_DISK, site);
}
