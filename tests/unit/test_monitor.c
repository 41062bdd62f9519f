/* The monitor and its apps: events that wait, queues that are full, the end. */
#include "engine.h"
#include "port/port.h"
#include "support/frames.h"

#include <weir/future.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct weir_monitor *m;
    struct weir_tap_spec spec[2];
    char said[2][4096]; /* by app: a word for each event */
    bool wrong;         /* a packet's bytes were not its own any more */
    unsigned turns;
    uint8_t room[FRAME_ROOM]; /* of every frame: the bytes of the one before are overwritten */
};

static int
set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .m = NULL };
    *state = &fixture;
    return weir_monitor_new(NULL, &fixture.m) != WEIR_E_OK;
}

static int
tear_down(void **state)
{
    weir_monitor_free(((struct fixture *)*state)->m);
    return 0;
}

static void
add(struct fixture *f, unsigned i, const weir_fn *stages, unsigned n, uint64_t want, unsigned queue)
{
    struct weir_app app = { .name = i == 0 ? "one" : "two", .spec = &f->spec[i], .arg = f };

    f->spec[i] =
        (struct weir_tap_spec){ .stage = stages, .n_stages = n, .want = want, .queue_max = queue };
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

/* A datagram whose every byte is the last digit of its number. */
static void
feed(struct fixture *f, unsigned n)
{
    char data[8];
    struct weir_frame frame;

    memset(data, '0' + (int)(n % 10), sizeof(data));
    frame = udp_frame(WEIR_TOSERVER, data, sizeof(data), n, f->room);
    frame.stable = false;
    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static void
say(char said[4096], const struct weir_event *ev)
{
    size_t n = strlen(said);

    snprintf(said + n, 4096 - n, "%s@%u ", weir_event_name(ev->type), (unsigned)ev->number);
}

static weir_fut
sleep_at_first(void *ctx, weir_fut in)
{
    struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    if (ev->number == 1 && ev->type == WEIR_EV_DATAGRAM)
        return weir_after(UINT64_C(10) * 1000000000);
    say(((struct fixture *)ev->app)->said[0], ev);
    if (ev->packet->payload[0] != '0' + ev->number % 10 ||
        ev->packet->payload[7] != '0' + ev->number % 10 || ev->packet->payload < ev->packet->frame)
        ((struct fixture *)ev->app)->wrong = true;
    return weir_ok(0);
}

static const weir_fn sleepy[] = { sleep_at_first };

/* What waits behind a sleeping stage has its own copy of a packet that is not stable. */
static void
a_packet_that_waits_keeps_its_bytes(void **state)
{
    struct fixture *f = *state;

    add(f, 0, sleepy, 1, WEIR_EV_BIT(WEIR_EV_DATAGRAM) | WEIR_EV_BIT(WEIR_EV_PACKET), 0);
    for (unsigned n = 1; n <= 4; n++)
        feed(f, n);
    assert_string_equal(f->said[0], "packet@1 ");
    weir_monitor_end(f->m);
    assert_string_equal(f->said[0], "packet@1 packet@2 datagram@2 packet@3 datagram@3 packet@4 "
                                    "datagram@4 ");
    assert_false(f->wrong);
}

static weir_fut
listen(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    say(((struct fixture *)ev->app)->said[1], ev);
    return weir_ok(0);
}

static const weir_fn listener[] = { listen };

/* A limit has a counter and an event. */
static void
a_full_queue_is_counted_and_told(void **state)
{
    struct fixture *f = *state;
    struct weir_monitor_stats stats;

    add(f, 0, sleepy, 1, WEIR_EV_BIT(WEIR_EV_DATAGRAM), 2);
    add(f, 1, listener, 1, WEIR_EV_BIT(WEIR_EV_OVERLOAD), 0);
    for (unsigned n = 1; n <= 5; n++)
        feed(f, n);
    weir_monitor_end(f->m);
    assert_string_equal(f->said[0], "datagram@2 datagram@3 ");
    assert_string_equal(f->said[1], "overload@4 overload@5 ");
    weir_monitor_get_stats(f->m, &stats);
    assert_int_equal(stats.tap_dropped, 2);
    assert_int_equal(stats.overload[WEIR_OVERLOAD_TAP_QUEUE], 2);
    assert_int_equal(stats.events[WEIR_EV_OVERLOAD], 2);
}

static weir_fut
go_on(void *ctx, weir_fut in)
{
    (void)ctx, (void)in;
    return weir_ok(1); /* 0 would end the repetition */
}

static weir_fut
again(void *ctx, weir_fut in)
{
    struct fixture *f = ctx;

    (void)in;
    f->turns++;
    return weir_then(weir_after(UINT64_C(3600) * 1000000000), go_on, NULL);
}

static weir_fut
begin_to_repeat(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    return weir_repeat(again, ev->app);
}

static const weir_fn endless[] = { begin_to_repeat };

static void
an_app_that_never_ends_is_cancelled(void **state)
{
    struct fixture *f = *state;

    add(f, 0, endless, 1, WEIR_EV_BIT(WEIR_EV_DATAGRAM), 0);
    feed(f, 1);
    weir_monitor_end(f->m);
    assert_in_range(f->turns, 20, 30); /* a day, by the hour */
}

static void
an_app_that_wants_events_has_1_to_255_stages(void **state)
{
    struct fixture *f = *state;
    struct weir_tap_spec *spec = &f->spec[0];
    const struct weir_app app = { .name = "stages", .spec = spec };

    *spec = (struct weir_tap_spec){ .stage = endless, .n_stages = 0, .want = WEIR_EV_ALL };
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_INVAL);
    spec->n_stages = 256;
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_INVAL);
    spec->n_stages = 255;
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
    *spec = (struct weir_tap_spec){ .n_stages = 0 }; /* one that only wants history, for example */
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

/* ---- packets that belong to no flow, and no more than packets -------------------------------- */

static weir_fut
say_packet(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    char *said = ev->app;

    (void)ctx;
    snprintf(said + strlen(said), 100, "%s%s ", weir_event_name(ev->type),
             ev->has_flow ? "" : "-no-flow");
    assert_true(ev->has_flow || (ev->flow == NULL && ev->packet->ip_version == 0));
    return weir_ok(0);
}

static const weir_fn say_packets[] = { say_packet };

static void
feed_arp(struct fixture *f)
{
    static const uint8_t arp[42] = { [12] = 0x08, [13] = 0x06 };
    const struct weir_frame frame = {
        .data = arp, .caplen = sizeof(arp), .wirelen = sizeof(arp), .link = 1
    };

    assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
}

static void
add_for_packets(struct fixture *f, unsigned i, bool no_flow, uint64_t want)
{
    const struct weir_app app = {
        .name = "packets", .spec = &f->spec[i], .no_flow_packets = no_flow, .arg = f->said[i]
    };

    f->spec[i] = (struct weir_tap_spec){ .stage = say_packets, .n_stages = 1, .want = want };
    assert_int_equal(weir_monitor_add(f->m, &app), WEIR_E_OK);
}

static void
packets_of_no_flow_are_shown_to_who_asks(void **state)
{
    struct fixture *f = *state;

    add_for_packets(f, 0, true, WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_FLOW_START));
    feed_arp(f);
    feed(f, 1);
    feed_arp(f);
    assert_string_equal(f->said[0], "packet-no-flow flow_start packet packet-no-flow ");
}

