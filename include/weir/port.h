/**
 * @file
 * Ports: where packets come from and go to.
 *
 * Threads: a port belongs to the thread that opened it. weir_port_read_queue() may be called by
 * others too, by one at a time for each queue, while weir_port_read() is not, and beside it
 * weir_port_get_stats(), by one at a time; weir_port_send() and weir_port_flush(), by one at a time
 * for each sender; weir_capfile_fault() from a signal handler of any thread.
 * Memory:  frames of a mapped capture file are its own pages: they live until weir_port_close().
 *          Frames of any other port live until it is read again; those of weir_port_read_queue()
 *          until their queue is.
 */
#ifndef WEIR_PORT_H
#define WEIR_PORT_H

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_port; /* opaque */

/** A frame as it came. */
struct weir_frame {
    const uint8_t *data;
    uint32_t caplen;  /**< bytes at data */
    uint32_t wirelen; /**< bytes on the wire; >= caplen */
    uint64_t time;    /**< nanoseconds since 1970-01-01 UTC */
    uint16_t link;    /**< LINKTYPE_ value (https://www.tcpdump.org/linktypes.html) */
    bool stable;      /**< data lives until the port is closed */
    uint8_t port;     /**< which of several it came from, for weir_packet.port; ports say 0 */
    bool verified;    /**< a network card has found the checksums of its IPv4 header and of the
                           TCP segment or UDP datagram in it right; false: nobody has looked */
};

/** How the ports of a group share the packets of an interface. Values never change. */
enum weir_fanout {
    WEIR_FANOUT_NONE,
    WEIR_FANOUT_HASH,  /**< by addresses and ports: a flow's packets, of both directions, to one */
    WEIR_FANOUT_CPU,   /**< by the CPU that took the packet in */
    WEIR_FANOUT_QUEUE, /**< by the network card's receive queue */
};

struct weir_port_opts {
    const char *filter; /**< BPF expression (pcap-filter(7)); NULL or "": every packet */
    bool no_map;        /**< read files through libpcap even where they could be mapped */

    /* The rest is for live ports. */
    uint32_t snaplen; /**< bytes to capture of a packet, at most 262144; 0: so many */
    bool no_promisc;  /**< only what the interface takes in anyway */
    bool immediate;   /**< packets within a millisecond or a few, not 100, for more CPU time */
    bool no_wait;     /**< weir_port_read() never waits; weir_port_fd() tells when to call it */
    uint32_t
        buffer; /**< bytes that the kernel holds for us, of each queue; 0: 16 MiB, with more than
                           8 queues less, at least 4; at most 2^31 - 1 */
    enum weir_fanout fanout; /**< with the other ports of fanout_id, which are all alike */
    uint16_t fanout_id;      /**< one interface, one mode; the network namespace's processes share
                                  the numbers */
    bool fanout_fragments;   /**< WEIR_FANOUT_HASH: fragments of IPv4 stay what they are, and go by
                                  their addresses alone; else the kernel puts them together, and
                                  nothing is known of how they were cut */
    uint32_t
        mtu; /**< DPDK: bytes behind the Ethernet header of the largest frame that the card takes
                       in; 0: 1500 */
    unsigned senders; /**< live ports and DPDK's: how many send through it at the same time, at most
                            256; 0: nobody does. A live port that sends is read through a packet
                            socket's ring, at once, is not shown what this machine sends, and is in
                            no fan-out group */
    unsigned queues;  /**< receive queues wanted, which can be read at the same time; 0: 1. DPDK: of
                           those that the card has, a flow's packets of both directions in one as
                           far as the card can. Live ports: packet sockets of a fan-out group;
                           without fanout it is one of their own, by WEIR_FANOUT_HASH, where
                           fragments stay what they are. A live port that sends has one */
};

