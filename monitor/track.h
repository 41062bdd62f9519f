/* Tracking: what a packet does to its flow's state, and which events that raises. */
#ifndef WEIR_TRACK_H
#define WEIR_TRACK_H

#include "engine.h"

/* Options of a SYN, RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 7413. */
struct tcp_syn_options {
    uint16_t mss;   /* 0: absent */
    uint8_t wscale; /* NO_WSCALE: absent */
    bool sack, ts, tfo;
};

/* Parse what can be parsed; options behind a broken one are not looked at. */
void tcp_syn_options(const uint8_t *p, uint8_t n, struct tcp_syn_options *out);

/* Whether the packet opens another connection on the tuple of this flow, which then ends. */
bool tcp_opens_another(struct weir_flow *flow, const struct weir_packet *pkt, enum weir_dir dir);

/*
 * A flow ends for this packet, which opens another on its tuple: the SYN that the new flow has to
 * know. That is the one that a SYN/ACK answers, or the first of those that nobody answered.
 */
struct tcp_syn tcp_syn_before(const struct weir_flow *flow, const struct weir_packet *pkt);

/* For the new flow, which the packet begins: a SYN/ACK answers that SYN, or may answer it yet. */
void
tcp_recall_syn(struct weir_flow *flow, const struct weir_packet *pkt, const struct tcp_syn *syn);

/*
 * How many SYNs of this flow's client were seen and none answered, if the next one opens another.
 */
unsigned tcp_unanswered_syns(const struct weir_flow *flow);

/* This flow was opened by a SYN after n others that nobody answered: raise it if they are many. */
void tcp_note_unanswered(struct engine *e, struct weir_flow *flow, enum weir_dir dir, unsigned n);

/* A SYN or SYN/ACK, and nothing that would contradict it. */
bool tcp_is_syn(const struct weir_packet *pkt);

/* Whether the sender of a flow's first packet is its client: no SYN/ACK comes from one. */
bool tcp_from_client(const struct weir_packet *pkt);

void track_tcp(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* What has become due at this tick: holes are given up, and a FIN behind one counts. */
void tcp_expire(struct engine *e, struct weir_flow *flow, uint64_t tick);

/* Finish both directions: holes, and a FIN that waited behind one. */
void tcp_finish(struct engine *e, struct weir_flow *flow);

/* UDP, ICMP and all other protocols. */
void track_datagram(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

#endif
