#include "port/arena.h"
#include "port/filter.h"
#include "port/port.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 100 };

/* An interface, through libpcap. */
struct live {
    struct weir_port port;
    pcap_t *pcap;
    char *name;
    struct arena arena;
    struct weir_frame *frames; /* of the read at work: where keep() puts the next one */
    unsigned n;
    uint16_t link;
    bool micro; /* the interface has no nanoseconds */
};

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
    live->n++;
}

/* What the kernel holds for us by now: at least 0 frames, or an error of libpcap's. */
static int
take(struct live *live, unsigned max)
{
    const unsigned most = max < ARENA_FRAMES ? max : ARENA_FRAMES; /* so all have room */

    return pcap_dispatch(live->pcap, (int)most, keep, (uint8_t *)live);
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
    if (n == 0 && poll(&fd, 1, WAIT_MS) > 0)
        n = take(live, max);
    if (n < 0)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, pcap_geterr(live->pcap));
    return n;
}

static void
live_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    const struct live *live = (const struct live *)port;
    struct pcap_stat st;

    if (pcap_stats(live->pcap, &st) == 0)
        out->kernel_drops = st.ps_drop + (uint64_t)st.ps_ifdrop;
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

static const struct port_ops live_ops = { live_read, live_get_stats, live_close };

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

/* libpcap explains some failures in its own words and leaves others to their number. */
static int
refused(const struct live *live, int status, struct weir_errbuf *err)
{
    const char *text = pcap_geterr(live->pcap);

    if (*text == '\0' || status == PCAP_ERROR_NO_SUCH_DEVICE)
        text = pcap_statustostr(status);
    return weir_err_set(err, code_of_status(status), "%s: %s", live->name, text);
}

static int
activate(struct live *live, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    const bool sane = opts->snaplen > 0 && opts->snaplen < PORT_MAX_CAPLEN;
    char text[PCAP_ERRBUF_SIZE];
    int status;

    live->pcap = pcap_create(live->name, text);
    if (live->pcap == NULL)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, text);
    pcap_set_snaplen(live->pcap, sane ? (int)opts->snaplen : PORT_MAX_CAPLEN);
    pcap_set_promisc(live->pcap, 1);
    pcap_set_timeout(live->pcap, WAIT_MS); /* the kernel hands on what it has at least so often */
    pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO);
    status = pcap_activate(live->pcap);
    if (status < 0)
        return refused(live, status, err);
    if (pcap_setnonblock(live->pcap, 1, text) != 0)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", live->name, text);
    live->link = link_of_dlt(pcap_datalink(live->pcap));
    live->micro = pcap_get_tstamp_precision(live->pcap) != PCAP_TSTAMP_PRECISION_NANO;
    return WEIR_E_OK;
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
    struct live *live = new_live(interface);
    int rc;

    *out = NULL;
    if (live == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", interface);
    if (opts == NULL)
        opts = &defaults;
    rc = activate(live, opts, err);
    if (rc == WEIR_E_OK)
        rc = set_filter(live, opts->filter, err);
    if (rc == WEIR_E_OK)
        *out = &live->port;
    else
        live_close(&live->port);
    return rc;
}
