/*
 * HTTP: of any bytes in both directions, cut and with holes, what is told obeys its bounds and its
 * order.
 *
 * A hole of an odd length: all is told in detail, bodies decompressed; and what is told is the same
 * where messages of a form are read without libhtp, but for how bodies and raw headers are cut.
 *
 * Input: bytes a piece (0: 1), how many of the bytes are the client's (times 8), where in each
 * direction a hole is (times 4) and how long, which are switches too: 1 detail, 2 nobody looks at
 * bodies, 4 a head ends its piece, 8 the client waits for answers, 16 the client ends its
 * direction, 32 the server, 64 without libhtp connections
 * are closed and opened anew wherever nothing is under way; the bytes. Pieces of both directions
 * take turns.
 */
#include "http.h"
#include "mem.h"

#include "support/exact.h"

#include <stdarg.h>
#include <stdio.h>

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 4, HEADERS = 20, REQUESTS = 50, RAWS = 64 };

/* What was told, as text; bodies and raw headers by a sum of their bytes. */
struct story {
    char *text;
    size_t n, room;
    struct body {
        enum http_event_type type;
        uint64_t tx, n, sum;
        bool hole;
    } body;
    uint64_t raw[RAWS][2];
    bool skims; /* bodies are only counted: libhtp has to see the last byte of each */
};

struct seen {
    uint64_t requests, ends, responses, answers; /* told */
    struct http_flow *flow;
    bool detail, cut, many, reopens;
    uint64_t before, next; /* transactions of connections before this one; and of all so far */
    unsigned alive;        /* transactions that are not gone */
    struct story story;
};

/* ---- what was told */

static uint64_t
sum_of(uint64_t sum, struct weir_bytes bytes)
{
    for (uint32_t i = 0; bytes.p != NULL && i < bytes.n; i++)
        sum = (sum ^ bytes.p[i]) * UINT64_C(1099511628211);
    return sum;
}

static void
say(struct story *s, const char *format, ...)
{
    va_list ap;

    if (s->room - s->n < 256) {
        s->room = 2 * s->room + 4096;
        s->text = realloc(s->text, s->room);
        assert(s->text != NULL);
    }
    va_start(ap, format);
    s->n += (size_t)vsnprintf(s->text + s->n, s->room - s->n, format, ap);
    va_end(ap);
}

static void
say_bytes(struct story *s, const char *name, struct weir_bytes bytes)
{
    say(s, " %s:%d,%u,%llx", name, bytes.p != NULL, bytes.n, (unsigned long long)sum_of(0, bytes));
}

static void
end_body(struct story *s)
{
    if (s->body.n > 0)
        say(s, "body%d of %llu, %llu bytes%s %llx\n", (int)s->body.type,
            (unsigned long long)s->body.tx, (unsigned long long)s->body.n,
            s->body.hole ? " missing" : "", (unsigned long long)s->body.sum);
    s->body.n = 0;
}

static void
say_body(struct story *s, const struct http_event *ev)
{
    const bool hole = ev->data.p == NULL && !s->skims;

    if (s->body.n > 0 && (s->body.type != ev->type || s->body.tx != ev->tx || s->body.hole != hole))
        end_body(s);
    if (s->body.n == 0)
        s->body = (struct body){ .type = ev->type, .tx = ev->tx, .hole = hole };
    s->body.n += ev->data.n;
    if (!s->skims)
        s->body.sum = sum_of(s->body.sum, ev->data);
}

/* What is known of the transaction, and the headers of the message. */
static void
say_known(struct story *s, void *htp, enum http_event_type type)
{
    struct weir_bytes name, value;
    struct http_event ev;

    http_look(htp, type, &ev);
    say_bytes(s, "line", ev.line);
    say_bytes(s, "method", ev.method);
    say_bytes(s, "uri", ev.uri);
    say_bytes(s, "protocol", ev.protocol);
    say_bytes(s, "path", ev.path);
    say_bytes(s, "query", ev.query);
    say_bytes(s, "fragment", http_fragment(htp));
    say_bytes(s, "uri-host", http_uri_host(htp));
    say_bytes(s, "host", ev.host);
    say_bytes(s, "response-line", ev.response_line);
    say_bytes(s, "response-protocol", ev.response_protocol);
    say_bytes(s, "status", ev.status_text);
    say_bytes(s, "message", ev.message);
    say(s, " %d %d %lld %lld\n", ev.interim, ev.status, (long long)ev.request_length,
        (long long)ev.response_length);
    for (unsigned i = 0; http_header(&ev, i, &name, &value); i++) {
        say_bytes(s, "name", name);
        say_bytes(s, "value", value);
    }
    if (http_find(&ev, "content-type", &value))
        say_bytes(s, "found", value);
}

