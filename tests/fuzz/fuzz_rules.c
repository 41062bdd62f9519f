/* Rule files: whatever is in them, what loads obeys its bounds, and loads the same way again. */
#include "detect/state.h"
#include "detect/threshold.h"
#include "rule/order.h"
#include "rule/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Refusals say "FILE:LINE: why". */
static void
on_refused(void *ctx, const char *text)
{
    assert(strncmp(text, "fuzz:", 5) == 0 && text[5] >= '1' && text[5] <= '9');
    ++*(size_t *)ctx;
}

/* A variable is set by a step before. */
static void
check_variable(const struct rule *rule, unsigned i, uint8_t by)
{
    assert(by <= i);
    assert(by == 0 ||
           (rule->step[by - 1].number != NULL && rule->step[by - 1].number->name != NULL));
}

static void
check_number(const struct step *step)
{
    const struct number *number = step->number;
    bool names = step->kind == STEP_BYTE_EXTRACT || step->kind == STEP_BYTE_MATH;

    assert(number->n <= (number->base == NUMBER_BINARY ? 8 : 23));
    assert(number->n > 0 || step->kind == STEP_BYTE_JUMP || number->n_by > 0 ||
           number->base != NUMBER_BINARY);
    assert(names == (number->name != NULL) && number->multiplier > 0 && number->align <= 4);
    assert(number->op != NUMBER_DIVIDE || number->operand_by != 0 || number->operand != 0);
}

static void
check_step(const struct step *step)
{
    bool ranged = step->flags & (STEP_DEPTH | STEP_WITHIN);

    assert(step->kind <= STEP_ENTROPY);
    assert(step->offset >= -65535 && step->offset <= 65535);
    assert(step->offset >= 0 || step->flags & STEP_RELATIVE);
    assert((step->kind >= STEP_BYTE_TEST && step->kind < STEP_PCRE) == (step->number != NULL));
    assert((step->kind == STEP_BSIZE || step->kind == STEP_TX_NUMBER ||
            step->kind == STEP_ENTROPY) == (step->compare != NULL));
    assert((step->kind == STEP_PCRE) == (step->regex != NULL));
    if (step->number != NULL)
        check_number(step);
    if (step->kind != STEP_CONTENT)
        return;
    assert(step->n > 0 && step->bytes != NULL);
    assert(!ranged || step->length_by != 0 || (step->length >= step->n && step->length <= 65535));
    assert(!(step->flags & STEP_RELATIVE) ||
           !(step->flags & (STEP_DEPTH | STEP_OFFSET | STEP_STARTSWITH)));
    assert(!(step->flags & STEP_FAST) || !(step->flags & STEP_NEGATED));
    for (unsigned i = 0; step->flags & STEP_NOCASE && i < step->n; i++)
        assert(step->bytes[i] < 'A' || step->bytes[i] > 'Z');
}

static void
check_set(const struct ranges *set)
{
    if (set == NULL)
        return;
    assert(set->n > 0);
    for (size_t i = 0; i < set->n; i++)
        assert(set->at[i].first <= set->at[i].last &&
               (i == 0 || set->at[i - 1].last < set->at[i].first - 1));
}

static void
check_bits(const struct bits *bits)
{
    assert(bits->op <= BITS_ISNOTSET && bits->of <= BITS_OF_PAIR && bits->n <= BITS_NAMES_MAX);
    assert((bits->n == 0) == (bits->whole || bits->op == BITS_RESET));
    assert(!bits->whole || bits->group != NULL);
    assert(bits->of == BITS_OF_FLOW || (bits->n == 1 && bits->expire > 0));
    for (unsigned i = 0; i < bits->n; i++)
        assert(bits->name[i][0] != '\0');
}

static void
check_threshold(const struct threshold *threshold)
{
    bool backoff = threshold->type == THRESHOLD_BACKOFF;

    assert(threshold->type <= THRESHOLD_FILTER && threshold->track <= TRACK_FLOW);
    assert(threshold->type == THRESHOLD_NONE || threshold->count > 0);
    assert(backoff == (threshold->multiplier > 1));
    assert((threshold->type == THRESHOLD_NONE || backoff) == (threshold->seconds == 0));
}

static void
check_state(const struct rule_state *state)
{
    if (state == NULL)
        return;
    assert(state->n_bits <= STATE_USES_MAX && state->n_ints <= STATE_USES_MAX);
    for (unsigned i = 0; i < state->n_bits; i++)
        check_bits(&state->bits[i]);
    for (unsigned i = 0; i < state->n_ints; i++)
        assert(state->ints[i].op <= FLOWINT_ISNOTSET && state->ints[i].name[0] != '\0');
    check_threshold(&state->threshold);
    assert(state->tag.metric <= TAG_SECONDS && (state->tag.host || !state->tag.dst));
}

/* Names of all rules become numbers, and what they say of one flow can be asked for. */
static void
ask(const struct rules *rules)
{
    struct weir_errbuf err = { "" };
    struct subject subject = { .has_addresses = true, .src = 1, .dst = 2, .time = 1 };
    const struct keyed_opts opts = { .seed = 1 };
    uint8_t action = ACTION_ALERT;
    struct thresholds *thresholds;
    struct state *state;
    struct name_book *book = name_book_new();
    int rc = book != NULL ? state_new(rules, book, &opts, &state, &err) : WEIR_E_NOMEM;

    assert(rc == WEIR_E_OK);
    rc = thresholds_new(rules, NULL, &opts, &thresholds, &err);
    assert(rc == WEIR_E_OK);
    for (uint32_t i = 0; i < rules->n; i++) {
        if (state_is_used(state, i) && state_holds(state, i, &subject))
            state_apply(state, i, &subject);
        if (thresholds != NULL)
            thresholds_let(thresholds, i, &subject, &action);
    }
    state_free(state);
    name_book_free(book);
    thresholds_free(thresholds);
    (void)rc;
}

