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

enum { TIME_TEXT = 40, DATE_TEXT = 20, ADDR_TEXT = 48, PROTO_TEXT = 16 };

/* "2024-01-02T03:04:05"; years up to 9999. */
void date_text(uint64_t seconds, char text[DATE_TEXT]);

/* "2024-01-02T03:04:05.678901+0000". */
void time_text(uint64_t ns, char text[TIME_TEXT]);

/* As inet_ntop(): IPv6 by RFC 5952. */
void addr_text(const struct weir_addr *addr, unsigned ip_version, char text[ADDR_TEXT]);

/* The same, but an IPv6 address has all its digits: "fe80:0000:0000:...". */
void addr_text_whole(const struct weir_addr *addr, unsigned ip_version, char text[ADDR_TEXT]);

/*
 * "TCP", "UDP", "ICMP", "IPv6-ICMP", "SCTP", "IP-in-IP", "IPv6" (in IP); the number as three digits
 * otherwise.
 */
void proto_text(unsigned proto, char text[PROTO_TEXT]);

/* What a record says of where from and where to. */
struct eve_ends {
    struct weir_addr addr[2];
    uint16_t port[2];
    uint16_t vlan[3];
    unsigned n_vlan, ip_version, proto; /* ip_version 0: nothing is known */
    int icmp_type, icmp_code;           /* -1: not an ICMP packet */
    bool all_digits;                    /* as addr_text_whole(); false at first */
};

void eve_ends(const struct weir_event *ev, struct eve_ends *out);

/*
 * Begin a record for an event: timestamp, flow_id, pcap_cnt, event_type, vlan, src_ip, src_port,
 * dest_ip, dest_port, proto (and icmp_type, icmp_code instead of ports), as far as there is a flow
 * or a packet to take them from.
 */
void
eve_begin(struct json *j, struct out *out, const struct weir_event *ev, const char *event_type);

/* The same with these ends. */
void eve_begin_ends(struct json *j, struct out *out, const struct weir_event *ev,
                    const char *event_type, const struct eve_ends *ends);

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
