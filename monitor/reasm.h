/*
 * Reassembly of one direction: data in order goes straight from the packet's memory to the
 * handlers; what comes early waits by reference; what was delivered not long ago is kept by
 * reference, so that bytes that come again are compared with what was really seen.
 *
 * Offsets are 64 bits wide and signed; bytes once delivered are final.
 */
#ifndef WEIR_REASM_H
#define WEIR_REASM_H

#include "engine.h"
#include "segs.h"

/* Data of one segment of the packet at hand. */
struct chunk {
    int64_t off, end;
    const uint8_t *data;
    enum doubt doubt;
    bool fin;        /* a FIN stands behind it, which counts as one byte for the policy */
    uint32_t joined; /* bytes before it that are one with it for the policy, see reasm_join() */
};

/* How the bytes of a segment relate to those seen before. */
struct overlap {
    int64_t off, end;           /* first to last byte seen before; off == end: none */
    int64_t bytes;              /* how many of them were seen before */
    int64_t diff_off, diff_end; /* first to last byte that differs, before a hole; equal: none */
    int64_t held_end;           /* no hole lies between the difference and this offset */
    enum weir_kept kept;
    bool verified; /* all of them could be compared */
};

enum {
    KEPT_WINDOW = 65536,       /* acknowledged bytes a direction that stay comparable, if not set */
    RETAIN_MAX = 16777216,     /* how many may be asked for */
    QUEUE_MAX = 16384,         /* segments that may wait in one direction */
    ONE_SIDED_LIMIT = 1048576, /* bytes behind a hole while the receiver was never seen */
    MOVED_MAX = 16384,   /* places of a queue that one packet may move, beside its last piece */
    COMPARED_MAX = 2048, /* segments that one packet is compared with */
    JOINED_LOOK = 64,    /* segments that are looked at as joined, at most */
    GRACE_TICKS = 10,    /* from the ACK of a hole to its gap: 1 s */
    EARLY_TICKS = 11,    /* from the SYN to where an unheard server is not captured: 1 s at least */
    KEPT_IDLE_TICKS = 100, /* kept data goes after 10 s without a packet */
};

/* By arithmetic: of an index GCC works out the address anew at each use. */
static inline struct side *
flow_side(struct weir_flow *flow, enum weir_dir dir)
{
    return (struct side *)(void *)((uint8_t *)flow->side + (size_t)dir * sizeof(struct side));
}

/* Whether anything waits in a direction. */
static inline bool
has_queue(const struct weir_flow *flow, enum weir_dir dir)
{
    const struct rare *rare = flow_rare(flow);

    return rare != NULL && segs_count(rare->queue[dir]) > 0;
}

/* The 64-bit offset near the side's next one whose low bits are given. */
static inline int64_t
side_offset(const struct side *side, uint32_t low)
{
    return side->next + (int32_t)(low - (uint32_t)side->next);
}

/* What the peer acknowledged of this side's bytes; its next offset if the peer never did. */
static inline int64_t
side_acked(const struct side *side)
{
    return side->flags & SIDE_ACKED ? side_offset(side, side->acked) : side->next;
}

static inline int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t
greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The record for holes, made when the first one comes; NULL: no memory. */
struct rare *reasm_need_rare(struct weir_flow *flow);

/*
 * Find what the chunk continues. Linux makes one of a segment out of order and the one that it
 * continues (tcp_ooo_try_coalesce()), so that what overlaps the second begins inside both.
 */
void reasm_join(struct weir_flow *flow, enum weir_dir dir, struct chunk *chunk);

/* The FIN behind the segment that ends at this offset has gone elsewhere. */
void reasm_move_fin(struct weir_flow *flow, enum weir_dir dir, int64_t fin);

/* The first segment that waits and has a FIN; NULL: none. *fin: where that is. */
const struct queued *reasm_first_fin(struct weir_flow *flow, enum weir_dir dir, int64_t *fin);

/* Compare a chunk with what was delivered and what waits. */
void reasm_compare(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                   const struct chunk *chunk, struct overlap *out);

/* Bytes seen before, in e->scratch, from off on, as far as they are held; at most SCRATCH. */
struct weir_bytes reasm_old_bytes(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                                  int64_t off, int64_t end);

/*
 * Deliver a chunk that starts at or before next, or queue it behind the hole before it. While a
 * RST was accepted (FLOW_RESET), or if it is in doubt, it waits wherever it starts.
 */
