/* weir-ids: raises alerts from rules. */
#include "../prads/prads.h"
#include "cli.h"
#include "detect/detect.h"
#include "detectors/detectors.h"
#include "keep.h"
#include "out.h"
#include "out/alert.h"
#include "rule/rules.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct cli cli;
    struct settings settings;
    const char **rule_files;
    size_t n_rule_files;
    bool only; /* -S was given */
    bool test, init_errors_fatal, fail_on_alert;

    struct rules rules;
    struct groups *groups;
    struct detect *detect;
    struct detectors *detectors;
    struct out eve, fast;
    const char *keep_file;
    struct keep *keep;   /* NULL: -w was not given */
    struct prads *prads; /* NULL: not built, or no memory */
    bool with_prads;
};

/* ---- options ------------------------------------------------------------------------------- */

static int
add_file(struct program *prg, const char *path, struct weir_errbuf *err)
{
    const char **more = realloc(prg->rule_files, (prg->n_rule_files + 1) * sizeof(*more));

    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    prg->rule_files = more;
    prg->rule_files[prg->n_rule_files++] = path;
    return WEIR_E_OK;
}

/* Only this file, and those of a later -s. */
static int
take_only(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;

    if (prg->only)
        return weir_err_set(err, WEIR_E_INVAL, "-S: one file is expected (-s adds more)");
    prg->only = true;
    return add_file(prg, value, err);
}

static int
take_more(void *ctx, const char *value, struct weir_errbuf *err)
{
    return add_file(ctx, value, err);
}

static int
take_test(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;

    (void)value, (void)err;
    prg->test = prg->cli.input_optional = true;
    return WEIR_E_OK;
}

static int
take_fatal(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->init_errors_fatal = true;
    return WEIR_E_OK;
}

static int
take_fail(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->fail_on_alert = true;
    return WEIR_E_OK;
}

static int
take_write(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)err;
    ((struct program *)ctx)->keep_file = value;
    return WEIR_E_OK;
}

static int
take_set(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;
    bool ignored;
    int rc = settings_set(&prg->settings, value, &ignored, err);

    if (ignored)
        cli_notice(&prg->cli, "--set %s: means nothing to weir-ids, and is ignored", value);
    return rc;
}

static int
take_with(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;

    prg->with_prads = prg->prads != NULL && strcmp(value, "prads") == 0;
    if (prg->with_prads)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_INVAL, "--with: %s is expected, not '%s'",
                        prg->prads != NULL ? "prads" : "nothing that was built", value);
}

static const struct cli_option options[] = {
    { 0, "with", "APP", "run another app beside, on the same flows: prads", take_with },
    { 'S', NULL, "FILE", "the rules", take_only },
    { 's', NULL, "FILE", "more rules; may be repeated", take_more },
    { 'w', NULL, "FILE", "write the packets of flows with an alert to a pcapng file", take_write },
    { 'T', NULL, NULL, "test the rules and stop", take_test },
    { 0, "init-errors-fatal", NULL, "stop if a rule is refused", take_fatal },
    { 0, "fail-on-alert", NULL, "exit code 3 if there was an alert", take_fail },
    { 0, NULL, NULL, NULL, NULL },
};

/* ---- rules --------------------------------------------------------------------------------- */

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

/* Returns -1 to go on, or the exit code. */
static int
load_rules(struct program *prg)
{
    struct weir_errbuf err = { "" };
    int rc = settings_check(&prg->settings, &err);

    if (prg->test && prg->n_rule_files == 0) {
        cli_error(&prg->cli, "-T: rules are expected (-S FILE)");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < prg->n_rule_files && rc == WEIR_E_OK; i++)
        rc = rules_load(&prg->rules, prg->settings.vars, prg->rule_files[i], on_refused, prg, &err);
    if (rc == WEIR_E_OK)
        rc = groups_new(&prg->rules, &prg->groups, &err);
    if (rc != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        return EXIT_USAGE;
    }
    if (prg->rules.refused > 0 || prg->test || prg->cli.verbose > 0)
        cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %zu behind a #", prg->rules.n,
                   prg->rules.refused, prg->rules.disabled);
    if (prg->n_rule_files == 0)
        cli_notice(&prg->cli, "no rules (-S FILE): only flows are recorded");
    if (prg->rules.refused > 0 && refusals_stop(prg))
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

