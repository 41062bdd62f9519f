#include "program.h"

#include "rule/order.h"
#include "rule/report.h"

#include <stdlib.h>

static bool
refusals_stop(const struct program *prg)
{
    return prg->test || prg->init_errors_fatal;
}

static void
on_refused(void *ctx, const char *text)
{
    const struct program *prg = ctx;

    if (refusals_stop(prg))
        cli_error(&prg->cli, "%s", text);
    else
        cli_notice(&prg->cli, "%s", text);
}

static void
say(void *ctx, const char *text)
{
    cli_notice(&((struct program *)ctx)->cli, "%s", text);
}

/* Those of the command line, then, without -S, those of rule-files. *n: how many. */
static int
load_files(struct program *prg, struct rules *rules, size_t *n, struct weir_errbuf *err)
{
    size_t configured = prg->only ? 0 : prg->settings.n_rule_files;
    int rc = WEIR_E_OK;

    *n = prg->n_rule_files + configured;
    for (size_t i = 0; i < prg->n_rule_files && rc == WEIR_E_OK; i++)
        rc = rules_load(rules, prg->settings.vars, prg->rule_files[i], on_refused, prg, err);
    for (size_t i = 0; i < configured && rc == WEIR_E_OK; i++) {
        char path[4096];

        rc = settings_rule_file(&prg->settings, i, path, err);
        if (rc == WEIR_E_OK)
            rc = rules_load(rules, prg->settings.vars, path, on_refused, prg, err);
    }
    return rc;
}

void
ruleset_free(struct ruleset *set)
{
    if (set == NULL)
        return;
    groups_free(set->groups);
    rules_free(&set->rules);
    limits_free(&set->limits);
    free(set);
}

int
ruleset_load(struct program *prg, size_t *n_files, struct ruleset **out, struct weir_errbuf *err)
{
    struct ruleset *set = calloc(1, sizeof(*set));
    int rc;

    *out = NULL;
    if (set == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    set->rules.classes = prg->settings.classes;
    set->rules.keep_text = prg->settings.outputs.eve.rule_raw;
    rc = load_files(prg, &set->rules, n_files, err);
    if (rc == WEIR_E_OK && prg->settings.threshold_file != NULL)
        rc = limits_load(&set->limits, prg->settings.vars, prg->settings.threshold_file, on_refused,
                         prg, err);
    if (rc == WEIR_E_OK)
        rc = rules_sort(&set->rules, err);
    if (rc == WEIR_E_OK)
        rc = groups_new(&set->rules, &set->groups, err);
    if (rc != WEIR_E_OK) {
        ruleset_free(set);
        return rc;
    }
    *out = set;
    return rc;
}

void
ruleset_tell(struct program *prg, const struct ruleset *set, bool always)
{
    report_notes(&set->rules, say, prg);
    if (prg->test)
        report_files(&set->rules, say, prg);
    if (set->rules.refused > 0 || always)
        cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %zu behind a #", set->rules.n,
                   set->rules.refused, set->rules.disabled);
}

/* Returns -1 to go on, or the exit code. */
static int
load_rules(struct program *prg)
{
    struct weir_errbuf err = { "" };
    const char *blamed = NULL;
    size_t n = 0;
    int rc = settings_check(&prg->settings, &blamed, &err);

    if (rc != WEIR_E_OK)
        cli_blame(&prg->cli, blamed, &err);
    if (prg->test && prg->n_rule_files + prg->settings.n_rule_files == 0) {
        cli_error(&prg->cli, "-T: rules are expected (-S FILE)");
        return EXIT_USAGE;
    }
    if (rc == WEIR_E_OK)
        rc = ruleset_load(prg, &n, &prg->set, &err);
    if (rc != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        return EXIT_USAGE;
    }
    ruleset_tell(prg, prg->set, prg->test || prg->cli.verbose > 0);
    if (n == 0)
        cli_notice(&prg->cli, "no rules (-S FILE): only what detectors find and records are told");
    if (prg->set->rules.refused + prg->set->limits.refused > 0 && refusals_stop(prg))
        return EXIT_USAGE;
    return prg->test ? EXIT_DONE : -1;
}

/* Returns -1 to go on, or the exit code. */
static int
load_prads(struct program *prg)
{
    struct weir_errbuf err = { "" };

    if (prads_load(prg->prads, &prg->cli, &err) == WEIR_E_OK)
        return -1;
    cli_error(&prg->cli, "%s", err.text);
    return EXIT_USAGE;
}

int
program_load(struct program *prg)
{
    int code = load_rules(prg);

    return code < 0 && prg->with_prads ? load_prads(prg) : code;
}
