/*
 * Bytes that rules captured, by kind and name: what groups of a pcre matched, and entropies that
 * were measured. Without allocation, but for those of a flow, which are a block of detection's
 * pool.
 */
#ifndef IDS_CAPTURES_H
#define IDS_CAPTURES_H

#include "mem.h"
#include "rule/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CAPTURES_MAX = 4096, /* bytes of all of a flow, a packet or an alert, names included */
    CAPTURED_MAX = 1024, /* of one; what is longer is cut */
};

/* A capture; its name stands behind it, then its bytes. */
struct captured {
    uint16_t n;
    uint8_t kind, name_n;
    char name[];
};

static inline const uint8_t *
captured_bytes(const struct captured *c)
{
    return (const uint8_t *)c->name + c->name_n;
}

struct captures {
    uint16_t n, room; /* bytes */
    uint8_t at[];
};

/* Empty ones with room for CAPTURES_MAX, to be given to free(); NULL: no memory. */
struct captures *captures_new(void);

/* The first one (before is NULL), or the next; NULL: there are no more. c may be NULL. */
const struct captured *captures_next(const struct captures *c, const struct captured *before);

/* In the place of one of the same kind and name. False: there is no room. */
bool
captures_put(struct captures *c, const struct captured *what, const void *name, const void *bytes);

/* The same of a flow's, which begin as NULL and grow. False: no memory, or CAPTURES_MAX. */
bool captures_keep(struct captures **c, struct mem *mem, const struct captured *what);

/* NULL is allowed. */
void captures_free(struct captures *c, struct mem *mem);

#endif
