#include "reasm.h"

#include "tcp_policy.h"

#include <string.h>

static struct mem *
flow_mem(const struct weir_flow *flow)
{
    return &flow_shard(flow)->mem;
}

static struct segs **
queue_of(struct weir_flow *flow, enum weir_dir dir)
{
    return &flow_cold(flow)->rare->queue[dir];
}

struct rare *
reasm_need_rare(struct weir_flow *flow)
{
    struct flow_cold *cold = flow_cold(flow);

    if (cold->rare == NULL) {
        cold->rare = mem_alloc(flow_mem(flow), sizeof(*cold->rare));
        if (cold->rare == NULL)
            return NULL;
        memset(cold->rare, 0, sizeof(*cold->rare));
        cold->rare->urgent[0] = cold->rare->urgent[1] = NO_URGENT;
        cold->rare->refused[0] = cold->rare->refused[1] = -1;
        flow->flags |= FLOW_RARE;
    }
    return cold->rare;
}

static int64_t
seg_start(const struct side *side, const struct seg *seg)
{
    return side_offset(side, seg->off);
}

/* ---- what is kept for comparison ----------------------------------------------------------- */

static void
forget_first(struct segs *kept, struct mem *mem)
{
    seg_drop(segs_at(kept, 0), mem);
    segs_pop(kept);
}

/* Drop what lies more than a window behind the receiver's ACK. */
static void
trim_kept(struct weir_flow *flow, enum weir_dir dir)
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

/*
 * A place at the end of what is kept; where memory ends, the oldest makes room. Stable data costs
 * but a descriptor, so old ones stay until the ring is full.
 */
static struct seg *
kept_place(struct weir_flow *flow, enum weir_dir dir, bool stable)
{
    struct segs **kept = &flow->kept[dir];
    struct mem *mem = flow_mem(flow);
    struct seg *seg;

    if (*kept != NULL && ((*kept)->n == (*kept)->cap || !stable))
        trim_kept(flow, dir);
    seg = segs_push(kept, mem, sizeof(struct seg));
    if (seg == NULL && segs_count(*kept) > 0) {
        forget_first(*kept, mem);
        seg = segs_push(kept, mem, sizeof(struct seg));
    }
    return seg;
}

