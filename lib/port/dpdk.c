/*
 * Network cards through DPDK: a port is receive queues, polled, and queues to send through
 * (dpdk_tx.c). The only files that know DPDK; dpdk_none.c takes their place where there is none.
 *
 * Globals: EAL is one for a process, and so is what it says.
 */
#include "port/dpdk.h"

#include "port/dpdk_tx.h"
#include "port/filter.h"
#include "port/port.h"
#include "port/words.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    BURST = 32,
    DESCRIPTORS = 1024,
    DESCRIPTOR_BYTES = 2048, /* of opts.buffer that one stands for */
    CACHE = 256,             /* buffers that the thread keeps beside the pool */
    SAID_MAX = 16384,
    TEXT_MAX = 512,
    THREADS_MAX = 256,
    LINK_ETHERNET = 1, /* LINKTYPE_ETHERNET */
    FRAME_BYTES = 18,  /* of a frame beside what the MTU counts: header and checksum */
    TAGS_BYTES = 8,    /* of two VLAN tags */
    ARENA_BYTES = BURST * PORT_MAX_CAPLEN,
    SEND_DESCRIPTORS = 1024,
    RETIRED_MAX = 64,
    RSS_KEY_MAX = 64, /* bytes */
};

/* ---- what DPDK says ------------------------------------------------------------------------ */

/* Its log: the last SAID_MAX bytes or half as many. The stream's lock guards it. */
static struct {
    FILE *stream;
    char text[SAID_MAX + 1];
    size_t n;
    uint64_t total; /* bytes it ever was */
} said;

static ssize_t
hear(void *cookie, const char *text, size_t n)
{
    const size_t take = n < SAID_MAX / 2 ? n : SAID_MAX / 2;

    (void)cookie;
    if (said.n + take > SAID_MAX) {
        said.n -= SAID_MAX / 2;
        memmove(said.text, said.text + SAID_MAX / 2, said.n);
    }
    memcpy(said.text + said.n, text, take);
    said.n += take;
    said.total += take;
    said.text[said.n] = '\0';
    return (ssize_t)n;
}

static void
listen_to_log(void)
{
    if (said.stream == NULL)
        said.stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = hear });
    if (said.stream != NULL)
        rte_openlog_stream(said.stream);
}

const char *
dpdk_said(void)
{
    return said.text;
}

/* Standard output and error while EAL starts, which writes a page of usage there. */
struct muted {
    int file, was[3];
};

static void
mute(struct muted *muted)
{
    fflush(stdout);
    fflush(stderr);
    muted->file = memfd_create("eal", MFD_CLOEXEC);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        muted->was[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (muted->file >= 0 && muted->was[fd] >= 0)
            dup2(muted->file, fd);
    }
}

/* What was written meanwhile is text, at most size - 1 bytes. */
static void
unmute(struct muted *muted, char *text, size_t size)
{
    ssize_t n;

    fflush(stdout);
    fflush(stderr);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (muted->was[fd] < 0)
            continue;
        dup2(muted->was[fd], fd);
        close(muted->was[fd]);
    }
    n = muted->file >= 0 ? pread(muted->file, text, size - 1, 0) : 0;
    text[n > 0 ? n : 0] = '\0';
    if (muted->file >= 0)
        close(muted->file);
}

/* ---- what it means ------------------------------------------------------------------------- */

#define HUGEPAGES "echo 512 > /proc/sys/vm/nr_hugepages, or add --no-huge to --dpdk"

/* The first that is in the log explains why EAL did not start. */
static const struct {
    const char *words;
    int code;
    const char *means;
} reasons[] = {
    { "not compatible with --in-memory", WEIR_E_INVAL,
      "--no-huge and --in-memory exclude each other: use --no-huge --no-shconf" },
    { "no mounted hugetlbfs", WEIR_E_IO,
      "there are hugepages, but no hugetlbfs is mounted: add --in-memory to --dpdk, or "
      "mount -t hugetlbfs nodev /dev/hugepages" },
    { "hugepages reserved", WEIR_E_IO, "there are no free hugepages: " HUGEPAGES },
    { "hugepage information", WEIR_E_IO, "there are no hugepages: " HUGEPAGES },
    { "Not enough memory available", WEIR_E_IO, "there are not enough hugepages: " HUGEPAGES },
    { "Is another primary process running", WEIR_E_IO,
      "another DPDK program runs: add --file-prefix=weir or --in-memory to --dpdk" },
    { "Cannot get a virtual area", WEIR_E_IO, "no address space for its memory: add -m 256" },
    { "invalid core list", WEIR_E_INVAL, "-l names CPUs that there are not, or that are not ours" },
    { "invalid coremask", WEIR_E_INVAL, "-c names CPUs that there are not, or that are not ours" },
    { "failed to parse device", WEIR_E_INVAL, "what --vdev or -a names is no device" },
};

/* A line of the log without who said it. */
static void
copy_line(char out[TEXT_MAX], const char *line)
{
    static const char who[] = "EAL: ";

    if (strncmp(line, who, sizeof(who) - 1) == 0)
        line += sizeof(who) - 1;
    snprintf(out, TEXT_MAX, "%.*s", (int)strcspn(line, "\n"), line);
}

