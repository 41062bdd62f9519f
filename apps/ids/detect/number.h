/* Numbers among the bytes, and what rules do with them. All of 64 bits, without a sign. */
#ifndef IDS_NUMBER_H
#define IDS_NUMBER_H

#include "rule/rule.h"

enum { NUMBER_FAR = 1 << 30 }; /* a distance that no buffer has */

/*
 * The number in n bytes from p on (at most BINARY_MAX or DIGITS_MAX, as its base says), and how
 * many of them it takes: as text it ends at the first byte that is no digit. false: there is none,
 * or it does not fit in 64 bits.
 */
bool number_read(const struct number *number, const uint8_t *p, unsigned n, uint64_t *value,
                 unsigned *used);

/* Its bits under the mask, if there is one: of what was read, or what byte_math made of it. */
uint64_t number_masked(const struct number *number, uint64_t value);

/* byte_test, without its !. */
bool number_holds(const struct number *number, uint64_t value, uint64_t operand);

/* byte_math; false: it divides by zero, or shifts all bits out. */
bool number_compute(const struct number *number, uint64_t value, uint64_t operand, uint64_t *out);

/* Multiplied and aligned, for byte_extract. */
uint64_t number_scale(const struct number *number, uint64_t value);

/* As a distance in bytes: itself, NUMBER_FAR at most. */
static inline int64_t
number_distance(uint64_t value)
{
    return value < NUMBER_FAR ? (int64_t)value : NUMBER_FAR;
}

#endif
