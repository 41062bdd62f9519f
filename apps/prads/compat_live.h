/* What only a live run has: signals, the background, privileges, the connection log of -L. */
#ifndef WEIR_PRADS_COMPAT_LIVE_H
#define WEIR_PRADS_COMPAT_LIVE_H

#include "compat.h"

#include <weir/port.h>

#include <stdatomic.h>

/* Open an interface; NULL: the first there is. Errors as weir_port_open_live(). */
int compat_live_open(const char *interface, const struct weir_port_opts *opts,
                     struct weir_port **port, struct weir_errbuf *err);

/* Background, root folder, privileges, process id. Returns 0, or 1 after saying what is wrong. */
int compat_live_settle(struct compat *c);

/* TERM, INT and QUIT end the run; HUP and USR1 are remembered; a capture that shrinks is mended. */
void compat_live_catch_signals(void);

bool compat_live_stopped(void);

/* Not 0: the run shall end; for outputs that wait. */
const _Atomic int *compat_live_stop(void);

/* Whether seconds have gone by since it was last so, or a signal asks for it. */
bool compat_live_due(unsigned seconds);

/* Whether HUP came since the last call. */
bool compat_live_asked_again(void);

/* Go on with a new connection log, if there is one. */
void compat_live_rotate(struct compat *c, uint64_t now);

#endif
