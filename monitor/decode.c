#include "decode.h"

#include "rd.h"

#include <string.h>

enum {
    MAX_LAYERS = 16,
    LINK_RAW = 101,       /* a frame that begins with an IP header */
    MAX_CAPLEN = 1 << 20, /* bytes of a frame that are looked at; ports hand out no larger ones */
};

/* What comes next; each but the last three has a function in the table at the end. */
enum layer {
    L_ETHERNET,
    L_COOKED,
    L_COOKED2,
    L_NULL,
    L_LOOP,
    L_RAW_IP,
    L_ETHERTYPE, /* the type is in walk.type */
    L_VLAN,
    L_SNAP,
    L_IPV4,
    L_IPV6,
    L_TRANSPORT, /* the protocol is in pkt->proto */
    L_N,
    L_FLOW = L_N,
    L_NO_FLOW,
    L_FRAGMENT,
    L_BAD,
};

/* Where the decoder stands in a frame. */
struct walk {
    struct rd rd;  /* captured bytes from here to the end of the enclosing layer */
    uint32_t wire; /* the same on the wire: more, where the snap length cut */
    uint16_t type; /* EtherType to look at */
    struct weir_packet *pkt;
    struct decode_fault *fault;
};

typedef enum layer (*layer_fn)(struct walk *w);

static enum layer
bad(struct walk *w, enum weir_layer layer, enum weir_bad why)
{
    *w->fault = (struct decode_fault){ layer, why };
    return L_BAD;
}

/* The next n bytes, consumed; NULL after writing down which layer lacks them and why. */
static const uint8_t *
take(struct walk *w, uint32_t n, enum weir_layer layer)
{
    const uint8_t *p;

    if (w->wire < n) {
        bad(w, layer, WEIR_BAD_TOO_SHORT);
        return NULL;
    }
    p = rd_take(&w->rd, n);
    if (p == NULL)
        bad(w, layer, WEIR_BAD_TRUNCATED);
    else
        w->wire -= n;
    return p;
}

/* The enclosing layer holds only n more bytes: what follows is padding. */
static void
fence(struct walk *w, uint32_t n)
{
    if (n >= w->wire)
        return;
    w->wire = n;
    if (rd_left(&w->rd) > n)
        w->rd.end = w->rd.p + n;
}