static void
keep(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
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

/* ---- delivery ------------------------------------------------------------------------------ */

static void
raise_part(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
           bool stable)
{
    struct side *side = flow_side(flow, dir);
    bool after_gap = side->flags & SIDE_AFTER_GAP;

    side->flags &= (uint8_t)~SIDE_AFTER_GAP;
    if (!engine_raises(e, flow, WEIR_EV_PAYLOAD))
        return; /* before an event is made: zeroing one costs more than all else here */
    struct weir_event ev = { .type = WEIR_EV_PAYLOAD, .direction = (uint8_t)dir, .stable = stable };
    ev.payload.offset = chunk->off;
    ev.payload.length = chunk->end - chunk->off;
    ev.payload.data = (struct weir_bytes){ chunk->data, (uint32_t)(chunk->end - chunk->off) };
    ev.payload.after_gap = after_gap;
    engine_deliver(e, flow, &ev);
}

/* The urgent byte is read out of band: the stream goes on behind it, as if it was not there. */
static void
raise_around(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
             bool stable)
{
    struct rare *rare = flow_rare(flow);
    int64_t at = rare->urgent[dir];

    if (at < chunk->off || at >= chunk->end) {
        raise_part(e, flow, dir, chunk, stable);
        return;
    }
    rare->urgent[dir] = NO_URGENT;
    rare->lost[dir]++;
    flow_side(flow, dir)->next = at;
    if (at > chunk->off)
        raise_part(e, flow, dir,
                   &(struct chunk){ chunk->off, at, chunk->data, DOUBT_NONE, false, 0 }, stable);
    flow_side(flow, dir)->next = chunk->end;
    if (at + 1 < chunk->end)
        raise_part(e, flow, dir,
                   &(struct chunk){ at + 1, chunk->end, chunk->data + (at + 1 - chunk->off),
                                    DOUBT_NONE, false, 0 },
                   stable);
}

static void
raise_payload(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
              const struct chunk *chunk, bool stable)
{
    if (flow->flags & FLOW_URGENT)
        raise_around(e, flow, dir, chunk, stable);
    else
        raise_part(e, flow, dir, chunk, stable);
}

bool
reasm_urgent(struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    struct rare *rare = reasm_need_rare(flow);

    if (rare == NULL || off < flow_side(flow, dir)->next ||
        (rare->urgent[dir] != NO_URGENT && off < rare->urgent[dir]))
        return false;
    rare->urgent[dir] = off;
    flow->flags |= FLOW_URGENT;
    return true;
}

/* Straight from the packet. */
static void
deliver(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    flow_side(flow, dir)->next = chunk->end;
    keep(e, flow, dir, chunk);
    raise_payload(e, flow, dir, chunk, e->packet->stable);
}

/* From the queue: what the segment holds goes over to what is kept. */
static void
deliver_first(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = flow_side(flow, dir);
    struct segs *queue = *queue_of(flow, dir);
    bool fin = queued_at(queue, 0)->fin;
    struct seg seg = *segs_at(queue, 0), *place;
    struct chunk chunk = { side->next, side->next + seg.len, seg.data, DOUBT_NONE, false, 0 };

    segs_pop(queue);
    flow_cold(flow)->rare->queued[dir] -= seg.len;
    side->next = chunk.end;
    if (fin && !(side->flags & SIDE_FIN_WAITS)) { /* one before it was waited for, and is gone */
        side->flags |= SIDE_FIN_WAITS;
        flow_cold(flow)->fin[dir] = (uint32_t)side->next;
        flow_cold(flow)->fin_doubt[dir] = DOUBT_NONE;
    }
    place = kept_place(flow, dir, seg.kind == SEG_REF);
    if (place != NULL) {
        *place = seg;
        flow->kept[dir]->owns |= seg.kind == SEG_COPY;
    }
    raise_payload(e, flow, dir, &chunk, seg.kind == SEG_REF);
    if (place == NULL)
        seg_drop(&seg, flow_mem(flow));
}

/* A FIN that waits is next, and the receiver acknowledged nothing behind it. */
static bool
at_fin(const struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = &flow->side[dir];

    return side->flags & SIDE_FIN_WAITS && flow_cold(flow)->fin[dir] == (uint32_t)side->next &&
           side_acked(side) <= side->next + 1 &&
           (!flow_cold(flow)->fin_doubt[dir] || side_acked(side) == side->next + 1);
}

/* The first segment that waits lies at next: only a RST or a doubt holds it up. */
static bool
is_parked(struct weir_flow *flow, enum weir_dir dir)
{
    return has_queue(flow, dir) &&
           segs_at(*queue_of(flow, dir), 0)->off == (uint32_t)flow_side(flow, dir)->next;
}

/* What waits now waits for the receiver's next word. */
static void
note_answer(struct weir_flow *flow, enum weir_dir dir)
{
    flow_cold(flow)->rare->answers[dir] = flow_side(flow, !dir)->packets;
}

/* Split a segment in doubt where the receiver's ACK ends. False: nothing of it is acknowledged. */
static bool
lift_doubt(struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    struct segs **queue = queue_of(flow, dir);
    int64_t acked = side_acked(side) - side->next;

    if (acked <= 0 || (acked < segs_at(*queue, 0)->len &&
                       !queued_split(queue, flow_mem(flow), 0, (uint32_t)acked)))
        return false;
    if (queued_at(*queue, 0)->doubt == DOUBT_TTL)
        flow_set_ttl(flow, dir, flow_rare(flow)->low_ttl[dir]);
    queued_at(*queue, 0)->doubt = DOUBT_NONE;
    return true;
}

void
reasm_drain(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    if (flow->flags & FLOW_RESET)
        return;
    while (is_parked(flow, dir) && !at_fin(flow, dir)) {
        if (queued_at(*queue_of(flow, dir), 0)->doubt && !lift_doubt(flow, dir))
            return;
        deliver_first(e, flow, dir);
    }
    if (at_fin(flow, dir))
        reasm_drop_queue(flow, dir);
}

uint64_t
reasm_delivered(const struct weir_flow *flow, enum weir_dir dir)
{
    const struct rare *rare = flow_rare(flow);

    return (uint64_t)(flow->side[dir].next - (rare != NULL ? rare->lost[dir] : 0));
}

/* Copy what the segments from place i on hold, from offset on, up to the first that is missing. */
static size_t
copy_held(const struct side *side, struct segs *segs, uint32_t i, int64_t offset, uint8_t *to,
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
    return copy_held(side, kept, segs_find(kept, (uint32_t)offset), offset, to, n);
}

/* ---- comparison ---------------------------------------------------------------------------- */

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

    trim_kept(flow, dir); /* stable data waits longer; what is compared must not depend on that */
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

/* The doubt about a segment that waits; what the receiver acknowledged by now is beyond it. */
static enum doubt
doubt_about(const struct side *side, const struct queued *q, int64_t seg_off)
{
    return side->flags & SIDE_ACKED && side_acked(side) >= seg_off + q->seg.len ? DOUBT_NONE
                                                                                : q->doubt;
}

/* Where the segment at place i ended as it came, with all that were joined to it. */
static int64_t
end_as_came(const struct side *side, struct segs *queue, uint32_t i)
{
    const struct queued *q = queued_at(queue, i);
    int64_t end = seg_start(side, &q->seg) + q->seg.len + q->cut_back;

    for (uint32_t k = i + 1; k < queue->n && k <= i + JOINED_LOOK; k++) {
        q = queued_at(queue, k);
        if (!q->joined)
            break;
        end = greater(end, seg_start(side, &q->seg) + q->seg.len + q->cut_back);
    }
    return end;
}

/* Whether the chunk takes the bytes of the segment at place i. None wins that was refused. */
static bool
chunk_wins(const struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
           struct segs *queue, uint32_t i)
{
    const struct side *side = &flow->side[dir];
    const struct queued *q = queued_at(queue, i);
    int64_t seg_off = seg_start(side, &q->seg), start = chunk->off - chunk->joined, end;
    enum weir_policy policy = flow_policy(flow, dir);
    enum doubt doubt = doubt_about(side, q, seg_off);
    bool wins;

    if ((chunk->doubt >= DOUBT_REFUSED) != (doubt >= DOUBT_REFUSED))
        return doubt >= DOUBT_REFUSED;
    if (doubt < DOUBT_REFUSED && chunk->doubt != doubt)
        return false;
    start -= seg_off - q->cut_front;
    start = (start > 0) - (start < 0);
    wins = policy_new_wins(policy, (int)start, 0);
    if (wins == policy_new_wins(policy, (int)start, -1) &&
        wins == policy_new_wins(policy, (int)start, 1))
        return wins; /* wherever it ends, so nothing that is joined has to be walked over */
    end = chunk->end + chunk->fin - end_as_came(side, queue, i);
    return policy_new_wins(policy, (int)start, (end > 0) - (end < 0));
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
                     chunk_wins(flow, dir, chunk, queue, i) ? WEIR_KEPT_NEW : WEIR_KEPT_OLD, out);
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
    size_t n = copy_held(side, flow->kept[dir], first_compared(flow, dir, off), off, e->scratch,
                         room);

    if (has_queue(flow, dir)) {
        struct segs *queue = *queue_of(flow, dir);
        int64_t from = off + (int64_t)n;

        n += copy_held(side, queue, segs_find(queue, (uint32_t)from), from, e->scratch + n,
                       room - n);
    }
    return (struct weir_bytes){ e->scratch, (uint32_t)n };
}

