/*
 * Output: text and records put together in the ring of a log (weir/log.h), whose thread writes
 * them. What a signal or a full disk cuts, it cuts at the end of a record.
 *
 * In a replay a full ring makes the caller wait, and the first error ends the output: later records
 * are counted in lost and go nowhere. Live nobody waits: where the ring is full a record is counted
 * in dropped. A file is tried again until it takes records again; standard output is not. When no
 * more packets come, out_let_wait() makes the end of a live run wait like a replay, with a limit.
 *
 * Where several cores write to one output in the order of packets, each has an output of its own in
 * front of it (out_open_ordered()), whose records reach it in their turn.
 *
 * Threads: an output belongs to one thread.
 */
#ifndef WEIR_OUT_H
#define WEIR_OUT_H

#include <weir/error.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_log;
struct log_end;
struct order_end;

enum {
    OUT_RING = 4 << 20,             /* bytes that wait to be written, at most */
    OUT_RECORD_MAX = (2 << 20) - 8, /* a longer record is refused whole and counted in lost */
};

struct out {
    struct weir_log *log; /* NULL: not open */
    struct log_end *end;
    uint8_t *p;              /* the record that is put together; NULL: it has no room yet */
    size_t n, room;          /* its bytes so far, and for how many there is room */
    const _Atomic int *stop; /* not 0: wait no more; may be NULL */
    bool live;
    uint64_t wait_until; /* monotonic ns, live: till then a full ring makes the caller wait */
    bool too_long;       /* it did not fit */
    bool full;           /* there was no room for it */
    bool in_trouble;     /* out_trouble() has told of it */
    uint64_t errors_seen, records_seen; /* by out_trouble() */
    uint64_t stayed_seen;               /* by out_stays() */
    uint64_t lost;    /* records too long, or put together after the error that ended the log */
    uint64_t dropped; /* live, or stopped: records for which the ring had no room */
    const char *name; /* for errors; lives as long as the output */
    struct order_end *order; /* not NULL: records go to another output, in their turn */
    struct out *to;
};

/* Write to path (NULL: standard output), made if missing, appended to if not. */
int out_open(struct out *out, const char *path, bool live, struct weir_errbuf *err);

/* Write to a descriptor, which stays the caller's, as the name; that is what errors call it. */
int out_open_fd(struct out *out, int fd, const char *name, bool live, struct weir_errbuf *err);

/*
 * A core's output in front of another one, which outlives it. WEIR_E_OK or WEIR_E_NOMEM. Only
 * records may be put together in it; errors and counters are the other's.
 */
int out_open_ordered(struct out *out, struct out *to, struct order_end *order);
void out_close_ordered(struct out *out);

/* One record, put together in n bytes of the caller's: out->n of them, unless it was too_long. It
 * is not ended. */
void out_open_room(struct out *out, uint8_t *p, size_t n);

/*
 * Block until what is complete is written. Not on a live packet core.
 * Returns false if an error has ended the output.
 */
bool out_flush(struct out *out);

/*
 * No packet waits for this output any more, whose live run ends: from now on a full ring makes the
 * caller wait, for ns in all and for at most a second without progress, asked to stop or not.
 */
void out_let_wait(struct out *out, uint64_t ns);

/* The errno that has ended the output; 0: none has. */
int out_error(const struct out *out);

/*
 * The errno with which a live output has begun to fail; 0: nothing new. Told again only when
 * records were written meanwhile. For now and then: it reads the counters of the log.
 */
int out_trouble(struct out *out);

/*
 * The errno for which the old file stayed in use when a new one was asked for, once each time; 0.
 */
int out_stays(struct out *out);

/* Flush and close; an output that is not open is left alone. WEIR_E_IO, with a text, if lost. */
int out_close(struct out *out, struct weir_errbuf *err);

/* The record is complete. */
void out_end_record(struct out *out);

/* Where the next n bytes of the record go, if there is room at hand, to be taken; else NULL. */
static inline char *
out_at_hand(const struct out *out, size_t n)
{
    return out->p != NULL && out->room - out->n >= n ? (char *)out->p + out->n : NULL;
}

/* The record goes on behind to, which out_at_hand() has room for. */
static inline void
out_take(struct out *out, const char *to)
{
    out->n = (size_t)(to - (char *)out->p);
}

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
