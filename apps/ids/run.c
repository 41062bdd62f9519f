#include "program.h"

#include "cli_live.h"
#include "detect/inspect.h"
#include "hash.h"
#include "out/eve_stats.h"
#include "out/eve_tx.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- the app ------------------------------------------------------------------------------- */

static struct eve_about
about_flow(const struct program *prg)
{
    return (struct eve_about){ .app = (uint8_t)app_flow_proto(&prg->flow->scan.app),
                               .tx = prg->tx,
                               .has_tx_id = prg->tx != NULL,
                               .tx_id = prg->tx != NULL ? prg->tx->id : 0,
                               .tx_count = prg->flow->scan.app.n_tx,
                               .alerted = prg->flow->scan.alerted,
                               .outcome = detect_outcome(prg->detect),
                               .past = &prg->flow->scan.past };
}

static void tell_held(struct program *prg);

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct program *prg = ctx;

    prg->tx = tx;
    inspect(prg->detect, tx, dir, stage);
    tell_held(prg);
    eve_tx(prg->eve, &prg->flow->eve, prg->ev, tx, dir, stage);
    prg->tx = NULL;
}

static void
on_app_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct program *prg = ctx;
    struct weir_event ev = *prg->ev;
    struct eve_about about = about_flow(prg);

    prg->tx = tx;
    inspect_event(prg->detect, name, tx, dir);
    tell_held(prg);
    prg->tx = NULL;
    about.has_tx_id = tx != NULL;
    about.tx_id = tx != NULL ? tx->id : 0;
    if (ev.direction != dir)
        ev.packet = NULL;
    ev.direction = (uint8_t)dir;
    eve_app_anomaly(prg->eve, &prg->flow->eve, &ev, name, &about);
}

static void
keep_alert(struct keep *keep, const struct rule *rule, const struct weir_event *ev)
{
    char comment[256];

    snprintf(comment, sizeof(comment), "[%u:%u:%u] %s", rule->gid, rule->sid, rule->rev, rule->msg);
    keep_mark(keep, ev, comment);
}

static void
tell_alert(struct program *prg, const struct eve_flow *flow, const struct rule *rule,
           const struct weir_event *ev, const struct eve_about *about)
{
    eve_alert(prg->eve, flow, rule, ev, about);
    if (prg->settings.outputs.fast_on)
        fast_alert(&prg->fast, rule, ev);
    if (prg->keep != NULL)
        keep_alert(prg->keep, rule, ev);
}

static void
tell_held(struct program *prg)
{
    for (unsigned i = 0; i < prg->n_held; i++) {
        struct held_alert *held = &prg->held[i];

        tell_alert(prg, &prg->flow->eve, held->rule, &held->ev, &held->about);
    }
    prg->n_held = 0;
}

/*
 * Alerts are told when all rules have looked at what is at hand, for they tell what these remember
 * of the flow (as in Suricata). What a rule captured for its own alert is gone by then.
 */
static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct program *prg = ctx;
    struct held_alert *held;
    const struct captures *captured = detect_alert_captures(prg->detect);

    if (prg->n_held == HELD_MAX)
        tell_held(prg);
    held = &prg->held[prg->n_held++];
    *held = (struct held_alert){ .rule = rule, .ev = *ev, .about = about_flow(prg) };
    held->about.action = outcome_action_text(detect_outcome(prg->detect));
    held->about.target = rule->target;
    held->about.of_packet = detect_packet_captures(prg->detect);
    held->about.of_alert = captured;
    if (captured != NULL)
        tell_held(prg);
}

/* Of the threshold file a detector's alerts know suppress: their counts are its own. */
static bool
is_suppressed(const struct program *prg, const struct rule *rule, const struct weir_event *ev)
{
    struct subject subject = { .has_addresses = true };
    struct weir_tuple tuple;

    weir_flow_tuple(ev->flow, &tuple);
    subject.src = address_number(&tuple.addr[ev->direction], tuple.ip_version);
    subject.dst = address_number(&tuple.addr[!ev->direction], tuple.ip_version);
    return limits_suppress(&prg->set->limits, rule->gid, rule->sid, &subject);
}

/* Detectors are apps of their own, with flows' states of their own. */
static bool
on_detector_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    const struct eve_flow flow = { .gap_n = { 0, 0 } };
    const struct eve_about about = { .app = APP_UNKNOWN_YET };

    if (is_suppressed(ctx, rule, ev))
        return false;
    tell_alert(ctx, &flow, rule, ev, &about);
    return true;
}

static void
on_tagged(void *ctx, const struct weir_event *ev)
{
    struct program *prg = ctx;
    const struct eve_about about = about_flow(prg);

    eve_packet(prg->eve, &prg->flow->eve, ev, &about);
}

