#include "json.h"

#include <assert.h>
#include <string.h>

enum { NUMBER_MAX = 20 }; /* digits of 64 bits, or with a sign */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* A byte that is copied one by one with others: a call would take longer. */
static void
put(struct json *j, char c)
{
    char *to = out_at_hand(j->out, 1);

    if (to == NULL) {
        out_char(j->out, c);
        return;
    }
    *to = c;
    out_take(j->out, to + 1);
}

static void
push(struct json *j, char opening, char closing)
{
    assert(j->depth < JSON_DEPTH);
    put(j, opening);
    j->closing[j->depth++] = closing;
    j->comma = false;
}

void
json_begin(struct json *j, struct out *out)
{
    *j = (struct json){ .out = out };
    push(j, '{', '}');
}

void
json_end(struct json *j)
{
    while (j->depth > 0)
        json_close(j);
    out_char(j->out, '\n');
    out_end_record(j->out);
}

/*
 * Write what goes before a value, and see to room for n bytes behind. NULL: there is none at hand.
 */
static char *
begin_value(struct json *j, const char *key, size_t length, size_t n)
{
    char *to = out_at_hand(j->out, length + sizeof(",\"\":") + n);

    if (to == NULL) {
        json_key(j, key);
        return NULL;
    }
    if (j->comma)
        *to++ = ',';
    j->comma = true;
    if (key == NULL)
        return to;
    *to++ = '"';
    memcpy(to, key, length);
    to += length;
    *to++ = '"';
    *to++ = ':';
    return to;
}

void
json_key(struct json *j, const char *key)
{
    if (j->comma)
        out_char(j->out, ',');
    j->comma = true;
    if (key == NULL)
        return;
    out_char(j->out, '"');
    out_str(j->out, key);
    out_bytes(j->out, "\":", 2);
}

void
json_open(struct json *j, const char *key)
{
    json_key(j, key);
    push(j, '{', '}');
}

void
json_open_array(struct json *j, const char *key)
{
    json_key(j, key);
    push(j, '[', ']');
}

void
json_close(struct json *j)
{
    assert(j->depth > 0);
    put(j, j->closing[--j->depth]);
    j->comma = true;
}

/* Length of the UTF-8 character at p (RFC 3629 section 4), 0 if it is none. */
static size_t
utf8_length(const uint8_t *p, size_t n)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (length == 0 || length > n || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0; /* overlong, surrogate or beyond U+10FFFF */
    return length;
}

static void
escape(struct out *out, uint8_t c)
{
    static const char letter[] = "\"\\/\b\f\n\r\t", name[] = "\"\\/bfnrt";
    const char *at = memchr(letter, c, sizeof(letter) - 1);

    if (at != NULL) {
        out_char(out, '\\');
        out_char(out, name[at - letter]);
    } else {
        out_bytes(out, "\\u00", 4);
        out_hex(out, c, 2);
    }
}

/* Whether one of eight bytes is a control, a quote, a backslash, DEL or no ASCII. */
static bool
is_odd(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    const uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';

    return ((((x - ones * 0x20) | (quote - ones) | (backslash - ones)) & ~x) | (x + ones) | x) &
           high;
}

/* Copy what is ASCII that needs no escape, up to the first byte that is not. @return how much. */
static size_t
copy_plain(char *to, const uint8_t *p, size_t n)
{
    uint64_t eight;
    size_t i = 0;

    for (; n - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, p + i, sizeof(eight));
        if (is_odd(eight))
            break;
        memcpy(to + i, &eight, sizeof(eight));
    }
    for (; i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\'; i++)
        to[i] = (char)p[i];
    return i;
}

/* How many bytes from p on are ASCII that needs no escape. */
static size_t
plain_run(const uint8_t *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

void
json_put_text(struct json *j, const char *key, size_t length, const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;
    char *to = begin_value(j, key, length, n + sizeof("\"\""));

    if (to == NULL) {
        out_char(j->out, '"');
    } else {
        *to++ = '"';
        length = copy_plain(to, p, n);
        out_take(j->out, to + length);
        p += length;
        n -= length;
    }
    while (n > 0) {
        length = plain_run(p, n);

        if (length > 0) {
            out_bytes(j->out, p, length);
        } else if (*p < 0x80 || (length = utf8_length(p, n)) == 0) {
            escape(j->out, *p);
            length = 1;
        } else {
            out_bytes(j->out, p, length);
        }
        p += length;
        n -= length;
    }
    put(j, '"');
}

void
json_key_text(struct json *j, const char *p, size_t n)
{
    json_text(j, NULL, p, n);
    out_char(j->out, ':');
}

void
json_open_array_text(struct json *j, const char *key)
{
    json_key_text(j, key, strlen(key));
    push(j, '[', ']');
}

void
json_i64(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    out_i64(j->out, value);
}

void
json_put_u64(struct json *j, const char *key, size_t length, uint64_t value)
{
    char *to = begin_value(j, key, length, NUMBER_MAX), *p;
    uint64_t limit = 10;
    unsigned n = 1;

    if (to == NULL) {
        out_u64(j->out, value);
        return;
    }
    for (; n < NUMBER_MAX && value >= limit; limit *= 10)
        n++;
    for (p = to + n; value >= 100; value /= 100)
        memcpy(p -= 2, &pairs[value % 100 * 2], 2);
    if (value >= 10)
        memcpy(to, &pairs[value * 2], 2);
    else
        *to = (char)('0' + value);
    out_take(j->out, to + n);
}

void
json_bool(struct json *j, const char *key, bool value)
{
    json_key(j, key);
    out_str(j->out, value ? "true" : "false");
}

void
json_base64(struct json *j, const char *key, const uint8_t *p, size_t n)
{
    json_key(j, key);
    out_char(j->out, '"');
    out_base64(j->out, p, n);
    out_char(j->out, '"');
}
