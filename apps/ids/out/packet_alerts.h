/*
 * Alerts of a packet, until all of it has been looked at: then the gravest are written, the gravest
 * first, so many as packet-alert-max lets it have. Gravity is as in Suricata: by action, priority
 * and sid; what is equal stays as it came.
 *
 * Memory:  all is made by packet_alerts_new(), and used as needed.
 * Threads: one core.
 */
#ifndef IDS_PACKET_ALERTS_H
#define IDS_PACKET_ALERTS_H

#include "out/eve_out.h"

struct packet_alerts; /* opaque */

/* Called with each alert that is told. */
typedef void (*packet_alert_fn)(void *ctx, const struct eve_draft *draft);

/* most: alerts of a packet. */
int packet_alerts_new(uint32_t most, packet_alert_fn tell, void *ctx, struct packet_alerts **out,
                      struct weir_errbuf *err);

/* NULL is allowed. */
void packet_alerts_free(struct packet_alerts *q);

/* One more alert, at an event. Those of no packet (ev->number 0) have no limit. */
void packet_alerts_add(struct packet_alerts *q, struct eve_out *eve, const struct eve_flow *flow,
                       const struct rule *rule, const struct weir_event *ev,
                       const struct eve_about *about);

/* Whether alerts wait. */
bool packet_alerts_wait(const struct packet_alerts *q);

/* Tell of those that wait, because what they refer to goes; the packet goes on. */
void packet_alerts_tell(struct packet_alerts *q);

/* All of the packet has been looked at. */
void packet_alerts_end(struct packet_alerts *q);

/* Alerts beyond the limit so far. */
uint64_t packet_alerts_over(const struct packet_alerts *q);

#endif
