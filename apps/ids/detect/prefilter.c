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

/* Hyperscan's types are opaque pointers; ours are only names for them. */
static hs_scratch_t *
hs_scratch_of(struct prefilter_scratch *scratch)
{
    return (hs_scratch_t *)scratch;
}

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
    hs_free_scratch(hs_scratch_of(scratch));
}

int
prefilter_new(struct pattern *patterns, size_t n, bool streams, struct prefilter_scratch **scratch,
              struct prefilter **out, struct weir_errbuf *err)
{
    struct prefilter *pf = calloc(1, sizeof(*pf));
    struct literals lits = { NULL, NULL, NULL, NULL, 0 };
    hs_scratch_t *grown = hs_scratch_of(*scratch);
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
    if (rc == WEIR_E_OK && hs_alloc_scratch(pf->db, &grown) != HS_SUCCESS)
        rc = weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    *scratch = (struct prefilter_scratch *)grown;
    literals_free(&lits);
    if (rc != WEIR_E_OK) {
        prefilter_free(pf);
        return rc;
    }
    *out = pf;
    return rc;
}

/* ---- scanning ------------------------------------------------------------------------------ */

struct report {
    const struct prefilter *pf;
    prefilter_fn each;
    void *ctx;
};

static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
    const struct report *report = ctx;
    const struct prefilter *pf = report->pf;

    (void)from, (void)to, (void)flags;
    for (uint32_t i = pf->first[id]; i < pf->first[id + 1]; i++)
        report->each(report->ctx, pf->rule[i]);
    return 0;
}

void
prefilter_scan(const struct prefilter *pf, struct prefilter_scratch *scratch, const uint8_t *p,
               uint32_t n, prefilter_fn each, void *ctx)
{
    struct report report = { pf, each, ctx };

    hs_scan(pf->db, (const char *)p, n, 0, hs_scratch_of(scratch), on_match, &report);
}

void
prefilter_scan_stream(const struct prefilter *pf, struct prefilter_stream *stream,
                      struct prefilter_scratch *scratch, const uint8_t *p, uint32_t n,
                      prefilter_fn each, void *ctx)
{
    struct report report = { pf, each, ctx };

    hs_scan_stream(hs_stream_of(stream), (const char *)p, n, 0, hs_scratch_of(scratch), on_match,
                   &report);
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
prefilter_close(const struct prefilter *pf, struct mem *mem, struct prefilter_stream *stream)
{
    if (stream == NULL)
        return;
    current.mem = mem;
    current.size = pf->stream_size;
    hs_close_stream(hs_stream_of(stream), NULL, NULL, NULL);
}

void
prefilter_reset(struct prefilter_stream *stream, struct prefilter_scratch *scratch)
{
    hs_reset_stream(hs_stream_of(stream), 0, hs_scratch_of(scratch), NULL, NULL);
}
