#include <weir/port.h>

#include "port/dpdk_tx.h"

#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MOST = 64 };

/* A port of net_ring, whose ring the test fills from the port's own pool. */
struct fixture {
    struct weir_port *port;
    struct rte_ring *ring;
    struct rte_mempool *pool;
    unsigned all; /* buffers in the pool when none is in use */
};

static int number; /* of the next port: one that was closed is gone */

static void
set_up(struct fixture *f, const struct weir_port_opts *opts)
{
    struct weir_errbuf err = { "" };
    char name[32], ring[64], pool[32];

    snprintf(name, sizeof(name), "net_ring%d", number);
    snprintf(ring, sizeof(ring), "ETH_RXTX0_net_ring%d", number);
    snprintf(pool, sizeof(pool), "weir_rx_%d", number++);
    if (weir_port_open_dpdk(name, opts, &f->port, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    f->ring = rte_ring_lookup(ring);
    f->pool = rte_mempool_lookup(pool);
    assert_non_null(f->ring);
    assert_non_null(f->pool);
    f->all = rte_mempool_avail_count(f->pool);
}

/* n bytes that count up from first, in pieces of at most piece bytes. */
static struct rte_mbuf *
put(struct fixture *f, uint8_t first, uint32_t n, uint16_t piece)
{
    struct rte_mbuf *head = NULL;

    for (uint32_t at = 0; at < n || head == NULL;) {
        const uint16_t part = (uint16_t)(n - at < piece ? n - at : piece);
        struct rte_mbuf *m = rte_pktmbuf_alloc(f->pool);
        uint8_t *to;

        assert_non_null(m);
        to = (uint8_t *)rte_pktmbuf_append(m, part);
        assert_non_null(to);
        for (uint32_t i = 0; i < part; i++)
            to[i] = (uint8_t)(first + at + i);
        if (head == NULL)
            head = m;
        else
            assert_int_equal(rte_pktmbuf_chain(head, m), 0);
        at += part;
    }
    assert_int_equal(rte_ring_enqueue(f->ring, head), 0);
    return head;
}

static int
take(struct fixture *f, struct weir_frame *frames, unsigned max)
{
    struct weir_errbuf err = { "" };

    return weir_port_read(f->port, frames, max, &err);
}

static void
assert_frame(const struct weir_frame *f, uint8_t first, uint32_t caplen, uint32_t wirelen)
{
    assert_int_equal(f->caplen, caplen);
    assert_int_equal(f->wirelen, wirelen);
    assert_int_equal(f->link, 1);
    assert_false(f->stable);
    for (uint32_t i = 0; i < caplen; i++)
        assert_int_equal(f->data[i], (uint8_t)(first + i));
}

static struct weir_port_stats
stats_of(const struct fixture *f)
{
    struct weir_port_stats stats;

    weir_port_get_stats(f->port, &stats);
    return stats;
}

static void
a_frame_is_the_buffer_itself(void **state)
{
    struct weir_frame frames[MOST];
    struct fixture f;
    struct rte_mbuf *m;

    (void)state;
    set_up(&f, NULL);
    assert_int_equal(take(&f, frames, MOST), 0);
    m = put(&f, 7, 100, 2048);
    assert_int_equal(take(&f, frames, MOST), 1);
    assert_frame(&frames[0], 7, 100, 100);
    assert_ptr_equal(frames[0].data, rte_pktmbuf_mtod(m, const uint8_t *));
    assert_true(frames[0].time / 1000000000 - (uint64_t)time(NULL) + 5 < 10);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all - 1);
    assert_int_equal(take(&f, frames, MOST), 0);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all);
    assert_int_equal(stats_of(&f).copied, 0);
    assert_int_equal(stats_of(&f).frames, 1);
    assert_int_equal(stats_of(&f).kernel_packets, 1);
    assert_int_equal(weir_port_fd(f.port), -1);
    weir_port_close(f.port);
}

