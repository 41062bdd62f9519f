/*
 * What rules do to packets, in line: drop, reject and their like, as Suricata does.
 *
 * Threads: a core's, in the stage that has the event.
 */
#ifndef IDS_ENFORCE_H
#define IDS_ENFORCE_H

#include "rule/rule.h"

#include <weir/event.h>

/* What was done to the packet at hand. */
struct enforced {
    uint64_t packet;         /* its number; 0: none was dropped so far */
    const char *reason;      /* that it was dropped: as Suricata's records have it */
    const struct rule *rule; /* the first that dropped it; NULL: no rule did */
    uint8_t action;          /* of that: enum rule_action */
    uint8_t reject;          /* the gravest ACTION_REJECT... of the packet's rules; 0: none */
    bool of_flow;            /* so are all behind it */
};

/* Urgent bytes: stream.reassembly.urgent.policy, Suricata's without gap. */
enum urgent_policy {
    URGENT_OOB,    /* their receiver reads them out of band */
    URGENT_INLINE, /* all bytes are read in band: what says otherwise does not go on */
    URGENT_DROP,   /* packets that have some do not go on */
};

struct enforce_opts {
    enum urgent_policy urgent;
    bool invalid;     /* what the target would not take is dropped (stream.drop-invalid) */
    bool conflicting; /* so are other bytes than were sent before (stream.inline) */
};

/*
 * A rule has matched at this event, and does what action says. of_tx: it is about a transaction.
 * The packet, or with it the flow, is dropped where Suricata drops it.
 */
void enforce_rule(struct enforced *done, const struct rule *rule, uint8_t action, bool of_tx,
                  const struct weir_event *ev);

/* Bits of the events that enforce_stream() looks at. */
uint64_t enforce_wants(const struct enforce_opts *opts);

/*
 * An event of a connection whose handshake was seen: drop what would be seen otherwise than we do.
 */
void
enforce_stream(struct enforced *done, const struct enforce_opts *opts, const struct weir_event *ev);

/* Any event: what becomes of packets with an urgent pointer. */
void
enforce_urgent(struct enforced *done, const struct enforce_opts *opts, const struct weir_event *ev);

/* Whether the packet that the event is about was dropped. */
static inline bool
enforced_on(const struct enforced *done, const struct weir_event *ev)
{
    return done->packet != 0 && done->packet == ev->number;
}

#endif
