/*
 * What the parts of reassembly share: reasm.c delivers and gives holes up, reasm_queue.c holds what
 * waits, reasm_kept.c what was delivered, for comparison. For them alone; others use reasm.h.
 */
#ifndef WEIR_REASM_PARTS_H
#define WEIR_REASM_PARTS_H

#include "reasm.h"

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

/* Bytes that were delivered, the next ones; off: the low bits of their offset. */
void kept_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint32_t off,
              const uint8_t *data, uint32_t len, bool stable);

/* What is kept only for comparison shrinks to digests. Returns whether that gave memory. */
bool kept_shrink(const struct engine *e, struct weir_flow *flow);

/* Whether the chunk takes the bytes of the segment at place i. None wins that was refused. */
bool queue_chunk_wins(const struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
                      struct segs *queue, uint32_t i);

/* What waits from next on and loses to the chunk goes, as if that was queued. */
void queue_give_way(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk);

/* False: a limit was hit, and told. */
bool
queue_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk);

#endif
