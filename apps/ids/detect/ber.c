#include "detect/ber.h"

enum { CONSTRUCTED = 0x20, LONG_TAG = 0x1f, TAG_BIT_STRING = 3, TAG_REAL = 9, REAL_MAX = 256 };

/* Behind the tag; 0: it is cut. */
static size_t
end_of_tag(const uint8_t *p, size_t n)
{
    size_t at = 1;

    if (n == 0)
        return 0;
    if ((p[0] & LONG_TAG) != LONG_TAG)
        return at;
    while (at < n && p[at] & 0x80)
        at++;
    return at < n ? at + 1 : 0;
}

enum ber_answer
ber_read(const uint8_t *p, size_t n, struct ber_element *out)
{
    size_t at = end_of_tag(p, n);
    unsigned octets;

    if (at == 0 || at == n)
        return BER_CUT;
    *out = (struct ber_element){ .tag = p[0], .constructed = p[0] & CONSTRUCTED };
    octets = p[at] & 0x7fU;
    out->length = p[at] & 0x80 ? 0 : octets;
    out->endless = p[at++] == 0x80;
    if (p[at - 1] & 0x80) {
        if (octets > sizeof(out->length))
            return BER_NO;
        if (n - at < octets)
            return BER_CUT;
        for (unsigned i = 0; i < octets; i++)
            out->length = out->length << 8 | p[at++];
    }
    out->header = at;
    return BER_YES;
}

/* By its header; content: as much as there is of it. */
static enum ber_answer
is_asked_for(const struct ber_element *e, const uint8_t *content, size_t n,
             const struct ber_ask *ask)
{
    const bool bit_string = ask->bit_string && e->tag == TAG_BIT_STRING && e->length > 0;
    const bool real = ask->real && e->tag == TAG_REAL && e->length > REAL_MAX;

    if (ask->longer != UINT32_MAX && e->length > ask->longer)
        return BER_YES;
    if (!bit_string && !real)
        return BER_NO;
    if (n == 0)
        return BER_CUT;
    if (bit_string)
        return content[0] > 0 && content[0] / 8 >= e->length - 1 && content[0] > (e->length - 1) * 8
                   ? BER_YES
                   : BER_NO;
    return (content[0] & 0xc0) == 0 ? BER_YES : BER_NO; /* X.690 section 8.5.8: decimal */
}

enum ber_answer
ber_look(const uint8_t *p, size_t n, const struct ber_ask *ask, uint64_t *needed)
{
    struct ber_element e;
    uint64_t at = 0;

    for (unsigned i = 0; i < BER_ELEMENTS_MAX && at < n; i++) {
        enum ber_answer answer = ber_read(p + at, n - (size_t)at, &e);

        *needed = n + 1;
        if (answer != BER_YES)
            return answer;
        at += e.header;
        answer = is_asked_for(&e, p + at, n - (size_t)at, ask);
        if (answer != BER_NO)
            return answer;
        if (e.constructed || e.endless)
            continue;
        if (e.length > INT32_MAX)
            return BER_NO; /* nobody waits for so much */
        at += e.length;
        *needed = at + 1;
    }
    return at < n ? BER_NO : BER_CUT;
}
