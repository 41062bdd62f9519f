/* Streams: rules are tried with copies that did not stay, too (ambiguity: any). */
#include "detect/stream.h"

#include "detect/others.h"

#include <weir/flow.h>

#include <string.h>

/*
 * Whether the rule holds for the other bytes only because something is not among them. Of contents
 * that must not be anywhere, nobody knows what was decided when less had come.
 */
static bool
holds_without(struct detect *d, const struct rule *rule, const struct buffer *kept)
{
    struct match other = { .rule = rule, .buffer = &d->view->buffer, .fast = -1 };
    struct match stayed = { .rule = rule, .buffer = kept, .fast = -1 };
    bool negated = false;

    for (unsigned i = 0; i < rule->n_payload; i++) {
        unsigned flags = rule->step[i].flags;

        if (rule->step[i].kind == STEP_PCRE && flags & STEP_NEGATED)
            return false;
        if (rule->step[i].kind != STEP_CONTENT || !(flags & STEP_NEGATED))
            continue;
        if (!(flags & (STEP_DEPTH | STEP_WITHIN)))
            return false;
        negated = true;
    }
    return negated && detect_match_all(d, &other) == MATCH_YES &&
           detect_match_all(d, &stayed) != MATCH_YES;
}

/* Once for these copies, and not where the bytes that stayed are enough. */
static void
look_at_other(struct detect *d, uint32_t rule)
{
    struct view *view = d->view;
    uint64_t *told = &d->scan->dir[view->dir].rare->others->told[rule / 64];
    uint64_t bit = UINT64_C(1) << rule % 64;
    struct buffer kept = view->buffer;
    struct match m = {
        .rule = &d->rule[rule], .buffer = &view->buffer, .fast = -1, .kept = view->kept
    };

    kept.p = view->kept;
    if (*told & bit || !detect_fits(d, rule, view->dir))
        return;
    if (detect_match_all(d, &m) != MATCH_YES && !holds_without(d, m.rule, &kept))
        return;
    *told |= bit;
    detect_raise(d, rule, view->dir);
}

static void
on_other_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ends;
    detect_mark(ctx, rule, 0);
}

static void
scan_view(struct detect *d)
{
    struct view *view = d->view;
    const struct group *group = &d->groups->group[GROUP_STREAM][view->dir];
    struct prefilter_stream **scanner = &view->scanner[view->dir];
    uint32_t n = (uint32_t)(view->buffer.end - view->buffer.start);

    detect_mark_always(d, group, 0);
    if (group->prefilter != NULL && *scanner == NULL)
        *scanner = prefilter_open(group->prefilter, mem_of_core(&d->shards));
    if (group->prefilter != NULL)
        view->scanner_size[view->dir] = prefilter_stream_size(group->prefilter);
    if (*scanner != NULL) {
        prefilter_reset(*scanner, d->prefilters);
        prefilter_scan_stream(group->prefilter, *scanner, d->prefilters, 0, view->other, n,
                              on_other_match, d);
    } else if (group->prefilter != NULL) {
        d->stats.no_memory++;
    }
    detect_take_marks(d, look_at_other);
}

/* The n bytes of view->raw with one copy in its place, or all of them. */
static void
look_with(struct detect *d, const struct stream_scan *s, int which, size_t n, bool final)
{
    struct view *view = d->view;
    int64_t start = s->end - (int64_t)n, place = s->end - s->skipped;
    unsigned least = which == ALL_OTHERS ? 2 : 1;

    memcpy(view->other, view->raw, n);
    if (others_lay(s->rare->others, which, start, view->other, n) < least)
        return;
    n = stream_squeeze(s, start, view->other, n);
    view->buffer = (struct buffer){ view->other, place - (int64_t)n, place, final };
    scan_view(d);
}

/* All that was scanned of the direction, so far as it is retained; data: the last of it. */
static size_t
fill_view(struct detect *d, const struct stream_scan *s, struct weir_bytes data)
{
    struct view *view = d->view;
    uint32_t cut = data.n > DETECT_WINDOW ? data.n - DETECT_WINDOW : 0;
    int64_t offset = s->end - data.n;
    size_t n = (size_t)lesser(DETECT_WINDOW - (int64_t)(data.n - cut), offset - s->base);

    n = stream_read_raw(d, s, offset, view->raw, n);
    if (data.n > 0)
        memcpy(view->raw + n, data.p + cut, data.n - cut);
    return n + data.n - cut;
}

void
stream_look_at_others(struct detect *d, struct stream_scan *s, struct weir_bytes data, bool final)
{
    struct view *view = d->view;
    struct others *others = stream_rare_of(s)->others;
    bool established = d->at.established;
    int64_t start;
    size_t n;

    if (!s->started || s->no_holes || !others_are_in(others, s->base, s->end))
        return;
    d->at.established |= d->scan->opened;
    n = fill_view(d, s, data);
    start = s->end - (int64_t)n;
    view->dir = (enum weir_dir)(s - d->scan->dir);
    others_forget_same(others, d->mem, start, view->raw, n);
    memcpy(view->kept, view->raw, n);
    stream_squeeze(s, start, view->kept, n);
    for (unsigned i = 0; i < others->n; i++)
        look_with(d, s, (int)i, n, final);
    look_with(d, s, ALL_OTHERS, n, final);
    others_forget_behind(others, d->mem, s->end);
    d->at.established = established;
}

void
stream_finish_others(struct detect *d, enum weir_dir dir)
{
    struct occasion at = d->at;
    struct weir_event ev;

    if (!stream_has_others(&d->scan->dir[dir]))
        return;
    stream_turn_to(d, dir, &ev);
    stream_look_at_others(d, &d->scan->dir[dir], (struct weir_bytes){ NULL, 0 }, true);
    d->at = at;
}

static void
remember_other(struct detect *d, struct stream_scan *s, struct weir_bytes copy)
{
    enum others_added added = OTHERS_LOST;

    struct stream_rare *r;

    if (copy.n == 0)
        return;
    r = stream_make_rare(d, s);
    if (r != NULL && r->others == NULL)
        r->others = others_new(d->mem, d->groups->rules->n);
    if (r != NULL && r->others != NULL)
        added = others_add(r->others, d->mem, d->at.ev->fake_retransmit.diff_offset, copy.p, copy.n,
                           s->end);
    d->stats.others += added == OTHERS_ADDED;
    d->stats.others_lost += added == OTHERS_LOST;
}

void
detect_note_conflict(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct stream_scan *s = &d->scan->dir[ev->direction];
    int64_t from = ev->fake_retransmit.diff_offset, to = from + ev->fake_retransmit.diff_length;
    bool queued = !s->started || to > s->end;
    bool old = ev->fake_retransmit.kept == WEIR_KEPT_OLD;

    if (group_is_empty(&d->groups->group[GROUP_STREAM][ev->direction]) || s->given_up ||
        (s->started && from < s->base) || (!has_stream(&d->at) && weir_flow_midstream(ev->flow)))
        return;
    if (queued || !old)
        remember_other(d, s, ev->fake_retransmit.old_data);
    if (queued || old)
        remember_other(d, s, ev->fake_retransmit.new_data);
    if (stream_has_others(s) && s->rare->others->looks == 0 && !queued &&
        others_are_due(s->rare->others, s->end))
        stream_look_at_others(d, s, (struct weir_bytes){ NULL, 0 }, false);
}