static bool
is_fault(const char *line)
{
    static const char *const signs[] = { "ailed",  "annot", "nvalid", "rror", "not ",
                                         "nknown", "No ",   "nable",  "ouldn" };

    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
        if (strstr(line, signs[i]) != NULL)
            return true;
    return false;
}

/* The line at *at, which then is behind it; false: there is none. */
static bool
next_line(const char **at, char out[TEXT_MAX])
{
    if (**at == '\0')
        return false;
    copy_line(out, *at);
    *at += strcspn(*at, "\n");
    *at += **at == '\n';
    return true;
}

/* The first line of the text that tells of a failure; returns whether there is one. */
static bool
find_fault(const char *text, char out[TEXT_MAX])
{
    while (next_line(&text, out))
        if (is_fault(out))
            return true;
    return false;
}

static int
code_of(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return WEIR_E_PERM;
    case EINVAL:
        return WEIR_E_INVAL;
    default:
        return WEIR_E_IO;
    }
}

/* EAL did not start; printed: what it wrote meanwhile. */
static int
explain_start(const char *printed, struct weir_errbuf *err)
{
    char line[TEXT_MAX] = "";

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (strstr(said.text, reasons[i].words) != NULL)
            return weir_err_set(err, reasons[i].code, "--dpdk: %s", reasons[i].means);
    if (strstr(printed, ": unrecognized option") != NULL ||
        strstr(printed, ": invalid option") != NULL || strstr(printed, ": option ") != NULL) {
        copy_line(line, strstr(printed, ": ") + 2);
        return weir_err_set(err, WEIR_E_INVAL, "--dpdk: %s", line);
    }
    if (!find_fault(said.text, line) && !find_fault(printed, line))
        snprintf(line, sizeof(line), "%s", rte_strerror(rte_errno));
    return weir_err_set(err, code_of(rte_errno), "--dpdk: DPDK does not start: %s", line);
}

/* ---- threads ------------------------------------------------------------------------------- */

/* Threads there are before EAL starts, the calling one left out. */
struct threads {
    pid_t ids[THREADS_MAX];
    unsigned n;
    cpu_set_t cpus; /* where they may run */
};

static void
look_at_threads(struct threads *threads)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;

    threads->n = 0;
    CPU_ZERO(&threads->cpus);
    sched_getaffinity(0, sizeof(threads->cpus), &threads->cpus);
    while (folder != NULL && threads->n < THREADS_MAX && (entry = readdir(folder)) != NULL) {
        const pid_t id = (pid_t)atol(entry->d_name);

        if (id > 0 && id != gettid())
            threads->ids[threads->n++] = id;
    }
    if (folder != NULL)
        closedir(folder);
}

/*
 * EAL bound this thread to its CPU, which is for packets alone: threads there were, and those that
 * will be made (which would inherit the binding), run on the others that there are.
 */
static void
keep_cpu_free(const struct threads *threads)
{
    cpu_set_t ours, rest;
    pthread_attr_t attr;

    CPU_ZERO(&ours);
    sched_getaffinity(0, sizeof(ours), &ours);
    CPU_XOR(&rest, &threads->cpus, &ours);
    CPU_AND(&rest, &rest, &threads->cpus);
    if (CPU_COUNT(&rest) == 0)
        rest = threads->cpus;
    for (unsigned i = 0; i < threads->n; i++)
        (void)sched_setaffinity(threads->ids[i], sizeof(rest), &rest); /* it may have ended */
    if (pthread_attr_init(&attr) != 0)
        return;
    if (pthread_attr_setaffinity_np(&attr, sizeof(rest), &rest) == 0)
        (void)pthread_setattr_default_np(&attr);
    pthread_attr_destroy(&attr);
}

/* ---- EAL ----------------------------------------------------------------------------------- */

struct dpdk;

static struct {
    struct words words; /* its arguments; it may refer to them until it is stopped */
    bool runs, spent;   /* spent: it cannot be started again */
    bool is_read[RTE_MAX_ETHPORTS];
    unsigned n_open;
    struct dpdk *last; /* that was read, of those with one queue */
    /* Of ports that are closed, while others are open, in which some of their buffers may wait. */
    struct rte_mempool *retired[RETIRED_MAX];
    unsigned n_retired;
} eal;

int
dpdk_check(struct weir_errbuf *err)
{
    (void)err;
    return WEIR_E_OK;
}

static int
init(struct weir_errbuf *err)
{
    char *printed = malloc(SAID_MAX);
    struct muted muted;
    int taken, rc = WEIR_E_OK;

    if (printed == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "--dpdk: out of memory");
    mute(&muted);
    taken = rte_eal_init(eal.words.n, eal.words.at);
    unmute(&muted, printed, SAID_MAX);
    eal.spent = true;
    eal.runs = taken >= 0;
    if (taken < 0)
        rc = explain_start(printed, err);
    else if (taken + 1 < eal.words.n)
        rc = weir_err_set(err, WEIR_E_INVAL, "--dpdk: '%s' is no option of DPDK's",
                          eal.words.at[taken + 1]);
    free(printed);
    return rc;
}

