/* What became of datagrams: found in time by who has to know, forgotten when nobody asks. */
#include "frag_verdict.h"
#include "mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { RANGE = 4 << 20 };

struct fixture {
    struct frag_verdicts all;
    struct arena arena;
    struct mem mem;
    void *range;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->range = mmap(NULL, RANGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    arena_init(&f->arena, f->range, RANGE);
    mem_init_arena(&f->mem, &f->arena, RANGE);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    frag_verdict_clear(&f->all, &f->mem);
    assert_int_equal(f->mem.used, 0);
    arena_give_back(&f->arena, f->range);
    munmap(f->range, RANGE);
    free(f);
    return 0;
}

static struct frag_verdict *
add(struct fixture *f, uint64_t key, uint64_t until, enum frag_state state)
{
    struct frag_verdict *v = mem_alloc(&f->mem, sizeof(*v));

    assert_non_null(v);
    *v = (struct frag_verdict){ .key = { key }, .hash = key, .until = until, .state = state };
    frag_verdict_add(&f->all, &f->mem, v, 0);
    return v;
}

/* Whether there is one for this key; who found it has done with it. */
static struct frag_verdict *
find(struct fixture *f, uint64_t key, uint64_t tick)
{
    struct frag_verdict *v = frag_verdict_find(&f->all, key, (uint64_t[6]){ key }, tick);

    if (v != NULL)
        frag_verdict_release(v);
    return v;
}

static void
the_latest_is_found_in_time(void **state)
{
    struct fixture *f = *state;
    struct frag_verdict *v;

    add(f, 7, 90, FRAG_DROPPED);
    v = add(f, 7, 100, FRAG_OPEN);
    add(f, 7 + FRAG_VERDICT_BUCKETS, 100, FRAG_DROPPED);
    assert_ptr_equal(find(f, 7, 99), v);
    assert_null(find(f, 7, 100));
    assert_null(find(f, 8, 0));
    v->state = FRAG_LEFT; /* what comes now is the first of a new one */
    assert_null(find(f, 7, 99));
}

static void
those_that_left_go_as_others_come(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 0; i < 100000; i++)
        add(f, i, 1000, FRAG_LEFT);
    assert_in_range(f->all.n, 1, 4);
}

static void
those_that_were_dropped_stay_for_their_time(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 0; i < 1000; i++)
        add(f, i, 10, i % 2 ? FRAG_DROPPED : FRAG_LEFT);
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(!find(f, i, 9) == !(i % 2));
    for (unsigned i = 0; i < 100; i++)
        (void)frag_verdict_make_room(&f->all, &f->mem, 10, false);
    assert_int_equal(f->all.n, 0);
    assert_int_equal(f->mem.used, 0);
}

static void
nobody_loses_what_he_asks_for(void **state)
{
    struct fixture *f = *state;
    struct frag_verdict *v = add(f, 1, 10, FRAG_DROPPED);

    frag_verdict_hold(v);
    assert_false(frag_verdict_make_room(&f->all, &f->mem, 100, true));
    assert_int_equal(f->all.n, 1);
    frag_verdict_release(v);
    assert_true(frag_verdict_make_room(&f->all, &f->mem, 100, false));
    assert_int_equal(f->all.n, 0);
}

/*
 * Where it fails open, the oldest of those that were dropped; never one whose packet is on its way.
 */
static void
by_force_the_oldest_goes(void **state)
{
    struct fixture *f = *state;
    struct frag_verdict *open = add(f, 1, 10, FRAG_OPEN);

    frag_verdict_hold(open);
    add(f, 2, 10, FRAG_DROPPED);
    add(f, 3, 10, FRAG_DROPPED);
    assert_false(frag_verdict_make_room(&f->all, &f->mem, 0, false));
    assert_true(frag_verdict_make_room(&f->all, &f->mem, 0, true));
    assert_null(find(f, 2, 0));
    assert_non_null(find(f, 3, 0));
    assert_true(frag_verdict_make_room(&f->all, &f->mem, 0, true));
    assert_false(frag_verdict_make_room(&f->all, &f->mem, 0, true));
    assert_non_null(find(f, 1, 0));
    frag_verdict_release(open);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_latest_is_found_in_time),
        T(those_that_left_go_as_others_come),
        T(those_that_were_dropped_stay_for_their_time),
        T(nobody_loses_what_he_asks_for),
        T(by_force_the_oldest_goes),
    };

    return cmocka_run_group_tests_name("frag_verdict", tests, NULL, NULL);
}
