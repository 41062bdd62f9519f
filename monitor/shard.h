/*
 * A shard: one of 256 parts of the flows, by a symmetric hash with a fixed key. It owns their
 * memory and its cap, their table and their timer wheel, so that what happens to a flow depends
 * on its shard's packets alone, whichever core works for it (DESIGN.md 5.2).
 *
 * Flows lie in blocks of 32 KiB, aligned to their size, with a header: a flow's address alone leads
 * to its shard and to its parts elsewhere in the block.
 */
#ifndef WEIR_SHARD_H
#define WEIR_SHARD_H

#include "core/wheel.h"
#include "hash.h"
#include "mem.h"

#include <weir/flow.h>
#include <weir/packet.h>

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { N_SHARDS = 256 };

/* One tick of the wheels: deadlines are rounded up to it. */
#define TICK_NS UINT64_C(100000000)

struct engine;
struct segs;

/*
 * What a flow is found by, the lower endpoint first. An IPv6 address is represented by 32 bits of
 * its keyed hash; the whole address is in struct flow_cold and compared last. Whole words, for they
 * are hashed, compared and copied for every packet.
 */
struct flow_key {
    uint64_t word[3]; /* addresses; ports and VLAN ids; protocol, IP version, VNI */
};

static inline uint32_t
key_addr(const struct flow_key *key, unsigned end)
{
    return (uint32_t)(key->word[0] >> (32 * end));
}

static inline uint16_t
key_port(const struct flow_key *key, unsigned end)
{
    return (uint16_t)(key->word[1] >> (16 * end));
}

static inline uint16_t
key_vlan(const struct flow_key *key, unsigned i)
{
    return (uint16_t)(key->word[1] >> (32 + 16 * i));
}

static inline uint8_t
key_proto(const struct flow_key *key)
{
    return (uint8_t)key->word[2];
}

/* 0: the slot is free. */
static inline uint8_t
key_ip_version(const struct flow_key *key)
{
    return (uint8_t)(key->word[2] >> 8);
}

enum { NO_VLAN = 0xffff };

static inline bool
key_has_vni(const struct flow_key *key)
{
    return (key->word[2] >> 40) != 0;
}

static inline uint32_t
key_vni(const struct flow_key *key)
{
    return (uint32_t)(key->word[2] >> 16) & 0xffffff;
}

/* A packet's key, and what the lookup needs with it. */
struct flow_ref {
    struct flow_key key;
    uint64_t hash; /* keyed: bucket and tag */
    uint8_t shard;
    bool swapped; /* the packet's source is the higher endpoint */
};

/* Bits of struct side.flags. */
enum {
    SIDE_SEEN = 1 << 0,      /* base and next mean something */
    SIDE_SYN = 1 << 1,       /* its SYN was seen */
    SIDE_FIN = 1 << 2,       /* its FIN was accepted: the stream ends at next */
    SIDE_FIN_WAITS = 1 << 3, /* its FIN came, out of order: flow_cold.fin */
    SIDE_ACKED = 1 << 4,     /* the peer sent an ACK: acked and edge mean something */
    SIDE_AFTER_GAP = 1 << 5, /* the next payload event is the first behind a gap */
    SIDE_FIN_ACKED = 1 << 6, /* the peer acknowledged its FIN */
    SIDE_RETREATS = 1 << 7,  /* the latest window that the peer offered ends before edge */
};

enum { NO_WSCALE = 15 };

/* One end of a TCP connection as a sender; offsets count from its first byte after the SYN. */
struct side {
    int64_t next;   /* the next offset that is expected: all before was delivered or given up */
    uint32_t base;  /* sequence number of offset 0 */
    uint32_t acked; /* low bits of the greatest offset that the peer acknowledged */
    uint32_t edge;  /* low bits of the greatest right edge that the peer offered */
    uint32_t packets;
    uint64_t flags : 8;     /* SIDE_ */
    uint64_t tcp_flags : 8; /* all that it ever sent, ORed */
    uint64_t state : 4;     /* enum weir_tcp_state of the host behind it */
    uint64_t wscale : 4;    /* its window scale option; NO_WSCALE: had none */
    uint64_t bytes : 40;    /* the last ones: adding to them is one instruction */
};
#define SIDE_BYTES_MAX ((UINT64_C(1) << 40) - 1)
static_assert(sizeof(struct side) == 32, "two sides fill a line");

