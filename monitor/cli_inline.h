/*
 * Inline use as the programs do it: --inline A:B and its options. The two ports of a pair are
 * neighbours in cli->interfaces; what comes in at one leaves by the other, as the monitor's
 * verdicts say.
 */
#ifndef WEIR_CLI_INLINE_H
#define WEIR_CLI_INLINE_H

#include "cli.h"

#include "port/filter.h"

#include <weir/port.h>
#include <weir/verdict.h>

/* For the table of options; ctx is a struct cli. */
int cli_take_inline(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_fail_open(void *ctx, const char *value, struct weir_errbuf *err);
int cli_take_fail_closed(void *ctx, const char *value, struct weir_errbuf *err);

/* Options that do not go together: what is wrong; NULL: nothing. */
const char *cli_inline_fault(const struct cli *cli);

/* All options are known: the monitor's packets leave by cli's ports. Harmless without --inline. */
void cli_inline_prepare(struct cli *cli);

/*
 * Before the interfaces are opened: those of a pair have to fit each other, and be nobody else's.
 */
int cli_inline_check(struct cli *cli, struct weir_errbuf *err);

/* Other programs may have the interfaces again. */
void cli_inline_free(struct cli *cli);

/* They are open, and these: frames may be sent from now on until the ports are closed. */
void cli_inline_use(struct cli *cli, unsigned i, struct weir_port *port);

/* How many send through a port. */
unsigned cli_inline_senders(const struct cli *cli);

/*
 * What the packet filter leaves out passes unseen, here and now. Returns how many of the n frames
 * are left. Called where the port's queue is read.
 */
int cli_inline_sift(struct cli *cli, unsigned queue, const struct filter *filter,
                    struct weir_frame *frames, int n);

/* The ports' counters up to now. */
void cli_inline_count(const struct cli *cli, struct counts *to);

#endif