/* Headers as they came: told, or there at once. */
static uint64_t
raw_of(struct story *s, const struct http_event *ev, enum weir_dir dir)
{
    struct weir_bytes raw;

    return http_raw(ev->htp, dir, &raw) ? sum_of(0, raw) : s->raw[ev->tx % RAWS][dir];
}

static void
tell_story(struct story *s, const struct http_event *ev)
{
    const enum weir_dir dir = ev->type < HTTP_RESPONSE_START ? WEIR_TOSERVER : WEIR_TOCLIENT;
    uint64_t *raw = s->raw[ev->tx % RAWS];

    if (ev->type == HTTP_REQUEST_BODY || ev->type == HTTP_RESPONSE_BODY) {
        say_body(s, ev);
        return;
    }
    if (ev->type == HTTP_REQUEST_RAW || ev->type == HTTP_RESPONSE_RAW) {
        raw[dir] = sum_of(raw[dir], ev->data);
        return;
    }
    if (ev->type == HTTP_REQUEST_START || ev->type == HTTP_MOVED)
        raw[0] = raw[1] = 0;
    if (ev->type == HTTP_MOVED)
        return;
    end_body(s);
    say(s, "%d of %llu %s\n", (int)ev->type, (unsigned long long)ev->tx,
        ev->type == HTTP_NOTE ? ev->note : "");
    if (ev->htp != NULL && ev->type != HTTP_NOTE && ev->type != HTTP_REQUEST_START &&
        ev->type != HTTP_RESPONSE_START) /* without libhtp the head is known by then */
        say_known(s, ev->htp, ev->type);
    if (ev->htp != NULL && (ev->type == HTTP_REQUEST || ev->type == HTTP_RESPONSE))
        say(s, "raw %llx\n", (unsigned long long)raw_of(s, ev, dir));
    if (ev->type == HTTP_GONE)
        say(s, "raw %llx %llx\n", (unsigned long long)raw_of(s, ev, WEIR_TOSERVER),
            (unsigned long long)raw_of(s, ev, WEIR_TOCLIENT));
}

/* ---- what has to hold */

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
    struct http_event numbered = *ev;
    struct seen *seen = ctx;

    assert(ev->type <= HTTP_MOVED);
    numbered.tx += ev->htp != NULL ? seen->before : 0;
    if (ev->type != HTTP_NOTE && numbered.tx >= seen->next)
        seen->next = numbered.tx + 1;
    tell_story(&seen->story, &numbered);
    if (ev->type == HTTP_MOVED)
        return;
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
        assert(ev->tx < REQUESTS || ev->tx >= seen->requests || seen->many);
        assert(ev->method.p != NULL && ev->line.p != NULL);
        seen->requests++;
    }
    seen->ends += ev->type == HTTP_REQUEST_END;
    seen->answers += ev->type == HTTP_RESPONSE_END;
    seen->responses += ev->type == HTTP_RESPONSE;
    if (ev->type != HTTP_REQUEST_END && ev->type < HTTP_RESPONSE_END) /* may be told late */
        assert(seen->detail ||
               !http_ended(seen->flow,
                           ev->type < HTTP_RESPONSE_START ? WEIR_TOSERVER : WEIR_TOCLIENT));
    assert(seen->requests <= REQUESTS || seen->many);
}

/* Up to the end of a head, if there is one. */
static size_t
cut_behind_head(const uint8_t *p, size_t n)
{
    for (size_t i = 4; i <= n; i++)
        if (memcmp(p + i - 4, "\r\n\r\n", 4) == 0)
            return i;
    return n;
}

