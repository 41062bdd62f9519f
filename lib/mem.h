/*
 * Memory of one shard: blocks of 64 bytes to 16 MiB, sizes rounded up to powers of two, cut from
 * pieces of an address range that all shards of an engine share. Never a system call, never more
 * than the cap.
 *
 * Threads: none; a shard belongs to one core.
 */
#ifndef WEIR_MEM_H
#define WEIR_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEM_SHARDS = 256 }; /* as weir_flow_shard() counts them */

enum { MEM_MIN_SHIFT = 6, MEM_MAX_SHIFT = 24, MEM_CLASSES = MEM_MAX_SHIFT - MEM_MIN_SHIFT + 1 };

/* An address range that is handed out in pieces and never taken back. */
struct arena {
    uint8_t *next, *end;
    bool pools;              /* what is freed serves all who take from it; each keeps to its cap */
    void *free[MEM_CLASSES]; /* with pools */
};

enum { ARENA_UNIT = 32768 }; /* pieces are multiples of it, and aligned to it */

/* Use what of [base, base + size) is aligned. */
void arena_init(struct arena *arena, void *base, size_t size);

/* A piece, zeroed if the range was; NULL: there is none left. */
void *arena_take(struct arena *arena, size_t size);

/* The range from base on is about to serve others: its free blocks are no longer guarded. */
void arena_give_back(struct arena *arena, void *base);

struct mem {
    uint8_t *next, *end; /* what was never handed out yet */
    struct arena *arena; /* where more comes from; NULL: nowhere */
    uint8_t *base;       /* freed blocks are joined: of what lies from here on */
    uint8_t *begins;     /* by MEM_MIN_SHIFT: 1 + class of a free block that begins there; NULL:
                            they are not joined */
    size_t used;         /* bytes in blocks and charges */
    size_t cap;          /* used never exceeds it */
    void *own[MEM_CLASSES];
    void **free; /* own, or the arena's: free blocks by size, linked through their first word */
};

/* Use [base, base + reserved) for blocks, base aligned to 64. */
void mem_init(struct mem *mem, void *base, size_t reserved, size_t cap);

/* Take memory from an arena, as it is needed. A struct mem stays where it is. */
void mem_init_arena(struct mem *mem, struct arena *arena, size_t cap);

/*
 * Use [base, base + size), which is zeroed and has one byte in 65 for itself, and join what is
 * freed: sizes that others leave behind serve all sizes again, for more work at each call.
 */
void mem_init_joining(struct mem *mem, void *base, size_t size, size_t cap);

/* What was used by mem_init_joining() is about to serve others. */
void mem_end_joining(struct mem *mem);

/*
 * A block of at least size bytes (1 .. 16 MiB), not zeroed; NULL: the cap is reached. One of
 * ARENA_UNIT or more is aligned to that, if the memory is an arena's.
 */
void *mem_alloc(struct mem *mem, size_t size);

/* Give back a block that was asked for with this size. NULL is allowed. */
void mem_free(struct mem *mem, void *block, size_t size);

/* Give back what of a block of this size is behind a block for the first n bytes. */
void mem_cut(struct mem *mem, void *block, size_t size, size_t n);

/* What a block for size bytes really takes. */
size_t mem_block_size(size_t size);

/* Count memory that lives elsewhere against the cap; false: it does not fit. */
bool mem_charge(struct mem *mem, size_t size);
void mem_uncharge(struct mem *mem, size_t size);

/*
 * The memory of what an app keeps of its flows: a cap for each shard, of which a core has its own,
 * and one part more for what is the core's. Address space, of which only what is used becomes
 * memory.
 */
struct mem_shards {
    struct mem *part; /* by shard / n_cores; n of them, the core's own behind them */
    unsigned n, n_cores;
    struct arena arena;
    void *range;
    size_t range_size;
};

/* memory: the sum of the caps of all shards on all cores. false: there is no memory. */
bool mem_shards_init(struct mem_shards *shards, unsigned n_cores, uint64_t memory);

/* Zeroed ones are allowed. */
void mem_shards_free(struct mem_shards *shards);

static inline struct mem *
mem_of_shard(struct mem_shards *shards, unsigned shard)
{
    return &shards->part[shard / shards->n_cores];
}

static inline struct mem *
mem_of_core(struct mem_shards *shards)
{
    return &shards->part[shards->n];
}

#endif
