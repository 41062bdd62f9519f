/* What the parts of the application layer share; for them alone. */
#ifndef IDS_APP_PARTS_H
#define IDS_APP_PARTS_H

#include "app/app.h"
#include "app/body.h"

#include "digest.h"
#include "mem.h"
#include "share.h"
#include "ssh.h"
#include "tls.h"

enum { SCRATCH = 1 << 20 }; /* bytes for buffers that are put together for a look */

/* A buffer put together: n bytes, of which instance k ends at end[-k]. */
struct built {
    const struct tx *tx;
    uint64_t turn; /* of struct app_layer when it was made */
    const uint8_t *p;
    uint32_t n, count;
    const uint32_t *end;
};

/* Bytes of texts from the bottom, ends of instances from the top down. */
struct scratch {
    uint8_t *p;
    uint32_t low, high;
    uint32_t from;        /* of the buffer that is put together */
    uint32_t ends, count; /* of its instances */
    bool full;
};

/* What the driver asks of a protocol over TCP. */
struct app_ops {
    size_t size; /* of its struct, which begins with struct app_conn */
    bool (*open)(struct app_layer *app, struct app_conn *conn);
    void (*feed)(struct app_layer *app, struct app_conn *conn, enum weir_dir dir,
                 struct weir_bytes bytes);
    void (*gap)(struct app_layer *app, struct app_conn *conn, enum weir_dir dir, uint64_t n);
    void (*end)(struct app_layer *app, struct app_conn *conn, enum weir_dir dir); /* FIN; or NULL */
    /*
     * A RST, which an attacker may have sent: the flow may go on. Shows what has come so far;
     * false: nothing is open, and the parser may begin anew with what follows. NULL: it just goes
     * on.
     */
    bool (*pause)(struct app_layer *app, struct app_conn *conn);
    /*
     * How many bytes of a direction that follow those that were fed now the parser need not see,
     * for they are of a body that nobody looks at; and that so many of them came. Or NULL.
     */
    uint32_t (*may_pass)(const struct app_conn *conn, enum weir_dir dir);
    void (*pass)(struct app_conn *conn, enum weir_dir dir, uint32_t n);
    bool (*ended)(const struct app_conn *conn, enum weir_dir dir);
    /* Nothing is under way: closed, and opened with what follows, it is the same; or NULL. */
    bool (*idle)(const struct app_conn *conn);
    void (*close)(struct app_layer *app, struct app_conn *conn); /* ends what is open */
};

struct app_conn {
    struct app_layer *app;
    struct app_flow *flow;
    enum weir_dir dir; /* of the bytes that are read */
    uint32_t may_pass; /* that may pass, with those that did: struct app_flow's are left */
};

struct app_layer {
    struct app_opts opts;
    bool shows_bodies;
    app_fn *fn;
    app_event_fn *event_fn;
    void *ctx;
    struct app_stats stats;
    struct mem_shards shards;
    struct shares shares;
    struct mem *mem; /* of the flow at hand: its shard's, like at */
    struct share *at;
    struct digest *digest; /* NULL: built without libcrypto */
    struct http *http;     /* NULL: built without libhtp */
    uint64_t turn;         /* grows whenever what was put together is out of date */
    struct scratch scratch;
    struct built built[BUFFERS][2];
    uint8_t *bytes; /* APP_HISTORY of them: the beginning of a stream, read back */
    uint16_t rrtype[DNS_RECORDS_MAX]; /* of the message of DNS at hand */
    unsigned n_rrtypes;
    struct detect_first first; /* lent to flows that have none of their own */
};

extern const struct app_ops app_http, app_dns, app_tls, app_ssh;

/* ---- tx.c */

/* NULL: no memory, which is counted. */
void *app_alloc(struct app_layer *app, size_t size);
void *app_make(struct app_layer *app, size_t size); /* likewise, zeroed */
void app_release(struct app_layer *app, void *p, size_t size);

void tx_begin(struct app_layer *app, struct app_flow *flow, enum app_proto proto, struct tx *tx);

/* Tell of a stage; TX_END once, and not before TX_HEAD, which is told if it was not. */
void tx_tell(struct tx *tx, enum weir_dir dir, enum tx_stage stage);

/* The sides that began end; the transaction is gone. */
void tx_finish(struct tx *tx);

void app_tell_event(struct app_layer *app, const char *name, struct tx *tx, enum weir_dir dir);

/* What was put together is out of date. */
void app_next_turn(struct app_layer *app);

/* Put a buffer together: begin, add bytes, end an instance after each, finish. */
void build_begin(struct app_layer *app);
void build_add(struct app_layer *app, const void *p, size_t n);
void build_instance(struct app_layer *app);
void build_finish(struct app_layer *app, const struct tx *tx, struct built *out);

/* ---- texts that are kept: a growing block, in which each has its place */

enum { KEPT_MAX = 20, KEPT_BYTES = 32768 };

struct kept {
    uint8_t *p;
    uint16_t n, room;
    uint16_t at[KEPT_MAX], length[KEPT_MAX];
    uint32_t there; /* a bit each */
};

/* Replaces what was kept there. Not kept for want of room: counted. */
void kept_set(struct kept *kept, struct app_layer *app, unsigned k, const void *p, size_t n);
bool kept_get(const struct kept *kept, unsigned k, struct weir_bytes *out);
void kept_free(struct kept *kept, struct app_layer *app);

/* ---- one file for each protocol */

void app_dns_datagram(struct app_layer *app, struct app_flow *flow, enum weir_dir dir,
                      struct weir_bytes bytes);

/* Where a buffer lies as it is; false: not there, or not of this kind. */
bool
http_direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i, struct tx_bytes *out);
/* Bytes of file i that a side sent, when the side has ended. */
bool http_file_size(struct tx *tx, enum weir_dir dir, unsigned i, int64_t *out);
bool tls_direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, struct tx_bytes *out);
bool ssh_direct(struct tx *tx, enum weir_dir dir, enum buffer_id id, struct tx_bytes *out);

/* Put a buffer together, between build_begin() and build_finish(); false: not of this kind. */
bool http_build(struct tx *tx, enum weir_dir dir, enum buffer_id id);
bool dns_build(struct tx *tx, enum weir_dir dir, enum buffer_id id);
bool tls_build(struct tx *tx, enum weir_dir dir, enum buffer_id id);

/* For struct app_layer.http. */
int app_http_new(const struct app_opts *opts, struct http **out);

/* Whether HTTP became a tunnel; from: as in http_is_tunnel(). */
bool app_http_is_tunnel(const struct app_conn *conn, uint64_t from[2]);

#endif
