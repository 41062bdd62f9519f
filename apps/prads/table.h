/*
 * Tables of entries that are found by a key and leave only all at once: hosts, what was seen of
 * them, and connections. Linear hashing: with each entry that comes one bucket is split, so there
 * is no pause and nothing is allocated after table_new(); memory is touched as it is used.
 *
 * An entry begins with its key. Its address and its index change only in table_keep().
 */
#ifndef WEIR_PRADS_TABLE_H
#define WEIR_PRADS_TABLE_H

#include "hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beside each entry, so that one cache line has both. */
struct table_link {
    uint32_t hash;
    uint32_t next; /* in its bucket, as in table.head */
};

struct table {
    uint8_t *entries; /* each behind a struct table_link */
    uint32_t *head;   /* by bucket: an index, and one more; 0: empty */
    uint32_t n, max;  /* n: with entries that are free again */
    uint32_t free;    /* the first of those, and one more; 0: none */
    uint32_t n_buckets;
    size_t stride, key_words;
    uint64_t refused; /* entries for which there was no room */
    struct hash_key secret;
    void *range;
    size_t range_size;
};

/* key_size is a multiple of 8; seed: of the hash, never seen outside. Returns WEIR_E_*. */
int table_new(struct table *t, size_t entry_size, size_t key_size, uint32_t max, uint64_t seed);

void table_free(struct table *t);

/* NULL: there is none. */
void *table_find(const struct table *t, const uint64_t *key);

/* The entry, made with zeros behind its key if it was missing; NULL: the table is full. */
void *table_add(struct table *t, const uint64_t *key, bool *made);

/* Take an entry out; its place is used again. */
void table_remove(struct table *t, void *entry);

/*
 * Of a table from which none was taken out:
 * forget the entries for which keep() says so; the others move together, in their order. keep NULL:
 * forget all. Takes as long as the table is large.
 */
void table_keep(struct table *t, bool (*keep)(void *ctx, const void *entry), void *ctx);

static inline void *
table_at(const struct table *t, uint32_t index)
{
    return t->entries + index * t->stride + sizeof(struct table_link);
}

static inline uint32_t
table_index(const struct table *t, const void *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - t->entries) / t->stride);
}

#endif
