#include "rd.h"
#include "reasm.h"
#include "resync.h"
#include "tcp_anomaly.h"
#include "tcp_policy.h"
#include "tcp_state.h"
#include "track.h"

enum {
    UNSCALED_UNKNOWN = 14, /* shift of a window whose scale option was not seen: the greatest */
    WINDOW_MAX = 1 << 30,  /* RFC 7323 section 2.3 */
};

/* ---- options ------------------------------------------------------------------------------- */

static void
syn_option(uint8_t kind, struct rd body, struct tcp_syn_options *out)
{
    size_t n = rd_left(&body);
    uint16_t mss;
    uint8_t shift;

    if (kind == 2 && n == 2 && rd_be16(&body, &mss))
        out->mss = mss;
    else if (kind == 3 && n == 1 && rd_u8(&body, &shift))
        out->wscale = shift > 14 ? 14 : shift; /* RFC 7323 section 2.3 */
    else if (kind == 4)
        out->sack = true;
    else if (kind == 8)
        out->ts = n == 8;
    else if (kind == 34)
        out->tfo = true;
}

void
tcp_syn_options(const uint8_t *p, uint8_t n, struct tcp_syn_options *out)
{
    struct rd rd = { p, p + n }, body;
    uint8_t kind, length;

    *out = (struct tcp_syn_options){ .wscale = NO_WSCALE };
    while (rd_u8(&rd, &kind) && kind != 0) {
        if (kind == 1)
            continue;
        if (!rd_u8(&rd, &length) || length < 2 || !rd_sub(&rd, length - 2U, &body))
            return;
        syn_option(kind, body, out);
    }
}

/* ---- handshake ----------------------------------------------------------------------------- */

bool
tcp_is_syn(const struct weir_packet *pkt)
{
    return (pkt->tcp_flags & (WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST)) == WEIR_TH_SYN;
}

bool
tcp_from_client(const struct weir_packet *pkt)
{
    return !tcp_is_syn(pkt) || !(pkt->tcp_flags & WEIR_TH_ACK);
}

/* The server answers the client's SYN with one of its own, or both sent theirs at once. */
static bool
opens_too(const struct weir_flow *flow, enum weir_dir dir)
{
    return dir == WEIR_TOCLIENT && flow->side[WEIR_TOSERVER].flags & SIDE_SYN &&
           flow->side[WEIR_TOCLIENT].packets == 0 && !(flow->flags & FLOW_CLOSED);
}

/* A SYN came that may open another connection: its receiver will tell. */
static void
note_reuse(struct weir_flow *flow, enum weir_dir dir, uint32_t seq)
{
    flow->flags &= ~(uint32_t)FLOW_REUSE_BACK;
    flow->flags |= FLOW_REUSE_WAITS | (dir == WEIR_TOCLIENT ? FLOW_REUSE_BACK : 0);
    flow_cold(flow)->reuse_seq = seq;
}

/* Returns whether the segment is from the receiver of that SYN, and acknowledges it. */
static bool
answers_reuse(const struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    enum weir_dir of_syn = flow->flags & FLOW_REUSE_BACK ? WEIR_TOCLIENT : WEIR_TOSERVER;

    return flow->flags & FLOW_REUSE_WAITS && dir != of_syn &&
           pkt->tcp_ack == flow_cold(flow)->reuse_seq + 1;
}

/* It opens nothing, but before the third step it may end the connection: see refuses_syn(). */
static bool
half_open_syn_fin(const struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    return dir == WEIR_TOSERVER && !(flow->flags & FLOW_ESTABLISHED) &&
           (pkt->tcp_flags & (WEIR_TH_SYN | WEIR_TH_FIN | WEIR_TH_RST | WEIR_TH_ACK)) ==
               (WEIR_TH_SYN | WEIR_TH_FIN);
}