static void
pieces_are_put_together(void **state)
{
    struct weir_frame frames[MOST];
    struct fixture f;

    (void)state;
    set_up(&f, NULL);
    for (unsigned i = 0; i < 32; i++) /* all that a read takes, and each needs room of its own */
        put(&f, (uint8_t)i, 20000 + i, 700);
    assert_int_equal(take(&f, frames, MOST), 32);
    for (unsigned i = 0; i < 32; i++)
        assert_frame(&frames[i], (uint8_t)i, 20000 + i, 20000 + i);
    assert_int_equal(stats_of(&f).copied, 32);
    assert_int_equal(take(&f, frames, MOST), 0);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all);
    put(&f, 3, 300, 1);
    assert_int_equal(take(&f, frames, MOST), 1);
    assert_frame(&frames[0], 3, 300, 300);
    weir_port_close(f.port);
}

static void
no_frame_is_longer_than_the_snaplen(void **state)
{
    const struct weir_port_opts opts = { .snaplen = 60 };
    struct weir_frame frames[MOST];
    struct fixture f;

    (void)state;
    set_up(&f, &opts);
    put(&f, 1, 5000, 60);
    put(&f, 2, 5000, 59);
    put(&f, 3, 60, 2048);
    put(&f, 4, 0, 2048);
    assert_int_equal(take(&f, frames, MOST), 4);
    assert_frame(&frames[0], 1, 60, 5000);
    assert_frame(&frames[1], 2, 60, 5000);
    assert_frame(&frames[2], 3, 60, 60);
    assert_frame(&frames[3], 4, 0, 0);
    assert_int_equal(stats_of(&f).copied, 1);
    weir_port_close(f.port);
}

static void
a_read_takes_no_more_than_it_may(void **state)
{
    struct weir_frame frames[MOST];
    struct fixture f;

    (void)state;
    set_up(&f, NULL);
    for (unsigned i = 0; i < 40; i++)
        put(&f, (uint8_t)i, 64, 2048);
    assert_int_equal(take(&f, frames, 1), 1);
    assert_frame(&frames[0], 0, 64, 64);
    assert_int_equal(take(&f, frames, 5), 5);
    assert_frame(&frames[4], 5, 64, 64);
    assert_int_equal(take(&f, frames, MOST), 32);
    assert_frame(&frames[31], 37, 64, 64);
    assert_int_equal(take(&f, frames, MOST), 2);
    assert_int_equal(take(&f, frames, MOST), 0);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all);
    weir_port_close(f.port);
}

static void
what_the_filter_refuses_is_given_back(void **state)
{
    const struct weir_port_opts opts = { .filter = "greater 100" };
    struct weir_frame frames[MOST];
    struct fixture f;

    (void)state;
    set_up(&f, &opts);
    put(&f, 1, 99, 2048);
    put(&f, 2, 100, 2048);
    put(&f, 3, 64, 2048);
    put(&f, 4, 3000, 1000);
    assert_int_equal(take(&f, frames, MOST), 2);
    assert_frame(&frames[0], 2, 100, 100);
    assert_frame(&frames[1], 4, 3000, 3000);
    assert_int_equal(stats_of(&f).filtered, 2);
    assert_int_equal(stats_of(&f).frames, 2);
    put(&f, 1, 64, 2048);
    assert_int_equal(take(&f, frames, MOST), 0);
    assert_int_equal(take(&f, frames, MOST), 0);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all);
    weir_port_close(f.port);
}

static void
a_port_is_read_once_and_gone_when_closed(void **state)
{
    struct weir_errbuf err = { "" };
    struct weir_port *other;
    struct fixture f;
    char name[32];

    (void)state;
    snprintf(name, sizeof(name), "net_ring%d", number);
    set_up(&f, NULL);
    assert_int_equal(weir_port_open_dpdk(name, NULL, &other, &err), WEIR_E_INVAL);
    assert_null(other);
    put(&f, 1, 64, 2048); /* is nobody's when the port closes */
    weir_port_close(f.port);
    assert_int_equal(weir_port_open_dpdk(name, NULL, &other, &err), WEIR_E_NOENT);
    assert_int_equal(weir_dpdk_start("--no-huge", &err), WEIR_E_INVAL);
}

/* The ring is a loop: what is sent comes in again. */
static unsigned
take_all(struct fixture *f, struct weir_frame frames[MOST])
{
    weir_port_flush(f->port, 0);
    return (unsigned)take(f, frames, MOST);
}

