/* What a core sees of a log: futures, their order, limits, policies, life and death. */
#include "core/order.h"
#include "unit/log_help.h"

#include <pthread.h>

static void
a_future_resolves_when_the_kernel_has_the_record(void **state)
{
    struct fake fake = { .holds = true };
    struct weir_log *log = open_fake(&(struct weir_log_opts){ .path = in_folder("log") }, &fake);
    struct seen seen;

    (void)state;
    watch(weir_log_write(log, "one\n", 4), &seen);
    sleep_ms(30);
    run_all();
    assert_int_equal(seen.times, 0);
    fake.holds = false;
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_OK, 0);
    assert_holds(in_folder("log"), "one\n");
    assert_int_equal(fake.syncs, 0);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
on_disk_means_that_the_disk_was_asked(void **state)
{
    struct fake fake = { .holds = false };
    struct weir_log *log = open_fake(
        &(struct weir_log_opts){ .path = in_folder("log"), .on_disk = true }, &fake);
    struct seen seen;

    (void)state;
    watch(weir_log_write(log, "one\n", 4), &seen);
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_OK, 0);
    assert_int_equal(fake.syncs, 1);
    fake.sync_error = EIO;
    watch(weir_log_write(log, "two\n", 4), &seen);
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_IO, 0);
    assert_int_equal(log_stats(log).last_errno, EIO);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
a_sync_is_over_when_the_disk_has_what_was_appended(void **state)
{
    struct fake fake = { .holds = true };
    struct weir_log *log = open_fake(&(struct weir_log_opts){ .path = in_folder("log") }, &fake);
    struct seen flush, sync;

    (void)state;
    assert_int_equal(weir_log_append(log, "one\n", 4), WEIR_E_OK);
    watch(weir_log_flush(log), &flush);
    watch(weir_log_sync(log), &sync);
    sleep_ms(20);
    run_all();
    assert_int_equal(flush.times + sync.times, 0);
    fake.holds = false;
    assert_true(run_until(sync.times > 0));
    assert_outcome(flush, WEIR_E_OK, 0);
    assert_outcome(sync, WEIR_E_OK, 0);
    assert_int_equal(fake.syncs, 1);
    assert_holds(in_folder("log"), "one\n");
    watch(weir_log_flush(log), &flush); /* nothing is left to wait for */
    assert_true(run_until(flush.times > 0));
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static unsigned resolved;

/* ctx: a place for the turn in which this was resolved. */
static weir_fut
take_turn(void *ctx, weir_fut in)
{
    *(unsigned *)ctx = ++resolved;
    return in;
}

static void
futures_of_a_core_resolve_in_the_order_of_its_records(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){ .path = in_folder("log") });
    unsigned turn[300];
    char line[LINE_MAX_BYTES];

    (void)state;
    resolved = 0;
    for (unsigned i = 0; i < 300; i++) {
        const size_t n = make_line(line, 'a', i);
        const weir_fut f = i % 7 == 3 ? weir_log_sync(log) : weir_log_write(log, line, n);

        if (i % 7 == 3)
            assert_int_equal(weir_log_append(log, line, n), WEIR_E_OK);
        weir_detach(weir_then(f, take_turn, &turn[i]));
    }
    assert_true(run_until(resolved == 300));
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(turn[i], i + 1);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_lines(in_folder("log"), (unsigned[26]){ 0 }, false);
}

static void
records_are_put_together_in_place(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){ .path = in_folder("log") });
    char *room = weir_log_reserve(log, 100);

    (void)state;
    assert_non_null(room);
    memcpy(room, "given up", 8);
    room = weir_log_reserve(log, 100);
    assert_non_null(room);
    memcpy(room, "in place\n", 9);
    weir_log_commit(log, 9);
    assert_int_equal(weir_log_append(log, "copied\n", 7), WEIR_E_OK);
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_holds(in_folder("log"), "in place\ncopied\n");
    assert_int_equal(log_stats(log).records, 2);
    assert_int_equal(log_stats(log).bytes, 16);
    assert_int_equal(log_stats(log).held, 0);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

/* ---- limits ---- */

static const char kilobyte[1024];

