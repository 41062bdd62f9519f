#include "detect/detect.h"

#include "eve.h"

#include "detect/anomaly.h"
#include "detect/fit.h"
#include "detect/holes.h"
#include "detect/match.h"
#include "detect/others.h"

#include <weir/flow.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAYLOAD_MAX = 1 << 18 }; /* of one event; a longer one is looked at closely only so far */

static_assert((int)HOLES_SPAN >= (int)DETECT_WINDOW, "holes of the window are forgotten");

/*
 * A rule whose fast pattern was found, if it has one, and whose answer depends on bytes to come.
 * Numbers are places, not offsets.
 */
struct pending {
    uint32_t rule;
    uint64_t waits; /* as in struct match */
    int64_t until, beyond;
    int64_t seen; /* end of the bytes in which the fast pattern was found last */
};

struct detect {
    const struct groups *groups;
    const struct rule *rule; /* by index */
    struct detect_opts opts;
    alert_fn alert;
    void *ctx;
    struct detect_stats stats;
    struct mem mem;
    struct arena arena; /* behind mem */
    void *range;        /* behind the arena */
    size_t range_size;

    /* Of the event at hand. */
    struct occasion at;
    struct flow_scan *scan;
    bool has_window;
    struct buffer buffer;
    uint64_t *marked;              /* rules to look at, a bit each; none between events */
    size_t low, high;              /* words of marked that may hold bits: [low, high) */
    int64_t *beyond;               /* by rule, if marked: where its fast pattern has to end */
    uint64_t *alerted;             /* by rule: number of the packet it alerted on last */
    uint8_t *window;               /* DETECT_WINDOW + PAYLOAD_MAX bytes */
    int64_t longest;               /* bytes of the longest content of all rules */
    struct regex_scratch *scratch; /* NULL: no rule has a pcre */
    struct view *view;             /* NULL: opts.any is not set */
};

/*
 * A direction's latest bytes, with copies that did not stay in their places (other) and without
 * (kept); raw: the latter with urgent bytes.
 */
struct view {
    enum weir_dir dir;
    struct buffer buffer;                /* other */
    struct prefilter_stream *scanner[2]; /* by enum weir_dir; NULL: not used yet */
    uint8_t raw[DETECT_WINDOW], kept[DETECT_WINDOW], other[DETECT_WINDOW];
};

/* ---- life ---------------------------------------------------------------------------------- */

void
detect_free(struct detect *d)
{
    if (d == NULL)
        return;
    for (int dir = 0; dir < 2 && d->view != NULL; dir++)
        prefilter_close(d->groups->group[GROUP_STREAM][dir].prefilter, &d->mem,
                        d->view->scanner[dir]);
    free(d->view);
    if (d->range != NULL) {
        arena_give_back(&d->arena, d->range);
        munmap(d->range, d->range_size);
    }
    regex_scratch_free(d->scratch);
    free(d->marked);
    free(d->beyond);
    free(d->alerted);
    free(d->window);
    free(d);
}

