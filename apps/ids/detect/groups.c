#include "detect/groups.h"

#include "detect/fast.h"
#include "detect/match.h"
#include "rule/transform.h"

#include <stdlib.h>
#include <string.h>

enum { DETECT_NEAR = 4096 }; /* bytes that a plan may go back over */

/* ---- which rule goes where ----------------------------------------------------------------- */

/* Contents that only make sense in a packet's own payload are looked for there too. */
static bool
means_packets(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_checks; i++)
        if (rule->check[i].kind == CHECK_DSIZE)
            return true;
    for (unsigned i = 0; i < rule->n_payload; i++)
        if (rule->step[i].kind == STEP_CONTENT &&
            rule->step[i].flags & (STEP_DEPTH | STEP_OFFSET | STEP_STARTSWITH))
            return true;
    return false;
}

static bool
goes_to(const struct rule *rule, enum group_kind kind)
{
    bool only_stream = rule->flow & RULE_ONLY_STREAM;
    bool no_stream = rule->flow & RULE_NO_STREAM || rule->on_headers;

    switch (kind) {
    case GROUP_STREAM:
        return rule->protos & RULE_TCP && !no_stream && (rule->n_payload > 0 || only_stream);
    case GROUP_SEGMENT:
        return rule->protos & RULE_TCP && !only_stream &&
               (rule->n_payload == 0 || no_stream || means_packets(rule));
    case GROUP_LONE:
        return rule->protos & RULE_TCP && !only_stream && !(rule->flow & RULE_ESTABLISHED);
    case GROUP_UDP:
        return rule->protos & RULE_UDP && !only_stream;
    case GROUP_OTHER:
        return rule->protos & (RULE_ICMP | RULE_OTHER) && !only_stream;
    case GROUP_KINDS:
        break;
    }
    return false;
}

bool
groups_hold(const struct rule *rule, enum group_kind kind, enum weir_dir dir)
{
    uint8_t other = dir == WEIR_TOSERVER ? RULE_TO_CLIENT : RULE_TO_SERVER;

    return rule->event == NULL && rule->app_event == NULL && rule->tx_side == 0 &&
           !(rule->flow & other) && goes_to(rule, kind);
}

/* ---- plans --------------------------------------------------------------------------------- */

/* Whether the step says how far behind the one before it it lies, and is no more than that. */
static bool
is_chained(const struct step *step)
{
    return step->kind == STEP_CONTENT && !(step->flags & STEP_NEGATED) &&
           step->flags & STEP_RELATIVE && step->offset_by == 0 && step->length_by == 0;
}

/* The longest of the contents that follow the fast pattern, each relative to the one before. */
static void
choose_probe(const struct rule *rule, int fast, struct plan *plan)
{
    /* Of the place where the step before ends. */
    int64_t low = rule->step[fast].n - fast_end(&rule->step[fast]), high = low;

    for (int i = fast + 1; i < rule->n_payload && is_chained(&rule->step[i]); i++) {
        const struct step *step = &rule->step[i];

        low += step->offset + step->n;
        high = high == PLAN_FAR || !(step->flags & STEP_WITHIN)
                   ? PLAN_FAR
                   : high + step->offset + step->length;
        if (low - step->n < -DETECT_NEAR || (high != PLAN_FAR && high > PLAN_FAR / 2))
            return;
        if (plan->probe >= 0 && step->n <= rule->step[plan->probe].n)
            continue;
        plan->probe = (int8_t)i;
        plan->low = (int32_t)(low - step->n);
        plan->high = (int32_t)high;
    }
}

/* How far back the rule can look: the fast pattern's own bytes, if nothing looks before it. */
static int64_t
reach_back(const struct rule *rule, int fast)
{
    int64_t back = fast_end(&rule->step[fast]);

    for (int i = 0; i < rule->n_payload; i++) {
        const struct step *step = &rule->step[i];

        if (i == fast && !(step->flags & (STEP_RELATIVE | STEP_DEPTH | STEP_OFFSET)))
            continue;
        if (i < fast || !(step->flags & STEP_RELATIVE) || step->offset_by != 0 ||
            step->offset < -DETECT_NEAR || step->kind == STEP_BYTE_JUMP)
            return PLAN_FAR;
        back += step->offset < 0 ? -step->offset : 0;
    }
    return back;
}

