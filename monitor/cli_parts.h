/*
 * What the parts of cli.h's implementation know of each other:
 *
 *   cli.c          the command line: words, settings, --help
 *   cli_check.c    options that do not go together, or have no effect
 *   cli_options.c  the options that all programs have, and their values
 *   cli_run.c      the run: inputs, progress
 *   cli_output.c   outputs: opened, flushed, closed
 *   cli_message.c  notices and errors
 *   cli_signals.c  signals
 *   cli_report.c   counters, closing summary, exit code
 */
#ifndef WEIR_CLI_PARTS_H
#define WEIR_CLI_PARTS_H

#include "cli.h"

enum { MOST_OUTPUTS = 8 };

/* ---- options ------------------------------------------------------------------------------- */

extern const struct cli_option cli_common[]; /* ctx is a struct cli */

/*
 * Options that are answered where the command line is parsed: --help, --version; --list-interfaces.
 */
int cli_take_nothing(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_list(void *ctx, const char *value, struct weir_errbuf *err);

/* One more word of the packet filter. WEIR_E_OK or WEIR_E_NOMEM. */
int cli_append_filter(struct cli *cli, const char *words, size_t n);

/*
 * All options are known, words: some of them made the filter. Do they go together? Returns -1 to go
 * on, or the exit code.
 */
int cli_check(const struct cli *cli, bool words);

/* A notice of options that have no effect on this run: scripts may share them with others. */
void cli_tell_unused(const struct cli *cli);

/* ---- messages ------------------------------------------------------------------------------ */

extern bool cli_progress_shown; /* the bar stands in the last line of standard error */

void cli_clear_progress(void);

/* ---- signals ------------------------------------------------------------------------------- */

extern _Atomic int cli_caught; /* the signal that stops the run; 0: none */

/* Signals that ask for something must not kill the program while it begins. */
void cli_listen_early(void);

/* Outputs are open: from now on signals mean what they mean in a run. */
void cli_catch_signals(void);
/* All inputs were read: what comes now is waited for as long as it takes. */
void cli_reads_no_more(void);

/* SIGUSR2 came, since the last time, to a program that has no rules. */
bool cli_was_asked_for_rules(void);

/* By output, what SIGHUP opens anew; NULL: nothing. */
extern struct weir_log *volatile cli_reopened[MOST_OUTPUTS];

/* Whether there is any. */
bool cli_has_logs(void);

/* ---- outputs ------------------------------------------------------------------------------- */

/* What the program printed before comes before, wherever both go to the same place. */
void cli_flush_outputs(const struct cli *cli);

/* Records: what open outputs dropped is not in log_dropped yet. */
uint64_t cli_dropped_so_far(const struct cli *cli);

/* No packet comes any more: what the end of a live run tells of all flows need not be dropped. */
void cli_let_outputs_wait(const struct cli *cli);

/* ---- the run ------------------------------------------------------------------------------- */

/* Monotonic. */
uint64_t cli_wall_ns(void);

/* Say, once, that checksums are wrong because a card computes them. Returns whether they are. */
bool cli_tell_offload(const struct cli *cli, const struct weir_monitor_stats *stats);

/* SIGUSR1 asked for the counters. */
void cli_tell_counters(const struct cli *cli, const struct weir_monitor *m);

#endif
