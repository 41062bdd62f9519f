/*
 * Blocks for what has to be put together from pieces, made at set-up: taking and giving back is
 * constant time and never a call of the system. Three sizes, each with a part of the memory of its
 * own, so that no mix of messages can use it up for another size for good.
 *
 * Threads: a pool belongs to one core.
 * Memory:  pages are touched only as they are used.
 */
#ifndef WEIR_POOL_H
#define WEIR_POOL_H

#include <stddef.h>
#include <stdint.h>

enum {
    POOL_SIZES = 3,
    POOL_SMALL = 2048,     /* a ClientHello, a banner */
    POOL_MIDDLE = 16384,   /* a chain of certificates */
    POOL_LARGE = 64 << 10, /* the longest DNS message */
    POOL_MIN_BYTES = 1 << 20
};

/* Messages that have a bound here. */
#define POOL_KIND_LIST(X)                                                                          \
    X(DNS, "DNS messages")                                                                         \
    X(TLS, "TLS handshake messages")                                                               \
    X(SSH_LINE, "SSH banners")                                                                     \
    X(SSH_PACKET, "SSH packets")

enum pool_kind {
#define X(name, text) POOL_##name,
    POOL_KIND_LIST(X)
#undef X
        POOL_KINDS
};

/* What users of the pool could not do, or passed over; they only grow. */
struct pool_stats {
    uint64_t exhausted;            /* no block of a size, nor a larger one, was free */
    uint64_t too_long[POOL_KINDS]; /* messages longer than their protocol's bound here */
    uint64_t gathered;             /* messages put together in a block */
    uint64_t lost;                 /* messages that a gap took a part of */
};

struct pool; /* opaque */

/* bytes: at least POOL_MIN_BYTES. Returns WEIR_E_OK, WEIR_E_INVAL or WEIR_E_NOMEM. */
int pool_new(size_t bytes, struct pool **out);

/* NULL is allowed. Blocks still held go with it. */
void pool_free(struct pool *pool);

/*
 * A block of at least size bytes (1 .. POOL_LARGE), not zeroed; room gets how many it has. NULL:
 * none is free, which is counted.
 */
uint8_t *pool_take(struct pool *pool, size_t size, uint32_t *room);

/* NULL is allowed. */
void pool_give(struct pool *pool, uint8_t *block);

/* Counters, for their users to count in. */
struct pool_stats *pool_stats(struct pool *pool);

/* Add what from counted. */
void pool_stats_add(struct pool_stats *to, const struct pool_stats *from);

enum { POOL_TEXT = 200 };

/* "2 SSH banners, 1 TLS handshake messages", or "0": how many were too long. */
void pool_put_too_long(const struct pool_stats *stats, char to[POOL_TEXT]);

#endif
