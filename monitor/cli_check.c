#include "cli_inline.h"
#include "cli_parts.h"

#include <stdio.h>
#include <string.h>

static const char *
live_option(const struct cli *cli)
{
    return cli->n_pairs > 0 ? "--inline" : cli->n_ports > 0 ? "--port" : "-i";
}

/* An option that lacks another one beside it. Returns false if there is none. */
static bool
tell_lacking(const struct cli *cli)
{
    if (cli->n_ports > 0 && cli->dpdk == NULL)
        cli_error(cli, "--port: --dpdk 'ARGS' is expected beside it");
    else if (cli->n_ports == 0 && cli->n_pairs == 0 && cli->dpdk != NULL)
        cli_error(cli, "--dpdk: a --port or --inline is expected beside it");
    else if (cli->mtu != 0 && cli->dpdk == NULL)
        cli_error(cli, "--mtu: --dpdk 'ARGS' is expected beside it");
    else if (cli->beside_given != NULL && !cli->beside_on)
        cli_error(cli, "--%s: --with %s is expected beside it", cli->beside_given->name,
                  cli->beside_name);
    else
        return false;
    return true;
}

int
cli_check(const struct cli *cli, bool words)
{
    const char *fault = cli_inline_fault(cli);

    if (words && cli->filter == NULL)
        cli_error(cli, "out of memory");
    else if (fault != NULL)
        cli_error(cli, "%s", fault);
    else if (cli->interface != NULL && cli->n_inputs > 0)
        cli_error(cli, "%s and -r exclude each other", live_option(cli));
    else if (cli->n_ports > 0 && cli->n_interfaces > cli->n_ports)
        cli_error(cli, "-i and --port exclude each other");
    else if (tell_lacking(cli))
        return EXIT_USAGE;
    else if (words && cli->interface == NULL && cli->n_inputs == 0)
        cli_error(cli, "'%s': a filter needs an input: -r FILE or -i INTERFACE", cli->filter);
    else if (cli->interface == NULL && cli->n_inputs == 0 && !cli->input_optional)
        cli_error(cli, "an input is expected: -r FILE or -i INTERFACE (try %s --help)",
                  cli->program);
    else
        return -1;
    return EXIT_USAGE;
}

struct unused {
    const char *option;
    bool given;
};

static void
tell(const struct cli *cli, const char *where, const struct unused *options, unsigned n)
{
    char names[80] = "";

    for (unsigned i = 0; i < n; i++) {
        const size_t at = strlen(names);

        if (options[i].given)
            snprintf(names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", options[i].option);
    }
    if (names[0] != '\0')
        cli_notice(cli, "no effect %s: %s", where, names);
}

void
cli_tell_unused(const struct cli *cli)
{
    const struct unused live[] = { { "--snaplen", cli->snaplen > 0 },
                                   { "--no-promisc", cli->no_promisc },
                                   { "--buffer", cli->buffer > 0 },
                                   { "--immediate", cli->immediate } };
    const struct unused replay[] = { { "--strict-input", cli->strict_input },
                                     { "--no-map", cli->no_map } };

    if (cli->interface != NULL)
        tell(cli, "in live capture", replay, sizeof(replay) / sizeof(*replay));
    else if (cli->n_inputs > 0)
        tell(cli, "in a replay", live, sizeof(live) / sizeof(*live));
    if (cli->log_dir_given && cli->no_logs)
        cli_notice(cli, "no effect: -l, as %s writes no log files", cli->program);
}
