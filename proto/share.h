/*
 * What parsers may take for the flows of one shard (weir_flow_shard()). A core has those of its own
 * shards, so that no limit depends on how many cores there are.
 *
 * Threads: those of a core are its own.
 */
#ifndef WEIR_SHARE_H
#define WEIR_SHARE_H

#include "http.h"
#include "pool.h"

struct share {
    struct pool *pool; /* for messages in pieces */
    struct http_share http;
};

struct shares {
    struct share *at; /* n of them: by shard / n_cores */
    unsigned n, n_cores;
};

/* pool: bytes of each, as in pool_new(). Returns WEIR_E_OK, WEIR_E_INVAL or WEIR_E_NOMEM. */
int shares_init(struct shares *shares, unsigned n_cores, size_t pool);

/* Zeroed ones are allowed. */
void shares_free(struct shares *shares);

/* The counters of all pools. */
struct pool_stats shares_stats(const struct shares *shares);

static inline struct share *
share_of(const struct shares *shares, unsigned shard)
{
    return &shares->at[shard / shares->n_cores];
}

#endif
