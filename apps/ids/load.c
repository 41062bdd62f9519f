#include "program.h"

#include "explain.h"

#include "rule/order.h"
#include "rule/report.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static int
load_file(struct program *prg, struct rules *rules, const char *path, struct weir_errbuf *err)
{
    return rules_load(rules, prg->settings.vars, path, on_refused, prg, err);
}

/* A file, or, as Suricata has it, a pattern that stands for many: those that it fits, by name. */
static int
load_pattern(struct program *prg, struct rules *rules, const char *pattern, struct weir_errbuf *err)
{
    glob_t found;
    int rc = WEIR_E_OK;

    if (strpbrk(pattern, "*?[") == NULL || access(pattern, F_OK) == 0)
        return load_file(prg, rules, pattern, err);
    switch (glob(pattern, 0, NULL, &found)) {
    case 0:
        break;
    case GLOB_NOMATCH:
        return weir_err_set(err, WEIR_E_INVAL, "%s: there is no such file", pattern);
    default:
        return weir_err_set(err, WEIR_E_NOMEM, "%s: the files cannot be listed", pattern);
    }
    for (size_t i = 0; i < found.gl_pathc && rc == WEIR_E_OK; i++)
        rc = load_file(prg, rules, found.gl_pathv[i], err);
    globfree(&found);
    return rc;
}

/* Those of the command line, then, without -S, those of rule-files. *n: how many. */
static int
load_files(struct program *prg, struct rules *rules, size_t *n, struct weir_errbuf *err)
{
    size_t configured = prg->only ? 0 : prg->settings.n_rule_files;
    int rc = WEIR_E_OK;

    *n = prg->n_rule_files + configured;
    for (size_t i = 0; i < prg->n_rule_files && rc == WEIR_E_OK; i++)
        rc = load_pattern(prg, rules, prg->rule_files[i], err);
    for (size_t i = 0; i < configured && rc == WEIR_E_OK; i++) {
        char path[4096];

        rc = settings_rule_file(&prg->settings, i, path, err);
        if (rc == WEIR_E_OK)
            rc = load_pattern(prg, rules, path, err);
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

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
compile(struct ruleset *set, struct weir_errbuf *err)
{
    double begin = now();
    int rc = groups_new(&set->rules, &set->groups, err);

    set->seconds = now() - begin;
    return rc;
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
    set->rules.in_line = prg->in_line;
    set->rules.keep_text = prg->settings.outputs.eve.rule_raw;
    rc = load_files(prg, &set->rules, n_files, err);
    if (rc == WEIR_E_OK && prg->settings.threshold_file != NULL)
        rc = limits_load(&set->limits, prg->settings.vars, prg->settings.threshold_file, on_refused,
                         prg, err);
    if (rc == WEIR_E_OK)
        rc = rules_sort(&set->rules, err);
    if (rc == WEIR_E_OK)
        rc = compile(set, err);
    if (rc != WEIR_E_OK) {
        ruleset_free(set);
        return rc;
    }
    *out = set;
    return rc;
}

static void
tell_size(struct program *prg, const struct ruleset *set)
{
    const struct groups_size size = groups_measure(set->groups);

    cli_notice(&prg->cli, "Hyperscan %s: %zu patterns in %zu groups", prefilter_engine(),
               set->groups->patterns, size.prefilters);
    cli_notice(
        &prg->cli,
        "a flow takes %zu bytes for detection and records; of TCP, for its streams, %zu more",
        sizeof(struct flow_state), size.stream_bytes);
    cli_notice(&prg->cli, "compiled in %.2f s", set->seconds);
}

void
ruleset_tell(struct program *prg, const struct ruleset *set, bool always)
{
    report_notes(&set->rules, say, prg);
    if (prg->test) {
        report_files(&set->rules, say, prg);
        report_unset(&set->rules, say, prg);
        tell_size(prg, set);
    }
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
    if ((prg->test || prg->n_explain > 0) && prg->n_rule_files + prg->settings.n_rule_files == 0) {
        cli_error(&prg->cli, "%s: rules are expected (-S FILE)", prg->test ? "-T" : "--explain");
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

/* The rules that were asked for. */
static int
explain_all(const struct program *prg)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < prg->n_explain; i++) {
        if (explain(stdout, prg->set->groups, prg->explain[i]))
            continue;
        cli_error(&prg->cli, "--explain %u: no rule that was loaded has this sid", prg->explain[i]);
        code = EXIT_USAGE;
    }
    return code;
}

int
program_load(struct program *prg)
{
    int code;

    prg->in_line = prg->cli.monitor.outlet != NULL;
    code = load_rules(prg);

    if (prg->n_explain > 0 && (code < 0 || code == EXIT_DONE))
        return explain_all(prg);

    return code < 0 && prg->with_prads ? load_prads(prg) : code;
}