static struct plan
plan_of(const struct rule *rule, int fast)
{
    struct plan plan = { .back = PLAN_FAR, .probe = -1 };

    if (rule->tx_side != 0 || fast < 0)
        return plan;
    plan.back = reach_back(rule, fast);
    if (rule->step[fast].kind == STEP_CONTENT)
        choose_probe(rule, fast, &plan);
    return plan;
}

/* ---- what to look for first ----------------------------------------------------------------- */

/* Choose what is looked for first in each rule. */
static bool
choose_all(struct groups *groups)
{
    if (!fast_choose(groups->rules, groups->fast))
        return false;
    for (size_t i = 0; i < groups->rules->n; i++)
        groups->plan[i] = plan_of(&groups->rules->at[i], groups->fast[i]);
    return true;
}

/* ---- making -------------------------------------------------------------------------------- */

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

static struct pattern
pattern_of(const struct rule *rule, const struct step *step, uint32_t index)
{
    unsigned begin = fast_begin(step), end = fast_end(step);
    bool nocase = false, dot = false;

    if (step->chain > 0)
        transform_keeps(rule, step->chain, &nocase, &dot);
    if (dot && begin == 0 && step->bytes[0] == '.')
        begin = 1; /* the dot may be the one that was put before */
    if (end <= begin)
        end = begin + 1;
    return (struct pattern){ step->bytes + begin, end - begin, nocase || step->flags & STEP_NOCASE,
                             index };
}

/* Behind how many bytes a content cannot end. */
static uint32_t
reach_of(const struct step *step)
{
    if (!(step->flags & STEP_DEPTH) || step->offset_by != 0 || step->length_by != 0)
        return UINT32_MAX;
    return (uint32_t)step->offset + (uint32_t)step->length;
}

/* Sort the group's rules into patterns and the rest. */
static size_t
collect(const struct groups *groups, enum group_kind kind, enum weir_dir dir,
        struct pattern *patterns, struct group *group)
{
    size_t n = 0;

    for (uint32_t i = 0; i < groups->rules->n; i++) {
        const struct rule *rule = &groups->rules->at[i];
        const struct step *fast = groups->fast[i] >= 0 ? &rule->step[groups->fast[i]] : NULL;

        if (!groups_hold(rule, kind, dir))
            continue;
        if (fast == NULL) {
            group->always[group->n_always++] = i;
            continue;
        }
        patterns[n++] = pattern_of(rule, fast, i);
        if (reach_of(fast) > group->reach)
            group->reach = reach_of(fast);
    }
    return n;
}

static int
make_group(struct groups *groups, enum group_kind kind, enum weir_dir dir, struct pattern *patterns,
           struct weir_errbuf *err)
{
    struct group *group = &groups->group[kind][dir];
    size_t n;

    group->always = malloc((groups->rules->n + 1) * sizeof(*group->always));
    if (group->always == NULL)
        return no_memory(err);
    n = collect(groups, kind, dir, patterns, group);
    groups->patterns += n;
    if (n == 0)
        return WEIR_E_OK;
    return prefilter_new(patterns, n, kind == GROUP_STREAM, &groups->scratch, &group->prefilter,
                         err);
}

/* ---- transactions -------------------------------------------------------------------------- */

static enum buffer_side
side_of(enum weir_dir dir)
{
    return dir == WEIR_TOSERVER ? SIDE_REQUEST : SIDE_RESPONSE;
}

/*
 * Whether a buffer has to be scanned for the rule at this side of a transaction: where the rule is
 * decided, or before that if it is not shown there.
 */
