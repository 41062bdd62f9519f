#include "port/arena.h"
#include "port/filter.h"
#include "port/packet_socket.h"
#include "port/port.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 100,
    IMMEDIATE_MS = 1, /* the kernel rounds up to a tick of its clock */
    BUFFER = 16 << 20,
    BUFFER_MAX = 0x7fffffff,
};

#define JOIN_NS UINT64_C(1000000000) /* so long after joined what is older is left out */

/* One of an interface's packet sockets, through libpcap: its reader's. */
struct queue {
    pcap_t *pcap;
    struct arena arena;
    struct weir_frame *frames; /* of the read at work: where keep() puts the next one */
    unsigned n;
    uint16_t link;
    bool micro;           /* the interface has no nanoseconds */
    uint64_t joined;      /* ns since 1970: when the fan-out began; 0: long ago, or never */
    struct pcap_stat was; /* libpcap's counts, which have 32 bits, when they were asked last */
};

struct live {
    struct weir_port port;
    char *name;
    unsigned index; /* of the interface; 0: it has none */
    struct queue *queue;
    unsigned n, turn; /* queues; the next one, where all are read */
    int all;          /* readable when one of several is; -1: there is one */
    bool no_wait;
    struct weir_port_stats counted;
};

static uint64_t
wall_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void
keep(uint8_t *user, const struct pcap_pkthdr *header, const uint8_t *data)
{
    struct queue *queue = (struct queue *)(void *)user;
    struct weir_frame *f = &queue->frames[queue->n];
    struct pcap_pkthdr h = *header;

    if (queue->micro)
        h.ts.tv_usec *= 1000;
    if (h.caplen > PORT_MAX_CAPLEN)
        h.caplen = PORT_MAX_CAPLEN;
    arena_keep(&queue->arena, &h, data, f);
    f->link = queue->link;
    if (f->time >= queue->joined)
        queue->n++;
}

/* What the kernel holds for us by now: at least 0 frames, or an error of libpcap's. */
static int
take(struct queue *queue, struct weir_frame *frames, unsigned max)
{
    const unsigned most = max < ARENA_FRAMES ? max : ARENA_FRAMES; /* so all have room */
    int n;

    queue->arena.used = 0;
    queue->frames = frames;
    queue->n = 0;
    /* What came before the group was joined, the others of the group have got, too. */
    if (queue->joined != 0 && wall_clock() - queue->joined > JOIN_NS)
        queue->joined = 0;
    n = pcap_dispatch(queue->pcap, (int)most, keep, (uint8_t *)queue);
    return n >= 0 ? (int)queue->n : n;
}

/* An interface that is down comes up again: libpcap's handle, and the port with it, lives on. */
static int
trouble(const struct live *live, const struct queue *queue, struct weir_errbuf *err)
{
    switch (packet_socket_link(pcap_fileno(queue->pcap), live->index)) {
    case LINK_DOWN:
        return 0;
    case LINK_GONE:
        return weir_err_set(err, WEIR_E_NOENT, "%s: the interface is gone", live->name);
    default:
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, pcap_geterr(queue->pcap));
    }
}

static int
live_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames, unsigned max,
                struct weir_errbuf *err)
{
    const struct live *live = (const struct live *)port;
    const int n = take(&live->queue[queue], frames, max);

    return n < 0 ? trouble(live, &live->queue[queue], err) : n;
}

static int
take_in_turn(struct live *live, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    int n = 0;

    for (unsigned i = 0; i < live->n && n == 0; i++) {
        n = live_read_queue(&live->port, live->turn, frames, max, err);
        live->turn = live->turn + 1 < live->n ? live->turn + 1 : 0;
    }
    return n;
}

static int
live_read(struct weir_port *port, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct live *live = (struct live *)port;
    struct pollfd fd = { .fd = weir_port_fd(port), .events = POLLIN };
    int n = take_in_turn(live, frames, max, err);

    if (n == 0 && !live->no_wait && poll(&fd, 1, WAIT_MS) > 0)
        n = take_in_turn(live, frames, max, err);
    return n;
}

/* What the interface lost each socket is told, and counts once. */
static void
count(struct live *live)
{
    struct weir_port_stats *all = &live->counted;

    for (unsigned i = 0; i < live->n; i++) {
        struct queue *queue = &live->queue[i];
        struct pcap_stat now;

        if (pcap_stats(queue->pcap, &now) != 0)
            continue;
        all->kernel_packets += now.ps_recv - queue->was.ps_recv;
        all->kernel_drops += now.ps_drop - queue->was.ps_drop;
        if (i == 0)
            all->interface_drops += now.ps_ifdrop - queue->was.ps_ifdrop;
        queue->was = now;
    }
}

