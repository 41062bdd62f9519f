#include "share.h"

#include "mem.h"

#include <weir/error.h>

#include <stdlib.h>

int
shares_init(struct shares *shares, unsigned n_cores, size_t pool)
{
    int rc = WEIR_E_OK;

    *shares = (struct shares){ .n = (MEM_SHARDS + n_cores - 1) / n_cores, .n_cores = n_cores };
    shares->at = calloc(shares->n, sizeof(*shares->at));
    if (shares->at == NULL)
        return WEIR_E_NOMEM;
    for (unsigned i = 0; i < shares->n && rc == WEIR_E_OK; i++)
        rc = pool_new(pool, &shares->at[i].pool);
    return rc;
}

void
shares_free(struct shares *shares)
{
    for (unsigned i = 0; shares->at != NULL && i < shares->n; i++)
        pool_free(shares->at[i].pool);
    free(shares->at);
    *shares = (struct shares){ .n = 0 };
}

struct pool_stats
shares_stats(const struct shares *shares)
{
    struct pool_stats sum = { .exhausted = 0 };

    for (unsigned i = 0; i < shares->n; i++)
        pool_stats_add(&sum, pool_stats(shares->at[i].pool));
    return sum;
}
