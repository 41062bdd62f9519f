/*
 * What a record costs the packet core: put into a bare ring that another thread empties into the
 * kernel, appended to a log, and written to a log with a future that is resolved. The subjects take
 * turns, round by round; of each the median of all rounds counts. Rounds fit the rings, and between
 * them everything is written, so that nobody waits for room.
 *
 *     bench_log [FILE]      (default: /dev/null)
 */
#include <weir/core.h>
#include <weir/log.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = 201,
    RECORDS = 2000, /* a round */
    SIZE = 200,
    RING = 4 << 20,
    BURST = 32, /* records between two turns of the core, as packets come */
};

static char record[SIZE];
static struct weir_core *core;
static struct weir_log *the_log;
static uint64_t resolved;

/* ---- the bare ring: nothing but bytes and two positions ---- */

static struct {
    alignas(64) _Atomic size_t tail;
    size_t head_seen;
    alignas(64) _Atomic size_t head;
    alignas(64) char *bytes;
    int fd;
    _Atomic bool stop;
} bare;

static void *
empty_bare(void *arg)
{
    size_t head = 0, n;
    ssize_t done;

    while (!atomic_load_explicit(&bare.stop, memory_order_relaxed)) {
        n = atomic_load_explicit(&bare.tail, memory_order_acquire) - head;
        if (n == 0) {
            usleep(100);
            continue;
        }
        if (n > RING - head % RING)
            n = RING - head % RING;
        if (n > 256 << 10)
            n = 256 << 10;
        done = write(bare.fd, bare.bytes + head % RING, n);
        if (done < 0)
            exit(1);
        head += (size_t)done;
        atomic_store_explicit(&bare.head, head, memory_order_release);
    }
    return arg;
}

static void
put_bare(void)
{
    const size_t tail = atomic_load_explicit(&bare.tail, memory_order_relaxed), at = tail % RING;
    const size_t first = RING - at < SIZE ? RING - at : SIZE;

    if (tail + SIZE - bare.head_seen > RING)
        bare.head_seen = atomic_load_explicit(&bare.head, memory_order_acquire);
    if (tail + SIZE - bare.head_seen > RING)
        abort();
    if (first == SIZE) { /* of a size that the compiler knows */
        memcpy(bare.bytes + at, record, SIZE);
    } else {
        memcpy(bare.bytes + at, record, first);
        memcpy(bare.bytes, record + first, SIZE - first);
    }
    atomic_store_explicit(&bare.tail, tail + SIZE, memory_order_release);
}

static void
drain_bare(void)
{
    while (atomic_load_explicit(&bare.head, memory_order_acquire) != bare.tail)
        sched_yield();
}

/* ---- the subjects: one record each ---- */

static void
put_nothing(void)
{
    __asm__ volatile("" ::: "memory");
}

static void
append(void)
{
    if (weir_log_append(the_log, record, SIZE) != WEIR_E_OK)
        abort();
}

static void
put_in_place(void)
{
    void *room = weir_log_reserve(the_log, SIZE);

    if (room == NULL)
        abort();
    memcpy(room, record, SIZE);
    weir_log_commit(the_log, SIZE);
}

static weir_fut
count(void *ctx, weir_fut in)
{
    ++*(uint64_t *)ctx;
    return in;
}

static void
write_with_future(void)
{
    weir_detach(weir_log_write(the_log, record, SIZE));
}

static void
write_with_handler(void)
{
    weir_detach(weir_then(weir_log_write(the_log, record, SIZE), count, &resolved));
}

static void
drain_log(void)
{
    if (weir_log_drain(the_log) != WEIR_E_OK)
        abort();
}

static struct subject {
    const char *name;
    void (*put)(void);
    void (*drain)(void);
    double bar; /* at most so many times the bare ring */
    double ns[ROUNDS];
    uint64_t longest, over_20us; /* ns; calls */
} subjects[] = {
    { .name = "nothing", .put = put_nothing, .drain = put_nothing, .bar = 1 },
    { .name = "a bare ring", .put = put_bare, .drain = drain_bare, .bar = 1 },
    { .name = "weir_log_append()", .put = append, .drain = drain_log, .bar = 2 },
    { .name = "weir_log_reserve(), _commit()", .put = put_in_place, .drain = drain_log, .bar = 2 },
    { .name = "weir_log_write(), its future resolved",
      .put = write_with_future,
      .drain = drain_log,
      .bar = 2 },
    { .name = "the same, and a handler run behind it",
      .put = write_with_handler,
      .drain = drain_log,
      .bar = 2 },
};
enum { SUBJECTS = sizeof(subjects) / sizeof(subjects[0]), BARE = 1 };