/* ---- the queue ----------------------------------------------------------------------------- */

/* Ticks of stamps are 16 bits wide and never 0, which means none. */
static uint16_t
stamp(uint64_t tick)
{
    uint16_t low = (uint16_t)tick;

    return low != 0 ? low : 1;
}

/* The first tick that is not before now: what is due later counts from it. */
static uint64_t
tick_now(const struct engine *e)
{
    return (e->clock + TICK_NS - 1) / TICK_NS;
}

/*
 * The kernel looks for it from its oldest segment on, so another one that has the bytes where the
 * chunk begins is met later if it is the younger one. (Its tree may be balanced otherwise.)
 */
void
reasm_join(struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    struct segs *queue = has_queue(flow, dir) ? *queue_of(flow, dir) : NULL;
    uint32_t i = segs_find(queue, (uint32_t)chunk->off);
    const struct queued *before = i > 0 ? queued_at(queue, i - 1) : NULL;
    const struct queued *at = i < segs_count(queue) ? queued_at(queue, i) : NULL;

    if (before == NULL || flow_policy(flow, dir) != WEIR_POLICY_LINUX || before->cut_back > 0 ||
        before->seg.off + before->seg.len != (uint32_t)chunk->off || before->doubt || chunk->doubt)
        return;
    if (at != NULL && seg_start(flow_side(flow, dir), &at->seg) <= chunk->off && !at->younger &&
        !at->doubt)
        return;
    chunk->joined = before->seg.len + before->cut_front;
}

