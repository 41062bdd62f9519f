#include "digest.h"

#include <weir/error.h>

#include <stdlib.h>

void
digest_text(const uint8_t *bytes, size_t n, char separator, struct put *put)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && separator != '\0')
            put_char(put, separator);
        put_hex(put, bytes[i], 2);
    }
}

size_t
digest_of(struct digest *digest, enum digest_kind kind, const void *p, size_t n,
          uint8_t out[DIGEST_MAX])
{
    digest_begin(digest, kind);
    digest_add(digest, p, n);
    return digest_end(digest, out);
}

#ifdef HAVE_CRYPTO

/*
 * The functions of each digest, which newer versions deprecate in favour of EVP: that of OpenSSL 3
 * allocates a context anew for every digest, and the packet path must not.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

struct digest {
    enum digest_kind kind; /* of the one that is computed */
    union {
        MD5_CTX md5;
        SHA_CTX sha1;
        SHA256_CTX sha256;
    };
};

int
digest_new(struct digest **out)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? WEIR_E_OK : WEIR_E_NOMEM;
}

void
digest_free(struct digest *digest)
{
    free(digest);
}

void
digest_begin(struct digest *digest, enum digest_kind kind)
{
    digest->kind = kind;
    if (kind == DIGEST_MD5)
        MD5_Init(&digest->md5);
    else if (kind == DIGEST_SHA1)
        SHA1_Init(&digest->sha1);
    else
        SHA256_Init(&digest->sha256);
}

void
digest_add(struct digest *digest, const void *p, size_t n)
{
    if (digest->kind == DIGEST_MD5)
        MD5_Update(&digest->md5, p, n);
    else if (digest->kind == DIGEST_SHA1)
        SHA1_Update(&digest->sha1, p, n);
    else
        SHA256_Update(&digest->sha256, p, n);
}

size_t
digest_end(struct digest *digest, uint8_t out[DIGEST_MAX])
{
    if (digest->kind == DIGEST_MD5) {
        MD5_Final(out, &digest->md5);
        return MD5_DIGEST_LENGTH;
    }
    if (digest->kind == DIGEST_SHA1) {
        SHA1_Final(out, &digest->sha1);
        return SHA_DIGEST_LENGTH;
    }
    SHA256_Final(out, &digest->sha256);
    return SHA256_DIGEST_LENGTH;
}

#else /* no digest can be made, so the others are never called */

int
digest_new(struct digest **out)
{
    *out = NULL;
    return WEIR_E_UNSUPPORTED;
}

void
digest_free(struct digest *digest)
{
    (void)digest;
}

void
digest_begin(struct digest *digest, enum digest_kind kind)
{
    (void)digest;
    (void)kind;
}

void
digest_add(struct digest *digest, const void *p, size_t n)
{
    (void)digest;
    (void)p;
    (void)n;
}

size_t
digest_end(struct digest *digest, uint8_t out[DIGEST_MAX])
{
    (void)digest;
    (void)out;
    return 0;
}

#endif
