#include "reasm_parts.h"

#include "deliver.h"

#include <string.h>

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

/* ---- delivery ------------------------------------------------------------------------------ */

/* The event is not zeroed: that would cost more than all else here. */
static inline __attribute__((always_inline)) void
deliver_payload(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off,
                const uint8_t *data, uint32_t n, bool stable, bool after_gap)
{
    struct weir_event ev;

    ev.direction = (uint8_t)dir;
    ev.stable = stable;
    ev.payload.offset = off;
    ev.payload.length = n;
    ev.payload.data.p = data;
    ev.payload.data.n = n;
    ev.payload.after_gap = after_gap;
    deliver_here(e, flow, WEIR_EV_PAYLOAD, &ev);
}

static void
raise_part(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
           bool stable)
{
    struct side *side = flow_side(flow, dir);
    bool after_gap = side->flags & SIDE_AFTER_GAP;

    side->flags &= (uint8_t)~SIDE_AFTER_GAP;
    if (engine_raises(e, flow, WEIR_EV_PAYLOAD))
        deliver_payload(e, flow, dir, chunk->off, chunk->data, (uint32_t)(chunk->end - chunk->off),
                        stable, after_gap);
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
    kept_add(e, flow, dir, (uint32_t)chunk->off, chunk->data, (uint32_t)(chunk->end - chunk->off),
             e->packet->stable);
    raise_payload(e, flow, dir, chunk, e->packet->stable);
}

void
reasm_take_next(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const uint8_t *data,
                uint32_t n)
{
    const int64_t off = flow_side(flow, dir)->next;
    const bool stable = e->packet->stable;

    flow_side(flow, dir)->next = off + n;
    kept_add(e, flow, dir, (uint32_t)off, data, n, stable);
    if (engine_raises(e, flow, WEIR_EV_PAYLOAD))
        deliver_payload(e, flow, dir, off, data, n, stable, false);
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
        kept_ring(flow, dir)->owns |= seg.kind == SEG_COPY;
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
    kept_close(flow, dir);
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

    if (receiver->packets == 0 || !(receiver->flags & SIDE_SEEN))
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
        if (dir == WEIR_TOSERVER && early_waits(flow))
            reasm_take_early(e, flow);
        else if (is_parked(flow, dir))
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

    if (chunk->off > side->next || flow->flags & FLOW_RESET)
        return;
    queue_give_way(flow, dir, chunk);
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
    if (!queue_add(e, flow, dir, chunk))
        fill_hole(e, flow, dir, chunk);
    reasm_drain(e, flow, dir);
    check_one_sided(e, flow, dir);
}

void
reasm_park(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    bool first = !is_parked(flow, dir);

    queue_add(e, flow, dir, chunk);
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

    if (rare == NULL || flow->flags & FLOW_RESET)
        return false;
    if (dir == WEIR_TOSERVER && early_waits(flow)) {
        *tick = early_end(flow);
        return true;
    }
    if (is_parked(flow, dir))
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
        if (dir == WEIR_TOSERVER && early_waits(flow))
            reasm_take_early(e, flow);
        else
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
        kept_drop(flow, (enum weir_dir)dir);
    if (!(flow->flags & FLOW_RARE))
        return;
    for (int dir = 0; dir < 2; dir++)
        segs_free(&cold->rare->queue[dir], flow_mem(flow));
    mem_free(flow_mem(flow), cold->rare, sizeof(*cold->rare));
    cold->rare = NULL;
    flow->flags &= ~(uint32_t)FLOW_RARE;
}
