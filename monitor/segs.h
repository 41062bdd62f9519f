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
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

enum seg_kind {
    SEG_REF,    /* data lives in the packet's memory */
    SEG_COPY,   /* data is a block of ours */
    SEG_DIGEST, /* only a hash of the bytes is left */
    SEG_PACK,   /* small segments, one behind the other, in a block of ours: reasm_kept.c */
};

enum { SEG_LEN = (1 << 25) - 1 }; /* bits of a length */

struct seg {
    union {
        const uint8_t *data;
        uint8_t *copy; /* SEG_COPY, SEG_PACK: start of its block */
        uint64_t digest;
    };
    uint32_t off;
    uint32_t len : 25;
    uint32_t kind : 2;  /* enum seg_kind */
    uint32_t class : 5; /* SEG_COPY, SEG_PACK: the block is 1 << class bytes */
};
static_assert(sizeof(struct seg) == 16, "three fit into the smallest block");

/*
 * Whether the receiver took a segment. One in doubt is delivered when it acknowledges the bytes,
 * and never before.
 */
enum doubt {
    DOUBT_NONE,
    DOUBT_TAKEN,   /* most likely it did: a copy that comes later is too late */
    DOUBT_REFUSED, /* most likely not: a copy that is beyond doubt takes its place */
    DOUBT_EARLY,   /* the same, of a client whose server was not heard yet */
    DOUBT_TTL,     /* the same as refused, for a TTL that falls */
    DOUBT_DROPPED, /* certainly not, if the capture is whole and the target is what it seems */
};

/* A segment that waits behind a hole. */
struct queued {
    struct seg seg;
    uint16_t acked_at; /* low bits of the tick at which an ACK passed the hole before it; 0: none */
    uint16_t cut_front; /* bytes of the segment as it came that others won, at either end; */
    uint16_t cut_back;  /* overlap policies look at the segment as it came */
    uint8_t doubt;      /* enum doubt */
    bool joined : 1;    /* to the one before: for the policy both are one, cut_front says so too */
    bool younger : 1;   /* than the one before, which had part of it */
    bool fin : 1;       /* a FIN stands behind it; cut_back counts it, too */
};
static_assert(sizeof(struct queued) == 24, "a queue's ring has places of this size");

struct segs {
    uint32_t cap, head, n;
    uint8_t stride; /* bytes of a place: a struct seg, or a struct queued */
    bool owns;      /* a segment may be a copy */
    uint16_t n_old; /* so many, the first, are no longer compared, only read back */
    alignas(8) uint8_t ring[];
};
static_assert(sizeof(struct segs) == 16, "a header as large as a place");

static inline struct seg *
segs_at(struct segs *segs, uint32_t i)
{
    uint32_t at = segs->head + i;

    assert(i < segs->n);
    at = at < segs->cap ? at : at - segs->cap;
    return (struct seg *)(void *)(segs->ring + (size_t)at * segs->stride);
}

static inline struct queued *
queued_at(struct segs *segs, uint32_t i)
{
    assert(segs->stride == sizeof(struct queued));
    return (struct queued *)segs_at(segs, i);
}

static inline uint32_t
segs_count(const struct segs *segs)
{
    return segs == NULL ? 0 : segs->n;
}

/*
 * Room for a segment at place i (0 .. count), made if need be; NULL: no memory. stride: the size of
 * a place, the same in all calls for a ring.
 */
struct seg *segs_insert(struct segs **segs, struct mem *mem, uint32_t i, size_t stride);

/* The same at the end, where nearly all come. */
static inline struct seg *
segs_push(struct segs **segs, struct mem *mem, size_t stride)
{
    struct segs *s = *segs;

    if (s == NULL || s->n == s->cap)
        return segs_insert(segs, mem, segs_count(s), stride);
    s->n++;
    return segs_at(s, s->n - 1);
}

/* Take out n places from i on. Their data is the caller's. */
void segs_remove(struct segs *segs, uint32_t i, uint32_t n);

/* How many places an insertion at place i would move. */
static inline uint32_t
segs_distance(struct segs *segs, uint32_t i)
{
    uint32_t count = segs_count(segs);

    return i < count / 2 ? i : count - i;
}

static inline void
segs_pop(struct segs *segs)
{
    segs->n--;
    if (segs->n_old > 0)
        segs->n_old--;
    segs->head = segs->head + 1 < segs->cap ? segs->head + 1 : 0;
}

/* The first place whose segment ends behind off; the count, if none does. */
uint32_t segs_find(struct segs *segs, uint32_t off);

/* Free all segments and the ring, set *segs to NULL. */
void segs_free(struct segs **segs, struct mem *mem);

/* Free what a segment owns. */
void seg_drop(struct seg *seg, struct mem *mem);

/*
 * Let a segment of the ring hold len bytes of data: by reference if they are stable, else a copy.
 */
bool seg_hold(struct segs *segs, struct seg *seg, struct mem *mem, const uint8_t *data,
              uint32_t len, bool stable);

/* Cut n bytes (less than all) off its front or back. */
void queued_cut_front(struct queued *q, uint32_t n);
void queued_cut_back(struct queued *q, uint32_t n);

/*
 * Make the segment at place i two, the first of n bytes (less than all); both remember how it came.
 * Returns false if memory ran out: it stays one.
 */
bool queued_split(struct segs **queue, struct mem *mem, uint32_t i, uint32_t n);

#endif
