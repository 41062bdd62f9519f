/*
 * A front end of the reader: what one core reads of its own queue, decoded and in a batch, each
 * packet for the core of its shard. Numbers, clock and counts begin with the batch; front_stamp()
 * has them go on from where the reader is. Fragments are the reader's own: they wait in one place.
 *
 * Threads: its core's; front_stamp() where nobody else is at the reader.
 */
#ifndef WEIR_FRONT_H
#define WEIR_FRONT_H

#include "batch.h"

#include <weir/port.h>

#include <stdalign.h>

struct reader;

struct front {
    alignas(64) const struct reader *reader; /* of which it uses what never changes */
    struct batch *batch;                     /* that is being filled */
    uint64_t number, syns;                   /* of packets in it; of segments with SYN */
    uint64_t first;    /* time of its first packet, none in it is of a later tick, */
    uint64_t tick_end; /* which ends here */
    uint64_t clock;    /* greatest time in it */
    uint64_t read_at;  /* monotonic ns */
};

/* It is another, empty batch that is being filled. */
void front_begin(struct front *f, struct batch *batch);

enum front_result {
    FRONT_TAKEN,
    FRONT_FULL,     /* not taken: what is there has to go before */
    FRONT_FRAGMENT, /* nor this: what is there goes, then the reader takes it */
};

enum front_result front_take(struct front *f, const struct weir_frame *frame);

/* There is something, and the reader's clock is not a tick behind it. */
void front_stamp(struct front *f, struct reader *r);

#endif
