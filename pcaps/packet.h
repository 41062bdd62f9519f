/* Frames from what is known of them, with right lengths and checksums unless told otherwise. */
#ifndef WEIR_PCAPS_PACKET_H
#define WEIR_PCAPS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* LINKTYPE_ values, https://www.tcpdump.org/linktypes.html */
enum packet_link {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    LINK_SLL = 113,
    LINK_SLL2 = 276,
};

enum packet_proto { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58 };

enum packet_flag {
    FLAG_FIN = 1,
    FLAG_SYN = 2,
    FLAG_RST = 4,
    FLAG_PSH = 8,
    FLAG_ACK = 16,
    FLAG_URG = 32,
    FLAG_ECE = 64,
    FLAG_CWR = 128,
};

enum {
    PACKET_DATA_MAX = 65000,            /* with all headers still a legal IP packet */
    PACKET_MAX = PACKET_DATA_MAX + 535, /* what an IP packet may hold */
    PACKET_VLANS = 4,
    PACKET_TUNNELS = 4,
    PACKET_FRAG = 65535, /* where a fragment may begin and end, at most */
    PACKET_QUOTE = 68,   /* the longest IP header and eight bytes */
};

enum packet_tunnel_kind {
    TUNNEL_MPLS,
    TUNNEL_PW, /* a pseudowire, with control word */
    TUNNEL_PPPOE,
    TUNNEL_IP,
    TUNNEL_GRE,
    TUNNEL_GRE_KEY,
    TUNNEL_PPTP,
    TUNNEL_NVGRE,
    TUNNEL_ERSPAN,
    TUNNEL_VXLAN,
    TUNNEL_GENEVE,
    TUNNEL_GTPU,
    TUNNEL_TEREDO,
};

/* A tunnel around a packet. */
struct packet_tunnel {
    enum packet_tunnel_kind kind;
    uint32_t id;
    uint8_t ip_version;          /* of the IP packet that carries it; 0: none does */
    bool frames;                 /* it carries an Ethernet frame */
    uint16_t vlan[PACKET_VLANS]; /* of that frame */
    unsigned n_vlan;
};

struct packet_end {
    uint8_t addr[16]; /* IPv4: the first four */
    uint16_t port;
};

/* Numbers are wide so that a script's table can set them; ABSENT: the right value. */
#define PACKET_ABSENT INT64_MIN

struct packet {
    enum packet_link link;
    uint8_t proto;   /* enum packet_proto; 0: data is the whole frame */
    uint8_t version; /* of IP */
    bool from_client;
    struct packet_end src, dst;
    uint16_t vlan[PACKET_VLANS]; /* outermost first */
    unsigned n_vlan;
    struct packet_tunnel tunnel[PACKET_TUNNELS]; /* innermost first */
    unsigned n_tunnel;
    int64_t ttl, ihl, iplen;          /* header fields */
    bool bad_ip_sum, bad_sum, no_sum; /* of the IP header; of the transport */
    int64_t frag_id;                  /* ABSENT: the packet is not cut into fragments */
    int64_t frag_from, frag_n;        /* bytes of its payload, of which there are so many */
    int64_t frag_more;                /* flag; ABSENT: if bytes are left */

    uint32_t seq, ack; /* TCP */
    uint8_t flags;
    int64_t win, urg, doff;
    uint8_t option[40];
    size_t n_option;

    int64_t udplen;           /* UDP */
    int64_t type, code, rest; /* ICMP; rest: bytes 4 to 7 */

    size_t n;
    uint8_t data[PACKET_DATA_MAX];
};

struct frame {
    size_t n;
    size_t ip; /* where the innermost IP header begins */
    uint8_t data[PACKET_MAX];
};

/* Bytes of transport header and data: what fragments are cut from. */
size_t packet_size(const struct packet *pkt);

void packet_build(const struct packet *pkt, struct frame *out);

#endif