/** What became of the input. Counters only grow. */
struct weir_port_stats {
    uint64_t frames;         /**< handed out */
    uint64_t filtered;       /**< refused by the filter; of an interface: 0, the kernel filters */
    uint64_t bytes_read;     /**< file bytes walked so far, for a progress bar; of a pipe: about */
    uint64_t bytes_total;    /**< file size at open; 0: unknown */
    uint64_t kernel_drops;   /**< live: of kernel_packets, those for which its buffer had no room;
                                  DPDK: for which there was no descriptor or no buffer */
    bool truncated;          /**< the last record of the file was cut: it claims more bytes than are
                                   left, and what is left is no more than the largest has */
    bool shrank;             /**< the file shrank while it was mapped */
    bool down;               /**< live: the interface is down; it is read on when it is up again */
    uint64_t kernel_packets; /**< live: that passed the filter; DPDK: that came */
    uint64_t interface_drops; /**< live: lost by the interface or its driver */
    uint64_t copied;   /**< DPDK: of frames, those that came in pieces and were put together */
    uint64_t verified; /**< DPDK: of frames, those whose checksums the card has found right */

    /* Of ports with senders. */
    uint64_t sent; /**< frames that left */
    uint64_t
        send_drops; /**< that could not: no room in the queue behind, the interface is down, ... */
    uint64_t send_large; /**< of send_drops: larger than what the port sends */
    uint64_t oversize; /**< live: of kernel_drops, larger than the interface's MTU: several packets
                              that a card or the kernel has put together (GRO, LRO, TSO) */
    uint64_t
        unfinished; /**< live: came with a checksum that a card was to compute, and got it here */

    /* Where truncated. */
    uint64_t cut_at; /**< byte of the file at which that record begins; 0: nobody knows */
    uint64_t
        cut_claimed;   /**< bytes that it claims to have, its header among them; 0: nobody knows */
    uint64_t cut_left; /**< bytes that there are of it */
};

/**
 * Open a capture file: pcap in any byte order and time resolution and pcapng are mapped and
 * walked in place; other formats, compressed input excepted, go through libpcap.
 *
 * @param[in]  path  a file, or "-" for standard input.
 * @param[in]  opts  copied; NULL for the defaults.
 * @param[out] out   freed with weir_port_close(); NULL on error.
 * @param[out] err   says what was wrong and where; may be NULL.
 * @return WEIR_E_OK, WEIR_E_NOENT, WEIR_E_PERM, WEIR_E_IO, WEIR_E_FORMAT, WEIR_E_SYNTAX (filter),
 *         WEIR_E_NOMEM.
 */
WEIR_API WEIR_MUST_USE int weir_port_open_file(const char *path, const struct weir_port_opts *opts,
                                               struct weir_port **out, struct weir_errbuf *err);

/**
 * Capture live on an interface, through libpcap, in promiscuous mode unless it is told not to.
 * Errors as above; WEIR_E_UNSUPPORTED if the system has no fan-out; with senders, WEIR_E_INVAL if
 * there are too many, if the interface is no Ethernet or its MTU too large, or if it is in a
 * fan-out group, too.
 */
WEIR_API WEIR_MUST_USE int
weir_port_open_live(const char *interface, const struct weir_port_opts *opts,
                    struct weir_port **out, struct weir_errbuf *err);

/**
 * Start DPDK, once in a process, before any of its ports is opened. The calling thread is the one
 * that reads them: it is bound to its CPU, and all other threads, those made later too, to the
 * others that the process may use, as far as there are any.
 *
 * @param[in]  args  what DPDK takes, as on a command line; '...', "..." and \ keep blanks.
 * @param[out] err   says what is wrong and what can be done; may be NULL.
 * @return WEIR_E_OK, WEIR_E_UNSUPPORTED (built without DPDK), WEIR_E_INVAL (args, or not the first
 *         time), WEIR_E_PERM, WEIR_E_IO or WEIR_E_NOMEM.
 */
WEIR_API WEIR_MUST_USE int weir_dpdk_start(const char *args, struct weir_errbuf *err);

/** Stop it, when its ports are closed. Harmless where it does not run. */
WEIR_API void weir_dpdk_stop(void);

