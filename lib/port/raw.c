/*
 * An interface that is read and sent through, by packet sockets of our own (packet(7)). Frames are
 * read in place, from a ring of which the kernel tells at once when there is one: libpcap's ring
 * either waits for a millisecond or more, or copies. Each sender has a socket. A frame leaves by a
 * system call of its own: on a veth pair sendmmsg(2) saves 4 % of it, and a ring to send from costs
 * more.
 */
#include "port/filter.h"
#include "port/finish.h"
#include "port/packet_socket.h"
#include "port/port.h"

#ifdef __linux__

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 100,
    BUFFER = 16 << 20,
    BLOCK = 1 << 20,
    QUEUE = 4 << 20,   /* bytes of a sender that may wait behind the interface */
    ROOM = 16,         /* in front of a frame: for the VLAN tag that the kernel took out */
    HEADERS = 128,     /* of a slot, more than it takes */
    FRAME_BYTES = 22,  /* of a frame beside what the MTU counts: Ethernet header, two VLAN tags */
    LINK_ETHERNET = 1, /* LINKTYPE_ETHERNET */
    TAG = 4,
    ADDRESSES = 12, /* of Ethernet, in front of the tag */
};

#define RETRY_NS UINT64_C(1000000000) /* between looks for an interface that is gone */

struct sender {
    alignas(64) int fd; /* -1: none */
    uint64_t retry_at;  /* monotonic ns */
    /* Written by the sender alone. */
    _Atomic uint64_t sent, drops, large;
};

struct raw {
    struct weir_port port;
    char *name;
    int fd;
    unsigned index; /* of the interface */
    bool promisc, no_wait, troubled;
    uint64_t retry_at;
    uint8_t *ring;
    size_t ring_bytes;
    unsigned n_slots, slot_bytes, slots_a_block;
    unsigned at, held; /* next slot; so many before it are handed out */
    struct filter filter;
    uint64_t filtered;
    struct weir_port_stats counted;
    struct sender *sender;
    unsigned n_senders;
};

static uint64_t
clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- the interface ------------------------------------------------------------------------- */

static int
bind_to(int fd, unsigned index, uint16_t protocol)
{
    const struct sockaddr_ll at = { .sll_family = AF_PACKET,
                                    .sll_protocol = htons(protocol),
                                    .sll_ifindex = (int)index };

    return bind(fd, (const struct sockaddr *)&at, sizeof(at));
}

static int
attach(struct raw *raw)
{
    struct packet_mreq promisc = { .mr_ifindex = (int)raw->index, .mr_type = PACKET_MR_PROMISC };

    if (bind_to(raw->fd, raw->index, ETH_P_ALL) != 0)
        return -1;
    if (!raw->promisc)
        return 0;
    return setsockopt(raw->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc));
}

/*
 * A link that goes down leaves an error, which would wake who polls again and again. The kernel
 * takes the socket back when the link is up; an interface that is gone, only we do when there is
 * one of its name.
 */
