/*
 * What the parts of reassembly share: reasm.c delivers and gives holes up, reasm_queue.c holds what
 * waits, reasm_kept.c what was delivered, for comparison. For them alone; others use reasm.h.
 */
#ifndef WEIR_REASM_PARTS_H
#define WEIR_REASM_PARTS_H

#include "reasm.h"

#include <string.h>

static inline struct mem *
flow_mem(const struct weir_flow *flow)
{
    return &flow_shard(flow)->mem;
}

static inline struct segs **
queue_of(struct weir_flow *flow, enum weir_dir dir)
{
    return &flow_cold(flow)->rare->queue[dir];
}

static inline int64_t
seg_start(const struct side *side, const struct seg *seg)
{
    return side_offset(side, seg->off);
}

/* Ticks of stamps are 16 bits wide and never 0, which means none. */
static inline uint16_t
stamp(uint64_t tick)
{
    uint16_t low = (uint16_t)tick;

    return low != 0 ? low : 1;
}

/* The first tick that is not before now: what is due later counts from it. */
static inline uint64_t
tick_now(const struct engine *e)
{
    return (e->clock + TICK_NS - 1) / TICK_NS;
}

/* The ring of what is kept; NULL: nothing is. Its last segment may lack what was added since. */
static inline struct segs *
kept_ring(const struct weir_flow *flow, enum weir_dir dir)
{
    const uint64_t kept = flow->kept[dir], at = kept & ((UINT64_C(1) << KEPT_USED_AT) - 1);

    return kept >> KEPT_CLASS_AT == 0 ? (struct segs *)(uintptr_t)at
                                      : *(struct segs **)(uintptr_t)at;
}

/* What is kept next does not follow what was kept last, or not so close that both are one. */
void kept_close(struct weir_flow *flow, enum weir_dir dir);

void kept_drop(struct weir_flow *flow, enum weir_dir dir);

/*
 * A place at the end of what is kept; where memory ends, the oldest makes room. Stable data costs
 * but a descriptor, so old ones stay until the ring is full.
 */
struct seg *kept_place(struct weir_flow *flow, enum weir_dir dir, bool stable);

enum {
    PIECE_MAX = 512, /* bytes of a small segment */
    PIECE_HEAD = 2,  /* its length, in its block */
};

/* Of the block for small segments, so many bytes are used. */
static inline uint32_t
kept_used(const struct weir_flow *flow, enum weir_dir dir)
{
    return flow->kept[dir] >> KEPT_USED_AT & KEPT_USED;
}

/* At most PIECE_MAX bytes. Not memcpy() alone: of so few the compiler makes a slow string
 * instruction. */
static inline void
copy_small(uint8_t *to, const uint8_t *from, uint32_t n)
{
    if (n >= 16) {
        for (uint32_t i = 0; i < n - 16; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (uint32_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

/* Add to the block that is open; false: there is none, or no room. */
static inline bool
kept_add_piece(struct weir_flow *flow, enum weir_dir dir, const uint8_t *data, uint32_t len)
{
    const unsigned class = (unsigned)(flow->kept[dir] >> KEPT_CLASS_AT);
    const uint32_t more = PIECE_HEAD + len;
    const uint16_t head = (uint16_t)len;
    uint8_t *to;

    if (WEIR_UNLIKELY(class == 0 || kept_used(flow, dir) + more >= 1U << (class + KEPT_CLASS_MIN)))
        return false;
    to = (uint8_t *)flow_kept_end(flow, dir);
    memcpy(to, &head, PIECE_HEAD);
    copy_small(to + PIECE_HEAD, data, len);
    flow->kept[dir] += (uint64_t)more << KEPT_USED_AT;
    return true;
}

/* Add by reference, to a ring with room, and look at nothing but that; false: there is none. */
static inline bool
kept_add_reference(struct weir_flow *flow, enum weir_dir dir, uint32_t off, const uint8_t *data,
                   uint32_t len)
{
    struct segs *ring = kept_ring(flow, dir);

    if (ring == NULL || flow->kept[dir] >> KEPT_CLASS_AT != 0 || ring->n == ring->cap)
        return false;
    ring->n++;
    *segs_at(ring, ring->n - 1) =
        (struct seg){ .data = data, .off = off, .len = len & SEG_LEN, .kind = SEG_REF };
    return true;
}

/* A segment with a place of its own, or the first of a block. */
void kept_add_seg(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint32_t off,
                  const uint8_t *data, uint32_t len, bool stable);

/* Bytes that were delivered, the next ones; off: the low bits of their offset. */
static inline void
kept_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint32_t off,
         const uint8_t *data, uint32_t len, bool stable)
{
    bool added;

    if (stable)
        added = kept_add_reference(flow, dir, off, data, len);
    else
        added = len <= PIECE_MAX && kept_add_piece(flow, dir, data, len);
    if (WEIR_UNLIKELY(!added))
        kept_add_seg(e, flow, dir, off, data, len, stable);
}

/* What is kept only for comparison shrinks to digests. Returns whether that gave memory. */
bool kept_shrink(const struct engine *e, struct weir_flow *flow);

/* Whether the chunk takes the bytes of the segment at place i. None wins that was refused. */
bool queue_chunk_wins(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
                      struct segs *queue, uint32_t i);

/* What waits from next on and loses to the chunk goes, as if that was queued. */
void queue_give_way(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk);

/* ---- reasm_early.c ------------------------------------------------------------------------- */

/* Whether something that the client sent waits for its server to be heard. */
bool early_waits(struct weir_flow *flow);

/* The tick from which on a server that was not heard is one that the capture does not have. */
uint64_t early_end(const struct weir_flow *flow);

/* ---- reasm_queue.c ------------------------------------------------------------------------- */

/* False: a limit was hit, and told. */
bool
queue_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk);

#endif
