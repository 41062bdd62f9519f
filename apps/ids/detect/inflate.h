/*
 * Decompression of what rules say is compressed, by zlib: the only file that knows it. All memory
 * is set aside by inflater_new().
 *
 * Threads: an inflater belongs to one core.
 */
#ifndef IDS_INFLATE_H
#define IDS_INFLATE_H

#include <stddef.h>
#include <stdint.h>

enum inflate_form { INFLATE_GZIP, INFLATE_ZLIB }; /* RFC 1952, RFC 1950 */

enum { INFLATED_MAX = 65536 }; /* bytes made at once */

struct inflater; /* opaque */

/* WEIR_E_OK, WEIR_E_NOMEM, WEIR_E_UNSUPPORTED: built without zlib. */
int inflater_new(struct inflater **out);

/* NULL is allowed. */
void inflater_free(struct inflater *inflater);

/* What p holds, up to room bytes of it: all that comes before an error or the end. */
size_t inflate_bytes(struct inflater *inflater, enum inflate_form form, const uint8_t *p, size_t n,
                     uint8_t *out, size_t room);

#endif
