/*
 * Rules on transactions: what a request or response shows meets the fast patterns of its buffers;
 * a rule whose fast pattern is found is decided once all that it looks at has come, and alerts once
 * for a transaction.
 */
#ifndef IDS_INSPECT_H
#define IDS_INSPECT_H

#include "app/app.h"
#include "detect/detect.h"

enum { TX_RULES_MAX = 256 }; /* that wait for more of a transaction, or have alerted on it */

/*
 * One side of a transaction has come to a stage; between detect_begin() and detect_event(). To be
 * called up to TX_GONE, which gives back what is remembered of it.
 */
void inspect(struct detect *d, struct tx *tx, enum weir_dir dir, enum tx_stage stage);

/*
 * Something odd in the application layer, by its name ("http.missing_host_header"); tx: where,
 * NULL: in the flow as a whole. As inspect().
 */
void inspect_event(struct detect *d, const char *name, struct tx *tx, enum weir_dir dir);

#endif
