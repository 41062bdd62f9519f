#include "mem.h"
#include "poison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { RANGE = 4 << 20 };

static struct mem mem;

static int
make_range(void **state)
{
    *state = aligned_alloc(64, RANGE);
    return *state == NULL;
}

static int
free_range(void **state)
{
    free(*state);
    return 0;
}

static void
sizes_are_rounded_up_to_powers_of_two(void **state)
{
    static const size_t sizes[][2] = {
        { 1, 64 },
        { 63, 64 },
        { 64, 64 },
        { 65, 128 },
        { 128, 128 },
        { 129, 256 },
        { 4096, 4096 },
        { 4097, 8192 },
        { 65535, 65536 },
        { 65537, 131072 },
        { (1 << 20) - 1, 1 << 20 },
        { 1 << 20, 1 << 20 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_int_equal(mem_block_size(sizes[i][0]), sizes[i][1]);
}

static void
a_block_costs_its_whole_size(void **state)
{
    void *block;

    mem_init(&mem, *state, RANGE, RANGE);
    block = mem_alloc(&mem, 65);
    assert_non_null(block);
    assert_int_equal(mem.used, 128);
    memset(block, 1, 128); /* all of it may be used */
    mem_free(&mem, block, 65);
    assert_int_equal(mem.used, 0);
}

static void
the_latest_freed_block_is_used_first(void **state)
{
    void *a, *b;

    mem_init(&mem, *state, RANGE, RANGE);
    a = mem_alloc(&mem, 100);
    b = mem_alloc(&mem, 100);
    mem_free(&mem, a, 100);
    mem_free(&mem, b, 100);
    assert_ptr_equal(mem_alloc(&mem, 128), b);
    assert_ptr_equal(mem_alloc(&mem, 65), a);
    assert_ptr_not_equal(mem_alloc(&mem, 65), a);
}

static void
blocks_of_one_size_serve_no_other(void **state)
{
    void *small;

    mem_init(&mem, *state, RANGE, RANGE);
    small = mem_alloc(&mem, 64);
    mem_free(&mem, small, 64);
    assert_ptr_not_equal(mem_alloc(&mem, 65), small);
    assert_ptr_equal(mem_alloc(&mem, 64), small);
}

/* Before new memory is taken: 4096 bytes serve as 2048, 1024, 512, 256, 128 and twice 64. */
static void
a_larger_free_block_is_cut(void **state)
{
    uint8_t *base = *state;
    void *large;

    mem_init(&mem, base, 4096, RANGE);
    large = mem_alloc(&mem, 4096);
    assert_null(mem_alloc(&mem, 64));
    mem_free(&mem, large, 4096);
    assert_ptr_equal(mem_alloc(&mem, 64), base);
    assert_ptr_equal(mem_alloc(&mem, 2048), base + 2048);
    assert_ptr_equal(mem_alloc(&mem, 64), base + 64);
    assert_ptr_equal(mem_alloc(&mem, 64), base + 128);
    assert_ptr_equal(mem_alloc(&mem, 512), base + 512);
    assert_ptr_equal(mem_alloc(&mem, 1024), base + 1024);
    assert_null(mem_alloc(&mem, 1024));
    assert_int_equal(mem.used, 3 * 64 + 2048 + 512 + 1024);
}

static void
the_cap_is_reached_exactly_and_recovers(void **state)
{
    void *block[4];

    mem_init(&mem, *state, RANGE, 256);
    for (int i = 0; i < 4; i++) {
        block[i] = mem_alloc(&mem, 64);
        assert_non_null(block[i]);
    }
    assert_null(mem_alloc(&mem, 1));
    assert_int_equal(mem.used, 256);
    mem_free(&mem, block[2], 64);
    assert_null(mem_alloc(&mem, 65)); /* a refusal costs nothing */
    assert_int_equal(mem.used, 192);
    assert_ptr_equal(mem_alloc(&mem, 64), block[2]);
}

static void
the_range_is_never_left(void **state)
{
    uint8_t *end = (uint8_t *)*state + 192, *block;

    mem_init(&mem, *state, 192, RANGE);
    block = mem_alloc(&mem, 128);
    assert_ptr_equal(block, *state);
    assert_null(mem_alloc(&mem, 128));
    block = mem_alloc(&mem, 64);
    assert_ptr_equal(block + 64, end);
    assert_null(mem_alloc(&mem, 64));
    assert_int_equal(mem.used, 192);
}

static void
charges_and_blocks_share_the_cap(void **state)
{
    mem_init(&mem, *state, RANGE, 1000);
    assert_true(mem_charge(&mem, 937));
    assert_null(mem_alloc(&mem, 64));
    assert_true(mem_charge(&mem, 63));
    assert_false(mem_charge(&mem, 1));
    assert_true(mem_charge(&mem, 0));
    assert_int_equal(mem.used, 1000);
    mem_uncharge(&mem, 64);
    assert_non_null(mem_alloc(&mem, 64));
    assert_int_equal(mem.used, 1000);
}

static void
freeing_nothing_is_allowed(void **state)
{
    mem_init(&mem, *state, RANGE, RANGE);
    mem_free(&mem, NULL, 64);
    assert_int_equal(mem.used, 0);
}

static void
what_one_frees_serves_others_where_that_is_wanted(void **state)
{
    for (unsigned pools = 0; pools < 2; pools++) {
        struct arena arena;
        struct mem two[2];
        void *block;

        arena_init(&arena, *state, RANGE);
        arena.pools = pools;
        mem_init_arena(&two[0], &arena, RANGE);
        mem_init_arena(&two[1], &arena, 4096);
        block = mem_alloc(&two[0], 4096);
        assert_non_null(block);
        mem_free(&two[0], block, 4096);
        assert_true((mem_alloc(&two[1], 4096) == block) == (pools == 1));
        assert_null(mem_alloc(&two[1], 64)); /* the cap is its own */
        assert_int_equal(two[0].used, 0);
        assert_int_equal(two[1].used, 4096);
        arena_give_back(&arena, *state);
    }
}

/* ---- against a list ------------------------------------------------------------------------ */

enum { MODEL_BLOCKS = 300, MODEL_STEPS = 60000, MODEL_CAP = 1 << 20 };

struct block {
    uint8_t *p;
    size_t size;
    uint8_t fill;
};

static uint64_t
random_below(uint64_t *seed, uint64_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

static size_t
power_above(size_t size)
{
    size_t n = 64;

    while (n < size)
        n *= 2;
    return n;
}

static void
check_block(const struct block *b)
{
    for (size_t i = 0; i < b->size; i++)
        assert_int_equal(b->p[i], b->fill);
}

/* An overlap would show as another block's fill; ASan sees uses of freed blocks besides. */
static void
take_block(struct block *list, unsigned *n, size_t *used, uint64_t *seed, const uint8_t *base)
{
    size_t size = 1 + random_below(seed, UINT64_C(1) << (3 + random_below(seed, 14)));
    struct block b = { mem_alloc(&mem, size), size, (uint8_t)random_below(seed, 256) };

    if (b.p == NULL) { /* only the cap or the end of the range may be the cause */
        assert_true(*used + power_above(size) > MODEL_CAP ||
                    (size_t)(mem.end - mem.next) < power_above(size));
        return;
    }
    assert_true(b.p >= base && b.p + power_above(size) <= base + RANGE);
    assert_int_equal((uintptr_t)b.p % 64, 0);
    memset(b.p, b.fill, size);
    *used += power_above(size);
    list[(*n)++] = b;
}

static void
blocks_agree_with_a_list(void **state)
{
    static struct block list[MODEL_BLOCKS];
    size_t used = 0;
    unsigned n = 0;
    uint64_t seed = 7;

    mem_init(&mem, *state, RANGE, MODEL_CAP);
    for (unsigned step = 0; step < MODEL_STEPS; step++) {
        unsigned i = (unsigned)random_below(&seed, MODEL_BLOCKS);

        if (i >= n) {
            take_block(list, &n, &used, &seed, *state);
        } else {
            check_block(&list[i]);
            mem_free(&mem, list[i].p, list[i].size);
            used -= power_above(list[i].size);
            list[i] = list[--n];
        }
        assert_int_equal(mem.used, used);
        assert_true(mem.used <= MODEL_CAP);
    }
    for (unsigned i = 0; i < n; i++) {
        check_block(&list[i]);
        mem_free(&mem, list[i].p, list[i].size);
    }
    assert_int_equal(mem.used, 0);
}

/* A steady load has to get along with the blocks it has freed. */
static void
a_steady_load_takes_no_new_memory(void **state)
{
    void *block[8];
    uint8_t *high = NULL;

    mem_init(&mem, *state, RANGE, RANGE);
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 8; i++)
            block[i] = mem_alloc(&mem, (size_t)64 << i);
        for (int i = 0; i < 8; i++)
            mem_free(&mem, block[i], (size_t)64 << i);
        if (round == 0)
            high = mem.next;
        assert_ptr_equal(mem.next, high);
    }
}

static void
what_is_behind_the_front_of_a_block_is_given_back(void **state)
{
    uint8_t *block, *high;

    mem_init(&mem, *state, RANGE, RANGE);
    block = mem_alloc(&mem, 1000);
    high = mem.next;
    memset(block, 7, 100);
    mem_cut(&mem, block, 1000, 100);
    assert_int_equal(mem.used, 128);
    assert_ptr_equal(mem_alloc(&mem, 128), block + 128);
    assert_ptr_equal(mem_alloc(&mem, 256), block + 256);
    assert_ptr_equal(mem_alloc(&mem, 512), block + 512);
    assert_ptr_equal(mem.next, high);
    mem_cut(&mem, block, 100, 100);
    assert_int_equal(mem.used, 1024);
    assert_int_equal(block[99], 7);
}

/* AddressSanitizer goes by addresses: it must not take the range's next user for a trespasser. */
static void
a_range_given_back_is_no_longer_guarded(void **state)
{
    struct arena arena;
    void *base, *block;

    arena_init(&arena, *state, RANGE);
    base = arena.next;
    mem_init_arena(&mem, &arena, RANGE);
    block = mem_alloc(&mem, 64);
    mem_free(&mem, block, 64);
    if (!POISONS)
        skip();
    assert_true(IS_POISONED(block, 64));
    arena_give_back(&arena, base);
    assert_false(IS_POISONED(block, 64));
}

/* Shards 1 and 4 are the second of three cores'. */
static void
shards_have_caps_of_their_own(void **state)
{
    struct mem_shards shards;
    struct mem *full, *other;
    unsigned n = 0;

    (void)state;
    assert_true(mem_shards_init(&shards, 3, MEM_SHARDS * 65536));
    full = mem_of_shard(&shards, 1);
    other = mem_of_shard(&shards, 4);
    while (mem_alloc(full, 64) != NULL)
        n++;
    assert_int_equal(n, 1024);
    assert_non_null(mem_alloc(other, 64));
    assert_non_null(mem_alloc(mem_of_shard(&shards, 255), 65536));
    assert_non_null(mem_alloc(mem_of_core(&shards), 65536));
    mem_shards_free(&shards);
    mem_shards_free(&shards);
}

struct taken {
    uint8_t *at;
    size_t size;
    uint8_t mark;
};

static void
check_and_free(struct mem *from, struct taken *t)
{
    for (size_t i = 0; i < t->size; i++)
        assert_int_equal(t->at[i], t->mark);
    mem_free(from, t->at, t->size);
    t->at = NULL;
}

/* Random blocks hold what was written to them; when all are gone there is room for the largest. */
static void
joined_blocks_serve_all_sizes_again(void **state)
{
    enum { TAKEN = 300, LARGEST = 2 << 20 };
    struct taken taken[TAKEN] = { { NULL, 0, 0 } };
    uint32_t random = 1;

    memset(*state, 0, RANGE);
    mem_init_joining(&mem, *state, RANGE, RANGE);
    for (unsigned step = 0; step < 200000; step++) {
        struct taken *t = &taken[(random = random * 1664525 + 1013904223) >> 8 & 255];

        if (t->at != NULL) {
            check_and_free(&mem, t);
            continue;
        }
        t->size = 1 + (random >> 16 & 0xffff) % (64U << (random >> 29));
        t->mark = (uint8_t)step;
        t->at = mem_alloc(&mem, t->size);
        if (t->at != NULL)
            memset(t->at, t->mark, t->size);
    }
    for (unsigned i = 0; i < TAKEN; i++)
        if (taken[i].at != NULL)
            check_and_free(&mem, &taken[i]);
    assert_int_equal(mem.used, 0);
    assert_non_null(mem_alloc(&mem, LARGEST));
    mem_end_joining(&mem);
}

/* All of it in small blocks, then in large ones, and again, without a byte more. */
static void
joined_blocks_fill_the_cap_in_any_size(void **state)
{
    enum { CAP = 2 << 20 };
    static uint8_t *block[CAP / 64];

    memset(*state, 0, RANGE);
    mem_init_joining(&mem, *state, RANGE, CAP);
    for (size_t size = 64; size <= CAP; size *= 2) {
        for (size_t i = 0; i < CAP / size; i++)
            assert_non_null(block[i] = mem_alloc(&mem, size));
        assert_null(mem_alloc(&mem, 64));
        for (size_t i = 0; i < CAP / size; i++)
            mem_free(&mem, block[i], size);
    }
    mem_end_joining(&mem);
}

#define WITH_RANGE(f) cmocka_unit_test_setup_teardown(f, make_range, free_range)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_rounded_up_to_powers_of_two),
        WITH_RANGE(a_block_costs_its_whole_size),
        WITH_RANGE(the_latest_freed_block_is_used_first),
        WITH_RANGE(blocks_of_one_size_serve_no_other),
        WITH_RANGE(a_larger_free_block_is_cut),
        WITH_RANGE(the_cap_is_reached_exactly_and_recovers),
        WITH_RANGE(the_range_is_never_left),
        WITH_RANGE(charges_and_blocks_share_the_cap),
        WITH_RANGE(freeing_nothing_is_allowed),
        WITH_RANGE(what_one_frees_serves_others_where_that_is_wanted),
        WITH_RANGE(blocks_agree_with_a_list),
        WITH_RANGE(a_steady_load_takes_no_new_memory),
        WITH_RANGE(what_is_behind_the_front_of_a_block_is_given_back),
        WITH_RANGE(a_range_given_back_is_no_longer_guarded),
        WITH_RANGE(joined_blocks_serve_all_sizes_again),
        WITH_RANGE(joined_blocks_fill_the_cap_in_any_size),
        cmocka_unit_test(shards_have_caps_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