/* Address space, of which only what is used becomes memory. */
static bool
reserve(struct detect *d)
{
    void *range = mmap(NULL, d->opts.memory, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (range == MAP_FAILED)
        return false;
    d->range = range;
    d->range_size = d->opts.memory;
    arena_init(&d->arena, range, d->range_size);
    mem_init_arena(&d->mem, &d->arena, d->range_size);
    return true;
}

static int64_t
longest_content(const struct rules *rules)
{
    int64_t longest = 0;

    for (size_t i = 0; i < rules->n; i++)
        for (unsigned k = 0; k < rules->at[i].n_steps; k++)
            if (rules->at[i].step[k].n > longest)
                longest = rules->at[i].step[k].n;
    return longest;
}

static bool
have_expressions(const struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        for (unsigned k = 0; k < rules->at[i].n_steps; k++)
            if (rules->at[i].step[k].kind == STEP_PCRE)
                return true;
    return false;
}

int
detect_new(const struct groups *groups, const struct detect_opts *opts, alert_fn alert, void *ctx,
           struct detect **out, struct weir_errbuf *err)
{
    struct detect *d = calloc(1, sizeof(*d));
    size_t n = groups->rules->n;

    *out = NULL;
    if (d == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    d->groups = groups;
    d->rule = groups->rules->at;
    d->opts = *opts;
    d->alert = alert;
    d->ctx = ctx;
    d->marked = calloc(n / 64 + 1, sizeof(*d->marked));
    d->beyond = calloc(n + 1, sizeof(*d->beyond));
    d->alerted = calloc(n + 1, sizeof(*d->alerted));
    d->window = malloc(DETECT_WINDOW + PAYLOAD_MAX);
    d->low = n / 64 + 1;
    d->longest = longest_content(groups->rules);
    if (opts->any)
        d->view = calloc(1, sizeof(*d->view));
    if ((have_expressions(groups->rules) && regex_scratch_new(&d->scratch) != WEIR_E_OK) ||
        (opts->any && d->view == NULL) || d->marked == NULL || d->beyond == NULL ||
        d->alerted == NULL || d->window == NULL || !reserve(d)) {
        detect_free(d);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    *out = d;
    return WEIR_E_OK;
}

const struct detect_stats *
detect_get_stats(const struct detect *d)
{
    return &d->stats;
}

static bool
kind_is_used(const struct groups *groups, enum group_kind kind)
{
    return !group_is_empty(&groups->group[kind][0]) || !group_is_empty(&groups->group[kind][1]);
}

uint64_t
detect_wants(const struct detect *d)
{
    const struct groups *groups = d->groups;
    uint64_t wants = WEIR_EV_BIT(WEIR_EV_ESTABLISHED) | WEIR_EV_BIT(WEIR_EV_FLOW_END);

    for (int kind = GROUP_SEGMENT; kind < GROUP_KINDS; kind++)
        if (kind_is_used(groups, kind))
            wants |= WEIR_EV_BIT(WEIR_EV_PACKET);
    if (kind_is_used(groups, GROUP_STREAM))
        wants |= WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_GAP) |
                 WEIR_EV_BIT(WEIR_EV_FIN) | WEIR_EV_BIT(WEIR_EV_RST) |
                 (d->opts.any ? WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT) : 0);
    for (unsigned type = 0; type < WEIR_EV_COUNT; type++)
        if (groups->first[type] < groups->first[type + 1])
            wants |= WEIR_EV_BIT(type);
    if (groups_ask_packets(groups))
        wants |= WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_BAD_PACKET);
    return wants;
}

/* ---- alerts and marks ---------------------------------------------------------------------- */

/* An alert of a direction, which may not be the event's. */
static void
raise_for(struct detect *d, uint32_t rule, enum weir_dir dir)
{
    struct weir_event ev;

    if (d->at.ev->number != 0 && d->alerted[rule] == d->at.ev->number)
        return;
    d->alerted[rule] = d->at.ev->number;
    d->scan->alerted = true;
    d->stats.alerts++;
    ev = *d->at.ev;
    if (ev.direction != dir || !eve_by_packet(&ev))
        ev.packet = NULL;
    ev.direction = (uint8_t)dir;
    d->alert(d->ctx, &d->rule[rule], &ev);
}

static void
raise_alert(struct detect *d, uint32_t rule)
{
    raise_for(d, rule, (enum weir_dir)d->at.ev->direction);
}

static void
mark(struct detect *d, uint32_t rule, int64_t beyond)
{
    size_t word = rule / 64;

    d->marked[word] |= UINT64_C(1) << rule % 64;
    d->low = word < d->low ? word : d->low;
    d->high = word + 1 > d->high ? word + 1 : d->high;
    d->beyond[rule] = beyond;
}

static bool
is_marked(const struct detect *d, uint32_t rule)
{
    return d->marked[rule / 64] >> rule % 64 & 1;
}

