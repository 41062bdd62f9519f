#include <weir/port.h>

#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
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
                         "--no-huge --no-shconf --no-telemetry --no-pci -m 64 -l %d",
                         sched_getcpu());
    for (unsigned i = 0; i < 8; i++)
        n += (size_t)snprintf(args + n, sizeof(args) - n, " --vdev=net_ring%u", i);
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
        cmocka_unit_test(a_port_is_read_once_and_gone_when_closed),
        cmocka_unit_test(threads_made_later_stay_away),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
