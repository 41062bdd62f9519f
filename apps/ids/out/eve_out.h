/*
 * The writer of eve.json: one JSON object for each alert, anomaly, transaction, flow that ended and
 * so on, as Suricata's (doc/eve.md lists the keys). struct outputs says which are written.
 *
 * Memory:  all is allocated by eve_out_new(); records are put together in the ring of the log.
 * Threads: one core.
 */
#ifndef IDS_EVE_OUT_H
#define IDS_EVE_OUT_H

#include "detect_proto.h"
#include "eve.h"
#include "out.h"
#include "out/community.h"
#include "out/outputs.h"
#include "rule/rule.h"

#include <weir/event.h>
#include <weir/flow.h>

struct captures;
struct digest;
struct enforced;
struct flow_past;
struct outcome;
struct tx;

/* Output's part of a flow; all zero at first. */
struct eve_flow {
    int64_t gap_at[2]; /* by enum weir_dir: the last hole that was given up */
    uint32_t gap_n[2]; /* its bytes; 0: there was none */
    bool drop_told[2]; /* by enum weir_dir: a record tells of a dropped packet */
    uint64_t told[2];  /* anomalies that were told, a bit for each anomaly_number() */
    /* Of the first packet; the VLANs are needed where flows go by none. */
    uint8_t icmp_type, icmp_code, n_vlan, interface;
    uint16_t vlan[2];
};

/* What an alert or a record knows beyond its event; zeros: nothing. Lent. */
struct eve_about {
    uint8_t app;    /* enum app_proto: what the flow speaks */
    struct tx *tx;  /* the transaction that an alert is about; NULL: none */
    bool has_tx_id; /* tx_id is set, with or without tx */
    uint64_t tx_id;
    uint64_t tx_count;           /* transactions of the flow, for its record */
    bool alerted;                /* the flow has alerted, for its record */
    bool bypassed;               /* nothing but its end was looked at at last, likewise */
    const char *action;          /* "allowed", "blocked"; NULL: allowed */
    const struct enforced *done; /* in line: what was done to the event's packet; NULL: nothing */
    uint8_t target;              /* whose address the rule's target: names: enum eve_target */
    /* For metadata{} and context{}; NULL: nothing is known. */
    const struct outcome *outcome;
    const struct flow_past *past;
    const struct captures *of_packet, *of_alert;
};

/* Where packets come from; zeros: nobody knows. Lent. */
struct eve_input {
    const char *const *interfaces; /* NULL: a replay */
    const char *const *file;       /* the capture that is being read; what it points to changes */
};

enum { EVE_HOLE_TEXT = 64 }; /* "[4 bytes missing]" */

/* Bytes of a stream that a record shows. */
struct eve_bytes {
    uint8_t *p;
    size_t n;
    size_t hole_at, hole_n; /* the words of a hole among them; hole_n 0: there are none */
    int64_t end;            /* offset behind them */
    int64_t own;            /* the last so many are the event's own */
};

/* An alert's record between eve_alert_begin() and eve_alert_end(). Lent, but for the event. */
struct eve_draft {
    const struct eve_flow *flow;
    const struct rule *rule;
    struct weir_event ev;
    struct eve_about about;
    const uint8_t *text; /* head bytes, the verdict's place, and more: n in all */
    size_t head, n;
    bool stream, too_long;
    struct eve_bytes bytes; /* behind text; stream only */
};

struct eve_room {
    uint8_t *p;
    size_t n;
};

enum eve_target { EVE_TARGET_NONE, EVE_TARGET_SRC, EVE_TARGET_DEST };

/* By protocol, as stats counts them. */
enum eve_flow_kind {
    EVE_FLOW_TCP,
    EVE_FLOW_UDP,
    EVE_FLOW_ICMPV4,
    EVE_FLOW_ICMPV6,
    EVE_FLOW_OTHER,
    EVE_FLOW_KINDS
};

/* They only grow. */
struct eve_counts {
    uint64_t written[EVE_TYPES];
    uint64_t flows[EVE_FLOW_KINDS];    /* that ended */
    uint64_t app_flows[APP_PROTOS][2]; /* of those, by what they speak; [1]: over UDP */
    uint64_t app_tx[APP_PROTOS][2];    /* transactions that are over */
    uint64_t dns_cut;                  /* sections of messages that were cut: DNS_SHOWN */
};

