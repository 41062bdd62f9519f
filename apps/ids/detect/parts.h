/* What the files of detection share; for them alone. */
#ifndef IDS_DETECT_PARTS_H
#define IDS_DETECT_PARTS_H

#include "app/app.h"

#include "detect/base64.h"
#include "detect/detect.h"
#include "detect/fit.h"
#include "detect/match.h"
#include "detect/transform.h"

enum { PAYLOAD_MAX = 1 << 18 }; /* of one event; a longer one is looked at closely only so far */

struct detect {
    const struct groups *groups;
    uint32_t generation;     /* how often detect_go_over() was called */
    const struct rule *rule; /* by index */
    struct detect_opts opts;
    alert_fn alert;
    void *ctx;
    struct detect_stats stats;
    struct outcome *outcome;
    uint64_t changes; /* outcome_changes() before the event */
    struct mem_shards shards;

    /* Of the event at hand. */
    struct occasion at;
    struct mem *mem; /* its shard's */
    struct flow_scan *scan;
    int64_t
        window_back; /* bytes that buffer has before the event's, at least; -1: it is not filled */
    struct buffer buffer;
    struct rule_profile *profile; /* by rule; NULL: opts.profile is not set */
    uint64_t *marked;             /* rules to look at, a bit each; none between events */
    size_t low, high;             /* words of marked that may hold bits: [low, high) */
    int64_t *first, *last;        /* likewise: where its fast pattern ended first, and last */
    int64_t *beyond;              /* by rule, if marked: where its fast pattern has to end */
    uint64_t *alerted;            /* by rule: occasion.packet that it alerted on last */
    uint8_t *window;              /* DETECT_WINDOW + PAYLOAD_MAX bytes */
    struct prefilter_scratch *prefilters; /* NULL: there are none */
    struct regex_scratch *scratch;        /* NULL: no rule has a pcre */
    struct transformer *transformer;      /* NULL: no rule has a transform */
    struct view *view;                    /* NULL: opts.any is not set */
    struct base64 *decoded;               /* by base64_decode */
    struct captures *caught;              /* by the rule at hand ... */
    const struct rule *caught_by;         /* ... which is this one; NULL: none has looked */
    struct captures *of_packet;           /* by all rules of the packet with ... */
    uint64_t of_packet_number;            /* ... this occasion.packet */
    struct tx *tx;                        /* that the alert at hand is of; NULL: none */
    struct look *look;                    /* inspect()'s */
};

/*
 * A direction's latest bytes, with copies that did not stay in their places (other) and without
 * (kept); raw: the latter with urgent bytes.
 */
struct view {
    enum weir_dir dir;
    struct buffer buffer;                /* other */
    struct prefilter_stream *scanner[2]; /* by enum weir_dir; NULL: not used yet */
    size_t scanner_size[2];
    uint8_t raw[DETECT_WINDOW], kept[DETECT_WINDOW], other[DETECT_WINDOW];
};

/* Mark a rule to be looked at. beyond: where its fast pattern has to end, at least. */
void detect_mark(struct detect *d, uint32_t rule, int64_t beyond);

void detect_mark_always(struct detect *d, const struct group *group, int64_t beyond);

static inline bool
detect_is_marked(const struct detect *d, uint32_t rule)
{
    return d->marked[rule / 64] >> rule % 64 & 1;
}

static inline void
detect_unmark(struct detect *d, uint32_t rule)
{
    d->marked[rule / 64] &= ~(UINT64_C(1) << rule % 64);
}

/* Call look() with each marked rule, in order, and unmark it. */
void detect_take_marks(struct detect *d, void look(struct detect *d, uint32_t rule));

/* A rule's sections are about to be compared: nothing is decoded or captured yet. */
void detect_begin_rule(struct detect *d, const struct rule *rule);

/* Compare steps of a rule with a buffer, and count what limits cost. */
enum match_answer detect_match(struct detect *d, struct match *m);

/* What a rule without transaction looks for: in the payload, and in what else there is. */
enum match_answer detect_match_all(struct detect *d, struct match *m);

/* The contents, if any, in the packet's payload. */
bool detect_payload_fits(struct detect *d, uint32_t rule);

/* The same for a rule on an event, in the copies that it asks for. */
bool detect_copies_fit(struct detect *d, uint32_t rule);

/*
 * Put what the section's contents are looked for in into *buffer, which holds what it is made of.
 */
enum transform_answer detect_transform(struct detect *d, const struct match *m,
                                       const struct section *section, struct buffer *buffer);

/*
 * The payload: of the stream what is retained up to the event at hand, or the packet's. NULL: none.
 */
const struct buffer *detect_payload(struct detect *d, struct buffer *packet);

/* The packet's header that a buffer stands for; false: it has none. */
bool headers_show(const struct weir_packet *pkt, unsigned buffer, struct buffer *out);

/* Only one side of the flow is there, and the application layer takes that for a connection. */
bool detect_is_one_sided(const struct detect *d);

/* Everything of a rule but its contents. */
bool detect_fits(struct detect *d, uint32_t rule, enum weir_dir dir);

/* An alert of a direction, which may not be the event's. */
void detect_raise(struct detect *d, uint32_t rule, enum weir_dir dir);

static inline void
detect_raise_here(struct detect *d, uint32_t rule)
{
    detect_raise(d, rule, (enum weir_dir)d->at.ev->direction);
}

/* ---- parts of detect_go_on(): the event at hand ---------------------------------------------- */

/* Rules on packets meet its packet. */
void detect_scan_packet(struct detect *d);

/*
 * A packet's own event comes before those of what was noticed in it. Rules that ask for what these
 * have set get another chance: of one packet, those that set come before those that test.
 */
void detect_scan_packet_again(struct detect *d);

/* The first time that a direction's bytes are known to be of some protocol: rules that ask for
 * nothing else. They have no fast pattern. */
void detect_scan_packet_named(struct detect *d);

void detect_scan_payload(struct detect *d);

/* What waits is decided on what came before the gap, whose bytes have their places. */
void detect_pass_gap(struct detect *d);

/*
 * A range came again and differs. Of bytes that wait for others it is not known yet who wins, and
 * it need not be the same copy for all of them: both are remembered.
 */
void detect_note_conflict(struct detect *d);

void detect_finish(struct detect *d, enum weir_dir dir);

void detect_release(struct detect *d);

/* What is kept of the flow is about rules that are not tested any more. */
void detect_renew(struct detect *d, struct flow_scan *scan);

void detect_test_rules(struct detect *d, unsigned type);

void detect_test_anomalies(struct detect *d);

#endif
