#include "explain.h"

#include "detect/match.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_PATTERN = 4, PROFILED_MAX = 100 };

/* ---- parts --------------------------------------------------------------------------------- */

/* As in a rule: "ab|00|". */
static void
write_bytes(FILE *to, const uint8_t *p, unsigned n)
{
    bool hex = false;

    fputc('"', to);
    for (unsigned i = 0; i < n; i++) {
        bool plain = p[i] >= ' ' && p[i] < 0x7f && strchr("\"\\;:|", p[i]) == NULL;

        if (plain == hex)
            fputc('|', to);
        if (plain)
            fputc(p[i], to);
        else
            fprintf(to, "%s%02x", hex ? " " : "", p[i]);
        hex = !plain;
    }
    fputs(hex ? "|\"" : "\"", to);
}

static const char *
group_name(enum group_kind kind)
{
    switch (kind) {
    case GROUP_STREAM:
        return "the stream";
    case GROUP_SEGMENT:
        return "each segment of a stream";
    case GROUP_LONE:
        return "each segment without a stream";
    case GROUP_UDP:
        return "each UDP packet";
    case GROUP_OTHER:
        return "each other packet";
    case GROUP_KINDS:
        break;
    }
    return "";
}

/* A value of a field as rules write it. */
static void
put_value(FILE *to, const struct weir_field *field, int64_t value)
{
    if (field->kind == WEIR_FIELD_ENUM)
        fputs(field->names[value], to);
    else if (field->kind == WEIR_FIELD_BOOL)
        fputs(value != 0 ? "true" : "false", to);
    else
        fprintf(to, "%lld", (long long)value);
}

/* Conditions of events have no other relations. */
static void
put_event(FILE *to, const struct event_test *test)
{
    static const char *const signs[] = { [CMP_EQ] = "=",  [CMP_NE] = "!=", [CMP_LT] = "<",
                                         [CMP_LE] = "<=", [CMP_GT] = ">",  [CMP_GE] = ">=" };

    fprintf(to, "  tested on      event %s", weir_event_name(test->type));
    for (unsigned i = 0; i < test->n; i++) {
        const struct event_condition *c = &test->condition[i];

        fprintf(to, ", %s %s ", c->field->name, signs[c->compare.op]);
        put_value(to, c->field, c->compare.value);
    }
    if (test->copy != COPY_NEW)
        fputs(test->copy == COPY_OLD ? ", in the old bytes" : ", in either bytes", to);
    fputc('\n', to);
}

static void
put_groups(FILE *to, const struct rule *rule)
{
    for (int kind = 0; kind < GROUP_KINDS; kind++) {
        bool server = groups_hold(rule, (enum group_kind)kind, WEIR_TOSERVER);
        bool client = groups_hold(rule, (enum group_kind)kind, WEIR_TOCLIENT);

        if (server || client)
            fprintf(to, "  tested on      %s %s\n", group_name((enum group_kind)kind),
                    server && client ? "in both directions"
                    : server         ? "to the server"
                                     : "to the client");
    }
    if (rule->of_ends)
        fputs("  tested on      the first packet of a direction, if not in line\n", to);
    if (rule->tx_side != 0)
        fprintf(to, "  tested on      transactions, at the %s%s\n",
                rule->tx_side == SIDE_BOTH      ? "request and at the response"
                : rule->tx_side == SIDE_REQUEST ? "request"
                                                : "response",
                rule->tx_body ? ", as its body comes" : "");
    for (unsigned i = 0; i < rule->n_events; i++)
        if (rule->event[i].type < WEIR_EV_COUNT)
            put_event(to, &rule->event[i]);
    if (rule->app_event != NULL)
        fprintf(to, "  tested on      event %s of the application layer\n", rule->app_event);
}

static const char *
step_name(const struct step *step)
{
    static const char *const names[] = {
        [STEP_CONTENT] = "content",
        [STEP_ISDATAAT] = "isdataat",
        [STEP_BYTE_TEST] = "byte_test",
        [STEP_BYTE_JUMP] = "byte_jump",
        [STEP_BYTE_EXTRACT] = "byte_extract",
        [STEP_BYTE_MATH] = "byte_math",
        [STEP_PCRE] = "pcre",
        [STEP_BSIZE] = "bsize",
        [STEP_BASE64] = "base64_decode",
        [STEP_TX_NUMBER] = "number",
        [STEP_ASN1] = "asn1",
        [STEP_BER] = "ber",
    };
    const char *name = step->kind < sizeof(names) / sizeof(*names) ? names[step->kind] : NULL;

    return name != NULL ? name : "other";
}

static void
put_step(FILE *to, const struct step *step)
{
    fprintf(to, " %s%s", step->flags & STEP_NEGATED ? "!" : "", step_name(step));
    if (step->kind == STEP_CONTENT) {
        fputc(' ', to);
        write_bytes(to, step->bytes, step->n);
    }
    if (step->flags & STEP_RELATIVE)
        fputs(" relative", to);
}

