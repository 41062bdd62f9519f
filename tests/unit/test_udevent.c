/* Events of the program's own: weir_event_define(). */
#include "support/frames.h"

#include <weir/future.h>
#include <weir/monitor.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT = 1001, SERVER = 5001 };

struct fixture {
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    char said[2048];
    uint8_t room[64][FRAME_ROOM];
    unsigned n;
    unsigned asked; /* how often a filter was */
    bool sleep;     /* the next event does, for 500 ms */
};

static struct fixture fx;

static int
set_up(void **state)
{
    memset(&fx, 0, sizeof(fx));
    *state = &fx;
    return weir_monitor_new(NULL, &fx.m) != WEIR_E_OK;
}

static int
tear_down(void **state)
{
    (void)state;
    weir_monitor_free(fx.m);
    return 0;
}

/* Names and what is needed to see that the fields are those of the base. */
static weir_fut
say(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    size_t n = strlen(fx.said);

    (void)ctx;
    snprintf(fx.said + n, sizeof(fx.said) - n, "%s(%s)", weir_monitor_event_name(fx.m, ev->type),
             weir_event_name(ev->base));
    if (ev->base == WEIR_EV_FAKE_RETRANSMIT) {
        n = strlen(fx.said);
        snprintf(fx.said + n, sizeof(fx.said) - n, "%.*s>%.*s", (int)ev->fake_retransmit.old_data.n,
                 (const char *)ev->fake_retransmit.old_data.p, (int)ev->fake_retransmit.new_data.n,
                 (const char *)ev->fake_retransmit.new_data.p);
    }
    strncat(fx.said, " ", sizeof(fx.said) - strlen(fx.said) - 1);
    return weir_ok(0);
}

static weir_fut
sleep_once(void *ctx, weir_fut in)
{
    (void)ctx;
    if (!fx.sleep)
        return in;
    fx.sleep = false;
    return weir_after(500000000);
}

static const weir_fn stages[] = { say, sleep_once };

static void
want(uint64_t events)
{
    fx.spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 2, .want = events };
    assert_int_equal(weir_monitor_add(fx.m, &(struct weir_app){ .name = "test", .spec = &fx.spec }),
                     WEIR_E_OK);
}

static void
segment(enum weir_dir dir, uint8_t flags, int off, const char *data, uint64_t ms, uint16_t port)
{
    struct segment s = { .dir = dir,
                         .flags = flags,
                         .seq = (dir == WEIR_TOSERVER ? CLIENT : SERVER) + (uint32_t)off,
                         .ack = flags & WEIR_TH_ACK ? (dir == WEIR_TOSERVER ? SERVER : CLIENT) : 0,
                         .data = data,
                         .n = (uint32_t)strlen(data),
                         .ms = ms,
                         .client_port = port };
    struct weir_frame frame;

    assert_true(fx.n < 64);
    frame = tcp_frame(&s, fx.room[fx.n++]);
    assert_int_equal(weir_monitor_feed(fx.m, &frame, 1), WEIR_E_OK);
}

static void
connect_at(uint64_t ms, uint16_t port)
{
    segment(WEIR_TOSERVER, WEIR_TH_SYN, -1, "", ms, port);
    segment(WEIR_TOCLIENT, WEIR_TH_SYN | WEIR_TH_ACK, -1, "", ms, port);
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "", ms, port);
}

static void
expect(const char *said)
{
    assert_string_equal(fx.said, said);
    fx.said[0] = '\0';
}

static unsigned
define(const char *name, unsigned base, weir_event_filter *filter, void *arg, size_t flow_size)
{
    struct weir_event_def def = {
        .name = name, .base = base, .filter = filter, .arg = arg, .flow_size = flow_size
    };
    unsigned type = 0;

    assert_int_equal(weir_event_define(fx.m, &def, &type), WEIR_E_OK);
    return type;
}

/* ---- the example of the manual: three fake retransmissions within a second ------------------- */

struct burst {
    uint64_t time[3]; /* of the latest ones */
    unsigned n;
};

static bool
third_within(void *arg, void *state, const struct weir_event *ev)
{
    struct burst *burst = state;

    burst->time[burst->n++ % 3] = ev->time;
    return burst->n >= 3 && ev->time - burst->time[burst->n % 3] <= *(const uint64_t *)arg;
}

static void
fake_at(uint64_t ms, uint16_t port)
{
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "fake", ms, port);
}

static void
three_within_a_second(void **state)
{
    static uint64_t second = 1000000000;
    unsigned burst = define("fake_burst", WEIR_EV_FAKE_RETRANSMIT, third_within, &second,
                            sizeof(struct burst));

    (void)state;
    want(WEIR_EV_BIT(burst));
    for (uint16_t port = 1; port <= 2; port++) { /* each flow has its own state */
        connect_at(0, port);
        segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "real", 0, port);
    }
    fake_at(1000, 1);
    fake_at(1500, 1);
    fake_at(1500, 2);
    fake_at(1600, 2);
    fake_at(2100, 1);
    expect("");
    fake_at(2400, 1);
    expect("fake_burst(fake_retransmit)real>fake ");
    fake_at(2500, 1);
    expect("fake_burst(fake_retransmit)real>fake ");
    fake_at(4000, 1);
    expect("");
}

/* ---- filters on filters ---------------------------------------------------------------------- */

static bool
has_length(void *arg, void *state, const struct weir_event *ev)
{
    (void)state;
    fx.asked++;
    return ev->payload.length >= *(const int64_t *)arg;
}

