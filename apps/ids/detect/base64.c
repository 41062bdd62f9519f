#include "detect/base64.h"

/* The value of a digit; -1: it is none. */
static int
digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

void
base64_decode(struct base64 *out, const uint8_t *p, size_t n)
{
    uint32_t bits = 0;
    unsigned have = 0; /* bits */

    out->n = 0;
    for (size_t i = 0; i < n && out->n < BASE64_MAX; i++) {
        int value = digit(p[i]);

        if (value < 0 && (p[i] == '\r' || p[i] == '\n' || p[i] == ' ' || p[i] == '\t'))
            continue;
        if (value < 0)
            return;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        out->bytes[out->n++] = (uint8_t)(bits >> have);
        bits &= (1U << have) - 1;
    }
}
