/* What is odd about a packet's headers, by the names of rule/anomaly.h. */
#ifndef IDS_DETECT_ANOMALY_H
#define IDS_DETECT_ANOMALY_H

#include "rule/anomaly.h"

#include <stdint.h>

/* Of a packet or bad_packet event that shows its packet: a bit for each enum anomaly. */
uint64_t anomalies_of(const struct weir_event *ev);

#endif
