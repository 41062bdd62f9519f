/*
 * Packets on their way from the reader to the cores: decoded, and each with the core that it is
 * for. Between them stand what is due before the next one, and what the reader has to tell.
 */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include "core/order.h"
#include "decode.h"
#include "for_programs.h"
#include "shard.h"

#include <weir/port.h>

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    BATCH_ONE = 32, /* arrivals of a batch where the reader's core is the only one: in its cache */
    BATCH_MANY = 256,      /* where others have to be told of it */
    BATCH_SPARE = 32,      /* more than one packet makes, which lies in one batch as its bytes do */
    BATCH_BYTES = 2 << 20, /* of frames that do not stay where they are */
    ALL_CORES = 0xff,
    NO_CORE = 0xfe,
};

enum arrival_kind {
    ARRIVES_PACKET,  /* of a flow */
    ARRIVES_NO_FLOW, /* a packet that belongs to none */
    ARRIVES_EVENT,   /* the reader raises one, without a flow */
    ARRIVES_QUOTE,   /* an ICMP error, for the flow of the packet that it quotes */
    ARRIVES_EXPIRED, /* for all cores, like those that follow: the reader raises an event at a tick,
                        among the flows that expire then */
    ARRIVES_TICK,    /* the clock has passed a tick */
    ARRIVES_SETTLE,
    ARRIVES_END, /* the input is over */
};

/* Something of the reader's that becomes an event. */
struct told {
    uint64_t before, tick, id; /* ARRIVES_EXPIRED: number of the packet that comes next */
    uint32_t times;            /* overload: how often */
    uint8_t type;              /* enum weir_event_type */
    uint8_t why, layer;
    bool conflict, discarded;
};

struct frag_verdict;

/* A packet that is a fragment. */
struct came {
    const uint8_t *frame; /* its own, of len bytes */
    uint32_t len;
    uint8_t port;

    /* Inline. */
    bool lacked_room;           /* it was not put to its datagram, or others were given up for it */
    bool late;                  /* two datagrams, one in the other, were before it */
    struct frag_verdict *after; /* of the datagram before it, with a reference; NULL: none */
    struct frag_verdict *completes; /* of those that it completes */
};

struct arrival {
    alignas(64) struct weir_packet pkt; /* ARRIVES_TICK, _SETTLE: the number of what comes next */
    union {
        struct flow_ref ref; /* ARRIVES_PACKET, ARRIVES_QUOTE */
        struct told told;    /* ARRIVES_EVENT, ARRIVES_EXPIRED */
    };
    uint64_t syns;           /* segments with SYN so far, this one too */
    uint64_t clock;          /* the greatest packet time so far */
    struct weir_flow *guess; /* the flow it will most likely find, for the cache */
    uint32_t bytes; /* of the packet on the wire; of one that was put together, the last part's */
    struct decode_fault fault;
    enum weir_layer bad_layer; /* pkt.bad_checksum: where */
    uint8_t result;            /* enum decode_result */
    uint8_t kind;              /* enum arrival_kind */
    uint8_t fragments;         /* the packet was one; */
    uint8_t datagrams;         /* how many it completed */
    bool plain;                /* pkt is one: decode_next() */
    bool verified;             /* weir_frame.verified */
    struct came came;          /* of a fragment */
};
static_assert(offsetof(struct arrival, came) <= 256, "of most packets four lines are touched");

/* The core that owns a shard; its shards are its index and every n_cores-th behind it. */
static inline unsigned
core_of_shard(unsigned shard, unsigned n_cores)
{
    return shard % n_cores;
}

struct batch {
    unsigned n, room;
    struct arrival *at;
    struct arrival **all; /* each of them, for the only core; NULL: there are more */
    uint8_t core[BATCH_MANY + BATCH_SPARE]; /* apart: each core looks for its own */
    struct moment next;                     /* what comes behind it is not before this */
    struct datagram *lent;                  /* what its packets were put together in */
    uint8_t *bytes; /* BATCH_BYTES for frames; NULL: they stay until it is done */
    size_t used;
};

/* There is room. Its packet is as decode_next() left it, or plain is to become false. */
static inline struct arrival *
batch_add(struct batch *batch, enum arrival_kind kind, unsigned core, uint64_t clock)
{
    struct arrival *a = &batch->at[batch->n];

    batch->core[batch->n++] = (uint8_t)core;
    a->kind = (uint8_t)kind;
    a->clock = clock;
    a->guess = NULL;
    return a;
}

/* For all that a packet of n bytes makes. */
static inline bool
batch_has_room(const struct batch *batch, size_t n)
{
    return batch->n + BATCH_SPARE <= batch->room &&
           (batch->bytes == NULL || batch->used + n <= BATCH_BYTES);
}

/* The frame, where it stays until the batch is done: where it is, or *kept. */
static inline const struct weir_frame *
batch_keep(struct batch *batch, const struct weir_frame *frame, struct weir_frame *kept)
{
    if (frame->stable || batch->bytes == NULL)
        return frame;
    *kept = *frame;
    kept->data = memcpy(batch->bytes + batch->used, frame->data, frame->caplen);
    batch->used += frame->caplen;
    return kept;
}

#endif
