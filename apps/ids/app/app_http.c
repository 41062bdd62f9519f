#include "app/multipart.h"
#include "app/parts.h"

#include <ctype.h>
#include <string.h>

enum { FILES_MAX = 16 };      /* of a form that are shown one by one */
enum { RAW_MAX = 128 << 10 }; /* bytes of a side's headers as they came, trailer included */

struct http_conn;

struct raw {
    uint8_t *p;
    uint32_t n, room;
};

struct http_tx {
    struct tx tx;
    void *htp;
    struct body body[2]; /* by enum weir_dir */
    struct raw raw[2];
    struct http_conn *conn;
};

struct http_conn {
    struct app_conn conn;
    struct http_flow *flow;
    unsigned open; /* transactions */
};

static struct http_tx *
http_tx_of(struct tx *tx)
{
    return (struct http_tx *)tx;
}

/* ---- headers as they came */

static void
raw_add(struct raw *raw, struct app_layer *app, struct weir_bytes bytes)
{
    size_t want = raw->room != 0 ? raw->room : 512;
    uint8_t *p;

    while (want < (size_t)raw->n + bytes.n)
        want *= 2;
    if (want > raw->room) {
        p = want <= RAW_MAX ? app_alloc(app, want) : NULL;
        if (p == NULL) {
            app->stats.text_cut++;
            return;
        }
        if (raw->n > 0)
            memcpy(p, raw->p, raw->n);
        app_release(app, raw->p, raw->room);
        raw->p = p;
        raw->room = (uint32_t)want;
    }
    memcpy(raw->p + raw->n, bytes.p, bytes.n);
    raw->n += bytes.n;
}

/*
 * Behind an interim response libhtp shows its headers, and the status line that follows, as if they
 * were the final one's. The first such line counts, so that nothing of the latter is hidden.
 */
static void
cut_interim(struct raw *raw, struct weir_bytes line)
{
    uint8_t *at = raw->p, *end = raw->p + raw->n, *next;

    for (; at < end; at = next) {
        next = memchr(at, '\n', (size_t)(end - at));
        next = next != NULL ? next + 1 : end;
        if ((size_t)(next - at) > line.n && memcmp(at, line.p, line.n) == 0) {
            memmove(raw->p, next, (size_t)(end - next));
            raw->n = (uint32_t)(end - next);
            return;
        }
    }
}

/* ---- bodies */

static uint64_t
limit_of(const struct app_layer *app, enum weir_dir dir)
{
    return dir == WEIR_TOSERVER ? app->opts.request_body : app->opts.response_body;
}

/* Enough was seen: nothing of the rest is kept, nor decompressed. */
static void
body_is_over(struct http_tx *h, enum weir_dir dir)
{
    h->body[dir].final = true;
    h->tx.app->stats.bodies_cut++;
    http_skip_body(h->htp, dir);
    tx_tell(&h->tx, dir, TX_BODY);
}

static void
take_body(struct http_tx *h, enum weir_dir dir, struct weir_bytes bytes)
{
    struct app_layer *app = h->tx.app;
    struct body *body = &h->body[dir];
    const uint64_t limit = limit_of(app, dir);

    if (!app->shows_bodies && body->n == 0) {
        body->length += bytes.n;
        return;
    }
    while (bytes.n > 0 && !body->final) {
        const uint64_t left = limit == 0             ? UINT32_MAX
                              : body->length < limit ? limit - body->length
                                                     : 0;
        uint32_t n = bytes.n < left ? bytes.n : (uint32_t)left;

        n = body_add(body, app, bytes.p, n);
        bytes.p += n;
        bytes.n -= n;
        if (limit != 0 && body->length >= limit) {
            body_is_over(h, dir);
        } else if (body_is_full(body)) {
            tx_tell(&h->tx, dir, TX_BODY);
            body_slide(body);
        }
    }
    body->length += bytes.n;
}

static void
take_hole(struct http_tx *h, enum weir_dir dir, uint32_t n)
{
    struct body *body = &h->body[dir];

    if (body->final) {
        body->length += n;
        return;
    }
    if (body->fresh)
        tx_tell(&h->tx, dir, TX_BODY);
    body_skip(body, n);
}

