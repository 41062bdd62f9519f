/*
 * What becomes of a match: what the rule remembers, whether an alert comes of it, and what is
 * passed over from then on.
 *
 * Threads: one core. Those of several share what is known of addresses and counted (opts.with), and
 *          take turns at it where a rule asks for that.
 */
#ifndef IDS_OUTCOME_H
#define IDS_OUTCOME_H

#include "detect/captures.h"
#include "detect/fit.h"
#include "detect/state.h"
#include "detect/tag.h"
#include "detect/threshold.h"

/* Of one flow; all zero at first. */
struct flow_past {
    struct memory *memory;     /* flowbits, flowint; NULL: none */
    struct captures *captures; /* flow: variables, entropies; NULL: none */
    bool passed;               /* a rule let all of the flow pass */
};

/* Told of each packet that a tag has recorded: its own event. */
typedef void (*tagged_fn)(void *ctx, const struct weir_event *ev);

struct outcome_opts {
    const struct limits *limits;  /* of a threshold file; NULL: none. They must outlive it */
    struct keyed_opts keyed;      /* of the tables by address */
    tagged_fn tagged;             /* may be NULL */
    void *ctx;                    /* of tagged */
    const struct outcome *before; /* what the rules before remembered goes on; NULL: nothing */
    const struct outcome *with;   /* another core's, of the same rules, which outlives this one: its
                                     tables are used; NULL: there is none */
};

struct outcome_stats {
    struct state_stats state;
    struct threshold_stats threshold;
    struct tag_stats tag;
    uint64_t passed;    /* matches of pass rules */
    uint64_t passed_by; /* alerts that did not come for them */
};

struct outcome;

/* *mem: where the memory of the flow at hand comes from. Rules and mem must outlive it. */
int outcome_new(const struct rules *rules, const struct outcome_opts *opts, struct mem *const *mem,
                struct outcome **out, struct weir_errbuf *err);
void outcome_free(struct outcome *o);

/* Its rules take the place of those before: between two packets. */
void outcome_inherit(struct outcome *o, struct outcome *before);

/* Whether what the rule asks for is so: cheap, and before its contents are looked for. */
bool outcome_may(struct outcome *o, struct occasion *at, struct flow_past *past, uint32_t rule,
                 enum weir_dir dir);

/* All of the rule has matched, once for this packet: do what it says. True: an alert comes. */
bool outcome_alerts(struct outcome *o, struct occasion *at, struct flow_past *past, uint32_t rule,
                    enum weir_dir dir);

/* enum rule_action of the alert at hand: the rule's own, or what a rate_filter made of it. */
uint8_t outcome_action(const struct outcome *o);

/*
 * Whether the match at hand does to packets what its action says: also where no alert comes of it.
 */
bool outcome_acts(const struct outcome *o);

/* "allowed" or "blocked", as Suricata has it in line and where it only looks on. */
const char *outcome_action_text(const struct outcome *o, bool in_line);

/* Whether packets' own events are needed for outcome_packet(), which tells of tagged ones. */
bool outcome_wants_packets(const struct outcome *o);
void outcome_packet(struct outcome *o, struct occasion *at, struct flow_past *past);

/* Changes so far of what flows and addresses are known for. */
uint64_t outcome_changes(const struct outcome *o);

/* Whether a rule asks for what others remember. */
bool outcome_is_asked(const struct outcome *o, uint32_t rule);

/* Tell of each bit that is set for a flow, and of each number. */
void outcome_tell(const struct outcome *o, const struct flow_past *past, known_fn tell, void *ctx);

/* The flow is over. */
void outcome_forget(struct outcome *o, struct flow_past *past);

/* What tables forgot stands in the first core's: sums over cores are right. */
void outcome_get_stats(const struct outcome *o, struct outcome_stats *out);

#endif
