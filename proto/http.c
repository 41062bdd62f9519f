#include "http.h"

#include "http_notes.h"
#include "http_parts.h"
#include "mem.h"

#include <htp/htp.h>

#include <stdlib.h>
#include <string.h>

/* A bomb of LZMA may take so many bytes of memory for its dictionary. */
enum { LZMA_MEMORY = 1 << 20 };

/* Parsers that are kept for other connections, and the transactions after which they are not: of
 * each libhtp remembers 8 bytes. */
enum { SPARES = 32, SPARE_TX = 512 };

struct htp {
    htp_connp_t *connp;
    struct htp *next; /* of spare ones */
    size_t first;     /* transactions before this one were another connection's */
    uint64_t before;  /* of this connection, that libhtp did not read */
    size_t retired;   /* transactions before this one are gone */
    uint64_t from[2]; /* where a tunnel begins, as fed */
    enum weir_dir feeding;
    struct weir_bytes at_hand; /* that libhtp is given */
    bool limited;              /* a limit is why libhtp was told to stop */
    bool skimming;             /* what libhtp tells of is not a hole */
    bool known;                /* what libhtp tells of was told already */
    bool moved;                /* and it has begun to */
    bool odd;                  /* something was, that may have left traces in the parser */
    bool whole;                /* the bytes at hand, or last at hand, end with a response */
};

static const struct weir_bytes no_data = { NULL, 0 };

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

static struct weir_bytes
path_of(const htp_tx_t *tx)
{
    return bytes_of_bstr(tx->parsed_uri != NULL ? tx->parsed_uri->path : NULL);
}

static struct weir_bytes
query_of(const htp_tx_t *tx)
{
    return bytes_of_bstr(tx->parsed_uri != NULL ? tx->parsed_uri->query : NULL);
}

/* From 0 on for each connection. */
static uint64_t
number_of(const struct http_flow *flow, const htp_tx_t *tx)
{
    return tx->index - flow->htp->first + flow->htp->before;
}

static void
look(htp_tx_t *tx, enum http_event_type type, struct http_event *out)
{
    *out = (struct http_event){ .type = type,
                                .tx = number_of(flow_of(tx), tx),
                                .line = bytes_of_bstr(tx->request_line),
                                .method = bytes_of_bstr(tx->request_method),
                                .uri = bytes_of_bstr(tx->request_uri),
                                .protocol = bytes_of_bstr(tx->request_protocol),
                                .path = path_of(tx),
                                .query = query_of(tx),
                                .host = bytes_of_bstr(tx->request_hostname),
                                .response_line = bytes_of_bstr(tx->response_line),
                                .response_protocol = bytes_of_bstr(tx->response_protocol),
                                .status_text = bytes_of_bstr(tx->response_status),
                                .message = bytes_of_bstr(tx->response_message),
                                .interim = tx->seen_100continue > 0,
                                .status = tx->response_status_number,
                                .request_length = tx->request_message_len,
                                .response_length = tx->response_message_len,
                                .htp = tx };
}

void
http_look(void *htp, enum http_event_type type, struct http_event *out)
{
    const struct plain *plain = plain_of(htp);

    if (plain != NULL)
        plain_look(plain, type, out);
    else
        look(htp, type, out);
}

/* Whether an event of this type says what is known of the message. */
static bool
is_looked_at(const struct http_flow *flow, enum http_event_type type)
{
    return type == HTTP_REQUEST || type == HTTP_RESPONSE ||
           (!flow->http->opts.detail && (type == HTTP_REQUEST_END || type == HTTP_RESPONSE_END));
}

static int
tell(htp_tx_t *tx, enum http_event_type type, struct weir_bytes data)
{
    struct http_flow *flow = flow_of(tx);
    struct http_event event;

    if (flow->tunnel && type != HTTP_GONE)
        return HTP_OK;
    if (flow->htp->known && type != HTTP_MOVED && type != HTTP_REQUEST_RAW &&
        type != HTTP_RESPONSE_RAW)
        return HTP_OK;
    if (is_looked_at(flow, type))
        look(tx, type, &event);
    else
        event = (struct http_event){ .type = type, .tx = number_of(flow, tx), .htp = tx };
    event.data = data;
    event.skimmed = flow->htp->skimming && data.p == NULL;
    flow->http->fn(flow->ctx, &event);
    return HTP_OK;
}

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

    begin_head(&flow->side[WEIR_TOSERVER]);
    if (flow->htp->known) {
        flow->htp->moved = true;
        htp_tx_set_user_data(tx, flow->plain->own);
        return tell(tx, HTTP_MOVED, no_data);
    }
    flow->requests++;
    return flow->http->opts.detail ? tell(tx, HTTP_REQUEST_START, no_data) : HTP_OK;
}

