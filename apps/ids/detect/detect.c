#include "detect/parts.h"

#include "eve.h"

#include "detect/anomaly.h"
#include "detect/copies.h"
#include "detect/holes.h"
#include "detect/others.h"

#include <weir/flow.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

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
    int64_t first, last; /* where the fast pattern ended first and last */
    int64_t seen;        /* end of the bytes in which it was found last */
    int64_t expires;     /* what it waits for has to end there, at the latest */
    uint16_t longest;    /* bytes of the longest content that it waits for */
    bool unnamed;        /* it waits to be told what the flow speaks */
};

/* ---- life ---------------------------------------------------------------------------------- */

/* What detection keeps by rule, and for rules. */
struct detect_next {
    const struct groups *groups;
    uint64_t *marked, *alerted;
    int64_t *beyond, *first, *last;
    struct rule_profile *profile;
    struct prefilter_scratch *prefilters;
    struct regex_scratch *scratch;
    struct transformer *transformer;
    struct outcome *outcome;
};

void
detect_next_free(struct detect_next *next)
{
    if (next == NULL)
        return;
    outcome_free(next->outcome);
    prefilter_free_scratch(next->prefilters);
    regex_scratch_free(next->scratch);
    transformer_free(next->transformer);
    free(next->profile);
    free(next->marked);
    free(next->alerted);
    free(next->beyond);
    free(next->first);
    free(next->last);
    free(next);
}

static bool
has_expression(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (rule->step[i].kind == STEP_PCRE)
            return true;
    for (unsigned i = 0; i < rule->n_transforms; i++)
        if (rule->transforms[i].regex != NULL)
            return true;
    return false;
}

/* Scratch memory that the rules at hand need. */
static int
scratch_new(struct detect_next *next, const struct groups *groups)
{
    const struct rules *rules = groups->rules;
    bool expressions = false, transforms = false;
    int rc = prefilter_copy_scratch(groups->scratch, &next->prefilters);

    for (size_t i = 0; i < rules->n; i++) {
        expressions |= has_expression(&rules->at[i]);
        transforms |= rules->at[i].n_transforms > 0;
    }
    if (rc == WEIR_E_OK && expressions)
        rc = regex_scratch_new(&next->scratch);
    return rc == WEIR_E_OK && transforms ? transformer_new(&next->transformer) : rc;
}

static struct detect_next *
next_new(const struct groups *groups, bool profile, const struct outcome_opts *opts,
         struct mem *mem, struct weir_errbuf *err)
{
    struct detect_next *next = calloc(1, sizeof(*next));
    size_t n = groups->rules->n;

    if (next == NULL)
        return NULL;
    next->groups = groups;
    next->profile = profile ? calloc(n + 1, sizeof(*next->profile)) : NULL;
    next->marked = calloc(n / 64 + 1, sizeof(*next->marked));
    next->alerted = calloc(n + 1, sizeof(*next->alerted));
    next->beyond = calloc(n + 1, sizeof(*next->beyond));
    next->first = calloc(n + 1, sizeof(*next->first));
    next->last = calloc(n + 1, sizeof(*next->last));
    if (scratch_new(next, groups) != WEIR_E_OK || (profile && next->profile == NULL) ||
        next->marked == NULL || next->alerted == NULL || next->beyond == NULL ||
        next->first == NULL || next->last == NULL ||
        outcome_new(groups->rules, opts, mem, &next->outcome, err) != WEIR_E_OK) {
        detect_next_free(next);
        return NULL;
    }
    return next;
}

