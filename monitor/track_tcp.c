#include "rd.h"
#include "tcp_anomaly.h"
#include "tcp_parts.h"
#include "tcp_state.h"
#include "track.h"

/*
 * A client that only sent its SYN takes nothing from a server but a SYN/ACK or a RST. Where it sent
 * data on it, and the capture missed the SYN/ACK, the server's first data tells what became of
 * that.
 */
static bool
too_early(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];

    return !(side->flags & SIDE_SEEN) && peer->flags & SIDE_SYN && peer->next == 0 &&
           !(peer->tcp_flags & WEIR_TH_ACK) && (pkt->payload_wire == 0 || !has_queue(flow, !dir));
}

/*
 * It ends before what the receiver has acknowledged, who drops it whole (Linux, tcp_sequence()); an
 * ACK of what was not seen may be anybody's.
 */
static bool
is_old(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir];
    bool fin = pkt->tcp_flags & WEIR_TH_FIN;
    int64_t end = side_offset(side, pkt->tcp_seq - side->base) + pkt->payload_wire + fin;

    return end < side->next + !!(side->flags & SIDE_FIN) && side->flags & SIDE_ACKED &&
           end < side_acked(side);
}

/*
 * A server that did not send its SYN/ACK has no connection, and nobody can have acknowledged it: it
 * answers with a RST, or not at all (RFC 9293 section 3.10.7.2).
 */
static bool
is_early(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    return dir == WEIR_TOSERVER && flow->side[dir].flags & SIDE_SYN &&
           !(flow->side[!dir].flags & SIDE_SEEN) && has_content(pkt);
}

/* The capture does not have its SYN: the side's numbers begin here. */
static void
pick_up(struct weir_flow *flow, enum weir_dir dir, uint32_t seq)
{
    struct side *side = &flow->side[dir];

    tcp_forget_dropped(flow, dir);
    side->base = seq;
    side->wscale = NO_WSCALE;
    side->flags |= SIDE_SEEN;
}

static void
track_packet(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    enum doubt doubt = DOUBT_NONE;
    uint32_t recent;
    bool old;

    tcp_choose_syn_ack(flow, dir, pkt);
    recent = flow->ts[dir];
    if (!is_usual(flow, dir, pkt)) {
        if (!flags_make_sense(e, flow, dir, &doubt) || !options_are_right(e, flow, dir, &doubt))
            return;
        if (!ttl_is_usual(e, flow, dir) && doubt < DOUBT_TTL)
            doubt = DOUBT_TTL;
        if (!(flow->flags & FLOW_ESTABLISHED) && !echo_is_right(e, flow, dir))
            return;
    }
    if (pkt->tcp_flags & WEIR_TH_RST) {
        if (!(pkt->tcp_flags & WEIR_TH_SYN) || (side->flags | flow->side[!dir].flags) & SIDE_SEEN)
            track_rst(e, flow, dir, doubt);
        return;
    }
    if (pkt->tcp_flags & WEIR_TH_SYN) {
        if (pkt->tcp_flags & WEIR_TH_ACK)
            track_syn_ack(e, flow, dir);
        else
            track_syn(e, flow, dir);
        return;
    }
    if (too_early(flow, dir, pkt))
        return;
    if (!(pkt->tcp_flags & WEIR_TH_ACK)) {
        if (!(side->flags & SIDE_SEEN) && !has_queue(flow, dir))
            side->base = pkt->tcp_seq; /* for now */
        tcp_take_segment(e, flow, dir, doubt, false);
        return;
    }
    if (!(side->flags & SIDE_SEEN))
        pick_up(flow, dir, pkt->tcp_seq);
    if (may_be_stamped(flow, pkt) &&
        !timestamp_is_right(e, flow, dir, side_offset(side, pkt->tcp_seq - side->base), &recent,
                            &doubt))
        return;
    if (!tcp_fits_handshake(flow, dir, pkt)) {
        raise_why(e, flow, dir, WEIR_EV_BAD_HANDSHAKE, WEIR_BAD_HANDSHAKE_ACK);
        tcp_take_segment(e, flow, dir, DOUBT_DROPPED, false);
        return;
    }
    old = is_old(flow, dir, pkt);
    if (!old && !tcp_take_ack(e, flow, dir, &doubt)) {
        tcp_take_segment(e, flow, dir, DOUBT_DROPPED, false);
        return;
    }
    if (is_early(flow, dir, pkt) && reasm_holds_early(e, flow) && doubt < DOUBT_EARLY)
        doubt = DOUBT_EARLY;
    if (!old && !doubt)
        flow->ts[dir] = recent;
    tcp_check_established(e, flow, dir);
    tcp_take_segment(e, flow, dir, doubt, old);
}