/*
 * On a closed flow any other SYN opens a new connection; so it does while nobody but its sender
 * was heard. The same SYN may be a late copy, or open one if the peer's SYN/ACK has another number.
 * On a live flow only the peer can tell: its SYN/ACK has to acknowledge that SYN, which
 * else is a stray or an attack that the target answers with a challenge ACK (RFC 5961 section 4).
 */
bool
tcp_opens_another(struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER];

    if (half_open_syn_fin(flow, pkt, dir))
        note_reuse(flow, dir, pkt->tcp_seq);
    if (!tcp_is_syn(pkt))
        return false;
    if (pkt->tcp_flags & WEIR_TH_ACK)
        return answers_reuse(flow, pkt, dir) &&
               !(flow->side[dir].flags & SIDE_SYN && flow->side[dir].base == pkt->tcp_seq + 1);
    if (dir == WEIR_TOSERVER && client->flags & SIDE_SYN && client->base == pkt->tcp_seq + 1) {
        if (flow->flags & FLOW_CLOSED)
            note_reuse(flow, dir, pkt->tcp_seq);
        return false;
    }
    if (opens_too(flow, dir))
        return false;
    if (flow->flags & FLOW_CLOSED || flow->side[!dir].packets == 0)
        return true;
    note_reuse(flow, dir, pkt->tcp_seq);
    return false;
}

enum { SYNS_MANY = 10 }; /* Suricata keeps so many of a flow beside the first one */

unsigned
tcp_unanswered_syns(const struct weir_flow *flow)
{
    bool answered = flow->side[WEIR_TOCLIENT].packets > 0;

    return flow->side[WEIR_TOSERVER].flags & SIDE_SYN && !answered
               ? flow_cold(flow)->syns[WEIR_TOCLIENT] + 1U
               : 0;
}

void
tcp_note_unanswered(struct engine *e, struct weir_flow *flow, enum weir_dir dir, unsigned n)
{
    if (dir != WEIR_TOSERVER || !tcp_is_syn(e->packet) || n == 0)
        return;
    flow_cold(flow)->syns[WEIR_TOCLIENT] = n < UINT8_MAX ? (uint8_t)n : UINT8_MAX - 1;
    if (n > SYNS_MANY)
        raise_why(e, flow, dir, WEIR_EV_BAD_HANDSHAKE, WEIR_BAD_HANDSHAKE_FLOOD);
}

static void
raise_handshake(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                enum weir_event_type type, const struct tcp_syn_options *options)
{
    struct weir_event ev = { .type = (uint8_t)type, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, type))
        return;
    ev.syn.mss = options->mss;
    ev.syn.wscale = options->wscale == NO_WSCALE ? -1 : options->wscale;
    ev.syn.sack = options->sack;
    ev.syn.ts = options->ts;
    ev.syn.tfo = options->tfo;
    engine_deliver(e, flow, &ev);
}

static void
raise_repeated_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct weir_event ev = { .type = WEIR_EV_RETRANSMIT, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_RETRANSMIT))
        return;
    ev.retransmit.offset = -1;
    ev.retransmit.acked = flow->side[dir].flags & SIDE_ACKED;
    ev.retransmit.verified = true;
    ev.retransmit.syn = true;
    engine_deliver(e, flow, &ev);
}

/* A side's numbers begin, and not with what came before and was dropped by its receiver. */
static void
forget_dropped(struct weir_flow *flow, enum weir_dir dir)
{
    flow->side[dir].flags &= (uint8_t)~SIDE_FIN_WAITS;
    reasm_drop_queue(flow, dir);
}