/* One piece of a direction, or its hole. Returns how far it is. */
static size_t
feed(struct seen *seen, enum weir_dir dir, struct weir_bytes all, size_t at, size_t piece,
     size_t hole, size_t length)
{
    size_t n = all.n - at < piece ? all.n - at : piece;
    uint8_t *copy;

    if (seen->cut)
        n = cut_behind_head(all.p + at, n);
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

/* After its last piece. */
static bool
end_of(struct seen *seen, enum weir_dir dir, struct weir_bytes all, size_t at, unsigned switches)
{
    if (at < all.n || !(switches & (dir == WEIR_TOSERVER ? 16 : 32)))
        return false;
    http_end(seen->flow, dir);
    return true;
}

/* As an idle connection that is opened again when more comes. */
static void
reopen(struct seen *seen, struct http *http, const bool ended[2])
{
    if (!seen->reopens || seen->alive > 0 || !http_is_idle(seen->flow))
        return;
    http_close(seen->flow);
    seen->before = seen->next;
    seen->flow = http_open(http, seen);
    for (unsigned dir = 0; dir < 2; dir++)
        if (ended[dir])
            http_end(seen->flow, (enum weir_dir)dir);
}

/* Both directions in turn. */
static void
run(const uint8_t *data, size_t size, const struct http_opts *opts, struct http_share *share,
    struct seen *seen)
{
    struct weir_bytes part[2];
    bool ended[2] = { false, false };
    size_t at[2] = { 0, 0 };
    struct http *http;

    *seen = (struct seen){ .detail = opts->detail,
                           .cut = data[3] & 4,
                           .story.skims = data[3] & 2,
                           .many = data[3] & 64,
                           .reopens = data[3] & 64 && opts->forms };
    if (http_new(opts, on_event, &http) != WEIR_E_OK)
        return;
    http_skim(http, data[3] & 2);
    http_use(http, share);
    part[0] = (struct weir_bytes){ data + PREFIX, (uint32_t)(size - PREFIX) };
    if (data[1] * 8U < part[0].n)
        part[0].n = data[1] * 8U;
    part[1] = (struct weir_bytes){ part[0].p + part[0].n, (uint32_t)(size - PREFIX) - part[0].n };
    seen->flow = http_open(http, seen);
    while (at[0] < part[0].n || at[1] < part[1].n)
        for (unsigned dir = 0; dir < 2; dir++) {
            if (at[dir] >= part[dir].n ||
                (dir == WEIR_TOSERVER && data[3] & 8 && seen->ends > seen->answers &&
                 at[WEIR_TOCLIENT] < part[WEIR_TOCLIENT].n))
                continue;
            at[dir] = feed(seen, (enum weir_dir)dir, part[dir], at[dir], data[0] + 1U, data[2] * 4U,
                           data[3]);
            ended[dir] = end_of(seen, (enum weir_dir)dir, part[dir], at[dir], data[3]);
            reopen(seen, http, ended);
        }
    http_close(seen->flow);
    assert(seen->alive == 0);
    end_body(&seen->story);
    http_free(http);
}

static void
compare(const struct story *a, const struct story *b)
{
    if (a->n != b->n || (a->n > 0 && memcmp(a->text, b->text, a->n) != 0)) {
        fprintf(stderr, "by libhtp:\n%.*s\nelse:\n%.*s\n", (int)a->n, a->text, (int)b->n, b->text);
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(ARENA_UNIT) uint8_t blocks[1 << 18];
    struct http_opts opts = {
        .requests = REQUESTS, .pending = 10, .head = 2000, .headers = HEADERS, .bodies = true
    };
    struct seen seen, again;
    struct arena arena;
    struct mem mem;
    struct http_share share = { .mem = NULL };

    if (size < PREFIX || size > 70000)
        return 0;
    if (data[3] & 64)
        opts.requests = 1000; /* of one connection; which would count anew */
    opts.detail = opts.decompress = opts.lzma = data[3] & 1;
    run(data, size, &opts, &share, &seen);
    if (opts.detail) {
        arena_init(&arena, blocks, sizeof(blocks));
        mem_init_arena(&mem, &arena, sizeof(blocks));
        opts.forms = true;
        share.mem = &mem;
        run(data, size, &opts, &share, &again);
        compare(&seen.story, &again.story);
        assert(mem.used == 0);
        arena_give_back(&arena, blocks);
        free(again.story.text);
    }
    free(seen.story.text);
    return 0;
}
