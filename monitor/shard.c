#include "shard.h"

#include <stdalign.h>

/* ---- layout ------------------------------------------------------------------------------- */

static size_t
round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

bool
shard_layout(struct shard_layout *layout, size_t cap, size_t app_stride)
{
    size_t stride, n;

    app_stride = round_up(app_stride, alignof(struct weir_flow));
    stride = sizeof(struct weir_flow) + app_stride;
    n = (BLOCK_SIZE - BLOCK_HEADER) / (stride + sizeof(struct flow_cold));
    if (n == 0)
        return false;
    *layout = (struct shard_layout){
        .cap = cap,
        .app_stride = app_stride,
        .stride = (uint32_t)stride,
        .per_block = (uint32_t)n,
        .cold_at = (uint32_t)(BLOCK_HEADER + n * stride),
    };
    return true;
}

/* A bucket array of mask + 1 buckets, all empty. */
static struct bucket *
new_table(struct shard *shard, uint32_t mask)
{
    size_t size = ((size_t)mask + 1) * sizeof(struct bucket);
    struct bucket *buckets = size > (size_t)1 << MEM_MAX_SHIFT ? NULL
                                                               : mem_alloc(&shard->mem, size);

    if (buckets != NULL)
        memset(buckets, 0, size);
    return buckets;
}

bool
shard_init(struct shard *shard, struct arena *arena, const struct shard_layout *layout,
           struct engine *engine, struct wheel *wheel, struct first_table *table)
{
    *shard = (struct shard){
        .base = layout->base,
        .layout = layout,
        .engine = engine,
        .bucket_mask = FIRST_BUCKETS - 1,
        .wheel = wheel,
        .arena = arena,
    };
    mem_init_arena(&shard->mem, arena, layout->cap);
    shard->buckets = table->bucket;
    return mem_charge(&shard->mem, sizeof(*table));
}

struct weir_flow *
flow_of_timer(const struct wheel_node *timer)
{
    uintptr_t block = (uintptr_t)timer & ~(uintptr_t)(BLOCK_SIZE - 1);
    const struct shard_layout *layout = ((const struct block *)block)->shard->layout;
    size_t i = ((uintptr_t)timer - block - layout->cold_at) / sizeof(struct flow_cold);

    return (struct weir_flow *)(block + BLOCK_HEADER + i * layout->stride);
}

/* ---- keys --------------------------------------------------------------------------------- */

/* An IPv6 one for the choice of a shard: no secret, as the shard is part of what a replay gives. */
static uint64_t
spread6(const struct weir_addr *addr, uint16_t port)
{
    uint64_t half[2];

    memcpy(half, addr->b, sizeof(half));
    return mix64(half[0] + mix64(half[1] + port));
}

/* 32 bits for an IPv6 address, and its port: endpoints are ordered by it. */
static uint64_t
endpoint6(const struct weir_addr *addr, uint16_t port, const struct hash_key *secret)
{
    uint64_t half[2];

    memcpy(half, addr->b, sizeof(half));
    return (siphash13(secret, half, 2) & UINT32_MAX) << 16 | port;
}

/* Not inline: flow_ref() stays short. */
__attribute__((noinline)) void
flow_ref6(const struct weir_packet *pkt, bool by_vlan, const struct hash_key *secret,
          struct flow_ref *ref)
{
    const uint64_t src = endpoint6(&pkt->src, pkt->src_port, secret);
    const uint64_t dst = endpoint6(&pkt->dst, pkt->dst_port, secret);

    key_set(pkt, by_vlan, src, dst, &ref->key);
    /* Two IPv6 addresses may share their 32 bits. */
    ref->swapped = src != dst ? src > dst : memcmp(&pkt->src, &pkt->dst, sizeof(pkt->src)) > 0;
    ref->hash = key_hash(&ref->key, secret);
    ref->shard = shard_of_ends(pkt, spread6(&pkt->src, pkt->src_port),
                               spread6(&pkt->dst, pkt->dst_port));
}

/* ---- table -------------------------------------------------------------------------------- */

static bool
same_key(const struct weir_flow *flow, const struct flow_ref *ref, const struct weir_packet *pkt)
{
    const struct flow_cold *cold;

    if (memcmp(&flow->key, &ref->key, sizeof(ref->key)) != 0)
        return false;
    if (pkt->ip_version == 4)
        return true;
    cold = flow_cold(flow);
    return memcmp(&cold->addr6[ref->swapped], &pkt->src, 16) == 0 &&
           memcmp(&cold->addr6[!ref->swapped], &pkt->dst, 16) == 0;
}

