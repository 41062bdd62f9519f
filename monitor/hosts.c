#include "hosts.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

enum { BITS = 128, MAPPED_BITS = 96 };

struct prefix {
    u128 first, last; /* both inside */
    size_t number;    /* as it was given: a later one covers an equal one */
    enum weir_policy policy;
};

/* From first on, up to the next one. */
struct change {
    u128 first;
    enum weir_policy policy;
};

struct hosts {
    size_t n;
    struct change at[]; /* sorted; the first begins at 0 */
};

static u128
number(const struct weir_addr *addr, unsigned ip_version)
{
    u128 n = ip_version == 4 ? 0xffff : 0;

    for (unsigned i = 0; i < (ip_version == 4 ? 4 : 16); i++)
        n = n << 8 | addr->b[i];
    return n;
}

static bool
take_prefix(const struct weir_host_policy *from, size_t place, struct prefix *to)
{
    unsigned bits = from->prefix + (from->ip_version == 4 ? MAPPED_BITS : 0);
    u128 host;

    if ((from->ip_version != 4 && from->ip_version != 6) || bits > BITS ||
        (unsigned)from->policy >= WEIR_POLICY_COUNT)
        return false;
    host = bits == 0 ? ~(u128)0 : ((u128)1 << (BITS - bits)) - 1;
    to->first = number(&from->addr, from->ip_version) & ~host;
    to->last = to->first | host;
    to->number = place;
    to->policy = from->policy;
    return true;
}

/* Those that hold others before these. */
static int
outer_first(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->last != y->last)
        return x->last > y->last ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* The answer changes at first; another change there was overruled. */
static void
change(struct hosts *hosts, u128 first, enum weir_policy policy)
{
    if (hosts->at[hosts->n - 1].first == first)
        hosts->n--;
    hosts->at[hosts->n++] = (struct change){ first, policy };
}

/*
 * Prefixes lie inside each other or apart: sorted, each opens inside those that are still open, and
 * behind the end of one the one around it goes on. around[i]: the one that prefix i lies in.
 */
static void
flatten(struct hosts *hosts, const struct prefix *p, size_t n, size_t *around,
        enum weir_policy other)
{
    size_t open = n; /* the innermost that is open; n: none is */

    hosts->n = 1;
    hosts->at[0] = (struct change){ 0, other };
    for (size_t i = 0; i <= n; i++) {
        while (open != n && (i == n || p[open].last < p[i].first)) {
            u128 behind = p[open].last + 1;

            open = around[open];
            if (behind != 0) /* 0: it was the last address */
                change(hosts, behind, open != n ? p[open].policy : other);
        }
        if (i == n)
            break;
        around[i] = open;
        open = i;
        change(hosts, p[i].first, p[i].policy);
    }
}

int
hosts_new(const struct weir_host_policy *prefixes, size_t n, enum weir_policy other,
          struct hosts **out)
{
    struct prefix *sorted = calloc(n + 1, sizeof(*sorted));
    size_t *around = calloc(n + 1, sizeof(*around));
    int rc = WEIR_E_OK;

    *out = malloc(sizeof(**out) + (2 * n + 1) * sizeof((*out)->at[0]));
    if (sorted == NULL || around == NULL || *out == NULL)
        rc = WEIR_E_NOMEM;
    for (size_t i = 0; i < n && rc == WEIR_E_OK; i++)
        if (!take_prefix(&prefixes[i], i, &sorted[i]))
            rc = WEIR_E_INVAL;
    if (rc == WEIR_E_OK) {
        qsort(sorted, n, sizeof(*sorted), outer_first);
        flatten(*out, sorted, n, around, other);
    } else {
        free(*out);
        *out = NULL;
    }
    free(sorted);
    free(around);
    return rc;
}

void
hosts_free(struct hosts *hosts)
{
    free(hosts);
}

enum weir_policy
hosts_find(const struct hosts *hosts, const struct weir_addr *addr, unsigned ip_version)
{
    const u128 n = hosts->n > 1 ? number(addr, ip_version) : 0;
    size_t low = 0, high = hosts->n; /* the answer is in [low, high) */

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (hosts->at[middle].first <= n)
            low = middle;
        else
            high = middle;
    }
    return hosts->at[low].policy;
}
