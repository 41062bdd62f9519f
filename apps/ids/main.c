/* weir-ids: raises alerts from rules. */
#include "../prads/prads.h"
#include "cli.h"
#include "detect/detect.h"
#include "out.h"
#include "out/eve_out.h"
#include "out/eve_stats.h"
#include "out/eve_tx.h"
#include "rule/rules.h"
#include "settings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flow_state;

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
    struct out eve_out, fast;
    char eve_path[4096], fast_path[4096];
    struct eve_out *eve;
    struct app_layer *app;
    struct flow_state *flow; /* whose event is under way, ... */
    const struct weir_event *ev;
    struct tx *tx; /* ... with a transaction of it; NULL: none */
    struct weir_monitor *m;
    uint64_t next_stats; /* ns of packet time; 0: not before the end */
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
take_set(void *ctx, const char *value, bool *ignored, struct weir_errbuf *err)
{
    return settings_set(&((struct program *)ctx)->settings, value, ignored, err);
}

static void
dump_settings(void *ctx, struct cli_dump *dump)
{
    settings_dump(&((struct program *)ctx)->settings, dump);
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

/* Those of the command line, then, without -S, those of rule-files. *n: how many. */
static int
load_files(struct program *prg, size_t *n, struct weir_errbuf *err)
{
    size_t configured = prg->only ? 0 : prg->settings.n_rule_files;
    int rc = WEIR_E_OK;

    *n = prg->n_rule_files + configured;
    for (size_t i = 0; i < prg->n_rule_files && rc == WEIR_E_OK; i++)
        rc = rules_load(&prg->rules, prg->settings.vars, prg->rule_files[i], on_refused, prg, err);
    for (size_t i = 0; i < configured && rc == WEIR_E_OK; i++) {
        char path[4096];

        rc = settings_rule_file(&prg->settings, i, path, err);
        if (rc == WEIR_E_OK)
            rc = rules_load(&prg->rules, prg->settings.vars, path, on_refused, prg, err);
    }
    return rc;
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
    prg->rules.keep_text = prg->settings.outputs.eve.rule_raw;
    if (rc == WEIR_E_OK)
        rc = load_files(prg, &n, &err);
    if (rc == WEIR_E_OK)
        rc = groups_new(&prg->rules, &prg->groups, &err);
    if (rc != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        return EXIT_USAGE;
    }
    if (prg->rules.refused > 0 || prg->test || prg->cli.verbose > 0)
        cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %zu behind a #", prg->rules.n,
                   prg->rules.refused, prg->rules.disabled);
    if (n == 0)
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

/* What the app keeps of a flow. */
struct flow_state {
    struct flow_scan scan;
    struct app_flow app;
    struct eve_flow eve;
};

static struct eve_about
about_flow(const struct program *prg)
{
    return (struct eve_about){ .app = (uint8_t)app_flow_proto(&prg->flow->app),
                               .tx = prg->tx,
                               .has_tx_id = prg->tx != NULL,
                               .tx_id = prg->tx != NULL ? prg->tx->id : 0,
                               .tx_count = prg->flow->app.n_tx,
                               .alerted = prg->flow->scan.alerted };
}

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct program *prg = ctx;

    prg->tx = tx;
    eve_tx(prg->eve, &prg->flow->eve, prg->ev, tx, dir, stage);
    prg->tx = NULL;
}

static void
on_app_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct program *prg = ctx;
    struct weir_event ev = *prg->ev;
    struct eve_about about = about_flow(prg);

    about.has_tx_id = tx != NULL;
    about.tx_id = tx != NULL ? tx->id : 0;
    if (ev.direction != dir)
        ev.packet = NULL;
    ev.direction = (uint8_t)dir;
    eve_app_anomaly(prg->eve, &prg->flow->eve, &ev, name, &about);
}

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct program *prg = ctx;
    const struct eve_about about = about_flow(prg);

    eve_alert(prg->eve, &prg->flow->eve, rule, ev, &about);
    if (prg->settings.outputs.fast_on)
        fast_alert(&prg->fast, rule, ev);
}

