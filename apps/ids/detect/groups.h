/*
 * Rules sorted by where they are tested: each group is what a kind of bytes in a direction meets,
 * with one prefilter over its rules' fast patterns.
 */
#ifndef IDS_GROUPS_H
#define IDS_GROUPS_H

#include "detect/prefilter.h"
#include "rule/rules.h"

#include <weir/packet.h>

enum group_kind {
    GROUP_STREAM,  /* the bytes of an established TCP flow, in order */
    GROUP_SEGMENT, /* a segment's payload in such a flow */
    GROUP_LONE,    /* a segment's payload where there is no stream */
    GROUP_UDP,
    GROUP_OTHER, /* ICMP and all the rest */
    GROUP_KINDS,
};

struct group {
    struct prefilter *prefilter; /* NULL: no rule of the group has a fast pattern */
    uint32_t *always;            /* rules without one, in order; owned */
    size_t n_always;
};

struct groups {
    const struct rules *rules;
    struct group group[GROUP_KINDS][2]; /* by enum weir_dir */
    int8_t *fast;                       /* by rule: the step the prefilter looks for, or -1 */
    uint32_t *by_event;                 /* rules with event tests, sorted by type, then order */
    size_t first[TEST_TYPES + 1];       /* where a type's begin */
    struct prefilter_scratch *scratch;
    size_t patterns; /* of all prefilters together */
};

/* rules must outlive the groups. */
int groups_new(const struct rules *rules, struct groups **out, struct weir_errbuf *err);
void groups_free(struct groups *groups);

/* Whether a rule asks for what detect/anomaly.c finds in packets, or for fragments. */
static inline bool
groups_ask_packets(const struct groups *groups)
{
    return groups->first[TEST_ANOMALY] < groups->first[TEST_TYPES];
}

static inline bool
group_is_empty(const struct group *group)
{
    return group->prefilter == NULL && group->n_always == 0;
}

#endif
