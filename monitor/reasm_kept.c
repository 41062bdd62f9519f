#include "reasm_parts.h"

#include <string.h>

static void
forget_first(struct segs *kept, struct mem *mem)
{
    seg_drop(segs_at(kept, 0), mem);
    segs_pop(kept);
}

/* Drop what lies more than a window behind the receiver's ACK. */
static void
kept_trim(struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *kept = flow->kept[dir];
    int64_t window = flow_shard(flow)->engine->window;
    int64_t from = smaller(side_acked(side), side->next) - window;

    while (segs_count(kept) > 0) {
        const struct seg *seg = segs_at(kept, 0);

        if (seg_start(side, seg) + seg->len > from)
            break;
        forget_first(kept, flow_mem(flow));
    }
}

struct seg *
kept_place(struct weir_flow *flow, enum weir_dir dir, bool stable)
{
    struct segs **kept = &flow->kept[dir];
    struct mem *mem = flow_mem(flow);
    struct seg *seg;

    if (*kept != NULL && ((*kept)->n == (*kept)->cap || !stable))
        kept_trim(flow, dir);
    seg = segs_push(kept, mem, sizeof(struct seg));
    if (seg == NULL && segs_count(*kept) > 0) {
        forget_first(*kept, mem);
        seg = segs_push(kept, mem, sizeof(struct seg));
    }
    return seg;
}

void
kept_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    uint32_t len = (uint32_t)(chunk->end - chunk->off);
    struct seg *seg = kept_place(flow, dir, e->packet->stable);

    if (seg == NULL)
        return;
    *seg = (struct seg){ .off = (uint32_t)chunk->off };
    if (!seg_hold(flow->kept[dir], seg, flow_mem(flow), chunk->data, len, e->packet->stable)) {
        seg->kind = SEG_DIGEST;
        seg->digest = siphash13_bytes(&e->secret, chunk->data, len);
    }
}

bool
reasm_may_forget(const struct engine *e, const struct weir_flow *flow)
{
    if (!e->history)
        return flow->kept[0] != NULL || flow->kept[1] != NULL;
    for (int dir = 0; dir < 2; dir++) {
        const struct segs *kept = flow->kept[dir];

        if (kept != NULL && (kept->n == 0 || kept->n_old < kept->n))
            return true;
    }
    return false;
}

void
reasm_forget(const struct engine *e, struct weir_flow *flow)
{
    for (int dir = 0; dir < 2; dir++) {
        struct segs *kept = flow->kept[dir];

        if (e->history && segs_count(kept) > 0)
            kept->n_old = kept->n & UINT16_MAX;
        else
            segs_free(&flow->kept[dir], flow_mem(flow));
    }
}

bool
kept_shrink(const struct engine *e, struct weir_flow *flow)
{
    bool any = false;

    for (int dir = 0; dir < 2 && !e->history; dir++) {
        for (uint32_t i = 0; i < segs_count(flow->kept[dir]); i++) {
            struct seg *seg = segs_at(flow->kept[dir], i);
            uint64_t digest;

            if (seg->kind != SEG_COPY)
                continue;
            digest = siphash13_bytes(&e->secret, seg->copy, seg->len);
            seg_drop(seg, flow_mem(flow));
            seg->kind = SEG_DIGEST;
            seg->digest = digest;
            any = true;
        }
    }
    return any;
}

/* ---- comparison ---------------------------------------------------------------------------- */

/* Copy what the segments from place i on hold, from offset on, up to the first that is missing. */
static size_t
kept_copy(const struct side *side, struct segs *segs, uint32_t i, int64_t offset, uint8_t *to,
          size_t n)
{
    size_t done = 0;

    for (; i < segs_count(segs) && done < n; i++) {
        const struct seg *seg = segs_at(segs, i);
        int64_t into = offset + (int64_t)done - seg_start(side, seg);
        size_t part;

        if (seg->kind == SEG_DIGEST || into < 0)
            break;
        part = (size_t)smaller(seg->len - into, (int64_t)(n - done));
        memcpy(to + done, seg->data + into, part);
        done += part;
    }
    return done;
}

size_t
reasm_read(const struct weir_flow *flow, enum weir_dir dir, int64_t offset, uint8_t *to, size_t n)
{
    const struct side *side = &flow->side[dir];
    struct segs *kept = flow->kept[dir];

    n = (int64_t)n < side->next - offset ? n : (size_t)greater(side->next - offset, 0);
    return kept_copy(side, kept, segs_find(kept, (uint32_t)offset), offset, to, n);
}

static bool
differs(const struct overlap *out)
{
    return out->diff_end > out->diff_off;
}

static void
widen(int64_t *off, int64_t *end, int64_t from, int64_t to)
{
    *off = *off == *end ? from : smaller(*off, from);
    *end = greater(*end, to);
}