static void
packets_of_no_flow_are_shown_to_nobody_else(void **state)
{
    struct fixture *f = *state;
    struct weir_monitor_stats stats;

    add_for_packets(f, 0, false, WEIR_EV_BIT(WEIR_EV_PACKET));
    add_for_packets(f, 1, true, WEIR_EV_BIT(WEIR_EV_PACKET));
    feed_arp(f);
    feed(f, 1);
    assert_string_equal(f->said[0], "packet ");
    assert_string_equal(f->said[1], "packet-no-flow packet ");
    weir_monitor_get_stats(f->m, &stats);
    assert_int_equal(stats.no_flow, 1);
    assert_int_equal(stats.lookups, stats.packets - 1);
    assert_int_equal(stats.events[WEIR_EV_PACKET], 1);
}

static void
packets_only_follows_no_connection(void **state)
{
    struct fixture *f = *state;
    uint8_t room[FRAME_ROOM];
    struct segment syn = { .flags = WEIR_TH_SYN }, fin = { .flags = WEIR_TH_FIN | WEIR_TH_ACK };
    struct weir_frame frame;

    weir_monitor_free(f->m);
    assert_int_equal(
        weir_monitor_new(&(struct weir_monitor_opts){ .no_checksums = true, .packets_only = true },
                         &f->m),
        WEIR_E_OK);
    add_for_packets(f, 0, false, WEIR_EV_ALL);
    for (int i = 0; i < 2; i++) {
        frame = tcp_frame(&syn, room);
        assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
        frame = tcp_frame(&fin, room);
        assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
    }
    weir_monitor_end(f->m);
    assert_string_equal(f->said[0], "flow_start packet packet packet packet flow_end ");
}

