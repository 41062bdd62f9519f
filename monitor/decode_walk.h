/* How the decoder's layers see a frame: for decode.c and the files that hold its rarer layers. */
#ifndef WEIR_DECODE_WALK_H
#define WEIR_DECODE_WALK_H

#include "decode.h"
#include "rd.h"

enum { MAX_LAYERS = 16, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW = 101 };

/* What comes next; each but the last four has a function in the table in decode.c. */
enum layer {
    L_ETHERNET,
    L_COOKED,
    L_COOKED2,
    L_NULL,
    L_LOOP,
    L_RAW_IP,
    L_HDLC,
    L_PPP,
    L_PPPOE,
    L_RADIOTAP,
    L_WIFI,
    L_VLAN,
    L_SNAP, /* the length field is in walk.type */
    L_LLC,
    L_MPLS,
    L_IPV4,
    L_IPV6,
    L_NSH,
    L_GRE,
    L_VXLAN,
    L_VXLAN_GPE,
    L_GENEVE,
    L_GTPU,
    L_TEREDO,
    L_N,
    L_FLOW = L_N,
    L_NO_FLOW,
    L_FRAGMENT,
    L_BAD,
};

/* The packet around a tunnel, as it was: what the frame is if nothing better is found inside. */
struct carrier {
    bool any;     /* there is one */
    bool by_port; /* only a port speaks for the tunnel: what is wrong inside is no tunnel */
    struct rd rd;
    uint32_t wire;
    struct weir_packet pkt;
};

/*
 * The headers around what was put together are those of its first fragment: so are the lengths in
 * them, which become what they had been without fragments. Where a field cannot hold that much, no
 * such packet can have been sent: what the tunnel carries is then shown by itself.
 */
struct mend {
    uint8_t *ip;          /* in the frame, all of which may be written */
    bool too_long;        /* for a field outside the tunnel that comes next */
    uint8_t tunnel;       /* tunnels that are open */
    uint16_t link;        /* LINKTYPE_ value of alone */
    const uint8_t *alone; /* the payload of the last one that is too small; NULL: none is */
};

/* Where the decoder stands in a frame. */
struct walk {
    struct rd rd;  /* captured bytes from here to the end of the enclosing layer */
    uint32_t wire; /* the same on the wire: more, where the snap length cut; never less */
    uint16_t type; /* L_SNAP: length field; L_WIFI: 1 if its header is filled up to whole words */
    bool inner;    /* in a frame inside a frame that has shown no VLAN tag so far */
    struct weir_packet *pkt;
    struct decode_fault *fault;
    struct carrier *carrier;
    struct mend *mend; /* of a packet put together from fragments; NULL: the frame came so */
};

typedef enum layer (*layer_fn)(struct walk *w);

static inline enum layer
bad(struct walk *w, enum weir_layer layer, enum weir_bad why)
{
    *w->fault = (struct decode_fault){ layer, why };
    return L_BAD;
}

/* The next n bytes, consumed; NULL after writing down which layer lacks them and why. */
static inline const uint8_t *
take(struct walk *w, uint32_t n, enum weir_layer layer)
{
    const uint8_t *p = rd_take(&w->rd, n);

    if (p == NULL)
        bad(w, layer, w->wire < n ? WEIR_BAD_TOO_SHORT : WEIR_BAD_TRUNCATED);
    else
        w->wire -= n;
    return p;
}

/* The same, but they stay. */
static inline const uint8_t *
peek(struct walk *w, uint32_t n, enum weir_layer layer)
{
    const uint8_t *p = take(w, n, layer);

    if (p != NULL) {
        w->rd.p = p;
        w->wire += n;
    }
    return p;
}

/* The enclosing layer holds only n more bytes: what follows is padding. */
static inline void
fence(struct walk *w, uint32_t n)
{
    if (n >= w->wire)
        return;
    w->wire = n;
    if (rd_left(&w->rd) > n)
        w->rd.end = w->rd.p + n;
}

/* Whether a header at p is to be mended. */
static inline bool
is_stale(const struct walk *w, const uint8_t *p)
{
    return WEIR_UNLIKELY(w->mend != NULL) && p < w->mend->ip;
}

/*
 * decode_mend.c. All return the length; 0 is written where the field is too small. p: the field, or
 * the header of that kind.
 */
uint32_t mend_length(const struct walk *w, const uint8_t *p, uint32_t n);
uint32_t mend_ipv4(const struct walk *w, const uint8_t *p);
uint32_t mend_udp(const struct walk *w, const uint8_t *p);

/* After each layer; at: what is next. */
void mend_note_tunnel(const struct walk *w, enum layer at);

/* What an EtherType leads to. */
enum layer ethertype(struct walk *w, uint16_t type);

/* decode_link.c: PPP, PPPoE, MPLS, IEEE 802.11. */
enum layer hdlc(struct walk *w);
enum layer ppp(struct walk *w);
enum layer pppoe(struct walk *w);
enum layer mpls(struct walk *w);
enum layer radiotap(struct walk *w);
enum layer wifi(struct walk *w);

/*
 * decode_tunnel.c: IP packets inside others, and NSH. The packet so far becomes the carrier;
 * by_port: see there. The next IP header that is read will be the innermost one.
 */
void into_tunnel(struct walk *w, bool by_port);
enum layer gre(struct walk *w);
enum layer nsh(struct walk *w);
enum layer vxlan(struct walk *w);
enum layer vxlan_gpe(struct walk *w);
enum layer geneve(struct walk *w);
enum layer gtpu(struct walk *w);
enum layer teredo(struct walk *w);

/* A frame inside: its VLAN tags, if it has any, count and not those around it. */
static inline enum layer
inner_ethernet(struct walk *w)
{
    w->inner = true;
    return L_ETHERNET;
}

#endif
