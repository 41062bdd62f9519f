/*
 * Chains of transforms, applied: what contents behind them are looked for in.
 *
 * Memory:  set aside by transformer_new(); what a chain makes lies there until the next one.
 * Threads: a transformer belongs to one core.
 */
#ifndef IDS_DETECT_TRANSFORM_H
#define IDS_DETECT_TRANSFORM_H

#include "detect/match.h"
#include "rule/transform.h"

enum { TRANSFORM_ROOM = (128 << 10) + 64 }; /* bytes of a buffer that are transformed, and made */

struct transformer; /* opaque */

int transformer_new(struct transformer **out);

/* NULL is allowed. */
void transformer_free(struct transformer *transformer);

enum transform_answer {
    TRANSFORM_DONE,
    TRANSFORM_NONE, /* the chain makes no buffer of this one */
    TRANSFORM_WAIT, /* it needs bytes that are to come */
};

/*
 * Put what a chain (1 + its place in the rule) makes of *buffer into *buffer, as if it were one
 * that begins there. scratch: for expressions.
 */
enum transform_answer
transform(struct transformer *transformer, const struct rule *rule, unsigned chain,
          struct regex_scratch *scratch, struct buffer *buffer);

/* Buffers that did not fit, and expressions that took too long, since the last call. */
unsigned transformer_lost(struct transformer *transformer);

#endif
