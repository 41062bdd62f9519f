#include "program.h"

#include "explain.h"

/* What rules did with each other's alerts, and where that met a limit. */
static void
outcome_summary(const struct program *prg)
{
    struct outcome_stats stats;
    uint64_t held;

    outcome_get_stats(detect_outcome(prg->detect), &stats);
    held = stats.threshold.suppressed + stats.threshold.held;
    if (held + stats.passed > 0)
        cli_notice(
            &prg->cli,
            "matches without an alert: %llu for a threshold, %llu suppressed, %llu passed by "
            "%llu matches of pass rules",
            (unsigned long long)stats.threshold.held,
            (unsigned long long)stats.threshold.suppressed, (unsigned long long)stats.passed_by,
            (unsigned long long)stats.passed);
    if (stats.tag.packets > 0)
        cli_notice(&prg->cli, "%llu packets recorded for tags",
                   (unsigned long long)stats.tag.packets);
    if (stats.over > 0)
        cli_notice(&prg->cli, "limits: %llu alerts beyond packet-alert-max of their packets",
                   (unsigned long long)stats.over);
    if (stats.state.no_memory + stats.state.lost + stats.threshold.lost + stats.tag.lost > 0)
        cli_notice(&prg->cli,
                   "limits: %llu flowbits and flowints not set for want of memory, %llu xbits, "
                   "%llu counts of thresholds and %llu tags forgotten early",
                   (unsigned long long)stats.state.no_memory, (unsigned long long)stats.state.lost,
                   (unsigned long long)stats.threshold.lost, (unsigned long long)stats.tag.lost);
}

uint64_t
program_alerts(const struct program *prg)
{
    struct detectors_stats stats;

    detectors_get_stats(prg->detectors, &stats);
    return detect_get_stats(prg->detect)->alerts + stats.alerts;
}

uint64_t
program_held(const struct program *prg)
{
    struct detectors_stats detectors;
    struct outcome_stats rules;

    detectors_get_stats(prg->detectors, &detectors);
    outcome_get_stats(detect_outcome(prg->detect), &rules);
    return rules.threshold.suppressed + rules.threshold.held + detectors.suppressed;
}

static void
summary_of_detectors(const struct program *prg)
{
    struct detectors_stats stats;

    detectors_get_stats(prg->detectors, &stats);
    if (stats.alerts + stats.suppressed > 0)
        cli_notice(&prg->cli, "detectors: %llu alerts, %llu more not repeated, %llu suppressed",
                   (unsigned long long)stats.alerts, (unsigned long long)stats.repeated,
                   (unsigned long long)stats.suppressed);
    if (stats.evicted + stats.waiting > 0)
        cli_notice(&prg->cli,
                   "limits: %llu counts of detectors were forgotten early, %llu were not made",
                   (unsigned long long)stats.evicted, (unsigned long long)stats.waiting);
}

static void
summary_of_captures(const struct program *prg)
{
    uint64_t lost = detect_get_stats(prg->detect)->captures_lost;

    if (lost > 0)
        cli_notice(&prg->cli, "limits: %llu captures of rules found no room",
                   (unsigned long long)lost);
}

/* What was not read, or not shown to rules, of what flows said. */
static void
summary_of_app(const struct program *prg)
{
    const struct app_stats *app = app_get_stats(prg->app);
    const struct http_stats *http = app_http_stats(prg->app);
    const uint64_t tx_lost = detect_get_stats(prg->detect)->tx_lost;

    if (http->flows + http->requests + http->pending + http->head + http->bombs > 0)
        cli_notice(&prg->cli,
                   "limits: of HTTP %llu connections were not read, %llu had too many requests, "
                   "%llu too many without an answer, %llu directions too long a head; %llu bodies "
                   "were not decompressed further",
                   (unsigned long long)http->flows, (unsigned long long)http->requests,
                   (unsigned long long)http->pending, (unsigned long long)http->head,
                   (unsigned long long)http->bombs);
    if (app->no_memory + app->text_cut + tx_lost > 0)
        cli_notice(&prg->cli,
                   "limits: %llu connections, transactions and bodies not read for want of memory, "
                   "%llu buffers cut, %llu rules could not wait for more of a transaction",
                   (unsigned long long)app->no_memory, (unsigned long long)app->text_cut,
                   (unsigned long long)tx_lost);
}

void
program_summary(const struct program *prg)
{
    const struct detect_stats *stats = detect_get_stats(prg->detect);

    cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %llu alerts", prg->set->rules.n,
               prg->set->rules.refused, (unsigned long long)program_alerts(prg));
    summary_of_detectors(prg);
    summary_of_captures(prg);
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
    if (stats->transforms_lost > 0)
        cli_notice(&prg->cli,
                   "limits: %llu transforms of buffers that were too long, or whose expression "
                   "took too many steps",
                   (unsigned long long)stats->transforms_lost);
    if (stats->others_lost > 0)
        cli_notice(&prg->cli, "limits: %llu other copies of bytes were not looked at",
                   (unsigned long long)stats->others_lost);
    if (prg->bypassed + prg->deep > 0)
        cli_notice(
            &prg->cli,
            "limits: %llu flows were passed by (stream.bypass), %llu directions not looked at to "
            "their end (stream.reassembly.depth)",
            (unsigned long long)prg->bypassed, (unsigned long long)prg->deep);
    if (prg->eve->dns_cut > 0)
        cli_notice(&prg->cli, "limits: %llu sections of DNS messages were cut in eve.json",
                   (unsigned long long)prg->eve->dns_cut);
    if (prg->app != NULL)
        summary_of_app(prg);
    outcome_summary(prg);
    if (prg->profile)
        explain_profile(stdout, prg->set->groups, detect_get_profile(prg->detect));
}
