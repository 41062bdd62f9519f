#include "program.h"

#include "cli_live.h"
#include "core/order.h"
#include "counts.h"
#include "detect/inspect.h"
#include "for_programs.h"
#include "hash.h"
#include "out/eve_stats.h"
#include "out/eve_tx.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the app ------------------------------------------------------------------------------- */

static struct eve_about
about_flow(const struct part *part)
{
    return (struct eve_about){ .app = (uint8_t)app_flow_proto(&part->flow->scan.app),
                               .tx = part->tx,
                               .has_tx_id = part->tx != NULL,
                               .tx_id = part->tx != NULL ? part->tx->id : 0,
                               .tx_count = part->flow->scan.app.n_tx,
                               .alerted = part->flow->scan.alerted,
                               .done = part->prg->in_line ? &part->done : NULL,
                               .outcome = detect_outcome(part->detect),
                               .past = &part->flow->scan.past };
}

static void tell_held(struct part *part);

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct part *part = ctx;

    part->tx = tx;
    inspect(part->detect, tx, dir, stage);
    tell_held(part);
    eve_tx(part->eve, &part->flow->eve, part->ev, tx, dir, stage);
    part->tx = NULL;
}

static void
on_app_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct part *part = ctx;
    struct weir_event ev = *part->ev;
    struct eve_about about = about_flow(part);

    part->tx = tx;
    inspect_event(part->detect, name, tx, dir);
    tell_held(part);
    part->tx = NULL;
    about.has_tx_id = tx != NULL;
    about.tx_id = tx != NULL ? tx->id : 0;
    if (ev.direction != dir)
        ev.packet = NULL;
    ev.direction = (uint8_t)dir;
    eve_app_anomaly(part->eve, &part->flow->eve, &ev, name, &about);
}

static void
keep_alert(struct keep *keep, const struct rule *rule, const struct weir_event *ev)
{
    char comment[256];

    snprintf(comment, sizeof(comment), "[%u:%u:%u] %s", rule->gid, rule->sid, rule->rev, rule->msg);
    keep_mark(keep, ev, comment);
}

/* Where an alert goes beside eve.json. */
static void
tell_others(struct part *part, const struct rule *rule, const struct weir_event *ev)
{
    if (part->prg->settings.outputs.fast_on)
        fast_alert(part->fast, rule, ev);
    if (part->prg->keep != NULL)
        keep_alert(part->prg->keep, rule, ev);
}

static void
tell_alert(struct part *part, const struct eve_flow *flow, const struct rule *rule,
           const struct weir_event *ev, const struct eve_about *about)
{
    eve_alert(part->eve, flow, rule, ev, about);
    tell_others(part, rule, ev);
}

/* An alert of a packet, in its turn. */
static void
on_told(void *ctx, const struct eve_draft *draft)
{
    struct part *part = ctx;

    eve_alert_end(part->eve, draft);
    tell_others(part, draft->rule, &draft->ev);
}

static void
on_packet_end(void *arg)
{
    const struct part *part = arg;

    packet_alerts_end(part->alerts);
}

/*
 * Alerts wait for the end of the packet, or of what a timer does to a flow; not where the flow
 * goes.
 */
static void
tell_waiting(struct part *part)
{
    const struct weir_event *ev = part->ev;

    if (!packet_alerts_wait(part->alerts) || (ev->flow != NULL && ev->type != WEIR_EV_FLOW_END))
        return;
    if (ev->number == 0)
        packet_alerts_end(part->alerts);
    else if (ev->flow != NULL)
        packet_alerts_tell(part->alerts);
}

static void
tell_held(struct part *part)
{
    if (part->n_held > 0)
        monitor_when_done(part->prg->m, part->core, on_packet_end, part);
    for (unsigned i = 0; i < part->n_held; i++) {
        struct held_alert *held = &part->held[i];

        packet_alerts_add(part->alerts, part->eve, &part->flow->eve, held->rule, &held->ev,
                          &held->about);
    }
    part->n_held = 0;
}

/*
 * Alerts are put together when all rules have looked at what is at hand, for they tell what these
 * remember of the flow (as in Suricata). What a rule captured for its own alert is gone by then.
 */
