/* Live ports on a pair of interfaces in a network namespace of the test's own. */
#include "port/port.h"
#include "support/veth.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { FLOWS = 63, EACH = 4, FRAME = 306, NUMBER = 42, SENT = 20000, MANY = 100000 };

static int raw = -1; /* sends on one end of the pair; -1: nothing can be tried here */

static int
make_pair(void **state)
{
    (void)state;
    raw = veth_pair(0);
    return 0;
}

#define NEED_PAIR()                                                                                \
    do {                                                                                           \
        if (raw < 0)                                                                               \
            skip();                                                                                \
    } while (0)

static uint32_t number; /* of the next frame, in its payload */

static uint16_t
header_sum(const uint8_t *p)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* Send it, with the flags and the place (in eight bytes) of a fragment. */
static void
send_ip(uint8_t f[FRAME], unsigned fragment)
{
    uint16_t sum;

    f[20] = (uint8_t)(fragment >> 8);
    f[21] = (uint8_t)fragment;
    sum = header_sum(f + 14);
    f[24] = (uint8_t)(sum >> 8);
    f[25] = (uint8_t)sum;
    assert_int_equal(send(raw, f, FRAME, 0), FRAME);
    if (++number % 100 == 0) /* what else the CPU's queue of packets is for has its turn */
        usleep(50);
}

/* UDP of a flow between 10.0.0.1:(1000 + flow) and 10.0.0.2:53, one way or back. */
static void
send_frame(unsigned flow, bool back)
{
    uint8_t f[FRAME] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45 };
    const unsigned client = 1000 + flow, from = back ? 53 : client, to = back ? client : 53;

    f[16] = (FRAME - 14) >> 8;
    f[17] = (FRAME - 14) & 0xff;
    f[22] = 64;
    f[23] = 17;
    f[26] = f[30] = 10;
    f[29] = back ? 2 : 1;
    f[33] = back ? 1 : 2;
    f[34] = (uint8_t)(from >> 8);
    f[35] = (uint8_t)from;
    f[36] = (uint8_t)(to >> 8);
    f[37] = (uint8_t)to;
    f[38] = (FRAME - 34) >> 8;
    f[39] = (FRAME - 34) & 0xff;
    memcpy(f + NUMBER, &number, sizeof(number));
    send_ip(f, 0);
}

