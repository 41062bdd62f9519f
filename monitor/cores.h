/*
 * The cores of a monitor: threads that follow flows, each those of its shards, with what the reader
 * hands out in batches. Who has nothing to do reads on, so reading has no thread of its own, and
 * takes its part of each core as the flows leave it.
 *
 * A live port with several queues is read by as many cores at once: each has a front end (front.h),
 * whose batch, when it is full or its burst is over, is committed: it gets its numbers, and goes to
 * the others, as if it had been read in that moment. What the reader alone does - fragments, ticks,
 * time that passes - one core at a time does meanwhile, and nobody commits.
 *
 * One core: no threads, no locks; the reader's batch is taken as soon as it is full.
 *
 * Threads: calls are the thread's that made the monitor, which is the first core; but what pull()
 *          calls runs where the reader is.
 */
#ifndef WEIR_CORES_H
#define WEIR_CORES_H

#include "engine.h"
#include "front.h"
#include "reader.h"

#include <pthread.h>

/* What is read. */
struct source {
    /* Feed the reader with some frames. False: there are no more. */
    bool (*pull)(void *ctx);
    bool stream; /* may wait for long: only the first core reads, on the thread that signals
                    interrupt */
    /*
     * Of a live port with several queues, from the first packet on: feed the front end of core
     * number queue with cores_take() and cores_commit(). More than 0: there was something; 0: there
     * was nothing, and nobody has waited; less: there is no more of all. fd: to wait for; -1: there
     * is none.
     */
    unsigned queues; /* at most one a core; 0 or 1: pull() reads all */
    int (*pull_queue)(void *ctx, unsigned queue);
    int (*queue_fd)(void *ctx, unsigned queue);
    void *ctx;
};

/* How a core waits for its queue. */
struct watch {
    alignas(64) int wake; /* eventfd; -1: none */
    bool waits;           /* and has to be woken */
    unsigned idle;        /* reads for nothing, in a row */
};

struct cores {
    unsigned n;
    struct engine *engine[MAX_CORES]; /* the first is the monitor's, the others are owned */
    struct order *order;              /* NULL: one core */
    struct reader reader;
    unsigned reads; /* the core that does, while it does */
    struct batch *batch;
    unsigned n_batches;
    struct batch **slot; /* those that were handed over last */
    unsigned n_slots;    /* so far the reader may be ahead of the last core */
    struct front *front; /* by core; NULL: no queues were read so far */
    struct watch *watch;
    bool held; /* cores_settle() goes on to hold all, to the end of the first core's pull_queue() */

    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    uint64_t published;          /* batches that the reader has handed over */
    uint64_t done[MAX_CORES];    /* of those, by core */
    bool reading;                /* a core is at the reader, without the lock */
    bool over, quit, parallel;   /* parallel: queues are read */
    unsigned pulls;              /* cores that are at a queue */
    const struct source *source; /* NULL: nothing to read */
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

/* Read until there is no more, and all is done. pull() is called by one core at a time. */
void cores_run(struct cores *c, const struct source *source);

/* In pull_queue(), by that core: take frames, which were read at that time, monotonic ns; and hand
 * them over. */
void cores_take(struct cores *c, unsigned core, const struct weir_frame *frames, unsigned n,
                uint64_t read_at);
void cores_commit(struct cores *c, unsigned core);

/* The same: no packet came for now, and the machine's clock is at that. */
void cores_pass_time(struct cores *c, unsigned core, uint64_t now);

/* Hand over what the reader has, and take the first core's part of it. */
void cores_flush(struct cores *c);

/*
 * Wait until all cores have done what was handed over. Where pull() is, or outside cores_run(); or
 * in the first core's pull_queue(), to whose end nothing is handed over then.
 */
void cores_settle(struct cores *c);

/* CPU time of a core's thread so far, in nanoseconds, that of reading in it; 0: it has none yet. */
uint64_t cores_cpu_ns(const struct cores *c, unsigned core);

/* Whether more than 20 % of a sender's checksums were wrong. */
bool cores_see_offload(const struct cores *c);

/* The input is over. */
void cores_end(struct cores *c);

#endif
