/* No record of eve.json asks for memory: alerts with all they can show, anomalies, DNS, flows. */
#include "out/eve_out.h"
#include "out/eve_tx.h"
#include "support/allocs.h"
#include "support/frames.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FLOWS = 2000, WARM = 200 };

struct flow_state {
    struct app_flow app;
    struct eve_flow eve;
};

struct test {
    struct out out;
    struct eve_out *eve;
    struct app_layer *app;
    struct flow_state *flow;
    const struct weir_event *ev;
    struct rule rule;
};

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct test *t = ctx;
    const struct eve_about about = { .app = APP_DNS, .tx = tx };

    eve_tx(t->eve, &t->flow->eve, t->ev, tx, dir, stage);
    if (stage == TX_END)
        eve_alert(t->eve, &t->flow->eve, &t->rule, t->ev, &about);
}

static void
on_app_event(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct test *t = ctx;
    const struct eve_about about = { .app = APP_DNS };

    (void)tx, (void)dir;
    eve_app_anomaly(t->eve, &t->flow->eve, t->ev, name, &about);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct test *t = ev->app;
    const struct eve_about about = { .target = EVE_TARGET_DEST };

    t->flow = ctx;
    t->ev = ev;
    eve_event(t->eve, &t->flow->eve, ev, &about);
    app_event(t->app, &t->flow->app, ev);
    if (ev->type == WEIR_EV_PAYLOAD || ev->type == WEIR_EV_GAP)
        eve_alert(t->eve, &t->flow->eve, &t->rule, ev, &about);
    if (ev->type == WEIR_EV_FLOW_END)
        eve_flow_record(t->eve, &t->flow->eve, ev, &about);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

/* Data comes twice and changed, and with a hole. */
static const struct segment script[] = {
    { .flags = WEIR_TH_SYN, .seq = 1000 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 5000, .ack = 1001 },
    { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001 },
    { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "first", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "other", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1010, .ack = 5001, .data = "fifth", .n = 5 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK | WEIR_TH_FIN, .seq = 5001, .ack = 1015 },
    { .flags = WEIR_TH_ACK | WEIR_TH_FIN, .seq = 1015, .ack = 5002 },
};

static const uint8_t query[] = { 0, 7, 1,   0, 0,   1,   0, 0, 0, 0, 0,
                                 0, 1, 'a', 2, 'b', 'c', 0, 0, 1, 0, 1 };

static void
feed(struct weir_monitor *m, struct weir_frame frame)
{
    frame.stable = false;
    assert_int_equal(weir_monitor_feed(m, &frame, 1), WEIR_E_OK);
}

static void
play(struct weir_monitor *m, unsigned flow)
{
    uint8_t room[FRAME_ROOM];

    for (size_t i = 0; i < sizeof(script) / sizeof(*script); i++) {
        struct segment segment = script[i];

        segment.ms = flow * 100 + (unsigned)i;
        segment.client_port = (uint16_t)(1024 + flow);
        feed(m, tcp_frame(&segment, room));
    }
    feed(m, udp_frame(WEIR_TOSERVER, query, sizeof(query), flow * 100 + 50, room));
    feed(m, udp_frame(WEIR_TOCLIENT, query, sizeof(query) - 1, flow * 100 + 51, room));
}

static void
set_up(struct test *t)
{
    static char msg[] = "m";
    struct eve_opts opts = outputs_default().eve;
    struct app_opts app_opts = app_defaults();
    struct weir_errbuf err = { "" };
    int fd = open("/dev/null", O_WRONLY);

    assert_true(fd >= 0);
    opts.types = (1U << EVE_TYPES) - 1;
    opts.anomaly_repeat = opts.ethernet = true;
    t->rule = (struct rule){ .gid = 1, .sid = 1, .priority = 3, .msg = msg, .n_steps = 1 };
    assert_int_equal(out_open_fd(&t->out, fd, "records", false, &err), WEIR_E_OK);
    assert_int_equal(eve_out_new(&opts, &t->out, &t->eve, &err), WEIR_E_OK);
    assert_int_equal(app_new(&app_opts, on_tx, on_app_event, t, &t->app, &err), WEIR_E_OK);
}

static void
records_cost_no_allocation(void **state)
{
    static struct test t;
    struct weir_tap_spec spec = { .stage = stages, .n_stages = 1 };
    struct weir_app app = { .name = "ids",
                            .spec = &spec,
                            .flow_size = sizeof(struct flow_state),
                            .history = APP_HISTORY,
                            .arg = &t };
    struct weir_monitor *m;
    uint64_t before;

    (void)state;
    set_up(&t);
    spec.want = eve_wants(t.eve) | app_wants();
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    for (unsigned i = 0; i < WARM; i++)
        play(m, i);
    before = allocs();
    assert_true(before > 0); /* they are counted */
    for (unsigned i = WARM; i < FLOWS; i++)
        play(m, i);
    weir_monitor_end(m);
    assert_int_equal(allocs(), before);
    assert_true(t.eve->count.written[EVE_ALERT] >= 5 * FLOWS);
    assert_true(t.eve->count.written[EVE_ANOMALY] >= 2 * FLOWS);
    assert_true(t.eve->count.written[EVE_DNS] >= FLOWS && t.eve->count.written[EVE_FLOW] >= FLOWS);
    assert_true(t.eve->count.written[EVE_FLOW_EVENT] >= 8 * FLOWS);
    assert_int_equal(t.out.lost, 0);
    weir_monitor_free(m);
    app_free(t.app);
    eve_out_free(t.eve);
    assert_int_equal(out_close(&t.out, NULL), WEIR_E_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_cost_no_allocation),
    };

    return cmocka_run_group_tests_name("eve_allocs", tests, NULL, NULL);
}
