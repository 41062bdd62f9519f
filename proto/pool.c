#include "pool.h"

#include <weir/error.h>

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct part {
    uint8_t *base, *next, *end; /* next: what was never handed out */
    void *free;                 /* blocks given back, linked through their first word */
    uint32_t size;              /* of a block */
};

struct pool {
    struct part part[POOL_SIZES];
    struct pool_stats stats;
    uint8_t *memory;
};

static_assert(POOL_SMALL % alignof(max_align_t) == 0, "a free block holds a pointer");

static const uint32_t sizes[POOL_SIZES] = { POOL_SMALL, POOL_MIDDLE, POOL_LARGE };

int
pool_new(size_t bytes, struct pool **out)
{
    const size_t each = bytes / POOL_SIZES;
    struct pool *pool;

    *out = NULL;
    if (bytes < POOL_MIN_BYTES)
        return WEIR_E_INVAL;
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return WEIR_E_NOMEM;
    pool->memory = malloc(each / POOL_LARGE * POOL_LARGE * POOL_SIZES);
    if (pool->memory == NULL) {
        pool_free(pool);
        return WEIR_E_NOMEM;
    }
    for (unsigned i = 0; i < POOL_SIZES; i++) {
        uint8_t *base = pool->memory + i * (each / POOL_LARGE * POOL_LARGE);

        pool->part[i] = (struct part){ .base = base,
                                       .next = base,
                                       .end = base + each / POOL_LARGE * POOL_LARGE,
                                       .free = NULL,
                                       .size = sizes[i] };
    }
    *out = pool;
    return WEIR_E_OK;
}

void
pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    free(pool->memory);
    free(pool);
}

static uint8_t *
part_take(struct part *part)
{
    uint8_t *block = part->free;

    if (block != NULL) {
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
