/* http{}: of a request and its answer. */
#include "out/eve_tx.h"

#include <string.h>

/* A header of the message that ev tells of; up to a semicolon if cut. */
static void
put_header(struct json *j, const char *key, const struct http_event *ev, const char *name, bool cut)
{
    struct weir_bytes value;
    const uint8_t *semicolon;

    if (!http_find(ev, name, &value))
        return;
    semicolon = cut && value.n > 0 ? memchr(value.p, ';', value.n) : NULL;
    if (semicolon != NULL)
        value.n = (uint32_t)(semicolon - value.p);
    eve_put_bytes(j, key, value);
}

static void
put_headers(struct json *j, const char *key, const struct http_event *ev)
{
    struct weir_bytes name, value;

    json_open_array(j, key);
    for (unsigned i = 0; http_header(ev, i, &name, &value); i++) {
        json_open(j, NULL);
        eve_put_bytes(j, "name", name);
        eve_put_bytes(j, "value", value);
        json_close(j);
    }
    json_close(j);
}

/* What stands behind the last colon of Host, if that is all digits. */
static void
put_port(struct json *j, const struct http_event *ev)
{
    struct weir_bytes host;
    uint32_t at, port = 0;

    if (!http_find(ev, "host", &host))
        return;
    for (at = host.n; at > 0 && host.p[at - 1] >= '0' && host.p[at - 1] <= '9'; at--)
        continue;
    if (at == host.n || at == 0 || host.p[at - 1] != ':' || host.n - at > 5)
        return;
    for (; at < host.n; at++)
        port = 10 * port + (uint32_t)(host.p[at] - '0');
    json_u64(j, "http_port", port);
}

static void
put_request(struct json *j, const struct http_event *ev, bool extended)
{
    if (ev->host.p != NULL)
        eve_put_bytes(j, "hostname", ev->host);
    put_port(j, ev);
    if (ev->uri.p != NULL)
        eve_put_bytes(j, "url", ev->uri);
    put_header(j, "http_user_agent", ev, "user-agent", false);
    if (extended)
        put_header(j, "http_refer", ev, "referer", false);
    if (extended && ev->method.p != NULL)
        eve_put_bytes(j, "http_method", ev->method);
    if (extended && ev->protocol.p != NULL)
        eve_put_bytes(j, "protocol", ev->protocol);
}

static void
put_response(struct json *j, const struct http_event *ev, bool extended)
{
    put_header(j, "http_content_type", ev, "content-type", true);
    if (!extended || ev->status <= 0)
        return;
    json_i64(j, "status", ev->status);
    if (ev->status >= 300 && ev->status < 400)
        put_header(j, "redirect", ev, "location", false);
}

void
eve_put_http(struct eve_out *eve, struct json *j, struct tx *tx)
{
    struct http_event request, response;

    if (!tx_http(tx, HTTP_REQUEST, &request))
        return;
    response = request;
    response.type = HTTP_RESPONSE; /* whose headers are looked for */
    json_open(j, "http");
    put_request(j, &request, eve->opts.http_extended);
    put_response(j, &response, eve->opts.http_extended);
    if (eve->opts.http_extended)
        json_u64(j, "length", tx_body_length(tx, WEIR_TOCLIENT));
    if (eve->opts.http_request_headers)
        put_headers(j, "request_headers", &request);
    if (eve->opts.http_response_headers)
        put_headers(j, "response_headers", &response);
    json_close(j);
}
