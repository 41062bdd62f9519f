#include "ether.h"

#include "rd.h"

#include <string.h>

enum { LINK_ETHERNET = 1, ADDRESSES = 12, TAGS_MAX = 16 }; /* the decoder's limit, too */

static bool
is_tag(unsigned type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* Reads to behind the type. */
static unsigned
read_type(const struct weir_packet *pkt, struct rd *rd, unsigned *n_tags)
{
    uint16_t type = 0;

    *rd = (struct rd){ pkt->frame, pkt->frame + pkt->caplen };
    *n_tags = 0;
    if (pkt->link != LINK_ETHERNET || rd_take(rd, ADDRESSES) == NULL || !rd_be16(rd, &type))
        return 0;
    while (is_tag(type) && *n_tags < TAGS_MAX) {
        ++*n_tags;
        if (rd_take(rd, 2) == NULL || !rd_be16(rd, &type))
            return 0;
    }
    return type;
}

unsigned
ether_type(const struct weir_packet *pkt, unsigned *n_tags)
{
    struct rd rd;

    return read_type(pkt, &rd, n_tags);
}

const uint8_t *
ether_arp(const struct weir_packet *pkt)
{
    static const uint8_t begins[7] = { 0, 1, 8, 0, 6, 4, 0 };
    const uint8_t *arp;
    unsigned n_tags;
    struct rd rd;

    if (read_type(pkt, &rd, &n_tags) != ETHER_ARP)
        return NULL;
    arp = rd_take(&rd, ARP_BYTES);
    if (arp == NULL || memcmp(arp, begins, sizeof(begins)) != 0 ||
        (arp[7] != ARP_REQUEST && arp[7] != ARP_REPLY))
        return NULL;
    return arp;
}
