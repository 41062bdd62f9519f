#include "rd.h"
#include "reasm.h"
#include "track.h"

enum {
    UNSCALED_UNKNOWN = 14
}; /* shift of a window whose scale option was not seen: the greatest */

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

/*
 * On a closed flow any other SYN opens a new connection; so it does while nobody but its sender
 * was heard. On a live one only the peer can tell: its SYN/ACK has to acknowledge that SYN, which
 * else is a stray or an attack that the target answers with a challenge ACK (RFC 5961 section 4).
 */
bool
tcp_opens_another(struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER];

    if (!tcp_is_syn(pkt))
        return false;
    if (pkt->tcp_flags & WEIR_TH_ACK)
        return flow->flags & FLOW_REUSE_WAITS && pkt->tcp_ack == flow_cold(flow)->reuse_seq + 1;
    if (dir == WEIR_TOSERVER && client->flags & SIDE_SYN && client->base == pkt->tcp_seq + 1)
        return false;
    if (flow->flags & FLOW_CLOSED || !(flow->side[!dir].flags & SIDE_SENT))
        return true;
    flow->flags |= FLOW_REUSE_WAITS;
    flow_cold(flow)->reuse_seq = pkt->tcp_seq;
    return false;
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

/* The first SYN of a side: its numbers begin. */
static void
start_side(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum weir_event_type type)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    struct tcp_syn_options options;

    tcp_syn_options(pkt->tcp_options, pkt->n_tcp_options, &options);
    side->base = pkt->tcp_seq + 1;
    side->wscale = options.wscale & 15U;
    side->flags |= SIDE_SEEN | SIDE_SYN;
    raise_handshake(e, flow, dir, type, &options);
}

/* Data on a SYN waits for the SYN/ACK that accepts it (RFC 7413 section 4.1.2) or does not. */
static void
park_syn_data(struct engine *e, struct weir_flow *flow)
{
    const struct weir_packet *pkt = e->packet;
    struct chunk chunk = { 0, pkt->payload_len, pkt->payload };

    if (pkt->payload_len > 0)
        reasm_park(e, flow, WEIR_TOSERVER, &chunk);
}

static void
track_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    struct side *side = &flow->side[dir];

    if (side->flags & SIDE_SYN) {
        if (side->base == e->packet->tcp_seq + 1)
            raise_repeated_syn(e, flow, dir);
    } else if (dir == WEIR_TOSERVER && !(side->flags & SIDE_SEEN)) {
        start_side(e, flow, dir, WEIR_EV_SYN);
        park_syn_data(e, flow);
    }
}

/* ---- acknowledgements ---------------------------------------------------------------------- */

/* How far the window field of this side's segments is shifted (RFC 7323 section 2.2). */
static unsigned
window_shift(const struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];

    if (side->flags & SIDE_SYN && side->wscale == NO_WSCALE)
        return 0;
    if (peer->flags & SIDE_SYN && peer->wscale == NO_WSCALE)
        return 0;
    return side->flags & SIDE_SYN && peer->flags & SIDE_SYN ? side->wscale : UNSCALED_UNKNOWN;
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
    reasm_drain(e, flow, dir);
    engine_arm(e, flow);
}

static void
offer_edge(struct side *peer, int64_t edge)
{
    if (!(peer->flags & SIDE_ACKED) || edge > side_offset(peer, peer->edge))
        peer->edge = (uint32_t)edge;
}

/*
 * Take over what the segment says of its peer's bytes. False: it acknowledges more than was ever
 * allowed to be sent, so the receiver drops it whole (RFC 9293 section 3.10.7.4).
 */
static bool
take_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *peer = &flow->side[!dir];
    unsigned shift = pkt->tcp_flags & WEIR_TH_SYN ? 0 : window_shift(flow, dir);
    int64_t ack;

    if (!(peer->flags & SIDE_SEEN))
        return true;
    ack = side_offset(peer, pkt->tcp_ack - peer->base);
    if (peer->flags & SIDE_ACKED && ack > side_offset(peer, peer->edge) + 1 &&
        ack > reasm_seen_end(flow, !dir) + 1)
        return false;
    if (ack < 0)
        return true;
    offer_edge(peer, ack + ((int64_t)pkt->tcp_window << shift));
    if (peer->flags & SIDE_ACKED && ack <= side_acked(peer))
        return true;
    peer->acked = (uint32_t)ack;
    peer->flags |= SIDE_ACKED;
    if (peer->flags & SIDE_FIN && ack > peer->next)
        peer->flags |= SIDE_FIN_ACKED;
    if (flow->flags & FLOW_RESET)
        resume(e, flow, !dir);
    reasm_acked(e, flow, !dir);
    return true;
}

