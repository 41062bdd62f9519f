#include "gather.h"

#include <string.h>

/* What is left of the bytes at hand. */
struct feed {
    const struct gather_spec *spec;
    struct pool *pool;
    const uint8_t *p;
    size_t n;
};

static void
pass(struct feed *feed, size_t n)
{
    feed->p += n;
    feed->n -= n;
}

void
gather_reset(struct gather *g, struct pool *pool)
{
    pool_give(pool, g->block);
    *g = (struct gather){ .block = NULL };
}

/* Read on in the header. Returns whether it is complete. */
static bool
read_header(struct gather *g, struct feed *feed)
{
    while (g->n_head < feed->spec->header && feed->n > 0) {
        g->head[g->n_head++] = *feed->p;
        pass(feed, 1);
    }
    if (g->n_head < feed->spec->header)
        return false;
    g->want = feed->spec->length(g->head);
    g->skips = g->want > feed->spec->max;
    pool_stats(feed->pool)->too_long[feed->spec->kind] += g->skips;
    return true;
}

/* Room for n more bytes of the body: a block that follows what came, not what was announced. */
static bool
make_room(struct gather *g, struct pool *pool, size_t n)
{
    uint8_t *block;
    uint32_t room;

    if (g->block != NULL && g->have + n <= g->room)
        return true;
    block = pool_take(pool, g->have + n, &room);
    if (block == NULL)
        return false;
    if (g->have > 0)
        memcpy(block, g->block, g->have);
    pool_give(pool, g->block);
    g->block = block;
    g->room = room;
    return true;
}

static void
keep(struct gather *g, struct feed *feed, size_t n)
{
    if (n > 0 && !g->skips && make_room(g, feed->pool, n)) {
        memcpy(g->block + g->have, feed->p, n);
    } else if (n > 0 && !g->skips) {
        pool_give(feed->pool, g->block);
        g->block = NULL;
        g->skips = true;
    }
    g->have += (uint32_t)n;
    pass(feed, n);
}

/* The body is complete with the bytes at hand. */
static bool
show(struct gather *g, struct feed *feed, gather_fn *fn, void *ctx)
{
    const size_t n = g->want - g->have;
    bool go_on = true;

    if (g->have == 0 && !g->skips) {
        go_on = fn(ctx, g->head, (struct weir_bytes){ feed->p, g->want });
        pass(feed, n);
    } else {
        keep(g, feed, n);
        if (!g->skips) {
            pool_stats(feed->pool)->gathered++;
            go_on = fn(ctx, g->head, (struct weir_bytes){ g->block, g->want });
        }
    }
    gather_reset(g, feed->pool);
    return go_on;
}

bool
gather_feed(struct gather *g, const struct gather_spec *spec, struct pool *pool,
            struct weir_bytes bytes, gather_fn *fn, void *ctx)
{
    struct feed feed = { .spec = spec, .pool = pool, .p = bytes.p, .n = bytes.n };

    while (feed.n > 0) {
        if (g->n_head < spec->header && !read_header(g, &feed))
            return true;
        if (feed.n < g->want - g->have)
            keep(g, &feed, feed.n);
        else if (!show(g, &feed, fn, ctx))
            return false;
    }
    return true;
}

bool
gather_gap(struct gather *g, struct pool *pool, uint64_t n)
{
    if (n == 0)
        return true;
    if (g->n_head > 0 && !g->skips)
        pool_stats(pool)->lost++;
    if (n > g->want - g->have) {
        gather_reset(g, pool);
        return false;
    }
    pool_give(pool, g->block);
    g->block = NULL;
    g->skips = true;
    g->have += (uint32_t)n;
    if (g->have == g->want)
        gather_reset(g, pool);
    return true;
}
