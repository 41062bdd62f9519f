/*
 * The application layer of flows: which protocol each speaks, its transactions, and what they show
 * to rules and records. HTTP, DNS (UDP and TCP), TLS and SSH.
 *
 * What is told, in this order for a side (direction) of a transaction: TX_HEAD, TX_BODY any number
 * of times, TX_END; at last, once for both, TX_GONE. A side that never began is not told of.
 *
 * Memory:  set aside at set-up, struct app_opts.memory of address space; later calls ask the system
 *          for nothing, but for what libhtp allocates (proto/http.h). What does not fit is counted.
 *          Bytes that tx_buffer() lends hold until the function that was told returns.
 * Threads: an object and its flows belong to one core.
 */
#ifndef IDS_APP_H
#define IDS_APP_H

#include "detect_proto.h"
#include "dns.h"
#include "http.h"
#include "pool.h"

#include "rule/buffer.h"
#include "rule/lexer.h"

#include <weir/error.h>
#include <weir/event.h>

enum {
    APP_WINDOW = 128 << 10, /* bytes of a body that are shown at once, at most */
    APP_OVERLAP = 4096,     /* of those, shown again with the next ones */
    APP_HISTORY = 65536,    /* weir_app.history has to be as much: first bytes are read back */
};

struct app_layer; /* opaque */
struct app_conn;

/* The application layer's part of a flow; all zero at first. */
struct app_flow {
    uint8_t proto;         /* enum app_proto */
    bool established;      /* TCP: the handshake was seen, or a host took bytes before that */
    bool done;             /* nothing more is read */
    bool heard[2];         /* by enum weir_dir: what its first bytes say was looked at */
    bool reset;            /* a RST came, and nothing was open: what follows begins anew */
    bool idle;             /* between transactions: what follows opens the parser again */
    bool half;             /* those of the first side have no name: the other's are waited for */
    bool tunnel;           /* what is read now was inside HTTP (CONNECT) */
    bool fin[2];           /* by enum weir_dir */
    bool passing;          /* enum weir_dir: of the next one */
    uint32_t pass;         /* bytes that follow and the parser need not see: of a body */
    int64_t base[2];       /* where in the stream the protocol at hand begins */
    uint64_t n_tx;         /* transactions so far */
    struct app_conn *conn; /* NULL: the parser holds nothing */
    struct detect_proto detect;
};

enum tx_stage {
    TX_HEAD, /* line and headers; DNS: the message; TLS: a hello, and again with certificates; SSH:
                banner, and again with KEXINIT */
    TX_BODY, /* the window of the body is full, or what follows is not looked at */
    TX_END,  /* the side is complete, its body final */
    TX_GONE, /* the last call for this transaction */
};

/* A transaction, lent. Private but for what is commented. */
struct tx {
    uint8_t proto; /* enum app_proto */
    uint64_t id;   /* in its flow, from 0 */
    void *own[2];  /* for those who are told: detection, output. NULL at first; free at TX_GONE */
    struct app_flow *flow;
    struct app_layer *app;
    bool head[2], ended[2];
};

/*
 * dir: whose side has come to that stage, WEIR_TOSERVER: the request's. Where nobody saw who began
 * (midstream; an answer of DNS without its question) that may not be the flow's direction.
 */
typedef void app_fn(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage);

/*
 * Something odd: "http.missing_host_header", "dns.malformed_data", or of the flow as a whole,
 * "applayer_mismatch_protocol_both_directions"; static. tx may be NULL.
 */
typedef void app_event_fn(void *ctx, const char *name, struct tx *tx, enum weir_dir dir);

struct app_opts {
    uint64_t request_body, response_body; /* bytes of a body that are looked at; 0: all */
    uint64_t memory; /* for transactions and bodies, a 256th each shard; a fourth more for messages
                        in pieces */
    uint32_t cores;  /* 0: 1 */
    uint32_t bomb, time; /* as in struct http_opts */
    uint8_t layers;
    bool lzma;
    bool midstream; /* flows without their SYN are read, too */
    bool one_sided; /* and those of which only one side was seen, from its SYN or SYN/ACK on */
    uint32_t off;   /* protocols that are not parsed, a bit of enum app_proto each */
    uint16_t dns_ports[2]; /* TCP, UDP: DNS is expected there as at 53; 0: nowhere else */
};