/* Stop libhtp because of a limit. */
static int
stop(struct http_flow *flow, uint64_t *counter)
{
    flow->htp->limited = true;
    ++*counter;
    return HTP_ERROR;
}

/* Not at a request's start: libhtp would ask again and again where an error is returned there. */
static int
on_request_line(htp_tx_t *tx)
{
    struct http_flow *flow = flow_of(tx);
    struct http *http = flow->http;

    flow->htp->odd |= tx->is_protocol_0_9; /* what follows is a body */
    if (flow->requests > http->opts.requests)
        return stop(flow, &http->stats.requests);
    if (flow->requests - flow->responses > http->opts.pending)
        return stop(flow, &http->stats.pending);
    return HTP_OK;
}

/*
 * A tunnel begins behind the heads of a CONNECT and its answer, whatever libhtp makes of the rest.
 */
static void
note_tunnel(struct http_flow *flow, const htp_tx_t *tx, enum weir_dir dir)
{
    htp_connp_t *connp = flow->htp->connp;
    const uint64_t here = dir == WEIR_TOSERVER ? htp_connp_req_data_consumed(connp)
                                               : htp_connp_res_data_consumed(connp);

    if (!flow->http->opts.detail || tx->request_method_number != HTP_M_CONNECT)
        return;
    flow->htp->from[dir] = flow->side[dir].fed + here;
    flow->tunnel = dir == WEIR_TOCLIENT && tx->response_status_number >= 200 &&
                   tx->response_status_number <= 299;
}

/* libhtp drops headers beyond its own limit without a word. */
static int
end_head(htp_tx_t *tx, enum weir_dir dir, const htp_table_t *headers, enum http_event_type type)
{
    struct http_flow *flow = flow_of(tx);

    flow->side[dir].in_head = false;
    if (headers != NULL && htp_table_size(headers) > flow->http->opts.headers)
        return stop(flow, &flow->http->stats.head);
    tell(tx, type, no_data);
    note_tunnel(flow, tx, dir);
    return HTP_OK;
}

static void
note(htp_tx_t *tx, const char *name)
{
    struct http_flow *flow = flow_of(tx);
    struct http_event event;

    flow->htp->odd = true;
    look(tx, HTTP_NOTE, &event);
    event.note = name;
    flow->http->fn(flow->ctx, &event);
}

struct flag_note {
    uint64_t flag;
    const char *name;
};

/* Newer than libhtp's list of what goes before credentials, RFC 6750. */
static bool
is_bearer(const htp_tx_t *tx)
{
    const htp_header_t *header = htp_table_get_c(tx->request_headers, "authorization");

    return header != NULL && bstr_begins_with_c_nocase(header->value, "bearer ");
}

/* What a request's head tells without a line in the log. */
static void
note_flags(htp_tx_t *tx)
{
    static const struct flag_note notes[] = {
        { HTP_REQUEST_INVALID_T_E, "http.invalid_transfer_encoding_value_in_request" },
        { HTP_REQUEST_INVALID_C_L, "http.invalid_content_length_field_in_request" },
        { HTP_HOST_MISSING, "http.missing_host_header" },
        { HTP_HOST_AMBIGUOUS, "http.host_header_ambiguous" },
        { HTP_HOSTU_INVALID, "http.request_uri_host_invalid" },
        { HTP_HOSTH_INVALID, "http.request_header_host_invalid" },
    };

    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        if (tx->flags & notes[i].flag)
            note(tx, notes[i].name);
    if (tx->request_auth_type == HTP_AUTH_UNRECOGNIZED && !is_bearer(tx))
        note(tx, "http.request_auth_unrecognized");
    if (tx->is_protocol_0_9 && tx->request_method_number == HTP_M_UNKNOWN &&
        tx->request_protocol_number < HTP_PROTOCOL_0_9)
        note(tx, "http.request_line_invalid");
}

static int
on_request_headers(htp_tx_t *tx)
{
    if (flow_of(tx)->http->opts.detail)
        note_flags(tx);
    return end_head(tx, WEIR_TOSERVER, tx->request_headers, HTTP_REQUEST);
}