static bool
is_live(const struct program *prg)
{
    return prg->cli.interface != NULL;
}

static void
write_stats(struct program *prg, uint64_t now)
{
    const struct eve_counters counters = { .start = prg->cli.first_time,
                                           .now = now,
                                           .live = is_live(prg),
                                           .kernel_packets = prg->cli.kernel_packets,
                                           .kernel_drops = prg->cli.kernel_drops,
                                           .interface_drops = prg->cli.interface_drops,
                                           .alerts = program_alerts(prg),
                                           .alerts_suppressed = program_held(prg),
                                           .rules_loaded = prg->set->rules.n,
                                           .rules_failed = prg->set->rules.refused };
    struct weir_monitor_stats all;

    weir_monitor_get_stats(prg->m, &all);
    eve_stats(prg->eve, &all, &counters);
}

static uint64_t
stats_interval(const struct program *prg)
{
    enum { LIVE_SECONDS = 8 }; /* as Suricata's */
    uint64_t seconds = prg->settings.outputs.eve.stats_interval;

    if (seconds == 0 && is_live(prg))
        seconds = LIVE_SECONDS;
    return seconds * 1000000000;
}

/* The event as such, before detection sees it. */
static void
tell_event(struct program *prg)
{
    const struct eve_about about = about_flow(prg);

    eve_event(prg->eve, &prg->flow->eve, prg->ev, &about);
}

static void
tell_flow(struct program *prg)
{
    struct eve_about about = about_flow(prg);

    about.bypassed = prg->flow->bypassed;
    about.alerted |= detectors_alerted(prg->detectors, prg->ev->flow);
    eve_flow_record(prg->eve, &prg->flow->eve, prg->ev, &about);
}

/* One record for each interval; in a replay, for each in which there are packets. */
static void
tell_stats(struct program *prg, uint64_t now)
{
    if (now < prg->next_stats)
        return;
    if (prg->next_stats != 0)
        write_stats(prg, now);
    prg->next_stats = now - (now - prg->cli.first_time) % prg->interval + prg->interval;
}

static uint64_t
wanted(const struct program *prg)
{
    uint64_t want = detect_wants(prg->detect) | eve_wants(prg->eve) | app_wants();

    return prg->interval > 0 && !is_live(prg) ? want | WEIR_EV_BIT(WEIR_EV_PACKET) : want;
}

/* What the rules that are tested need. */
static void
ask_rules(struct program *prg)
{
    prg->interval = stats_interval(prg);
    prg->told = eve_wants(prg->eve);
    prg->spec->want = wanted(prg);
    app_show_bodies(prg->app, prg->set->groups->has_bodies);
}

/* Bytes of a stream behind stream.reassembly.depth. */
static bool
is_too_deep(struct program *prg, struct flow_state *flow, const struct weir_event *ev)
{
    const int64_t depth = (int64_t)prg->settings.depth;
    bool deep = depth > 0 && ((ev->type == WEIR_EV_PAYLOAD && ev->payload.offset >= depth) ||
                              (ev->type == WEIR_EV_GAP && ev->gap.offset >= depth));

    if (deep && !flow->deep[ev->direction]) {
        flow->deep[ev->direction] = true;
        prg->deep++;
    }
    return deep;
}

/* What follows is encrypted, or more than is looked at. */
static bool
may_pass_by(const struct flow_state *flow)
{
    const enum app_proto proto = app_flow_proto(&flow->scan.app);

    return flow->deep[0] || flow->deep[1] ||
           (flow->scan.app.done && (proto == APP_TLS || proto == APP_SSH));
}

