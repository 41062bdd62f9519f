/*
 * What a packet costs from a DPDK port on: 64-byte segments of live TCP connections, 10,000 if not
 * told otherwise, which take turns, and their sides too, each acknowledging the other. net_null
 * hands out buffers without content; a callback of its queue fills them in. What is sent through it
 * goes back to the pool. The subjects take turns, round by round, each with connections of its own;
 * of each the median round counts, in CPU time, that of the source included.
 *
 *     bench_dpdk ['ARGS OF DPDK' [CONNECTIONS]]      (default: without hugepages)
 */
#include <weir/monitor.h>
#include <weir/port.h>
#include <weir/tap.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNECTIONS_MAX = 50000, /* a port for each */
    FRAME = 64,
    DATA = FRAME - 54,
    BURST = 32,
    ROUNDS = 31,
    PACKETS = 500000, /* a round */
    BAR_HUGE = 20,    /* % of the forwarder's packets a second */
    BAR_SMALL = 25,
};

/* ---- the source
 * ---------------------------------------------------------------------------------- */

struct connection {
    uint32_t addr[2], seq[2]; /* of client and server, as in packets, and as numbers */
    uint16_t port[2];         /* as in packets */
};

struct source {
    struct connection at[CONNECTIONS_MAX];
    uint32_t next, turn; /* connection; how often all had theirs */
};

static struct source *current;
static uint32_t connections = 10000;

static const uint8_t blank[FRAME] = {
    2,           0,           0,           0,          0, 2, 2,    0, 0,  0, 0, 1, 8,
    0,                                                                             /* Ethernet */
    0x45,        0,           0,           FRAME - 14, 0, 0, 0x40, 0, 64, 6, 0, 0, /* IPv4 up to the
                                                                                      addresses */
    [46] = 0x50, [48] = 0xff, [49] = 0xff, [54] = 'a', /* TCP: header length, window */
};

static struct source *
new_source(uint32_t network)
{
    struct source *s = calloc(1, sizeof(*s));

    for (uint32_t i = 0; s != NULL && i < connections; i++) {
        struct connection *c = &s->at[i];

        c->addr[0] = rte_cpu_to_be_32(network + i);
        c->addr[1] = rte_cpu_to_be_32(0x0a000001 + i % 100);
        c->port[0] = rte_cpu_to_be_16((uint16_t)(1024 + i));
        c->port[1] = rte_cpu_to_be_16(80);
        c->seq[0] = i * 2654435761U;
        c->seq[1] = ~c->seq[0];
    }
    return s;
}

static void
put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

/* The segment of a connection that is due: the handshake's in the first three turns, then data. */
static void
fill(struct source *s, uint8_t *p)
{
    static const uint8_t flags[] = { 0x02, 0x12, 0x10 };
    struct connection *c = &s->at[s->next];
    const unsigned from = s->turn == 2 ? 0 : s->turn & 1, to = 1 - from;

    memcpy(p, blank, FRAME);
    put32(p + 26, c->addr[from]);
    put32(p + 30, c->addr[to]);
    memcpy(p + 34, &c->port[from], 2);
    memcpy(p + 36, &c->port[to], 2);
    put32(p + 38, rte_cpu_to_be_32(c->seq[from]));
    put32(p + 42, s->turn == 0 ? 0 : rte_cpu_to_be_32(c->seq[to]));
    p[47] = s->turn < 3 ? flags[s->turn] : 0x18;
    c->seq[from] += s->turn < 2 ? 1 : s->turn == 2 ? 0 : DATA;
    if (s->turn < 3) /* no data: what is behind is the link's padding */
        p[17] = FRAME - 14 - DATA;
    if (++s->next == connections) {
        s->next = 0;
        s->turn++;
    }
}

static uint16_t
fill_burst(uint16_t port, uint16_t queue, struct rte_mbuf *packets[], uint16_t n, uint16_t max,
           void *arg)
{
    (void)port, (void)queue, (void)max, (void)arg;
    for (uint16_t i = 0; i < n; i++)
        fill(current, rte_pktmbuf_mtod(packets[i], uint8_t *));
    return n;
}

/* ---- the subjects
 * -------------------------------------------------------------------------------- */

struct subject {
    const char *name;
    void (*round)(struct subject *s, unsigned packets);
    struct weir_port *port;
    struct weir_monitor *m;
    struct source *source;
    double ns[ROUNDS]; /* a packet */
};

static uint64_t headers, events, bytes;

/* Receive, count bytes, send. */
static void
forward(struct subject *s, unsigned packets)
{
    struct rte_mbuf *held[BURST];

    (void)s;
    for (unsigned done = 0; done < packets; done += BURST) {
        const uint16_t n = rte_eth_rx_burst(0, 0, held, BURST);
        uint16_t sent;

        for (uint16_t i = 0; i < n; i++)
            bytes += rte_pktmbuf_pkt_len(held[i]);
        sent = rte_eth_tx_burst(0, 0, held, n);
        rte_pktmbuf_free_bulk(held + sent, n - sent);
    }
}

/* Receive, look at the header, let go. */
static void
discard(struct subject *s, unsigned packets)
{
    struct rte_mbuf *held[BURST];

    (void)s;
    for (unsigned done = 0; done < packets; done += BURST) {
        const uint16_t n = rte_eth_rx_burst(0, 0, held, BURST);

        for (uint16_t i = 0; i < n; i++)
            rte_prefetch0(rte_pktmbuf_mtod(held[i], const void *));
        for (uint16_t i = 0; i < n; i++)
            headers += rte_pktmbuf_mtod(held[i], const uint8_t *)[12];
        rte_pktmbuf_free_bulk(held, n);
    }
}

