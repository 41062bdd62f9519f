/* What the files of HTTP share; for them alone. */
#ifndef WEIR_HTTP_PARTS_H
#define WEIR_HTTP_PARTS_H

#include "http.h"
#include "http_form.h"

enum { TOLD_AT_ONCE = 1 << 30 }; /* bytes of a body that are passed over, at most */

struct htp;   /* libhtp's part of a connection */
struct plain; /* a transaction of messages that have a form: libhtp does not know of it */

struct http {
    struct http_opts opts;
    struct http_stats stats;
    http_fn *fn;
    void *cfg; /* libhtp's */
    struct http_share own, *share;
    bool skims;
    bool forms; /* such messages are looked for */
    struct htp *spare;
    unsigned spares;
};

struct http_side {
    uint64_t fed;     /* bytes, before those at hand */
    uint64_t left;    /* of a body, to come: libhtp: that is passed over, 0: none is; else: all */
    uint32_t skimmed; /* bytes of a body that were not told of yet */
    uint32_t head;    /* bytes since the message began, until its headers are complete */
    bool in_head;     /* they are not yet */
    bool skips;       /* enough of the body at hand was seen */
    bool given_up;
    bool torn;  /* a hole was in the compressed body at hand: the rest of it says nothing */
    bool ended; /* http_end() */
};

struct http_flow {
    struct http *http;
    void *ctx;
    struct htp *htp;              /* NULL: nothing needed it yet */
    struct plain *plain;          /* the transaction under way, until libhtp gets it */
    uint32_t requests, responses; /* begun, complete */
    struct http_side side[2];     /* by enum weir_dir */
    bool tunnel;
    bool closed; /* libhtp was told of the end, if there is one */
};

/*
 * The head of a message, a block of http_share.mem: the form without unused fields, then the bytes.
 */
struct plain_head {
    struct http_form form;
};

enum plain_stage { PLAIN_REQUEST_BODY, PLAIN_REQUESTED, PLAIN_RESPONSE_BODY };

struct plain {
    struct http_flow *flow;
    void *own;
    struct plain_head *head[2]; /* by enum weir_dir; NULL: not yet */
    uint64_t length[2];         /* of bodies so far, as they came */
    enum plain_stage stage;
};

/* Transactions outside are this or htp_tx_t, told apart by a bit. */
static inline void *
plain_handle(struct plain *plain)
{
    return (char *)plain + 1;
}

/* NULL: it is libhtp's. */
static inline struct plain *
plain_of(const void *handle)
{
    return (uintptr_t)handle & 1 ? (struct plain *)((uintptr_t)handle - 1) : NULL;
}

/* Bytes of a connection that libhtp has no part in. false: it has to have them. */
bool plain_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes);

/* http_end(), where a transaction goes on without libhtp, or ends with that. false: it does not. */
bool plain_end_of(struct http_flow *flow, enum weir_dir dir);

/* What is open ends with the connection. false: libhtp has to be told. */
bool plain_close(struct http_flow *flow);

/* Tell of what was passed over. */
void plain_tell_skimmed(struct http_flow *flow, enum weir_dir dir);

/* The transaction is no longer read by these. */
void plain_free(struct plain *plain);

/* The transaction, if there is one, is given up. */
void plain_end(struct http_flow *flow);

void plain_look(const struct plain *plain, enum http_event_type type, struct http_event *out);
struct weir_bytes plain_bytes(const struct plain *plain, enum weir_dir dir);
struct weir_bytes plain_raw(const struct plain *plain, enum weir_dir dir);
bool plain_header(const struct plain *plain, enum weir_dir dir, unsigned i, struct weir_bytes *name,
                  struct weir_bytes *value);
bool plain_find(const struct plain *plain, enum weir_dir dir, const char *name,
                struct weir_bytes *value);

#endif