static void
a_full_ring_drops_and_counts(void **state)
{
    struct fake fake = { .holds = true };
    const struct weir_log_opts opts = { .path = in_folder("log"),
                                        .full = WEIR_LOG_DROP,
                                        .ring_size = 4096 };
    struct weir_log *log = open_fake(&opts, &fake);
    unsigned fit = 0;
    struct seen seen, flush;

    (void)state;
    while (weir_log_append(log, kilobyte, sizeof(kilobyte)) == WEIR_E_OK)
        fit++;
    assert_int_equal(fit, 3);
    watch(weir_log_write(log, kilobyte, sizeof(kilobyte)), &seen);
    assert_outcome(seen, WEIR_E_LIMIT, 0);
    assert_null(weir_log_reserve(log, sizeof(kilobyte)));
    assert_int_equal(log_stats(log).dropped, 3);
    assert_int_equal(log_stats(log).held, 3 * (1024 + 8));
    while (weir_log_append(log, kilobyte, 64) == WEIR_E_OK)
        continue;
    watch(weir_log_flush(log), &flush); /* finds room when there is some, whatever the policy */
    fake.holds = false;
    assert_true(run_until(flush.times > 0));
    assert_outcome(flush, WEIR_E_OK, 0);
    assert_int_equal(weir_log_append(log, kilobyte, sizeof(kilobyte)), WEIR_E_OK);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
a_record_waits_for_room_and_keeps_its_turn(void **state)
{
    struct fake fake = { .holds = true };
    const struct weir_log_opts opts = { .path = in_folder("log"),
                                        .ring_size = 4096,
                                        .waiting = 50 };
    struct weir_log *log = open_fake(&opts, &fake);
    static char lines[60][LINE_MAX_BYTES];
    unsigned turn[60];
    size_t n;

    (void)state;
    resolved = 0;
    for (unsigned i = 0; i < 60; i++) {
        n = make_line(lines[i], 'a', i);
        weir_detach(weir_then(weir_log_write(log, lines[i], n), take_turn, &turn[i]));
    }
    assert_in_range(log_stats(log).waited, 10, 49);
    assert_int_equal(weir_log_append(log, "", 0), WEIR_E_LIMIT); /* would overtake */
    fake.holds = false;
    assert_true(run_until(resolved == 60));
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(turn[i], i + 1);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_lines(in_folder("log"), (unsigned[26]){ 0 }, false);
}

static void
too_many_that_wait_are_refused_and_counted(void **state)
{
    struct fake fake = { .holds = true };
    const struct weir_log_opts opts = { .path = in_folder("log"), .ring_size = 4096, .waiting = 3 };
    struct weir_log *log = open_fake(&opts, &fake);
    struct seen seen[7];

    (void)state;
    for (unsigned i = 0; i < 7; i++)
        watch(weir_log_write(log, kilobyte, sizeof(kilobyte)), &seen[i]);
    assert_outcome(seen[6], WEIR_E_LIMIT, 0);
    assert_int_equal(log_stats(log).refused, 1);
    assert_int_equal(log_stats(log).waited, 3);
    fake.holds = false;
    assert_true(run_until(seen[5].times > 0));
    for (unsigned i = 0; i < 6; i++)
        assert_outcome(seen[i], WEIR_E_OK, 0);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
too_many_futures_are_refused_and_counted(void **state)
{
    struct fake fake = { .holds = true };
    const struct weir_log_opts opts = { .path = in_folder("log"), .futures = 5 };
    struct weir_log *log = open_fake(&opts, &fake);
    struct seen seen[6];

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        watch(weir_log_write(log, "x\n", 2), &seen[i]);
    assert_outcome(seen[5], WEIR_E_LIMIT, 0);
    assert_int_equal(log_stats(log).refused, 1);
    fake.holds = false;
    assert_true(run_until(seen[4].times > 0));
    watch(weir_log_write(log, "y\n", 2), &seen[5]);
    assert_true(run_until(seen[5].times > 0));
    assert_outcome(seen[5], WEIR_E_OK, 0);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_holds(in_folder("log"), "x\nx\nx\nx\nx\ny\n");
}

static void
a_record_that_fits_no_ring_is_invalid(void **state)
{
    struct weir_log *log = open_with(
        &(struct weir_log_opts){ .path = in_folder("log"), .ring_size = 4096 });
    static const char much[4096];
    struct seen seen;

    (void)state;
    watch(weir_log_write(log, much, 2041), &seen);
    assert_outcome(seen, WEIR_E_INVAL, 0);
    assert_int_equal(weir_log_append(log, much, 2041), WEIR_E_INVAL);
    assert_int_equal(weir_log_append(log, much, 2040), WEIR_E_OK);
    assert_int_equal(weir_log_wait_room(log, 2041), WEIR_E_INVAL);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

/* Who comes first must not decide whose records are written. */
static void
a_replay_of_more_cores_than_rings_is_refused(void **state)
{
    struct order *order = order_new(3, 4096);
    struct seen seen;
    weir_fut written;

    (void)state;
    assert_non_null(order);
    core_current->replays = true;
    core_current->order = order_end(order, 0);
    for (uint32_t cores = 1; cores <= 3; cores++) {
        struct weir_log *log = open_with(
            &(struct weir_log_opts){ .path = in_folder("log"), .cores = cores });
        const int code = cores < 3 ? WEIR_E_INVAL : WEIR_E_OK;

        written = weir_log_write(log, "x\n", 2);
        if (code != WEIR_E_OK)
            assert_non_null(strstr(weir_message(written), "fewer rings than there are cores"));
        watch(written, &seen);
        assert_int_equal(seen.times, 1);
        assert_int_equal(seen.code, code);
        assert_int_equal(weir_log_append(log, "x\n", 2), code);
        order_pass(order_end(order, 0), &(struct moment){ .packet = UINT64_MAX });
        assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    }
    core_current->order = NULL;
    core_current->replays = false;
    order_free(order);
}

static void
options_out_of_bounds_are_invalid(void **state)
{
    static const struct weir_log_opts bad[] = {
        { .path = "/dev/null", .ring_size = (1U << 30) + 1 },
        { .path = "/dev/null", .futures = (1U << 20) + 1 },
        { .path = "/dev/null", .futures = 10, .waiting = 11 },
        { .path = "/dev/null", .full = (enum weir_log_full)2 },
    };
    struct weir_log *log;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(weir_log_open(&bad[i], &log, NULL), WEIR_E_INVAL);
}

/* ---- calling off ---- */

static void
a_record_called_off_before_it_had_room_is_never_written(void **state)
{
    struct fake fake = { .holds = true };
    const struct weir_log_opts opts = { .path = in_folder("log"), .ring_size = 4096 };
    struct weir_log *log = open_fake(&opts, &fake);
    static const char some[1500];
    char *bytes = malloc(1500);
    struct seen seen[2];
    weir_fut waits;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'n', 1500);
    watch(weir_log_write(log, some, 1500), &seen[0]);
    watch(weir_log_write(log, some, 1500), &seen[1]);
    waits = weir_log_write(log, bytes, 1500);
    weir_cancel(waits);
    free(bytes); /* ASan tells if it is looked at */
    fake.holds = false;
    assert_true(run_until(seen[1].times > 0));
    assert_int_equal(weir_log_drain(log), WEIR_E_OK);
    assert_int_equal(log_stats(log).records, 2);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
a_record_called_off_in_the_ring_is_written_all_the_same(void **state)
{
    struct fake fake = { .holds = true };
    struct weir_log *log = open_fake(&(struct weir_log_opts){ .path = in_folder("log") }, &fake);
    struct seen seen;

    (void)state;
    weir_cancel(weir_log_write(log, "gone\n", 5));
    watch(weir_log_write(log, "next\n", 5), &seen);
    fake.holds = false;
    assert_true(run_until(seen.times > 0));
    assert_holds(in_folder("log"), "gone\nnext\n");
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

/* ---- cores ---- */

static void
without_a_core_or_a_ring_nothing_is_taken(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){ .path = in_folder("log") });
    struct weir_core *other;
    struct seen seen;

    (void)state;
    assert_int_equal(weir_log_append(log, "a\n", 2), WEIR_E_OK);
    weir_core_enter(NULL);
    assert_int_equal(weir_log_append(log, "b\n", 2), WEIR_E_INVAL);
    assert_int_equal(weir_code(weir_log_flush(log)), WEIR_E_INVAL);
    assert_int_equal(weir_core_new(NULL, &other), WEIR_E_OK);
    weir_core_enter(other);
    assert_int_equal(weir_log_append(log, "c\n", 2), WEIR_E_INVAL); /* one ring, and it is taken */
    watch(weir_log_write(log, "c\n", 2), &seen);
    assert_outcome(seen, WEIR_E_INVAL, 0);
    assert_int_equal(weir_core_free(other), 0);
    weir_core_enter(core);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_holds(in_folder("log"), "a\n");
}

static void
a_ring_is_free_again_when_its_core_has_ended(void **state)
{
    struct fake fake = { .holds = true };
    struct weir_log *log = open_fake(&(struct weir_log_opts){ .path = in_folder("log") }, &fake);
    struct weir_core *other;
    struct seen seen;

    (void)state;
    assert_int_equal(weir_core_new(NULL, &other), WEIR_E_OK);
    weir_core_enter(other);
    weir_cancel(weir_log_write(log, "of one\n", 7));
    assert_int_equal(weir_core_free(other), 0);
    weir_core_enter(core);
    watch(weir_log_write(log, "of another\n", 11), &seen);
    fake.holds = false;
    assert_true(run_until(seen.times > 0));
    assert_outcome(seen, WEIR_E_OK, 0);
    assert_holds(in_folder("log"), "of one\nof another\n");
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
}

static void
logs_of_one_core_do_not_mix(void **state)
{
    struct weir_log *a = open_with(&(struct weir_log_opts){ .path = in_folder("a") });
    struct weir_log *b = open_with(&(struct weir_log_opts){ .path = in_folder("b") });
    struct seen seen[2];

    (void)state;
    watch(weir_log_write(a, "to a\n", 5), &seen[0]);
    watch(weir_log_write(b, "to b\n", 5), &seen[1]);
    assert_true(run_until(seen[0].times + seen[1].times == 2));
    assert_int_equal(weir_log_close(a, NULL), WEIR_E_OK);
    watch(weir_log_write(b, "more\n", 5), &seen[1]);
    assert_true(run_until(seen[1].times > 0));
    assert_int_equal(weir_log_close(b, NULL), WEIR_E_OK);
    assert_holds(in_folder("a"), "to a\n");
    assert_holds(in_folder("b"), "to b\nmore\n");
}

enum { THREADS = 3, LINES = 3000 };

struct worker {
    pthread_t thread, self;
    struct weir_log *log;
    char name;
    unsigned good, elsewhere;
    struct weir_core *core;
};

static weir_fut
note_core(void *ctx, weir_fut in)
{
    struct worker *w = ctx;

    w->good += weir_is_ready(in);
    w->elsewhere += weir_core_current() != w->core || !pthread_equal(pthread_self(), w->self);
    return weir_ok(0);
}

static void *
work(void *arg)
{
    struct worker *w = arg;
    char line[LINE_MAX_BYTES];

    w->self = pthread_self();
    if (weir_core_new(NULL, &w->core) != WEIR_E_OK)
        return NULL;
    weir_core_enter(w->core);
    for (unsigned i = 0; i < LINES; i++) {
        const size_t n = make_line(line, w->name, i);

        while (w->good + 50 < i)
            weir_core_run(w->core, 100);
        weir_detach(weir_always(weir_log_write(w->log, line, n), note_core, w));
    }
    while (w->good < LINES)
        weir_core_run(w->core, 100);
    return NULL;
}

static void
futures_resolve_on_the_core_that_wrote(void **state)
{
    struct weir_log *log = open_with(&(struct weir_log_opts){
        .path = in_folder("log"), .ring_size = 32768, .cores = THREADS, .futures = 64 });
    struct worker workers[THREADS] = { { .log = log } };
    unsigned next[26] = { 0 };

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .log = log, .name = (char)('a' + i) };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].good, LINES);
        assert_int_equal(workers[i].elsewhere, 0);
        assert_int_equal(weir_core_free(workers[i].core), 0);
    }
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_lines(in_folder("log"), next, false);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
}