static void
on_body(struct http_tx *h, enum weir_dir dir, struct weir_bytes bytes, bool skimmed)
{
    if (!h->tx.head[dir])
        tx_tell(&h->tx, dir, TX_HEAD);
    if (skimmed)
        h->body[dir].length += bytes.n;
    else if (bytes.p == NULL)
        take_hole(h, dir, bytes.n);
    else
        take_body(h, dir, bytes);
}

/* ---- what the parser tells */

static struct http_tx *
begin(struct http_conn *c, const struct http_event *ev)
{
    struct http_tx *h = http_own(ev->htp);

    if (h != NULL)
        return h;
    h = app_make(c->conn.app, sizeof(*h));
    if (h == NULL)
        return NULL;
    tx_begin(c->conn.app, c->conn.flow, APP_HTTP, &h->tx);
    h->htp = ev->htp;
    h->conn = c;
    c->open++;
    http_set_own(ev->htp, h);
    return h;
}

static void
on_end(struct http_tx *h, enum weir_dir dir)
{
    h->body[dir].final = true;
    tx_tell(&h->tx, dir, TX_END);
}

static void
on_gone(struct http_tx *h)
{
    struct app_layer *app = h->tx.app;
    void *htp = h->htp;

    for (unsigned dir = 0; dir < 2; dir++)
        h->body[dir].final = true;
    tx_finish(&h->tx);
    for (unsigned dir = 0; dir < 2; dir++) {
        body_free(&h->body[dir], app);
        app_release(app, h->raw[dir].p, h->raw[dir].room);
    }
    http_set_own(htp, NULL);
    h->conn->open--;
    app_release(app, h, sizeof(*h));
}

static void
on_tx_event(struct http_tx *h, const struct http_event *ev)
{
    const enum weir_dir dir = ev->type < HTTP_RESPONSE_START ? WEIR_TOSERVER : WEIR_TOCLIENT;

    switch (ev->type) {
    case HTTP_REQUEST_RAW:
    case HTTP_RESPONSE_RAW:
        raw_add(&h->raw[dir], h->tx.app, ev->data);
        break;
    case HTTP_REQUEST:
    case HTTP_RESPONSE:
        if (ev->interim && ev->type == HTTP_RESPONSE && ev->response_line.n > 0)
            cut_interim(&h->raw[dir], ev->response_line);
        if (!h->tx.head[dir])
            tx_tell(&h->tx, dir, TX_HEAD);
        break;
    case HTTP_REQUEST_BODY:
    case HTTP_RESPONSE_BODY:
        on_body(h, dir, ev->data, ev->skimmed);
        break;
    case HTTP_REQUEST_END:
    case HTTP_RESPONSE_END:
        on_end(h, dir);
        break;
    case HTTP_GONE:
        on_gone(h);
        break;
    case HTTP_MOVED:
        h->htp = ev->htp;
        break;
    default:
        break;
    }
}

static void
on_http(void *ctx, const struct http_event *ev)
{
    struct http_conn *c = ctx;
    struct http_tx *h;

    if (ev->type == HTTP_NOTE) {
        h = ev->htp != NULL ? http_own(ev->htp) : NULL;
        app_tell_event(c->conn.app, ev->note, h != NULL ? &h->tx : NULL,
                       ev->to_client ? WEIR_TOCLIENT : WEIR_TOSERVER);
        return;
    }
    h = ev->type >= HTTP_GONE ? http_own(ev->htp) : begin(c, ev);
    if (h != NULL)
        on_tx_event(h, ev);
}

enum { FLOWS = 512 }; /* of a shard, in the midst of a transaction */

/* ---- the connection */

int
app_http_new(const struct app_opts *opts, struct http **out)
{
    const struct http_opts http = { .requests = 1U << 20,
                                    .flows = FLOWS,
                                    .pending = 512,
                                    .head = 64 << 10,
                                    .headers = 1024,
                                    .bodies = true,
                                    .detail = true,
                                    .decompress = true,
                                    .lzma = opts->lzma,
                                    .layers = opts->layers,
                                    .bomb = opts->bomb,
                                    .time = opts->time,
                                    .forms = true };

    return http_new(&http, on_http, out);
}

static bool
open_http(struct app_layer *app, struct app_conn *conn)
{
    struct http_conn *c = (struct http_conn *)conn;

    c->flow = app->http != NULL ? http_open(app->http, c) : NULL;
    return c->flow != NULL;
}