/* The first SYN of a side: its numbers begin. */
static void
start_side(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum weir_event_type type)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    struct tcp_syn_options options;

    if (!(side->flags & SIDE_SEEN))
        forget_dropped(flow, dir);
    tcp_syn_options(pkt->tcp_options, pkt->n_tcp_options, &options);
    side->base = pkt->tcp_seq + 1;
    side->wscale = options.wscale & 15U;
    side->flags |= SIDE_SEEN | SIDE_SYN;
    start_timestamps(flow, dir, pkt);
    tcp_input(flow, dir, type == WEIR_EV_SYN ? TCP_SENT_SYN : TCP_SENT_SYN_ACK);
    tcp_input(flow, !dir, type == WEIR_EV_SYN ? TCP_GOT_SYN : TCP_GOT_SYN_ACK);
    raise_handshake(e, flow, dir, type, &options);
}

static void
raise_data_on_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct weir_event ev = { .type = WEIR_EV_DATA_ON_SYN, .direction = (uint8_t)dir };
    struct tcp_syn_options options;

    if (pkt->payload_wire == 0 || !engine_raises(e, flow, WEIR_EV_DATA_ON_SYN))
        return;
    tcp_syn_options(pkt->tcp_options, pkt->n_tcp_options, &options);
    ev.data_on_syn.tfo = options.tfo;
    engine_deliver(e, flow, &ev);
}

/*
 * Data on a client's SYN are in doubt until a SYN/ACK accepts them (RFC 7413 section 4.1.2). Those on
 * a SYN/ACK are text like any by RFC 9293 section 3.10.7.3, but Linux's clients drop them.
 */
static void
park_syn_data(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    enum doubt doubt = dir == WEIR_TOSERVER ? DOUBT_REFUSED : DOUBT_DROPPED;
    struct chunk chunk = { 0, pkt->payload_len, pkt->payload, doubt, false, 0 };

    if (pkt->payload_len > 0)
        reasm_park(e, flow, dir, &chunk);
}

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
static bool
is_at(const struct side *side, int64_t off, enum tcp_place place)
{
    if (place == NOWHERE)
        return false;
    if (off == side->next || (side->flags & SIDE_FIN && off == side->next + 1) ||
        (side->flags & SIDE_ACKED && side_acked(side) > side->next && off == side_acked(side)))
        return true;
    return place == IN_WINDOW ? in_window(side, off) : place == FROM_NEXT && off > side->next;
}

static bool
is_over(const struct weir_flow *flow)
{
    return flow->flags & FLOW_RESET || flow->side[0].flags & flow->side[1].flags & SIDE_FIN_ACKED;
}

/* The target accepted a RST of side dir, or a SYN that does the same. */
static void
reset_flow(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
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
 * A SYN or SYN/ACK that the target answers, if at all, with a challenge (RFC 5961 section 4); or it
 * gives the connection up (RFC 793 section 3.9), as its policy has it.
 */
static void
raise_stray_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                enum weir_bad_handshake why)
{
    const struct side *side = &flow->side[dir];

    if (!(flow->flags & FLOW_ESTABLISHED)) {
        raise_why(e, flow, dir, WEIR_EV_BAD_HANDSHAKE, (uint8_t)why);
        return;
    }
    engine_raise_plain(e, flow, dir, WEIR_EV_SYN_IN_FLOW);
    if (side->flags & SIDE_SEEN && !is_over(flow) &&
        is_at(side, side_offset(side, e->packet->tcp_seq - side->base),
              policy_ways(flow_policy(flow, dir))->syn))
        reset_flow(e, flow, dir);
}

static void
track_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = &flow->side[dir];

    raise_data_on_syn(e, flow, dir);
    if (side->flags & SIDE_SYN && side->base == e->packet->tcp_seq + 1) {
        raise_repeated_syn(e, flow, dir);
    } else if (side->flags & SIDE_SYN) {
        raise_stray_syn(e, flow, dir, WEIR_BAD_HANDSHAKE_SYN_SEQ);
    } else if (side->flags & SIDE_SEEN || flow->flags & FLOW_ESTABLISHED) {
        raise_stray_syn(e, flow, dir, WEIR_BAD_HANDSHAKE_DIRECTION);
    } else {
        start_side(e, flow, dir, WEIR_EV_SYN);
        park_syn_data(e, flow, dir);
        if (dir == WEIR_TOCLIENT)
            flow->flags |= FLOW_BOTH_OPEN;
    }
}