static int
on_request_end(htp_tx_t *tx)
{
    flow_of(tx)->side[WEIR_TOSERVER].in_head = false;
    flow_of(tx)->side[WEIR_TOSERVER].torn = flow_of(tx)->side[WEIR_TOSERVER].skips = false;
    return tell(tx, HTTP_REQUEST_END, no_data);
}

/* libhtp would take all that follows a request without a version for a body. */
static void
correct_version(const struct http_flow *flow, htp_tx_t *tx)
{
    const size_t from = htp_connp_res_data_consumed(flow->htp->connp);
    const struct weir_bytes at = flow->htp->at_hand;

    if (tx->is_protocol_0_9 && flow->htp->feeding == WEIR_TOCLIENT && at.p != NULL && from < at.n &&
        at.n - from >= 7 && memcmp(at.p + from, "HTTP/1.", 7) == 0)
        tx->is_protocol_0_9 = 0;
}

static int
on_response_start(htp_tx_t *tx)
{
    struct http_flow *flow = flow_of(tx);

    if (flow->http->opts.detail)
        correct_version(flow, tx);
    begin_head(&flow->side[WEIR_TOCLIENT]);
    return flow->http->opts.detail ? tell(tx, HTTP_RESPONSE_START, no_data) : HTP_OK;
}

static int
on_response_headers(htp_tx_t *tx)
{
    return end_head(tx, WEIR_TOCLIENT, tx->response_headers, HTTP_RESPONSE);
}

/* Whether a parser that has read so far is like a new one. */
static void
note_end(struct htp *htp, const htp_tx_t *tx)
{
    htp->odd |= tx->request_method_number == HTP_M_CONNECT || tx->response_status_number < 200;
    htp->whole = htp->feeding == WEIR_TOCLIENT && htp->at_hand.p != NULL &&
                 (size_t)htp_connp_res_data_consumed(htp->connp) == htp->at_hand.n;
}

static int
on_response_end(htp_tx_t *tx)
{
    struct http_flow *flow = flow_of(tx);

    flow->side[WEIR_TOCLIENT].in_head = false;
    flow->side[WEIR_TOCLIENT].torn = flow->side[WEIR_TOCLIENT].skips = false;
    note_end(flow->htp, tx);
    if (flow->responses < flow->requests)
        flow->responses++;
    return tell(tx, HTTP_RESPONSE_END, no_data);
}

