#include "packet.h"

#include "bytes.h"
#include "wrap.h"

#include <assert.h>
#include <string.h>

/* ---- bytes --------------------------------------------------------------------------------- */

static uint8_t *
add(struct frame *f, size_t n)
{
    uint8_t *p = f->data + f->n;

    assert(n <= sizeof(f->data) - f->n);
    f->n += n;
    memset(p, 0, n);
    return p;
}

static int64_t
or_else(int64_t given, int64_t right)
{
    return given != PACKET_ABSENT ? given : right;
}

/* ---- checksums ----------------------------------------------------------------------------- */

/* Wrong for sure, and not 0, which UDP takes for none. */
static uint16_t
spoil(uint16_t sum)
{
    sum ^= 0x5555;
    return sum != 0 ? sum : 0x1111;
}

static size_t
addr_size(const struct packet *pkt)
{
    return pkt->version == 4 ? 4 : 16;
}

static uint32_t
pseudo_header(const struct packet *pkt, size_t length)
{
    uint32_t sum = sum16(pkt->src.addr, addr_size(pkt), (uint32_t)length + pkt->proto);

    return sum16(pkt->dst.addr, addr_size(pkt), sum);
}

/* ---- sizes --------------------------------------------------------------------------------- */

static size_t
tcp_header_size(const struct packet *pkt)
{
    return 20 + (pkt->n_option + 3) / 4 * 4;
}

size_t
packet_size(const struct packet *pkt)
{
    return pkt->n + (pkt->proto == PROTO_TCP ? tcp_header_size(pkt) : 8);
}

/* ---- fragments ----------------------------------------------------------------------------- */

static bool
is_fragment(const struct packet *pkt)
{
    return pkt->frag_id != PACKET_ABSENT;
}

static bool
more_follow(const struct packet *pkt)
{
    const int64_t end = pkt->frag_from + pkt->frag_n;

    return or_else(pkt->frag_more, end < (int64_t)packet_size(pkt)) != 0;
}

/* RFC 8200 section 4.5. */
static void
fragment_header(const struct packet *pkt, struct frame *f)
{
    uint8_t *p = add(f, 8);

    p[0] = pkt->proto;
    put16(p + 2, pkt->frag_from | more_follow(pkt));
    put32(p + 4, pkt->frag_id);
}

/* What stands behind the IP header was written whole; leave the fragment's part of it. */
static void
cut_out(const struct packet *pkt, struct frame *f, size_t at)
{
    if (!is_fragment(pkt))
        return;
    memmove(f->data + at, f->data + at + pkt->frag_from, (size_t)pkt->frag_n);
    f->n = at + (size_t)pkt->frag_n;
}

/* ---- IP ------------------------------------------------------------------------------------ */

static void
ipv4(const struct packet *pkt, struct frame *f, size_t l4_len)
{
    uint8_t *p = add(f, 20);
    uint16_t sum;

    p[0] = (uint8_t)(0x40 | or_else(pkt->ihl, 5));
    put16(p + 2, or_else(pkt->iplen, (int64_t)(20 + l4_len)));
    if (is_fragment(pkt)) {
        put16(p + 4, pkt->frag_id);
        put16(p + 6, pkt->frag_from / 8 | (more_follow(pkt) ? 0x2000 : 0));
    } else {
        p[6] = 0x40; /* don't fragment */
    }
    p[8] = (uint8_t)or_else(pkt->ttl, 64);
    p[9] = pkt->proto;
    memcpy(p + 12, pkt->src.addr, 4);
    memcpy(p + 16, pkt->dst.addr, 4);
    sum = fold(sum16(p, 20, 0));
    put16(p + 10, pkt->bad_ip_sum ? spoil(sum) : sum);
}

static void
ipv6(const struct packet *pkt, struct frame *f, size_t l4_len)
{
    uint8_t *p = add(f, 40);

    p[0] = 0x60;
    put16(p + 4, or_else(pkt->iplen, (int64_t)l4_len + (is_fragment(pkt) ? 8 : 0)));
    p[6] = is_fragment(pkt) ? 44 : pkt->proto;
    p[7] = (uint8_t)or_else(pkt->ttl, 64);
    memcpy(p + 8, pkt->src.addr, 16);
    memcpy(p + 24, pkt->dst.addr, 16);
    if (is_fragment(pkt))
        fragment_header(pkt, f);
}

/* ---- transport ----------------------------------------------------------------------------- */

/* Write the checksum of all from p on into the two bytes at at, which are zero. */
static void
seal(const struct packet *pkt, struct frame *f, const uint8_t *p, uint8_t *at)
{
    size_t n = (size_t)(f->data + f->n - p);
    uint16_t sum = fold(sum16(p, n, pkt->proto == PROTO_ICMP ? 0 : pseudo_header(pkt, n)));

    if (pkt->no_sum)
        return;
    if (pkt->proto == PROTO_UDP && sum == 0)
        sum = 0xffff;
    put16(at, pkt->bad_sum ? spoil(sum) : sum);
}

static void
add_data(const struct packet *pkt, struct frame *f)
{
    uint8_t *p = add(f, pkt->n);

    if (pkt->n > 0)
        memcpy(p, pkt->data, pkt->n);
}

static void
tcp(const struct packet *pkt, struct frame *f)
{
    size_t header = tcp_header_size(pkt);
    uint8_t *p = add(f, header);

    put16(p, pkt->src.port);
    put16(p + 2, pkt->dst.port);
    put32(p + 4, pkt->seq);
    put32(p + 8, pkt->ack);
    p[12] = (uint8_t)(or_else(pkt->doff, (int64_t)(header / 4)) << 4);
    p[13] = pkt->flags;
    put16(p + 14, or_else(pkt->win, 65535));
    put16(p + 18, or_else(pkt->urg, 0));
    memcpy(p + 20, pkt->option, pkt->n_option);
    add_data(pkt, f);
    seal(pkt, f, p, p + 16);
}

static void
udp(const struct packet *pkt, struct frame *f)
{
    uint8_t *p = add(f, 8);

    put16(p, pkt->src.port);
    put16(p + 2, pkt->dst.port);
    put16(p + 4, or_else(pkt->udplen, (int64_t)(8 + pkt->n)));
    add_data(pkt, f);
    seal(pkt, f, p, p + 6);
}

static void
icmp(const struct packet *pkt, struct frame *f)
{
    uint8_t *p = add(f, 8);

    p[0] = (uint8_t)or_else(pkt->type, 0);
    p[1] = (uint8_t)or_else(pkt->code, 0);
    put32(p + 4, or_else(pkt->rest, 0));
    add_data(pkt, f);
    seal(pkt, f, p, p + 2);
}

void
packet_build(const struct packet *pkt, struct frame *out)
{
    const size_t size = is_fragment(pkt) ? (size_t)pkt->frag_n : packet_size(pkt);
    size_t l4;

    out->n = out->ip = 0;
    if (pkt->proto == 0) {
        add_data(pkt, out);
        return;
    }
    if (pkt->version == 4)
        ipv4(pkt, out, size);
    else
        ipv6(pkt, out, size);
    l4 = out->n;
    if (pkt->proto == PROTO_TCP)
        tcp(pkt, out);
    else if (pkt->proto == PROTO_UDP)
        udp(pkt, out);
    else
        icmp(pkt, out);
    cut_out(pkt, out, l4);
    wrap_packet(pkt, out);
}
