/* The application layer of DNS, TLS and SSH calls no malloc() for a packet. */
#include "app/app.h"
#include "support/allocs.h"
#include "support/frames.h"
#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { FLOWS = 2000, WARM = 1000 };

static uint64_t heads, gone;

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct tx_bytes bytes;

    (void)ctx;
    for (unsigned id = 0; id < BUFFERS; id++)
        (void)tx_buffer(tx, dir, (enum buffer_id)id, 0, &bytes);
    heads += stage == TX_HEAD;
    gone += stage == TX_GONE;
}

static void
on_note(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    (void)ctx;
    (void)name;
    (void)tx;
    (void)dir;
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    app_event(ev->app, ctx, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static void
feed(struct weir_monitor *m, struct weir_frame frame)
{
    frame.stable = false; /* what is kept has to be copied */
    assert_int_equal(weir_monitor_feed(m, &frame, 1), WEIR_E_OK);
}

static void
segment(struct weir_monitor *m, struct segment s)
{
    uint8_t room[FRAME_ROOM];

    feed(m, tcp_frame(&s, room));
}

/* A side says something in two pieces. */
static void
say(struct weir_monitor *m, uint16_t port, uint64_t ms, enum weir_dir dir, const void *p,
    uint32_t n)
{
    const uint32_t seq = dir == WEIR_TOSERVER ? 1001 : 5001;
    const uint32_t ack = dir == WEIR_TOSERVER ? 5001 : 1001;

    segment(m, (struct segment){ .dir = dir,
                                 .flags = WEIR_TH_ACK,
                                 .seq = seq,
                                 .ack = ack,
                                 .data = p,
                                 .n = n / 2,
                                 .ms = ms,
                                 .client_port = port });
    segment(m, (struct segment){ .dir = dir,
                                 .flags = WEIR_TH_ACK,
                                 .seq = seq + n / 2,
                                 .ack = ack,
                                 .data = (const uint8_t *)p + n / 2,
                                 .n = n - n / 2,
                                 .ms = ms,
                                 .client_port = port });
}

static void
converse(struct weir_monitor *m, unsigned i)
{
    static const uint8_t query[] = { 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1 };
    static const char banner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
    const uint16_t port = (uint16_t)(2000 + i);
    const uint64_t ms = i;
    uint8_t hello[9 + sizeof(client_hello)] = {
        22, 3, 1, 0, 4 + sizeof(client_hello), 1, 0, 0, sizeof(client_hello)
    };
    uint8_t room[FRAME_ROOM];

    memcpy(hello + 9, client_hello, sizeof(client_hello));
    segment(m,
            (struct segment){ .flags = WEIR_TH_SYN, .seq = 1000, .ms = ms, .client_port = port });
    segment(m, (struct segment){ .dir = WEIR_TOCLIENT,
                                 .flags = WEIR_TH_SYN | WEIR_TH_ACK,
                                 .seq = 5000,
                                 .ack = 1001,
                                 .ms = ms,
                                 .client_port = port });
    segment(m, (struct segment){
                   .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .ms = ms, .client_port = port });
    if (i % 2 == 0)
        say(m, port, ms, WEIR_TOSERVER, hello, sizeof(hello));
    else
        say(m, port, ms, WEIR_TOCLIENT, banner, sizeof(banner) - 1);
    segment(m, (struct segment){ .flags = WEIR_TH_ACK | WEIR_TH_RST,
                                 .seq = 1001 + (i % 2 == 0 ? (uint32_t)sizeof(hello) : 0),
                                 .ack = 5001,
                                 .ms = ms,
                                 .client_port = port });
    feed(m, udp_frame(WEIR_TOSERVER, query, sizeof(query), ms, room));
}

static void
no_packet_asks_for_memory(void **state)
{
    const struct app_opts opts = app_defaults();
    struct weir_errbuf err = { "" };
    struct app_layer *app;
    struct weir_monitor *m;
    uint64_t before = 0;

    (void)state;
    assert_int_equal(app_new(&opts, on_tx, on_note, NULL, &app, &err), WEIR_E_OK);
    const struct weir_tap_spec spec = { .stage = stages, .n_stages = 1, .want = app_wants() };
    const struct weir_app monitored = { .name = "ids",
                                        .spec = &spec,
                                        .flow_size = sizeof(struct app_flow),
                                        .history = APP_HISTORY,
                                        .arg = app };
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &monitored), WEIR_E_OK);
    for (unsigned i = 0; i < FLOWS; i++) {
        if (i == WARM)
            before = allocs();
        converse(m, i);
    }
    assert_true(before > 0); /* they are counted */
    assert_int_equal(allocs(), before);
    weir_monitor_end(m);
    assert_int_equal(heads, 2 * FLOWS);
    assert_int_equal(gone, 2 * FLOWS);
    weir_monitor_free(m);
    app_free(app);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_packet_asks_for_memory) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
