/*
 * Heads of HTTP/1 messages whose form leaves nothing to interpret: every server, client and libhtp
 * understands them alike, and libhtp has nothing to note. Anything else has no form here, and is
 * libhtp's to read: other methods, escapes in a path, repeated or folded headers, codings, ports or
 * hosts that are odd, line ends that are.
 */
#ifndef WEIR_HTTP_FORM_H
#define WEIR_HTTP_FORM_H

#include <weir/event.h>

#include <stddef.h>

enum { FORM_HEAD = 4096, FORM_FIELDS = 40 };

/* Where in the head something is. */
struct http_place {
    uint16_t at, n;
};

struct http_form {
    uint16_t n;       /* bytes of the head, the empty line too */
    uint16_t n_field; /* headers */
    int16_t status;   /* of a response */
    bool head_only;   /* a request for a head: no body follows its response's */
    bool has_query;
    int64_t length; /* Content-Length; -1: none */
    struct http_place line;
    struct http_place method, uri, path, query, host; /* of a request */
    struct http_place protocol;
    struct http_place status_text, message; /* of a response */
    struct http_place raw;                  /* what is behind the line */
    struct http_field {
        struct http_place name, value;
    } field[FORM_FIELDS];
};

/* Whether bytes begin with a whole head of this kind. */
bool http_form_request(struct weir_bytes bytes, struct http_form *form);
bool http_form_response(struct weir_bytes bytes, struct http_form *form);

/* The header of a name, in lower case and of any case in the head; NULL: there is none. */
const struct http_field *
http_form_find(const struct http_form *form, const uint8_t *head, const char *name);

#endif
