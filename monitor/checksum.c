#include "checksum.h"

#include "rd.h"

#include <arpa/inet.h>
#include <string.h>

static uint16_t
fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Works on words in memory order: the sum is independent of byte order (RFC 1071 section 2B). */
uint16_t
checksum_add(const uint8_t *p, size_t n, uint64_t start)
{
    uint64_t sum[4] = { start, 0, 0, 0 };
    uint32_t word[4];
    uint16_t last = 0;

    for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
        memcpy(word, p, sizeof(word));
        for (int i = 0; i < 4; i++)
            sum[i] += word[i];
    }
    for (; n >= 2; n -= 2, p += 2) {
        memcpy(&last, p, 2);
        sum[0] += last;
    }
    last = 0;
    memcpy(&last, p, n);
    return fold(sum[0] + sum[1] + sum[2] + sum[3] + last);
}

static uint64_t
pseudo_header(const struct weir_packet *pkt)
{
    size_t n = pkt->ip_version == 4 ? 4 : 16;
    uint64_t sum = checksum_add(pkt->src.b, n, 0);

    return checksum_add(pkt->dst.b, n, sum) + htons(pkt->proto) + htonl(pkt->l4_len);
}

static bool
transport_right(const struct weir_packet *pkt, bool pseudo)
{
    return checksum_add(pkt->l4, pkt->l4_len, pseudo ? pseudo_header(pkt) : 0) == 0xffff;
}

static bool
udp_has_none(const struct weir_packet *pkt)
{
    return pkt->l4[6] == 0 && pkt->l4[7] == 0;
}

bool
ip_checksum_right(const struct weir_packet *pkt)
{
    return pkt->ip_version != 4 || checksum_add(pkt->ip, (pkt->ip[0] & 15U) * 4U, 0) == 0xffff;
}

bool
checksums_right(const struct weir_packet *pkt, enum weir_layer *layer)
{
    *layer = WEIR_LAYER_IPV4;
    if (pkt->bad_outer_sum || !ip_checksum_right(pkt))
        return false;
    if (pkt->l4 == NULL || pkt->truncated)
        return true;
    switch (pkt->proto) {
    case WEIR_PROTO_TCP:
        *layer = WEIR_LAYER_TCP;
        return transport_right(pkt, true);
    case WEIR_PROTO_UDP:
        *layer = WEIR_LAYER_UDP;
        return udp_has_none(pkt) || transport_right(pkt, true);
    case WEIR_PROTO_ICMP:
        *layer = WEIR_LAYER_ICMP;
        return transport_right(pkt, false);
    case WEIR_PROTO_ICMPV6:
        *layer = WEIR_LAYER_ICMPV6;
        return transport_right(pkt, true);
    default:
        return true;
    }
}
