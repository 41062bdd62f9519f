#include "out/alert.h"

#include "eve.h"
#include "json.h"

void
eve_packet(struct out *out, const struct weir_event *ev)
{
    struct json j;

    eve_begin(&j, out, ev, "packet");
    json_base64(&j, "packet", ev->packet->frame, ev->packet->caplen);
    json_open(&j, "packet_info");
    json_u64(&j, "linktype", ev->packet->link);
    json_close(&j);
    json_end(&j);
}
