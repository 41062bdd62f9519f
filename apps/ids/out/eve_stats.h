/* Records of counters. */
#ifndef IDS_EVE_STATS_H
#define IDS_EVE_STATS_H

#include "out/eve_out.h"

#include <weir/monitor.h>

/* Counters that are not the monitor's. */
struct eve_counters {
    uint64_t start,
        now;      /* ns: of the first packet (live: when it began), and the latest; 0: none */
    bool live;    /* the kernel's counters mean something */
    bool in_line; /* packets leave, or are dropped */
    uint64_t kernel_packets, kernel_drops, interface_drops;
    uint64_t alerts, alerts_suppressed;
    uint64_t rules_loaded, rules_failed;
};

/* A record; none of a replay in which there was no packet. */
void eve_stats(struct eve_out *eve, const struct weir_monitor_stats *stats,
               const struct eve_counters *counters);

#endif
