/*
 * Output: text and records put together in a buffer that never grows, written to a descriptor in
 * large pieces, each at the end of a record. What a signal or a full disk cuts, it cuts there.
 *
 * Threads: an output belongs to one thread.
 * Errors:  a write that fails is remembered (out_close() tells); later records are counted in
 *          lost and go nowhere, so a full disk stops nobody.
 */
#ifndef WEIR_OUT_H
#define WEIR_OUT_H

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUT_SIZE = 4 << 20,      /* the buffer */
    OUT_RECORD_MAX = 2 << 20 /* a longer record is refused whole and counted in lost */
};

struct out {
    int fd;           /* -1: not open */
    bool owns_fd;     /* to be closed */
    char *buf;        /* OUT_SIZE bytes */
    size_t n;         /* bytes in buf */
    size_t record;    /* where the record begins that is being put together */
    bool too_long;    /* that record did not fit */
    int error;        /* errno of the first write that failed; 0: none */
    uint64_t lost;    /* records that could not be written */
    const char *name; /* for errors; lives as long as the output */
};

/* Write to path (NULL: standard output), made if missing, appended to if not. */
int out_open(struct out *out, const char *path, struct weir_errbuf *err);

/* Write what is complete. Returns false if something could not be written, now or before. */
bool out_flush(struct out *out);

/* Flush and close; an output that is not open is left alone. WEIR_E_IO, with a text, if lost. */
int out_close(struct out *out, struct weir_errbuf *err);

/* The record is complete. */
void out_end_record(struct out *out);

void out_bytes(struct out *out, const void *p, size_t n);
void out_str(struct out *out, const char *s);
void out_char(struct out *out, char c);
void out_u64(struct out *out, uint64_t v);
void out_i64(struct out *out, int64_t v);
void out_hex(struct out *out, uint64_t v, unsigned digits); /* lower case, with leading zeros */

/* Decimal with leading zeros up to width digits. */
void out_u64_wide(struct out *out, uint64_t v, unsigned width);

/* Base64, RFC 4648 section 4, padded. */
void out_base64(struct out *out, const uint8_t *p, size_t n);

#endif
