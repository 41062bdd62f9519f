/*
 * Packets that wait until it is known whether they are to be written: those of flows that somebody
 * marks, from the flow's first packet on, as far back as the line is long. So the file has them in
 * the order in which they came.
 *
 * The line holds KEEP_PACKETS packets, and of those whose bytes do not stay where they are, copies
 * of KEEP_BYTES in all; live, no packet waits longer than KEEP_LIVE_NS for the next one's coming.
 *
 * Threads: keep_mark() where the monitor's events are, on all its cores; the rest is one thread's.
 * Memory: all at keep_open(), used as needed.
 */
#ifndef WEIR_KEEP_H
#define WEIR_KEEP_H

#include "cli.h"
#include "out.h"

#include <weir/event.h>
#include <weir/monitor.h>

enum { KEEP_PACKETS = 1 << 19, KEEP_BYTES = 64 << 20, KEEP_FLOWS = 1 << 16, KEEP_NOTES = 1 << 16 };
#define KEEP_LIVE_NS UINT64_C(60000000000)

struct keep; /* opaque */

struct keep_stats {
    uint64_t packets; /* written */
    uint64_t
        lost; /* of those to be written: there was no room in the log, or for their link type */
    uint64_t notes_lost; /* comments for which there was no room */
    uint64_t flows_lost; /* marks that were forgotten for want of room, before their flow's end */
};

/* Make the file, or empty it. Text in err. */
int keep_open(struct cli *cli, const char *path, struct keep **out, struct weir_errbuf *err);

/* Let it listen: before the apps that mark. */
int keep_add(struct keep *keep, struct weir_monitor *m);

/*
 * Write the flow of this event, and the packet that raised it, with a comment (NULL: none) that is
 * copied, and cut at PCAPNG_COMMENT_MAX bytes.
 */
void keep_mark(struct keep *keep, const struct weir_event *ev, const char *comment);

/* The monitor has ended, and the frames are still there: write what waits. */
void keep_end(struct keep *keep);

void keep_get_stats(const struct keep *keep, struct keep_stats *out);

/* Say what was lost, and close. NULL is allowed. */
void keep_close(struct keep *keep, struct cli *cli);

#endif
