/*
 * Live capture as the programs do it: -i, --dpdk and their options, several interfaces as one port,
 * what the kernel counts, privileges that are given up, and counters on request (SIGUSR1).
 */
#ifndef WEIR_CLI_LIVE_H
#define WEIR_CLI_LIVE_H

#include "cli.h"

#include <weir/port.h>

enum { CLI_INTERFACES_MAX = 64 };

/* For the table of options; ctx is a struct cli. */
int cli_take_interface(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_dpdk(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_port(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_mtu(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_snaplen(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_no_promisc(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_immediate(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_buffer(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_user(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_group(void *ctx, const char *value, struct weir_errbuf *err);

/* One more interface to read, named by an option; value stays. */
int
cli_add_interface(struct cli *cli, const char *option, const char *value, struct weir_errbuf *err);

/* Whether packets of all interfaces that are read carry no checksums: nobody needs them on a
 * loopback. */
bool cli_lacks_checksums(const struct cli *cli);

/* The interfaces of this machine on standard output, a line each. Returns the exit code. */
int cli_list_interfaces(const struct cli *cli);

/*
 * All interfaces of -i, or ports of DPDK, as one port: they are read in turn, none is waited for
 * while another one has packets, and the descriptor of the port is no use. A queue of it is that of
 * each of them; who reads queue 0 is the one who opens and closes them, and tells. What happens to
 * them is told. An interface that is down is waited for; one that is gone is left out, and read on
 * if there is one of its name again. The port fails when none is left.
 *
 * A frame's port is the place in cli->interfaces of where it is from. About
 * once a second it adds what the kernel counted meanwhile to cli's counters.
 *
 * opts: with fan-out, interface k gets the group fanout_id + k. The interfaces' own drops are
 * counted by each port of a group, so all but one of them should set skip_interface_drops.
 */
int cli_live_open(struct cli *cli, const struct weir_port_opts *opts, bool skip_interface_drops,
                  struct weir_port **out, struct weir_errbuf *err);

/* What -i and the other options say, for the above. */
struct weir_port_opts cli_live_opts(const struct cli *cli);

/* The clock of the run, ns since 1970: the greatest time of a packet; live, the later of that and
 * the machine's. */
uint64_t cli_now(const struct cli *cli);

/*
 * Look up who to become: -1 to go on, or the exit code. From here on nobody gets more privileges.
 */
int cli_find_identity(struct cli *cli);

/* Become who --user and --group name. Says why not, and makes the exit code 1. */
bool cli_settle(struct cli *cli);

/* From here on SIGUSR1 asks for counters. */
void cli_listen(void);

/* Was it sent, since the last time? */
bool cli_was_asked(void);

#endif
