#include "detect/fast.h"

#include "detect/match.h"
#include "rule/buffer.h"
#include "rule/transform.h"

#include <stdlib.h>
#include <string.h>

enum {
    MANY = 4,   /* rules that have the bytes which one of them names */
    SHORT = 8,  /* bytes; fewer may be found anywhere ... */
    LONGER = 4, /* ... and so many more, in no other rule, are a better sign */
    ENOUGH = 6, /* bytes of a content that is looked for although another one was named */
};

/* Buffers are scanned as they are: whether what a chain shows of the content is there, too. */
static bool
is_kept(const struct rule *rule, const struct step *step)
{
    bool nocase, dot;

    return step->chain == 0 || (transform_keeps(rule, step->chain, &nocase, &dot) &&
                                (!dot || step->n > 1 || step->bytes[0] != '.'));
}

/* Whether the rule may hold where the step's buffer is not there. */
static bool
may_be_missing(const struct rule *rule, const struct step *step)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (rule->step[i].kind == STEP_ABSENT && rule->step[i].buffer == step->buffer &&
            rule->step[i].chain == step->chain)
            return true;
    return false;
}

/* Whether a content can be the rule's fast pattern: it lies where its kind of rules is scanned. */
static bool
may_be_fast(const struct rule *rule, const struct step *step)
{
    bool of_tx = buffer_info(step->buffer)->proto != APP_UNKNOWN;

    return step->kind == STEP_CONTENT && !(step->flags & STEP_NEGATED) &&
           (of_tx || step->buffer == BUFFER_PAYLOAD) && of_tx == (rule->tx_side != 0) &&
           is_kept(rule, step) && !may_be_missing(rule, step);
}

/*
 * How rare its bytes may be: their number, but where nearly all transactions show the same little.
 */
static unsigned
worth(const struct step *step)
{
    switch ((enum buffer_id)step->buffer) {
    case BUFFER_HTTP_METHOD:
    case BUFFER_HTTP_PROTOCOL:
    case BUFFER_HTTP_STAT_CODE:
    case BUFFER_HTTP_STAT_MSG:
    case BUFFER_TLS_VERSION:
        return 1;
    default:
        return 1U + step->n;
    }
}

/* The content that was named to be looked for first, or else the longest. */
static int8_t
fast_step(const struct rule *rule)
{
    int best = -1;

    for (int i = 0; i < rule->n_steps; i++) {
        const struct step *step = &rule->step[i];

        if (!may_be_fast(rule, step))
            continue;
        if (step->flags & STEP_FAST)
            return (int8_t)i;
        if (best < 0 || worth(step) > worth(&rule->step[best]))
            best = i;
    }
    return (int8_t)best;
}

/* ---- how many rules have a content --------------------------------------------------------- */

/* A content of a rule. */
struct content {
    const struct step *step;
    uint32_t rule;
};

/* All of them, by their bytes. */
struct contents {
    struct content *at; /* owned */
    size_t n;
};

static int
by_bytes(const void *a, const void *b)
{
    const struct step *x = ((const struct content *)a)->step;
    const struct step *y = ((const struct content *)b)->step;

    if (x->n != y->n || x->buffer != y->buffer)
        return x->n != y->n ? (int)x->n - (int)y->n : (int)x->buffer - (int)y->buffer;
    return memcmp(x->bytes, y->bytes, x->n);
}

static int
by_bytes_then_rule(const void *a, const void *b)
{
    const struct content *x = a, *y = b;
    int order = by_bytes(a, b);

    return order != 0 ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static bool
contents_new(const struct rules *rules, struct contents *all)
{
    size_t room = 1;

    for (size_t i = 0; i < rules->n; i++)
        room += rules->at[i].n_steps;
    *all = (struct contents){ malloc(room * sizeof(*all->at)), 0 };
    for (uint32_t i = 0; all->at != NULL && i < rules->n; i++)
        for (unsigned k = 0; k < rules->at[i].n_steps; k++)
            if (rules->at[i].step[k].kind == STEP_CONTENT)
                all->at[all->n++] = (struct content){ &rules->at[i].step[k], i };
    if (all->at != NULL)
        qsort(all->at, all->n, sizeof(*all->at), by_bytes_then_rule);
    return all->at != NULL;
}

/* Rules that have the content; as many as MANY are not counted further. */
static unsigned
count_rules(const struct contents *all, const struct step *step)
{
    const struct content key = { step, 0 };
    const struct content *at = bsearch(&key, all->at, all->n, sizeof(*all->at), by_bytes);
    unsigned n = 1;

    while (at > all->at && by_bytes(at - 1, &key) == 0)
        at--;
    for (; n < MANY && at + 1 < all->at + all->n && by_bytes(at + 1, &key) == 0; at++)
        n += at[1].rule != at[0].rule;
    return n;
}

/* ---- choosing ------------------------------------------------------------------------------ */

/* The longest content but the one that was named; -1: none has some length. */
static int
another(const struct rule *rule, int named)
{
    int best = -1;

    for (int i = 0; i < rule->n_steps; i++)
        if (i != named && may_be_fast(rule, &rule->step[i]) && worth(&rule->step[i]) > ENOUGH &&
            (best < 0 || worth(&rule->step[i]) > worth(&rule->step[best])))
            best = i;
    return best;
}

/*
 * What many rules have is no sign of any of them: each time it is found all have to be looked at.
 * And a short one is found in much that has nothing to do with the rule.
 */
static int8_t
choose(const struct contents *all, const struct rule *rule)
{
    int named = fast_step(rule), other;
    unsigned rules;

    if (named < 0 || !(rule->step[named].flags & STEP_FAST) || (other = another(rule, named)) < 0)
        return (int8_t)named;
    rules = count_rules(all, &rule->step[other]);
    if (count_rules(all, &rule->step[named]) >= MANY && rules < MANY)
        return (int8_t)other;
    if (rule->step[named].n < SHORT && rule->step[other].n >= rule->step[named].n + LONGER &&
        rules == 1)
        return (int8_t)other;
    return (int8_t)named;
}

bool
fast_choose(const struct rules *rules, int8_t *fast)
{
    struct contents all;

    if (!contents_new(rules, &all))
        return false;
    for (size_t i = 0; i < rules->n; i++)
        fast[i] = choose(&all, &rules->at[i]);
    free(all.at);
    return true;
}
