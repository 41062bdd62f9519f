#include "cores.h"

#include "core/core.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    BUSY_POLLS = 64, /* of a queue without descriptor, in a row for nothing; then come pauses ... */
    POLL_NS = 30000, /* ... of so long */
    IDLE_MAX = 8,    /* wakes in a row for nothing; then ... */
    PAUSE_MS = 10,   /* ... comes a pause: an error that stays must not keep a core busy */
};

static const struct cores_sizes usual = { BATCH_MANY, 16, 8 << 20 };

/* ---- life ---------------------------------------------------------------------------------- */

static void
free_batch(struct batch *batch)
{
    free(batch->at);
    free(batch->all);
    free(batch->bytes);
}

/* one: there is one core, which takes all of it. */
static bool
make_batch(struct batch *batch, unsigned room, bool one)
{
    batch->room = room;
    batch->at = aligned_alloc(alignof(struct arrival), room * sizeof(*batch->at));
    if (one)
        batch->all = malloc(room * sizeof(*batch->all));
    else
        batch->bytes = malloc(BATCH_BYTES);
    if (batch->at == NULL || (batch->all == NULL && batch->bytes == NULL))
        return false;
    for (unsigned i = 0; i < room; i++)
        batch->at[i].plain = false;
    for (unsigned i = 0; i < room && one; i++)
        batch->all[i] = &batch->at[i];
    return true;
}

/* One for each slot, one for the reader, and one for each core's front end, which change places. */
static bool
make_batches(struct cores *c, const struct cores_sizes *sizes)
{
    const bool one = c->n == 1;
    const unsigned room = (one ? BATCH_ONE : sizes->batch) + BATCH_SPARE;

    c->n_slots = one ? 0 : sizes->batches;
    c->n_batches = c->n_slots + 1 + (one ? 0 : c->n);
    c->slot = calloc(c->n_batches, sizeof(struct batch *));
    c->batch = calloc(c->n_batches, sizeof(*c->batch));
    if (c->slot == NULL || c->batch == NULL) {
        c->n_batches = 0;
        return false;
    }
    for (unsigned i = 0; i <= c->n_slots; i++)
        if (!make_batch(&c->batch[i], room, one))
            return false;
    for (unsigned i = 0; i < c->n_slots; i++)
        c->slot[i] = &c->batch[1 + i];
    return true;
}

static bool
try_fronts(struct cores *c, struct batch *batch)
{
    c->front = aligned_alloc(alignof(struct front), c->n * sizeof(*c->front));
    c->watch = aligned_alloc(alignof(struct watch), c->n * sizeof(*c->watch));
    if (c->front == NULL || c->watch == NULL)
        return false;
    for (unsigned i = 0; i < c->n; i++)
        c->watch[i] = (struct watch){ .wake = -1 };
    for (unsigned i = 0; i < c->n; i++) {
        c->watch[i].wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (c->watch[i].wake < 0 || !make_batch(&batch[i], c->batch[0].room, false))
            return false;
        c->front[i] = (struct front){ .reader = &c->reader };
        front_begin(&c->front[i], &batch[i]);
    }
    return true;
}

static void
free_fronts(struct cores *c)
{
    for (unsigned i = 0; c->watch != NULL && i < c->n; i++)
        if (c->watch[i].wake >= 0)
            close(c->watch[i].wake);
    free(c->front);
    free(c->watch);
    c->front = NULL;
    c->watch = NULL;
}

/* What queues take, once. False: out of memory, or of descriptors. */
static bool
make_fronts(struct cores *c)
{
    struct batch *batch = &c->batch[1 + c->n_slots];

    if (c->front != NULL || try_fronts(c, batch))
        return true;
    free_fronts(c);
    for (unsigned i = 0; i < c->n; i++) {
        free_batch(&batch[i]);
        batch[i] = (struct batch){ .n = 0 };
    }
    return false;
}

static struct batch *hand_over(void *ctx, struct batch *full);

