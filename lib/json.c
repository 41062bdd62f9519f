#include "json.h"

#include <assert.h>
#include <string.h>

static void
push(struct json *j, char opening, char closing)
{
    assert(j->depth < JSON_DEPTH);
    out_char(j->out, opening);
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
    out_char(j->out, j->closing[--j->depth]);
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
json_text(struct json *j, const char *key, const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;

    json_key(j, key);
    out_char(j->out, '"');
    while (n > 0) {
        size_t length = plain_run(p, n);

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
    out_char(j->out, '"');
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
json_str(struct json *j, const char *key, const char *value)
{
    json_text(j, key, value, strlen(value));
}

void
json_i64(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    out_i64(j->out, value);
}

void
json_u64(struct json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    out_u64(j->out, value);
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
