/* A mapped capture file: what the walkers of pcap (capfile.c) and pcapng (pcapng.c) share. */
#ifndef WEIR_PORT_CAPFILE_H
#define WEIR_PORT_CAPFILE_H

#include "port/filter.h"
#include "port/mapped.h"
#include "port/port.h"

#include <inttypes.h>
#include <string.h>

struct capfile;

/*
 * Hand out up to max frames and move file->next past them; 0: what is at next is no record, see
 * stats.truncated; or a negative error. Errors are met with no frame in hand: a walk that has some
 * hands them out first and meets the error again.
 */
typedef int (*capfile_walk)(struct capfile *file, struct weir_frame *frames, unsigned max,
                            struct weir_errbuf *err);

/* How an interface of a pcapng file counts time. */
enum pcapng_clock {
    CLOCK_MULTIPLY, /* a unit is a whole number of nanoseconds */
    CLOCK_DIVIDE,   /* a nanosecond is a whole number of units */
    CLOCK_SHIFT,    /* a second is a power of two of units */
};

struct pcapng_interface {
    uint64_t scale;  /* factor, divisor or shift, by clock */
    uint64_t offset; /* nanoseconds, added modulo 2^64: it may be negative */
    struct filter filter;
    uint32_t snaplen; /* PORT_MAX_CAPLEN where the file sets no limit */
    uint16_t link;
    uint8_t clock; /* enum pcapng_clock */
};

/* The section that next is in. */
struct pcapng {
    struct pcapng_interface *interfaces; /* n, room for more */
    unsigned n, room;
    bool swapped; /* byte order is not ours */
};

struct capfile {
    struct weir_port port;
    struct mapped map;
    int fd;                    /* of map; -1: not ours */
    const uint8_t *next, *end; /* records not walked yet; end of input is next == end */
    const uint8_t *ahead;      /* the cache was asked for all before */
    capfile_walk walk;
    char *name, *expression; /* for messages; the filter's text */
    struct filter filter;    /* pcap: the file's one link type */
    uint16_t link;           /* pcap */
    struct pcapng pcapng;
};

/* How far the walk asks the cache ahead: memory answers within the time of some packets. */
enum { CACHE_AHEAD = 8192, CACHE_LINE = 64 };

/*
 * The walk will go on at p. Each record's header says where the next one lies, so without this
 * every packet waits for memory. from: what was asked for already; returns the new one.
 */
static inline const uint8_t *
capfile_prefetch(const struct capfile *file, const uint8_t *from, const uint8_t *p)
{
    const uint8_t *to = file->end - p > CACHE_AHEAD ? p + CACHE_AHEAD : file->end;

    for (from = from > p ? from : p; from < to; from += CACHE_LINE)
        __builtin_prefetch(from);
    return from;
}

static inline uint32_t
load32(const uint8_t *p, bool swapped)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return swapped ? __builtin_bswap32(v) : v;
}

static inline uint16_t
load16(const uint8_t *p, bool swapped)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return swapped ? __builtin_bswap16(v) : v;
}

static inline uint64_t
capfile_offset(const struct capfile *file, const uint8_t *p)
{
    return (uint64_t)(p - file->map.begin);
}

static inline size_t
capfile_left(const struct capfile *file, const uint8_t *p)
{
    return (size_t)(file->end - p);
}

/* Raw IP has two numbers in files: LINKTYPE_RAW, and the DLT_RAW of systems that wrote that. */
static inline uint16_t
capfile_link(uint32_t field)
{
    return link_of_dlt((int)(field & 0xffff)); /* above: FCS length and reserved bits */
}

/* The file is cut inside the record at p, which claims so many bytes: end of input. */
void capfile_cut_at(struct capfile *file, const uint8_t *p, uint64_t claimed);

/* Move to a pcapng file's first packet. WEIR_E_UNSUPPORTED: no section header. */
int pcapng_begin(struct capfile *file, struct weir_errbuf *err);

/* The interfaces of the section; the pcapng itself is the caller's. */
void pcapng_free(struct pcapng *png);

#endif