/* Bits of weir_flow.flags. */
enum {
    FLOW_CLIENT_HIGH = 1 << 0, /* the client is the higher endpoint of the key */
    FLOW_MIDSTREAM = 1 << 1,
    FLOW_ESTABLISHED = 1 << 2,
    FLOW_RESET = 1 << 3, /* a RST was accepted: data waits for the receiver's ACK */
    FLOW_CLOSED = 1 << 4,
    FLOW_ENDED = 1 << 5,           /* flow_end was raised; taps may still sleep */
    FLOW_REUSE_WAITS = 1 << 6,     /* flow_cold.reuse_seq: a SYN of another connection was seen */
    FLOW_RARE = 1 << 7,            /* flow_cold.rare is not NULL */
    FLOW_SIGNED = 1 << 8,          /* TCP: signatures (MD5, AO) were agreed on */
    FLOW_RESET_BY_SERVER = 1 << 9, /* who sent the RST that was accepted, if FLOW_RESET */
    FLOW_URGENT = 1 << 10,         /* rare.urgent: an urgent byte lies ahead */
    FLOW_BOTH_OPEN = 1 << 11,      /* the server sent a SYN of its own */
    FLOW_REUSE_BACK = 1 << 12,     /* FLOW_REUSE_WAITS: the server sent it */
    FLOW_OTHER_SYN_ACK = 1 << 13,  /* rare.other_syn_ack: another SYN/ACK was seen, or one that does
                                      not answer the flow's own SYN */
    FLOW_TS_CLIENT = 1 << 14,      /* its SYN has timestamps, */
    FLOW_TS_SERVER = 1 << 15,      /* so has its own: both use them */
    FLOW_TTL_TOSERVER = 16,        /* not a bit: the TTL that this side uses lies from here on */
    FLOW_TTL_TOCLIENT = 24,
    FLOW_TS = FLOW_TS_CLIENT | FLOW_TS_SERVER,
};

/*
 * Parts of weir_flow.kept: a pointer, used, class. Class 0: the pointer is that of a ring of
 * segments, NULL if there is none. Otherwise it is that of the block that the next small segment
 * goes to, of 1 << (class + KEPT_CLASS_MIN) bytes, and so many are used: nothing else has to be
 * touched for it.
 */
enum { KEPT_USED_AT = 48, KEPT_CLASS_AT = 60, KEPT_USED = 0xfff, KEPT_CLASS_MIN = 5 };

/* The hot part of a flow: two cache lines. */
struct weir_flow {
    alignas(64) struct flow_key key;
    uint64_t last;    /* clock at the latest packet */
    uint32_t ts[2];   /* by direction: TS.Recent of its receiver (RFC 7323 4.3) */
    uint64_t kept[2]; /* by direction: KEPT_, what was delivered not long ago, for comparison */
    uint32_t flags;   /* FLOW_ */
    uint32_t slot;
    struct side side[2]; /* by direction that it sends in */
};
static_assert(sizeof(struct weir_flow) == 128, "two cache lines");

/* The address where the next segment is kept, for the cache; small: nothing is. */
static inline uintptr_t
flow_kept_end(const struct weir_flow *flow, enum weir_dir dir)
{
    const uint64_t kept = flow->kept[dir];

    return (uintptr_t)((kept & ((UINT64_C(1) << KEPT_USED_AT) - 1)) +
                       (kept >> KEPT_USED_AT & KEPT_USED));
}

/* The rest, touched when something rare happens. */
struct flow_cold {
    struct wheel_node timer;
    uint64_t id;
    uint64_t start;          /* nanoseconds */
    uint32_t fin[2];         /* SIDE_FIN_WAITS: low bits of the stream's length */
    uint32_t fin_segment[2]; /* and of the offset of the segment that the FIN came in */
    uint32_t reuse_seq;      /* FLOW_REUSE_WAITS: sequence number of that SYN */
    uint32_t asleep;        /* taps that had not ended when the flow did; free slot: the next one */
    struct rare *rare;      /* NULL until data came out of order or was given up */
    uint16_t max_window[2]; /* for the data of each direction: greatest window field before this */
    union {
        uint8_t fin_doubt[2]; /* SIDE_FIN_WAITS: enum doubt, whether it counts */
        uint8_t syns[2]; /* by direction that no packet came in: other SYNs of the peer before */
    };
    uint8_t policy[2];       /* for the data of each direction: enum weir_policy of its receiver */
    struct weir_addr *addr6; /* IPv6: lower and higher endpoint */
};

#define NO_URGENT INT64_MIN

/* Parts of rare.tail_since. */
#define TAIL_TICK UINT32_C(0xffff)     /* low bits of the tick */
#define TAIL_SENT UINT32_C(0x40000000) /* a segment of the sender began behind them */
#define TAIL_ANY  UINT32_C(0x80000000)

