/*
 * What a detector is made of, for the files of this folder. A detector is
 *
 * - a struct detector_kind: its name, parameters, alerts, and its stage with the events that it
 *   wants;
 * - a state in each flow, as small as can be: every flow has it, and most are of no interest;
 * - the stage, which looks at an event. If it is one to count, it copies what an alert will need, a
 *   struct sighting, since the event goes when the stage returns; and it asks a table that all
 *   flows share. The table may answer later: what follows is chained to its answer.
 *
 * The chain is the same for all, detector_judge(): weigh the answer against the threshold, ask
 * whether this host was told of lately, raise the alert, give the sighting back.
 *
 * They all have one tap of a flow, so that it is small: its stage calls those that want an event
 * one after the other, and sleeps as long as one of them does.
 *
 * A stage that returns nothing() ends the chain for this event. Any other failure would end the
 * tap: so what the tables refuse is turned into that here.
 */
#ifndef IDS_DETECTOR_H
#define IDS_DETECTOR_H

#include "detectors/detectors.h"

#include <weir/flow.h>
#include <weir/shared.h>

enum { DETECTOR_ALERTS = 2 };

/* The first parameters of each; a detector's own follow. */
enum { PARAM_COUNT, PARAM_SECONDS, PARAM_OWN };

struct detector_kind {
    const char *name; /* in detectors.NAME.PARAMETER */
    weir_fn look;     /* the stage */
    uint64_t want;    /* its events, at most 8 */
    size_t flow_size; /* of its state: 1, 2, 4 or a multiple of 8; 0: it has none */
    bool is_posted; /* counts so often that cores do not wait for their turns: detectors/posted.h */
    struct {
        const char *name; /* NULL: there are no more */
        int64_t value, most;
    } param[DETECTOR_PARAMS];
    struct {
        uint32_t sid; /* 0: there is none */
        const char *msg, *class;
        unsigned priority;
    } alert[DETECTOR_ALERTS];
};

extern const struct detector_kind port_scan, syn_flood, brute_force, fake_storm, rst_injection,
    dns_tunnel;

struct detector {
    const struct detector_kind *kind;
    unsigned index; /* of all's */
    size_t flow_at; /* its state in what all have in a flow */
    struct detectors *all;
    struct weir_shared *shared; /* what it counts */
    struct posted *posted;      /* likewise, where there are several cores */
    int64_t param[DETECTOR_PARAMS];
    struct rule rule[DETECTOR_ALERTS];
};

/* What is kept of an event for the alert; from a pool of the core, for as long as answers take. */
struct sighting {
    struct detector *by;
    struct weir_flow *flow; /* lives as long as its tap sleeps */
    uint64_t time, number;
    uint8_t direction; /* of the alert */
    uint8_t host;      /* enum weir_dir: whose side's host is told of once a window */
    uint8_t alert;     /* of the kind's */
    uint8_t threshold; /* parameter */
};

WEIR_FUTURE(event, const struct weir_event *);
WEIR_FUTURE(count, int64_t);

/* The end of the chain for this event. */
static inline count_fut
nothing(void)
{
    return count_of(weir_stop());
}

/*
 * Keep what an alert about dir needs, its first one, with PARAM_COUNT as threshold and its sender
 * as the host to blame. Goes to detector_judge(). NULL: too many wait for answers, which is
 * counted.
 */
struct sighting *sight(const struct weir_event *ev, enum weir_dir dir);

/* In the stage: listen to no more than these events of the flow. */
void narrow(const struct weir_event *ev, uint64_t wanted);

/* ---- keys ---------------------------------------------------------------------------------- */

struct key {
    uint8_t n;
    uint8_t b[WEIR_SHARED_KEY_MAX];
};

/* Of what, and where: addresses mean other hosts in other VLANs. */
void key_begin(struct key *key, char what, const struct weir_tuple *tuple);
void key_bytes(struct key *key, const void *p, size_t n);

static inline void
key_addr(struct key *key, const struct weir_tuple *tuple, enum weir_dir side)
{
    key_bytes(key, tuple->addr[side].b, tuple->ip_version == 4 ? 4 : 16);
}

/* ---- what stages ask ------------------------------------------------------------------------ */

/* How often, and how many different ones, within the detector's window. */
WEIR_MUST_USE count_fut detector_count(const struct sighting *at, const struct key *key,
                                       int64_t more);
WEIR_MUST_USE count_fut detector_distinct(const struct sighting *at, const struct key *key,
                                          const void *member, size_t n);

/*
 * What becomes of an answer: an alert, if it has reached the threshold and there was none on this
 * host in this window. Gives the sighting back.
 */
WEIR_MUST_USE count_fut detector_judge(struct sighting *at, count_fut answer);

#endif
