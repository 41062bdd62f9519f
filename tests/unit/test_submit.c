/* Work that cores submit to each other, with rings of two places. */
#include <weir/submit.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CORES = 3, RING = 2, ASKED = 5000, MOST_WAITING = 64 };

#define SECOND UINT64_C(1000000000)

static const struct weir_links_opts small = { .ring = RING, .waiting = MOST_WAITING };

/* ---- one thread, two cores ----------------------------------------------------------------- */

struct pair {
    struct weir_core *core[2];
    struct weir_links *links;
};

static int
make_pair(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));

    *state = p;
    return p == NULL || weir_core_new(NULL, &p->core[0]) != WEIR_E_OK ||
           weir_core_new(NULL, &p->core[1]) != WEIR_E_OK ||
           weir_links_new(p->core, 2, &small, &p->links) != WEIR_E_OK;
}

static int
free_pair(void **state)
{
    struct pair *p = *state;
    uint64_t left;

    weir_links_free(p->links);
    weir_core_run(p->core[0], 1000);
    left = weir_core_free(p->core[0]) + weir_core_free(p->core[1]);
    free(p);
    return left != 0;
}

static weir_fut
double_it(void *ctx, weir_fut in)
{
    assert_true(weir_is_ready(in));
    return weir_ok(2 * *(uint64_t *)ctx);
}

static weir_fut
refuse(void *ctx, weir_fut in)
{
    (void)ctx, (void)in;
    return weir_fail(WEIR_E_NOENT, "not here");
}

static weir_fut
keep(void *ctx, weir_fut in)
{
    *(weir_fut *)ctx = in;
    return weir_ok(0);
}

/* Both run until nothing is left to do. */
static void
run(struct pair *p)
{
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 2; k++)
            weir_core_run(p->core[k], 1000);
}

static void
what_a_core_asks_of_itself_is_ready(void **state)
{
    struct pair *p = *state;
    uint64_t n = 21;

    weir_core_enter(p->core[0]);
    assert_int_equal(weir_value(weir_submit(p->core[0], double_it, &n)), 42);
}

static void
values_and_failures_come_back(void **state)
{
    struct pair *p = *state;
    weir_fut value = weir_ok(0), failure = weir_ok(0);
    uint64_t n = 21;

    weir_core_enter(p->core[0]);
    weir_detach(weir_always(weir_submit(p->core[1], double_it, &n), keep, &value));
    weir_detach(weir_always(weir_submit(p->core[1], refuse, NULL), keep, &failure));
    run(p);
    assert_int_equal(weir_value(value), 42);
    assert_int_equal(weir_code(failure), WEIR_E_NOENT);
}

static weir_fut
sleep_there(void *ctx, weir_fut in)
{
    (void)ctx, (void)in;
    return weir_after(SECOND);
}

static void
a_function_may_sleep_there(void **state)
{
    struct pair *p = *state;
    weir_fut got = weir_stop();

    weir_core_enter(p->core[0]);
    weir_detach(weir_always(weir_submit(p->core[1], sleep_there, NULL), keep, &got));
    run(p);
    assert_true(weir_is_failed(got)); /* not yet */
    weir_core_advance(p->core[1], SECOND);
    run(p);
    assert_true(weir_is_ready(got));
}

static weir_fut
count(void *ctx, weir_fut in)
{
    *(unsigned *)ctx += weir_is_ready(in);
    return weir_ok(0);
}

static weir_fut
note(void *ctx, weir_fut in)
{
    unsigned **next = ctx;

    (void)in;
    *(*next)++ = 1;
    return weir_ok(0);
}

static void
what_finds_no_room_waits_and_what_is_too_much_is_refused(void **state)
{
    struct pair *p = *state;
    unsigned served[RING + MOST_WAITING + 1] = { 0 }, *next = served, answered = 0;
    struct weir_links_stats stats;

    weir_core_enter(p->core[0]);
    for (int i = 0; i < RING + MOST_WAITING; i++)
        weir_detach(weir_always(weir_submit(p->core[1], note, &next), count, &answered));
    assert_int_equal(weir_code(weir_submit(p->core[1], note, &next)), WEIR_E_LIMIT);
    weir_core_run(p->core[1], 1000);
    assert_int_equal(next - served, RING);
    run(p);
    assert_int_equal(answered, RING + MOST_WAITING);
    assert_int_equal(next - served, RING + MOST_WAITING);
    weir_links_get_stats(p->core[0], &stats);
    assert_int_equal(stats.submitted, RING + MOST_WAITING);
    assert_int_equal(stats.waited, MOST_WAITING);
    assert_int_equal(stats.refused, 1);
    weir_links_get_stats(p->core[1], &stats);
    assert_int_equal(stats.served, RING + MOST_WAITING);
}

static void
what_is_called_off_before_it_went_never_goes(void **state)
{
    struct pair *p = *state;
    unsigned served[8] = { 0 }, *next = served;
    weir_fut f[5];

    weir_core_enter(p->core[0]);
    for (int i = 0; i < 5; i++)
        f[i] = weir_submit(p->core[1], note, &next);
    weir_cancel(f[1]); /* under way */
    weir_cancel(f[3]);
    run(p);
    assert_int_equal(next - served, 4);
    for (int i = 0; i < 5; i++)
        if (i % 2 == 0)
            assert_true(weir_is_ready(weir_poll(f[i])));
}

