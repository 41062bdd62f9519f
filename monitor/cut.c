#include "cut.h"

static bool
overlap(struct seqs a, struct seqs b)
{
    const uint32_t from = seq_before(a.from, b.from) ? b.from : a.from;

    return seq_before(from, a.to) && seq_before(from, b.to);
}

/* How far apart they are; 0: they touch. */
static uint32_t
distance(struct seqs a, struct seqs b)
{
    if (seq_before(a.to, b.from))
        return b.from - a.to;
    return seq_before(b.to, a.from) ? a.from - b.to : 0;
}

static void
join(struct seqs *to, struct seqs more)
{
    if (seq_before(more.from, to->from))
        to->from = more.from;
    if (seq_before(to->to, more.to))
        to->to = more.to;
}

/* Those that have come to touch @one become part of it, and it the last. */
static void
unite(struct cut *cut, struct seqs one)
{
    unsigned n = 0;

    for (unsigned i = 0; i < cut->n_sticky; i++) {
        if (distance(cut->sticky[i], one) == 0)
            join(&one, cut->sticky[i]);
        else
            cut->sticky[n++] = cut->sticky[i];
    }
    cut->n_sticky = (uint8_t)n;
    cut->sticky[cut->n_sticky++] = one;
}

/*
 * What was dropped stays so. A fifth stretch becomes one with the nearest, of equal ones that with
 * the lower numbers: what is between them is of no use to the target's program, which lacks the
 * first.
 */
void
cut_stick(struct cut *cut, struct seqs more)
{
    struct seqs nearest = cut->sticky[0];

    if (more.from == more.to)
        return;
    for (unsigned i = 1; i < cut->n_sticky; i++) {
        const uint32_t far = distance(cut->sticky[i], more), least = distance(nearest, more);

        if (far < least || (far == least && seq_before(cut->sticky[i].from, nearest.from)))
            nearest = cut->sticky[i];
    }
    if (cut->n_sticky == STICKY)
        join(&more, nearest);
    unite(cut, more);
}

bool
cut_sticks(const struct cut *cut, struct seqs seqs)
{
    for (unsigned i = 0; i < cut->n_sticky; i++)
        if (overlap(cut->sticky[i], seqs))
            return true;
    return false;
}

void
cut_lacks(struct cut *cut, struct seqs seqs)
{
    if (seqs.from == seqs.to)
        return;
    if (cut->any)
        join(&cut->lacking, seqs);
    else
        cut->lacking = seqs;
    cut->any = true;
}

void
cut_got(struct cut *cut, struct seqs seqs)
{
    struct seqs *lacking = &cut->lacking;

    if (!cut->any || seq_before(lacking->from, seqs.from) || !seq_before(lacking->from, seqs.to))
        return;
    lacking->from = seqs.to;
    cut->any = seq_before(lacking->from, lacking->to);
}