static void
write_stats(struct program *prg, uint64_t now)
{
    const struct detect_stats *stats = detect_get_stats(prg->detect);
    const struct eve_counters counters = { .start = prg->cli.first_time,
                                           .now = now,
                                           .live = prg->cli.interface != NULL,
                                           .kernel_drops = prg->cli.kernel_drops,
                                           .alerts = stats->alerts,
                                           .rules_loaded = prg->rules.n,
                                           .rules_failed = prg->rules.refused };
    struct weir_monitor_stats all;

    weir_monitor_get_stats(prg->m, &all);
    eve_stats(prg->eve, &all, &counters);
}

static uint64_t
stats_interval(const struct program *prg)
{
    enum { LIVE_SECONDS = 8 }; /* as Suricata's */
    uint64_t seconds = prg->settings.outputs.eve.stats_interval;

    if (seconds == 0 && prg->cli.interface != NULL)
        seconds = LIVE_SECONDS;
    return seconds * 1000000000;
}

/* Where intervals are asked for, one record for each in which there are packets. */
static void
tell_stats(struct program *prg, uint64_t now)
{
    uint64_t interval = stats_interval(prg);

    if (interval == 0 || now < prg->next_stats)
        return;
    if (prg->next_stats != 0)
        write_stats(prg, now);
    prg->next_stats = now - (now - prg->cli.first_time) % interval + interval;
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct program *prg = ev->app;
    struct flow_state *flow = ctx;
    struct eve_about about;

    prg->flow = flow;
    prg->ev = ev;
    about = about_flow(prg);
    tell_stats(prg, ev->time);
    eve_event(prg->eve, &flow->eve, ev, &about);
    if (ev->flow != NULL)
        app_event(prg->app, &flow->app, ev);
    detect_event(prg->detect, &flow->scan, ev);
    about = about_flow(prg);
    if (ev->type == WEIR_EV_FLOW_END)
        eve_flow_record(prg->eve, &flow->eve, ev, &about);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

/* Call each() with the logs that are written. */
static void
each_output(struct program *prg, void each(struct cli *cli, struct out *out))
{
    if (prg->settings.outputs.eve_on)
        each(&prg->cli, &prg->eve_out);
    if (prg->settings.outputs.fast_on)
        each(&prg->cli, &prg->fast);
}

static void
after_batch(void *arg)
{
    struct program *prg = arg;

    each_output(prg, cli_check_output);
    if (prg->with_prads)
        prads_check(prg->prads, &prg->cli);
}

/* ---- the run ------------------------------------------------------------------------------- */

/* In the log folder, unless its name says otherwise. path lives as long as the log. */
static int
open_log(struct program *prg, struct text name, struct out *out, char path[4096],
         struct weir_errbuf *err)
{
    const char *folder = name.p[0] != '/' ? prg->cli.log_dir : "";

    if (snprintf(path, 4096, "%s%s%.*s", folder, *folder != '\0' ? "/" : "", TEXT(name)) >= 4096)
        return weir_err_set(err, WEIR_E_INVAL, "%s: the name is too long", prg->cli.log_dir);
    return cli_open_output(&prg->cli, path, out, err);
}

static int
open_outputs(struct program *prg, struct weir_errbuf *err)
{
    struct outputs *outputs = &prg->settings.outputs;
    int rc = cli_make_dir(prg->cli.log_dir, err);

    if (outputs->stats_off)
        outputs->eve.types &= ~(1U << EVE_STATS);
    if (rc == WEIR_E_OK && outputs->eve_on)
        rc = open_log(prg, outputs->eve_file, &prg->eve_out, prg->eve_path, err);
    if (rc == WEIR_E_OK && outputs->fast_on)
        rc = open_log(prg, outputs->fast_file, &prg->fast, prg->fast_path, err);
    if (rc == WEIR_E_OK)
        rc = eve_out_new(&outputs->eve, outputs->eve_on ? &prg->eve_out : NULL, &prg->eve, err);
    return rc;
}

static uint64_t
wanted(const struct program *prg)
{
    uint64_t want = detect_wants(prg->detect) | eve_wants(prg->eve) | app_wants();

    return stats_interval(prg) > 0 ? want | WEIR_EV_BIT(WEIR_EV_PACKET) : want;
}

static_assert((int)DETECT_WINDOW >= (int)APP_HISTORY, "both read the past");

static int
set_up(struct program *prg, struct weir_tap_spec *spec, struct weir_errbuf *err)
{
    struct weir_app app = { .name = "ids",
                            .spec = spec,
                            .flow_size = sizeof(struct flow_state),
                            .history = DETECT_WINDOW,
                            .arg = prg };
    uint64_t memcap = prg->cli.monitor.memcap != 0 ? prg->cli.monitor.memcap : UINT64_C(4) << 30;
    struct detect_opts opts = { .midstream = prg->settings.midstream,
                                .any = prg->settings.any,
                                .memory = memcap / 4 };
    struct app_opts app_opts = app_defaults();
    int rc = detect_new(prg->groups, &opts, on_alert, prg, &prg->detect, err);

    app_opts.midstream = prg->settings.midstream;
    if (rc == WEIR_E_OK)
        rc = app_new(&app_opts, on_tx, on_app_event, prg, &prg->app, err);
    for (size_t i = 0; i < prg->settings.n_hosts && rc == WEIR_E_OK; i++)
        rc = cli_add_host(&prg->cli, &prg->settings.hosts[i], err);
    if (rc != WEIR_E_OK)
        return rc;
    *spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = wanted(prg) };
    rc = weir_monitor_new(&prg->cli.monitor, &prg->m);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(prg->m, &app);
    if (rc == WEIR_E_OK && prg->with_prads)
        rc = prads_add(prg->prads, prg->m);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static void
summary(const struct program *prg)
{
    const struct detect_stats *stats = detect_get_stats(prg->detect);

    cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %llu alerts", prg->rules.n,
               prg->rules.refused, (unsigned long long)stats->alerts);
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
    if (prg->eve->dns_cut > 0)
        cli_notice(&prg->cli, "limits: %llu sections of DNS messages were cut in eve.json",
                   (unsigned long long)prg->eve->dns_cut);
    if (stats->others_lost > 0)
        cli_notice(&prg->cli, "limits: %llu other copies of bytes were not looked at",
                   (unsigned long long)stats->others_lost);
}

