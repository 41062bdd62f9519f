#include "pool.h"

#include "poison.h"

#include <weir/error.h>

#include <assert.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct part {
    uint8_t *base, *next, *end; /* next: what was never handed out */
    void *free;                 /* blocks given back, linked through their first word */
    uint32_t size;              /* of a block */
};

struct pool {
    struct part part[POOL_SIZES];
    struct pool_stats stats;
    uint8_t *range;
    size_t range_size;
};

static_assert(POOL_SMALL % alignof(max_align_t) == 0, "a free block holds a pointer");

static const uint32_t sizes[POOL_SIZES] = { POOL_SMALL, POOL_MIDDLE, POOL_LARGE };

/* Mapped: hundreds of pools of which few are used cost next to nothing, under ASan too. */
static bool
map(struct pool *pool, size_t size)
{
    void *range = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (range == MAP_FAILED)
        return false;
    pool->range = range;
    pool->range_size = size;
    return true;
}

int
pool_new(size_t bytes, struct pool **out)
{
    const size_t each = bytes / POOL_SIZES / POOL_LARGE * POOL_LARGE;
    struct pool *pool;

    *out = NULL;
    if (bytes < POOL_MIN_BYTES)
        return WEIR_E_INVAL;
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL || !map(pool, each * POOL_SIZES)) {
        pool_free(pool);
        return WEIR_E_NOMEM;
    }
    for (unsigned i = 0; i < POOL_SIZES; i++) {
        uint8_t *base = pool->range + i * each;

        pool->part[i] = (struct part){
            .base = base, .next = base, .end = base + each, .free = NULL, .size = sizes[i]
        };
    }
    *out = pool;
    return WEIR_E_OK;
}

void
pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    for (unsigned i = 0; pool->range != NULL && i < POOL_SIZES; i++)
        UNPOISON(pool->part[i].base, (size_t)(pool->part[i].next - pool->part[i].base));
    if (pool->range != NULL)
        munmap(pool->range, pool->range_size);
    free(pool);
}

static uint8_t *
part_take(struct part *part)
{
    uint8_t *block = part->free;

    if (block != NULL) {
        UNPOISON(block, part->size);
        memcpy(&part->free, block, sizeof(part->free));
    } else if (part->next < part->end) {
        block = part->next;
        part->next += part->size;
    }
    return block;
}

uint8_t *
pool_take(struct pool *pool, size_t size, uint32_t *room)
{
    assert(size > 0 && size <= POOL_LARGE);
    for (unsigned i = 0; i < POOL_SIZES; i++) {
        uint8_t *block = size <= sizes[i] ? part_take(&pool->part[i]) : NULL;

        if (block != NULL) {
            *room = sizes[i];
            return block;
        }
    }
    pool->stats.exhausted++;
    return NULL;
}

void
pool_give(struct pool *pool, uint8_t *block)
{
    for (unsigned i = 0; block != NULL && i < POOL_SIZES; i++) {
        struct part *part = &pool->part[i];

        if (block >= part->base && block < part->end) {
            memcpy(block, &part->free, sizeof(part->free));
            part->free = block;
            POISON(block, part->size);
            return;
        }
    }
    assert(block == NULL);
}

struct pool_stats *
pool_stats(struct pool *pool)
{
    return &pool->stats;
}

void
pool_stats_add(struct pool_stats *to, const struct pool_stats *from)
{
    to->exhausted += from->exhausted;
    for (unsigned i = 0; i < POOL_KINDS; i++)
        to->too_long[i] += from->too_long[i];
    to->gathered += from->gathered;
    to->lost += from->lost;
}

void
pool_put_too_long(const struct pool_stats *stats, char to[POOL_TEXT])
{
    static const char *const kinds[] = {
#define X(name, text) text,
        POOL_KIND_LIST(X)
#undef X
    };
    size_t at = 0;

    snprintf(to, POOL_TEXT, "0");
    for (unsigned i = 0; i < POOL_KINDS; i++)
        if (stats->too_long[i] > 0 && at < POOL_TEXT)
            at += (size_t)snprintf(to + at, POOL_TEXT - at, "%s%" PRIu64 " %s", at > 0 ? ", " : "",
                                   stats->too_long[i], kinds[i]);
}
