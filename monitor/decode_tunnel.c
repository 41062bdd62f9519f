/*
 * IP packets inside others: GRE and what it carries, NSH, and the tunnels known by their UDP port.
 */
#include "checksum.h"
#include "decode_walk.h"

/*
 * What describes a transport goes; addresses stay until the inner header is read, so that a packet
 * that is bad before has some.
 */
void
into_tunnel(struct walk *w, bool by_port)
{
    struct weir_packet *pkt = w->pkt;

    w->carrier->by_port = by_port || (w->carrier->any && w->carrier->by_port);
    w->carrier->any = true;
    w->carrier->rd = w->rd;
    w->carrier->wire = w->wire;
    w->carrier->pkt = *pkt;
    if (pkt->ip_version == 4 && checksum_add(pkt->ip, (pkt->ip[0] & 15U) * 4U, 0) != 0xffff)
        pkt->bad_outer_sum = true;
    pkt->tunnel++;
    pkt->src_port = pkt->dst_port = 0;
    pkt->l4 = NULL;
    pkt->l4_len = 0;
}

static void
set_vni(struct weir_packet *pkt, const uint8_t *p)
{
    pkt->has_vni = true;
    pkt->vni = (uint32_t)be16(p) << 8 | p[2];
}

/* ---- GRE ----------------------------------------------------------------------------------- */

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_RESERVED = 0x0c00, /* RFC 2784 section 2.3: a receiver drops what has them */
    GRE_ACK = 0x0080,      /* version 1 */
    GRE_VERSION = 0x0007,
};

/*
 * The VLAN that the frame was seen in; 0: none. Its tag may be in the frame, too: tags there count.
 * But behind a tag that was taken off, which En says in type II, they are further ones.
 */
static enum layer
erspan_frame(struct walk *w, const uint8_t *p, bool tag_is_off)
{
    const uint16_t id = be16(p) & 0xfff;

    if (id != 0) {
        w->pkt->n_vlan = 1;
        w->pkt->vlan[0] = id;
        w->pkt->vlan[1] = w->pkt->vlan[2] = 0;
    }
    w->inner = id == 0 || !tag_is_off;
    return L_ETHERNET;
}

/* Type II, draft-foschiano-erspan-03 section 4.2. */
static enum layer
erspan2(struct walk *w)
{
    const uint8_t *p = take(w, 8, WEIR_LAYER_TUNNEL);
    unsigned encapsulation;

    if (p == NULL)
        return L_BAD;
    if (p[0] >> 4 != 1)
        return L_NO_FLOW;
    encapsulation = p[2] >> 3 & 3; /* there was: 0 no tag, 1 ISL, 2 802.1Q, 3 a tag that is left */
    return erspan_frame(w, p, encapsulation == 1 || encapsulation == 2);
}

/* Type III, section 4.3 there: with a subheader of the platform's if the last bit says so. */
static enum layer
erspan3(struct walk *w)
{
    const uint8_t *p = take(w, 12, WEIR_LAYER_TUNNEL);

    if (p == NULL || ((p[11] & 1) != 0 && take(w, 8, WEIR_LAYER_TUNNEL) == NULL))
        return L_BAD;
    if (p[0] >> 4 != 2)
        return L_NO_FLOW;
    switch (p[10] >> 2 & 0x1f) {
    case 0:
        return erspan_frame(w, p, false);
    case 2:
        return L_RAW_IP;
    default:
        return L_NO_FLOW;
    }
}

/* PPTP's GRE, RFC 2637 section 4.1: PPP with its length in the key. */
static enum layer
pptp(struct walk *w, uint16_t flags, uint16_t type)
{
    const uint8_t *key;
    uint32_t n = (flags & GRE_SEQUENCE ? 4 : 0) + (flags & GRE_ACK ? 4 : 0), length;

    if ((flags & ~(GRE_SEQUENCE | GRE_ACK)) != (GRE_KEY | 1) || type != 0x880b)
        return L_NO_FLOW;
    key = take(w, 4, WEIR_LAYER_TUNNEL);
    if (key == NULL || take(w, n, WEIR_LAYER_TUNNEL) == NULL)
        return L_BAD;
    length = is_stale(w, key) ? mend_length(w, key, w->wire) : be16(key);
    if ((flags & GRE_SEQUENCE) == 0 || length == 0)
        return L_NO_FLOW; /* an acknowledgement by itself */
    if (length > w->wire)
        return bad(w, WEIR_LAYER_TUNNEL, WEIR_BAD_LENGTH);
    fence(w, length);
    return L_PPP;
}

