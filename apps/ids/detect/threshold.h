/*
 * How often rules alert: suppress, threshold, detection_filter and rate_filter. Matches are counted
 * in one table by address, flow or rule.
 *
 * Threads: one core; thresholds_share() lets cores take turns at the table. Rules that nothing
 *          counts wait for nobody.
 */
#ifndef IDS_DETECT_THRESHOLD_H
#define IDS_DETECT_THRESHOLD_H

#include "detect/keyed.h"
#include "detect/subject.h"
#include "rule/limits.h"

enum { THRESHOLD_KEYS_MAX = 1 << 18 }; /* rules by address, flow, ... that are counted at once */

struct thresholds;

/* limits may be NULL. *out is NULL where no rule is limited. */
int thresholds_new(const struct rules *rules, const struct limits *limits,
                   const struct keyed_opts *opts, struct thresholds **out, struct weir_errbuf *err);
void thresholds_free(struct thresholds *t);

/* Count together with another core, of the same rules. Either may be NULL. */
void thresholds_share(struct thresholds *t, const struct thresholds *with);

/*
 * What was counted under the rules before goes on for those that are the same, by gid, sid, rev and
 * threshold. Either may be NULL: false.
 */
bool thresholds_inherit(struct thresholds *t, const struct thresholds *before);

/* What comes of a match; a greater one is more. */
enum threshold_let {
    LET_NOTHING,
    LET_ACT,   /* no alert, but what the rule does to packets is done: as in Suricata */
    LET_ALERT, /* both */
};

/* Count a match of the rule. *action: what it does, changed by rate_filter. */
enum threshold_let
thresholds_let(struct thresholds *t, uint32_t rule, const struct subject *subject, uint8_t *action);

/* Whether a suppress of the file means alerts of gid and sid on this subject. */
bool limits_suppress(const struct limits *limits, uint32_t gid, uint32_t sid,
                     const struct subject *subject);

struct threshold_stats {
    uint64_t suppressed; /* alerts that did not come for suppress */
    uint64_t held;       /* ... for a threshold or detection_filter */
    uint64_t lost;       /* counts that made room for others; of all who share them */
};

void thresholds_get_stats(const struct thresholds *t, struct threshold_stats *out);

#endif