struct weir_flow *
shard_find(struct shard *shard, const struct flow_ref *ref, const struct weir_packet *pkt)
{
    uint64_t at = ref->hash & shard->bucket_mask;
    uint16_t tag = hash_tag(ref->hash);

    for (uint32_t n = 0; n <= shard->bucket_mask; n++, at = (at + 1) & shard->bucket_mask) {
        const struct bucket *b = &shard->buckets[at];

        for (unsigned i = 0; i < PER_BUCKET; i++) {
            struct weir_flow *flow;

            if (b->tag[i] != tag)
                continue;
            flow = shard_flow(shard, b->slot[i]);
            if (same_key(flow, ref, pkt))
                return flow;
        }
        if (b->passed == 0)
            break;
    }
    return NULL;
}

static void
put(struct bucket *buckets, uint32_t mask, uint64_t hash, uint32_t slot)
{
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        struct bucket *b = &buckets[at];

        for (unsigned i = 0; i < PER_BUCKET; i++) {
            if (b->tag[i] == 0) {
                b->tag[i] = hash_tag(hash);
                b->slot[i] = slot;
                return;
            }
        }
        b->passed++;
    }
}

/* Put every flow into a table twice as large. */
static bool
grow(struct shard *shard, const struct hash_key *secret)
{
    struct bucket *old = shard->buckets, *new = new_table(shard, shard->bucket_mask * 2 + 1);

    if (new == NULL)
        return false;
    for (uint32_t b = 0; b <= shard->bucket_mask; b++)
        for (unsigned i = 0; i < PER_BUCKET; i++)
            if (old[b].tag[i] != 0)
                put(new, shard->bucket_mask * 2 + 1,
                    key_hash(&shard_flow(shard, old[b].slot[i])->key, secret), old[b].slot[i]);
    mem_free(&shard->mem, old, ((size_t)shard->bucket_mask + 1) * sizeof(struct bucket));
    shard->buckets = new;
    shard->bucket_mask = shard->bucket_mask * 2 + 1;
    return true;
}

/* ---- slots -------------------------------------------------------------------------------- */

static size_t
slot_size(const struct shard *shard)
{
    return shard->layout->stride + sizeof(struct flow_cold);
}

/* Its flows are counted one by one. */
static struct block *
add_block(struct shard *shard)
{
    struct block *block = mem_alloc(&shard->mem, BLOCK_SIZE);

    if (block == NULL)
        return NULL;
    if ((size_t)((uint8_t *)block - shard->base) >> SLOT_SHIFT > SLOT_MAX) {
        mem_free(&shard->mem, block, BLOCK_SIZE);
        return NULL;
    }
    mem_uncharge(&shard->mem, BLOCK_SIZE);
    *block = (struct block){ .shard = shard };
    if (shard->last_block != NULL)
        shard->last_block->next = block;
    else
        shard->first_block = block;
    shard->last_block = block;
    return block;
}

/*
 * The place at which a block begins to fill up. Blocks lie at multiples of a size that many sets of
 * a cache divide: if all began at their front, few flows in each would share few sets.
 */
static uint32_t
first_place(const struct shard *shard, const struct block *block)
{
    const size_t number = (size_t)((const uint8_t *)block - shard->base) / BLOCK_SIZE;
    const uint32_t spread = (uint32_t)number * UINT32_C(0x9e3779b1) >> 24; /* of 256 */

    return spread * shard->layout->per_block >> 8;
}

/* Its n-th flow, in the order in which it fills up. */
static struct weir_flow *
block_flow(const struct shard *shard, const struct block *block, uint32_t n)
{
    const struct shard_layout *layout = shard->layout;
    const uint32_t place = (first_place(shard, block) + n) % layout->per_block;

    return (struct weir_flow *)((uintptr_t)block + BLOCK_HEADER + (size_t)place * layout->stride);
}

