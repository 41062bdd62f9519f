/*
 * A plain forwarder between two ports of DPDK's, for bench/bridge.py to compare weir with: what
 * comes in at one is sent out of the other, unlooked at, until a signal.
 *
 *     bench_bridge 'ARGS OF DPDK'
 */
#include <weir/port.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

enum { BURST = 32, DESCRIPTORS = 1024, BUFFERS = 8191, BUSY_POLLS = 256, PAUSE_NS = 30000 };

static volatile sig_atomic_t stop;
static uint64_t moved, lost;

static void
on_signal(int number)
{
    stop = number;
}

static int
start(uint16_t port, struct rte_mempool *pool)
{
    const struct rte_eth_conf conf = { 0 };

    if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(port, 0, DESCRIPTORS, 0, NULL, pool) != 0 ||
        rte_eth_tx_queue_setup(port, 0, DESCRIPTORS, 0, NULL) != 0)
        return -1;
    (void)rte_eth_promiscuous_enable(port);
    return rte_eth_dev_start(port);
}

static unsigned
forward(uint16_t from, uint16_t to)
{
    struct rte_mbuf *held[BURST];
    const uint16_t n = rte_eth_rx_burst(from, 0, held, BURST);
    const uint16_t sent = n > 0 ? rte_eth_tx_burst(to, 0, held, n) : 0;

    rte_pktmbuf_free_bulk(held + sent, n - sent);
    moved += sent;
    lost += n - sent;
    return n;
}

/* With pauses while nothing comes, as weir has them. */
static void
run(void)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };

    for (unsigned idle = 0; !stop; idle++) {
        if (forward(0, 1) + forward(1, 0) > 0)
            idle = 0;
        else if (idle > BUSY_POLLS)
            (void)nanosleep(&pause, NULL);
    }
}

int
main(int argc, char **argv)
{
    struct weir_errbuf err = { "" };
    struct rte_mempool *pool;

    if (argc < 2) {
        printf("bench_bridge: bench/bridge.py BUILD runs it\n");
        return 0;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    if (weir_dpdk_start(argv[1], &err) != WEIR_E_OK) {
        fprintf(stderr, "bench_bridge: %s\n", err.text);
        return 1;
    }
    pool = rte_pktmbuf_pool_create("bridge", BUFFERS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == NULL || start(0, pool) != 0 || start(1, pool) != 0) {
        fprintf(stderr, "bench_bridge: two ports are expected, of which each can be started\n");
        return 1;
    }
    run();
    fprintf(stderr, "bench_bridge: %llu packets moved, %llu lost\n", (unsigned long long)moved,
            (unsigned long long)lost);
    return 0;
}
