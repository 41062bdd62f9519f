#include "rule/report.h"

#include <stdio.h>

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
