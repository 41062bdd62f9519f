/* Numbers in network byte order, and their checksum. */
#ifndef WEIR_PCAPS_BYTES_H
#define WEIR_PCAPS_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void
put16(uint8_t *p, int64_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *p, int64_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* RFC 1071 section 4.1. */
static inline uint32_t
sum16(const uint8_t *p, size_t n, uint32_t sum)
{
    for (; n >= 2; n -= 2, p += 2)
        sum += (uint32_t)(p[0] << 8 | p[1]);
    return n > 0 ? sum + (uint32_t)(p[0] << 8) : sum;
}

static inline uint16_t
fold(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

#endif