int
weir_dpdk_start(const char *args, struct weir_errbuf *err)
{
    struct threads threads;
    int rc;

    if (eal.runs || eal.spent)
        return weir_err_set(err, WEIR_E_INVAL, "--dpdk: DPDK can be started once in a process");
    rc = words_split(&eal.words, "weir", args);
    if (rc != WEIR_E_OK)
        return weir_err_set(err, rc == WEIR_E_SYNTAX ? WEIR_E_INVAL : rc, "--dpdk: %s",
                            rc == WEIR_E_SYNTAX ? "a quotation mark is not closed"
                                                : "out of memory");
    look_at_threads(&threads);
    listen_to_log();
    rc = init(err);
    if (rc == WEIR_E_OK)
        keep_cpu_free(&threads);
    else
        weir_dpdk_stop();
    return rc;
}

void
weir_dpdk_stop(void)
{
    if (eal.runs)
        (void)rte_eal_cleanup();
    eal.runs = false;
    words_free(&eal.words);
}

/* ---- a port -------------------------------------------------------------------------------- */

/* A receive queue: its reader's. */
struct rx {
    alignas(64) struct rte_mbuf *held[BURST]; /* whose frames were handed out */
    unsigned n_held, next_held;               /* next_held: behind the one that was sent last */
    uint8_t *arena;                           /* ARENA_BYTES: frames that came in pieces */
    size_t used;
    _Atomic uint64_t filtered, copied, verified; /* written by the reader alone */
};

struct dpdk {
    struct weir_port port;
    uint16_t id, queues;
    unsigned turn; /* of the queues, where all are read */
    bool started, keeps_time, is_spread;
    char *name;    /* as it was asked for */
    uint64_t said; /* said.total before it was set up */
    struct rte_mempool *pool;
    struct rx *rx; /* queues */
    struct tx *tx; /* NULL: nothing is sent */
    uint16_t send_queues;
    unsigned senders;
    uint32_t snaplen;
    int time_offset; /* in an mbuf; with keeps_time */
    uint64_t time_flag;
    struct filter filter;
    uint16_t descriptors, mtu;
    uint8_t rss_key[RSS_KEY_MAX]; /* drivers refer to it until the port is closed */
    uint32_t buffers, room;
    uint64_t offers; /* RTE_ETH_RX_OFFLOAD_ bits */
    bool sums;       /* it looks at checksums */
    const char *driver, *promiscuous;
    char text[TEXT_MAX];
};

static uint64_t
wall_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void
add_to(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* Bytes that lie together, in the buffer or copied. There is room in the arena for BURST frames. */
static const uint8_t *
bytes_of(struct rx *rx, const struct rte_mbuf *m, uint32_t n)
{
    const uint8_t *data;

    if (n <= rte_pktmbuf_data_len(m))
        return rte_pktmbuf_mtod(m, const uint8_t *);
    data = rte_pktmbuf_read(m, 0, n, rx->arena + rx->used);
    rx->used += n;
    add_to(&rx->copied, 1);
    return data;
}

#define SUMS_LOOKED_AT (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define SUMS_RIGHT     (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/* now: nanoseconds since 1970, of the burst. */
static inline void
frame_of(const struct dpdk *d, struct rx *rx, const struct rte_mbuf *m, uint64_t now,
         struct weir_frame *f)
{
    const uint32_t wirelen = rte_pktmbuf_pkt_len(m);
    const uint32_t caplen = wirelen < d->snaplen ? wirelen : d->snaplen;

    if (d->keeps_time && (m->ol_flags & d->time_flag) != 0)
        now = *RTE_MBUF_DYNFIELD(m, d->time_offset, const uint64_t *) * 1000;
    *f = (struct weir_frame){
        .data = bytes_of(rx, m, caplen),
        .caplen = caplen,
        .wirelen = wirelen,
        .time = now,
        .link = LINK_ETHERNET,
        .verified = (m->ol_flags & SUMS_LOOKED_AT) == SUMS_RIGHT,
    };
}

/*
 * Whether a buffer is ready for its pool as it is: whole, its bytes its own, nobody else's. Of one
 * that is whole next is NULL (rte_mbuf_core.h), and need not be looked at, a cache line behind.
 */
static inline bool
is_ready(const struct dpdk *d, const struct rte_mbuf *m)
{
    return m->pool == d->pool && m->nb_segs == 1 && RTE_MBUF_DIRECT(m) &&
           rte_mbuf_refcnt_read(m) == 1;
}

/* What rte_pktmbuf_free_bulk() does, where most are ready. */
static void
give_back(const struct dpdk *d, struct rx *rx)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rx->n_held; i++) {
        struct rte_mbuf *m = rx->held[i];

        if (WEIR_LIKELY(is_ready(d, m)))
            rx->held[n++] = m;
        else
            rte_pktmbuf_free(m);
    }
    if (n > 0)
        rte_mempool_put_bulk(d->pool, (void **)rx->held, n);
    rx->n_held = 0;
}

