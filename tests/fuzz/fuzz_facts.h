/* An app whose handlers assert what is promised about the events of any traffic. */
#ifndef WEIR_FUZZ_FACTS_H
#define WEIR_FUZZ_FACTS_H

#include <weir/core.h>
#include <weir/monitor.h>

#include <stdbool.h>
#include <stdint.h>

enum { MAX_SLEEPING = 4096 };

struct facts {
    struct weir_monitor *m;
    bool sleeps;            /* some of its stages wait until facts_wake() */
    bool reads_back;        /* what is delivered is compared with what can be read back */
    uint64_t sum;           /* of all events with all their fields, in order */
    uint64_t number;        /* of the latest packet */
    uint64_t flows, ends;   /* flow_start events seen; taps of flows that ended */
    struct weir_core *core; /* the monitor's */
    struct weir_promise sleeping[MAX_SLEEPING];
    unsigned n_sleeping;
};

/* Listen to every event. sleeps: let a part of the handlers wait. history: as in weir_app. */
void facts_listen(struct facts *facts, struct weir_monitor *m, bool sleeps, uint32_t history);

/* Resolve up to n of the futures that handlers wait for, the latest first. */
void facts_wake(struct facts *facts, unsigned n);

/* What holds when the monitor has ended. */
void facts_check_end(const struct facts *facts);

#endif