/* ---- acknowledgements ---------------------------------------------------------------------- */

static void check_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* It moves its sender's stream on. */
static bool
has_content(const struct weir_packet *pkt)
{
    return pkt->payload_wire > 0 || pkt->tcp_flags & WEIR_TH_FIN;
}

/* How far the window field of this side's segments is shifted (RFC 7323 section 2.2). */
static inline unsigned
window_shift(const struct side *side, const struct side *peer)
{
    if (WEIR_LIKELY(side->flags & peer->flags & SIDE_SYN))
        return side->wscale == NO_WSCALE || peer->wscale == NO_WSCALE ? 0 : side->wscale;
    if (side->flags & SIDE_SYN && side->wscale == NO_WSCALE)
        return 0;
    if (peer->flags & SIDE_SYN && peer->wscale == NO_WSCALE)
        return 0;
    return UNSCALED_UNKNOWN;
}

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

/* Side dir offers its peer room up to edge, seen from ack on. A window that shrinks is remembered. */
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

static void
fin_acked(struct weir_flow *flow, enum weir_dir dir)
{
    flow->side[dir].flags |= SIDE_FIN_ACKED;
    tcp_input(flow, dir, TCP_FIN_ACKED);
}

/*
 * RFC 5961 section 5.2: further back than the largest window that was ever offered; and, as Linux has
 * it (tcp_ack()), than the first byte, which is the SYN for its sender.
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
 * allowed to be sent, so the receiver drops it whole (RFC 9293 section 3.10.7.4). *doubt becomes what
 * the ACK adds to the doubt about what the segment carries.
 */
static bool
take_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt)
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
        fin_acked(flow, !dir);
    if (flow->flags & FLOW_RESET)
        resume(e, flow, !dir);
    if (ack > peer->next || flow->flags & FLOW_RARE)
        reasm_acked(e, flow, !dir);
    if (peer->flags & SIDE_FIN_WAITS)
        check_fin(e, flow, !dir);
    return true;
}

/* RFC 9293 section 3.10.7.3: of a client's SYN, and of data on it, no more than was sent. */
static bool
acks_syn(struct weir_flow *flow, enum weir_dir of_syn, const struct weir_packet *pkt)
{
    return pkt->tcp_ack - flow->side[of_syn].base <= reasm_seen_end(flow, of_syn);
}

/* Where both sides sent a SYN, the client's SYN/ACK repeats its SYN and acknowledges the other. */
static void
track_client_syn_ack(struct engine *e, struct weir_flow *flow)
{
    const struct weir_packet *pkt = e->packet;
    const struct side *client = &flow->side[WEIR_TOSERVER];
    enum doubt doubt = DOUBT_NONE;

    if (!(flow->flags & FLOW_BOTH_OPEN) || client->base != pkt->tcp_seq + 1 ||
        !acks_syn(flow, WEIR_TOCLIENT, pkt) || flow->flags & FLOW_ESTABLISHED) {
        raise_stray_syn(e, flow, WEIR_TOSERVER, WEIR_BAD_HANDSHAKE_DIRECTION);
        return;
    }
    start_side(e, flow, WEIR_TOSERVER, WEIR_EV_SYN_ACK);
    take_ack(e, flow, WEIR_TOSERVER, &doubt);
}

/* Another SYN/ACK, by another server behind the address or a forger: the client's ACK chooses. */
static void
note_other_syn_ack(struct weir_flow *flow, const struct weir_packet *pkt)
{
    if (flow->flags & (FLOW_ESTABLISHED | FLOW_REUSE_WAITS) || !acks_syn(flow, WEIR_TOSERVER, pkt))
        return;
    flow->flags |= FLOW_OTHER_SYN_ACK;
    flow_cold(flow)->reuse_seq = pkt->tcp_seq;
}