/* Note where new[0..n) differs from old; the bytes stand at offset from. */
static void
note_difference(struct overlap *out, const uint8_t *new, const uint8_t *old, int64_t n,
                int64_t from, enum weir_kept kept)
{
    int64_t first = 0, last = n - 1;

    if (memcmp(new, old, (size_t)n) == 0)
        return;
    while (new[first] == old[first])
        first++;
    while (new[last] == old[last])
        last--;
    if (!differs(out))
        out->kept = kept;
    widen(&out->diff_off, &out->diff_end, from + first, from + last + 1);
}

/*
 * Compare the part [from, to) of the chunk with the segment, which covers it. Behind a difference
 * only what lies next to it counts: where nothing was seen, or is held, there are no old bytes.
 */
static void
compare_part(const struct engine *e, const struct chunk *chunk, const struct seg *seg,
             int64_t seg_off, int64_t from, int64_t to, enum weir_kept kept, struct overlap *out)
{
    const uint8_t *new = chunk->data + (from - chunk->off);

    if (differs(out) && (from != out->held_end || seg->kind == SEG_DIGEST))
        return;
    if (seg->kind != SEG_DIGEST) {
        note_difference(out, new, seg->data + (from - seg_off), to - from, from, kept);
        out->held_end = to;
    } else if (from != seg_off || to - from != seg->len) {
        out->verified = false;
    } else if (siphash13_bytes(&e->secret, new, seg->len) != seg->digest) {
        widen(&out->diff_off, &out->diff_end, from, to);
    }
}

/*
 * The first of the kept segments that bytes from off on are compared with. An app that reads back
 * has more of them kept; what others are told must not depend on that.
 */
static uint32_t
first_compared(struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *kept = flow->kept[dir];
    int64_t window = smaller(side_acked(side), side->next) - flow_shard(flow)->engine->opts.retain;
    uint32_t i = segs_find(kept, (uint32_t)greater(off, window));

    return kept != NULL && i < kept->n_old ? kept->n_old : i;
}

/* All below next was seen before; what is no longer kept cannot be verified. */
static void
compare_kept(const struct engine *e, struct weir_flow *flow, enum weir_dir dir,
             const struct chunk *chunk, struct overlap *out)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *kept = flow->kept[dir];
    int64_t end = smaller(chunk->end, side->next), missing = end - chunk->off;

    kept_trim(flow, dir); /* stable data waits longer; what is compared must not depend on that */
    widen(&out->off, &out->end, chunk->off, end);
    out->bytes += missing;
    for (uint32_t i = first_compared(flow, dir, chunk->off); i < segs_count(kept); i++) {
        const struct seg *seg = segs_at(kept, i);
        int64_t seg_off = seg_start(side, seg);
        int64_t from = greater(seg_off, chunk->off), to = smaller(seg_off + seg->len, end);

        if (from >= to)
            break;
        compare_part(e, chunk, seg, seg_off, from, to, WEIR_KEPT_OLD, out);
        missing -= to - from;
    }
    if (missing > 0)
        out->verified = false;
}

static void
compare_queue(const struct engine *e, struct weir_flow *flow, enum weir_dir dir,
              const struct chunk *chunk, struct overlap *out)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *queue = *queue_of(flow, dir);
    int64_t off = greater(chunk->off, side->next);

    for (uint32_t i = segs_find(queue, (uint32_t)off), n = 0; i < segs_count(queue); i++) {
        const struct queued *q = queued_at(queue, i);
        int64_t seg_off = seg_start(side, &q->seg);
        int64_t from = greater(seg_off, off), to = smaller(seg_off + q->seg.len, chunk->end);

        if (from >= to)
            break;
        if (++n > COMPARED_MAX) {
            out->verified = false;
            break;
        }
        widen(&out->off, &out->end, from, to);
        out->bytes += to - from;
        compare_part(e, chunk, &q->seg, seg_off, from, to,
                     queue_chunk_wins(flow, dir, chunk, queue, i) ? WEIR_KEPT_NEW : WEIR_KEPT_OLD,
                     out);
    }
}

void
reasm_compare(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
              const struct chunk *chunk, struct overlap *out)
{
    *out = (struct overlap){ .verified = true };
    if (chunk->off < flow_side(flow, dir)->next)
        compare_kept(e, flow, dir, chunk, out);
    if (has_queue(flow, dir))
        compare_queue(e, flow, dir, chunk, out);
}

struct weir_bytes
reasm_old_bytes(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off,
                int64_t end)
{
    const struct side *side = flow_side(flow, dir);
    size_t room = (size_t)smaller(end - off, SCRATCH);
    size_t n = kept_copy(side, flow->kept[dir], first_compared(flow, dir, off), off, e->scratch,
                         room);

    if (has_queue(flow, dir)) {
        struct segs *queue = *queue_of(flow, dir);
        int64_t from = off + (int64_t)n;

        n += kept_copy(side, queue, segs_find(queue, (uint32_t)from), from, e->scratch + n,
                       room - n);
    }
    return (struct weir_bytes){ e->scratch, (uint32_t)n };
}