static struct weir_port *
open_port(const struct weir_port_opts *opts)
{
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    if (weir_port_open_live("weir1", opts, &port, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return port;
}

static unsigned
flow_of(const struct weir_frame *f)
{
    const unsigned from = (unsigned)(f->data[34] << 8 | f->data[35]);
    const unsigned to = (unsigned)(f->data[36] << 8 | f->data[37]);

    return (from == 53 ? to : from) - 1000;
}

/* Read what comes until nothing does; of each flow, how many. Returns all. */
static unsigned
drain(struct weir_port *port, unsigned n_of[FLOWS])
{
    struct weir_frame frames[16];
    unsigned all = 0, idle = 0;

    memset(n_of, 0, FLOWS * sizeof(*n_of));
    while (idle < 3) {
        int n = weir_port_read(port, frames, 16, NULL);

        assert_true(n >= 0);
        for (int i = 0; i < n; i++)
            n_of[flow_of(&frames[i])]++;
        all += (unsigned)n;
        idle = n == 0 ? idle + 1 : 0;
    }
    return all;
}

static uint64_t
now_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int
next_frame(struct weir_port *port, struct weir_frame *frame)
{
    int n = 0;

    for (int i = 0; i < 30 && n == 0; i++)
        n = weir_port_read(port, frame, 1, NULL);
    return n;
}

static void
a_frame_is_cut_at_the_snap_length_and_stamped_with_nanoseconds(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp", .snaplen = 60, .no_promisc = true };
    const uint64_t before = now_ns(CLOCK_REALTIME);
    struct weir_port *port;
    struct weir_frame f;
    bool fine = false;

    (void)state;
    NEED_PAIR();
    port = open_port(&opts);
    for (unsigned i = 0; i < 8; i++) {
        send_frame(i, false);
        assert_int_equal(next_frame(port, &f), 1);
        assert_int_equal(f.caplen, 60);
        assert_int_equal(f.wirelen, FRAME);
        assert_true(f.time >= before && f.time <= now_ns(CLOCK_REALTIME));
        fine |= f.time % 1000 != 0;
    }
    assert_true(fine);
    weir_port_close(port);
}

static void
a_port_that_does_not_wait_says_when_to_read(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp", .no_wait = true, .immediate = true };
    struct pollfd fd = { .events = POLLIN };
    uint64_t before, least = UINT64_MAX;
    struct weir_frame f;
    struct weir_port *port;

    (void)state;
    NEED_PAIR();
    port = open_port(&opts);
    fd.fd = weir_port_fd(port);
    for (unsigned i = 0; i < 5; i++) {
        before = now_ns(CLOCK_MONOTONIC);
        assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
        assert_true(now_ns(CLOCK_MONOTONIC) - before < 50000000);
        send_frame(i, false);
        before = now_ns(CLOCK_MONOTONIC);
        assert_int_equal(poll(&fd, 1, 5000), 1);
        assert_int_equal(weir_port_read(port, &f, 1, NULL), 1);
        before = now_ns(CLOCK_MONOTONIC) - before;
        least = before < least ? before : least;
    }
    assert_true(least < 40000000); /* not the 100 ms of a port that saves CPU time */
    weir_port_close(port);
}

static void
the_kernel_counts_what_it_had_no_room_for(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp", .buffer = 300000 };
    struct weir_port_stats stats = { .frames = 0 };
    unsigned n_of[FLOWS], got;
    struct weir_port *port;

    (void)state;
    NEED_PAIR();
    port = open_port(&opts);
    for (unsigned i = 0; i < SENT; i++)
        send_frame(i % FLOWS, false);
    weir_port_get_stats(port, &stats);
    got = drain(port, n_of);
    weir_port_get_stats(port, &stats);
    assert_int_equal(stats.frames, got);
    assert_int_equal(stats.kernel_packets, SENT);
    assert_int_equal(stats.kernel_drops, SENT - got);
    assert_true(stats.kernel_drops > 0);
    assert_false(stats.down);
    weir_port_close(port);
}

static void
ports_of_a_group_share_the_flows(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp",
                                         .fanout = WEIR_FANOUT_HASH,
                                         .fanout_id = 77 };
    unsigned n_of[2][FLOWS], got[2];
    struct weir_port *ports[2];

    (void)state;
    NEED_PAIR();
    ports[0] = open_port(&opts);
    ports[1] = open_port(&opts);
    for (unsigned i = 0; i < FLOWS * EACH; i++)
        send_frame(i % FLOWS, i / FLOWS % 2 != 0);
    for (unsigned p = 0; p < 2; p++)
        got[p] = drain(ports[p], n_of[p]);
    assert_int_equal(got[0] + got[1], FLOWS * EACH);
    assert_true(got[0] > 0 && got[1] > 0);
    for (unsigned i = 0; i < FLOWS; i++) /* of both directions */
        assert_true(n_of[0][i] + n_of[1][i] == EACH && (n_of[0][i] == 0 || n_of[1][i] == 0));
    weir_port_close(ports[0]);
    weir_port_close(ports[1]);
}

enum { QUEUES = 3 };

struct part {
    struct weir_port *port;
    unsigned queue, n, n_of[FLOWS];
    _Atomic bool *over;
};

static void *
read_part(void *arg)
{
    struct part *part = arg;
    struct pollfd fd = { .fd = weir_port_queue_fd(part->port, part->queue), .events = POLLIN };
    struct weir_frame frames[64];
    int n;

    do {
        (void)poll(&fd, 1, 50);
        n = weir_port_read_queue(part->port, part->queue, frames, 64, NULL);
        for (int i = 0; i < n; i++)
            part->n_of[flow_of(&frames[i])]++;
        part->n += (unsigned)n;
    } while (n > 0 || !*part->over);
    return NULL;
}

static void
queues_share_the_flows(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp", .queues = QUEUES, .no_wait = true };
    struct weir_port *port, *other;
    struct weir_port_stats stats;
    _Atomic bool over = false;
    struct part part[QUEUES];
    pthread_t thread[QUEUES];
    unsigned n = 0;

    (void)state;
    NEED_PAIR();
    port = open_port(&opts);
    other = open_port(&opts); /* with a group of its own */
    assert_int_equal(weir_port_queues(port), QUEUES);
    for (unsigned i = 0; i < QUEUES; i++) {
        part[i] = (struct part){ .port = port, .queue = i, .over = &over };
        assert_int_equal(pthread_create(&thread[i], NULL, read_part, &part[i]), 0);
    }
    for (unsigned i = 0; i < FLOWS * EACH; i++)
        send_frame(i % FLOWS, i / FLOWS % 2 != 0);
    usleep(300000); /* the kernel hands on what it has after 100 ms */
    over = true;
    for (unsigned i = 0; i < QUEUES; i++) {
        pthread_join(thread[i], NULL);
        assert_true(part[i].n > 0);
        n += part[i].n;
        for (unsigned k = 0; k < FLOWS; k++) /* of both directions */
            assert_true(part[i].n_of[k] == 0 || part[i].n_of[k] == EACH);
    }
    assert_int_equal(n, FLOWS * EACH);
    weir_port_get_stats(port, &stats);
    assert_int_equal(stats.frames, n);
    assert_int_equal(stats.kernel_packets, n);
    assert_int_equal(stats.kernel_drops, 0);
    weir_port_close(port);
    weir_port_close(other);
}

/* What came while the port was opened, one socket has seen, too. */
static void
all_queues_are_read_in_turn(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp", .queues = QUEUES };
    struct pollfd fd = { .events = POLLIN };
    struct weir_port *port;
    unsigned n_of[FLOWS];

    (void)state;
    NEED_PAIR();
    port = open_port(&opts);
    fd.fd = weir_port_fd(port);
    assert_int_equal(poll(&fd, 1, 0), 0);
    for (unsigned i = 0; i < FLOWS * EACH; i++)
        send_frame(i % FLOWS, i / FLOWS % 2 != 0);
    assert_int_equal(poll(&fd, 1, 1000), 1);
    assert_int_equal(drain(port, n_of), FLOWS * EACH);
    for (unsigned i = 0; i < FLOWS; i++)
        assert_int_equal(n_of[i], EACH);
    assert_int_equal(poll(&fd, 1, 0), 0);
    weir_port_close(port);
}

static void *
send_many(void *arg)
{
    (void)arg;
    number = 0;
    for (unsigned i = 0; i < MANY; i++)
        send_frame(i % FLOWS, false);
    return NULL;
}

/* Returns whether nothing came. */
static bool
tick_off(struct weir_port *port, uint8_t seen[MANY])
{
    struct weir_frame frames[64];
    uint32_t which;
    int n = weir_port_read(port, frames, 64, NULL);

    for (int i = 0; i < n; i++) {
        if (frames[i].caplen != FRAME) /* the hosts' own */
            continue;
        memcpy(&which, frames[i].data + NUMBER, sizeof(which));
        seen[which]++;
    }
    return n == 0;
}

/* The second port sees all packets for a moment, before it is in the group. */
static void
no_packet_comes_twice_while_a_group_is_made(void **state)
{
    const struct weir_port_opts opts = {
        .filter = "udp", .fanout = WEIR_FANOUT_HASH, .fanout_id = 78, .fanout_fragments = true
    };
    static uint8_t seen[MANY];
    struct weir_port *ports[2];
    pthread_t sender;

    (void)state;
    NEED_PAIR();
    ports[0] = open_port(&opts);
    assert_int_equal(pthread_create(&sender, NULL, send_many, NULL), 0);
    for (unsigned round = 0; round < 10; round++) {
        ports[1] = open_port(&opts);
        for (unsigned i = 0; i < 5; i++)
            for (unsigned p = 0; p < 2; p++)
                tick_off(ports[p], seen);
        weir_port_close(ports[1]);
    }
    pthread_join(sender, NULL);
    while (!tick_off(ports[0], seen))
        continue;
    for (unsigned i = 0; i < MANY; i++)
        assert_true(seen[i] <= 1);
    weir_port_close(ports[0]);
}

static void
no_packet_comes_twice_while_queues_are_made(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp", .queues = 4 };
    static uint8_t seen[MANY];
    pthread_t sender;

    (void)state;
    NEED_PAIR();
    memset(seen, 0, sizeof(seen));
    assert_int_equal(pthread_create(&sender, NULL, send_many, NULL), 0);
    for (unsigned round = 0; round < 20; round++) {
        struct weir_port *port = open_port(&opts);

        for (unsigned i = 0; i < 200 && !tick_off(port, seen); i++)
            continue;
        weir_port_close(port);
    }
    pthread_join(sender, NULL);
    for (unsigned i = 0; i < MANY; i++)
        assert_true(seen[i] <= 1);
}

/*
 * Two fragments, 272 bytes each, in a group. Returns the number of frames that come; *bytes: all.
 */
static int
send_fragments(bool stay, uint32_t *bytes)
{
    const struct weir_port_opts opts = { .filter = "ip",
                                         .fanout = WEIR_FANOUT_HASH,
                                         .fanout_id = stay ? 80 : 81,
                                         .fanout_fragments = stay };
    uint8_t f[FRAME] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45 };
    struct weir_port *port = open_port(&opts);
    struct weir_frame frames[4];
    int n = 0, all = 0;

    f[16] = (FRAME - 14) >> 8;
    f[17] = (FRAME - 14) & 0xff;
    f[18] = 7;
    f[22] = 64;
    f[23] = 17;
    f[26] = f[30] = 10;
    f[29] = 1;
    f[33] = 2;
    send_ip(f, 0x2000);
    send_ip(f, (FRAME - 34) / 8);
    for (unsigned idle = 0; idle < 3; idle += n == 0) {
        n = weir_port_read(port, frames, 4, NULL);
        for (int i = 0; i < n; i++)
            *bytes += frames[i].wirelen;
        all += n;
    }
    weir_port_close(port);
    return all;
}

