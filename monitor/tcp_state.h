/* The state of each end of a TCP connection as its host has it, RFC 9293 section 3.3.2. */
#ifndef WEIR_TCP_STATE_H
#define WEIR_TCP_STATE_H

#include "engine.h"

/* What happens to a host. */
enum tcp_input {
    TCP_SENT_SYN,
    TCP_SENT_SYN_ACK,
    TCP_GOT_SYN,
    TCP_GOT_SYN_ACK,
    TCP_SYN_ACKED, /* the peer acknowledged its SYN */
    TCP_SENT_FIN,
    TCP_GOT_FIN,
    TCP_FIN_ACKED, /* the peer acknowledged its FIN */
    TCP_RESET,     /* it sent or accepted a RST */
    TCP_RESUMED,   /* the RST was none of its peer's */
    TCP_PICKED_UP, /* it speaks, but its handshake was not seen */
    TCP_INPUTS,
};

/* The state after an input: a table, for tests and for drawing. */
enum weir_tcp_state tcp_next_state(enum weir_tcp_state state, enum tcp_input input);

/* Let the host behind a side have an input, and its peer another. */
void tcp_input(struct weir_flow *flow, enum weir_dir side, enum tcp_input input);

static inline uint32_t
tcp_states(const struct weir_flow *flow)
{
    return (uint32_t)(flow->side[0].state | flow->side[1].state << 4);
}

/* Raise `state`: one of them has changed. */
void tcp_tell_states(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

#endif
