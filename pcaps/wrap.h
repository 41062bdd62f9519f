/* What stands before an IP packet in a frame: headers of tunnels, and of the link. */
#ifndef WEIR_PCAPS_WRAP_H
#define WEIR_PCAPS_WRAP_H

#include "packet.h"

/* Put them before the IP packet that is in f, the innermost first. */
void wrap_packet(const struct packet *pkt, struct frame *f);

/* What a tunnel is called, may carry, and needs around it. */
struct wrap_form {
    const char *name;
    enum packet_tunnel_kind kind;
    uint32_t id_max; /* of the number behind its name; 0: there is none */
    bool frames;     /* carries Ethernet frames; else IP packets */
    bool over_ip;    /* goes in an IP packet; else on a link */
};

/* The form of a kind, by its index; NULL behind the last. */
const struct wrap_form *wrap_form(size_t i);

#endif
