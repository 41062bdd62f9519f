/* Placeholder until the application layer is merged. */
#ifndef IDS_APP_H
#define IDS_APP_H

#include "rule/buffer.h"

#include <weir/event.h>

enum tx_stage { TX_HEAD, TX_BODY, TX_END, TX_GONE };

struct tx {
    uint8_t proto;
    uint64_t id;
    void *own[2];
};

struct tx_bytes {
    const uint8_t *p;
    uint32_t n;
    int64_t start;
    bool final;
};

bool
tx_buffer(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i, struct tx_bytes *out);
bool tx_number(struct tx *tx, enum weir_dir dir, enum number_id id, unsigned i, int64_t *out);

#endif
