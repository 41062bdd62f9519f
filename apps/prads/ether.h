/* What an Ethernet frame holds behind its VLAN tags, of which struct weir_packet counts not all. */
#ifndef WEIR_PRADS_ETHER_H
#define WEIR_PRADS_ETHER_H

#include <weir/packet.h>

enum { ETHER_ARP = 0x0806, ETHER_IPV6 = 0x86dd, ARP_BYTES = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

/* Behind all tags; 0: it is another kind of frame, or cut. n_tags: those that are there. */
unsigned ether_type(const struct weir_packet *pkt, unsigned *n_tags);

/*
 * A request or reply of ARP (RFC 826) for IPv4 over Ethernet, ARP_BYTES of it; NULL: it is none.
 * Its operation is byte 7, the sender's addresses begin at 8 and 14.
 */
const uint8_t *ether_arp(const struct weir_packet *pkt);

#endif
