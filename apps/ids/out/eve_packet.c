#include "out/eve_out.h"

#include "json.h"

void
eve_packet(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
           const struct eve_about *about)
{
    struct json j;

    if (!eve_writes(&eve->opts, EVE_PACKET))
        return;
    eve_out_begin(eve, &j, EVE_PACKET, EVE_OF_PACKET, flow, ev, about);
    eve_put_app(&j, about);
    eve_put_packet(&j, ev->packet);
    json_end(&j);
}
