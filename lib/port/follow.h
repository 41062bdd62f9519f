/*
 * A capture on its way to libpcap, followed record by record: libpcap says what is wrong with a
 * record, but not where it begins, what it claims and how much of it there is.
 *
 * Snapshot lengths are taken out on the way: libpcap cuts or refuses packets that are longer than
 * their file says, and interfaces of pcapng that differ in it.
 */
#ifndef WEIR_PORT_FOLLOW_H
#define WEIR_PORT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum follow_format {
    FOLLOW_BEGIN, /* not known yet */
    FOLLOW_PCAP,
    FOLLOW_PCAPNG,
    FOLLOW_OTHER, /* not followed, passed on as it is */
};

enum { FOLLOW_HEAD = 24 };

struct follow {
    FILE *in;
    uint8_t *room; /* what was read of in and not asked for: next to end */
    size_t next, end;
    uint64_t offset; /* bytes of the capture that libpcap was given */
    int error;       /* errno: it could not be read on, a signal may be why; 0: it could */
    /* The record that libpcap is at, or has just read: */
    uint64_t at, claimed;      /* where it begins; its length, once sized */
    uint8_t head[FOLLOW_HEAD]; /* its first bytes: */
    size_t have;
    bool sized;
    bool cut;        /* the capture ends in its head, or at its begin */
    bool impossible; /* no record has this length: none is found behind it */
    bool swapped;    /* byte order is not ours */
    uint8_t format;  /* enum follow_format */
    uint8_t header;  /* pcap: bytes of a record's */
    /* pcapng: of the section's first interface, which packets without a time are of; what the last
     * such packet had on the wire, 0: the last packet is none. */
    bool has_snaplen;
    uint32_t snaplen, wirelen;
};

/* What libpcap was at when it stopped. */
struct follow_end {
    bool cut;                   /* the capture ends in a record that is cut: see port_is_cut() */
    uint64_t at, claimed, left; /* the record; what is left of the capture from there on */
};

/*
 * For libpcap: a stream of what in holds, which is in's to close, too, unless that is stdin. NULL:
 * out of memory, and in stays open. follow_free() comes behind fclose().
 */
FILE *follow_open(struct follow *f, FILE *in);
void follow_free(struct follow *f);

/* libpcap reads no more. The rest of the capture is read, as far as a record may reach. */
void follow_stop(struct follow *f, struct follow_end *end);

#endif