static bool
is_scanned_at(const struct rule *rule, unsigned buffer, enum buffer_side side)
{
    uint8_t sides = buffer_info(buffer)->sides & rule->tx_side;

    return (sides != 0 ? sides : buffer_info(buffer)->sides) & side;
}

static int
make_of_buffer(struct groups *groups, unsigned buffer, enum weir_dir dir, struct pattern *patterns,
               struct weir_errbuf *err)
{
    size_t n = 0;

    for (uint32_t i = 0; i < groups->rules->n; i++) {
        const struct rule *rule = &groups->rules->at[i];
        const struct step *fast = groups->fast[i] >= 0 ? &rule->step[groups->fast[i]] : NULL;

        if (rule->tx_side != 0 && fast != NULL && fast->buffer == buffer &&
            is_scanned_at(rule, buffer, side_of(dir)))
            patterns[n++] = pattern_of(rule, fast, i);
    }
    groups->patterns += n;
    if (n == 0)
        return WEIR_E_OK;
    return prefilter_new(patterns, n, false, &groups->scratch, &groups->of_buffer[buffer][dir],
                         err);
}

/* Rules on transactions that have no fast pattern. */
static int
make_tx_always(struct groups *groups, enum weir_dir dir, struct weir_errbuf *err)
{
    struct group *group = &groups->tx_always[dir];

    group->always = malloc((groups->rules->n + 1) * sizeof(*group->always));
    if (group->always == NULL)
        return no_memory(err);
    for (uint32_t i = 0; i < groups->rules->n; i++) {
        groups->has_tx |= groups->rules->at[i].tx_side != 0;
        groups->has_bodies |= groups->rules->at[i].tx_body;
        if (groups->rules->at[i].tx_side & side_of(dir) && groups->fast[i] < 0)
            group->always[group->n_always++] = i;
    }
    return WEIR_E_OK;
}

/* ---- all of them --------------------------------------------------------------------------- */

static int
make_tx(struct groups *groups, struct pattern *patterns, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    for (int dir = 0; rc == WEIR_E_OK && dir < 2; dir++) {
        rc = make_tx_always(groups, dir, err);
        for (unsigned buffer = 0; rc == WEIR_E_OK && buffer < BUFFERS; buffer++)
            rc = make_of_buffer(groups, buffer, dir, patterns, err);
    }
    return rc;
}

static int
make_all(struct groups *groups, struct weir_errbuf *err)
{
    struct pattern *patterns = calloc(groups->rules->n + 1, sizeof(*patterns));
    int rc = patterns != NULL ? WEIR_E_OK : no_memory(err);

    for (int kind = 0; rc == WEIR_E_OK && kind < GROUP_KINDS; kind++)
        for (int dir = 0; rc == WEIR_E_OK && dir < 2; dir++)
            rc = make_group(groups, kind, dir, patterns, err);
    if (rc == WEIR_E_OK)
        rc = make_tx(groups, patterns, err);
    free(patterns);
    return rc;
}

/* Whether the rule waits for something of this type: an event, an anomaly, a fragment. */
static bool
waits_for(const struct rule *rule, unsigned type)
{
    for (unsigned i = 0; i < rule->n_events; i++)
        if (rule->event[i].type == type)
            return true;
    if (type != TEST_FRAGMENT || rule->event != NULL || rule->protos != RULE_IP)
        return false;
    for (unsigned i = 0; i < rule->n_checks; i++)
        if (rule->check[i].kind == CHECK_FRAGBITS || rule->check[i].kind == CHECK_FRAGOFFSET)
            return true;
    return false;
}

/* How many entries by_event needs: a rule may be there once a type. */
static size_t
count_tests(const struct rules *rules)
{
    size_t n = 0;

    for (size_t i = 0; i < rules->n; i++)
        n += rules->at[i].n_events + 1U;
    return n;
}

