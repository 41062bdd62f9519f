/* Bounded reader: every read says whether the bytes were there. Network byte order. */
#ifndef WEIR_RD_H
#define WEIR_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))

struct rd {
    const uint8_t *p, *end;
};

static inline uint16_t
be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static inline size_t
rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->p);
}

/* The next n bytes, which are consumed; NULL: they are not there. */
MUST_CHECK static inline const uint8_t *
rd_take(struct rd *r, size_t n)
{
    const uint8_t *p = r->p;

    if (rd_left(r) < n)
        return NULL;
    r->p += n;
    return p;
}

MUST_CHECK static inline bool
rd_u8(struct rd *r, uint8_t *v)
{
    const uint8_t *p = rd_take(r, 1);

    if (p == NULL)
        return false;
    *v = *p;
    return true;
}

MUST_CHECK static inline bool
rd_be16(struct rd *r, uint16_t *v)
{
    const uint8_t *p = rd_take(r, 2);

    if (p == NULL)
        return false;
    *v = be16(p);
    return true;
}

MUST_CHECK static inline bool
rd_be32(struct rd *r, uint32_t *v)
{
    const uint8_t *p = rd_take(r, 4);

    if (p == NULL)
        return false;
    *v = be32(p);
    return true;
}

/* Cut the next n bytes out as a reader of their own. */
MUST_CHECK static inline bool
rd_sub(struct rd *r, size_t n, struct rd *sub)
{
    const uint8_t *p = rd_take(r, n);

    if (p == NULL)
        return false;
    *sub = (struct rd){ p, p + n };
    return true;
}

#endif
