#include "file/log.h"

#include "core/order.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEAST_RING   4096
#define MOST_RING    (UINT32_C(1) << 30)
#define DEFAULT_RING (UINT32_C(1) << 20)
#define MOST_FUTURES (UINT32_C(1) << 20)
#define AN_HOUR      (UINT64_C(3600) * 1000000000)

/* ---- life ------------------------------------------------------------------------------------ */

static uint32_t
power_of_two(uint32_t n)
{
    uint32_t power = 1;

    while (power < n)
        power *= 2;
    return power;
}

/* @return false: something is out of bounds. */
static bool
set_options(struct weir_log *log, const struct weir_log_opts *opts)
{
    struct weir_log_opts *o = &log->opts;

    *o = *opts;
    o->path = NULL; /* copied; not ours to keep */
    o->cores = o->cores != 0 ? o->cores : 1;
    o->ring_size = o->ring_size != 0 ? o->ring_size : DEFAULT_RING;
    o->futures = o->futures != 0 ? o->futures : 4096;
    o->waiting = o->waiting != 0 ? o->waiting : o->futures < 1024 ? o->futures : 1024;
    o->linger_ms = o->linger_ms != 0 ? o->linger_ms : 1000;
    if (o->ring_size > MOST_RING || o->futures > MOST_FUTURES || o->waiting > o->futures ||
        o->cores > 4096 || (unsigned)o->full > WEIR_LOG_DROP)
        return false;
    o->ring_size = power_of_two(o->ring_size < LEAST_RING ? LEAST_RING : o->ring_size);
    return true;
}

static int
make_end(struct weir_log *log, struct log_end *end)
{
    const uint32_t promises = power_of_two(log->opts.futures);
    const uint32_t waiting = power_of_two(log->opts.waiting);

    end->log = log;
    end->poller = log_poller;
    end->mask = promises - 1;
    end->waiting_mask = waiting - 1;
    end->promises = calloc(promises, sizeof(*end->promises));
    end->codes = calloc(promises, 1);
    end->waiting = calloc(waiting, sizeof(*end->waiting));
    if (!records_init(&end->ring, log->opts.ring_size, true) || end->promises == NULL ||
        end->codes == NULL || end->waiting == NULL)
        return WEIR_E_NOMEM;
    return WEIR_E_OK;
}

static int
make_ends(struct weir_log *log)
{
    const uint32_t n = log->opts.cores > 1 ? log->opts.cores + 1 : 1;
    const size_t size = n * sizeof(*log->ends);
    int rc = WEIR_E_OK;

    log->ends = aligned_alloc(alignof(struct log_end), size);
    if (log->ends == NULL)
        return WEIR_E_NOMEM;
    memset(log->ends, 0, size);
    log->n_ends = n;
    for (uint32_t i = 0; i < log->n_ends && rc == WEIR_E_OK; i++)
        rc = make_end(log, &log->ends[i]);
    if (n > 1) {
        log->merged = &log->ends[n - 1];
        log->merged->taken = true;
    }
    return rc;
}

static void
free_log(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++) {
        records_free(&log->ends[i].ring);
        free(log->ends[i].promises);
        free(log->ends[i].codes);
        free(log->ends[i].waiting);
    }
    free(log->ends);
    uring_free(log->uring);
    target_close(&log->target);
    free(log->target.path);
    pthread_cond_destroy(&log->wake);
    pthread_cond_destroy(&log->progress);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static void
init_locks(struct weir_log *log)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&log->wake, &attr);
    pthread_cond_init(&log->progress, &attr);
    pthread_condattr_destroy(&attr);
}

/* What people call it. */
static const char *
name_of(const struct weir_log *log, char text[32])
{
    if (log->target.path != NULL)
        return log->target.path;
    if (log->opts.name != NULL)
        return log->opts.name;
    if (log->opts.fd == STDOUT_FILENO)
        return "standard output";
    snprintf(text, 32, "descriptor %d", log->opts.fd);
    return text;
}

static int
open_target(struct weir_log *log, const char *path, struct weir_errbuf *err)
{
    char name[32];
    int error;

    log->target.fd = path != NULL ? -1 : log->opts.fd;
    if (path != NULL && (log->target.path = strdup(path)) == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", path);
    error = target_open(&log->target);
    if (error == 0 || target_is_lost(&log->target, error))
        return WEIR_E_OK;
    return weir_err_set(err, error == EACCES ? WEIR_E_PERM : WEIR_E_IO, "%s: %s",
                        name_of(log, name), strerror(error));
}

/* The thread takes no signals: SIGPIPE and SIGXFSZ become errors, the others are the program's. */
static int
start_thread(struct weir_log *log)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&log->thread, NULL, log_writer, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    log->started = error == 0;
    return error == 0 ? WEIR_E_OK : WEIR_E_NOMEM;
}

