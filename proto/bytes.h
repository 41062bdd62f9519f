/* Bytes that are lent, as a reader and back. */
#ifndef WEIR_PROTO_BYTES_H
#define WEIR_PROTO_BYTES_H

#include "rd.h"

#include <weir/event.h>

/* What is not there reads like what is empty. */
static inline struct rd
rd_of(struct weir_bytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *p = bytes.p != NULL ? bytes.p : nothing;

    return (struct rd){ p, p + bytes.n };
}

/* The rest of a reader. */
static inline struct weir_bytes
bytes_of(struct rd r)
{
    return (struct weir_bytes){ r.p, (uint32_t)rd_left(&r) };
}

#endif