/* Call look() with each marked rule, in order, and unmark it. */
static void
take_marks(struct detect *d, void look(struct detect *d, uint32_t rule))
{
    for (size_t word = d->low; word < d->high; word++) {
        while (d->marked[word] != 0) {
            uint32_t rule = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(d->marked[word]);

            d->marked[word] &= d->marked[word] - 1;
            d->stats.candidates++;
            look(d, rule);
        }
    }
    d->low = d->groups->rules->n / 64 + 1;
    d->high = 0;
}

static void
mark_always(struct detect *d, const struct group *group, int64_t beyond)
{
    for (size_t i = 0; i < group->n_always; i++)
        mark(d, group->always[i], beyond);
}

static enum match_answer
match(struct detect *d, struct match *m)
{
    enum match_answer answer;

    m->scratch = d->scratch;
    m->limits = 0;
    answer = match_rule(m);
    d->stats.pcre_limits += m->limits;
    d->stats.given_up += m->budget < 0 && m->limits == 0;
    return answer;
}

/* ---- packets ------------------------------------------------------------------------------- */

/* The contents, if any, in the packet's payload. */
static bool
payload_fits(struct detect *d, uint32_t rule)
{
    const struct weir_packet *pkt = d->at.ev->packet;
    struct buffer buffer;
    struct match m = { .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };

    if (d->rule[rule].n_steps == 0)
        return true;
    if (pkt == NULL || pkt->l4 == NULL || pkt->payload_len == 0)
        return false;
    buffer = (struct buffer){ pkt->payload, 0, pkt->payload_len, true };
    return match(d, &m) == MATCH_YES;
}

static void
look_at_packet(struct detect *d, uint32_t rule)
{
    if (rule_fits(&d->at, &d->rule[rule]) && payload_fits(d, rule))
        raise_alert(d, rule);
}

static void
on_packet_match(void *ctx, uint32_t rule)
{
    mark(ctx, rule, 0);
}

static const struct group *
packet_group(const struct detect *d)
{
    enum group_kind kind = GROUP_OTHER;

    if (d->at.ev->packet->proto == WEIR_PROTO_TCP)
        kind = has_stream(&d->at) ? GROUP_SEGMENT : GROUP_LONE;
    else if (d->at.ev->packet->proto == WEIR_PROTO_UDP)
        kind = GROUP_UDP;
    return &d->groups->group[kind][d->at.ev->direction];
}

/* The target drops a packet with a bad checksum: only rules on that event see it. */
static void
scan_packet(struct detect *d)
{
    const struct weir_packet *pkt = d->at.ev->packet;
    const struct group *group;

    if (pkt == NULL || pkt->bad_checksum)
        return;
    group = packet_group(d);
    mark_always(d, group, 0);
    if (group->prefilter != NULL && pkt->payload_len > 0)
        prefilter_scan(group->prefilter, d->groups->scratch, pkt->payload, pkt->payload_len,
                       on_packet_match, d);
    take_marks(d, look_at_packet);
}

/* ---- streams: the window ------------------------------------------------------------------- */

static int64_t
lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * Read n bytes that end at the offset; where not all of that is retained any more, a nearer part.
 * Returns how many that gave, urgent ones among them.
 */
static size_t
read_raw(struct detect *d, const struct stream_scan *s, int64_t offset, uint8_t *to, size_t n)
{
    enum weir_dir dir = (enum weir_dir)(s - d->scan->dir);
    size_t wanted = n;

    while (n > 0 && weir_flow_read(d->at.ev->flow, dir, offset - (int64_t)n, to, n) < n)
        n /= 2;
    d->stats.window_lost += n < wanted;
    return n;
}

/* Take out the urgent ones of n bytes from the offset on; returns how many stay. */
static size_t
squeeze(const struct stream_scan *s, int64_t offset, uint8_t *p, size_t n)
{
    return s->holes != NULL ? holes_squeeze(s->holes, offset, p, n) : n;
}