static void
feed(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, struct weir_bytes bytes)
{
    (void)app;
    http_feed(((struct http_conn *)conn)->flow, dir, bytes);
}

static uint32_t
may_pass(const struct app_conn *conn, enum weir_dir dir)
{
    return http_may_pass(((const struct http_conn *)conn)->flow, dir);
}

static void
pass(struct app_conn *conn, enum weir_dir dir, uint32_t n)
{
    http_pass(((struct http_conn *)conn)->flow, dir, n);
}

static void
gap(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, uint64_t n)
{
    (void)app;
    http_gap(((struct http_conn *)conn)->flow, dir, n);
}

static void
end(struct app_layer *app, struct app_conn *conn, enum weir_dir dir)
{
    (void)app;
    http_end(((struct http_conn *)conn)->flow, dir);
}

/* The sides at work show what they have of a body. */
static bool
pause_http(struct app_layer *app, struct app_conn *conn)
{
    struct http_conn *c = (struct http_conn *)conn;

    (void)app;
    for (unsigned dir = 0; dir < 2; dir++) {
        void *htp = http_at_work(c->flow, (enum weir_dir)dir);
        struct http_tx *h = htp != NULL ? http_own(htp) : NULL;

        if (h == NULL || h->tx.ended[dir] || !h->body[dir].fresh)
            continue;
        tx_tell(&h->tx, (enum weir_dir)dir, TX_BODY);
        h->body[dir].fresh = false;
    }
    return c->open > 0;
}

static bool
ended(const struct app_conn *conn, enum weir_dir dir)
{
    return http_ended(((const struct http_conn *)conn)->flow, dir);
}

static bool
is_idle(const struct app_conn *conn)
{
    const struct http_conn *c = (const struct http_conn *)conn;

    return c->open == 0 && http_is_idle(c->flow);
}

static void
close_http(struct app_layer *app, struct app_conn *conn)
{
    (void)app;
    http_close(((struct http_conn *)conn)->flow);
}

bool
app_http_is_tunnel(const struct app_conn *conn, uint64_t from[2])
{
    return http_is_tunnel(((const struct http_conn *)conn)->flow, from);
}

const struct app_ops app_http = { .size = sizeof(struct http_conn),
                                  .open = open_http,
                                  .feed = feed,
                                  .gap = gap,
                                  .end = end,
                                  .pause = pause_http,
                                  .may_pass = may_pass,
                                  .pass = pass,
                                  .ended = ended,
                                  .idle = is_idle,
                                  .close = close_http };

/* ---- for records */

bool
tx_http(struct tx *tx, enum http_event_type type, struct http_event *out)
{
    if (tx->proto != APP_HTTP)
        return false;
    http_look(http_tx_of(tx)->htp, type, out);
    return true;
}

uint64_t
tx_body_length(const struct tx *tx, enum weir_dir dir)
{
    return tx->proto == APP_HTTP ? ((const struct http_tx *)tx)->body[dir].length : 0;
}

/* ---- buffers that lie as they are */

static bool
is_there(struct weir_bytes bytes, struct tx_bytes *out)
{
    if (bytes.p == NULL)
        return false;
    *out = (struct tx_bytes){ .p = bytes.p, .n = bytes.n, .start = 0, .final = true };
    return true;
}

static bool
body_of(const struct http_tx *h, enum weir_dir dir, struct tx_bytes *out)
{
    const struct body *body = &h->body[dir];

    if (!h->tx.head[dir] || body->p == NULL)
        return false;
    *out =
        (struct tx_bytes){ .p = body->p, .n = body->n, .start = body->start, .final = body->final };
    return true;
}

static struct http_event
look(const struct http_tx *h, enum weir_dir dir)
{
    struct http_event ev;

    http_look(h->htp, dir == WEIR_TOSERVER ? HTTP_REQUEST : HTTP_RESPONSE, &ev);
    return ev;
}

/* Whether the request's body says that it is a form of files. */
static bool
is_form(const struct http_tx *h)
{
    const struct http_event ev = look(h, WEIR_TOSERVER);
    struct weir_bytes type, boundary;

    return http_find(&ev, "content-type", &type) && multipart_boundary(type, &boundary);
}

