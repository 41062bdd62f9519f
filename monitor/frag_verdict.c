#include "frag_verdict.h"

#include "mem.h"

#include <assert.h>
#include <string.h>

enum { LOOKS = 2, LOOKS_FOR_ROOM = 16 }; /* at how many of the oldest */

static struct frag_verdict **
bucket_of(struct frag_verdicts *all, uint64_t hash)
{
    return &all->bucket[hash % FRAG_VERDICT_BUCKETS];
}

struct frag_verdict *
frag_verdict_find(struct frag_verdicts *all, uint64_t hash, const uint64_t key[FRAG_KEY_WORDS],
                  uint64_t tick)
{
    struct frag_verdict *v = *bucket_of(all, hash);

    while (v != NULL && memcmp(v->key, key, sizeof(v->key)) != 0)
        v = v->next;
    if (v == NULL || v->until <= tick || frag_verdict_state(v) == FRAG_LEFT)
        return NULL;
    frag_verdict_hold(v);
    return v;
}

/* ---- queues -------------------------------------------------------------------------------- */

static void
enqueue(struct frag_verdict_queue *queue, struct frag_verdict *v)
{
    v->newer = NULL;
    v->older = queue->newest;
    *(queue->newest != NULL ? &queue->newest->newer : &queue->oldest) = v;
    queue->newest = v;
}

static void
dequeue(struct frag_verdict_queue *queue, struct frag_verdict *v)
{
    *(v->older != NULL ? &v->older->newer : &queue->oldest) = v->newer;
    *(v->newer != NULL ? &v->newer->older : &queue->newest) = v->older;
}

static void
forget(struct frag_verdicts *all, struct mem *mem, struct frag_verdict *v)
{
    struct frag_verdict **at = bucket_of(all, v->hash);

    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    dequeue(&all->queue[v->dropped], v);
    all->n--;
    mem_free(mem, v, sizeof(*v));
}

static bool
is_in_use(struct frag_verdict *v)
{
    return atomic_load_explicit(&v->refs, memory_order_acquire) != 0;
}

/* Look at the oldest of a queue, which is not the oldest any more then. Returns whether it was
 * freed. */
static bool
look_at_oldest(struct frag_verdicts *all, struct mem *mem, bool dropped, uint64_t tick)
{
    struct frag_verdict *v = all->queue[dropped].oldest;

    if (v == NULL)
        return false;
    if (!is_in_use(v) && (v->until <= tick || frag_verdict_state(v) == FRAG_LEFT)) {
        forget(all, mem, v);
        return true;
    }
    if (dropped && v->until > tick) /* as all behind it */
        return false;
    dequeue(&all->queue[dropped], v);
    v->dropped = dropped || frag_verdict_state(v) == FRAG_DROPPED;
    enqueue(&all->queue[v->dropped], v);
    return false;
}

static bool
look(struct frag_verdicts *all, struct mem *mem, uint64_t tick, unsigned looks)
{
    bool any = false;

    for (unsigned i = 0; i < looks; i++) {
        any |= look_at_oldest(all, mem, false, tick);
        any |= look_at_oldest(all, mem, true, tick);
    }
    return any;
}

void
frag_verdict_add(struct frag_verdicts *all, struct mem *mem, struct frag_verdict *v, uint64_t tick)
{
    struct frag_verdict **bucket = bucket_of(all, v->hash);

    (void)look(all, mem, tick, LOOKS);
    v->dropped = frag_verdict_state(v) == FRAG_DROPPED;
    v->next = *bucket;
    *bucket = v;
    enqueue(&all->queue[v->dropped], v);
    all->n++;
}

bool
frag_verdict_make_room(struct frag_verdicts *all, struct mem *mem, uint64_t tick, bool force)
{
    struct frag_verdict *v;

    if (look(all, mem, tick, LOOKS_FOR_ROOM))
        return true;
    v = force ? all->queue[true].oldest : NULL;
    if (v == NULL || is_in_use(v))
        return false;
    forget(all, mem, v);
    return true;
}

void
frag_verdict_clear(struct frag_verdicts *all, struct mem *mem)
{
    for (int i = 0; i < 2; i++)
        while (all->queue[i].oldest != NULL) {
            assert(!is_in_use(all->queue[i].oldest));
            forget(all, mem, all->queue[i].oldest);
        }
}
