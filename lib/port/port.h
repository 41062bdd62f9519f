/*
 * What a back end of a port is made of. Each lives in a file of its own: capfile.c (mapped pcap,
 * with pcapng.c), pcapport.c (files and streams through libpcap), live.c (interfaces), raw.c
 * (interfaces that are sent through, too), dpdk.c (cards without the kernel).
 */
#ifndef WEIR_PORT_PRIVATE_H
#define WEIR_PORT_PRIVATE_H

#include <weir/port.h>

#include <stdio.h>

/* No packet is larger: what libpcap takes for an Ethernet file, too. More means corruption. */
enum { PORT_MAX_CAPLEN = 262144 };

/* Of a packet block of pcapng: what stands before the packet and behind it. */
enum { PORT_BLOCK_HEADER = 32 };

struct port_ops {
    int (*read)(struct weir_port *port, struct weir_frame *frames, unsigned max,
                struct weir_errbuf *err);
    void (*get_stats)(const struct weir_port *port, struct weir_port_stats *out);
    void (*close)(struct weir_port *port);   /* takes half-built ports */
    int (*fd)(const struct weir_port *port); /* NULL: there is none to wait for */
    /* NULL: nothing can be sent. */
    bool (*send)(struct weir_port *port, unsigned sender, const uint8_t *data, uint32_t len);
    void (*flush)(struct weir_port *port, unsigned sender); /* NULL: nothing waits */
    /* Of ports with several queues; read() has all of them in turn. */
    int (*read_queue)(struct weir_port *port, unsigned queue, struct weir_frame *frames,
                      unsigned max, struct weir_errbuf *err);
    int (*queue_fd)(const struct weir_port *port, unsigned queue); /* NULL: none to wait for */
};

/* More would be a mistake. */
enum { PORT_MAX_SENDERS = 256, PORT_MAX_QUEUES = 256 };

/* First member of every back end's own struct. */
struct weir_port {
    const struct port_ops *ops;
    struct weir_port_stats stats; /* kept by the back end; frames by weir_port_read() */
    unsigned queues;              /* 0: 1, which read() reads */
    _Atomic uint64_t by_queue;    /* frames that weir_port_read_queue() handed out */
};

/*
 * Whether a record that claims more bytes than are left is the input's last one, cut: no more is
 * left than the largest has. Else it is corrupt, as no record is that long. header: bytes that a
 * record has beside its packet.
 */
static inline bool
port_is_cut(uint64_t claimed, uint64_t left, unsigned header)
{
    return claimed > left && left <= (uint64_t)PORT_MAX_CAPLEN + header;
}

static inline void
port_cut(struct weir_port *port, uint64_t at, uint64_t claimed, uint64_t left)
{
    port->stats.truncated = true;
    port->stats.cut_at = at;
    port->stats.cut_claimed = claimed;
    port->stats.cut_left = left;
}

/*
 * Map the capture file behind fd, size bytes, and walk it in place. fd is the port's from then on
 * if, and only if, the call succeeds. WEIR_E_UNSUPPORTED: not a format that is read in place, or
 * no room for one more mapping; libpcap may know better.
 */
int capfile_open(const char *name, int fd, uint64_t size, const struct weir_port_opts *opts,
                 struct weir_port **out, struct weir_errbuf *err);

/* The same over bytes that outlive the port. */
int capfile_open_memory(const uint8_t *data, size_t size, const struct weir_port_opts *opts,
                        struct weir_port **out, struct weir_errbuf *err);

/*
 * Read stream through libpcap. The stream is consumed, on failure too, unless it is stdin. size 0:
 * unknown, not a regular file.
 */
int pcapport_open(const char *name, FILE *stream, uint64_t size, const struct weir_port_opts *opts,
                  struct weir_port **out, struct weir_errbuf *err);

/* An interface that is read, and sent through by opts->senders. */
int raw_open(const char *interface, const struct weir_port_opts *opts, struct weir_port **out,
             struct weir_errbuf *err);

#endif
