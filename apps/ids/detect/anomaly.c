#include "detect/anomaly.h"

#include "rd.h"

#include <assert.h>

static_assert(ANOMALIES <= 128, "a bit for each");

#define BIT(name) ANOMALY_BIT(name)

enum { PROTO_IPIP = 4, PROTO_IPV6 = 41 };

static const uint8_t *
packet_end(const struct weir_packet *pkt)
{
    return pkt->frame + pkt->caplen;
}

/* ---- IPv4 ---------------------------------------------------------------------------------- */

/* A route or timestamp option (RFC 791 section 3.1): where its pointer may point. */
static u128
check_pointer(uint8_t type, uint8_t n, const uint8_t *body)
{
    unsigned least = type == 68 ? 5 : 4, pointer;

    if (n < least - 1)
        return BIT(IPV4_OPT_INVALID_LEN);
    pointer = body[0];
    if (pointer < least || pointer > n + 1U || (type != 68 && (pointer - 4) % 4 != 0))
        return BIT(IPV4_OPT_MALFORMED);
    return 0;
}

static u128
check_ipv4_option(uint8_t type, uint8_t n, const uint8_t *body)
{
    switch (type) {
    case 7:   /* record route */
    case 68:  /* timestamp */
    case 131: /* loose source route */
    case 137: /* strict source route */
        return check_pointer(type, n, body);
    case 130: /* security */
        return n == 11 ? 0 : BIT(IPV4_OPT_INVALID_LEN);
    case 136: /* stream identifier */
    case 148: /* router alert */
        return n == 4 ? 0 : BIT(IPV4_OPT_INVALID_LEN);
    case 25: /* quick start */
        return n == 8 ? 0 : BIT(IPV4_OPT_INVALID_LEN);
    case 133: /* extended security */
    case 134: /* CIPSO */
        return 0;
    default:
        return BIT(IPV4_OPT_UNKNOWN);
    }
}

static u128
ipv4_options(const uint8_t *ip)
{
    struct rd r = { ip + 20, ip + (ip[0] & 15U) * 4 };
    uint64_t seen[4] = { 0 };
    u128 found = 0;
    uint8_t type, n;

    while (rd_u8(&r, &type) && type != 0) {
        const uint8_t *body;

        if (type == 1)
            continue;
        if (!rd_u8(&r, &n))
            return found | BIT(IPV4_OPT_INVALID);
        body = n >= 2 ? rd_take(&r, n - 2U) : NULL;
        if (body == NULL)
            return found | BIT(IPV4_OPT_INVALID_LEN);
        if (seen[type / 64] >> type % 64 & 1)
            found |= BIT(IPV4_OPT_DUPLICATE);
        seen[type / 64] |= UINT64_C(1) << type % 64;
        found |= check_ipv4_option(type, n, body);
    }
    return found;
}

/* Those that Suricata goes on with. */
static u128
ipv4_protocol(uint8_t proto)
{
    switch (proto) {
    case 0:
    case WEIR_PROTO_ICMP:
    case 2: /* IGMP */
    case PROTO_IPIP:
    case WEIR_PROTO_TCP:
    case WEIR_PROTO_UDP:
    case PROTO_IPV6:
    case 47:  /* GRE */
    case 50:  /* ESP */
    case 132: /* SCTP */
        return 0;
    case WEIR_PROTO_ICMPV6:
        return BIT(IPV4_ICMPV6);
    default:
        return BIT(IPV4_UNKNOWN_PROTOCOL);
    }
}

static u128
ipv4(const struct weir_packet *pkt)
{
    u128 found = pkt->fragment ? 0 : ipv4_protocol(pkt->proto);

    return (pkt->ip[0] & 15) > 5 ? found | ipv4_options(pkt->ip) : found;
}

/* ---- IPv6 ---------------------------------------------------------------------------------- */

enum {
    HOP_BY_HOP = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    AUTHENTICATION = 51,
    NONE = 59,
    DESTINATION = 60
};

/* Options of a hop-by-hop or destination header, RFC 8200 section 4.2. */
static u128
ipv6_options(struct rd r, bool hop_by_hop)
{
    bool padding = false, others = false;
    u128 found = 0;
    uint8_t type, n;

    while (rd_u8(&r, &type)) {
        padding |= type <= 1;
        others |= type > 1;
        if (type == 0)
            continue;
        if (!rd_u8(&r, &n) || rd_take(&r, n) == NULL)
            return found | BIT(IPV6_INVALID_OPTLEN);
        if (type == 1 && n == 0)
            found |= BIT(IPV6_ZERO_LEN_PADN);
        else if (type != 1 && type != 5 && type != 0xc2 && type != 0xc9)
            found |= hop_by_hop ? BIT(IPV6_HOPOPTS_UNKNOWN) : BIT(IPV6_DSTOPTS_UNKNOWN);
    }
    if (padding && !others)
        found |= hop_by_hop ? BIT(IPV6_HOPOPTS_PADDING) : BIT(IPV6_DSTOPTS_PADDING);
    return found;
}