void
reasm_move_fin(struct weir_flow *flow, enum weir_dir dir, int64_t fin)
{
    struct segs *queue = has_queue(flow, dir) ? *queue_of(flow, dir) : NULL;
    uint32_t i = segs_find(queue, (uint32_t)fin);
    struct queued *q = i > 0 ? queued_at(queue, i - 1) : NULL;

    if (q != NULL && q->seg.off + q->seg.len == (uint32_t)fin && q->cut_back > 0)
        q->cut_back--;
    if (q != NULL)
        q->fin = false;
}

const struct queued *
reasm_first_fin(struct weir_flow *flow, enum weir_dir dir, int64_t *fin)
{
    struct segs *queue = has_queue(flow, dir) ? *queue_of(flow, dir) : NULL;

    for (uint32_t i = 0; i < segs_count(queue); i++) {
        const struct queued *q = queued_at(queue, i);

        if (!q->fin)
            continue;
        *fin = seg_start(flow_side(flow, dir), &q->seg) + q->seg.len + q->cut_back - 1;
        return q;
    }
    return NULL;
}

/* What is kept only for comparison shrinks to digests. Returns whether that gave memory. */
static bool
shrink_kept(const struct engine *e, struct weir_flow *flow)
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

/* Put the part [from, to) of the chunk at place i. */
static bool
queue_part(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
           int64_t from, int64_t to, uint32_t i)
{
    struct rare *rare = flow_rare(flow);
    struct segs **queue = &rare->queue[dir];
    struct mem *mem = flow_mem(flow);
    const struct side *side = flow_side(flow, dir);
    uint32_t len = (uint32_t)(to - from);
    int64_t front = from - chunk->off, back = chunk->end + chunk->fin - to;
    struct queued *q = (struct queued *)segs_insert(queue, mem, i, sizeof(*q));

    if (q == NULL)
        return false;
    *q = (struct queued){ .seg.off = (uint32_t)from,
                          .cut_front = (uint16_t)smaller(front, UINT16_MAX),
                          .cut_back = (uint16_t)smaller(back, UINT16_MAX),
                          .doubt = (uint8_t)chunk->doubt };
    if (!seg_hold(*queue, &q->seg, mem, chunk->data + front, len, e->packet->stable) &&
        (!shrink_kept(e, flow) ||
         !seg_hold(*queue, &q->seg, mem, chunk->data + front, len, e->packet->stable))) {
        segs_remove(*queue, i, 1);
        return false;
    }
    if (side->flags & SIDE_ACKED && side_acked(side) >= from)
        q->acked_at = rare->tail_since[dir] ? stamp(rare->tail_since[dir]) : stamp(tick_now(e));
    rare->queued[dir] += len;
    q = queued_at(*queue, i);
    q->younger = front > 0;
    q->fin = chunk->fin && to == chunk->end;
    q->joined = front == 0 && chunk->joined > 0;
    if (q->joined)
        q->cut_front = (uint16_t)smaller(chunk->joined, UINT16_MAX);
    if (i + 1 < (*queue)->n)
        queued_at(*queue, i + 1)->younger = queued_at(*queue, i + 1)->joined = false;
    return true;
}

/* Cut the segment at place i in two at an offset inside. False: memory ended, it stays whole. */
static bool
split_segment(struct weir_flow *flow, enum weir_dir dir, uint32_t i, int64_t at)
{
    const struct side *side = flow_side(flow, dir);
    struct segs **queue = queue_of(flow, dir);
    int64_t front = at - seg_start(side, segs_at(*queue, i));

    if (!queued_split(queue, flow_mem(flow), i, (uint32_t)front))
        return false;
    if (side_acked(side) < at) /* the ACK passed the hole before the front only */
        queued_at(*queue, i + 1)->acked_at = 0;
    return true;
}

/*
 * The chunk wins over the segment at place *i: that loses what lies in [from, end). What it keeps
 * before from is passed by *i. False: memory ended where it had to become two, and it lost nothing.
 */
