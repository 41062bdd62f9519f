/* Where frames that libpcap owns for a moment are kept until the next read. */
#ifndef WEIR_PORT_ARENA_H
#define WEIR_PORT_ARENA_H

#include "port/port.h"

#include <pcap/pcap.h>
#include <string.h>

enum { ARENA_FRAMES = 64, ARENA_SIZE = ARENA_FRAMES * PORT_MAX_CAPLEN };

struct arena {
    uint8_t *bytes; /* ARENA_SIZE; pages that no packet reached cost nothing */
    size_t used;
};

/* One more packet of any size fits. */
static inline bool
arena_has_room(const struct arena *arena)
{
    return ARENA_SIZE - arena->used >= PORT_MAX_CAPLEN;
}

/* Copy a packet of at most PORT_MAX_CAPLEN bytes; there is room. */
static inline void
arena_keep(struct arena *arena, const struct pcap_pkthdr *header, const uint8_t *data,
           struct weir_frame *f)
{
    uint8_t *copy = arena->bytes + arena->used;

    memcpy(copy, data, header->caplen);
    arena->used += header->caplen;
    f->data = copy;
    f->caplen = header->caplen;
    f->wirelen = header->len > header->caplen ? header->len : header->caplen;
    /* libpcap takes a file's 32 bits for signed, of which those of seconds end in 2038. */
    f->time = header->ts.tv_sec >= 0 ? (uint64_t)header->ts.tv_sec : (uint32_t)header->ts.tv_sec;
    f->time = f->time * UINT64_C(1000000000) + (uint32_t)header->ts.tv_usec;
    f->stable = false;
    f->port = 0;
    f->verified = false;
}

#endif
