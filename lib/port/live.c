#include "port/arena.h"
#include "port/filter.h"
#include "port/packet_socket.h"
#include "port/port.h"

#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_MS = 100,
    IMMEDIATE_MS = 1, /* the kernel rounds up to a tick of its clock */
    BUFFER = 16 << 20,
    BUFFER_MAX = 0x7fffffff,
};

#define JOIN_NS UINT64_C(1000000000) /* so long after joined what is older is left out */

/* An interface, through libpcap. */
struct live {
    struct weir_port port;
    pcap_t *pcap;
    char *name;
    unsigned index; /* of the interface; 0: it has none */
    struct arena arena;
    struct weir_frame *frames; /* of the read at work: where keep() puts the next one */
    unsigned n;
    uint16_t link;
    bool micro; /* the interface has no nanoseconds */
    bool no_wait;
    uint64_t joined;      /* ns since 1970: when the fan-out began; 0: long ago, or never */
    struct pcap_stat was; /* libpcap's counts, which have 32 bits, when they were asked last */
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
    struct live *live = (struct live *)(void *)user;
    struct weir_frame *f = &live->frames[live->n];
    struct pcap_pkthdr h = *header;

    if (live->micro)
        h.ts.tv_usec *= 1000;
    if (h.caplen > PORT_MAX_CAPLEN)
        h.caplen = PORT_MAX_CAPLEN;
    arena_keep(&live->arena, &h, data, f);
    f->link = live->link;
    if (f->time >= live->joined)
        live->n++;
}

/* What the kernel holds for us by now: at least 0 frames, or an error of libpcap's. */
static int
take(struct live *live, unsigned max)
{
    const unsigned most = max < ARENA_FRAMES ? max : ARENA_FRAMES; /* so all have room */
    int n;

    /* What came before the group was joined, the others of the group have got, too. */
    if (live->joined != 0 && wall_clock() - live->joined > JOIN_NS)
        live->joined = 0;
    n = pcap_dispatch(live->pcap, (int)most, keep, (uint8_t *)live);
    return n >= 0 ? (int)live->n : n;
}

/* An interface that is down comes up again: libpcap's handle, and the port with it, lives on. */
static int
trouble(const struct live *live, struct weir_errbuf *err)
{
    switch (packet_socket_link(pcap_fileno(live->pcap), live->index)) {
    case LINK_DOWN:
        return 0;
    case LINK_GONE:
        return weir_err_set(err, WEIR_E_NOENT, "%s: the interface is gone", live->name);
    default:
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, pcap_geterr(live->pcap));
    }
}

static int
live_read(struct weir_port *port, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct live *live = (struct live *)port;
    struct pollfd fd = { .fd = pcap_get_selectable_fd(live->pcap), .events = POLLIN };
    int n;

    live->arena.used = 0;
    live->frames = frames;
    live->n = 0;
    n = take(live, max);
    if (n == 0 && !live->no_wait && poll(&fd, 1, WAIT_MS) > 0)
        n = take(live, max);
    return n < 0 ? trouble(live, err) : n;
}

static void
count(struct live *live)
{
    struct weir_port_stats *all = &live->counted;
    struct pcap_stat now;

    if (pcap_stats(live->pcap, &now) != 0)
        return;
    all->kernel_packets += now.ps_recv - live->was.ps_recv;
    all->kernel_drops += now.ps_drop - live->was.ps_drop;
    all->interface_drops += now.ps_ifdrop - live->was.ps_ifdrop;
    live->was = now;
}

static void
live_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    struct live *live = (struct live *)(uintptr_t)port; /* who asks moves its counts on */

    count(live);
    out->kernel_packets = live->counted.kernel_packets;
    out->kernel_drops = live->counted.kernel_drops;
    out->interface_drops = live->counted.interface_drops;
    out->down = packet_socket_link(pcap_fileno(live->pcap), live->index) != LINK_UP;
}

