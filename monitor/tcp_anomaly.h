/*
 * What can be said of a TCP segment before it changes anything: flags and options that make the
 * target ignore it, a TTL that does not fit, and what pure acknowledgements mean. Each raises its
 * event.
 */
#ifndef WEIR_TCP_ANOMALY_H
#define WEIR_TCP_ANOMALY_H

#include "engine.h"
#include "segs.h"

#include <string.h>

/* Raise an event whose only field is its `why`. */
void raise_why(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
               enum weir_event_type type, uint8_t why);

/* False: the target ignores a segment with such flags. *doubt: most likely. */
bool
flags_make_sense(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt);

/* False: an option makes the target drop the segment. *doubt: perhaps. */
bool
options_are_right(struct engine *e, struct weir_flow *flow, enum weir_dir dir, enum doubt *doubt);

/* The timestamp of a SYN; false: it offers none. dir: of the SYN, whose receiver judges it. */
bool syn_timestamp(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt,
                   uint32_t *ts);

/* Whether a SYN is signed, so that its connection's segments are, too. */
bool syn_is_signed(const struct weir_packet *pkt);

/* The first timestamp of a side that uses them: from its SYN. */
void start_timestamps(struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt);

/*
 * False: the receiver drops the segment, which starts at off, for its timestamp (PAWS, RFC 7323
 * section 5.3). *recent: what its TS.Recent becomes if it takes the segment. *doubt: perhaps.
 */
bool timestamp_is_right(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off,
                        uint32_t *recent, enum doubt *doubt);

/*
 * False: a client that waits for its SYN/ACK ignores this RST, whose timestamp echoes none of its
 * SYN's.
 */
bool echo_is_right(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* False: a TTL well below what this side has used; such a packet may never get there. */
bool ttl_is_usual(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

enum {
    TTL_SLACK = 4, /* hops that a path may get longer without a word */
    TTL_FAR = 32,  /* hops to anywhere */
};

/* The greatest that this side uses, or a little less; so small a one is looked at. */
static inline bool
has_usual_ttl(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    return flow_ttl(flow, dir) - pkt->ttl <= TTL_SLACK && pkt->ttl > TTL_SLACK;
}

/* Whether its options are only timestamps, as those of most segments are (RFC 7323 appendix A). */
static inline bool
only_timestamps(const struct weir_packet *pkt)
{
    static const uint8_t usual[] = { 1, 1, 8, 10 };

    return pkt->n_tcp_options == 12 && memcmp(pkt->tcp_options, usual, sizeof(usual)) == 0;
}

/* Nearly all segments: an ACK without options and with the TTL that its side uses. */
static inline bool
is_usual(const struct weir_flow *flow, enum weir_dir dir, const struct weir_packet *pkt)
{
    const uint8_t odd = WEIR_TH_SYN | WEIR_TH_RST | WEIR_TH_URG, must = WEIR_TH_ACK;

    return (pkt->tcp_flags & (odd | must)) == must && pkt->n_tcp_options == 0 &&
           has_usual_ttl(flow, dir, pkt);
}

/* Whether timestamp_is_right() has anything to judge. */
static inline bool
may_be_stamped(const struct weir_flow *flow, const struct weir_packet *pkt)
{
    return pkt->n_tcp_options > 0 || (flow->flags & FLOW_TS) == FLOW_TS;
}

/* What the segment's acknowledgement and window are, before they are taken over. */
void check_window(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t ack,
                  int64_t edge);

#endif
