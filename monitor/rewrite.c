#include "rewrite.h"

#include "checksum.h"

#include <weir/error.h>

#include <stddef.h>
#include <string.h>

enum { ECHO_REQUEST = 8, ECHO_REPLY = 0, ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

/* ---- what can be done ------------------------------------------------------------------------ */

/* Where the transport header has its checksum; -1: there is none that we know. */
static int
checksum_at(const struct weir_packet *pkt)
{
    switch (pkt->proto) {
    case WEIR_PROTO_TCP:
        return 16;
    case WEIR_PROTO_UDP:
        return 6;
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        return 2;
    default:
        return -1;
    }
}

static bool
is_echo(const struct weir_packet *pkt)
{
    return pkt->proto == WEIR_PROTO_ICMP
               ? pkt->icmp_type == ECHO_REQUEST || pkt->icmp_type == ECHO_REPLY
               : pkt->icmp_type == ECHO6_REQUEST || pkt->icmp_type == ECHO6_REPLY;
}

/* Where the port is in the transport header; -1: there is none. */
static int
port_at(const struct weir_packet *pkt, enum weir_endpoint which)
{
    if (pkt->proto == WEIR_PROTO_TCP || pkt->proto == WEIR_PROTO_UDP)
        return which == WEIR_SOURCE ? 0 : 2;
    return is_echo(pkt) ? 4 : -1;
}

/* The checksum is of the address where the packet ends up, which a routing header may hold. */
static bool
has_routing_header(const struct weir_packet *pkt)
{
    const uint8_t *p = pkt->ip;
    uint8_t next;

    if (pkt->ip_version != 6)
        return false;
    next = p[6];
    for (p += 40; p + 8 <= pkt->l4 && next != 43; p += 8 + p[1] * 8)
        next = p[0];
    return next == 43;
}

static int
check_payload(const struct weir_packet *pkt, const struct rewrite *how)
{
    return how->at > pkt->payload_len || how->n > pkt->payload_len - how->at ? WEIR_E_INVAL
                                                                             : WEIR_E_OK;
}

static int
check_endpoint(const struct weir_packet *pkt, const struct rewrite *how)
{
    if (how->port < -1 || how->port > 0xffff || (how->port >= 0 && port_at(pkt, how->which) < 0))
        return WEIR_E_INVAL;
    return how->addr != NULL && has_routing_header(pkt) ? WEIR_E_UNSUPPORTED : WEIR_E_OK;
}

/* All of the transport header; of a bad packet it may be cut. */
static bool
has_header(const struct weir_packet *pkt)
{
    const ptrdiff_t header = pkt->proto == WEIR_PROTO_TCP ? 20 : 8;

    return pkt->l4 != NULL && pkt->frame + pkt->caplen - pkt->l4 >= header;
}

int
rewrite_check(const struct weir_packet *pkt, const struct rewrite *how)
{
    if (!has_header(pkt) || pkt->tunnel > 0 || pkt->whole || pkt->fragment || checksum_at(pkt) < 0)
        return WEIR_E_UNSUPPORTED;
    if (how->urgent)
        return pkt->proto == WEIR_PROTO_TCP ? WEIR_E_OK : WEIR_E_UNSUPPORTED;
    return how->bytes != NULL ? check_payload(pkt, how) : check_endpoint(pkt, how);
}

/* ---- doing it -------------------------------------------------------------------------------- */

/* What a checksum has to be changed by: sums of words in memory order, of what was and what is. */
struct change {
    uint64_t was, is;
};

/* Bytes at a place whose distance from the start of what is summed is even, or odd. */
static void
note(uint64_t *sum, const uint8_t *p, size_t n, bool odd)
{
    uint16_t part = checksum_add(p, n, 0);

    if (odd) /* RFC 1071 section 2B */
        part = (uint16_t)(part << 8 | part >> 8);
    *sum += part;
}

static void
replace(uint8_t *to, const uint8_t *bytes, size_t n, bool odd, struct change *c)
{
    note(&c->was, to, n, odd);
    memcpy(to, bytes, n);
    note(&c->is, to, n, odd);
}

/* RFC 1624 equation 3: the new checksum is the complement of (~old + ~was + is). */
static void
mend(uint8_t *checksum, const struct change *c)
{
    const uint16_t was = checksum_add(checksum, 0, c->was), is = checksum_add(checksum, 0, c->is);
    uint16_t old, sum;

    memcpy(&old, checksum, sizeof(old));
    sum = checksum_add(checksum, 0, (uint64_t)(uint16_t)~old + (uint16_t)~was + is);
    sum = (uint16_t)~sum;
    memcpy(checksum, &sum, sizeof(sum));
}

/* UDP: 0 means that there is none, so it is written as its other form. */
static void
mend_transport(const struct weir_packet *pkt, uint8_t *l4, const struct change *c)
{
    uint8_t *checksum = l4 + checksum_at(pkt);

    if (c->was == c->is)
        return;
    if (pkt->proto == WEIR_PROTO_UDP && checksum[0] == 0 && checksum[1] == 0)
        return;
    mend(checksum, c);
    if (pkt->proto == WEIR_PROTO_UDP && checksum[0] == 0 && checksum[1] == 0)
        checksum[0] = checksum[1] = 0xff;
}

static void
change_address(const struct weir_packet *pkt, const struct rewrite *how, uint8_t *ip,
               struct change *c)
{
    const bool source = how->which == WEIR_SOURCE;
    struct change header = { 0, 0 };

    if (pkt->ip_version == 6) {
        replace(ip + (source ? 8 : 24), how->addr->b, 16, false, c);
        return;
    }
    replace(ip + (source ? 12 : 16), how->addr->b, 4, false, &header);
    mend(ip + 10, &header);
    if (pkt->proto == WEIR_PROTO_ICMP) /* which has no addresses summed */
        return;
    c->was += header.was;
    c->is += header.is;
}

static void
take_urgent_off(uint8_t *tcp, struct change *c)
{
    static const uint8_t none[2];
    const uint8_t flags = tcp[13] & (uint8_t)~WEIR_TH_URG;

    replace(tcp + 13, &flags, 1, true, c);
    replace(tcp + 18, none, 2, false, c);
}

void
rewrite_apply(const struct weir_packet *pkt, const struct rewrite *how, uint8_t *frame)
{
    uint8_t *l4 = frame + (pkt->l4 - pkt->frame), *ip = frame + (pkt->ip - pkt->frame);
    uint8_t *payload = frame + (pkt->payload - pkt->frame);
    struct change c = { 0, 0 };

    if (how->urgent) {
        take_urgent_off(l4, &c);
        mend_transport(pkt, l4, &c);
        return;
    }
    if (how->bytes != NULL)
        replace(payload + how->at, how->bytes, how->n, (payload - l4 + how->at) % 2 != 0, &c);
    if (how->addr != NULL)
        change_address(pkt, how, ip, &c);
    if (how->port >= 0) {
        const uint8_t port[2] = { (uint8_t)(how->port >> 8), (uint8_t)how->port };

        replace(l4 + port_at(pkt, how->which), port, 2, false, &c);
    }
    mend_transport(pkt, l4, &c);
}
