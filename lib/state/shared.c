/*
 * Shared state of one core, or of cores that take turns: a hash table for finding entries and a
 * heap for forgetting them, over one array of entries that is made at once.
 *
 * A member of a set is an entry of its own, found by its key's serial number, not by the key: when
 * a key was forgotten and comes again, it has another number, and the members of its former life
 * are never found any more.
 */
#include "state/shared.h"

#include "core/order.h"
#include "hash.h"

#include <weir/core.h>

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    NONE = -1,
    ENTRIES_MAX = 1 << 26,
    WAYS = 4,  /* children of a place in the heap */
    SWEEP = 2, /* entries whose time is over that a call forgets: one more than it makes */
};

enum kind { KIND_KEY, KIND_MEMBER };

struct entry {
    uint64_t expires; /* ns of the core's time; WEIR_SHARED_FOREVER */
    uint64_t serial;  /* in the order in which entries were made */
    int64_t value;    /* a key's: its number, or how many members it has */
    int32_t next;     /* in its bucket, or in the list of free ones */
    uint32_t place;   /* in the heap */
    uint8_t kind, n;
    uint8_t name[WEIR_SHARED_KEY_MAX]; /* n bytes; a member's: its key's serial, then itself */
};
static_assert(sizeof(uint64_t) + WEIR_SHARED_MEMBER_MAX <= WEIR_SHARED_KEY_MAX, "no room for one");

/* Its turn to be forgotten: what the heap compares stands in the heap, beside its neighbours. */
struct turn {
    uint64_t expires, serial; /* the entry's */
    uint32_t entry;
};

struct weir_shared {
    struct entry *entry;
    int32_t *bucket;
    struct turn *heap; /* the entry to be forgotten next at the top */
    uint32_t n, room, mask;
    int32_t unused;
    uint64_t serial;
    struct hash_key secret;
    struct order *order; /* of the cores that use it; NULL: it is one core's */
    struct weir_shared_stats stats;
};

/* ---- life ---------------------------------------------------------------------------------- */

static uint32_t
buckets_for(uint32_t entries)
{
    uint32_t n = 16;

    while (n < entries)
        n *= 2;
    return n;
}

void
weir_shared_free(struct weir_shared *s)
{
    if (s == NULL)
        return;
    free(s->entry);
    free(s->bucket);
    free(s->heap);
    free(s);
}

int
weir_shared_new(const struct weir_shared_opts *opts, struct weir_shared **out)
{
    const uint32_t buckets = buckets_for(opts->entries);
    struct weir_shared *s;

    *out = NULL;
    if (opts->entries == 0 || opts->entries > ENTRIES_MAX)
        return WEIR_E_INVAL;
    if ((s = calloc(1, sizeof(*s))) == NULL)
        return WEIR_E_NOMEM;
    s->room = opts->entries;
    s->mask = buckets - 1;
    s->unused = NONE;
    s->secret = (struct hash_key){ mix64(opts->seed + 1), mix64(~opts->seed) };
    s->entry = calloc(s->room, sizeof(*s->entry));
    s->bucket = malloc(buckets * sizeof(*s->bucket));
    s->heap = malloc(s->room * sizeof(*s->heap));
    if (s->entry == NULL || s->bucket == NULL || s->heap == NULL) {
        weir_shared_free(s);
        return WEIR_E_NOMEM;
    }
    memset(s->bucket, 0xff, buckets * sizeof(*s->bucket)); /* NONE */
    *out = s;
    return WEIR_E_OK;
}

void
shared_set_order(struct weir_shared *s, struct order *order)
{
    s->order = order;
}

void
weir_shared_get_stats(const struct weir_shared *s, struct weir_shared_stats *out)
{
    *out = s->stats;
    out->entries = s->n;
}

/* ---- the heap ------------------------------------------------------------------------------ */

static bool
goes_before(const struct turn *a, const struct turn *b)
{
    return a->expires != b->expires ? a->expires < b->expires : a->serial < b->serial;
}

static void
put(struct weir_shared *s, uint32_t place, const struct turn *turn)
{
    s->heap[place] = *turn;
    s->entry[turn->entry].place = place;
}

static void
move_up(struct weir_shared *s, uint32_t place)
{
    const struct turn turn = s->heap[place];

    while (place > 0 && goes_before(&turn, &s->heap[(place - 1) / WAYS])) {
        put(s, place, &s->heap[(place - 1) / WAYS]);
        place = (place - 1) / WAYS;
    }
    put(s, place, &turn);
}