/* What cannot be had is done without; err tells. */
static void
set_up_uring(struct weir_log *log, struct weir_errbuf *err)
{
    char name[32];
    int error;

    log->uring = uring_new(&error);
    if (log->uring == NULL) {
        (void)weir_err_set(err, WEIR_E_UNSUPPORTED, "%s: no io_uring: %s", name_of(log, name),
                           strerror(error));
        return;
    }
    log->ops = &target_uring;
    log->ops_arg = log->uring;
}

int
log_open_with(const struct weir_log_opts *opts, const struct target_ops *ops, void *arg,
              struct weir_log **out, struct weir_errbuf *err)
{
    struct weir_log *log = aligned_alloc(alignof(struct weir_log), sizeof(*log));
    int rc;

    *out = NULL;
    if (log == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory for a log");
    memset(log, 0, sizeof(*log));
    init_locks(log);
    log->ops = ops;
    log->ops_arg = arg;
    log->target.fd = -1;
    log->backoff = 1;
    if (!set_options(log, opts))
        rc = weir_err_set(err, WEIR_E_INVAL, "a size of the log is out of bounds");
    else
        rc = open_target(log, opts->path, err);
    if (rc == WEIR_E_OK && opts->uring)
        set_up_uring(log, err);
    if (rc == WEIR_E_OK && (make_ends(log) != WEIR_E_OK || start_thread(log) != WEIR_E_OK))
        rc = weir_err_set(err, WEIR_E_NOMEM, "out of memory for a log");
    if (rc == WEIR_E_OK)
        *out = log;
    else
        free_log(log);
    return rc;
}

int
weir_log_open(const struct weir_log_opts *opts, struct weir_log **out, struct weir_errbuf *err)
{
    return log_open_with(opts, &target_plain, NULL, out, err);
}

/* Let records that wait for room have it, while there is a thread to make some. */
static void
feed_all(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++)
        if (log->ends[i].poller.core != NULL)
            (void)log_end_feed(&log->ends[i], log->opts.linger_ms * UINT64_C(1000000));
}

/* Resolve what the thread has left, with each core as the current one. */
static void
let_go_of_cores(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++) {
        struct core_poller *poller = &log->ends[i].poller;
        struct weir_core *core = poller->core, *before;

        if (core == NULL)
            continue;
        before = weir_core_enter(core);
        log_end_finish(&log->ends[i]);
        poller->core_ends(poller);
        weir_core_enter(before);
    }
}

/* A log that the first error has ended has lost all that came later; any other knows how many. */
static int
tell_lost(const struct weir_log *log, const struct weir_log_stats *stats, struct weir_errbuf *err)
{
    const char *why = stats->last_errno != 0 ? strerror(stats->last_errno)
                                             : "its reader takes no more";
    char name[32];

    if (log_has_ended(log))
        return weir_err_set(err, WEIR_E_IO, "%s: %s", name_of(log, name), why);
    return weir_err_set(err, WEIR_E_IO, "%s: %s: %llu records were lost", name_of(log, name), why,
                        (unsigned long long)stats->failed);
}

int
weir_log_close(struct weir_log *log, struct weir_errbuf *err)
{
    struct weir_log_stats stats;
    int rc = WEIR_E_OK;

    if (log == NULL)
        return WEIR_E_OK;
    feed_all(log);
    pthread_mutex_lock(&log->lock);
    log->closing = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    let_go_of_cores(log);
    weir_log_get_stats(log, &stats);
    if (stats.failed > 0 || log_has_ended(log))
        rc = tell_lost(log, &stats, err);
    free_log(log);
    return rc;
}

/* ---- ends ------------------------------------------------------------------------------------ */

struct log_end *
log_take_end(struct weir_log *log)
{
    for (uint32_t i = 0; i < log->n_ends; i++)
        if (!atomic_exchange_explicit(&log->ends[i].taken, true, memory_order_acq_rel))
            return &log->ends[i];
    return NULL;
}

/*
 * In a replay of several cores each needs a ring, or else it would depend on their speed who gets
 * one; and there has to be one in which they are put in order.
 */
static bool
has_too_few(const struct weir_log *log, const struct weir_core *core)
{
    return core->order != NULL && (log->merged == NULL || log->n_ends - 1 < core->order->order->n);
}

static __attribute__((noinline)) struct log_end *
take_end_for(struct weir_log *log, struct weir_core *core)
{
    struct log_end *end = has_too_few(log, core) ? NULL : log_take_end(log);

    if (end != NULL)
        core_add_poller(core, &end->poller);
    return end;
}