static size_t
read_back(struct detect *d, const struct stream_scan *s, int64_t offset, size_t n)
{
    n = read_raw(d, s, offset, d->window, n);
    return squeeze(s, offset - (int64_t)n, d->window, n);
}

/*
 * What is retained of the direction before `offset`, at least `back` bytes if there are so many, and
 * the event's own bytes behind it.
 */
static void
fill_window(struct detect *d, const struct stream_scan *s, int64_t offset, int64_t back,
            struct weir_bytes data)
{
    size_t n = data.n < PAYLOAD_MAX ? data.n : PAYLOAD_MAX, before;
    int64_t place = offset - s->skipped;

    back = lesser(lesser(back + s->skipped, DETECT_WINDOW), offset - s->base);
    before = read_back(d, s, offset, (size_t)back);
    if (n > 0)
        memcpy(d->window + before, data.p, n);
    d->buffer = (struct buffer){ d->window, place - (int64_t)before, place + (int64_t)n, n == 0 };
}

static const struct buffer *
window(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;

    if (!d->has_window)
        fill_window(d, &d->scan->dir[ev->direction], ev->payload.offset, DETECT_WINDOW,
                    ev->payload.data);
    d->has_window = true;
    return &d->buffer;
}

/* ---- streams: rules that wait -------------------------------------------------------------- */

static bool
grow_pending(struct detect *d, struct stream_scan *s)
{
    uint16_t room = s->room == 0 ? 4 : 2 * s->room;
    struct pending *more;

    if (s->room == PENDING_MAX)
        return false;
    more = mem_alloc(&d->mem, room * sizeof(*more));
    if (more == NULL)
        return false;
    if (s->n_pending > 0)
        memcpy(more, s->pending, s->n_pending * sizeof(*more));
    mem_free(&d->mem, s->pending, s->room * sizeof(*more));
    s->pending = more;
    s->room = room;
    return true;
}

static void
wait_for_more(struct detect *d, struct stream_scan *s, uint32_t rule, const struct match *m)
{
    if (s->n_pending == s->room && !grow_pending(d, s)) {
        d->stats.pending_lost++;
        return;
    }
    s->pending[s->n_pending++] = (struct pending){ rule, m->waits, m->until, m->beyond,
                                                   d->buffer.end };
}

/* Whether one of the contents that it waits for ends in the event's bytes, from this place on. */
static bool
wakes(struct detect *d, const struct pending *p, int64_t from)
{
    const struct buffer *buffer = &d->buffer;
    uint64_t waits = p->waits;

    if (buffer->end >= p->until)
        return true;
    for (; waits != 0; waits &= waits - 1) {
        const struct step *step = &d->rule[p->rule].step[__builtin_ctzll(waits)];

        if (match_find(step, buffer, from - step->n + 1, buffer->end) >= 0)
            return true;
    }
    return false;
}

/*
 * Mark those that wait and may match now; forget those that the window has left behind. Rules may
 * wait for long, so no more is read for it than a content can reach back, not the whole window.
 */
static void
wake_pending(struct detect *d, struct stream_scan *s)
{
    int64_t offset = d->at.ev->payload.offset, from = offset - s->skipped;
    uint16_t kept = 0;

    fill_window(d, s, offset, d->longest, d->at.ev->payload.data);
    for (uint16_t i = 0; i < s->n_pending; i++) {
        const struct pending *p = &s->pending[i];

        if (s->no_holes || is_marked(d, p->rule) || wakes(d, p, from))
            mark(d, p->rule, p->beyond);
        else if (p->seen > from - DETECT_WINDOW)
            s->pending[kept++] = *p;
    }
    s->n_pending = kept;
}

/* What has to end in new bytes, so that a rule alerts once on the same ones: the fast pattern, or the
 * first expression of a rule that has none. -1: neither. */
static int
newest_step(const struct detect *d, uint32_t rule)
{
    const struct rule *r = &d->rule[rule];

    if (d->groups->fast[rule] >= 0)
        return d->groups->fast[rule];
    for (int i = 0; i < r->n_steps; i++)
        if (r->step[i].kind == STEP_PCRE && !(r->step[i].flags & STEP_NEGATED))
            return i;
    return -1;
}

