#include "http.h"

#ifdef HAVE_HTP

#include <htp/htp.h>

#include <stdlib.h>

struct http {
    struct http_opts opts;
    struct http_stats stats;
    http_fn *fn;
    htp_cfg_t *cfg;
    uint32_t flows;
};

struct http_side {
    uint32_t head; /* bytes since the message began, until its headers are complete */
    bool in_head;  /* they are not yet */
    bool given_up;
};

struct http_flow {
    struct http *http;
    htp_connp_t *connp;
    void *ctx;
    uint64_t requests, responses; /* begun, complete */
    struct http_side side[2];     /* by enum weir_dir */
    bool limited;                 /* a limit is why libhtp was told to stop */
};

/* ---- what libhtp calls */

static struct http_flow *
flow_of(const htp_tx_t *tx)
{
    return htp_connp_get_user_data(tx->connp);
}

static struct weir_bytes
bytes_of_bstr(const bstr *s)
{
    if (s == NULL)
        return (struct weir_bytes){ NULL, 0 };
    return (struct weir_bytes){ bstr_ptr(s), (uint32_t)bstr_len(s) };
}

static int
tell(htp_tx_t *tx, enum http_event_type type, struct weir_bytes data)
{
    struct http_flow *flow = flow_of(tx);
    const struct http_event event = {
        .type = type,
        .tx = tx->index,
        .line = bytes_of_bstr(tx->request_line),
        .method = bytes_of_bstr(tx->request_method),
        .uri = bytes_of_bstr(tx->request_uri),
        .protocol = bytes_of_bstr(tx->request_protocol),
        .path = bytes_of_bstr(tx->parsed_uri != NULL ? tx->parsed_uri->path : NULL),
        .query = bytes_of_bstr(tx->parsed_uri != NULL ? tx->parsed_uri->query : NULL),
        .host = bytes_of_bstr(tx->request_hostname),
        .response_line = bytes_of_bstr(tx->response_line),
        .response_protocol = bytes_of_bstr(tx->response_protocol),
        .status_text = bytes_of_bstr(tx->response_status),
        .message = bytes_of_bstr(tx->response_message),
        .status = tx->response_status_number,
        .data = data,
        .htp = tx,
    };

    flow->http->fn(flow->ctx, &event);
    return HTP_OK;
}

static const struct weir_bytes no_data = { NULL, 0 };

static void
begin_head(struct http_side *side)
{
    side->head = 0;
    side->in_head = true;
}

static int
on_request_start(htp_tx_t *tx)
{
    struct http_flow *flow = flow_of(tx);

    flow->requests++;
    begin_head(&flow->side[WEIR_TOSERVER]);
    return HTP_OK;
}

/* Stop libhtp because of a limit. */
static int
stop(struct http_flow *flow, uint64_t *counter)
{
    flow->limited = true;
    ++*counter;
    return HTP_ERROR;
}

/* Not at a request's start: libhtp would ask again and again where an error is returned there. */
static int
on_request_line(htp_tx_t *tx)
{
    struct http_flow *flow = flow_of(tx);
    struct http *http = flow->http;

    if (flow->requests > http->opts.requests)
        return stop(flow, &http->stats.requests);
    if (flow->requests - flow->responses > http->opts.pending)
        return stop(flow, &http->stats.pending);
    return HTP_OK;
}

/* libhtp drops headers beyond its own limit without a word. */
static int
end_head(htp_tx_t *tx, enum weir_dir dir, const htp_table_t *headers, enum http_event_type type)
{
    struct http_flow *flow = flow_of(tx);

    flow->side[dir].in_head = false;
    if (headers != NULL && htp_table_size(headers) > flow->http->opts.headers)
        return stop(flow, &flow->http->stats.head);
    return tell(tx, type, no_data);
}

static int
on_request_headers(htp_tx_t *tx)
{
    return end_head(tx, WEIR_TOSERVER, tx->request_headers, HTTP_REQUEST);
}