/* ---- checksums ------------------------------------------------------------------------------ */

static uint64_t
bad_checksums(struct weir_monitor *m, struct weir_frame frame)
{
    struct weir_monitor_stats before, after;

    weir_monitor_get_stats(m, &before);
    assert_int_equal(weir_monitor_feed(m, &frame, 1), WEIR_E_OK);
    weir_monitor_get_stats(m, &after);
    return after.bad_checksums - before.bad_checksums;
}

/*
 * What a card looks at is all of a plain packet. Behind a tag it may have looked at something else,
 * or at nothing.
 */
static void
a_card_is_believed_about_plain_packets(void **state)
{
    struct fixture *f = *state;
    uint8_t room[FRAME_ROOM], tagged[FRAME_ROOM];
    const struct segment wrong = { .flags = WEIR_TH_SYN, .bad_checksum = true };
    struct weir_frame frame = tcp_frame(&wrong, room), behind_tag = frame;

    weir_monitor_free(f->m);
    assert_int_equal(weir_monitor_new(NULL, &f->m), WEIR_E_OK);
    memcpy(tagged, room, 12);
    memcpy(tagged + 12, "\x81\x00\x00\x05", 4);
    memcpy(tagged + 16, room + 12, frame.caplen - 12);
    behind_tag.data = tagged;
    behind_tag.caplen = behind_tag.wirelen = frame.caplen + 4;

    assert_int_equal(bad_checksums(f->m, frame), 1);
    assert_int_equal(bad_checksums(f->m, behind_tag), 1);
    frame.verified = behind_tag.verified = true;
    assert_int_equal(bad_checksums(f->m, frame), 0);
    assert_int_equal(bad_checksums(f->m, behind_tag), 1);
    frame.verified = false; /* in the same place of a batch */
    assert_int_equal(bad_checksums(f->m, frame), 1);
    weir_monitor_end(f->m);
}

/* ---- live: nothing comes for now ----------------------------------------------------------- */

/* A port that has one frame, 5 ms before a tick, and waits for more as an interface does. */
struct quiet_port {
    struct weir_port port;
    struct weir_frame frame;
    int pipe[2];
    bool given;
};

static int
quiet_read(struct weir_port *port, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct quiet_port *quiet = (struct quiet_port *)port;

    (void)max, (void)err;
    if (quiet->given) {
        usleep(100000);
        return 0;
    }
    quiet->given = true;
    frames[0] = quiet->frame;
    return 1;
}

static int
quiet_fd(const struct weir_port *port)
{
    return ((const struct quiet_port *)port)->pipe[0];
}

static void
quiet_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    (void)port, (void)out;
}

struct waker {
    struct weir_monitor *m;
    struct timespec slept, woke;
};

static weir_fut
sleep_a_little(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &((struct waker *)ev->app)->slept);
    *(struct waker **)ctx = ev->app;
    return weir_after(MS);
}

