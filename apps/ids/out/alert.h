/*
 * What weir-ids writes: eve.json, one JSON object for each alert and each flow that ended (as
 * Suricata's), and fast.log, one line for each alert.
 */
#ifndef IDS_ALERT_H
#define IDS_ALERT_H

#include "out.h"
#include "rule/rule.h"

#include <weir/event.h>

/* action: as outcome_action_text() has it. */
void eve_alert(struct out *out, const struct rule *rule, const struct weir_event *ev,
               const char *action);

/* A packet that a rule's tag has recorded. */
void eve_packet(struct out *out, const struct weir_event *ev);

/* ev is the flow_end. */
void eve_flow(struct out *out, const struct weir_event *ev, bool alerted);

void fast_alert(struct out *out, const struct rule *rule, const struct weir_event *ev);

#endif