static bool
yield_segment(struct weir_flow *flow, enum weir_dir dir, uint32_t *i, int64_t from, int64_t end)
{
    struct rare *rare = flow_rare(flow);
    struct queued *q = queued_at(rare->queue[dir], *i);
    int64_t seg_off = seg_start(flow_side(flow, dir), &q->seg), seg_end = seg_off + q->seg.len;

    if (seg_off < from && seg_end > end) {
        if (!split_segment(flow, dir, *i, end))
            return false;
        q = queued_at(rare->queue[dir], *i);
        seg_end = end;
    }
    rare->queued[dir] -= (uint64_t)(smaller(seg_end, end) - greater(seg_off, from));
    if (seg_off < from) {
        queued_cut_back(q, (uint32_t)(seg_end - from));
        ++*i;
    } else if (seg_end > end) {
        queued_cut_front(q, (uint32_t)(end - seg_off));
    } else {
        seg_drop(&q->seg, flow_mem(flow));
        segs_remove(rare->queue[dir], *i, 1);
    }
    return true;
}

/* Take out, at one go, the segments from place i on that lose all they have to the chunk. */
static void
drop_losers(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk, int64_t from,
            uint32_t i)
{
    struct rare *rare = flow_rare(flow);
    struct segs *queue = rare->queue[dir];
    uint32_t n = 0;

    for (; i + n < queue->n; n++) {
        struct queued *q = queued_at(queue, i + n);
        int64_t seg_off = seg_start(flow_side(flow, dir), &q->seg);

        if (seg_off < from || seg_off + q->seg.len > chunk->end ||
            !chunk_wins(flow, dir, chunk, queue, i + n))
            break;
        rare->queued[dir] -= q->seg.len;
        seg_drop(&q->seg, flow_mem(flow));
    }
    if (n > 0)
        segs_remove(queue, i, n);
}

/*
 * Put what lies behind from into the queue, piece by piece, between and over the segments that
 * wait, as the policy decides. False: memory ended, or what a packet may cost (*what).
 */
static bool
queue_chunk(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
            int64_t from, enum weir_overload *what)
{
    const struct side *side = flow_side(flow, dir);
    struct segs **queue = queue_of(flow, dir);
    uint32_t i = segs_find(*queue, (uint32_t)from), moved = 0;

    while (i < segs_count(*queue) && from < chunk->end) {
        const struct queued *q = queued_at(*queue, i);
        int64_t seg_off = seg_start(side, &q->seg), seg_end = seg_off + q->seg.len;

        if (seg_off >= chunk->end)
            break;
        if (chunk_wins(flow, dir, chunk, *queue, i)) {
            if (!yield_segment(flow, dir, &i, from, chunk->end))
                return false;
            drop_losers(flow, dir, chunk, from, i);
            continue;
        }
        moved += from < seg_off ? segs_distance(*queue, i) : 0;
        if (moved > MOVED_MAX) {
            *what = WEIR_OVERLOAD_SEGMENTS;
            return false;
        }
        if (from < seg_off && !queue_part(e, flow, dir, chunk, from, seg_off, i++))
            return false;
        from = greater(from, seg_end);
        i++;
    }
    return from >= chunk->end || queue_part(e, flow, dir, chunk, from, chunk->end, i);
}

/* False: a limit was hit, and told. */
static bool
enqueue(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    int64_t from = greater(chunk->off, flow_side(flow, dir)->next);
    enum weir_overload what = WEIR_OVERLOAD_MEMCAP;

    if (reasm_need_rare(flow) != NULL) {
        if (segs_count(*queue_of(flow, dir)) >= QUEUE_MAX)
            what = WEIR_OVERLOAD_SEGMENTS;
        else if (queue_chunk(e, flow, dir, chunk, from, &what))
            return true;
    }
    engine_overload(e, flow, dir, what);
    if (flow_rare(flow) != NULL) {
        flow_rare(flow)->refused[dir] = greater(flow_rare(flow)->refused[dir], from);
        if (!chunk->doubt)
            reasm_note_sent(flow, dir, chunk->end);
    }
    return false;
}

/* ---- holes --------------------------------------------------------------------------------- */

static void
give_up(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t to,
        enum weir_gap_cause cause)
{
    struct side *side = flow_side(flow, dir);
    struct rare *rare = reasm_need_rare(flow);
    struct weir_event ev = { .type = WEIR_EV_GAP, .direction = (uint8_t)dir };