static weir_fut
stop_there(void *ctx, weir_fut in)
{
    struct waker *waker = *(struct waker **)ctx;

    clock_gettime(CLOCK_MONOTONIC, &waker->woke);
    weir_monitor_stop(waker->m);
    return in;
}

/* Milliseconds that a handler sleeps in front of a tick that is near, where no packet comes. */
static int64_t
sleep_to_a_tick(void)
{
    static const weir_fn stages[] = { sleep_a_little, stop_there };
    static const struct weir_tap_spec spec = { .stage = stages,
                                               .n_stages = 2,
                                               .want = WEIR_EV_BIT(WEIR_EV_FLOW_START) };
    static const struct port_ops ops = { .read = quiet_read,
                                         .get_stats = quiet_stats,
                                         .fd = quiet_fd };
    struct quiet_port quiet = { .port.ops = &ops };
    struct waker waker = { .m = NULL };
    const struct weir_app app = {
        .name = "waker", .spec = &spec, .flow_size = sizeof(struct waker *), .arg = &waker
    };
    struct weir_errbuf err;
    uint8_t room[FRAME_ROOM];

    quiet.frame = udp_frame(WEIR_TOSERVER, "x", 1, 95, room);
    assert_int_equal(pipe(quiet.pipe), 0);
    assert_int_equal(weir_monitor_new(&(struct weir_monitor_opts){ .live = true }, &waker.m),
                     WEIR_E_OK);
    assert_int_equal(weir_monitor_add(waker.m, &app), WEIR_E_OK);
    assert_int_equal(weir_monitor_run(waker.m, &quiet.port, &err), WEIR_E_OK);
    assert_in_range(monitor_wait_ms(waker.m), 1, MONITOR_WAIT_MS);
    weir_monitor_end(waker.m);
    weir_monitor_free(waker.m);
    close(quiet.pipe[0]);
    close(quiet.pipe[1]);
    return (waker.woke.tv_sec - waker.slept.tv_sec) * 1000 +
           (waker.woke.tv_nsec - waker.slept.tv_nsec) / 1000000;
}

/* Again where the machine was busy: who only wakes when the port has waited never is that early. */
static void
live_a_handler_wakes_at_its_tick_not_when_the_port_has_waited(void **state)
{
    int64_t ms = MONITOR_WAIT_MS;

    (void)state;
    for (int i = 0; i < 20 && ms > MONITOR_WAIT_MS * 9 / 10; i++)
        ms = sleep_to_a_tick();
    assert_true(ms <= MONITOR_WAIT_MS * 9 / 10);
}

/* Times that a capture may claim: nothing is due then, and the end comes. */
static void
the_end_comes_at_any_time(void **state)
{
    const uint64_t day = UINT64_C(86400) * 1000000000;
    const uint64_t times[] = { UINT64_MAX - day, UINT64_MAX - 1, UINT64_MAX };

    for (unsigned i = 0; i < sizeof(times) / sizeof(*times); i++) {
        struct fixture *f = *state;
        struct weir_frame frame = udp_frame(WEIR_TOSERVER, "late", 4, 0, f->room);

        weir_monitor_free(f->m);
        assert_int_equal(weir_monitor_new(NULL, &f->m), WEIR_E_OK);
        frame.time = times[i];
        assert_int_equal(weir_monitor_feed(f->m, &frame, 1), WEIR_E_OK);
        alarm(20);
        weir_monitor_end(f->m);
        alarm(0);
    }
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_packet_that_waits_keeps_its_bytes),
        T(a_full_queue_is_counted_and_told),
        T(an_app_that_never_ends_is_cancelled),
        T(an_app_that_wants_events_has_1_to_255_stages),
        T(packets_of_no_flow_are_shown_to_who_asks),
        T(packets_of_no_flow_are_shown_to_nobody_else),
        T(packets_only_follows_no_connection),
        T(a_card_is_believed_about_plain_packets),
        T(live_a_handler_wakes_at_its_tick_not_when_the_port_has_waited),
        T(the_end_comes_at_any_time),
    };

    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
