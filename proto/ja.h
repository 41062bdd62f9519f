/*
 * Fingerprints of TLS hellos: JA3 and JA3S (Althouse, Atkinson, Atkins, 2017), JA4 (FoxIO, 2023;
 * the client fingerprint, which is free to use).
 */
#ifndef WEIR_JA_H
#define WEIR_JA_H

#include "digest.h"
#include "put.h"
#include "tls.h"

enum {
    JA3_MAX = 4096, /* a text longer than this is made by nobody honest */
    JA4_MAX = 36,   /* characters */
    JA4_LIST = 512, /* ciphers and extensions that are sorted */
    JA_HASH = 33    /* an MD5 as text, terminated */
};

/*
 * The text whose MD5 is the fingerprint. WEIR_E_LIMIT: it did not fit; WEIR_E_UNSUPPORTED: a hello
 * in the form of SSL 2.0 has none.
 */
int ja3_text(const struct tls_client_hello *hello, struct put *put);
int ja3s_text(const struct tls_server_hello *hello, struct put *put);

/* MD5 of such a text. */
void ja3_hash(struct digest *digest, const struct put *text, char hash[JA_HASH]);

/* JA4 of a ClientHello over TCP. WEIR_E_LIMIT: more than JA4_LIST to sort; UNSUPPORTED as above. */
int ja4_text(const struct tls_client_hello *hello, struct digest *digest, struct put *put);

#endif
