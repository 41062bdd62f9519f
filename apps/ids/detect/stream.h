/* What the files of streams share; for them alone. */
#ifndef IDS_DETECT_STREAM_H
#define IDS_DETECT_STREAM_H

#include "detect/others.h"
#include "detect/parts.h"

/*
 * A rule whose fast pattern was found, if it has one, and whose answer depends on bytes to come.
 * Numbers are places, not offsets.
 */
struct pending {
    uint32_t rule;
    uint64_t waits; /* as in struct match */
    int64_t until, beyond;
    int64_t first, last; /* where the fast pattern ended first and last */
    int64_t seen;        /* end of the bytes in which it was found last */
    int64_t expires;     /* what it waits for has to end there, at the latest */
    uint16_t longest;    /* bytes of the longest content that it waits for */
    bool unnamed;        /* it waits to be told what the flow speaks */
};

static inline int64_t
lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline const struct stream_rare *
stream_rare_of(const struct stream_scan *s)
{
    static const struct stream_rare none;

    return s->rare != NULL ? s->rare : &none;
}

/* Of the event's first byte. */
static inline int64_t
stream_place(const struct detect *d)
{
    return d->at.ev->payload.offset - d->scan->dir[d->at.ev->direction].skipped;
}

static inline bool
stream_has_others(const struct stream_scan *s)
{
    const struct others *others = stream_rare_of(s)->others;

    return others != NULL && others->n > 0;
}

/* NULL: no memory. */
struct stream_rare *stream_make_rare(struct detect *d, struct stream_scan *s);

/* What has to end in new bytes, so that a rule alerts once on the same ones: the fast pattern, or
 * the first expression of a rule that has none. -1: neither. */
int stream_newest_step(const struct detect *d, uint32_t rule);

/* The event, which may be the other direction's, as one of this direction without a packet. */
void stream_turn_to(struct detect *d, enum weir_dir dir, struct weir_event *ev);

/* ---- the window ---------------------------------------------------------------------------- */

/*
 * Read n bytes that end at the offset; where not all of that is retained any more, a nearer part.
 * Returns how many that gave, urgent ones among them.
 */
size_t stream_read_raw(struct detect *d, const struct stream_scan *s, int64_t offset, uint8_t *to,
                       size_t n);

/* Take out the urgent ones of n bytes from the offset on; returns how many stay. */
size_t stream_squeeze(const struct stream_scan *s, int64_t offset, uint8_t *p, size_t n);

size_t stream_read_back(struct detect *d, const struct stream_scan *s, int64_t offset, size_t n);

/*
 * What is retained of the direction before `offset`, at least `back` bytes if there are so many,
 * and the event's own bytes behind it.
 */
void stream_fill_window(struct detect *d, const struct stream_scan *s, int64_t offset, int64_t back,
                        struct weir_bytes data);

/* At least `back` bytes before the event's, if there are so many; none if back is not positive. */
const struct buffer *stream_window(struct detect *d, int64_t back);

/* ---- rules that wait ----------------------------------------------------------------------- */

void stream_wait(struct detect *d, struct stream_scan *s, uint32_t rule, const struct match *m,
                 int64_t expires);

/*
 * What a flow speaks may be known only when its first bytes have gone by, as the sender likes to
 * cut them: rules that ask for it are looked at again with each payload until then.
 */
void stream_wait_for_name(struct detect *d, struct stream_scan *s, uint32_t rule, struct match *m);

/* Mark those that wait and may match now; forget those that the window has left behind. */
void stream_wake_pending(struct detect *d, struct stream_scan *s);

/* Nothing more comes in this direction: what waits is decided on what came. */
void stream_finish_pending(struct detect *d, enum weir_dir dir);

/* ---- copies that did not stay -------------------------------------------------------------- */

void
stream_look_at_others(struct detect *d, struct stream_scan *s, struct weir_bytes data, bool final);

/* Nothing follows what came; the event may be the other direction's. */
void stream_finish_others(struct detect *d, enum weir_dir dir);

#endif