static int
read_burst(const struct dpdk *d, unsigned queue, struct weir_frame *frames, unsigned max)
{
    struct rx *rx = &d->rx[queue];
    unsigned n = 0, verified = 0;
    uint64_t now;

    give_back(d, rx);
    rx->used = 0;
    rx->next_held = 0;
    rx->n_held = rte_eth_rx_burst(d->id, (uint16_t)queue, rx->held,
                                  (uint16_t)(max < BURST ? max : BURST));
    if (rx->n_held == 0)
        return 0;
    for (unsigned i = 0; i < rx->n_held; i++)
        rte_prefetch0(rte_pktmbuf_mtod(rx->held[i], const void *));
    now = wall_clock();
    for (unsigned i = 0; i < rx->n_held; i++) {
        frame_of(d, rx, rx->held[i], now, &frames[n]);
        if (filter_pass(&d->filter, &frames[n]))
            verified += frames[n++].verified;
    }
    add_to(&rx->filtered, rx->n_held - n);
    add_to(&rx->verified, verified);
    return (int)n;
}

static int
dpdk_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames, unsigned max,
                struct weir_errbuf *err)
{
    (void)err;
    return read_burst((const struct dpdk *)port, queue, frames, max);
}

static int
dpdk_read(struct weir_port *port, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct dpdk *d = (struct dpdk *)port;
    int n = 0;

    (void)err;
    if (d->queues == 1) {
        eal.last = d;
        return read_burst(d, 0, frames, max);
    }
    for (unsigned i = 0; i < d->queues && n == 0; i++) {
        n = read_burst(d, d->turn, frames, max);
        d->turn = d->turn + 1 < d->queues ? d->turn + 1 : 0;
    }
    return n;
}

/*
 * The buffer that these bytes are, if they are a frame of the last read: mostly the one behind that
 * which was sent last. With several senders, or queues, others may read meanwhile.
 */
static struct rte_mbuf *
held_buffer(const struct dpdk *d, const uint8_t *data, uint32_t len)
{
    struct rx *rx = d != NULL ? d->rx : NULL;

    for (unsigned i = 0; rx != NULL && i < rx->n_held; i++) {
        const unsigned at = rx->next_held + i < rx->n_held ? rx->next_held + i
                                                           : rx->next_held + i - rx->n_held;
        struct rte_mbuf *m = rx->held[at];

        if (rte_pktmbuf_mtod(m, const uint8_t *) != data || rte_pktmbuf_pkt_len(m) != len)
            continue;
        rx->next_held = at + 1 < rx->n_held ? at + 1 : 0;
        return m;
    }
    return NULL;
}

static bool
dpdk_send(struct weir_port *port, unsigned sender, const uint8_t *data, uint32_t len)
{
    struct dpdk *d = (struct dpdk *)port;

    if (d->tx == NULL)
        return false;
    return tx_send(d->tx, sender, data, len,
                   d->senders == 1 ? held_buffer(eal.last, data, len) : NULL);
}

static void
dpdk_flush(struct weir_port *port, unsigned sender)
{
    const struct dpdk *d = (const struct dpdk *)port;

    if (d->tx != NULL)
        tx_flush(d->tx, sender);
}

static void
add_sent(const struct dpdk *d, struct weir_port_stats *out)
{
    struct tx_counts counts = { 0 };

    if (d->tx == NULL)
        return;
    tx_count(d->tx, &counts);
    out->sent = counts.sent;
    out->send_drops = counts.drops;
    out->send_large = counts.large;
}

static void
dpdk_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    const struct dpdk *d = (const struct dpdk *)port;
    struct rte_eth_stats stats = { 0 };
    struct rte_eth_link link = { 0 };

    for (unsigned i = 0; i < d->queues; i++) {
        out->filtered += atomic_load_explicit(&d->rx[i].filtered, memory_order_relaxed);
        out->copied += atomic_load_explicit(&d->rx[i].copied, memory_order_relaxed);
        out->verified += atomic_load_explicit(&d->rx[i].verified, memory_order_relaxed);
    }
    add_sent(d, out);
    if (rte_eth_stats_get(d->id, &stats) == 0) {
        out->kernel_drops = stats.imissed + stats.rx_nombuf;
        out->kernel_packets = stats.ipackets + out->kernel_drops;
        out->interface_drops = stats.ierrors;
    }
    out->down = rte_eth_link_get_nowait(d->id, &link) == 0 && link.link_status == RTE_ETH_LINK_DOWN;
}

/* Other ports may have frames in its buffers yet: when none is open they go. */
static void
retire(struct rte_mempool *pool)
{
    if (pool != NULL && eal.n_retired < RETIRED_MAX)
        eal.retired[eal.n_retired++] = pool;
    while (eal.n_open == 0 && eal.n_retired > 0)
        rte_mempool_free(eal.retired[--eal.n_retired]);
}