    ev.gap.offset = side->next;
    ev.gap.length = to - side->next;
    if (rare != NULL) {
        rare->lost[dir] += to - side->next;
        if (cause == WEIR_GAP_ACKED && rare->refused[dir] >= side->next && rare->refused[dir] < to)
            cause = WEIR_GAP_MEMCAP;
    }
    ev.gap.cause = (uint8_t)cause;
    side->next = to;
    side->flags |= SIDE_AFTER_GAP;
    if (engine_raises(e, flow, WEIR_EV_GAP))
        engine_deliver(e, flow, &ev);
}

/*
 * The receiver was never seen, or not since the first segment in doubt came; but what it drops, it
 * drops without a word.
 */
static bool
is_silent(struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *receiver = flow_side(flow, !dir);

    if (receiver->packets == 0)
        return true;
    return is_parked(flow, dir) && receiver->packets == flow_cold(flow)->rare->answers[dir] &&
           queued_at(*queue_of(flow, dir), 0)->doubt != DOUBT_DROPPED;
}

/* Nobody answers, so no ACK will decide: past a limit what waits is let through. */
static void
check_one_sided(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);

    while (!(flow->flags & FLOW_RESET) && has_queue(flow, dir) &&
           flow_cold(flow)->rare->queued[dir] > ONE_SIDED_LIMIT && is_silent(flow, dir)) {
        if (is_parked(flow, dir))
            queued_at(*queue_of(flow, dir), 0)->doubt = DOUBT_NONE;
        else
            give_up(e, flow, dir, seg_start(side, segs_at(*queue_of(flow, dir), 0)),
                    WEIR_GAP_ONE_SIDED);
        reasm_drain(e, flow, dir);
    }
}

/*
 * There is no room for a chunk, but what lies between next and the first that waits needs none; and
 * what waits in doubt, as refused, gives way to it as ever.
 */
static void
fill_hole(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    const struct side *side = flow_side(flow, dir);
    int64_t end = chunk->end;
    uint32_t first = 0;

    if (chunk->off > side->next || flow->flags & FLOW_RESET)
        return;
    drop_losers(flow, dir, chunk, side->next, first);
    if (is_parked(flow, dir) && chunk_wins(flow, dir, chunk, *queue_of(flow, dir), first))
        yield_segment(flow, dir, &first, side->next, chunk->end);
    if (has_queue(flow, dir))
        end = smaller(end, seg_start(side, segs_at(*queue_of(flow, dir), 0)));
    if (end > side->next)
        deliver(e, flow, dir,
                &(struct chunk){ side->next, end, chunk->data + (side->next - chunk->off),
                                 DOUBT_NONE, false, 0 });
}

void
reasm_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    int64_t next = flow_side(flow, dir)->next;

    if (chunk->off <= next && !(flow->flags & FLOW_RESET) && !has_queue(flow, dir)) {
        const uint8_t *data = chunk->data + (next - chunk->off);

        deliver(e, flow, dir, &(struct chunk){ next, chunk->end, data, DOUBT_NONE, false, 0 });
        return;
    }
    if (!enqueue(e, flow, dir, chunk))
        fill_hole(e, flow, dir, chunk);
    reasm_drain(e, flow, dir);
    check_one_sided(e, flow, dir);
}

void
reasm_park(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    bool first = !is_parked(flow, dir);

    enqueue(e, flow, dir, chunk);
    if (first && has_queue(flow, dir))
        note_answer(flow, dir);
    if (chunk->doubt == DOUBT_TTL && flow_rare(flow) != NULL)
        flow_rare(flow)->low_ttl[dir] = e->packet->ttl;
    check_one_sided(e, flow, dir);
}

void
reasm_answered(struct weir_flow *flow, enum weir_dir dir)
{
    if (is_parked(flow, dir) && queued_at(*queue_of(flow, dir), 0)->doubt == DOUBT_TAKEN)
        queued_at(*queue_of(flow, dir), 0)->doubt = DOUBT_REFUSED;
}

/*
 * Where the bytes end that the peer acknowledged. One number more than all data that was seen may
 * be a FIN that was not.
 */
static int64_t
acked_data(struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    int64_t acked = side_acked(side);

    if (side->flags & SIDE_FIN)
        return side->next;
    if (side->flags & SIDE_FIN_WAITS)
        return smaller(acked, side_offset(side, flow_cold(flow)->fin[dir]));
    return acked;
}

int64_t
reasm_seen_end(struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *queue;
    const struct seg *last;

    if (!has_queue(flow, dir))
        return side->next;
    queue = *queue_of(flow, dir);
    last = segs_at(queue, queue->n - 1);
    return seg_start(side, last) + last->len;
}

