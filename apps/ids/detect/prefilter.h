/*
 * Which rules are worth a look: one fast pattern a rule, all of them found in one pass over the
 * bytes. The one place that knows Hyperscan (or Vectorscan, which is the same).
 *
 * Threads: a prefilter is constant and may be shared; streams and scratch belong to one core.
 * Memory:  scanning never allocates; a stream's memory comes from the mem that it is opened with.
 */
#ifndef IDS_PREFILTER_H
#define IDS_PREFILTER_H

#include "mem.h"

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern {
    const uint8_t *bytes;
    unsigned n;
    bool nocase;
    uint32_t rule; /* what a match is reported as */
};

struct prefilter;
struct prefilter_stream;
struct prefilter_scratch;

/*
 * Make one from patterns, which are sorted and may be freed afterwards. streams: for
 * prefilter_scan_stream(), else for prefilter_scan(). *scratch grows as needed (start with NULL).
 */
int
prefilter_new(struct pattern *patterns, size_t n, bool streams, struct prefilter_scratch **scratch,
              struct prefilter **out, struct weir_errbuf *err);
void prefilter_free(struct prefilter *pf);
/*
 * Another core's, for the same prefilters. *out is NULL where scratch is. WEIR_E_OK or
 * WEIR_E_NOMEM.
 */
int prefilter_copy_scratch(const struct prefilter_scratch *scratch, struct prefilter_scratch **out);
void prefilter_free_scratch(struct prefilter_scratch *scratch);

/* Where a pattern ended in the bytes that were scanned: bytes from their beginning. */
struct prefilter_ends {
    uint32_t first, last;
};

/* Called once for each rule whose pattern is found. */
typedef void (*prefilter_fn)(void *ctx, uint32_t rule, struct prefilter_ends ends);

void prefilter_scan(const struct prefilter *pf, struct prefilter_scratch *scratch, const uint8_t *p,
                    uint32_t n, prefilter_fn each, void *ctx);

/* NULL: no memory. */
struct prefilter_stream *prefilter_open(const struct prefilter *pf, struct mem *mem);
/*
 * size: prefilter_stream_size() of its prefilter, which need not exist any more. NULL is allowed.
 */
void prefilter_close(size_t size, struct mem *mem, struct prefilter_stream *stream);
void prefilter_reset(struct prefilter_stream *stream, struct prefilter_scratch *scratch);

/* before: bytes that the stream was given since it was opened or reset. */
void prefilter_scan_stream(const struct prefilter *pf, struct prefilter_stream *stream,
                           struct prefilter_scratch *scratch, uint64_t before, const uint8_t *p,
                           uint32_t n, prefilter_fn each, void *ctx);

/* Name and version of what finds patterns. */
const char *prefilter_engine(void);

/* Its stream is scanned soon; NULL is allowed. Always inline, see monitor/take.c. */
static inline __attribute__((always_inline)) void
prefilter_prefetch(const struct prefilter_stream *stream)
{
    __builtin_prefetch(stream);
    __builtin_prefetch((const void *)((uintptr_t)stream + 64));
}

/* Bytes of one stream. */
size_t prefilter_stream_size(const struct prefilter *pf);

#endif