/* Nothing more comes in this direction: what waits is decided on what came. */
static void
finish_pending(struct detect *d, enum weir_dir dir)
{
    struct stream_scan *s = &d->scan->dir[dir];
    uint16_t n = s->n_pending;

    if (n == 0)
        return;
    fill_window(d, s, s->end, DETECT_WINDOW, (struct weir_bytes){ NULL, 0 });
    s->n_pending = 0;
    for (uint16_t i = 0; i < n; i++) {
        uint32_t rule = s->pending[i].rule;
        struct match m = { .rule = &d->rule[rule],
                           .buffer = &d->buffer,
                           .fast = newest_step(d, rule),
                           .beyond = s->pending[i].beyond };

        if (match(d, &m) == MATCH_YES)
            raise_for(d, rule, dir);
    }
}

/* ---- streams: copies that did not stay ----------------------------------------------------- */

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

    for (unsigned i = 0; i < rule->n_steps; i++) {
        unsigned flags = rule->step[i].flags;

        if (rule->step[i].kind == STEP_PCRE && flags & STEP_NEGATED)
            return false;
        if (rule->step[i].kind != STEP_CONTENT || !(flags & STEP_NEGATED))
            continue;
        if (!(flags & (STEP_DEPTH | STEP_WITHIN)))
            return false;
        negated = true;
    }
    return negated && match(d, &other) == MATCH_YES && match(d, &stayed) != MATCH_YES;
}

/* Once for these copies, and not where the bytes that stayed are enough. */
static void
look_at_other(struct detect *d, uint32_t rule)
{
    struct view *view = d->view;
    uint64_t *told = &d->scan->dir[view->dir].others->told[rule / 64];
    uint64_t bit = UINT64_C(1) << rule % 64;
    struct buffer kept = view->buffer;
    struct match m = {
        .rule = &d->rule[rule], .buffer = &view->buffer, .fast = -1, .kept = view->kept
    };

    kept.p = view->kept;
    if (*told & bit || !rule_fits(&d->at, m.rule))
        return;
    if (match(d, &m) != MATCH_YES && !holds_without(d, m.rule, &kept))
        return;
    *told |= bit;
    raise_for(d, rule, view->dir);
}

static void
on_other_match(void *ctx, uint32_t rule)
{
    mark(ctx, rule, 0);
}

static void
scan_view(struct detect *d)
{
    struct view *view = d->view;
    const struct group *group = &d->groups->group[GROUP_STREAM][view->dir];
    struct prefilter_stream **scanner = &view->scanner[view->dir];
    uint32_t n = (uint32_t)(view->buffer.end - view->buffer.start);

    mark_always(d, group, 0);
    if (group->prefilter != NULL && *scanner == NULL)
        *scanner = prefilter_open(group->prefilter, &d->mem);
    if (*scanner != NULL) {
        prefilter_reset(*scanner, d->groups->scratch);
        prefilter_scan_stream(group->prefilter, *scanner, d->groups->scratch, view->other, n,
                              on_other_match, d);
    } else if (group->prefilter != NULL) {
        d->stats.no_memory++;
    }
    take_marks(d, look_at_other);
}

/* The n bytes of view->raw with one copy in its place, or all of them. */
static void
look_with(struct detect *d, const struct stream_scan *s, int which, size_t n, bool final)
{
    struct view *view = d->view;
    int64_t start = s->end - (int64_t)n, place = s->end - s->skipped;
    unsigned least = which == ALL_OTHERS ? 2 : 1;

    memcpy(view->other, view->raw, n);
    if (others_lay(s->others, which, start, view->other, n) < least)
        return;
    n = squeeze(s, start, view->other, n);
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

    n = read_raw(d, s, offset, view->raw, n);
    if (data.n > 0)
        memcpy(view->raw + n, data.p + cut, data.n - cut);
    return n + data.n - cut;
}

