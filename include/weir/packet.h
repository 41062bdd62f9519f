/**
 * @file
 * A packet: a frame as it came, with its time and number, and what its headers say.
 *
 * Ownership: a packet and all that it points to are lent to a handler until it returns. If
 * @ref weir_packet.stable is set, its bytes (not the struct) live until the port is closed.
 */
#ifndef WEIR_PACKET_H
#define WEIR_PACKET_H

#include <stdbool.h>
#include <stdint.h>

/** Directions of a flow, and the side that sends in each. */
enum weir_dir {
    WEIR_TOSERVER = 0, /**< sent by the client */
    WEIR_TOCLIENT = 1, /**< sent by the server */
};

/** IPv4 or IPv6 address, in network byte order; IPv4 uses the first four bytes. */
struct weir_addr {
    uint8_t b[16];
};

/** TCP flags, RFC 9293 section 3.1 and RFC 3168. */
enum weir_tcp_flag {
    WEIR_TH_FIN = 0x01,
    WEIR_TH_SYN = 0x02,
    WEIR_TH_RST = 0x04,
    WEIR_TH_PUSH = 0x08,
    WEIR_TH_ACK = 0x10,
    WEIR_TH_URG = 0x20,
    WEIR_TH_ECE = 0x40,
    WEIR_TH_CWR = 0x80,
};

/** IP protocol numbers that have a meaning of their own here. */
enum weir_proto {
    WEIR_PROTO_ICMP = 1,
    WEIR_PROTO_TCP = 6,
    WEIR_PROTO_UDP = 17,
    WEIR_PROTO_ICMPV6 = 58,
};

/** One packet, decoded. Numbers are in host order. */
struct weir_packet {
    uint64_t number; /**< from 1, over all inputs of a run */
    uint64_t time;   /**< nanoseconds since 1970-01-01 UTC, as the packet says */

    const uint8_t *frame; /**< first byte of the link header */
    uint32_t caplen;      /**< bytes captured, all readable */
    uint32_t wirelen;     /**< bytes on the wire; >= caplen */
    uint16_t link;        /**< link type of the frame, a LINKTYPE_ value */
    uint8_t port;         /**< weir_frame.port */
    bool stable;          /**< the frame's bytes live until the port is closed */
    bool truncated;       /**< the snap length cut the innermost payload */
    bool bad_checksum;    /**< it was verified and is wrong: the target drops the packet */
    bool bad_outer_sum;   /**< that of an IPv4 header around the innermost is wrong */

    uint8_t ip_version; /**< 4 or 6; 0: no IP header was decoded */
    uint8_t proto;      /**< IP protocol of the payload, after IPv6 extension headers */
    uint8_t ttl;        /**< TTL or hop limit */
    uint8_t n_vlan;     /**< how many of vlan[] are set */
    uint16_t vlan[3]; /**< VLAN ids, outermost first, 12 bits each; the flow goes by two of them at
                           most, and struct weir_tuple says of which frame */
    bool fragment;    /**< an IP fragment: no transport header was read. The packet that completes
                           a datagram is shown as the whole of it, see whole */
    bool whole;       /**< put together from fragments: the frame is the first one's as if it had
                           not been cut, link header and all; lengths and IPv4 checksums are those
                           of the whole, there is no fragment header, and a UDP header around it has
                           no checksum. Where a tunnel's headers cannot hold its length, the frame
                           is what is in the tunnel. The bytes are not stable */
    bool has_vni;     /**< vni is set */
    uint8_t tunnel;   /**< IP packets around the innermost one; 0: not in a tunnel */
    uint32_t vni;     /**< VXLAN or Geneve network identifier, the innermost, 24 bits */
    struct weir_addr src, dst;
    uint16_t src_port, dst_port; /**< TCP and UDP; ICMP echo: its identifier, in both */
    uint8_t icmp_type, icmp_code;

    uint8_t tcp_flags; /**< enum weir_tcp_flag */
    uint16_t tcp_window;
    uint32_t tcp_seq, tcp_ack;
    const uint8_t *tcp_options; /**< n_tcp_options bytes */
    uint8_t n_tcp_options;

    const uint8_t *ip; /**< innermost IP header; NULL: none */
    const uint8_t *l4; /**< transport header; NULL: none. Of a bad packet it may be cut, anywhere */
    const uint8_t *payload; /**< behind the innermost header that was decoded */
    uint32_t payload_len;   /**< bytes of payload that were captured */
    uint32_t payload_wire;  /**< bytes of payload that its headers claim; >= payload_len */
    uint32_t l4_len;        /**< bytes of transport header and payload by the IP header */
};

#endif