static void
dpdk_close(struct weir_port *port)
{
    struct dpdk *d = (struct dpdk *)port;

    if (eal.last == d)
        eal.last = NULL;
    for (unsigned i = 0; d->rx != NULL && i < d->queues; i++)
        give_back(d, &d->rx[i]);
    if (d->promiscuous != NULL)
        (void)rte_eth_promiscuous_disable(d->id);
    if (d->started)
        (void)rte_eth_dev_stop(d->id);
    if (d->id < RTE_MAX_ETHPORTS) {
        (void)rte_eth_dev_close(d->id);
        eal.is_read[d->id] = false;
        eal.n_open--;
    }
    tx_free(d->tx);
    retire(d->pool);
    filter_free(&d->filter);
    for (unsigned i = 0; d->rx != NULL && i < d->queues; i++)
        free(d->rx[i].arena);
    free(d->rx);
    free(d->name);
    free(d);
}

static const struct port_ops dpdk_ops = { .read = dpdk_read,
                                          .get_stats = dpdk_get_stats,
                                          .close = dpdk_close,
                                          .send = dpdk_send,
                                          .flush = dpdk_flush,
                                          .read_queue = dpdk_read_queue };

/* ---- to open it ---------------------------------------------------------------------------- */

static struct dpdk *
new_port(const char *name)
{
    struct dpdk *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return NULL;
    d->port.ops = &dpdk_ops;
    d->id = RTE_MAX_ETHPORTS;
    d->said = said.total;
    d->name = strdup(name);
    if (d->name != NULL)
        return d;
    dpdk_close(&d->port);
    return NULL;
}

/* What named it. */
static const char *
option_of(const struct dpdk *d)
{
    return d->senders > 0 ? "--inline" : "--port";
}

static bool
is_number(const char *name)
{
    return name[strspn(name, "0123456789")] == '\0' && *name != '\0' && strlen(name) < 5;
}

/* The device that an argument names, as --vdev=NAME,... or behind --vdev or -a; NULL: it names
 * none. */
static const char *
device_named(const char *word, const char *before)
{
    static const char vdev[] = "--vdev=", allow[] = "--allow=";

    if (strncmp(word, vdev, sizeof(vdev) - 1) == 0)
        return word + sizeof(vdev) - 1;
    if (strncmp(word, allow, sizeof(allow) - 1) == 0)
        return word + sizeof(allow) - 1;
    return strcmp(before, "--vdev") == 0 || strcmp(before, "-a") == 0 ? word : NULL;
}

/*
 * Whether the line speaks of a device that the arguments name, which EAL has put in another order.
 */
static bool
is_about_device(const char *line)
{
    const char *word = eal.words.bytes, *before = "";

    for (int i = 0; i < eal.words.n; i++) {
        const char *named = device_named(word, before);
        char device[RTE_ETH_NAME_MAX_LEN] = "";

        if (named != NULL)
            snprintf(device, sizeof(device), "%.*s", (int)strcspn(named, ","), named);
        if (device[0] != '\0' && strstr(line, device) != NULL)
            return true;
        before = word;
        word += strlen(word) + 1;
    }
    return false;
}

/*
 * Why there is no device that was asked for: the first line about one, or the one before, which is
 * its driver's. Others are about cards that nobody asked for. Returns whether there is one.
 */
static bool
find_fault_of_device(char out[TEXT_MAX])
{
    const char *at = said.text;
    char line[TEXT_MAX];

    out[0] = '\0';
    while (next_line(&at, line)) {
        const bool fails = is_fault(line);

        if (fails && is_about_device(line)) {
            if (strstr(line, "failed to initialize") == NULL || out[0] == '\0')
                snprintf(out, TEXT_MAX, "%s", line);
            return true;
        }
        snprintf(out, TEXT_MAX, "%s", fails ? line : "");
    }
    return false;
}

/* Why there is no port of the name: a --vdev that failed leaves but a line in the log. */
static int
no_such_port(const struct dpdk *d, struct weir_errbuf *err)
{
    char names[TEXT_MAX / 2] = "", one[RTE_ETH_NAME_MAX_LEN], why[TEXT_MAX] = "";
    size_t n = 0;
    uint16_t id;

    for (id = 0; id < RTE_MAX_ETHPORTS && n < sizeof(names); id++)
        if (rte_eth_dev_is_valid_port(id) && rte_eth_dev_get_name_by_port(id, one) == 0)
            n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n > 0 ? ", " : "", one);
    if (n > 0)
        return weir_err_set(err, WEIR_E_NOENT, "%s %s: DPDK has no such port; it has %s",
                            option_of(d), d->name, names);
    if (find_fault_of_device(why))
        return weir_err_set(err, WEIR_E_NOENT, "%s %s: DPDK has no port: %s%s", option_of(d),
                            d->name, why,
                            strstr(why, "failed to initialize") != NULL
                                ? ": its driver does not take these arguments"
                                : "");
    return weir_err_set(err, WEIR_E_NOENT,
                        "%s %s: DPDK has no port: bind a card to a driver of DPDK's "
                        "(dpdk-devbind.py --status lists them), or name a --vdev in --dpdk",
                        option_of(d), d->name);
}

