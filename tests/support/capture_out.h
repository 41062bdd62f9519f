/* What was written through lib/out.h, as text. */
#ifndef WEIR_TEST_CAPTURE_OUT_H
#define WEIR_TEST_CAPTURE_OUT_H

#include "out.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int capture_fd;

/* An output into memory. */
static inline void
capture_open(struct out *out)
{
    capture_fd = memfd_create("out", 0);
    if (capture_fd < 0 || out_open_fd(out, capture_fd, "memory", false, NULL) != WEIR_E_OK)
        abort();
}

/* What has reached the descriptor so far, ended by a zero; at most size - 1 bytes of it. */
static inline size_t
capture_text(char *text, size_t size)
{
    const ssize_t n = pread(capture_fd, text, size - 1, 0);

    if (n < 0)
        abort();
    text[n] = '\0';
    return (size_t)n;
}

static inline int
capture_close(struct out *out)
{
    const int rc = out_close(out, NULL);

    close(capture_fd);
    return rc;
}

#endif
