/* Internet checksums (RFC 1071) of a decoded packet. */
#ifndef WEIR_CHECKSUM_H
#define WEIR_CHECKSUM_H

#include <weir/event.h>
#include <weir/packet.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Verify the checksums of all IPv4 headers and of the innermost transport. A payload that the snap
 * length cut cannot be verified and passes; so does a UDP checksum of 0, which means none (RFC 768;
 * RFC 6935 for IPv6).
 *
 * Returns false and the layer of the first wrong one.
 */
bool checksums_right(const struct weir_packet *pkt, enum weir_layer *layer);

/* The checksum of the IPv4 header alone; there is none in IPv6. */
bool ip_checksum_right(const struct weir_packet *pkt);

/* Sum of the 16-bit words of p[0..n), folded to 16 bits, not complemented; start: a sum so far. */
uint16_t checksum_add(const uint8_t *p, size_t n, uint64_t start);

#endif
