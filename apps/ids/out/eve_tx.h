/* Records of transactions, and what an alert shows of one. */
#ifndef IDS_EVE_TX_H
#define IDS_EVE_TX_H

#include "app/app.h"
#include "out/eve_out.h"

enum { DNS_SHOWN = 64 }; /* records of a section of a message that are written, at most */

/*
 * A side of a transaction has come to a stage, while ev is under way: http, tls and ssh records are
 * written when it is gone, dns and fileinfo when the side is complete.
 */
void eve_tx(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
            struct tx *tx, enum weir_dir dir, enum tx_stage stage);

/* The object of a transaction (http{} and so on), as far as it is known; dir: of the alert. */
void eve_put_tx(struct eve_out *eve, struct json *j, struct tx *tx, enum weir_dir dir);

/* ---- by protocol */

void eve_put_http(struct eve_out *eve, struct json *j, struct tx *tx);
void eve_put_dns(struct eve_out *eve, struct json *j, struct tx *tx, enum weir_dir dir);
void eve_put_tls(struct eve_out *eve, struct json *j, struct tx *tx);
void eve_put_ssh(struct json *j, struct tx *tx);

/* A buffer of the transaction as a string; nothing if it is not there. Returns whether it is. */
bool eve_put_buffer(struct json *j, const char *key, struct tx *tx, enum weir_dir dir,
                    enum buffer_id id, unsigned i);

static inline void
eve_put_bytes(struct json *j, const char *key, struct weir_bytes bytes)
{
    json_text(j, key, (const char *)bytes.p, bytes.n);
}

#endif