/* ---- the app ------------------------------------------------------------------------------- */

static void
keep_alert(struct keep *keep, const struct rule *rule, const struct weir_event *ev)
{
    char comment[256];

    snprintf(comment, sizeof(comment), "[%u:%u:%u] %s", rule->gid, rule->sid, rule->rev, rule->msg);
    keep_mark(keep, ev, comment);
}

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct program *prg = ctx;

    eve_alert(&prg->eve, rule, ev);
    fast_alert(&prg->fast, rule, ev);
    if (prg->keep != NULL)
        keep_alert(prg->keep, rule, ev);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct program *prg = ev->app;
    struct flow_scan *scan = ctx;
    bool alerted;

    detect_event(prg->detect, scan, ev);
    alerted = scan->alerted;
    if (ev->type == WEIR_EV_FLOW_END)
        eve_flow(&prg->eve, ev, detectors_alerted(prg->detectors, ev->flow) || alerted);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static void
at_end(void *arg)
{
    const struct program *prg = arg;

    if (prg->keep != NULL)
        keep_end(prg->keep);
}

static void
after_batch(void *arg)
{
    struct program *prg = arg;

    cli_check_output(&prg->cli, &prg->eve);
    cli_check_output(&prg->cli, &prg->fast);
    if (prg->with_prads)
        prads_check(prg->prads, &prg->cli);
}

/* ---- the run ------------------------------------------------------------------------------- */

static int
open_log(struct program *prg, const char *name, struct out *out, char path[4096],
         struct weir_errbuf *err)
{
    if (snprintf(path, 4096, "%s/%s", prg->cli.log_dir, name) >= 4096)
        return weir_err_set(err, WEIR_E_INVAL, "%s: the name is too long", prg->cli.log_dir);
    return cli_open_output(&prg->cli, path, out, err);
}

static int
set_up(struct program *prg, struct weir_tap_spec *spec, struct weir_monitor **m,
       struct weir_errbuf *err)
{
    struct weir_app app = { .name = "ids",
                            .spec = spec,
                            .flow_size = sizeof(struct flow_scan),
                            .history = DETECT_WINDOW,
                            .arg = prg };
    uint64_t memcap = prg->cli.monitor.memcap != 0 ? prg->cli.monitor.memcap : UINT64_C(4) << 30;
    struct detect_opts opts = { .midstream = prg->settings.midstream,
                                .any = prg->settings.any,
                                .memory = memcap / 4 };
    int rc = detect_new(prg->groups, &opts, on_alert, prg, &prg->detect, err);

    if (rc == WEIR_E_OK)
        rc = detectors_new(&prg->settings.detectors, on_alert, prg, &prg->detectors, err);

    for (size_t i = 0; i < prg->settings.n_hosts && rc == WEIR_E_OK; i++)
        rc = cli_add_host(&prg->cli, &prg->settings.hosts[i], err);
    if (rc != WEIR_E_OK)
        return rc;
    *spec =
        (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = detect_wants(prg->detect) };
    rc = weir_monitor_new(&prg->cli.monitor, m);
    if (rc == WEIR_E_OK && prg->keep != NULL)
        rc = keep_add(prg->keep, *m);
    if (rc == WEIR_E_OK)
        rc = detectors_add(prg->detectors, *m);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(*m, &app);
    if (rc == WEIR_E_OK && prg->with_prads)
        rc = prads_add(prg->prads, *m);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static uint64_t
count_alerts(const struct program *prg)
{
    struct detectors_stats stats;

    detectors_get_stats(prg->detectors, &stats);
    return detect_get_stats(prg->detect)->alerts + stats.alerts;
}

static void
summary_of_detectors(const struct program *prg)
{
    struct detectors_stats stats;

    detectors_get_stats(prg->detectors, &stats);
    if (stats.alerts > 0)
        cli_notice(&prg->cli, "detectors: %llu alerts, %llu more not repeated",
                   (unsigned long long)stats.alerts, (unsigned long long)stats.repeated);
    if (stats.evicted + stats.waiting > 0)
        cli_notice(&prg->cli,
                   "limits: %llu counts of detectors were forgotten early, %llu were not made",
                   (unsigned long long)stats.evicted, (unsigned long long)stats.waiting);
}

static void
summary(const struct program *prg)
{
    const struct detect_stats *stats = detect_get_stats(prg->detect);

    cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %llu alerts", prg->rules.n,
               prg->rules.refused, (unsigned long long)count_alerts(prg));
    summary_of_detectors(prg);
    if (stats->no_memory + stats->pending_lost + stats->window_lost + stats->given_up +
            stats->unverified >
        0)
        cli_notice(&prg->cli,
                   "limits: %llu directions not scanned for want of memory, %llu rules could not "
                   "wait, %llu looks without older bytes, %llu looks given up, %llu looks at the "
                   "fast pattern only",
                   (unsigned long long)stats->no_memory, (unsigned long long)stats->pending_lost,
                   (unsigned long long)stats->window_lost, (unsigned long long)stats->given_up,
                   (unsigned long long)stats->unverified);
    if (stats->pcre_limits > 0)
        cli_notice(&prg->cli, "limits: %llu looks given up for a pcre that took too many steps",
                   (unsigned long long)stats->pcre_limits);
    if (stats->others_lost > 0)
        cli_notice(&prg->cli, "limits: %llu other copies of bytes were not looked at",
                   (unsigned long long)stats->others_lost);
}

