#include "http_form.h"

#include <string.h>

/* Kinds of bytes. */
enum { TOKEN = 1, VALUE = 2, PATH = 4, QUERY = 8, HOST = 16 };

#define LETTER      (TOKEN | VALUE | PATH | QUERY | HOST)
#define SIGN(c)     [c] = VALUE
#define IN_QUERY(c) [c] = VALUE | QUERY

static const uint8_t kind[256] = {
    ['0' ... '9'] = LETTER,
    ['A' ... 'Z'] = LETTER & ~HOST,
    ['a' ... 'z'] = LETTER,
    ['-'] = LETTER,
    ['.'] = VALUE | PATH | QUERY | HOST,
    ['_'] = VALUE | PATH | QUERY,
    ['~'] = VALUE | PATH | QUERY,
    ['/'] = VALUE | PATH | QUERY,
    IN_QUERY('='),
    IN_QUERY('&'),
    IN_QUERY(':'),
    IN_QUERY(','),
    IN_QUERY('%'),
    IN_QUERY('+'),
    IN_QUERY('*'),
    IN_QUERY('!'),
    IN_QUERY('@'),
    SIGN(' '),
    SIGN('"'),
    SIGN('#'),
    SIGN('$'),
    SIGN('\''),
    SIGN('('),
    SIGN(')'),
    SIGN(';'),
    SIGN('<'),
    SIGN('>'),
    SIGN('?'),
    SIGN('['),
    SIGN('\\'),
    SIGN(']'),
    SIGN('^'),
    SIGN('`'),
    SIGN('{'),
    SIGN('|'),
    SIGN('}'),
};

/* A head that is read. */
struct reader {
    const uint8_t *p; /* all of it */
    uint32_t n, at;
    struct http_form *form;
};

static bool
is_all(const uint8_t *p, size_t n, uint8_t of)
{
    uint8_t all = of;

    for (size_t i = 0; i < n; i++)
        all &= kind[p[i]];
    return all != 0;
}

static struct http_place
place(uint32_t at, uint32_t n)
{
    return (struct http_place){ (uint16_t)at, (uint16_t)n };
}

/* The line at hand without its end, which is CR LF. */
static bool
next_line(struct reader *r, struct http_place *line)
{
    const uint8_t *from = r->p + r->at, *lf = memchr(from, '\n', r->n - r->at);

    if (lf == NULL || lf == from || lf[-1] != '\r')
        return false;
    *line = place(r->at, (uint32_t)(lf - from) - 1);
    r->at += (uint32_t)(lf - from) + 1;
    return true;
}

/* The word of a line up to a space; the rest stays. */
static bool
next_word(const struct reader *r, struct http_place *rest, struct http_place *word)
{
    const uint8_t *from = r->p + rest->at, *space = memchr(from, ' ', rest->n);
    const uint16_t n = space != NULL ? (uint16_t)(space - from) : 0;

    *word = place(rest->at, n);
    *rest = place(rest->at + n + 1U, rest->n - n - 1U);
    return n > 0;
}

static inline bool
is(const struct reader *r, struct http_place place, const char *text)
{
    return place.n == strlen(text) && memcmp(r->p + place.at, text, place.n) == 0;
}

static bool
is_version(const struct reader *r, struct http_place word)
{
    return is(r, word, "HTTP/1.1") || is(r, word, "HTTP/1.0");
}

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* name is in lower case */
static bool
is_name(const uint8_t *p, struct http_place place, const char *name, size_t n)
{
    if (place.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower(p[place.at + i]) != (uint8_t)name[i])
            return false;
    return true;
}

/* ---- headers */

static bool
is_repeated(const struct reader *r, struct http_place name)
{
    const struct http_form *form = r->form;

    for (unsigned i = 0; i < form->n_field; i++) {
        const struct http_place other = form->field[i].name;
        uint16_t k = 0;

        while (other.n == name.n && k < name.n &&
               lower(r->p[other.at + k]) == lower(r->p[name.at + k]))
            k++;
        if (k == name.n)
            return true;
    }
    return false;
}

/* "Name: value", with one space at most, and none behind it. */
static bool
read_field(struct reader *r, struct http_place line)
{
    const uint8_t *from = r->p + line.at, *colon = memchr(from, ':', line.n);
    const uint16_t n = colon != NULL ? (uint16_t)(colon - from) : 0;
    struct http_field *field = &r->form->field[r->form->n_field];
    uint32_t at = n + 1U;

    if (n == 0 || r->form->n_field == FORM_FIELDS)
        return false;
    at += at < line.n && from[at] == ' ';
    if (at >= line.n || from[at] == ' ' || from[line.n - 1] == ' ' || !is_all(from, n, TOKEN) ||
        !is_all(from + at, line.n - at, VALUE))
        return false;
    field->name = place(line.at, n);
    field->value = place(line.at + at, line.n - at);
    if (is_repeated(r, field->name))
        return false;
    r->form->n_field++;
    return true;
}

static bool
read_fields(struct reader *r)
{
    const uint32_t from = r->at;
    struct http_place line;

    for (;;) {
        if (!next_line(r, &line))
            return false;
        if (line.n == 0)
            break;
        if (!read_field(r, line))
            return false;
    }
    r->form->raw = place(from, r->at - from);
    r->form->n = (uint16_t)r->at;
    return true;
}

static const struct http_field *
find(const struct http_form *form, const uint8_t *head, const char *name, size_t n)
{
    for (unsigned i = 0; i < form->n_field; i++)
        if (is_name(head, form->field[i].name, name, n))
            return &form->field[i];
    return NULL;
}

const struct http_field *
http_form_find(const struct http_form *form, const uint8_t *head, const char *name)
{
    return find(form, head, name, strlen(name));
}

