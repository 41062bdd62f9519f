/*
 * The cores of a monitor: threads that follow flows, each those of its shards, with what the reader
 * hands out in batches. Who has nothing to do reads on, so reading has no thread of its own, and
 * takes its part of each core as the flows leave it.
 *
 * One core: no threads, no locks; the reader's batch is taken as soon as it is full.
 *
 * Threads: calls are the thread's that made the monitor, which is the first core; but what pull()
 *          calls runs where the reader is.
 */
#ifndef WEIR_CORES_H
#define WEIR_CORES_H

#include "engine.h"
#include "reader.h"

#include <pthread.h>

struct cores {
    unsigned n;
    struct engine *engine[MAX_CORES]; /* the first is the monitor's, the others are owned */
    struct order *order;              /* NULL: one core */
    struct reader reader;
    unsigned reads; /* the core that does, while it does */
    struct batch *slot;
    unsigned n_slots; /* so far the reader may be ahead of the last core */

    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    uint64_t published;       /* batches that the reader has handed over */
    uint64_t done[MAX_CORES]; /* of those, by core */
    bool reading, over, quit;
    bool (*pull)(void *ctx); /* NULL: nothing to read */
    bool stream;             /* whose reads are the first core's */
    void *ctx;
    bool started;                /* all of them; what only some of has begun takes no packets */
    pthread_t first;             /* the first core's thread: who made the monitor */
    pthread_t thread[MAX_CORES]; /* of the others */
    unsigned n_threads;
};

/* WEIR_E_OK, WEIR_E_NOMEM or WEIR_E_LIMIT. */
int
cores_new(struct engine *first, unsigned n, const struct cores_sizes *sizes, struct cores **out);

/* The first packet: the engines are made as the first one is. After a failure the next may try. */
int cores_start(struct cores *c, uint64_t time);
void cores_free(struct cores *c);

/*
 * Read until pull() returns false, which feeds the reader with some frames and is called by one core
 * at a time; and until all is done. Of a stream pull() may wait for long: only the first core calls
 * it, on the thread whose signals interrupt it.
 */
void cores_run(struct cores *c, bool stream, bool (*pull)(void *ctx), void *ctx);

/* Hand over what the reader has, and take the first core's part of it. */
void cores_flush(struct cores *c);

/* Wait until all cores have done what was handed over. Where pull() is, or outside cores_run(). */
void cores_settle(struct cores *c);

/* CPU time of a core's thread so far, in nanoseconds, that of reading in it; 0: it has none yet. */
uint64_t cores_cpu_ns(const struct cores *c, unsigned core);

/* Whether more than 20 % of a sender's checksums were wrong. */
bool cores_see_offload(const struct cores *c);

/* The input is over. */
void cores_end(struct cores *c);

#endif
