/*
 * Writes pcapng (draft-ietf-opsawg-pcapng-03): one section, an interface for each link type,
 * packets with times in nanoseconds and comments. Always little-endian, so that equal runs give
 * equal files.
 */
#ifndef WEIR_PCAPNG_OUT_H
#define WEIR_PCAPNG_OUT_H

#include "out.h"

#include <stdbool.h>
#include <stdint.h>

enum { PCAPNG_LINKS = 16, PCAPNG_COMMENTS = 8, PCAPNG_COMMENT_MAX = 255 };

struct pcapng_out {
    struct out *out;
    uint16_t link[PCAPNG_LINKS]; /* of each interface */
    uint8_t n_links;
    bool begun;
};

struct pcapng_packet {
    uint64_t time; /* nanoseconds since 1970 */
    const uint8_t *frame;
    uint32_t caplen, wirelen;
    uint16_t link;
    const char *comment[PCAPNG_COMMENTS]; /* n_comments, at most PCAPNG_COMMENT_MAX bytes each */
    uint8_t n_comments;
};

/* Begin the section, if it is not yet: pcapng_write() does so too. False as there. */
bool pcapng_start(struct pcapng_out *to);

/*
 * Write a packet. False: it was not, as there was no room in the log (live), it has one link type
 * too many, or its header would not have come before it.
 */
bool pcapng_write(struct pcapng_out *to, const struct pcapng_packet *packet);

#endif
