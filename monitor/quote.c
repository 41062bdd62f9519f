#include "quote.h"

#include "rd.h"

#include <string.h>

enum { ECHO_REQUEST = 8, ECHO_REPLY = 0, ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

/* Unreachable, source quench, redirect, time exceeded, parameter problem; ICMPv6: all below 128. */
static bool
is_error(const struct weir_packet *pkt)
{
    uint8_t type = pkt->icmp_type;

    if (pkt->proto == WEIR_PROTO_ICMPV6)
        return type >= 1 && type <= 4;
    return pkt->proto == WEIR_PROTO_ICMP &&
           (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

static bool
is_echo(uint8_t proto, uint8_t type)
{
    return proto == WEIR_PROTO_ICMP ? type == ECHO_REQUEST || type == ECHO_REPLY
                                    : type == ECHO6_REQUEST || type == ECHO6_REPLY;
}

/* RFC 792 has eight bytes of transport quoted; six are enough. */
static bool
read_ports(struct rd *r, struct weir_packet *quoted)
{
    struct rd at = *r;
    uint16_t first, second, third;

    if (!rd_be16(&at, &first) || !rd_be16(&at, &second) || !rd_be16(&at, &third))
        return false;
    if (quoted->proto == WEIR_PROTO_TCP || quoted->proto == WEIR_PROTO_UDP) {
        quoted->src_port = first;
        quoted->dst_port = second;
    } else if ((quoted->proto == WEIR_PROTO_ICMP || quoted->proto == WEIR_PROTO_ICMPV6) &&
               is_echo(quoted->proto, (uint8_t)(first >> 8))) {
        quoted->src_port = quoted->dst_port = third;
    }
    return true;
}

/* Only a first fragment has ports; a later one names no flow. */
static bool
read_ipv4(struct rd *r, struct weir_packet *quoted)
{
    const uint8_t *p = rd_take(r, 20), *options;
    uint32_t n;

    if (p == NULL || p[0] >> 4 != 4 || (p[0] & 15) < 5 || (be16(p + 6) & 0x1fff) != 0)
        return false;
    n = (p[0] & 15U) * 4 - 20;
    options = n > 0 ? rd_take(r, n) : p;
    quoted->proto = p[9];
    memcpy(quoted->src.b, p + 12, 4);
    memcpy(quoted->dst.b, p + 16, 4);
    return options != NULL && read_ports(r, quoted);
}

/* Extension headers are not walked: errors of what had some are told by their packets only. */
static bool
read_ipv6(struct rd *r, struct weir_packet *quoted)
{
    const uint8_t *p = rd_take(r, 40);

    if (p == NULL || p[0] >> 4 != 6)
        return false;
    quoted->proto = p[6];
    memcpy(quoted->src.b, p + 8, 16);
    memcpy(quoted->dst.b, p + 24, 16);
    return read_ports(r, quoted);
}

bool
quote_read(const struct weir_packet *pkt, struct weir_packet *quoted)
{
    struct rd r = { pkt->payload, pkt->payload + pkt->payload_len };

    if (!is_error(pkt))
        return false;
    *quoted = (struct weir_packet){
        .ip_version = pkt->ip_version,
        .n_vlan = pkt->n_vlan,
        .vlan = { pkt->vlan[0], pkt->vlan[1], pkt->vlan[2] },
        .has_vni = pkt->has_vni,
        .vni = pkt->vni,
    };
    return pkt->ip_version == 4 ? read_ipv4(&r, quoted) : read_ipv6(&r, quoted);
}
