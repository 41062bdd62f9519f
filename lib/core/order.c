#include "core/order.h"

#include "core/core.h"
#include "file/records.h"

#include <stdlib.h>
#include <string.h>

struct post {
    struct moment at;
    order_fn *fn;
    void *ctx;
    uint8_t bytes[];
};

/* ---- life ---------------------------------------------------------------------------------- */

static bool
make_ring(struct order_end *end, size_t size)
{
    end->posts = aligned_alloc(alignof(struct records), sizeof(*end->posts));
    return end->posts != NULL && records_init(end->posts, size, false);
}

static void
free_ring(struct order_end *end)
{
    if (end->posts != NULL)
        records_free(end->posts);
    free(end->posts);
}

struct order *
order_new(unsigned cores, size_t ring)
{
    struct order *o = calloc(1, sizeof(*o));
    bool made;

    if (o == NULL)
        return NULL;
    o->wanted = UINT64_MAX;
    pthread_mutex_init(&o->lock, NULL);
    pthread_mutex_init(&o->running, NULL);
    pthread_cond_init(&o->changed, NULL);
    o->end = aligned_alloc(alignof(struct order_end), cores * sizeof(*o->end));
    made = o->end != NULL;
    if (made)
        memset(o->end, 0, cores * sizeof(*o->end));
    for (; made && o->n < cores; o->n++) {
        o->end[o->n].order = o;
        made = make_ring(&o->end[o->n], ring);
    }
    if (made)
        return o;
    order_free(o);
    return NULL;
}

void
order_free(struct order *o)
{
    if (o == NULL)
        return;
    for (unsigned i = 0; i < o->n; i++)
        free_ring(&o->end[i]);
    free(o->end);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->running);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

/* ---- moments ------------------------------------------------------------------------------- */

static bool
is_before(const struct moment *a, const struct moment *b)
{
    if (a->packet != b->packet)
        return a->packet < b->packet;
    if (a->phase != b->phase)
        return a->phase < b->phase;
    if (a->id != b->id)
        return a->id < b->id;
    return a->made < b->made;
}

/* The moments of two cores; of those that are the same, as at a tick, the first core's is first. */
static bool
comes_before(const struct moment *a, const struct order_end *of_a, const struct moment *b,
             const struct order_end *of_b)
{
    return is_before(a, b) || (of_a < of_b && !is_before(b, a));
}

/* Under the lock. Who waits on says so again. */
static void
note_change(struct order *o)
{
    atomic_store_explicit(&o->wanted, UINT64_MAX, memory_order_relaxed);
    o->changes++;
    pthread_cond_broadcast(&o->changed);
}

void
order_tell(struct order *o)
{
    pthread_mutex_lock(&o->lock);
    note_change(o);
    pthread_mutex_unlock(&o->lock);
}

void
order_pass(struct order_end *end, const struct moment *next)
{
    struct order *o = end->order;

    end->now = *next;
    pthread_mutex_lock(&o->lock);
    end->passed = *next;
    atomic_store_explicit(&end->packet, next->packet, memory_order_release);
    note_change(o);
    pthread_mutex_unlock(&o->lock);
}

