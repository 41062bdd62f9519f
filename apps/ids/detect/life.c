/* Set-up: what detection keeps by rule, also of other rules that it goes over to. */
#include "detect/parts.h"

#include <stdlib.h>

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

static int
next_new(const struct groups *groups, bool profile, const struct outcome_opts *opts,
         struct mem *const *mem, struct detect_next **out, struct weir_errbuf *err)
{
    struct detect_next *next = calloc(1, sizeof(*next));
    size_t n = groups->rules->n;
    int rc;

    *out = NULL;
    if (next == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    next->groups = groups;
    next->profile = profile ? calloc(n + 1, sizeof(*next->profile)) : NULL;
    next->marked = calloc(n / 64 + 1, sizeof(*next->marked));
    next->alerted = calloc(n + 1, sizeof(*next->alerted));
    next->beyond = calloc(n + 1, sizeof(*next->beyond));
    next->first = calloc(n + 1, sizeof(*next->first));
    next->last = calloc(n + 1, sizeof(*next->last));
    rc = scratch_new(next, groups);
    if (rc == WEIR_E_OK &&
        ((profile && next->profile == NULL) || next->marked == NULL || next->alerted == NULL ||
         next->beyond == NULL || next->first == NULL || next->last == NULL))
        rc = WEIR_E_NOMEM;
    if (rc != WEIR_E_OK)
        weir_err_set(err, rc, "%s", weir_strerror(rc));
    else
        rc = outcome_new(groups->rules, opts, mem, &next->outcome, err);
    if (rc == WEIR_E_OK)
        *out = next;
    else
        detect_next_free(next);
    return rc;
}

int
detect_next_new(const struct detect *d, const struct groups *groups, const struct limits *limits,
                const struct detect_next *with, struct detect_next **out, struct weir_errbuf *err)
{
    struct outcome_opts opts = d->opts.outcome;

    opts.limits = limits;
    opts.before = d->outcome;
    opts.with = with != NULL ? with->outcome : NULL;
    return next_new(groups, d->opts.profile, &opts, &d->mem, out, err);
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
        prefilter_close(d->view->scanner_size[dir], mem_of_core(&d->shards), d->view->scanner[dir]);
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
    mem_shards_free(&d->shards);
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

int
detect_new(const struct groups *groups, const struct detect_opts *opts, alert_fn alert, void *ctx,
           struct detect **out, struct weir_errbuf *err)
{
    struct detect *d = calloc(1, sizeof(*d));
    struct detect_next *rules;
    int rc;

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
        (!opts->any || d->view != NULL) &&
        mem_shards_init(&d->shards, opts->cores > 0 ? opts->cores : 1, opts->memory))
        rc = next_new(groups, opts->profile, &opts->outcome, &d->mem, &rules, err);
    else
        rc = weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    if (rc != WEIR_E_OK) {
        detect_free(d);
        return rc;
    }
    change(d, rules);
    detect_next_free(rules);
    *out = d;
    return WEIR_E_OK;
}