/*
 * A file of a form, else the whole: what is no form has one. A form that slides is shown as it is.
 * Looking for each file reads all before it, so that behind so many the rest is shown as one.
 * name: as the form has it; no bytes if it is no form, or slides.
 */
static bool
file_of_request(const struct http_tx *h, unsigned i, struct tx_bytes *out, struct weir_bytes *name)
{
    const struct http_event ev = look(h, WEIR_TOSERVER);
    struct weir_bytes type, boundary, file;
    enum multipart found = MULTIPART_NONE;

    *name = (struct weir_bytes){ NULL, 0 };
    if (!body_of(h, WEIR_TOSERVER, out))
        return false;
    if (out->start == 0 && http_find(&ev, "content-type", &type) && i <= FILES_MAX &&
        multipart_boundary(type, &boundary))
        found = multipart_file((struct weir_bytes){ out->p, out->n }, boundary, i, &file, name);
    if (found == MULTIPART_NONE)
        return i == 0;
    if (found == MULTIPART_END)
        return false;
    if (i == FILES_MAX)
        file.n = (uint32_t)(out->p + out->n - file.p);
    out->p = file.p;
    out->n = file.n;
    out->final |= found == MULTIPART_FILE;
    return true;
}

/* What a body is called: by its own header, else by what was asked for, or where it goes. */
static bool
name_of_body(const struct http_tx *h, enum weir_dir dir, struct weir_bytes *name)
{
    const struct http_event response = look(h, WEIR_TOCLIENT);
    struct weir_bytes disposition;

    if (dir == WEIR_TOCLIENT && http_find(&response, "content-disposition", &disposition) &&
        multipart_file_name(disposition, name))
        return true;
    *name = look(h, WEIR_TOSERVER).path;
    return name->n > 0;
}

bool
tx_file_name(struct tx *tx, enum weir_dir dir, struct weir_bytes *name)
{
    return tx->proto == APP_HTTP && name_of_body(http_tx_of(tx), dir, name);
}

/* The name of a file that there is: of a form its own. */
static bool
name_of_file(const struct http_tx *h, enum weir_dir dir, unsigned i, struct weir_bytes *name)
{
    struct tx_bytes file;

    if (dir == WEIR_TOCLIENT)
        return i == 0 && body_of(h, dir, &file) && name_of_body(h, dir, name);
    if (!file_of_request(h, i, &file, name))
        return false;
    return name->n > 0 || (!is_form(h) && name_of_body(h, dir, name));
}

bool
http_file_size(struct tx *tx, enum weir_dir dir, unsigned i, int64_t *out)
{
    const struct http_tx *h = http_tx_of(tx);
    struct weir_bytes name;
    struct tx_bytes file;

    if (!tx->ended[dir] || h->body[dir].length == 0)
        return false;
    *out = (int64_t)h->body[dir].length;
    if (dir == WEIR_TOCLIENT || !is_form(h) || !body_of(h, dir, &file) || file.start > 0)
        return i == 0;
    if (!file_of_request(h, i, &file, &name))
        return false;
    *out = file.n;
    return true;
}

/* The header whose value is a buffer; NULL: it is of another kind, or not of this side. */
static const char *
header_of(enum weir_dir dir, enum buffer_id id)
{
    const bool request = dir == WEIR_TOSERVER;

    switch (id) {
    case BUFFER_HTTP_USER_AGENT:
        return request ? "user-agent" : NULL;
    case BUFFER_HTTP_REFERER:
        return request ? "referer" : NULL;
    case BUFFER_HTTP_ACCEPT:
        return request ? "accept" : NULL;
    case BUFFER_HTTP_ACCEPT_ENC:
        return request ? "accept-encoding" : NULL;
    case BUFFER_HTTP_ACCEPT_LANG:
        return request ? "accept-language" : NULL;
    case BUFFER_HTTP_COOKIE:
        return request ? "cookie" : "set-cookie";
    case BUFFER_HTTP_CONNECTION:
        return "connection";
    case BUFFER_HTTP_CONTENT_TYPE:
        return "content-type";
    case BUFFER_HTTP_CONTENT_LEN:
        return "content-length";
    case BUFFER_HTTP_LOCATION:
        return request ? NULL : "location";
    case BUFFER_HTTP_SERVER:
        return request ? NULL : "server";
    default:
        return NULL;
    }
}

