/* Handlers of a monitor that sleep on a log's records: a replay waits for them, and how. */
#include "support/frames.h"
#include "unit/log_help.h"

#include <weir/event.h>
#include <weir/monitor.h>

#include <pthread.h>

enum { DATAGRAMS = 2000 };

struct run {
    struct weir_monitor *m;
    struct weir_log *log;
    struct fake fake;
    struct weir_tap_spec spec;
    uint64_t timeout; /* ns of packet time; 0: none */
    unsigned fed;     /* datagrams so far */
    unsigned done, failed;
    unsigned woke[DATAGRAMS]; /* by turn: what fed was when the handler woke */
};

static struct run run;

static weir_fut
log_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    char line[LINE_MAX_BYTES];
    const size_t n = make_line(line, 'a', (unsigned)ev->number - 1);
    weir_fut f = weir_log_write(run.log, line, n);

    (void)ctx;
    return run.timeout != 0 ? weir_timeout(f, run.timeout) : f;
}

static weir_fut
count_done(void *ctx, weir_fut in)
{
    (void)ctx;
    run.woke[run.done++] = run.fed;
    return in;
}

static void
count_failed(void *ctx, weir_fut why)
{
    (void)ctx;
    run.failed += weir_is_failed(why);
}

static const weir_fn stages[] = { log_event, count_done };

static void
begin(bool live)
{
    const struct weir_monitor_opts opts = { .live = live };
    const struct weir_log_opts log_opts = { .path = in_folder("log"), .linger_ms = 10 };
    const struct weir_app app = { .name = "logger", .spec = &run.spec };

    memset(&run, 0, sizeof(run));
    unlink(in_folder("log"));
    run.spec = (struct weir_tap_spec){ .stage = stages,
                                       .n_stages = 2,
                                       .want = WEIR_EV_BIT(WEIR_EV_DATAGRAM),
                                       .queue_max = 100,
                                       .on_end = count_failed };
    run.log = open_fake(&log_opts, &run.fake);
    assert_int_equal(weir_monitor_new(&opts, &run.m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(run.m, &app), WEIR_E_OK);
}

/* n datagrams, ms apart. */
static void
feed(unsigned n, unsigned ms)
{
    static uint8_t room[FRAME_ROOM];

    for (unsigned i = 0; i < n; i++) {
        struct weir_frame frame = udp_frame(WEIR_TOSERVER, "data", 4, (uint64_t)run.fed * ms, room);

        run.fed++;
        assert_int_equal(weir_monitor_feed(run.m, &frame, 1), WEIR_E_OK);
    }
}

static struct weir_monitor_stats
end(void)
{
    struct weir_monitor_stats s;

    weir_monitor_end(run.m);
    weir_monitor_get_stats(run.m, &s);
    weir_monitor_free(run.m);
    weir_log_close(run.log, NULL);
    return s;
}

static void
a_replay_drops_and_cancels_nothing_that_waits_for_its_record(void **state)
{
    unsigned next[26] = { 0 };

    (void)state;
    begin(false);
    feed(DATAGRAMS, 1);
    assert_int_equal(end().tap_dropped, 0);
    assert_int_equal(run.done, DATAGRAMS);
    assert_int_equal(run.failed, 0);
    assert_lines(in_folder("log"), next, false);
    assert_int_equal(next[0], DATAGRAMS);
}

/* However long the kernel takes, and in whatever pieces. */
static void
handlers_wake_at_the_same_packets_in_every_run(void **state)
{
    static unsigned first[DATAGRAMS];

    (void)state;
    for (unsigned turn = 0; turn < 4; turn++) {
        begin(false);
        run.fake.most = turn * 50;
        run.fake.stalls = turn == 1;
        feed(DATAGRAMS / 20, 1);
        sleep_ms(turn * 10);
        run.fake.stalls = false;
        feed(DATAGRAMS - DATAGRAMS / 20, 1);
        end();
        assert_int_equal(run.done, DATAGRAMS);
        if (turn == 0)
            memcpy(first, run.woke, sizeof(first));
        assert_memory_equal(run.woke, first, sizeof(first));
    }
}

static void
what_is_written_takes_no_packet_time(void **state)
{
    (void)state;
    begin(false);
    run.timeout = 50 * MS;
    feed(200, 1000);
    end();
    assert_int_equal(run.done, 200);
    assert_int_equal(run.failed, 0);
}

static void *
let_go_later(void *arg)
{
    sleep_ms(400);
    run.fake.holds = false;
    return arg;
}

static uint64_t
cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
the_end_waits_for_records_and_does_not_spin(void **state)
{
    const uint64_t begin_ms = now_ms(), begin_cpu = cpu_ms();
    pthread_t thread;

    (void)state;
    begin(false);
    run.fake.holds = true;
    assert_int_equal(pthread_create(&thread, NULL, let_go_later, NULL), 0);
    feed(50, 1);
    end();
    pthread_join(thread, NULL);
    assert_int_equal(run.done, 50);
    assert_int_equal(run.failed, 0);
    assert_true(now_ms() - begin_ms >= 400);
    assert_true(cpu_ms() - begin_cpu < 200);
}

/* Live, a log that is stuck may neither hold packets up nor the end for long. */
static void
live_the_end_gives_up_what_is_stuck(void **state)
{
    const uint64_t begin_ms = now_ms();

    (void)state;
    begin(true);
    run.fake.stalls = true;
    feed(150, 1);
    assert_int_equal(run.done, 0);
    assert_int_equal(end().tap_dropped, 49); /* one is in the stage, and a hundred wait */
    assert_int_equal(run.failed, 1);
    assert_in_range(now_ms() - begin_ms, 900, 9000);
}

static void
live_handlers_wake_when_no_packet_comes(void **state)
{
    (void)state;
    begin(true);
    feed(10, 1);
    for (unsigned i = 0; i < 5000 && run.done < 10; i++) {
        sleep_ms(1);
        assert_int_equal(weir_monitor_feed(run.m, NULL, 0), WEIR_E_OK);
    }
    assert_int_equal(run.done, 10);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_replay_drops_and_cancels_nothing_that_waits_for_its_record),
        in_a_folder(handlers_wake_at_the_same_packets_in_every_run),
        in_a_folder(what_is_written_takes_no_packet_time),
        in_a_folder(the_end_waits_for_records_and_does_not_spin),
        in_a_folder(live_the_end_gives_up_what_is_stuck),
        in_a_folder(live_handlers_wake_when_no_packet_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