static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct part *part = ctx;
    struct held_alert *held;
    const struct captures *captured = detect_alert_captures(part->detect);

    if (part->n_held == HELD_MAX)
        tell_held(part);
    held = &part->held[part->n_held++];
    *held = (struct held_alert){ .rule = rule, .ev = *ev, .about = about_flow(part) };
    held->about.action = outcome_action_text(detect_outcome(part->detect), part->prg->in_line);
    held->about.target = rule->target;
    held->about.of_packet = detect_packet_captures(part->detect);
    held->about.of_alert = captured;
    if (captured != NULL)
        tell_held(part);
}

/* ---- in line: what is done to packets -------------------------------------------------------- */

static void
on_act(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct part *part = ctx;
    const uint8_t action = outcome_action(detect_outcome(part->detect));

    enforce_rule(&part->done, rule, action, part->tx != NULL, ev);
    if (!rule->replaces)
        return;
    if (detect_replace(part->detect, rule, ev))
        part->replaced++;
    else
        part->not_replaced++;
}

/* The event at hand, of a packet whose flow was dropped before. */
static void
note_flow_drop(struct part *part)
{
    if (part->ev->type != WEIR_EV_PACKET || !part->flow->dropped)
        return;
    part->done = (struct enforced){ .packet = part->ev->number, .reason = "flow drop" };
}

/* When all has looked at the event. told: packets that the record of a drop was asked of before. */
static void
tell_drop(struct part *part, uint64_t told)
{
    struct enforced *done = &part->done;
    struct eve_about about;

    if (!enforced_on(done, part->ev))
        return;
    if (part->ev->flow != NULL)
        part->flow->dropped |= done->of_flow;
    if (done->packet == told)
        return;
    part->dropped++;
    part->rejected += done->reject != 0;
    about = about_flow(part);
    about.action = "blocked";
    about.target = done->rule != NULL ? done->rule->target : EVE_TARGET_NONE;
    eve_drop(part->eve, &part->flow->eve, part->ev, &about);
}

/* Of the threshold file a detector's alerts know suppress: their counts are its own. */
static bool
is_suppressed(const struct part *part, const struct rule *rule, const struct weir_event *ev)
{
    struct subject subject = { .has_addresses = true };
    struct weir_tuple tuple;

    weir_flow_tuple(ev->flow, &tuple);
    subject.src = address_number(&tuple.addr[ev->direction], tuple.ip_version);
    subject.dst = address_number(&tuple.addr[!ev->direction], tuple.ip_version);
    return limits_suppress(&part->prg->set->limits, rule->gid, rule->sid, &subject);
}

/* Detectors are apps of their own, with flows' states of their own beside this one's. */
static bool
on_detector_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    const struct eve_flow flow = { .gap_n = { 0, 0 } };
    const struct eve_about about = { .app = APP_UNKNOWN_YET };

    struct part *part = ctx;
    struct flow_state *state = monitor_flow_state(part->prg->m, part->prg->app, ev->flow);

    if (is_suppressed(part, rule, ev))
        return false;
    state->detected = true;
    tell_alert(part, &flow, rule, ev, &about);
    return true;
}

static void
on_tagged(void *ctx, const struct weir_event *ev)
{
    struct part *part = ctx;
    const struct eve_about about = about_flow(part);

    eve_packet(part->eve, &part->flow->eve, ev, &about);
}

static bool
is_live(const struct program *prg)
{
    return prg->cli.interface != NULL;
}

