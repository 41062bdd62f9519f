/*
 * The parts that all EVE records share (as in Suricata's eve.json), and addresses
 * and times as text.
 */
#ifndef WEIR_EVE_H
#define WEIR_EVE_H

#include "json.h"

#include <weir/event.h>
#include <weir/flow.h>

#include <stdbool.h>

enum { TIME_TEXT = 40, ADDR_TEXT = 48, PROTO_TEXT = 16 };

/* "2024-01-02T03:04:05.678901+0000". */
void time_text(uint64_t ns, char text[TIME_TEXT]);

/* As inet_ntop(): IPv6 by RFC 5952. */
void addr_text(const struct weir_addr *addr, unsigned ip_version, char text[ADDR_TEXT]);

/* "TCP", "UDP", "ICMP", "IPv6-ICMP", "SCTP"; the number as three digits otherwise. */
void proto_text(unsigned proto, char text[PROTO_TEXT]);

/*
 * Begin a record for an event: timestamp, flow_id, pcap_cnt, event_type, vlan, src_ip, src_port,
 * dest_ip, dest_port, proto (and icmp_type, icmp_code instead of ports), as far as there is a flow
 * or a packet to take them from.
 */
void
eve_begin(struct json *j, struct out *out, const struct weir_event *ev, const char *event_type);

/*
 * Whether an event's addresses are its packet's. An ACK releases what was held up in the other
 * direction, and ends it: what happens to a TCP flow goes by the event's direction. That of an ICMP
 * error is the quoted packet's, its ends are the error's own.
 */
static inline bool
eve_by_packet(const struct weir_event *ev)
{
    if (ev->packet == NULL || ev->flow == NULL)
        return ev->packet != NULL;
    return ev->type == WEIR_EV_PACKET || ev->packet->proto != WEIR_PROTO_TCP;
}

#endif
