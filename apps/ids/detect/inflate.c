#include "detect/inflate.h"

#include <weir/error.h>

#include <stdlib.h>

#ifdef HAVE_ZLIB

#define ZLIB_CONST
#include <zlib.h>

enum {
    WINDOW_BITS = 15, /* the greatest */
    GZIP_TOO = 16,
    ROOM = 192 << 10, /* zlib takes 40 KiB, those that replace it some more */
    ALIGNMENT = 64,
};

struct inflater {
    z_stream stream;
    size_t used; /* of room */
    _Alignas(ALIGNMENT) uint8_t room[ROOM];
};

/* Once each: its state, and the window when that is needed first. */
static void *
take(void *ctx, unsigned n, unsigned size)
{
    struct inflater *inflater = ctx;
    size_t bytes = ((size_t)n * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint8_t *p = inflater->room + inflater->used;

    if (bytes > ROOM - inflater->used)
        return NULL;
    inflater->used += bytes;
    return p;
}

static void
leave(void *ctx, void *p)
{
    (void)ctx, (void)p;
}

int
inflater_new(struct inflater **out)
{
    struct inflater *inflater = aligned_alloc(ALIGNMENT, sizeof(*inflater));

    *out = inflater;
    if (inflater == NULL)
        return WEIR_E_NOMEM;
    inflater->used = 0;
    inflater->stream = (z_stream){ .zalloc = take, .zfree = leave, .opaque = inflater };
    if (inflateInit2(&inflater->stream, WINDOW_BITS) == Z_OK)
        return WEIR_E_OK;
    inflater_free(inflater);
    *out = NULL;
    return WEIR_E_NOMEM;
}

void
inflater_free(struct inflater *inflater)
{
    free(inflater);
}

size_t
inflate_bytes(struct inflater *inflater, enum inflate_form form, const uint8_t *p, size_t n,
              uint8_t *out, size_t room)
{
    z_stream *stream = &inflater->stream;

    if (inflateReset2(stream, WINDOW_BITS + (form == INFLATE_GZIP ? GZIP_TOO : 0)) != Z_OK)
        return 0;
    stream->next_in = p;
    stream->avail_in = (unsigned)n;
    stream->next_out = out;
    stream->avail_out = (unsigned)room;
    (void)inflate(stream, Z_SYNC_FLUSH);
    return room - stream->avail_out;
}

#else

int
inflater_new(struct inflater **out)
{
    *out = NULL;
    return WEIR_E_UNSUPPORTED;
}

void
inflater_free(struct inflater *inflater)
{
    free(inflater);
}

size_t
inflate_bytes(struct inflater *inflater, enum inflate_form form, const uint8_t *p, size_t n,
              uint8_t *out, size_t room)
{
    (void)inflater, (void)form, (void)p, (void)n, (void)out, (void)room;
    return 0;
}

#endif