/* Each rule is still there, those that pass first. */
static void
sort(struct rules *rules)
{
    struct weir_errbuf err = { "" };
    uint64_t before = 0, after = 0;
    int rc;

    for (size_t i = 0; i < rules->n; i++)
        before += rules->at[i].line * (uint64_t)rules->at[i].line;
    rc = rules_sort(rules, &err);
    assert(rc == WEIR_E_OK);
    for (size_t i = 0; i < rules->n; i++) {
        after += rules->at[i].line * (uint64_t)rules->at[i].line;
        assert(i == 0 || rules->at[i].action != ACTION_PASS ||
               rules->at[i - 1].action == ACTION_PASS);
    }
    assert(before == after);
    (void)rc;
}

static void
check_rule(const struct rule *rule)
{
    unsigned fast = 0;

    assert(rule->sid != 0 && rule->priority >= 1 && rule->priority <= 255);
    assert(rule->msg != NULL && rule->line >= 1);
    assert(rule->protos != 0 && (rule->protos & ~RULE_IP) == 0);
    assert(rule->n_steps <= STEPS_MAX && rule->n_checks <= CHECKS_MAX);
    assert((rule->flow & (RULE_TO_SERVER | RULE_TO_CLIENT)) != (RULE_TO_SERVER | RULE_TO_CLIENT));
    assert((rule->flow & (RULE_ONLY_STREAM | RULE_NO_STREAM)) !=
           (RULE_ONLY_STREAM | RULE_NO_STREAM));
    assert((rule->flow & (RULE_ESTABLISHED | RULE_NOT_ESTABLISHED)) !=
           (RULE_ESTABLISHED | RULE_NOT_ESTABLISHED));
    for (unsigned i = 0; i < rule->n_steps; i++) {
        check_step(&rule->step[i]);
        check_variable(rule, i, rule->step[i].offset_by);
        check_variable(rule, i, rule->step[i].length_by);
        if (rule->step[i].number != NULL) {
            check_variable(rule, i, rule->step[i].number->operand_by);
            check_variable(rule, i, rule->step[i].number->n_by);
        }
        assert(rule->step[i].chain <= rule->n_chains);
        fast += (rule->step[i].flags & STEP_FAST) != 0;
    }
    assert(fast <= 1);
    assert(rule->event != NULL || rule->n_events == 0);
    assert((rule->event != NULL && rule->n_events == 0) == (rule->never != NULL));
    for (unsigned i = 0; i < rule->n_events; i++)
        assert(rule->event[i].type < TEST_FRAGMENT && rule->event[i].n <= CONDITIONS_MAX &&
               (rule->event[i].copy == COPY_NEW || rule->event[i].type == WEIR_EV_FAKE_RETRANSMIT));
    assert(!rule->unmet && rule->class_name.p == NULL);
    check_state(rule->state);
    assert(rule->action <= ACTION_CONFIG);
    check_set(rule->src);
    check_set(rule->dst);
    check_set(rule->src_port);
    check_set(rule->dst_port);
}

static void
check_same(const struct rule *a, const struct rule *b)
{
    assert(a->gid == b->gid && a->sid == b->sid && a->rev == b->rev && a->line == b->line);
    assert(a->src == b->src && a->dst == b->dst); /* equal expressions share a set */
    assert(a->n_steps == b->n_steps && a->n_checks == b->n_checks && a->flow == b->flow);
    assert(strcmp(a->msg, b->msg) == 0);
    for (unsigned i = 0; i < a->n_steps; i++)
        assert(
            a->step[i].n == b->step[i].n && a->step[i].flags == b->step[i].flags &&
            (a->step[i].n == 0 || memcmp(a->step[i].bytes, b->step[i].bytes, a->step[i].n) == 0));
}

static void
load(struct rules *rules, struct vars *vars, const uint8_t *data, size_t size)
{
    struct text text = { (const char *)data, size };
    struct weir_errbuf err = { "" };
    size_t refused = 0, lines = 1;
    int rc = rules_load_text(rules, vars, "fuzz", text, on_refused, &refused, &err);

    assert(rc == WEIR_E_OK);
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    assert(rules->refused == refused);
    assert(rules->n + rules->refused + rules->disabled + rules->skipped <= lines);
    assert(rules->files[0].loaded == rules->n && rules->files[0].refused == refused);
    for (size_t i = 0; i < rules->n; i++) {
        check_rule(&rules->at[i]);
        assert(rules->at[i].line <= lines);
        assert(i == 0 || rules->files[0].replaced > 0 || rules->at[i - 1].line < rules->at[i].line);
    }
    (void)rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rules once = { .n = 0 }, again = { .n = 0 };
    struct vars *vars = vars_new();

    if (vars == NULL)
        return 0;
    load(&once, vars, data, size);
    load(&again, vars, data, size);
    assert(once.n == again.n && once.refused == again.refused && once.disabled == again.disabled);
    for (size_t i = 0; i < once.n; i++)
        check_same(&once.at[i], &again.at[i]);
    sort(&once);
    ask(&once);
    rules_free(&once);
    rules_free(&again);
    vars_free(vars);
    return 0;
}
