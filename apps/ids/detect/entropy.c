#include "detect/entropy.h"

#include "rule/compare.h"

#include <math.h>

/* Rounded, so that the last bits of log2(), which differ between machines, do not matter. */
int64_t
entropy_of(const uint8_t *p, size_t n)
{
    uint32_t count[256] = { 0 };
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        count[p[i]]++;
    for (unsigned c = 0; c < 256; c++)
        if (count[c] > 0)
            sum += count[c] * log2((double)n / count[c]);
    return (int64_t)(sum / (double)n * FRACTION + 0.5);
}
