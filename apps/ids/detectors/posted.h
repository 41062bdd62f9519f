/*
 * Counts that no core waits for. A count that cannot have reached its threshold yet is posted
 * (core/order.h): it gets into the table in its packet's turn, and nobody asks what came of it.
 * Only near the threshold a core waits for its turn. So it matters to nobody how many cores there
 * are.
 *
 * What is known is the greatest count up to a packet; each later SYN can have added one, and no
 * more.
 */
#ifndef IDS_DETECTORS_POSTED_H
#define IDS_DETECTORS_POSTED_H

#include "detectors/detector.h"

#include <stdatomic.h>

struct order;

/* Of all cores together; changed in turns. */
struct posted {
    struct weir_shared *table;
    uint64_t window; /* ns that counts last */
    /* In which window the newest count was made, and the greatest ones of it and of the one before:
     * those of earlier ones are over. */
    uint64_t at;
    int64_t in_window, before;
    /* Read by all: first packet, then the others, which hold for it or a later one. */
    _Atomic uint64_t packet; /* counts of earlier ones are in the table */
    _Atomic uint64_t syns;   /* segments with SYN up to it */
    _Atomic uint64_t newest; /* time of a count */
    _Atomic int64_t most;
};

void posted_init(struct posted *posted, struct weir_shared *table, uint64_t window);

/*
 * Count, at this packet and time, as core: returns the count, or a number below the threshold where
 * that is all that is known.
 */
int64_t posted_count(struct posted *posted, struct order *order, const struct sighting *at,
                     const struct key *key, int64_t more, int64_t threshold);

#endif