/**
 * Read a network card through DPDK, without the kernel. weir_port_read() never waits, and there is
 * no descriptor to wait for. The program's own filter refuses packets. Of the options, buffer
 * decides how many descriptors a queue has, one for 2 KiB; fanout is ignored.
 *
 * @param[in] name  of a device (net_pcap0, 0000:01:00.0), or the number of the port.
 * @return as above; WEIR_E_NOENT if DPDK has no such port, WEIR_E_INVAL if it is read already.
 */
WEIR_API WEIR_MUST_USE int weir_port_open_dpdk(const char *name, const struct weir_port_opts *opts,
                                               struct weir_port **out, struct weir_errbuf *err);

/**
 * Take the next frames. Standard input and pipes give one at a time, as it comes.
 *
 * @param[out] frames  room for @p max (at least 1).
 * @return how many were written; 0 at the end of a file, or when a live port has nothing within
 *         100 ms; WEIR_E_IO or WEIR_E_MALFORMED (corruption before the tail) with a text in
 *         @p err; for a further interface of a pcapng file also WEIR_E_SYNTAX (the filter does not
 *         fit it) or WEIR_E_NOMEM; WEIR_E_NOENT when the interface of a live port is gone. Frames
 *         before the error were handed out by earlier calls.
 */
WEIR_API WEIR_MUST_USE int weir_port_read(struct weir_port *port, struct weir_frame *frames,
                                          unsigned max, struct weir_errbuf *err);

/**
 * How many receive queues there are, at least 1: fewer than were wanted where there are no more.
 */
WEIR_API unsigned weir_port_queues(const struct weir_port *port);

/**
 * Take the next frames of a queue, 0 to weir_port_queues() - 1. As weir_port_read(), which reads
 * all in turn; but of a port with several queues it never waits.
 */
WEIR_API WEIR_MUST_USE int
weir_port_read_queue(struct weir_port *port, unsigned queue, struct weir_frame *frames,
                     unsigned max, struct weir_errbuf *err);

/**
 * Copy the counters. Of a live port the kernel is asked, whose counts have 32 bits: call it before
 * 2^32 packets have come since the last time. One at a time, also while queues are read.
 */
WEIR_API void weir_port_get_stats(const struct weir_port *port, struct weir_port_stats *out);

/**
 * Send a frame, with its Ethernet header and VLAN tags, out of a port that was opened with senders.
 * Its bytes may change once the call returns; but of DPDK ports with one sender and one queue those
 * of a frame that weir_port_read() handed out last go without a copy, and stay as they are until
 * the next read.
 *
 * @param sender  0 to weir_port_opts.senders - 1; of calls with the same one, one at a time.
 * @return false: it does not leave, and is counted in weir_port_stats.send_drops. true: it left,
 *         or, of a DPDK port, waits in a queue, and is counted when it cannot leave in the end.
 */
WEIR_API bool
weir_port_send(struct weir_port *port, unsigned sender, const uint8_t *data, uint32_t len);

/** Let leave what waits. Behind each batch, and when nothing comes for a while. */
WEIR_API void weir_port_flush(struct weir_port *port, unsigned sender);

/** A descriptor that poll(2) finds readable when a live port has packets; -1 for all others. */
WEIR_API int weir_port_fd(const struct weir_port *port);

/** The same for one of its queues. */
WEIR_API int weir_port_queue_fd(const struct weir_port *port, unsigned queue);

/** Close; NULL is allowed. Its frames are gone. */
WEIR_API void weir_port_close(struct weir_port *port);

/**
 * For a SIGBUS handler: if @p addr lies in a capture file that shrank under its mapping, put zero
 * pages over the rest of the file, mark the port (weir_port_stats.shrank) and go on.
 * Async-signal-safe.
 *
 * @return false: the address is not ours, or the pages cannot be put there.
 */
WEIR_API bool weir_capfile_fault(const void *addr);

#endif
