/*
 * Fingerprints of operating systems: what of a packet's IP and TCP headers tells its sender's
 * system, as text and for comparison with signatures.
 */
#ifndef WEIR_PRADS_FINGERPRINT_H
#define WEIR_PRADS_FINGERPRINT_H

#include <weir/packet.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_OPTIONS_MAX = 15, FP_TEXT_MAX = 200 };

/* Which packet of a connection the fingerprint was taken from. */
enum fp_kind {
    FP_SYN,
    FP_SYNACK,
    FP_FIN,
    FP_RST,
    FP_ACK, /* one in the middle of things */
    FP_KINDS
};

enum fp_quirk {
    FP_PAST = 0x1,     /* P options behind their end */
    FP_ZERO_ID = 0x2,  /* Z IP identification is 0; IPv6: the flow label */
    FP_IP_OPT = 0x4,   /* I */
    FP_URG = 0x8,      /* U urgent pointer is not 0 */
    FP_X2 = 0x10,      /* X reserved bits are set */
    FP_ACK_NUM = 0x20, /* A acknowledgement number is not 0 */
    FP_T2 = 0x40,      /* T the second timestamp is not 0 */
    FP_FLAGS = 0x80,   /* F flags that do not belong here */
    FP_DATA = 0x100,   /* D */
    FP_BROKEN = 0x200, /* ! options cannot be read */
    FP_RST_ACK = 0x400,
    FP_SEQ_EQ = 0x800, /* Q sequence and acknowledgement numbers are the same */
    FP_SEQ_0 = 0x1000,
    FP_FIN_ACK = 0x2000,
    FP_FLOW_LABEL = 0x4000 /* L */
};

enum { FP_OPT_EOL, FP_OPT_NOP, FP_OPT_MSS, FP_OPT_WSCALE, FP_OPT_SACK, FP_OPT_TIME = 8 };

struct fingerprint {
    uint16_t window, size, mss, quirks;
    uint8_t ttl, wscale, n_options;
    bool df, zero_time; /* zero_time: the first timestamp is 0 */
    uint8_t option[FP_OPTIONS_MAX + 1];
    uint32_t time; /* first timestamp, or 0 */
};

/* Take the fingerprint of a TCP packet. */
void fp_take(const struct weir_packet *pkt, enum fp_kind kind, struct fingerprint *fp);

enum fp_form {
    FP_PLAIN,
    FP_STDOUT, /* of PRADS's -v: FP_ACK and FP_RST show no size, FP_ACK always three options */
};

/* "S4:64:1:60:M1460,S,T,N,W7:." Returns its length. */
size_t
fp_text(const struct fingerprint *fp, enum fp_kind kind, enum fp_form form, char text[FP_TEXT_MAX]);

/* "20:64:1:0:64:0:I" of UDP, "0:8:0:64:1:0:84:64:I" of ICMP over IPv4. */
size_t fp_udp_text(const struct weir_packet *pkt, char text[FP_TEXT_MAX]);
size_t fp_icmp_text(const struct weir_packet *pkt, char text[FP_TEXT_MAX]);

/* The letter of a quirk; quirk_of(): 0 if there is none. */
uint16_t fp_quirk_of(char letter);

/* What link has this MTU; NULL: none that is known. */
const char *fp_link(unsigned mtu);

/* The TTL that the sender most likely began with: 32, 64, 128 or 255. */
static inline uint8_t
fp_first_ttl(uint8_t ttl)
{
    return ttl > 128 ? 255 : ttl > 64 ? 128 : ttl > 32 ? 64 : 32;
}

#endif
