/* Records of transactions, and what an alert shows of one. */
#ifndef IDS_EVE_TX_H
#define IDS_EVE_TX_H

#include "out/eve_out.h"

/* The object of a transaction (http{} and so on), as far as it is known; dir: of the alert. */
void eve_put_tx(struct eve_out *eve, struct json *j, struct tx *tx, enum weir_dir dir);

#endif
