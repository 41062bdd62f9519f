/*
 * JSON (RFC 8259), written one object a line: no tree, no allocation.
 *
 *     json_begin(&j, out);
 *     json_str(&j, "event_type", "alert");
 *     json_open(&j, "alert");
 *     json_u64(&j, "gid", 1);
 *     json_close(&j);
 *     json_end(&j);
 *
 * Keys are our own and need no escapes. Inside an array (json_open_array) the key is NULL.
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include "out.h"

#include <string.h>

enum { JSON_DEPTH = 16 };

struct json {
    struct out *out;
    bool comma; /* a member was written at this depth */
    unsigned depth;
    char closing[JSON_DEPTH]; /* '}' or ']' by depth */
};

void json_begin(struct json *j, struct out *out);
void json_end(struct json *j); /* ends the line and the record */

void json_open(struct json *j, const char *key);
void json_open_array(struct json *j, const char *key);
void json_close(struct json *j);

/* With the key's length, which the compiler knows of those that are written out. */
void json_put_text(struct json *j, const char *key, size_t length, const char *p, size_t n);
void json_put_u64(struct json *j, const char *key, size_t length, uint64_t value);

static inline size_t
json_length(const char *key)
{
    return key != NULL ? strlen(key) : 0;
}

static inline void
json_u64(struct json *j, const char *key, uint64_t value)
{
    json_put_u64(j, key, json_length(key), value);
}

static inline void
json_str(struct json *j, const char *key, const char *value)
{
    json_put_text(j, key, json_length(key), value, strlen(value));
}

void json_i64(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_base64(struct json *j, const char *key, const uint8_t *p, size_t n);

/* Any bytes as a string: what is not valid UTF-8 is written as \u00XX, byte by byte. */
static inline void
json_text(struct json *j, const char *key, const char *p, size_t n)
{
    json_put_text(j, key, json_length(key), p, n);
}

/* As json_open_array(), with a key that is not ours and may hold anything. */
void json_open_array_text(struct json *j, const char *key);

/* A key that is not ours and may hold anything; the value is written to j->out. */
void json_key_text(struct json *j, const char *p, size_t n);

/* Only the key: the caller writes the value to j->out. */
void json_key(struct json *j, const char *key);

#endif