/* A header's own faults; p: its first eight bytes, rest: those behind. */
static u128
extension(uint8_t type, const uint8_t *p, struct rd rest)
{
    struct rd options = { p + 2, rest.end };

    switch (type) {
    case HOP_BY_HOP:
    case DESTINATION:
        return ipv6_options(options, type == HOP_BY_HOP);
    case ROUTING:
        return p[2] == 0 ? BIT(IPV6_RH_TYPE_0) : 0;
    case FRAGMENT:
        return (p[1] != 0 ? BIT(IPV6_FH_RESERVED) : 0) |
               ((p[2] << 8 | (p[3] & 0xf9)) == 0 ? BIT(IPV6_USELESS_FH) : 0);
    case AUTHENTICATION:
        return p[2] != 0 || p[3] != 0 ? BIT(IPV6_AH_RESERVED) : 0;
    default:
        return 0;
    }
}

static u128
repeated(uint8_t type)
{
    switch (type) {
    case HOP_BY_HOP:
        return BIT(IPV6_DUPL_HH);
    case ROUTING:
        return BIT(IPV6_DUPL_RH);
    case FRAGMENT:
        return BIT(IPV6_DUPL_FH);
    case AUTHENTICATION:
        return BIT(IPV6_DUPL_AH);
    default:
        return BIT(IPV6_DUPL_DH);
    }
}

static u128
ipv6_protocol(uint8_t next, const struct rd *r)
{
    switch (next) {
    case WEIR_PROTO_ICMP:
        return BIT(IPV6_ICMPV4);
    case NONE:
        return rd_left(r) > 0 ? BIT(IPV6_DATA_AFTER_NONE) : 0;
    case PROTO_IPIP:
    case WEIR_PROTO_TCP:
    case WEIR_PROTO_UDP:
    case PROTO_IPV6:
    case 47:
    case 50:
    case WEIR_PROTO_ICMPV6:
    case 132:
    case 135: /* mobility, HIP, Shim6 */
    case 139:
    case 140:
        return 0;
    default:
        return BIT(IPV6_UNKNOWN_HEADER);
    }
}

static bool
is_extension(uint8_t next)
{
    return next == HOP_BY_HOP || next == ROUTING || next == FRAGMENT || next == AUTHENTICATION ||
           next == DESTINATION;
}

/* The payload by the header, as far as it was captured; 0 is a jumbogram, or none was told. */
static struct rd
ipv6_payload(const struct weir_packet *pkt)
{
    struct rd r = { pkt->ip + 40, packet_end(pkt) };
    size_t n = (size_t)(pkt->ip[4] << 8 | pkt->ip[5]);

    if (n > 0 && n < rd_left(&r))
        r.end = r.p + n;
    return r;
}

/* Destination options may come twice, before a routing header and last (RFC 8200 section 4.1). */
static u128
ipv6(const struct weir_packet *pkt)
{
    struct rd r = ipv6_payload(pkt);
    uint64_t seen = 0;
    u128 found = 0;
    unsigned destinations = 0;
    uint8_t next = pkt->ip[6];

    for (unsigned i = 0; i < 16 && is_extension(next); i++) {
        const uint8_t *p = rd_take(&r, 8);
        struct rd rest;
        size_t more;

        if (p == NULL)
            return found | BIT(IPV6_TRUNC_EXTHDR);
        more = next == FRAGMENT ? 0 : next == AUTHENTICATION ? p[1] * 4U : p[1] * 8U;
        if (!rd_sub(&r, more, &rest))
            return found | BIT(IPV6_TRUNC_EXTHDR);
        rest.p = p + 8;
        found |= extension(next, p, rest);
        if (next == DESTINATION ? ++destinations > 2 : (seen >> next & 1) != 0)
            found |= repeated(next);
        seen |= UINT64_C(1) << next;
        if (next == FRAGMENT && !(found & BIT(IPV6_USELESS_FH)))
            return found; /* what follows is a piece */
        next = p[0];
    }
    if (seen != 0 && next != NONE && rd_left(&r) < 2) /* nothing of what it announces */
        found |= BIT(IPV6_TRUNC_EXTHDR);
    return found | ipv6_protocol(next, &r);
}

