/* Links and shims that are met less often: PPP, PPPoE, Cisco HDLC, MPLS, IEEE 802.11. */
#include "decode_walk.h"

/* ---- PPP ----------------------------------------------------------------------------------- */

/*
 * RFC 1661 section 2. The address and control bytes of RFC 1662 may stand before it, and a protocol
 * field of one byte is odd (both: section 6 there).
 */
enum layer
ppp(struct walk *w)
{
    const uint8_t *p = take(w, 1, WEIR_LAYER_PPP);
    uint16_t protocol;

    if (p != NULL && *p == 0xff) {
        p = take(w, 1, WEIR_LAYER_PPP);
        if (p != NULL && *p != 3)
            return L_NO_FLOW;
        p = p != NULL ? take(w, 1, WEIR_LAYER_PPP) : NULL;
    }
    if (p == NULL)
        return L_BAD;
    protocol = *p;
    if ((protocol & 1) == 0) {
        p = take(w, 1, WEIR_LAYER_PPP);
        if (p == NULL)
            return L_BAD;
        protocol = (uint16_t)(protocol << 8 | *p);
    }
    switch (protocol) {
    case 0x0021:
        return L_IPV4;
    case 0x0057:
        return L_IPV6;
    case 0x0281: /* unicast and multicast, RFC 3032 section 4.3 */
    case 0x0283:
        return L_MPLS;
    default:
        return L_NO_FLOW;
    }
}

/* LINKTYPE_PPP_HDLC and LINKTYPE_C_HDLC: Cisco's form has another address, and an EtherType. */
enum layer
hdlc(struct walk *w)
{
    const uint8_t *p = peek(w, 1, WEIR_LAYER_LINK);
    uint16_t type;

    if (p == NULL)
        return L_BAD;
    if (*p != 0x0f && *p != 0x8f)
        return L_PPP;
    p = take(w, 4, WEIR_LAYER_LINK);
    if (p == NULL)
        return L_BAD;
    type = be16(p + 2);
    return type < 1536 ? L_NO_FLOW : ethertype(w, type);
}

/* RFC 2516 section 4, the session stage. */
enum layer
pppoe(struct walk *w)
{
    const uint8_t *p = take(w, 6, WEIR_LAYER_PPP);
    uint32_t length;

    if (p == NULL)
        return L_BAD;
    if (p[0] != 0x11)
        return bad(w, WEIR_LAYER_PPP, WEIR_BAD_VERSION);
    if (p[1] != 0)
        return L_NO_FLOW;
    length = is_stale(w, p) ? mend_length(w, p + 4, w->wire) : be16(p + 4);
    if (length > w->wire)
        return bad(w, WEIR_LAYER_PPP, WEIR_BAD_LENGTH);
    fence(w, length);
    return L_PPP;
}

/* ---- MPLS ---------------------------------------------------------------------------------- */

enum guess { NO, YES, TAGGED, CUT };

/* Whether an Ethernet header may begin so many bytes from here. */
static enum guess
looks_like_ethernet(const struct walk *w, uint32_t at)
{
    if (w->wire < at + 14)
        return NO;
    if (rd_left(&w->rd) < at + 14)
        return CUT;
    switch (be16(w->rd.p + at + 12)) {
    case 0x8100:
    case 0x88a8:
        return TAGGED;
    case 0x0800:
    case 0x0806:
    case 0x86dd:
    case 0x8847:
    case 0x8848:
    case 0x8864:
        return YES;
    default:
        return NO;
    }
}

/*
 * A pseudowire, RFC 4448 section 4: a frame with or without a control word before it, and no field
 * tells which. Taken is the one reading that makes a frame of it; a VLAN tag without a control word
 * is followed by what looks like a type with one.
 */
