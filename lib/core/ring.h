/*
 * Bounded ring of pointers from one thread to one other.
 *
 * Threads: one producer calls ring_push(), one consumer calls ring_pop(); nobody waits or locks.
 *          What the producer wrote before a push is seen behind the pop that takes the pointer.
 * Memory:  all at ring_init(). The pointers are handed over; what they point to is the callers'.
 */
#ifndef WEIR_CORE_RING_H
#define WEIR_CORE_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * Indices run on and are cut to the size when used. Each side keeps a copy of the other's index,
 * and looks at the real one, a line that the other core has just written, only when the copy says
 * that the ring is full (or empty).
 */
struct ring {
    alignas(64) _Atomic uint32_t tail; /* written by the producer: next slot to fill */
    uint32_t head_seen;
    alignas(64) _Atomic uint32_t head; /* written by the consumer: next slot to empty */
    uint32_t tail_seen;
    alignas(64) void **slot; /* both sides only read this line */
    uint32_t mask;
};

/*
 * @slots is a power of two, 1 .. 1 << 30.
 * @return WEIR_E_OK, WEIR_E_INVAL or WEIR_E_NOMEM; ring_free() is allowed after all of them.
 */
int ring_init(struct ring *ring, uint32_t slots);
void ring_free(struct ring *ring);

/* @return how many of @n items, the first ones, were taken; fewer if the ring is full. */
uint32_t ring_push(struct ring *ring, void *const *items, uint32_t n);

/* @return how many items, at most @n and in their order, were written to @items; 0: none there. */
uint32_t ring_pop(struct ring *ring, void **items, uint32_t n);

#endif