static void
a_group_has_fragments_put_together_or_not(void **state)
{
    uint32_t bytes = 0;

    (void)state;
    NEED_PAIR();
    assert_int_equal(send_fragments(true, &bytes), 2);
    assert_int_equal(bytes, 2 * FRAME);
    bytes = 0;
    assert_int_equal(send_fragments(false, &bytes), 1);
    assert_int_equal(bytes, 2 * FRAME - 34);
}

static void
a_group_of_another_mode_is_refused(void **state)
{
    const struct weir_port_opts hash = { .fanout = WEIR_FANOUT_HASH, .fanout_id = 79 };
    const struct weir_port_opts cpu = { .fanout = WEIR_FANOUT_CPU, .fanout_id = 79 };
    struct weir_port *port, *other;
    struct weir_errbuf err = { "" };

    (void)state;
    NEED_PAIR();
    port = open_port(&hash);
    assert_int_equal(weir_port_open_live("weir1", &cpu, &other, &err), WEIR_E_IO);
    assert_null(other);
    assert_string_equal(err.text, "weir1: cannot join fan-out group 79: it is another "
                                  "interface's, or has another mode");
    weir_port_close(port);
}

static void
an_interface_that_comes_up_again_is_read_on(void **state)
{
    const struct weir_port_opts opts = { .filter = "udp" };
    struct weir_port_stats stats = { .frames = 0 };
    struct weir_port *port;
    struct weir_frame f;
    int n = 0;

    (void)state;
    NEED_PAIR();
    port = open_port(&opts);
    assert_true(ip("link set weir1 down"));
    assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
    assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
    weir_port_get_stats(port, &stats);
    assert_true(stats.down);
    assert_true(ip("link set weir1 up"));
    for (int i = 0; i < 30 && n == 0; i++) { /* till the other end has noticed */
        send_frame(5, false);
        n = weir_port_read(port, &f, 1, NULL);
    }
    assert_int_equal(n, 1);
    assert_int_equal(flow_of(&f), 5);
    weir_port_get_stats(port, &stats);
    assert_false(stats.down);
    weir_port_close(port);
}

