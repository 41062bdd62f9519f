/* base64_decode: RFC 4648 section 4, as rules read it among other bytes. */
#ifndef IDS_BASE64_H
#define IDS_BASE64_H

#include <stddef.h>
#include <stdint.h>

enum { BASE64_MAX = 65536 }; /* bytes decoded */

struct base64 {
    size_t n;
    uint8_t bytes[BASE64_MAX];
};

/*
 * Decode from p on: line ends and spaces are passed over (RFC 2045 section 6.8), any other byte
 * that is no digit ends it, as padding does. out->n is 0 where nothing can be decoded.
 */
void base64_decode(struct base64 *out, const uint8_t *p, size_t n);

#endif
