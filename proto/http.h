/*
 * HTTP/1.x, by libhtp: http.c is the only file that knows it. Requests and responses of both
 * directions of a connection, pipelined too, with their headers; bodies where they are asked for.
 *
 * A hole within a body, whose length its header told, is passed over. Behind any other the
 * direction is given up: where a message begins would be a guess. What a tunnel carries (CONNECT)
 * is for the caller to detect anew, from the event of the response to it on.
 *
 * Most messages leave nothing to interpret (http_form.h). With http_opts.forms a transaction of
 * these is read without libhtp, and told at the same points and in the same words
 * (tests/fuzz/fuzz_http.c compares); whatever else comes, libhtp is given the transaction from its
 * beginning.
 *
 * Memory:  libhtp allocates as it parses, the one exception on the packet path; struct http_opts
 *          bounds how much: 1 KiB a connection, 3 KiB for each message under way (measured), the
 *          heads of these (at most pending * head bytes a direction), 8 bytes for each request.
 *          32 parsers are kept when their connections close, for others. Without libhtp a
 *          connection takes 128 bytes of http_share.mem, its transaction 64 and two heads.
 *          What limits refuse is counted.
 * Threads: an object and its connections belong to one core.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <weir/error.h>
#include <weir/event.h>

struct mem;
struct http;      /* opaque */
struct http_flow; /* opaque: one connection */

enum http_event_type {
    HTTP_REQUEST_START, /* detail: the first byte of a request came */
    HTTP_REQUEST_RAW,   /* detail: bytes of its headers, or trailer, as they came; see http_raw() */
    HTTP_REQUEST,       /* its headers are complete */
    HTTP_REQUEST_BODY,  /* some of it */
    HTTP_REQUEST_END,   /* it is complete */
    HTTP_RESPONSE_START, /* detail: likewise */
    HTTP_RESPONSE_RAW,
    HTTP_RESPONSE,      /* an interim one (100) is not told */
    HTTP_RESPONSE_BODY, /* without chunks' lengths; with its Content-Encoding, or decompressed */
    HTTP_RESPONSE_END,
    HTTP_NOTE,  /* detail: libhtp noticed what is told by note */
    HTTP_GONE,  /* detail: the last that is told of a transaction */
    HTTP_MOVED, /* detail: what was htp in earlier events of the transaction is another now */
};

/*
 * All is lent; what is not there has a p of NULL. Of a response, request's fields are those of the
 * request that it answers, if that was seen. With detail only the events of heads have more than
 * tx, data and htp (http_look() tells the rest); without, those of bodies have no more.
 */
struct http_event {
    enum http_event_type type;
    uint64_t tx;                                   /* which transaction of the connection, from 0 */
    struct weir_bytes line, method, uri, protocol; /* of the request, as they came */
    struct weir_bytes path, query;                 /* of the URI, decoded as servers do */
    struct weir_bytes host; /* of URI or Host, without port, case as it came */
    struct weir_bytes response_line, response_protocol, status_text, message;
    bool interim;                            /* a response with 100 came before this one */
    int status;                              /* -1: not a number; 0: no response yet */
    int64_t request_length, response_length; /* of bodies, as they came: with chunks' lengths */
    struct weir_bytes data; /* of a body or head; p is NULL for bytes that a hole took, ... */
    bool skimmed;           /* ... or that http_skim() passed over */
    const char *note;       /* "http.gzip_decompression_failed": names are Suricata's; static */
    bool to_client;         /* whose note it is */
    void *htp;              /* the transaction, for the functions below; NULL: of a note, none */
};

typedef void http_fn(void *ctx, const struct http_event *event);

/* Zeros: the numbers that are given. */
struct http_opts {
    uint32_t flows;    /* connections of a share at a time; 32768 */
    uint32_t requests; /* of a connection; 8192 */
    uint32_t pending;  /* requests without a response, of a connection; 32 */
    uint32_t head;     /* bytes of a line and its headers; 32768 */
    uint32_t headers;  /* of a message; 128 */
    bool bodies;       /* tell of bodies */
    bool detail;       /* tell of all that is marked so above; otherwise it costs nothing */
    bool decompress;   /* bodies are told decompressed: gzip, deflate */
    bool lzma;         /* and LZMA */
    uint8_t layers;    /* of compression that are undone; 2 */
    uint32_t bomb;     /* bytes that may come out of less than a 2048th of them; 1 MiB */
    uint32_t time;     /* microseconds of work, the only bound by the clock on the wall; 1 second,
                          more is not possible */
    bool forms;        /* with detail: messages of a form that leaves nothing to interpret are read
                          without libhtp, and kept in http_share.mem; else all are libhtp's */
};

