#include "resync.h"
#include "tcp_anomaly.h"
#include "tcp_parts.h"
#include "tcp_policy.h"
#include "tcp_state.h"

static void
raise_range(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off, int64_t end)
{
    struct weir_event ev = { .type = WEIR_EV_OUT_OF_WINDOW, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_OUT_OF_WINDOW))
        return;
    ev.out_of_window.offset = off;
    ev.out_of_window.length = end - off;
    engine_deliver(e, flow, &ev);
}

static void
raise_fake(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk,
           const struct overlap *seen)
{
    struct weir_event ev = { .type = WEIR_EV_FAKE_RETRANSMIT, .direction = (uint8_t)dir };
    uint32_t n = (uint32_t)(seen->diff_end - seen->diff_off);

    if (!engine_raises(e, flow, WEIR_EV_FAKE_RETRANSMIT))
        return;
    ev.fake_retransmit.offset = seen->off;
    ev.fake_retransmit.length = seen->end - seen->off;
    ev.fake_retransmit.diff_offset = seen->diff_off;
    ev.fake_retransmit.diff_length = seen->diff_end - seen->diff_off;
    ev.fake_retransmit.kept = (uint8_t)seen->kept;
    ev.fake_retransmit.old_data = reasm_old_bytes(e, flow, dir, seen->diff_off, seen->diff_end);
    ev.fake_retransmit.new_data = (struct weir_bytes){ chunk->data + (seen->diff_off - chunk->off),
                                                       n };
    engine_deliver(e, flow, &ev);
}

static void
raise_retransmit(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                 const struct chunk *chunk, const struct overlap *seen, bool fin)
{
    const struct side *side = &flow->side[dir];
    struct weir_event ev = { .type = WEIR_EV_RETRANSMIT, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_RETRANSMIT))
        return;
    ev.retransmit.offset = seen->bytes > 0 ? seen->off : chunk->off;
    ev.retransmit.length = seen->end - seen->off;
    ev.retransmit.fresh = chunk->end - chunk->off - seen->bytes;
    ev.retransmit.acked = fin ? side->flags & SIDE_FIN_ACKED
                              : side->flags & SIDE_ACKED && seen->end <= side_acked(side);
    ev.retransmit.verified = seen->verified;
    ev.retransmit.fin = fin;
    engine_deliver(e, flow, &ev);
}

static void
raise_out_of_order(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                   const struct chunk *chunk)
{
    struct weir_event ev = { .type = WEIR_EV_OUT_OF_ORDER, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_OUT_OF_ORDER))
        return;
    ev.out_of_order.offset = chunk->off;
    ev.out_of_order.length = chunk->end - chunk->off;
    ev.out_of_order.hole = chunk->off - flow->side[dir].next;
    engine_deliver(e, flow, &ev);
}

/* RFC 9293 section 3.8.4: at most one byte, just before what is expected, nothing in flight. */
static bool
is_keepalive(struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    const struct side *side = &flow->side[dir];
    bool idle = side->flags & SIDE_ACKED && side_acked(side) >= side->next;

    return off == side->next - 1 && !has_queue(flow, dir) && !(side->flags & SIDE_FIN) && idle;
}

/* Beyond the greatest right edge that the receiver offered, or, if it offered none, could. */
static bool
is_beyond(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];

    if (!(side->flags & SIDE_ACKED))
        return chunk->off > side->next + WINDOW_MAX;
    return chunk->off > side_offset(side, side->edge) - (chunk->end > chunk->off) &&
           !resync_sent(e, flow, dir, chunk->off, chunk->end + chunk->fin);
}

/*
 * Cut the chunk to what may be part of the stream: not before its start, not behind its FIN, and
 * it must start inside the window that the receiver offered; a FIN alone may stand at its edge.
 * What is refused raises its event.
 */
