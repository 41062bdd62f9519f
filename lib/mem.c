#include "mem.h"

#include "poison.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static unsigned
class_of(size_t size)
{
    assert(size > 0 && size <= (size_t)1 << MEM_MAX_SHIFT);
    if (size <= (size_t)1 << MEM_MIN_SHIFT)
        return 0;
    return (unsigned)(64 - __builtin_clzll(size - 1)) - MEM_MIN_SHIFT;
}

static size_t
class_size(unsigned class)
{
    return (size_t)1 << (class + MEM_MIN_SHIFT);
}

void
mem_init(struct mem *mem, void *base, size_t reserved, size_t cap)
{
    *mem = (struct mem){ .next = base, .end = (uint8_t *)base + reserved, .cap = cap };
    mem->free = mem->own;
}

void
mem_init_arena(struct mem *mem, struct arena *arena, size_t cap)
{
    *mem = (struct mem){ .arena = arena, .cap = cap };
    mem->free = arena->pools ? arena->free : mem->own;
}

void
arena_init(struct arena *arena, void *base, size_t size)
{
    uintptr_t unit = ARENA_UNIT, begin = ((uintptr_t)base + unit - 1) / unit * unit;

    *arena = (struct arena){ .pools = false };
    arena->next = (uint8_t *)base + (begin - (uintptr_t)base);
    arena->end = (uint8_t *)base + size;
}

void *
arena_take(struct arena *arena, size_t size)
{
    uint8_t *piece = arena->next;

    size = (size + ARENA_UNIT - 1) / ARENA_UNIT * ARENA_UNIT;
    if (arena->next > arena->end || (size_t)(arena->end - arena->next) < size)
        return NULL;
    arena->next += size;
    return piece;
}

void
arena_give_back(struct arena *arena, void *base)
{
    UNPOISON(base, (size_t)(arena->next - (uint8_t *)base));
}

void
mem_init_joining(struct mem *mem, void *base, size_t size, size_t cap)
{
    const size_t map = size / (1 + (1 << MEM_MIN_SHIFT)) + 1;
    const uintptr_t begin = (uintptr_t)base + map, unit = ARENA_UNIT;

    *mem = (struct mem){ .begins = base, .cap = cap };
    mem->base = (uint8_t *)base + ((begin + unit - 1) / unit * unit - (uintptr_t)base);
    mem->next = mem->base;
    mem->end = (uint8_t *)base + size;
    mem->free = mem->own;
}

void
mem_end_joining(struct mem *mem)
{
    UNPOISON(mem->base, (size_t)(mem->next - mem->base));
}

/* ---- free blocks --------------------------------------------------------------------------- */

/* What is written into one; before is there where blocks are joined. */
struct free_block {
    struct free_block *next, *before;
};

static uint8_t *
mark_of(const struct mem *mem, const void *block)
{
    return &mem->begins[(size_t)((const uint8_t *)block - mem->base) >> MEM_MIN_SHIFT];
}

/* Blocks of a list show nothing: they are opened for a moment. */
static void
set_before(struct free_block *block, struct free_block *before)
{
    if (block == NULL)
        return;
    UNPOISON(block, sizeof(*block));
    block->before = before;
    POISON(block, sizeof(*block));
}

static void
unlink_free(struct mem *mem, struct free_block *block, unsigned class)
{
    UNPOISON(block, class_size(class));
    if (block->before == NULL) {
        mem->free[class] = block->next;
    } else {
        UNPOISON(block->before, sizeof(*block));
        block->before->next = block->next;
        POISON(block->before, sizeof(*block));
    }
    set_before(block->next, block->before);
    *mark_of(mem, block) = 0;
}

/* The buddy of a block is the other half of what both were cut from. */
static uint8_t *
join(struct mem *mem, uint8_t *block, unsigned *class)
{
    for (; *class + 1 < MEM_CLASSES; ++*class) {
        const size_t at = (size_t)(block - mem->base), other = at ^ class_size(*class);
        uint8_t *buddy = mem->base + other;

        if (buddy >= mem->next || *mark_of(mem, buddy) != *class + 1)
            break;
        unlink_free(mem, (struct free_block *)(void *)buddy, *class);
        block = other < at ? buddy : block;
    }
    return block;
}

static void
put_free(struct mem *mem, void *block, unsigned class)
{
    struct free_block *free;

    if (mem->begins != NULL)
        block = join(mem, block, &class);
    free = block;
    free->next = mem->free[class];
    mem->free[class] = block;
    if (mem->begins != NULL) {
        free->before = NULL;
        set_before(free->next, free);
        *mark_of(mem, block) = (uint8_t)(class + 1);
    }
    POISON(block, class_size(class));
}

/* What is left of a piece becomes free blocks. */
static void
cut_rest(struct mem *mem)
{
    while (mem->end - mem->next >= 1 << MEM_MIN_SHIFT) {
        unsigned shift = 63U - (unsigned)__builtin_clzll((uint64_t)(mem->end - mem->next));
        unsigned class = shift > MEM_MAX_SHIFT ? MEM_CLASSES - 1 : shift - MEM_MIN_SHIFT;

        put_free(mem, mem->next, class);
        mem->next += class_size(class);
    }
}

