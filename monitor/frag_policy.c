#include "frag_policy.h"

static const enum frag_policy of_ipv4[WEIR_POLICY_COUNT] = {
    [WEIR_POLICY_LINUX] = FRAG_LINUX,
    [WEIR_POLICY_FIRST] = FRAG_FIRST,
    [WEIR_POLICY_LAST] = FRAG_LAST,
    [WEIR_POLICY_BSD] = FRAG_BSD,
    [WEIR_POLICY_OLD_LINUX] = FRAG_OLD_LINUX,
    [WEIR_POLICY_WINDOWS] = FRAG_WINDOWS,
    [WEIR_POLICY_WINDOWS2K3] = FRAG_WINDOWS,
    [WEIR_POLICY_VISTA] = FRAG_WINDOWS,
    [WEIR_POLICY_SOLARIS] = FRAG_SOLARIS,
    [WEIR_POLICY_MACOS] = FRAG_FIRST,
    [WEIR_POLICY_IRIX] = FRAG_BSD,
    [WEIR_POLICY_HPUX10] = FRAG_BSD,
    [WEIR_POLICY_HPUX11] = FRAG_FIRST,
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
