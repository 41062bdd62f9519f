#include "resync.h"
#include "tcp_anomaly.h"
#include "tcp_parts.h"
#include "tcp_policy.h"
#include "tcp_state.h"

/* Of the receiver, whose window is not known before it was seen. */
static bool
in_window(const struct side *side, int64_t off)
{
    return side->flags & SIDE_ACKED && off >= side_acked(side) &&
           off <= side_offset(side, side->edge);
}

/*
 * What the receiver expects is also what it acknowledged, where the capture missed some. The window
 * begins there too: a host compares with the last ACK that it sent (BSD's last_ack_sent, Linux's
 * rcv_wup).
 */
bool
tcp_is_at(const struct side *side, int64_t off, enum tcp_place place)
{
    if (place == NOWHERE)
        return false;
    if (off == side->next || (side->flags & SIDE_FIN && off == side->next + 1) ||
        (side->flags & SIDE_ACKED && side_acked(side) > side->next && off == side_acked(side)))
        return true;
    return place == IN_WINDOW ? in_window(side, off) : place == FROM_NEXT && off > side->next;
}

bool
tcp_is_over(const struct weir_flow *flow)
{
    return flow->flags & FLOW_RESET || flow->side[0].flags & flow->side[1].flags & SIDE_FIN_ACKED;
}

/* The target accepted a RST of side dir, or a SYN that does the same. */
void
tcp_reset_flow(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    reasm_expire(e, flow, dir, UINT64_MAX); /* the connection ends: no late byte fills a hole */
    reasm_expire(e, flow, !dir, UINT64_MAX);
    flow->flags |= FLOW_RESET | FLOW_CLOSED;
    flow->flags &= ~(uint32_t)FLOW_RESET_BY_SERVER;
    flow->flags |= dir == WEIR_TOCLIENT ? FLOW_RESET_BY_SERVER : 0;
    tcp_input(flow, dir, TCP_RESET);
    tcp_input(flow, !dir, TCP_RESET);
    engine_raise_plain(e, flow, dir, WEIR_EV_RST);
    engine_arm(e, flow);
}

/*
 * Before the third step Linux gives a connection up for a SYN with another number inside the
 * window, and says so with a RST that acknowledges this SYN, and data and a FIN on it; later it
 * answers with a challenge ACK.
 */
bool
tcp_refuses_syn(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    return dir == WEIR_TOCLIENT && !(flow->flags & FLOW_ESTABLISHED) &&
           (flow->flags & (FLOW_REUSE_WAITS | FLOW_REUSE_BACK)) == FLOW_REUSE_WAITS &&
           pkt->tcp_flags & WEIR_TH_ACK &&
           pkt->tcp_ack - flow_cold(flow)->reuse_seq - 1 <= UINT16_MAX;
}

/*
 * RFC 5961 section 3.2: exactly at what the receiver expects, or where else its policy has it.
 * Before its side was heard, it has to acknowledge the peer's SYN (RFC 9293 section 3.10.7.3), or
 * what came behind it, if only the capture did not hear it.
 */
static bool
rst_accepted(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
             const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];
    int64_t off;

    if (!(side->flags & SIDE_SEEN))
        return !(peer->flags & SIDE_SYN) ||
               (pkt->tcp_flags & WEIR_TH_ACK &&
                pkt->tcp_ack - peer->base <= reasm_seen_end(flow, !dir));
    off = side_offset(side, pkt->tcp_seq - side->base);
    if (pkt->tcp_flags & WEIR_TH_ACK && off > side_offset(side, side->edge))
        resync_sent(e, flow, dir, off, off); /* without ACK it may repeat its peer's wrong one */
    return tcp_refuses_syn(flow, dir, pkt) ||
           tcp_is_at(side, off, policy_ways(flow_policy(flow, dir))->rst);
}