static void
write_stats(struct program *prg, uint64_t now)
{
    struct program_counts counts;
    struct eve_counters counters = { .start = prg->cli.first_time,
                                     .now = now,
                                     .live = is_live(prg),
                                     .in_line = prg->in_line,
                                     .kernel_packets = prg->cli.kernel_packets,
                                     .kernel_drops = prg->cli.kernel_drops,
                                     .interface_drops = prg->cli.interface_drops,
                                     .rules_loaded = prg->set->rules.n,
                                     .rules_failed = prg->set->rules.refused };
    struct weir_monitor_stats all;

    program_count(prg, &counts);
    counters.alerts = program_alerts(&counts);
    counters.alerts_suppressed = program_held(&counts);
    prg->eve->count = counts.eve;
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
tell_event(struct part *part)
{
    const struct eve_about about = about_flow(part);

    eve_event(part->eve, &part->flow->eve, part->ev, &about);
}

static void
tell_flow(struct part *part)
{
    struct eve_about about = about_flow(part);

    about.bypassed = part->flow->bypassed;
    about.alerted |= part->flow->detected;
    eve_flow_record(part->eve, &part->flow->eve, part->ev, &about);
}

/*
 * Where intervals are asked for, one record for each in which there are packets. All cores stand
 * still; before the first packet there is nothing to tell.
 */
static uint64_t
tell_stats(void *ctx, uint64_t now)
{
    struct program *prg = ctx;

    write_stats(prg, now);
    return now - (now - prg->cli.first_time) % prg->interval + prg->interval;
}

/* Packets or not, a record for each interval. */
static void
tell_stats_live(struct program *prg, uint64_t now)
{
    if (prg->interval == 0 || now < prg->next_stats)
        return;
    monitor_settle(prg->m);
    if (prg->next_stats != 0)
        write_stats(prg, now);
    prg->next_stats = now - (now - prg->cli.first_time) % prg->interval + prg->interval;
}

/* What the rules that are tested need. */
static void
ask_rules(struct program *prg)
{
    prg->told = eve_wants(prg->eve);
    prg->spec->want = detect_wants(prg->part[0]->detect) | prg->told | app_wants();
    if (prg->in_line)
        prg->spec->want |= enforce_wants(&prg->settings.enforce);
    if (prg->in_line && prg->settings.outputs.eve.drop_all)
        prg->spec->want |= WEIR_EV_BIT(WEIR_EV_PACKET);
    for (unsigned i = 0; i < prg->n_parts; i++)
        app_show_bodies(prg->part[i]->app, prg->set->groups->has_bodies);
}

/* Bytes of a stream behind stream.reassembly.depth. */
static bool
is_too_deep(struct part *part, struct flow_state *flow, const struct weir_event *ev)
{
    const int64_t depth = (int64_t)part->prg->settings.depth;
    bool deep = depth > 0 && ((ev->type == WEIR_EV_PAYLOAD && ev->payload.offset >= depth) ||
                              (ev->type == WEIR_EV_GAP && ev->gap.offset >= depth));

    if (deep && !flow->deep[ev->direction]) {
        flow->deep[ev->direction] = true;
        part->deep++;
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
pass_by(struct part *part, struct flow_state *flow)
{
    flow->bypassed = true;
    part->bypassed++;
    weir_tap_want(part->ev->tap, WEIR_EV_BIT(WEIR_EV_FLOW_END));
}

static void
look_in_line(struct part *part, uint64_t dropped)
{
    if (part->flow->scan.established || part->ev->flow == NULL)
        enforce_stream(&part->done, &part->prg->settings.enforce, part->ev);
    enforce_urgent(&part->done, &part->prg->settings.enforce, part->ev);
    tell_drop(part, dropped);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct part *part = ev->app;
    const struct program *prg = part->prg;
    struct flow_state *flow = ctx;

    const uint64_t dropped = part->done.packet;

    part->flow = flow;
    part->ev = ev;
    if (prg->told >> ev->type & 1)
        tell_event(part);
    if (prg->in_line)
        note_flow_drop(part);
    if (flow->scan.generation != prg->generation && !flow->bypassed)
        weir_tap_want(ev->tap,
                      prg->spec->want); /* the rules are others than those it was asked for */
    detect_begin(part->detect, &flow->scan, ev);
    if (!is_too_deep(part, flow, ev)) {
        if (ev->flow != NULL)
            app_event(part->app, &flow->scan.app, ev);
        detect_go_on(part->detect);
        tell_held(part);
    }
    tell_waiting(part);
    if (prg->in_line)
        look_in_line(part, dropped);
    if (prg->settings.bypass && !flow->bypassed && may_pass_by(flow))
        pass_by(part, flow);
    if (ev->type == WEIR_EV_FLOW_END) {
        tell_flow(part);
        detect_forget(part->detect);
    }
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

/* At the control socket. */
static void
on_count(void *arg, struct counts *to)
{
    const struct program *prg = arg;
    struct program_counts counts;

    program_count(prg, &counts);
    to->has_rules = true;
    to->rules_loaded = prg->set->rules.n;
    to->rules_failed = prg->set->rules.refused;
    to->alerts = program_alerts(&counts);
    to->alerts_suppressed = program_held(&counts);
}

static void
after_batch(void *arg)
{
    struct program *prg = arg;

    each_output(prg, cli_check_output);
    if (is_live(prg))
        tell_stats_live(prg, cli_now(&prg->cli));
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
        prg->eve->input = (struct eve_input){ prg->cli.interfaces, &prg->cli.input_now };
    return rc;
}

static_assert((int)DETECT_WINDOW >= (int)APP_HISTORY, "both read the past");

/* Memory is set aside core by core. */
static int
make_layers(struct program *prg, struct part *part, struct weir_errbuf *err)
{
    const struct part *first = prg->part[0];
    uint64_t memcap = prg->cli.monitor.memcap != 0 ? prg->cli.monitor.memcap : UINT64_C(4) << 30;
    struct detect_opts opts = {
        .midstream = prg->settings.midstream,
        .any = prg->settings.any,
        .profile = prg->profile,
        .memory = memcap / 4,
        .cores = prg->n_parts,
        .outcome = { .limits = &prg->set->limits,
                     .keyed = { hash_draw_seed(), monitor_order(prg->m) },
                     .tagged = on_tagged,
                     .ctx = part,
                     .with = part != first ? detect_outcome(first->detect) : NULL },
        .act = prg->in_line ? on_act : NULL,
    };
    struct app_opts app_opts = prg->settings.app;
    int rc = detect_new(prg->set->groups, &opts, on_alert, part, &part->detect, err);

    app_opts.midstream = prg->settings.midstream;
    app_opts.memory = memcap / 4;
    app_opts.cores = prg->n_parts;
    if (rc == WEIR_E_OK)
        rc = app_new(&app_opts, on_tx, on_app_event, part, &part->app, err);
    if (rc == WEIR_E_OK)
        rc = detectors_new(&prg->settings.detectors, on_detector_alert, part,
                           part != first ? first->detectors : NULL, &part->detectors, err);
    return rc;
}

/* The core's output in front of the program's; with one core the program's. */
static int
front_of(struct program *prg, struct out *ordered, struct out *to, unsigned core, struct out **out)
{
    struct order *order = monitor_order(prg->m);

    *out = order != NULL ? ordered : to;
    return order != NULL ? out_open_ordered(ordered, to, order_end(order, core)) : WEIR_E_OK;
}

static int
make_outputs(struct program *prg, struct part *part, unsigned core, struct weir_errbuf *err)
{
    const struct outputs *outputs = &prg->settings.outputs;
    struct out *eve = NULL;
    int rc = front_of(prg, &part->fast_ordered, &prg->fast, core, &part->fast);

    if (rc == WEIR_E_OK)
        rc = front_of(prg, &part->eve_ordered, &prg->eve_out, core, &eve);
    if (rc != WEIR_E_OK)
        return weir_err_set(err, rc, "out of memory");
    rc = eve_out_new(&outputs->eve, outputs->eve_on ? eve : NULL, &part->eve, err);
    if (rc == WEIR_E_OK)
        part->eve->input = prg->eve->input;
    return rc;
}

static int
make_part(struct program *prg, unsigned core, struct weir_errbuf *err)
{
    struct part *part = calloc(1, sizeof(*part));
    int rc;

    if (part == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    prg->part[core] = part;
    part->prg = prg;
    part->core = core;
    rc = packet_alerts_new(prg->settings.alert_max, on_told, part, &part->alerts, err);
    if (rc != WEIR_E_OK)
        return rc;
    rc = make_layers(prg, part, err);
    return rc == WEIR_E_OK ? make_outputs(prg, part, core, err) : rc;
}

static int
make_parts(struct program *prg, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    prg->n_parts = prg->cli.monitor.cores;
    for (unsigned i = 0; i < prg->n_parts && rc == WEIR_E_OK; i++)
        rc = make_part(prg, i, err);
    return rc;
}

/* The first core's, which others use, at last. */
static void
free_parts(struct program *prg)
{
    for (unsigned i = prg->n_parts; i-- > 0;) {
        struct part *part = prg->part[i];

        if (part == NULL)
            continue;
        detect_free(part->detect);
        app_free(part->app);
        detectors_free(part->detectors);
        packet_alerts_free(part->alerts);
        eve_out_free(part->eve);
        out_close_ordered(&part->eve_ordered);
        out_close_ordered(&part->fast_ordered);
        free(part);
    }
}

static int
add_apps(struct program *prg)
{
    void *arg[MAX_CORES];
    struct detectors *detectors[MAX_CORES];
    struct weir_app app = { .name = "ids",
                            .spec = prg->spec,
                            .flow_size = sizeof(struct flow_state),
                            .history = DETECT_WINDOW,
                            .no_flow_packets = true,
                            .gates = true,
                            .core_arg = arg };
    int rc = prg->keep != NULL ? keep_add(prg->keep, prg->m) : WEIR_E_OK;

    for (unsigned i = 0; i < prg->n_parts; i++) {
        arg[i] = prg->part[i];
        detectors[i] = prg->part[i]->detectors;
    }
    if (rc == WEIR_E_OK)
        rc = detectors_add(detectors, prg->n_parts, prg->m, monitor_order(prg->m));
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(prg->m, &app);
    prg->app = monitor_last_app(prg->m);
    return rc;
}

static int
set_up(struct program *prg, struct weir_tap_spec *spec, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    for (size_t i = 0; i < prg->settings.n_hosts && rc == WEIR_E_OK; i++)
        rc = cli_add_host(&prg->cli, &prg->settings.hosts[i], err);
    if (rc != WEIR_E_OK)
        return rc;
    *spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = WEIR_EV_ALL };
    prg->spec = spec;
    prg->cli.monitor.bad_udp =
        !prg->cli.checksums_given; /* as Suricata, which verifies those of TCP */
    prg->cli.monitor.one_sided = prg->settings.app.one_sided;
    prg->cli.monitor.urgent_in_band = prg->settings.enforce.urgent == URGENT_INLINE;
    rc = weir_monitor_new(&prg->cli.monitor, &prg->m);
    if (rc == WEIR_E_OK && (rc = make_parts(prg, err)) != WEIR_E_OK)
        return rc;
    if (rc == WEIR_E_OK)
        rc = add_apps(prg);
    if (rc != WEIR_E_OK)
        return weir_err_set(err, rc, "%s", weir_strerror(rc));
    ask_rules(prg); /* that they may want anything later the monitor knows */
    prg->interval = stats_interval(prg);
    if (prg->interval > 0 && !is_live(prg))
        monitor_call_at(prg->m, 0, tell_stats, prg);
    rc = reload_start(prg, err);
    if (rc == WEIR_E_OK && prg->with_prads)
        rc = prads_add(prg->prads, prg->m);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static void
feed(struct program *prg)
{
    cli_run(&prg->cli, prg->m, after_batch, prg);
    if (!prg->cli.unstarted)
        write_stats(prg, cli_now(&prg->cli));
    each_output(prg, cli_flush_output);
    if (prg->with_prads)
        prads_end(prg->prads, &prg->cli);
    cli_stats(&prg->cli, prg->m, false);
    cli_summary(&prg->cli, prg->m);
    if (!prg->cli.unstarted)
        program_summary(prg);
    if (prg->with_prads)
        prads_summary(prg->prads, &prg->cli);
}

static bool
has_alerted(const struct program *prg)
{
    struct program_counts counts;

    program_count(prg, &counts);
    return program_alerts(&counts) > 0;
}

int
program_run(struct program *prg)
{
    struct weir_tap_spec spec;
    struct weir_errbuf err = { "" };
    int rc = open_outputs(prg, &err);

    prg->cli.at_end = at_end;
    prg->cli.asked = on_asked;
    prg->cli.count = on_count;
    prg->cli.reloads = true;

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
    if (rc == EXIT_DONE && prg->fail_on_alert && has_alerted(prg))
        rc = EXIT_ALERTED;
    free_parts(prg);
    return rc;
}