/* ---- ICMP ---------------------------------------------------------------------------------- */

/* A quoted packet: at least its header, of the version. */
static u128
check_quote(const struct weir_packet *pkt, unsigned version, u128 cut, u128 other)
{
    unsigned header = version == 4 ? 20 : 40;

    if (pkt->payload_wire == 0 || pkt->payload_len < pkt->payload_wire)
        return 0;
    if (pkt->payload_len < header)
        return cut;
    return pkt->payload[0] >> 4 == version ? 0 : other;
}

static u128
icmpv4(const struct weir_packet *pkt)
{
    /*
     * The greatest code of each type, https://www.iana.org/assignments/icmp-parameters; -1: none.
     */
    static const int8_t codes[] = { 0, -1, -1, 15, 0, 3, -1, -1, 0, 16, 0, 1, 2, 0, 0, 0, 0, 0, 0 };
    uint8_t type = pkt->icmp_type;

    if (type >= sizeof(codes) || codes[type] < 0)
        return BIT(ICMPV4_UNKNOWN_TYPE);
    if (pkt->icmp_code > codes[type])
        return BIT(ICMPV4_UNKNOWN_CODE);
    if (type >= 3 && type != 8 && type != 9 && type != 10 && type <= 12)
        return check_quote(pkt, 4, BIT(ICMPV4_QUOTE_TRUNC), BIT(ICMPV4_QUOTE_VERSION));
    return 0;
}

/* RFC 4443 section 2.1; the greatest code of each type, 255 for those without a limit here. */
static int
icmpv6_codes(uint8_t type)
{
    static const uint8_t errors[] = { 0, 7, 0, 1, 3 };

    if (type <= 4)
        return errors[type];
    return type == 138 || type == 139 || type == 140 || type == 157 || type == 158 ? 255 : 0;
}

static u128
icmpv6(const struct weir_packet *pkt)
{
    uint8_t type = pkt->icmp_type;
    bool listener = (type >= 130 && type <= 132) || type == 143;

    if (type == 100 || type == 101 || type == 200 || type == 201)
        return BIT(ICMPV6_EXPERIMENTAL);
    if (type == 0 || type == 127 || type == 255)
        return BIT(ICMPV6_UNKNOWN_TYPE);
    if ((type > 4 && type < 127) || type > 161)
        return BIT(ICMPV6_UNASSIGNED);
    if (pkt->icmp_code > icmpv6_codes(type))
        return BIT(ICMPV6_UNKNOWN_CODE);
    if (listener && pkt->ttl != 1)
        return BIT(ICMPV6_MLD_HOP_LIMIT);
    if (type <= 4)
        return check_quote(pkt, 6, BIT(ICMPV6_QUOTE_TRUNC), BIT(ICMPV6_QUOTE_VERSION));
    return 0;
}

/* ---- TCP ----------------------------------------------------------------------------------- */

/* The length that an option of the type has to have; 0: any. */
static uint8_t
tcp_option_length(uint8_t type)
{
    switch (type) {
    case 2: /* MSS */
        return 4;
    case 3: /* window scale */
        return 3;
    case 4: /* SACK permitted */
        return 2;
    case 8: /* timestamps */
        return 10;
    default:
        return 0;
    }
}

static u128
tcp_options(const struct weir_packet *pkt)
{
    struct rd r = { pkt->tcp_options, pkt->tcp_options + pkt->n_tcp_options };
    uint64_t seen = 0;
    u128 found = 0;
    uint8_t type, n;

    while (rd_u8(&r, &type) && type != 0) {
        if (type == 1)
            continue;
        if (!rd_u8(&r, &n) || n < 2 || rd_take(&r, n - 2U) == NULL)
            return found | BIT(TCP_OPT_INVALID_LEN);
        if (tcp_option_length(type) == 0)
            continue;
        if (tcp_option_length(type) != n)
            found |= BIT(TCP_OPT_INVALID_LEN);
        else if (seen >> type & 1)
            found |= BIT(TCP_OPT_DUPLICATE);
        seen |= UINT64_C(1) << type;
    }
    return found;
}

static u128
tcp(const struct weir_packet *pkt)
{
    u128 found = pkt->n_tcp_options > 0 ? tcp_options(pkt) : 0;

    if (!(pkt->tcp_flags & WEIR_TH_ACK) && pkt->tcp_ack != 0)
        found |= BIT(TCP_BROKEN_ACK);
    return found;
}

/* ---- GRE and others ------------------------------------------------------------------------ */

