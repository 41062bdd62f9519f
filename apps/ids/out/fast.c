#include "out/eve_out.h"

#include <weir/flow.h>

#include <string.h>

/* "01/02/2024-03:04:05.678901", in UTC, from "2024-01-02T03:04:05.678901+0000". */
static void
put_time(struct out *out, uint64_t ns)
{
    char text[TIME_TEXT];

    time_text(ns, text);
    out_bytes(out, text + 5, 2);
    out_char(out, '/');
    out_bytes(out, text + 8, 2);
    out_char(out, '/');
    out_bytes(out, text, 4);
    out_char(out, '-');
    out_bytes(out, text + 11, 15);
}

/* A msg may hold anything; a line of the log is one line. */
static void
put_message(struct out *out, const char *msg)
{
    for (; *msg != '\0'; msg++)
        out_char(out, (unsigned char)*msg < ' ' ? '?' : *msg);
}

static void
put_end(struct out *out, const struct weir_addr *addr, unsigned ip_version, unsigned port)
{
    char text[ADDR_TEXT];

    addr_text(addr, ip_version, text);
    out_str(out, text);
    out_char(out, ':');
    out_u64(out, port);
}

/* ICMP: type and code stand where ports do (as in Suricata). */
static void
put_packet_ends(struct out *out, const struct weir_packet *pkt)
{
    bool icmp = pkt->proto == WEIR_PROTO_ICMP || pkt->proto == WEIR_PROTO_ICMPV6;

    put_end(out, &pkt->src, pkt->ip_version, icmp ? pkt->icmp_type : pkt->src_port);
    out_str(out, " -> ");
    put_end(out, &pkt->dst, pkt->ip_version, icmp ? pkt->icmp_code : pkt->dst_port);
}

static void
put_flow_ends(struct out *out, const struct weir_flow *flow, unsigned dir)
{
    struct weir_tuple t;

    weir_flow_tuple(flow, &t);
    put_end(out, &t.addr[dir], t.ip_version, t.port[dir]);
    out_str(out, " -> ");
    put_end(out, &t.addr[!dir], t.ip_version, t.port[!dir]);
}

static void
put_ends(struct out *out, const struct weir_event *ev)
{
    bool has_packet = ev->packet != NULL && ev->packet->ip_version != 0;
    char proto[PROTO_TEXT];

    if (!has_packet && ev->flow == NULL) {
        out_str(out, "{-}");
        return;
    }
    proto_text(has_packet ? ev->packet->proto : weir_flow_proto(ev->flow), proto);
    out_char(out, '{');
    out_str(out, proto);
    out_str(out, "} ");
    if (has_packet)
        put_packet_ends(out, ev->packet);
    else
        put_flow_ends(out, ev->flow, ev->direction);
}

void
fast_alert(struct out *out, const struct rule *rule, const struct weir_event *ev)
{
    put_time(out, ev->time);
    out_str(out, "  [**] [");
    out_u64(out, rule->gid);
    out_char(out, ':');
    out_u64(out, rule->sid);
    out_char(out, ':');
    out_u64(out, rule->rev);
    out_str(out, "] ");
    put_message(out, rule->msg);
    out_str(out, " [**] [Classification: ");
    out_str(out, rule->class != NULL ? rule->class->text : "(null)");
    out_str(out, "] [Priority: ");
    out_u64(out, rule->priority);
    out_str(out, "] ");
    put_ends(out, ev);
    out_char(out, '\n');
    out_end_record(out);
}
