/* How evenly bytes are spread. */
#ifndef IDS_ENTROPY_H
#define IDS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* Shannon's entropy of n > 0 bytes, from 0 to 8 bits a byte, in units of 1/FRACTION of a bit. */
int64_t entropy_of(const uint8_t *p, size_t n);

#endif
