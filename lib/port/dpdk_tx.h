/*
 * What a port of DPDK's sends. Each sender has a ring of frames that wait; who flushes carries them
 * to the card. Where the card has fewer queues than there are senders, one that finds another at
 * the queue leaves what it has to it, so nobody ever waits for anybody.
 */
#ifndef WEIR_PORT_DPDK_TX_H
#define WEIR_PORT_DPDK_TX_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

enum { TX_WAITING = 256 }; /* frames of a sender, at most */

struct tx;

struct tx_opts {
    uint16_t port;
    unsigned senders;
    uint16_t queues;          /* of the card: at least 1, at most senders */
    uint32_t largest;         /* bytes of a frame */
    struct rte_mempool *pool; /* for copies; outlives it */
};

/* NULL: out of memory. */
struct tx *tx_new(const struct tx_opts *opts);

/* Frees what waits; the port is stopped. NULL is allowed. */
void tx_free(struct tx *tx);

/* Send these bytes; from: the buffer that they are, which gets one more user, or NULL: they are
 * copied. */
bool
tx_send(struct tx *tx, unsigned sender, const uint8_t *data, uint32_t len, struct rte_mbuf *from);
void tx_flush(struct tx *tx, unsigned sender);

struct tx_counts {
    uint64_t sent, drops, large; /* large: of drops */
};

void tx_count(const struct tx *tx, struct tx_counts *to);

#endif
