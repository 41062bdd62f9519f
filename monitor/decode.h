/*
 * From a frame to a packet: link, VLAN, tunnel, network and transport headers, each read through a
 * bounded reader. A frame cut by the snap length (truncated) and one that contradicts itself
 * (malformed) are different answers.
 *
 * The packet is the innermost IP packet that can be read:
 * - where a tunnel holds nothing of IP, or has a form that is not opened, it is the one around it;
 * - likewise where only a UDP port spoke for the tunnel and what is inside is malformed;
 * - VLAN ids are those of the frame in the tunnel, or, if that has no tag, those around it.
 */
#ifndef WEIR_DECODE_H
#define WEIR_DECODE_H

#include <weir/event.h>
#include <weir/packet.h>
#include <weir/port.h>

#include <stdbool.h>
#include <stdint.h>

enum decode_result {
    DECODE_FLOW,     /* addresses and, where the protocol has them, ports: belongs to a flow */
    DECODE_NO_FLOW,  /* nothing wrong, but no IP inside */
    DECODE_FRAGMENT, /* a piece of an IP packet: payload is what it carries, behind the IPv4 header
                        or the IPv6 fragment header; pkt->ip is the header before */
    DECODE_BAD,      /* see fault */
};

struct decode_fault {
    enum weir_layer layer;
    enum weir_bad why;
};

/* Fill *out from the frame; number is the caller's to set. */
enum decode_result
decode(const struct weir_frame *frame, struct weir_packet *out, struct decode_fault *fault);

/*
 * The same in the place of a packet before. *plain: whether *out is what this function left, with
 * *plain set, and nobody changed since, but for its number and bad_checksum. Most packets differ in
 * few fields, and only those are written.
 */
enum decode_result decode_next(const struct weir_frame *frame, struct weir_packet *out,
                               struct decode_fault *fault, bool *plain);

/* Of a frame of another LINKTYPE_ nothing is read: it belongs to no flow. */
bool decode_knows_link(uint16_t link);

/*
 * Decode a packet put together from fragments, the last of which is *pkt; its number stays. The
 * headers before ip, which points into the frame, are those of a fragment: the lengths in them are
 * mended; if a tunnel's headers cannot hold them, the packet's frame is what is in the tunnel. What
 * is behind ip is as if it had never been cut.
 */
enum decode_result decode_whole(const struct weir_frame *frame, uint8_t *ip,
                                struct weir_packet *pkt, struct decode_fault *fault);

#endif
