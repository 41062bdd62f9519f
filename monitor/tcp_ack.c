#include "resync.h"
#include "tcp_anomaly.h"
#include "tcp_parts.h"
#include "tcp_policy.h"
#include "tcp_state.h"

/* The receiver acknowledged data that came after a RST: it had refused the RST. */
static void
resume(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct rare *rare = flow_rare(flow);
    const struct side *side = &flow->side[dir];

    if (rare == NULL || segs_count(rare->queue[dir]) == 0 || side_acked(side) <= side->next ||
        segs_at(rare->queue[dir], 0)->off != (uint32_t)side->next)
        return;
    flow->flags &= ~(uint32_t)(FLOW_RESET | FLOW_CLOSED);
    tcp_input(flow, dir, TCP_RESUMED);
    tcp_input(flow, !dir, TCP_RESUMED);
    engine_raise_plain(e, flow, dir, WEIR_EV_RST_IGNORED);
    reasm_drain(e, flow, dir);
    reasm_drain(e, flow, !dir); /* what waited there for the same decision */
    engine_arm(e, flow);
}

static int64_t
offered_window(const struct side *peer)
{
    return side_offset(peer, peer->edge) - side_acked(peer);
}

/*
 * Side dir offers its peer room up to edge, seen from ack on. A window that shrinks is remembered.
 */
static void
offer_edge(struct weir_flow *flow, enum weir_dir dir, int64_t ack, int64_t edge, unsigned shift)
{
    struct side *peer = &flow->side[!dir];
    uint16_t *max, window;

    if (!(peer->flags & SIDE_ACKED)) {
        peer->edge = (uint32_t)edge;
        return;
    }
    if (ack >= side_acked(peer) && edge - ack < offered_window(peer)) {
        max = &flow_cold(flow)->max_window[!dir];
        window = (uint16_t)(offered_window(peer) >> shift);
        *max = window > *max ? window : *max;
    }
    if (edge >= side_offset(peer, peer->edge)) {
        peer->edge = (uint32_t)edge;
        peer->flags &= (uint8_t)~SIDE_RETREATS;
    } else {
        peer->flags |= SIDE_RETREATS;
    }
}

void
tcp_fin_acked(struct weir_flow *flow, enum weir_dir dir)
{
    flow->side[dir].flags |= SIDE_FIN_ACKED;
    tcp_input(flow, dir, TCP_FIN_ACKED);
}

/*
 * RFC 5961 section 5.2: further back than the largest window that was ever offered; and, as Linux
 * has it (tcp_ack()), than the first byte, which is the SYN for its sender.
 */
static bool
is_ancient(const struct weir_flow *flow, enum weir_dir dir, int64_t ack, unsigned shift)
{
    const struct side *peer = &flow->side[!dir];
    int64_t window = offered_window(peer), first = dir == WEIR_TOCLIENT ? -1 : 0, max;

    if (peer->flags & SIDE_SYN && ack < first)
        return true;
    if (!(peer->flags & SIDE_ACKED) || ack >= side_acked(peer) - window)
        return false;
    max = (int64_t)flow_cold(flow)->max_window[!dir] << shift;
    return ack < side_acked(peer) - max;
}

/*
 * Linux takes a segment that is just what it expects without a look at how old its ACK is: header
 * prediction, in tcp_rcv_established(), if the socket has memory left, which it has not for the
 * first one. Nobody else is known to.
 */
static bool
is_predicted(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt,
             unsigned shift)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];
    uint8_t n_options = (flow->flags & FLOW_TS) == FLOW_TS ? 12 : 0;

    return flow_policy(flow, dir) == WEIR_POLICY_LINUX && side->next > 0 &&
           (pkt->tcp_flags | WEIR_TH_PUSH) == (WEIR_TH_ACK | WEIR_TH_PUSH) &&
           !(peer->flags & SIDE_RETREATS) && pkt->n_tcp_options == n_options &&
           pkt->tcp_seq - side->base == (uint32_t)side->next && !has_queue(flow, dir) &&
           (int64_t)pkt->tcp_window << shift == offered_window(peer);
}

/* What the receiver makes of a segment whose ACK may be wrong. */
static enum doubt
doubt_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t ack, unsigned shift)
{
    if (is_ancient(flow, dir, ack, shift)) {
        raise_why(e, flow, dir, WEIR_EV_BAD_ACK, WEIR_BAD_ACK_OLD);
        return is_predicted(flow, dir, e->packet, shift) ? DOUBT_TAKEN : DOUBT_REFUSED;
    }
    if (ack <= reasm_sent_end(flow, !dir) || !has_content(e->packet) ||
        flow->side[!dir].packets == 0) /* nothing of it came through, so this says nothing */
        return DOUBT_NONE;
    raise_why(e, flow, dir, WEIR_EV_BAD_ACK, WEIR_BAD_ACK_UNSEEN);
    return DOUBT_REFUSED;
}

/*
 * Take over what the segment says of its peer's bytes. False: it acknowledges more than was ever
 * allowed to be sent, so the receiver drops it whole (RFC 9293 section 3.10.7.4). *doubt becomes
 * what the ACK adds to the doubt about what the segment carries.
 */
bool
tcp_take_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir], *peer = &flow->side[!dir];
    unsigned shift = pkt->tcp_flags & WEIR_TH_SYN ? 0 : window_shift(side, peer);
    enum doubt about = DOUBT_NONE;
    int64_t ack;

    if (!(peer->flags & SIDE_SEEN))
        return true;
    ack = side_offset(peer, pkt->tcp_ack - peer->base);
    if (ack > peer->next + WINDOW_MAX ||
        (peer->flags & SIDE_ACKED && ack > side_offset(peer, peer->edge) + 1 &&
         ack > reasm_seen_end(flow, !dir) + 1 &&
         !resync_acked(flow, !dir, ack, ack + ((int64_t)pkt->tcp_window << shift)))) {
        raise_why(e, flow, dir, WEIR_EV_BAD_ACK, WEIR_BAD_ACK_UNSENT);
        return false;
    }
    if (ack > peer->next || (peer->flags & SIDE_ACKED && ack < side_acked(peer)) || ack < 0)
        about = doubt_ack(e, flow, dir, ack, shift);
    *doubt = about > *doubt ? about : *doubt;
    if (ack < 0 || (about == DOUBT_REFUSED && ack > peer->next))
        return true;
    if (!(pkt->tcp_flags & WEIR_TH_SYN))
        check_window(e, flow, dir, ack, ack + ((int64_t)pkt->tcp_window << shift));
    offer_edge(flow, dir, ack, ack + ((int64_t)pkt->tcp_window << shift), shift);
    if (flow->flags & FLOW_RARE && ack == peer->next && !has_content(pkt))
        reasm_answered(flow, !dir);
    if (peer->flags & SIDE_ACKED && ack <= side_acked(peer))
        return true;
    peer->acked = (uint32_t)ack;
    peer->flags |= SIDE_ACKED;
    if (peer->flags & SIDE_FIN && ack > peer->next)
        tcp_fin_acked(flow, !dir);
    if (flow->flags & FLOW_RESET)
        resume(e, flow, !dir);
    if (ack > peer->next || flow->flags & FLOW_RARE)
        reasm_acked(e, flow, !dir);
    if (peer->flags & SIDE_FIN_WAITS)
        tcp_check_fin(e, flow, !dir);
    return true;
}