static int
find_port(struct dpdk *d, struct weir_errbuf *err)
{
    uint16_t id = RTE_MAX_ETHPORTS;

    if (is_number(d->name))
        id = (uint16_t)atoi(d->name);
    else if (rte_eth_dev_get_port_by_name(d->name, &id) != 0)
        return no_such_port(d, err);
    if (!rte_eth_dev_is_valid_port(id))
        return no_such_port(d, err);
    if (eal.is_read[id])
        return weir_err_set(err, WEIR_E_INVAL, "%s %s: it is read already", option_of(d), d->name);
    eal.is_read[id] = true;
    eal.n_open++;
    d->id = id;
    return WEIR_E_OK;
}

/* The last line that was said since total was what it is called with; "": none. */
static void
last_said(uint64_t since, char out[TEXT_MAX])
{
    const char *at = said.text + said.n;

    out[0] = '\0';
    if (said.total == since || said.n == 0)
        return;
    at--; /* the end of the last line */
    while (at > said.text && at[-1] != '\n')
        at--;
    copy_line(out, at);
}

/* A call on the port failed, with rc: its driver knows why. */
static int
failed(const struct dpdk *d, const char *what, int rc, struct weir_errbuf *err)
{
    char why[TEXT_MAX];

    last_said(d->said, why);
    return weir_err_set(err, code_of(-rc), "%s %s: %s: %s", option_of(d), d->name, what,
                        why[0] != '\0' ? why : rte_strerror(-rc));
}

static uint32_t
power_of_two_above(uint32_t n)
{
    uint32_t power = 1;

    while (power <= n)
        power *= 2;
    return power;
}

/*
 * Buffers for all descriptors, a burst of each queue that is handed out and one that the driver
 * fills, and what the cache may hold back, one and a half times its size, which only the thread
 * that started DPDK has; for what each sender has waiting, and a card has yet to send: the one
 * opposite, to which a single sender hands on what came in here, or this one.
 */
static int
make_pool(struct dpdk *d, struct weir_errbuf *err)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    d->buffers = d->queues * (d->descriptors + 2U * BURST) + CACHE * 3U / 2;
    if (d->senders > 0)
        d->buffers += SEND_DESCRIPTORS + d->senders * (TX_WAITING + BURST);
    d->buffers = power_of_two_above(d->buffers) - 1;
    snprintf(name, sizeof(name), "weir_rx_%u", d->id);
    if (rte_mempool_lookup(name) != NULL) /* one that is retired */
        snprintf(name, sizeof(name), "weir_rx_%u_%u", d->id, eal.n_retired);
    d->pool = rte_pktmbuf_pool_create(name, d->buffers, CACHE, 0, (uint16_t)d->room,
                                      rte_eth_dev_socket_id(d->id));
    if (d->pool != NULL)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_NOMEM,
                        "%s %s: no memory for %u buffers of %u bytes: more hugepages (%s), a "
                        "larger -m in --dpdk, or a smaller --buffer",
                        option_of(d), d->name, d->buffers, d->room, "/proc/sys/vm/nr_hugepages");
}

static int
choose_mtu(struct dpdk *d, const struct rte_eth_dev_info *info, uint32_t mtu,
           struct weir_errbuf *err)
{
    uint32_t most = info->max_mtu != 0 ? info->max_mtu : UINT16_MAX;

    if (info->max_rx_pktlen > FRAME_BYTES && info->max_rx_pktlen - FRAME_BYTES < most)
        most = info->max_rx_pktlen - FRAME_BYTES;
    d->mtu = (uint16_t)(RTE_ETHER_MTU < most ? RTE_ETHER_MTU : most);
    if (mtu > most)
        return weir_err_set(err, WEIR_E_INVAL, "%s %s: its MTU is at most %u", option_of(d),
                            d->name, most);
    if (mtu != 0)
        d->mtu = (uint16_t)mtu;
    return WEIR_E_OK;
}

/* Buffers take a whole frame, or the card cuts it in pieces, which are not sent. */
static void
choose_room(struct dpdk *d, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
    const uint32_t frame = d->mtu + 0U + FRAME_BYTES + TAGS_BYTES;

    d->room = RTE_MBUF_DEFAULT_BUF_SIZE;
    if (frame <= RTE_MBUF_DEFAULT_DATAROOM)
        return;
    if (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER && d->senders == 0)
        conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    else
        d->room = frame + RTE_PKTMBUF_HEADROOM < UINT16_MAX ? frame + RTE_PKTMBUF_HEADROOM
                                                            : UINT16_MAX;
}

static void
choose_descriptors(struct dpdk *d, const struct weir_port_opts *opts)
{
    uint32_t n = opts->buffer > 0 ? opts->buffer / DESCRIPTOR_BYTES : DESCRIPTORS;

    n = n < BURST ? BURST : n;
    d->descriptors = (uint16_t)(n < 32768 ? n : 32768);
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &d->descriptors, NULL);
}

