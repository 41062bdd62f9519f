/* The thread of a log: empties the rings of all cores into the kernel. */
#include "file/log.h"

#include <errno.h>
#include <time.h>

enum {
    MOST_PIECES = 512,      /* records a write */
    MOST_BYTES = 256 << 10, /* about so many a write: the ring gets its room back bit by bit */
    BUSY_BYTES = 64 << 10,  /* after so many there will be more: no nap */
    LEAST_NAP_NS = 2000000, /* records gather meanwhile: what waits for them wakes it */
    MOST_NAP_NS = 10000000, /* so long a record may lie there before it is seen */
    LEAST_BACKOFF_NS = 10000000,
    MOST_BACKOFF_NS = 1000000000,
};

static uint64_t
clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- records that are over ------------------------------------------------------------------ */

static void
answer(struct log_end *end, uint32_t kind, enum log_code code)
{
    if (kind == RECORD_PLAIN)
        return;
    if (kind == RECORD_ON_DISK && code == LOG_DONE) {
        code = LOG_TO_SYNC;
        end->to_sync = true;
    }
    end->codes[end->reached++ & end->mask] = (uint8_t)code;
}

static uint64_t
head_of(const struct log_end *end)
{
    return atomic_load_explicit(&end->ring.head, memory_order_relaxed);
}

/* Let the core see what is over, unless some of it has yet to come to the disk. */
static void
publish(struct log_end *end)
{
    if (!end->to_sync)
        atomic_store_explicit(&end->over, end->reached, memory_order_release);
}

/* Done with all before @head. Who sees its room again sees its answers, too. */
static void
release_to(struct weir_log *log, struct log_end *end, uint64_t head)
{
    log->moved += head - head_of(end);
    publish(end);
    records_release(&end->ring, head);
}

/* A flush has no bytes; what it waits for is over, one way or the other. */
static void
give_up(struct weir_log *log, struct log_end *end, const struct record *record)
{
    log_count(&log->counters.failed, record->n > 0);
    answer(end, record->kind,
           record->n == 0 && record->kind != RECORD_ON_DISK ? LOG_DONE : LOG_FAILED);
}

static void
give_up_all(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++) {
        struct log_end *end = &log->ends[i];
        const uint64_t tail = records_ready(&end->ring);
        uint64_t at = head_of(end);
        struct record record;

        for (; records_at(&end->ring, at, tail, &record); at = record.next)
            give_up(log, end, &record);
        end->part = 0;
        release_to(log, end, at);
    }
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void
note_error(struct weir_log *log, int error)
{
    log_count(&log->counters.errors, 1);
    atomic_store_explicit(&log->counters.last_errno, error, memory_order_relaxed);
}

/* The end whose first record the kernel has a part of; NULL: there is none. */
static struct log_end *
torn_end(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++)
        if (log->ends[i].part > 0)
            return &log->ends[i];
    return NULL;
}

/* The next write begins a record. */
static void
forget_torn(struct weir_log *log)
{
    struct log_end *torn = torn_end(log);

    if (torn != NULL)
        torn->part = 0;
}

/* @return whether what has been written ends with a whole record. */
static bool
mend_torn(struct weir_log *log)
{
    const struct log_end *torn = torn_end(log);

    if (torn == NULL)
        return true;
    if (!target_cut_back(&log->target, torn->part))
        return false;
    log_count(&log->counters.cut_back, 1);
    forget_torn(log);
    return true;
}

/* What its last reader has not read is gone with it: the next one begins with a record. */
static void
lose_reader(struct weir_log *log)
{
    if (log->target.fd < 0)
        return;
    log_count(&log->counters.reconnects, 1);
    target_close(&log->target);
    forget_torn(log);
}

static void
put_off(struct weir_log *log)
{
    log->broken = true;
    log->retry_at = clock_ns() + log->backoff;
    log->backoff = log->backoff * 2 < MOST_BACKOFF_NS ? log->backoff * 2 : MOST_BACKOFF_NS;
}

