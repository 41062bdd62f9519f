/*
 * TLS and SSL handshakes as far as they can be read on the wire: RFC 8446, RFC 5246, RFC 6101, and
 * hellos in the form of SSL 2.0 (RFC 5246 appendix E.2).
 *
 * struct tls finds handshake messages in the two directions of a connection, over records, however
 * both are cut; the bodies of messages are read by functions over bytes. Both directions end by
 * themselves: where encryption begins, tls_ended() says so, and the rest need not be fed.
 *
 * Memory: what is parsed refers to the bytes it was read from. A struct tls of zeros is a new
 *         connection; it holds blocks of the pool only within messages that came in pieces.
 */
#ifndef WEIR_TLS_H
#define WEIR_TLS_H

#include "gather.h"

#include <weir/error.h>
#include <weir/event.h>

enum tls_handshake_type {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_HELLO_DONE = 14,
};

enum tls_extension_type {
    TLS_EXT_SERVER_NAME = 0,
    TLS_EXT_GROUPS = 10,
    TLS_EXT_POINT_FORMATS = 11,
    TLS_EXT_SIGNATURE_ALGORITHMS = 13,
    TLS_EXT_ALPN = 16,
    TLS_EXT_SUPPORTED_VERSIONS = 43,
};

enum tls_version { SSL_2_0 = 0x0002, SSL_3_0 = 0x0300, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };

/* What is wrong with the server's name in a hello. */
enum tls_name_fault { TLS_NAME_RIGHT, TLS_NAME_TWICE, TLS_NAME_TYPE, TLS_NAME_LENGTH };

/* Lists are as on the wire without their length; of two bytes an element where not said. */
struct tls_client_hello {
    uint16_t version; /* legacy_version of the message */
    bool sslv2;       /* in the form of SSL 2.0; ciphers have three bytes, nothing else is there */
    bool odd;         /* an extension contradicts its format: what it says is left out */
    struct weir_bytes random, session_id, ciphers;
    struct weir_bytes extensions; /* tls_next_extension() */
    struct weir_bytes server_name;
    struct weir_bytes alpn; /* tls_next_name() */
    struct weir_bytes groups, signature_algorithms, versions;
    struct weir_bytes point_formats; /* a byte each */
    bool has_server_name;            /* the extension is there, whatever it says */
    uint8_t name_fault;              /* enum tls_name_fault */
};

struct tls_server_hello {
    uint16_t version; /* that was chosen, by extension or not */
    uint16_t legacy_version;
    uint16_t cipher;
    bool retry; /* a HelloRetryRequest, RFC 8446 section 4.1.3 */
    bool odd;
    struct weir_bytes random, session_id, extensions;
    struct weir_bytes alpn; /* the protocol */
};

/* Bodies of handshake messages. WEIR_E_OK; WEIR_E_TRUNC: a field ends behind the bytes;
 * WEIR_E_MALFORMED: a length that its list cannot have. */
int tls_client_hello_parse(struct weir_bytes body, struct tls_client_hello *out);
int tls_server_hello_parse(struct weir_bytes body, struct tls_server_hello *out);

/* The same of a CLIENT-HELLO of SSL 2.0, from its message type on. */
int tls_v2_hello_parse(struct weir_bytes body, struct tls_client_hello *out);

/* Take the next extension off the list; false: there is no further whole one. */
bool tls_next_extension(struct weir_bytes *list, uint16_t *type, struct weir_bytes *data);

/* Take the next name off a list of ALPN; false: there is no further whole one. */
bool tls_next_name(struct weir_bytes *list, struct weir_bytes *name);

/* The certificates of a Certificate message (up to TLS 1.2), then one after the other, the first
 * is the sender's own. */
int tls_certificates(struct weir_bytes body, struct weir_bytes *list);
bool tls_next_certificate(struct weir_bytes *list, struct weir_bytes *der);

/* RFC 8701: values that mean nothing. */
bool tls_is_grease(uint16_t value);

/* "TLS 1.2", "TLS 1.3 draft-18"; NULL for what is no version. */
const char *tls_version_name(unsigned version);

/* Of TLS 1.3, before RFC 8446. */
bool tls_version_is_draft(unsigned version);

/* ---- connections */

struct tls_message {
    enum weir_dir direction;
    uint8_t type;            /* enum tls_handshake_type, or another */
    bool sslv2;              /* a CLIENT-HELLO for tls_v2_hello_parse() */
    uint16_t record_version; /* of the record that the message ends in */
    struct weir_bytes body;
};

/* Called with each handshake message; all is lent. */
typedef void tls_fn(void *ctx, const struct tls_message *message);

enum tls_state {
    TLS_FIRST,   /* nothing was read yet */
    TLS_RECORDS, /* records in the clear */
    TLS_V2,      /* a hello in the form of SSL 2.0 */
    TLS_DONE,    /* the rest is encrypted */
    TLS_LOST,    /* behind a hole no record can be found with certainty */
    TLS_BAD,     /* this is not TLS, or a record contradicts the format */
};

struct tls_side {
    struct gather handshake;
    uint8_t head[5]; /* of the record */
    uint8_t n_head;
    uint8_t state;  /* enum tls_state */
    uint16_t left;  /* bytes of the record to come */
    uint8_t hellos; /* seen; stays at 2 */
};

struct tls {
    struct tls_side side[2]; /* by enum weir_dir */
    bool retried;            /* the server asked for another ClientHello */
};

void tls_feed(struct tls *tls, struct pool *pool, enum weir_dir dir, struct weir_bytes bytes,
              tls_fn *fn, void *ctx);

/* The next n bytes of a direction will not come. */
void tls_gap(struct tls *tls, struct pool *pool, enum weir_dir dir, uint64_t n);

/* Whether a direction needs no more bytes. */
bool tls_ended(const struct tls *tls, enum weir_dir dir);

/* Of a direction that is TLS_BAD for the header of a record: what is wrong with that, by Suricata's
 * name; NULL: it is something else. */
const char *tls_record_fault(const struct tls *tls, enum weir_dir dir);

/* Give back what is held. */
void tls_end(struct tls *tls, struct pool *pool);

#endif
