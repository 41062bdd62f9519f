/*
 * Memory of an idle established connection: handshake, one segment each way, then nothing. Counted
 * is what the process holds (RssAnon), the flow table included, for connections that came within
 * their idle timeout. The frames' bytes are not stable, so data is copied as long as it is kept.
 *
 *     bench_flows [FLOWS]
 */
#include "support/frames.h"

#include <weir/monitor.h>

#include <stdio.h>
#include <stdlib.h>

enum { N_STEPS = 5, PORTS = 50000, BAR = 256, DEFAULT_FLOWS = 1000000 };

#define SECOND UINT64_C(1000000000)
#define WITHIN (500 * SECOND) /* less than the 600 s after which connections end */
#define QUIET  (15 * SECOND)  /* more than the 10 s for which their data is kept */

static long
rss_anon(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kb = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "RssAnon: %ld", &kb) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kb * 1024;
}

static void
put(uint8_t *p, uint32_t v, int n)
{
    for (int i = n; i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
}

/* Write the client's address and port over those of a frame that goes in direction dir. */
static void
set_client(uint8_t *frame, enum weir_dir dir, unsigned long i)
{
    uint8_t *ip = frame + 14, *tcp = ip + 20;

    put(ip + (dir == WEIR_TOSERVER ? 12 : 16), 0x0a000000 + (uint32_t)(i / PORTS), 4);
    put(tcp + (dir == WEIR_TOSERVER ? 0 : 2), 1024 + (uint32_t)(i % PORTS), 2);
}

static int
connect_all(struct weir_monitor *m, unsigned long flows, uint64_t *time)
{
    static const struct segment step[N_STEPS] = {
        { .flags = WEIR_TH_SYN, .seq = 1000 },
        { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 5000, .ack = 1001 },
        { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001 },
        { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "hello", .n = 5 },
        { .dir = WEIR_TOCLIENT,
          .flags = WEIR_TH_ACK,
          .seq = 5001,
          .ack = 1006,
          .data = "world",
          .n = 5 },
    };
    static uint8_t room[N_STEPS][FRAME_ROOM];
    int rc = WEIR_E_OK;

    for (unsigned long n = 0; n < flows * N_STEPS && rc == WEIR_E_OK; n++) {
        const struct segment *s = &step[n % N_STEPS];
        struct weir_frame frame = tcp_frame(s, room[n % N_STEPS]);

        set_client(room[n % N_STEPS], s->dir, n / N_STEPS);
        frame.stable = false;
        frame.time += WITHIN / (flows * N_STEPS) * n;
        *time = frame.time;
        rc = weir_monitor_feed(m, &frame, 1);
    }
    return rc;
}

/* Let time pass: packets of one flow more. */
static int
wait_quietly(struct weir_monitor *m, uint64_t time)
{
    static uint8_t room[FRAME_ROOM];
    int rc = WEIR_E_OK;

    for (int i = 1; i <= 3 && rc == WEIR_E_OK; i++) {
        struct weir_frame frame = udp_frame(WEIR_TOSERVER, "x", 1, 0, room);

        frame.stable = false;
        frame.time = time + (uint64_t)i * QUIET;
        rc = weir_monitor_feed(m, &frame, 1);
    }
    return rc;
}

int
main(int argc, char **argv)
{
    const struct weir_monitor_opts opts = { .no_checksums = true, .memcap = UINT64_C(16) << 30 };
    unsigned long flows = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_FLOWS;
    struct weir_monitor_stats stats;
    struct weir_monitor *m = NULL;
    long before = rss_anon();
    uint64_t time = 0;
    double each;

    if (flows == 0 || weir_monitor_new(&opts, &m) != WEIR_E_OK ||
        connect_all(m, flows, &time) != WEIR_E_OK || wait_quietly(m, time) != WEIR_E_OK) {
        fprintf(stderr, "bench_flows: no memory\n");
        return 1;
    }
    weir_monitor_get_stats(m, &stats);
    each = (double)(rss_anon() - before) / (double)flows;
    printf("%lu idle connections, %lu live flows: %.1f bytes each (bar %d)%s\n", flows,
           (unsigned long)stats.live_flows, each, BAR, each > BAR ? ": MISSED" : "");
    weir_monitor_free(m);
    return 0;
}
