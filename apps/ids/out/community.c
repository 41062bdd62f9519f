#include "out/community.h"

#include "digest.h"

#include <stdbool.h>
#include <string.h>

enum { SHA1_BYTES = 20 };

/* ICMP has no ports: its type and that of the answer stand for them; without one, its code. */
static bool
icmp_ports(bool v6, uint8_t type, uint8_t code, uint16_t port[2])
{
    static const uint8_t pair[2][10][2] = {
        { { 8, 0 }, { 10, 9 }, { 13, 14 }, { 15, 16 }, { 17, 18 } },
        { { 128, 129 }, { 133, 134 }, { 135, 136 }, { 130, 131 }, { 144, 145 }, { 139, 140 } },
    };

    port[0] = type;
    for (unsigned i = 0; i < 10 && (pair[v6][i][0] | pair[v6][i][1]) != 0; i++) {
        for (unsigned k = 0; k < 2; k++) {
            if (pair[v6][i][k] != type)
                continue;
            port[1] = pair[v6][i][1 - k];
            return true;
        }
    }
    port[1] = code;
    return false;
}

/* Returns whether there are ports; *turnable: both directions have the same id. */
static bool
ports_of(const struct weir_tuple *tuple, uint8_t icmp_type, uint8_t icmp_code, uint16_t port[2],
         bool *turnable)
{
    *turnable = true;
    switch (tuple->proto) {
    case WEIR_PROTO_TCP:
    case WEIR_PROTO_UDP:
        port[0] = tuple->port[0];
        port[1] = tuple->port[1];
        return true;
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        *turnable = icmp_ports(tuple->proto == WEIR_PROTO_ICMPV6, icmp_type, icmp_code, port);
        return true;
    default:
        port[0] = port[1] = 0;
        return false;
    }
}

static void
put_base64(const uint8_t *p, char *to)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (unsigned i = 0; i < SHA1_BYTES; i += 3) {
        uint32_t word = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8;

        if (i + 2 < SHA1_BYTES)
            word |= p[i + 2];
        *to++ = digit[word >> 18];
        *to++ = digit[word >> 12 & 63];
        *to++ = digit[word >> 6 & 63];
        *to++ = i + 2 < SHA1_BYTES ? digit[word & 63] : '=';
    }
    *to = '\0';
}

void
community_id(struct digest *digest, uint16_t seed, const struct weir_tuple *tuple,
             uint8_t icmp_type, uint8_t icmp_code, char text[COMMUNITY_TEXT])
{
    uint8_t in[2 + 32 + 2 + 4], out[DIGEST_MAX];
    size_t size = tuple->ip_version == 4 ? 4 : 16, n = 0;
    uint16_t port[2];
    bool turnable, ports = ports_of(tuple, icmp_type, icmp_code, port, &turnable);
    int order = memcmp(tuple->addr[0].b, tuple->addr[1].b, size);
    unsigned first = turnable && (order > 0 || (order == 0 && port[0] > port[1]));

    in[n++] = (uint8_t)(seed >> 8);
    in[n++] = (uint8_t)seed;
    memcpy(in + n, tuple->addr[first].b, size);
    memcpy(in + n + size, tuple->addr[1 - first].b, size);
    n += 2 * size;
    in[n++] = tuple->proto;
    in[n++] = 0;
    for (unsigned i = 0; i < 2 && ports; i++) {
        in[n++] = (uint8_t)(port[i ^ first] >> 8);
        in[n++] = (uint8_t)port[i ^ first];
    }
    digest_of(digest, DIGEST_SHA1, in, n, out);
    memcpy(text, "1:", 2);
    put_base64(out, text + 2);
}
