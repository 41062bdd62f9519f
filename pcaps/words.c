#include "words.h"

#include <string.h>

static const int64_t number_max = INT64_C(1) << 40;
static const char too_long[] = "the bytes do not fit";

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The quoted word whose opening quote is at p; returns the character behind it, or NULL. */
static const char *
quoted_word(const char *p, const char *end, struct word *out)
{
    const char *from = ++p;

    for (; p < end && *p != '"'; p++)
        if (*p == '\\' && end - p > 1)
            p++;
    if (p >= end)
        return NULL;
    *out = (struct word){ from, (size_t)(p - from), true };
    return p + 1;
}

static const char *
plain_word(const char *p, const char *end, struct word *out)
{
    const char *from = p;

    while (p < end && !is_blank(*p) && *p != '"')
        p++;
    *out = (struct word){ from, (size_t)(p - from), false };
    return p;
}

const char *
words_split(struct words *words, const char *line, size_t n)
{
    const char *p = line, *end = line + n;

    words->n = words->at = 0;
    for (;;) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end || *p == '#')
            return NULL;
        if (words->n == WORDS_MAX)
            return "a line has at most 256 words";
        p = *p == '"' ? quoted_word(p, end, &words->word[words->n])
                      : plain_word(p, end, &words->word[words->n]);
        if (p == NULL)
            return "a closing quote is expected";
        words->n++;
    }
}

const struct word *
words_peek(const struct words *words)
{
    return words->at < words->n ? &words->word[words->at] : NULL;
}

const struct word *
words_take(struct words *words)
{
    return words->at < words->n ? &words->word[words->at++] : NULL;
}

bool
word_is(const struct word *word, const char *text)
{
    return word != NULL && !word->quoted && word->n == strlen(text) &&
           memcmp(word->p, text, word->n) == 0;
}

static int
digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool
digits(const char *p, size_t n, int base, int64_t *out)
{
    int64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        if (digit_value(p[i]) >= base)
            return false;
        value = value * base + digit_value(p[i]);
        if (value > number_max)
            return false;
    }
    *out = value;
    return n > 0;
}

bool
word_number(const struct word *word, int64_t *out)
{
    const char *p = word->p;
    size_t n = word->n;
    bool minus = n > 0 && *p == '-', hex, good;

    if (word->quoted)
        return false;
    p += minus;
    n -= minus;
    hex = n > 2 && p[0] == '0' && p[1] == 'x';
    good = hex ? digits(p + 2, n - 2, 16, out) : digits(p, n, 10, out);
    if (good && minus)
        *out = -*out;
    return good;
}

bool
word_time(const char *p, size_t n, int64_t *out)
{
    const char *point = memchr(p, '.', n);
    size_t whole = point != NULL ? (size_t)(point - p) : n, rest = n - whole;
    int64_t micros = 0;

    if (!digits(p, whole, 10, out) || *out > number_max / 1000000)
        return false;
    if (point != NULL && (rest > 7 || !digits(point + 1, rest - 1, 10, &micros)))
        return false;
    for (size_t i = rest; i > 0 && i < 7; i++)
        micros *= 10;
    *out = *out * 1000000 + micros;
    return true;
}

/* The character behind a backslash; -1: none that is known. */
static int
escape_value(char c)
{
    static const char names[] = "rnt0\\\"", values[] = "\r\n\t\0\\\"";
    const char *at = memchr(names, c, sizeof(names) - 1);

    return at != NULL ? values[at - names] : -1;
}

static bool
hex_pair(const char *p, const char *end, uint8_t *out)
{
    if (end - p < 2 || digit_value(p[0]) > 15 || digit_value(p[1]) > 15)
        return false;
    *out = (uint8_t)(digit_value(p[0]) << 4 | digit_value(p[1]));
    return true;
}

const char *
word_text(const struct word *word, uint8_t *out, size_t room, size_t *n)
{
    const char *p = word->p, *end = p + word->n;

    for (*n = 0; p < end; p++, ++*n) {
        if (*n == room)
            return too_long;
        out[*n] = (uint8_t)*p;
        if (*p != '\\')
            continue;
        if (++p < end && *p == 'x' && hex_pair(p + 1, end, &out[*n]))
            p += 2;
        else if (p < end && escape_value(*p) >= 0)
            out[*n] = (uint8_t)escape_value(*p);
        else
            return "one of \\r \\n \\t \\0 \\\\ \\\" \\xHH is expected";
    }
    return NULL;
}

const char *
word_hex(const struct word *word, uint8_t *out, size_t room, size_t *n)
{
    const char *p = word->p, *end = p + word->n;

    for (*n = 0;; p += 2, ++*n) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            return NULL;
        if (*n == room)
            return too_long;
        if (!hex_pair(p, end, &out[*n]))
            return "pairs of hexadecimal digits are expected";
    }
}
