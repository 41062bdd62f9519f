/*
 * The copies of bytes that did not stay where a range was sent twice and differs: the target may
 * have read them all the same. A few a direction, until the stream has left them behind.
 */
#ifndef IDS_OTHERS_H
#define IDS_OTHERS_H

#include "mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OTHERS_MAX = 8,         /* of a direction */
    OTHER_BYTES_MAX = 9216, /* of one: a jumbo frame's */
    OTHER_REACH = 4096,     /* bytes that may follow a copy, or its coming, until it is forgotten */
    LOOKS_FREE = 4, /* payloads in a row that are each looked at; then the distance doubles */
    LOOK_STEP = 64, /* bytes from the last of these looks to the next */
    ALL_OTHERS = -1,
};

/* Bytes for the offsets [from, to). */
struct other {
    int64_t from, to;
    int64_t until;  /* end of the stream at which it is forgotten */
    uint8_t *bytes; /* owned */
};

struct others {
    struct other at[OTHERS_MAX]; /* by age */
    unsigned n;
    unsigned looks; /* since a copy could be looked at first */
    int64_t seen;   /* end of the stream at the latest look or question */
    int64_t next;   /* end of the stream at which the next look is due, if not all are */
    size_t words;
    uint64_t told[]; /* rules that alerted on these copies, a bit each */
};

/* n_rules: bits of told. NULL: no memory. */
struct others *others_new(struct mem *mem, size_t n_rules);
void others_free(struct others *o, struct mem *mem);

enum others_added { OTHERS_KNOWN, OTHERS_ADDED, OTHERS_LOST };

/*
 * Remember a copy; end: of the stream so far. Lost: there are too many, it is too long, or there is
 * no memory. As none makes room for another, a stream has to go on before more can be looked at.
 */
enum others_added others_add(struct others *o, struct mem *mem, int64_t from, const uint8_t *p,
                             size_t n, int64_t end);

/* Forget copies that begin before this offset. */
void others_forget_begun(struct others *o, struct mem *mem, int64_t before);

/* Forget those that the stream's end has left behind. */
void others_forget_behind(struct others *o, struct mem *mem, int64_t end);

/* Whether one lies wholly in [from, to). */
bool others_are_in(const struct others *o, int64_t from, int64_t to);

/*
 * Forget those that are what stayed: p are the n bytes of the stream from `start` on. Copies are
 * remembered before it is known which one stays.
 */
void
others_forget_same(struct others *o, struct mem *mem, int64_t start, const uint8_t *p, size_t n);

/* Whether to look at the copies now that the stream has come to `end`. */
bool others_are_due(struct others *o, int64_t end);

/*
 * Put copy number `which` in its place in the n bytes from `start` on; ALL_OTHERS: all of them,
 * a later one's bytes over an earlier one's. Returns how many were: those that lie wholly within.
 */
unsigned others_lay(const struct others *o, int which, int64_t start, uint8_t *p, size_t n);

#endif