static void
what_still_sleeps_is_broken_in_the_end(void **state)
{
    struct pair *p = *state;
    weir_fut got[4] = { weir_ok(0), weir_ok(0), weir_ok(0), weir_ok(0) };
    unsigned served[4], *next = served;

    weir_core_enter(p->core[0]);
    for (int i = 0; i < 4; i++)
        weir_detach(weir_always(weir_submit(p->core[1], note, &next), keep, &got[i]));
    weir_links_free(p->links);
    p->links = NULL;
    weir_core_run(p->core[0], 1000);
    for (int i = 0; i < 4; i++)
        assert_int_equal(weir_code(got[i]), WEIR_E_BROKEN);
    assert_int_equal(weir_code(weir_submit(p->core[1], note, &next)), WEIR_E_INVAL);
}

static void
cores_are_linked_once(void **state)
{
    struct pair *p = *state;
    struct weir_core *twice[2] = { p->core[0], p->core[0] };
    struct weir_links *links;

    assert_int_equal(weir_links_new(p->core, 2, NULL, &links), WEIR_E_INVAL);
    weir_links_free(p->links);
    p->links = NULL;
    assert_int_equal(weir_links_new(twice, 2, NULL, &links), WEIR_E_INVAL);
    assert_int_equal(weir_links_new(p->core, 1, NULL, &links), WEIR_E_INVAL);
    assert_int_equal(weir_links_new(p->core, 2, &(struct weir_links_opts){ .ring = 3 }, &links),
                     WEIR_E_INVAL);
}

/* ---- threads that all ask each other ------------------------------------------------------- */

struct world;

struct me {
    struct world *world;
    unsigned index;
    uint64_t counter; /* owned by this core; others add to it by asking */
    unsigned asked, answered;
    uint64_t sum;
};

struct world {
    struct weir_core *core[CORES];
    struct me me[CORES];
    _Atomic unsigned over;
};

static weir_fut
add(void *ctx, weir_fut in)
{
    struct me *owner = ctx;

    (void)in;
    assert_ptr_equal(weir_core_current(), owner->world->core[owner->index]);
    return weir_ok(++owner->counter);
}

static weir_fut
answered(void *ctx, weir_fut in)
{
    struct me *me = ctx;

    assert_true(weir_is_ready(in));
    me->answered++;
    me->sum += weir_value(in) > 0;
    return weir_ok(0);
}

static void
ask(struct me *me)
{
    struct world *world = me->world;
    struct me *other = &world->me[(me->index + 1 + me->asked % (CORES - 1)) % CORES];
    weir_fut f = weir_submit(world->core[other->index], add, other);

    if (weir_code(f) == WEIR_E_LIMIT)
        return; /* later */
    me->asked++;
    weir_detach(weir_always(f, answered, me));
}

static void *
live(void *arg)
{
    struct me *me = arg;
    struct world *world = me->world;
    struct weir_core *core = world->core[me->index];
    bool over = false;

    weir_core_enter(core);
    while (atomic_load(&world->over) < CORES) {
        for (int i = 0; i < 20 && me->asked < ASKED; i++)
            ask(me);
        if (weir_core_run(core, 1000) == 0)
            weir_links_wait(core, SECOND / 1000);
        if (!over && me->answered == ASKED) {
            over = true;
            atomic_fetch_add(&world->over, 1);
        }
    }
    weir_core_enter(NULL);
    return NULL;
}

static void
cores_ask_each_other_and_nobody_waits_for_ever(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct weir_links *links;
    pthread_t thread[CORES];
    uint64_t counted = 0;

    (void)state;
    assert_non_null(world);
    for (unsigned i = 0; i < CORES; i++) {
        world->me[i] = (struct me){ .world = world, .index = i };
        assert_int_equal(weir_core_new(NULL, &world->core[i]), WEIR_E_OK);
    }
    assert_int_equal(weir_links_new(world->core, CORES, &small, &links), WEIR_E_OK);
    for (unsigned i = 0; i < CORES; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, live, &world->me[i]), 0);
    for (unsigned i = 0; i < CORES; i++)
        pthread_join(thread[i], NULL);
    weir_links_free(links);
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(world->me[i].sum, ASKED);
        counted += world->me[i].counter;
        assert_int_equal(weir_core_free(world->core[i]), 0);
    }
    assert_int_equal(counted, CORES * ASKED);
    free(world);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make_pair, free_pair)
    const struct CMUnitTest tests[] = {
        T(what_a_core_asks_of_itself_is_ready),
        T(values_and_failures_come_back),
        T(a_function_may_sleep_there),
        T(what_finds_no_room_waits_and_what_is_too_much_is_refused),
        T(what_is_called_off_before_it_went_never_goes),
        T(what_still_sleeps_is_broken_in_the_end),
        T(cores_are_linked_once),
        cmocka_unit_test(cores_ask_each_other_and_nobody_waits_for_ever),
    };

    return cmocka_run_group_tests_name("submit", tests, NULL, NULL);
}