/* ---- the end ---- */

static void
closing_writes_what_is_left_and_resolves_futures(void **state)
{
    struct fake fake = { .most = 100 };
    const struct weir_log_opts opts = { .path = in_folder("log"), .ring_size = 4096 };
    struct weir_log *log = open_fake(&opts, &fake);
    static char lines[100][LINE_MAX_BYTES];
    struct seen seen[100];
    unsigned next[26] = { 0 };

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        watch(weir_log_write(log, lines[i], make_line(lines[i], 'a', i)), &seen[i]);
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    run_all();
    for (unsigned i = 0; i < 100; i++)
        assert_outcome(seen[i], WEIR_E_OK, 0);
    assert_lines(in_folder("log"), next, false);
    assert_int_equal(next[0], 100);
}

static void
closing_gives_up_what_nobody_takes(void **state)
{
    struct fake fake = { .stalls = true };
    const struct weir_log_opts opts = { .path = in_folder("log"),
                                        .ring_size = 4096,
                                        .linger_ms = 50 };
    struct weir_log *log = open_fake(&opts, &fake);
    struct weir_errbuf err = { "" };
    struct seen seen[5];

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        watch(weir_log_write(log, kilobyte, sizeof(kilobyte)), &seen[i]);
    assert_int_equal(weir_log_close(log, &err), WEIR_E_IO);
    assert_non_null(strstr(err.text, in_folder("log")));
    run_all();
    for (unsigned i = 0; i < 5; i++)
        assert_outcome(seen[i], WEIR_E_IO, 0);
}

