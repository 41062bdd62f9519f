/* Frames of our own that tell an end that its packet was refused. */
#ifndef WEIR_REJECT_H
#define WEIR_REJECT_H

#include <weir/packet.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    REJECT_LINK = 64, /* bytes of link headers, at most */
    REJECT_QUOTED =
        1232, /* of the packet, in an ICMPv6 error (RFC 4443 section 2.4): 1,280 in all */
    REJECT_ROOM = REJECT_LINK + 40 + 8 + REJECT_QUOTED,
};

struct rst {
    bool back; /* to the packet's sender, as if from its receiver; else as if from the sender */
    bool ack;  /* with ack_number */
    uint32_t seq, ack_number;
    uint8_t ttl; /* 0: 64 */
};

/*
 * Write the frame with link headers, VLAN tags among them, as the packet's are, turned round if it
 * goes back. Returns its length; 0: nobody is to be told, or the link is one of which too little is
 * known.
 */
uint32_t
reject_rst(const struct weir_packet *pkt, const struct rst *rst, uint8_t room[REJECT_ROOM]);

/* Likewise: an ICMP error to the sender, that the packet was administratively prohibited. */
uint32_t reject_icmp(const struct weir_packet *pkt, uint8_t room[REJECT_ROOM]);

#endif