static void
frames_of_the_last_read_leave_in_their_buffers(void **state)
{
    const struct weir_port_opts opts = { .senders = 1, .snaplen = 10 };
    struct rte_mbuf *m[4];
    struct weir_frame frames[MOST];
    struct fixture f;

    (void)state;
    set_up(&f, &opts);
    for (unsigned i = 0; i < 4; i++)
        m[i] = put(&f, (uint8_t)i, 100 + i, 2048);
    assert_int_equal(take(&f, frames, MOST), 4);
    for (unsigned i = 0; i < 4; i++)
        if (i != 1) /* which is dropped */
            assert_true(weir_port_send(f.port, 0, frames[i].data, frames[i].caplen));
    assert_true(weir_port_send(f.port, 0, frames[0].data, frames[0].caplen)); /* once more */
    assert_int_equal(rte_mbuf_refcnt_read(m[0]), 3);
    assert_int_equal(rte_mbuf_refcnt_read(m[1]), 1);
    assert_int_equal(rte_mbuf_refcnt_read(m[2]), 2);
    assert_int_equal(stats_of(&f).sent, 0);
    assert_frame(&frames[2], 2, 102, 102); /* they are ours until the next read */
    assert_int_equal(take_all(&f, frames), 4);
    for (unsigned i = 0; i < 3; i++) {
        const unsigned was = i > 0 ? i + 1 : 0;

        assert_ptr_equal(frames[i].data, rte_pktmbuf_mtod(m[was], const uint8_t *));
        assert_frame(&frames[i], (uint8_t)was, 100 + was, 100 + was);
    }
    assert_ptr_equal(frames[3].data, frames[0].data);
    assert_int_equal(stats_of(&f).sent, 4);
    assert_int_equal(take_all(&f, frames), 0);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all);
    weir_port_close(f.port);
}

static void
other_bytes_are_copied(void **state)
{
    const struct weir_port_opts opts = { .senders = 1 };
    uint8_t bytes[1600];
    struct weir_frame frames[MOST];
    struct fixture f;

    (void)state;
    set_up(&f, &opts);
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)(i + k);
        assert_true(weir_port_send(f.port, 0, bytes, 20 + 37 * i));
    }
    assert_false(weir_port_send(f.port, 0, bytes, 1523)); /* an MTU, a header and two tags: 1522 */
    assert_int_equal(stats_of(&f).send_large, 1);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(i % 32 == 0 ? take_all(&f, frames) : 32 - i / 32 * 24, 32 - i / 32 * 24);
        assert_frame(&frames[i % 32], (uint8_t)i, 20 + 37 * i, 20 + 37 * i);
    }
    weir_port_close(f.port);
}

enum { SENDERS = 4, EACH = 20000 };

static struct tx *shared;
static _Atomic unsigned sending;

static void *
send_each(void *arg)
{
    const unsigned sender = (unsigned)(uintptr_t)arg;

    for (uint32_t i = 0; i < EACH; i++) {
        uint32_t bytes[16] = { sender, i };

        (void)tx_send(shared, sender, (const uint8_t *)bytes, sizeof(bytes), NULL);
        if (i % 20 == 19) {
            tx_flush(shared, sender);
            sched_yield();
        }
    }
    sending--;
    return NULL;
}

/* Those of each, in order. Returns how many. */
static unsigned
look_at_senders(struct fixture *f, uint32_t next[SENDERS])
{
    struct weir_frame frames[MOST];
    const int n = take(f, frames, MOST);

    for (int i = 0; i < n; i++) {
        uint32_t bytes[2];

        memcpy(bytes, frames[i].data, sizeof(bytes));
        assert_true(bytes[0] < SENDERS && bytes[1] >= next[bytes[0]]);
        next[bytes[0]] = bytes[1] + 1;
    }
    return (unsigned)n;
}