/* The values of suricata.yaml: 100 KiB of a body, two layers; and 256 MiB. */
struct app_opts app_defaults(void);

/*
 * Take a setting by Suricata's name for it: app-layer.protocols.*,
 * stream.async-oneside. *known: the name is one of those that mean something here.
 */
int app_opts_set(struct app_opts *opts, struct text name, struct text value, bool *known,
                 struct weir_errbuf *err);

/* Setting i (0, 1, ...) as text; NULL: there are no more. */
const char *app_opts_show(const struct app_opts *opts, unsigned i, char value[32]);

/* What limits refused; they only grow. */
struct app_stats {
    uint64_t flows[APP_PROTOS]; /* by what they speak; APP_UNKNOWN too */
    uint64_t tx[APP_PROTOS];    /* transactions */
    uint64_t no_memory;         /* connections, transactions, bodies given up: opts.memory */
    uint64_t bodies_cut;        /* longer than the limits on bodies */
    uint64_t text_cut;          /* buffers that did not fit */
    uint64_t events;
};

int app_new(const struct app_opts *opts, app_fn *fn, app_event_fn *event_fn, void *ctx,
            struct app_layer **out, struct weir_errbuf *err);

/* NULL is allowed. */
void app_free(struct app_layer *app);

const struct app_stats *app_get_stats(const struct app_layer *app);
const struct http_stats *app_http_stats(const struct app_layer *app);
struct pool_stats app_pool_stats(const struct app_layer *app);

/* Nothing came from the receiver, and the sender was seen from its SYN or SYN/ACK on. */
bool app_is_one_sided(const struct weir_event *ev);

/*
 * Bits of the events that app_event() needs. Where it is given packet events, too, a flow of UDP
 * has its protocol from its first packet's on.
 */
uint64_t app_wants(void);

/*
 * Whether bodies are shown by tx_buffer(), as they are at first: else they are only measured, which
 * takes less. To be changed between two events.
 */
void app_show_bodies(struct app_layer *app, bool shown);

/* The next event of a flow: calls the functions above. After flow_end the flow holds nothing. */
void app_event(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev);

/* What the flow speaks; APP_UNKNOWN_YET before that is known. */
enum app_proto app_flow_proto(const struct app_flow *flow);

/* ---- what a transaction shows */

struct tx_bytes {
    const uint8_t *p;
    uint32_t n;
    int64_t start; /* offset of p in the buffer: a body slides */
    bool final;    /* nothing follows */
};

/* Instance i (0, 1, ...) of a buffer of one side; false: there is none, or not yet. */
bool
tx_buffer(struct tx *tx, enum weir_dir dir, enum buffer_id id, unsigned i, struct tx_bytes *out);

/* Instance i of a number. */
bool tx_number(struct tx *tx, enum weir_dir dir, enum number_id id, unsigned i, int64_t *out);

/* For records. HTTP: what is known so far, of the side that the type belongs to. */
bool tx_http(struct tx *tx, enum http_event_type type, struct http_event *out);

/*
 * Bytes of a body so far, decompressed up to its limit and as they came behind that; of a message
 * that has none: 0. How many came on the wire tx_http() says.
 */
uint64_t tx_body_length(const struct tx *tx, enum weir_dir dir);

/* What a body of HTTP is called; false: nobody knows. */
bool tx_file_name(struct tx *tx, enum weir_dir dir, struct weir_bytes *name);

/* NULL: it is not DNS. */
const struct dns_message *tx_dns(const struct tx *tx);

/* Zeros: not known (yet). Texts of TLS are told by tx_buffer(). */
struct tls_facts {
    uint16_t version; /* of the latest hello: enum tls_version, or a draft's */
    uint16_t chosen;  /* by the server */
    bool has_certificate, has_dates;
    uint32_t chain;                /* certificates that the server sent */
    int64_t not_before, not_after; /* seconds since 1970-01-01 UTC */
};

bool tx_tls(const struct tx *tx, struct tls_facts *out);

#endif
