/* Copies in blocks of exactly their size, so that AddressSanitizer sees the byte behind. */
#ifndef WEIR_TEST_EXACT_H
#define WEIR_TEST_EXACT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* To be freed. */
static inline uint8_t *
exact_copy(const void *bytes, size_t n)
{
    uint8_t *copy = calloc(1, n > 0 ? n : 1);

    if (copy == NULL)
        abort();
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

#endif
