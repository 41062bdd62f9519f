#include "core/ring.h"

#include <weir/error.h>

#include <stdlib.h>

int
ring_init(struct ring *ring, uint32_t slots)
{
    ring->slot = NULL;
    if (slots == 0 || slots > UINT32_C(1) << 30 || (slots & (slots - 1)) != 0)
        return WEIR_E_INVAL;
    ring->slot = calloc(slots, sizeof(*ring->slot));
    if (ring->slot == NULL)
        return WEIR_E_NOMEM;
    ring->mask = slots - 1;
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->head, 0);
    ring->head_seen = 0;
    ring->tail_seen = 0;
    return WEIR_E_OK;
}

void
ring_free(struct ring *ring)
{
    free(ring->slot);
    ring->slot = NULL;
}

static inline uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t
ring_push(struct ring *ring, void *const *items, uint32_t n)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint32_t space = ring->mask + 1 - (tail - ring->head_seen);

    if (space < n) {
        /* Acquire: the consumer has read what the slots held before they are written again. */
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        space = ring->mask + 1 - (tail - ring->head_seen);
    }
    n = least(n, space);
    for (uint32_t i = 0; i < n; i++)
        ring->slot[(tail + i) & ring->mask] = items[i];
    atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
    return n;
}

uint32_t
ring_pop(struct ring *ring, void **items, uint32_t n)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t there = ring->tail_seen - head;

    if (there < n) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        there = ring->tail_seen - head;
    }
    n = least(n, there);
    for (uint32_t i = 0; i < n; i++)
        items[i] = ring->slot[(head + i) & ring->mask];
    atomic_store_explicit(&ring->head, head + n, memory_order_release);
    return n;
}