static void
live_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    struct live *live = (struct live *)(uintptr_t)port; /* who asks moves its counts on */

    count(live);
    out->kernel_packets = live->counted.kernel_packets;
    out->kernel_drops = live->counted.kernel_drops;
    out->interface_drops = live->counted.interface_drops;
    out->down = packet_socket_link(pcap_fileno(live->queue[0].pcap), live->index) != LINK_UP;
}

static int
live_queue_fd(const struct weir_port *port, unsigned queue)
{
    return pcap_get_selectable_fd(((const struct live *)port)->queue[queue].pcap);
}

static int
live_fd(const struct weir_port *port)
{
    const struct live *live = (const struct live *)port;

    return live->all >= 0 ? live->all : live_queue_fd(port, 0);
}

static void
close_queue(struct queue *queue)
{
    if (queue->pcap != NULL)
        pcap_close(queue->pcap);
    free(queue->arena.bytes);
}

static void
live_close(struct weir_port *port)
{
    struct live *live = (struct live *)port;

    for (unsigned i = 0; i < live->n; i++)
        close_queue(&live->queue[i]);
    if (live->all >= 0)
        close(live->all);
    free(live->queue);
    free(live->name);
    free(live);
}

static const struct port_ops live_ops = { .read = live_read,
                                          .get_stats = live_get_stats,
                                          .close = live_close,
                                          .fd = live_fd,
                                          .read_queue = live_read_queue,
                                          .queue_fd = live_queue_fd };

static struct live *
new_live(const char *name, unsigned queues)
{
    struct live *live = calloc(1, sizeof(*live));

    if (live == NULL)
        return NULL;
    live->port.ops = &live_ops;
    live->all = -1;
    live->name = strdup(name);
    live->queue = calloc(queues, sizeof(*live->queue));
    if (live->name != NULL && live->queue != NULL)
        return live;
    live_close(&live->port);
    return NULL;
}

static int
code_of_status(int status)
{
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return WEIR_E_NOENT;
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return WEIR_E_PERM;
    default:
        return WEIR_E_IO;
    }
}

/* What can be done about it; NULL: libpcap's own words have to do. */
static const char *
advice(int status)
{
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return "there is no such interface";
    case PCAP_ERROR_IFACE_NOT_UP:
        return "the interface is not up (ip link set dev NAME up)";
    case PCAP_ERROR_PERM_DENIED:
        return "capturing needs CAP_NET_RAW: run as root, or setcap "
               "cap_net_raw,cap_net_admin=eip PROGRAM";
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return "promiscuous mode needs CAP_NET_ADMIN: run as root, setcap "
               "cap_net_raw,cap_net_admin=eip PROGRAM, or go without it";
    default:
        return NULL;
    }
}

/* libpcap explains some failures in its own words and leaves others to their number. */
static int
refused(const struct live *live, const struct queue *queue, int status, struct weir_errbuf *err)
{
    const char *text = advice(status);

    if (text == NULL && *(text = pcap_geterr(queue->pcap)) == '\0')
        text = pcap_statustostr(status);
    return weir_err_set(err, code_of_status(status), "%s: %s", live->name, text);
}

static void
choose(pcap_t *pcap, const struct weir_port_opts *opts)
{
    const bool sane = opts->snaplen > 0 && opts->snaplen < PORT_MAX_CAPLEN;
    const uint32_t buffer = opts->buffer < BUFFER_MAX ? opts->buffer : BUFFER_MAX;

    pcap_set_snaplen(pcap, sane ? (int)opts->snaplen : PORT_MAX_CAPLEN);
    pcap_set_promisc(pcap, !opts->no_promisc);
    pcap_set_buffer_size(pcap, buffer > 0 ? (int)buffer : BUFFER);
    /* The kernel hands on what it has at least so often. libpcap's immediate mode would do it at
     * once, from a ring in which each packet takes the room of the largest. */
    pcap_set_timeout(pcap, opts->immediate ? IMMEDIATE_MS : WAIT_MS);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static int
activate(struct live *live, struct queue *queue, const struct weir_port_opts *opts,
         struct weir_errbuf *err)
{
    char text[PCAP_ERRBUF_SIZE];
    int status;

    queue->arena.bytes = malloc(ARENA_SIZE);
    if (queue->arena.bytes == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", live->name);
    queue->pcap = pcap_create(live->name, text);
    if (queue->pcap == NULL)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, text);
    choose(queue->pcap, opts);
    live->index = if_nametoindex(live->name);
    status = pcap_activate(queue->pcap);
    if (status < 0)
        return refused(live, queue, status, err);
    if (pcap_setnonblock(queue->pcap, 1, text) != 0)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, text);
    queue->link = link_of_dlt(pcap_datalink(queue->pcap));
    queue->micro = pcap_get_tstamp_precision(queue->pcap) != PCAP_TSTAMP_PRECISION_NANO;
    return WEIR_E_OK;
}