static int
run(struct program *prg)
{
    char eve_path[4096], fast_path[4096];
    struct weir_monitor *m = NULL;
    struct weir_tap_spec spec;
    struct weir_errbuf err = { "" };
    int rc = open_log(prg, "eve.json", &prg->eve, eve_path, &err);

    if (rc == WEIR_E_OK)
        rc = open_log(prg, "fast.log", &prg->fast, fast_path, &err);
    if (rc == WEIR_E_OK && prg->keep_file != NULL)
        rc = keep_open(&prg->cli, prg->keep_file, &prg->keep, &err);
    if (rc == WEIR_E_OK && prg->with_prads)
        rc = prads_open(prg->prads, &prg->cli, &err);
    if (rc == WEIR_E_OK)
        rc = set_up(prg, &spec, &m, &err);
    if (rc != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        prg->cli.failed = true;
    } else {
        cli_run(&prg->cli, m, after_batch, prg);
        cli_flush_output(&prg->cli, &prg->eve);
        cli_flush_output(&prg->cli, &prg->fast);
        if (prg->with_prads)
            prads_end(prg->prads, &prg->cli);
        cli_stats(&prg->cli, m, false);
        cli_summary(&prg->cli, m);
        summary(prg);
        if (prg->with_prads)
            prads_summary(prg->prads, &prg->cli);
    }
    cli_close_output(&prg->cli, &prg->eve);
    cli_close_output(&prg->cli, &prg->fast);
    keep_close(prg->keep, &prg->cli);
    if (prg->with_prads)
        prads_close(prg->prads, &prg->cli);
    weir_monitor_free(m);
    rc = cli_exit_code(&prg->cli);
    if (rc == EXIT_DONE && prg->fail_on_alert && count_alerts(prg) > 0)
        rc = EXIT_ALERTED;
    return rc;
}

static void
clean_up(struct program *prg)
{
    detect_free(prg->detect);
    detectors_free(prg->detectors);
    prads_free(prg->prads);
    groups_free(prg->groups);
    rules_free(&prg->rules);
    settings_free(&prg->settings);
    free(prg->rule_files);
    cli_free(&prg->cli);
}

int
main(int argc, char **argv)
{
    struct program prg = {
        .cli = { .program = "weir-ids",
                 .synopsis = "[options] -S RULES -r FILE|DIR|- | -i INTERFACE [filter words]",
                 .about = "Raise alerts from rules on the packets of a capture or an interface.",
                 .options = options,
                 .at_end = at_end },
        .settings = { .vars = vars_new() },
    };
    int code = EXIT_FAILED;

    prg.cli.ctx = &prg;
    prg.prads = prads_new();
    if (prg.prads != NULL) {
        prg.cli.beside_options = prads_options;
        prg.cli.beside_name = "prads (--with prads)";
        prg.cli.beside = prg.prads;
    }
    prg.cli.set = take_set;
    if (prg.settings.vars == NULL)
        cli_error(&prg.cli, "out of memory");
    else
        code = cli_parse(&prg.cli, argc, argv);
    if (code < 0)
        code = load_rules(&prg);
    if (code < 0 && prg.with_prads)
        code = load_prads(&prg);
    if (code < 0)
        code = run(&prg);
    clean_up(&prg);
    return code;
}
