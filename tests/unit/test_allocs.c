/* Nothing on the packet path calls malloc(): not for packets, nor for flows, data out of order,
 * events that wait, or their ends. */
#include "support/allocs.h"
#include "support/frames.h"

#include <weir/future.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLOWS = 20000 };

static weir_fut
sometimes_sleep(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    return ev->number % 97 == 1 ? weir_after(200 * MS) : weir_ok(0);
}

static const weir_fn stages[] = { sometimes_sleep };
static const struct weir_tap_spec spec = { .stage = stages, .n_stages = 1, .want = WEIR_EV_ALL };

/* The segments of a connection: data comes late, twice, changed, and behind a hole. */
static const struct segment script[] = {
    { .flags = WEIR_TH_SYN, .seq = 1000 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 5000, .ack = 1001 },
    { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "first", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1011, .ack = 5001, .data = "third", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1006, .ack = 5001, .data = "secnd", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1006, .ack = 5001, .data = "other", .n = 5 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK, .seq = 5001, .ack = 1016 },
    { .flags = WEIR_TH_ACK, .seq = 1026, .ack = 5001, .data = "fifth", .n = 5 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK | WEIR_TH_FIN, .seq = 5001, .ack = 1031 },
};

/* Play it on a port of its own. */
static void
play(struct weir_monitor *m, unsigned flow)
{
    uint8_t room[FRAME_ROOM];

    for (size_t i = 0; i < sizeof(script) / sizeof(*script); i++) {
        struct segment segment = script[i];
        struct weir_frame frame;

        segment.ms = flow * 100 + (unsigned)i; /* half an hour in all */
        segment.client_port = (uint16_t)(1024 + flow);
        frame = tcp_frame(&segment, room);
        frame.stable = false; /* what is kept has to be copied */
        assert_int_equal(weir_monitor_feed(m, &frame, 1), WEIR_E_OK);
    }
}

static void
packets_cost_no_allocation(void **state)
{
    struct weir_app app = { .name = "sleeper", .spec = &spec, .flow_size = 64, .history = 4096 };
    struct weir_monitor_stats stats;
    struct weir_monitor *m;
    uint64_t before;

    (void)state;
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    for (unsigned i = 0; i < FLOWS / 10; i++)
        play(m, i);
    before = allocs();
    assert_true(before > 0); /* they are counted */
    for (unsigned i = FLOWS / 10; i < FLOWS; i++)
        play(m, i);
    assert_int_equal(allocs(), before);
    weir_monitor_get_stats(m, &stats);
    assert_int_equal(stats.flows, FLOWS);
    assert_true(stats.events[WEIR_EV_FAKE_RETRANSMIT] == FLOWS);
    assert_true(stats.live_flows < FLOWS / 2); /* many have ended by then */
    weir_monitor_end(m);
    assert_int_equal(allocs(), before);
    weir_monitor_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_cost_no_allocation),
    };

    return cmocka_run_group_tests_name("allocs", tests, NULL, NULL);
}
