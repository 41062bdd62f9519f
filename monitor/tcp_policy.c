#include "tcp_policy.h"

/* Row: start before, same, behind. Column: end before, same, behind. */
static const bool new_wins[][3][3] = {
    [WEIR_POLICY_LINUX] = {
        { true, true, true },
        { false, false, true },
        { false, false, false },
    },
};

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

bool
policy_new_wins(enum weir_policy policy, int start, int end)
{
    return new_wins[policy][sign(start) + 1][sign(end) + 1];
}
