/* Which of two IP fragments a target keeps where they overlap: Novak, Target-Based Fragmentation
 * Reassembly (2005), and what Linux does today. */
#ifndef WEIR_FRAG_POLICY_H
#define WEIR_FRAG_POLICY_H

#include <weir/monitor.h>

#include <stdbool.h>

enum frag_policy {
    FRAG_FIRST, /* also macOS, old Solaris, HP-UX 11 */
    FRAG_LAST,
    FRAG_BSD,       /* also HP-UX 10, IRIX */
    FRAG_OLD_LINUX, /* 2.x to 4.17 */
    FRAG_WINDOWS,   /* also Vista, 2003 */
    FRAG_SOLARIS,
    FRAG_DECIDE, /* those below discard the datagram, but for what they take for a repetition */
    FRAG_LINUX = FRAG_DECIDE, /* a repetition lies wholly inside one run: see pieces.h */
    FRAG_STRICT               /* RFC 5722: a repetition has the same place, length and bytes */
};

/* How a target of this kind treats fragments of an IP version. */
enum frag_policy frag_policy_of(enum weir_policy policy, unsigned ip_version);

/*
 * Who owns the bytes that a new fragment shares with an old one: the new one? For the policies
 * before FRAG_DECIDE.
 *
 * start, end: below, equal to or above 0 as the new fragment starts (ends) before, with or behind
 * the old one, both taken as they came.
 */
bool frag_new_wins(enum frag_policy policy, int start, int end);

#endif