static bool
names_another(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (rule->step[i].flags & STEP_FAST)
            return true;
    return false;
}

static void
put_fast(FILE *to, const struct groups *groups, uint32_t i)
{
    const struct rule *rule = &groups->rules->at[i];
    const struct step *fast = groups->fast[i] >= 0 ? &rule->step[groups->fast[i]] : NULL;

    fputs("  fast pattern   ", to);
    if (fast == NULL) {
        fputs("none\n", to);
        return;
    }
    write_bytes(to, fast->bytes + fast_begin(fast), fast_end(fast) - fast_begin(fast));
    fprintf(to, "%s in %s%s\n", fast->flags & STEP_NOCASE ? " of any case" : "",
            buffer_info(fast->buffer)->name,
            fast->flags & STEP_FAST ? ", as the rule names it"
            : names_another(rule)   ? ", a better sign than the one that it names"
                                    : "");
}

/* ---- the order of checks, and what they cost ------------------------------------------------- */

static void
put_order(FILE *to, const struct rule *rule)
{
    fputs("  checked then   protocol, addresses, ports", to);
    if (rule->flow != 0 || (rule->app_any | rule->app_none) != 0)
        fputs("; flow", to);
    if (rule->n_checks > 0)
        fprintf(to, "; %u header field%s", rule->n_checks, rule->n_checks > 1 ? "s" : "");
    if (rule->state != NULL)
        fputs("; what rules remember", to);
    fputc('\n', to);
    for (unsigned i = 0; i < rule->n_sections; i++) {
        const struct section *section = &rule->section[i];

        fprintf(to, "                 %s:", buffer_info(section->buffer)->name);
        for (unsigned k = section->first; k < section->behind; k++)
            put_step(to, &rule->step[k]);
        fputc('\n', to);
    }
}

static bool
has_expression(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (rule->step[i].kind == STEP_PCRE)
            return true;
    return false;
}

static const char *
cost_of(const struct groups *groups, uint32_t i)
{
    const struct rule *rule = &groups->rules->at[i];
    const struct step *fast = groups->fast[i] >= 0 ? &rule->step[groups->fast[i]] : NULL;

    if (rule->n_events > 0 || rule->app_event != NULL)
        return "low: looked at when its event comes";
    if (fast != NULL && fast_end(fast) - fast_begin(fast) < SHORT_PATTERN)
        return "medium: a fast pattern of less than 4 bytes is found often";
    if (fast != NULL)
        return "low: looked at where its fast pattern is";
    if (has_expression(rule))
        return "high: an expression is tried each time, as no content says where";
    return rule->n_steps > 0 ? "high: contents are compared each time"
                             : "medium: headers are compared each time";
}

bool
explain(FILE *to, const struct groups *groups, uint32_t sid)
{
    bool any = false;

    for (uint32_t i = 0; i < groups->rules->n; i++) {
        const struct rule *rule = &groups->rules->at[i];

        if (rule->sid != sid)
            continue;
        any = true;
        fprintf(to, "%u:%u:%u %s (%s:%u)\n", rule->gid, rule->sid, rule->rev, rule->msg, rule->file,
                rule->line);
        put_groups(to, rule);
        put_fast(to, groups, i);
        put_order(to, rule);
        fprintf(to, "  cost           %s\n", cost_of(groups, i));
    }
    return any;
}

/* ---- profile ------------------------------------------------------------------------------- */

/* By time, then as they came: for qsort_r(). */
static int
by_time(const void *a, const void *b, void *arg)
{
    const struct rule_profile *profile = arg;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;

    if (profile[i].ns != profile[k].ns)
        return profile[i].ns < profile[k].ns ? 1 : -1;
    return (i > k) - (i < k);
}

void
explain_profile(FILE *to, const struct groups *groups, const struct rule_profile *profile)
{
    uint32_t *order = calloc(groups->rules->n + 1, sizeof(*order));
    size_t n = 0;

    if (order == NULL)
        return;
    for (uint32_t i = 0; i < groups->rules->n; i++)
        if (profile[i].looks > 0)
            order[n++] = i;
    qsort_r(order, n, sizeof(*order), by_time, (void *)(uintptr_t)profile);
    fprintf(to, "%12s %10s %12s %8s  rule\n", "us", "looks", "ns a look", "matches");
    for (size_t i = 0; i < n && i < PROFILED_MAX; i++) {
        const struct rule *rule = &groups->rules->at[order[i]];
        const struct rule_profile *p = &profile[order[i]];

        fprintf(to, "%12llu %10llu %12llu %8llu  %u:%u:%u %s\n", (unsigned long long)p->ns / 1000,
                (unsigned long long)p->looks, (unsigned long long)(p->ns / p->looks),
                (unsigned long long)p->matches, rule->gid, rule->sid, rule->rev, rule->msg);
    }
    if (n > PROFILED_MAX)
        fprintf(to, "and %zu rules more\n", n - PROFILED_MAX);
    free(order);
}