/* One queue for all: what one finds occupied, another carries. */
static void
senders_share_a_queue(void **state)
{
    const struct weir_port_opts opts = { .senders = 1 };
    struct tx_opts shares = { .senders = SENDERS, .queues = 1, .largest = 1522 };
    uint32_t got = 0, next[SENDERS] = { 0 };
    pthread_t thread[SENDERS];
    struct tx_counts counts;
    struct fixture f;

    (void)state;
    shares.port = (uint16_t)number;
    set_up(&f, &opts);
    shares.pool = f.pool;
    shared = tx_new(&shares);
    assert_non_null(shared);
    sending = SENDERS;
    for (unsigned i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, send_each, (void *)(uintptr_t)i), 0);
    while (sending > 0) {
        got += look_at_senders(&f, next);
        sched_yield();
    }
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(thread[i], NULL);
    for (unsigned n = 1; n > 0; got += n) {
        tx_flush(shared, 0);
        n = look_at_senders(&f, next);
    }
    tx_count(shared, &counts);
    assert_int_equal(counts.sent, got);
    assert_int_equal(counts.sent + counts.drops, SENDERS * EACH);
    assert_true(got > 0); /* how many depends on who is interrupted where */
    tx_free(shared);
    weir_port_close(f.port);
}

static void
what_has_no_room_is_counted(void **state)
{
    const struct weir_port_opts opts = { .senders = 1 };
    const uint8_t bytes[60] = { 1 };
    struct weir_frame frames[MOST];
    unsigned sent = 0, got = 0;
    struct fixture f;

    (void)state;
    set_up(&f, &opts);
    for (unsigned i = 0; i < 3000; i++)
        sent += weir_port_send(f.port, 0, bytes, sizeof(bytes));
    assert_true(sent < 3000 && sent > 1024); /* the ring's, and what waits */
    assert_int_equal(stats_of(&f).send_drops, 3000 - sent);
    for (unsigned n; (n = take_all(&f, frames)) > 0;)
        got += n;
    assert_int_equal(got, sent);
    assert_int_equal(stats_of(&f).sent, sent);
    weir_port_close(f.port);
}

enum { QUEUES = 4, A_QUEUE = 20000 };

struct part {
    struct weir_port *port;
    unsigned queue, got;
};

/* net_null has frames without end. */
static void *
read_part(void *arg)
{
    struct part *part = arg;
    struct weir_frame frames[MOST];

    while (part->got < A_QUEUE) {
        const int n = weir_port_read_queue(part->port, part->queue, frames, MOST, NULL);

        assert_in_range(n, 0, 32);
        part->got += (unsigned)n;
    }
    return NULL;
}

static struct weir_port *
open_null(const char *name, unsigned queues, const char *filter)
{
    const struct weir_port_opts opts = { .queues = queues, .filter = filter };
    struct weir_errbuf err = { "" };
    struct weir_port *port;

    if (weir_port_open_dpdk(name, &opts, &port, &err) != WEIR_E_OK)
        fail_msg("%s", err.text);
    return port;
}

static void
queues_are_read_at_the_same_time(void **state)
{
    struct weir_port *port = open_null("net_null0", QUEUES, NULL);
    struct weir_port_stats stats;
    struct part part[QUEUES];
    pthread_t thread[QUEUES];
    unsigned got = 0;

    (void)state;
    assert_int_equal(weir_port_queues(port), QUEUES);
    assert_int_equal(weir_port_queue_fd(port, 1), -1);
    for (unsigned i = 0; i < QUEUES; i++) {
        part[i] = (struct part){ .port = port, .queue = i };
        assert_int_equal(pthread_create(&thread[i], NULL, read_part, &part[i]), 0);
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        pthread_join(thread[i], NULL);
        got += part[i].got;
    }
    weir_port_get_stats(port, &stats);
    assert_int_equal(stats.frames, got);
    assert_int_equal(stats.kernel_packets, got);
    weir_port_close(port);
}

static void
all_queues_are_read_in_turn(void **state)
{
    struct weir_port *port = open_null("net_null1", QUEUES, "less 1");
    struct weir_frame frames[MOST];
    struct weir_port_stats stats;

    (void)state;
    assert_int_equal(weir_port_read(port, frames, MOST, NULL), 0); /* a burst of each */
    assert_int_equal(weir_port_read_queue(port, QUEUES - 1, frames, MOST, NULL), 0);
    weir_port_get_stats(port, &stats);
    assert_int_equal(stats.frames, 0);
    assert_int_equal(stats.filtered, (QUEUES + 1) * 32);
    weir_port_close(port);
}