static void
closing_nothing_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(weir_log_close(NULL, NULL), WEIR_E_OK);
}

/* ---- what the packets see ---- */

static void
a_disk_stalled_for_two_seconds_holds_up_no_packet(void **state)
{
    struct fake fake = { .holds = true };
    const struct weir_log_opts opts = { .path = in_folder("log"),
                                        .full = WEIR_LOG_DROP,
                                        .ring_size = 65536 };
    struct weir_log *log = open_fake(&opts, &fake);
    const uint64_t begin = now_ms();
    uint64_t longest = 0, packets = 0, good = 0;
    char line[LINE_MAX_BYTES];

    (void)state;
    while (now_ms() - begin < 2000) {
        const uint64_t before = now_ms();

        good += weir_log_append(log, line, make_line(line, 'a', (unsigned)packets)) == WEIR_E_OK;
        packets++;
        run_all();
        if (now_ms() - before > longest)
            longest = now_ms() - before;
        if (packets % 100 == 0)
            sleep_ms(1);
    }
    assert_true(packets > 10000);
    assert_true(longest < 500); /* the disk took 2000; a busy machine takes its time, too */
    assert_in_range(log_stats(log).held, 60000, 65536);
    assert_int_equal(log_stats(log).dropped, packets - good);
    fake.holds = false;
    assert_int_equal(weir_log_close(log, NULL), WEIR_E_OK);
    assert_lines(in_folder("log"), (unsigned[26]){ 0 }, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_future_resolves_when_the_kernel_has_the_record),
        in_a_folder(on_disk_means_that_the_disk_was_asked),
        in_a_folder(a_sync_is_over_when_the_disk_has_what_was_appended),
        in_a_folder(futures_of_a_core_resolve_in_the_order_of_its_records),
        in_a_folder(records_are_put_together_in_place),
        in_a_folder(a_full_ring_drops_and_counts),
        in_a_folder(a_record_waits_for_room_and_keeps_its_turn),
        in_a_folder(too_many_that_wait_are_refused_and_counted),
        in_a_folder(too_many_futures_are_refused_and_counted),
        in_a_folder(a_record_that_fits_no_ring_is_invalid),
        in_a_folder(a_replay_of_more_cores_than_rings_is_refused),
        in_a_folder(options_out_of_bounds_are_invalid),
        in_a_folder(a_record_called_off_before_it_had_room_is_never_written),
        in_a_folder(a_record_called_off_in_the_ring_is_written_all_the_same),
        in_a_folder(without_a_core_or_a_ring_nothing_is_taken),
        in_a_folder(a_ring_is_free_again_when_its_core_has_ended),
        in_a_folder(logs_of_one_core_do_not_mix),
        in_a_folder(futures_resolve_on_the_core_that_wrote),
        in_a_folder(closing_writes_what_is_left_and_resolves_futures),
        in_a_folder(closing_gives_up_what_nobody_takes),
        in_a_folder(closing_nothing_is_allowed),
        in_a_folder(a_disk_stalled_for_two_seconds_holds_up_no_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
