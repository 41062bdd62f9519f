/* Everything of a rule but its contents, against an event: header, flow and packet. */
#ifndef IDS_FIT_H
#define IDS_FIT_H

#include "rule/rule.h"

#include <weir/event.h>

/* Where an event comes from and goes to, as headers of rules see it. */
struct ends {
    u128 src, dst;
    uint16_t src_port, dst_port;
    uint8_t ip_version, proto; /* enum rule_proto; 0: there is no IP header */
};

/* The event at hand, and what is known of its flow. */
struct occasion {
    const struct weir_event *ev;
    uint64_t tx;       /* 1 + the number of the transaction at hand; 0: none */
    uint64_t packet;   /* stands for its number, and whom it is shown to; 0: no packet */
    bool established;  /* TCP: the handshake was seen; or these bytes were taken without it */
    bool midstream;    /* flows without their SYN have streams too */
    uint8_t app_proto; /* enum app_proto: what the flow speaks, APP_UNKNOWN_YET at first */
    bool has_ends;     /* ends is filled */
    struct ends ends;
};

/* Whether the flow's bytes are scanned in order: its handshake was seen, or need not be. */
bool has_stream(const struct occasion *at);

/* Where the event comes from and goes to, found once. */
const struct ends *occasion_ends(struct occasion *at);

/* Payload that was held up until the receiver's packet came; the one that carried it is gone. */
bool occasion_is_held_up(struct occasion *at);

bool rule_fits(struct occasion *at, const struct rule *rule);

/* Only what the rule asks of the flow, and the direction. */
bool rule_fits_flow(struct occasion *at, const struct rule *rule);

/* Whether a rule that does not fit may do so once it is known what the flow speaks. */
bool rule_may_fit(struct occasion *at, const struct rule *rule);

#endif
