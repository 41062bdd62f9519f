/* Several cores' posts and turns are in the order of moments, whatever the threads do. */
#include "core/core.h"
#include "core/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CORES = 4, PACKETS = 4000, MOST = PACKETS * 3 * CORES, RING = 4096 };

/* What posts leave behind: who posted, and in which of its moments. */
struct test {
    struct order *order;
    uint64_t seen[MOST], turns[MOST];
    size_t n, n_turns;
    uint64_t seed;
};

struct thread {
    struct test *t;
    unsigned core;
};

static uint64_t
mixed(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

/*
 * Of each packet it is fixed whose it is, how often it posts, how long that is, and if it waits.
 * Some are for all cores, as ticks are: they have the same moment there.
 */
static uint64_t
draw(const struct test *t, uint64_t packet, unsigned what)
{
    return mixed(mixed(t->seed + packet) + what) >> 20;
}

static bool
is_for(const struct test *t, uint64_t packet, unsigned core)
{
    return draw(t, packet, 4) % 8 == 0 || draw(t, packet, 0) % CORES == core;
}

static void
note(void *ctx, const void *p, size_t n)
{
    struct test *t = ctx;

    assert_true(n >= sizeof(uint64_t) && t->n < MOST);
    memcpy(&t->seen[t->n++], p, sizeof(uint64_t));
}

static void
live_through(struct thread *me, uint64_t packet)
{
    struct test *t = me->t;
    struct order_end *end = order_end(t->order, me->core);
    const uint64_t mine = packet * CORES + me->core;
    uint8_t tail[1500] = { 0 };

    order_reach(end, packet, PHASE_PACKET, 0, 0);
    if (draw(t, packet, 1) % 4 == 0) {
        order_turn(end);
        t->turns[t->n_turns++] = mine; /* whoever has the turn is alone */
    }
    for (uint64_t i = 0; i < draw(t, packet, 2) % 3; i++)
        order_post(end, note, t, (struct piece_of_post){ &mine, sizeof(mine) },
                   (struct piece_of_post){ tail, draw(t, packet, 3) % sizeof(tail) });
}

static void
pass(struct order *order, unsigned core, uint64_t packet)
{
    order_pass(order_end(order, core), &(struct moment){ .packet = packet });
}

static void *
run(void *arg)
{
    struct thread *me = arg;
    struct test *t = me->t;

    for (uint64_t packet = 1; packet <= PACKETS; packet++) {
        if (is_for(t, packet, me->core))
            live_through(me, packet);
        if (packet % 16 == 0) {
            pass(t->order, me->core, packet + 1);
            order_run(t->order);
        }
    }
    pass(t->order, me->core, UINT64_MAX);
    return NULL;
}

static void
check(const struct test *t)
{
    size_t at = 0, turn = 0;

    for (uint64_t mine = CORES; mine < (PACKETS + 1) * CORES; mine++) {
        const uint64_t packet = mine / CORES;

        if (!is_for(t, packet, mine % CORES))
            continue;
        for (uint64_t i = 0; i < draw(t, packet, 2) % 3; i++)
            assert_int_equal(t->seen[at++], mine);
        if (draw(t, packet, 1) % 4 == 0)
            assert_int_equal(t->turns[turn++], mine);
    }
    assert_int_equal(at, t->n);
    assert_int_equal(turn, t->n_turns);
}

/* The rings hold two or three posts. */
static void
cores_are_in_order(void **state)
{
    static struct test t;

    (void)state;
    for (t.seed = 1; t.seed <= 20; t.seed++) {
        pthread_t thread[CORES];
        struct thread me[CORES];

        t.n = t.n_turns = 0;
        t.order = order_new(CORES, RING);
        assert_non_null(t.order);
        for (unsigned i = 0; i < CORES; i++) {
            me[i] = (struct thread){ &t, i };
            assert_int_equal(pthread_create(&thread[i], NULL, run, &me[i]), 0);
        }
        for (unsigned i = 0; i < CORES; i++)
            pthread_join(thread[i], NULL);
        order_run_all(t.order);
        check(&t);
        order_free(t.order);
    }
}

static void
note_place(void *ctx, const void *p, size_t n)
{
    (void)n;
    strncat(ctx, p, 1);
}

/* Moments of one packet: ticks and their flows, timers, the packet itself, whom it quotes. */
static void
moments_of_a_packet_have_an_order(void **state)
{
    struct order *o = order_new(2, RING);
    char text[8] = "";
    static const struct {
        unsigned core;
        uint64_t phase, id, made;
        char name;
    } posts[] = {
        { 1, 100, 7, 0, 'b' }, { 1, PHASE_TIMERS, 5, 9, 'd' }, { 1, PHASE_QUOTED, 0, 0, 'f' },
        { 0, 100, 3, 0, 'a' }, { 0, PHASE_TIMERS, 5, 8, 'c' }, { 0, PHASE_PACKET, 0, 0, 'e' },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(posts) / sizeof(*posts); i++) {
        struct order_end *end = order_end(o, posts[i].core);

        order_reach(end, 10, posts[i].phase, posts[i].id, posts[i].made);
        order_post(end, note_place, text, (struct piece_of_post){ &posts[i].name, 1 },
                   (struct piece_of_post){ NULL, 0 });
    }
    order_run_all(o);
    assert_string_equal(text, "abcde"); /* the first core may still come with more */
    pass(o, 0, 11);
    pass(o, 1, 11);
    order_run_all(o);
    assert_string_equal(text, "abcdef");
    order_free(o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_are_in_order),
        cmocka_unit_test(moments_of_a_packet_have_an_order),
    };

    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