/* A net_ring has 16, each with a ring of its own. */
static void
each_queue_has_its_own(void **state)
{
    const struct weir_port_opts opts = { .queues = 40, .buffer = 65536 };
    struct weir_frame frames[MOST], others[MOST];
    char ring[64];
    struct fixture f;

    (void)state;
    set_up(&f, &opts);
    assert_int_equal(weir_port_queues(f.port), 16);
    for (uint8_t queue = 0; queue < 16; queue++) {
        snprintf(ring, sizeof(ring), "ETH_RXTX%u_net_ring%d", queue, number - 1);
        f.ring = rte_ring_lookup(ring);
        put(&f, queue, 100U + queue, 2048);
        put(&f, queue, 3000U + queue, 1024);
    }
    assert_int_equal(weir_port_read_queue(f.port, 3, frames, MOST, NULL), 2);
    assert_int_equal(weir_port_read_queue(f.port, 5, others, MOST, NULL), 2);
    assert_int_equal(weir_port_read_queue(f.port, 5, others, MOST, NULL), 0);
    assert_frame(&frames[0], 3, 103, 103); /* until its own queue is read again */
    assert_frame(&frames[1], 3, 3003, 3003);
    for (uint8_t queue = 0; queue < 16; queue++) {
        if (queue == 3 || queue == 5)
            continue;
        assert_int_equal(take(&f, frames, MOST), 2);
        assert_frame(&frames[0], queue, 100U + queue, 100U + queue);
        assert_frame(&frames[1], queue, 3000U + queue, 3000U + queue);
    }
    assert_int_equal(stats_of(&f).frames, 32);
    assert_int_equal(stats_of(&f).copied, 16);
    assert_int_equal(stats_of(&f).kernel_packets, 32);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(take(&f, frames, MOST), 0);
    assert_int_equal(rte_mempool_avail_count(f.pool), f.all);
    weir_port_close(f.port);
}

static cpu_set_t at_first; /* where the process may run */

static void *
where(void *cpus)
{
    sched_getaffinity(0, sizeof(cpu_set_t), cpus);
    return cpus;
}

static void
threads_made_later_stay_away(void **state)
{
    cpu_set_t ours, theirs, both;
    pthread_t thread;

    (void)state;
    if (CPU_COUNT(&at_first) < 2)
        skip();
    where(&ours);
    assert_int_equal(CPU_COUNT(&ours), 1);
    assert_int_equal(pthread_create(&thread, NULL, where, &theirs), 0);
    pthread_join(thread, NULL);
    assert_int_equal(CPU_COUNT(&theirs), CPU_COUNT(&at_first) - 1);
    CPU_AND(&both, &ours, &theirs);
    assert_int_equal(CPU_COUNT(&both), 0);
}

static int
start(void **state)
{
    struct weir_errbuf err = { "" };
    char args[512];
    size_t n;

    (void)state;
    where(&at_first);
    n = (size_t)snprintf(args, sizeof(args),
                         "--no-huge --no-shconf --no-telemetry --no-pci -m 128 -l %d",
                         sched_getcpu());
    for (unsigned i = 0; i < 12; i++)
        n += (size_t)snprintf(args + n, sizeof(args) - n, " --vdev=net_ring%u", i);
    for (unsigned i = 0; i < 2; i++)
        n += (size_t)snprintf(args + n, sizeof(args) - n, " --vdev=net_null%u", i);
    if (weir_dpdk_start(args, &err) == WEIR_E_OK)
        return 0;
    printf("# %s\n", err.text);
    return -1;
}

static int
stop(void **state)
{
    (void)state;
    weir_dpdk_stop();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_the_buffer_itself),
        cmocka_unit_test(pieces_are_put_together),
        cmocka_unit_test(no_frame_is_longer_than_the_snaplen),
        cmocka_unit_test(a_read_takes_no_more_than_it_may),
        cmocka_unit_test(what_the_filter_refuses_is_given_back),
        cmocka_unit_test(frames_of_the_last_read_leave_in_their_buffers),
        cmocka_unit_test(other_bytes_are_copied),
        cmocka_unit_test(senders_share_a_queue),
        cmocka_unit_test(what_has_no_room_is_counted),
        cmocka_unit_test(a_port_is_read_once_and_gone_when_closed),
        cmocka_unit_test(threads_made_later_stay_away),
        cmocka_unit_test(queues_are_read_at_the_same_time),
        cmocka_unit_test(all_queues_are_read_in_turn),
        cmocka_unit_test(each_queue_has_its_own),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
