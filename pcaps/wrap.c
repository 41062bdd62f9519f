#include "wrap.h"

#include "bytes.h"

#include <assert.h>
#include <string.h>

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_MPLS = 0x8847, TYPE_PPPOE = 0x8864 };
enum { GRE = 47 };

static const struct wrap_form forms[] = {
    { "mpls", TUNNEL_MPLS, 0xfffff, false, false },
    { "pw", TUNNEL_PW, 0xfffff, true, false },
    { "pppoe", TUNNEL_PPPOE, 0xffff, false, false },
    { "ip", TUNNEL_IP, 0, false, true },
    { "gre", TUNNEL_GRE, 0, false, true },
    { "gre-key", TUNNEL_GRE_KEY, 0xffffffff, false, true },
    { "pptp", TUNNEL_PPTP, 0xffff, false, true },
    { "nvgre", TUNNEL_NVGRE, 0xffffff, true, true },
    { "erspan", TUNNEL_ERSPAN, 3, true, true },
    { "vxlan", TUNNEL_VXLAN, 0xffffff, true, true },
    { "geneve", TUNNEL_GENEVE, 0xffffff, true, true },
    { "gtpu", TUNNEL_GTPU, 0xffffffff, false, true },
    { "teredo", TUNNEL_TEREDO, 0, false, true },
};

const struct wrap_form *
wrap_form(size_t i)
{
    return i < sizeof(forms) / sizeof(forms[0]) ? &forms[i] : NULL;
}

/* ---- bytes before the frame ---------------------------------------------------------------- */

/* Room for n bytes before all others, zeroed. */
static uint8_t *
before(struct frame *f, size_t n)
{
    assert(n <= sizeof(f->data) - f->n);
    memmove(f->data + n, f->data, f->n);
    memset(f->data, 0, n);
    f->n += n;
    f->ip += n;
    return f->data;
}

/* 02:00:00:00:00:01 is the client's, 02:...:02 the server's; the outer of two tags is 802.1ad. */
static void
ethernet(struct frame *f, bool from_client, const uint16_t *vlan, unsigned n_vlan, uint16_t type)
{
    uint8_t *p = before(f, 14 + 4 * n_vlan);

    p[0] = p[6] = 2;
    p[5] = from_client ? 2 : 1;
    p[11] = from_client ? 1 : 2;
    for (unsigned i = 0; i < n_vlan; i++) {
        put16(p + 12 + 4 * i, i + 1 < n_vlan ? 0x88a8 : 0x8100);
        put16(p + 14 + 4 * i, vlan[i]);
    }
    put16(p + 12 + 4 * n_vlan, type);
}

/* ---- link ---------------------------------------------------------------------------------- */

/* Linux cooked: outgoing or to us, an Ethernet device. */
static void
cooked(struct frame *f, bool from_client, uint16_t type)
{
    uint8_t *p = before(f, 16);

    p[1] = from_client ? 4 : 0;
    p[3] = 1;
    p[5] = 6;
    p[6] = 2;
    p[11] = from_client ? 1 : 2;
    put16(p + 14, type);
}

static void
cooked2(struct frame *f, bool from_client, uint16_t type)
{
    uint8_t *p = before(f, 20);

    put16(p, type);
    p[7] = 1;
    p[9] = 1;
    p[10] = from_client ? 4 : 0;
    p[11] = 6;
    p[12] = 2;
    p[17] = from_client ? 1 : 2;
}

static void
link_header(const struct packet *pkt, struct frame *f, uint16_t type)
{
    switch (pkt->link) {
    case LINK_ETHERNET:
        ethernet(f, pkt->from_client, pkt->vlan, pkt->n_vlan, type);
        break;
    case LINK_SLL:
        cooked(f, pkt->from_client, type);
        break;
    case LINK_SLL2:
        cooked2(f, pkt->from_client, type);
        break;
    case LINK_NULL: /* the family, little-endian; FreeBSD's number for IPv6 */
        before(f, 4)[0] = type == TYPE_IPV4 ? 2 : 28;
        break;
    case LINK_RAW:
        break;
    }
}

/* ---- tunnels ------------------------------------------------------------------------------- */

/* From 192.0.2.1, the client's end, to 192.0.2.2, or back. */
static void
around_ipv4(struct frame *f, bool from_client, uint8_t proto)
{
    const int64_t length = 20 + (int64_t)f->n;
    uint8_t *p = before(f, 20);

    p[0] = 0x45;
    put16(p + 2, length);
    p[8] = 64;
    p[9] = proto;
    p[12] = p[16] = 192;
    p[14] = p[18] = 2;
    p[15] = from_client ? 1 : 2;
    p[19] = from_client ? 2 : 1;
    put16(p + 10, fold(sum16(p, 20, 0)));
}

/* From 2001:db8:ffff::1 to 2001:db8:ffff::2. */
static void
around_ipv6(struct frame *f, bool from_client, uint8_t proto)
{
    static const uint8_t net[] = { 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff };
    const int64_t length = (int64_t)f->n;
    uint8_t *p = before(f, 40);

    p[0] = 0x60;
    put16(p + 4, length);
    p[6] = proto;
    p[7] = 64;
    memcpy(p + 8, net, sizeof(net));
    memcpy(p + 24, net, sizeof(net));
    p[23] = from_client ? 1 : 2;
    p[39] = from_client ? 2 : 1;
}

/*
 * Without a checksum. VXLAN and Geneve choose the source port by what they carry; here it is one.
 */
static void
around_udp(struct frame *f, uint16_t src, uint16_t dst)
{
    const int64_t length = 8 + (int64_t)f->n;
    uint8_t *p = before(f, 8);

    put16(p, src);
    put16(p + 2, dst);
    put16(p + 4, length);
}