static int
on_request_end(htp_tx_t *tx)
{
    flow_of(tx)->side[WEIR_TOSERVER].in_head = false;
    return tell(tx, HTTP_REQUEST_END, no_data);
}

static int
on_response_start(htp_tx_t *tx)
{
    begin_head(&flow_of(tx)->side[WEIR_TOCLIENT]);
    return HTP_OK;
}

static int
on_response_headers(htp_tx_t *tx)
{
    return end_head(tx, WEIR_TOCLIENT, tx->response_headers, HTTP_RESPONSE);
}

static int
on_response_end(htp_tx_t *tx)
{
    struct http_flow *flow = flow_of(tx);

    flow->side[WEIR_TOCLIENT].in_head = false;
    if (flow->responses < flow->requests)
        flow->responses++;
    return tell(tx, HTTP_RESPONSE_END, no_data);
}

static int
on_body(htp_tx_data_t *d, enum http_event_type type)
{
    if (d->len == 0)
        return HTP_OK;
    return tell(d->tx, type, (struct weir_bytes){ d->data, (uint32_t)d->len });
}

static int
on_request_body(htp_tx_data_t *d)
{
    return on_body(d, HTTP_REQUEST_BODY);
}

static int
on_response_body(htp_tx_data_t *d)
{
    return on_body(d, HTTP_RESPONSE_BODY);
}

/* ---- set-up */

static void
set_default(uint32_t *value, uint32_t to)
{
    if (*value == 0)
        *value = to;
}

static int
make_config(struct http *http)
{
    htp_cfg_t *cfg = http->cfg = htp_config_create();

    if (cfg == NULL || htp_config_set_server_personality(cfg, HTP_SERVER_IDS) != HTP_OK)
        return WEIR_E_NOMEM;
    htp_config_set_tx_auto_destroy(cfg, 1);
    htp_config_set_response_decompression(cfg, 0);
    htp_config_set_request_decompression(cfg, 0);
    htp_config_set_parse_request_auth(cfg, 0);
    htp_config_set_parse_request_cookies(cfg, 0);
    htp_config_set_field_limits(cfg, http->opts.head, http->opts.head);
    htp_config_set_number_headers_limit(cfg, http->opts.headers + 1);
    htp_config_set_log_level(cfg, HTP_LOG_NONE);
    htp_config_register_request_start(cfg, on_request_start);
    htp_config_register_request_line(cfg, on_request_line);
    htp_config_register_request_headers(cfg, on_request_headers);
    htp_config_register_request_complete(cfg, on_request_end);
    htp_config_register_response_start(cfg, on_response_start);
    htp_config_register_response_headers(cfg, on_response_headers);
    htp_config_register_response_complete(cfg, on_response_end);
    if (http->opts.bodies) {
        htp_config_register_request_body_data(cfg, on_request_body);
        htp_config_register_response_body_data(cfg, on_response_body);
    }
    return WEIR_E_OK;
}

int
http_new(const struct http_opts *opts, http_fn *fn, struct http **out)
{
    struct http *http = calloc(1, sizeof(*http));
    int rc;

    *out = NULL;
    if (http == NULL)
        return WEIR_E_NOMEM;
    if (opts != NULL)
        http->opts = *opts;
    set_default(&http->opts.flows, 32768);
    set_default(&http->opts.requests, 8192);
    set_default(&http->opts.pending, 32);
    set_default(&http->opts.head, 32768);
    set_default(&http->opts.headers, 128);
    http->fn = fn;
    rc = make_config(http);
    if (rc != WEIR_E_OK) {
        http_free(http);
        return rc;
    }
    *out = http;
    return WEIR_E_OK;
}

void
http_free(struct http *http)
{
    if (http == NULL)
        return;
    if (http->cfg != NULL)
        htp_config_destroy(http->cfg);
    free(http);
}

const struct http_stats *
http_get_stats(const struct http *http)
{
    return &http->stats;
}

/* ---- connections */

