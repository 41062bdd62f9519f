#include "port/finish.h"

enum {
    ETHERNET = 14,
    IPV4 = 20,
    IPV6 = 40,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TCP = 6,
    UDP = 17,
};

static unsigned
be16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* Where the network header begins; *type: what it is. 0: there is none. */
static size_t
skip_link(const uint8_t *frame, size_t n, unsigned *type)
{
    size_t at = ETHERNET;

    if (n < at)
        return 0;
    *type = be16(frame + at - 2);
    while ((*type == 0x8100 || *type == 0x88a8) && n - at >= 4) {
        *type = be16(frame + at + 2);
        at += 4;
    }
    return at;
}

/* The segment or datagram that a packet carries whole; n bytes of the frame are left from p on. */
static bool
find_ipv4(const uint8_t *p, size_t n, size_t *at, size_t *length, unsigned *protocol)
{
    if (n < IPV4 || be16(p + 2) > n || (be16(p + 6) & 0x3fff) != 0) /* a fragment */
        return false;
    *at = (p[0] & 15U) * 4;
    if (*at < IPV4 || be16(p + 2) < *at)
        return false;
    *length = be16(p + 2) - *at;
    *protocol = p[9];
    return true;
}

static bool
find_ipv6(const uint8_t *p, size_t n, size_t *at, size_t *length, unsigned *protocol)
{
    if (n < IPV6 || be16(p + 4) > n - IPV6)
        return false;
    *at = IPV6;
    *length = be16(p + 4);
    *protocol = p[6];
    return true;
}

static uint16_t
sum_of(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += be16(p + i);
    if (n % 2 != 0)
        sum += (unsigned)p[n - 1] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The sum of the pseudo header is among the bytes. */
static void
complete(uint8_t *p, size_t n, size_t place, bool udp)
{
    uint16_t sum = (uint16_t)~sum_of(p, n);

    if (sum == 0 && udp) /* which would mean that there is none */
        sum = 0xffff;
    p[place] = (uint8_t)(sum >> 8);
    p[place + 1] = (uint8_t)sum;
}

bool
finish_checksum(uint8_t *frame, size_t n)
{
    unsigned type = 0, protocol = 0;
    const size_t net = skip_link(frame, n, &type);
    size_t at, length, place;

    if (net == 0 || !(type == TYPE_IPV4   ? find_ipv4(frame + net, n - net, &at, &length, &protocol)
                      : type == TYPE_IPV6 ? find_ipv6(frame + net, n - net, &at, &length, &protocol)
                                          : false))
        return false;
    place = protocol == TCP ? 16 : 6;
    if ((protocol != TCP && protocol != UDP) || length < place + 2)
        return false;
    complete(frame + net + at, length, place, protocol == UDP);
    return true;
}
