/*
 * Detection: the rules that alert on a stream are the same however its segments are cut. Rules
 * whose answer depends on what has come so far are left out: those with contents that must not be
 * anywhere, endswith, isdataat, pcre, and byte_jump from_end; those that remember or ask what
 * others remember; and all where one lets the flow pass.
 *
 * Input: rules, a zero byte, sizes of segments (one byte each), a zero byte, the stream.
 */
#include "support/flow_run.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAM_MAX = 1000 };

struct piece {
    const uint8_t *p;
    size_t n;
};

static struct piece
cut_off(struct piece *rest)
{
    const uint8_t *end = rest->n > 0 ? memchr(rest->p, 0, rest->n) : NULL;
    struct piece piece = *rest;

    if (end != NULL)
        piece.n = (size_t)(end - rest->p);
    rest->p += piece.n + (end != NULL);
    rest->n -= piece.n + (end != NULL);
    return piece;
}

static bool
minds_cuts(const struct step *step)
{
    bool from_end = step->kind == STEP_BYTE_JUMP && step->number->from == JUMP_FROM_END;

    return step->kind == STEP_ISDATAAT || step->kind == STEP_PCRE || from_end ||
           step->flags & STEP_ENDSWITH ||
           (step->kind == STEP_CONTENT && step->flags & STEP_NEGATED &&
            !(step->flags & (STEP_DEPTH | STEP_WITHIN)));
}

/* It is about the stream, all of it, and nothing else. */
static bool
is_comparable(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (minds_cuts(&rule->step[i]))
            return false;
    return rule->flow & RULE_ONLY_STREAM && rule->n_steps > 0 && rule->n_checks == 0 &&
           rule->state == NULL;
}

static bool
has_pass(const struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        if (rules->at[i].action == ACTION_PASS)
            return true;
    return false;
}

/* Rules that alerted on the stream, cut into these sizes and then into single bytes. */
static uint64_t
scan(struct flow_run *run, struct piece stream, struct piece sizes)
{
    size_t from = 0;

    run_begin(run);
    for (size_t i = 0; from < stream.n; i++) {
        size_t left = stream.n - from, n = i < sizes.n ? sizes.p[i] : 1;

        n = n < left ? n : left;
        run_send(run, stream.p, from, n, 0);
        from += n;
    }
    return run_end(run, stream.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct piece rest = { data, size }, rules = cut_off(&rest), sizes = cut_off(&rest);
    struct flow_run run;

    if (rest.n > STREAM_MAX)
        rest.n = STREAM_MAX;
    if (run_load(&run, (const char *)rules.p, rules.n)) {
        uint64_t differ = scan(&run, rest, sizes);
        bool complete = run.stats.given_up == 0 && !has_pass(&run.rules);

        differ ^= scan(&run, rest, (struct piece){ NULL, 0 });
        complete &= run.stats.given_up == 0;
        assert(run.stats.no_memory + run.stats.pending_lost + run.stats.window_lost == 0);
        for (size_t i = 0; i < run.rules.n; i++)
            assert(!complete || !(differ >> i & 1) || !is_comparable(&run.rules.at[i]));
    }
    run_free(&run);
    return 0;
}