int64_t
reasm_sent_end(struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    const struct rare *rare = flow_rare(flow);
    bool fin = side->flags & (SIDE_FIN | SIDE_FIN_WAITS);

    return fin + (rare == NULL ? side->next : greater(reasm_seen_end(flow, dir), rare->sent[dir]));
}

void
reasm_note_sent(struct weir_flow *flow, enum weir_dir dir, int64_t end)
{
    const struct side *side = flow_side(flow, dir);
    struct rare *rare;

    if (end <= reasm_sent_end(flow, dir) ||
        (side->flags & SIDE_ACKED && end > side_offset(side, side->edge)))
        return;
    rare = reasm_need_rare(flow);
    if (rare != NULL)
        rare->sent[dir] = end;
}

bool
reasm_hole_before(struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    int64_t next = flow_side(flow, dir)->next, seen = reasm_seen_end(flow, dir);

    if (off <= next)
        return false;
    return !is_parked(flow, dir) || off > seen ||
           (int64_t)flow_rare(flow)->queued[dir] < seen - next;
}

static bool
tail_missing(struct weir_flow *flow, enum weir_dir dir)
{
    int64_t beyond = acked_data(flow, dir) - reasm_seen_end(flow, dir);

    return beyond > 1 || (beyond == 1 && flow_side(flow, dir)->flags & SIDE_FIN_WAITS);
}

/* Stamp the segments whose hole the ACK has passed; those before them have theirs. */
static void
stamp_holes(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t acked)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *queue = *queue_of(flow, dir);
    uint32_t i = segs_find(queue, (uint32_t)acked);

    if (i < queue->n && seg_start(side, segs_at(queue, i)) <= acked)
        i++;
    while (i-- > 0 && queued_at(queue, i)->acked_at == 0)
        queued_at(queue, i)->acked_at = stamp(tick_now(e));
}

void
reasm_acked(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    struct rare *rare = flow_rare(flow);
    bool tail;

    if (side_acked(side) <= side->next && rare == NULL)
        return;
    if (side_acked(side) > side->next && is_parked(flow, dir))
        reasm_drain(e, flow, dir);
    if (has_queue(flow, dir))
        stamp_holes(e, flow, dir, side_acked(side));
    tail = tail_missing(flow, dir);
    if (!tail && rare == NULL)
        return;
    rare = reasm_need_rare(flow);
    if (rare == NULL)
        return;
    if (!tail)
        rare->tail_since[dir] = 0;
    else if (rare->tail_since[dir] == 0)
        rare->tail_since[dir] = ((uint32_t)tick_now(e) & TAIL_TICK) | TAIL_ANY;
    rare->tail_since[dir] &= ~TAIL_SENT;
    engine_arm(e, flow);
}

/* Bytes beyond all that was seen were acknowledged, and their sender was seen behind them. */
static bool
tail_sent(struct weir_flow *flow, enum weir_dir dir)
{
    const struct rare *rare = flow_rare(flow);

    return rare != NULL && (rare->tail_since[dir] & TAIL_SENT ||
                            (rare->tail_since[dir] && rare->sent[dir] >= acked_data(flow, dir)));
}

/* The tick near tick whose low bits a stamp keeps. */
static uint64_t
unstamp(uint64_t tick, uint16_t low)
{
    return tick + (uint64_t)(int16_t)(uint16_t)(low - (uint16_t)tick);
}

bool
reasm_deadline(const struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint64_t *tick)
{
    const struct rare *rare = flow_rare(flow);
    uint64_t now = tick_now(e);

    if (rare == NULL || flow->flags & FLOW_RESET || is_parked(flow, dir))
        return false;
    if (has_queue(flow, dir)) {
        uint16_t since = queued_at(rare->queue[dir], 0)->acked_at;

        *tick = unstamp(now, since) + GRACE_TICKS;
        return since != 0;
    }
    *tick = unstamp(now, (uint16_t)rare->tail_since[dir]) + GRACE_TICKS;
    return tail_sent(flow, dir) && tail_missing(flow, dir);
}

/* Give up the first hole, which was acknowledged. */
static void
give_up_acked(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);
    int64_t to = acked_data(flow, dir);

    if (has_queue(flow, dir))
        to = seg_start(side, segs_at(*queue_of(flow, dir), 0));
    give_up(e, flow, dir, to, WEIR_GAP_ACKED);
    reasm_drain(e, flow, dir);
}

