#include "file/records.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { SIZE = 4096, HEAD = sizeof(struct record_head) };

static struct records ring;

static int
make_ring(void **state)
{
    (void)state;
    return records_init(&ring, SIZE, true) ? 0 : -1;
}

static int
free_ring(void **state)
{
    (void)state;
    records_free(&ring);
    return 0;
}

/* Put a record of n bytes, all of them c. */
static bool
put(size_t n, int c)
{
    uint8_t *to = records_reserve(&ring, n);

    if (to == NULL)
        return false;
    memset(to, c, n);
    records_commit(&ring, RECORD_PLAIN, n);
    return true;
}

static bool
is_all(const struct record *record, size_t n, int c)
{
    bool all = record->n == n;

    for (size_t i = 0; i < n && all; i++)
        all = record->p[i] == c;
    return all;
}

/* Take a record; whether it is n bytes, all of them c. */
static bool
take(size_t n, int c)
{
    struct record record;

    if (!records_at(&ring, ring.head, records_ready(&ring), &record) || !is_all(&record, n, c))
        return false;
    records_release(&ring, record.next);
    return true;
}

static bool
is_empty(void)
{
    struct record record;

    return !records_at(&ring, ring.head, records_ready(&ring), &record);
}

static void
records_come_out_as_they_went_in(void **state)
{
    (void)state;
    assert_true(put(1, 'a'));
    assert_true(put(0, 'b'));
    assert_true(put(100, 'c'));
    assert_true(take(1, 'a'));
    assert_true(take(0, 'b'));
    assert_true(take(100, 'c'));
    assert_true(is_empty());
}

static void
all_of_the_ring_can_be_used_and_no_more(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIZE / 64; i++)
        assert_true(put(64 - HEAD, 'x'));
    assert_false(put(0, 'y'));
    assert_true(take(64 - HEAD, 'x'));
    assert_false(put(64, 'y'));
    assert_true(put(64 - HEAD, 'y'));
}

/* At every place of the ring, as every size: in one piece, and the whole of it. */
static void
the_longest_record_fits_wherever_an_empty_ring_begins(void **state)
{
    const size_t longest = records_longest(&ring);

    (void)state;
    assert_int_equal(record_size(longest), SIZE / 2);
    for (unsigned i = 0; i < 3 * SIZE / HEAD; i++) {
        assert_true(put(longest, 'l'));
        assert_true(take(longest, 'l'));
        assert_true(put(0, 's')); /* moves the begin by a head */
        assert_true(take(0, 's'));
    }
}

static void
room_that_was_not_committed_is_given_up(void **state)
{
    (void)state;
    memset(records_reserve(&ring, 100), 'n', 100);
    assert_true(is_empty());
    memset(records_reserve(&ring, 100), 'y', 50);
    records_commit(&ring, RECORD_PLAIN, 50);
    assert_true(take(50, 'y'));
    assert_true(is_empty());
}

/* Built a byte at a time from every place; whether it had to move or not, its bytes are there. */
static void
a_record_grows_in_place_or_moves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * SIZE / HEAD; i++) {
        uint8_t *to = records_reserve(&ring, 0);

        for (size_t n = 0; n < 1000; n++) {
            assert_non_null(to = records_grow(&ring, n, n + 1));
            to[n] = 'g';
        }
        records_commit(&ring, RECORD_PLAIN, 1000);
        assert_true(take(1000, 'g'));
        assert_true(put(0, 's'));
        assert_true(take(0, 's'));
    }
}

static void
a_record_that_cannot_grow_stays_as_it_is(void **state)
{
    uint8_t *to;

    (void)state;
    assert_true(put(SIZE / 2 - HEAD, 'x'));
    assert_non_null(to = records_reserve(&ring, 100));
    memset(to, 'r', 100);
    assert_null(records_grow(&ring, 100, records_longest(&ring) + HEAD));
    records_commit(&ring, RECORD_PLAIN, 100);
    assert_true(take(SIZE / 2 - HEAD, 'x'));
    assert_true(take(100, 'r'));
}

/* ---- two threads ---- */

enum { MANY = 200000 };

static size_t
size_of_record(unsigned i)
{
    return i * 2654435761U % 700;
}

static void *
produce(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < MANY; i++)
        while (!put(size_of_record(i), (int)(i & 0xff)))
            sched_yield();
    return NULL;
}

static void
nothing_is_torn_between_two_threads(void **state)
{
    unsigned good = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, produce, NULL), 0);
    for (unsigned i = 0; i < MANY; i++) {
        while (is_empty())
            sched_yield();
        good += take(size_of_record(i), (int)(i & 0xff));
        if (good != i + 1)
            break;
    }
    assert_int_equal(good, MANY);
    pthread_join(thread, NULL);
}

#define with_ring(fact) cmocka_unit_test_setup_teardown(fact, make_ring, free_ring)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        with_ring(records_come_out_as_they_went_in),
        with_ring(all_of_the_ring_can_be_used_and_no_more),
        with_ring(the_longest_record_fits_wherever_an_empty_ring_begins),
        with_ring(room_that_was_not_committed_is_given_up),
        with_ring(a_record_grows_in_place_or_moves),
        with_ring(a_record_that_cannot_grow_stays_as_it_is),
        with_ring(nothing_is_torn_between_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
