/* The line that packets wait in, when it is full: the oldest go, and what goes unmarked is lost. */
#include "keep.h"
#include "support/frames.h"

#include <weir/port.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct keep *keep;
static struct cli cli = { .program = "test", .quiet = true };
static char path[] = "/tmp/weir-test-keep-XXXXXX";

/* Marks the flow of the packet whose number is in arg, at that packet. */
static weir_fut
mark(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    const uint64_t *at = ev->app;

    (void)ctx;
    if (ev->number == *at)
        keep_mark(keep, ev, "here");
    return weir_ok(0);
}

/* Feed n datagrams of one flow, each with its number in front, and mark it at one of them. */
static void
run(uint64_t n, uint64_t at, uint32_t size, bool stable)
{
    static const weir_fn stages[] = { mark };
    static const struct weir_tap_spec spec = { .stage = stages,
                                               .n_stages = 1,
                                               .want = WEIR_EV_BIT(WEIR_EV_PACKET) };
    static uint8_t room[FRAME_ROOM], data[1400];
    struct weir_monitor *m;
    struct weir_errbuf err;

    assert_int_equal(keep_open(&cli, path, &keep, &err), WEIR_E_OK);
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(keep_add(keep, m), WEIR_E_OK);
    assert_int_equal(
        weir_monitor_add(m, &(struct weir_app){ .name = "mark", .spec = &spec, .arg = &at }),
        WEIR_E_OK);
    for (uint64_t i = 1; i <= n; i++) {
        struct weir_frame frame;

        memcpy(data, &i, sizeof(i));
        frame = udp_frame(WEIR_TOSERVER, data, size, i / 1000, room);
        frame.stable = stable;
        assert_int_equal(weir_monitor_feed(m, &frame, 1), WEIR_E_OK);
    }
    weir_monitor_end(m);
    keep_end(keep);
    weir_monitor_free(m);
    keep_close(keep, &cli);
}

/* Checks that the file holds the packets [first, last], each with its number. */
static void
assert_file(uint64_t first, uint64_t last, bool numbers)
{
    struct weir_frame frames[32];
    struct weir_port *port;
    uint64_t want = first, number;
    int n;

    assert_int_equal(weir_port_open_file(path, NULL, &port, NULL), WEIR_E_OK);
    while ((n = weir_port_read(port, frames, 32, NULL)) > 0) {
        for (int i = 0; i < n; i++, want++) {
            memcpy(&number, frames[i].data + 42, sizeof(number));
            if (numbers)
                assert_int_equal(number, want);
        }
    }
    assert_int_equal(n, 0);
    assert_int_equal(want, last + 1);
    weir_port_close(port);
}

static void
a_packet_waits_for_so_many_others(void **state)
{
    (void)state;
    run(KEEP_PACKETS + 5000, KEEP_PACKETS + 2000, 8, true);
    assert_file(2001, KEEP_PACKETS + 5000, false); /* all frames lie in one room: the last one's */
}

static void
copies_have_so_much_room(void **state)
{
    const uint64_t n = 3 * (KEEP_BYTES / 1442);
    const uint64_t fit = KEEP_BYTES / 1442;

    (void)state;
    run(n, n - 100, 1400, false);
    assert_file(n - 100 - fit + 1, n, true);
}

static void
a_mark_at_the_first_packet_is_for_all(void **state)
{
    (void)state;
    run(100000, 1, 1400, false);
    assert_file(1, 100000, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_waits_for_so_many_others),
        cmocka_unit_test(copies_have_so_much_room),
        cmocka_unit_test(a_mark_at_the_first_packet_is_for_all),
    };
    int fd = mkstemp(path), rc;

    if (fd < 0)
        return 1;
    close(fd);
    rc = cmocka_run_group_tests_name("keep", tests, NULL, NULL);
    unlink(path);
    return rc;
}