static uint64_t
clock_ns(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The turn of the core is a part of the cost: what is over is asked for there. */
static double
measure(const struct subject *s)
{
    const uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    uint64_t ns;

    for (unsigned i = 0; i < RECORDS; i++) {
        s->put();
        if (i % BURST == 0)
            (void)weir_core_run(core, 1000);
    }
    while (weir_core_run(core, 100000) > 0)
        continue;
    ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    s->drain();
    ns -= clock_ns(CLOCK_THREAD_CPUTIME_ID); /* waiting is not counted; what is resolved now is */
    while (weir_core_run(core, 100000) > 0)
        continue;
    return (double)(ns + clock_ns(CLOCK_THREAD_CPUTIME_ID)) / RECORDS;
}

/* Calls on the wall's clock, one by one. */
static void
look_for_pauses(struct subject *s)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        const uint64_t start = clock_ns(CLOCK_MONOTONIC);
        uint64_t ns;

        s->put();
        if (i % BURST == 0)
            (void)weir_core_run(core, 1000);
        ns = clock_ns(CLOCK_MONOTONIC) - start;
        s->longest = ns > s->longest ? ns : s->longest;
        s->over_20us += ns > 20000;
    }
    s->drain();
    while (weir_core_run(core, 100000) > 0)
        continue;
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(struct subject *s)
{
    qsort(s->ns, ROUNDS, sizeof(s->ns[0]), compare);
    return s->ns[ROUNDS / 2];
}

static void
print_all(void)
{
    const double unit = median(&subjects[BARE]);

    printf("%-38s %8s %7s %6s %10s %10s\n", "a record of 200 bytes", "ns", "ratio", "bar",
           "longest us", "over 20 us");
    for (unsigned i = 0; i < SUBJECTS; i++) {
        const struct subject *s = &subjects[i];
        const double ns = median(&subjects[i]), ratio = ns / unit;

        printf("%-38s %8.2f %7.2f %6.1f %10.1f %10llu%s\n", s->name, ns, ratio, s->bar,
               (double)s->longest / 1000, (unsigned long long)s->over_20us,
               ratio > s->bar ? "  missed" : "");
    }
}

static int
set_up(const char *path)
{
    const struct weir_core_opts core_opts = { .cells = 4 * RECORDS };
    const struct weir_log_opts opts = {
        .path = path, .full = WEIR_LOG_DROP, .ring_size = RING, .futures = 2 * RECORDS
    };

    bare.fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    bare.bytes = calloc(1, RING);
    memset(record, 'r', SIZE);
    if (bare.fd < 0 || bare.bytes == NULL || weir_core_new(&core_opts, &core) != WEIR_E_OK ||
        weir_log_open(&opts, &the_log, NULL) != WEIR_E_OK)
        return 1;
    memset(bare.bytes, 1, RING);
    weir_core_enter(core);
    return 0;
}

int
main(int argc, char **argv)
{
    pthread_t thread;

    if (set_up(argc > 1 ? argv[1] : "/dev/null") != 0 ||
        pthread_create(&thread, NULL, empty_bare, NULL) != 0)
        return 1;
    for (unsigned i = 0; i < SUBJECTS; i++)
        (void)measure(&subjects[i]); /* warm */
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < SUBJECTS; i++)
            subjects[i].ns[round] = measure(&subjects[i]);
        for (unsigned i = 0; i < SUBJECTS; i++)
            look_for_pauses(&subjects[i]);
    }
    print_all();
    if (resolved != (2 * ROUNDS + 1) * (uint64_t)RECORDS)
        return 1;
    atomic_store(&bare.stop, true);
    pthread_join(thread, NULL);
    if (weir_log_close(the_log, NULL) != WEIR_E_OK)
        return 1;
    return weir_core_free(core) == 0 ? 0 : 1;
}