/* The host of the URI, else the header's value with its port. */
static struct weir_bytes
raw_host(const struct http_event *ev)
{
    struct weir_bytes host = http_uri_host(ev->htp);

    if (host.p == NULL)
        (void)http_find(ev, "host", &host);
    return host;
}

static struct weir_bytes
request_part(const struct http_event *ev, enum buffer_id id)
{
    switch (id) {
    case BUFFER_HTTP_URI_RAW:
        return ev->uri;
    case BUFFER_HTTP_METHOD:
        return ev->method;
    case BUFFER_HTTP_REQUEST_LINE:
        return ev->line;
    case BUFFER_HTTP_PROTOCOL:
        return ev->protocol;
    case BUFFER_HTTP_HOST_RAW:
        return raw_host(ev);
    default:
        return (struct weir_bytes){ NULL, 0 };
    }
}

static struct weir_bytes
response_part(const struct http_event *ev, enum buffer_id id)
{
    switch (id) {
    case BUFFER_HTTP_STAT_CODE:
        return ev->status_text;
    case BUFFER_HTTP_STAT_MSG:
        return ev->message;
    case BUFFER_HTTP_RESPONSE_LINE:
        return ev->response_line;
    case BUFFER_HTTP_PROTOCOL:
        return ev->response_protocol;
    default:
        return (struct weir_bytes){ NULL, 0 };
    }
}

static struct weir_bytes
raw_of(const struct http_tx *h, enum weir_dir dir)
{
    struct weir_bytes raw;

    if (http_raw(h->htp, dir, &raw))
        return raw;
    return (struct weir_bytes){ h->raw[dir].p, h->raw[dir].n };
}

static bool
is_body(enum weir_dir dir, enum buffer_id id)
{
    return id == BUFFER_FILE_DATA || (dir == WEIR_TOSERVER && id == BUFFER_HTTP_REQUEST_BODY) ||
           (dir == WEIR_TOCLIENT && id == BUFFER_HTTP_RESPONSE_BODY);
}

bool
http_direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i, struct tx_bytes *out)
{
    const struct http_tx *h = http_tx_of(tx);
    const struct http_event ev = look(h, dir);
    const char *header = header_of(dir, id);
    struct weir_bytes value;

    if (id == BUFFER_FILE_DATA && dir == WEIR_TOSERVER)
        return file_of_request(h, i, out, &value);
    if (id == BUFFER_FILE_NAME)
        return name_of_file(h, dir, i, &value) && is_there(value, out);
    if (i > 0)
        return false;
    if (is_body(dir, id))
        return body_of(h, dir, out);
    if (id == BUFFER_HTTP_HEADER_RAW)
        return is_there(raw_of(h, dir), out);
    if (header != NULL)
        return http_find(&ev, header, &value) && is_there(value, out);
    return is_there((dir == WEIR_TOSERVER ? request_part : response_part)(&ev, id), out);
}

/* ---- buffers that are put together */

static void
add(struct app_layer *app, struct weir_bytes bytes)
{
    if (bytes.n > 0)
        build_add(app, bytes.p, bytes.n);
}