static int
set_up_sending(struct dpdk *d, const struct rte_eth_dev_info *info, struct weir_errbuf *err)
{
    const struct tx_opts opts = { .port = d->id,
                                  .senders = d->senders,
                                  .queues = d->send_queues,
                                  .largest = d->mtu + 0U + RTE_ETHER_HDR_LEN + TAGS_BYTES,
                                  .pool = d->pool };
    uint16_t descriptors = SEND_DESCRIPTORS;

    if (opts.queues == 0 && d->senders > 0)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "%s %s: it cannot send", option_of(d),
                            d->name);
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(d->id, NULL, &descriptors);
    for (uint16_t i = 0; i < opts.queues; i++) {
        const int rc = rte_eth_tx_queue_setup(
            d->id, i, descriptors, (unsigned)rte_eth_dev_socket_id(d->id), &info->default_txconf);

        if (rc != 0)
            return failed(d, "it takes no queue to send from", rc, err);
    }
    if (d->senders == 0)
        return WEIR_E_OK;
    d->tx = tx_new(&opts);
    return d->tx != NULL
               ? WEIR_E_OK
               : weir_err_set(err, WEIR_E_NOMEM, "%s %s: out of memory", option_of(d), d->name);
}

/*
 * A flow's packets of both directions are in one queue where the card hashes as Microsoft's RSS has
 * it, with a key that repeats 16 bits (Woo and Park, "Scalable TCP session monitoring with
 * symmetric receive-side scaling", 2012): the hash is the same when addresses and ports change
 * places.
 */
static void
choose_spread(struct dpdk *d, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
    const uint64_t kinds = info->flow_type_rss_offloads &
                           (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP);

    if (d->queues == 1 || kinds == 0)
        return;
    d->is_spread = true;
    conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf->rx_adv_conf.rss_conf.rss_hf = kinds;
    if (info->hash_key_size == 0 || info->hash_key_size > RSS_KEY_MAX)
        return;
    for (unsigned i = 0; i < RSS_KEY_MAX; i++)
        d->rss_key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    conf->rx_adv_conf.rss_conf.rss_key = d->rss_key;
    conf->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size;
}

static int
try_queues(struct dpdk *d, unsigned receive, unsigned send, const struct rte_eth_conf *conf)
{
    d->queues = (uint16_t)receive;
    d->send_queues = (uint16_t)send;
    return rte_eth_dev_configure(d->id, d->queues, d->send_queues, conf);
}

/* One queue for each sender, or what the card has; some drivers want as many of both kinds. */
static int
try_receive_queues(struct dpdk *d, unsigned receive, const struct rte_eth_dev_info *info,
                   const struct rte_eth_conf *conf)
{
    const unsigned send = d->senders < info->max_tx_queues ? d->senders : info->max_tx_queues;
    const int rc = try_queues(d, receive, send, conf);

    return rc == 0 || receive == send || receive > info->max_tx_queues
               ? rc
               : try_queues(d, receive, receive, conf);
}

/* As many queues as are wanted, and the card has; one that does not take several may take one. */
static int
configure(struct dpdk *d, unsigned wanted, const struct rte_eth_dev_info *info,
          struct rte_eth_conf *conf, struct weir_errbuf *err)
{
    const unsigned most = info->max_rx_queues < PORT_MAX_QUEUES ? info->max_rx_queues
                                                                : PORT_MAX_QUEUES;
    const unsigned n = wanted < most ? wanted : most;
    int rc;

    d->queues = (uint16_t)(n > 0 ? n : 1);
    choose_spread(d, info, conf);
    rc = try_receive_queues(d, d->queues, info, conf);
    if (rc != 0 && n > 1) {
        d->is_spread = false;
        conf->rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
        conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){ 0 };
        rc = try_receive_queues(d, 1, info, conf);
    }
    return rc != 0 ? failed(d, "it takes no queue", rc, err) : WEIR_E_OK;
}

