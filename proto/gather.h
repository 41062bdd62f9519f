/*
 * Messages with a length in front, out of one direction's stream of bytes as it comes. A message
 * that lies whole in the bytes at hand is shown where it lies; of any other the bytes are gathered
 * in a block of a pool.
 *
 * A message longer than its bound, or for which there is no block, is passed over and counted, and
 * the next one is found behind it. Over a hole nothing is ever joined: the message it cuts is lost,
 * and those behind it are found again where the hole ends within that message.
 *
 * A gather of zeros is at a boundary. It holds a block only within a message.
 */
#ifndef WEIR_GATHER_H
#define WEIR_GATHER_H

#include "pool.h"

#include <weir/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATHER_HEADER_MAX = 4 };

struct gather_spec {
    enum pool_kind kind;
    uint8_t header;                            /* bytes, 1 .. GATHER_HEADER_MAX */
    uint32_t max;                              /* of a body that is shown, at most POOL_LARGE */
    uint32_t (*length)(const uint8_t *header); /* of the body */
};

struct gather {
    uint8_t *block;
    uint32_t room; /* of the block */
    uint32_t want; /* bytes of the body; 0 in the header */
    uint32_t have; /* of those, seen */
    uint8_t head[GATHER_HEADER_MAX];
    uint8_t n_head;
    bool skips; /* the body is passed over */
};

/* A message, lent. Returns false to hear of no more: the rest of the bytes is left alone. */
typedef bool gather_fn(void *ctx, const uint8_t *header, struct weir_bytes body);

/* The next bytes. Returns false if fn did. */
bool gather_feed(struct gather *g, const struct gather_spec *spec, struct pool *pool,
                 struct weir_bytes bytes, gather_fn *fn, void *ctx);

/* The next n bytes will not come. Returns false: where a message begins is not known any more. */
bool gather_gap(struct gather *g, struct pool *pool, uint64_t n);

/* Give back what is held: begin anew at a boundary. */
void gather_reset(struct gather *g, struct pool *pool);

#endif