/* Why it is not accepted: RFC 5961 section 3.2 answers one in the window with a challenge. */
static enum weir_bad_rst
rst_fault(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir];
    int64_t off = side_offset(side, pkt->tcp_seq - side->base);

    if (!(side->flags & SIDE_SEEN))
        return WEIR_BAD_RST_ACK;
    return in_window(side, off) ? WEIR_BAD_RST_IN_WINDOW : WEIR_BAD_RST_OUT_OF_WINDOW;
}

/*
 * What a target has of its peer when it gives up is in the RST's ACK; before, that answers a SYN.
 */
static void
rst_acks(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *peer = &flow->side[!dir];
    int64_t ack = side_offset(peer, e->packet->tcp_ack - peer->base);

    if (!(flow->flags & FLOW_ESTABLISHED) || !(e->packet->tcp_flags & WEIR_TH_ACK) ||
        !has_queue(flow, !dir) || !(peer->flags & SIDE_ACKED) || ack <= side_acked(peer) ||
        ack > reasm_seen_end(flow, !dir))
        return;
    peer->acked = (uint32_t)ack;
    reasm_acked(e, flow, !dir);
}

/*
 * A RST before the server was heard: a client's behind all that came early goes with it, and so
 * does one of a server that acknowledges some of it, for without a connection it acknowledges no
 * more than the SYN.
 */
static void
decide_early(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    const struct side *client = &flow->side[WEIR_TOSERVER];
    const uint32_t at = (dir == WEIR_TOSERVER ? pkt->tcp_seq : pkt->tcp_ack) - client->base;
    const int64_t end = reasm_sent_end(flow, WEIR_TOSERVER);

    if (!(client->flags & SIDE_SYN) || flow->side[WEIR_TOCLIENT].flags & SIDE_SEEN)
        return;
    if (dir == WEIR_TOSERVER ? at == end
                             : pkt->tcp_flags & WEIR_TH_ACK && at <= end &&
                                   at > reasm_syn_end(flow, WEIR_TOSERVER)) {
        reasm_take_early(e, flow);
        if (client->flags & SIDE_FIN_WAITS)
            tcp_check_fin(e, flow, WEIR_TOSERVER);
    } else if (dir == WEIR_TOCLIENT && rst_accepted(e, flow, dir, pkt)) {
        reasm_refuse_early(flow);
    }
}

/*
 * A TTL that is odd, and small: what passes the sensor with more gets everywhere, as the RST of a
 * middlebox does. But where bytes wait, the receiver may be behind them.
 */
static bool
may_not_count(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt,
              enum doubt doubt)
{
    return doubt == DOUBT_TTL && (pkt->ttl <= TTL_FAR || has_queue(flow, dir));
}

/* The RST that closed the flow may not have arrived; now one comes that does. */
static void
confirm_reset(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct rare *rare = flow_rare(flow);

    if (flow->flags & FLOW_RESET && rare != NULL && rare->reset_in_doubt &&
        rst_accepted(e, flow, dir, e->packet))
        rare->reset_in_doubt = false;
}

/* A RST that may not count closes a flow, but not for sure. */
void
track_rst(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt doubt)
{
    const bool doubtful = may_not_count(flow, dir, e->packet, doubt);
    struct rare *rare;

    if (tcp_is_over(flow)) {
        if (!doubtful)
            confirm_reset(e, flow, dir);
        return;
    }
    decide_early(e, flow, dir);
    if (rst_accepted(e, flow, dir, e->packet)) {
        rst_acks(e, flow, dir);
        tcp_reset_flow(e, flow, dir);
        if ((rare = doubtful ? reasm_need_rare(flow) : flow_rare(flow)) != NULL)
            rare->reset_in_doubt = doubtful;
    } else {
        if (!doubtful && tcp_gives_up_syn(flow, dir, e->packet))
            tcp_forget_other_syn(flow);
        raise_why(e, flow, dir, WEIR_EV_BAD_RST, (uint8_t)rst_fault(flow, dir, e->packet));
    }
}
