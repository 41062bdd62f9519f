/* Bytes of a packet become others, and its checksums with them: RFC 1624. */
#ifndef WEIR_REWRITE_H
#define WEIR_REWRITE_H

#include <weir/packet.h>
#include <weir/verdict.h>

/* Bytes of the payload, or the urgent pointer, or an endpoint. */
struct rewrite {
    bool urgent;          /* it is taken off, and nothing else of this counts */
    const uint8_t *bytes; /* NULL: an endpoint */
    uint32_t at, n;
    enum weir_endpoint which;
    const struct weir_addr *addr; /* NULL: stays */
    int port;                     /* -1: stays */
};

/* Whether it can be done: as weir_rewrite_payload() and its like say. */
int rewrite_check(const struct weir_packet *pkt, const struct rewrite *how);

/* Do it to these bytes, which are those of the packet's frame, or what became of them before. */
void rewrite_apply(const struct weir_packet *pkt, const struct rewrite *how, uint8_t *frame);

#endif
