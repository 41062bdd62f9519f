/* Interfaces that are sent through, on a pair in a network namespace of the test's own. */
#include "port/port.h"
#include "support/veth.h"

#include <arpa/inet.h>
#include <errno.h>
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
#include <unistd.h>
#include <cmocka.h>

enum { MTU = 1500, MANY = 30000, SENDERS = 3, FRAME_MAX = MTU + 18 };

static int far = -1; /* a socket at the other end of the wire; -1: nothing can be tried here */

static int
make_pair(void **state)
{
    const struct timeval patience = { .tv_sec = 2 };
    const int room = 32 << 20;

    (void)state;
    far = veth_pair(ETH_P_ALL);
    if (far >= 0) {
        setsockopt(far, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(far, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    }
    return 0;
}

#define NEED_PAIR()                                                                                \
    do {                                                                                           \
        if (far < 0)                                                                               \
            skip();                                                                                \
    } while (0)

static struct weir_port *
open_port(struct weir_port_opts opts)
{
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    opts.senders = SENDERS;
    if (weir_port_open_live("weir1", &opts, &port, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return port;
}

static struct weir_port_stats
stats_of(const struct weir_port *port)
{
    struct weir_port_stats stats = { .frames = 0 };

    weir_port_get_stats(port, &stats);
    return stats;
}

/* Of a type that no kernel knows; the bytes depend on the number. Returns the length. */
static uint32_t
fill(uint8_t f[FRAME_MAX], uint32_t number)
{
    const uint32_t n = 60 + number * 7919 % (MTU + 14 - 60 + 1);

    memset(f, 2, 12);
    f[12] = 0x88;
    f[13] = 0xb5;
    memcpy(f + 14, &number, sizeof(number));
    for (uint32_t i = 18; i < n; i++)
        f[i] = (uint8_t)(number + i);
    return n;
}

static bool
is_filled(const uint8_t *f, uint32_t n, uint32_t number)
{
    uint8_t expected[FRAME_MAX];

    return fill(expected, number) == n && memcmp(f, expected, n) == 0;
}

/* The next frame that comes to the other end, and was not sent there; 0: none. */
static size_t
hear(uint8_t f[FRAME_MAX])
{
    struct sockaddr_ll from;
    socklen_t n = sizeof(from);
    ssize_t got;

    do {
        n = sizeof(from);
        got = recvfrom(far, f, FRAME_MAX, 0, (struct sockaddr *)&from, &n);
    } while (got >= 0 && from.sll_pkttype == PACKET_OUTGOING);
    return got > 0 ? (size_t)got : 0;
}

static void
what_is_sent_comes_to_the_other_end_and_not_back(void **state)
{
    struct weir_port *port;
    struct weir_frame f;
    uint8_t bytes[FRAME_MAX];

    (void)state;
    NEED_PAIR();
    port = open_port((struct weir_port_opts){ .snaplen = 60 });
    for (uint32_t i = 0; i < 300; i++) {
        const uint32_t n = fill(bytes, i);

        assert_true(weir_port_send(port, i % SENDERS, bytes, n));
        memset(bytes, 0, sizeof(bytes)); /* they were taken */
        assert_int_equal(hear(bytes), n);
        assert_true(is_filled(bytes, n, i));
    }
    weir_port_flush(port, 0);
    assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
    assert_int_equal(stats_of(port).sent, 300);
    assert_int_equal(stats_of(port).send_drops, 0);
    weir_port_close(port);
}

static void *
send_many(void *arg)
{
    uint8_t bytes[FRAME_MAX];

    (void)arg;
    for (uint32_t i = 0; i < MANY; i++) {
        const uint32_t n = fill(bytes, i);

        while (send(far, bytes, n, 0) < 0 && errno == ENOBUFS)
            usleep(100);
        if (i % 64 == 63) /* what else the CPU's queue of packets is for has its turn */
            usleep(500);
    }
    return NULL;
}

/* The ring has room for some 600 of them: it is gone round fifty times. */
static void
frames_are_read_in_place_and_in_order(void **state)
{
    struct pollfd fd = { .events = POLLIN };
    struct weir_frame frames[100];
    uint32_t next = 0, least;
    struct weir_port *port;
    pthread_t thread;

    (void)state;
    NEED_PAIR();
    port = open_port((struct weir_port_opts){ .buffer = 65536, .no_wait = true });
    fd.fd = weir_port_fd(port);
    assert_int_equal(pthread_create(&thread, NULL, send_many, NULL), 0);
    for (unsigned idle = 0; idle < 20 && next < MANY;) {
        const int n = weir_port_read(port, frames, 100, NULL);

        assert_true(n >= 0);
        for (int i = 0; i < n; i++) {
            memcpy(&least, frames[i].data + 14, sizeof(least));
            assert_true(least >= next); /* some may have been lost */
            assert_true(is_filled(frames[i].data, frames[i].caplen, least));
            assert_int_equal(frames[i].wirelen, frames[i].caplen);
            next = least + 1;
        }
        idle = n > 0 ? 0 : idle + 1;
        if (n == 0)
            poll(&fd, 1, 100);
    }
    pthread_join(thread, NULL);
    assert_int_equal(stats_of(port).kernel_packets, MANY);
    assert_int_equal(stats_of(port).frames + stats_of(port).kernel_drops, MANY);
    assert_true(stats_of(port).frames > 1000);
    weir_port_close(port);
}

static void
tags_are_put_back(void **state)
{
    static const uint8_t tags[] = { 0x88, 0xa8, 0x60, 0x64, 0x81, 0x00, 0x00, 0x05 };
    uint8_t bytes[FRAME_MAX], tagged[FRAME_MAX + 8];
    struct weir_port *port;
    struct weir_frame f;

    (void)state;
    NEED_PAIR();
    port = open_port((struct weir_port_opts){ .filter = "ether[0] == 2" });
    for (uint32_t k = 0; k < 3; k++) { /* the outer one only, the inner one only, both */
        const uint8_t *from = k == 1 ? tags + 4 : tags;
        const uint32_t n_tags = k == 2 ? 8 : 4, n = fill(bytes, 900 + k) - 8;

        memcpy(tagged, bytes, 12);
        memcpy(tagged + 12, from, n_tags);
        memcpy(tagged + 12 + n_tags, bytes + 12, n - 12);
        assert_int_equal(send(far, tagged, n + n_tags, 0), n + n_tags);
        assert_int_equal(weir_port_read(port, &f, 1, NULL), 1);
        assert_int_equal(f.caplen, n + n_tags);
        assert_memory_equal(f.data, tagged, n + n_tags);
    }
    weir_port_close(port);
}

static void
what_is_too_large_is_counted(void **state)
{
    uint8_t bytes[FRAME_MAX + 100] = { 2 };
    struct weir_port *port;

    (void)state;
    NEED_PAIR();
    port = open_port((struct weir_port_opts){ .no_promisc = true });
    assert_true(weir_port_send(port, 0, bytes, MTU + 14));
    assert_false(weir_port_send(port, 1, bytes, MTU + 15));
    bytes[12] = 0x81;
    assert_true(weir_port_send(port, 2, bytes, MTU + 18)); /* with a tag */
    assert_int_equal(stats_of(port).send_drops, 1);
    assert_int_equal(stats_of(port).send_large, 1);
    weir_port_close(port);
    while (recv(far, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
}

static void
it_goes_on_when_the_interface_is_up_again_or_another(void **state)
{
    struct weir_port *port;
    struct weir_frame f;
    uint8_t bytes[FRAME_MAX];
    unsigned i;

    (void)state;
    NEED_PAIR();
    port = open_port((struct weir_port_opts){ .snaplen = 0 });
    fill(bytes, 1);
    assert_true(ip("link set weir1 down"));
    assert_false(weir_port_send(port, 0, bytes, 60));
    assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
    assert_true(stats_of(port).down);
    assert_true(ip("link set weir1 up"));
    assert_true(weir_port_send(port, 0, bytes, 60));
    assert_false(stats_of(port).down);
    assert_true(ip("link del weir1"));
    assert_false(weir_port_send(port, 0, bytes, 60));
    assert_true(stats_of(port).down);
    close(far);
    far = -1;
    assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
    assert_true(ip("link add weir0 type veth peer name weir1"));
    assert_true(ip("link set weir0 up") && ip("link set weir1 up"));
    for (i = 0; i < 30 && !weir_port_send(port, 0, bytes, 60); i++)
        usleep(100000);
    assert_true(i < 30);
    for (i = 0; i < 30 && stats_of(port).down; i++)
        assert_int_equal(weir_port_read(port, &f, 1, NULL), 0);
    assert_true(i < 30);
    weir_port_close(port);
    unshare(CLONE_NEWNET);
    assert_int_equal(make_pair(state), 0);
}

static void
faults_are_told(void **state)
{
    struct weir_port_opts opts = { .senders = 1 };
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    (void)state;
    NEED_PAIR();
    assert_int_equal(weir_port_open_live("nonesuch", &opts, &port, &err), WEIR_E_NOENT);
    assert_null(port);
    opts.filter = "udp port";
    assert_int_equal(weir_port_open_live("weir1", &opts, &port, &err), WEIR_E_SYNTAX);
    opts.filter = NULL;
    opts.fanout = WEIR_FANOUT_HASH;
    assert_int_equal(weir_port_open_live("weir1", &opts, &port, &err), WEIR_E_INVAL);
    opts.fanout = WEIR_FANOUT_NONE;
    opts.senders = PORT_MAX_SENDERS + 1;
    assert_int_equal(weir_port_open_live("weir1", &opts, &port, &err), WEIR_E_INVAL);
    opts.senders = 1;
    if (ip("link add weir2 type dummy")) {
        assert_int_equal(weir_port_open_live("weir2", &opts, &port, &err), WEIR_E_IO);
        assert_non_null(strstr(err.text, "not up"));
    }
    opts.senders = 0; /* nobody can send through it */
    assert_int_equal(weir_port_open_live("weir1", &opts, &port, &err), WEIR_E_OK);
    assert_false(weir_port_send(port, 0, (const uint8_t *)"", 0));
    weir_port_flush(port, 0);
    weir_port_close(port);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_comes_to_the_other_end_and_not_back),
        cmocka_unit_test(frames_are_read_in_place_and_in_order),
        cmocka_unit_test(tags_are_put_back),
        cmocka_unit_test(what_is_too_large_is_counted),
        cmocka_unit_test(it_goes_on_when_the_interface_is_up_again_or_another),
        cmocka_unit_test(faults_are_told),
    };

    return cmocka_run_group_tests(tests, make_pair, NULL);
}
