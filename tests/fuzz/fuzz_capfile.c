/*
 * The readers of capture files over any bytes: our own, in batches of one and of seven, which have
 * to agree, and the one through libpcap.
 */
#include "port/port.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH = 7 };

/* What a reader made of the bytes. */
struct outcome {
    uint64_t frames, sum; /* sum: of all that was handed out */
    int end;              /* 0, or the error */
    struct weir_port_stats stats;
};

/* FNV-1a of 64 bits. */
static uint64_t
mix(uint64_t sum, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n-- > 0)
        sum = (sum ^ *at++) * UINT64_C(0x100000001b3);
    return sum;
}

static void
check_frame(const struct weir_frame *f, struct outcome *o)
{
    assert(f->caplen <= PORT_MAX_CAPLEN && f->wirelen >= f->caplen);
    o->frames++;
    o->sum = mix(o->sum, f->data, f->caplen);
    o->sum = mix(o->sum, &f->caplen, sizeof(f->caplen));
    o->sum = mix(o->sum, &f->wirelen, sizeof(f->wirelen));
    o->sum = mix(o->sum, &f->time, sizeof(f->time));
    o->sum = mix(o->sum, &f->link, sizeof(f->link));
}

/* A mapped file's frames lie in it, one behind the other. @return the end of the last. */
static const uint8_t *
check_place(const struct weir_frame *f, const uint8_t *from, const uint8_t *end)
{
    assert(f->stable && f->data >= from && f->data <= end);
    assert(f->caplen <= (size_t)(end - f->data));
    return f->data + f->caplen;
}

/* bytes: where the file lies; NULL: the reader copies. */
static void
read_all(struct weir_port *port, unsigned max, const uint8_t *bytes, size_t size, struct outcome *o)
{
    struct weir_errbuf err = { "" };
    struct weir_frame frames[BATCH];
    const uint8_t *from = bytes;

    *o = (struct outcome){ .frames = 0 };
    while ((o->end = weir_port_read(port, frames, max, &err)) > 0) {
        assert(o->end <= (int)max);
        for (int i = 0; i < o->end; i++) {
            check_frame(&frames[i], o);
            if (bytes != NULL)
                from = check_place(&frames[i], from, bytes + size);
        }
    }
    assert((o->end < 0) == (err.text[0] != '\0'));
    assert(o->end == 0 || o->end == WEIR_E_MALFORMED || o->end == WEIR_E_IO);
    weir_port_get_stats(port, &o->stats);
    assert(!o->stats.truncated || o->stats.cut_claimed == 0 /* only libpcap knows the format */ ||
           (o->stats.cut_claimed > o->stats.cut_left &&
            o->stats.cut_left <= PORT_MAX_CAPLEN + PORT_BLOCK_HEADER));
    assert(bytes == NULL || !o->stats.truncated || o->stats.cut_claimed > 0);
    assert(o->stats.frames == o->frames && o->stats.filtered == 0 && !o->stats.shrank);
}

/* Whether our own reader takes the bytes. */
static bool
read_mapped(const uint8_t *bytes, size_t size, unsigned max, struct outcome *o)
{
    const struct weir_port_opts opts = { .filter = NULL };
    struct weir_port *port;
    struct weir_errbuf err = { "" };
    const int rc = capfile_open_memory(bytes, size, &opts, &port, &err);

    if (rc != WEIR_E_OK) {
        assert(port == NULL && (rc == WEIR_E_UNSUPPORTED || rc == WEIR_E_FORMAT));
        return false;
    }
    read_all(port, max, bytes, size, o);
    assert(o->stats.bytes_read <= size && o->stats.bytes_total == size);
    assert(o->end != 0 || o->stats.bytes_read == size);
    weir_port_close(port);
    return true;
}

static void
read_through_libpcap(uint8_t *bytes, size_t size)
{
    const struct weir_port_opts opts = { .filter = NULL };
    FILE *stream = fmemopen(bytes, size, "rb");
    struct weir_errbuf err = { "" };
    struct weir_port *port;
    struct outcome o;

    if (stream == NULL || pcapport_open("memory", stream, size, &opts, &port, &err) != WEIR_E_OK)
        return;
    read_all(port, BATCH, NULL, 0, &o);
    weir_port_close(port);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1); /* exact size: ASan sees the byte behind */
    struct outcome one, seven;
    bool takes;

    assert(copy != NULL);
    memcpy(copy, data, size);
    takes = read_mapped(copy, size, 1, &one);
    assert(read_mapped(copy, size, BATCH, &seven) == takes);
    if (takes) {
        assert(one.frames == seven.frames && one.sum == seven.sum && one.end == seven.end);
        assert(one.stats.truncated == seven.stats.truncated);
    }
    read_through_libpcap(copy, size);
    free(copy);
    return 0;
}