static bool
fit_window(struct engine *e, struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    if (is_beyond(e, flow, dir, chunk)) {
        if (chunk->doubt != DOUBT_DROPPED)
            raise_range(e, flow, dir, chunk->off, chunk->end);
        chunk->doubt = DOUBT_DROPPED; /* the capture may have missed that the window grew */
        return !reasm_hole_before(flow, dir, chunk->off);
    }
    if (chunk->off < 0 && chunk->end > chunk->off) {
        int64_t cut = chunk->end < 0 ? chunk->end : 0;

        if (chunk->doubt != DOUBT_DROPPED)
            raise_range(e, flow, dir, chunk->off, cut);
        chunk->data += cut - chunk->off;
        chunk->off = cut;
    }
    return chunk->off >= 0;
}

static void
cut_behind_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];

    if (!(side->flags & SIDE_FIN) || chunk->end <= side->next)
        return;
    if (chunk->end > chunk->off)
        raise_why(e, flow, dir, WEIR_EV_DATA_AFTER_END, WEIR_AFTER_FIN);
    chunk->end = side->next > chunk->off ? side->next : chunk->off;
}

/* Returns whether the segment repeats a FIN that was accepted, at its place. */
static bool
repeats_fin(const struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];

    return side->flags & SIDE_FIN && chunk->end == side->next;
}

static void
look_for_repetition(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                    const struct chunk *chunk, bool fin)
{
    if (chunk->off >= flow->side[dir].next && !has_queue(flow, dir) && !fin)
        return; /* as nearly all segments */
    struct overlap seen = { .verified = true };

    if (chunk->end > chunk->off)
        reasm_compare(e, flow, dir, chunk, &seen);
    if (seen.diff_end > seen.diff_off)
        raise_fake(e, flow, dir, chunk, &seen);
    else if (seen.bytes > 0 || fin)
        raise_retransmit(e, flow, dir, chunk, &seen, fin);
}

static void
accept_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = &flow->side[dir];

    side->flags |= SIDE_FIN;
    side->flags &= (uint8_t)~SIDE_FIN_WAITS;
    tcp_input(flow, dir, TCP_SENT_FIN);
    tcp_input(flow, !dir, TCP_GOT_FIN);
    reasm_drop_queue(flow, dir); /* what lies behind it, as Linux's tcp_fin() */
    if (side->flags & SIDE_ACKED && side_acked(side) > side->next)
        tcp_fin_acked(flow, dir);
    engine_raise_plain(e, flow, dir, WEIR_EV_FIN);
    if (flow->side[!dir].flags & SIDE_FIN) {
        flow->flags |= FLOW_CLOSED;
        engine_arm(e, flow);
    }
}

/* The FIN that was waited for went down with its segment: the next one, if there is one. */
static void
next_fin(struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = &flow->side[dir];
    struct flow_cold *cold = flow_cold(flow);
    int64_t fin;
    const struct queued *q = reasm_first_fin(flow, dir, &fin);

    side->flags &= (uint8_t)~SIDE_FIN_WAITS;
    if (q == NULL)
        return;
    side->flags |= SIDE_FIN_WAITS;
    cold->fin[dir] = (uint32_t)fin;
    cold->fin_segment[dir] = q->seg.off - q->cut_front;
    cold->fin_doubt[dir] = q->doubt;
}

/* A FIN counts when the stream has reached it; bytes in order that go past it have won over it. */
void
tcp_check_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = &flow->side[dir];
    int64_t fin;

    if (!(side->flags & SIDE_FIN_WAITS) || flow->flags & FLOW_RESET)
        return;
    fin = side_offset(side, flow_cold(flow)->fin[dir]);
    if (fin < side->next)
        next_fin(flow, dir);
    else if (fin == side->next && (!flow_cold(flow)->fin_doubt[dir] || side_acked(side) > fin))
        accept_fin(e, flow, dir);
}

/*
 * A FIN that waits is one more byte behind its segment: as Linux's tcp_data_queue_ofo() has it, a
 * segment that wins over both, and covers them, takes their place. Only for a side whose FIN waits.
 */
static bool
covers_fin(const struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];
    const struct flow_cold *cold = flow_cold(flow);
    int64_t start = chunk->off - chunk->joined - side_offset(side, cold->fin_segment[dir]);
    int64_t end = chunk->end + chunk->fin - (side_offset(side, cold->fin[dir]) + 1);

    if (chunk->doubt > cold->fin_doubt[dir])
        return false;
    return end >= 0 && policy_new_wins(flow_policy(flow, dir), (start > 0) - (start < 0), end > 0);
}