/* What connections that share a limit take. */
struct http_share {
    struct mem *mem; /* NULL: they are malloc()'s; not with http_opts.forms */
    uint32_t flows;  /* open connections: at most http_opts.flows */
};

/* What limits refused; they only grow. */
struct http_stats {
    uint64_t flows;     /* connections that were not parsed: opts.flows, or no memory */
    uint64_t requests;  /* connections given up: opts.requests */
    uint64_t pending;   /* likewise */
    uint64_t head;      /* directions given up: opts.head or opts.headers */
    uint64_t malformed; /* directions that libhtp gave up */
    uint64_t bombs;     /* bodies that were not decompressed further: opts.bomb, opts.time */
    uint64_t lost;      /* directions given up behind a hole */
};

/* WEIR_E_OK, WEIR_E_NOMEM; WEIR_E_UNSUPPORTED: built without libhtp. */
int http_new(const struct http_opts *opts, http_fn *fn, struct http **out);

/* NULL is allowed. Its connections must be closed. */
void http_free(struct http *http);

const struct http_stats *http_get_stats(const struct http *http);

/*
 * What the connections that are opened, fed or closed from now on take and count: each always the
 * same. Before it is called they share one of http's own, without mem.
 */
void http_use(struct http *http, struct http_share *share);

/* A new connection; ctx is handed to fn. NULL: refused, which is counted. */
struct http_flow *http_open(struct http *http, void *ctx);

/* The connection is over: what it leaves open is ended, and told. NULL is allowed. */
void http_close(struct http_flow *flow);

void http_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes);

/* The next n bytes will not come. */
void http_gap(struct http_flow *flow, enum weir_dir dir, uint64_t n);

/* Nothing follows in a direction; the server's end also ends the requests that it leaves open. */
void http_end(struct http_flow *flow, enum weir_dir dir);

/*
 * With detail: what follows is not HTTP, for an answer to CONNECT agreed to that. from: by enum
 * weir_dir, bytes since http_open() to where it begins. Nothing more is told but HTTP_GONE.
 */
bool http_is_tunnel(const struct http_flow *flow, uint64_t from[2]);

/* The transaction whose request or response is being read; NULL: none is. */
void *http_at_work(const struct http_flow *flow, enum weir_dir dir);

/*
 * With detail: nothing is under way. Closed and opened again, it would be the same connection, but
 * that it counts from 0 anew, and would have to be told of directions that have ended.
 */
bool http_is_idle(const struct http_flow *flow);

/* Whether a direction needs no more bytes: it was given up, or became a tunnel. */
bool http_ended(const struct http_flow *flow, enum weir_dir dir);

/* Header i of the request or response that the event tells of, in order; false: no such. */
bool http_header(const struct http_event *event, unsigned i, struct weir_bytes *name,
                 struct weir_bytes *value);

/* A header's value by name, of any case; of repeated ones libhtp joins the values with ", ". */
bool http_find(const struct http_event *event, const char *name, struct weir_bytes *value);

/* ---- transactions: from their first event to HTTP_GONE, or HTTP_RESPONSE_END without detail */

/* The caller's pointer, which begins as NULL. */
void *http_own(const void *htp);
void http_set_own(void *htp, void *own);

/* What is known of it by now, as if told by an event of this type. */
void http_look(void *htp, enum http_event_type type, struct http_event *out);

/*
 * Nobody looks at bodies from now on, or somebody does again: those as long as their header says
 * and not compressed are passed over, which takes a fraction of the time, and told as one at their
 * end. It is so, too, for the rest of a body behind http_skip_body().
 */
void http_skim(struct http *http, bool on);

/*
 * Bytes of a direction that may be told of by http_pass() instead of http_feed(): they are of a
 * body that is passed over, and not its last. So it is until something else of the connection is
 * told.
 */
uint32_t http_may_pass(const struct http_flow *flow, enum weir_dir dir);
void http_pass(struct http_flow *flow, enum weir_dir dir, uint32_t n);

/* Of a body enough was seen: what follows of it is told without decompressing it. */
void http_skip_body(void *htp, enum weir_dir dir);

/* Whether bodies of a direction are decompressed. */
bool http_is_compressed(const void *htp, enum weir_dir dir);

/* The headers of a message that libhtp did not read: of these no HTTP_*_RAW tells. */
bool http_raw(const void *htp, enum weir_dir dir, struct weir_bytes *raw);

/* The parts of an URI that are not in struct http_event. */
struct weir_bytes http_fragment(const void *htp);
struct weir_bytes http_uri_host(const void *htp);

#endif
