/*
 * What is news about a host, in both logs: prads-asset.log in PRADS's form, assets.json with all
 * that is known; and there once more, when the host is forgotten, since when and until when it was.
 */
#ifndef WEIR_PRADS_REPORT_H
#define WEIR_PRADS_REPORT_H

#include "asset_log.h"
#include "inventory.h"
#include "out.h"

#include <weir/event.h>

enum { DETAILS_MAX = 16 };

/* A fact that was seen, with what belongs to it. Texts from the wire hold no control characters. */
struct sighting {
    struct fact fact;
    uint64_t time;        /* nanoseconds since 1970-01-01 UTC; watch_see() finds it */
    bool heard;           /* by what others say of the host: it was not seen itself */
    const char *evidence; /* static: "banner", "signature" */
    struct news news;     /* for the asset log: all but time, of asset the
                             card only. what: DETECT_NONE: no line */
    unsigned n_details;
    struct detail {
        const char *key, *value; /* an empty value is left out */
    } detail[DETAILS_MAX];
};

struct report {
    struct out *log, *json; /* NULL: not wanted */
};

/* The first line of an asset log that is new. */
void report_header(const struct report *report);

void report_news(const struct report *report, const struct weir_event *ev, const struct host *host,
                 const struct sighting *sighting);

void report_gone(const struct report *report, const struct host *host, const struct known *known,
                 enum host_end why);

#endif
