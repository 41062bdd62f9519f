#include "frag_policy.h"

/* Targets that are not in the list keep what came first, as IPv4 of most systems does. */
static const enum frag_policy of_ipv4[] = {
    [WEIR_POLICY_LINUX] = FRAG_LINUX,
};

enum frag_policy
frag_policy_of(enum weir_policy policy, unsigned ip_version)
{
    if (policy == WEIR_POLICY_LINUX)
        return FRAG_LINUX;
    return ip_version == 6 ? FRAG_STRICT : of_ipv4[policy];
}

/* Row: start before, same, behind. Column: end before, same, behind. */
static const bool new_wins[FRAG_DECIDE][3][3] = {
    [FRAG_FIRST] = { { false, false, false }, { false, false, false }, { false, false, false } },
    [FRAG_LAST] = { { true, true, true }, { true, true, true }, { true, true, true } },
    [FRAG_BSD] = { { true, true, true }, { false, false, false }, { false, false, false } },
    [FRAG_OLD_LINUX] = { { true, true, true }, { true, true, true }, { false, false, false } },
    [FRAG_WINDOWS] = { { false, false, true }, { false, false, false }, { false, false, false } },
    [FRAG_SOLARIS] = { { false, true, true }, { false, false, false }, { false, false, false } },
};

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

bool
frag_new_wins(enum frag_policy policy, int start, int end)
{
    return new_wins[policy][sign(start) + 1][sign(end) + 1];
}
