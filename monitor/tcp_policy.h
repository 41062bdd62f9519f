/*
 * What differs between target hosts. Overlaps: Novak and Sturges, Target-Based TCP Stream
 * Reassembly (2007). RST, SYN and timestamps: RFC 793 or RFC 5961, and Snort 3 (tcp_normalizers.cc)
 * for who follows which.
 */
#ifndef WEIR_TCP_POLICY_H
#define WEIR_TCP_POLICY_H

#include <weir/monitor.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Who owns the bytes that a new segment shares with one that waits: the new one?
 *
 * start, end: below, equal to or above 0 as the new segment starts (ends) before, with or behind
 * the old one, both taken as they came.
 */
bool policy_new_wins(enum weir_policy policy, int start, int end);

/* Where in the sequence space a RST, or a SYN in an established connection, closes that. */
enum tcp_place {
    NOWHERE,   /* a SYN gets a challenge ACK (RFC 5961 section 4), or not even that */
    AT_NEXT,   /* at the next byte alone (RFC 5961 section 3.2) */
    IN_WINDOW, /* anywhere in the window (RFC 793 section 3.9) */
    FROM_NEXT, /* at the next byte, or anywhere behind it */
};

/* What a timestamp of 0 is to the receiver. */
enum tcp_zero {
    ZERO_IS_TIME,     /* one like any other */
    ZERO_IS_NONE,     /* as the latest one: none, so what follows a SYN with it is not checked */
    ZERO_IS_OLD,      /* the same; and after others it is old, but see timestamp_is_right() */
    ZERO_IN_SYN_ENDS, /* in a SYN: the connection has no timestamps */
};

struct tcp_ways {
    enum tcp_place rst, syn;
    enum tcp_zero zero;
    uint8_t slack;     /* by so much a timestamp may be older than the latest */
    bool only_in_turn; /* no timestamp is checked of a segment out of order */
    bool missing_ends; /* a segment without a timestamp ends their use in the connection */
    bool only_asked;   /* no RST with a timestamp answers a SYN without one */
};

const struct tcp_ways *policy_ways(enum weir_policy policy);

#endif
