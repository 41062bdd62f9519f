/*
 * Datagrams that are being put together from IP fragments.
 *
 * They belong to no flow and so to no shard: the room is the reader's, and a whole datagram goes to
 * the shard of its flow. Its memory is a sixteenth of the monitor's; when it is used up, or
 * MAX_DATAGRAMS are waiting, the oldest datagram goes. Inline, where it is to fail closed, the
 * fragment that finds no room goes instead: to forget a datagram would let the rest of it pass.
 */
#ifndef WEIR_FRAG_H
#define WEIR_FRAG_H

#include "frag_verdict.h"
#include "hash.h"
#include "mem.h"

#include <weir/packet.h>
#include <weir/port.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    FRAG_SHARE = 16, /* of the monitor's memory, one part is for fragments */
    MAX_DATAGRAMS = 16384,
    FRAG_BUCKETS = 8192,
};

struct reader;
struct datagram;

struct frag_room {
    struct mem mem;
    struct datagram *bucket[FRAG_BUCKETS];
    struct frag_queue {
        struct datagram *oldest, *newest;
    } queue[2]; /* IPv4, IPv6: each has one timeout, so the oldest is due first */
    uint32_t n; /* datagrams */
    struct frag_verdicts *verdicts; /* NULL: not inline */
};

/* In a range that is zeroed, larger than the cap. */
void frag_init(struct frag_room *room, void *range, size_t size, size_t cap);

/* Put together by frag_add(). */
struct whole {
    /* Inline: the datagram of the same key before this one, with a reference; NULL: none that
     * counts. */
    struct frag_verdict *after;

    /* If it is whole: */
    struct frag_verdict *verdict; /* inline: to be settled with its packet; NULL: nobody will ask */
    struct datagram *datagram;    /* for frag_lend() */
    struct weir_frame frame;      /* of the first fragment's headers and all the payload */
    uint8_t *ip;                  /* in the frame: from here on it is as if it had not been cut */
};

/*
 * Take a fragment: a packet of DECODE_FRAGMENT, which is r->packet. Raises what is odd about it.
 * Returns true if it completes its datagram.
 */
bool frag_add(struct reader *r, const struct weir_packet *pkt, struct whole *whole);

/*
 * A datagram that was put together no longer counts, but its bytes stay until frag_take_back()
 * frees all of the list.
 */
void frag_lend(struct frag_room *room, struct datagram *datagram, struct datagram **lent);
void frag_take_back(struct frag_room *room, struct datagram **lent);

/* Forget all that waits, without an event: the input is over. */
void frag_clear(struct frag_room *room);

/* The first tick at which a datagram is due; UINT64_MAX: none waits. */
uint64_t frag_next_tick(const struct frag_room *room);

/* The number of the first packet of the datagram that is due first at this tick; or UINT64_MAX. */
uint64_t frag_due_id(const struct frag_room *room, uint64_t tick);

/* Give up the datagram of frag_due_id(). */
void frag_expire(struct reader *r, uint64_t tick);

#endif
