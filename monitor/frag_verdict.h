/*
 * Inline: what became of datagrams that were put together from fragments. Fragments leave as they
 * come, but the one that completes a datagram, which has the verdict of the whole. When that is
 * dropped its target waits for it, and would take it from whoever sends it again: so a fragment
 * that comes later, but in time, has the fate of the datagram before it.
 *
 * Threads: the reader's, but for state, refs and flow: they are a core's as long as state is
 * FRAG_OPEN, then refs alone.
 */
#ifndef WEIR_FRAG_VERDICT_H
#define WEIR_FRAG_VERDICT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;
struct weir_flow;

enum {
    FRAG_KEY_WORDS = 6,
    FRAG_VERDICTS_MAX = 131072, /* datagrams that are remembered or wait to be completed */
    FRAG_VERDICT_BUCKETS = 32768,
};

/* So long a target may wait for the rest: RFC 1122 3.3.2 has 60 to 120 s, RFC 8200 4.5 has 60 s, no
 * host that we know more than that. */
#define FRAG_KEPT_NS UINT64_C(60000000000)

enum frag_state {
    FRAG_OPEN, /* its last packet was not settled yet */
    FRAG_LEFT,
    FRAG_DROPPED,
};

struct frag_verdict {
    struct frag_verdict *next; /* in its bucket */
    struct frag_verdict *older, *newer;
    struct frag_verdict
        *also; /* the same packet completed this one, too: it was inside, or around */
    uint64_t key[FRAG_KEY_WORDS];
    uint64_t hash;
    uint64_t until;         /* tick; from there on nobody asks */
    struct weir_flow *flow; /* FRAG_OPEN: in which its last packet is held; NULL: it is not */
    _Atomic uint32_t refs;  /* packets and datagrams that will ask for state or set it */
    _Atomic uint8_t state;  /* enum frag_state */
    uint8_t core;           /* that its last packet went to */
    bool dropped;           /* it is in that queue */
};

struct frag_verdicts {
    struct frag_verdict *bucket[FRAG_VERDICT_BUCKETS];
    struct frag_verdict_queue {
        struct frag_verdict *oldest, *newest;
    } queue[2]; /* those that were dropped in [1], all others in [0] */
    uint32_t n;
};

/* The latest of this key, if who asks now is to know; NULL: there is none. A reference is taken. */
struct frag_verdict *frag_verdict_find(struct frag_verdicts *all, uint64_t hash,
                                       const uint64_t key[FRAG_KEY_WORDS], uint64_t tick);

/* Remember one, with its key, hash and until. Those that nobody needs any more are freed, a few. */
void
frag_verdict_add(struct frag_verdicts *all, struct mem *mem, struct frag_verdict *v, uint64_t tick);

/* Make room for one, if there is something that nobody needs; force: or, else, the oldest of those
 * that were dropped. */
bool frag_verdict_make_room(struct frag_verdicts *all, struct mem *mem, uint64_t tick, bool force);

/* All packets are settled and nothing waits: forget all. */
void frag_verdict_clear(struct frag_verdicts *all, struct mem *mem);

/* One more who will ask. */
static inline void
frag_verdict_hold(struct frag_verdict *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
}

/* One who would have asked is done. */
static inline void
frag_verdict_release(struct frag_verdict *v)
{
    atomic_fetch_sub_explicit(&v->refs, 1, memory_order_release);
}

static inline enum frag_state
frag_verdict_state(struct frag_verdict *v)
{
    return (enum frag_state)atomic_load_explicit(&v->state, memory_order_acquire);
}

#endif
