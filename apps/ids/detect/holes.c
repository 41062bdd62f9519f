#include "detect/holes.h"

#include <string.h>

static size_t
word_of(int64_t offset)
{
    return (uint64_t)offset % HOLES_SPAN / 64;
}

void
holes_note(struct holes *h, int64_t from, int64_t to, bool urgent)
{
    if (from < to - HOLES_SPAN)
        from = to - HOLES_SPAN;
    while (from < to) {
        unsigned first = (unsigned)(from % 64);
        int64_t n = 64 - first < to - from ? 64 - first : to - from;
        uint64_t mask = UINT64_MAX >> (64 - n) << first;

        if (urgent)
            h->bit[word_of(from)] |= mask;
        else
            h->bit[word_of(from)] &= ~mask;
        from += n;
    }
}

/* The first urgent byte, or byte of the stream, in [at, end); end: there is none. */
static int64_t
next(const struct holes *h, int64_t at, int64_t end, bool urgent)
{
    while (at < end) {
        uint64_t word = urgent ? h->bit[word_of(at)] : ~h->bit[word_of(at)];

        word >>= at % 64;
        if (word != 0) {
            at += __builtin_ctzll(word);
            return at < end ? at : end;
        }
        at += 64 - at % 64;
    }
    return end;
}

size_t
holes_squeeze(const struct holes *h, int64_t offset, uint8_t *p, size_t n)
{
    int64_t end = offset + (int64_t)n, from, to = offset;
    size_t kept = 0;

    while (to < end) {
        from = next(h, to, end, false);
        to = next(h, from, end, true);
        memmove(p + kept, p + (from - offset), (size_t)(to - from));
        kept += (size_t)(to - from);
    }
    return kept;
}
