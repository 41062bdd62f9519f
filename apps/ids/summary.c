#include "program.h"

#include "explain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- sums ---------------------------------------------------------------------------------- */

static void
add(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* All counters are whole numbers of 64 bits. */
#define ADD(to, from)                                                                              \
    do {                                                                                           \
        static_assert(sizeof(*(to)) == sizeof(*(from)) && sizeof(*(to)) % 8 == 0, "not alike");    \
        add((uint64_t *)(void *)(to), (const uint64_t *)(const void *)(from), sizeof(*(to)) / 8);  \
    } while (0)

static void
add_part(struct program_counts *to, const struct part *part)
{
    struct outcome_stats outcome;
    struct detectors_stats detectors;
    struct pool_stats pool = app_pool_stats(part->app);

    outcome_get_stats(detect_outcome(part->detect), &outcome);
    detectors_get_stats(part->detectors, &detectors);
    ADD(&to->detect, detect_get_stats(part->detect));
    ADD(&to->outcome, &outcome);
    ADD(&to->detectors, &detectors);
    ADD(&to->app, app_get_stats(part->app));
    ADD(&to->http, app_http_stats(part->app));
    ADD(&to->pool, &pool);
    ADD(&to->eve, &part->eve->count);
    to->bypassed += part->bypassed;
    to->deep += part->deep;
    to->over += packet_alerts_over(part->alerts);
    to->dropped += part->dropped;
    to->rejected += part->rejected;
    to->replaced += part->replaced;
    to->not_replaced += part->not_replaced;
}

void
program_count(const struct program *prg, struct program_counts *out)
{
    *out = (struct program_counts){ .bypassed = 0 };
    for (unsigned i = 0; i < prg->n_parts; i++)
        if (prg->part[i] != NULL && prg->part[i]->eve != NULL) /* it was made in full */
            add_part(out, prg->part[i]);
    out->eve.written[EVE_STATS] += prg->eve != NULL ? prg->eve->count.written[EVE_STATS] : 0;
}

uint64_t
program_alerts(const struct program_counts *counts)
{
    return counts->detect.alerts - counts->over + counts->detectors.alerts;
}

uint64_t
program_held(const struct program_counts *counts)
{
    return counts->outcome.threshold.suppressed + counts->outcome.threshold.held +
           counts->detectors.suppressed;
}

/* ---- what is said -------------------------------------------------------------------------- */

/* What rules did with each other's alerts, and where that met a limit. */
static void
outcome_summary(const struct program *prg, const struct program_counts *counts)
{
    const struct outcome_stats stats = counts->outcome;
    const uint64_t held = stats.threshold.suppressed + stats.threshold.held;

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
    if (counts->over > 0)
        cli_notice(&prg->cli, "limits: %llu alerts beyond packet-alert-max of their packets",
                   (unsigned long long)counts->over);
    if (stats.state.no_memory + stats.state.lost + stats.threshold.lost + stats.tag.lost > 0)
        cli_notice(&prg->cli,
                   "limits: %llu flowbits and flowints not set for want of memory, %llu xbits, "
                   "%llu counts of thresholds and %llu tags forgotten early",
                   (unsigned long long)stats.state.no_memory, (unsigned long long)stats.state.lost,
                   (unsigned long long)stats.threshold.lost, (unsigned long long)stats.tag.lost);
}

/* In line. */
static void
summary_of_drops(const struct program *prg, const struct program_counts *counts)
{
    struct weir_monitor_stats s;

    weir_monitor_get_stats(prg->m, &s);
    if (counts->dropped > 0)
        cli_notice(&prg->cli,
                   "%llu packets dropped by rules or as invalid, what followed in their flows "
                   "not counted; %llu of them by rules that reject, and %llu RSTs and ICMP errors "
                   "sent",
                   (unsigned long long)counts->dropped, (unsigned long long)counts->rejected,
                   (unsigned long long)s.rejects);
    if (counts->replaced + counts->not_replaced > 0)
        cli_notice(&prg->cli, "replace: %llu matches changed their packet, %llu could not",
                   (unsigned long long)counts->replaced, (unsigned long long)counts->not_replaced);
}

static void
summary_of_detectors(const struct program *prg, const struct program_counts *counts)
{
    const struct detectors_stats stats = counts->detectors;

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
summary_of_captures(const struct program *prg, const struct program_counts *counts)
{
    const uint64_t lost = counts->detect.captures_lost;

    if (lost > 0)
        cli_notice(&prg->cli, "limits: %llu captures of rules found no room",
                   (unsigned long long)lost);
}

/* What was not read, or not shown to rules, of what flows said. */
static void
summary_of_app(const struct program *prg, const struct program_counts *counts)
{
    const struct app_stats *app = &counts->app;
    const struct http_stats *http = &counts->http;
    const struct pool_stats *pool = &counts->pool;
    const uint64_t tx_lost = counts->detect.tx_lost;
    char too_long[POOL_TEXT];

    if (http->flows + http->requests + http->pending + http->head + http->bombs > 0)
        cli_notice(&prg->cli,
                   "limits: of HTTP %llu connections were not read, %llu had too many requests, "
                   "%llu too many without an answer, %llu directions too long a head; %llu bodies "
                   "were not decompressed further",
                   (unsigned long long)http->flows, (unsigned long long)http->requests,
                   (unsigned long long)http->pending, (unsigned long long)http->head,
                   (unsigned long long)http->bombs);
    pool_put_too_long(pool, too_long);
    if (pool->exhausted > 0 || strcmp(too_long, "0") != 0)
        cli_notice(
            &prg->cli,
            "limits: %llu messages in pieces not read for want of memory; too long to be read: "
            "%s",
            (unsigned long long)pool->exhausted, too_long);
    if (app->no_memory + app->text_cut + tx_lost > 0)
        cli_notice(&prg->cli,
                   "limits: %llu connections, transactions and bodies not read for want of memory, "
                   "%llu buffers cut, %llu rules could not wait for more of a transaction",
                   (unsigned long long)app->no_memory, (unsigned long long)app->text_cut,
                   (unsigned long long)tx_lost);
}

/* What rules cost all cores. */
static void
show_profile(const struct program *prg)
{
    const size_t n = prg->set->rules.n;
    struct rule_profile *all = calloc(n + 1, sizeof(*all));

    for (unsigned i = 0; all != NULL && i < prg->n_parts; i++)
        for (size_t rule = 0; rule < n; rule++)
            ADD(&all[rule], &detect_get_profile(prg->part[i]->detect)[rule]);
    if (all != NULL)
        explain_profile(stdout, prg->set->groups, all);
    free(all);
}

void
program_summary(const struct program *prg)
{
    struct program_counts counts;
    const struct detect_stats *stats = &counts.detect;

    program_count(prg, &counts);
    cli_notice(&prg->cli, "%zu rules loaded, %zu refused, %llu alerts", prg->set->rules.n,
               prg->set->rules.refused, (unsigned long long)program_alerts(&counts));
    summary_of_drops(prg, &counts);
    summary_of_detectors(prg, &counts);
    summary_of_captures(prg, &counts);
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
    if (counts.bypassed + counts.deep > 0)
        cli_notice(
            &prg->cli,
            "limits: %llu flows were passed by (stream.bypass), %llu directions not looked at to "
            "their end (stream.reassembly.depth)",
            (unsigned long long)counts.bypassed, (unsigned long long)counts.deep);
    if (counts.eve.dns_cut > 0)
        cli_notice(&prg->cli, "limits: %llu sections of DNS messages were cut in eve.json",
                   (unsigned long long)counts.eve.dns_cut);
    summary_of_app(prg, &counts);
    outcome_summary(prg, &counts);
    if (prg->profile)
        show_profile(prg);
}