/*
 * Linux makes one of a FIN that waits and the data that follow it, like of any two segments
 * (tcp_try_coalesce()): the application gets these data, one byte early, and the FIN stands behind
 * them. Returns whether that happens.
 */
static bool
pass_fin(struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];
    struct flow_cold *cold = flow_cold(flow);
    int64_t fin = side_offset(side, cold->fin[dir]);

    if (flow_policy(flow, dir) != WEIR_POLICY_LINUX || cold->fin_doubt[dir] || chunk->doubt ||
        chunk->off != fin + 1 || chunk->end == chunk->off)
        return false;
    chunk->off--;
    chunk->end--;
    chunk->fin = true;
    cold->fin[dir] = (uint32_t)chunk->end;
    reasm_move_fin(flow, dir, fin);
    return true;
}

/* Of two FINs the one beyond doubt is waited for, then the first in the stream. */
static bool
other_fin_first(struct weir_flow *flow, enum weir_dir dir, int64_t at, enum doubt doubt)
{
    const struct side *side = &flow->side[dir];
    const struct flow_cold *cold = flow_cold(flow);

    if (!(side->flags & SIDE_FIN_WAITS) || cold->fin_doubt[dir] > doubt)
        return false;
    return cold->fin_doubt[dir] < doubt || at >= side_offset(side, cold->fin[dir]);
}

/* at: where the FIN of this segment is. */
static void
note_fin(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk, int64_t at)
{
    struct side *side = &flow->side[dir];
    struct flow_cold *cold = flow_cold(flow);

    if (side->flags & SIDE_FIN || at < side->next)
        return;
    if ((chunk->off > side->next || chunk->doubt) &&
        ((!chunk->joined && reasm_covers(flow, dir, chunk->off, at + 1)) ||
         other_fin_first(flow, dir, at, chunk->doubt)))
        return;
    side->flags |= SIDE_FIN_WAITS;
    cold->fin[dir] = (uint32_t)at;
    cold->fin_segment[dir] = (uint32_t)(chunk->off - chunk->joined);
    cold->fin_doubt[dir] = (uint8_t)chunk->doubt;
}

/* The peer takes nothing: what is sent now only asks whether it still does not. */
static bool
window_is_closed(const struct side *side)
{
    return side->flags & SIDE_ACKED && side->edge == side->acked;
}

static bool
sent_reset(const struct weir_flow *flow, enum weir_dir dir)
{
    return (dir == WEIR_TOCLIENT) == ((flow->flags & FLOW_RESET_BY_SERVER) != 0);
}

/*
 * The byte before the one that the urgent pointer counts to; Linux takes 0 as 1 (tcp_check_urg()).
 * Returns its offset, NO_URGENT if there is none to come.
 */
static int64_t
note_urgent(const struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    const struct weir_packet *pkt = e->packet;
    uint16_t pointer;

    if (!(pkt->tcp_flags & WEIR_TH_URG))
        return NO_URGENT;
    pointer = (uint16_t)(pkt->l4[18] << 8 | pkt->l4[19]);
    off += pointer > 0 ? pointer - 1 : 0;
    if (e->opts.urgent_in_band)
        return off >= flow_side(flow, dir)->next ? off : NO_URGENT;
    return reasm_urgent(flow, dir, off) ? off : NO_URGENT;
}

static void
raise_urgent(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    struct weir_event ev = { .type = WEIR_EV_URGENT, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_URGENT))
        return;
    ev.urgent.offset = off;
    engine_deliver(e, flow, &ev);
}

