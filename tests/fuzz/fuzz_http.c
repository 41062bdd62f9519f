/*
 * HTTP: of any bytes in both directions, cut and with holes, what is told obeys its bounds and its
 * order.
 *
 * A hole of an odd length: all is told in detail, bodies decompressed.
 *
 * Input: bytes a piece (0: 1), how many of the bytes are the client's (times 8), where in each
 * direction a hole is (times 4) and how long; the bytes. Pieces of both directions take turns.
 */
#include "http.h"

#include "support/exact.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 4, HEADERS = 20, REQUESTS = 50 };

struct seen {
    uint64_t requests, ends, responses; /* told */
    struct http_flow *flow;
    bool detail;
    unsigned alive; /* transactions that are not gone */
};

static void
check_headers(const struct http_event *ev)
{
    struct weir_bytes name, value;
    unsigned n = 0;

    while (http_header(ev, n, &name, &value)) {
        assert(name.p != NULL && value.p != NULL);
        n++;
    }
    assert(n <= HEADERS);
    assert(!http_find(ev, "host", &value) || n > 0);
}

/* With detail each transaction that was told of is gone once. */
static void
check_life(struct seen *seen, const struct http_event *ev)
{
    if (!seen->detail)
        return;
    if (http_own(ev->htp) == NULL && ev->type != HTTP_GONE) {
        http_set_own(ev->htp, seen);
        seen->alive++;
    } else if (ev->type == HTTP_GONE && http_own(ev->htp) != NULL) {
        http_set_own(ev->htp, NULL);
        seen->alive--;
    }
}

static void
on_event(void *ctx, const struct http_event *ev)
{
    struct seen *seen = ctx;

    assert(ev->type <= HTTP_GONE);
    if (ev->type == HTTP_NOTE) {
        assert(ev->note != NULL);
        return;
    }
    assert((ev->type == HTTP_REQUEST_BODY || ev->type == HTTP_RESPONSE_BODY ||
            ev->type == HTTP_REQUEST_RAW || ev->type == HTTP_RESPONSE_RAW) == (ev->data.n > 0));
    check_life(seen, ev);
    if (ev->type == HTTP_REQUEST || ev->type == HTTP_RESPONSE)
        check_headers(ev);
    if (ev->type == HTTP_REQUEST) {
        assert(ev->tx < REQUESTS || ev->tx >= seen->requests);
        assert(ev->method.p != NULL && ev->line.p != NULL);
        seen->requests++;
    }
    seen->ends += ev->type == HTTP_REQUEST_END;
    seen->responses += ev->type == HTTP_RESPONSE;
    if (ev->type != HTTP_REQUEST_END && ev->type < HTTP_RESPONSE_END) /* may be told late */
        assert(seen->detail ||
               !http_ended(seen->flow,
                           ev->type < HTTP_RESPONSE_START ? WEIR_TOSERVER : WEIR_TOCLIENT));
    assert(seen->requests <= REQUESTS);
}

/* One piece of a direction, or its hole. Returns how far it is. */
static size_t
feed(struct seen *seen, enum weir_dir dir, struct weir_bytes all, size_t at, size_t piece,
     size_t hole, size_t length)
{
    size_t n = all.n - at < piece ? all.n - at : piece;
    uint8_t *copy;

    if (at < hole && at + n > hole)
        n = hole - at;
    if (at == hole && length > 0) {
        http_gap(seen->flow, dir, length);
        return at + length < all.n ? at + length : all.n;
    }
    copy = exact_copy(all.p + at, n);
    http_feed(seen->flow, dir, (struct weir_bytes){ copy, (uint32_t)n });
    free(copy);
    return at + n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_opts opts = {
        .requests = REQUESTS, .pending = 10, .head = 2000, .headers = HEADERS, .bodies = true
    };
    struct weir_bytes part[2];
    struct seen seen = { .requests = 0 };
    size_t at[2] = { 0, 0 };
    struct http *http;

    if (size < PREFIX || size > 70000)
        return 0;
    seen.detail = opts.detail = opts.decompress = opts.lzma = data[3] & 1;
    if (http_new(&opts, on_event, &http) != WEIR_E_OK)
        return 0;
    part[0] = (struct weir_bytes){ data + PREFIX, (uint32_t)(size - PREFIX) };
    if (data[1] * 8U < part[0].n)
        part[0].n = data[1] * 8U;
    part[1] = (struct weir_bytes){ part[0].p + part[0].n, (uint32_t)(size - PREFIX) - part[0].n };
    seen.flow = http_open(http, &seen);
    while (at[0] < part[0].n || at[1] < part[1].n)
        for (unsigned dir = 0; dir < 2; dir++)
            if (at[dir] < part[dir].n)
                at[dir] = feed(&seen, (enum weir_dir)dir, part[dir], at[dir], data[0] + 1U,
                               data[2] * 4U, data[3]);
    http_close(seen.flow);
    assert(seen.alive == 0);
    http_free(http);
    return 0;
}
