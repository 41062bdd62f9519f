#include "detect/check.h"
#include "detect/parts.h"

#include "rule/buffer.h"

enum {
    IPV6_HEADER = 40,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    ICMP_HEADER = 8,
    SCTP_HEADER = 12,
    ETHERNET = 14,
};

enum { LINK_ETHERNET = 1, PROTO_SCTP = 132 };

static bool
show(const struct weir_packet *pkt, const uint8_t *p, uint32_t n, struct buffer *out)
{
    uint32_t there = (uint32_t)(pkt->frame + pkt->caplen - p);

    *out = (struct buffer){ p, 0, n < there ? n : there, true };
    return true;
}

static bool
show_ip(const struct weir_packet *pkt, unsigned version, struct buffer *out)
{
    if (pkt->ip_version != version || pkt->ip == NULL)
        return false;
    return show(pkt, pkt->ip, version == 4 ? (pkt->ip[0] & 0x0fU) * 4 : IPV6_HEADER, out);
}

static bool
show_transport(const struct weir_packet *pkt, unsigned proto, uint32_t n, struct buffer *out)
{
    return pkt->proto == proto && packet_has_header(pkt, n) && show(pkt, pkt->l4, n, out);
}

/* Four bytes, or sixteen: where the header has them. */
static bool
show_address(const struct weir_packet *pkt, bool src, struct buffer *out)
{
    if (pkt->ip == NULL)
        return false;
    return pkt->ip_version == 4 ? show(pkt, pkt->ip + (src ? 12 : 16), 4, out)
                                : show(pkt, pkt->ip + (src ? 8 : 24), 16, out);
}

bool
headers_show(const struct weir_packet *pkt, unsigned buffer, struct buffer *out)
{
    switch (buffer) {
    case BUFFER_IPV4_HDR:
        return show_ip(pkt, 4, out);
    case BUFFER_IPV6_HDR:
        return show_ip(pkt, 6, out);
    case BUFFER_TCP_HDR: /* of a bad packet, with the options that are there */
        return pkt->proto == WEIR_PROTO_TCP && packet_has_header(pkt, TCP_HEADER) &&
               show(pkt, pkt->l4, (pkt->l4[12] >> 4) * 4U, out);
    case BUFFER_UDP_HDR:
        return show_transport(pkt, WEIR_PROTO_UDP, UDP_HEADER, out);
    case BUFFER_ICMPV4_HDR:
        return show_transport(pkt, WEIR_PROTO_ICMP, ICMP_HEADER, out);
    case BUFFER_ICMPV6_HDR:
        return show_transport(pkt, WEIR_PROTO_ICMPV6, ICMP_HEADER, out);
    case BUFFER_SCTP_HDR:
        return show_transport(pkt, PROTO_SCTP, SCTP_HEADER, out);
    case BUFFER_ETHER_HDR:
        return pkt->link == LINK_ETHERNET && pkt->caplen >= ETHERNET &&
               show(pkt, pkt->frame, ETHERNET, out);
    case BUFFER_IP_SRC:
    case BUFFER_IP_DST:
        return show_address(pkt, buffer == BUFFER_IP_SRC, out);
    default:
        return false;
    }
}
