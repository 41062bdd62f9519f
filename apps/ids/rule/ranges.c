#include "rule/ranges.h"

#include <stdlib.h>
#include <string.h>

void
ranges_free(struct ranges *set)
{
    free(set->at);
    *set = (struct ranges){ NULL, 0 };
}

static bool
push(struct ranges *set, struct range range)
{
    struct range *more;

    if ((set->n & (set->n - 1)) == 0) { /* room is a power of two */
        more = realloc(set->at, (set->n == 0 ? 1 : 2 * set->n) * sizeof(*more));
        if (more == NULL)
            return false;
        set->at = more;
    }
    set->at[set->n++] = range;
    return true;
}

/* Whether range, which begins no earlier than last, became a part of it. */
static bool
joins(struct range *last, struct range range)
{
    if (range.first > last->last && range.first - 1 != last->last)
        return false;
    if (range.last > last->last)
        last->last = range.last;
    return true;
}

/* Append a range that begins behind all others, or touches the last. */
static bool
append(struct ranges *set, struct range range)
{
    return (set->n > 0 && joins(&set->at[set->n - 1], range)) || push(set, range);
}

bool
ranges_gather(struct ranges *set, const struct ranges *more)
{
    for (size_t i = 0; i < more->n; i++)
        if (!push(set, more->at[i]))
            return false;
    return true;
}

static int
by_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

void
ranges_sort(struct ranges *set)
{
    size_t n = 0;

    if (set->n == 0)
        return;
    qsort(set->at, set->n, sizeof(*set->at), by_first);
    for (size_t i = 1; i < set->n; i++)
        if (!joins(&set->at[n], set->at[i]))
            set->at[++n] = set->at[i];
    set->n = n + 1;
}

bool
ranges_union(const struct ranges *a, const struct ranges *b, struct ranges *out)
{
    size_t i = 0, k = 0;
    bool ok = true;

    *out = (struct ranges){ NULL, 0 };
    while (ok && (i < a->n || k < b->n)) {
        bool from_a = k == b->n || (i < a->n && a->at[i].first <= b->at[k].first);

        ok = append(out, from_a ? a->at[i++] : b->at[k++]);
    }
    if (!ok)
        ranges_free(out);
    return ok;
}

/* What of range lies outside b, whose ranges before *k end before it. */
static bool
append_rest(struct ranges *out, struct range range, const struct ranges *b, size_t *k)
{
    while (*k < b->n && b->at[*k].last < range.first)
        ++*k;
    for (size_t j = *k; j < b->n && b->at[j].first <= range.last; j++) {
        if (b->at[j].first > range.first &&
            !append(out, (struct range){ range.first, b->at[j].first - 1 }))
            return false;
        if (b->at[j].last >= range.last)
            return true;
        range.first = b->at[j].last + 1;
    }
    return append(out, range);
}

bool
ranges_minus(const struct ranges *a, const struct ranges *b, struct ranges *out)
{
    size_t k = 0;
    bool ok = true;

    *out = (struct ranges){ NULL, 0 };
    for (size_t i = 0; ok && i < a->n; i++)
        ok = append_rest(out, a->at[i], b, &k);
    if (!ok)
        ranges_free(out);
    return ok;
}

bool
ranges_add(struct ranges *set, u128 first, u128 last)
{
    struct range one = { first, last };
    struct ranges both;

    if (!ranges_union(set, &(struct ranges){ &one, 1 }, &both))
        return false;
    ranges_free(set);
    *set = both;
    return true;
}

bool
ranges_equal(const struct ranges *a, const struct ranges *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof(*a->at)) == 0);
}