static enum layer
ethernet(struct walk *w)
{
    const uint8_t *p = take(w, 14, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    w->type = be16(p + 12);
    return L_ETHERTYPE;
}

/* LINKTYPE_LINUX_SLL: type, address type, address length, address, protocol. */
static enum layer
cooked(struct walk *w)
{
    const uint8_t *p = take(w, 16, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    w->type = be16(p + 14);
    return L_ETHERTYPE;
}

/* LINKTYPE_LINUX_SLL2: the protocol comes first. */
static enum layer
cooked2(struct walk *w)
{
    const uint8_t *p = take(w, 20, WEIR_LAYER_LINK);

    if (p == NULL)
        return L_BAD;
    w->type = be16(p);
    return L_ETHERTYPE;
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
ethertype(struct walk *w)
{
    switch (w->type) {
    case 0x0800:
        return L_IPV4;
    case 0x86dd:
        return L_IPV6;
    case 0x8100: /* 802.1Q */
    case 0x88a8: /* 802.1ad */
    case 0x9100: /* before 802.1ad, still seen */
    case 0x9200:
        return L_VLAN;
    default: /* below 1536: a length, IEEE 802.3 3.2.6 */
        return w->type < 1536 ? L_SNAP : L_NO_FLOW;
    }
}

static enum layer
vlan(struct walk *w)
{
    const uint8_t *p = take(w, 4, WEIR_LAYER_VLAN);

    if (p == NULL)
        return L_BAD;
    if (w->pkt->n_vlan < 2)
        w->pkt->vlan[w->pkt->n_vlan++] = be16(p) & 0xfff;
    w->type = be16(p + 2);
    return L_ETHERTYPE;
}

/*
 * IEEE 802.2 LLC with SNAP and no organisation (RFC 1042); anything else is not IP. The length
 * field fences it first: bytes behind are padding.
 */
static enum layer
snap(struct walk *w)
{
    static const uint8_t rfc1042[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
    const uint8_t *p;
    size_t n;

    fence(w, w->type);
    n = rd_left(&w->rd) < sizeof(rfc1042) ? rd_left(&w->rd) : sizeof(rfc1042);
    if (w->wire < 8 || memcmp(w->rd.p, rfc1042, n) != 0)
        return L_NO_FLOW;
    p = take(w, 8, WEIR_LAYER_LINK);
    if (p == NULL)
        return L_BAD;
    w->type = be16(p + 6);
    return w->type < 1536 ? L_NO_FLOW : L_ETHERTYPE;
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
    total = be16(ip + 2);
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
    memcpy(pkt->src.b, ip + 12, 4);
    memcpy(pkt->dst.b, ip + 16, 4);
    return (be16(ip + 6) & 0x3fff) != 0 ? L_FRAGMENT : L_TRANSPORT;
}

/*
 * Walk IPv6 extension headers (RFC 8200 section 4, RFC 4302 for AH, RFC 7045 for the list) until
 * something else comes, which is left in pkt->proto. A second fragment header is refused, as Linux
 * does (IP6SKB_FRAGMENTED), also inside what was put together: see decode_whole().
 */
static enum layer
ipv6_extensions(struct walk *w, uint8_t next)
{
    const uint8_t *p;
    bool fragment = false, had_one = false;

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
            return fragment ? L_FRAGMENT : L_TRANSPORT;
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
    length = be16(ip + 4);
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
    return ipv6_extensions(w, ip[6]);
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

/* RFC 768. A length of 0 is a datagram that the card was to cut, or a jumbogram (RFC 2675). */
static enum layer
udp(struct walk *w)
{
    struct weir_packet *pkt = w->pkt;
    const uint8_t *p = take(w, 8, WEIR_LAYER_UDP);
    uint32_t length;

    if (p == NULL)
        return L_BAD;
    length = be16(p + 4);
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
    return L_FLOW;
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

static enum layer
transport(struct walk *w)
{
    w->pkt->l4 = w->rd.p;
    w->pkt->l4_len = w->wire;
    switch (w->pkt->proto) {
    case WEIR_PROTO_TCP:
        return tcp(w);
    case WEIR_PROTO_UDP:
        return udp(w);
    case WEIR_PROTO_ICMP:
        return icmp(w, WEIR_LAYER_ICMP);
    case WEIR_PROTO_ICMPV6:
        return icmp(w, WEIR_LAYER_ICMPV6);
    default:
        return L_FLOW;
    }
}

static const layer_fn layers[L_N] = {
    [L_ETHERNET] = ethernet,   [L_COOKED] = cooked, [L_COOKED2] = cooked2,
    [L_NULL] = null_loopback,  [L_LOOP] = loop,     [L_RAW_IP] = raw_ip,
    [L_ETHERTYPE] = ethertype, [L_VLAN] = vlan,     [L_SNAP] = snap,
    [L_IPV4] = ipv4,           [L_IPV6] = ipv6,     [L_TRANSPORT] = transport,
};

/* LINKTYPE_ values, https://www.tcpdump.org/linktypes.html */
static enum layer
first_layer(uint16_t link)
{
    switch (link) {
    case 1:
        return L_ETHERNET;
    case 0:
        return L_NULL;
    case 108:
        return L_LOOP;
    case 12: /* DLT_RAW of most systems, found in old files */
    case LINK_RAW:
        return L_RAW_IP;
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

static void
start_packet(struct weir_packet *pkt, const struct weir_frame *frame)
{
    *pkt = (struct weir_packet){
        .time = frame->time,
        .frame = frame->data,
        .caplen = frame->caplen,
        .wirelen = frame->wirelen,
        .link = frame->link,
        .stable = frame->stable,
    };
}

enum decode_result
decode(const struct weir_frame *frame, struct weir_packet *out, struct decode_fault *fault)
{
    uint32_t n_read = frame->caplen < MAX_CAPLEN ? frame->caplen : MAX_CAPLEN;
    struct walk w = { { frame->data, frame->data + n_read }, frame->wirelen, 0, out, fault };
    enum layer at = first_layer(frame->link);

    start_packet(out, frame);
    /* Every step but the EtherType's own is a header; two steps for one VLAN tag are the worst. */
    for (unsigned n = 0; at < L_N; n++) {
        if (n == 2 * MAX_LAYERS)
            at = bad(&w, WEIR_LAYER_LINK, WEIR_BAD_LAYERS);
        else
            at = layers[at](&w);
    }
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

/* Around the packet are the VLANs that were around its fragments, then what it holds itself. */
enum decode_result
decode_whole(const uint8_t *ip, uint32_t caplen, uint32_t wirelen, struct weir_packet *pkt,
             struct decode_fault *fault)
{
    const struct weir_packet outer = *pkt;
    const struct weir_frame frame = {
        .data = ip, .caplen = caplen, .wirelen = wirelen, .time = outer.time, .link = LINK_RAW
    };
    const enum decode_result result = decode(&frame, pkt, fault);
    const uint16_t inner[2] = { pkt->vlan[0], pkt->vlan[1] };
    const unsigned n_inner = pkt->n_vlan;

    pkt->number = outer.number;
    pkt->n_vlan = outer.n_vlan;
    memcpy(pkt->vlan, outer.vlan, sizeof(pkt->vlan));
    for (unsigned i = 0; i < n_inner && pkt->n_vlan < 2; i++)
        pkt->vlan[pkt->n_vlan++] = inner[i];
    return result;
}
