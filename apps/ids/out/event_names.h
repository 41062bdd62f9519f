/* Which flow events are anomalies, and what Suricata calls them. */
#ifndef IDS_OUT_EVENT_NAMES_H
#define IDS_OUT_EVENT_NAMES_H

#include <weir/event.h>

enum anomaly_kind { ANOMALY_NONE, ANOMALY_DECODE, ANOMALY_STREAM };

enum { ANOMALY_NAME = 80 };

/* Bits of the events that may be anomalies of these kinds. */
uint64_t anomaly_events(bool decode, bool stream);

/*
 * The kind of an event and its name: "stream.reassembly_seq_gap"; where Suricata has none, our own,
 * "weir.bad_timestamp.missing". Of ANOMALY_NONE no name is written.
 */
enum anomaly_kind anomaly_of(const struct weir_event *ev, char name[ANOMALY_NAME]);

/* A number from 1 to 63 for a kind of stream anomaly and its why; 0: of others. */
unsigned anomaly_number(const struct weir_event *ev);

#endif