/* Whether a core can do nothing before this moment of another one any more. Under the lock. */
static bool
is_past(const struct order_end *end, const struct moment *at, const struct order_end *of)
{
    if (atomic_load_explicit(&end->packet, memory_order_acquire) > at->packet)
        return true;
    return comes_before(at, of, &end->passed, end);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static void
begin_to_wait(struct order_end *end)
{
    pthread_mutex_lock(&end->order->lock);
    end->passed = end->now;
    note_change(end->order); /* others may wait for just this */
}

static void
wait_for_change(struct order_end *end)
{
    struct order *o = end->order;

    if (end->now.packet < atomic_load_explicit(&o->wanted, memory_order_relaxed))
        atomic_store_explicit(&o->wanted, end->now.packet, memory_order_relaxed);
    pthread_cond_wait(&o->changed, &o->lock);
}

static bool
is_turn_of(const struct order_end *end)
{
    for (unsigned i = 0; i < end->order->n; i++)
        if (&end->order->end[i] != end && !is_past(&end->order->end[i], &end->now, end))
            return false;
    return true;
}

static bool
all_are_ahead(const struct order_end *end)
{
    const struct order *o = end->order;

    for (unsigned i = 0; i < o->n; i++)
        if (&o->end[i] != end &&
            atomic_load_explicit(&o->end[i].packet, memory_order_acquire) <= end->now.packet)
            return false;
    return true;
}

void
order_turn(struct order_end *end)
{
    if (all_are_ahead(end))
        return;
    begin_to_wait(end);
    while (!is_turn_of(end))
        wait_for_change(end);
    pthread_mutex_unlock(&end->order->lock);
}

/* ---- posts --------------------------------------------------------------------------------- */

/* The first post of a core; false: it has none now. */
static bool
first_post(struct order_end *end, struct record *out)
{
    const uint64_t head = atomic_load_explicit(&end->posts->head, memory_order_relaxed);

    return records_at(end->posts, head, records_ready(end->posts), out);
}

static const struct post *
post_of(const struct record *record)
{
    return (const struct post *)(const void *)record->p;
}

/*
 * The core with the earliest post; NULL: there is none, or a core without posts may still come with
 * an earlier one.
 */
static struct order_end *
earliest(struct order *o, struct record *out)
{
    struct order_end *first = NULL;
    uint64_t least_packet = UINT64_MAX; /* of cores without posts */
    struct record record;
    bool sure = true;

    for (unsigned i = 0; i < o->n; i++) {
        struct order_end *end = &o->end[i];
        /* Before the ring is looked at: what is missing there is not before this packet. */
        const uint64_t packet = atomic_load_explicit(&end->packet, memory_order_acquire);

        if (!first_post(end, &record)) {
            least_packet = packet < least_packet ? packet : least_packet;
        } else if (first == NULL || is_before(&post_of(&record)->at, &post_of(out)->at)) {
            first = end;
            *out = record;
        }
    }
    if (first == NULL || post_of(out)->at.packet < least_packet)
        return first;
    pthread_mutex_lock(&o->lock);
    for (unsigned i = 0; i < o->n && sure; i++) {
        /* Again first how far it is, then the ring. */
        const bool past = is_past(&o->end[i], &post_of(out)->at, first);

        sure = first_post(&o->end[i], &record)
                   ? !comes_before(&post_of(&record)->at, &o->end[i], &post_of(out)->at, first)
                   : past;
    }
    pthread_mutex_unlock(&o->lock);
    return sure ? first : NULL;
}

static bool
run_posts(struct order *o)
{
    struct order_end *end;
    struct record record = { .p = NULL };
    bool any = false;

    while ((end = earliest(o, &record)) != NULL) {
        const struct post *post = post_of(&record);

        post->fn(post->ctx, post->bytes, record.n - sizeof(*post));
        records_release(end->posts, record.next);
        any = true;
    }
    return any;
}

/* Whoever found the lock taken in the meantime has left his posts to this core. */
static bool
run_and_unlock(struct order *o)
{
    bool any = false;

    do {
        atomic_store(&o->again, false);
        any |= run_posts(o);
        pthread_mutex_unlock(&o->running);
    } while (atomic_load(&o->again) && pthread_mutex_trylock(&o->running) == 0);
    return any;
}

bool
order_run(struct order *o)
{
    bool any;

    atomic_store(&o->again, true);
    if (pthread_mutex_trylock(&o->running) != 0)
        return false;
    any = run_and_unlock(o);
    if (any && atomic_load_explicit(&o->wanted, memory_order_relaxed) != UINT64_MAX)
        order_tell(o);
    return any;
}

void
order_run_all(struct order *o)
{
    pthread_mutex_lock(&o->running);
    (void)run_and_unlock(o);
    order_tell(o);
}

void
order_catch_up(struct order_end *end)
{
    begin_to_wait(end);
    while (!is_turn_of(end))
        wait_for_change(end);
    pthread_mutex_unlock(&end->order->lock);
    order_run_all(end->order);
}

size_t
order_longest(const struct order_end *end)
{
    return records_longest(end->posts) - sizeof(struct post);
}

/*
 * Until there is room: run what can be run, or sleep until others have gone on. That nothing can be
 * run is known only once no other core is at it.
 */
static uint8_t *
wait_for_room(struct order_end *end, size_t n)
{
    struct order *o = end->order;
    uint8_t *p;

    begin_to_wait(end);
    while ((p = records_reserve(end->posts, n)) == NULL) {
        const uint64_t seen = o->changes;

        pthread_mutex_unlock(&o->lock);
        pthread_mutex_lock(&o->running);
        (void)run_and_unlock(o);
        pthread_mutex_lock(&o->lock);
        p = records_reserve(end->posts, n);
        while (p == NULL && o->changes == seen)
            wait_for_change(end);
        if (p != NULL)
            break;
    }
    note_change(o); /* who else waits for room, or for a post of this core, looks again */
    pthread_mutex_unlock(&o->lock);
    return p;
}

void
order_post(struct order_end *end, order_fn *fn, void *ctx, struct piece_of_post head,
           struct piece_of_post tail)
{
    const size_t n = sizeof(struct post) + head.n + tail.n;
    uint8_t *to = records_reserve(end->posts, n);
    struct post *post;

    if (to == NULL)
        to = wait_for_room(end, n);
    post = (struct post *)(void *)to;
    *post = (struct post){ .at = end->now, .fn = fn, .ctx = ctx };
    memcpy(post->bytes, head.p, head.n);
    if (tail.n > 0)
        memcpy(post->bytes + head.n, tail.p, tail.n);
    records_commit(end->posts, RECORD_PLAIN, n);
}

struct order_end *
order_here(struct order *order)
{
    return order != NULL ? order_end(order, core_current->opts.id) : NULL;
}