static enum layer
pseudowire(struct walk *w)
{
    bool may_control = *w->rd.p >> 4 == 0;
    enum guess plain = looks_like_ethernet(w, 0);
    enum guess controlled = may_control ? looks_like_ethernet(w, 4) : NO;

    if (plain == CUT || controlled == CUT)
        return bad(w, WEIR_LAYER_MPLS, WEIR_BAD_TRUNCATED);
    if (plain == TAGGED || (plain == YES && controlled == NO))
        return inner_ethernet(w);
    if (plain == YES || controlled == NO)
        return L_NO_FLOW;
    return take(w, 4, WEIR_LAYER_MPLS) != NULL ? inner_ethernet(w) : L_BAD;
}

/* RFC 3032 section 2.1. What lies behind the stack is told by its first nibble, RFC 4928. */
enum layer
mpls(struct walk *w)
{
    const uint8_t *p;
    unsigned n = 0;

    do {
        if (n++ == MAX_LAYERS)
            return bad(w, WEIR_LAYER_MPLS, WEIR_BAD_LAYERS);
        p = take(w, 4, WEIR_LAYER_MPLS);
        if (p == NULL)
            return L_BAD;
    } while ((p[2] & 1) == 0);
    if (w->wire == 0)
        return L_NO_FLOW;
    p = peek(w, 1, WEIR_LAYER_MPLS);
    if (p == NULL)
        return L_BAD;
    switch (*p >> 4) {
    case 4:
        return L_IPV4;
    case 6:
        return L_IPV6;
    default:
        return pseudowire(w);
    }
}

/* ---- IEEE 802.11 --------------------------------------------------------------------------- */

static uint32_t
le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Where the flags of a radiotap header of n bytes lie: behind all masks and the clock; 0: none. */
static uint32_t
radiotap_flags(const uint8_t *p, uint32_t n)
{
    const uint32_t present = le32(p + 4);
    uint32_t at = 8;

    while (le32(p + at - 4) >> 31 != 0 && at + 4 <= n)
        at += 4;
    if ((present & 1) != 0)
        at = (at + 7) / 8 * 8 + 8;
    return (present & 2) != 0 && at < n ? at : 0;
}

/* LINKTYPE_IEEE802_11_RADIOTAP, https://www.radiotap.org: little-endian. */
enum layer
radiotap(struct walk *w)
{
    const uint8_t *p = take(w, 8, WEIR_LAYER_LINK);
    uint32_t n, at;

    if (p == NULL)
        return L_BAD;
    if (p[0] != 0)
        return bad(w, WEIR_LAYER_LINK, WEIR_BAD_VERSION);
    n = (uint32_t)p[3] << 8 | p[2];
    if (n < 8)
        return bad(w, WEIR_LAYER_LINK, WEIR_BAD_HEADER_LENGTH);
    if (take(w, n - 8, WEIR_LAYER_LINK) == NULL)
        return L_BAD;
    at = radiotap_flags(p, n);
    w->type = at > 0 && (p[at] & 0x20) != 0;
    return L_WIFI;
}

/*
 * A data frame that can be read: not encrypted, not a piece (section 10.2.7 of IEEE 802.11-2020),
 * not several in one (A-MSDU). All others are no flow.
 */
enum layer
wifi(struct walk *w)
{
    const uint8_t *p = take(w, 2, WEIR_LAYER_LINK);
    uint32_t n = 24, qos_at;
    bool qos, padded = w->type != 0;
    uint8_t flags;

    if (p == NULL)
        return L_BAD;
    flags = p[1];
    if ((p[0] & 0x4f) != 0x08 || (flags & 0x44) != 0)
        return L_NO_FLOW;
    qos = (p[0] & 0x80) != 0;
    n += (flags & 3) == 3 ? 6 : 0; /* a fourth address */
    qos_at = n;
    n += qos ? 2 : 0;
    n += qos && (flags & 0x80) != 0 ? 4 : 0; /* HT control */
    if (padded)
        n = (n + 3) / 4 * 4;
    if (take(w, n - 2, WEIR_LAYER_LINK) == NULL)
        return L_BAD;
    if ((p[22] & 15) != 0 || (qos && (p[qos_at] & 0x80) != 0))
        return L_NO_FLOW;
    return L_LLC;
}
