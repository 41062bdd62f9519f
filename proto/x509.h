/*
 * Certificates, RFC 5280: what names and dates they hold. A bounded walk over DER in place, that
 * follows only what it needs; nothing is verified.
 *
 * Memory: what is parsed refers to the bytes it was read from.
 */
#ifndef WEIR_X509_H
#define WEIR_X509_H

#include "put.h"

#include <weir/error.h>
#include <weir/event.h>

struct x509 {
    struct weir_bytes serial;          /* content of the INTEGER, big end first */
    struct weir_bytes issuer, subject; /* content of the Name: x509_name_text() */
    struct weir_bytes alt_names;       /* content of subjectAltName: x509_next_dns_name() */
    int64_t not_before, not_after;     /* seconds since 1970-01-01 UTC */
    bool undated;                      /* one of them cannot be read: both are 0 */
    uint8_t version;                   /* 1 .. 3 */
};

/* WEIR_E_OK, WEIR_E_TRUNC, WEIR_E_MALFORMED. */
int x509_parse(struct weir_bytes der, struct x509 *out);

/* "C=US, O=Example, CN=www.example.org": in the order of the certificate, values as they are (of
 * BMPString as UTF-8), unknown attributes by their number. WEIR_E_OK, WEIR_E_MALFORMED. */
int x509_name_text(struct weir_bytes name, struct put *put);

/* The last common name of a Name; false: there is none. */
bool x509_common_name(struct weir_bytes name, struct weir_bytes *out);

/* "0A:1B:..." */
void x509_serial_text(struct weir_bytes serial, struct put *put);

/* Take the next dNSName off the list; false: there is no further one. */
bool x509_next_dns_name(struct weir_bytes *alt_names, struct weir_bytes *out);

#endif