static void
gre(const struct packet_tunnel *t, struct frame *f, uint16_t type)
{
    uint8_t *p = before(f, t->kind == TUNNEL_GRE ? 4 : 8);

    put16(p + 2, t->kind == TUNNEL_NVGRE ? 0x6558 : type);
    if (t->kind == TUNNEL_GRE)
        return;
    p[0] = 0x20;
    put32(p + 4, t->kind == TUNNEL_NVGRE ? (int64_t)t->id << 8 : t->id);
}

/* With a sequence number and no acknowledgement; the PPP header has all its bytes. */
static void
pptp(const struct packet_tunnel *t, struct frame *f, uint16_t type)
{
    const int64_t length = 4 + (int64_t)f->n;
    uint8_t *p = before(f, 12 + 4);

    p[0] = 0x30;
    p[1] = 1;
    put16(p + 2, 0x880b);
    put16(p + 4, length);
    put16(p + 6, t->id);
    put32(p + 8, 1);
    put16(p + 12, 0xff03);
    put16(p + 14, type == TYPE_IPV4 ? 0x0021 : 0x0057);
}

/* The id is the type, 1 to 3. Types II and III have a sequence number, version, and session 9. */
static void
erspan(const struct packet_tunnel *t, struct frame *f)
{
    static const size_t sizes[] = { 4, 16, 20 };
    const uint32_t type = t->id > 0 ? t->id : 1;
    uint8_t *p = before(f, sizes[type - 1]);

    put16(p + 2, type == 3 ? 0x22eb : 0x88be);
    if (type == 1)
        return;
    p[0] = 0x10;
    p[7] = 1;
    p[8] = type == 2 ? 0x10 : 0x20;
    p[11] = 9;
}

static void
pppoe(const struct packet_tunnel *t, struct frame *f, uint16_t type)
{
    const int64_t length = 2 + (int64_t)f->n;
    uint8_t *p = before(f, 8);

    p[0] = 0x11;
    put16(p + 2, t->id);
    put16(p + 4, length);
    put16(p + 6, type == TYPE_IPV4 ? 0x0021 : 0x0057);
}

/* One label, the last. */
static void
mpls(const struct packet_tunnel *t, struct frame *f)
{
    put32(before(f, 4), (int64_t)t->id << 12 | 0x100 | 64);
}

static void
vxlan_or_geneve(const struct packet_tunnel *t, struct frame *f)
{
    uint8_t *p = before(f, 8);

    if (t->kind == TUNNEL_VXLAN)
        p[0] = 0x08;
    else
        put16(p + 2, 0x6558);
    put32(p + 4, (int64_t)t->id << 8);
    around_udp(f, 49152, t->kind == TUNNEL_VXLAN ? 4789 : 6081);
}

static void
gtpu(const struct packet_tunnel *t, struct frame *f)
{
    const int64_t length = (int64_t)f->n;
    uint8_t *p = before(f, 8);

    p[0] = 0x30;
    p[1] = 255;
    put16(p + 2, length);
    put32(p + 4, t->id);
    around_udp(f, 2152, 2152);
}

/* The headers of a tunnel without the IP header around them; returns its protocol, or 0. */
static uint8_t
tunnel_header(const struct packet_tunnel *t, struct frame *f, bool from_client, uint16_t type)
{
    switch (t->kind) {
    case TUNNEL_MPLS:
        mpls(t, f);
        return 0;
    case TUNNEL_PW:
        before(f, 4); /* the control word */
        mpls(t, f);
        return 0;
    case TUNNEL_PPPOE:
        pppoe(t, f, type);
        return 0;
    case TUNNEL_IP:
        return type == TYPE_IPV4 ? 4 : 41;
    case TUNNEL_GRE:
    case TUNNEL_GRE_KEY:
    case TUNNEL_NVGRE:
        gre(t, f, type);
        return GRE;
    case TUNNEL_PPTP:
        pptp(t, f, type);
        return GRE;
    case TUNNEL_ERSPAN:
        erspan(t, f);
        return GRE;
    case TUNNEL_VXLAN:
    case TUNNEL_GENEVE:
        vxlan_or_geneve(t, f);
        return PROTO_UDP;
    case TUNNEL_GTPU:
        gtpu(t, f);
        return PROTO_UDP;
    case TUNNEL_TEREDO:
        around_udp(f, from_client ? 49152 : 3544, from_client ? 3544 : 49152);
        return PROTO_UDP;
    }
    return 0;
}

/* Returns the EtherType of what is before the packet now. */
static uint16_t
around(const struct packet_tunnel *t, struct frame *f, bool from_client, uint16_t type)
{
    uint8_t proto;

    if (t->frames)
        ethernet(f, from_client, t->vlan, t->n_vlan, type);
    proto = tunnel_header(t, f, from_client, type);
    if (proto == 0)
        return t->kind == TUNNEL_PPPOE ? TYPE_PPPOE : TYPE_MPLS;
    if (t->ip_version == 4)
        around_ipv4(f, from_client, proto);
    else
        around_ipv6(f, from_client, proto);
    return t->ip_version == 4 ? TYPE_IPV4 : TYPE_IPV6;
}

void
wrap_packet(const struct packet *pkt, struct frame *f)
{
    uint16_t type = pkt->version == 4 ? TYPE_IPV4 : TYPE_IPV6;

    for (unsigned i = 0; i < pkt->n_tunnel; i++)
        type = around(&pkt->tunnel[i], f, pkt->from_client, type);
    link_header(pkt, f, type);
}