int
detect_next_new(const struct detect *d, const struct groups *groups, const struct limits *limits,
                const struct detect_next *with, struct detect_next **out, struct weir_errbuf *err)
{
    struct outcome_opts opts = d->opts.outcome;

    opts.limits = limits;
    opts.before = d->outcome;
    opts.with = with != NULL ? with->outcome : NULL;
    *out = next_new(groups, d->opts.profile, &opts, (struct mem *)(uintptr_t)&d->mem, err);
    return *out != NULL ? WEIR_E_OK : weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

/* Let d have what next has, and next what d had. */
static void
change(struct detect *d, struct detect_next *next)
{
    const struct detect_next before = { d->groups,  d->marked,      d->alerted, d->beyond,
                                        d->first,   d->last,        d->profile, d->prefilters,
                                        d->scratch, d->transformer, d->outcome };

    d->groups = next->groups;
    d->rule = next->groups->rules->at;
    d->profile = next->profile;
    d->marked = next->marked;
    d->alerted = next->alerted;
    d->beyond = next->beyond;
    d->first = next->first;
    d->last = next->last;
    d->prefilters = next->prefilters;
    d->scratch = next->scratch;
    d->transformer = next->transformer;
    d->outcome = next->outcome;
    d->low = d->groups->rules->n / 64 + 1;
    d->high = 0;
    *next = before;
}

static void
close_scanners(struct detect *d)
{
    for (int dir = 0; dir < 2 && d->view != NULL; dir++) {
        prefilter_close(d->view->scanner_size[dir], &d->mem, d->view->scanner[dir]);
        d->view->scanner[dir] = NULL;
    }
}

void
detect_go_over(struct detect *d, struct detect_next *next)
{
    close_scanners(d);
    outcome_inherit(next->outcome, d->outcome);
    change(d, next);
    d->generation++;
    detect_next_free(next);
}

void
detect_free(struct detect *d)
{
    if (d == NULL)
        return;
    close_scanners(d);
    free(d->view);
    outcome_free(d->outcome);
    if (d->range != NULL) {
        arena_give_back(&d->arena, d->range);
        munmap(d->range, d->range_size);
    }
    prefilter_free_scratch(d->prefilters);
    regex_scratch_free(d->scratch);
    transformer_free(d->transformer);
    free(d->profile);
    free(d->marked);
    free(d->beyond);
    free(d->first);
    free(d->last);
    free(d->alerted);
    free(d->window);
    free(d->decoded);
    free(d->caught);
    free(d->of_packet);
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

int
detect_new(const struct groups *groups, const struct detect_opts *opts, alert_fn alert, void *ctx,
           struct detect **out, struct weir_errbuf *err)
{
    struct detect *d = calloc(1, sizeof(*d));
    struct detect_next *rules = NULL;

    *out = NULL;
    if (d == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    d->opts = *opts;
    d->alert = alert;
    d->ctx = ctx;
    d->window = malloc(DETECT_WINDOW + PAYLOAD_MAX);
    d->decoded = malloc(sizeof(*d->decoded));
    d->caught = captures_new();
    d->of_packet = captures_new();
    d->view = opts->any ? calloc(1, sizeof(*d->view)) : NULL;
    if (d->window != NULL && d->decoded != NULL && d->caught != NULL && d->of_packet != NULL &&
        (!opts->any || d->view != NULL) && reserve(d))
        rules = next_new(groups, opts->profile, &opts->outcome, &d->mem, err);
    if (rules == NULL) {
        detect_free(d);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    change(d, rules);
    detect_next_free(rules);
    *out = d;
    return WEIR_E_OK;
}

const struct outcome *
detect_outcome(const struct detect *d)
{
    return d->outcome;
}

const struct captures *
detect_packet_captures(const struct detect *d)
{
    return d->of_packet;
}

const struct captures *
detect_alert_captures(const struct detect *d)
{
    for (const struct captured *c = captures_next(d->caught, NULL); c != NULL;
         c = captures_next(d->caught, c))
        if (c->kind == CAPTURE_ALERT)
            return d->caught;
    return NULL;
}

const struct rule_profile *
detect_get_profile(const struct detect *d)
{
    return d->profile;
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

    if (outcome_wants_packets(d->outcome))
        wants |= WEIR_EV_BIT(WEIR_EV_PACKET);
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

/* What the rule captured counts from now on, also where no alert comes of it (as in Suricata). */
static void
keep_captures(struct detect *d, uint32_t rule)
{
    const struct weir_event *ev = d->at.ev;
    struct captures **flow = &d->scan->past.captures;

    if (d->at.packet == 0 || d->at.packet != d->of_packet_number)
        d->of_packet->n = 0;
    d->of_packet_number = d->at.packet;
    if (d->caught_by != &d->rule[rule])
        d->caught->n = 0;
    for (const struct captured *c = captures_next(d->caught, NULL); c != NULL;
         c = captures_next(d->caught, c)) {
        bool kept = true;

        if (c->kind == CAPTURE_PACKET)
            kept = captures_put(d->of_packet, c, c->name, captured_bytes(c));
        else if (c->kind != CAPTURE_ALERT && ev->flow != NULL)
            kept = captures_keep(flow, &d->mem, c);
        d->stats.captures_lost += !kept;
    }
}

void
detect_raise(struct detect *d, uint32_t rule, enum weir_dir dir)
{
    struct weir_event ev;
    bool alerts;

    if (d->tx == NULL && d->at.packet != 0 && d->alerted[rule] == d->at.packet)
        return;
    d->alerted[rule] = d->at.packet;
    if (d->profile != NULL)
        d->profile[rule].matches++;
    keep_captures(d, rule);
    alerts = outcome_alerts(d->outcome, &d->at, &d->scan->past, rule, dir);
    if (d->opts.act != NULL && outcome_acts(d->outcome))
        d->opts.act(d->ctx, &d->rule[rule], d->at.ev);
    if (!alerts)
        return;
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
    detect_raise(d, rule, (enum weir_dir)d->at.ev->direction);
}

bool
detect_is_one_sided(const struct detect *d)
{
    const struct weir_event *ev = d->at.ev;

    return ev->flow != NULL && d->scan->app.established && app_is_one_sided(ev);
}

/* Everything of a rule but its contents. */
bool
detect_fits(struct detect *d, uint32_t rule, enum weir_dir dir)
{
    return rule_fits(&d->at, &d->rule[rule]) &&
           outcome_may(d->outcome, &d->at, &d->scan->past, rule, dir);
}

void
detect_mark(struct detect *d, uint32_t rule, int64_t beyond)
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

static void
unmark(struct detect *d, uint32_t rule)
{
    d->marked[rule / 64] &= ~(UINT64_C(1) << rule % 64);
}

static uint64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
look_and_measure(struct detect *d, uint32_t rule, void look(struct detect *d, uint32_t rule))
{
    uint64_t begin = now();

    look(d, rule);
    d->profile[rule].ns += now() - begin;
    d->profile[rule].looks++;
}

void
detect_take_marks(struct detect *d, void look(struct detect *d, uint32_t rule))
{
    for (size_t word = d->low; word < d->high; word++) {
        while (d->marked[word] != 0) {
            uint32_t rule = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(d->marked[word]);

            d->marked[word] &= d->marked[word] - 1;
            d->stats.candidates++;
            if (d->profile == NULL)
                look(d, rule);
            else
                look_and_measure(d, rule, look);
        }
    }
    d->low = d->groups->rules->n / 64 + 1;
    d->high = 0;
}

static void
mark_always(struct detect *d, const struct group *group, int64_t beyond)
{
    for (size_t i = 0; i < group->n_always; i++)
        detect_mark(d, group->always[i], beyond);
}

void
detect_begin_rule(struct detect *d, const struct rule *rule)
{
    d->decoded->n = 0;
    d->caught->n = 0;
    d->caught_by = rule;
}

enum match_answer
detect_match(struct detect *d, struct match *m)
{
    enum match_answer answer;

    m->caught = d->caught;
    m->lost = 0;

    m->scratch = d->scratch;
    m->decoded = d->decoded;
    m->limits = 0;
    answer = match_rule(m);
    d->stats.pcre_limits += m->limits;
    d->stats.captures_lost += m->lost;
    d->stats.given_up += m->budget < 0 && m->limits == 0;
    return answer;
}

enum transform_answer
detect_transform(struct detect *d, const struct match *m, const struct section *section,
                 struct buffer *buffer)
{
    enum transform_answer answer;

    if (section->chain == 0)
        return TRANSFORM_DONE;
    answer = transform(d->transformer, m->rule, section->chain, d->scratch, buffer);
    d->stats.transforms_lost += transformer_lost(d->transformer);
    return answer;
}

/* Buffers beside the payload: what base64_decode made of it, and headers of the packet. */
static bool
rest_fits(struct detect *d, const struct rule *rule, uint64_t *variable)
{
    const struct weir_packet *pkt = d->at.ev->packet;

    for (unsigned i = rule->n_payload > 0; i < rule->n_sections; i++) {
        const struct section *section = &rule->section[i];
        struct buffer buffer = { d->decoded->bytes, 0, (int64_t)d->decoded->n, true };
        struct match m = { .rule = rule, .buffer = &buffer, .fast = -1, .variable = variable };

        if (section->buffer != BUFFER_BASE64 &&
            (pkt == NULL || !headers_show(pkt, section->buffer, &buffer)))
            return false;
        if (detect_transform(d, &m, section, &buffer) != TRANSFORM_DONE)
            return false;
        m.first = section->first;
        m.behind = section->behind;
        if (detect_match(d, &m) != MATCH_YES)
            return false;
    }
    return true;
}

/* What a rule without transaction looks for: in the payload, and in what else there is. */
static enum match_answer
match(struct detect *d, struct match *m)
{
    uint64_t variable[STEPS_MAX] = { 0 };
    enum match_answer answer;

    m->variable = variable;
    m->first = 0;
    m->behind = m->rule->n_payload;
    detect_begin_rule(d, m->rule);
    answer = detect_match(d, m);
    if (answer != MATCH_YES || rest_fits(d, m->rule, variable))
        return answer;
    return m->buffer->final || m->until == INT64_MAX ? MATCH_NO : MATCH_WAIT;
}

/* ---- packets ------------------------------------------------------------------------------- */

/* The contents, if any, in the packet's payload. */
static bool
payload_fits(struct detect *d, uint32_t rule)
{
    const struct weir_packet *pkt = d->at.ev->packet;
    struct buffer buffer;
    struct match m = { .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };

    if (d->rule[rule].n_payload == 0 && d->rule[rule].n_sections == 0)
        return true;
    if (d->rule[rule].n_payload == 0) {
        uint64_t variable[STEPS_MAX] = { 0 };

        detect_begin_rule(d, &d->rule[rule]);
        return rest_fits(d, &d->rule[rule], variable);
    }
    if (pkt == NULL || pkt->l4 == NULL || pkt->payload_len == 0)
        return false;
    buffer = (struct buffer){ pkt->payload, 0, pkt->payload_len, true };
    return match(d, &m) == MATCH_YES;
}

/* The same for a rule on an event, in the copies that it asks for. */
static bool
copies_fit(struct detect *d, uint32_t rule)
{
    struct buffer buffer;
    struct match m = { .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };
    unsigned copy;

    if (d->at.ev->type != WEIR_EV_FAKE_RETRANSMIT || d->rule[rule].n_payload == 0)
        return payload_fits(d, rule);
    copy = d->rule[rule].event->copy;
    if (copy != COPY_OLD && copy_new(d->at.ev, &buffer) && match(d, &m) == MATCH_YES)
        return true;
    m = (struct match){ .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };
    return copy != COPY_NEW && copy_old(d->at.ev, d->window, DETECT_WINDOW, &buffer) &&
           match(d, &m) == MATCH_YES;
}

static void
look_at_packet(struct detect *d, uint32_t rule)
{
    if (!d->rule[rule].app_only && detect_fits(d, rule, (enum weir_dir)d->at.ev->direction) &&
        payload_fits(d, rule))
        raise_alert(d, rule);
}

static void
on_packet_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ends;
    detect_mark(ctx, rule, 0);
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
scan_packet(struct detect *d, void look(struct detect *d, uint32_t rule))
{
    const struct weir_packet *pkt = d->at.ev->packet;
    const struct group *group;

    if (pkt == NULL || pkt->bad_checksum)
        return;
    prefilter_prefetch(d->scan->dir[d->at.ev->direction].stream);
    group = packet_group(d);
    mark_always(d, group, 0);
    if (group->prefilter != NULL && pkt->payload_len > 0)
        prefilter_scan(group->prefilter, d->prefilters, pkt->payload,
                       pkt->payload_len < group->reach ? pkt->payload_len : group->reach,
                       on_packet_match, d);
    detect_take_marks(d, look);
}

static void
look_again(struct detect *d, uint32_t rule)
{
    if (outcome_is_asked(d->outcome, rule))
        look_at_packet(d, rule);
}

/*
 * A packet's own event comes before those of what was noticed in it. Rules that ask for what these
 * have set get another chance: of one packet, those that set come before those that test.
 */
static void
scan_packet_again(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct weir_event packet = *ev;

    if (ev->flow == NULL || ev->type == WEIR_EV_PACKET || ev->type == WEIR_EV_ESTABLISHED ||
        occasion_is_held_up(&d->at))
        return;
    packet.type = WEIR_EV_PACKET;
    d->at.ev = &packet;
    scan_packet(d, look_again);
    d->at.ev = ev;
}

/* The first time that a direction's bytes are known to be of some protocol: rules that ask for
 * nothing else. They have no fast pattern. */
static void
scan_packet_named(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct weir_event packet = *ev;
    const struct group *group;

    if (ev->packet == NULL || ev->flow == NULL || d->scan->named[ev->direction] ||
        d->at.app_proto <= APP_UNKNOWN ||
        (ev->type == WEIR_EV_PAYLOAD && !d->scan->app.heard[ev->direction]))
        return;
    d->scan->named[ev->direction] = true;
    packet.type = WEIR_EV_PACKET;
    d->at.ev = &packet;
    group = packet_group(d);
    for (size_t i = 0; i < group->n_always; i++) {
        uint32_t rule = group->always[i];

        if (d->rule[rule].app_only && detect_fits(d, rule, (enum weir_dir)ev->direction))
            raise_alert(d, rule);
    }
    d->at.ev = ev;
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

/* Of the event's first byte. */
static int64_t
place_of(const struct detect *d)
{
    return d->at.ev->payload.offset - d->scan->dir[d->at.ev->direction].skipped;
}

/* At least `back` bytes before the event's, if there are so many; none if back is not positive. */
static const struct buffer *
window(struct detect *d, int64_t back)
{
    const struct weir_event *ev = d->at.ev;

    back = back < 0 ? 0 : lesser(back, DETECT_WINDOW);
    if (back == 0 && d->window_back < 0)
        d->buffer = (struct buffer){ ev->payload.data.p, place_of(d),
                                     place_of(d) + ev->payload.data.n, false };
    else if (d->window_back < back)
        fill_window(d, &d->scan->dir[ev->direction], ev->payload.offset, back, ev->payload.data);
    d->window_back = d->window_back < back ? back : d->window_back;
    return &d->buffer;
}

const struct buffer *
detect_payload(struct detect *d, struct buffer *packet)
{
    const struct weir_event *ev = d->at.ev;

    if (ev->type == WEIR_EV_PAYLOAD && ev->flow != NULL &&
        weir_flow_proto(ev->flow) == WEIR_PROTO_TCP)
        return window(d, DETECT_WINDOW);
    if (ev->packet == NULL || ev->packet->l4 == NULL || ev->packet->payload_len == 0)
        return NULL;
    *packet = (struct buffer){ ev->packet->payload, 0, ev->packet->payload_len, true };
    return packet;
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

static void
wait_for_more(struct detect *d, struct stream_scan *s, uint32_t rule, const struct match *m,
              int64_t expires)
{
    if (s->n_pending == s->room && !grow_pending(d, s)) {
        d->stats.pending_lost++;
        return;
    }
    s->pending[s->n_pending++] = (struct pending){ .rule = rule,
                                                   .waits = m->waits,
                                                   .until = m->until,
                                                   .beyond = m->beyond,
                                                   .first = d->first[rule],
                                                   .last = d->last[rule],
                                                   .seen = d->buffer.end,
                                                   .expires = expires,
                                                   .longest = longest_of(m->rule, m->waits) };
}

/*
 * What a flow speaks may be known only when its first bytes have gone by, as the sender likes to
 * cut them: rules that ask for it are looked at again with each payload until then.
 */
static void
wait_for_name(struct detect *d, struct stream_scan *s, uint32_t rule, struct match *m)
{
    uint16_t n = s->n_pending;

    if (m->fast < 0 || place_of(d) - m->beyond > DETECT_WINDOW || !rule_may_fit(&d->at, m->rule))
        return;
    m->waits = 0;
    m->until = INT64_MIN;
    (void)window(d, 0);
    wait_for_more(d, s, rule, m, INT64_MAX);
    if (s->n_pending > n)
        s->pending[n].unnamed = true;
}

/* Whether one of the contents that it waits for ends in the event's bytes, or where these join on. */
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
    if (!is_marked(d, p->rule))
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

    for (uint16_t i = 0; i < s->n_pending; i++)
        longest = s->pending[i].longest > longest ? s->pending[i].longest : longest;
    first.n = first.n < longest ? first.n : longest;
    d->window_back = -1;
    fill_window(d, s, d->at.ev->payload.offset, longest, first);
    return d->buffer;
}

/* Its fast pattern was. A rule without one is marked at every payload: what it waits for decides. */
static bool
is_found(const struct detect *d, uint32_t rule)
{
    return d->groups->fast[rule] >= 0 && is_marked(d, rule);
}

/* Mark those that wait and may match now; forget those that the window has left behind. */
static void
wake_pending(struct detect *d, struct stream_scan *s)
{
    const struct weir_bytes *data = &d->at.ev->payload.data;
    int64_t from = place_of(d);
    struct buffer fresh = { data->p, from, from + data->n, false };
    struct buffer seam = fill_seam(d, s, data);
    uint16_t kept = 0;

    for (uint16_t i = 0; i < s->n_pending; i++) {
        const struct pending *p = &s->pending[i];

        if (s->no_holes || is_found(d, p->rule) || wakes(d, p, &fresh, &seam)) {
            wake(d, p);
        } else if (p->seen > from - DETECT_WINDOW && p->expires > fresh.end) {
            unmark(d, p->rule);
            s->pending[kept++] = *p;
        }
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
    for (int i = 0; i < r->n_payload; i++)
        if (r->step[i].kind == STEP_PCRE && !(r->step[i].flags & STEP_NEGATED))
            return i;
    return -1;
}

/* The event, which may be the other direction's, as one of this direction without a packet. */
static void
turn_to(struct detect *d, enum weir_dir dir, struct weir_event *ev)
{
    *ev = *d->at.ev;
    if (ev->direction == dir)
        return;
    ev->packet = NULL;
    ev->direction = (uint8_t)dir;
    d->at.ev = ev;
    d->at.has_ends = false;
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
    turn_to(d, dir, &ev);
    fits = rule_fits_flow(&d->at, &d->rule[p->rule]);
    d->at = at;
    return fits;
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

        if (is_named(d, &s->pending[i], dir) &&
            outcome_may(d->outcome, &d->at, &d->scan->past, rule, dir) && match(d, &m) == MATCH_YES)
            detect_raise(d, rule, dir);
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
    if (*told & bit || !detect_fits(d, rule, view->dir))
        return;
    if (match(d, &m) != MATCH_YES && !holds_without(d, m.rule, &kept))
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

    mark_always(d, group, 0);
    if (group->prefilter != NULL && *scanner == NULL)
        *scanner = prefilter_open(group->prefilter, &d->mem);
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
    turn_to(d, dir, &ev);
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

/* The first place that a rule looks at. */
static int64_t
back_to(const struct detect *d, uint32_t rule)
{
    int64_t back = d->groups->plan[rule].back;

    return back != PLAN_FAR ? d->first[rule] - back : place_of(d) - DETECT_WINDOW;
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
    m->buffer = window(d, place_of(d) - back_to(d, (uint32_t)(m->rule - d->rule)));
    return match(d, m);
}

/*
 * Before all steps are compared: whether the content that has to follow the fast pattern does. Until
 * it has come in full, the rule waits for it.
 */
static enum match_answer
probe(struct detect *d, struct stream_scan *s, uint32_t rule, struct match *m)
{
    const struct plan *plan = &d->groups->plan[rule];
    const struct step *step = &m->rule->step[plan->probe];
    int64_t end = plan->high != PLAN_FAR ? d->last[rule] + plan->high : INT64_MAX;
    const struct buffer *buffer = window(d, place_of(d) - d->first[rule] - plan->low);

    if (match_find(step, buffer, d->first[rule] + plan->low, end) >= 0)
        return MATCH_YES;
    if (end <= buffer->end)
        return MATCH_NO;
    m->waits = UINT64_C(1) << plan->probe;
    m->until = INT64_MAX;
    wait_for_more(d, s, rule, m, end);
    return MATCH_WAIT;
}

static void
look_at_stream(struct detect *d, uint32_t rule)
{
    struct stream_scan *s = &d->scan->dir[d->at.ev->direction];
    struct match m = { .rule = &d->rule[rule],
                       .fast = newest_step(d, rule),
                       .beyond = d->beyond[rule] };
    enum match_answer answer;

    if (!detect_fits(d, rule, (enum weir_dir)d->at.ev->direction)) {
        wait_for_name(d, s, rule, &m);
        return;
    }
    if (d->groups->plan[rule].probe >= 0 && !s->no_holes && probe(d, s, rule, &m) != MATCH_YES)
        return;
    answer = look_closely(d, s, &m);
    if (answer == MATCH_YES)
        raise_alert(d, rule);
    else if (answer == MATCH_WAIT)
        wait_for_more(d, s, rule, &m, INT64_MAX);
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

static void
finish(struct detect *d, enum weir_dir dir)
{
    finish_pending(d, dir);
    finish_others(d, dir);
}

static void
open_stream(struct detect *d, struct stream_scan *s, const struct prefilter *pf)
{
    s->stream = prefilter_open(pf, &d->mem);
    s->stream_size = (uint32_t)prefilter_stream_size(pf);
    s->fed = 0;
    s->given_up = s->stream == NULL;
    d->stats.no_memory += s->given_up;
}

static void
ignore_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ctx, (void)rule, (void)ends;
}

/* Other rules are tested from here on. What lies across is found, as the last bytes before are shown
 * to the new stream; what had come in full had been looked at. */
static bool
open_again(struct detect *d, struct stream_scan *s, const struct prefilter *pf)
{
    int64_t offset = d->at.ev->payload.offset;
    size_t n = (size_t)lesser(FAST_MAX - 1, offset - s->base);

    open_stream(d, s, pf);
    if (s->given_up)
        return false;
    n = n > 0 ? read_back(d, s, offset, n) : 0;
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
        finish_others(d, ev->direction);
    if (s->others != NULL)
        others_forget_begun(s->others, &d->mem, ev->payload.offset);
    if (s->stream == NULL && pf != NULL) {
        open_stream(d, s, pf);
    } else if (s->stream != NULL) {
        finish_pending(d, ev->direction);
        prefilter_reset(s->stream, d->prefilters);
        s->fed = 0;
    }
    if (s->late)
        s->skipped = 0;
    else if (!s->cut) /* the first bytes, here or behind the gap, were urgent */
        s->skipped += ev->payload.offset - s->end;
    s->late = false;
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
    mark_always(d, group, ev->payload.offset - s->skipped);
    if (group->prefilter != NULL)
        prefilter_scan_stream(group->prefilter, s->stream, d->prefilters, s->fed, data.p, data.n,
                              on_stream_match, d);
    s->fed += data.n;
    d->stats.scanned += data.n;
    s->end = ev->payload.offset + data.n;
    s->cut = data.n < ev->payload.length;
    if (s->holes != NULL)
        holes_note(s->holes, ev->payload.offset, s->end, false);
    if (s->n_pending > 0)
        wake_pending(d, s);
    if (d->high > 0)
        detect_take_marks(d, look_at_stream);
    if (has_others(s) && others_are_due(s->others, s->end))
        look_at_others(d, s, data, false);
}

static void
release(struct detect *d)
{
    for (int dir = 0; dir < 2; dir++) {
        struct stream_scan *s = &d->scan->dir[dir];

        prefilter_close(s->stream_size, &d->mem, s->stream);
        mem_free(&d->mem, s->pending, s->room * sizeof(*s->pending));
        mem_free(&d->mem, s->holes, sizeof(*s->holes));
        others_free(s->others, &d->mem);
        *s = (struct stream_scan){ .given_up = true };
    }
    outcome_forget(d->outcome, &d->scan->past);
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
        if (d->profile != NULL)
            d->profile[rule].looks++;
        if (a_test_holds(&d->rule[rule], type, d->at.ev) &&
            detect_fits(d, rule, d->at.ev->direction) && copies_fit(d, rule))
            raise_alert(d, rule);
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

/* What is kept of the flow is about rules that are not tested any more. */
static void
renew(struct detect *d, struct flow_scan *scan)
{
    bool late = scan->established || scan->opened;

    for (int dir = 0; dir < 2; dir++) {
        struct stream_scan *s = &scan->dir[dir];

        prefilter_close(s->stream_size, &d->mem, s->stream);
        s->stream = NULL;
        s->n_pending = 0;
        others_free(s->others, &d->mem);
        s->others = NULL;
        if (group_is_empty(&d->groups->group[GROUP_STREAM][dir]))
            s->started = false;
        s->late = late && !s->started;
    }
    scan->generation = d->generation;
}

/*
 * What stands for the packet of an event. One packet may be shown to three: to its flow, to the flow
 * that an ICMP error quotes, and to nobody's, as a fragment; which may be on three cores.
 */
static uint64_t
packet_of(const struct weir_event *ev)
{
    enum { OF_FLOW, QUOTED, OF_NONE, WAYS };
    const unsigned way = ev->flow == NULL                 ? OF_NONE
                         : ev->type == WEIR_EV_ICMP_ERROR ? QUOTED
                                                          : OF_FLOW;

    return ev->number != 0 ? ev->number * WAYS + way : 0;
}

void
detect_begin(struct detect *d, struct flow_scan *scan, const struct weir_event *ev)
{
    if (scan->generation != d->generation)
        renew(d, scan);
    d->changes = outcome_changes(d->outcome);
    d->at = (struct occasion){ .ev = ev,
                               .packet = packet_of(ev),
                               .established = scan->established,
                               .midstream = d->opts.midstream,
                               .app_proto = (uint8_t)app_flow_proto(&scan->app) };
    d->scan = scan;
    d->window_back = -1;
    if (ev->type == WEIR_EV_PAYLOAD && !scan->established)
        d->at.established = scan->opened = scan->opened || is_early(ev);
    d->at.established |= detect_is_one_sided(d);
}

bool
detect_has_stream(const struct detect *d)
{
    return has_stream(&d->at);
}

struct tx *
detect_tx(const struct detect *d)
{
    return d->tx;
}

void
detect_event(struct detect *d, struct flow_scan *scan, const struct weir_event *ev)
{
    detect_begin(d, scan, ev);
    detect_go_on(d);
}

void
detect_go_on(struct detect *d)
{
    struct flow_scan *scan = d->scan;
    const struct weir_event *ev = d->at.ev;

    d->at.app_proto = (uint8_t)app_flow_proto(&scan->app);
    if (scan->past.passed) {
        if (ev->type == WEIR_EV_FLOW_END)
            release(d);
        return;
    }

    switch (ev->type) {
    case WEIR_EV_PACKET:
        outcome_packet(d->outcome, &d->at, &scan->past);
        test_anomaly_rules(d);
        if (ev->flow != NULL)
            scan_packet(d, look_at_packet);
        break;
    case WEIR_EV_BAD_PACKET:
        test_anomaly_rules(d);
        break;
    case WEIR_EV_ESTABLISHED: /* what the packet's own event was too early for */
        scan->established = d->at.established = true;
        scan_packet(d, look_at_packet);
        break;
    case WEIR_EV_PAYLOAD:
        scan_payload(d);
        scan_packet_named(d);
        break;
    case WEIR_EV_DATAGRAM:
        scan_packet_named(d);
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
    if (outcome_changes(d->outcome) != d->changes)
        scan_packet_again(d);
    if (ev->type == WEIR_EV_FLOW_END)
        release(d);
}
