/* The headers around a packet that was put together from fragments. */
#include "decode_walk.h"

enum { IP_LENGTH = 2, IP_CHECKSUM = 10, IP_HEADER = 20, UDP_LENGTH = 4, UDP_CHECKSUM = 6 };

/* The same place, to write to. */
static uint8_t *
place(const struct walk *w, const uint8_t *p)
{
    return w->mend->ip - (w->mend->ip - p);
}

static void
put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

uint32_t
mend_length(const struct walk *w, const uint8_t *p, uint32_t n)
{
    w->mend->too_long |= n > UINT16_MAX;
    put16(place(w, p), n <= UINT16_MAX ? n : 0);
    return n;
}

/* RFC 1624: the checksum changes with the field, so a wrong one stays wrong. */
uint32_t
mend_ipv4(const struct walk *w, const uint8_t *p)
{
    const uint16_t before = be16(p + IP_LENGTH);
    const uint32_t total = mend_length(w, p + IP_LENGTH, w->wire + IP_HEADER);
    uint32_t sum = (be16(p + IP_CHECKSUM) ^ 0xffffU) + (before ^ 0xffffU) + be16(p + IP_LENGTH);

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(place(w, p + IP_CHECKSUM), sum ^ 0xffff);
    return total;
}

/* The checksum was one of other bytes: there is none now (RFC 768, RFC 6935). */
uint32_t
mend_udp(const struct walk *w, const uint8_t *p)
{
    put16(place(w, p + UDP_CHECKSUM), 0);
    return mend_length(w, p + UDP_LENGTH, w->wire + 8);
}

/* The payload of a tunnel as a frame: of what is no link type the IP packet is shown. */
static void
show_alone(const struct walk *w, enum layer at)
{
    struct mend *mend = w->mend;

    mend->alone = w->rd.p;
    switch (at) {
    case L_ETHERNET:
        mend->link = LINK_ETHERNET;
        break;
    case L_PPP:
        mend->link = LINK_PPP;
        break;
    default:
        mend->link = LINK_RAW;
        if (at != L_IPV4 && at != L_IPV6 && at != L_RAW_IP)
            mend->alone = mend->ip;
    }
}

void
mend_note_tunnel(const struct walk *w, enum layer at)
{
    struct mend *mend = w->mend;

    if (w->pkt->tunnel == mend->tunnel)
        return;
    mend->tunnel = w->pkt->tunnel;
    if (mend->too_long)
        show_alone(w, at);
    mend->too_long = false;
}