/* The kernel runs it, so what it refuses is not counted. */
static int
set_filter(const struct live *live, struct queue *queue, const char *expression,
           struct weir_errbuf *err)
{
    struct filter filter;
    int rc = filter_compile(&filter, expression, queue->link, err);

    if (rc == WEIR_E_OK && filter.program.bf_insns != NULL &&
        pcap_setfilter(queue->pcap, &filter.program) != 0)
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, pcap_geterr(queue->pcap));
    filter_free(&filter);
    return rc;
}

/* *group: of the port's own, for its further sockets. */
static int
join(const struct live *live, struct queue *queue, const struct weir_port_opts *opts,
     unsigned *group, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    if (opts->fanout != WEIR_FANOUT_NONE)
        rc = packet_socket_join(pcap_fileno(queue->pcap), live->name, opts, err);
    else if (opts->queues <= 1)
        return WEIR_E_OK;
    else if (!packet_socket_share(pcap_fileno(queue->pcap), queue == live->queue, group))
        rc = WEIR_E_UNSUPPORTED;
    queue->joined = wall_clock();
    return rc;
}

static int
open_queue(struct live *live, struct queue *queue, const struct weir_port_opts *opts,
           unsigned *group, struct weir_errbuf *err)
{
    int rc = activate(live, queue, opts, err);

    if (rc == WEIR_E_OK)
        rc = set_filter(live, queue, opts->filter, err);
    return rc == WEIR_E_OK ? join(live, queue, opts, group, err) : rc;
}

static unsigned
wanted(const struct weir_port_opts *opts)
{
    const unsigned n = opts->queues < PORT_MAX_QUEUES ? opts->queues : PORT_MAX_QUEUES;

    return n > 0 ? n : 1;
}

/* The first has to be there; that there are fewer than wanted is no failure. */
static int
open_queues(struct live *live, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    unsigned group = 0;
    int rc = open_queue(live, &live->queue[live->n++], opts, &group, err);

    if (rc == WEIR_E_UNSUPPORTED && opts->fanout == WEIR_FANOUT_NONE) { /* of groups */
        live->queue[0].joined = 0;
        return WEIR_E_OK;
    }
    while (rc == WEIR_E_OK && live->n < wanted(opts)) {
        struct queue *queue = &live->queue[live->n];

        if (open_queue(live, queue, opts, &group, NULL) != WEIR_E_OK) {
            close_queue(queue);
            break;
        }
        live->n++;
    }
    return rc;
}

/* One descriptor for all queues. */
static int
gather(struct live *live, struct weir_errbuf *err)
{
    live->port.queues = live->n;
    if (live->n == 1)
        return WEIR_E_OK;
    live->all = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < live->n; i++) {
        struct epoll_event event = { .events = EPOLLIN };

        if (live->all < 0 ||
            epoll_ctl(live->all, EPOLL_CTL_ADD, live_queue_fd(&live->port, i), &event) != 0)
            return weir_err_set(err, WEIR_E_IO, "%s: epoll: %s", live->name, strerror(errno));
    }
    return WEIR_E_OK;
}

int
weir_port_open_live(const char *interface, const struct weir_port_opts *opts,
                    struct weir_port **out, struct weir_errbuf *err)
{
    static const struct weir_port_opts defaults;
    struct live *live;
    int rc;

    *out = NULL;
    if (opts == NULL)
        opts = &defaults;
    if (opts->senders > 0)
        return raw_open(interface, opts, out, err);
    live = new_live(interface, wanted(opts));
    if (live == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", interface);
    live->no_wait = opts->no_wait;
    rc = open_queues(live, opts, err);
    if (rc == WEIR_E_OK)
        rc = gather(live, err);
    if (rc == WEIR_E_OK)
        *out = &live->port;
    else
        live_close(&live->port);
    return rc;
}