/* What both ends say of a direction's bytes beyond anything that was allowed: monitor/resync.h. */
struct beyond {
    int64_t from, to; /* what the sender sent there last, in one piece */
    int64_t acked;    /* the receiver's latest ACK there, 0: none, */
    int64_t edge;     /* and the window that it offers */
};

/* What a SYN said; flags: its bits of weir_flow.flags, the TTL among them, as if a client's. */
struct tcp_syn {
    bool known;
    uint8_t wscale;
    uint16_t window;
    uint32_t base, ts, flags;
};

/* What only a flow with holes, urgent data or more than one SYN needs. */
struct rare {
    struct segs *queue[2];  /* by direction: data beyond next, sorted */
    uint64_t queued[2];     /* bytes in queue */
    int64_t lost[2];        /* bytes given up by gaps */
    uint64_t undelivered;   /* bytes behind holes that were never acknowledged */
    int64_t urgent[2];      /* FLOW_URGENT: offset of the urgent byte; NO_URGENT: none */
    uint32_t tail_since[2]; /* since bytes beyond all data were acknowledged: TAIL_; 0: none */
    uint32_t answers[2];    /* packets of the receiver when segments in doubt began to wait */
    uint8_t low_ttl[2];     /* the latest that fell below the usual one */
    bool reset_in_doubt;    /* FLOW_RESET: the RST may not have arrived */
    uint8_t early;          /* what the client sent before its server was heard: reasm_early.c, */
    uint32_t early_ack;     /* and what the first of that acknowledges */
    int64_t refused[2];     /* greatest offset of data that found no room; -1: none */
    int64_t sent[2];        /* the end of what was sent for sure, captured or not; 0: not noted */
    struct beyond beyond[2];
    struct tcp_syn reuse_syn; /* FLOW_REUSE_WAITS: that one */
    struct tcp_syn
        other_syn; /* one that was sent before the flow's own, and that nobody answered */
    struct tcp_syn other_syn_ack; /* FLOW_OTHER_SYN_ACK: that one, */
    uint32_t other_ack;           /* and what it acknowledges */
};

enum { PER_BUCKET = 8, FIRST_BUCKETS = 8 };

/* Eight flows by 16 bits of their hash; an entry that did not fit is in a later bucket. */
struct bucket {
    alignas(64) uint16_t tag[PER_BUCKET]; /* 0: empty */
    uint32_t slot[PER_BUCKET];
    uint32_t passed; /* entries that looked for room here and went on */
    uint32_t zero[3];
};
static_assert(sizeof(struct bucket) == 64, "one line");

/*
 * What a shard's table begins as. Those of all shards lie side by side: in memory of their own,
 * which is aligned, they would share the few sets of a cache that hold what its first bytes hold.
 */
struct first_table {
    struct bucket bucket[FIRST_BUCKETS];
};

/*
 * A block of flows: this header, then each flow's hot part with the apps' parts behind it, then the
 * cold parts. What every packet touches lies together: a page that it shares is looked up once.
 */
enum { BLOCK_SIZE = ARENA_UNIT, BLOCK_HEADER = 64, SLOT_SHIFT = 6 };
#define SLOT_MAX (UINT32_MAX - BLOCK_SIZE) /* of a block: its flows' slots and 1 are numbers, too */

struct block {
    struct shard *shard;
    struct block *next; /* of the shard; NULL: the last one, which may not be full */
};

/* Sizes that all shards of an engine share. */
struct shard_layout {
    size_t cap;         /* bytes of memory a shard may use */
    size_t app_stride;  /* bytes of taps and app state a flow */
    uint32_t stride;    /* and of its hot part: both whole lines */
    uint32_t per_block; /* flows in a block */
    uint32_t cold_at;   /* offset of the cold parts in it */
    uint8_t *base;      /* lines are numbered from here: a flow's slot is that of its first */
};

struct shard {
    alignas(64) struct bucket *buckets;
    uint8_t *base; /* of layout */
    const struct shard_layout *layout;
    struct engine *engine;
    uint32_t bucket_mask;
    uint32_t n_flows;    /* in the table */
    uint32_t n_slots;    /* ever used; they fill block after block */
    uint32_t free_slot;  /* head of the free list + 1; 0: none */
    struct wheel *wheel; /* the engine's, apart: shards are looked at for every packet */
    struct block *first_block, *last_block;
    struct weir_flow *hand; /* where the search for an idle flow to evict goes on; NULL: anew */
    struct arena *arena;
    struct mem mem;
};

/*
 * Work out a layout. app_stride: bytes of taps and app state in every flow.
 * Returns false if not even one flow would fit into a block.
 */
