/*
 * Sets of numbers as sorted, disjoint ranges: addresses (IPv4 as ::ffff:a.b.c.d, RFC 4291 section
 * 2.5.5.2) and ports. Lists with negations become such sets once, when rules are loaded; a packet
 * costs a binary search.
 */
#ifndef IDS_RANGES_H
#define IDS_RANGES_H

#include <stdbool.h>
#include <stddef.h>

__extension__ typedef unsigned __int128 u128;

struct range {
    u128 first, last; /* both inside */
};

struct ranges {
    struct range *at; /* owned */
    size_t n;
};

void ranges_free(struct ranges *set);

/* Add [first, last]. Returns false if memory ran out. */
bool ranges_add(struct ranges *set, u128 first, u128 last);

/*
 * Put more into set, in no order, until ranges_sort() brings it: what a long list is made with.
 * Returns false if memory ran out.
 */
bool ranges_gather(struct ranges *set, const struct ranges *more);
void ranges_sort(struct ranges *set);

/* out becomes a and b together, or a without b; out is neither. Returns false for no memory. */
bool ranges_union(const struct ranges *a, const struct ranges *b, struct ranges *out);
bool ranges_minus(const struct ranges *a, const struct ranges *b, struct ranges *out);

bool ranges_equal(const struct ranges *a, const struct ranges *b);

static inline bool
ranges_have(const struct ranges *set, u128 value)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (value > set->at[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->n && set->at[low].first <= value;
}

#endif
