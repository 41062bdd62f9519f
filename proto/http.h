/*
 * HTTP/1.x, by libhtp: http.c is the only file that knows it. Requests and responses of both
 * directions of a connection, pipelined too, with their headers; bodies where they are asked for.
 *
 * A hole within a body, whose length its header told, is passed over. Behind any other the direction
 * is given up: where a message begins would be a guess. What a tunnel carries (CONNECT) is for the
 * caller to detect anew, from the event of the response to it on.
 *
 * Memory:  libhtp allocates as it parses, the one exception on the packet path; struct http_opts
 *          bounds how much: 1 KiB a connection, 3 KiB for each message under way (measured), the
 *          heads of these (at most pending * head bytes a direction), 8 bytes for each request.
 *          What limits refuse is counted.
 * Threads: an object and its connections belong to one core.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <weir/error.h>
#include <weir/event.h>

struct http;      /* opaque */
struct http_flow; /* opaque: one connection */

enum http_event_type {
    HTTP_REQUEST,       /* its headers are complete */
    HTTP_REQUEST_BODY,  /* some of it */
    HTTP_REQUEST_END,   /* it is complete */
    HTTP_RESPONSE,      /* likewise; an interim one (100) is not told */
    HTTP_RESPONSE_BODY, /* without chunks' lengths, with its Content-Encoding */
    HTTP_RESPONSE_END,
};

/* All is lent; what is not there has a p of NULL. Of a response, request's fields are those of the
 * request that it answers, if that was seen. */
struct http_event {
    enum http_event_type type;
    uint64_t tx;                                   /* which transaction of the connection, from 0 */
    struct weir_bytes line, method, uri, protocol; /* of the request, as they came */
    struct weir_bytes path, query;                 /* of the URI, decoded as servers do */
    struct weir_bytes host; /* of URI or Host, without port, case as it came */
    struct weir_bytes response_line, response_protocol, status_text, message;
    int status;             /* -1: not a number; 0: no response yet */
    struct weir_bytes data; /* of a body; p is NULL for bytes that a hole took */
    const void *htp;        /* for http_header(), http_find() */
};

typedef void http_fn(void *ctx, const struct http_event *event);

/* Zeros: the numbers that are given. */
struct http_opts {
    uint32_t flows;    /* connections at a time; 32768 */
    uint32_t requests; /* of a connection; 8192 */
    uint32_t pending;  /* requests without a response, of a connection; 32 */
    uint32_t head;     /* bytes of a line and its headers; 32768 */
    uint32_t headers;  /* of a message; 128 */
    bool bodies;       /* tell of bodies */
};

/* What limits refused; they only grow. */
struct http_stats {
    uint64_t flows;     /* connections that were not parsed: opts.flows, or no memory */
    uint64_t requests;  /* connections given up: opts.requests */
    uint64_t pending;   /* likewise */
    uint64_t head;      /* directions given up: opts.head or opts.headers */
    uint64_t malformed; /* directions that libhtp gave up */
    uint64_t lost;      /* directions given up behind a hole */
};

/* WEIR_E_OK, WEIR_E_NOMEM; WEIR_E_UNSUPPORTED: built without libhtp. */
int http_new(const struct http_opts *opts, http_fn *fn, struct http **out);

/* NULL is allowed. Its connections must be closed. */
void http_free(struct http *http);

const struct http_stats *http_get_stats(const struct http *http);

/* A new connection; ctx is handed to fn. NULL: refused, which is counted. */
struct http_flow *http_open(struct http *http, void *ctx);

/* The connection is over: what it leaves open is ended, and told. NULL is allowed. */
void http_close(struct http_flow *flow);

void http_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes);

/* The next n bytes will not come. */
void http_gap(struct http_flow *flow, enum weir_dir dir, uint64_t n);

/* Whether a direction needs no more bytes: it was given up, or became a tunnel. */
bool http_ended(const struct http_flow *flow, enum weir_dir dir);

/* Header i of the request or response that the event tells of, in order; false: no such. */
bool http_header(const struct http_event *event, unsigned i, struct weir_bytes *name,
                 struct weir_bytes *value);

/* A header's value by name, of any case; of repeated ones libhtp joins the values with ", ". */
bool http_find(const struct http_event *event, const char *name, struct weir_bytes *value);

#endif
