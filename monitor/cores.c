#include "cores.h"

#include "core/core.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct cores_sizes usual = { BATCH_MANY, 16, 8 << 20 };

/* ---- life ---------------------------------------------------------------------------------- */

static void
free_slots(struct cores *c)
{
    for (unsigned i = 0; i < c->n_slots; i++) {
        free(c->slot[i].at);
        free(c->slot[i].all);
        free(c->slot[i].bytes);
    }
    free(c->slot);
}

/* one: there is one core, which takes all of it. */
static bool
make_batch(struct batch *batch, unsigned room, bool one)
{
    batch->room = room;
    batch->at = malloc(room * sizeof(*batch->at));
    if (one)
        batch->all = malloc(room * sizeof(*batch->all));
    else
        batch->bytes = malloc(BATCH_BYTES);
    if (batch->at == NULL || (batch->all == NULL && batch->bytes == NULL))
        return false;
    for (unsigned i = 0; i < room && one; i++)
        batch->all[i] = &batch->at[i];
    return true;
}

static bool
make_slots(struct cores *c, const struct cores_sizes *sizes)
{
    const bool one = c->n == 1;
    const unsigned room = (one ? BATCH_ONE : sizes->batch) + BATCH_SPARE;

    c->n_slots = one ? 1 : sizes->batches;
    c->slot = calloc(c->n_slots, sizeof(*c->slot));
    if (c->slot == NULL) {
        c->n_slots = 0;
        return false;
    }
    for (unsigned i = 0; i < c->n_slots; i++)
        if (!make_batch(&c->slot[i], room, one))
            return false;
    return true;
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
    if (!make_slots(c, sizes) || (n > 1 && c->order == NULL)) {
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
                                 .batch = &c->slot[0],
                                 .hand_over = hand_over,
                                 .ctx = c };
    *out = c;
    return WEIR_E_OK;
}

static void
stop_threads(struct cores *c)
{
    pthread_mutex_lock(&c->lock);
    c->quit = true;
    pthread_cond_broadcast(&c->changed);
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
    free_slots(c);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- batches ------------------------------------------------------------------------------- */

/* Under the lock. */
static void
note_change(struct cores *c)
{
    pthread_cond_broadcast(&c->changed);
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
    struct batch *batch = &c->slot[c->done[core] % c->n_slots];

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

static struct batch *
hand_over(void *ctx, struct batch *full)
{
    struct cores *c = ctx;
    struct batch *next = full;

    if (c->n == 1) {
        engine_take(c->engine[0], full);
    } else {
        pthread_mutex_lock(&c->lock);
        c->published++;
        note_change(c);
        while (c->published - done_by_all(c) == c->n_slots)
            take_or_wait(c, c->reads);
        pthread_mutex_unlock(&c->lock);
        next = &c->slot[c->published % c->n_slots];
    }
    reader_recycle(&c->reader, next);
    return next;
}

/* ---- threads ------------------------------------------------------------------------------- */

/* Who reads reads some batches at once: cores that wake for each one sleep half of the time. */
static bool
is_far_from_full(const struct cores *c)
{
    return c->published - done_by_all(c) < c->n_slots / 2;
}

/* With the lock given back meanwhile. False: it is another core's to read, or there is nothing. */
static bool
read_some(struct cores *c, unsigned core)
{
    bool more;

    if (c->pull == NULL || c->reading || c->over || (c->stream && core != 0))
        return false;
    c->reading = true;
    c->reads = core;
    do {
        pthread_mutex_unlock(&c->lock);
        more = c->pull(c->ctx);
        reader_flush(&c->reader);
        pthread_mutex_lock(&c->lock);
        note_change(c);
    } while (more && !c->engine[0]->opts.live && is_far_from_full(c));
    c->reading = false;
    c->over = !more;
    return true;
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
        if (!take_next(c, start.core) && !read_some(c, start.core))
            pthread_cond_wait(&c->changed, &c->lock);
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
run_alone(struct cores *c, bool (*pull)(void *ctx), void *ctx)
{
    bool more;

    do {
        more = pull(ctx);
        reader_flush(&c->reader);
        if (c->engine[0]->opts.live)
            weir_core_run(c->engine[0]->core, UINT32_MAX);
        if (c->engine[0]->opts.live && c->engine[0]->inl != NULL)
            inline_flush(c->engine[0]);
    } while (more);
}

void
cores_run(struct cores *c, bool stream, bool (*pull)(void *ctx), void *ctx)
{
    if (c->n == 1) {
        run_alone(c, pull, ctx);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->pull = pull;
    c->stream = stream;
    c->ctx = ctx;
    c->over = false;
    note_change(c);
    while (!c->over)
        if (!take_next(c, 0) && !read_some(c, 0))
            pthread_cond_wait(&c->changed, &c->lock);
    c->pull = NULL;
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
