/*
 * Rules sorted by where they are tested: each group is what a kind of bytes in a direction meets,
 * with one prefilter over its rules' fast patterns.
 */
#ifndef IDS_GROUPS_H
#define IDS_GROUPS_H

#include "detect/prefilter.h"
#include "rule/buffer.h"
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
    uint32_t reach;   /* no fast pattern of a rule on packets can end behind so many bytes */
    uint32_t *always; /* rules without one, in order; owned */
    size_t n_always;
};

/*
 * What is known of a rule on streams before its steps are compared: how far back from its fast
 * pattern's end they can reach, and a content behind the fast pattern that has to be there, too.
 */
struct plan {
    int64_t back; /* bytes before the fast pattern's end */
    int8_t probe; /* the step; -1: none */
    int32_t low,
        high; /* it lies in [low, high) behind the end; high PLAN_FAR: anywhere from low on */
};

enum { PLAN_FAR = INT32_MAX };

struct groups {
    const struct rules *rules;
    struct group group[GROUP_KINDS][2]; /* by enum weir_dir */
    /* Of rules on transactions, by buffer and by the side that shows it: WEIR_TOSERVER the
     * request's; NULL: no fast pattern is looked for there. */
    struct prefilter *of_buffer[BUFFERS][2];
    struct group tx_always[2]; /* those without a fast pattern, by the side they are decided at */
    bool has_tx;               /* there are rules on transactions */
    bool has_bodies;           /* ... that look at a body */
    uint32_t *by_app_event;    /* rules with app-layer-event, sorted by its name, then order */
    size_t n_app_events;
    int8_t *fast;                      /* by rule: the step the prefilter looks for, or -1 */
    struct plan *plan;                 /* by rule */
    uint32_t *by_event;                /* rules with event tests, sorted by type, then order */
    size_t first[TEST_TYPES + 1];      /* where a type's begin */
    struct prefilter_scratch *scratch; /* for the prefilters; cores use copies */
    size_t patterns;                   /* of all prefilters together */
};

/*
 * Where the rules of an event of the application layer begin in by_app_event, and how many they
 * are.
 */
size_t groups_of_app_event(const struct groups *groups, const char *name, size_t *n);

/* Whether the rule is tested on these bytes. */
bool groups_hold(const struct rule *rule, enum group_kind kind, enum weir_dir dir);

/* What was compiled: how many prefilters, and what a TCP flow takes for its streams at most. */
struct groups_size {
    size_t prefilters;
    size_t stream_bytes;
};

struct groups_size groups_measure(const struct groups *groups);

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
