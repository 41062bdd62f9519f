/* Packets drawn at random, for models: of connections, and fragments of datagrams. */
#ifndef WEIR_TEST_DRAW_H
#define WEIR_TEST_DRAW_H

#include "support/frames.h"

enum { DRAWN_PORTS = 60 }; /* the clients' ports are so many, from 2000 on */

static inline uint64_t
random_below(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

/* Any flags, with few bytes at an offset below 60; one in fifty has a wrong checksum. */
struct weir_frame draw_segment(uint64_t *seed, uint64_t ms, uint8_t *room);

/* A part of one of eight datagrams of each IP version. */
struct weir_frame draw_fragment(uint64_t *seed, uint64_t ms, uint8_t *room);

#endif
