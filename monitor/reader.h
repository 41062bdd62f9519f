/*
 * The reader: gives frames their numbers and the clock, decodes them, puts fragments together, and
 * puts what comes of it into batches, each packet for the core of its shard.
 *
 * Threads: one at a time. Several at once each have a front end: front.h.
 */
#ifndef WEIR_READER_H
#define WEIR_READER_H

#include "batch.h"
#include "frag.h"
#include "hash.h"

#include <weir/event.h>
#include <weir/monitor.h>
#include <weir/port.h>

struct engine;
struct hosts;

enum { SETTLE_EVERY = 256 }; /* packets, before which handlers that sleep on a log wake */

struct reader {
    const struct weir_monitor_opts *opts;
    const struct hosts *hosts;
    struct hash_key secret;
    bool by_vlan; /* flows go by VLAN ids, too */
    unsigned n_cores;
    bool in_line;
    struct engine *only; /* if there is one core, its engine: what comes is told to it ahead */

    uint64_t number;                  /* of the latest packet */
    uint64_t syns;                    /* segments with SYN so far */
    uint64_t clock;                   /* greatest packet time so far */
    uint64_t tick_at;                 /* clock at which ticks have passed again */
    uint64_t read_at;                 /* live: monotonic ns of the last packets */
    const struct weir_packet *packet; /* what events are about */
    bool lacked_room;                 /* fragments did, with this packet */

    struct batch *batch; /* that is being filled */
    /* Hand it over, and have an empty one; may wait. */
    struct batch *(*hand_over)(void *ctx, struct batch *full);
    void *ctx;

    uint8_t *range; /* of the room for fragments */
    size_t range_size;
    struct frag_room frags;
};

/* The first packet. WEIR_E_OK or WEIR_E_NOMEM. */
int reader_start(struct reader *r);
void reader_free(struct reader *r);

/* Take a frame; batches that are full are handed over. */
void reader_take(struct reader *r, const struct weir_frame *frame);

/* The same for a core that has a front end, and is alone here. */
void reader_take_burst(struct reader *r, const struct weir_frame *frames, unsigned n);

/* No packet comes for now, and the clock goes on, live, by so many nanoseconds. */
void reader_pass_time(struct reader *r, uint64_t ns);

/* Live: milliseconds from this monotonic time on, 1 to so many, until a tick has passed. */
int reader_wait_ms(const struct reader *r, uint64_t now, int most);

/* A packet of that time is to come, from a front end. */
void reader_reach(struct reader *r, uint64_t time);

/* An ICMP error that quotes a packet of a flow: which one. Anybody may ask. */
bool reader_quotes(const struct reader *r, const struct weir_packet *pkt, struct flow_ref *ref);

/* A capture may claim more: deadlines behind this have room. */
#define CLOCK_MAX ((uint64_t)INT64_MAX)

static inline uint64_t
clock_of(const struct weir_frame *frame)
{
    return frame->time < CLOCK_MAX ? frame->time : CLOCK_MAX;
}

static inline bool
packet_is_icmp(const struct weir_packet *pkt)
{
    return pkt->proto == WEIR_PROTO_ICMP || pkt->proto == WEIR_PROTO_ICMPV6;
}

/* Hand over what there is. */
void reader_flush(struct reader *r);

/* Have every core do what is due when the input is over. */
void reader_end(struct reader *r);

/* They have: what is remembered of datagrams is nobody's any more. */
void reader_forget(struct reader *r);

/* A batch is done: its memory is the reader's again. */
void reader_recycle(struct reader *r, struct batch *batch);

/* For frag.c: an event about r->packet, which is copied. */
void reader_raise(struct reader *r, const struct weir_event *ev);
void reader_overload(struct reader *r);

/* For frag.c: a datagram has waited for too long, of which pkt is the first. */
void reader_expire(struct reader *r, const struct weir_packet *pkt, uint64_t tick, uint64_t id);

#endif
