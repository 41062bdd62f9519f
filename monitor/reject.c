#include "reject.h"

#include "checksum.h"
#include "rd.h"

#include <arpa/inet.h>
#include <string.h>

/* LINKTYPE_ values: https://www.tcpdump.org/linktypes.html */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
};

enum {
    ETHERNET = 14,
    ETHERNET_LEAST = 60, /* without its check sequence */
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    IPV4 = 20,
    IPV6 = 40,
    TCP = 20,
    ICMP = 8,
    TTL = 64,
    QUOTED_IPV4 = 548, /* bytes of the packet in an ICMP error: 576 in all (RFC 1812 4.3.2.3) */
};

static void
put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void
put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static void
put_sum(uint8_t *p, uint16_t sum)
{
    const uint16_t inverse = (uint16_t)~sum;

    memcpy(p, &inverse, sizeof(inverse)); /* a sum of words in memory order */
}

/* ---- link headers ---------------------------------------------------------------------------- */

static bool
is_vlan(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* Bytes before the IP header, if nothing but Ethernet and VLAN tags is there; 0: something is. */
static uint32_t
ethernet_length(const struct weir_packet *pkt)
{
    const uint32_t ip = (uint32_t)(pkt->ip - pkt->frame);
    const uint16_t type = pkt->ip_version == 4 ? TYPE_IPV4 : TYPE_IPV6;
    uint32_t at = ETHERNET - 2;

    while (at + 6 <= ip && is_vlan(be16(pkt->frame + at)))
        at += 4;
    return at + 2 == ip && ip <= REJECT_LINK && be16(pkt->frame + at) == type ? ip : 0;
}

static bool
link_length(const struct weir_packet *pkt, uint32_t *n)
{
    const uint32_t ip = (uint32_t)(pkt->ip - pkt->frame);

    *n = ip;
    switch (pkt->link) {
    case LINK_ETHERNET:
        return (*n = ethernet_length(pkt)) > 0;
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return ip == 0;
    case LINK_NULL:
    case LINK_LOOP:
        return ip == 4;
    default:
        return false;
    }
}

static bool
is_of_many(const struct weir_packet *pkt, const struct weir_addr *addr)
{
    static const uint8_t broadcast[4] = { 255, 255, 255, 255 }, none[16];

    if (pkt->ip_version == 6)
        return addr->b[0] == 0xff || memcmp(addr->b, none, 16) == 0;
    return addr->b[0] >> 4 == 14 || memcmp(addr->b, broadcast, 4) == 0 ||
           memcmp(addr->b, none, 4) == 0;
}

/* Whether an end may be told; the link headers' length. */
static bool
may_tell(const struct weir_packet *pkt, uint32_t *link)
{
    return pkt->ip != NULL && pkt->tunnel == 0 && !pkt->fragment && !is_of_many(pkt, &pkt->src) &&
           !is_of_many(pkt, &pkt->dst) && link_length(pkt, link) &&
           !(pkt->link == LINK_ETHERNET && pkt->frame[0] & 1);
}

static void
write_link(const struct weir_packet *pkt, uint32_t link, bool back, uint8_t *room)
{
    memcpy(room, pkt->frame, link);
    if (!back || pkt->link != LINK_ETHERNET)
        return;
    memcpy(room, pkt->frame + 6, 6);
    memcpy(room + 6, pkt->frame, 6);
}

/* The whole frame's length, with the padding of Ethernet's least. */
static uint32_t
finish(const struct weir_packet *pkt, uint8_t *room, uint32_t n)
{
    if (pkt->link != LINK_ETHERNET || n >= ETHERNET_LEAST)
        return n;
    memset(room + n, 0, ETHERNET_LEAST - n);
    return ETHERNET_LEAST;
}

/* ---- IP -------------------------------------------------------------------------------------- */

/* One that goes to where the packet went, or back. */
struct head {
    bool back;
    uint8_t proto, ttl;
    uint32_t n; /* bytes behind it */
};

static uint32_t
write_ipv4(const struct weir_packet *pkt, const struct head *head, uint8_t *p)
{
    memset(p, 0, IPV4);
    p[0] = 0x45;
    put16(p + 2, IPV4 + head->n);
    put16(p + 6, 0x4000); /* do not fragment, so it needs no identification (RFC 6864) */
    p[8] = head->ttl;
    p[9] = head->proto;
    memcpy(p + (head->back ? 16 : 12), pkt->src.b, 4);
    memcpy(p + (head->back ? 12 : 16), pkt->dst.b, 4);
    put_sum(p + 10, checksum_add(p, IPV4, 0));
    return IPV4;
}

static uint32_t
write_ipv6(const struct weir_packet *pkt, const struct head *head, uint8_t *p)
{
    put32(p, UINT32_C(6) << 28);
    put16(p + 4, head->n);
    p[6] = head->proto;
    p[7] = head->ttl;
    memcpy(p + (head->back ? 24 : 8), pkt->src.b, 16);
    memcpy(p + (head->back ? 8 : 24), pkt->dst.b, 16);
    return IPV6;
}

static uint32_t
write_ip(const struct weir_packet *pkt, const struct head *head, uint8_t *p)
{
    return pkt->ip_version == 4 ? write_ipv4(pkt, head, p) : write_ipv6(pkt, head, p);
}

/* The sum of what TCP and ICMPv6 have summed beside their own bytes. */
static uint64_t
pseudo(const struct weir_packet *pkt, const struct head *head)
{
    const size_t n = pkt->ip_version == 4 ? 4 : 16;

    return (uint64_t)checksum_add(pkt->src.b, n, 0) + checksum_add(pkt->dst.b, n, 0) +
           htons(head->proto) + htonl(head->n);
}

/* ---- what is told ---------------------------------------------------------------------------- */

uint32_t
reject_rst(const struct weir_packet *pkt, const struct rst *rst, uint8_t room[REJECT_ROOM])
{
    const struct head head = {
        .back = rst->back, .proto = WEIR_PROTO_TCP, .ttl = rst->ttl != 0 ? rst->ttl : TTL, .n = TCP
    };
    uint32_t link, at;
    uint8_t *p;

    if (!may_tell(pkt, &link))
        return 0;
    write_link(pkt, link, rst->back, room);
    at = link + write_ip(pkt, &head, room + link);
    p = memset(room + at, 0, TCP);
    put16(p, rst->back ? pkt->dst_port : pkt->src_port);
    put16(p + 2, rst->back ? pkt->src_port : pkt->dst_port);
    put32(p + 4, rst->seq);
    put32(p + 8, rst->ack ? rst->ack_number : 0);
    p[12] = TCP / 4 << 4;
    p[13] = WEIR_TH_RST | (rst->ack ? WEIR_TH_ACK : 0);
    put_sum(p + 16, checksum_add(p, TCP, pseudo(pkt, &head)));
    return finish(pkt, room, at + TCP);
}

/* Echo requests and the like are answered; errors never are (RFC 1122 3.2.2, RFC 4443 2.4). */
static bool
is_icmp_to_answer(const struct weir_packet *pkt)
{
    switch (pkt->proto) {
    case WEIR_PROTO_ICMP:
        return pkt->icmp_type == 8 || pkt->icmp_type == 13 || pkt->icmp_type == 15 ||
               pkt->icmp_type == 17;
    case WEIR_PROTO_ICMPV6:
        return pkt->icmp_type == 128;
    default:
        return true;
    }
}

uint32_t
reject_icmp(const struct weir_packet *pkt, uint8_t room[REJECT_ROOM])
{
    const bool v4 = pkt->ip_version == 4;
    struct head head = { .back = true,
                         .proto = v4 ? WEIR_PROTO_ICMP : WEIR_PROTO_ICMPV6,
                         .ttl = TTL };
    uint32_t quoted, link, at;
    uint8_t *p;

    if (!may_tell(pkt, &link) || !is_icmp_to_answer(pkt))
        return 0;
    quoted = pkt->payload_len + (uint32_t)(pkt->payload - pkt->ip);
    if (quoted > pkt->caplen - link)
        quoted = pkt->caplen - link;
    if (quoted > (v4 ? (uint32_t)QUOTED_IPV4 : (uint32_t)REJECT_QUOTED))
        quoted = v4 ? QUOTED_IPV4 : REJECT_QUOTED;
    head.n = ICMP + quoted;
    write_link(pkt, link, true, room);
    at = link + write_ip(pkt, &head, room + link);
    p = memset(room + at, 0, ICMP);
    p[0] = v4 ? 3 : 1;  /* destination unreachable: */
    p[1] = v4 ? 10 : 1; /* host, or communication, administratively prohibited */
    memcpy(p + ICMP, pkt->ip, quoted);
    put_sum(p + 2, checksum_add(p, head.n, v4 ? 0 : pseudo(pkt, &head)));
    return finish(pkt, room, at + head.n);
}
