/* Files in a body of multipart/form-data, RFC 7578, as far as the body is at hand. */
#ifndef IDS_APP_MULTIPART_H
#define IDS_APP_MULTIPART_H

#include <weir/event.h>

enum { BOUNDARY_MAX = 256 }; /* RFC 2046 section 5.1.1 allows 70 */

/*
 * The boundary that a Content-Type names; false: it is of another kind, or names none. It refers to
 * the header's bytes.
 */
bool multipart_boundary(struct weir_bytes content_type, struct weir_bytes *boundary);

enum multipart {
    MULTIPART_NONE, /* no delimiter at all: the body is not what its header says */
    MULTIPART_END,  /* there are fewer files */
    MULTIPART_FILE, /* here it is, and it is complete */
    MULTIPART_PART, /* here it is, as far as it came */
};

/* Content of the part i (0, 1, ...) that has a file name, and that name. */
enum multipart multipart_file(struct weir_bytes body, struct weir_bytes boundary, unsigned i,
                              struct weir_bytes *file, struct weir_bytes *name);

/* The file name in a Content-Disposition, or in lines that hold one, as it stands; false: none. */
bool multipart_file_name(struct weir_bytes disposition, struct weir_bytes *name);

#endif
