#include "table.h"

#include <weir/error.h>

#include <string.h>
#include <sys/mman.h>

enum { FIRST_BUCKETS = 65536 };

static size_t
rounded(size_t n)
{
    return (n + 4095) / 4096 * 4096;
}

int
table_new(struct table *t, size_t entry_size, size_t key_size, uint32_t max, uint64_t seed)
{
    size_t stride = entry_size + sizeof(struct table_link);
    size_t entries = rounded(stride * max);

    *t = (struct table){ .stride = stride,
                         .key_words = key_size / 8,
                         .max = max,
                         .n_buckets = FIRST_BUCKETS,
                         .secret = { mix64(seed + 1), mix64(~seed) } };
    t->range_size = entries + rounded(sizeof(uint32_t) * ((size_t)max + FIRST_BUCKETS));
    t->range = mmap(NULL, t->range_size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t->range == MAP_FAILED) {
        t->range = NULL;
        return WEIR_E_NOMEM;
    }
    madvise(t->range, t->range_size, MADV_HUGEPAGE); /* looked up at random: a page is dear */
    t->entries = t->range;
    t->head = (uint32_t *)(void *)(t->entries + entries);
    return WEIR_E_OK;
}

void
table_free(struct table *t)
{
    if (t->range != NULL)
        munmap(t->range, t->range_size);
    *t = (struct table){ .max = 0 };
}

/* Buckets below the one that is split next have twice as many beside them. */
static uint32_t
bucket_of(const struct table *t, uint32_t hash)
{
    unsigned level = 31 - (unsigned)__builtin_clz(t->n_buckets);
    uint32_t bucket = hash & (uint32_t)((UINT64_C(2) << level) - 1);

    return bucket < t->n_buckets ? bucket : bucket & ((1U << level) - 1);
}

static struct table_link *
link_of(const struct table *t, uint32_t index)
{
    return (struct table_link *)(void *)(t->entries + index * t->stride);
}

static uint32_t
hash_of(const struct table *t, const uint64_t *key)
{
    return (uint32_t)siphash13(&t->secret, key, t->key_words);
}

static bool
same_key(const struct table *t, const void *entry, const uint64_t *key)
{
    const uint64_t *have = entry;
    uint64_t differ = 0;

    for (size_t i = 0; i < t->key_words; i++)
        differ |= have[i] ^ key[i];
    return differ == 0;
}

static void *
find(const struct table *t, const uint64_t *key, uint32_t hash)
{
    uint32_t i = t->head[bucket_of(t, hash)];

    while (i != 0) {
        struct table_link *link = link_of(t, i - 1);

        if (link->hash == hash && same_key(t, link + 1, key))
            return link + 1;
        i = link->next;
    }
    return NULL;
}

void *
table_find(const struct table *t, const uint64_t *key)
{
    return find(t, key, hash_of(t, key));
}

static void
link_entry(struct table *t, uint32_t index)
{
    struct table_link *link = link_of(t, index);
    uint32_t *head = &t->head[bucket_of(t, link->hash)];

    link->next = *head;
    *head = index + 1;
}

/* Give the next bucket in turn a second one, and spread its entries over both. */
static void
split(struct table *t)
{
    unsigned level = 31 - (unsigned)__builtin_clz(t->n_buckets);
    uint32_t from = t->n_buckets - (1U << level), i = t->head[from];

    t->n_buckets++;
    t->head[from] = 0;
    while (i != 0) {
        uint32_t next = link_of(t, i - 1)->next;

        link_entry(t, i - 1);
        i = next;
    }
}

static void
grow(struct table *t)
{
    if (t->n + FIRST_BUCKETS > t->n_buckets)
        split(t);
}

/* A place for an entry: one that is free again, or the next. UINT32_MAX: the table is full. */
static uint32_t
take_place(struct table *t)
{
    uint32_t index = t->free - 1;

    if (t->free != 0) {
        t->free = link_of(t, index)->next;
        memset(table_at(t, index), 0, t->stride - sizeof(struct table_link));
        return index;
    }
    return t->n < t->max ? t->n++ : UINT32_MAX;
}

void *
table_add(struct table *t, const uint64_t *key, bool *made)
{
    uint32_t hash = hash_of(t, key), index;
    void *entry = find(t, key, hash);

    *made = false;
    if (entry != NULL)
        return entry;
    index = take_place(t);
    if (index == UINT32_MAX) {
        t->refused++;
        return NULL;
    }
    *made = true;
    entry = table_at(t, index);
    memcpy(entry, key, t->key_words * 8);
    link_of(t, index)->hash = hash;
    link_entry(t, index);
    grow(t);
    return entry;
}

void
table_remove(struct table *t, void *entry)
{
    uint32_t index = table_index(t, entry);
    struct table_link *link = link_of(t, index);
    uint32_t *at = &t->head[bucket_of(t, link->hash)];

    while (*at != index + 1)
        at = &link_of(t, *at - 1)->next;
    *at = link->next;
    link->next = t->free;
    t->free = index + 1;
}

void
table_keep(struct table *t, bool (*keep)(void *ctx, const void *entry), void *ctx)
{
    uint32_t n = t->n;

    memset(t->head, 0, sizeof(*t->head) * t->n_buckets);
    t->n_buckets = FIRST_BUCKETS;
    t->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (keep == NULL || !keep(ctx, link_of(t, i) + 1))
            continue;
        if (i != t->n)
            memcpy(link_of(t, t->n), link_of(t, i), t->stride);
        link_entry(t, t->n++);
        grow(t);
    }
    memset(link_of(t, t->n), 0, t->stride * (n - t->n)); /* entries are made of zeros */
}
