#include "track.h"

/* A connectionless flow counts as established once both sides were heard. */
void
track_datagram(struct engine *e, struct weir_flow *flow, enum weir_dir dir)
{
    const struct weir_packet *pkt = e->packet;
    struct weir_event ev = { .type = WEIR_EV_DATAGRAM,
                             .direction = (uint8_t)dir,
                             .stable = pkt->stable };

    if (!(flow->flags & FLOW_ESTABLISHED) && flow->side[0].packets > 0 && flow->side[1].packets > 0)
        engine_established(e, flow);
    flow->side[dir].next += pkt->payload_wire;
    if (pkt->payload_wire == 0 || !engine_raises(e, flow, WEIR_EV_DATAGRAM))
        return;
    ev.datagram.length = pkt->payload_wire;
    ev.datagram.data = (struct weir_bytes){ pkt->payload, pkt->payload_len };
    engine_deliver(e, flow, &ev);
}