/* The third step acknowledges that other SYN/ACK: its numbers are the server's. */
static bool
chooses_other(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    if (!(flow->flags & FLOW_OTHER_SYN_ACK) || dir != WEIR_TOSERVER ||
        flow->flags & FLOW_REUSE_WAITS || pkt->tcp_ack != flow_cold(flow)->reuse_seq + 1)
        return false;
    flow->flags &= ~(uint32_t)FLOW_OTHER_SYN_ACK;
    flow->side[WEIR_TOCLIENT].base = pkt->tcp_ack;
    return true;
}

/* The server's SYN/ACK; one that does not answer the client's SYN is dropped by the client. */
static void
track_server_syn_ack(struct engine *e, struct weir_flow *flow)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[WEIR_TOCLIENT], *client = &flow->side[WEIR_TOSERVER];
    bool opened = flow->flags & FLOW_BOTH_OPEN && !(client->flags & SIDE_ACKED);
    enum doubt doubt = DOUBT_NONE;

    if (side->flags & SIDE_SYN && side->base != pkt->tcp_seq + 1) {
        raise_stray_syn(e, flow, WEIR_TOCLIENT, WEIR_BAD_HANDSHAKE_SYN_ACK_SEQ);
        note_other_syn_ack(flow, pkt);
    } else if (side->flags & SIDE_SYN && !opened) {
        raise_repeated_syn(e, flow, WEIR_TOCLIENT);
    } else if (side->flags & SIDE_SEEN && !opened) {
        raise_stray_syn(e, flow, WEIR_TOCLIENT, WEIR_BAD_HANDSHAKE_SYN_ACK_SEQ);
    } else if (client->flags & SIDE_SEEN && !acks_syn(flow, WEIR_TOSERVER, pkt)) {
        raise_why(e, flow, WEIR_TOCLIENT, WEIR_EV_BAD_HANDSHAKE, WEIR_BAD_HANDSHAKE_SYN_ACK_ACK);
    } else {
        if (!(client->flags & SIDE_SEEN)) {
            forget_dropped(flow, WEIR_TOSERVER);
            client->base = pkt->tcp_ack;
        }
        client->flags |= SIDE_SEEN;
        start_side(e, flow, WEIR_TOCLIENT, WEIR_EV_SYN_ACK);
        park_syn_data(e, flow, WEIR_TOCLIENT);
        take_ack(e, flow, WEIR_TOCLIENT, &doubt);
    }
}

static void
track_syn_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    raise_data_on_syn(e, flow, dir);
    if (dir == WEIR_TOSERVER)
        track_client_syn_ack(e, flow);
    else
        track_server_syn_ack(e, flow);
}

static void
raise_established(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct weir_event ev = { .type = WEIR_EV_ESTABLISHED, .direction = (uint8_t)dir };

    if (!engine_raises(e, flow, WEIR_EV_ESTABLISHED))
        return;
    ev.established.rtt = ((int64_t)e->packet->time - (int64_t)flow_cold(flow)->start) / 1000;
    engine_deliver(e, flow, &ev);
}

/*
 * Both SYNs are acknowledged: by the third step of the usual handshake, the fourth of a split one,
 * or when both sides opened at once (RFC 9293 section 3.5).
 */
static void
check_established(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER], *server = &flow->side[WEIR_TOCLIENT];

    if (flow->flags & (FLOW_ESTABLISHED | FLOW_RESET))
        return;
    if (!(server->flags & SIDE_SYN) && server->flags & SIDE_SEEN) {
        engine_established(e, flow); /* its SYN/ACK was not captured */
        tcp_input(flow, WEIR_TOSERVER, TCP_PICKED_UP);
        tcp_input(flow, WEIR_TOCLIENT, TCP_PICKED_UP);
        if (client->flags & SIDE_SYN)
            raise_established(e, flow, dir);
        return;
    }
    if (!(client->flags & server->flags & SIDE_ACKED) || !(client->flags & SIDE_SEEN) ||
        !(server->flags & SIDE_SYN))
        return;
    engine_established(e, flow);
    tcp_input(flow, WEIR_TOSERVER, TCP_SYN_ACKED);
    tcp_input(flow, WEIR_TOCLIENT, TCP_SYN_ACKED);
    raise_established(e, flow, dir);
}

