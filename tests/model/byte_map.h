/*
 * A stream as a map of its bytes, with the segment that each came in: what the models of reassembly
 * and of a whole receiver have in common.
 */
#ifndef WEIR_TEST_BYTE_MAP_H
#define WEIR_TEST_BYTE_MAP_H

#include <weir/monitor.h>

#include <stdbool.h>
#include <stdint.h>

enum { LENGTH = 200 };

struct byte {
    bool there;
    bool doubt; /* it does not count before the receiver acknowledges it */
    uint8_t value;
    int start, end; /* of the segment that brought it, */
    int turn;       /* and when it came */
};

struct byte_map {
    struct byte at[LENGTH];
    int next; /* all before was delivered */
    unsigned policy;
};

static inline uint64_t
random_below(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

static inline bool
map_waits(const struct byte_map *map)
{
    bool waits = false;

    for (int p = map->next; p < LENGTH; p++)
        waits = waits || map->at[p].there;
    return waits;
}

/* By how starts and ends relate (before, same, behind): the policies where the new one wins. */
static inline bool
map_new_wins(const struct byte_map *map, int start, int end, const struct byte *old)
{
    const unsigned last = 1U << WEIR_POLICY_LAST, old_linux = 1U << WEIR_POLICY_OLD_LINUX;
    const unsigned linuxes = 1U << WEIR_POLICY_LINUX | old_linux;
    const unsigned late = 1U << WEIR_POLICY_SOLARIS | 1U << WEIR_POLICY_HPUX11;
    const unsigned early = linuxes | 1U << WEIR_POLICY_BSD | 1U << WEIR_POLICY_HPUX10 |
                           1U << WEIR_POLICY_IRIX | 1U << WEIR_POLICY_MACOS |
                           1U << WEIR_POLICY_WINDOWS | 1U << WEIR_POLICY_WINDOWS2K3;
    const unsigned table[3][3] = {
        { early, early | late, early | late },
        { 0, old_linux | late, linuxes | late },
        { 0, 0, late },
    };
    int s = 1 + (start > old->start) - (start < old->start);
    int e = 1 + (end > old->end) - (end < old->end);

    return (table[s][e] | last) >> map->policy & 1;
}

/*
 * Linux: what continues a segment that waits is one with it, unless another one that has the bytes
 * there is found first: one that is older, or begins there, or is joined to it. Returns the start.
 */
static inline int
map_join(struct byte_map *map, int from, int end)
{
    const struct byte *before, *at = &map->at[from];
    int start;

    if (map->policy != WEIR_POLICY_LINUX || from <= map->next)
        return from;
    before = at - 1;
    if (!before->there || before->doubt || before->end != from)
        return from;
    if (from < LENGTH && at->there &&
        (at->start >= from || at->start == before->start || at->turn < before->turn))
        return from;
    start = before->start;
    for (int p = map->next; p < from; p++)
        if (map->at[p].there && map->at[p].start == start && map->at[p].end == from)
            map->at[p].end = end;
    return start;
}

#endif
