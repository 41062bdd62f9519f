#include "tcp_state.h"

#define STATES (WEIR_TCP_TIME_WAIT + 1)

/* 0 where nothing changes, else the next state + 1. */
#define TO(state) (WEIR_TCP_##state + 1)

/* clang-format off */
static const uint8_t table[STATES][TCP_INPUTS] = {
    [WEIR_TCP_CLOSED] = {
        [TCP_SENT_SYN] = TO(SYN_SENT), [TCP_SENT_SYN_ACK] = TO(SYN_RECEIVED),
        [TCP_RESUMED] = TO(ESTABLISHED), [TCP_PICKED_UP] = TO(ESTABLISHED),
    },
    [WEIR_TCP_LISTEN] = {
        [TCP_SENT_SYN] = TO(SYN_SENT), [TCP_SENT_SYN_ACK] = TO(SYN_RECEIVED),
        [TCP_RESET] = TO(CLOSED), [TCP_PICKED_UP] = TO(ESTABLISHED),
    },
    [WEIR_TCP_SYN_SENT] = {
        [TCP_GOT_SYN] = TO(SYN_RECEIVED), [TCP_GOT_SYN_ACK] = TO(ESTABLISHED),
        [TCP_RESET] = TO(CLOSED), [TCP_PICKED_UP] = TO(ESTABLISHED),
    },
    [WEIR_TCP_SYN_RECEIVED] = {
        [TCP_GOT_SYN_ACK] = TO(ESTABLISHED), [TCP_SYN_ACKED] = TO(ESTABLISHED),
        [TCP_SENT_FIN] = TO(FIN_WAIT_1), [TCP_GOT_FIN] = TO(CLOSE_WAIT), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_ESTABLISHED] = {
        [TCP_SENT_FIN] = TO(FIN_WAIT_1), [TCP_GOT_FIN] = TO(CLOSE_WAIT), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_FIN_WAIT_1] = {
        [TCP_GOT_FIN] = TO(CLOSING), [TCP_FIN_ACKED] = TO(FIN_WAIT_2), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_FIN_WAIT_2] = {
        [TCP_GOT_FIN] = TO(TIME_WAIT), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_CLOSE_WAIT] = {
        [TCP_SENT_FIN] = TO(LAST_ACK), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_CLOSING] = {
        [TCP_FIN_ACKED] = TO(TIME_WAIT), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_LAST_ACK] = {
        [TCP_FIN_ACKED] = TO(CLOSED), [TCP_RESET] = TO(CLOSED),
    },
    [WEIR_TCP_TIME_WAIT] = {
        [TCP_RESET] = TO(CLOSED),
    },
};
/* clang-format on */

enum weir_tcp_state
tcp_next_state(enum weir_tcp_state state, enum tcp_input input)
{
    uint8_t to = table[state][input];

    return to == 0 ? state : (enum weir_tcp_state)(to - 1);
}

void
tcp_input(struct weir_flow *flow, enum weir_dir side, enum tcp_input input)
{
    struct side *s = &flow->side[side];

    s->state = tcp_next_state((enum weir_tcp_state)s->state, input) & 15U;
}

void
tcp_tell_states(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    if (!engine_raises(e, flow, WEIR_EV_STATE))
        return;
    struct weir_event ev = { .type = WEIR_EV_STATE, .direction = (uint8_t)dir };
    ev.state.client = flow->side[WEIR_TOSERVER].state;
    ev.state.server = flow->side[WEIR_TOCLIENT].state;
    engine_deliver(e, flow, &ev);
}
