/* Records of packets that were dropped. */
#include "detect/check.h"
#include "enforce.h"
#include "out/eve_out.h"

#include "json.h"
#include "rd.h"

static void
put_ip(struct json *j, const struct weir_packet *pkt)
{
    const uint8_t *ip = pkt->ip;

    if (pkt->ip_version == 4) {
        json_u64(j, "len", be16(ip + 2));
        json_u64(j, "tos", ip[1]);
        json_u64(j, "ttl", ip[8]);
        json_u64(j, "ipid", be16(ip + 4));
    } else if (pkt->ip_version == 6) {
        json_u64(j, "len", be16(ip + 4));
        json_u64(j, "tc", (be16(ip) >> 4) & 0xff);
        json_u64(j, "hoplimit", ip[7]);
        json_u64(j, "flowlbl", be32(ip) & 0xfffff);
    }
}

static void
put_tcp(struct json *j, const struct weir_packet *pkt)
{
    const unsigned flags = pkt->tcp_flags;

    json_u64(j, "tcpseq", pkt->tcp_seq);
    json_u64(j, "tcpack", pkt->tcp_ack);
    json_u64(j, "tcpwin", pkt->tcp_window);
    json_bool(j, "syn", flags & WEIR_TH_SYN);
    json_bool(j, "ack", flags & WEIR_TH_ACK);
    json_bool(j, "psh", flags & WEIR_TH_PUSH);
    json_bool(j, "rst", flags & WEIR_TH_RST);
    json_bool(j, "urg", flags & WEIR_TH_URG);
    json_bool(j, "fin", flags & WEIR_TH_FIN);
    json_u64(j, "tcpres", pkt->l4[12] & 15);
    json_u64(j, "tcpurgp", be16(pkt->l4 + 18));
}

static void
put_transport(struct json *j, const struct weir_packet *pkt)
{
    switch (pkt->proto) {
    case WEIR_PROTO_TCP:
        if (packet_has_header(pkt, 20))
            put_tcp(j, pkt);
        break;
    case WEIR_PROTO_UDP:
        if (packet_has_header(pkt, 8))
            json_u64(j, "udplen", be16(pkt->l4 + 4));
        break;
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        if (!packet_has_header(pkt, 8))
            break;
        json_u64(j, "icmp_id", be16(pkt->l4 + 4));
        json_u64(j, "icmp_seq", be16(pkt->l4 + 6));
        break;
    default:
        break;
    }
}

/* Of a flow the first packet of each direction stands for all, if not all are wanted. */
static bool
is_told(const struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev)
{
    bool *told = &flow->drop_told[ev->direction];

    if (!eve_writes(&eve->opts, EVE_DROP) || (!eve->opts.drop_all && ev->flow != NULL && *told))
        return false;
    *told = true;
    return true;
}

void
eve_drop(struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev,
         const struct eve_about *about)
{
    const struct enforced *done = about->done;
    struct json j;

    if (!is_told(eve, flow, ev))
        return;
    eve_out_begin(eve, &j, EVE_DROP, EVE_OF_PACKET, flow, ev, about);
    json_open(&j, "drop");
    if (ev->packet != NULL && ev->packet->ip != NULL) {
        put_ip(&j, ev->packet);
        put_transport(&j, ev->packet);
    }
    json_str(&j, "reason", done->reason);
    json_close(&j);
    if (eve->opts.drop_verdict)
        eve_put_verdict(&j, ev, done);
    if (eve->opts.drop_alerts && done->rule != NULL)
        eve_put_alert(eve, &j, done->rule, ev, about);
    json_end(&j);
}