static bool
refill(struct mem *mem, size_t n)
{
    uint8_t *piece = mem->arena != NULL ? arena_take(mem->arena, n) : NULL;

    if (piece == NULL)
        return false;
    cut_rest(mem);
    mem->next = piece;
    mem->end = piece + (n + ARENA_UNIT - 1) / ARENA_UNIT * ARENA_UNIT;
    return true;
}

static void *
take_free(struct mem *mem, unsigned class)
{
    struct free_block *block = mem->free[class];

    if (mem->begins != NULL) {
        unlink_free(mem, block, class);
        return block;
    }
    UNPOISON(block, class_size(class));
    mem->free[class] = block->next;
    return block;
}

/* The front of a larger free block, whose halves become free blocks; NULL: there is none. */
static void *
split_free(struct mem *mem, unsigned class)
{
    unsigned larger = class + 1;
    uint8_t *block;

    while (larger < MEM_CLASSES && mem->free[larger] == NULL)
        larger++;
    if (larger >= MEM_CLASSES)
        return NULL;
    block = take_free(mem, larger);
    while (larger-- > class)
        put_free(mem, block + class_size(larger), larger);
    return block;
}

static void *
fresh(struct mem *mem, size_t n)
{
    uint8_t *block = mem->next;

    if ((size_t)(mem->end - mem->next) < n) {
        if (!refill(mem, n))
            return NULL;
        block = mem->next;
    }
    mem->next += n;
    return block;
}

/* Where blocks are joined, what was never handed out becomes free in pieces as large as can be. */
static bool
open_more(struct mem *mem)
{
    const size_t left = (size_t)(mem->end - mem->next), most = (size_t)1 << MEM_MAX_SHIFT;
    uint8_t *piece = mem->next;
    size_t n = left < most ? left : most;

    if (n < 1 << MEM_MIN_SHIFT)
        return false;
    n = (size_t)1 << (63 - __builtin_clzll(n));
    mem->next += n;
    put_free(mem, piece, class_of(n));
    return true;
}

static void *
take_joined(struct mem *mem, unsigned class)
{
    void *block;

    do
        block = mem->free[class] != NULL ? take_free(mem, class) : split_free(mem, class);
    while (block == NULL && open_more(mem));
    return block;
}

void *
mem_alloc(struct mem *mem, size_t size)
{
    unsigned class = class_of(size);
    size_t n = class_size(class);
    void *block;

    if (mem->used + n > mem->cap)
        return NULL;
    if (mem->begins != NULL)
        block = take_joined(mem, class);
    else if (mem->free[class] != NULL)
        block = take_free(mem, class);
    else if ((size_t)(mem->end - mem->next) >= n || (block = split_free(mem, class)) == NULL)
        block = fresh(mem, n);
    if (block != NULL)
        mem->used += n;
    return block;
}

void
mem_free(struct mem *mem, void *block, size_t size)
{
    unsigned class;

    if (block == NULL)
        return;
    class = class_of(size);
    put_free(mem, block, class);
    mem->used -= class_size(class);
}

void
mem_cut(struct mem *mem, void *block, size_t size, size_t n)
{
    unsigned class = class_of(size), keep = class_of(n);

    assert(keep <= class);
    while (class -- > keep) {
        put_free(mem, (uint8_t *)block + class_size(class), class);
        mem->used -= class_size(class);
    }
}

size_t
mem_block_size(size_t size)
{
    return class_size(class_of(size));
}

bool
mem_charge(struct mem *mem, size_t size)
{
    if (mem->used + size > mem->cap)
        return false;
    mem->used += size;
    return true;
}

void
mem_uncharge(struct mem *mem, size_t size)
{
    assert(mem->used >= size);
    mem->used -= size;
}

/*
 * Four times the caps: what was freed in small blocks is not put together for larger ones.
 */
bool
mem_shards_init(struct mem_shards *shards, unsigned n_cores, uint64_t memory)
{
    const unsigned n = (MEM_SHARDS + n_cores - 1) / n_cores;
    const size_t cap = (size_t)(memory / MEM_SHARDS);
    const size_t size = (n + 1) * 4 * (cap + ARENA_UNIT);
    void *range = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *shards = (struct mem_shards){ .n = n, .n_cores = n_cores };
    if (range == MAP_FAILED)
        return false;
    shards->range = range;
    shards->range_size = size;
    shards->part = calloc(n + 1, sizeof(*shards->part));
    arena_init(&shards->arena, range, size);
    for (unsigned i = 0; shards->part != NULL && i <= n; i++)
        mem_init_arena(&shards->part[i], &shards->arena, cap);
    return shards->part != NULL;
}

void
mem_shards_free(struct mem_shards *shards)
{
    if (shards->range != NULL) {
        arena_give_back(&shards->arena, shards->range);
        munmap(shards->range, shards->range_size);
    }
    free(shards->part);
    *shards = (struct mem_shards){ .n = 0 };
}
