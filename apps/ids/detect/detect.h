/*
 * Detection: which rules a flow event fulfils. Stages of a tap call detect_event(); each rule that
 * matches is reported once a packet, rules of the same event in their order.
 *
 * Threads: one core; the rules and groups may be shared.
 */
#ifndef IDS_DETECT_H
#define IDS_DETECT_H

#include "app/app.h"
#include "detect/groups.h"
#include "detect/outcome.h"

#include <weir/event.h>

#include <assert.h>

enum {
    DETECT_WINDOW = 65536, /* bytes back from the newest that contents are looked for in */
    PENDING_MAX = 256,     /* rules that may wait for more of one direction's bytes */
};

struct pending;
struct holes;
struct others;

/* What few directions have. */
struct stream_rare {
    struct holes *holes;     /* where urgent bytes are; NULL: none is in [base, end), or no_holes */
    struct others *others;   /* copies that did not stay; NULL: there was none yet */
    struct pending *pending; /* rules that wait for more bytes */
    uint16_t n_pending, room;
};

/*
 * Detection's part of one direction of a flow; all zero at first. Offsets are the engine's; places,
 * by which contents are found, count no urgent bytes: a place is an offset less those before it.
 */
struct stream_scan {
    struct prefilter_stream *stream;
    uint64_t fed;              /* bytes that it was given */
    int64_t base, end;         /* offsets; what was scanned: [base, end) */
    struct stream_rare *rare;  /* NULL: nothing of it */
    uint32_t skipped;          /* urgent bytes before end: one for a segment, at most */
    uint32_t stream_size : 27; /* bytes of its state, at most 1 << MEM_MAX_SHIFT */
    uint32_t started : 1;
    uint32_t late : 1;     /* rules came when bytes had gone by: places are offsets */
    uint32_t cut : 1;      /* bytes behind end were not scanned: by snap length, or no stream */
    uint32_t no_holes : 1; /* no memory for holes: nobody knows where they are in [base, end) */
    uint32_t given_up : 1; /* no memory, or the flow is over: not scanned any more */
};
static_assert(sizeof(struct stream_scan) <= 48, "every flow pays for two of them");

struct flow_scan {
    struct flow_past past;
    uint32_t generation;  /* of the rules that dir is about */
    bool established : 1; /* TCP: the handshake was seen */
    bool opened : 1;      /* TCP: a host took bytes before that */
    bool alerted : 1;
    uint8_t met;   /* a bit for each enum weir_dir: rules on addresses alone have met it */
    bool named[2]; /* by enum weir_dir: rules on what the flow speaks have met that it is known */
    struct stream_scan dir[2];
    struct app_flow app;
};

struct detect_stats {
    uint64_t alerts;
    uint64_t scanned;         /* stream bytes that went through a prefilter */
    uint64_t candidates;      /* rules that were looked at closely */
    uint64_t no_memory;       /* directions that were given up because memory ran out */
    uint64_t pending_lost;    /* rules that could not wait: PENDING_MAX, or no memory */
    uint64_t window_lost;     /* looks that missed bytes no longer retained */
    uint64_t given_up;        /* looks that took too long (MATCH_BUDGET) */
    uint64_t pcre_limits;     /* expressions that took too many steps */
    uint64_t transforms_lost; /* transforms that did not fit, or whose expression took too long */
    uint64_t unverified;      /* looks that had but the fast pattern to go by (no_holes) */
    uint64_t tx_scanned;      /* bytes of transactions' buffers that went through a prefilter */
    uint64_t tx_lost; /* rules that could not wait for a transaction's rest, or may alert twice */
    uint64_t captures_lost; /* captures that found no room */
    uint64_t others;        /* copies that did not stay, remembered */
    uint64_t others_lost;   /* those that could not be (others_add()) */
};

/* What one rule cost. */
struct rule_profile {
    uint64_t looks, matches;
    uint64_t ns;
};

/*
 * A rule has matched that does something to packets (outcome_acts()), alert or not: at this event.
 */
typedef void (*act_fn)(void *ctx, const struct rule *rule, const struct weir_event *ev);

struct detect_opts {
    bool profile;    /* measure what each rule costs */
    bool midstream;  /* flows without their SYN have streams too */
    bool any;        /* streams are tried with the copies that did not stay, too */
    uint64_t memory; /* cap of what streams take, and what rules remember of flows, on all cores */
    uint32_t cores;  /* 0: 1 */
    struct outcome_opts outcome;
    act_fn act; /* called before alert_fn, with its ctx; NULL: nothing is done to packets */
};

/* ev: the event, without its packet where that is not what the rule's header was compared with. */
typedef void (*alert_fn)(void *ctx, const struct rule *rule, const struct weir_event *ev);

struct detect;

/* groups must outlive it. */
int detect_new(const struct groups *groups, const struct detect_opts *opts, alert_fn alert,
               void *ctx, struct detect **out, struct weir_errbuf *err);
void detect_free(struct detect *d);

/*
 * Other rules, made ready on any thread while the ones before are tested. d must not go over to
 * others meanwhile. with: the first core's, that others share (outcome_opts.with). Text in err:
 * WEIR_E_NOMEM.
 */
struct detect_next;
int
detect_next_new(const struct detect *d, const struct groups *groups, const struct limits *limits,
                const struct detect_next *with, struct detect_next **out, struct weir_errbuf *err);
void detect_next_free(struct detect_next *next);

/*
 * Test these from now on: between two packets. Flows stay what they are, with what rules remember
 * of them and of addresses; rules that were waiting for more bytes do not go on, tags begin anew,
 * and counts (threshold) of rules that are others. next is freed; the groups before are not needed
 * any more.
 */
void detect_go_over(struct detect *d, struct detect_next *next);

/* Bits of the events that the rules need. */
uint64_t detect_wants(const struct detect *d);

/*
 * An event. Before it detect_begin() may be called, and then the transactions that the event
 * completes be inspected. scan: the flow's; that of no flow for events without one.
 */
void detect_begin(struct detect *d, struct flow_scan *scan, const struct weir_event *ev);
void detect_event(struct detect *d, struct flow_scan *scan, const struct weir_event *ev);

/* detect_event() where detect_begin() was called for the event. When the flow has ended, and nobody
 * asks any more what rules remember of it, call detect_forget(). */
void detect_go_on(struct detect *d);
void detect_forget(struct detect *d);

/* By rule, of those that are tested now; NULL: opts.profile is not set. */
const struct rule_profile *detect_get_profile(const struct detect *d);

/* The transaction that the alert at hand is about; NULL: none. */
struct tx *detect_tx(const struct detect *d);

/* In alert_fn: what rules captured of this packet, and this one for its alert; NULL: nothing. */
const struct captures *detect_packet_captures(const struct detect *d);
const struct captures *detect_alert_captures(const struct detect *d);

const struct detect_stats *detect_get_stats(const struct detect *d);

/*
 * In act_fn: contents of the rule that have others in their place (replace) get these in the packet
 * as it leaves. False: the packet could not be changed.
 */
bool detect_replace(struct detect *d, const struct rule *rule, const struct weir_event *ev);

/* What decides on matches: for its counters, and in alert_fn for outcome_action(). */
const struct outcome *detect_outcome(const struct detect *d);

#endif