struct http_flow *
http_open(struct http *http, void *ctx)
{
    struct http_flow *flow = NULL;

    if (http->flows < http->opts.flows)
        flow = calloc(1, sizeof(*flow));
    if (flow != NULL)
        flow->connp = htp_connp_create(http->cfg);
    if (flow == NULL || flow->connp == NULL) {
        free(flow);
        http->stats.flows++;
        return NULL;
    }
    flow->http = http;
    flow->ctx = ctx;
    htp_connp_set_user_data(flow->connp, flow);
    htp_connp_open(flow->connp, NULL, 0, NULL, 0, NULL);
    http->flows++;
    return flow;
}

void
http_close(struct http_flow *flow)
{
    if (flow == NULL)
        return;
    if (!flow->side[WEIR_TOSERVER].given_up && !flow->side[WEIR_TOCLIENT].given_up)
        htp_connp_close(flow->connp, NULL);
    htp_connp_destroy_all(flow->connp);
    flow->http->flows--;
    free(flow);
}

bool
http_ended(const struct http_flow *flow, enum weir_dir dir)
{
    return flow->side[dir].given_up;
}

static void
give_up(struct http_flow *flow, enum weir_dir dir, uint64_t *counter)
{
    flow->side[dir].given_up = true;
    ++*counter;
}

/* What libhtp returned; whether it goes on. */
static bool
goes_on(struct http_flow *flow, enum weir_dir dir, int rc)
{
    struct http_stats *stats = &flow->http->stats;
    uint64_t counted = 0;

    if (rc == HTP_STREAM_TUNNEL || rc == HTP_STREAM_STOP)
        give_up(flow, dir, &counted);
    else if (rc == HTP_STREAM_ERROR)
        give_up(flow, dir, flow->limited ? &counted : &stats->malformed);
    return !flow->side[dir].given_up;
}

static int
feed_once(struct http_flow *flow, enum weir_dir dir, struct weir_bytes *bytes)
{
    const bool request = dir == WEIR_TOSERVER;
    int rc = (request ? htp_connp_req_data : htp_connp_res_data)(flow->connp, NULL, bytes->p,
                                                                 bytes->n);
    size_t n = (request ? htp_connp_req_data_consumed : htp_connp_res_data_consumed)(flow->connp);

    if (n > bytes->n || rc != HTP_STREAM_DATA_OTHER)
        n = bytes->n;
    if (bytes->p != NULL)
        bytes->p += n;
    bytes->n -= (uint32_t)n;
    return rc;
}

/* The longest head: that of the message at hand, and what came before it in these bytes. */
static void
count_head(struct http_flow *flow, enum weir_dir dir, uint32_t n)
{
    struct http_side *side = &flow->side[dir];

    if (!side->in_head)
        return;
    side->head += n;
    if (side->head > flow->http->opts.head)
        give_up(flow, dir, &flow->http->stats.head);
}

/*
 * HTP_STREAM_DATA_OTHER: the other direction has to go on first. A response then may go on at once;
 * what a client sends behind a CONNECT before its answer is not HTTP.
 */
void
http_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    const uint32_t n = bytes.n;
    int rc;

    if (flow->side[dir].given_up || n == 0)
        return;
    rc = feed_once(flow, dir, &bytes);
    for (unsigned i = 0; i < 2 && rc == HTP_STREAM_DATA_OTHER && bytes.n > 0; i++)
        if (dir == WEIR_TOCLIENT)
            rc = feed_once(flow, dir, &bytes);
    if (goes_on(flow, dir, rc) && bytes.n > 0)
        give_up(flow, dir, &flow->http->stats.lost);
    else
        count_head(flow, dir, n);
}

/* Of a body as long as its header said, so many bytes are to come; or it lasts to the end. */
static bool
is_in_body(uint64_t n, int coding, int64_t whole, int64_t so_far)
{
    if (coding != HTP_CODING_IDENTITY)
        return false;
    return whole < 0 || (whole >= so_far && n <= (uint64_t)(whole - so_far));
}