void
reasm_expire(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint64_t tick)
{
    uint64_t due;

    while (reasm_deadline(e, flow, dir, &due) && due <= tick)
        give_up_acked(e, flow, dir);
}

void
reasm_sender_at(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    struct rare *rare = flow_rare(flow);

    if (rare == NULL || (rare->tail_since[dir] & (TAIL_ANY | TAIL_SENT)) != TAIL_ANY ||
        off < acked_data(flow, dir))
        return;
    rare->tail_since[dir] |= TAIL_SENT;
    reasm_expire(e, flow, dir, e->clock / TICK_NS);
    engine_arm(e, flow);
}

void
reasm_drop_queue(struct weir_flow *flow, enum weir_dir dir)
{
    struct rare *rare = flow_rare(flow);

    if (rare == NULL)
        return;
    rare->queued[dir] = 0;
    segs_free(&rare->queue[dir], flow_mem(flow));
}

bool
reasm_covers(struct weir_flow *flow, enum weir_dir dir, int64_t from, int64_t to)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *queue = has_queue(flow, dir) ? *queue_of(flow, dir) : NULL;
    uint32_t i = segs_find(queue, (uint32_t)(to - 1));
    const struct queued *q;

    if (i == segs_count(queue))
        return false;
    q = queued_at(queue, i);
    return !q->doubt && seg_start(side, &q->seg) - q->cut_front <= from;
}

/* The receiver never acknowledged the hole: what lies behind it did not reach its application. */
static void
refuse_queue(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct rare *rare = flow_rare(flow);

    rare->undelivered += rare->queued[dir];
    e->stats.undelivered += rare->queued[dir];
    reasm_drop_queue(flow, dir);
}

/* What the first hole is given up for at the flow's end. */
static enum weir_gap_cause
final_cause(struct weir_flow *flow, enum weir_dir dir, int64_t hole_end)
{
    if (flow_side(flow, !dir)->packets == 0)
        return WEIR_GAP_ONE_SIDED;
    return acked_data(flow, dir) >= hole_end && flow_side(flow, dir)->flags & SIDE_ACKED
               ? WEIR_GAP_ACKED
               : WEIR_GAP_NEVER_ACKED;
}

/*
 * The first segment that waits is still in doubt. A receiver that went on without a word of it had
 * refused it; of one that fell silent most likely the capture has no more.
 */
static void
decide_parked(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    if (is_silent(flow, dir)) {
        queued_at(*queue_of(flow, dir), 0)->doubt = DOUBT_NONE;
        reasm_drain(e, flow, dir);
    } else {
        refuse_queue(e, flow, dir);
    }
}

void
reasm_finish(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = flow_side(flow, dir);

    while (has_queue(flow, dir)) {
        if (is_parked(flow, dir) && queued_at(*queue_of(flow, dir), 0)->doubt &&
            !(flow->flags & FLOW_RESET)) {
            decide_parked(e, flow, dir);
            continue;
        }
        int64_t first = seg_start(side, segs_at(*queue_of(flow, dir), 0));
        enum weir_gap_cause cause = final_cause(flow, dir, first);

        if (first > side->next && !(flow->flags & FLOW_RESET))
            give_up(e, flow, dir, first, cause);
        if (cause == WEIR_GAP_NEVER_ACKED || flow->flags & FLOW_RESET)
            refuse_queue(e, flow, dir);
        else
            reasm_drain(e, flow, dir);
    }
    if (flow_side(flow, !dir)->packets > 0 && !(flow->flags & FLOW_RESET) && tail_sent(flow, dir) &&
        tail_missing(flow, dir))
        give_up(e, flow, dir, acked_data(flow, dir), WEIR_GAP_ACKED);
}

void
reasm_free(struct weir_flow *flow)
{
    struct flow_cold *cold = flow_cold(flow);

    for (int dir = 0; dir < 2; dir++)
        segs_free(&flow->kept[dir], flow_mem(flow));
    if (!(flow->flags & FLOW_RARE))
        return;
    for (int dir = 0; dir < 2; dir++)
        segs_free(&cold->rare->queue[dir], flow_mem(flow));
    mem_free(flow_mem(flow), cold->rare, sizeof(*cold->rare));
    cold->rare = NULL;
    flow->flags &= ~(uint32_t)FLOW_RARE;
}
