#include "detect/anomaly.h"

#include "rd.h"

#include <stdbool.h>

#define BIT(name) ANOMALY_BIT(name)

enum { TAGS_MAX = 3 }; /* as many as Suricata takes */

/* Those that Suricata goes on with, tags apart. */
static bool
is_known(uint16_t type)
{
    switch (type) {
    case 0x0800:
    case 0x0806: /* ARP */
    case 0x6558: /* transparent Ethernet bridging */
    case 0x86dd:
    case 0x8847: /* MPLS */
    case 0x8848:
    case 0x8863: /* PPPoE */
    case 0x8864:
    case 0x88e7: /* 802.1ah */
    case 0x8903: /* FabricPath */
    case 0x8926: /* VNTAG */
    case 0x893f: /* E-TAG */
    case 0x894f: /* NSH */
        return true;
    default:
        return false;
    }
}

/* RFC 826: IPv4 over Ethernet; operations of https://www.iana.org/assignments/arp-parameters. */
static u128
arp(struct rd r)
{
    uint16_t hardware, protocol, operation;
    uint8_t hardware_size, protocol_size;
    u128 found = 0;

    if (rd_left(&r) < 28 || !rd_be16(&r, &hardware) || !rd_be16(&r, &protocol) ||
        !rd_u8(&r, &hardware_size) || !rd_u8(&r, &protocol_size) || !rd_be16(&r, &operation))
        return BIT(ARP_TOO_SMALL);
    found |= hardware != 1 ? BIT(ARP_HARDWARE) : 0;
    found |= protocol != 0x0800 ? BIT(ARP_PROTOCOL) : 0;
    found |= hardware_size != 6 ? BIT(ARP_HARDWARE_SIZE) : 0;
    found |= protocol_size != 4 ? BIT(ARP_PROTOCOL_SIZE) : 0;
    return found | (operation < 1 || operation > 10 ? BIT(ARP_OPCODE) : 0);
}

/* The last label of the stack, if it is one that RFC 3032 section 2.1 does not let stand there. */
static u128
mpls(struct rd r)
{
    uint32_t entry;

    do {
        if (!rd_be32(&r, &entry))
            return 0;
    } while ((entry & 0x100) == 0);
    switch (entry >> 12) {
    case 0: /* explicit null, IPv4 and IPv6 */
    case 2:
        return 0;
    case 1:
        return BIT(MPLS_ROUTER_ALERT);
    case 3:
        return BIT(MPLS_IMPLICIT_NULL);
    default:
        return entry >> 12 < 16 ? BIT(MPLS_RESERVED) : 0;
    }
}

static u128
ethernet(struct rd r, bool truncated)
{
    uint16_t type, id;
    unsigned tags = 0;

    if (rd_take(&r, 12) == NULL)
        return 0;
    while (rd_be16(&r, &type)) {
        if (type == 0x0806)
            return truncated ? 0 : arp(r);
        if (type == 0x8847 || type == 0x8848)
            return mpls(r);
        if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
            return is_known(type) ? 0 : tags > 0 ? BIT(VLAN_UNKNOWN) : BIT(ETHERNET_UNKNOWN);
        if (++tags > TAGS_MAX)
            return BIT(VLAN_TOO_MANY);
        if (!rd_be16(&r, &id))
            return 0;
    }
    return 0;
}

u128
link_anomalies(const struct weir_packet *pkt)
{
    struct rd frame = { pkt->frame, pkt->frame + pkt->caplen };

    if (pkt->link == 1)
        return ethernet(frame, pkt->caplen < pkt->wirelen);
    if ((pkt->link == 0 || pkt->link == 108) && pkt->ip == NULL)
        return BIT(NULL_UNSUPPORTED);
    return 0;
}
