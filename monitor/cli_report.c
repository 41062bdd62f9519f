#include "cli_parts.h"

#include "cli_inline.h"
#include "counts.h"

#include <stdio.h>
#include <string.h>

/* ---- counters ------------------------------------------------------------------------------ */

enum {
    LOG_DROPPED = 14,
    N_COUNTERS,
    N_LIMITS = sizeof(((struct weir_monitor_stats *)NULL)->overload) / sizeof(uint64_t),
    N_INLINE = 11,
    MOST_COUNTERS = N_COUNTERS + N_LIMITS + N_INLINE + COUNTS_PORTS * 5,
};

struct counter {
    char name[COUNTS_NAME + 16];
    uint64_t value;
};

/* What is counted inline, behind the others; returns how many there are then. */
static unsigned
gather_wire(const struct cli *cli, const struct weir_monitor_stats *s, struct counter *all,
            unsigned n)
{
    struct counts counts = { .monitor = *s };
    const char *name;
    uint64_t value;

    cli_inline_count(cli, &counts);
    for (const struct counts_field *f = counts_fields; f->name != NULL; f++) {
        if (!f->wire || counts_get(&counts, f) == NULL)
            continue;
        snprintf(all[n].name, sizeof(all[n].name), "%s", f->name);
        all[n++].value = *counts_get(&counts, f);
    }
    for (unsigned i = 0; i < counts.n_ports; i++)
        for (unsigned k = 0; (name = counts_of_port(&counts.port[i], k, &value)) != NULL; k++) {
            snprintf(all[n].name, sizeof(all[n].name), "%s_%s", counts.port[i].name, name);
            all[n++].value = value;
        }
    return n;
}

/* Returns how many there are. */
static unsigned
gather_counters(const struct cli *cli, const struct weir_monitor *m,
                struct counter all[MOST_COUNTERS])
{
    const struct weir_field *limits = weir_event_fields(WEIR_EV_OVERLOAD);
    struct weir_monitor_stats s;

    weir_monitor_get_stats(m, &s);
    const struct counter fixed[N_COUNTERS] = {
        { "packets", s.packets },
        { "bytes", s.bytes },
        { "flows", s.flows },
        { "no_flow", s.no_flow },
        { "fragments", s.fragments },
        { "datagrams", s.datagrams },
        { "bad_checksums", s.bad_checksums },
        { "undelivered", s.undelivered },
        { "kernel_packets", cli->kernel_packets },
        { "kernel_drops", cli->kernel_drops },
        { "interface_drops", cli->interface_drops },
        { "frames_copied", cli->frames_copied },
        { "frames_verified", cli->frames_verified },
        { "tap_dropped", s.tap_dropped },
        { "log_dropped", cli->log_dropped },
    };

    memcpy(all, fixed, sizeof(fixed));
    for (unsigned i = 0; i < N_LIMITS; i++) {
        struct counter *c = &all[N_COUNTERS + i];

        snprintf(c->name, sizeof(c->name), "limit_%s", limits[0].names[i]);
        c->value = s.overload[i];
    }
    return gather_wire(cli, &s, all, N_COUNTERS + N_LIMITS);
}

static void
print_counters(FILE *file, const struct counter *counters, unsigned n, bool json)
{
    if (json)
        fprintf(file, "{\"event_type\":\"stats\"");
    for (unsigned i = 0; i < n; i++)
        fprintf(file, json ? ",\"%s\":%llu" : "%-18s%14llu\n", counters[i].name,
                (unsigned long long)counters[i].value);
    if (json)
        fprintf(file, "}\n");
}

/* SIGUSR1 asked for them. */
void
cli_tell_counters(const struct cli *cli, const struct weir_monitor *m)
{
    struct counter all[MOST_COUNTERS];
    const unsigned n = gather_counters(cli, m, all);

    all[LOG_DROPPED].value = cli_dropped_so_far(cli);
    cli_clear_progress();
    print_counters(stderr, all, n, false);
    if (cli->asked != NULL)
        cli->asked(cli->ctx);
}

void
cli_stats(struct cli *cli, const struct weir_monitor *m, bool json)
{
    struct counter all[MOST_COUNTERS];

    if (!cli->stats || cli->unstarted)
        return;
    print_counters(stdout, all, gather_counters(cli, m, all), json);
    if (fflush(stdout) != 0)
        cli->failed = true;
}

/* ---- the end ------------------------------------------------------------------------------- */

static uint64_t
all_events(const struct weir_monitor_stats *stats)
{
    uint64_t n = 0;

    for (int i = 0; i < WEIR_EV_COUNT; i++)
        n += stats->events[i];
    return n;
}

static void
tell_wire(const struct cli *cli, const struct weir_monitor_stats *s)
{
    struct counts counts = { .n_ports = 0 };

    cli_inline_count(cli, &counts);
    cli_notice(cli,
               "%llu packets went on, %llu were dropped by verdicts, %llu past a bound; %llu could "
               "not be sent",
               (unsigned long long)(s->forwarded + cli->unseen - cli->unseen_lost),
               (unsigned long long)s->dropped, (unsigned long long)s->fail_closed,
               (unsigned long long)(s->send_drops + cli->unseen_lost));
    for (unsigned i = 0; i < counts.n_ports; i++)
        cli_notice(cli, "%s: %llu packets left by it, %llu could not", counts.port[i].name,
                   (unsigned long long)counts.port[i].sent,
                   (unsigned long long)counts.port[i].send_drops);
}

bool
cli_tell_offload(const struct cli *cli, const struct weir_monitor_stats *stats)
{
    if (stats->offload && !cli->told_offload)
        cli_notice(cli, "more than 20 %% of a sender's checksums are wrong, and its packets were "
                        "left out; if its network card computes them, use -k none");
    return stats->offload;
}

void
cli_summary(const struct cli *cli, const struct weir_monitor *m)
{
    double seconds = (double)(cli_wall_ns() - cli->started) / 1e9;
    struct weir_monitor_stats s;

    if (cli->unstarted)
        return;
    weir_monitor_get_stats(m, &s);
    cli_tell_offload(cli, &s);
    cli_notice(cli,
               "%llu packets, %llu bytes, %llu flows, %llu events, %llu drops, %.3f s, "
               "%.0f packets/s",
               (unsigned long long)s.packets, (unsigned long long)s.bytes,
               (unsigned long long)s.flows, (unsigned long long)all_events(&s),
               (unsigned long long)(s.tap_dropped + cli->kernel_drops + cli->interface_drops),
               seconds, seconds > 0 ? (double)s.packets / seconds : 0.0);
    if (cli->interface != NULL)
        cli_notice(cli,
                   "%llu packets received by %s, %llu of them lost, %llu more lost by "
                   "interfaces",
                   (unsigned long long)cli->kernel_packets,
                   cli->dpdk != NULL ? "DPDK" : "the kernel", (unsigned long long)cli->kernel_drops,
                   (unsigned long long)cli->interface_drops);
    if (cli->n_pairs > 0)
        tell_wire(cli, &s);
}

int
cli_exit_code(const struct cli *cli)
{
    if (cli->bad_filter)
        return EXIT_USAGE;
    if (cli->failed)
        return EXIT_FAILED;
    /* A signal cuts the end of a replay, too, in which flows are told of. */
    return cli_caught != 0 && cli->interface == NULL ? 128 + (int)cli_caught : EXIT_DONE;
}