/*
 * Until the server has the third step it takes nothing but an acknowledgement of its SYN, and answers
 * all else with a RST (RFC 9293 section 3.10.7.4). Where it acknowledged data, it has it.
 */
static bool
fits_handshake(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *client = &flow->side[WEIR_TOSERVER], *server = &flow->side[WEIR_TOCLIENT];
    bool fin = server->flags & (SIDE_FIN | SIDE_FIN_WAITS);
    int64_t ack;

    if (dir != WEIR_TOSERVER || flow->flags & FLOW_ESTABLISHED ||
        !(client->flags & server->flags & SIDE_SYN) ||
        (client->flags & SIDE_ACKED && side_acked(client) > 0))
        return true;
    ack = side_offset(server, pkt->tcp_ack - server->base);
    return ack >= 0 && ack <= reasm_seen_end(flow, WEIR_TOCLIENT) + fin;
}

/* ---- segments ------------------------------------------------------------------------------ */

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
 * it must start inside the window that the receiver offered; a FIN alone may stand at its edge. What
 * is refused raises its event.
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
        fin_acked(flow, dir);
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
static void
check_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
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

/* Data or a FIN. What the target drops is held up, in case it does not, only where it comes next. */
static bool
may_count(struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk)
{
    return (chunk->end > chunk->off || chunk->fin) &&
           (chunk->doubt != DOUBT_DROPPED || !reasm_hole_before(flow, dir, chunk->off));
}

/* old: the receiver took all of it before, so it looks at nothing else in it. */
static void
take_segment(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt doubt,
             bool old)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    int64_t off = side_offset(side, pkt->tcp_seq - side->base);
    bool fin = pkt->tcp_flags & WEIR_TH_FIN,
         urgent = pkt->tcp_flags & WEIR_TH_URG && !doubt && !old;
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
        check_fin(e, flow, dir);
}

/* ---- RST ----------------------------------------------------------------------------------- */

/*
 * Before the third step Linux gives a connection up for a SYN with another number inside the window,
 * and says so with a RST that acknowledges this SYN, and data and a FIN on it; later it answers with
 * a challenge ACK.
 */
static bool
refuses_syn(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    return dir == WEIR_TOCLIENT && !(flow->flags & FLOW_ESTABLISHED) &&
           (flow->flags & (FLOW_REUSE_WAITS | FLOW_REUSE_BACK)) == FLOW_REUSE_WAITS &&
           pkt->tcp_flags & WEIR_TH_ACK &&
           pkt->tcp_ack - flow_cold(flow)->reuse_seq - 1 <= UINT16_MAX;
}

/*
 * RFC 5961 section 3.2: exactly at what the receiver expects, or where else its policy has it. Before
 * its side was heard, it has to acknowledge the peer's SYN (RFC 9293 section 3.10.7.3).
 */
static bool
rst_accepted(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
             const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];
    int64_t off;

    if (!(side->flags & SIDE_SEEN))
        return !(peer->flags & SIDE_SYN) ||
               (pkt->tcp_flags & WEIR_TH_ACK && acks_syn(flow, !dir, pkt));
    off = side_offset(side, pkt->tcp_seq - side->base);
    if (pkt->tcp_flags & WEIR_TH_ACK && off > side_offset(side, side->edge))
        resync_sent(e, flow, dir, off, off); /* without ACK it may repeat its peer's wrong one */
    return refuses_syn(flow, dir, pkt) ||
           is_at(side, off, policy_ways(flow_policy(flow, dir))->rst);
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