static void
read_port(struct subject *s, unsigned packets)
{
    struct weir_frame frames[BURST];

    for (unsigned done = 0; done < packets; done += BURST) {
        const int n = weir_port_read(s->port, frames, BURST, NULL);

        for (int i = 0; i < n; i++)
            headers += frames[i].data[12];
    }
}

static void
monitor(struct subject *s, unsigned packets)
{
    struct weir_frame frames[BURST];

    for (unsigned done = 0; done < packets; done += BURST) {
        const int n = weir_port_read(s->port, frames, BURST, NULL);

        if (n > 0 && weir_monitor_feed(s->m, frames, (unsigned)n) != WEIR_E_OK)
            abort();
    }
}

static weir_fut
count(void *ctx, weir_fut event)
{
    const struct weir_event *ev = weir_ptr(event);

    (void)ctx;
    events++;
    if (ev->type == WEIR_EV_PAYLOAD)
        bytes += (uint64_t)ev->payload.length;
    return event;
}

static const weir_fn stages[] = { count };

/* taps: an app wants every event. */
static struct weir_monitor *
new_monitor(bool taps)
{
    static const struct weir_tap_spec spec = { .stage = stages,
                                               .n_stages = 1,
                                               .want = WEIR_EV_ALL };
    const struct weir_monitor_opts opts = { .no_checksums = true, .live = true };
    const struct weir_app app = { .name = "count", .spec = &spec };
    struct weir_monitor *m;

    if (weir_monitor_new(&opts, &m) != WEIR_E_OK ||
        (taps && weir_monitor_add(m, &app) != WEIR_E_OK))
        return NULL;
    return m;
}

/* ---- the run
 * ------------------------------------------------------------------------------------- */

static uint64_t
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double
median(double *ns)
{
    qsort(ns, ROUNDS, sizeof(*ns), by_size);
    return ns[ROUNDS / 2];
}

static void
run(struct subject *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) { /* handshakes, and as many turns of data */
        current = s[i].source;
        s[i].round(&s[i], 6 * connections);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < n; i++) {
            const uint64_t start = cpu_ns();

            current = s[i].source;
            s[i].round(&s[i], PACKETS);
            s[i].ns[round] = (double)(cpu_ns() - start) / PACKETS;
        }
    }
}

/*
 * Every packet has to have been a segment of a connection that delivered its bytes, found at once.
 */
static bool
is_sound(const struct subject *s)
{
    struct weir_monitor_stats stats;

    if (s->m == NULL)
        return true;
    weir_monitor_get_stats(s->m, &stats);
    return stats.flows == connections && stats.live_flows == connections && stats.no_flow == 0 &&
           stats.lookups == stats.packets && stats.events[WEIR_EV_ESTABLISHED] == connections &&
           stats.events[WEIR_EV_PAYLOAD] == stats.packets - 3 * connections &&
           stats.events[WEIR_EV_RETRANSMIT] == 0;
}

static int
open_source(const char *args, struct weir_port **port)
{
    const struct weir_port_opts opts = { .snaplen = FRAME, .senders = 1 };
    struct weir_errbuf err = { "" };
    char all[512];
    int rc;

    snprintf(all, sizeof(all), "%s --vdev=net_null0,size=%d", args, FRAME);
    rc = weir_dpdk_start(all, &err);
    if (rc == WEIR_E_OK)
        rc = weir_port_open_dpdk("net_null0", &opts, port, &err);
    if (rc != WEIR_E_OK)
        fprintf(stderr, "bench_dpdk: %s\n", err.text);
    else if (rte_eth_add_rx_callback(0, 0, fill_burst, NULL) == NULL)
        rc = WEIR_E_UNSUPPORTED;
    return rc;
}

int
main(int argc, char **argv)
{
    const char *args = argc > 1 ? argv[1]
                                : "--no-huge --no-shconf --no-telemetry --no-pci -l 0 -m 64";
    const int bar = strstr(args, "--no-huge") != NULL ? BAR_SMALL : BAR_HUGE;
    struct subject s[] = { { .name = "forwarder", .round = forward },
                           { .name = "only received and freed", .round = discard },
                           { .name = "the port alone", .round = read_port },
                           { .name = "monitor, no app", .round = monitor },
                           { .name = "monitor, an app wants all events", .round = monitor } };
    enum { N = sizeof(s) / sizeof(*s) };
    struct weir_port *port;
    double floor = 0;

    if (argc > 2)
        connections = (uint32_t)atoi(argv[2]);
    if (connections < 1 || connections > CONNECTIONS_MAX) {
        fprintf(stderr, "bench_dpdk: 1 to %d connections are expected\n", CONNECTIONS_MAX);
        return 2;
    }
    if (open_source(args, &port) != WEIR_E_OK)
        return 1;
    for (unsigned i = 0; i < N; i++) {
        s[i].port = port;
        s[i].source = new_source(0xc0000000 + i * 0x10000);
        s[i].m = s[i].round == monitor ? new_monitor(i == N - 1) : NULL;
        if (s[i].source == NULL || (s[i].round == monitor && s[i].m == NULL))
            return 1;
    }
    run(s, N);
    for (unsigned i = 0; i < N; i++) {
        const double ns = median(s[i].ns);

        floor = i == 0 ? ns : floor;
        printf("%-34s %6.1f ns  %5.2f Mpps  %5.1f %%%s\n", s[i].name, ns, 1e3 / ns,
               100 * floor / ns,
               !is_sound(&s[i])                               ? "  (not what was sent!)"
               : i == N - 1 && 100 * floor / ns < (double)bar ? "  MISSED"
                                                              : "");
        weir_monitor_free(s[i].m);
        free(s[i].source);
    }
    printf("%u connections; bar: %d %% of the forwarder\n", connections, bar);
    weir_port_close(port);
    weir_dpdk_stop();
    return 0;
}
