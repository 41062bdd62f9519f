/* How evenly bytes are spread. */
#ifndef IDS_ENTROPY_H
#define IDS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* Shannon's entropy of n > 0 bytes, from 0 to 8 bits a byte. */
double entropy_of(const uint8_t *p, size_t n);

/* The same in units of 1/FRACTION of a bit, for comparisons: without the last bits of log2(), which
 * differ between machines. */
int64_t entropy_rounded(double bits);

#endif