static void
tend(struct raw *raw)
{
    int error = 0;
    socklen_t n = sizeof(error);
    uint64_t now;

    if (getsockopt(raw->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error != 0)
        raw->troubled = true;
    if (!raw->troubled || (now = clock_ns()) < raw->retry_at)
        return;
    raw->retry_at = now + RETRY_NS;
    switch (packet_socket_link(raw->fd, raw->index)) {
    case LINK_GONE:
        raw->index = if_nametoindex(raw->name);
        if (raw->index != 0 && attach(raw) == 0)
            raw->troubled = false;
        if (raw->index == 0)
            raw->index = UINT32_MAX >> 1; /* of none */
        break;
    case LINK_UP:
        raw->troubled = false;
        break;
    case LINK_DOWN:
        break;
    }
}

/* ---- to read ------------------------------------------------------------------------------- */

static struct tpacket2_hdr *
slot(const struct raw *raw, unsigned i)
{
    const size_t at = (size_t)(i / raw->slots_a_block) * BLOCK +
                      (size_t)(i % raw->slots_a_block) * raw->slot_bytes;

    return (struct tpacket2_hdr *)(void *)(raw->ring + at);
}

/* What the last read handed out is the kernel's again. */
static void
release(struct raw *raw)
{
    for (; raw->held > 0; raw->held--) {
        const unsigned i = (raw->at + raw->n_slots - raw->held) % raw->n_slots;

        __atomic_store_n(&slot(raw, i)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
}

/* The tag goes back to where it was. */
static uint8_t *
put_tag(uint8_t *data, const struct tpacket2_hdr *h)
{
    const unsigned type = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : 0x8100;
    uint8_t *tag = data - TAG + ADDRESSES;

    memmove(data - TAG, data, ADDRESSES);
    tag[0] = (uint8_t)(type >> 8);
    tag[1] = (uint8_t)type;
    tag[2] = (uint8_t)(h->tp_vlan_tci >> 8);
    tag[3] = (uint8_t)h->tp_vlan_tci;
    return data - TAG;
}

/* Returns false if nobody is to see it. */
static bool
frame_of(struct raw *raw, struct tpacket2_hdr *h, struct weir_frame *f)
{
    const struct sockaddr_ll *from =
        (const struct sockaddr_ll *)(const void *)((const uint8_t *)h + TPACKET_ALIGN(sizeof(*h)));
    uint8_t *data = (uint8_t *)h + h->tp_mac;

    if (from->sll_pkttype == PACKET_OUTGOING) /* of kernels that know no PACKET_IGNORE_OUTGOING */
        return false;
    if (h->tp_snaplen < h->tp_len || h->tp_len < ADDRESSES) {
        raw->counted.oversize++;
        return false;
    }
    *f = (struct weir_frame){ .caplen = h->tp_len,
                              .time = h->tp_sec * UINT64_C(1000000000) + h->tp_nsec,
                              .link = LINK_ETHERNET };
    if (h->tp_status & TP_STATUS_CSUMNOTREADY)
        raw->counted.unfinished += finish_checksum(data, h->tp_len);
    if (h->tp_status & TP_STATUS_VLAN_VALID) {
        data = put_tag(data, h);
        f->caplen += TAG;
    }
    f->data = data;
    f->wirelen = f->caplen;
    return true;
}

static unsigned
take(struct raw *raw, struct weir_frame *frames, unsigned max)
{
    unsigned n = 0;

    while (n < max && raw->held < raw->n_slots / 2) {
        struct tpacket2_hdr *h = slot(raw, raw->at);

        if ((__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
            break;
        raw->at = raw->at + 1 < raw->n_slots ? raw->at + 1 : 0;
        raw->held++;
        if (!frame_of(raw, h, &frames[n]))
            continue;
        if (filter_pass(&raw->filter, &frames[n]))
            n++;
        else
            raw->filtered++;
    }
    return n;
}

static int
raw_read(struct weir_port *port, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct raw *raw = (struct raw *)port;
    struct pollfd fd = { .fd = raw->fd, .events = POLLIN };
    unsigned n;

    (void)err;
    release(raw);
    n = take(raw, frames, max);
    if (n > 0)
        return (int)n;
    tend(raw);
    if (!raw->no_wait && poll(&fd, 1, WAIT_MS) > 0)
        n = take(raw, frames, max);
    return (int)n;
}

/* ---- to send ------------------------------------------------------------------------------- */

static void
add_one(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Its interface is gone: there may be one of its name again. */
static void
look_again(const struct raw *raw, struct sender *s)
{
    const uint64_t now = clock_ns();
    unsigned index;

    if (now < s->retry_at)
        return;
    s->retry_at = now + RETRY_NS;
    index = if_nametoindex(raw->name);
    if (index != 0)
        (void)bind_to(s->fd, index, 0);
}

static bool
raw_send(struct weir_port *port, unsigned sender, const uint8_t *data, uint32_t len)
{
    const struct raw *raw = (const struct raw *)port;
    struct sender *s = &raw->sender[sender];

    if (send(s->fd, data, len, MSG_DONTWAIT) >= 0) {
        add_one(&s->sent);
        return true;
    }
    add_one(&s->drops);
    if (errno == EMSGSIZE)
        add_one(&s->large);
    else if (errno == ENXIO || errno == ENODEV)
        look_again(raw, s);
    return false;
}

/* ---- counters ------------------------------------------------------------------------------ */

static void
raw_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    struct raw *raw = (struct raw *)(uintptr_t)port; /* who asks moves its counts on */
    struct tpacket_stats since;
    socklen_t n = sizeof(since);

    if (getsockopt(raw->fd, SOL_PACKET, PACKET_STATISTICS, &since, &n) == 0) {
        raw->counted.kernel_packets += since.tp_packets;
        raw->counted.kernel_drops += since.tp_drops;
    }
    out->kernel_packets = raw->counted.kernel_packets;
    out->kernel_drops = raw->counted.kernel_drops + raw->counted.oversize;
    out->oversize = raw->counted.oversize;
    out->unfinished = raw->counted.unfinished;
    out->filtered = raw->filtered;
    out->down = packet_socket_link(raw->fd, raw->index) != LINK_UP;
    for (unsigned i = 0; i < raw->n_senders; i++) {
        out->sent += atomic_load_explicit(&raw->sender[i].sent, memory_order_relaxed);
        out->send_drops += atomic_load_explicit(&raw->sender[i].drops, memory_order_relaxed);
        out->send_large += atomic_load_explicit(&raw->sender[i].large, memory_order_relaxed);
    }
}

static int
raw_fd(const struct weir_port *port)
{
    return ((const struct raw *)port)->fd;
}

static void
raw_close(struct weir_port *port)
{
    struct raw *raw = (struct raw *)port;

    if (raw->ring != NULL)
        munmap(raw->ring, raw->ring_bytes);
    if (raw->fd >= 0)
        close(raw->fd);
    for (unsigned i = 0; i < raw->n_senders; i++)
        if (raw->sender[i].fd >= 0)
            close(raw->sender[i].fd);
    filter_free(&raw->filter);
    free(raw->sender);
    free(raw->name);
    free(raw);
}

static const struct port_ops raw_ops = {
    .read = raw_read, .get_stats = raw_get_stats, .close = raw_close, .fd = raw_fd, .send = raw_send
};

/* ---- to open it ---------------------------------------------------------------------------- */

static struct raw *
new_raw(const char *name, const struct weir_port_opts *opts)
{
    struct raw *raw = calloc(1, sizeof(*raw));

    if (raw == NULL)
        return NULL;
    raw->port.ops = &raw_ops;
    raw->fd = -1;
    raw->promisc = !opts->no_promisc;
    raw->no_wait = opts->no_wait;
    raw->name = strdup(name);
    raw->sender = aligned_alloc(alignof(struct sender), opts->senders * sizeof(*raw->sender));
    if (raw->name == NULL || raw->sender == NULL) {
        raw_close(&raw->port);
        return NULL;
    }
    for (; raw->n_senders < opts->senders; raw->n_senders++)
        raw->sender[raw->n_senders] = (struct sender){ .fd = -1 };
    return raw;
}

static int
failed(const struct raw *raw, const char *what, struct weir_errbuf *err)
{
    if (errno == EPERM || errno == EACCES)
        return weir_err_set(err, WEIR_E_PERM,
                            "%s: capturing and sending needs CAP_NET_RAW: run as root, or setcap "
                            "cap_net_raw,cap_net_admin=eip PROGRAM",
                            raw->name);
    return weir_err_set(err, errno == ENOMEM ? WEIR_E_NOMEM : WEIR_E_IO, "%s: %s: %s", raw->name,
                        what, strerror(errno));
}

static int
open_socket(const struct raw *raw, int *fd, struct weir_errbuf *err)
{
    *fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* takes nothing in until it is bound */
    return *fd >= 0 ? WEIR_E_OK : failed(raw, "packet socket", err);
}

static int
find_interface(struct raw *raw, struct weir_errbuf *err)
{
    struct ifreq request = { .ifr_ifindex = 0 };

    raw->index = if_nametoindex(raw->name);
    if (raw->index == 0)
        return weir_err_set(err, WEIR_E_NOENT, "%s: there is no such interface", raw->name);
    memcpy(request.ifr_name, raw->name, strlen(raw->name) + 1); /* an interface's: it is short */
    if (ioctl(raw->fd, SIOCGIFHWADDR, &request) != 0)
        return failed(raw, "its kind", err);
    if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return weir_err_set(err, WEIR_E_INVAL, "%s: it is no Ethernet, and cannot be sent through",
                            raw->name);
    if (packet_socket_link(raw->fd, raw->index) == LINK_DOWN)
        return weir_err_set(err, WEIR_E_IO, "%s: the interface is not up (ip link set dev NAME up)",
                            raw->name);
    return WEIR_E_OK;
}

/* Slots for frames of the interface's MTU, and not for what is put together of several. */
static int
make_ring(struct raw *raw, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    const int version = TPACKET_V2;
    const unsigned room = ROOM, blocks = (opts->buffer > 0 ? opts->buffer : BUFFER) / BLOCK;
    struct tpacket_req request = { .tp_block_size = BLOCK, .tp_block_nr = blocks > 0 ? blocks : 1 };

    raw->slot_bytes = (unsigned)TPACKET_ALIGN(packet_socket_mtu(raw->name) + FRAME_BYTES + HEADERS);
    if (raw->slot_bytes > BLOCK)
        return weir_err_set(err, WEIR_E_INVAL, "%s: its MTU is too large", raw->name);
    raw->slots_a_block = BLOCK / raw->slot_bytes;
    raw->n_slots = raw->slots_a_block * request.tp_block_nr;
    request.tp_frame_size = raw->slot_bytes;
    request.tp_frame_nr = raw->n_slots;
    raw->ring_bytes = (size_t)BLOCK * request.tp_block_nr;
    if (setsockopt(raw->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
        setsockopt(raw->fd, SOL_PACKET, PACKET_RESERVE, &room, sizeof(room)) != 0 ||
        setsockopt(raw->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
        return failed(raw, "a ring to read from (a smaller --buffer may help)", err);
    raw->ring = mmap(NULL, raw->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, raw->fd, 0);
    if (raw->ring != MAP_FAILED)
        return WEIR_E_OK;
    raw->ring = NULL;
    return failed(raw, "a ring to read from", err);
}

/* The kernel's larger queue is for who may have it. */
static void
widen_queue(int fd)
{
    const int bytes = QUEUE;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int
open_senders(struct raw *raw, struct weir_errbuf *err)
{
    for (unsigned i = 0; i < raw->n_senders; i++) {
        int rc = open_socket(raw, &raw->sender[i].fd, err);

        if (rc != WEIR_E_OK)
            return rc;
        widen_queue(raw->sender[i].fd);
        if (bind_to(raw->sender[i].fd, raw->index, 0) != 0)
            return failed(raw, "sending", err);
    }
    return WEIR_E_OK;
}

static int
open_reader(struct raw *raw, const struct weir_port_opts *opts, struct weir_errbuf *err)
{
    const int one = 1;
    int rc = make_ring(raw, opts, err);

    if (rc != WEIR_E_OK)
        return rc;
#ifdef PACKET_IGNORE_OUTGOING
    (void)setsockopt(raw->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
#else
    (void)one;
#endif
    return attach(raw) == 0 ? WEIR_E_OK : failed(raw, "reading", err);
}

int
raw_open(const char *interface, const struct weir_port_opts *opts, struct weir_port **out,
         struct weir_errbuf *err)
{
    struct raw *raw;
    int rc;

    if (opts->senders > PORT_MAX_SENDERS)
        return weir_err_set(err, WEIR_E_INVAL, "%s: at most %d senders are possible", interface,
                            PORT_MAX_SENDERS);
    if (opts->fanout != WEIR_FANOUT_NONE)
        return weir_err_set(err, WEIR_E_INVAL, "%s: a port of a fan-out group sends nothing",
                            interface);
    if ((raw = new_raw(interface, opts)) == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", interface);
    rc = filter_compile(&raw->filter, opts->filter, LINK_ETHERNET, err);
    if (rc == WEIR_E_OK)
        rc = open_socket(raw, &raw->fd, err);
    if (rc == WEIR_E_OK)
        rc = find_interface(raw, err);
    if (rc == WEIR_E_OK)
        rc = open_senders(raw, err);
    if (rc == WEIR_E_OK)
        rc = open_reader(raw, opts, err);
    if (rc == WEIR_E_OK)
        *out = &raw->port;
    else
        raw_close(&raw->port);
    return rc;
}

#else

int
raw_open(const char *interface, const struct weir_port_opts *opts, struct weir_port **out,
         struct weir_errbuf *err)
{
    (void)opts, (void)out;
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "%s: this system has no packet sockets",
                        interface);
}

#endif
