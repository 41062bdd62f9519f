/**
 * @file
 * Ports: where packets come from.
 *
 * Threads: a port belongs to the thread that opened it. weir_capfile_fault() may be called from
 * a signal handler of any thread.
 * Memory:  frames of a mapped capture file are its own pages: they live until weir_port_close().
 *          Frames of any other port live until the next weir_port_read().
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
};

struct weir_port_opts {
    const char *filter; /**< BPF expression (pcap-filter(7)); NULL or "": every packet */
    bool no_map;        /**< read files through libpcap even where they could be mapped */
    uint32_t snaplen;   /**< live: bytes to capture of a packet; 0: 262144 */
};

/** What became of the input. Counters only grow. */
struct weir_port_stats {
    uint64_t frames;       /**< handed out */
    uint64_t filtered;     /**< refused by the filter */
    uint64_t bytes_read;   /**< file bytes walked so far, for a progress bar */
    uint64_t bytes_total;  /**< file size at open; 0: unknown */
    uint64_t kernel_drops; /**< live: lost before they reached us, by the kernel's count */
    bool truncated;        /**< the last record of the file was cut */
    bool shrank;           /**< the file shrank while it was mapped */
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

/** Capture live on an interface, through libpcap, in promiscuous mode. Errors as above. */
WEIR_API WEIR_MUST_USE int
weir_port_open_live(const char *interface, const struct weir_port_opts *opts,
                    struct weir_port **out, struct weir_errbuf *err);

/**
 * Take the next frames.
 *
 * @param[out] frames  room for @p max (at least 1).
 * @return how many were written; 0 at the end of a file, or when a live port has nothing within
 *         100 ms; WEIR_E_IO or WEIR_E_MALFORMED (corruption before the tail) with a text in
 *         @p err. Frames before the error were handed out by earlier calls.
 */
WEIR_API WEIR_MUST_USE int weir_port_read(struct weir_port *port, struct weir_frame *frames,
                                          unsigned max, struct weir_errbuf *err);

WEIR_API void weir_port_get_stats(const struct weir_port *port, struct weir_port_stats *out);

/** Close; NULL is allowed. Its frames are gone. */
WEIR_API void weir_port_close(struct weir_port *port);

/**
 * For a SIGBUS handler: if @p addr lies in a capture file that shrank under its mapping, put zero
 * pages over the rest of the file, mark the port (weir_port_stats.shrank) and go on.
 * Async-signal-safe.
 *
 * @return false: the address is not ours.
 */
WEIR_API bool weir_capfile_fault(const void *addr);

#endif
