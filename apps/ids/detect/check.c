#include "detect/check.h"

#include "rd.h"

/* ---- IP ------------------------------------------------------------------------------------ */

static bool
bits_fit(const struct check *check, uint8_t bits)
{
    uint8_t seen = bits & (uint8_t)~check->mask;

    switch (check->how) {
    case '+':
        return (seen & check->flags) == check->flags;
    case '*':
        return (seen & check->flags) != 0;
    case '!': /* of none: any */
        return check->flags == 0 ? seen != 0 : (seen & check->flags) != check->flags;
    default:
        return seen == check->flags;
    }
}

/* Whether one of the options (RFC 791 section 3.1) is of the type, or there is any. */
static bool
has_ip_option(const uint8_t *ip, uint8_t wanted)
{
    struct rd r = { ip + 20, ip + (ip[0] & 15U) * 4 };
    uint8_t type, n = 2;

    if (wanted == 255)
        return rd_left(&r) > 0;
    while (rd_u8(&r, &type)) {
        if (type == wanted)
            return true;
        if (type == 0)
            return false;
        if (type != 1 && (!rd_u8(&r, &n) || n < 2 || rd_take(&r, n - 2U) == NULL))
            return false;
    }
    return false;
}

static bool
ipv4_fits(const struct check *check, const uint8_t *ip)
{
    switch ((enum check_kind)check->kind) {
    case CHECK_IP_ID:
        return compare_holds(&check->compare, ip[4] << 8 | ip[5]);
    case CHECK_IPOPTS:
        return has_ip_option(ip, check->flags);
    case CHECK_FRAGBITS:
        return bits_fit(check, ip[6] >> 5);
    case CHECK_FRAGOFFSET:
        return compare_holds(&check->compare, (ip[6] & 0x1f) << 8 | ip[7]);
    default:
        return false;
    }
}

/* Type of service, or RFC 8200's traffic class. */
static uint8_t
type_of_service(const struct weir_packet *pkt)
{
    return (uint8_t)(pkt->ip_version == 4 ? pkt->ip[1] : pkt->ip[0] << 4 | pkt->ip[1] >> 4);
}

/* ---- TCP ----------------------------------------------------------------------------------- */

/* The value of an option with n bytes, its type and length included; -1: it is not there. */
static int
tcp_option(const struct weir_packet *pkt, uint8_t wanted, uint8_t n)
{
    struct rd r = { pkt->tcp_options, pkt->tcp_options };
    uint8_t type, length;

    if (pkt->tcp_options == NULL)
        return -1;
    r.end += pkt->n_tcp_options;
    while (rd_u8(&r, &type) && type != 0) {
        if (type == 1)
            continue;
        if (!rd_u8(&r, &length) || length < 2 || rd_left(&r) < length - 2U)
            return -1;
        if (type == wanted && length == n)
            return n == 4 ? r.p[0] << 8 | r.p[1] : r.p[0];
        r.p += length - 2;
    }
    return -1;
}

static bool
tcp_fits(const struct check *check, const struct weir_packet *pkt)
{
    int option;

    switch ((enum check_kind)check->kind) {
    case CHECK_FLAGS:
        return bits_fit(check, pkt->tcp_flags);
    case CHECK_SEQ:
        return compare_holds(&check->compare, pkt->tcp_seq);
    case CHECK_ACK:
        return compare_holds(&check->compare, pkt->tcp_ack);
    case CHECK_WINDOW:
        return compare_holds(&check->compare, pkt->tcp_window);
    case CHECK_MSS:
    case CHECK_WSCALE:
        option = check->kind == CHECK_MSS ? tcp_option(pkt, 2, 4) : tcp_option(pkt, 3, 3);
        return option >= 0 && compare_holds(&check->compare, option);
    default:
        return false;
    }
}

/* ---- ICMP ---------------------------------------------------------------------------------- */

/* Whether the second four bytes are an identifier and a number: RFC 792, RFC 950, RFC 4443. */
static bool
has_icmp_id(const struct weir_packet *pkt)
{
    if (pkt->proto == WEIR_PROTO_ICMPV6)
        return pkt->icmp_type == 128 || pkt->icmp_type == 129;
    return pkt->icmp_type == 0 || pkt->icmp_type == 8 ||
           (pkt->icmp_type >= 13 && pkt->icmp_type <= 18);
}