struct log_end *
log_end_here(struct weir_log *log)
{
    struct weir_core *core = core_current;

    if (WEIR_UNLIKELY(core == NULL))
        return NULL;
    for (struct core_poller *p = core->pollers; p != NULL; p = p->next)
        if (p->poll == log_poller.poll && log_end_of(p)->log == log)
            return log_end_of(p);
    return take_end_for(log, core);
}

/* ---- records nobody waits for ---------------------------------------------------------------- */

/* Whether a record of n bytes can ever be put into the rings that it goes through. */
static bool
fits(const struct log_end *end, size_t n)
{
    const struct order_end *order = core_current->order;

    return n <= records_longest(&end->ring) && (order == NULL || n <= order_longest(order));
}

/* Why a record of n bytes cannot be put into the ring; counts it. */
static __attribute__((noinline)) int
refuse(struct log_end *end, size_t n)
{
    if (end == NULL || !fits(end, n))
        return WEIR_E_INVAL;
    log_count(&end->dropped, 1);
    return log_has_ended(end->log) ? WEIR_E_IO : WEIR_E_LIMIT;
}

/* Room in the ring; NULL: refuse() says why. Records that wait for room are not overtaken. */
static inline uint8_t *
room(struct log_end *end, size_t n)
{
    if (WEIR_UNLIKELY(end == NULL || n > records_longest(&end->ring) ||
                      end->waiting_first != end->waiting_last || log_has_ended(end->log)))
        return NULL;
    return records_reserve(&end->ring, n);
}

int
weir_log_append(struct weir_log *log, const void *p, size_t n)
{
    struct log_end *end = log_end_here(log);
    uint8_t *to;

    if (end != NULL && core_current->replays)
        return log_end_put(end, p, n);
    to = room(end, n);
    if (WEIR_UNLIKELY(to == NULL))
        return refuse(end, n);
    memcpy(to, p, n);
    records_commit(&end->ring, RECORD_PLAIN, n);
    return WEIR_E_OK;
}

void *
weir_log_reserve(struct weir_log *log, size_t n)
{
    struct log_end *end = log_end_here(log);
    uint8_t *to = room(end, n);

    if (to == NULL && end != NULL && core_current->replays && fits(end, n)) {
        while (!log_has_ended(log) && (to = room(end, n)) == NULL)
            (void)log_end_wait_room(end, n, AN_HOUR);
    }
    if (WEIR_UNLIKELY(to == NULL))
        (void)refuse(end, n);
    return to;
}

void
weir_log_commit(struct weir_log *log, size_t n)
{
    struct log_end *end = log_end_here(log);

    if (WEIR_UNLIKELY(core_current->order != NULL)) /* the room in its own ring was only lent */
        (void)log_end_put(end, records_reserved(&end->ring), n);
    else
        records_commit(&end->ring, RECORD_PLAIN, n);
}

/* ---- blocking -------------------------------------------------------------------------------- */

static void
deadline_in(uint64_t ns, struct timespec *at)
{
    clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_sec += (time_t)(ns / 1000000000);
    at->tv_nsec += (long)(ns % 1000000000);
    at->tv_sec += at->tv_nsec / 1000000000;
    at->tv_nsec %= 1000000000;
}

bool
log_block(struct weir_log *log, bool over(const void *arg), const void *arg, uint64_t ns)
{
    struct timespec until;
    int rc = 0;
    bool is_over;

    deadline_in(ns, &until);
    pthread_mutex_lock(&log->lock);
    atomic_fetch_add_explicit(&log->blocked, 1, memory_order_relaxed);
    while (!(is_over = over(arg)) && rc == 0) {
        log->hurry = true;
        pthread_cond_signal(&log->wake);
        rc = pthread_cond_timedwait(&log->progress, &log->lock, &until);
    }
    atomic_fetch_sub_explicit(&log->blocked, 1, memory_order_relaxed);
    pthread_mutex_unlock(&log->lock);
    return is_over;
}

struct until_head {
    const struct log_end *end;
    uint64_t head;
};

static bool
head_is_there(const void *arg)
{
    const struct until_head *until = arg;
    const uint64_t head = atomic_load_explicit(&until->end->ring.head, memory_order_acquire);

    return (int64_t)(head - until->head) >= 0 || log_has_ended(until->end->log);
}

static int
wait_for_head(struct log_end *end, uint64_t head, uint64_t ns)
{
    const struct until_head until = { end, head };

    if (!log_block(end->log, head_is_there, &until, ns))
        return WEIR_E_AGAIN;
    return log_has_ended(end->log) ? WEIR_E_IO : WEIR_E_OK;
}