/* What a target has of its peer when it gives up is in the RST's ACK; before, that answers a SYN. */
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

static void
track_rst(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    if (is_over(flow))
        return;
    if (rst_accepted(e, flow, dir, e->packet)) {
        rst_acks(e, flow, dir);
        reset_flow(e, flow, dir);
    } else
        raise_why(e, flow, dir, WEIR_EV_BAD_RST, (uint8_t)rst_fault(flow, dir, e->packet));
}

/* ---- all of it ----------------------------------------------------------------------------- */

/*
 * A client that only sent its SYN takes nothing from a server but a SYN/ACK or a RST. Where it sent
 * data on it, and the capture missed the SYN/ACK, the server's first data tells what became of that.
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

static void
track_packet(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    enum doubt doubt = DOUBT_NONE;
    uint32_t recent = flow->ts[dir];
    bool old;

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
            track_rst(e, flow, dir);
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
        take_segment(e, flow, dir, doubt, false);
        return;
    }
    if (!(side->flags & SIDE_SEEN)) {
        forget_dropped(flow, dir);
        side->base = pkt->tcp_seq;
        side->wscale = NO_WSCALE;
        side->flags |= SIDE_SEEN;
    }
    if (may_be_stamped(flow, pkt) &&
        !timestamp_is_right(e, flow, dir, side_offset(side, pkt->tcp_seq - side->base), &recent,
                            &doubt))
        return;
    if (!fits_handshake(flow, dir, pkt) && !chooses_other(flow, dir, pkt)) {
        raise_why(e, flow, dir, WEIR_EV_BAD_HANDSHAKE, WEIR_BAD_HANDSHAKE_ACK);
        take_segment(e, flow, dir, DOUBT_DROPPED, false);
        return;
    }
    old = is_old(flow, dir, pkt);
    if (!old && !take_ack(e, flow, dir, &doubt)) {
        take_segment(e, flow, dir, DOUBT_DROPPED, false);
        return;
    }
    if (!old && !doubt)
        flow->ts[dir] = recent;
    check_established(e, flow, dir);
    take_segment(e, flow, dir, doubt, old);
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
 * Nearly all segments: of an established connection to which nothing happened, what comes next, whole
 * and inside the window, with the usual options. Offsets are compared by their low bits, where that is
 * the same.
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
 * Whether nothing would be said of its ACK, nor of its window, which is not smaller than the last. No
 * offset was acknowledged that is below 0.
 */
static inline bool
acks_plainly(const struct side *peer, const struct weir_packet *pkt, uint32_t ack, uint32_t window)
{
    const uint32_t open = (uint32_t)peer->next - peer->acked, new = ack - peer->acked;
    const uint32_t offered = peer->edge - peer->acked;

    return open <= WINDOW_MAX && new <= open &&window > 0 && window >= offered &&
           (new | pkt->payload_wire) > 0;
}

/* Whether its options say nothing but a timestamp, if both agreed on them, no older than the latest. */
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
 * Of plain segments all that track_packet() would find is that nothing is wrong. Anything that it would
 * do but move on what is acknowledged, offered and expected makes a segment a case for it.
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

void
tcp_expire(struct engine *e, struct weir_flow *flow, uint64_t tick)
{
    for (int dir = 0; dir < 2; dir++) {
        uint32_t before = tcp_states(flow);

        reasm_expire(e, flow, dir, tick);
        if (flow->side[dir].flags & SIDE_FIN_WAITS)
            check_fin(e, flow, dir);
        if (tcp_states(flow) != before)
            tcp_tell_states(e, flow, dir);
    }
}

void
tcp_finish(struct engine *e, struct weir_flow *flow)
{
    for (int dir = 0; dir < 2; dir++) {
        reasm_finish(e, flow, dir);
        check_fin(e, flow, dir);
    }
}
