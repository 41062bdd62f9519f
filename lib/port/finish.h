/* Checksums that somebody left to a card that the frame never met. */
#ifndef WEIR_PORT_FINISH_H
#define WEIR_PORT_FINISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Complete the checksum of TCP or UDP in an Ethernet frame, with VLAN tags or without, in whose
 * place the sum of the pseudo header stands, as the kernel leaves it there (CHECKSUM_PARTIAL).
 * Returns false, and leaves the frame as it is, if that is not what it is about: a tunnel's inner
 * packet, say.
 */
bool finish_checksum(uint8_t *frame, size_t n);

#endif