/* The child that goes first; behind the heap's end: there is none. */
static uint32_t
first_child(const struct weir_shared *s, uint32_t place)
{
    uint32_t first = WAYS * place + 1, end = first + WAYS < s->n ? first + WAYS : s->n;

    for (uint32_t i = first + 1; i < end; i++)
        if (goes_before(&s->heap[i], &s->heap[first]))
            first = i;
    return first;
}

static void
move_down(struct weir_shared *s, uint32_t place)
{
    const struct turn turn = s->heap[place];
    uint32_t child;

    while ((child = first_child(s, place)) < s->n && goes_before(&s->heap[child], &turn)) {
        put(s, place, &s->heap[child]);
        place = child;
    }
    put(s, place, &turn);
}

/* To where this entry belongs, wherever it is. */
static void
move(struct weir_shared *s, const struct entry *x)
{
    move_up(s, x->place);
    move_down(s, x->place);
}

/* ---- entries ------------------------------------------------------------------------------- */

/* What an entry is found by. */
struct name {
    uint8_t kind, n;
    union {
        uint8_t b[WEIR_SHARED_KEY_MAX];
        uint64_t word[WEIR_SHARED_KEY_MAX / 8];
    };
};

static bool
name_of(struct name *name, const void *key, size_t n)
{
    if (n > sizeof(name->b))
        return false;
    *name = (struct name){ .kind = KIND_KEY, .n = (uint8_t)n };
    if (n > 0)
        memcpy(name->b, key, n);
    return true;
}

static void
name_of_member(struct name *name, uint64_t serial, const void *member, size_t m)
{
    *name = (struct name){ .kind = KIND_MEMBER, .n = (uint8_t)(sizeof(serial) + m) };
    memcpy(name->b, &serial, sizeof(serial));
    if (m > 0)
        memcpy(name->b + sizeof(serial), member, m);
}

/* What is behind the name is zero, so whole words can be hashed. */
static int32_t *
bucket_of(const struct weir_shared *s, const uint8_t *b, uint8_t kind, uint8_t n)
{
    const size_t words = (n + 7U) / 8;
    uint64_t word[WEIR_SHARED_KEY_MAX / 8 + 1];

    memcpy(word, b, WEIR_SHARED_KEY_MAX);
    word[words] = (uint64_t)kind << 8 | n;
    return &s->bucket[siphash13(&s->secret, word, words + 1) & s->mask];
}

static void
forget(struct weir_shared *s, uint32_t entry)
{
    struct entry *x = &s->entry[entry];
    int32_t *link = bucket_of(s, x->name, x->kind, x->n);
    const uint32_t place = x->place;

    while (*link != (int32_t)entry)
        link = &s->entry[*link].next;
    *link = x->next;
    if (place != --s->n) {
        put(s, place, &s->heap[s->n]);
        move(s, &s->entry[s->heap[place].entry]);
    }
    x->next = s->unused;
    s->unused = (int32_t)entry;
}

static void
sweep(struct weir_shared *s, uint64_t now)
{
    for (int i = 0; i < SWEEP && s->n > 0 && s->heap[0].expires <= now; i++) {
        s->stats.expired++;
        forget(s, s->heap[0].entry);
    }
}

/* NULL: it is not there, or its time is over. */
static struct entry *
find(struct weir_shared *s, const struct name *name, uint64_t now)
{
    int32_t i = *bucket_of(s, name->b, name->kind, name->n);

    for (; i != NONE; i = s->entry[i].next) {
        struct entry *x = &s->entry[i];

        if (x->kind != name->kind || x->n != name->n || memcmp(x->name, name->b, name->n) != 0)
            continue;
        if (x->expires > now)
            return x;
        s->stats.expired++;
        forget(s, (uint32_t)i);
        return NULL;
    }
    return NULL;
}

/* An entry without a name; NULL: the only one that could make room is `keep`. */
static struct entry *
take_room(struct weir_shared *s, const struct entry *keep, uint64_t now)
{
    struct entry *x;

    if (s->n == s->room) {
        x = &s->entry[s->heap[0].entry];
        if (x == keep)
            return NULL;
        if (x->expires > now)
            s->stats.evicted++;
        else
            s->stats.expired++;
        forget(s, s->heap[0].entry);
    }
    if (s->unused == NONE)
        return &s->entry[s->n]; /* none was ever given back: all before are in use */
    x = &s->entry[s->unused];
    s->unused = x->next;
    return x;
}

static uint64_t
sum(uint64_t now, uint64_t ttl)
{
    return ttl < UINT64_MAX - now ? now + ttl : WEIR_SHARED_FOREVER;
}