static void
on_error(struct weir_log *log, int error)
{
    const bool lost = target_is_lost(&log->target, error);
    /* That no reader has come yet ends nothing. */
    const bool ends = log->opts.final && !(lost && log->target.fd < 0);
    bool whole;

    note_error(log, error);
    if (lost)
        lose_reader(log);
    whole = mend_torn(log);
    if (ends)
        atomic_store_explicit(&log->ended, true, memory_order_release);
    if (ends || (whole && log->opts.full == WEIR_LOG_DROP))
        give_up_all(log);
    put_off(log);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int
gather(const struct weir_log *log, const struct log_end *end, uint64_t limit,
       struct iovec iov[MOST_PIECES])
{
    const int most = log->target.datagrams ? 1 : MOST_PIECES;
    size_t skip = end->part, bytes = 0;
    struct record record;
    int n = 0;

    for (uint64_t at = head_of(end); n < most && bytes < MOST_BYTES; at = record.next) {
        if (!records_at(&end->ring, at, limit, &record))
            break;
        if (record.n == 0)
            continue;
        iov[n++] = (struct iovec){ record.p + skip, record.n - skip };
        bytes += record.n - skip;
        skip = 0;
    }
    return n;
}

/* The kernel has taken @n more bytes. */
static void
account(struct weir_log *log, struct log_end *end, uint64_t limit, size_t n)
{
    uint64_t at = head_of(end), records = 0;
    struct record record;

    log_count(&log->counters.bytes, n);
    log->target.end += (off_t)n;
    while (records_at(&end->ring, at, limit, &record)) {
        const size_t left = record.n - end->part;

        if (left > n) {
            end->part += n;
            break;
        }
        n -= left;
        end->part = 0;
        records += record.n > 0;
        answer(end, record.kind, LOG_DONE);
        at = record.next;
    }
    log_count(&log->counters.records, records);
    log->moved += end->part;
    release_to(log, end, at);
}

/* A datagram that the socket will never take is given up alone. */
static void
give_up_first(struct weir_log *log, struct log_end *end, uint64_t limit)
{
    uint64_t at = head_of(end);
    struct record record;

    while (records_at(&end->ring, at, limit, &record)) {
        at = record.next;
        if (record.n > 0) {
            give_up(log, end, &record);
            break;
        }
        answer(end, record.kind, LOG_DONE);
    }
    release_to(log, end, at);
}

/* @return whether to go on. */
static bool
on_refusal(struct weir_log *log, struct log_end *end, uint64_t limit, int error)
{
    if (error == EINTR)
        return true;
    if (error == EAGAIN || error == ENOBUFS) {
        log->stalled = true;
        return false;
    }
    if (error == EMSGSIZE && log->target.datagrams) {
        note_error(log, error);
        give_up_first(log, end, limit);
        return true;
    }
    on_error(log, error);
    return false;
}

/* Who waits for room need not wait for the whole ring. If none is seen here, nap() tells. */
static void
tell_blocked(struct weir_log *log)
{
    if (atomic_load_explicit(&log->blocked, memory_order_relaxed) == 0)
        return;
    pthread_mutex_lock(&log->lock);
    pthread_cond_broadcast(&log->progress);
    pthread_mutex_unlock(&log->lock);
}

/* @return whether to go on. */
static bool
write_some(struct weir_log *log, struct log_end *end, uint64_t limit)
{
    struct iovec iov[MOST_PIECES];
    const int n = gather(log, end, limit, iov);
    const ssize_t written = n > 0 ? log->ops->write(log->ops_arg, log->target.fd, iov, n) : 0;

    if (written < 0 || (written == 0 && n > 0))
        return on_refusal(log, end, limit, written < 0 ? errno : EAGAIN);
    log_count(&log->counters.writes, n > 0);
    account(log, end, limit, (size_t)written);
    tell_blocked(log);
    log->backoff = LEAST_BACKOFF_NS;
    return true;
}

static bool
write_end(struct weir_log *log, struct log_end *end, bool to_the_cut)
{
    const uint64_t limit = to_the_cut ? atomic_load_explicit(&end->cut, memory_order_acquire)
                                      : records_ready(&end->ring);

    while ((int64_t)(limit - head_of(end)) > 0)
        if (!write_some(log, end, limit))
            return false;
    return true;
}

/* A torn record is finished before any other. @return whether all is written. */
static bool
write_all(struct weir_log *log, bool to_the_cut)
{
    struct log_end *torn = torn_end(log);

    if (torn != NULL && !write_end(log, torn, to_the_cut))
        return false;
    for (uint32_t i = 0; i < log->n_ends; i++)
        if (!write_end(log, &log->ends[i], to_the_cut))
            return false;
    return true;
}

/* ---- the disk -------------------------------------------------------------------------------- */

/* Pipes, sockets and terminals have no disk: the kernel is as far as it goes. */
static enum log_code
sync_target(struct weir_log *log)
{
    int rc;

    if (log->target.fd < 0)
        return LOG_DONE;
    do
        rc = log->ops->sync(log->ops_arg, log->target.fd);
    while (rc != 0 && errno == EINTR);
    if (rc == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP)
        return LOG_DONE;
    note_error(log, errno);
    return LOG_FAILED;
}

static void
answer_synced(struct log_end *end, enum log_code code)
{
    uint32_t k = atomic_load_explicit(&end->over, memory_order_relaxed);

    for (; k != end->reached; k++)
        if (end->codes[k & end->mask] == LOG_TO_SYNC)
            end->codes[k & end->mask] = (uint8_t)code;
    end->to_sync = false;
    publish(end);
}

static void
sync_ends(struct weir_log *log)
{
    bool any = false;
    enum log_code code;

    for (uint32_t i = 0; i < log->n_ends; i++)
        any |= log->ends[i].to_sync;
    if (!any)
        return;
    code = sync_target(log);
    for (uint32_t i = 0; i < log->n_ends; i++)
        answer_synced(&log->ends[i], code);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* @return whether there is something to write to. */
static bool
reach_target(struct weir_log *log)
{
    int error;

    if (log->broken && clock_ns() < log->retry_at)
        return false;
    log->broken = false;
    if (log->target.fd >= 0)
        return true;
    error = target_open(&log->target);
    if (error != 0)
        on_error(log, error);
    return error == 0;
}

static void
reopen(struct weir_log *log)
{
    struct target next = { .path = log->target.path, .fd = -1 };
    int error;

    /* Before the file is opened: who asks from now on may have moved it again. */
    atomic_store_explicit(&log->reopen, REOPEN_NONE, memory_order_release);
    if (next.path == NULL)
        return;
    sync_ends(log);
    error = target_open(&next);
    if (error != 0) {
        if (!log->broken)
            log_count(&log->counters.not_reopened, 1);
        note_error(log, error);
        return;
    }
    target_close(&log->target);
    log->target = next;
    forget_torn(log);
    log->broken = false;
    log_count(&log->counters.reopened, 1);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool
is_empty(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++)
        if (head_of(&log->ends[i]) != records_ready(&log->ends[i].ring))
            return false;
    return true;
}

/* Do what can be done now. @return bytes of the rings that are over. */
static uint64_t
look(struct weir_log *log)
{
    const bool reopens = atomic_load_explicit(&log->reopen, memory_order_acquire) == REOPEN_ASKED;
    const uint64_t before = log->moved;

    log->stalled = false;
    if (log_has_ended(log)) {
        give_up_all(log);
    } else if (reopens && log->broken) {
        reopen(log); /* perhaps the old one is full, and this is to help */
    } else if (reach_target(log) && write_all(log, reopens) && reopens) {
        reopen(log);
    }
    sync_ends(log);
    return log->moved - before;
}

/* Sleep, unless somebody is in a hurry. @return whether the log is being closed. */
static bool
nap(struct weir_log *log, uint64_t ns, bool progress)
{
    struct timespec until;
    bool closing;

    if (ns > 0 && log->stalled && log->target.fd >= 0) {
        target_wait(&log->target, (int)(ns / 1000000 + 1));
        ns = 0;
    }
    pthread_mutex_lock(&log->lock);
    if (progress)
        pthread_cond_broadcast(&log->progress);
    if (ns > 0 && !log->hurry && !(log->closing && !log->broken)) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)ns;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&log->wake, &log->lock, &until);
    }
    log->hurry = false;
    closing = log->closing;
    pthread_mutex_unlock(&log->lock);
    return closing;
}

void *
log_writer(void *arg)
{
    struct weir_log *log = arg;
    uint64_t ns = LEAST_NAP_NS, progress_at = 0;
    bool closing = false;

    for (;;) {
        const bool had_ended = log_has_ended(log);
        const uint64_t done = look(log);
        const bool progress = done > 0 || had_ended != log_has_ended(log);

        ns = progress ? LEAST_NAP_NS : ns * 2 < MOST_NAP_NS ? ns * 2 : MOST_NAP_NS;
        if (progress || !closing) /* what was written before the close may not have been seen yet */
            progress_at = clock_ns();
        if (closing && clock_ns() - progress_at > log->opts.linger_ms * UINT64_C(1000000))
            give_up_all(log);
        closing = nap(log, done >= BUSY_BYTES ? 0 : ns, progress);
        if (closing && is_empty(log))
            break;
    }
    look(log);
    return NULL;
}