static void
look_at_others(struct detect *d, struct stream_scan *s, struct weir_bytes data, bool final)
{
    struct view *view = d->view;
    bool established = d->at.established;
    int64_t start;
    size_t n;

    if (!s->started || s->no_holes || !others_are_in(s->others, s->base, s->end))
        return;
    d->at.established |= d->scan->opened;
    n = fill_view(d, s, data);
    start = s->end - (int64_t)n;
    view->dir = (enum weir_dir)(s - d->scan->dir);
    others_forget_same(s->others, &d->mem, start, view->raw, n);
    memcpy(view->kept, view->raw, n);
    squeeze(s, start, view->kept, n);
    for (unsigned i = 0; i < s->others->n; i++)
        look_with(d, s, (int)i, n, final);
    look_with(d, s, ALL_OTHERS, n, final);
    others_forget_behind(s->others, &d->mem, s->end);
    d->at.established = established;
}

static bool
has_others(const struct stream_scan *s)
{
    return s->others != NULL && s->others->n > 0;
}

/* Nothing follows what came; the event may be the other direction's. */
static void
finish_others(struct detect *d, enum weir_dir dir)
{
    struct occasion at = d->at;
    struct weir_event ev;

    if (!has_others(&d->scan->dir[dir]))
        return;
    ev = *d->at.ev;
    if (ev.direction != dir) {
        ev.packet = NULL;
        ev.direction = (uint8_t)dir;
        d->at.ev = &ev;
        d->at.has_ends = false;
    }
    look_at_others(d, &d->scan->dir[dir], (struct weir_bytes){ NULL, 0 }, true);
    d->at = at;
}

static void
remember_other(struct detect *d, struct stream_scan *s, struct weir_bytes copy)
{
    enum others_added added = OTHERS_LOST;

    if (copy.n == 0)
        return;
    if (s->others == NULL)
        s->others = others_new(&d->mem, d->groups->rules->n);
    if (s->others != NULL)
        added = others_add(s->others, &d->mem, d->at.ev->fake_retransmit.diff_offset, copy.p,
                           copy.n, s->end);
    d->stats.others += added == OTHERS_ADDED;
    d->stats.others_lost += added == OTHERS_LOST;
}

/*
 * A range came again and differs. Of bytes that wait for others it is not known yet who wins, and it
 * need not be the same copy for all of them: both are remembered.
 */
static void
note_conflict(struct detect *d)
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
    if (has_others(s) && s->others->looks == 0 && !queued && others_are_due(s->others, s->end))
        look_at_others(d, s, (struct weir_bytes){ NULL, 0 }, false);
}

/* ---- streams: scanning --------------------------------------------------------------------- */

/* The fast pattern is all there is to it. */
static bool
is_simple(const struct rule *rule)
{
    return rule->n_steps == 1 && rule->step[0].kind == STEP_CONTENT &&
           rule->step[0].n <= FAST_MAX && (rule->step[0].flags & ~(STEP_NOCASE | STEP_FAST)) == 0;
}

static enum match_answer
look_closely(struct detect *d, const struct stream_scan *s, struct match *m)
{
    if (m->rule->n_steps == 0 || (is_simple(m->rule) && m->fast >= 0))
        return MATCH_YES;
    if (s->no_holes && m->fast >= 0 && m->rule->step[m->fast].kind == STEP_CONTENT) {
        d->stats.unverified++;
        return MATCH_YES; /* better than to miss it */
    }
    m->buffer = window(d);
    return match(d, m);
}

static void
look_at_stream(struct detect *d, uint32_t rule)
{
    struct stream_scan *s = &d->scan->dir[d->at.ev->direction];
    struct match m = { .rule = &d->rule[rule],
                       .fast = newest_step(d, rule),
                       .beyond = d->beyond[rule] };
    enum match_answer answer;

    if (!rule_fits(&d->at, m.rule))
        return;
    answer = look_closely(d, s, &m);
    if (answer == MATCH_YES)
        raise_alert(d, rule);
    else if (answer == MATCH_WAIT)
        wait_for_more(d, s, rule, &m);
}

