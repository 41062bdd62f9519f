/*
 * Segments of one direction, sorted by offset and not overlapping: what was delivered not long
 * ago, and what waits behind a hole. A ring in one block of the shard's memory, which grows.
 *
 * Offsets are the low 32 bits of the 64-bit ones: all in a ring lie within 2 GiB of each other.
 */
#ifndef WEIR_SEGS_H
#define WEIR_SEGS_H

#include "mem.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum seg_kind {
    SEG_REF,    /* data lives in the packet's memory */
    SEG_COPY,   /* data is a block of ours */
    SEG_DIGEST, /* only a hash of the bytes is left */
};

struct seg {
    union {
        const uint8_t *data;
        uint8_t *copy; /* SEG_COPY: start of its block */
        uint64_t digest;
    };
    uint32_t off;
    uint32_t len;
    uint8_t kind;       /* enum seg_kind */
    uint8_t class;      /* SEG_COPY: the block is 1 << class bytes */
    uint16_t acked_at;  /* low bits of the tick at which an ACK passed the hole before it; 0: none */
    uint16_t cut_front; /* bytes of the segment as it came that others won, at either end; */
    uint16_t cut_back;  /* overlap policies look at the segment as it came */
};
static_assert(sizeof(struct seg) == 24, "two fit into the smallest block");

struct segs {
    uint32_t cap, head, n, zero;
    struct seg ring[];
};

static inline struct seg *
segs_at(struct segs *segs, uint32_t i)
{
    uint32_t at = segs->head + i;

    assert(i < segs->n);
    return &segs->ring[at < segs->cap ? at : at - segs->cap];
}

static inline uint32_t
segs_count(const struct segs *segs)
{
    return segs == NULL ? 0 : segs->n;
}

/* Room for a segment at place i (0 .. count), made if need be; NULL: no memory. */
struct seg *segs_insert(struct segs **segs, struct mem *mem, uint32_t i);

/* The same at the end, where nearly all come. */
static inline struct seg *
segs_push(struct segs **segs, struct mem *mem)
{
    struct segs *s = *segs;

    if (s == NULL || s->n == s->cap)
        return segs_insert(segs, mem, segs_count(s));
    s->n++;
    return segs_at(s, s->n - 1);
}

/* Take out place i. Its data is the caller's. */
void segs_remove(struct segs *segs, uint32_t i);

static inline void
segs_pop(struct segs *segs)
{
    segs->n--;
    segs->head = segs->head + 1 < segs->cap ? segs->head + 1 : 0;
}

/* The first place whose segment ends behind off; the count, if none does. */
uint32_t segs_find(struct segs *segs, uint32_t off);

/* Free all segments and the ring, set *segs to NULL. */
void segs_free(struct segs **segs, struct mem *mem);

/* Free what a segment owns. */
void seg_drop(struct seg *seg, struct mem *mem);

/* Let a segment hold len bytes of data: by reference if they are stable, else a copy. */
bool seg_hold(struct seg *seg, struct mem *mem, const uint8_t *data, uint32_t len, bool stable);

/* Cut n bytes (less than all) off its front or back. */
void seg_cut_front(struct seg *seg, uint32_t n);
void seg_cut_back(struct seg *seg, uint32_t n);

#endif
