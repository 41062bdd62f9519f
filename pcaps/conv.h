/*
 * The numbers of a conversation: what each side has sent, and how much of it the other one holds.
 * Offsets count as weir's do: 0 is the first byte behind the SYN; a FIN takes one.
 */
#ifndef WEIR_PCAPS_CONV_H
#define WEIR_PCAPS_CONV_H

#include <stdbool.h>
#include <stdint.h>

enum { CONV_ISLANDS = 64 };

struct conv_range {
    int64_t from, to;
};

/* What one side sends. */
struct conv_side {
    uint32_t isn;
    int64_t next;                           /* behind the last it sent */
    int64_t got;                            /* the other side has all before */
    struct conv_range island[CONV_ISLANDS]; /* it has these too; in no order */
    unsigned n_islands;
};

/* The sequence number of an offset. */
static inline uint32_t
conv_seq(const struct conv_side *side, int64_t offset)
{
    return side->isn + 1 + (uint32_t)offset;
}

/* The side sent [from, to). */
void conv_sent(struct conv_side *side, int64_t from, int64_t to);

/* It reached the other side. False: there are too many holes before it. */
bool conv_received(struct conv_side *side, int64_t from, int64_t to);

#endif
