/*
 * Inline: what becomes of each packet, and those that wait for it.
 *
 * A packet is settled once: it leaves by the outlet, or is dropped. That is when its events have
 * been delivered and handlers have run; or later, when a tap of an app that gates sleeps on one of
 * them, or earlier packets of its flow are held. Packets of a flow are settled in their order.
 *
 * Threads: a core's.
 */
#ifndef WEIR_INLINE_H
#define WEIR_INLINE_H

#include "batch.h"
#include "cut.h"
#include "mem.h"
#include "shard.h"

#include <weir/monitor.h>

#include <string.h>

struct engine;

/* What was said of a packet. */
struct judged {
    uint64_t number; /* 0: of none */
    uint8_t verdict; /* enum weir_verdict, the gravest */
    uint8_t reject;  /* enum weir_reject_to, ORed */
    bool sticks;     /* WEIR_DROP holds for its sequence numbers */
    bool unseen;     /* a tap that gates had no room for one of its events */
};

/* A packet that has not been settled. */
struct passing {
    struct judged judged;
    const struct weir_packet *pkt; /* what it says; its frame may be a whole datagram */
    const uint8_t *data;           /* what leaves: len bytes */
    uint32_t len;
    uint8_t from; /* weir_frame.port */
    uint8_t dir;  /* enum weir_dir */
    bool rewritten;
    bool known;       /* TCP: its sender was seen before */
    bool lodger;      /* it is of no flow, and waits in that of the datagram before it */
    struct came came; /* .frame NULL: it is no fragment */
    /* TCP: sequence numbers that the receiver expects of its sender, and that the sender expects,
       if all packets so far have left. */
    uint32_t expected, expected_back;
};

struct held_packet {
    struct held_packet *next; /* of its flow, in a ring */
    struct passing p;
    struct weir_packet pkt; /* its pointers lead into room */
    size_t size;            /* of this block */
    uint8_t room[];         /* what leaves; if that is another frame than pkt's, pkt's headers */
};

enum gate_state {
    GATE_OPEN,
    GATE_DROPS,  /* all packets, */
    GATE_RESETS, /* and answers them as a host that has no such connection */
};

/* Of a flow; in its part for apps. Zeroed when it starts. */
struct gate {
    struct held_packet *last; /* which points to the first */
    uint32_t n, bytes;        /* held */
    uint64_t latest;          /* number of the flow's latest packet */
    struct cut cut[2];        /* by direction */
    uint8_t state;            /* enum gate_state */
    bool fails_open;          /* until the apps have caught up */
    bool told;                /* the event overload was raised, likewise */
    bool rst_sent[2];         /* to the client (0) and the server, for GATE_RESETS */

    /* By gating app, where its tap is: at_packet() of the one whose event it sleeps on, or */
    uint64_t at[]; /* at_timer() of the one that it has done with; 0: it rests */
};

/* Places in order: a packet's events, then what a timer raises behind it. */
static inline uint64_t
at_packet(uint64_t number)
{
    return 2 * number;
}

static inline uint64_t
at_timer(uint64_t behind)
{
    return 2 * behind + 1;
}

struct inline_core {
    struct weir_outlet outlet;
    uint32_t max_packets, max_bytes;
    struct arena arena;
    struct mem mem; /* what is held */
    uint8_t *range;
    size_t range_size;
    unsigned n_gates;
    uint8_t gate_of[16];    /* by app, NO_GATE: it does not */
    size_t at;              /* of struct gate in a flow's part for apps */
    struct weir_flow *flow; /* of now; NULL: it has none, so far */
    struct passing now;     /* the packet at hand; judged.number 0: it was settled */
    uint8_t *edit;          /* EDIT_ROOM bytes, for now as it leaves */
};

enum { NO_GATE = 0xff, EDIT_ROOM = 256 << 10 };

/* WEIR_E_OK or WEIR_E_NOMEM. outlet->send NULL: nothing is made. */
int inline_new(const struct weir_outlet *outlet, const struct weir_monitor_opts *opts,
               struct inline_core **out);

/* What is held is dropped without a word. NULL is allowed. */
void inline_free(struct inline_core *inl);

/* With the first packet. */
int inline_start(struct inline_core *inl, const struct weir_monitor_opts *opts);

/* All apps are known: bytes that a flow's part for apps takes from @at on. */
size_t inline_place(struct engine *e, size_t at);

static inline struct gate *
inline_gate(const struct inline_core *inl, uint8_t *part)
{
    return (struct gate *)(void *)(part + inl->at);
}

static inline void
inline_start_flow(const struct inline_core *inl, uint8_t *part)
{
    memset(inline_gate(inl, part), 0, sizeof(struct gate) + inl->n_gates * sizeof(uint64_t));
}

/* An arrival is about to be looked at; it is a packet, or tells of one. */
void inline_begin(struct engine *e, const struct arrival *a);

/* Its flow is known, and has not been told of it. */
void inline_found(struct engine *e, struct weir_flow *flow, enum weir_dir dir);

/* A tap that gates had no room for an event. */
void inline_unseen(struct engine *e, const struct weir_tap *tap, const struct weir_event *ev);

/* The packet's events were delivered and handlers have run. */
void inline_settle(struct engine *e);

/* The flow has ended, and its taps were not told to finish yet: it holds packets no longer. */
void inline_flow_ends(struct engine *e, struct weir_flow *flow);

/* Both ends were told that the connection is over: a SYN opens another. */
bool inline_was_reset(const struct engine *e, const struct weir_flow *flow);

/* What was sent goes out. */
void inline_flush(const struct engine *e);

/* For the core: how far taps are. */
extern const struct tap_hooks inline_hooks;

/* What was said: @v, and who is told. */
void
inline_judge(struct engine *e, const struct weir_event *ev, enum weir_verdict v, unsigned reject);

/* The packet that an event is about, if it has not been settled; else NULL. */
struct passing *inline_find(struct engine *e, const struct weir_event *ev);

/* Its bytes, to be changed; NULL: there is no room. */
uint8_t *inline_edit(struct engine *e, struct passing *p);

/* The engine whose stage is running; NULL: there is none, or it has no outlet. */
struct engine *inline_engine(void);

#endif
