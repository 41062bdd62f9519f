#include "detect/transform.h"

#include "detect/inflate.h"

#include "digest.h"

#include <stdlib.h>
#include <string.h>

/* What there is of the buffer lies at p, which is in room or, for a part of it, behind. */
struct transformer {
    struct regex_scratch *scratch; /* of the call at hand */
    struct digest *digest;         /* NULL: there are none */
    struct inflater *inflater;     /* likewise */
    uint8_t *p;
    size_t n;
    unsigned lost;
    uint8_t room[TRANSFORM_ROOM], made[INFLATED_MAX];
};

int
transformer_new(struct transformer **out)
{
    struct transformer *t = malloc(sizeof(*t));

    *out = t;
    if (t == NULL)
        return WEIR_E_NOMEM;
    t->lost = 0;
    t->digest = NULL;
    t->inflater = NULL;
    if (digest_new(&t->digest) != WEIR_E_NOMEM && inflater_new(&t->inflater) != WEIR_E_NOMEM)
        return WEIR_E_OK;
    transformer_free(t);
    *out = NULL;
    return WEIR_E_NOMEM;
}

void
transformer_free(struct transformer *transformer)
{
    if (transformer == NULL)
        return;
    digest_free(transformer->digest);
    inflater_free(transformer->inflater);
    free(transformer);
}

unsigned
transformer_lost(struct transformer *transformer)
{
    unsigned lost = transformer->lost;

    transformer->lost = 0;
    return lost;
}

/* ---- case and spaces ----------------------------------------------------------------------- */

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static uint8_t
upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
to_lowercase(struct transformer *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->p[i] = lower(t->p[i]);
}

static void
to_uppercase(struct transformer *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->p[i] = upper(t->p[i]);
}

/* first: of spaces in a row one stays. */
static void
strip_whitespace(struct transformer *t, bool first)
{
    bool before = false;
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        bool space = is_space(t->p[i]);

        if (!space || (first && !before))
            t->p[n++] = t->p[i];
        before = space;
    }
    t->n = n;
}

/* ---- digits -------------------------------------------------------------------------------- */

static int
hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 section 2.1, and a plus for a space; what is no pair of digits stays. */
static void
url_decode(struct transformer *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        uint8_t c = t->p[i];
        int high = c == '%' && t->n - i > 2 ? hex(t->p[i + 1]) : -1;
        int low = high >= 0 ? hex(t->p[i + 2]) : -1;

        if (low >= 0) {
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        t->p[n++] = low < 0 && c == '+' ? ' ' : c;
    }
    t->n = n;
}

static void
xor_bytes(struct transformer *t, const struct transform *transform)
{
    for (size_t i = 0; i < t->n; i++)
        t->p[i] ^= transform->text[i % transform->n];
}

static int
base64_digit(uint8_t c)
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

/* Bytes decoded from [from, to) to the beginning; 0: none are, and nothing has changed. */
static size_t
decode(struct transformer *t, size_t from, size_t to, enum base64_mode mode)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (size_t i = from; i < to && t->p[i] != '='; i++) {
        int value = base64_digit(t->p[i]);

        if (value < 0 && mode == BASE64_SKIP)
            continue;
        if (value < 0)
            return n;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        t->p[n++] = (uint8_t)(bits >> have);
        bits &= (1U << have) - 1;
    }
    return n;
}

/* Where nothing can be decoded, the buffer stays as it is (as in Suricata). It is decoded in place:
 * a digit is read before its byte is written. */
static void
from_base64(struct transformer *t, const struct transform *transform)
{
    size_t from = transform->offset, to = t->n;
    size_t n;

    if (from >= t->n || (transform->limit > 0 && transform->limit > t->n - from))
        return;
    if (transform->limit > 0)
        to = from + transform->limit;
    if (transform->mode == BASE64_STRICT)
        for (size_t i = from; i < to && t->p[i] != '='; i++)
            if (base64_digit(t->p[i]) < 0)
                return;
    n = decode(t, from, to, transform->mode);
    if (n > 0)
        t->n = n;
}

/* ---- names and lines ----------------------------------------------------------------------- */

static void
dotprefix(struct transformer *t)
{
    if (t->n == TRANSFORM_ROOM) {
        t->lost++;
        t->n--;
    }
    memmove(t->room + 1, t->p, t->n);
    t->p = t->room;
    t->p[0] = '.';
    t->n++;
}

/* Names end at a colon, lines at a line feed. */
static void
header_lowercase(struct transformer *t)
{
    bool name = true;

    for (size_t i = 0; i < t->n; i++) {
        if (t->p[i] == '\n')
            name = true;
        else if (t->p[i] == ':')
            name = false;
        else if (name)
            t->p[i] = lower(t->p[i]);
    }
}

/* Lines that begin with a colon (RFC 9113 section 8.3). */
static void
strip_pseudo_headers(struct transformer *t)
{
    bool begins = true, pseudo = false;
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (begins)
            pseudo = t->p[i] == ':';
        begins = t->p[i] == '\n';
        if (!pseudo)
            t->p[n++] = t->p[i];
    }
    t->n = n;
}

