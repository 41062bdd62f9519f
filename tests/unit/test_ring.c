#include "core/ring.h"

#include <weir/error.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct ring ring;

static void *
item(uintptr_t n)
{
    return (void *)n;
}

static void
sizes_are_powers_of_two(void **state)
{
    static const uint32_t bad[] = { 0, 3, 6, 1000, UINT32_C(1) << 31 };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ring_init(&ring, bad[i]), WEIR_E_INVAL);
        ring_free(&ring);
    }
    assert_int_equal(ring_init(&ring, 1), WEIR_E_OK);
    ring_free(&ring);
}

static void
all_slots_can_be_used_and_no_more(void **state)
{
    void *in[6] = { item(1), item(2), item(3), item(4), item(5), item(6) }, *out[6] = { NULL };

    (void)state;
    assert_int_equal(ring_init(&ring, 4), WEIR_E_OK);
    assert_int_equal(ring_pop(&ring, out, 6), 0);
    assert_int_equal(ring_push(&ring, in, 6), 4);
    assert_int_equal(ring_push(&ring, in + 4, 2), 0);
    assert_int_equal(ring_pop(&ring, out, 1), 1);
    assert_int_equal(ring_push(&ring, in + 4, 2), 1);
    assert_int_equal(ring_pop(&ring, out + 1, 6), 4);
    for (unsigned i = 0; i < 5; i++)
        assert_ptr_equal(out[i], in[i]);
    assert_int_equal(ring_pop(&ring, out, 1), 0);
    ring_free(&ring);
}

/* Both indices are put just before the wrap of 32 bits. */
static void
indices_may_wrap(void **state)
{
    void *one, *out;

    (void)state;
    assert_int_equal(ring_init(&ring, 2), WEIR_E_OK);
    ring.head_seen = ring.tail_seen = UINT32_MAX - 2;
    atomic_init(&ring.head, UINT32_MAX - 2);
    atomic_init(&ring.tail, UINT32_MAX - 2);
    for (uintptr_t i = 1; i <= 8; i++) {
        one = item(i);
        assert_int_equal(ring_push(&ring, &one, 1), 1);
        assert_int_equal(ring_push(&ring, &one, 1), 1);
        assert_int_equal(ring_push(&ring, &one, 1), 0);
        for (unsigned k = 0; k < 2; k++) {
            assert_int_equal(ring_pop(&ring, &out, 1), 1);
            assert_ptr_equal(out, one);
        }
        assert_int_equal(ring_pop(&ring, &out, 1), 0);
    }
    ring_free(&ring);
}

/* ---- two threads: messages are plain memory, so a missing fence is a race for TSan ---- */

enum { MESSAGES = 200000, BATCH = 7 };

static uint64_t message[MESSAGES];

static void *
produce(void *arg)
{
    unsigned made = 0, batch = 1;

    (void)arg;
    while (made < MESSAGES) {
        void *items[BATCH];
        unsigned n = batch < MESSAGES - made ? batch : MESSAGES - made, pushed = 0;

        for (unsigned i = 0; i < n; i++) {
            message[made + i] = UINT64_C(0x9e3779b97f4a7c15) * (made + i);
            items[i] = &message[made + i];
        }
        while (pushed < n) {
            const uint32_t took = ring_push(&ring, items + pushed, n - pushed);

            if (took == 0)
                sched_yield();
            pushed += took;
        }
        made += n;
        batch = batch % BATCH + 1;
    }
    return NULL;
}

static void
two_threads_see_every_message_in_order(void **state)
{
    pthread_t producer;
    unsigned got = 0, wrong = 0;

    (void)state;
    assert_int_equal(ring_init(&ring, 64), WEIR_E_OK);
    assert_int_equal(pthread_create(&producer, NULL, produce, NULL), 0);
    while (got < MESSAGES) {
        void *items[5];
        const uint32_t n = ring_pop(&ring, items, 5);

        if (n == 0)
            sched_yield();
        for (uint32_t i = 0; i < n; i++, got++)
            wrong += items[i] != &message[got] ||
                     message[got] != UINT64_C(0x9e3779b97f4a7c15) * got;
    }
    pthread_join(producer, NULL);
    assert_int_equal(wrong, 0);
    ring_free(&ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_two),
        cmocka_unit_test(all_slots_can_be_used_and_no_more),
        cmocka_unit_test(indices_may_wrap),
        cmocka_unit_test(two_threads_see_every_message_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