/*
 * The server spoke: what it acknowledges tells whether it took the data of the client's SYN, which
 * waits at the stream's start.
 */
static void
decide_syn_data(struct engine *e, struct weir_flow *flow)
{
    const struct rare *rare = flow_rare(flow);
    const struct side *client = &flow->side[WEIR_TOSERVER];

    if (rare == NULL || flow->flags & FLOW_RESET || client->next != 0 ||
        segs_count(rare->queue[WEIR_TOSERVER]) == 0 ||
        segs_at(rare->queue[WEIR_TOSERVER], 0)->off != 0)
        return;
    if (side_acked(client) > 0)
        reasm_drain(e, flow, WEIR_TOSERVER);
    else
        reasm_drop_queue(flow, WEIR_TOSERVER);
}

/* The server's SYN/ACK; one that does not answer the client's SYN is dropped by the client. */
static void
track_syn_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir], *client = &flow->side[WEIR_TOSERVER];

    if (side->flags & SIDE_SYN) {
        if (side->base == pkt->tcp_seq + 1)
            raise_repeated_syn(e, flow, dir);
        return;
    }
    if (dir != WEIR_TOCLIENT || side->flags & SIDE_SEEN)
        return;
    if (!(client->flags & SIDE_SEEN)) {
        client->base = pkt->tcp_ack;
        client->flags |= SIDE_SEEN;
    } else if (pkt->tcp_ack - client->base > UINT16_MAX) { /* data on the SYN may be covered too */
        return;
    }
    start_side(e, flow, dir, WEIR_EV_SYN_ACK);
    if (take_ack(e, flow, dir))
        decide_syn_data(e, flow);
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

/* The third step: the client acknowledges the server's SYN. */
static void
check_established(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *client = &flow->side[WEIR_TOSERVER], *server = &flow->side[WEIR_TOCLIENT];

    if (flow->flags & FLOW_ESTABLISHED)
        return;
    if (!(server->flags & SIDE_SYN) && server->flags & SIDE_SEEN) {
        flow->flags |= FLOW_ESTABLISHED; /* its SYN/ACK was not captured */
        return;
    }
    if (dir != WEIR_TOSERVER || !(client->flags & SIDE_SEEN) || !(server->flags & SIDE_SYN) ||
        !(server->flags & SIDE_ACKED))
        return;
    flow->flags |= FLOW_ESTABLISHED;
    raise_established(e, flow, dir);
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

static bool
queue_empty(struct weir_flow *flow, enum weir_dir dir)
{
    const struct rare *rare = flow_rare(flow);

    return rare == NULL || segs_count(rare->queue[dir]) == 0;
}

/* RFC 9293 section 3.8.4: at most one byte, just before what is expected, nothing in flight. */
static bool
is_keepalive(struct weir_flow *flow, enum weir_dir dir, int64_t off)
{
    const struct side *side = &flow->side[dir];
    bool idle = side->flags & SIDE_ACKED && side_acked(side) >= side->next;

    return off == side->next - 1 && queue_empty(flow, dir) && !(side->flags & SIDE_FIN) && idle;
}

/*
 * Cut the chunk to what may be part of the stream: not before its start, not behind its FIN, and
 * it must start inside the window that the receiver offered. What is refused raises its event.
 */
static bool
fit_window(struct engine *e, struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];

    if (side->flags & SIDE_ACKED && chunk->off > side_offset(side, side->edge)) {
        raise_range(e, flow, dir, chunk->off, chunk->end);
        return false;
    }
    if (chunk->off < 0 && chunk->end > chunk->off) {
        int64_t cut = chunk->end < 0 ? chunk->end : 0;

        raise_range(e, flow, dir, chunk->off, cut);
        chunk->data += cut - chunk->off;
        chunk->off = cut;
    }
    return chunk->off >= 0;
}

static void
cut_behind_fin(struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk)
{
    const struct side *side = &flow->side[dir];
    int64_t fin = side->next;

    if (!(side->flags & (SIDE_FIN | SIDE_FIN_WAITS)))
        return;
    if (side->flags & SIDE_FIN_WAITS)
        fin = side_offset(side, flow_cold(flow)->fin[dir]);
    if (chunk->end > fin)
        chunk->end = fin > chunk->off ? fin : chunk->off;
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
    if (side->flags & SIDE_ACKED && side_acked(side) > side->next)
        side->flags |= SIDE_FIN_ACKED;
    engine_raise_plain(e, flow, dir, WEIR_EV_FIN);
    if (flow->side[!dir].flags & SIDE_FIN) {
        flow->flags |= FLOW_CLOSED;
        engine_arm(e, flow);
    }
}

