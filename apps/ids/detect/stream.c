/* Streams: scanning, as their bytes come. */
#include "detect/stream.h"

#include "detect/holes.h"
#include "detect/others.h"

#include <assert.h>
#include <string.h>

static_assert((int)HOLES_SPAN >= (int)DETECT_WINDOW, "holes of the window are forgotten");

struct stream_rare *
stream_make_rare(struct detect *d, struct stream_scan *s)
{
    if (s->rare == NULL && (s->rare = mem_alloc(d->mem, sizeof(*s->rare))) != NULL)
        memset(s->rare, 0, sizeof(*s->rare));
    return s->rare;
}

int
stream_newest_step(const struct detect *d, uint32_t rule)
{
    const struct rule *r = &d->rule[rule];

    if (d->groups->fast[rule] >= 0)
        return d->groups->fast[rule];
    for (int i = 0; i < r->n_payload; i++)
        if (r->step[i].kind == STEP_PCRE && !(r->step[i].flags & STEP_NEGATED))
            return i;
    return -1;
}

void
stream_turn_to(struct detect *d, enum weir_dir dir, struct weir_event *ev)
{
    *ev = *d->at.ev;
    if (ev->direction == dir)
        return;
    ev->packet = NULL;
    ev->direction = (uint8_t)dir;
    d->at.ev = ev;
    d->at.has_ends = false;
}

/* The fast pattern is all there is to it. */
static bool
is_simple(const struct rule *rule)
{
    return rule->n_steps == 1 && rule->step[0].kind == STEP_CONTENT &&
           rule->step[0].n <= FAST_MAX && (rule->step[0].flags & ~(STEP_NOCASE | STEP_FAST)) == 0;
}

/* The first place that a rule looks at. */
static int64_t
back_to(const struct detect *d, uint32_t rule)
{
    int64_t back = d->groups->plan[rule].back;

    return back != PLAN_FAR ? d->first[rule] - back : stream_place(d) - DETECT_WINDOW;
}

static enum match_answer
look_closely(struct detect *d, const struct stream_scan *s, struct match *m)
{
    if (m->rule->n_payload == 0 || (is_simple(m->rule) && m->fast >= 0))
        return MATCH_YES;
    if (s->no_holes && m->fast >= 0 && m->rule->step[m->fast].kind == STEP_CONTENT) {
        d->stats.unverified++;
        return MATCH_YES; /* better than to miss it */
    }
    m->buffer = stream_window(d, stream_place(d) - back_to(d, (uint32_t)(m->rule - d->rule)));
    return detect_match_all(d, m);
}

/*
 * Before all steps are compared: whether the content that has to follow the fast pattern does.
 * Until it has come in full, the rule waits for it.
 */
static enum match_answer
probe(struct detect *d, struct stream_scan *s, uint32_t rule, struct match *m)
{
    const struct plan *plan = &d->groups->plan[rule];
    const struct step *step = &m->rule->step[plan->probe];
    int64_t end = plan->high != PLAN_FAR ? d->last[rule] + plan->high : INT64_MAX;
    const struct buffer *buffer = stream_window(d, stream_place(d) - d->first[rule] - plan->low);

    if (match_find(step, buffer, d->first[rule] + plan->low, end) >= 0)
        return MATCH_YES;
    if (end <= buffer->end)
        return MATCH_NO;
    m->waits = UINT64_C(1) << plan->probe;
    m->until = INT64_MAX;
    stream_wait(d, s, rule, m, end);
    return MATCH_WAIT;
}

static void
look_at_stream(struct detect *d, uint32_t rule)
{
    struct stream_scan *s = &d->scan->dir[d->at.ev->direction];
    struct match m = { .rule = &d->rule[rule],
                       .fast = stream_newest_step(d, rule),
                       .beyond = d->beyond[rule] };
    enum match_answer answer;

    if (!detect_fits(d, rule, (enum weir_dir)d->at.ev->direction)) {
        stream_wait_for_name(d, s, rule, &m);
        return;
    }
    if (d->groups->plan[rule].probe >= 0 && !s->no_holes && probe(d, s, rule, &m) != MATCH_YES)
        return;
    answer = look_closely(d, s, &m);
    if (answer == MATCH_YES)
        detect_raise_here(d, rule);
    else if (answer == MATCH_WAIT)
        stream_wait(d, s, rule, &m, INT64_MAX);
}

static void
on_stream_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    struct detect *d = ctx;
    int64_t place = d->at.ev->payload.offset - d->scan->dir[d->at.ev->direction].skipped;

    d->first[rule] = place + ends.first;
    d->last[rule] = place + ends.last;
    detect_mark(d, rule, place);
}

void
detect_finish(struct detect *d, enum weir_dir dir)
{
    stream_finish_pending(d, dir);
    stream_finish_others(d, dir);
}

static void
open_stream(struct detect *d, struct stream_scan *s, const struct prefilter *pf)
{
    s->stream = prefilter_open(pf, d->mem);
    s->stream_size = prefilter_stream_size(pf) & ((1U << 27) - 1);
    s->fed = 0;
    s->given_up = s->stream == NULL;
    d->stats.no_memory += s->given_up;
}

static void
ignore_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ctx, (void)rule, (void)ends;
}

/* Other rules are tested from here on. What lies across is found, as the last bytes before are
 * shown to the new stream; what had come in full had been looked at. */