static void
feed(struct program *prg)
{
    cli_run(&prg->cli, prg->m, after_batch, prg);
    if (!prg->cli.bad_filter)
        write_stats(prg, prg->cli.last_time);
    each_output(prg, cli_flush_output);
    if (prg->with_prads)
        prads_end(prg->prads, &prg->cli);
    cli_stats(&prg->cli, prg->m, false);
    cli_summary(&prg->cli, prg->m);
    summary(prg);
    if (prg->with_prads)
        prads_summary(prg->prads, &prg->cli);
}

static int
run(struct program *prg)
{
    struct weir_tap_spec spec;
    struct weir_errbuf err = { "" };
    int rc = open_outputs(prg, &err);

    if (rc == WEIR_E_OK && prg->with_prads)
        rc = prads_open(prg->prads, &prg->cli, &err);
    if (rc == WEIR_E_OK)
        rc = set_up(prg, &spec, &err);
    if (rc == WEIR_E_OK) {
        feed(prg);
    } else {
        cli_error(&prg->cli, "%s", err.text);
        prg->cli.failed = true;
    }
    each_output(prg, cli_close_output);
    if (prg->with_prads)
        prads_close(prg->prads, &prg->cli);
    weir_monitor_free(prg->m);
    rc = cli_exit_code(&prg->cli);
    if (rc == EXIT_DONE && prg->fail_on_alert && detect_get_stats(prg->detect)->alerts > 0)
        rc = EXIT_ALERTED;
    return rc;
}

static void
clean_up(struct program *prg)
{
    detect_free(prg->detect);
    app_free(prg->app);
    eve_out_free(prg->eve);
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
                 .options = options },
        .settings = settings_default(),
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
    prg.cli.dump = dump_settings;
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
