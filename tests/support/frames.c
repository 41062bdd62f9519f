#include "frames.h"

#include <string.h>

enum { ETHERNET = 14, IP = 20 };

static void
put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* RFC 1071, as slow and plain as in its section 4.1. */
static uint32_t
sum16(const uint8_t *p, size_t n, uint32_t sum)
{
    for (; n >= 2; n -= 2, p += 2)
        sum += (uint32_t)(p[0] << 8 | p[1]);
    return n > 0 ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint16_t
finish16(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Ethernet and IPv4 headers before l4_len bytes of transport. */
static void
headers(uint8_t *f, enum weir_dir dir, uint8_t proto, size_t l4_len)
{
    uint8_t *ip = f + ETHERNET;

    memset(f, 0, ETHERNET + IP);
    f[12] = 8;
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(IP + l4_len));
    ip[8] = 64;
    ip[9] = proto;
    put32(ip + 12, dir == WEIR_TOSERVER ? 0x0a000001 : 0x0a000002);
    put32(ip + 16, dir == WEIR_TOSERVER ? 0x0a000002 : 0x0a000001);
    put16(ip + 10, finish16(sum16(ip, IP, 0)));
}

static void
set_ttl(uint8_t *f, uint8_t ttl)
{
    uint8_t *ip = f + ETHERNET;

    ip[8] = ttl;
    put16(ip + 10, 0);
    put16(ip + 10, finish16(sum16(ip, IP, 0)));
}

static uint16_t
transport_sum(const uint8_t *f, uint8_t proto, size_t l4_len)
{
    uint32_t sum = sum16(f + ETHERNET + 12, 8, 0) + proto + (uint32_t)l4_len;

    return finish16(sum16(f + ETHERNET + IP, l4_len, sum));
}

static struct weir_frame
frame_of(const uint8_t *f, size_t n, uint64_t ms)
{
    return (struct weir_frame){ .data = f,
                                .caplen = (uint32_t)n,
                                .wirelen = (uint32_t)n,
                                .time = START_SECONDS * UINT64_C(1000000000) + ms * MS,
                                .link = 1,
                                .stable = true };
}

struct weir_frame
tcp_frame(const struct segment *s, uint8_t room[FRAME_ROOM])
{
    uint8_t *tcp = room + ETHERNET + IP;
    size_t header = 20 + (s->wscale > 0 ? 4 : 0) + s->n_options, l4_len = header + s->n;
    uint16_t client_port = s->client_port != 0 ? s->client_port : 1000;

    headers(room, s->dir, WEIR_PROTO_TCP, l4_len);
    memset(tcp, 0, header);
    put16(tcp, s->dir == WEIR_TOSERVER ? client_port : 80);
    put16(tcp + 2, s->dir == WEIR_TOSERVER ? 80 : client_port);
    put32(tcp + 4, s->seq);
    put32(tcp + 8, s->ack);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = s->flags;
    put16(tcp + 14, s->window != 0 || s->zero_window ? s->window : 65535);
    if (s->wscale > 0)
        memcpy(tcp + 20, (uint8_t[]){ 3, 3, (uint8_t)(s->wscale - 1), 0 }, 4);
    if (s->n_options > 0)
        memcpy(tcp + header - s->n_options, s->options, s->n_options);
    put16(tcp + 18, s->urgent);
    if (s->ttl != 0)
        set_ttl(room, s->ttl);
    if (s->n > 0)
        memcpy(tcp + header, s->data, s->n);
    put16(tcp + 16, transport_sum(room, WEIR_PROTO_TCP, l4_len) ^ (s->bad_checksum ? 0x5555U : 0));
    return frame_of(room, ETHERNET + IP + l4_len, s->ms);
}

struct weir_frame
udp_frame(enum weir_dir dir, const void *data, uint32_t n, uint64_t ms, uint8_t room[FRAME_ROOM])
{
    uint8_t *udp = room + ETHERNET + IP;

    headers(room, dir, WEIR_PROTO_UDP, 8 + n);
    put16(udp, dir == WEIR_TOSERVER ? 1000 : 53);
    put16(udp + 2, dir == WEIR_TOSERVER ? 53 : 1000);
    put16(udp + 4, 8 + n);
    put16(udp + 6, 0);
    memcpy(udp + 8, data, n);
    put16(udp + 6, transport_sum(room, WEIR_PROTO_UDP, 8 + n));
    return frame_of(room, ETHERNET + IP + 8 + n, ms);
}

static const uint8_t hosts6[32] = { 0x20, 1, 0xd, 0xb8, [15] = 1, 0x20, 1, 0xd, 0xb8, [31] = 2 };

/* IPv6 header and fragment header; RFC 8200 3 and 4.5. */
static void
headers6(uint8_t *ip, const struct ip_fragment *f, uint8_t proto)
{
    memset(ip, 0, 48);
    ip[0] = 0x60;
    put16(ip + 4, 8 + f->n);
    ip[6] = 44;
    ip[7] = 64;
    memcpy(ip + 8, hosts6, sizeof(hosts6));
    ip[40] = proto;
    put16(ip + 42, f->start | f->more);
    put32(ip + 44, f->ident);
}

static void
headers4(uint8_t *frame, const struct ip_fragment *f, uint8_t proto)
{
    uint8_t *ip = frame + ETHERNET;

    headers(frame, WEIR_TOSERVER, proto, f->n);
    put16(ip + 4, f->ident);
    put16(ip + 6, f->start / 8 | (f->more ? 0x2000U : 0));
    put16(ip + 10, 0);
    put16(ip + 10, finish16(sum16(ip, IP, 0)) ^ (f->bad_checksum ? 0x5555U : 0));
}

struct weir_frame
fragment_frame(const struct ip_fragment *f, uint8_t room[FRAME_ROOM])
{
    const uint8_t proto = f->proto != 0 ? f->proto : WEIR_PROTO_UDP;
    size_t n = ETHERNET + (f->version == 6 ? 48 : IP) + f->n;
    struct weir_frame frame;

    memset(room, 0, ETHERNET);
    if (f->version == 6)
        headers6(room + ETHERNET, f, proto);
    else
        headers4(room, f, proto);
    put16(room + 12, f->version == 6 ? 0x86dd : 0x800);
    if (f->n > 0)
        memcpy(room + n - f->n, f->data, f->n);
    if (f->vlan != 0) {
        memmove(room + 16, room + 12, n - 12);
        put16(room + 12, 0x8100);
        put16(room + 14, f->vlan);
        n += 4;
    }
    frame = frame_of(room, n, f->ms);
    frame.caplen -= f->lack;
    return frame;
}

uint32_t
udp_whole(unsigned version, const void *data, uint32_t n, uint8_t *room)
{
    static const uint8_t hosts4[8] = { 10, 0, 0, 1, 10, 0, 0, 2 };
    const uint32_t hosts = version == 6 ? sum16(hosts6, 32, 0) : sum16(hosts4, 8, 0);

    put16(room, 1000);
    put16(room + 2, 53);
    put16(room + 4, 8 + n);
    put16(room + 6, 0);
    memcpy(room + 8, data, n);
    put16(room + 6, finish16(sum16(room, 8 + n, hosts + WEIR_PROTO_UDP + 8 + n)));
    return 8 + n;
}
