#include "rule/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096 + 256 };

static void
report_file(const struct rule_file *file, say_fn say, void *ctx)
{
    char line[LINE];
    int n = snprintf(line, sizeof(line), "%s: %zu loaded, %zu refused, %zu behind a #", file->name,
                     file->loaded, file->refused, file->disabled);

    if (n > 0 && n < LINE && file->skipped > 0)
        n += snprintf(line + n, sizeof(line) - (size_t)n, ", %zu skipped for what they require",
                      file->skipped);
    if (n > 0 && n < LINE && file->replaced > 0)
        snprintf(line + n, sizeof(line) - (size_t)n, ", %zu replaced by later revisions",
                 file->replaced);
    say(ctx, line);
    for (size_t i = 0; i < file->refusals.n; i++) {
        snprintf(line, sizeof(line), "%s: %zu refused: %s", file->name, file->refusals.at[i].n,
                 file->refusals.at[i].text);
        say(ctx, line);
    }
}

void
report_files(const struct rules *rules, say_fn say, void *ctx)
{
    for (size_t i = 0; i < rules->n_files; i++)
        report_file(&rules->files[i], say, ctx);
}

void
report_notes(const struct rules *rules, say_fn say, void *ctx)
{
    char line[LINE];

    for (size_t i = 0; i < rules->n_files; i++) {
        const struct rule_file *file = &rules->files[i];

        for (size_t k = 0; k < file->notes.n; k++) {
            snprintf(line, sizeof(line), "%s: %zu loaded: %s", file->name, file->notes.at[k].n,
                     file->notes.at[k].text);
            say(ctx, line);
        }
    }
}

/* ---- flowbits ------------------------------------------------------------------------------ */

/* A rule names a flowbit. */
struct use {
    const char *name;
    const struct rule *rule;
    bool sets;
};

/* By name; those that set it first, then in the order of the rules. */
static int
by_name(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    if (order != 0)
        return order;
    if (x->sets != y->sets)
        return x->sets ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* What a rule does with flowbits, into use, unless that is NULL. Returns how many uses. */
static size_t
uses_of(const struct rule *rule, struct use *use)
{
    size_t n = 0;

    for (unsigned i = 0; rule->state != NULL && i < rule->state->n_bits; i++) {
        const struct bits *bits = &rule->state->bits[i];
        const bool sets = bits->op == BITS_SET || bits->op == BITS_SETX || bits->op == BITS_TOGGLE;

        if (bits->of != BITS_OF_FLOW || (!sets && bits->op != BITS_ISSET))
            continue;
        for (unsigned k = 0; k < bits->n; k++, n++)
            if (use != NULL)
                use[n] = (struct use){ bits->name[k], rule, sets };
    }
    return n;
}

void
report_unset(const struct rules *rules, say_fn say, void *ctx)
{
    char line[LINE];
    struct use *use;
    size_t n = 0, same;

    for (size_t i = 0; i < rules->n; i++)
        n += uses_of(&rules->at[i], NULL);
    use = calloc(n + 1, sizeof(*use));
    if (use == NULL)
        return;
    n = 0;
    for (size_t i = 0; i < rules->n; i++)
        n += uses_of(&rules->at[i], use + n);
    qsort(use, n, sizeof(*use), by_name);
    for (size_t i = 0; i < n; i += same) {
        for (same = 1; i + same < n && strcmp(use[i + same].name, use[i].name) == 0;)
            same++;
        if (use[i].sets)
            continue;
        snprintf(line, sizeof(line),
                 "%s:%u: flowbit %s is asked for by %zu rule%s, and set by none", use[i].rule->file,
                 use[i].rule->line, use[i].name, same, same == 1 ? "" : "s");
        say(ctx, line);
    }
    free(use);
}