/* The value of "Name: value"; false: the line has another name. */
static bool
field(struct transformer *t, const struct transform *transform)
{
    size_t at = transform->n;

    if (t->n <= at || t->p[at] != ':')
        return false;
    for (size_t i = 0; i < at; i++)
        if (lower(t->p[i]) != lower(transform->text[i]))
            return false;
    do
        at++;
    while (at < t->n && (t->p[at] == ' ' || t->p[at] == '\t'));
    t->p += at;
    t->n -= at;
    return true;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void
to_digest(struct transformer *t, enum digest_kind kind)
{
    uint8_t out[DIGEST_MAX];

    t->n = digest_of(t->digest, kind, t->p, t->n, out);
    t->p = t->room;
    memcpy(t->p, out, t->n);
}

/* Where it does not match, the buffer stays as it is (as in Suricata). */
static void
pcrexform(struct transformer *t, const struct transform *transform)
{
    const struct regex_bytes bytes = { .p = t->p, .n = t->n, .begins = true };
    size_t at[2] = { 0, 0 };
    enum regex_answer answer = regex_group(transform->regex, t->scratch, &bytes, at);

    t->lost += answer == REGEX_LIMIT;
    if (answer != REGEX_YES)
        return;
    t->p += at[0];
    t->n = at[1] - at[0];
}

/* Bytes counted from either end; the greater place may stand first. */
static void
subslice(struct transformer *t, const struct transform *transform)
{
    const int64_t n = (int64_t)t->n;
    int64_t from = transform->first >= 0 ? transform->first : n + transform->first;
    int64_t to = n, low, high;

    if (from < 0 || from > n) {
        t->n = transform->cut ? t->n : 0;
        from = from < 0 ? 0 : n;
    }
    if (transform->many != 0)
        to = transform->many > 0 ? from + transform->many : n + transform->many;
    if (to < 0 || to > n) {
        t->n = transform->cut ? t->n : 0;
        to = to < 0 ? 0 : n;
    }
    if (t->n == 0)
        return;
    low = from < to ? from : to;
    high = from < to ? to : from;
    t->p += low;
    t->n = (size_t)(high - low);
}

/* What is not compressed so becomes nothing. */
static void
decompress(struct transformer *t, const struct transform *transform, enum inflate_form form)
{
    t->n = inflate_bytes(t->inflater, form, t->p, t->n, t->made, transform->limit);
    t->p = t->room;
    memcpy(t->p, t->made, t->n);
}

static bool
apply(struct transformer *t, const struct transform *transform)
{
    switch ((enum transform_kind)transform->kind) {
    case TRANSFORM_TO_LOWERCASE:
        to_lowercase(t);
        break;
    case TRANSFORM_TO_UPPERCASE:
        to_uppercase(t);
        break;
    case TRANSFORM_STRIP_WHITESPACE:
        strip_whitespace(t, false);
        break;
    case TRANSFORM_COMPRESS_WHITESPACE:
        strip_whitespace(t, true);
        break;
    case TRANSFORM_URL_DECODE:
        url_decode(t);
        break;
    case TRANSFORM_DOTPREFIX:
        dotprefix(t);
        break;
    case TRANSFORM_XOR:
        xor_bytes(t, transform);
        break;
    case TRANSFORM_TO_MD5:
        to_digest(t, DIGEST_MD5);
        break;
    case TRANSFORM_TO_SHA1:
        to_digest(t, DIGEST_SHA1);
        break;
    case TRANSFORM_TO_SHA256:
        to_digest(t, DIGEST_SHA256);
        break;
    case TRANSFORM_HEADER_LOWERCASE:
        header_lowercase(t);
        break;
    case TRANSFORM_STRIP_PSEUDO_HEADERS:
        strip_pseudo_headers(t);
        break;
    case TRANSFORM_FROM_BASE64:
        from_base64(t, transform);
        break;
    case TRANSFORM_PCREXFORM:
        pcrexform(t, transform);
        break;
    case TRANSFORM_SUBSLICE:
        subslice(t, transform);
        break;
    case TRANSFORM_FIELD:
        return field(t, transform);
    case TRANSFORM_GUNZIP:
        decompress(t, transform, INFLATE_GZIP);
        break;
    case TRANSFORM_ZLIB_DEFLATE:
        decompress(t, transform, INFLATE_ZLIB);
        break;
    }
    return true;
}

enum transform_answer
transform(struct transformer *t, const struct rule *rule, unsigned chain,
          struct regex_scratch *scratch, struct buffer *buffer)
{
    const struct chain *c = &rule->chains[chain - 1];

    if (!buffer->final && transform_needs_all(rule, chain))
        return TRANSFORM_WAIT;
    t->scratch = scratch;
    t->p = t->room;
    t->n = (size_t)(buffer->end - buffer->start);
    if (t->n > TRANSFORM_ROOM) {
        t->n = TRANSFORM_ROOM;
        t->lost++;
    }
    if (t->n > 0)
        memcpy(t->p, buffer->p, t->n);
    for (unsigned i = c->first; i < c->behind; i++)
        if (!apply(t, &rule->transforms[i]))
            return TRANSFORM_NONE;
    *buffer = (struct buffer){ t->p, 0, (int64_t)t->n, buffer->final };
    return TRANSFORM_DONE;
}
