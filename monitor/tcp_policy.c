#include "tcp_policy.h"

#include <assert.h>
#include <string.h>

/*
 * Row: start before, same, behind. Column: end before, same, behind. Each policy puts the segments
 * in an order, and in a tie either the older or the newer goes first; so whoever wins against the
 * segment that has the bytes wins against all that had lost them to it.
 */
/* clang-format off */
#define NEVER     { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } }
#define ALWAYS    { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 } }
/* The earlier start; in a tie the older. */
#define BSD       { { 1, 1, 1 }, { 0, 0, 0 }, { 0, 0, 0 } }
/* The earlier start, then the later end; in a tie the older, or the newer. */
#define LINUX     { { 1, 1, 1 }, { 0, 0, 1 }, { 0, 0, 0 } }
#define OLD_LINUX { { 1, 1, 1 }, { 0, 1, 1 }, { 0, 0, 0 } }
/* The later end, then the earlier start; in a tie the newer. */
#define SOLARIS   { { 0, 1, 1 }, { 0, 1, 1 }, { 0, 0, 1 } }
/* clang-format on */

static const struct {
    const char *name;
    bool new_wins[3][3];
} policies[] = {
    [WEIR_POLICY_LINUX] = { "linux", LINUX },
    [WEIR_POLICY_FIRST] = { "first", NEVER },
    [WEIR_POLICY_LAST] = { "last", ALWAYS },
    [WEIR_POLICY_BSD] = { "bsd", BSD },
    [WEIR_POLICY_OLD_LINUX] = { "old-linux", OLD_LINUX },
    [WEIR_POLICY_WINDOWS] = { "windows", BSD },
    [WEIR_POLICY_WINDOWS2K3] = { "windows2k3", BSD },
    [WEIR_POLICY_VISTA] = { "vista", NEVER },
    [WEIR_POLICY_SOLARIS] = { "solaris", SOLARIS },
    [WEIR_POLICY_MACOS] = { "macos", BSD },
    [WEIR_POLICY_IRIX] = { "irix", BSD },
    [WEIR_POLICY_HPUX10] = { "hpux10", BSD },
    [WEIR_POLICY_HPUX11] = { "hpux11", SOLARIS },
};
static_assert(sizeof(policies) / sizeof(policies[0]) == WEIR_POLICY_COUNT, "a policy has no row");

/*
 * Linux as it was measured; first and last have no host behind them, and do the same. The others as
 * Snort 3 has them, but that a SYN closes only where RFC 793 has it do so, and nothing on a BSD of
 * today (FreeBSD, tcp_do_segment()). Of a RST to windows2k3, vista, irix and hpux10 its releases
 * differ; IN_WINDOW is the safe side, for a receiver that had refused it says so. What Windows does
 * with timestamps that answer none is what Suricata was evaded by (its bug 3286).
 */
/* clang-format off */
static const struct tcp_ways ways[] = {
    /*                           a RST      a SYN      a timestamp of 0 */
    [WEIR_POLICY_LINUX]      = { AT_NEXT,   NOWHERE,   ZERO_IS_NONE, .slack = 1 },
    [WEIR_POLICY_FIRST]      = { AT_NEXT,   NOWHERE,   ZERO_IS_NONE, .slack = 1 },
    [WEIR_POLICY_LAST]       = { AT_NEXT,   NOWHERE,   ZERO_IS_NONE, .slack = 1 },
    [WEIR_POLICY_BSD]        = { AT_NEXT,   NOWHERE,   ZERO_IS_OLD, .slack = 0 },
    [WEIR_POLICY_OLD_LINUX]  = { IN_WINDOW, IN_WINDOW, ZERO_IS_NONE, .slack = 0 },
    [WEIR_POLICY_WINDOWS]    = { AT_NEXT,   AT_NEXT,   ZERO_IS_NONE, .only_asked = true },
    [WEIR_POLICY_WINDOWS2K3] = { IN_WINDOW, AT_NEXT,   ZERO_IN_SYN_ENDS, .only_asked = true },
    [WEIR_POLICY_VISTA]      = { IN_WINDOW, AT_NEXT,   ZERO_IS_NONE, .only_asked = true },
    [WEIR_POLICY_SOLARIS]    = { IN_WINDOW, IN_WINDOW, ZERO_IS_TIME, .missing_ends = true },
    [WEIR_POLICY_MACOS]      = { AT_NEXT,   NOWHERE,   ZERO_IS_OLD, .slack = 0 },
    [WEIR_POLICY_IRIX]       = { IN_WINDOW, IN_WINDOW, ZERO_IS_OLD, .slack = 0 },
    [WEIR_POLICY_HPUX10]     = { IN_WINDOW, IN_WINDOW, ZERO_IS_OLD, .slack = 0 },
    [WEIR_POLICY_HPUX11]     = { FROM_NEXT, IN_WINDOW, ZERO_IS_OLD, .only_in_turn = true },
};
/* clang-format on */
static_assert(sizeof(ways) / sizeof(ways[0]) == WEIR_POLICY_COUNT, "a policy has no row");

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

bool
policy_new_wins(enum weir_policy policy, int start, int end)
{
    return policies[policy].new_wins[sign(start) + 1][sign(end) + 1];
}

const struct tcp_ways *
policy_ways(enum weir_policy policy)
{
    return &ways[policy];
}

const char *
weir_policy_name(unsigned policy)
{
    return policy < WEIR_POLICY_COUNT ? policies[policy].name : NULL;
}

int
weir_policy_find(const char *name)
{
    if (strcmp(name, "bsd-right") == 0)
        return WEIR_POLICY_BSD;
    if (strcmp(name, "old-solaris") == 0)
        return WEIR_POLICY_SOLARIS;
    for (int i = 0; i < WEIR_POLICY_COUNT; i++)
        if (strcmp(name, policies[i].name) == 0)
            return i;
    return -1;
}
