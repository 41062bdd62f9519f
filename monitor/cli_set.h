/* --set NAME=VALUE, and the same from a file: what all programs know. */
#ifndef WEIR_CLI_SET_H
#define WEIR_CLI_SET_H

#include "cli.h"

/*
 * Take a setting whose name is Suricata's: flow-timeouts.tcp.new and its like, in seconds,
 * default-log-dir and stream.checksum-validation. *known says whether the name is one of them; if
 * not, nothing was done.
 */
int cli_set(struct cli *cli, const char *text, bool *known, struct weir_errbuf *err);

/* Whether the name before the = is one that suricata.yaml may have: by its first word. */
bool cli_is_suricatas(const char *text);

/* WEIR_E_INVAL; in err that there is no such name, or no name. */
int cli_set_unknown(const char *text, struct weir_errbuf *err);

/* What these settings are now. */
void cli_set_dump(const struct cli *cli, struct cli_dump *dump);

#endif