struct eve_out {
    struct eve_opts opts;
    struct eve_input input; /* set by who knows */
    struct out *out;
    struct digest *digest; /* NULL: no community id */
    struct eve_community { /* the last one: records of a flow come together */
        struct weir_tuple tuple;
        uint8_t icmp_type, icmp_code;
        char text[COMMUNITY_TEXT];
    } community;
    uint8_t *payload; /* room for what payload shows, with what is said of holes */
    struct eve_counts count;
};

/* out may be NULL: nothing is written. opts is copied. WEIR_E_NOMEM, with a text. */
int eve_out_new(const struct eve_opts *opts, struct out *out, struct eve_out **eve,
                struct weir_errbuf *err);

/* NULL is allowed. */
void eve_out_free(struct eve_out *eve);

/* Bits of the events that eve_event() needs. */
uint64_t eve_wants(const struct eve_out *eve);

/* Any event of a flow, or of none, before detection sees it: anomalies, flow_event. */
void eve_event(struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev,
               const struct eve_about *about);

void eve_alert(struct eve_out *eve, const struct eve_flow *flow, const struct rule *rule,
               const struct weir_event *ev, const struct eve_about *about);

/*
 * The same in two steps: what is known of transactions and captures, and remembered of the flow, is
 * put together when all rules have looked at the event, and draft->text to the end of draft->bytes
 * holds it, in room; false: that is too small. The verdict, and what the packet released of the
 * stream, are known when all of the packet has been looked at: the flow lives, and the packet is
 * there.
 */
bool eve_alert_begin(struct eve_out *eve, const struct eve_flow *flow, const struct rule *rule,
                     const struct weir_event *ev, const struct eve_about *about,
                     struct eve_room room, struct eve_draft *draft);
void eve_alert_end(struct eve_out *eve, const struct eve_draft *draft);

/* A packet that a rule's tag has recorded. */
void eve_packet(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
                const struct eve_about *about);

/*
 * A packet was dropped, as about->done says; action: of the alert that did it. Not told of all: see
 * eve_opts.drop_all.
 */
void eve_drop(struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev,
              const struct eve_about *about);

/* ev is the flow_end; call it last. */
void eve_flow_record(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
                     const struct eve_about *about);

/* An event of the application layer, by name, while ev is under way. */
void eve_app_anomaly(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
                     const char *name, const struct eve_about *about);

/* ---- for the files that write records ------------------------------------------------------ */

enum eve_source {
    EVE_OF_PACKET, /* says which packet, or that there was none */
    EVE_OF_FLOW,
};

/* Begin a record: what all have, community_id and, behind it, what is known of the transaction. */
void eve_out_begin(struct eve_out *eve, struct json *j, enum eve_type type, enum eve_source source,
                   const struct eve_flow *flow, const struct weir_event *ev,
                   const struct eve_about *about);

/* app_proto, if it is known. */
void eve_put_app(struct json *j, const struct eve_about *about);

/* app_proto, direction and metadata, behind the record's own object. */
void eve_put_context(struct eve_out *eve, struct json *j, const struct weir_event *ev,
                     const struct eve_about *about);

/* metadata{}: what rules remember of the flow, and captured; nothing if there is none. */
void eve_put_metadata(struct json *j, const struct eve_about *about);

/* context{}: what the alert's own rule captured for it, likewise. */
void eve_put_captured(struct json *j, const struct eve_about *about);

/* As Suricata prints payload: what is no ASCII is a dot, but for line ends. */
void eve_put_printable(struct json *j, const uint8_t *p, size_t n);

/* alert{}. */
void eve_put_alert(const struct eve_out *eve, struct json *j, const struct rule *rule,
                   const struct weir_event *ev, const struct eve_about *about);

/* verdict{}: what became of the event's packet. */
void eve_put_verdict(struct json *j, const struct weir_event *ev, const struct enforced *done);

/* packet{}, packet_info{}; nothing if pkt is NULL. */
void eve_put_packet(struct json *j, const struct weir_packet *pkt);

/* pkts_toserver and so on. */
void eve_put_counts(struct json *j, const struct weir_flow *flow);

void eve_put_time(struct json *j, const char *key, uint64_t ns);

/* fast.log: a line for each alert. */
void fast_alert(struct out *out, const struct rule *rule, const struct weir_event *ev);

#endif