/* By name, then as they came: qsort_r()'s order for indices of rules. */
static int
by_app_event(const void *a, const void *b, void *arg)
{
    const struct rules *rules = arg;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    int order = strcmp(rules->at[i].app_event, rules->at[k].app_event);

    return order != 0 ? order : (i > k) - (i < k);
}

static void
sort_by_app_event(struct groups *groups)
{
    for (uint32_t i = 0; i < groups->rules->n; i++)
        if (groups->rules->at[i].app_event != NULL)
            groups->by_app_event[groups->n_app_events++] = i;
    qsort_r(groups->by_app_event, groups->n_app_events, sizeof(*groups->by_app_event), by_app_event,
            (void *)(uintptr_t)groups->rules);
}

size_t
groups_of_app_event(const struct groups *groups, const char *name, size_t *n)
{
    const struct rule *rules = groups->rules->at;
    size_t low = 0, high = groups->n_app_events, first;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(rules[groups->by_app_event[middle]].app_event, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    first = low;
    while (low < groups->n_app_events &&
           strcmp(rules[groups->by_app_event[low]].app_event, name) == 0)
        low++;
    *n = low - first;
    return first;
}

static void
sort_by_event(struct groups *groups)
{
    size_t n = 0;

    for (unsigned type = 0; type < TEST_TYPES; type++) {
        groups->first[type] = n;
        for (uint32_t i = 0; i < groups->rules->n; i++)
            if (waits_for(&groups->rules->at[i], type))
                groups->by_event[n++] = i;
    }
    groups->first[TEST_TYPES] = n;
}

void
groups_free(struct groups *groups)
{
    if (groups == NULL)
        return;
    for (int kind = 0; kind < GROUP_KINDS; kind++) {
        for (int dir = 0; dir < 2; dir++) {
            prefilter_free(groups->group[kind][dir].prefilter);
            free(groups->group[kind][dir].always);
        }
    }
    for (int dir = 0; dir < 2; dir++) {
        for (unsigned buffer = 0; buffer < BUFFERS; buffer++)
            prefilter_free(groups->of_buffer[buffer][dir]);
        free(groups->tx_always[dir].always);
    }
    prefilter_free_scratch(groups->scratch);
    free(groups->fast);
    free(groups->plan);
    free(groups->by_app_event);
    free(groups->by_event);
    free(groups);
}

int
groups_new(const struct rules *rules, struct groups **out, struct weir_errbuf *err)
{
    struct groups *groups = calloc(1, sizeof(*groups));
    int rc = WEIR_E_NOMEM;

    *out = NULL;
    if (groups == NULL)
        return no_memory(err);
    groups->rules = rules;
    groups->fast = malloc(rules->n + 1);
    groups->by_event = malloc((count_tests(rules) + 1) * sizeof(*groups->by_event));
    groups->plan = malloc((rules->n + 1) * sizeof(*groups->plan));
    groups->by_app_event = malloc((rules->n + 1) * sizeof(*groups->by_app_event));
    if (groups->fast != NULL && groups->by_event != NULL && groups->plan != NULL &&
        groups->by_app_event != NULL && choose_all(groups)) {
        sort_by_event(groups);
        sort_by_app_event(groups);
        rc = make_all(groups, err);
    } else {
        no_memory(err);
    }
    if (rc != WEIR_E_OK) {
        groups_free(groups);
        return rc;
    }
    *out = groups;
    return rc;
}

struct groups_size
groups_measure(const struct groups *groups)
{
    struct groups_size size = { 0, 0 };

    for (int dir = 0; dir < 2; dir++) {
        const struct prefilter *stream = groups->group[GROUP_STREAM][dir].prefilter;

        for (int kind = 0; kind < GROUP_KINDS; kind++)
            size.prefilters += groups->group[kind][dir].prefilter != NULL;
        for (unsigned buffer = 0; buffer < BUFFERS; buffer++)
            size.prefilters += groups->of_buffer[buffer][dir] != NULL;
        size.stream_bytes += stream != NULL ? prefilter_stream_size(stream) : 0;
    }
    return size;
}
