/*
 * The pieces of one datagram: which fragment owns each of its units of eight bytes.
 *
 * Memory: arrays are the caller's, zeroed. A datagram has at most PIECES_UNITS units.
 */
#ifndef WEIR_PIECES_H
#define WEIR_PIECES_H

#include "frag_policy.h"

#include <stdint.h>

enum { PIECES_UNITS = 8192 };

/* A fragment as it came: its first byte and the one behind its last, at most 65535. */
struct piece {
    uint16_t start, end;
    /* The first piece of its run: fragments that came one after the other, each where all that was
     * there before it ended. Linux keeps such a run as one. */
    uint16_t run;
};

struct pieces {
    uint16_t *owner; /* by unit: place in piece[] + 1; 0: none */
    struct piece *piece;
    uint32_t n;       /* pieces */
    uint32_t covered; /* units that have an owner */
    uint16_t tail;    /* of the pieces, the one that ends last */
};

/* What is there already of a new fragment's range. */
struct pieces_found {
    uint32_t units;  /* how many that have an owner */
    bool same_run;   /* if all have: their owners are of one run */
    bool same_piece; /* if all have: the owner is one piece, with exactly this range */
};

struct pieces_found pieces_find(const struct pieces *p, uint32_t start, uint32_t end);

/*
 * Add a fragment with bytes [start, end), start a multiple of eight, and copy those that it wins
 * to data + start. Of its bytes n are at from, the others are taken as 0. The policy matters only
 * where pieces_find() found something, and is one before FRAG_DECIDE then. There is room at
 * owner[] for all units and at piece[n]; both arrays may have moved.
 */
void pieces_add(struct pieces *p, enum frag_policy policy, uint32_t start, uint32_t end,
                uint8_t *data, const uint8_t *from, uint32_t n);

#endif