static int
live_fd(const struct weir_port *port)
{
    return pcap_get_selectable_fd(((const struct live *)port)->pcap);
}

static void
live_close(struct weir_port *port)
{
    struct live *live = (struct live *)port;

    if (live->pcap != NULL)
        pcap_close(live->pcap);
    free(live->arena.bytes);
    free(live->name);
    free(live);
}

static const struct port_ops live_ops = {
    live_read, live_get_stats, live_close, live_fd, NULL, NULL
};

static struct live *
new_live(const char *name)
{
    struct live *live = calloc(1, sizeof(*live));

    if (live == NULL)
        return NULL;
    live->port.ops = &live_ops;
    live->name = strdup(name);
    live->arena.bytes = malloc(ARENA_SIZE);
    if (live->name != NULL && live->arena.bytes != NULL)
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
refused(const struct live *live, int status, struct weir_errbuf *err)
{
    const char *text = advice(status);

    if (text == NULL && *(text = pcap_geterr(live->pcap)) == '\0')
        text = pcap_statustostr(status);
    return weir_err_set(err, code_of_status(status), "%s: %s", live->name, text);
}

static void
choose(struct live *live, const struct weir_port_opts *opts)
{
    const bool sane = opts->snaplen > 0 && opts->snaplen < PORT_MAX_CAPLEN;
    const uint32_t buffer = opts->buffer < BUFFER_MAX ? opts->buffer : BUFFER_MAX;

    pcap_set_snaplen(live->pcap, sane ? (int)opts->snaplen : PORT_MAX_CAPLEN);
    pcap_set_promisc(live->pcap, !opts->no_promisc);
    pcap_set_buffer_size(live->pcap, buffer > 0 ? (int)buffer : BUFFER);
    /* The kernel hands on what it has at least so often. libpcap's immediate mode would do it at
     * once, from a ring in which each packet takes the room of the largest. */
    pcap_set_timeout(live->pcap, opts->immediate ? IMMEDIATE_MS : WAIT_MS);
    pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO);
    live->no_wait = opts->no_wait;
}

static int
activate(struct live *live, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    char text[PCAP_ERRBUF_SIZE];
    int status;

    live->pcap = pcap_create(live->name, text);
    if (live->pcap == NULL)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, text);
    choose(live, opts);
    live->index = if_nametoindex(live->name);
    status = pcap_activate(live->pcap);
    if (status < 0)
        return refused(live, status, err);
    if (pcap_setnonblock(live->pcap, 1, text) != 0)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, text);
    live->link = link_of_dlt(pcap_datalink(live->pcap));
    live->micro = pcap_get_tstamp_precision(live->pcap) != PCAP_TSTAMP_PRECISION_NANO;
    return WEIR_E_OK;
}

static int
join(struct live *live, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    int rc;

    if (opts->fanout == WEIR_FANOUT_NONE)
        return WEIR_E_OK;
    rc = packet_socket_join(pcap_fileno(live->pcap), live->name, opts, err);
    live->joined = wall_clock();
    return rc;
}

/* The kernel runs it, so what it refuses is not counted. */
static int
set_filter(struct live *live, const char *expression, struct weir_errbuf *err)
{
    struct filter filter;
    int rc = filter_compile(&filter, expression, live->link, err);

    if (rc == WEIR_E_OK && filter.program.bf_insns != NULL &&
        pcap_setfilter(live->pcap, &filter.program) != 0)
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, pcap_geterr(live->pcap));
    filter_free(&filter);
    return rc;
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
    live = new_live(interface);
    if (live == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", interface);
    rc = activate(live, opts, err);
    if (rc == WEIR_E_OK)
        rc = set_filter(live, opts->filter, err);
    if (rc == WEIR_E_OK)
        rc = join(live, opts, err);
    if (rc == WEIR_E_OK)
        *out = &live->port;
    else
        live_close(&live->port);
    return rc;
}
