#include "detect/prefilter.h"

#include <hs.h>

#include <stdlib.h>
#include <string.h>

/* A pattern that several rules may have: its rules are rule[first .. first of the next). */
struct prefilter {
    hs_database_t *db;
    size_t stream_size;
    uint32_t *rule;
    uint32_t *first; /* by pattern, and one more */
};

struct prefilter_scratch {
    hs_scratch_t *hs;
    struct {
        uint64_t first, last; /* ends in the scan at hand; last is 0 if it was not found */
    } * found;                /* by pattern */
    uint32_t *hit;            /* patterns that were found */
    uint32_t n_hits, room;
};

/* Hyperscan's type is an opaque pointer; ours is only a name for it. */
static hs_stream_t *
hs_stream_of(struct prefilter_stream *stream)
{
    return (hs_stream_t *)stream;
}

/* ---- streams' memory --------------------------------------------------------------------- */

/* Hyperscan asks for a stream's memory through functions without an argument: where it comes
 * from, or goes to, is said here for the length of the call. */
static _Thread_local struct {
    struct mem *mem;
    size_t size;
} current;

static void *
stream_alloc(size_t size)
{
    current.size = size;
    return mem_alloc(current.mem, size);
}

static void
stream_free(void *p)
{
    mem_free(current.mem, p, current.size);
}

/* ---- making -------------------------------------------------------------------------------- */

static int
by_pattern(const void *a, const void *b)
{
    const struct pattern *x = a, *y = b;
    int order;

    if (x->n != y->n || x->nocase != y->nocase)
        return x->n != y->n ? (int)x->n - (int)y->n : (int)x->nocase - (int)y->nocase;
    order = memcmp(x->bytes, y->bytes, x->n);
    return order != 0 ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static bool
same_pattern(const struct pattern *x, const struct pattern *y)
{
    return x->n == y->n && x->nocase == y->nocase && memcmp(x->bytes, y->bytes, x->n) == 0;
}

/* What hs_compile_lit_multi() takes. */
struct literals {
    const char **bytes;
    size_t *length;
    unsigned *flags, *ids;
    unsigned n;
};

static bool
literals_new(struct literals *lits, size_t n)
{
    lits->bytes = calloc(n, sizeof(*lits->bytes));
    lits->length = calloc(n, sizeof(*lits->length));
    lits->flags = calloc(n, sizeof(*lits->flags));
    lits->ids = calloc(n, sizeof(*lits->ids));
    return lits->bytes != NULL && lits->length != NULL && lits->flags != NULL && lits->ids != NULL;
}

static void
literals_free(struct literals *lits)
{
    free(lits->bytes);
    free(lits->length);
    free(lits->flags);
    free(lits->ids);
}

/* Each pattern once; pf learns which rules it stands for. */
static void
unite(const struct pattern *patterns, size_t n, struct prefilter *pf, struct literals *lits)
{
    for (size_t i = 0; i < n; i++) {
        pf->rule[i] = patterns[i].rule;
        if (i > 0 && same_pattern(&patterns[i - 1], &patterns[i]))
            continue;
        lits->bytes[lits->n] = (const char *)patterns[i].bytes;
        lits->length[lits->n] = patterns[i].n;
        lits->flags[lits->n] = patterns[i].nocase ? HS_FLAG_CASELESS : 0;
        lits->ids[lits->n] = lits->n;
        pf->first[lits->n++] = (uint32_t)i;
    }
    pf->first[lits->n] = (uint32_t)n;
}

static int
compile(const struct literals *lits, bool streams, struct prefilter *pf, struct weir_errbuf *err)
{
    hs_compile_error_t *why = NULL;
    int rc = WEIR_E_OK;

    if (hs_compile_lit_multi(lits->bytes, lits->flags, lits->ids, lits->length, lits->n,
                             streams ? HS_MODE_STREAM : HS_MODE_BLOCK, NULL, &pf->db,
                             &why) != HS_SUCCESS)
        rc = weir_err_set(err, WEIR_E_NOMEM, "Hyperscan cannot compile the patterns: %s",
                          why != NULL ? why->message : "no reason given");
    hs_free_compile_error(why);
    if (rc == WEIR_E_OK && streams) {
        hs_stream_size(pf->db, &pf->stream_size);
        hs_set_stream_allocator(stream_alloc, stream_free);
    }
    return rc;
}

void
prefilter_free(struct prefilter *pf)
{
    if (pf == NULL)
        return;
    hs_free_database(pf->db);
    free(pf->rule);
    free(pf->first);
    free(pf);
}

void
prefilter_free_scratch(struct prefilter_scratch *scratch)
{
    if (scratch == NULL)
        return;
    hs_free_scratch(scratch->hs);
    free(scratch->found);
    free(scratch->hit);
    free(scratch);
}

int
prefilter_copy_scratch(const struct prefilter_scratch *scratch, struct prefilter_scratch **out)
{
    struct prefilter_scratch *s;

    *out = NULL;
    if (scratch == NULL)
        return WEIR_E_OK;
    s = calloc(1, sizeof(*s));
    if (s != NULL) {
        s->room = scratch->room;
        s->found = calloc(s->room, sizeof(*s->found));
        s->hit = calloc(s->room, sizeof(*s->hit));
    }
    if (s == NULL || s->found == NULL || s->hit == NULL ||
        hs_clone_scratch(scratch->hs, &s->hs) != HS_SUCCESS) {
        prefilter_free_scratch(s);
        return WEIR_E_NOMEM;
    }
    *out = s;
    return WEIR_E_OK;
}

/* Make room for a prefilter's matches. */
static bool
scratch_grow(struct prefilter_scratch **scratch, const struct prefilter *pf, unsigned n_patterns)
{
    struct prefilter_scratch *s = *scratch;

    if (s == NULL)
        s = *scratch = calloc(1, sizeof(*s));
    if (s == NULL || hs_alloc_scratch(pf->db, &s->hs) != HS_SUCCESS)
        return false;
    if (n_patterns <= s->room)
        return true;
    free(s->found);
    free(s->hit);
    s->found = calloc(n_patterns, sizeof(*s->found));
    s->hit = calloc(n_patterns, sizeof(*s->hit));
    s->room = s->found != NULL && s->hit != NULL ? n_patterns : 0;
    return s->room > 0;
}

int
prefilter_new(struct pattern *patterns, size_t n, bool streams, struct prefilter_scratch **scratch,
              struct prefilter **out, struct weir_errbuf *err)
{
    struct prefilter *pf = calloc(1, sizeof(*pf));
    struct literals lits = { NULL, NULL, NULL, NULL, 0 };
    int rc = WEIR_E_NOMEM;

    *out = NULL;
    if (pf != NULL && literals_new(&lits, n)) {
        pf->rule = calloc(n, sizeof(*pf->rule));
        pf->first = calloc(n + 1, sizeof(*pf->first));
    }
    if (pf != NULL && pf->rule != NULL && pf->first != NULL) {
        qsort(patterns, n, sizeof(*patterns), by_pattern);
        unite(patterns, n, pf, &lits);
        rc = compile(&lits, streams, pf, err);
    }
    if (rc == WEIR_E_OK && !scratch_grow(scratch, pf, lits.n))
        rc = weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    literals_free(&lits);
    if (rc != WEIR_E_OK) {
        prefilter_free(pf);
        return rc;
    }
    *out = pf;
    return rc;
}

/* ---- scanning ------------------------------------------------------------------------------ */

/* A pattern may be found any number of times; its rules hear of it once. */
static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
    struct prefilter_scratch *scratch = ctx;

    (void)from, (void)flags;
    if (scratch->found[id].last == 0) {
        scratch->hit[scratch->n_hits++] = id;
        scratch->found[id].first = to;
    }
    scratch->found[id].last = to;
    return 0;
}