static int
make_queues(struct dpdk *d, const struct rte_eth_rxconf *conf, struct weir_errbuf *err)
{
    const unsigned n = d->queues;

    d->queues = 0; /* that there are */
    d->rx = aligned_alloc(alignof(struct rx), n * sizeof(*d->rx));
    if (d->rx == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s %s: out of memory", option_of(d), d->name);
    while (d->queues < n) {
        struct rx *rx = &d->rx[d->queues];
        int rc;

        memset(rx, 0, sizeof(*rx));
        rx->arena = malloc(ARENA_BYTES);
        if (rx->arena == NULL)
            return weir_err_set(err, WEIR_E_NOMEM, "%s %s: out of memory", option_of(d), d->name);
        rc = rte_eth_rx_queue_setup(d->id, d->queues++, d->descriptors,
                                    (unsigned)rte_eth_dev_socket_id(d->id), conf, d->pool);
        if (rc != 0)
            return failed(d, "it takes no queue", rc, err);
    }
    d->port.queues = n;
    return WEIR_E_OK;
}

/* Sizes, then the queues. */
static int
set_up(struct dpdk *d, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    struct rte_eth_conf conf = { 0 };
    struct rte_eth_dev_info info;
    int rc = rte_eth_dev_info_get(d->id, &info);

    if (rc != 0)
        return failed(d, "its driver does not describe it", rc, err);
    d->driver = info.driver_name;
    d->offers = info.rx_offload_capa;
    rc = choose_mtu(d, &info, opts->mtu, err);
    if (rc != WEIR_E_OK)
        return rc;
    conf.rxmode.mtu = d->mtu;
    choose_room(d, &info, &conf);
    conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
    d->sums = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_CHECKSUM;
    rc = configure(d, opts->queues, &info, &conf, err);
    if (rc != WEIR_E_OK)
        return rc;
    choose_descriptors(d, opts);
    rc = make_pool(d, err);
    if (rc != WEIR_E_OK)
        return rc;
    info.default_rxconf.offloads = conf.rxmode.offloads;
    rc = make_queues(d, &info.default_rxconf, err);
    return rc != WEIR_E_OK ? rc : set_up_sending(d, &info, err);
}

static int
set_promiscuous(struct dpdk *d, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    const int rc = opts->no_promisc ? -ENOTSUP : rte_eth_promiscuous_enable(d->id);

    if (rc == 0)
        d->promiscuous = "promiscuous";
    return rc == 0 || rc == -ENOTSUP ? WEIR_E_OK : failed(d, "promiscuous mode", rc, err);
}

/*
 * net_pcap gives each frame's own time, microseconds since 1970. Other drivers count in units of
 * their card's clock, which nobody relates to ours.
 */
static void
find_time(struct dpdk *d)
{
    const int flag = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, NULL);

    d->time_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL);
    d->keeps_time = flag >= 0 && d->time_offset >= 0 && strcmp(d->driver, "net_pcap") == 0;
    d->time_flag = d->keeps_time ? UINT64_C(1) << flag : 0;
}

static int
start(struct dpdk *d, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    int rc = set_up(d, opts, err);

    if (rc != WEIR_E_OK)
        return rc;
    rc = rte_eth_dev_start(d->id);
    if (rc != 0)
        return failed(d, "it does not start", rc, err);
    d->started = true;
    (void)rte_eth_stats_reset(d->id);
    find_time(d);
    return set_promiscuous(d, opts, err);
}

int
weir_port_open_dpdk(const char *name, const struct weir_port_opts *opts, struct weir_port **out,
                    struct weir_errbuf *err)
{
    static const struct weir_port_opts defaults;
    struct dpdk *d = new_port(name);
    int rc;

    *out = NULL;
    if (d == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "port %s: out of memory", name);
    if (opts == NULL)
        opts = &defaults;
    d->senders = opts->senders;
    d->snaplen = PORT_MAX_CAPLEN;
    if (opts->snaplen > 0 && opts->snaplen < PORT_MAX_CAPLEN && opts->senders == 0)
        d->snaplen = opts->snaplen;
    rc = filter_compile(&d->filter, opts->filter, LINK_ETHERNET, err);
    if (rc == WEIR_E_OK)
        rc = find_port(d, err);
    if (rc == WEIR_E_OK)
        rc = start(d, opts, err);
    if (rc == WEIR_E_OK)
        *out = &d->port;
    else
        dpdk_close(&d->port);
    return rc;
}

/* ---- for -v -------------------------------------------------------------------------------- */

static void
list_offers(uint64_t offers, char out[TEXT_MAX / 2])
{
    size_t n = 0;

    out[0] = '\0';
    for (; offers != 0; offers &= offers - 1)
        if (n < TEXT_MAX / 2)
            n += (size_t)snprintf(out + n, TEXT_MAX / 2 - n, " %s",
                                  rte_eth_dev_rx_offload_name(offers & -offers));
}

const char *
dpdk_describe(const struct weir_port *port)
{
    struct dpdk *d = (struct dpdk *)(uintptr_t)port;
    char offers[TEXT_MAX / 2], queues[64] = "";
    struct rte_eth_link link = { 0 };

    (void)rte_eth_link_get_nowait(d->id, &link);
    list_offers(d->offers, offers);
    if (d->queues > 1)
        snprintf(queues, sizeof(queues), "%u queues%s of ", d->queues,
                 d->is_spread ? " by RSS" : "");
    snprintf(d->text, sizeof(d->text),
             "port %u, driver %s, %s%u descriptors, %u buffers of %u bytes, MTU %u, %s, time of "
             "%s%s; link %s, %u Mbit/s; "
             "receive offloads:%s",
             d->id, d->driver, queues, d->descriptors, d->buffers, d->room, d->mtu,
             d->promiscuous != NULL ? d->promiscuous : "not promiscuous",
             d->keeps_time ? "the driver" : "the machine",
             d->sums ? ", right checksums by its word" : "", link.link_status ? "up" : "down",
             link.link_speed, offers[0] != '\0' ? offers : " none");
    return d->text;
}