int
log_end_wait_room(struct log_end *end, size_t n, uint64_t ns)
{
    struct records *r = &end->ring;
    const uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    const uint64_t to_end = r->size - (tail & r->mask), size = record_size(n);
    const uint64_t last = size > to_end ? tail + to_end + size : tail + size;

    if (n > records_longest(r))
        return WEIR_E_INVAL;
    if (!log_has_ended(end->log) && records_reach(r, last))
        return WEIR_E_OK;
    log_count(&end->waited, 1);
    return wait_for_head(end, last - r->size, ns);
}

int
log_end_drain(struct log_end *end, uint64_t ns)
{
    return wait_for_head(end, records_ready(&end->ring), ns);
}

int
weir_log_drain(struct weir_log *log)
{
    uint32_t i = 0;

    while (i < log->n_ends)
        if (log_end_drain(&log->ends[i], AN_HOUR) != WEIR_E_AGAIN)
            i++;
    return log_has_ended(log) ? WEIR_E_IO : WEIR_E_OK;
}

int
weir_log_wait_room(struct weir_log *log, size_t n)
{
    struct log_end *end = log_end_here(log);
    int rc;

    if (end == NULL)
        return WEIR_E_INVAL;
    while (!log_has_ended(log) && !log_end_feed(end, AN_HOUR))
        continue;
    do
        rc = log_end_wait_room(end, n, AN_HOUR);
    while (rc == WEIR_E_AGAIN);
    return rc;
}

/* ---- replays --------------------------------------------------------------------------------- */

/* Whatever weir_log_opts.full says, what has no room waits for it, and the thread with it. */
static void
put(struct log_end *end, const void *p, size_t n)
{
    uint8_t *to = NULL;

    while (!log_has_ended(end->log) && (to = records_reserve(&end->ring, n)) == NULL)
        (void)log_end_wait_room(end, n, AN_HOUR);
    if (to == NULL) {
        log_count(&end->dropped, 1);
        return;
    }
    if (n > 0)
        memcpy(to, p, n);
    records_commit(&end->ring, RECORD_PLAIN, n);
}

/* A record's turn has come. */
static void
put_posted(void *ctx, const void *p, size_t n)
{
    put(((struct weir_log *)ctx)->merged, p, n);
}

int
log_end_put(struct log_end *end, const void *p, size_t n)
{
    struct order_end *order = core_current->order;

    if (!fits(end, n))
        return WEIR_E_INVAL;
    if (log_has_ended(end->log)) {
        log_count(&end->dropped, 1);
        return WEIR_E_IO;
    }
    if (order != NULL)
        order_post(order, put_posted, end->log, (struct piece_of_post){ p, n },
                   (struct piece_of_post){ NULL, 0 });
    else
        put(end, p, n);
    return WEIR_E_OK;
}

int
log_end_catch_up(struct log_end *end)
{
    struct order_end *order = core_current->order;
    int rc;

    if (order != NULL) {
        order_catch_up(order);
        end = end->log->merged != NULL ? end->log->merged : end;
    }
    do
        rc = log_end_drain(end, AN_HOUR);
    while (rc == WEIR_E_AGAIN);
    return rc;
}

/* ---- the rest -------------------------------------------------------------------------------- */

void
weir_log_reopen(struct weir_log *log)
{
    int none = REOPEN_NONE;

    if (!atomic_compare_exchange_strong(&log->reopen, &none, REOPEN_BEING_ASKED))
        return;
    for (uint32_t i = 0; i < log->n_ends; i++) {
        const uint64_t tail = atomic_load_explicit(&log->ends[i].ring.tail, memory_order_acquire);

        atomic_store_explicit(&log->ends[i].cut, tail, memory_order_release);
    }
    atomic_store_explicit(&log->reopen, REOPEN_ASKED, memory_order_release);
}

static uint64_t
read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void
weir_log_get_stats(const struct weir_log *log, struct weir_log_stats *out)
{
    const struct log_counters *c = &log->counters;

    *out = (struct weir_log_stats){
        .records = read_counter(&c->records),
        .bytes = read_counter(&c->bytes),
        .writes = read_counter(&c->writes),
        .failed = read_counter(&c->failed),
        .errors = read_counter(&c->errors),
        .reconnects = read_counter(&c->reconnects),
        .cut_back = read_counter(&c->cut_back),
        .reopened = read_counter(&c->reopened),
        .not_reopened = read_counter(&c->not_reopened),
        .uring = log->uring != NULL,
        .last_errno = atomic_load_explicit(&c->last_errno, memory_order_relaxed),
    };
    for (uint32_t i = 0; i < log->n_ends; i++) {
        const struct log_end *end = &log->ends[i];
        const uint64_t head = read_counter(&end->ring.head); /* first: it never passes the tail */

        out->held += read_counter(&end->ring.tail) - head;
        out->dropped += read_counter(&end->dropped);
        out->refused += read_counter(&end->refused);
        out->waited += read_counter(&end->waited);
    }
}