static void
report(const struct prefilter *pf, struct prefilter_scratch *scratch, uint64_t before,
       prefilter_fn each, void *ctx)
{
    for (uint32_t k = 0; k < scratch->n_hits; k++) {
        uint32_t id = scratch->hit[k];
        struct prefilter_ends ends = { (uint32_t)(scratch->found[id].first - before),
                                       (uint32_t)(scratch->found[id].last - before) };

        scratch->found[id].last = 0;
        for (uint32_t i = pf->first[id]; i < pf->first[id + 1]; i++)
            each(ctx, pf->rule[i], ends);
    }
    scratch->n_hits = 0;
}

void
prefilter_scan(const struct prefilter *pf, struct prefilter_scratch *scratch, const uint8_t *p,
               uint32_t n, prefilter_fn each, void *ctx)
{
    hs_scan(pf->db, (const char *)p, n, 0, scratch->hs, on_match, scratch);
    report(pf, scratch, 0, each, ctx);
}

void
prefilter_scan_stream(const struct prefilter *pf, struct prefilter_stream *stream,
                      struct prefilter_scratch *scratch, uint64_t before, const uint8_t *p,
                      uint32_t n, prefilter_fn each, void *ctx)
{
    hs_scan_stream(hs_stream_of(stream), (const char *)p, n, 0, scratch->hs, on_match, scratch);
    report(pf, scratch, before, each, ctx);
}

/* ---- streams ------------------------------------------------------------------------------- */

size_t
prefilter_stream_size(const struct prefilter *pf)
{
    return pf->stream_size;
}

struct prefilter_stream *
prefilter_open(const struct prefilter *pf, struct mem *mem)
{
    hs_stream_t *stream = NULL;

    current.mem = mem;
    if (hs_open_stream(pf->db, 0, &stream) != HS_SUCCESS)
        return NULL;
    return (struct prefilter_stream *)stream;
}

void
prefilter_close(size_t size, struct mem *mem, struct prefilter_stream *stream)
{
    if (stream == NULL)
        return;
    current.mem = mem;
    current.size = size;
    hs_close_stream(hs_stream_of(stream), NULL, NULL, NULL);
}

void
prefilter_reset(struct prefilter_stream *stream, struct prefilter_scratch *scratch)
{
    hs_reset_stream(hs_stream_of(stream), 0, scratch->hs, NULL, NULL);
}

const char *
prefilter_engine(void)
{
    return hs_version();
}