static void
faults_say_what_to_do(void **state)
{
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    (void)state;
    NEED_PAIR();
    assert_int_equal(weir_port_open_live("weir9", NULL, &port, &err), WEIR_E_NOENT);
    assert_string_equal(err.text, "weir9: there is no such interface");
    assert_true(ip("link set weir1 down"));
    assert_int_equal(weir_port_open_live("weir1", NULL, &port, &err), WEIR_E_IO);
    assert_string_equal(err.text, "weir1: the interface is not up (ip link set dev NAME up)");
    assert_true(ip("link set weir1 up"));
    assert_int_equal(weir_port_open_live("any", NULL, &port, &err), WEIR_E_OK);
    weir_port_close(port);
    assert_int_equal(
        weir_port_open_live("any", &(struct weir_port_opts){ .queues = 2 }, &port, &err),
        WEIR_E_OK);
    assert_int_equal(weir_port_queues(port), 2);
    weir_port_close(port);
}

/* The last one: it takes the pair away. */
static void
an_interface_that_is_gone_is_an_error(void **state)
{
    struct weir_errbuf err = { "" };
    struct weir_port *port;
    struct weir_frame f;
    int n = 0;

    (void)state;
    NEED_PAIR();
    port = open_port(NULL);
    assert_true(ip("link del weir1"));
    for (int i = 0; i < 30 && n >= 0; i++)
        n = weir_port_read(port, &f, 1, &err);
    assert_int_equal(n, WEIR_E_NOENT);
    assert_string_equal(err.text, "weir1: the interface is gone");
    weir_port_close(port);
}

