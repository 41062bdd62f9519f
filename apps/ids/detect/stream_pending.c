/* Streams: rules whose answer depends on bytes to come. */
#include "detect/stream.h"

#include <string.h>

static bool
grow_pending(struct detect *d, struct stream_rare *r)
{
    uint16_t room = r->room == 0 ? 4 : 2 * r->room;
    struct pending *more;

    if (r->room == PENDING_MAX)
        return false;
    more = mem_alloc(d->mem, room * sizeof(*more));
    if (more == NULL)
        return false;
    if (r->n_pending > 0)
        memcpy(more, r->pending, r->n_pending * sizeof(*more));
    mem_free(d->mem, r->pending, r->room * sizeof(*more));
    r->pending = more;
    r->room = room;
    return true;
}

static uint16_t
longest_of(const struct rule *rule, uint64_t steps)
{
    uint16_t longest = 0;

    for (; steps != 0; steps &= steps - 1) {
        const struct step *step = &rule->step[__builtin_ctzll(steps)];

        longest = step->n > longest ? step->n : longest;
    }
    return longest;
}

void
stream_wait(struct detect *d, struct stream_scan *s, uint32_t rule, const struct match *m,
            int64_t expires)
{
    struct stream_rare *r = stream_make_rare(d, s);

    if (r == NULL || (r->n_pending == r->room && !grow_pending(d, r))) {
        d->stats.pending_lost++;
        return;
    }
    r->pending[r->n_pending++] = (struct pending){ .rule = rule,
                                                   .waits = m->waits,
                                                   .until = m->until,
                                                   .beyond = m->beyond,
                                                   .first = d->first[rule],
                                                   .last = d->last[rule],
                                                   .seen = d->buffer.end,
                                                   .expires = expires,
                                                   .longest = longest_of(m->rule, m->waits) };
}

void
stream_wait_for_name(struct detect *d, struct stream_scan *s, uint32_t rule, struct match *m)
{
    uint16_t n = stream_rare_of(s)->n_pending;

    if (m->fast < 0 || stream_place(d) - m->beyond > DETECT_WINDOW ||
        !rule_may_fit(&d->at, m->rule))
        return;
    m->waits = 0;
    m->until = INT64_MIN;
    (void)stream_window(d, 0);
    stream_wait(d, s, rule, m, INT64_MAX);
    if (stream_rare_of(s)->n_pending > n)
        s->rare->pending[n].unnamed = true;
}

/*
 * Whether one of the contents that it waits for ends in the event's bytes, or where these join on.
 */
static bool
wakes(struct detect *d, const struct pending *p, const struct buffer *fresh,
      const struct buffer *seam)
{
    uint64_t waits = p->waits;

    if (fresh->end >= p->until)
        return true;
    for (; waits != 0; waits &= waits - 1) {
        const struct step *step = &d->rule[p->rule].step[__builtin_ctzll(waits)];

        if (match_find(step, fresh, fresh->start, p->expires) >= 0 ||
            match_find(step, seam, fresh->start - step->n + 1, p->expires) >= 0)
            return true;
    }
    return false;
}

static void
wake(struct detect *d, const struct pending *p)
{
    if (!detect_is_marked(d, p->rule))
        d->last[p->rule] = p->last;
    d->first[p->rule] = p->first;
    detect_mark(d, p->rule, p->beyond);
}

/* The last bytes before the event's and the first of these, as many as the longest content that
 * somebody waits for. Rules may wait for long, so no more is copied for it. */
static struct buffer
fill_seam(struct detect *d, struct stream_scan *s, const struct weir_bytes *data)
{
    struct weir_bytes first = *data;
    uint16_t longest = 0;

    for (uint16_t i = 0; i < s->rare->n_pending; i++)
        longest = s->rare->pending[i].longest > longest ? s->rare->pending[i].longest : longest;
    first.n = first.n < longest ? first.n : longest;
    d->window_back = -1;
    stream_fill_window(d, s, d->at.ev->payload.offset, longest, first);
    return d->buffer;
}

/*
 * Its fast pattern was. A rule without one is marked at every payload: what it waits for decides.
 */
static bool
is_found(const struct detect *d, uint32_t rule)
{
    return d->groups->fast[rule] >= 0 && detect_is_marked(d, rule);
}

void
stream_wake_pending(struct detect *d, struct stream_scan *s)
{
    const struct weir_bytes *data = &d->at.ev->payload.data;
    int64_t from = stream_place(d);
    struct buffer fresh = { data->p, from, from + data->n, false };
    struct buffer seam = fill_seam(d, s, data);
    struct stream_rare *r = s->rare;
    uint16_t kept = 0;

    for (uint16_t i = 0; i < r->n_pending; i++) {
        const struct pending *p = &r->pending[i];

        if (s->no_holes || is_found(d, p->rule) || wakes(d, p, &fresh, &seam)) {
            wake(d, p);
        } else if (p->seen > from - DETECT_WINDOW && p->expires > fresh.end) {
            detect_unmark(d, p->rule);
            r->pending[kept++] = *p;
        }
    }
    r->n_pending = kept;
}

/* For a rule that waited to be told what the flow speaks: its other conditions, too. */
static bool
is_named(struct detect *d, const struct pending *p, enum weir_dir dir)
{
    struct occasion at = d->at;
    struct weir_event ev;
    bool fits;

    if (!p->unnamed)
        return true;
    stream_turn_to(d, dir, &ev);
    fits = rule_fits_flow(&d->at, &d->rule[p->rule]);
    d->at = at;
    return fits;
}

void
stream_finish_pending(struct detect *d, enum weir_dir dir)
{
    struct stream_scan *s = &d->scan->dir[dir];
    struct stream_rare *r = s->rare;
    uint16_t n = stream_rare_of(s)->n_pending;

    if (n == 0)
        return;
    stream_fill_window(d, s, s->end, DETECT_WINDOW, (struct weir_bytes){ NULL, 0 });
    r->n_pending = 0;
    for (uint16_t i = 0; i < n; i++) {
        uint32_t rule = r->pending[i].rule;
        struct match m = { .rule = &d->rule[rule],
                           .buffer = &d->buffer,
                           .fast = stream_newest_step(d, rule),
                           .beyond = r->pending[i].beyond };

        if (is_named(d, &r->pending[i], dir) &&
            outcome_may(d->outcome, &d->at, &d->scan->past, rule, dir) &&
            detect_match_all(d, &m) == MATCH_YES)
            detect_raise(d, rule, dir);
    }
}
