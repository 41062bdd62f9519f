#include "reasm_parts.h"

#include <string.h>

/* ---- small segments ------------------------------------------------------------------------ */

/*
 * Copies of small segments share a block, each behind its length: they stay apart, for what is
 * compared begins with a whole one. The last block stays open, see weir_flow.kept; it belongs to
 * the last segment of the ring, whose length is written when it is needed.
 */
struct pack {
    struct segs *ring;
    uint8_t bytes[];
};

enum {
    PIECE_DIGEST = 0x8000, /* in its head: only a digest of it is left */
    PACK_MIN_SHIFT = MEM_MIN_SHIFT,
    PACK_MAX_SHIFT = 12,
    PACK_PIECES = 64, /* segments of a size for which a block need not be larger */
};
static_assert((int)PACK_MIN_SHIFT > (int)KEPT_CLASS_MIN && 1 << PACK_MAX_SHIFT == KEPT_USED + 1,
              "both fit into weir_flow.kept");

/* The block's size as a power of two; 0: none is open. */
static unsigned
open_shift(const struct weir_flow *flow, enum weir_dir dir)
{
    const unsigned class = (unsigned)(flow->kept[dir] >> KEPT_CLASS_AT);

    return class == 0 ? 0 : class + KEPT_CLASS_MIN;
}

static void
set_ring(struct weir_flow *flow, enum weir_dir dir, const struct segs *ring)
{
    flow->kept[dir] = (uintptr_t)ring;
}

static void
set_open(struct weir_flow *flow, enum weir_dir dir, const void *block, unsigned shift)
{
    flow->kept[dir] = (uintptr_t)block | (uint64_t)sizeof(struct pack) << KEPT_USED_AT |
                      (uint64_t)(shift - KEPT_CLASS_MIN) << KEPT_CLASS_AT;
}

/* A place in a ring: of a segment, or of a small one in its block. */
struct cursor {
    struct segs *ring;
    uint32_t i;
    uint32_t at, done; /* in the block: bytes before, and of how many of the stream */
};

/* The small segment at this place of a block; returns how much of the block it takes. */
static uint32_t
read_piece(const struct pack *pack, uint32_t at, struct seg *out)
{
    uint16_t head;

    memcpy(&head, pack->bytes + at, PIECE_HEAD);
    out->len = head & ~PIECE_DIGEST & SEG_LEN;
    if (head & PIECE_DIGEST) {
        out->kind = SEG_DIGEST;
        memcpy(&out->digest, pack->bytes + at + PIECE_HEAD, sizeof(out->digest));
        return PIECE_HEAD + sizeof(out->digest);
    }
    out->kind = SEG_REF;
    out->data = pack->bytes + at + PIECE_HEAD;
    return PIECE_HEAD + out->len;
}

/* The next segment as it came; false: there is none. */
static bool
next_seg(struct cursor *c, struct seg *out)
{
    const struct seg *seg;

    if (c->i >= segs_count(c->ring))
        return false;
    seg = segs_at(c->ring, c->i);
    *out = *seg;
    if (seg->kind == SEG_PACK) {
        c->at += read_piece((const struct pack *)(const void *)seg->copy, c->at, out);
        out->off = seg->off + c->done;
        c->done += out->len;
        if (c->done < seg->len)
            return true;
    }
    c->i++;
    c->at = c->done = 0;
    return true;
}

/* The ring, with the length of its last segment as it is now. */
static struct segs *
whole_ring(struct weir_flow *flow, enum weir_dir dir)
{
    struct segs *ring = kept_ring(flow, dir);
    uint32_t at = 0, len = 0;
    struct seg piece, *last;

    if (open_shift(flow, dir) == 0)
        return ring;
    last = segs_at(ring, ring->n - 1);
    while (at + sizeof(struct pack) < kept_used(flow, dir)) {
        at += read_piece((const struct pack *)(const void *)last->copy, at, &piece);
        len += piece.len;
    }
    last->len = len & SEG_LEN;
    return ring;
}

void
kept_close(struct weir_flow *flow, enum weir_dir dir)
{
    set_ring(flow, dir, whole_ring(flow, dir));
}

/* The same, if all that was kept ends at off. */
static void
close_at(struct weir_flow *flow, enum weir_dir dir, uint32_t off)
{
    struct segs *ring = kept_ring(flow, dir);
    struct seg *last = segs_at(ring, ring->n - 1);

    last->len = (off - last->off) & SEG_LEN;
    set_ring(flow, dir, ring);
}

void
kept_drop(struct weir_flow *flow, enum weir_dir dir)
{
    struct segs *ring = kept_ring(flow, dir);

    segs_free(&ring, flow_mem(flow));
    set_ring(flow, dir, NULL);
}