bool shard_layout(struct shard_layout *layout, size_t cap, size_t app_stride);

/*
 * Set up a shard that takes its memory from the arena, which begins at layout->base and is zeroed.
 * table: of the arena, too; the shard frees it when it needs a larger one. Returns false if the cap
 * has no room for it.
 */
bool shard_init(struct shard *shard, struct arena *arena, const struct shard_layout *layout,
                struct engine *engine, struct wheel *wheel, struct first_table *table);

static inline const struct block *
flow_block(const struct weir_flow *flow)
{
    return (const struct block *)((uintptr_t)flow & ~(uintptr_t)(BLOCK_SIZE - 1));
}

static inline struct shard *
flow_shard(const struct weir_flow *flow)
{
    return flow_block(flow)->shard;
}

static inline struct weir_flow *
slot_flow(uint8_t *base, uint32_t slot)
{
    return (struct weir_flow *)(void *)(base + ((size_t)slot << SLOT_SHIFT));
}

static inline struct weir_flow *
shard_flow(const struct shard *shard, uint32_t slot)
{
    return slot_flow(shard->base, slot);
}

/* Its place in the block. */
static inline uint32_t
flow_place(const struct shard_layout *layout, const struct weir_flow *flow)
{
    return ((uint32_t)(uintptr_t)flow % BLOCK_SIZE - BLOCK_HEADER) / layout->stride;
}

/* Its cold part: shard_cold() looks at nothing of the flow for that. */
static inline struct flow_cold *
shard_cold(const struct shard_layout *layout, const struct weir_flow *flow)
{
    return (struct flow_cold *)((uintptr_t)flow_block(flow) + layout->cold_at) +
           flow_place(layout, flow);
}

static inline struct flow_cold *
flow_cold(const struct weir_flow *flow)
{
    return shard_cold(flow_shard(flow)->layout, flow);
}

/* The record for holes; NULL: it has none. Does not touch the cold part for that. */
static inline struct rare *
flow_rare(const struct weir_flow *flow)
{
    return flow->flags & FLOW_RARE ? flow_cold(flow)->rare : NULL;
}

/* The taps and state of all apps in this flow. */
static inline uint8_t *
flow_apps(const struct weir_flow *flow)
{
    return (uint8_t *)(uintptr_t)(flow + 1);
}

/* The flow whose timer this is. */
struct weir_flow *flow_of_timer(const struct wheel_node *timer);

/* An IPv4 endpoint: both for the choice of a shard and for the key. */
static inline uint64_t
key_end4(const struct weir_addr *addr, uint16_t port)
{
    uint32_t v4;

    memcpy(&v4, addr->b, sizeof(v4));
    return (uint64_t)v4 << 16 | port;
}

/* The same for both directions, as sum and XOR are. */
static inline uint8_t
shard_of_ends(const struct weir_packet *pkt, uint64_t src, uint64_t dst)
{
    uint64_t both = (src ^ dst) * UINT64_C(0x9e3779b97f4a7c15) + src + dst;

    return (uint8_t)(mix64(both ^ pkt->proto) >> 56);
}

static inline uint64_t
key_hash(const struct flow_key *key, const struct hash_key *secret)
{
    return hash3(secret, key->word);
}

/* The VLAN ids that count, as a key has them. */
static inline uint64_t
key_vlans(const struct weir_packet *pkt, bool by_vlan)
{
    const uint64_t none = NO_VLAN, outer = pkt->vlan[0];

    if (WEIR_LIKELY(pkt->n_vlan == 0) || !by_vlan)
        return none | none << 16;
    return outer | (pkt->n_vlan > 1 ? (uint64_t)pkt->vlan[1] : none) << 16;
}

/* Which endpoint is the lower one nobody can foresee, so there is no branch for it. */
static inline void
key_set(const struct weir_packet *pkt, bool by_vlan, uint64_t src, uint64_t dst,
        struct flow_key *key)
{
    const uint64_t swap = (src ^ dst) & -(uint64_t)(src > dst), low = src ^ swap, high = dst ^ swap;

    key->word[0] = low >> 16 | (high & ~UINT64_C(0xffff)) << 16;
    key->word[1] = (low & 0xffff) | (high & 0xffff) << 16 | key_vlans(pkt, by_vlan) << 32;
    key->word[2] = pkt->proto | (uint64_t)pkt->ip_version << 8;
    if (WEIR_UNLIKELY(pkt->has_vni))
        key->word[2] |= (uint64_t)pkt->vni << 16 | UINT64_C(1) << 40;
}