static void
a_file_has_no_descriptor_to_wait_for(void **state)
{
    static const uint32_t head[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
    struct weir_port *port;

    (void)state;
    assert_int_equal(capfile_open_memory((const uint8_t *)head, sizeof(head),
                                         &(struct weir_port_opts){ .snaplen = 0 }, &port, NULL),
                     WEIR_E_OK);
    assert_int_equal(weir_port_fd(port), -1);
    weir_port_close(port);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_no_descriptor_to_wait_for),
        cmocka_unit_test(a_frame_is_cut_at_the_snap_length_and_stamped_with_nanoseconds),
        cmocka_unit_test(a_port_that_does_not_wait_says_when_to_read),
        cmocka_unit_test(the_kernel_counts_what_it_had_no_room_for),
        cmocka_unit_test(ports_of_a_group_share_the_flows),
        cmocka_unit_test(queues_share_the_flows),
        cmocka_unit_test(all_queues_are_read_in_turn),
        cmocka_unit_test(no_packet_comes_twice_while_a_group_is_made),
        cmocka_unit_test(no_packet_comes_twice_while_queues_are_made),
        cmocka_unit_test(a_group_has_fragments_put_together_or_not),
        cmocka_unit_test(a_group_of_another_mode_is_refused),
        cmocka_unit_test(an_interface_that_comes_up_again_is_read_on),
        cmocka_unit_test(faults_say_what_to_do),
        cmocka_unit_test(an_interface_that_is_gone_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_pair, NULL);
}