int
cores_new(struct engine *first, unsigned n, const struct cores_sizes *sizes, struct cores **out)
{
    struct cores *c;

    *out = NULL;
    if (n > MAX_CORES)
        return WEIR_E_LIMIT;
    if ((c = calloc(1, sizeof(*c))) == NULL)
        return WEIR_E_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->n = n;
    c->first = pthread_self();
    c->engine[0] = first;
    sizes = sizes != NULL ? sizes : &usual;
    c->order = n > 1 ? order_new(n, sizes->ring) : NULL;
    if (!make_batches(c, sizes) || (n > 1 && c->order == NULL)) {
        cores_free(c);
        return WEIR_E_NOMEM;
    }
    c->reader = (struct reader){ .opts = &first->opts,
                                 .hosts = first->hosts,
                                 .secret = first->secret,
                                 .by_vlan = !first->opts.no_vlan,
                                 .n_cores = n,
                                 .in_line = first->outlet.send != NULL,
                                 .only = n == 1 ? first : NULL,
                                 .batch = &c->batch[0],
                                 .hand_over = hand_over,
                                 .ctx = c };
    *out = c;
    return WEIR_E_OK;
}

/* Under the lock. */
static void
note_change(struct cores *c)
{
    pthread_cond_broadcast(&c->changed);
}

static void
stop_threads(struct cores *c)
{
    pthread_mutex_lock(&c->lock);
    c->quit = true;
    note_change(c);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->n_threads; i++)
        pthread_join(c->thread[i], NULL);
}

