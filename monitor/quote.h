/* The packet that an ICMP error quotes: RFC 792, RFC 4443 section 3. */
#ifndef WEIR_QUOTE_H
#define WEIR_QUOTE_H

#include <weir/packet.h>

/*
 * What names the flow of the quoted packet: addresses, ports, protocol, and what was around it.
 * False: the packet is no ICMP error, or quotes too little.
 */
bool quote_read(const struct weir_packet *pkt, struct weir_packet *quoted);

#endif