/* The same as flow_ref(), for all but IPv4. */
void flow_ref6(const struct weir_packet *pkt, bool by_vlan, const struct hash_key *secret,
               struct flow_ref *ref);

/* Key, hash and shard of a decoded packet that belongs to a flow. */
static inline __attribute__((always_inline)) void
flow_ref(const struct weir_packet *pkt, bool by_vlan, const struct hash_key *secret,
         struct flow_ref *ref)
{
    uint64_t src, dst;

    if (WEIR_UNLIKELY(pkt->ip_version != 4)) {
        flow_ref6(pkt, by_vlan, secret, ref);
        return;
    }
    src = key_end4(&pkt->src, pkt->src_port);
    dst = key_end4(&pkt->dst, pkt->dst_port);
    key_set(pkt, by_vlan, src, dst, &ref->key);
    ref->swapped = src > dst;
    ref->hash = key_hash(&ref->key, secret);
    ref->shard = shard_of_ends(pkt, src, dst);
}

/*
 * Where the table of a shard is: all of an engine together lie in few lines, as the shards do not.
 */
struct shard_table {
    const struct bucket *buckets;
    uint64_t mask;
};

static inline struct shard_table
shard_table(const struct shard *shard)
{
    return (struct shard_table){ shard->buckets, shard->bucket_mask };
}

/* Ask the cache for what a lookup will read; then for the flow that it will most likely find. */
static inline __attribute__((always_inline)) void
shard_prefetch(const struct shard_table *table, const struct flow_ref *ref)
{
    __builtin_prefetch(&table->buckets[ref->hash & table->mask]);
}

static inline uint16_t
hash_tag(uint64_t hash)
{
    return (uint16_t)(hash >> 48 | 1);
}

#ifdef __SSE2__
/* The place of the first tag that is this one; PER_BUCKET: none is. */
static inline unsigned
bucket_find(const struct bucket *b, uint16_t which)
{
    const __m128i all = _mm_load_si128((const __m128i *)(const void *)b->tag);
    const int same = _mm_movemask_epi8(_mm_cmpeq_epi16(all, _mm_set1_epi16((short)which)));

    return (unsigned)__builtin_ctz((unsigned)same | 1U << 2 * PER_BUCKET) / 2;
}
#else
static inline unsigned
bucket_find(const struct bucket *b, uint16_t which)
{
    unsigned i = 0;

    while (i < PER_BUCKET && b->tag[i] != which)
        i++;
    return i;
}
#endif

/* The flow that most likely is the one. */
static inline struct weir_flow *
shard_guess(const struct shard_table *table, uint8_t *base, const struct flow_ref *ref)
{
    const struct bucket *b = &table->buckets[ref->hash & table->mask];
    const unsigned i = bucket_find(b, hash_tag(ref->hash));

    return i == PER_BUCKET ? NULL : slot_flow(base, b->slot[i]);
}

/* The flow of a packet, or NULL. */
struct weir_flow *
shard_find(struct shard *shard, const struct flow_ref *ref, const struct weir_packet *pkt);

/* The same where the flow was guessed, which may have ended since. */
static inline struct weir_flow *
shard_find_guessed(struct shard *shard, const struct flow_ref *ref, const struct weir_packet *pkt,
                   struct weir_flow *guess)
{
    if (WEIR_LIKELY(guess != NULL && pkt->ip_version == 4 && !(guess->flags & FLOW_ENDED) &&
                    ((guess->key.word[0] ^ ref->key.word[0]) |
                     (guess->key.word[1] ^ ref->key.word[1]) |
                     (guess->key.word[2] ^ ref->key.word[2])) == 0))
        return guess;
    return shard_find(shard, ref, pkt);
}

/* A new flow in the table, zeroed but for its key and addresses; NULL: no memory left. */
struct weir_flow *shard_add(struct shard *shard, const struct flow_ref *ref,
                            const struct weir_packet *pkt, const struct hash_key *secret);

/* Take a flow out of the table: a new one may have its key. Its memory stays. */
void shard_unlink(struct shard *shard, struct weir_flow *flow, const struct hash_key *secret);

/* Give a flow's slot back. The caller has freed what hangs on it. */
void shard_release(struct shard *shard, struct weir_flow *flow);

/*
 * The slot behind this flow's, of all that were ever used; NULL: the first; returns NULL behind the
 * last. The flow in it may be free: see flow_used().
 */
struct weir_flow *shard_next(const struct shard *shard, const struct weir_flow *flow);

/* A slot that is not free; the flow may have ended already (FLOW_ENDED). */
static inline bool
flow_used(const struct weir_flow *flow)
{
    return key_ip_version(&flow->key) != 0;
}

#endif
