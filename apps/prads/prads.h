/*
 * PRADS as an app among others: its signatures, its logs, and the watch over a monitor's flows.
 * What weir-prads runs, and weir-ids with --with prads beside its own.
 */
#ifndef WEIR_PRADS_PRADS_H
#define WEIR_PRADS_PRADS_H

#include "cli.h"

#include <weir/monitor.h>

struct prads; /* opaque */

/* Nothing is chosen yet; NULL: no memory. */
struct prads *prads_new(void);

/* NULL is allowed; after the monitor is freed. */
void prads_free(struct prads *prads);

/* --checks and so on; ctx is a struct prads. */
extern const struct cli_option *const prads_options;

/* Load the signatures of what is looked for. WEIR_E_*, with a text in err. */
int prads_load(struct prads *prads, const struct cli *cli, struct weir_errbuf *err);

/* Open both logs in cli's folder. WEIR_E_*, with a text in err. */
int prads_open(struct prads *prads, struct cli *cli, struct weir_errbuf *err);

/* Let it listen. Only before the first packet. */
int prads_add(struct prads *prads, struct weir_monitor *m);

/* Between batches: end the run if an error has ended a log. */
void prads_check(struct prads *prads, struct cli *cli);

/* The run is over: tell of all hosts, and wait until the logs are written. */
void prads_end(struct prads *prads, struct cli *cli);

/* Close the logs; what was lost is told. */
void prads_close(struct prads *prads, struct cli *cli);

/* What was found, and limits that were hit, as a notice. */
void prads_summary(const struct prads *prads, const struct cli *cli);

/* The program without --compat: returns its exit code. */
int prads_main(int argc, char **argv);

#endif
