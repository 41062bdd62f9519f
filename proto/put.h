/*
 * Text put together in a buffer of the caller's, cut at its end: what did not fit is told by more.
 * Always terminated; the bytes may hold zeros where the wire's did.
 */
#ifndef WEIR_PUT_H
#define WEIR_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct put {
    char *start, *at, *end; /* end: the last byte, for the terminator */
    bool more;              /* something did not fit */
};

/* Begin an empty text in size bytes, at least 1. */
static inline struct put
put_begin(char *buf, size_t size)
{
    buf[0] = '\0';
    return (struct put){ .start = buf, .at = buf, .end = buf + size - 1, .more = false };
}

static inline size_t
put_length(const struct put *put)
{
    return (size_t)(put->at - put->start);
}

static inline void
put_bytes(struct put *put, const void *p, size_t n)
{
    const size_t room = (size_t)(put->end - put->at);

    if (n > room) {
        put->more = true;
        n = room;
    }
    if (n > 0)
        memcpy(put->at, p, n);
    put->at += n;
    *put->at = '\0';
}

static inline void
put_str(struct put *put, const char *s)
{
    put_bytes(put, s, strlen(s));
}

static inline void
put_char(struct put *put, char c)
{
    put_bytes(put, &c, 1);
}

static inline void
put_u64(struct put *put, uint64_t v)
{
    char digits[20];
    size_t n = sizeof(digits);

    do
        digits[--n] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    put_bytes(put, digits + n, sizeof(digits) - n);
}

/* Lower case; width digits, at most 16, leading zeros included. */
static inline void
put_hex(struct put *put, uint64_t v, unsigned width)
{
    char digits[16];

    for (unsigned i = width; i-- > 0; v >>= 4)
        digits[i] = "0123456789abcdef"[v & 15];
    put_bytes(put, digits, width);
}

#endif