static bool
has_name(struct weir_bytes bytes, const char *name)
{
    const size_t n = strlen(name);

    if (bytes.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((bytes.p[i] >= 'A' && bytes.p[i] <= 'Z' ? bytes.p[i] | 0x20 : bytes.p[i]) != name[i])
            return false;
    return true;
}

static int
hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %41 becomes A (RFC 3986 section 2.1); a plus stays, as in Suricata, for it may be one. */
static void
add_decoded(struct app_layer *app, struct weir_bytes bytes)
{
    uint32_t from = 0;

    if (bytes.n == 0)
        return;
    for (uint32_t i = 0; i + 2 < bytes.n; i++) {
        int high = bytes.p[i] == '%' ? hex_of(bytes.p[i + 1]) : -1;
        int low = high >= 0 ? hex_of(bytes.p[i + 2]) : -1;
        uint8_t c;

        if (low < 0)
            continue;
        c = (uint8_t)(high << 4 | low);
        add(app, (struct weir_bytes){ bytes.p + from, i - from });
        build_add(app, &c, 1);
        i += 2;
        from = i + 1;
    }
    add(app, (struct weir_bytes){ bytes.p + from, bytes.n - from });
}

/* The path as servers understand it, the query decoded once, the fragment as it came. */
static bool
build_uri(struct app_layer *app, const struct http_event *ev)
{
    const struct weir_bytes fragment = http_fragment(ev->htp);

    if (ev->uri.p == NULL)
        return false;
    add(app, ev->path);
    if (ev->query.p != NULL)
        build_add(app, "?", 1);
    add_decoded(app, ev->query);
    if (fragment.p != NULL)
        build_add(app, "#", 1);
    add(app, fragment);
    build_instance(app);
    return true;
}

/* "CONNECT /" names none, whatever libhtp takes for it. */
static bool
is_host(struct weir_bytes host)
{
    for (uint32_t i = 0; i < host.n; i++)
        if (isalnum(host.p[i]) || host.p[i] >= 0x80)
            return true;
    return false;
}

static bool
build_host(struct app_layer *app, const struct http_event *ev)
{
    if (!is_host(ev->host))
        return false;
    for (uint32_t i = 0; i < ev->host.n; i++) {
        const uint8_t c = ev->host.p[i];
        const uint8_t lower = c >= 'A' && c <= 'Z' ? c | 0x20 : c;

        build_add(app, &lower, 1);
    }
    build_instance(app);
    return true;
}

/* "Name: value" of each header; with ends behind each, or as instances. */
static void
add_headers(struct app_layer *app, const struct http_event *ev, const char *but, bool instances)
{
    struct weir_bytes name, value;

    for (unsigned i = 0; http_header(ev, i, &name, &value); i++) {
        if (but != NULL && has_name(name, but))
            continue;
        add(app, name);
        build_add(app, ": ", 2);
        add(app, value);
        if (instances)
            build_instance(app);
        else
            build_add(app, "\r\n", 2);
    }
}

/* All headers but cookies, which have a buffer of their own. */
static bool
build_header(struct app_layer *app, const struct http_event *ev, enum weir_dir dir)
{
    struct weir_bytes name, value;

    if (!http_header(ev, 0, &name, &value))
        return false;
    add_headers(app, ev, dir == WEIR_TOSERVER ? "cookie" : "set-cookie", false);
    build_instance(app);
    return true;
}

static bool
build_names(struct app_layer *app, const struct http_event *ev)
{
    struct weir_bytes name, value;

    if (!http_header(ev, 0, &name, &value))
        return false;
    build_add(app, "\r\n", 2);
    for (unsigned i = 0; http_header(ev, i, &name, &value); i++) {
        add(app, name);
        build_add(app, "\r\n", 2);
    }
    build_add(app, "\r\n", 2);
    build_instance(app);
    return true;
}

static bool
build_start(struct app_layer *app, const struct http_event *ev, enum weir_dir dir)
{
    const struct weir_bytes line = dir == WEIR_TOSERVER ? ev->line : ev->response_line;

    if (line.p == NULL)
        return false;
    add(app, line);
    build_add(app, "\r\n", 2);
    add_headers(app, ev, NULL, false);
    build_add(app, "\r\n", 2);
    build_instance(app);
    return true;
}

bool
http_build(struct tx *tx, enum weir_dir dir, enum buffer_id id)
{
    const struct http_event ev = look(http_tx_of(tx), dir);
    const bool request = dir == WEIR_TOSERVER;

    switch (id) {
    case BUFFER_HTTP_URI:
        return request && build_uri(tx->app, &ev);
    case BUFFER_HTTP_HOST:
        return request && build_host(tx->app, &ev);
    case BUFFER_HTTP_HEADER:
        return build_header(tx->app, &ev, dir);
    case BUFFER_HTTP_HEADER_NAMES:
        return build_names(tx->app, &ev);
    case BUFFER_HTTP_START:
        return build_start(tx->app, &ev, dir);
    case BUFFER_HTTP_REQUEST_HEADER:
    case BUFFER_HTTP_RESPONSE_HEADER:
        if (request != (id == BUFFER_HTTP_REQUEST_HEADER))
            return false;
        add_headers(tx->app, &ev, NULL, true);
        return true;
    default:
        return false;
    }
}