/* Let the segment, the last one, have a block for small ones, of at least this size. */
static bool
open_pack(struct weir_flow *flow, enum weir_dir dir, struct seg *seg, unsigned shift)
{
    struct segs *ring = kept_ring(flow, dir);
    struct pack *pack = mem_alloc(flow_mem(flow), (size_t)1 << shift);

    if (pack == NULL)
        return false;
    pack->ring = ring;
    ring->owns = true;
    seg->kind = SEG_PACK;
    seg->class = shift & 31;
    seg->copy = (uint8_t *)pack;
    set_open(flow, dir, pack, shift);
    return true;
}

/* Blocks grow as long as they fill up. before: what the one before was; 0: it was not full. */
static unsigned
pack_shift(unsigned before, uint32_t len)
{
    const size_t one = PIECE_HEAD + len, enough = sizeof(struct pack) + PACK_PIECES * one;
    unsigned shift = before == 0 ? PACK_MIN_SHIFT : before;

    if (before != 0 && (size_t)1 << before < enough)
        shift++;
    while (sizeof(struct pack) + one >= (size_t)1 << shift)
        shift++;
    return shift < PACK_MAX_SHIFT ? shift : PACK_MAX_SHIFT;
}

static void
put_piece(struct pack *pack, uint32_t at, const struct seg *piece)
{
    const uint16_t head = (uint16_t)(piece->len | (piece->kind == SEG_DIGEST ? PIECE_DIGEST : 0));

    memcpy(pack->bytes + at, &head, PIECE_HEAD);
    if (piece->kind == SEG_DIGEST)
        memcpy(pack->bytes + at + PIECE_HEAD, &piece->digest, sizeof(piece->digest));
    else
        memmove(pack->bytes + at + PIECE_HEAD, piece->data, piece->len);
}

static bool
shrinks(const struct seg *piece)
{
    return piece->kind != SEG_DIGEST && piece->len > sizeof(piece->digest);
}

/* The bytes of the block that are used if its segments become digests, where that is less. */
static uint32_t
shrunk_size(const struct seg *seg)
{
    uint32_t at = 0, done = 0, size = sizeof(struct pack);
    struct seg piece;

    for (; done < seg->len; done += piece.len) {
        const uint32_t n = read_piece((const struct pack *)(const void *)seg->copy, at, &piece);

        at += n;
        size += shrinks(&piece) ? PIECE_HEAD + (uint32_t)sizeof(piece.digest) : n;
    }
    return size;
}

static bool
shrink_pack(const struct engine *e, struct seg *seg, struct mem *mem)
{
    struct pack *pack = (struct pack *)(void *)seg->copy;
    const size_t before = (size_t)1 << seg->class, size = mem_block_size(shrunk_size(seg));
    uint32_t from = 0, to = 0, done = 0;
    struct seg piece;

    if (size == before)
        return false;
    for (; done < seg->len; done += piece.len) {
        from += read_piece(pack, from, &piece);
        if (shrinks(&piece)) {
            piece.kind = SEG_DIGEST;
            piece.digest = siphash13_bytes(&e->secret, piece.data, piece.len);
        }
        put_piece(pack, to, &piece);
        to += read_piece(pack, to, &piece);
    }
    mem_cut(mem, pack, before, size);
    seg->class = (unsigned)__builtin_ctzll(size) & 31;
    return true;
}

/* ---- the ring ------------------------------------------------------------------------------ */

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
    struct segs *kept = whole_ring(flow, dir);
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
    struct mem *mem = flow_mem(flow);
    struct segs *kept;
    struct seg *seg;

    kept_close(flow, dir);
    kept = kept_ring(flow, dir);
    if (kept != NULL && (kept->n == kept->cap || !stable))
        kept_trim(flow, dir);
    seg = segs_push(&kept, mem, sizeof(struct seg));
    if (seg == NULL && segs_count(kept) > 0) {
        forget_first(kept, mem);
        seg = segs_push(&kept, mem, sizeof(struct seg));
    }
    set_ring(flow, dir, kept);
    return seg;
}

void
kept_add_seg(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint32_t off,
             const uint8_t *data, uint32_t len, bool stable)
{
    const unsigned before = open_shift(flow, dir);
    struct seg *seg;

    if (before > 0)
        close_at(flow, dir, off);
    seg = kept_place(flow, dir, stable);
    if (seg == NULL)
        return;
    *seg = (struct seg){ .off = off };
    if (!stable && len <= PIECE_MAX && open_pack(flow, dir, seg, pack_shift(before, len))) {
        (void)kept_add_piece(flow, dir, data, len);
    } else if (!seg_hold(kept_ring(flow, dir), seg, flow_mem(flow), data, len, stable)) {
        seg->kind = SEG_DIGEST;
        seg->digest = siphash13_bytes(&e->secret, data, len);
    }
}

bool
reasm_may_forget(const struct engine *e, const struct weir_flow *flow)
{
    if (!e->history)
        return flow->kept[0] != 0 || flow->kept[1] != 0;
    for (int dir = 0; dir < 2; dir++) {
        const struct segs *kept = kept_ring(flow, (enum weir_dir)dir);

        if (kept != NULL && (kept->n == 0 || kept->n_old < kept->n))
            return true;
    }
    return false;
}