/* Whether the next n bytes are a body's, whatever they are. */
static bool
only_body(const struct http_flow *flow, enum weir_dir dir, uint64_t n)
{
    const htp_tx_t *tx = dir == WEIR_TOSERVER ? htp_connp_get_in_tx(flow->connp)
                                              : htp_connp_get_out_tx(flow->connp);

    if (tx == NULL || n > UINT32_MAX)
        return false;
    if (dir == WEIR_TOSERVER)
        return tx->request_progress == HTP_REQUEST_BODY &&
               is_in_body(n, tx->request_transfer_coding, tx->request_content_length,
                          tx->request_message_len);
    return tx->response_progress == HTP_RESPONSE_BODY &&
           is_in_body(n, tx->response_transfer_coding, tx->response_content_length,
                      tx->response_message_len);
}

/* libhtp takes bytes at NULL for a hole; it would guess where a message begins behind others. */
void
http_gap(struct http_flow *flow, enum weir_dir dir, uint64_t n)
{
    struct weir_bytes hole = { NULL, (uint32_t)n };
    int rc;

    if (flow->side[dir].given_up || n == 0)
        return;
    if (!only_body(flow, dir, n)) {
        give_up(flow, dir, &flow->http->stats.lost);
        return;
    }
    rc = feed_once(flow, dir, &hole);
    goes_on(flow, dir,
            rc); /* where the hole ends the body, rc is HTP_STREAM_CLOSED, and it is not */
}

/* ---- headers */

static const htp_table_t *
headers_of(const struct http_event *event)
{
    const htp_tx_t *tx = event->htp;

    return event->type < HTTP_RESPONSE ? tx->request_headers : tx->response_headers;
}

static bool
header_parts(const htp_header_t *header, struct weir_bytes *name, struct weir_bytes *value)
{
    if (header == NULL)
        return false;
    if (name != NULL)
        *name = bytes_of_bstr(header->name);
    *value = bytes_of_bstr(header->value);
    return true;
}

bool
http_header(const struct http_event *event, unsigned i, struct weir_bytes *name,
            struct weir_bytes *value)
{
    const htp_table_t *headers = headers_of(event);

    return headers != NULL && i < htp_table_size(headers) &&
           header_parts(htp_table_get_index(headers, i, NULL), name, value);
}

bool
http_find(const struct http_event *event, const char *name, struct weir_bytes *value)
{
    const htp_table_t *headers = headers_of(event);

    return headers != NULL && header_parts(htp_table_get_c(headers, name), NULL, value);
}

#else /* nothing can be made, so only http_new(), http_free() and http_close() are ever called */

int
http_new(const struct http_opts *opts, http_fn *fn, struct http **out)
{
    (void)opts;
    (void)fn;
    *out = NULL;
    return WEIR_E_UNSUPPORTED;
}

void
http_free(struct http *http)
{
    (void)http;
}

const struct http_stats *
http_get_stats(const struct http *http)
{
    static const struct http_stats none;

    (void)http;
    return &none;
}

struct http_flow *
http_open(struct http *http, void *ctx)
{
    (void)http;
    (void)ctx;
    return NULL;
}

void
http_close(struct http_flow *flow)
{
    (void)flow;
}

void
http_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    (void)flow;
    (void)dir;
    (void)bytes;
}

void
http_gap(struct http_flow *flow, enum weir_dir dir, uint64_t n)
{
    (void)flow;
    (void)dir;
    (void)n;
}

bool
http_ended(const struct http_flow *flow, enum weir_dir dir)
{
    (void)flow;
    (void)dir;
    return true;
}

bool
http_header(const struct http_event *event, unsigned i, struct weir_bytes *name,
            struct weir_bytes *value)
{
    (void)event;
    (void)i;
    (void)name;
    (void)value;
    return false;
}

bool
http_find(const struct http_event *event, const char *name, struct weir_bytes *value)
{
    (void)event;
    (void)name;
    (void)value;
    return false;
}

#endif
