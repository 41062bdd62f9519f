/*
 * Digests, by libcrypto: the only file that knows it. Everything that is allocated is in
 * digest_new(); the calls after that ask for no memory.
 *
 * Threads: an object belongs to one core; it computes one digest at a time.
 */
#ifndef WEIR_DIGEST_H
#define WEIR_DIGEST_H

#include "put.h"

#include <stddef.h>
#include <stdint.h>

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_KINDS };

enum { DIGEST_MAX = 32 }; /* bytes of the longest */

struct digest; /* opaque */

/* WEIR_E_OK, WEIR_E_NOMEM, WEIR_E_UNSUPPORTED: built without libcrypto. */
int digest_new(struct digest **out);

/* NULL is allowed. */
void digest_free(struct digest *digest);

/* Begin one; what was begun before and not ended is forgotten. */
void digest_begin(struct digest *digest, enum digest_kind kind);
void digest_add(struct digest *digest, const void *p, size_t n);

/* Returns how many bytes it has: 16, 20, 32. */
size_t digest_end(struct digest *digest, uint8_t out[DIGEST_MAX]);

size_t digest_of(struct digest *digest, enum digest_kind kind, const void *p, size_t n,
                 uint8_t out[DIGEST_MAX]);

/* Its first n bytes as text: lower case, with separator between two unless that is 0. */
void digest_text(const uint8_t *bytes, size_t n, char separator, struct put *put);

#endif
