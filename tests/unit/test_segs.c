#include "segs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { RANGE = 4 << 20, MANY = 3000 };

static struct mem mem;
static struct segs *segs;

static int
begin(void **state)
{
    *state = aligned_alloc(64, RANGE);
    mem_init(&mem, *state, RANGE, RANGE);
    segs = NULL;
    return *state == NULL;
}

/* A ring that was not freed whole is seen here. */
static int
end(void **state)
{
    segs_free(&segs, &mem);
    free(*state);
    return mem.used == 0 && segs == NULL ? 0 : -1;
}

static uint64_t
random_below(uint64_t *seed, uint64_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

enum { KEPT = sizeof(struct seg), QUEUED = sizeof(struct queued) };

static void
push(uint32_t off, uint32_t len)
{
    struct seg *seg = segs_push(&segs, &mem, KEPT);

    assert_non_null(seg);
    *seg = (struct seg){ .kind = SEG_REF, .off = off, .len = len & SEG_LEN };
}

static void
nothing_is_counted_as_none(void **state)
{
    (void)state;
    assert_int_equal(segs_count(NULL), 0);
    assert_int_equal(segs_find(NULL, 5), 0);
}

static uint32_t list[MANY];

static void
insert_both(uint32_t i, uint32_t n, uint32_t off, size_t stride)
{
    struct seg *seg = i == n ? segs_push(&segs, &mem, stride) : segs_insert(&segs, &mem, i, stride);

    assert_non_null(seg);
    memset(seg, 0, stride);
    *seg = (struct seg){ .kind = SEG_REF, .off = off, .len = 1 };
    if (stride == QUEUED)
        queued_at(segs, i)->acked_at = (uint16_t)off;
    memmove(list + i + 1, list + i, (n - i) * sizeof(list[0]));
    list[i] = off;
}

static void
remove_both(uint32_t i, uint32_t run, uint32_t n)
{
    if (i == 0 && run == 1)
        segs_pop(segs);
    else
        segs_remove(segs, i, run);
    memmove(list + i, list + i + run, (n - i - run) * sizeof(list[0]));
}

static void
compare(uint32_t n, size_t stride)
{
    assert_int_equal(segs_count(segs), n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(segs_at(segs, i)->off, list[i]);
        assert_true(stride != QUEUED || queued_at(segs, i)->acked_at == (uint16_t)list[i]);
    }
}

/* Rings of segments that were delivered, and of those that wait, which have larger places. */
static void
an_array_agrees_after_any_inserts_and_removals(void **state)
{
    static const size_t strides[] = { KEPT, QUEUED };
    uint64_t seed = 1;

    (void)state;
    for (unsigned s = 0; s < 2; s++) {
        uint32_t n = 0;

        for (uint32_t step = 0; step < 20000; step++) {
            if (n == 0 || (n < MANY && random_below(&seed, 100) < 52)) {
                insert_both((uint32_t)random_below(&seed, n + 1), n, step, strides[s]);
                n++;
            } else {
                uint32_t i = (uint32_t)random_below(&seed, n);
                uint32_t run = 1 + (uint32_t)random_below(&seed, n - i < 4 ? n - i : 4);

                remove_both(i, run, n);
                n -= run;
            }
            if (step % 16 == 0)
                compare(n, strides[s]);
        }
        segs_free(&segs, &mem);
    }
}

static void
find_gives_the_first_that_ends_behind(void **state)
{
    static const uint32_t expected[] = { 0, 0, 0, 1, 1, 1, 1, 1, 2, 3 };
    static const uint32_t off[] = { 0, 10, 14, 15, 16, 20, 24, 29, 30, 40 };

    (void)state;
    push(10, 5);
    push(20, 10);
    push(30, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(segs_find(segs, off[i]), expected[i]);
}

static void
find_works_where_offsets_wrap_round(void **state)
{
    (void)state;
    push(0xfffffff0, 8);
    push(0xfffffff8, 16);
    push(8, 8);
    assert_int_equal(segs_find(segs, 0xffffffe0), 0);
    assert_int_equal(segs_find(segs, 0xfffffff7), 0);
    assert_int_equal(segs_find(segs, 0xfffffff8), 1);
    assert_int_equal(segs_find(segs, 3), 1);
    assert_int_equal(segs_find(segs, 8), 2);
    assert_int_equal(segs_find(segs, 16), 3);
}

static void
the_ring_ends_where_memory_does_and_stays_whole(void **state)
{
    uint32_t n = 0;
    struct seg *seg;

    (void)state;
    mem.cap = 8192;
    while ((seg = segs_push(&segs, &mem, KEPT)) != NULL)
        *seg = (struct seg){ .kind = SEG_REF, .off = n++, .len = 1 };
    assert_true(n > 100 && n < 8192 / sizeof(struct seg));
    assert_null(segs_insert(&segs, &mem, 0, KEPT));
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(segs_at(segs, i)->off, i);
}

static void
stable_data_is_not_copied(void **state)
{
    static const uint8_t data[] = "stable";
    struct seg *seg = segs_push(&segs, &mem, KEPT);
    const size_t before = mem.used;

    (void)state;
    *seg = (struct seg){ .off = 0 };
    assert_true(seg_hold(segs, seg, &mem, data, 6, true));
    assert_int_equal(seg->kind, SEG_REF);
    assert_int_equal(seg->len, 6);
    assert_ptr_equal(seg->data, data);
    assert_int_equal(mem.used, before);
    assert_false(segs->owns);
}

static void
other_data_is_copied_and_given_back(void **state)
{
    uint8_t data[100];
    struct seg *seg = segs_push(&segs, &mem, KEPT);
    const size_t before = mem.used;

    (void)state;
    *seg = (struct seg){ .off = 0 };
    memset(data, 'a', sizeof(data));
    assert_true(seg_hold(segs, seg, &mem, data, sizeof(data), false));
    memset(data, 'b', sizeof(data));
    assert_int_equal(seg->kind, SEG_COPY);
    assert_int_equal(seg->data[99], 'a');
    assert_int_equal(mem.used, before + 128);
    assert_true(segs->owns);
    seg_drop(seg, &mem);
    assert_int_equal(mem.used, before);
    segs_pop(segs);
}

static void
without_memory_nothing_is_held(void **state)
{
    struct seg *seg = segs_push(&segs, &mem, KEPT);
    const size_t before = mem.used;
    uint8_t data[100] = { 0 };

    (void)state;
    *seg = (struct seg){ .off = 0 };
    mem.cap = before + 64;
    assert_false(seg_hold(segs, seg, &mem, data, sizeof(data), false));
    assert_int_equal(mem.used, before);
    segs_pop(segs);
}

/* A copy stays where its block begins, or it could not be freed. */
static void
cutting_keeps_the_rest_and_notes_what_went(void **state)
{
    static const uint8_t data[] = "abcdefgh";

    (void)state;
    for (int stable = 0; stable < 2; stable++) {
        struct queued *q = (struct queued *)segs_push(&segs, &mem, QUEUED);

        *q = (struct queued){ .seg = { .off = 100 } };
        assert_true(seg_hold(segs, &q->seg, &mem, data, 8, stable));
        queued_cut_front(q, 2);
        assert_int_equal(q->seg.off, 102);
        assert_int_equal(q->seg.len, 6);
        assert_memory_equal(q->seg.data, "cdefgh", 6);
        queued_cut_front(q, 1);
        assert_memory_equal(q->seg.data, "defgh", 5);
        assert_int_equal(q->cut_front, 3);
    }
    segs_free(&segs, &mem);
    assert_int_equal(mem.used, 0);
}

static void
what_was_cut_is_counted_up_to_its_limit(void **state)
{
    static const uint8_t data[70005];
    struct queued q = {
        .seg = { .kind = SEG_REF, .len = 200000, .data = data },
    };

    (void)state;
    queued_cut_front(&q, 70000);
    queued_cut_front(&q, 5);
    assert_int_equal(q.cut_front, UINT16_MAX);
    assert_int_equal(q.seg.len, 129995);
}

/* Both parts can be freed, and know how the segment came. */
static void
splitting_makes_two_that_remember_the_one(void **state)
{
    static const uint8_t data[] = "abcdefgh";

    (void)state;
    for (int stable = 0; stable < 2; stable++) {
        struct queued *q = (struct queued *)segs_push(&segs, &mem, QUEUED);

        *q = (struct queued){ .seg = { .off = 98 }, .acked_at = 7 };
        assert_true(seg_hold(segs, &q->seg, &mem, data, 8, stable));
        queued_cut_front(q, 2);
        assert_true(queued_split(&segs, &mem, 0, 1));
        assert_int_equal(segs_count(segs), 2);
        q = queued_at(segs, 0);
        assert_true(q->seg.off == 100 && q->seg.len == 1 && q->acked_at == 7);
        assert_true(q->cut_front == 2 && q->cut_back == 5);
        assert_memory_equal(q->seg.data, "c", 1);
        q = queued_at(segs, 1);
        assert_true(q->seg.off == 101 && q->seg.len == 5 && q->acked_at == 7);
        assert_true(q->cut_front == 3 && q->cut_back == 0);
        assert_memory_equal(q->seg.data, "defgh", 5);
        segs_free(&segs, &mem);
    }
    assert_int_equal(mem.used, 0);
}

static void
without_memory_a_segment_stays_one(void **state)
{
    uint8_t data[4096] = { 1, 2, 3 };
    struct queued *q = (struct queued *)segs_push(&segs, &mem, QUEUED);

    (void)state;
    *q = (struct queued){ .seg = { .off = 0 } };
    assert_true(seg_hold(segs, &q->seg, &mem, data, sizeof(data), false));
    mem.cap = mem.used + 1024;
    assert_false(queued_split(&segs, &mem, 0, 8));
    assert_int_equal(segs_count(segs), 1);
    q = queued_at(segs, 0);
    assert_true(q->seg.len == sizeof(data) && q->cut_back == 0);
    assert_memory_equal(q->seg.data, data, sizeof(data));
}

static void
freeing_gives_back_copies_too(void **state)
{
    uint8_t data[100] = { 0 };

    (void)state;
    for (uint32_t i = 0; i < 50; i++) {
        struct seg *seg = segs_push(&segs, &mem, KEPT);

        *seg = (struct seg){ .off = i * 100 };
        assert_true(seg_hold(segs, seg, &mem, data, sizeof(data), i % 2 == 0));
    }
    segs_free(&segs, &mem);
    assert_null(segs);
    assert_int_equal(mem.used, 0);
    segs_free(&segs, &mem);
}

#define FACT(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(nothing_is_counted_as_none),
        FACT(an_array_agrees_after_any_inserts_and_removals),
        FACT(find_gives_the_first_that_ends_behind),
        FACT(find_works_where_offsets_wrap_round),
        FACT(the_ring_ends_where_memory_does_and_stays_whole),
        FACT(stable_data_is_not_copied),
        FACT(other_data_is_copied_and_given_back),
        FACT(without_memory_nothing_is_held),
        FACT(cutting_keeps_the_rest_and_notes_what_went),
        FACT(what_was_cut_is_counted_up_to_its_limit),
        FACT(splitting_makes_two_that_remember_the_one),
        FACT(without_memory_a_segment_stays_one),
        FACT(freeing_gives_back_copies_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
