#include "reasm_parts.h"

#include "tcp_policy.h"

/* ---- who wins ------------------------------------------------------------------------------ */

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

bool
queue_chunk_wins(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
                 struct segs *queue, uint32_t i)
{
    const struct side *side = &flow->side[dir];
    const struct queued *q = queued_at(queue, i);
    int64_t seg_off = seg_start(side, &q->seg), start = chunk->off - chunk->joined, end;
    enum weir_policy policy = flow_policy(flow, dir);
    enum doubt doubt = doubt_about(side, q, seg_off);
    bool wins;

    /* What is early meets nothing that came later but of senders whose server is not captured. */
    if ((chunk->doubt == DOUBT_EARLY || doubt == DOUBT_EARLY) && chunk->doubt != doubt)
        return chunk->doubt < doubt;
    if (doubt == DOUBT_EARLY && !reasm_hole_before(flow, dir, seg_off))
        return false; /* it would have been delivered when it came */
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

/* ---- the queue ----------------------------------------------------------------------------- */

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
        (!kept_shrink(e, flow) ||
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
            !queue_chunk_wins(flow, dir, chunk, queue, i + n))
            break;
        rare->queued[dir] -= q->seg.len;
        seg_drop(&q->seg, flow_mem(flow));
    }
    if (n > 0)
        segs_remove(queue, i, n);
}

void
queue_give_way(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    const struct side *side = flow_side(flow, dir);
    struct segs *queue = *queue_of(flow, dir);
    uint32_t first = 0;

    drop_losers(flow, dir, chunk, side->next, first);
    if (segs_count(queue) > 0 && segs_at(queue, first)->off == (uint32_t)side->next &&
        queue_chunk_wins(flow, dir, chunk, queue, first))
        yield_segment(flow, dir, &first, side->next, chunk->end);
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
        if (queue_chunk_wins(flow, dir, chunk, *queue, i)) {
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

bool
queue_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
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
