#include "detect/threshold.h"

#include "hash.h"

#include <stdlib.h>

/* What limits a rule. */
struct plan {
    const struct threshold *threshold;     /* NULL: none */
    const struct limit **suppress, **rate; /* in thresholds.list */
    uint32_t n_suppress, n_rates;
    uint32_t sid;
    uint64_t kind; /* stands for all else that makes it the same rule when rules are loaded anew */
};

struct thresholds {
    struct plan *plan;         /* by rule; owned */
    const struct limit **list; /* owned */
    struct keyed *keyed;
    struct threshold_stats stats;
};

/* ---- plans --------------------------------------------------------------------------------- */

static bool
is_named(const struct limit *limit, uint32_t gid, uint32_t sid)
{
    return (limit->gid == 0 || limit->gid == gid) && (limit->sid == 0 || limit->sid == sid);
}

static bool
is_meant(const struct limit *limit, const struct rule *rule)
{
    return is_named(limit, rule->gid, rule->sid);
}

/* The nearer to the rule, the more it counts: its own, its sid's, its gid's, that of all. */
static unsigned
nearness(const struct limit *limit)
{
    return (limit->gid != 0) + (limit->sid != 0);
}

static const struct threshold *
find_threshold(const struct limits *limits, const struct rule *rule)
{
    const struct limit *best = NULL;

    if (rule->state != NULL && rule->state->threshold.type != THRESHOLD_NONE)
        return &rule->state->threshold;
    for (size_t i = 0; limits != NULL && i < limits->n; i++) {
        const struct limit *limit = &limits->at[i];

        if (limit->kind == LIMIT_THRESHOLD && is_meant(limit, rule) &&
            (best == NULL || nearness(limit) > nearness(best)))
            best = limit;
    }
    return best != NULL ? &best->threshold : NULL;
}

/* Put all of a kind that mean the rule to the list, if there is one; returns how many. */
static uint32_t
gather(const struct limits *limits, enum limit_kind kind, const struct rule *rule,
       const struct limit **list)
{
    uint32_t n = 0;

    for (size_t i = 0; limits != NULL && i < limits->n; i++) {
        if (limits->at[i].kind != kind || !is_meant(&limits->at[i], rule))
            continue;
        if (list != NULL)
            list[n] = &limits->at[i];
        n++;
    }
    return n;
}

static uint64_t
mix_in(uint64_t sum, uint64_t value)
{
    return mix64(sum ^ value) + value;
}

static uint64_t
mix_threshold(uint64_t sum, const struct threshold *t)
{
    sum = mix_in(sum, (uint64_t)t->unique << 16 | (uint64_t)t->type << 8 | t->track);
    sum = mix_in(sum, (uint64_t)t->count << 32 | t->seconds);
    return mix_in(sum, t->multiplier);
}

/* Of a rule without a sid nobody knows whether it is the same. */
static uint64_t
kind_of(const struct rule *rule, size_t index)
{
    return mix_in((uint64_t)rule->gid << 32 | rule->rev, rule->sid == 0 ? index + 1 : 0);
}

/* Returns how much there is in all. */
static size_t
count_all(struct thresholds *t, const struct rules *rules, const struct limits *limits,
          size_t *n_thresholds)
{
    size_t n = 0;

    for (size_t i = 0; i < rules->n; i++) {
        struct plan *plan = &t->plan[i];

        plan->threshold = find_threshold(limits, &rules->at[i]);
        plan->sid = rules->at[i].sid;
        plan->kind = kind_of(&rules->at[i], i);
        plan->n_suppress = gather(limits, LIMIT_SUPPRESS, &rules->at[i], NULL);
        plan->n_rates = gather(limits, LIMIT_RATE, &rules->at[i], NULL);
        *n_thresholds += plan->threshold != NULL;
        n += plan->n_suppress + plan->n_rates;
    }
    return n;
}

static void
fill_all(struct thresholds *t, const struct rules *rules, const struct limits *limits)
{
    const struct limit **next = t->list;

    for (size_t i = 0; i < rules->n; i++) {
        struct plan *plan = &t->plan[i];

        plan->suppress = next;
        next += gather(limits, LIMIT_SUPPRESS, &rules->at[i], next);
        plan->rate = next;
        next += gather(limits, LIMIT_RATE, &rules->at[i], next);
    }
}

