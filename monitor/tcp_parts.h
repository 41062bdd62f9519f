/*
 * What the parts of TCP tracking share: tcp_handshake.c follows SYNs and what answers them,
 * tcp_ack.c acknowledgements and windows, tcp_segment.c data and FINs, tcp_reset.c RSTs,
 * track_tcp.c a packet as a whole. For them alone; others use track.h.
 */
#ifndef WEIR_TCP_PARTS_H
#define WEIR_TCP_PARTS_H

#include "engine.h"
#include "reasm.h"
#include "tcp_policy.h"

enum {
    UNSCALED_UNKNOWN = 14, /* shift of a window whose scale option was not seen: the greatest */
    WINDOW_MAX = 1 << 30,  /* RFC 7323 section 2.3 */
};

/* ---- tcp_handshake.c ----------------------------------------------------------------------- */

void track_syn(struct engine *e, struct weir_flow *flow, enum weir_dir dir);
void track_syn_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* Whether the packet acknowledges no more of that side's SYN, and data on it, than was sent. */
bool tcp_acks_syn(struct weir_flow *flow, enum weir_dir of_syn, const struct weir_packet *pkt);

/* A side's numbers begin, and not with what came before and was dropped by its receiver. */
void tcp_forget_dropped(struct weir_flow *flow, enum weir_dir dir);

/* Whether a RST of the client is for a SYN before the flow's own, which nobody answers then. */
bool
tcp_gives_up_syn(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt);
void tcp_forget_other_syn(struct weir_flow *flow);

/*
 * The third step may choose another SYN/ACK than the one that was taken, or one that was not: its
 * numbers are the server's then, and those of the SYN that it answers the client's.
 */
void tcp_choose_syn_ack(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt);

/* The flow becomes established if the packet completes its handshake. */
void tcp_check_established(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* False: until it has the third step the server answers such a packet with a RST. */
bool tcp_fits_handshake(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt);

/* ---- tcp_ack.c ----------------------------------------------------------------------------- */

/*
 * Take over what the segment says of its peer's bytes. False: the receiver drops it whole for that.
 * *doubt becomes what the ACK adds to the doubt about what the segment carries.
 */
bool tcp_take_ack(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt);

/* The peer has acknowledged the FIN of this direction. */
void tcp_fin_acked(struct weir_flow *flow, enum weir_dir dir);

/* It moves its sender's stream on, or marks a byte of it. */
static inline bool
has_content(const struct weir_packet *pkt)
{
    return pkt->payload_wire > 0 || pkt->tcp_flags & (WEIR_TH_FIN | WEIR_TH_URG);
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

/* ---- tcp_segment.c ------------------------------------------------------------------------- */

/* Data and FIN of the packet. old: the receiver took all of it before, so it looks at nothing else
 * in it. */
void tcp_take_segment(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt doubt,
                      bool old);

/* The FIN that waits counts when the stream has reached it. */
void tcp_check_fin(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* ---- tcp_reset.c --------------------------------------------------------------------------- */

void track_rst(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt doubt);

/* The target accepted a RST of side dir, or a SYN that does the same. */
void tcp_reset_flow(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* Whether its receiver gives a half-open connection up for this SYN, and says so with a RST. */
bool
tcp_refuses_syn(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt);

/* Whether an offset of this side is where a policy looks for it. */
bool tcp_is_at(const struct side *side, int64_t off, enum tcp_place place);

/* Whether the connection was reset, or both FINs were acknowledged. */
bool tcp_is_over(const struct weir_flow *flow);

#endif
