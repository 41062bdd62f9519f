/* --set NAME=VALUE: what all programs know. */
#ifndef WEIR_CLI_SET_H
#define WEIR_CLI_SET_H

#include "cli.h"

/*
 * Take a setting whose name is Suricata's: flow-timeouts.tcp.new and its like, in seconds. *known
 * says whether the name is one of them; if not, nothing was done.
 */
int cli_set(struct cli *cli, const char *text, bool *known, struct weir_errbuf *err);

#endif
