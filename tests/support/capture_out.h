/* What was written through lib/out.h, as text. */
#ifndef WEIR_TEST_CAPTURE_OUT_H
#define WEIR_TEST_CAPTURE_OUT_H

#include "out.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* An output into memory. */
static inline void
capture_open(struct out *out)
{
    if (out_open(out, NULL, NULL) != WEIR_E_OK || (out->fd = memfd_create("out", 0)) < 0)
        abort();
    out->owns_fd = false;
}

/* What has reached the descriptor so far, ended by a zero; at most size - 1 bytes of it. */
static inline size_t
capture_text(const struct out *out, char *text, size_t size)
{
    const ssize_t n = pread(out->fd, text, size - 1, 0);

    if (n < 0)
        abort();
    text[n] = '\0';
    return (size_t)n;
}

static inline int
capture_close(struct out *out)
{
    const int fd = out->fd, rc = out_close(out, NULL);

    close(fd);
    return rc;
}

#endif
