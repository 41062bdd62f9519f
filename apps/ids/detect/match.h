/*
 * The contents of a rule, and what else stands among them, against a buffer, one after the other
 * and back again: where a later one that is relative does not fit, earlier ones are looked for
 * further on.
 *
 * The buffer may be a stream of which more can come. Then the answer can also be that it depends on
 * what comes, and on which contents.
 */
#ifndef IDS_MATCH_H
#define IDS_MATCH_H

#include "detect/captures.h"
#include "rule/regex.h"
#include "rule/rule.h"

struct buffer {
    const uint8_t *p;
    int64_t start, end; /* places of the first byte of p, and behind the last */
    bool final;         /* nothing comes behind end */
};

enum match_answer { MATCH_NO, MATCH_YES, MATCH_WAIT };

struct places {
    int64_t first, behind;
};

struct match {
    const struct rule *rule;
    unsigned first, behind; /* the steps: [first, behind) */
    const struct buffer *buffer;
    struct buffer own; /* where buffer points if nobody else has it */
    int fast;          /* content or pcre that has to end ... ; -1: none */
    int64_t beyond;    /* ... beyond this place (of a content, the part that is looked for first) */

    /* As many bytes as the buffer's, or NULL. A content at least has to be where these lack it. */
    const uint8_t *kept;
    bool differs; /* one was found; false at first */

    int64_t *placed;         /* by step, of MATCH_YES: where the contents are; NULL: nobody asks */
    struct captures *caught; /* what of a rule that fits is captured goes there; NULL: nowhere */
    struct base64 *decoded;  /* where base64_decode puts it; needed if the rule has one */
    struct regex_scratch *scratch; /* needed if the rule has a pcre */
    unsigned limits;               /* expressions that took too long; 0 at first */
    unsigned lost;                 /* captures for which there was no room; 0 at first */

    /* Of MATCH_WAIT: contents whose coming may change the answer, a bit each, and a place that
     * may change it once it is reached. */
    uint64_t waits;
    int64_t until;
    int64_t budget; /* bytes that may still be looked at */

    /* By differs and step: places [first, behind) at which it, or what follows it, is known to
     * fail. Of what else came before only variables matter for that: when one changes, what is
     * known of the steps behind is forgotten. So no place has to be tried twice. */
    struct places (*failed)[STEPS_MAX]; /* match_rule()'s own */
    uint64_t *variable; /* by the step that sets it; NULL: match_rule()'s own, zeros */
};

enum {
    FAST_MAX = 32, /* bytes of a content that the prefilter looks for */
    MATCH_BUDGET = 1 << 20,
};

/* budget below zero afterwards: the search was given up, and the answer is MATCH_NO. */
enum match_answer match_rule(struct match *m);

/* The place of step's bytes in [from, to); -1: they are not there. */
int64_t match_find(const struct step *step, const struct buffer *buffer, int64_t from, int64_t to);

/* Where the part of a content that the prefilter looks for begins, and ends. */
static inline unsigned
fast_begin(const struct step *step)
{
    return step->fast_n > 0 ? step->fast_at : 0;
}

static inline unsigned
fast_end(const struct step *step)
{
    unsigned n = step->fast_n > 0 ? step->fast_n : step->n;

    return fast_begin(step) + (n < FAST_MAX ? n : FAST_MAX);
}

#endif