void
reasm_add(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk);

/* Deliver bytes of the packet that come next, where nothing waits and none is urgent. */
void reasm_take_next(struct engine *e, struct weir_flow *flow, enum weir_dir dir,
                     const uint8_t *data, uint32_t n);

/* Queue a chunk, to be delivered or dropped when the receiver has decided. */
void
reasm_park(struct engine *e, struct weir_flow *flow, enum weir_dir dir, const struct chunk *chunk);

/*
 * The byte at off is urgent: it is left out when its turn comes. False: it was delivered before, or
 * one behind it is waited for.
 */
bool reasm_urgent(struct weir_flow *flow, enum weir_dir dir, int64_t off);

/* Deliver what waits at next, as far as it reaches; at a FIN drop what lies behind it. */
void reasm_drain(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* The peer acknowledged more: stamp the holes it passed, forget what is far behind. */
void reasm_acked(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* The peer had nothing to say but what it had said: of what waits at next it took nothing. */
void reasm_answered(struct weir_flow *flow, enum weir_dir dir);

/*
 * The sender of a direction is at this offset. It has sent all before; only then bytes that were
 * acknowledged but never seen are missing, for anybody can acknowledge what was never sent.
 */
void reasm_sender_at(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t off);

/*
 * The packet at hand is a client's, with data, a FIN or an urgent pointer, and its server was not
 * heard yet. False: it need not wait, for the capture does not have the server.
 */
bool reasm_holds_early(struct engine *e, struct weir_flow *flow);

/* The capture does not have the server: take what came early, unless it was heard. */
void reasm_take_early(struct engine *e, struct weir_flow *flow);

/* The server has refused the connection: what came early stays in doubt. */
void reasm_refuse_early(struct weir_flow *flow);

/* Where the data end that a SYN/ACK may acknowledge: those that came on a SYN. */
int64_t reasm_syn_end(struct weir_flow *flow, enum weir_dir dir);

/* Whether who sent early knew the number of the server's first byte, or nobody did. */
bool reasm_early_is_right(const struct weir_flow *flow, uint32_t server_base);

/* The SYN/ACK has come: what is early was captured early, or the server has nothing of it. */
void reasm_judge_early(struct engine *e, struct weir_flow *flow, uint32_t server_base);

/*
 * The tick at which an acknowledged hole becomes a gap, or what came early is taken; false: there
 * is none.
 */
bool
reasm_deadline(const struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint64_t *tick);

/* The end of all data of a direction that was seen and may be part of its stream. */
int64_t reasm_seen_end(struct weir_flow *flow, enum weir_dir dir);

/* The sender of a direction has sent all up to this offset, though not all of it was captured. */
void reasm_note_sent(struct weir_flow *flow, enum weir_dir dir, int64_t end);

/*
 * The end of what it has sent, a FIN included, as far as can be known: that, or all that was seen.
 */
int64_t reasm_sent_end(struct weir_flow *flow, enum weir_dir dir);

/* Whether bytes are missing between the next expected one and this offset. */
bool reasm_hole_before(struct weir_flow *flow, enum weir_dir dir, int64_t off);

/* Give up acknowledged holes whose grace is over at this tick, take what came early. */
void reasm_expire(struct engine *e, struct weir_flow *flow, enum weir_dir dir, uint64_t tick);

/* Drop what waits, as the receiver did. */
void reasm_drop_queue(struct weir_flow *flow, enum weir_dir dir);

/* Whether a segment waits, beyond doubt, that came as from .. to or more. */
bool reasm_covers(struct weir_flow *flow, enum weir_dir dir, int64_t from, int64_t to);

/* The flow ends: every hole becomes a gap of its cause. */
void reasm_finish(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* Bytes that were delivered. */
uint64_t reasm_delivered(const struct weir_flow *flow, enum weir_dir dir);

/* Copy delivered bytes that are still kept, from offset on, up to the first that is not. */
size_t
reasm_read(const struct weir_flow *flow, enum weir_dir dir, int64_t offset, uint8_t *to, size_t n);

/* Free all that the flow holds. */
void reasm_free(struct weir_flow *flow);

/* Forget what was kept for comparison, but not for apps that read back. */
void reasm_forget(const struct engine *e, struct weir_flow *flow);

/* Whether that would change anything. */
bool reasm_may_forget(const struct engine *e, const struct weir_flow *flow);

#endif
