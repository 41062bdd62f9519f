#include "detect/keyed.h"

#include "core/order.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { NONE = 0 }; /* entries are counted from 1 */

struct entry {
    struct keyed_key key;
    struct keyed_value value;
    uint32_t next;         /* in its bucket, or among the free */
    uint32_t newer, older; /* by use */
};

struct keyed {
    struct entry *entry; /* max + 1 of them */
    uint32_t *bucket;    /* 1 << bits of them */
    size_t size;         /* bytes of both */
    uint32_t max, n;     /* entries 1 .. n were used */
    uint32_t free;       /* entries that were dropped */
    uint32_t newest, oldest;
    unsigned bits;
    struct hash_key secret;
    struct order *order; /* NULL: one core */
    unsigned owners;
    uint64_t now; /* greatest time of what it was asked for */
    uint64_t lost;
};

struct keyed *
keyed_new(uint32_t max, const struct keyed_opts *opts)
{
    struct keyed *t = calloc(1, sizeof(*t));
    size_t entries = (max + (size_t)1) * sizeof(struct entry);
    void *range;

    if (t == NULL)
        return NULL;
    while (UINT32_C(1) << t->bits < max)
        t->bits++;
    t->size = entries + (sizeof(*t->bucket) << t->bits);
    range = mmap(NULL, t->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (range == MAP_FAILED) {
        free(t);
        return NULL;
    }
    t->entry = range;
    t->bucket = (uint32_t *)(void *)((uint8_t *)range + entries);
    t->max = max;
    t->secret = (struct hash_key){ mix64(opts->seed), mix64(opts->seed + 1) };
    t->order = opts->order;
    t->owners = 1;
    return t;
}

struct keyed *
keyed_share(struct keyed *t)
{
    t->owners++;
    return t;
}

void
keyed_free(struct keyed *t)
{
    if (t == NULL || --t->owners > 0)
        return;
    munmap(t->entry, t->size);
    free(t);
}

uint64_t
keyed_turn(struct keyed *t, uint64_t time)
{
    order_turn_here(t->order);
    if (time > t->now)
        t->now = time;
    return t->now;
}

bool
keyed_was_used(const struct keyed *t)
{
    return t->n > 0;
}

uint64_t
keyed_lost(const struct keyed *t)
{
    return t->lost;
}

static uint32_t *
bucket_of(const struct keyed *t, const struct keyed_key *key)
{
    uint64_t word[6] = { (uint64_t)(key->a >> 64), (uint64_t)key->a, (uint64_t)(key->b >> 64),
                         (uint64_t)key->b,         key->name,        key->kind };

    return &t->bucket[siphash13(&t->secret, word, 6) & ((UINT64_C(1) << t->bits) - 1)];
}

static bool
is_same(const struct keyed_key *a, const struct keyed_key *b)
{
    return a->name == b->name && a->kind == b->kind && a->a == b->a && a->b == b->b;
}

/* Where the entry's number stands; what stands there is NONE if there is no such entry. */
static uint32_t *
seek(const struct keyed *t, const struct keyed_key *key)
{
    uint32_t *at = bucket_of(t, key);

    while (*at != NONE && !is_same(&t->entry[*at].key, key))
        at = &t->entry[*at].next;
    return at;
}

/* ---- by use -------------------------------------------------------------------------------- */

static void
unlink_use(struct keyed *t, uint32_t i)
{
    struct entry *e = &t->entry[i];

    *(e->newer != NONE ? &t->entry[e->newer].older : &t->newest) = e->older;
    *(e->older != NONE ? &t->entry[e->older].newer : &t->oldest) = e->newer;
}

static void
link_newest(struct keyed *t, uint32_t i)
{
    t->entry[i].newer = NONE;
    t->entry[i].older = t->newest;
    *(t->newest != NONE ? &t->entry[t->newest].newer : &t->oldest) = i;
    t->newest = i;
}

/* ---- entries ------------------------------------------------------------------------------- */

static void
drop_at(struct keyed *t, uint32_t *at)
{
    uint32_t i = *at;

    *at = t->entry[i].next;
    unlink_use(t, i);
    t->entry[i].next = t->free;
    t->free = i;
}

/* An entry that is linked nowhere. */
static uint32_t
claim(struct keyed *t, uint64_t now)
{
    uint32_t i;

    if (t->free == NONE && t->n == t->max) {
        t->lost += t->entry[t->oldest].value.until > now;
        drop_at(t, seek(t, &t->entry[t->oldest].key));
    }
    if (t->free == NONE)
        return ++t->n;
    i = t->free;
    t->free = t->entry[i].next;
    return i;
}

struct keyed_value *
keyed_find(struct keyed *t, const struct keyed_key *key, uint64_t now)
{
    uint32_t i = *seek(t, key);

    if (i == NONE || t->entry[i].value.until <= now)
        return NULL;
    unlink_use(t, i);
    link_newest(t, i);
    return &t->entry[i].value;
}

struct keyed_value *
keyed_take(struct keyed *t, const struct keyed_key *key, uint64_t now)
{
    struct keyed_value *value = keyed_find(t, key, now);
    uint32_t *at, i;

    if (value != NULL)
        return value;
    keyed_drop(t, key); /* it meant nothing any more */
    i = claim(t, now);
    at = bucket_of(t, key);
    t->entry[i].key = *key;
    t->entry[i].value = (struct keyed_value){ .until = UINT64_MAX };
    t->entry[i].next = *at;
    *at = i;
    link_newest(t, i);
    return &t->entry[i].value;
}

void
keyed_drop(struct keyed *t, const struct keyed_key *key)
{
    uint32_t *at = seek(t, key);

    if (*at != NONE)
        drop_at(t, at);
}