/* A FIN counts when the stream has reached it. */
static void
check_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct side *side = &flow->side[dir];

    if (side->flags & SIDE_FIN_WAITS && !(flow->flags & FLOW_RESET) &&
        flow_cold(flow)->fin[dir] == (uint32_t)side->next)
        accept_fin(e, flow, dir);
}

/* What came earlier and lies behind the FIN goes, as Linux's tcp_fin() drops it. */
static void
note_fin(struct weir_flow *flow, enum weir_dir dir, int64_t at)
{
    struct side *side = &flow->side[dir];

    if (side->flags & (SIDE_FIN | SIDE_FIN_WAITS) || at < side->next)
        return;
    side->flags |= SIDE_FIN_WAITS;
    flow_cold(flow)->fin[dir] = (uint32_t)at;
    reasm_cut_queue(flow, dir, at);
}

static void
take_segment(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];
    int64_t off = side_offset(side, pkt->tcp_seq - side->base);
    struct chunk chunk = { off, off + pkt->payload_len, pkt->payload };
    bool fin = pkt->tcp_flags & WEIR_TH_FIN;

    if (pkt->payload_wire <= 1 && !fin && is_keepalive(flow, dir, off)) {
        engine_raise_plain(e, flow, dir, WEIR_EV_KEEPALIVE);
        return;
    }
    if ((pkt->payload_len == 0 && !fin) || !fit_window(e, flow, dir, &chunk))
        return;
    cut_behind_fin(flow, dir, &chunk);
    look_for_repetition(e, flow, dir, &chunk, fin && repeats_fin(flow, dir, &chunk));
    if (chunk.off > side->next && chunk.end > chunk.off)
        raise_out_of_order(e, flow, dir, &chunk);
    if (fin)
        note_fin(flow, dir, off + pkt->payload_wire);
    if (chunk.end > side->next && chunk.end > chunk.off)
        reasm_add(e, flow, dir, &chunk);
    check_fin(e, flow, dir);
}

/* ---- RST ----------------------------------------------------------------------------------- */

/*
 * RFC 5961 section 3.2: exactly at what the receiver expects, which is what it acknowledged where
 * the capture missed some. Before its side was heard, it has to acknowledge the peer's SYN (RFC
 * 9293 section 3.10.7.3).
 */
static bool
rst_accepted(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];
    int64_t off;

    if (!(side->flags & SIDE_SEEN))
        return !(peer->flags & SIDE_SYN) ||
               (pkt->tcp_flags & WEIR_TH_ACK && pkt->tcp_ack - peer->base <= UINT16_MAX);
    off = side_offset(side, pkt->tcp_seq - side->base);
    if (off == side->next || (side->flags & SIDE_FIN && off == side->next + 1))
        return true;
    return side->flags & SIDE_ACKED && off == side_acked(side);
}

static void
track_rst(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    uint32_t both = flow->side[0].flags & flow->side[1].flags;

    if (flow->flags & FLOW_RESET || both & SIDE_FIN_ACKED || !rst_accepted(flow, dir, e->packet))
        return;
    flow->flags |= FLOW_RESET | FLOW_CLOSED;
    engine_raise_plain(e, flow, dir, WEIR_EV_RST);
    engine_arm(e, flow);
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* A client that only sent its SYN takes nothing from a server but a SYN/ACK or a RST. */
static bool
too_early(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const struct side *side = &flow->side[dir], *peer = &flow->side[!dir];

    return !(side->flags & SIDE_SEEN) && peer->flags & SIDE_SYN && peer->next == 0 &&
           peer->packets == 1 && pkt->payload_wire == 0;
}

void
track_tcp(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct side *side = &flow->side[dir];

    if (pkt->tcp_flags & WEIR_TH_SYN) {
        if (tcp_is_syn(pkt) && pkt->tcp_flags & WEIR_TH_ACK)
            track_syn_ack(e, flow, dir);
        else if (tcp_is_syn(pkt))
            track_syn(e, flow, dir);
        return;
    }
    if (pkt->tcp_flags & WEIR_TH_RST) {
        track_rst(e, flow, dir);
        return;
    }
    if (!(pkt->tcp_flags & WEIR_TH_ACK) || too_early(flow, dir, pkt))
        return;
    if (!(side->flags & SIDE_SEEN)) {
        side->base = pkt->tcp_seq;
        side->wscale = NO_WSCALE;
        side->flags |= SIDE_SEEN;
    }
    if (!take_ack(e, flow, dir))
        return;
    if (dir == WEIR_TOCLIENT)
        decide_syn_data(e, flow);
    check_established(e, flow, dir);
    take_segment(e, flow, dir);
}

void
tcp_finish(struct engine *e, struct weir_flow *flow)
{
    for (int dir = 0; dir < 2; dir++) {
        reasm_finish(e, flow, dir);
        check_fin(e, flow, dir);
    }
}
