#include "decode_walk.h"

#include <assert.h>
#include <string.h>

enum {
    MAX_VLANS = sizeof(((struct weir_packet *)0)->vlan) / sizeof(uint16_t),
    MAX_CAPLEN = 1 << 20,  /* bytes of a frame that are looked at; ports hand out no larger */
    MAX_WIRELEN = 1 << 24, /* no frame is larger: a capture may claim it */
};

enum layer
ethertype(struct walk *w, uint16_t type)
{
    if (WEIR_LIKELY(type == 0x0800))
        return L_IPV4;
    switch (type) {
    case 0x86dd:
        return L_IPV6;
    case 0x8100: /* 802.1Q */
    case 0x88a8: /* 802.1ad */
    case 0x9100: /* before 802.1ad, still seen */
    case 0x9200:
        return L_VLAN;
    case 0x8847: /* unicast and multicast */
    case 0x8848:
        return L_MPLS;
    case 0x8864:
        return L_PPPOE;
    case 0x894f:
        return L_NSH;
    default: /* below 1536: a length, IEEE 802.3 3.2.6 */
        w->type = type;
        return type < 1536 ? L_SNAP : L_NO_FLOW;
    }
}

static enum layer
ethernet(struct walk *w)
{
    const uint8_t *p = take(w, 14, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    return ethertype(w, be16(p + 12));
}

/* LINKTYPE_LINUX_SLL: type, address type, address length, address, protocol. */
static enum layer
cooked(struct walk *w)
{
    const uint8_t *p = take(w, 16, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    return ethertype(w, be16(p + 14));
}

/* LINKTYPE_LINUX_SLL2: the protocol comes first. */
static enum layer
cooked2(struct walk *w)
{
    const uint8_t *p = take(w, 20, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    return ethertype(w, be16(p));
}

/* Address families that BSD and its kin write for IPv6 differ: NetBSD 24, FreeBSD 28, macOS 30. */
static enum layer
by_family(uint32_t family)
{
    switch (family) {
    case 2:
        return L_IPV4;
    case 10: /* Linux */
    case 24:
    case 28:
    case 30:
        return L_IPV6;
    default:
        return L_NO_FLOW;
    }
}

/* LINKTYPE_NULL: the family in the byte order of the capturing host, which is not known. */
static enum layer
null_loopback(struct walk *w)
{
    const uint8_t *p = take(w, 4, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    return by_family(
        p[0] == 0 && p[1] == 0 ? be32(p) : (uint32_t)(p[3] << 8 | p[2]) << 16 | p[1] << 8 | p[0]);
}

static enum layer
loop(struct walk *w)
{
    const uint8_t *p = take(w, 4, WEIR_LAYER_LINK);

    return p == NULL ? L_BAD : by_family(be32(p));
}

static enum layer
raw_ip(struct walk *w)
{
    if (rd_left(&w->rd) == 0)
        return bad(w, WEIR_LAYER_LINK, w->wire > 0 ? WEIR_BAD_TRUNCATED : WEIR_BAD_TOO_SHORT);
    switch (*w->rd.p >> 4) {
    case 4:
        return L_IPV4;
    case 6:
        return L_IPV6;
    default:
        return bad(w, WEIR_LAYER_LINK, WEIR_BAD_VERSION);
    }
}

static enum layer
vlan(struct walk *w)
{
    const uint8_t *p = take(w, 4, WEIR_LAYER_VLAN);
    uint16_t id;

    if (p == NULL)
        return L_BAD;
    /* IEEE 802.1Q 9.6: id 0 is none, the tag only says how urgent the frame is. */
    id = be16(p) & 0xfff;
    if (id != 0 && w->inner) {
        w->inner = false;
        w->pkt->n_vlan = 0;
        w->pkt->vlan[1] = w->pkt->vlan[2] = 0;
    }
    if (id != 0 && w->pkt->n_vlan < MAX_VLANS)
        w->pkt->vlan[w->pkt->n_vlan++] = id;
    return ethertype(w, be16(p + 2));
}

/* IEEE 802.2 LLC with SNAP and no organisation (RFC 1042); anything else is not IP. */
static enum layer
llc(struct walk *w)
{
    static const uint8_t rfc1042[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
    const uint8_t *p;
    uint16_t type;
    size_t n = rd_left(&w->rd) < sizeof(rfc1042) ? rd_left(&w->rd) : sizeof(rfc1042);

    if (w->wire < 8 || memcmp(w->rd.p, rfc1042, n) != 0)
        return L_NO_FLOW;
    p = take(w, 8, WEIR_LAYER_LINK);
    if (p == NULL)
        return L_BAD;
    type = be16(p + 6);
    return type < 1536 ? L_NO_FLOW : ethertype(w, type);
}

/* The length field of IEEE 802.3 fences it: bytes behind are padding. */
static enum layer
snap(struct walk *w)
{
    if (!is_stale(w, w->rd.p)) /* one so long would be a type: it stays */
        fence(w, w->type);
    return llc(w);
}

/* RFC 9293 section 3.1. */
static enum layer
tcp(struct walk *w)
{
    struct weir_packet *pkt = w->pkt;
    const uint8_t *p = take(w, 20, WEIR_LAYER_TCP);
    uint32_t header;

    if (p == NULL)
        return L_BAD;
    header = (p[12] >> 4) * 4U;
    if (header < 20 || header - 20 > w->wire)
        return bad(w, WEIR_LAYER_TCP, WEIR_BAD_HEADER_LENGTH);
    pkt->tcp_options = take(w, header - 20, WEIR_LAYER_TCP);
    if (pkt->tcp_options == NULL)
        return L_BAD;
    pkt->n_tcp_options = (uint8_t)(header - 20);
    pkt->src_port = be16(p);
    pkt->dst_port = be16(p + 2);
    pkt->tcp_seq = be32(p + 4);
    pkt->tcp_ack = be32(p + 8);
    pkt->tcp_flags = p[13];
    pkt->tcp_window = be16(p + 14);
    return L_FLOW;
}

/* Tunnels are sent to their port; Teredo's servers answer from it, too. */
static enum layer
udp_payload(const struct weir_packet *pkt)
{
    switch (pkt->dst_port) {
    case 4789:
        return L_VXLAN;
    case 4790:
        return L_VXLAN_GPE;
    case 6081:
        return L_GENEVE;
    case 2152:
        return L_GTPU;
    case 3544:
        return L_TEREDO;
    default:
        return pkt->src_port == 3544 ? L_TEREDO : L_FLOW;
    }
}

/* RFC 768. A length of 0 is a datagram that the card was to cut, or a jumbogram (RFC 2675). */
static enum layer
udp(struct walk *w)
{
    struct weir_packet *pkt = w->pkt;
    const uint8_t *p = take(w, 8, WEIR_LAYER_UDP);
    uint32_t length;

    if (p == NULL)
        return L_BAD;
    length = is_stale(w, p) ? mend_udp(w, p) : be16(p + 4);
    if (length == 0)
        length = w->wire + 8;
    if (length < 8)
        return bad(w, WEIR_LAYER_UDP, WEIR_BAD_HEADER_LENGTH);
    if (length > w->wire + 8)
        return bad(w, WEIR_LAYER_UDP, WEIR_BAD_LENGTH);
    fence(w, length - 8);
    pkt->l4_len = length;
    pkt->src_port = be16(p);
    pkt->dst_port = be16(p + 2);
    return udp_payload(pkt);
}

/* RFC 792 and RFC 4443: an echo and its reply share an identifier, which stands for both ports. */
static enum layer
icmp(struct walk *w, enum weir_layer layer)
{
    struct weir_packet *pkt = w->pkt;
    const uint8_t *p = take(w, 8, layer);
    bool echo;

    if (p == NULL)
        return L_BAD;
    pkt->icmp_type = p[0];
    pkt->icmp_code = p[1];
    echo = layer == WEIR_LAYER_ICMP ? p[0] == 8 || p[0] == 0 : p[0] == 128 || p[0] == 129;
    if (echo)
        pkt->src_port = pkt->dst_port = be16(p + 4);
    return L_FLOW;
}

/* What an IP header leads to. */
static enum layer
protocol(struct walk *w)
{
    w->pkt->l4 = w->rd.p;
    w->pkt->l4_len = w->wire;
    if (WEIR_LIKELY(w->pkt->proto == WEIR_PROTO_TCP))
        return tcp(w);
    switch (w->pkt->proto) {
    case WEIR_PROTO_UDP:
        return udp(w);
    case WEIR_PROTO_ICMP:
        return icmp(w, WEIR_LAYER_ICMP);
    case WEIR_PROTO_ICMPV6:
        return icmp(w, WEIR_LAYER_ICMPV6);
    case 4: /* RFC 2003, RFC 2473 */
        into_tunnel(w, false);
        return L_IPV4;
    case 41: /* RFC 4213, RFC 2473 */
        into_tunnel(w, false);
        return L_IPV6;
    case 47:
        return L_GRE;
    case 137: /* RFC 4023 */
        into_tunnel(w, false);
        return L_MPLS;
    default:
        return L_FLOW;
    }
}

/* RFC 791 section 3.1. A total length of 0 is a segment that the sender's card was to cut. */
static enum layer
ipv4(struct walk *w)
{
    struct weir_packet *pkt = w->pkt;
    const uint8_t *ip = w->rd.p;
    uint32_t header, total;

    if (take(w, 20, WEIR_LAYER_IPV4) == NULL)
        return L_BAD;
    if (ip[0] >> 4 != 4)
        return bad(w, WEIR_LAYER_IPV4, WEIR_BAD_VERSION);
    header = (ip[0] & 15U) * 4;
    total = is_stale(w, ip) ? mend_ipv4(w, ip) : be16(ip + 2);
    if (total == 0)
        total = w->wire + 20;
    if (header < 20 || header > total)
        return bad(w, WEIR_LAYER_IPV4, WEIR_BAD_HEADER_LENGTH);
    if (total > w->wire + 20)
        return bad(w, WEIR_LAYER_IPV4, WEIR_BAD_LENGTH);
    fence(w, total - 20);
    if (take(w, header - 20, WEIR_LAYER_IPV4) == NULL)
        return L_BAD;

    pkt->ip = ip;
    pkt->ip_version = 4;
    pkt->ttl = ip[8];
    pkt->proto = ip[9];
    if (pkt->tunnel > 0)
        pkt->src = pkt->dst = (struct weir_addr){ { 0 } };
    memcpy(pkt->src.b, ip + 12, 4);
    memcpy(pkt->dst.b, ip + 16, 4);
    return (be16(ip + 6) & 0x3fff) != 0 ? L_FRAGMENT : protocol(w);
}

/*
 * Walk IPv6 extension headers (RFC 8200 section 4, RFC 4302 for AH, RFC 7045 for the list) until
 * something else comes, which is left in pkt->proto. A second fragment header is refused, as Linux
 * does (IP6SKB_FRAGMENTED), also inside what was put together, where the first is gone (had_one).
 */
static enum layer
ipv6_extensions(struct walk *w, uint8_t next, bool had_one)
{
    const uint8_t *p;
    bool fragment = false;

    for (unsigned n = 0; n < MAX_LAYERS; n++) {
        uint32_t rest = 0; /* bytes of the header behind its first eight */

        w->pkt->proto = next;
        switch (next) {
        case 0:   /* hop by hop */
        case 43:  /* routing */
        case 60:  /* destination options */
        case 135: /* mobility */
        case 139: /* HIP */
        case 140: /* Shim6 */
        case 44:  /* fragment */
        case 51:  /* authentication */
            break;
        default:
            return fragment ? L_FRAGMENT : protocol(w);
        }
        if (fragment)
            return L_FRAGMENT;
        if (next == 44 && had_one)
            return bad(w, WEIR_LAYER_IPV6, WEIR_BAD_LAYERS);
        had_one = had_one || next == 44;
        p = take(w, 8, WEIR_LAYER_IPV6);
        if (p == NULL)
            return L_BAD;
        if (next == 44)
            fragment = (be16(p + 2) & 0xfff9) != 0; /* both 0: an atomic fragment, RFC 6946 */
        else if (next == 51)
            rest = p[1] * 4U; /* AH counts in words, less two */
        else
            rest = p[1] * 8U;
        if (take(w, rest, WEIR_LAYER_IPV6) == NULL)
            return L_BAD;
        next = p[0];
    }
    return bad(w, WEIR_LAYER_IPV6, WEIR_BAD_LAYERS);
}

/* RFC 8200 section 3. A payload length of 0 is a jumbogram or a segment the card was to cut. */
static enum layer
ipv6(struct walk *w)
{
    struct weir_packet *pkt = w->pkt;
    const uint8_t *ip = take(w, 40, WEIR_LAYER_IPV6);
    uint32_t length;

    if (ip == NULL)
        return L_BAD;
    if (ip[0] >> 4 != 6)
        return bad(w, WEIR_LAYER_IPV6, WEIR_BAD_VERSION);
    length = is_stale(w, ip) ? mend_length(w, ip + 4, w->wire) : be16(ip + 4);
    if (length == 0)
        length = w->wire;
    if (length > w->wire)
        return bad(w, WEIR_LAYER_IPV6, WEIR_BAD_LENGTH);
    fence(w, length);

    pkt->ip = ip;
    pkt->ip_version = 6;
    pkt->ttl = ip[7];
    memcpy(pkt->src.b, ip + 8, 16);
    memcpy(pkt->dst.b, ip + 24, 16);
    return ipv6_extensions(w, ip[6], w->mend != NULL && ip == w->mend->ip);
}

static const layer_fn layers[L_N] = {
    [L_ETHERNET] = ethernet,  [L_COOKED] = cooked, [L_COOKED2] = cooked2,
    [L_NULL] = null_loopback, [L_LOOP] = loop,     [L_RAW_IP] = raw_ip,
    [L_HDLC] = hdlc,          [L_PPP] = ppp,       [L_PPPOE] = pppoe,
    [L_RADIOTAP] = radiotap,  [L_WIFI] = wifi,     [L_VLAN] = vlan,
    [L_SNAP] = snap,          [L_LLC] = llc,       [L_MPLS] = mpls,
    [L_IPV4] = ipv4,          [L_IPV6] = ipv6,     [L_GRE] = gre,
    [L_VXLAN] = vxlan,        [L_GENEVE] = geneve, [L_GTPU] = gtpu,
    [L_TEREDO] = teredo,      [L_NSH] = nsh,       [L_VXLAN_GPE] = vxlan_gpe,
};

/* LINKTYPE_ values, https://www.tcpdump.org/linktypes.html */
static enum layer
first_layer(uint16_t link)
{
    if (WEIR_LIKELY(link == LINK_ETHERNET))
        return L_ETHERNET;
    switch (link) {
    case 0:
        return L_NULL;
    case 108:
        return L_LOOP;
    case 12: /* DLT_RAW of most systems, found in old files */
    case LINK_RAW:
        return L_RAW_IP;
    case LINK_PPP:
        return L_PPP;
    case 50:
    case 104:
        return L_HDLC;
    case 51:
        return L_PPPOE;
    case 105:
        return L_WIFI;
    case 127:
        return L_RADIOTAP;
    case 113:
        return L_COOKED;
    case 276:
        return L_COOKED2;
    case 228:
        return L_IPV4;
    case 229:
        return L_IPV6;
    default:
        return L_NO_FLOW;
    }
}

bool
decode_knows_link(uint16_t link)
{
    return first_layer(link) != L_NO_FLOW;
}

/*
 * Zero a packet. By pairs of words, for of memset() and of an initialiser the compiler makes a
 * string instruction here, which takes as long to start as all the rest of decode_plain().
 */
static inline void
clear_packet(struct weir_packet *pkt)
{
    typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
    enum { PAIRS = sizeof(*pkt) / sizeof(pair) };

    static_assert(sizeof(*pkt) == PAIRS * sizeof(pair) + sizeof(uint64_t), "and a word");
#pragma GCC unroll 16
    for (unsigned i = 0; i < PAIRS; i++)
        ((pair *)(void *)pkt)[i] = (pair){ 0, 0 };
    memset((pair *)(void *)pkt + PAIRS, 0, sizeof(uint64_t));
}

/* All but its link. */
static inline void
note_frame(struct weir_packet *pkt, const struct weir_frame *frame)
{
    pkt->time = frame->time;
    pkt->frame = frame->data;
    pkt->caplen = frame->caplen;
    pkt->wirelen = frame->wirelen;
    pkt->stable = frame->stable;
    pkt->port = frame->port;
}

/*
 * The flow is that of the innermost IP packet: where no other comes inside a tunnel, of the one
 * around it; likewise where only a port spoke for the tunnel and what is inside is malformed.
 */
static enum layer
come_out(struct walk *w, enum layer at)
{
    bool no_tunnel = at == L_BAD && w->carrier->by_port && w->fault->why != WEIR_BAD_TRUNCATED &&
                     w->fault->why != WEIR_BAD_LAYERS;

    if (at != L_NO_FLOW && !no_tunnel)
        return at;
    w->rd = w->carrier->rd;
    w->wire = w->carrier->wire;
    *w->pkt = w->carrier->pkt;
    return L_FLOW;
}

static inline __attribute__((always_inline)) enum decode_result
walk_frame(const struct weir_frame *frame, struct mend *mend, struct weir_packet *out,
           struct decode_fault *fault)
{
    uint32_t n_read = frame->caplen < MAX_CAPLEN ? frame->caplen : MAX_CAPLEN;
    uint32_t n_sent = frame->wirelen < MAX_WIRELEN ? frame->wirelen : MAX_WIRELEN;
    struct carrier carrier;
    struct walk w = {
        .rd = { frame->data, frame->data + n_read },
        .wire = n_sent > n_read ? n_sent : n_read,
        .pkt = out,
        .fault = fault,
        .carrier = &carrier,
        .mend = mend,
    };
    enum layer at = first_layer(frame->link);

    carrier.any = false; /* the rest is large, and seldom needed */
    clear_packet(out);
    note_frame(out, frame);
    out->link = frame->link;
    for (unsigned n = 0; at < L_N; n++) {
        if (n == MAX_LAYERS)
            at = bad(&w, WEIR_LAYER_LINK, WEIR_BAD_LAYERS);
        else
            at = layers[at](&w);
        if (mend != NULL)
            mend_note_tunnel(&w, at);
    }
    if (carrier.any)
        at = come_out(&w, at);
    out->payload = w.rd.p;
    out->payload_len = (uint32_t)rd_left(&w.rd);
    out->payload_wire = w.wire;
    out->truncated = out->payload_len < out->payload_wire;
    if (at == L_FRAGMENT)
        out->fragment = true;
    return at == L_FLOW       ? DECODE_FLOW
           : at == L_FRAGMENT ? DECODE_FRAGMENT
           : at == L_NO_FLOW  ? DECODE_NO_FLOW
                              : DECODE_BAD;
}

/*
 * Most frames: Ethernet, IPv4 without options, and the whole of a TCP segment. False: it is
 * another, or there is something to say of it, and *out is as before. What is read is what the walk
 * would read. again: *out is of such a frame already, and what all of them share stays.
 */
static inline bool
decode_plain(const struct weir_frame *frame, struct weir_packet *out, bool again)
{
    enum { IP = 14, TCP = IP + 20, HEADERS = TCP + 20 };
    const uint8_t *p = frame->data;
    uint32_t total, header;

    if (frame->link != LINK_ETHERNET || frame->caplen < HEADERS || frame->caplen > MAX_CAPLEN ||
        be16(p + 12) != 0x0800 || p[IP] != 0x45 || p[IP + 9] != WEIR_PROTO_TCP ||
        (be16(p + IP + 6) & 0x3fff) != 0)
        return false;
    total = be16(p + IP + 2);
    header = (p[TCP + 12] >> 4) * 4U;
    if (total > frame->caplen - IP || header < 20 || 20 + header > total)
        return false;
    if (WEIR_UNLIKELY(!again)) {
        clear_packet(out);
        out->link = LINK_ETHERNET;
        out->ip_version = 4;
        out->proto = WEIR_PROTO_TCP;
    }
    note_frame(out, frame);
    out->bad_checksum = false;
    out->ttl = p[IP + 8];
    memcpy(out->src.b, p + IP + 12, 4);
    memcpy(out->dst.b, p + IP + 16, 4);
    out->ip = p + IP;
    out->l4 = p + TCP;
    out->l4_len = total - 20;
    out->src_port = be16(p + TCP);
    out->dst_port = be16(p + TCP + 2);
    out->tcp_seq = be32(p + TCP + 4);
    out->tcp_ack = be32(p + TCP + 8);
    out->tcp_flags = p[TCP + 13];
    out->tcp_window = be16(p + TCP + 14);
    out->tcp_options = p + HEADERS;
    out->n_tcp_options = (uint8_t)(header - 20);
    out->payload = p + TCP + header;
    out->payload_len = out->payload_wire = total - 20 - header;
    return true;
}

/* Not inline: what most frames take stays short. */
static __attribute__((noinline)) enum decode_result
decode_any(const struct weir_frame *frame, struct weir_packet *out, struct decode_fault *fault)
{
    return walk_frame(frame, NULL, out, fault);
}

enum decode_result
decode_next(const struct weir_frame *frame, struct weir_packet *out, struct decode_fault *fault,
            bool *plain)
{
    const bool again = *plain;

    *plain = decode_plain(frame, out, again);
    return WEIR_LIKELY(*plain) ? DECODE_FLOW : decode_any(frame, out, fault);
}

enum decode_result
decode(const struct weir_frame *frame, struct weir_packet *out, struct decode_fault *fault)
{
    bool plain = false;

    return decode_next(frame, out, fault, &plain);
}

enum decode_result
decode_whole(const struct weir_frame *frame, uint8_t *ip, struct weir_packet *pkt,
             struct decode_fault *fault)
{
    const uint64_t number = pkt->number;
    struct mend mend = { .ip = ip, .alone = NULL };
    const enum decode_result result = walk_frame(frame, &mend, pkt, fault);

    pkt->number = number;
    pkt->whole = true;
    if (mend.alone != NULL && pkt->ip >= mend.alone) { /* else it is what is around the tunnel */
        pkt->caplen -= (uint32_t)(mend.alone - pkt->frame);
        pkt->wirelen -= (uint32_t)(mend.alone - pkt->frame);
        pkt->frame = mend.alone;
        pkt->link = mend.link;
    }
    return result;
}