void
reasm_forget(const struct engine *e, struct weir_flow *flow)
{
    for (int dir = 0; dir < 2; dir++) {
        struct segs *kept = kept_ring(flow, (enum weir_dir)dir);

        if (e->history && segs_count(kept) > 0) {
            kept_close(flow, (enum weir_dir)dir);
            kept->n_old = kept->n & UINT16_MAX;
        } else {
            kept_drop(flow, (enum weir_dir)dir);
        }
    }
}

static bool
shrink_seg(const struct engine *e, struct seg *seg, struct mem *mem)
{
    uint64_t digest;

    if (seg->kind == SEG_PACK)
        return shrink_pack(e, seg, mem);
    if (seg->kind != SEG_COPY)
        return false;
    digest = siphash13_bytes(&e->secret, seg->copy, seg->len);
    seg_drop(seg, mem);
    seg->kind = SEG_DIGEST;
    seg->digest = digest;
    return true;
}

bool
kept_shrink(const struct engine *e, struct weir_flow *flow)
{
    bool any = false;

    for (int dir = 0; dir < 2 && !e->history; dir++) {
        struct segs *kept;

        kept_close(flow, (enum weir_dir)dir);
        kept = kept_ring(flow, (enum weir_dir)dir);
        for (uint32_t i = 0; i < segs_count(kept); i++)
            any |= shrink_seg(e, segs_at(kept, i), flow_mem(flow));
    }
    return any;
}

/* ---- comparison ---------------------------------------------------------------------------- */

/* Copy what the segments from place i on hold, from offset on, up to the first that is missing. */
static size_t
kept_copy(const struct side *side, struct segs *segs, uint32_t i, int64_t offset, uint8_t *to,
          size_t n)
{
    struct cursor cursor = { .ring = segs, .i = i };
    size_t done = 0;
    struct seg seg;

    while (done < n && next_seg(&cursor, &seg)) {
        int64_t into = offset + (int64_t)done - seg_start(side, &seg);
        size_t part;

        if (into >= seg.len)
            continue; /* of the block of those before */
        if (seg.kind == SEG_DIGEST || into < 0)
            break;
        part = (size_t)smaller(seg.len - into, (int64_t)(n - done));
        memcpy(to + done, seg.data + into, part);
        done += part;
    }
    return done;
}

size_t
reasm_read(const struct weir_flow *flow, enum weir_dir dir, int64_t offset, uint8_t *to, size_t n)
{
    const struct side *side = &flow->side[dir];
    struct segs *kept = whole_ring((struct weir_flow *)(uintptr_t)flow, dir);

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
 * Kept segments that end at or before this offset are not compared with bytes from off on. An app
 * that reads back has more of them kept; what others are told must not depend on that.
 */
static int64_t
compared_from(struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    const struct side *side = flow_side(flow, dir);

    return greater(off,
                   smaller(side_acked(side), side->next) - flow_shard(flow)->engine->opts.retain);
}

/* The place of the first that is, or, if it is a small one, of its block. */
static uint32_t
first_compared(struct segs *kept, int64_t from)
{
    uint32_t i = segs_find(kept, (uint32_t)from);

    return kept != NULL && i < kept->n_old ? kept->n_old : i;
}

/* All below next was seen before; what is no longer kept cannot be verified. */
static void
compare_kept(const struct engine *e, struct weir_flow *flow, enum weir_dir dir,
             const struct chunk *chunk, struct overlap *out)
{
    const struct side *side = flow_side(flow, dir);
    int64_t end = smaller(chunk->end, side->next), missing = end - chunk->off;
    int64_t first = compared_from(flow, dir, chunk->off);
    struct cursor cursor;
    struct seg seg;

    kept_trim(flow, dir); /* stable data waits longer; what is compared must not depend on that */
    cursor = (struct cursor){ .ring = kept_ring(flow, dir) };
    cursor.i = first_compared(cursor.ring, first);
    widen(&out->off, &out->end, chunk->off, end);
    out->bytes += missing;
    while (next_seg(&cursor, &seg)) {
        int64_t seg_off = seg_start(side, &seg);
        int64_t from = greater(seg_off, chunk->off), to = smaller(seg_off + seg.len, end);

        if (seg_off + seg.len <= first)
            continue;
        if (from >= to)
            break;
        compare_part(e, chunk, &seg, seg_off, from, to, WEIR_KEPT_OLD, out);
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
    struct segs *kept = whole_ring(flow, dir);
    size_t n = kept_copy(side, kept, first_compared(kept, compared_from(flow, dir, off)), off,
                         e->scratch, room);

    if (has_queue(flow, dir)) {
        struct segs *queue = *queue_of(flow, dir);
        int64_t from = off + (int64_t)n;

        n += kept_copy(side, queue, segs_find(queue, (uint32_t)from), from, e->scratch + n,
                       room - n);
    }
    return (struct weir_bytes){ e->scratch, (uint32_t)n };
}
