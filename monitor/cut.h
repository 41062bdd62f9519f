/* What did not leave of one direction of a TCP connection, inline, by sequence numbers. */
#ifndef WEIR_CUT_H
#define WEIR_CUT_H

#include <stdbool.h>
#include <stdint.h>

/* Sequence numbers [from, to). */
struct seqs {
    uint32_t from, to;
};

enum { STICKY = 4 }; /* stretches of a direction that are remembered; more become one */

/* What is dropped of a direction. */
struct cut {
    struct seqs sticky[STICKY];
    uint8_t n_sticky;
    bool any;            /* some of what was seen did not leave: */
    struct seqs lacking; /* all of it lies there */
};

static inline bool
seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* These were dropped, and stay so. */
void cut_stick(struct cut *cut, struct seqs more);

/* Whether any of these were. */
bool cut_sticks(const struct cut *cut, struct seqs seqs);

/* The receiver lacks these; it has got these. */
void cut_lacks(struct cut *cut, struct seqs seqs);
void cut_got(struct cut *cut, struct seqs seqs);

#endif