static struct weir_flow *
fresh_slot(struct shard *shard)
{
    uint32_t n = shard->n_slots % shard->layout->per_block;
    struct weir_flow *flow;

    if (n == 0 && add_block(shard) == NULL)
        return NULL;
    flow = block_flow(shard, shard->last_block, n);
    flow->slot = (uint32_t)((size_t)((uint8_t *)flow - shard->base) >> SLOT_SHIFT);
    shard->n_slots++;
    __builtin_prefetch((const char *)flow + shard->layout->stride, 1); /* the next one, mostly */
    __builtin_prefetch((const char *)flow + shard->layout->stride + 64, 1);
    __builtin_prefetch(flow_cold(flow) + 1, 1);
    return flow;
}

struct weir_flow *
shard_next(const struct shard *shard, const struct weir_flow *flow)
{
    const uint32_t per_block = shard->layout->per_block;
    const struct block *block = shard->first_block;
    uint32_t n = 0, in_last;

    if (flow != NULL) {
        block = flow_block(flow);
        n = (flow_place(shard->layout, flow) + per_block - first_place(shard, block)) % per_block +
            1;
    }
    if (n == per_block) {
        block = block->next;
        n = 0;
    }
    in_last = shard->n_slots > 0 ? (shard->n_slots - 1) % per_block + 1 : 0;
    if (block == NULL || (block == shard->last_block && n == in_last))
        return NULL;
    return block_flow(shard, block, n);
}

static struct weir_flow *
take_slot(struct shard *shard)
{
    struct weir_flow *flow;

    if (!mem_charge(&shard->mem, slot_size(shard)))
        return NULL;
    if (shard->free_slot == 0) {
        flow = fresh_slot(shard);
        if (flow == NULL)
            mem_uncharge(&shard->mem, slot_size(shard));
        return flow;
    }
    flow = shard_flow(shard, shard->free_slot - 1);
    shard->free_slot = flow_cold(flow)->asleep;
    return flow;
}

static bool
keep_addresses(struct shard *shard, struct flow_cold *cold, const struct flow_ref *ref,
               const struct weir_packet *pkt)
{
    cold->addr6 = mem_alloc(&shard->mem, 2 * sizeof(*cold->addr6));
    if (cold->addr6 == NULL)
        return false;
    cold->addr6[ref->swapped] = pkt->src;
    cold->addr6[!ref->swapped] = pkt->dst;
    return true;
}

struct weir_flow *
shard_add(struct shard *shard, const struct flow_ref *ref, const struct weir_packet *pkt,
          const struct hash_key *secret)
{
    struct weir_flow *flow;
    struct flow_cold *cold;
    uint32_t slot;

    /* Two thirds full is where buckets of eight begin to overflow often. */
    if (shard->n_flows * 3 >= (shard->bucket_mask + 1) * PER_BUCKET * 2 && !grow(shard, secret))
        return NULL;
    flow = take_slot(shard);
    if (flow == NULL)
        return NULL;
    slot = flow->slot;
    cold = flow_cold(flow);
    *flow = (struct weir_flow){ .key = ref->key, .slot = slot };
    memset(cold, 0, sizeof(*cold));
    if (pkt->ip_version == 6 && !keep_addresses(shard, cold, ref, pkt)) {
        shard_release(shard, flow);
        return NULL;
    }
    put(shard->buckets, shard->bucket_mask, ref->hash, slot);
    shard->n_flows++;
    return flow;
}

void
shard_unlink(struct shard *shard, struct weir_flow *flow, const struct hash_key *secret)
{
    uint64_t hash = key_hash(&flow->key, secret);

    shard->n_flows--;
    for (uint64_t at = hash & shard->bucket_mask;; at = (at + 1) & shard->bucket_mask) {
        struct bucket *b = &shard->buckets[at];

        for (unsigned i = 0; i < PER_BUCKET; i++) {
            if (b->tag[i] != 0 && b->slot[i] == flow->slot) {
                b->tag[i] = 0;
                return;
            }
        }
        assert(b->passed > 0);
        b->passed--;
    }
}

void
shard_release(struct shard *shard, struct weir_flow *flow)
{
    struct flow_cold *cold = flow_cold(flow);

    wheel_remove(&cold->timer);
    mem_free(&shard->mem, cold->addr6, 2 * sizeof(*cold->addr6));
    flow->key.word[2] = 0;
    cold->asleep = shard->free_slot;
    shard->free_slot = flow->slot + 1;
    mem_uncharge(&shard->mem, slot_size(shard));
}