static void
pass_by(struct program *prg, struct flow_state *flow)
{
    flow->bypassed = true;
    prg->bypassed++;
    weir_tap_want(prg->ev->tap, WEIR_EV_BIT(WEIR_EV_FLOW_END));
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct program *prg = ev->app;
    struct flow_state *flow = ctx;

    prg->flow = flow;
    prg->ev = ev;
    if (prg->interval != 0 && !is_live(prg))
        tell_stats(prg, ev->time);
    if (prg->told >> ev->type & 1)
        tell_event(prg);
    if (flow->scan.generation != prg->generation && !flow->bypassed)
        weir_tap_want(ev->tap,
                      prg->spec->want); /* the rules are others than those it was asked for */
    detect_begin(prg->detect, &flow->scan, ev);
    if (!is_too_deep(prg, flow, ev)) {
        if (ev->flow != NULL)
            app_event(prg->app, &flow->scan.app, ev);
        detect_go_on(prg->detect);
        tell_held(prg);
    }
    if (prg->settings.bypass && !flow->bypassed && may_pass_by(flow))
        pass_by(prg, flow);
    if (ev->type == WEIR_EV_FLOW_END)
        tell_flow(prg);
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
at_end(void *arg)
{
    const struct program *prg = arg;

    if (prg->keep != NULL)
        keep_end(prg->keep);
}

/* SIGUSR1. */
static void
on_asked(void *arg)
{
    struct program *prg = arg;

    write_stats(prg, cli_now(&prg->cli));
}

static void
after_batch(void *arg)
{
    struct program *prg = arg;

    each_output(prg, cli_check_output);
    if (is_live(prg)) /* packets or not */
        tell_stats(prg, cli_now(&prg->cli));
    if (reload_check(prg))
        ask_rules(prg);
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
    if (rc == WEIR_E_OK)
        prg->eve->input = (struct eve_input){ prg->cli.interfaces, &prg->cli.interface_now,
                                              &prg->cli.input_now };
    return rc;
}

static_assert((int)DETECT_WINDOW >= (int)APP_HISTORY, "both read the past");

static int
set_up(struct program *prg, struct weir_tap_spec *spec, struct weir_errbuf *err)
{
    struct weir_app app = { .name = "ids",
                            .spec = spec,
                            .flow_size = sizeof(struct flow_state),
                            .history = DETECT_WINDOW,
                            .no_flow_packets = true,
                            .arg = prg };
    uint64_t memcap = prg->cli.monitor.memcap != 0 ? prg->cli.monitor.memcap : UINT64_C(4) << 30;
    struct detect_opts opts = { .midstream = prg->settings.midstream,
                                .any = prg->settings.any,
                                .profile = prg->profile,
                                .memory = memcap / 4,
                                .outcome = { .limits = &prg->set->limits,
                                             .alert_max = prg->settings.alert_max,
                                             .seed = hash_draw_seed(),
                                             .tagged = on_tagged,
                                             .ctx = prg } };
    struct app_opts app_opts = prg->settings.app;
    int rc = detect_new(prg->set->groups, &opts, on_alert, prg, &prg->detect, err);

    app_opts.midstream = prg->settings.midstream;
    if (rc == WEIR_E_OK)
        rc = app_new(&app_opts, on_tx, on_app_event, prg, &prg->app, err);
    if (rc == WEIR_E_OK)
        rc = detectors_new(&prg->settings.detectors, on_detector_alert, prg, &prg->detectors, err);
    for (size_t i = 0; i < prg->settings.n_hosts && rc == WEIR_E_OK; i++)
        rc = cli_add_host(&prg->cli, &prg->settings.hosts[i], err);
    if (rc != WEIR_E_OK)
        return rc;
    *spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = WEIR_EV_ALL };
    prg->spec = spec;
    prg->cli.monitor.bad_udp =
        !prg->cli.checksums_given; /* as Suricata, which verifies those of TCP */
    rc = weir_monitor_new(&prg->cli.monitor, &prg->m);
    if (rc == WEIR_E_OK && prg->keep != NULL)
        rc = keep_add(prg->keep, prg->m);
    if (rc == WEIR_E_OK)
        rc = detectors_add(prg->detectors, prg->m);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(prg->m, &app);
    ask_rules(prg); /* that they may want anything later the monitor knows */
    if (rc == WEIR_E_OK)
        rc = reload_start(prg, err);
    if (rc == WEIR_E_OK && prg->with_prads)
        rc = prads_add(prg->prads, prg->m);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static void
feed(struct program *prg)
{
    cli_run(&prg->cli, prg->m, after_batch, prg);
    if (!prg->cli.bad_filter)
        write_stats(prg, cli_now(&prg->cli));
    each_output(prg, cli_flush_output);
    if (prg->with_prads)
        prads_end(prg->prads, &prg->cli);
    cli_stats(&prg->cli, prg->m, false);
    cli_summary(&prg->cli, prg->m);
    program_summary(prg);
    if (prg->with_prads)
        prads_summary(prg->prads, &prg->cli);
}

int
program_run(struct program *prg)
{
    struct weir_tap_spec spec;
    struct weir_errbuf err = { "" };
    int rc = open_outputs(prg, &err);

    prg->cli.at_end = at_end;
    prg->cli.asked = on_asked;

    if (rc == WEIR_E_OK && prg->keep_file != NULL)
        rc = keep_open(&prg->cli, prg->keep_file, &prg->keep, &err);
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
    keep_close(prg->keep, &prg->cli);
    if (prg->with_prads)
        prads_close(prg->prads, &prg->cli);
    reload_stop(prg);
    weir_monitor_free(prg->m);
    rc = cli_exit_code(&prg->cli);
    if (rc == EXIT_DONE && prg->fail_on_alert && program_alerts(prg) > 0)
        rc = EXIT_ALERTED;
    return rc;
}