int
thresholds_new(const struct rules *rules, const struct limits *limits,
               const struct keyed_opts *opts, struct thresholds **out, struct weir_errbuf *err)
{
    struct thresholds *t = calloc(1, sizeof(*t));
    size_t n, n_thresholds = 0;

    *out = NULL;
    if (t == NULL || (t->plan = calloc(rules->n + 1, sizeof(*t->plan))) == NULL)
        goto fail;
    n = count_all(t, rules, limits, &n_thresholds);
    if (n + n_thresholds == 0) {
        thresholds_free(t);
        return WEIR_E_OK;
    }
    t->list = calloc(n + 1, sizeof(*t->list));
    t->keyed = keyed_new(THRESHOLD_KEYS_MAX, opts);
    if (t->list == NULL || t->keyed == NULL)
        goto fail;
    fill_all(t, rules, limits);
    *out = t;
    return WEIR_E_OK;

fail:
    thresholds_free(t);
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

void
thresholds_free(struct thresholds *t)
{
    if (t == NULL)
        return;
    keyed_free(t->keyed);
    free(t->list);
    free(t->plan);
    free(t);
}

void
thresholds_share(struct thresholds *t, const struct thresholds *with)
{
    if (t == NULL || with == NULL)
        return;
    keyed_free(t->keyed);
    t->keyed = keyed_share(with->keyed);
}

bool
thresholds_inherit(struct thresholds *t, const struct thresholds *before)
{
    thresholds_share(t, before);
    return t != NULL && before != NULL;
}

void
thresholds_get_stats(const struct thresholds *t, struct threshold_stats *out)
{
    *out = t != NULL ? t->stats : (struct threshold_stats){ 0, 0, 0 };
    if (t != NULL)
        out->lost = keyed_lost(t->keyed);
}

/* ---- counting ------------------------------------------------------------------------------ */

/* By rule and threshold; number: of its rate_filters, which count apart. */
static struct keyed_key
key_of(const struct plan *plan, const struct threshold *threshold, uint32_t number,
       const struct subject *subject)
{
    const bool turned = subject->src > subject->dst; /* a pair has no direction */
    struct keyed_key key = { .name = plan->sid,
                             .kind = mix_in(mix_threshold(plan->kind, threshold), number) };

    switch ((enum track)threshold->track) {
    case TRACK_SRC:
        key.a = subject->src;
        break;
    case TRACK_DST:
        key.a = subject->dst;
        break;
    case TRACK_BOTH:
        key.a = turned ? subject->dst : subject->src;
        key.b = turned ? subject->src : subject->dst;
        break;
    case TRACK_FLOW:
        key.a = subject->flow_id;
        break;
    case TRACK_RULE:
    case TRACK_EITHER:
        break;
    }
    return key;
}

/* Numbers count, count * multiplier, count * multiplier^2, ... of all matches. */
static bool
back_off(const struct threshold *threshold, struct keyed_value *v)
{
    if (v->count++ == 0)
        v->next = threshold->count;
    if (v->count != v->next)
        return false;
    v->next = v->next > UINT64_MAX / threshold->multiplier ? UINT64_MAX
                                                           : v->next * threshold->multiplier;
    return true;
}

/* Times up to `seconds` after the first belong to it. fresh: it counts. */
static bool
count_match(const struct threshold *threshold, struct keyed_value *v, bool fresh)
{
    v->count += fresh;
    switch ((enum threshold_type)threshold->type) {
    case THRESHOLD_LIMIT:
        return v->count <= threshold->count;
    case THRESHOLD_BOTH:
        return v->count == threshold->count;
    case THRESHOLD_FILTER:
        return v->count > threshold->count;
    case THRESHOLD_EACH:
        if (v->count < threshold->count)
            return false;
        v->count = 0;
        return true;
    case THRESHOLD_BACKOFF:
    case THRESHOLD_NONE:
        break;
    }
    return true;
}

/* Whether a rule that has alerted so often goes on to act without a word. */
static bool
acts_beyond(const struct threshold *threshold, const struct keyed_value *v)
{
    switch ((enum threshold_type)threshold->type) {
    case THRESHOLD_LIMIT:
    case THRESHOLD_BACKOFF:
        return true;
    case THRESHOLD_BOTH:
        return v->count > threshold->count;
    case THRESHOLD_FILTER:
    case THRESHOLD_EACH:
    case THRESHOLD_NONE:
        break;
    }
    return false;
}

/* Whether the port is the first of its kind in the window of *v, which it is remembered as long as.
 */
static bool
is_first(struct thresholds *t, const struct threshold *threshold, struct keyed_key key,
         const struct keyed_value *v, const struct subject *subject, uint64_t now)
{
    const uint16_t port = threshold->unique == UNIQUE_SRC_PORT ? subject->src_port
                                                               : subject->dst_port;
    struct keyed_value *seen;

    if (threshold->unique == UNIQUE_NOTHING)
        return true;
    key.kind = mix_in(key.kind, (uint64_t)1 << 32 | port);
    seen = keyed_take(t->keyed, &key, now);
    if (seen->start == v->until)
        return false;
    seen->start = seen->until = v->until;
    return true;
}

static enum threshold_let
let_due(struct thresholds *t, const struct plan *plan, const struct subject *subject)
{
    const struct threshold *threshold = plan->threshold;
    const uint64_t now = keyed_turn(t->keyed, subject->time);
    struct keyed_key key = key_of(plan, threshold, 0, subject);
    struct keyed_value *v = keyed_take(t->keyed, &key, now);

    if (v->until == UINT64_MAX && threshold->type != THRESHOLD_BACKOFF)
        v->until = seconds_after(now, threshold->seconds) + 1;
    if (threshold->type == THRESHOLD_BACKOFF
            ? back_off(threshold, v)
            : count_match(threshold, v, is_first(t, threshold, key, v, subject, now)))
        return LET_ALERT;
    return acts_beyond(threshold, v) ? LET_ACT : LET_NOTHING;
}

/* Whether more than `count` matches came in `seconds`, or had not `timeout` seconds ago. */
static bool
is_too_often(struct thresholds *t, const struct plan *plan, uint32_t number,
             const struct subject *subject)
{
    const struct limit *limit = plan->rate[number];
    const uint64_t now = keyed_turn(t->keyed, subject->time);
    struct keyed_key key = key_of(plan, &limit->threshold, number + 1, subject);
    struct keyed_value *v = keyed_take(t->keyed, &key, now);
    uint64_t end;

    if (v->count == 0 || now > seconds_after(v->start, limit->threshold.seconds)) {
        v->start = now;
        v->count = 0;
    }
    v->count++;
    if (v->count > limit->threshold.count)
        v->next = seconds_after(now, limit->timeout) + 1;
    end = seconds_after(v->start, limit->threshold.seconds) + 1;
    v->until = v->next > end ? v->next : end;
    return v->next > now;
}

static bool
is_suppressed(const struct limit *limit, const struct subject *subject)
{
    bool src, dst;

    if (limit->ip == NULL)
        return true;
    if (!subject->has_addresses)
        return false;
    src = limit->threshold.track != TRACK_DST && ranges_have(limit->ip, subject->src);
    dst = limit->threshold.track != TRACK_SRC && ranges_have(limit->ip, subject->dst);
    return src || dst;
}

bool
limits_suppress(const struct limits *limits, uint32_t gid, uint32_t sid,
                const struct subject *subject)
{
    for (size_t i = 0; i < limits->n; i++)
        if (limits->at[i].kind == LIMIT_SUPPRESS && is_named(&limits->at[i], gid, sid) &&
            is_suppressed(&limits->at[i], subject))
            return true;
    return false;
}

enum threshold_let
thresholds_let(struct thresholds *t, uint32_t rule, const struct subject *subject, uint8_t *action)
{
    const struct plan *plan = &t->plan[rule];
    enum threshold_let let;

    for (uint32_t i = 0; i < plan->n_suppress; i++) {
        if (is_suppressed(plan->suppress[i], subject)) {
            t->stats.suppressed++;
            return LET_ACT;
        }
    }
    for (uint32_t i = 0; i < plan->n_rates; i++)
        if (is_too_often(t, plan, i, subject))
            *action = plan->rate[i]->action;
    let = plan->threshold != NULL ? let_due(t, plan, subject) : LET_ALERT;
    t->stats.held += let != LET_ALERT;
    return let;
}