static void
on_stream_match(void *ctx, uint32_t rule)
{
    struct detect *d = ctx;

    mark(d, rule, d->at.ev->payload.offset - d->scan->dir[d->at.ev->direction].skipped);
}

static void
finish(struct detect *d, enum weir_dir dir)
{
    finish_pending(d, dir);
    finish_others(d, dir);
}

/* Bytes that do not follow the last ones, behind a gap for example, are scanned afresh. */
static bool
start_scan(struct detect *d, struct stream_scan *s, const struct prefilter *pf)
{
    const struct weir_event *ev = d->at.ev;

    if (s->cut)
        finish_others(d, ev->direction);
    if (s->others != NULL)
        others_forget_begun(s->others, &d->mem, ev->payload.offset);
    if (s->stream == NULL && pf != NULL) {
        s->stream = prefilter_open(pf, &d->mem);
        s->given_up = s->stream == NULL;
        d->stats.no_memory += s->given_up;
    } else if (s->stream != NULL) {
        finish_pending(d, ev->direction);
        prefilter_reset(s->stream, d->groups->scratch);
    }
    if (!s->cut) /* the first bytes, here or behind the gap, were urgent */
        s->skipped += ev->payload.offset - s->end;
    s->base = s->end = ev->payload.offset;
    s->started = true;
    s->no_holes = false;
    return !s->given_up;
}

/* What waits is decided on what came before the gap, whose bytes have their places. */
static void
pass_gap(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct stream_scan *s = &d->scan->dir[ev->direction];

    if (s->cut)
        return;
    finish(d, ev->direction);
    if (s->others != NULL)
        others_forget_begun(s->others, &d->mem, ev->gap.offset + ev->gap.length);
    s->skipped += ev->gap.offset - s->end;
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
    s->skipped += offset - s->end;
    if (s->no_holes)
        return;
    if (s->holes == NULL) {
        s->holes = mem_alloc(&d->mem, sizeof(*s->holes));
        if (s->holes == NULL) {
            s->no_holes = true;
            return;
        }
        memset(s->holes, 0, sizeof(*s->holes));
    }
    holes_note(s->holes, s->end, offset, true);
}

/*
 * A host has taken bytes before the handshake's end, so that their content counts as established:
 * data on a SYN, which the SYN/ACK accepted (RFC 7413: the application gets them at once, and a
 * client that never sends the third step must not get past rules), and what the server answers. But
 * a SYN that nobody answered may have any source, and its data be meant for the monitor only.
 */
static bool
is_early(const struct weir_event *ev)
{
    struct weir_flow_counts receiver;

    if (weir_flow_midstream(ev->flow) || weir_flow_phase(ev->flow) != WEIR_FLOW_NEW)
        return false;
    weir_flow_counts(ev->flow, !ev->direction, &receiver);
    return receiver.packets > 0;
}

static void
scan_payload(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    const struct group *group = &d->groups->group[GROUP_STREAM][ev->direction];
    struct stream_scan *s = &d->scan->dir[ev->direction];
    struct weir_bytes data = ev->payload.data;

    if (group_is_empty(group) || s->given_up)
        return;
    if (!has_stream(&d->at)) {
        s->cut = true;
        return;
    }
    if (!goes_on(s, ev) && !start_scan(d, s, group->prefilter))
        return;
    if (ev->payload.offset > s->end)
        note_urgent(d, s, ev->payload.offset);
    mark_always(d, group, ev->payload.offset - s->skipped);
    if (group->prefilter != NULL)
        prefilter_scan_stream(group->prefilter, s->stream, d->groups->scratch, data.p, data.n,
                              on_stream_match, d);
    d->stats.scanned += data.n;
    s->end = ev->payload.offset + data.n;
    s->cut = data.n < ev->payload.length;
    if (s->holes != NULL)
        holes_note(s->holes, ev->payload.offset, s->end, false);
    if (s->n_pending > 0)
        wake_pending(d, s);
    if (d->high > 0)
        take_marks(d, look_at_stream);
    if (has_others(s) && others_are_due(s->others, s->end))
        look_at_others(d, s, data, false);
}