static int
on_body(htp_tx_data_t *d, enum http_event_type type)
{
    const enum weir_dir dir = type == HTTP_REQUEST_BODY ? WEIR_TOSERVER : WEIR_TOCLIENT;

    if (d->len == 0 || (d->data != NULL && flow_of(d->tx)->side[dir].torn))
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

/* ---- detail */

static int
on_raw(htp_tx_data_t *d, enum http_event_type type)
{
    if (d->len == 0 || d->data == NULL)
        return HTP_OK;
    return tell(d->tx, type, (struct weir_bytes){ d->data, (uint32_t)d->len });
}

static int
on_request_raw(htp_tx_data_t *d)
{
    return on_raw(d, HTTP_REQUEST_RAW);
}

static int
on_response_raw(htp_tx_data_t *d)
{
    return on_raw(d, HTTP_RESPONSE_RAW);
}

static int
on_complete(htp_tx_t *tx)
{
    return tell(tx, HTTP_GONE, no_data);
}

static int
on_log(htp_log_t *log)
{
    struct http_flow *flow = htp_connp_get_user_data(log->connp);
    struct http_event event = { .type = HTTP_NOTE };
    const char *note = flow->tunnel ? NULL : http_note_of(log->msg);

    flow->htp->odd = true;
    flow->http->stats.bombs += strncmp(log->msg, "Compression bomb", 16) == 0;
    if (note == NULL)
        return HTP_OK;
    if (log->tx != NULL)
        look(log->tx, HTTP_NOTE, &event);
    event.note = note;
    event.to_client = flow->htp->feeding == WEIR_TOCLIENT;
    flow->http->fn(flow->ctx, &event);
    return HTP_OK;
}

/* libhtp keeps its log as long as the connection: it would grow without a bound. */
static void
forget_log(struct http_flow *flow)
{
    htp_conn_t *conn = htp_connp_get_connection(flow->htp->connp);
    htp_log_t *log;

    while (conn->messages != NULL && (log = htp_list_shift(conn->messages)) != NULL) {
        free((void *)(uintptr_t)log->msg);
        free(log);
    }
}

/* A transaction that nobody is told of again. */
static void
retire(struct http_flow *flow, htp_tx_t *tx)
{
    tell(tx, HTTP_GONE, no_data);
    tx->request_progress = HTP_REQUEST_COMPLETE;
    tx->response_progress = HTP_RESPONSE_COMPLETE;
    htp_tx_destroy(tx);
    if (flow->responses < flow->requests)
        flow->responses++;
}

/* Responses are not read any more: their requests wait for nothing. */
static void
retire_requests(struct http_flow *flow)
{
    const htp_list_t *all = htp_connp_get_connection(flow->htp->connp)->transactions;

    for (size_t i = flow->htp->retired; i < htp_list_size(all); i++) {
        htp_tx_t *tx = htp_list_get(all, i);

        if (tx != NULL && (tx->request_progress != HTP_REQUEST_COMPLETE ||
                           tx == htp_connp_get_in_tx(flow->htp->connp)))
            return;
        if (tx != NULL)
            retire(flow, tx);
        flow->htp->retired = i + 1;
    }
}

/* ---- set-up */

static void
set_default(uint32_t *value, uint32_t to)
{
    if (*value == 0)
        *value = to;
}

static void
set_detail(htp_cfg_t *cfg)
{
    htp_config_set_parse_request_auth(cfg, 1);
    htp_config_set_allow_space_uri(cfg, 1);
    htp_config_set_plusspace_decode(cfg, HTP_DECODER_URLENCODED, 0);
    htp_config_set_convert_lowercase(cfg, HTP_DECODER_URL_PATH, 0);
    htp_config_set_log_level(cfg, HTP_LOG_WARNING);
    htp_config_register_log(cfg, on_log);
    htp_config_register_request_header_data(cfg, on_request_raw);
    htp_config_register_request_trailer_data(cfg, on_request_raw);
    htp_config_register_response_header_data(cfg, on_response_raw);
    htp_config_register_response_trailer_data(cfg, on_response_raw);
    htp_config_register_transaction_complete(cfg, on_complete);
}

static void
set_decompression(const struct http_opts *opts, htp_cfg_t *cfg)
{
    htp_config_set_response_decompression(cfg, 1);
    htp_config_set_request_decompression(cfg, 1);
    htp_config_set_response_decompression_layer_limit(cfg, opts->layers);
    htp_config_set_lzma_layers(cfg, opts->lzma ? 1 : 0);
    htp_config_set_lzma_memlimit(cfg, LZMA_MEMORY);
    htp_config_set_compression_bomb_limit(cfg, opts->bomb);
    htp_config_set_compression_time_limit(cfg, opts->time);
}

static int
make_config(struct http *http)
{
    htp_cfg_t *cfg = htp_config_create();

    http->cfg = cfg;
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
    if (http->opts.detail)
        set_detail(cfg);
    if (http->opts.decompress)
        set_decompression(&http->opts, cfg);
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
    set_default(&http->opts.bomb, 1 << 20);
    set_default(&http->opts.time, 1000000);
    if (http->opts.layers == 0)
        http->opts.layers = 2;
    http->fn = fn;
    http->forms = http->opts.detail && http->opts.forms;
    http->share = &http->own;
    rc = make_config(http);
    if (rc != WEIR_E_OK) {
        http_free(http);
        return rc;
    }
    *out = http;
    return WEIR_E_OK;
}

static void
free_htp(struct htp *htp)
{
    htp_connp_destroy_all(htp->connp);
    free(htp);
}

void
http_free(struct http *http)
{
    struct htp *htp;

    if (http == NULL)
        return;
    while ((htp = http->spare) != NULL) {
        http->spare = htp->next;
        free_htp(htp);
    }
    if (http->cfg != NULL)
        htp_config_destroy(http->cfg);
    free(http);
}

const struct http_stats *
http_get_stats(const struct http *http)
{
    return &http->stats;
}

/* ---- libhtp's part of a connection */

static struct htp *
make_htp(struct http *http)
{
    struct htp *htp = calloc(1, sizeof(*htp));

    if (htp == NULL)
        return NULL;
    htp->connp = htp_connp_create(http->cfg);
    if (htp->connp == NULL) {
        free(htp);
        return NULL;
    }
    htp_connp_open(htp->connp, NULL, 0, NULL, 0, NULL);
    return htp;
}

/* A parser that has read nothing, or nothing but whole transactions. */
static struct htp *
take_htp(struct http *http)
{
    struct htp *htp = http->spare;

    if (htp == NULL)
        return make_htp(http);
    http->spare = htp->next;
    http->spares--;
    *htp = (struct htp){ .connp = htp->connp };
    return htp;
}

static bool
give_htp(struct http_flow *flow)
{
    struct htp *htp = take_htp(flow->http);

    if (htp == NULL)
        return false;
    flow->htp = htp;
    htp->first = htp->retired = htp_list_size(htp_connp_get_connection(htp->connp)->transactions);
    htp_connp_set_user_data(htp->connp, flow);
    return true;
}

/* Whether libhtp knows of no transaction any more, and has read nothing of another. */
static bool
is_empty(const struct htp *htp)
{
    const htp_list_t *all = htp_connp_get_connection(htp->connp)->transactions;

    if (htp->odd || !htp->whole || htp_connp_get_in_tx(htp->connp) != NULL ||
        htp_connp_get_out_tx(htp->connp) != NULL)
        return false;
    for (size_t i = htp->retired; i < htp_list_size(all); i++)
        if (htp_list_get(all, i) != NULL)
            return false;
    return true;
}

bool
http_is_idle(const struct http_flow *flow)
{
    const struct http_side *side = flow->side;

    return flow->plain == NULL && !flow->closed && !flow->tunnel && !side[0].given_up &&
           !side[1].given_up && (flow->htp == NULL || is_empty(flow->htp));
}

/* For another connection, where it would do. */
static void
release_htp(struct http_flow *flow)
{
    struct http *http = flow->http;
    struct htp *htp = flow->htp;

    if (htp == NULL)
        return;
    if (http->spares >= SPARES || flow->side[WEIR_TOSERVER].ended || !http_is_idle(flow) ||
        htp_list_size(htp_connp_get_connection(htp->connp)->transactions) > SPARE_TX) {
        free_htp(htp);
        return;
    }
    htp->next = http->spare;
    http->spare = htp;
    http->spares++;
}

/* ---- connections */

static void *
flow_alloc(struct http *http)
{
    struct mem *mem = http->share->mem;

    return mem != NULL ? mem_alloc(mem, sizeof(struct http_flow))
                       : malloc(sizeof(struct http_flow));
}

static void
flow_free(struct http_flow *flow)
{
    struct mem *mem = flow->http->share->mem;

    if (mem != NULL)
        mem_free(mem, flow, sizeof(*flow));
    else
        free(flow);
}

void
http_use(struct http *http, struct http_share *share)
{
    http->share = share;
}

struct http_flow *
http_open(struct http *http, void *ctx)
{
    struct http_flow *flow = http->share->flows < http->opts.flows ? flow_alloc(http) : NULL;

    if (flow != NULL)
        *flow = (struct http_flow){ .http = http, .ctx = ctx };
    if (flow != NULL && !http->forms && !give_htp(flow)) {
        flow_free(flow);
        flow = NULL;
    }
    if (flow != NULL)
        http->share->flows++;
    else
        http->stats.flows++;
    return flow;
}

/* What the connection's end left open is gone, too. */
static void
tell_rest(struct http_flow *flow)
{
    const htp_list_t *all = htp_connp_get_connection(flow->htp->connp)->transactions;

    for (size_t i = flow->htp->retired; i < htp_list_size(all); i++) {
        htp_tx_t *tx = htp_list_get(all, i);

        if (tx != NULL)
            tell(tx, HTTP_GONE, no_data);
    }
}

static void tell_skimmed(struct http_flow *flow, enum weir_dir dir);
static bool hand_over(struct http_flow *flow);

static void
close_parser(struct http_flow *flow)
{
    tell_skimmed(flow, WEIR_TOSERVER);
    tell_skimmed(flow, WEIR_TOCLIENT);
    if (flow->closed || flow->side[WEIR_TOSERVER].given_up || flow->side[WEIR_TOCLIENT].given_up)
        return;
    if (flow->htp != NULL) {
        htp_connp_close(flow->htp->connp, NULL);
        forget_log(flow);
    }
    flow->closed = true;
}

void
http_end(struct http_flow *flow, enum weir_dir dir)
{
    if (flow->closed || flow->side[dir].given_up || plain_end_of(flow, dir) ||
        (flow->plain != NULL && !hand_over(flow)))
        return;
    tell_skimmed(flow, WEIR_TOSERVER);
    tell_skimmed(flow, WEIR_TOCLIENT);
    flow->side[dir].ended = true;
    if (flow->htp != NULL)
        flow->htp->feeding = dir;
    if (dir == WEIR_TOCLIENT)
        close_parser(flow);
    else if (flow->htp != NULL)
        htp_connp_req_close(flow->htp->connp, NULL);
    if (flow->htp != NULL)
        forget_log(flow);
}

/* Of those that libhtp knows of. */
static htp_tx_t *
at_work(const struct http_flow *flow, enum weir_dir dir)
{
    return dir == WEIR_TOSERVER ? htp_connp_get_in_tx(flow->htp->connp)
                                : htp_connp_get_out_tx(flow->htp->connp);
}

void *
http_at_work(const struct http_flow *flow, enum weir_dir dir)
{
    const enum plain_stage stage = dir == WEIR_TOSERVER ? PLAIN_REQUEST_BODY : PLAIN_RESPONSE_BODY;

    if (flow->plain != NULL)
        return flow->plain->stage == stage ? plain_handle(flow->plain) : NULL;
    return flow->htp != NULL ? at_work(flow, dir) : NULL;
}

bool
http_is_tunnel(const struct http_flow *flow, uint64_t from[2])
{
    if (flow->htp != NULL)
        memcpy(from, flow->htp->from, sizeof(flow->htp->from));
    return flow->tunnel;
}

void
http_close(struct http_flow *flow)
{
    if (flow == NULL)
        return;
    if (!plain_close(flow))
        (void)hand_over(flow);
    if (flow->htp != NULL && !http_is_idle(flow))
        close_parser(flow);
    if (flow->http->opts.detail && flow->htp != NULL)
        tell_rest(flow);
    release_htp(flow);
    flow->http->share->flows--;
    flow_free(flow);
}

bool
http_ended(const struct http_flow *flow, enum weir_dir dir)
{
    return flow->side[dir].given_up || flow->closed;
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
        give_up(flow, dir, flow->htp->limited ? &counted : &stats->malformed);
    return !flow->side[dir].given_up;
}

static int
feed_once(struct http_flow *flow, enum weir_dir dir, struct weir_bytes *bytes)
{
    const bool request = dir == WEIR_TOSERVER;
    struct htp *htp = flow->htp;
    size_t n;
    int rc;

    htp->feeding = dir;
    htp->at_hand = *bytes;
    htp->whole = false;
    rc = (request ? htp_connp_req_data : htp_connp_res_data)(htp->connp, NULL, bytes->p, bytes->n);
    n = (request ? htp_connp_req_data_consumed : htp_connp_res_data_consumed)(htp->connp);
    htp->at_hand = (struct weir_bytes){ NULL, 0 };
    forget_log(flow);

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
    const htp_tx_t *tx = at_work(flow, dir);

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

/* How many bytes of the body at hand are to come before its last one, which libhtp has to see; 0 if
 * it is not as long as its header said. */
static uint64_t
left_of_body(const struct http_flow *flow, enum weir_dir dir)
{
    const htp_tx_t *tx = at_work(flow, dir);
    const bool request = dir == WEIR_TOSERVER;
    int64_t whole, so_far;

    if (tx == NULL || !only_body(flow, dir, 1) || http_is_compressed(tx, dir))
        return 0;
    whole = request ? tx->request_content_length : tx->response_content_length;
    so_far = request ? tx->request_message_len : tx->response_message_len;
    return whole > so_far ? (uint64_t)(whole - so_far) - 1 : 0;
}

/*
 * Also before libhtp is given the other side's bytes: what these end is as long as it is by then.
 */
static void
tell_skimmed(struct http_flow *flow, enum weir_dir dir)
{
    struct http_side *side = &flow->side[dir];
    struct weir_bytes bytes = { NULL, side->skimmed };

    if (side->skimmed == 0 || http_ended(flow, dir))
        return;
    side->skimmed = 0;
    flow->htp->skimming = true;
    goes_on(flow, dir, feed_once(flow, dir, &bytes));
    flow->htp->skimming = false;
}

/* Pass over what of the bytes is a body that nobody looks at. */
static void
skim(struct http_flow *flow, enum weir_dir dir, struct weir_bytes *bytes)
{
    struct http_side *side = &flow->side[dir];
    uint32_t n;

    if (side->left == 0 && !side->in_head && (flow->http->skims || side->skips))
        side->left = left_of_body(flow, dir);
    if (side->left == 0)
        return;
    n = bytes->n < side->left ? bytes->n : (uint32_t)side->left;
    side->left -= n;
    side->skimmed += n;
    side->fed += n;
    bytes->p += n;
    bytes->n -= n;
    if (side->left == 0 || side->skimmed >= TOLD_AT_ONCE)
        tell_skimmed(flow, dir);
}

uint32_t
http_may_pass(const struct http_flow *flow, enum weir_dir dir)
{
    const struct http_side *side = &flow->side[dir];
    const uint64_t left = side->left;

    if (left == 0 || side->skimmed == 0 || side->given_up || flow->closed)
        return 0;
    return left - 1 < TOLD_AT_ONCE ? (uint32_t)left - 1 : TOLD_AT_ONCE;
}

void
http_pass(struct http_flow *flow, enum weir_dir dir, uint32_t n)
{
    struct http_side *side = &flow->side[dir];

    if (flow->plain != NULL)
        flow->plain->length[dir] += n;
    if (side->left != UINT64_MAX)
        side->left -= n;
    side->skimmed += n;
    side->fed += n;
    if (side->skimmed < TOLD_AT_ONCE)
        return;
    if (flow->plain != NULL)
        plain_tell_skimmed(flow, dir);
    else
        tell_skimmed(flow, dir);
}

/* ---- from messages of a form to libhtp */

/* What of a message was told already. */
static void
feed_known(struct http_flow *flow, enum weir_dir dir)
{
    enum { AT_ONCE = 1 << 30 };
    struct weir_bytes head = plain_bytes(flow->plain, dir);
    uint64_t left = flow->plain->length[dir];

    if (head.p == NULL)
        return;
    goes_on(flow, dir, feed_once(flow, dir, &head));
    while (left > 0) {
        struct weir_bytes body = { NULL, left < AT_ONCE ? (uint32_t)left : AT_ONCE };

        left -= body.n;
        goes_on(flow, dir, feed_once(flow, dir, &body));
    }
}

/* libhtp reads the connection from here on, and the transaction that is open. */
static bool
hand_over(struct http_flow *flow)
{
    struct plain *plain = flow->plain;

    for (unsigned dir = 0; dir < 2 && plain != NULL; dir++)
        plain_tell_skimmed(flow, (enum weir_dir)dir);
    if (!give_htp(flow)) {
        flow->side[WEIR_TOSERVER].given_up = flow->side[WEIR_TOCLIENT].given_up = true;
        flow->http->stats.flows++;
        plain_end(flow);
        return false;
    }
    flow->htp->before = flow->requests - (plain != NULL);
    flow->htp->known = true;
    for (unsigned dir = 0; dir < 2 && plain != NULL; dir++) {
        feed_known(flow, (enum weir_dir)dir);
        flow->side[dir].left = 0;
    }
    if (flow->side[WEIR_TOSERVER].ended)
        htp_connp_req_close(flow->htp->connp, NULL);
    flow->htp->known = false;
    if (!flow->htp->moved)
        plain_end(flow);
    else
        plain_free(plain);
    flow->plain = NULL;
    return true;
}

/*
 * HTP_STREAM_DATA_OTHER: the other direction has to go on first. A response then may go on at once;
 * what a client sends behind a CONNECT before its answer is not HTTP.
 */
void
http_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    uint32_t n;
    int rc;

    if (flow->side[dir].given_up || flow->closed)
        return;
    if (flow->htp == NULL && (plain_feed(flow, dir, bytes) || !hand_over(flow)))
        return;
    skim(flow, dir, &bytes);
    n = bytes.n;
    if (flow->side[dir].given_up || n == 0)
        return;
    tell_skimmed(flow, !dir);
    rc = feed_once(flow, dir, &bytes);
    for (unsigned i = 0; i < 2 && rc == HTP_STREAM_DATA_OTHER && bytes.n > 0; i++)
        if (dir == WEIR_TOCLIENT)
            rc = feed_once(flow, dir, &bytes);
    flow->side[dir].fed += n;
    if (flow->tunnel)
        flow->side[WEIR_TOSERVER].given_up = flow->side[WEIR_TOCLIENT].given_up = true;
    else if (goes_on(flow, dir, rc) && bytes.n > 0)
        give_up(flow, dir, &flow->http->stats.lost);
    else
        count_head(flow, dir, n);
    if (flow->http->opts.detail && flow->side[WEIR_TOCLIENT].given_up)
        retire_requests(flow);
}

/* Behind a hole nothing can be decompressed. */
static void
tear(struct http_flow *flow, enum weir_dir dir)
{
    htp_tx_t *tx = at_work(flow, dir);

    if (!http_is_compressed(tx, dir))
        return;
    flow->side[dir].torn = true;
    http_skip_body(tx, dir);
}

/* libhtp takes bytes at NULL for a hole; it would guess where a message begins behind others. */
void
http_gap(struct http_flow *flow, enum weir_dir dir, uint64_t n)
{
    struct weir_bytes hole = { NULL, (uint32_t)n };
    int rc;

    if (flow->side[dir].given_up || flow->closed || n == 0 ||
        (flow->htp == NULL && !hand_over(flow)))
        return;
    flow->side[dir].left = 0;
    tell_skimmed(flow, !dir);
    tell_skimmed(flow, dir);
    if (flow->side[dir].given_up)
        return;
    if (!only_body(flow, dir, n)) {
        give_up(flow, dir, &flow->http->stats.lost);
        return;
    }
    tear(flow, dir);
    flow->side[dir].fed += n;
    rc = feed_once(flow, dir, &hole);
    goes_on(flow, dir,
            rc); /* where the hole ends the body, rc is HTP_STREAM_CLOSED, and it is not */
}

/* ---- headers */

void *
http_own(const void *htp)
{
    const struct plain *plain = plain_of(htp);

    return plain != NULL ? plain->own : htp_tx_get_user_data(htp);
}

void
http_set_own(void *htp, void *own)
{
    struct plain *plain = plain_of(htp);

    if (plain != NULL)
        plain->own = own;
    else
        htp_tx_set_user_data(htp, own);
}

bool
http_is_compressed(const void *htp, enum weir_dir dir)
{
    const htp_tx_t *tx = htp;

    if (plain_of(htp) != NULL || !flow_of(tx)->http->opts.decompress)
        return false;
    return (dir == WEIR_TOSERVER ? tx->request_content_encoding
                                 : tx->response_content_encoding_processing) > HTP_COMPRESSION_NONE;
}

void
http_skim(struct http *http, bool on)
{
    http->skims = on;
}

/* The decompressor stays where it is, unused, until the connection or its next message needs it. */
void
http_skip_body(void *htp, enum weir_dir dir)
{
    struct plain *plain = plain_of(htp);
    htp_tx_t *tx = htp;

    (plain != NULL ? plain->flow : flow_of(tx))->side[dir].skips = true;
    if (plain != NULL)
        return;
    if (dir == WEIR_TOSERVER)
        tx->request_content_encoding = HTP_COMPRESSION_NONE;
    else
        tx->response_content_encoding_processing = HTP_COMPRESSION_NONE;
}

struct weir_bytes
http_fragment(const void *htp)
{
    const htp_tx_t *tx = htp;

    if (plain_of(htp) != NULL)
        return no_data;
    return bytes_of_bstr(tx->parsed_uri != NULL ? tx->parsed_uri->fragment : NULL);
}

struct weir_bytes
http_uri_host(const void *htp)
{
    const htp_tx_t *tx = htp;

    if (plain_of(htp) != NULL)
        return no_data;
    return bytes_of_bstr(tx->parsed_uri != NULL ? tx->parsed_uri->hostname : NULL);
}

bool
http_raw(const void *htp, enum weir_dir dir, struct weir_bytes *raw)
{
    const struct plain *plain = plain_of(htp);

    *raw = plain != NULL ? plain_raw(plain, dir) : no_data;
    return raw->p != NULL;
}

/* Whose message the event tells of. */
static enum weir_dir
side_of(const struct http_event *event)
{
    return event->type < HTTP_RESPONSE_START ? WEIR_TOSERVER : WEIR_TOCLIENT;
}

static const htp_table_t *
headers_of(const struct http_event *event)
{
    const htp_tx_t *tx = event->htp;

    return side_of(event) == WEIR_TOSERVER ? tx->request_headers : tx->response_headers;
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
    const struct plain *plain = plain_of(event->htp);
    const htp_table_t *headers;

    if (plain != NULL)
        return plain_header(plain, side_of(event), i, name, value);
    headers = headers_of(event);
    return headers != NULL && i < htp_table_size(headers) &&
           header_parts(htp_table_get_index(headers, i, NULL), name, value);
}

bool
http_find(const struct http_event *event, const char *name, struct weir_bytes *value)
{
    const struct plain *plain = plain_of(event->htp);
    const htp_table_t *headers;

    if (plain != NULL)
        return plain_find(plain, side_of(event), name, value);
    headers = headers_of(event);
    return headers != NULL && header_parts(htp_table_get_c(headers, name), NULL, value);
}
