/* Frames made in memory, with right checksums, for tests of the engine. */
#ifndef WEIR_TEST_FRAMES_H
#define WEIR_TEST_FRAMES_H

#include <weir/monitor.h>
#include <weir/packet.h>

#include <stddef.h>
#include <stdint.h>

enum { FRAME_ROOM = 2048, START_SECONDS = 1700000000 };

#define MS UINT64_C(1000000)

/* A TCP segment between two fixed hosts: 10.0.0.1:1000 (the client) and 10.0.0.2:80. */
struct segment {
    enum weir_dir dir;
    uint8_t flags; /* enum weir_tcp_flag */
    uint32_t seq, ack;
    uint16_t window; /* 0: 65535; see zero_window */
    uint8_t wscale;  /* in a SYN: shift + 1; 0: no option */
    const void *data;
    uint32_t n;
    uint64_t ms;          /* after the start */
    uint16_t client_port; /* 0: 1000 */
    bool bad_checksum, zero_window;
    uint8_t ttl;            /* 0: 64 */
    uint16_t urgent;        /* the urgent pointer */
    const uint8_t *options; /* n_options bytes, a multiple of four */
    uint8_t n_options;
};

/* Write the frame (Ethernet, IPv4, TCP) to room, which must live as long as the result. */
struct weir_frame tcp_frame(const struct segment *segment, uint8_t room[FRAME_ROOM]);

/* A UDP datagram between the same hosts, ports 1000 and 53. */
struct weir_frame
udp_frame(enum weir_dir dir, const void *data, uint32_t n, uint64_t ms, uint8_t room[FRAME_ROOM]);

/* A fragment from 10.0.0.1 to 10.0.0.2, or from 2001:db8::1 to 2001:db8::2. */
struct ip_fragment {
    uint8_t version; /* 0: 4 */
    uint8_t proto;   /* 0: UDP */
    uint32_t ident, start;
    bool more;
    const void *data;
    uint32_t n;
    uint32_t lack; /* bytes of it that the snap length cut */
    uint64_t ms;
    uint16_t vlan; /* 0: none */
    bool bad_checksum;
};

struct weir_frame fragment_frame(const struct ip_fragment *fragment, uint8_t room[FRAME_ROOM]);

/* A UDP header with ports 1000 and 53 and n bytes of data, between the hosts of the fragments. */
uint32_t udp_whole(unsigned version, const void *data, uint32_t n, uint8_t *room);

#endif