/* At most one byte that only asks whether its receiver lives, or takes something again. */
static bool
is_probe(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    const struct weir_packet *pkt = e->packet;
    const struct side *side = &flow->side[dir];
    bool closed = window_is_closed(side);

    if (pkt->payload_wire > 1 || pkt->tcp_flags & WEIR_TH_FIN)
        return false;
    if (is_keepalive(flow, dir, off)) {
        engine_raise_plain(e, flow, dir, closed ? WEIR_EV_WINDOW_PROBE : WEIR_EV_KEEPALIVE);
        return true;
    }
    if (pkt->payload_wire == 0 || off != side->next || !closed)
        return false;
    engine_raise_plain(e, flow, dir, WEIR_EV_WINDOW_PROBE);
    if (pkt->payload_len == 1 && !(side->flags & SIDE_FIN)) /* some take the byte */
        reasm_park(e, flow, dir,
                   &(struct chunk){ off, off + 1, pkt->payload, DOUBT_REFUSED, false, 0 });
    return true;
}

/* Data, a FIN or both, in their place. */
static void
take_chunk(struct engine *e, struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    struct side *side = &flow->side[dir];
    int64_t at = side_offset(side, e->packet->tcp_seq - side->base) + e->packet->payload_wire;
    bool fin = chunk->fin, covered;

    if (side->flags & SIDE_FIN_WAITS && pass_fin(flow, dir, chunk))
        fin = false; /* both are one */
    if (chunk->off > side->next && flow->flags & FLOW_RARE)
        reasm_join(flow, dir, chunk);
    look_for_repetition(e, flow, dir, chunk, fin && repeats_fin(flow, dir, chunk));
    if (chunk->end > chunk->off && reasm_hole_before(flow, dir, chunk->off))
        raise_out_of_order(e, flow, dir, chunk);
    covered = side->flags & SIDE_FIN_WAITS && covers_fin(flow, dir, chunk);
    if (covered)
        side->flags &= (uint8_t)~SIDE_FIN_WAITS;
    if (fin)
        note_fin(flow, dir, chunk, at);
    if (chunk->end > side->next && chunk->end > chunk->off) {
        if (chunk->doubt)
            reasm_park(e, flow, dir, chunk);
        else
            reasm_add(e, flow, dir, chunk);
    }
    if (covered && !(side->flags & (SIDE_FIN | SIDE_FIN_WAITS)))
        next_fin(flow, dir);
}

/*
 * Data or a FIN. What the target drops is held up, in case it does not, only where it comes next.
 */
static bool
may_count(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    return (chunk->end > chunk->off || chunk->fin) &&
           (chunk->doubt != DOUBT_DROPPED || !reasm_hole_before(flow, dir, chunk->off));
}

/* old: the receiver took all of it before, so it looks at nothing else in it. */
void
tcp_take_segment(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt doubt,
                 bool old)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    int64_t off = side_offset(side, pkt->tcp_seq - side->base);
    bool fin = pkt->tcp_flags & WEIR_TH_FIN,
         urgent = pkt->tcp_flags & WEIR_TH_URG && (!doubt || doubt == DOUBT_EARLY) && !old;
    struct chunk chunk = { off, off + pkt->payload_len, pkt->payload, doubt, fin, 0 };
    int64_t at = NO_URGENT;

    if (flow->flags & FLOW_RARE)
        reasm_sender_at(e, flow, dir, off);
    if (off > side->next && !doubt)
        reasm_note_sent(flow, dir, off);
    if (urgent)
        at = note_urgent(e, flow, dir, off);
    if (!is_probe(e, flow, dir, off)) {
        if (flow->flags & FLOW_RESET && pkt->payload_len > 0 && sent_reset(flow, dir))
            raise_why(e, flow, dir, WEIR_EV_DATA_AFTER_END, WEIR_AFTER_RST);
        if (may_count(flow, dir, &chunk) && fit_window(e, flow, dir, &chunk)) {
            cut_behind_fin(e, flow, dir, &chunk);
            take_chunk(e, flow, dir, &chunk);
        }
        if (pkt->truncated && !doubt)
            reasm_note_sent(flow, dir, off + pkt->payload_wire);
    }
    if (at != NO_URGENT)
        raise_urgent(e, flow, dir, at);
    if (side->flags & SIDE_FIN_WAITS)
        tcp_check_fin(e, flow, dir);
}