static bool
to_server(void *arg, void *state, const struct weir_event *ev)
{
    (void)state;
    fx.asked++;
    assert_int_equal(ev->type, *(const unsigned *)arg); /* it is shown its base */
    assert_int_equal(ev->base, WEIR_EV_PAYLOAD);
    return ev->direction == WEIR_TOSERVER;
}

static void
they_nest_and_follow_their_base(void **state)
{
    static const int64_t three = 3;
    static unsigned large;
    unsigned large_up;

    (void)state;
    large = define("large", WEIR_EV_PAYLOAD, has_length, (void *)(uintptr_t)&three, 0);
    large_up = define("large_up", large, to_server, &large, 0);
    assert_int_equal(large, WEIR_EV_COUNT);
    want(WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(large_up) | WEIR_EV_BIT(WEIR_EV_FIN));
    connect_at(0, 1);
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "ab", 0, 1);
    segment(WEIR_TOSERVER, WEIR_TH_ACK | WEIR_TH_FIN, 2, "abc", 0, 1);
    segment(WEIR_TOCLIENT, WEIR_TH_ACK, 0, "abcd", 0, 1);
    expect("payload(payload) payload(payload) large_up(payload) fin(fin) payload(payload) ");
    assert_int_equal(fx.asked, 3 + 2);
}

static void
counted(uint64_t *first, uint64_t *second)
{
    struct weir_monitor_stats stats;

    weir_monitor_get_stats(fx.m, &stats);
    *first = stats.defined[0];
    *second = stats.defined[1];
}

static void
they_are_counted_and_cost_nothing_where_nobody_wants_them(void **state)
{
    static const int64_t one = 1;
    uint64_t first, second;
    unsigned wanted;

    (void)state;
    wanted = define("wanted", WEIR_EV_PAYLOAD, has_length, (void *)(uintptr_t)&one, 0);
    define("unwanted", WEIR_EV_PAYLOAD, has_length, (void *)(uintptr_t)&one, 1 << 30);
    want(WEIR_EV_BIT(wanted));
    connect_at(0, 1); /* a state as large would not fit */
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "a", 0, 1);
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 1, "b", 0, 1);
    expect("wanted(payload) wanted(payload) ");
    assert_int_equal(fx.asked, 2);
    counted(&first, &second);
    assert_int_equal(first, 2);
    assert_int_equal(second, 0);
}

/* ---- a stage that sleeps --------------------------------------------------------------------- */

static void
they_wait_behind_a_sleeper_with_their_bytes(void **state)
{
    static uint64_t second = 1000000000;
    unsigned burst = define("fake_burst", WEIR_EV_FAKE_RETRANSMIT, third_within, &second,
                            sizeof(struct burst));

    (void)state;
    want(WEIR_EV_BIT(WEIR_EV_ESTABLISHED) | WEIR_EV_BIT(burst));
    fx.sleep = true;
    connect_at(0, 1);
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "real", 0, 1);
    for (int i = 0; i < 3; i++)
        fake_at(100, 1);
    expect("established(established) ");
    segment(WEIR_TOCLIENT, WEIR_TH_ACK, 0, "", 1000, 1);
    expect("fake_burst(fake_retransmit)real>fake ");
}

/* ---- what is refused ------------------------------------------------------------------------- */

static bool
always(void *arg, void *state, const struct weir_event *ev)
{
    (void)arg, (void)state, (void)ev;
    return true;
}

static void
what_cannot_be_defined_is_refused(void **state)
{
    struct weir_event_def def = { .name = "x", .base = WEIR_EV_COUNT, .filter = always };
    unsigned type = 0;

    (void)state;
    assert_int_equal(weir_event_define(fx.m, &def, &type), WEIR_E_INVAL);
    def.base = WEIR_EV_PAYLOAD;
    def.filter = NULL;
    assert_int_equal(weir_event_define(fx.m, &def, &type), WEIR_E_INVAL);
    def.filter = always;
    for (unsigned i = 0; i < WEIR_EV_DEFINED_MAX; i++) {
        assert_int_equal(weir_event_define(fx.m, &def, &type), WEIR_E_OK);
        assert_int_equal(type, WEIR_EV_COUNT + i);
        def.base = type;
    }
    assert_int_equal(weir_event_define(fx.m, &def, &type), WEIR_E_LIMIT);
    assert_string_equal(weir_monitor_event_name(fx.m, type), "x");
    assert_string_equal(weir_monitor_event_name(fx.m, WEIR_EV_FIN), "fin");
    assert_null(weir_monitor_event_name(fx.m, type + 1));

    want(WEIR_EV_BIT(type)); /* the last of a chain: all others are live for it */
    connect_at(0, 1);
    segment(WEIR_TOSERVER, WEIR_TH_ACK, 0, "a", 0, 1);
    expect("x(payload) ");
    assert_int_equal(weir_event_define(fx.m, &def, &type), WEIR_E_INVAL);
}

static void
what_was_not_defined_cannot_be_wanted(void **state)
{
    struct weir_tap_spec spec = { .stage = stages,
                                  .n_stages = 1,
                                  .want = WEIR_EV_BIT(WEIR_EV_COUNT) };
    struct weir_app app = { .name = "test", .spec = &spec };

    (void)state;
    assert_int_equal(weir_monitor_add(fx.m, &app), WEIR_E_INVAL);
    define("x", WEIR_EV_FIN, always, NULL, 0);
    assert_int_equal(weir_monitor_add(fx.m, &app), WEIR_E_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_within_a_second),
        TEST(they_nest_and_follow_their_base),
        TEST(they_are_counted_and_cost_nothing_where_nobody_wants_them),
        TEST(they_wait_behind_a_sleeper_with_their_bytes),
        TEST(what_cannot_be_defined_is_refused),
        TEST(what_was_not_defined_cannot_be_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