static bool
open_again(struct detect *d, struct stream_scan *s, const struct prefilter *pf)
{
    int64_t offset = d->at.ev->payload.offset;
    size_t n = (size_t)lesser(FAST_MAX - 1, offset - s->base);

    open_stream(d, s, pf);
    if (s->given_up)
        return false;
    n = n > 0 ? stream_read_back(d, s, offset, n) : 0;
    if (n > 0)
        prefilter_scan_stream(pf, s->stream, d->prefilters, 0, d->window, (uint32_t)n, ignore_match,
                              d);
    s->fed = n;
    return true;
}

/* Bytes that do not follow the last ones, behind a gap for example, are scanned afresh. */
static bool
start_scan(struct detect *d, struct stream_scan *s, const struct prefilter *pf)
{
    const struct weir_event *ev = d->at.ev;

    if (s->cut)
        stream_finish_others(d, ev->direction);
    if (stream_rare_of(s)->others != NULL)
        others_forget_begun(s->rare->others, d->mem, ev->payload.offset);
    if (s->stream == NULL && pf != NULL) {
        open_stream(d, s, pf);
    } else if (s->stream != NULL) {
        stream_finish_pending(d, ev->direction);
        prefilter_reset(s->stream, d->prefilters);
        s->fed = 0;
    }
    if (s->late)
        s->skipped = 0;
    else if (!s->cut) /* the first bytes, here or behind the gap, were urgent */
        s->skipped += (uint32_t)(ev->payload.offset - s->end);
    s->late = false;
    s->base = s->end = ev->payload.offset;
    s->started = true;
    s->no_holes = false;
    return !s->given_up;
}

void
detect_pass_gap(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct stream_scan *s = &d->scan->dir[ev->direction];

    if (s->cut)
        return;
    detect_finish(d, ev->direction);
    if (stream_rare_of(s)->others != NULL)
        others_forget_begun(s->rare->others, d->mem, ev->gap.offset + ev->gap.length);
    s->skipped += (uint32_t)(ev->gap.offset - s->end);
    s->end = ev->gap.offset + ev->gap.length;
}

/* Whether these bytes follow those scanned last. Urgent ones, and no others, may lie between. */
static bool
goes_on(const struct stream_scan *s, const struct weir_event *ev)
{
    return s->started && !ev->payload.after_gap && !s->cut;
}

/* Urgent bytes lie between those scanned last and the event's. */
static void
note_urgent(struct detect *d, struct stream_scan *s, int64_t offset)
{
    struct stream_rare *r;

    s->skipped += (uint32_t)(offset - s->end);
    if (s->no_holes)
        return;
    r = stream_make_rare(d, s);
    if (r != NULL && r->holes == NULL && (r->holes = mem_alloc(d->mem, sizeof(*r->holes))) != NULL)
        memset(r->holes, 0, sizeof(*r->holes));
    if (r != NULL && r->holes != NULL)
        holes_note(r->holes, s->end, offset, true);
    else
        s->no_holes = true;
}

void
detect_scan_payload(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    const struct group *group = &d->groups->group[GROUP_STREAM][ev->direction];
    struct stream_scan *s = &d->scan->dir[ev->direction];
    struct weir_bytes data = ev->payload.data;

    if (group_is_empty(group) || s->given_up)
        return;
    d->at.established |= detect_is_one_sided(d); /* by these bytes, perhaps */
    if (!has_stream(&d->at)) {
        s->cut = true;
        return;
    }
    if (!goes_on(s, ev) && !start_scan(d, s, group->prefilter))
        return;
    if (s->stream == NULL && group->prefilter != NULL && !open_again(d, s, group->prefilter))
        return;
    if (ev->payload.offset > s->end)
        note_urgent(d, s, ev->payload.offset);
    detect_mark_always(d, group, ev->payload.offset - s->skipped);
    if (group->prefilter != NULL)
        prefilter_scan_stream(group->prefilter, s->stream, d->prefilters, s->fed, data.p, data.n,
                              on_stream_match, d);
    s->fed += data.n;
    d->stats.scanned += data.n;
    s->end = ev->payload.offset + data.n;
    s->cut = data.n < ev->payload.length;
    if (stream_rare_of(s)->holes != NULL)
        holes_note(s->rare->holes, ev->payload.offset, s->end, false);
    if (stream_rare_of(s)->n_pending > 0)
        stream_wake_pending(d, s);
    if (d->high > 0)
        detect_take_marks(d, look_at_stream);
    if (stream_has_others(s) && others_are_due(s->rare->others, s->end))
        stream_look_at_others(d, s, data, false);
}

static void
free_rare(struct detect *d, struct stream_rare *r)
{
    if (r == NULL)
        return;
    mem_free(d->mem, r->pending, r->room * sizeof(*r->pending));
    mem_free(d->mem, r->holes, sizeof(*r->holes));
    others_free(r->others, d->mem);
    mem_free(d->mem, r, sizeof(*r));
}

void
detect_release(struct detect *d)
{
    for (int dir = 0; dir < 2; dir++) {
        struct stream_scan *s = &d->scan->dir[dir];

        prefilter_close(s->stream_size, d->mem, s->stream);
        free_rare(d, s->rare);
        *s = (struct stream_scan){ .given_up = true };
    }
}

void
detect_renew(struct detect *d, struct flow_scan *scan)
{
    bool late = scan->established || scan->opened;

    for (int dir = 0; dir < 2; dir++) {
        struct stream_scan *s = &scan->dir[dir];

        prefilter_close(s->stream_size, d->mem, s->stream);
        s->stream = NULL;
        if (s->rare != NULL) {
            s->rare->n_pending = 0;
            others_free(s->rare->others, d->mem);
            s->rare->others = NULL;
        }
        if (group_is_empty(&d->groups->group[GROUP_STREAM][dir]))
            s->started = false;
        s->late = late && !s->started;
    }
    scan->generation = d->generation;
}