/* Inline, so that the compiler knows the length of a name that is written out. */
static inline const struct http_field *
header(const struct reader *r, const char *name)
{
    return find(r->form, r->p, name, strlen(name));
}

static inline bool
has(const struct reader *r, const char *name)
{
    return header(r, name) != NULL;
}

/* Digits without a zero before them, at most 15 of them; -1: they are not. */
static int64_t
number_of(const uint8_t *p, size_t n)
{
    int64_t number = 0;

    if (n == 0 || n > 15 || (p[0] == '0' && n > 1))
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        number = 10 * number + (p[i] - '0');
    }
    return number;
}

/* Bodies are as long as is said, or last to the end. */
static bool
read_length(struct reader *r)
{
    const struct http_field *length = header(r, "content-length");

    r->form->length = -1;
    if (has(r, "transfer-encoding") || has(r, "content-encoding"))
        return false;
    if (length == NULL)
        return true;
    r->form->length = number_of(r->p + length->value.at, length->value.n);
    return r->form->length >= 0;
}

/* ---- requests */

/* Without escapes, empty and dotted names, so that it is the same decoded. */
static bool
is_path(const uint8_t *p, size_t n)
{
    if (n == 0 || p[0] != '/' || !is_all(p, n, PATH))
        return false;
    for (size_t i = 1; i < n; i++)
        if (p[i - 1] == '/' && (p[i] == '/' || p[i] == '.'))
            return false;
    return true;
}

static bool
read_uri(struct reader *r)
{
    struct http_form *form = r->form;
    const uint8_t *p = r->p + form->uri.at, *mark = memchr(p, '?', form->uri.n);
    const uint16_t n = mark != NULL ? (uint16_t)(mark - p) : form->uri.n;

    form->has_query = mark != NULL;
    form->path = place(form->uri.at, n);
    form->query = mark != NULL ? place(form->uri.at + n + 1U, form->uri.n - n - 1U) : place(0, 0);
    return is_path(p, n) &&
           (mark == NULL || (form->query.n > 0 && is_all(mark + 1, form->query.n, QUERY)));
}

/* Names as RFC 1123 has them, in lower case: libhtp makes that of some. */
static bool
is_host(const uint8_t *p, size_t n)
{
    size_t label = 0;

    if (n == 0 || n > 253 || !is_all(p, n, HOST))
        return false;
    for (size_t i = 0; i < n; i++) {
        label = p[i] == '.' ? 0 : label + 1;
        if ((label == 0 && (i == 0 || i + 1 == n || p[i - 1] == '.')) || label > 63)
            return false;
    }
    return p[0] != '-' && p[n - 1] != '-';
}

static bool
read_host(struct reader *r)
{
    const struct http_field *host = header(r, "host");
    const uint8_t *p, *colon;
    uint16_t n;
    int64_t port;

    if (host == NULL)
        return false;
    p = r->p + host->value.at;
    colon = memchr(p, ':', host->value.n);
    n = colon != NULL ? (uint16_t)(colon - p) : host->value.n;
    port = colon != NULL ? number_of(colon + 1, host->value.n - n - 1U) : 80;
    r->form->host = place(host->value.at, n);
    return is_host(p, n) && port > 0 && port <= 65535;
}

static bool
read_request_line(struct reader *r)
{
    struct http_form *form = r->form;
    struct http_place rest;

    if (!next_line(r, &form->line))
        return false;
    rest = form->line;
    if (!next_word(r, &rest, &form->method) || !next_word(r, &rest, &form->uri))
        return false;
    form->protocol = rest;
    form->head_only = is(r, form->method, "HEAD");
    return (form->head_only || is(r, form->method, "GET") || is(r, form->method, "POST")) &&
           is_version(r, rest) && read_uri(r);
}

static struct reader
reader_of(struct weir_bytes bytes, struct http_form *form)
{
    form->n_field = 0;
    return (struct reader){ bytes.p, bytes.n < FORM_HEAD ? bytes.n : FORM_HEAD, 0, form };
}

bool
http_form_request(struct weir_bytes bytes, struct http_form *form)
{
    struct reader r = reader_of(bytes, form);

    return read_request_line(&r) && read_fields(&r) && read_length(&r) && read_host(&r) &&
           (form->length <= 0 || is(&r, form->method, "POST")) && !has(&r, "authorization");
}

/* ---- responses */

static bool
read_status_line(struct reader *r)
{
    struct http_form *form = r->form;
    struct http_place rest;

    if (!next_line(r, &form->line))
        return false;
    rest = form->line;
    if (!next_word(r, &rest, &form->protocol) || !next_word(r, &rest, &form->status_text))
        return false;
    form->message = rest;
    form->status = (int16_t)(form->status_text.n == 3 ? number_of(r->p + form->status_text.at, 3)
                                                      : -1);
    return is_version(r, form->protocol) && form->status >= 200 && form->status <= 599 &&
           rest.n > 0 && r->p[rest.at] != ' ' && r->p[rest.at + rest.n - 1] != ' ' &&
           is_all(r->p + rest.at, rest.n, VALUE);
}

/* What is of many parts libhtp remarks on. */
static bool
is_multipart(const struct reader *r)
{
    const struct http_field *type = header(r, "content-type");

    return type != NULL && lower(r->p[type->value.at]) == 'm';
}

bool
http_form_response(struct weir_bytes bytes, struct http_form *form)
{
    struct reader r = reader_of(bytes, form);

    return read_status_line(&r) && read_fields(&r) && read_length(&r) && !is_multipart(&r) &&
           ((form->status != 204 && form->status != 304) || form->length < 0);
}