static bool
icmp_fits(const struct check *check, const struct weir_packet *pkt)
{
    const uint8_t *p = pkt->l4; /* eight bytes at least */

    switch ((enum check_kind)check->kind) {
    case CHECK_ITYPE:
        return compare_holds(&check->compare, pkt->icmp_type);
    case CHECK_ICODE:
        return compare_holds(&check->compare, pkt->icmp_code);
    case CHECK_ICMP_ID:
        return has_icmp_id(pkt) && compare_holds(&check->compare, p[4] << 8 | p[5]);
    case CHECK_ICMP_SEQ:
        return has_icmp_id(pkt) && compare_holds(&check->compare, p[6] << 8 | p[7]);
    case CHECK_ICMPV6_MTU: /* RFC 4443 section 3.2 */
        return pkt->proto == WEIR_PROTO_ICMPV6 && pkt->icmp_type == 2 &&
               compare_holds(&check->compare, (int64_t)p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7]);
    default:
        return false;
    }
}

/* ---- VLAN tags ----------------------------------------------------------------------------- */

enum { TAGS_MAX = 8 };

/* Ids of all tags, outermost first: struct weir_packet keeps three. */
static unsigned
vlan_tags(const struct weir_packet *pkt, uint16_t ids[TAGS_MAX])
{
    struct rd r = { pkt->frame, pkt->frame + pkt->caplen };
    uint16_t type, id;
    unsigned n = 0;

    if (pkt->link != 1 || pkt->tunnel > 0) {
        for (; n < pkt->n_vlan; n++)
            ids[n] = pkt->vlan[n];
        return n;
    }
    if (rd_take(&r, 12) == NULL)
        return 0;
    while (n < TAGS_MAX && rd_be16(&r, &type) &&
           (type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200) &&
           rd_be16(&r, &id))
        ids[n++] = id & 0xfff;
    return n;
}

static bool
vlan_id_fits(const struct check *check, const struct weir_packet *pkt)
{
    uint16_t ids[TAGS_MAX];
    int n = (int)vlan_tags(pkt, ids), at = check->layer < 0 ? n + check->layer : check->layer;
    int hits = 0;

    if (check->layer < VLAN_ANY)
        return at >= 0 && at < n && compare_holds(&check->compare, ids[at]);
    for (int i = 0; i < n; i++)
        hits += compare_holds(&check->compare, ids[i]);
    return check->layer == VLAN_ALL ? n > 0 && hits == n : hits > 0;
}

static bool
vlan_layers_fit(const struct check *check, const struct weir_packet *pkt)
{
    uint16_t ids[TAGS_MAX];

    return compare_holds(&check->compare, vlan_tags(pkt, ids));
}

/* ---- all of them --------------------------------------------------------------------------- */

bool
packet_has_header(const struct weir_packet *pkt, ptrdiff_t n)
{
    return pkt->l4 != NULL && pkt->frame + pkt->caplen - pkt->l4 >= n;
}

bool
packet_check_fits(const struct check *check, const struct weir_packet *pkt)
{
    bool icmp = pkt->proto == WEIR_PROTO_ICMP || pkt->proto == WEIR_PROTO_ICMPV6;

    switch ((enum check_kind)check->kind) {
    case CHECK_DSIZE:
        return pkt->l4 != NULL && compare_holds(&check->compare, pkt->payload_wire);
    case CHECK_TTL:
        return pkt->ip != NULL && compare_holds(&check->compare, pkt->ttl);
    case CHECK_TOS:
        return pkt->ip != NULL && compare_holds(&check->compare, type_of_service(pkt));
    case CHECK_IP_ID:
    case CHECK_IPOPTS:
    case CHECK_FRAGBITS:
    case CHECK_FRAGOFFSET:
        return pkt->ip != NULL && pkt->ip_version == 4 && ipv4_fits(check, pkt->ip);
    case CHECK_IP_PROTO:
        return pkt->ip != NULL && compare_holds(&check->compare, pkt->proto);
    case CHECK_FRAGMENTED:
        return pkt->ip != NULL && compare_holds(&check->compare, pkt->whole);
    case CHECK_ITYPE:
    case CHECK_ICODE:
    case CHECK_ICMP_ID:
    case CHECK_ICMP_SEQ:
    case CHECK_ICMPV6_MTU:
        return icmp && packet_has_header(pkt, 8) && icmp_fits(check, pkt);
    case CHECK_FLAGS:
    case CHECK_SEQ:
    case CHECK_ACK:
    case CHECK_WINDOW:
    case CHECK_MSS:
    case CHECK_WSCALE:
        return pkt->proto == WEIR_PROTO_TCP && packet_has_header(pkt, 20) && tcp_fits(check, pkt);
    case CHECK_VLAN_ID:
        return vlan_id_fits(check, pkt);
    case CHECK_VLAN_LAYERS:
        return vlan_layers_fit(check, pkt);
    case CHECK_SAMEIP:
    case CHECK_CLOSING:
    case CHECK_FLOW_AGE:
    case CHECK_FLOW_PACKETS:
    case CHECK_FLOW_BYTES:
    case CHECK_STREAM_SIZE:
        break;
    }
    return false;
}