/* Not inline: what plain segments take stays short. */
static __attribute__((noinline)) void
track_any(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const uint32_t before = tcp_states(flow);

    track_packet(e, flow, dir);
    if (tcp_states(flow) != before)
        tcp_tell_states(e, flow, dir);
}

/* ---- the plain case ------------------------------------------------------------------------ */

/*
 * Nearly all segments: of an established connection to which nothing happened, what comes next,
 * whole and inside the window, with the usual options. Offsets are compared by their low bits,
 * where that is the same.
 */
static inline bool
is_plain(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const uint8_t odd_flags = WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST | WEIR_TH_URG;
    const uint32_t odd_flow = FLOW_RESET | FLOW_CLOSED | FLOW_RARE | FLOW_URGENT;

    return (pkt->tcp_flags & (odd_flags | WEIR_TH_ACK)) == WEIR_TH_ACK &&
           (flow->flags & (odd_flow | FLOW_ESTABLISHED)) == FLOW_ESTABLISHED &&
           has_usual_ttl(flow, dir, pkt) && pkt->payload_wire != 1 && !pkt->truncated;
}

/* Whether both sides are at what is usual, and it comes next and inside the window. */
static inline bool
comes_next(const struct side *side, const struct side *peer, const struct weir_packet *pkt)
{
    const unsigned both = SIDE_SEEN | SIDE_ACKED;
    const unsigned none = SIDE_FIN | SIDE_FIN_WAITS | SIDE_AFTER_GAP | SIDE_RETREATS;
    const uint32_t next = (uint32_t)side->next;

    return (((side->flags ^ both) | (peer->flags ^ both)) & (both | none)) == 0 &&
           pkt->tcp_seq - side->base == next && (int32_t)(side->edge - next) > 0;
}

/*
 * Whether nothing would be said of its ACK, nor of its window, which is not smaller than the last.
 * What its peer sent and was acknowledged are low bits: no offset below 0 is acknowledged
 * (tcp_take_ack()).
 */
static inline bool
acks_plainly(const struct side *peer, const struct weir_packet *pkt, uint32_t ack, uint32_t window)
{
    const uint32_t unacked = (uint32_t)peer->next - peer->acked, acks = ack - peer->acked;
    const uint32_t offered = peer->edge - peer->acked;

    return unacked <= WINDOW_MAX && acks <= unacked && window > 0 && window >= offered &&
           (acks | pkt->payload_wire) > 0;
}

/* Whether its options say nothing but a timestamp, if both agreed on them, no older than the
 * latest. */
static inline bool
is_stamped_plainly(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const uint32_t recent = flow->ts[dir];
    uint32_t ts;

    if ((flow->flags & FLOW_TS) != FLOW_TS)
        return pkt->n_tcp_options == 0;
    if (!only_timestamps(pkt))
        return false;
    ts = be32(pkt->tcp_options + 4);
    return ts != 0 && recent != 0 && (int32_t)(ts - recent) >= 0;
}

/*
 * Of plain segments all that track_packet() would find is that nothing is wrong. Anything that it
 * would do but move on what is acknowledged, offered and expected makes a segment a case for it.
 */
void
track_tcp(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = flow_side(flow, dir), *peer = flow_side(flow, !dir);
    const uint32_t ack = pkt->tcp_ack - peer->base;
    const uint32_t window = (uint32_t)pkt->tcp_window << window_shift(side, peer);

    if (WEIR_UNLIKELY(!is_plain(flow, dir, pkt) || !comes_next(side, peer, pkt) ||
                      !acks_plainly(peer, pkt, ack, window) ||
                      !is_stamped_plainly(flow, dir, pkt))) {
        track_any(e, flow, dir);
        return;
    }
    peer->edge = ack + window;
    peer->acked = ack;
    if (pkt->n_tcp_options > 0 && (int32_t)(side->acked - (uint32_t)side->next) >= 0)
        flow->ts[dir] = be32(pkt->tcp_options + 4);
    if (pkt->payload_len > 0)
        reasm_take_next(e, flow, dir, pkt->payload, pkt->payload_len);
}

/* ---- what is due --------------------------------------------------------------------------- */

void
tcp_expire(struct engine *e, struct weir_flow *flow, uint64_t tick)
{
    for (int dir = 0; dir < 2; dir++) {
        uint32_t before = tcp_states(flow);

        reasm_expire(e, flow, dir, tick);
        if (flow->side[dir].flags & SIDE_FIN_WAITS)
            tcp_check_fin(e, flow, dir);
        if (tcp_states(flow) != before)
            tcp_tell_states(e, flow, dir);
    }
}

void
tcp_finish(struct engine *e, struct weir_flow *flow)
{
    for (int dir = 0; dir < 2; dir++) {
        if (dir == WEIR_TOSERVER)
            reasm_take_early(e, flow);
        reasm_finish(e, flow, dir);
        tcp_check_fin(e, flow, dir);
    }
}
