#include "detect/entropy.h"

#include "rule/compare.h"

#include <math.h>

/* Added up byte by byte value, as Suricata does: records show all digits. */
double
entropy_of(const uint8_t *p, size_t n)
{
    uint32_t count[256] = { 0 };
    double bits = 0;

    for (size_t i = 0; i < n; i++)
        count[p[i]]++;
    for (unsigned c = 0; c < 256; c++) {
        double part = (double)count[c] / (double)n;

        if (count[c] > 0)
            bits -= part * log2(part);
    }
    return bits;
}

int64_t
entropy_rounded(double bits)
{
    return (int64_t)(bits * FRACTION + 0.5);
}