static struct entry *
make(struct weir_shared *s, const struct name *name, const struct entry *keep, uint64_t now,
     uint64_t expires)
{
    struct entry *x = take_room(s, keep, now);
    int32_t *first;

    if (x == NULL)
        return NULL;
    first = bucket_of(s, name->b, name->kind, name->n);
    *x = (struct entry){
        .expires = expires, .serial = s->serial++, .next = *first, .kind = name->kind, .n = name->n
    };
    memcpy(x->name, name->b, sizeof(x->name));
    *first = (int32_t)(x - s->entry);
    put(s, s->n, &(struct turn){ expires, x->serial, (uint32_t)*first });
    move_up(s, s->n++);
    s->stats.made++;
    return x;
}

/* ---- calls --------------------------------------------------------------------------------- */

static weir_fut
value(int64_t v)
{
    return weir_ok((uint64_t)v);
}

static weir_fut
bad_call(void)
{
    return weir_fail(WEIR_E_INVAL, "shared: the key is too long, or there is no current core");
}

/* What each call begins with; false: it cannot be answered. */
static bool
begin(struct weir_shared *s, struct name *name, const void *key, size_t n, uint64_t *now)
{
    const struct weir_core *core = weir_core_current();

    if (core == NULL || !name_of(name, key, n))
        return false;
    order_turn_here(s->order);
    *now = weir_core_now(core);
    sweep(s, *now);
    return true;
}

weir_fut
weir_shared_get(struct weir_shared *s, const void *key, size_t n)
{
    const struct entry *x;
    struct name name;
    uint64_t now;

    if (!begin(s, &name, key, n, &now))
        return bad_call();
    x = find(s, &name, now);
    return value(x != NULL ? x->value : 0);
}

static int64_t
saturated(int64_t a, int64_t b)
{
    int64_t total;

    if (__builtin_add_overflow(a, b, &total))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return total;
}

static int64_t
add(struct weir_shared *s, const struct name *name, int64_t delta, uint64_t ttl, uint64_t now)
{
    struct entry *x = find(s, name, now);

    if (x == NULL)
        x = make(s, name, NULL, now, sum(now, ttl));
    x->value = saturated(x->value, delta);
    return x->value;
}

weir_fut
weir_shared_add(struct weir_shared *s, const void *key, size_t n, int64_t delta, uint64_t ttl)
{
    struct name name;
    uint64_t now;

    if (!begin(s, &name, key, n, &now))
        return bad_call();
    return value(add(s, &name, delta, ttl, now));
}

int64_t
shared_add_at(struct weir_shared *s, const void *key, size_t n, int64_t delta, uint64_t ttl,
              uint64_t now)
{
    struct name name = { .n = 0 };
    const bool fits = name_of(&name, key, n);

    assert(fits);
    (void)fits;
    sweep(s, now);
    return add(s, &name, delta, ttl, now);
}

weir_fut
weir_shared_compare_and_set(struct weir_shared *s, const void *key, size_t n, int64_t expected,
                            int64_t wanted, uint64_t ttl)
{
    struct entry *x;
    struct name name;
    uint64_t now;
    int64_t before;

    if (!begin(s, &name, key, n, &now))
        return bad_call();
    x = find(s, &name, now);
    before = x != NULL ? x->value : 0;
    if (before != expected)
        return value(before);
    if (x == NULL)
        x = make(s, &name, NULL, now, sum(now, ttl));
    x->value = wanted;
    return value(before);
}

weir_fut
weir_shared_count_distinct(struct weir_shared *s, const void *key, size_t n, const void *member,
                           size_t m, uint64_t ttl)
{
    struct name name, name_in;
    struct entry *x;
    uint64_t now;

    if (m > WEIR_SHARED_MEMBER_MAX || !begin(s, &name, key, n, &now))
        return bad_call();
    x = find(s, &name, now);
    if (x == NULL)
        x = make(s, &name, NULL, now, sum(now, ttl));
    name_of_member(&name_in, x->serial, member, m);
    if (find(s, &name_in, now) != NULL)
        return value(x->value);
    if (make(s, &name_in, x, now, x->expires) == NULL) {
        s->stats.refused++;
        return weir_fail(WEIR_E_LIMIT, "shared: no room for a member");
    }
    return value(++x->value);
}

weir_fut
weir_shared_expire(struct weir_shared *s, const void *key, size_t n, uint64_t ttl)
{
    struct entry *x;
    struct name name;
    uint64_t now;
    int64_t before;

    if (!begin(s, &name, key, n, &now))
        return bad_call();
    x = find(s, &name, now);
    if (x == NULL)
        return value(0);
    before = x->value;
    x->expires = s->heap[x->place].expires = sum(now, ttl);
    if (ttl == 0)
        forget(s, (uint32_t)(x - s->entry));
    else
        move(s, x);
    return value(before);
}