static void
release(struct detect *d)
{
    for (int dir = 0; dir < 2; dir++) {
        struct stream_scan *s = &d->scan->dir[dir];
        const struct prefilter *pf = d->groups->group[GROUP_STREAM][dir].prefilter;

        prefilter_close(pf, &d->mem, s->stream);
        mem_free(&d->mem, s->pending, s->room * sizeof(*s->pending));
        mem_free(&d->mem, s->holes, sizeof(*s->holes));
        others_free(s->others, &d->mem);
        *s = (struct stream_scan){ .given_up = true };
    }
}

/* ---- flow-event ---------------------------------------------------------------------------- */

static bool
conditions_hold(const struct event_test *test, const struct weir_event *ev)
{
    for (unsigned i = 0; i < test->n; i++)
        if (!compare_holds(&test->condition[i].compare,
                           weir_event_int(ev, test->condition[i].field)))
            return false;
    return true;
}

/* One of the tests of this type holds; TEST_FRAGMENT has none that could fail. */
static bool
a_test_holds(const struct rule *rule, unsigned type, const struct weir_event *ev)
{
    for (unsigned i = 0; i < rule->n_events; i++)
        if (rule->event[i].type == type && conditions_hold(&rule->event[i], ev))
            return true;
    return type == TEST_FRAGMENT;
}

static void
test_rules_of(struct detect *d, unsigned type)
{
    const struct groups *groups = d->groups;

    for (size_t i = groups->first[type]; i < groups->first[type + 1]; i++) {
        uint32_t rule = groups->by_event[i];

        d->stats.candidates++;
        if (a_test_holds(&d->rule[rule], type, d->at.ev))
            look_at_packet(d, rule);
    }
}

static void
test_anomaly_rules(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    u128 found;

    if (!groups_ask_packets(d->groups) || ev->packet == NULL)
        return;
    found = anomalies_of(ev);
    for (unsigned i = 0; found >> i != 0; i++)
        if (found >> i & 1)
            test_rules_of(d, TEST_ANOMALY + i);
    if (ev->packet->fragment && ev->type == WEIR_EV_PACKET)
        test_rules_of(d, TEST_FRAGMENT);
}

/* ---- events -------------------------------------------------------------------------------- */

void
detect_event(struct detect *d, struct flow_scan *scan, const struct weir_event *ev)
{
    d->at = (struct occasion){ .ev = ev,
                               .established = scan->established,
                               .midstream = d->opts.midstream };
    d->scan = scan;
    d->has_window = false;

    switch (ev->type) {
    case WEIR_EV_PACKET:
        test_anomaly_rules(d);
        if (ev->flow != NULL)
            scan_packet(d);
        break;
    case WEIR_EV_BAD_PACKET:
        test_anomaly_rules(d);
        break;
    case WEIR_EV_ESTABLISHED: /* what the packet's own event was too early for */
        scan->established = d->at.established = true;
        scan_packet(d);
        break;
    case WEIR_EV_PAYLOAD:
        if (!scan->established)
            d->at.established = scan->opened = scan->opened || is_early(ev);
        scan_payload(d);
        break;
    case WEIR_EV_GAP:
        pass_gap(d);
        break;
    case WEIR_EV_FAKE_RETRANSMIT:
        if (d->view != NULL)
            note_conflict(d);
        break;
    case WEIR_EV_FIN:
        finish(d, ev->direction);
        break;
    case WEIR_EV_RST:
    case WEIR_EV_FLOW_END:
        finish(d, WEIR_TOSERVER);
        finish(d, WEIR_TOCLIENT);
        break;
    default:
        break;
    }
    test_rules_of(d, ev->type);
    if (ev->type == WEIR_EV_FLOW_END)
        release(d);
}