/* What is in front of a flow's payload that no other flow came out of; RFC 2784, RFC 1701. */
static u128
gre_version_0(const uint8_t *p)
{
    return ((p[0] & 7) != 0 ? BIT(GRE0_RECUR) : 0) | ((p[1] & 0xf8) != 0 ? BIT(GRE0_FLAGS) : 0);
}

/* RFC 2637 section 4.1. */
static u128
gre_version_1(const uint8_t *p)
{
    return ((p[0] & 0x80) != 0 ? BIT(GRE1_CHECKSUM) : 0) |
           ((p[0] & 0x40) != 0 ? BIT(GRE1_ROUTE) : 0) | ((p[0] & 0x08) != 0 ? BIT(GRE1_SSR) : 0) |
           ((p[0] & 7) != 0 ? BIT(GRE1_RECUR) : 0) | ((p[1] & 0x78) != 0 ? BIT(GRE1_FLAGS) : 0) |
           ((p[0] & 0x20) == 0 ? BIT(GRE1_NO_KEY) : 0) |
           ((p[2] << 8 | p[3]) != 0x880b ? BIT(GRE1_PROTOCOL) : 0);
}

static u128
gre(const struct weir_packet *pkt)
{
    if (packet_end(pkt) - pkt->l4 < 4)
        return 0;
    switch (pkt->l4[1] & 7) {
    case 0:
        return gre_version_0(pkt->l4);
    case 1:
        return gre_version_1(pkt->l4);
    default:
        return BIT(GRE_VERSION);
    }
}

static u128
shorter_than(const struct weir_packet *pkt, uint32_t n, u128 found)
{
    return pkt->payload_wire < n ? found : 0;
}

/* ---- headers that cannot be read ----------------------------------------------------------- */

static u128
link_too_small(const struct weir_packet *pkt)
{
    switch (pkt->link) {
    case 1:
        return BIT(ETHERNET_TOO_SMALL);
    case 113:
    case 276:
        return BIT(SLL_TOO_SMALL);
    case 0:
    case 108:
        return BIT(NULL_TOO_SMALL);
    case 50:
    case 104:
        return BIT(HDLC_TOO_SMALL);
    default:
        return 0;
    }
}

static u128
bad_header(const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;

    if (ev->bad_packet.layer == WEIR_LAYER_TCP && ev->bad_packet.why == WEIR_BAD_HEADER_LENGTH &&
        pkt->l4 != NULL && packet_end(pkt) - pkt->l4 > 12)
        return pkt->l4[12] >> 4 < 5 ? BIT(TCP_HLEN_TOO_SMALL) : BIT(TCP_INVALID_OPTLEN);
    if (ev->bad_packet.why != WEIR_BAD_TOO_SHORT)
        return 0;
    switch (ev->bad_packet.layer) {
    case WEIR_LAYER_LINK:
        return link_too_small(pkt);
    case WEIR_LAYER_TUNNEL:
        return pkt->proto == 47 ? BIT(GRE_TOO_SMALL) : 0;
    case WEIR_LAYER_IPV6:
        return pkt->ip == NULL ? BIT(IPV6_TOO_SMALL) : BIT(IPV6_TRUNC_EXTHDR);
    default:
        return 0;
    }
}

/* ---- all of them --------------------------------------------------------------------------- */

static u128
transport(const struct weir_packet *pkt)
{
    switch (pkt->proto) {
    case WEIR_PROTO_TCP:
        return tcp(pkt);
    case WEIR_PROTO_ICMP:
        return pkt->ip_version == 4 ? icmpv4(pkt) : 0;
    case WEIR_PROTO_ICMPV6:
        return pkt->ip_version == 6 ? icmpv6(pkt) : 0;
    case 2:
        return shorter_than(pkt, 8, BIT(IGMP_TOO_SMALL));
    case 47:
        return gre(pkt);
    case 50:
        return shorter_than(pkt, 8, BIT(ESP_TOO_SMALL));
    case 132:
        return shorter_than(pkt, 12, BIT(SCTP_TOO_SMALL));
    default:
        return 0;
    }
}

u128
anomalies_of(const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;
    u128 found = ev->type == WEIR_EV_BAD_PACKET ? bad_header(ev) : 0;

    if (ev->type == WEIR_EV_PACKET && !pkt->whole)
        found |= link_anomalies(pkt);
    if (pkt->ip != NULL)
        found |= pkt->ip_version == 4 ? ipv4(pkt) : ipv6(pkt);
    if (ev->type == WEIR_EV_PACKET && pkt->l4 != NULL)
        found |= transport(pkt);
    return found;
}
