/* What is odd about a packet's headers, by the names of rule/anomaly.h. */
#ifndef IDS_DETECT_ANOMALY_H
#define IDS_DETECT_ANOMALY_H

#include "rule/anomaly.h"
#include "rule/ranges.h"

#include <stdint.h>

#define ANOMALY_BIT(name) ((u128)1 << ANOMALY_##name)

/* Of a packet or bad_packet event that shows its packet: a bit for each enum anomaly. */
u128 anomalies_of(const struct weir_event *ev);

/* Those of what comes before IP; for anomalies_of(). */
u128 link_anomalies(const struct weir_packet *pkt);

#endif