static enum layer
gre_payload(struct walk *w, uint16_t type, bool sequence)
{
    if (w->wire == 0)
        return L_NO_FLOW;
    switch (type) {
    case 0x6558: /* transparent Ethernet bridging; NVGRE, RFC 7637 */
        return inner_ethernet(w);
    case 0x88be: /* ERSPAN type I has no header of its own */
        return sequence ? erspan2(w) : inner_ethernet(w);
    case 0x22eb:
        return erspan3(w);
    case 0x880b:
        return L_PPP;
    default:
        return type < 1536 ? L_NO_FLOW : ethertype(w, type);
    }
}

/* RFC 2784 and RFC 2890. Source routes (RFC 1701) are not followed. */
enum layer
gre(struct walk *w)
{
    const uint8_t *p;
    uint16_t flags, type;
    uint32_t n;

    into_tunnel(w, false);
    p = take(w, 4, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    flags = be16(p);
    type = be16(p + 2);
    if ((flags & GRE_VERSION) == 1)
        return pptp(w, flags, type);
    if ((flags & (GRE_VERSION | GRE_ROUTING | GRE_RESERVED)) != 0)
        return L_NO_FLOW;
    n = (flags & GRE_CHECKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);
    if (take(w, n, WEIR_LAYER_TUNNEL) == NULL)
        return L_BAD;
    return gre_payload(w, type, (flags & GRE_SEQUENCE) != 0);
}

/* ---- NSH ----------------------------------------------------------------------------------- */

/* The registry that NSH and VXLAN-GPE share: RFC 8300 section 9.1.6. */
static enum layer
next_protocol(struct walk *w, uint8_t next)
{
    switch (next) {
    case 1:
        return L_IPV4;
    case 2:
        return L_IPV6;
    case 3:
        return inner_ethernet(w);
    case 4:
        return L_NSH;
    case 5:
        return L_MPLS;
    default:
        return L_NO_FLOW;
    }
}

/*
 * Network Service Header, RFC 8300 section 2: metadata of type 1 has a fixed length, that of type 2
 * may be absent. What is for operators (O) carries no traffic.
 */
enum layer
nsh(struct walk *w)
{
    const uint8_t *p = take(w, 8, WEIR_LAYER_TUNNEL);
    uint32_t words;
    uint8_t type;

    if (p == NULL)
        return L_BAD;
    if (p[0] >> 6 != 0)
        return bad(w, WEIR_LAYER_TUNNEL, WEIR_BAD_VERSION);
    type = p[2] & 0x0f;
    words = p[1] & 0x3f;
    if ((p[0] & 0x20) != 0 || (type != 1 && type != 2))
        return L_NO_FLOW;
    if (type == 1 ? words != 6 : words < 2)
        return bad(w, WEIR_LAYER_TUNNEL, WEIR_BAD_HEADER_LENGTH);
    if (take(w, words * 4 - 8, WEIR_LAYER_TUNNEL) == NULL)
        return L_BAD;
    return next_protocol(w, p[3]);
}

/* ---- in UDP -------------------------------------------------------------------------------- */

/* RFC 7348 section 5: all bits but one are ignored. */
enum layer
vxlan(struct walk *w)
{
    const uint8_t *p;

    into_tunnel(w, true);
    p = take(w, 8, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    if ((p[0] & 0x08) == 0)
        return L_NO_FLOW;
    set_vni(w->pkt, p + 4);
    return inner_ethernet(w);
}

/*
 * draft-ietf-nvo3-vxlan-gpe-13 section 3: version 0, the VNI (I) and the next protocol (P) there.
 */
enum layer
vxlan_gpe(struct walk *w)
{
    const uint8_t *p;

    into_tunnel(w, true);
    p = take(w, 8, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    if ((p[0] & 0x3d) != 0x0c) /* nor for operators (O) */
        return L_NO_FLOW;
    set_vni(w->pkt, p + 4);
    return next_protocol(w, p[3]);
}

/* RFC 8926 section 3.4. Options are skipped, also critical ones. */
enum layer
geneve(struct walk *w)
{
    const uint8_t *p;
    uint16_t type;

    into_tunnel(w, true);
    p = take(w, 8, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    if (p[0] >> 6 != 0)
        return L_NO_FLOW;
    if (take(w, (p[0] & 0x3fU) * 4, WEIR_LAYER_TUNNEL) == NULL)
        return L_BAD;
    set_vni(w->pkt, p + 4);
    type = be16(p + 2);
    if (type == 0x6558)
        return inner_ethernet(w);
    return type < 1536 ? L_NO_FLOW : ethertype(w, type);
}

/*
 * Extension headers, 3GPP TS 29.281 section 5.2: the length, in words, comes first, the next last.
 */
static enum layer
gtpu_extensions(struct walk *w, uint8_t next)
{
    for (unsigned n = 0; n < MAX_LAYERS; n++) {
        const uint8_t *p;
        uint32_t words;

        if (next == 0)
            return L_RAW_IP;
        p = peek(w, 1, WEIR_LAYER_TUNNEL);
        if (p == NULL)
            return L_BAD;
        words = *p;
        if (words == 0)
            return L_NO_FLOW;
        if (take(w, 4 * words, WEIR_LAYER_TUNNEL) == NULL)
            return L_BAD;
        next = p[4 * words - 1];
    }
    return L_NO_FLOW;
}

/* 3GPP TS 29.281 section 5.1: a G-PDU of version 1. */
enum layer
gtpu(struct walk *w)
{
    const uint8_t *p;
    uint32_t length;
    uint8_t flags;

    into_tunnel(w, true);
    p = take(w, 8, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    flags = p[0];
    length = is_stale(w, p) ? mend_length(w, p + 2, w->wire) : be16(p + 2);
    if (flags >> 4 != 3 || p[1] != 255 || length > w->wire)
        return L_NO_FLOW;
    fence(w, length);
    if ((flags & 7) == 0)
        return L_RAW_IP;
    p = take(w, 4, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    return gtpu_extensions(w, (flags & 4) != 0 ? p[3] : 0);
}

/* 2001::/32; fe80::/10 are those of router solicitations (RFC 4380 section 5.2.1). */
static bool
teredo_address(const uint8_t *p)
{
    return be32(p) == 0x20010000 || (be16(p) & 0xffc0) == 0xfe80;
}

/*
 * RFC 4380 section 5.1.1: an authentication header, then an origin indication. False: they are cut.
 */
static bool
teredo_headers(struct walk *w)
{
    const uint8_t *p = peek(w, 4, WEIR_LAYER_TUNNEL);

    if (p != NULL && be16(p) == 1) {
        if (take(w, 13U + p[2] + p[3], WEIR_LAYER_TUNNEL) == NULL)
            return false;
        p = peek(w, 4, WEIR_LAYER_TUNNEL);
    }
    if (p != NULL && be16(p) == 0)
        p = take(w, 8, WEIR_LAYER_TUNNEL);
    return p != NULL;
}

enum layer
teredo(struct walk *w)
{
    const uint8_t *p;

    into_tunnel(w, true);
    if (!teredo_headers(w))
        return L_BAD;
    p = peek(w, 40, WEIR_LAYER_TUNNEL);
    if (p == NULL)
        return L_BAD;
    if (p[0] >> 4 != 6 || !(teredo_address(p + 8) || teredo_address(p + 24)))
        return L_NO_FLOW;
    return L_IPV6;
}
