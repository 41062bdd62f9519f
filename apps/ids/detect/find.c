#include "detect/find.h"

#include <stdbool.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    SHORT = 16,      /* bytes of a content that may be looked for the plain way */
    FAILURES = 32,   /* places that may look right and be wrong ... */
    PER_FAILURE = 8, /* ... and one more for so many bytes */
};

static inline uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
equal_nocase(const uint8_t *p, const uint8_t *lower_bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (lower(p[i]) != lower_bytes[i])
            return false;
    return true;
}

static bool
is_at(const struct step *step, const uint8_t *p)
{
    return step->flags & STEP_NOCASE ? equal_nocase(p, step->bytes, step->n)
                                     : memcmp(p, step->bytes, step->n) == 0;
}

/* ---- in proportion to n, whatever the bytes are -------------------------------------------- */

/* A few bytes: every place is tried. */
static const uint8_t *
find_short(const struct step *step, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + step->n <= n; i++)
        if (lower(p[i]) == step->bytes[0] && equal_nocase(p + i, step->bytes, step->n))
            return p + i;
    return NULL;
}

/*
 * Many bytes: only places with the right rolling hash (Rabin and Karp) are tried, so that no bytes,
 * however chosen, cost their number times the content's.
 */
static const uint8_t *
find_long(const struct step *step, const uint8_t *p, size_t n)
{
    enum { BASE = 0x01000193 };
    uint64_t wanted = 0, hash = 0, power = 1; /* of the byte that leaves */

    for (size_t i = 0; i < step->n; i++) {
        wanted = wanted * BASE + step->bytes[i];
        hash = hash * BASE + lower(p[i]);
        power *= BASE;
    }
    for (size_t i = 0;; i++) {
        if (hash == wanted && equal_nocase(p + i, step->bytes, step->n))
            return p + i;
        if (i + step->n == n)
            return NULL;
        hash = hash * BASE + lower(p[i + step->n]) - power * lower(p[i]);
    }
}

static const uint8_t *
find_surely(const struct step *step, const uint8_t *p, size_t n)
{
    if (n < step->n)
        return NULL;
    if (!(step->flags & STEP_NOCASE))
        return memmem(p, n, step->bytes, step->n);
    return step->n <= SHORT ? find_short(step, p, n) : find_long(step, p, n);
}

/* ---- fast, where the bytes are not chosen against it ----------------------------------------- */

#ifdef __SSE2__
/* Of 16 bytes those that may be c; a letter of either case, if the content is looked for so. */
static inline __m128i
compare(const uint8_t *p, __m128i c, __m128i fold)
{
    return _mm_cmpeq_epi8(_mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)p), fold), c);
}

static __m128i
fold_of(const struct step *step, uint8_t c)
{
    return _mm_set1_epi8(step->flags & STEP_NOCASE && c >= 'a' && c <= 'z' ? 0x20 : 0);
}

/* 16 places at a time, those where the first and the last byte fit. */
const uint8_t *
find(const struct step *step, const uint8_t *p, size_t n)
{
    const uint8_t first = step->bytes[0], last = step->bytes[step->n - 1];
    const __m128i c0 = _mm_set1_epi8((char)first), c1 = _mm_set1_epi8((char)last);
    const __m128i f0 = fold_of(step, first), f1 = fold_of(step, last);
    size_t blocks = n >= step->n + 15U ? n - step->n - 14 : 0; /* beginnings of 16 places */
    size_t i = 0, failures = 0;

    for (; i < blocks; i += 16) {
        unsigned places = (unsigned)_mm_movemask_epi8(
            _mm_and_si128(compare(p + i, c0, f0), compare(p + i + step->n - 1, c1, f1)));

        for (; places != 0; places &= places - 1) {
            const uint8_t *at = p + i + (unsigned)__builtin_ctz(places);

            if (is_at(step, at))
                return at;
            failures++;
        }
        if (failures > FAILURES + i / PER_FAILURE)
            break;
        if (i + 16 >= blocks && i + 1 < blocks) /* the last places once more, with those before */
            i = blocks - 17;
    }
    return find_surely(step, p + i, n - i);
}
#else
const uint8_t *
find(const struct step *step, const uint8_t *p, size_t n)
{
    return find_surely(step, p, n);
}
#endif
