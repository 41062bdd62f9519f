/* How the decoder's layers see a frame: for decode.c and the files that hold its rarer layers. */
#ifndef WEIR_DECODE_WALK_H
#define WEIR_DECODE_WALK_H

#include "decode.h"
#include "rd.h"

enum { MAX_LAYERS = 16 };

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
    L_GRE,
    L_VXLAN,
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

/* Where the decoder stands in a frame. */
struct walk {
    struct rd rd;  /* captured bytes from here to the end of the enclosing layer */
    uint32_t wire; /* the same on the wire: more, where the snap length cut; never less */
    uint16_t type; /* L_SNAP: length field; L_WIFI: 1 if its header is filled up to whole words */
    bool inner;    /* in a frame inside a frame that has shown no VLAN tag so far */
    struct weir_packet *pkt;
    struct decode_fault *fault;
    struct carrier *carrier;
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
 * decode_tunnel.c: IP packets inside others. The packet so far becomes the carrier; by_port: see
 * there. The next IP header that is read will be the innermost one.
 */
void into_tunnel(struct walk *w, bool by_port);
enum layer gre(struct walk *w);
enum layer vxlan(struct walk *w);
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
