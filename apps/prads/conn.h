/*
 * Connections as PRADS sees them: both directions of protocol, addresses and ports, VLANs or not,
 * for the whole run. The client is who sent the first packet, until they are found to be swapped.
 */
#ifndef WEIR_PRADS_CONN_H
#define WEIR_PRADS_CONN_H

#include "table.h"

#include <weir/packet.h>

enum conn_side { CONN_CLIENT, CONN_SERVER };

/* What of a side needs no more looking at. */
enum conn_done {
    CONN_FOUND = 1,   /* its application is known */
    CONN_UNKNOWN = 2, /* it was said to be unknown */
};

/* The key: ends in the order of their bytes, so that both directions have the same. */
struct conn_key {
    struct weir_addr addr[2]; /* low, high */
    uint16_t port[2];
    uint8_t proto; /* 0: none that has a meaning here */
    uint8_t version;
    uint16_t zero;
};

struct conn {
    struct conn_key key;
    uint32_t start, last; /* seconds */
    uint32_t number;      /* from 1, in the order of first packets */
    uint64_t packets[2];  /* by enum conn_side */
    uint64_t bytes[2];    /* of IP payload */
    uint32_t asset[2]; /* number of the asset behind key.addr[], and one more; 0: not looked up */
    uint8_t tcp_flags[2];
    uint8_t done[2];  /* enum conn_done; stay where they are when the sides are swapped */
    bool client_high; /* the client is key.addr[1] */
    bool over;        /* its end was told */
};

struct conns {
    struct table table;
    uint32_t n; /* so far */
};

int conns_new(struct conns *conns, uint32_t max, uint64_t seed);
void conns_free(struct conns *conns);

/* The connection of a packet, made if missing; NULL: there is no room. */
struct conn *conns_get(struct conns *conns, const struct weir_packet *pkt, bool *made);

/* Whether the packet's sender is key.addr[1]. Ends that are the same: the first counts as low. */
bool conn_from_high(const struct weir_packet *pkt);

void conn_swap(struct conn *conn);

static inline const struct weir_addr *
conn_addr(const struct conn *conn, enum conn_side side)
{
    return &conn->key.addr[conn->client_high ^ (side == CONN_SERVER)];
}

static inline uint16_t
conn_port(const struct conn *conn, enum conn_side side)
{
    return conn->key.port[conn->client_high ^ (side == CONN_SERVER)];
}

enum conn_end { CONN_LIVES, CONN_EXPIRED, CONN_ENDED };

/* Whether a connection is over at a time, in seconds. */
enum conn_end conn_is_over(const struct conn *conn, uint64_t now);

#endif