void
cores_free(struct cores *c)
{
    if (c == NULL)
        return;
    stop_threads(c);
    for (unsigned i = 1; i < c->n; i++)
        engine_free(c->engine[i]);
    order_free(c->order);
    reader_free(&c->reader);
    free_fronts(c);
    for (unsigned i = 0; i < c->n_batches; i++)
        free_batch(&c->batch[i]);
    free(c->batch);
    free(c->slot);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- batches ------------------------------------------------------------------------------- */

/* There is something to do for those, too, who wait for their queues. Under the lock. */
static void
call_all(struct cores *c)
{
    const uint64_t one = 1;

    note_change(c);
    for (unsigned i = 0; c->parallel && i < c->source->queues; i++) {
        if (!c->watch[i].waits)
            continue;
        c->watch[i].waits = false;
        (void)!write(c->watch[i].wake, &one, sizeof(one));
    }
}

static uint64_t
done_by_all(const struct cores *c)
{
    uint64_t least = c->published;

    for (unsigned i = 0; i < c->n; i++)
        if (c->done[i] < least)
            least = c->done[i];
    return least;
}

/* Take the next batch, with the lock given back meanwhile. False: there is none. */
static bool
take_next(struct cores *c, unsigned core)
{
    struct batch *batch = c->slot[c->done[core] % c->n_slots];

    if (c->done[core] == c->published)
        return false;
    pthread_mutex_unlock(&c->lock);
    engine_take(c->engine[core], batch);
    order_pass(order_end(c->order, core), &batch->next);
    (void)order_run(c->order);
    pthread_mutex_lock(&c->lock);
    c->done[core]++;
    note_change(c);
    return true;
}

static void
take_or_wait(struct cores *c, unsigned core)
{
    if (!take_next(c, core))
        pthread_cond_wait(&c->changed, &c->lock);
}

static bool
is_full(const struct cores *c)
{
    return c->published - done_by_all(c) == c->n_slots;
}

/* There is room. Returns a batch that all have done. */
static struct batch *
publish(struct cores *c, struct batch *full)
{
    struct batch **slot = &c->slot[c->published % c->n_slots], *done = *slot;

    *slot = full;
    c->published++;
    call_all(c);
    return done;
}

static struct batch *
hand_over(void *ctx, struct batch *full)
{
    struct cores *c = ctx;
    struct batch *next = full;

    if (c->n == 1) {
        engine_take(c->engine[0], full);
    } else {
        pthread_mutex_lock(&c->lock);
        while (is_full(c))
            take_or_wait(c, c->reads);
        next = publish(c, full);
        pthread_mutex_unlock(&c->lock);
    }
    reader_recycle(&c->reader, next);
    return next;
}

/* ---- queues -------------------------------------------------------------------------------- */

/*
 * The reader is this core's alone, and nobody commits. Under the lock, which is given back while it
 * waits, and in the end.
 */
static void
enter(struct cores *c, unsigned core)
{
    while (c->reading)
        take_or_wait(c, core);
    c->reading = true;
    c->reads = core;
    pthread_mutex_unlock(&c->lock);
}

/* What the reader has goes before; the lock is taken again. */
static void
leave(struct cores *c)
{
    reader_flush(&c->reader);
    pthread_mutex_lock(&c->lock);
    c->reading = false;
    note_change(c);
}

/* The first core lets the others go on. */
static void
release(struct cores *c)
{
    if (!c->held)
        return;
    c->held = false;
    leave(c);
    pthread_mutex_unlock(&c->lock);
}

/* Of the packets that this core commits then: nobody else's come between. Under the lock. */
static void
pass_ticks(struct cores *c, unsigned core, uint64_t time)
{
    enter(c, core);
    reader_reach(&c->reader, time);
    reader_flush(&c->reader);
    pthread_mutex_lock(&c->lock);
    while (is_full(c))
        take_or_wait(c, core);
}

void
cores_commit(struct cores *c, unsigned core)
{
    struct front *f = &c->front[core];

    if (f->number == 0)
        return;
    if (core == 0)
        release(c);
    pthread_mutex_lock(&c->lock);
    while (c->reading || is_full(c))
        take_or_wait(c, core);
    if (f->first >= c->reader.tick_at)
        pass_ticks(c, core, f->first);
    front_stamp(f, &c->reader);
    f->batch = publish(c, f->batch);
    reader_recycle(&c->reader, f->batch);
    c->reading = false;
    pthread_mutex_unlock(&c->lock);
    front_begin(f, f->batch);
}

/* A fragment, and, as this takes long for one, the rest of its burst. */
static void
take_alone(struct cores *c, unsigned core, const struct weir_frame *frames, unsigned n)
{
    cores_commit(c, core);
    pthread_mutex_lock(&c->lock);
    enter(c, core);
    reader_take_burst(&c->reader, frames, n);
    c->reader.read_at = c->front[core].read_at;
    leave(c);
    pthread_mutex_unlock(&c->lock);
}

void
cores_take(struct cores *c, unsigned core, const struct weir_frame *frames, unsigned n,
           uint64_t read_at)
{
    struct front *f = &c->front[core];

    f->read_at = read_at;
    for (unsigned i = 0; i < n; i++) {
        enum front_result result = front_take(f, &frames[i]);

        if (result == FRONT_FULL) {
            cores_commit(c, core);
            result = front_take(f, &frames[i]);
        }
        if (result == FRONT_FRAGMENT) {
            take_alone(c, core, &frames[i], n - i);
            return;
        }
    }
}

/* Others may have had packets since. */
void
cores_pass_time(struct cores *c, unsigned core, uint64_t now)
{
    if (core == 0)
        release(c);
    pthread_mutex_lock(&c->lock);
    enter(c, core);
    if (now > c->reader.read_at) {
        reader_pass_time(&c->reader, now - c->reader.read_at);
        c->reader.read_at = now;
    }
    leave(c);
    pthread_mutex_unlock(&c->lock);
}

/* ---- threads ------------------------------------------------------------------------------- */

/*
 * Who reads reads some batches at once: cores that wake for each one sleep half of the time. But
 * the next packet of a stream may be long in coming, and all outputs wait for what this core has to
 * do.
 */
static bool
may_read_on(const struct cores *c)
{
    return !c->engine[0]->opts.live && !c->source->stream &&
           c->published - done_by_all(c) < c->n_slots / 2;
}

/* With the lock given back meanwhile. False: it is another core's to read, or there is nothing. */
static bool
read_some(struct cores *c, unsigned core)
{
    const struct source *source = c->source;
    bool more;

    if (source == NULL || c->parallel || c->reading || c->over ||
        ((source->stream || source->queues > 1) && core != 0))
        return false;
    c->reading = true;
    c->reads = core;
    do {
        pthread_mutex_unlock(&c->lock);
        more = source->pull(source->ctx);
        reader_flush(&c->reader);
        pthread_mutex_lock(&c->lock);
        note_change(c);
    } while (more && may_read_on(c));
    c->reading = false;
    c->over = !more;
    return true;
}

/*
 * The queue of this core, with the lock given back meanwhile. False: there was nothing in it, and
 * the run goes on, so that watch() sees what others did meanwhile; who waits for a change at the
 * end has to look again, for it may have missed some.
 */
static bool
read_queue(struct cores *c, unsigned core)
{
    const struct source *source = c->source;
    int n;

    if (!c->parallel || c->over || core >= source->queues)
        return false;
    c->pulls++;
    pthread_mutex_unlock(&c->lock);
    n = source->pull_queue(source->ctx, core);
    if (core == 0)
        release(c);
    pthread_mutex_lock(&c->lock);
    c->pulls--;
    c->watch[core].idle = n > 0 ? 0 : c->watch[core].idle + 1;
    c->over |= n < 0;
    if (c->over)
        call_all(c);
    return n != 0 || c->over;
}

/* Of several cores that read one takes, too, but not for ever. */
static bool
work(struct cores *c, unsigned core)
{
    bool took = false;

    if (!c->parallel)
        return take_next(c, core) || read_some(c, core);
    for (unsigned i = 0; i < c->n_slots && take_next(c, core); i++)
        took = true;
    return read_queue(c, core) || took;
}

/* Milliseconds until a tick has passed, which the first core sees to. */
static int
watch_ms(const struct cores *c, unsigned core)
{
    struct timespec now;

    if (core != 0)
        return MONITOR_WAIT_MS;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return c->reading ? 1
                      : reader_wait_ms(&c->reader,
                                       (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
                                       MONITOR_WAIT_MS);
}

/* How long, and for what. */
static void
wait_for_queue(struct watch *w, int fd, int ms)
{
    struct pollfd fds[2] = { { .fd = w->wake, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
    struct timespec most = { .tv_nsec = POLL_NS };
    uint64_t times;

    if (fd >= 0 && w->idle > IDLE_MAX) {
        fds[1].fd = -1;
        ms = PAUSE_MS;
    }
    if (fd >= 0)
        most = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    (void)ppoll(fds, 2, &most, NULL);
    if (fds[0].revents != 0)
        (void)!read(w->wake, &times, sizeof(times));
    if (fd >= 0 && fds[1].revents == 0)
        w->idle = 0;
}

/*
 * Nothing to take, and nothing in the queue: until there is. Under the lock, given back meanwhile.
 */
static void
watch(struct cores *c, unsigned core)
{
    struct watch *w = &c->watch[core];
    const int fd = c->source->queue_fd(c->source->ctx, core);
    int ms;

    if (c->done[core] < c->published || (fd < 0 && w->idle < BUSY_POLLS))
        return;
    ms = watch_ms(c, core);
    w->waits = true;
    pthread_mutex_unlock(&c->lock);
    wait_for_queue(w, fd, ms);
    pthread_mutex_lock(&c->lock);
    w->waits = false;
}

static void
rest(struct cores *c, unsigned core)
{
    if (c->parallel && !c->over && core < c->source->queues)
        watch(c, core);
    else
        pthread_cond_wait(&c->changed, &c->lock);
}

struct start {
    struct cores *c;
    unsigned core;
};

static void *
thread(void *arg)
{
    struct start start = *(struct start *)arg;
    struct cores *c = start.c;

    free(arg);
    pthread_mutex_lock(&c->lock);
    while (!c->quit)
        if (!work(c, start.core))
            rest(c, start.core);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static int
start_thread(struct cores *c, unsigned core)
{
    struct start *start = malloc(sizeof(*start));
    int error;

    if (start == NULL)
        return WEIR_E_NOMEM;
    *start = (struct start){ c, core };
    error = pthread_create(&c->thread[c->n_threads], NULL, thread, start);
    if (error != 0) {
        free(start);
        return WEIR_E_NOMEM;
    }
    c->n_threads++;
    return WEIR_E_OK;
}

/* Signals are the first core's, or the program's. */
static int
start_threads(struct cores *c)
{
    sigset_t all, before;
    int rc = WEIR_E_OK;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = c->n_threads + 1; i < c->n && rc == WEIR_E_OK; i++)
        rc = start_thread(c, i);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int
cores_start(struct cores *c, uint64_t time)
{
    int rc = WEIR_E_OK;

    for (unsigned i = 1; i < c->n && rc == WEIR_E_OK; i++)
        if (c->engine[i] == NULL)
            rc = engine_copy(c->engine[0], i, &c->engine[i]);
    for (unsigned i = 0; i < c->n && rc == WEIR_E_OK; i++) {
        c->engine[i]->order = c->order != NULL ? order_end(c->order, i) : NULL;
        if (!c->engine[i]->started)
            rc = engine_start(c->engine[i], time);
        if (rc == WEIR_E_OK && !c->engine[i]->opts.live)
            c->engine[i]->core->order = c->engine[i]->order;
    }
    if (rc == WEIR_E_OK)
        rc = reader_start(&c->reader);
    if (rc == WEIR_E_OK)
        rc = start_threads(c);
    c->started = rc == WEIR_E_OK;
    return rc;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* Live, handlers wake while no packet comes. */
static void
run_alone(struct cores *c, const struct source *source)
{
    bool more;

    do {
        more = source->pull(source->ctx);
        reader_flush(&c->reader);
        if (c->engine[0]->opts.live)
            weir_core_run(c->engine[0]->core, UINT32_MAX);
        if (c->engine[0]->opts.live && c->engine[0]->inl != NULL)
            inline_flush(c->engine[0]);
    } while (more);
}

/* Until the first packet, with which the other cores begin, there is one reader. Under the lock. */
static void
read_queues(struct cores *c)
{
    while (!c->over && !c->started)
        if (!work(c, 0))
            rest(c, 0);
    if (!c->over)
        c->parallel = true;
    note_change(c);
}

/* source: stays. */
void
cores_run(struct cores *c, const struct source *source)
{
    if (c->n == 1) {
        run_alone(c, source);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->source = source;
    c->over = false;
    note_change(c);
    if (source->queues > 1 && make_fronts(c))
        read_queues(c);
    while (!c->over || c->pulls > 0)
        if (!work(c, 0))
            rest(c, 0);
    c->parallel = false;
    c->source = NULL;
    pthread_mutex_unlock(&c->lock);
    c->reads = 0;
    cores_settle(c);
}

void
cores_flush(struct cores *c)
{
    reader_flush(&c->reader);
    if (c->n == 1)
        return;
    pthread_mutex_lock(&c->lock);
    while (take_next(c, 0))
        continue;
    pthread_mutex_unlock(&c->lock);
}

void
cores_settle(struct cores *c)
{
    if (c->parallel && !c->held) {
        pthread_mutex_lock(&c->lock);
        enter(c, 0);
        c->held = true;
    }
    reader_flush(&c->reader);
    if (c->n == 1)
        return;
    pthread_mutex_lock(&c->lock);
    while (done_by_all(c) < c->published)
        take_or_wait(c, c->reads);
    pthread_mutex_unlock(&c->lock);
    order_run_all(c->order);
}

void
cores_end(struct cores *c)
{
    reader_end(&c->reader);
    cores_settle(c);
    reader_forget(&c->reader);
}

/* ---- counters ------------------------------------------------------------------------------ */

uint64_t
cores_cpu_ns(const struct cores *c, unsigned core)
{
    struct timespec t;
    clockid_t clock;

    if (core > c->n_threads ||
        pthread_getcpuclockid(core == 0 ? c->first : c->thread[core - 1], &clock) != 0 ||
        clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- checksums ----------------------------------------------------------------------------- */

/* What all cores have seen. */
static bool
are_mostly_bad(const struct cores *c, unsigned sender)
{
    uint64_t good = 0, bad = 0;

    for (unsigned i = 0; i < c->n && c->engine[i] != NULL; i++) {
        good += c->engine[i]->senders[sender].good;
        bad += c->engine[i]->senders[sender].bad;
    }
    return bad * 5 > good + bad;
}

bool
cores_see_offload(const struct cores *c)
{
    bool any = false;

    for (unsigned i = 0; i < N_SENDERS && !any; i++)
        any = are_mostly_bad(c, i);
    return any;
}
