/*
 * The parts that all EVE records share (as in Suricata's eve.json), and addresses
 * and times as text.
 */
#ifndef WEIR_EVE_H
#define WEIR_EVE_H

#include "json.h"

#include <weir/event.h>
#include <weir/flow.h>

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
 * or a packet to take them from. Source and destination are those of the packet; without one those
 * of the event's direction.
 */
void
eve_begin(struct json *j, struct out *out, const struct weir_event *ev, const char *event_type);

#endif
