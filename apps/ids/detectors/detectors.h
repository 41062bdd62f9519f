/*
 * Detectors: attacks that no single packet or flow shows, found by chains of handlers that count
 * what they see under keys that all flows share (weir/shared.h). doc/detectors.md says what each
 * one looks for; detector.h what they have in common.
 *
 * Threads: one core; each of several has its own, which count together with the first one's, in
 *          turns.
 */
#ifndef IDS_DETECTORS_H
#define IDS_DETECTORS_H

#include "rule/limits.h"

#include <weir/monitor.h>

enum { DETECTORS_MAX = 6, DETECTOR_PARAMS = 5 };

/* What was chosen; all zeros: the defaults. */
struct detectors_settings {
    bool off;                   /* detectors.enabled */
    int64_t entries;            /* detectors.entries: room of each table; 0: the default */
    bool off_by[DETECTORS_MAX]; /* detectors.NAME.enabled */
    bool given[DETECTORS_MAX][DETECTOR_PARAMS];
    int64_t value[DETECTORS_MAX][DETECTOR_PARAMS];
};

/* Take "enabled" or "NAME.PARAMETER", what stands behind "detectors." */
int detectors_set(struct detectors_settings *settings, struct text name, struct text value,
                  struct weir_errbuf *err);

/* Call each() with every setting in force: its whole name, and its value. */
void detectors_each(const struct detectors_settings *settings,
                    void (*each)(void *ctx, const char *name, const char *value), void *ctx);

/* ev shows no packet: when an alert is raised, that may be gone. False: it is suppressed. */
typedef bool detectors_alert_fn(void *ctx, const struct rule *rule, const struct weir_event *ev);

struct detectors_stats {
    uint64_t alerts;
    uint64_t repeated; /* not raised: the same source was told of before, in the same window */
    uint64_t suppressed;
    uint64_t evicted; /* counts that were forgotten early, for want of room */
    uint64_t waiting; /* sightings not counted: so many wait for answers already */
};

struct detectors; /* opaque */
struct order;

/*
 * Make those that are on. with: the first core's, which outlives these; NULL: they are the first
 * core's. Text in err: WEIR_E_NOMEM.
 */
int detectors_new(const struct detectors_settings *settings, detectors_alert_fn *alert, void *ctx,
                  const struct detectors *with, struct detectors **out, struct weir_errbuf *err);
void detectors_free(struct detectors *all);

/*
 * Let them listen, those of each core of the monitor, whose order it is. Before the apps that shall
 * know of alerts.
 */
int detectors_add(struct detectors *const *by_core, unsigned n, struct weir_monitor *m,
                  struct order *order);

/* What tables forgot stands in the first core's: sums over cores are right. */
void detectors_get_stats(const struct detectors *all, struct detectors_stats *out);

#endif
