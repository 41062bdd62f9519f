#include "detect/groups.h"

#include "detect/match.h"

#include <stdlib.h>

/* ---- which rule goes where ----------------------------------------------------------------- */

/* Contents that only make sense in a packet's own payload are looked for there too. */
static bool
means_packets(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_checks; i++)
        if (rule->check[i].kind == CHECK_DSIZE)
            return true;
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (rule->step[i].kind == STEP_CONTENT &&
            rule->step[i].flags & (STEP_DEPTH | STEP_OFFSET | STEP_STARTSWITH))
            return true;
    return false;
}

static bool
goes_to(const struct rule *rule, enum group_kind kind)
{
    bool only_stream = rule->flow & RULE_ONLY_STREAM, no_stream = rule->flow & RULE_NO_STREAM;

    switch (kind) {
    case GROUP_STREAM:
        return rule->protos & RULE_TCP && !no_stream && (rule->n_steps > 0 || only_stream);
    case GROUP_SEGMENT:
        return rule->protos & RULE_TCP && !only_stream &&
               (rule->n_steps == 0 || no_stream || means_packets(rule));
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

static bool
is_in(const struct rule *rule, enum group_kind kind, enum weir_dir dir)
{
    uint8_t other = dir == WEIR_TOSERVER ? RULE_TO_CLIENT : RULE_TO_SERVER;

    return rule->event == NULL && rule->app_event == NULL && !(rule->flow & other) &&
           goes_to(rule, kind);
}

/* The content to look for first: the one that was named, else the longest. */
static int8_t
fast_step(const struct rule *rule)
{
    int best = -1;

    for (int i = 0; i < rule->n_steps; i++) {
        const struct step *step = &rule->step[i];

        if (step->flags & STEP_FAST)
            return (int8_t)i;
        if (step->kind == STEP_CONTENT && !(step->flags & STEP_NEGATED) &&
            (best < 0 || step->n > rule->step[best].n))
            best = i;
    }
    return (int8_t)best;
}

/* ---- making -------------------------------------------------------------------------------- */

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
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

        if (!is_in(rule, kind, dir))
            continue;
        if (fast == NULL)
            group->always[group->n_always++] = i;
        else
            patterns[n++] = (struct pattern){ fast->bytes, fast_length(fast),
                                              fast->flags & STEP_NOCASE, i };
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

static int
make_all(struct groups *groups, struct weir_errbuf *err)
{
    struct pattern *patterns = calloc(groups->rules->n + 1, sizeof(*patterns));
    int rc = patterns != NULL ? WEIR_E_OK : no_memory(err);

    for (int kind = 0; rc == WEIR_E_OK && kind < GROUP_KINDS; kind++)
        for (int dir = 0; rc == WEIR_E_OK && dir < 2; dir++)
            rc = make_group(groups, kind, dir, patterns, err);
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
    prefilter_free_scratch(groups->scratch);
    free(groups->fast);
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
    if (groups->fast != NULL && groups->by_event != NULL) {
        for (size_t i = 0; i < rules->n; i++)
            groups->fast[i] = fast_step(&rules->at[i]);
        sort_by_event(groups);
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
