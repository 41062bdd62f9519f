#include "app/multipart.h"

#include "rd.h"

#include <string.h>
#include <strings.h>

/* The first place of a word in any case; NULL: it is nowhere. */
static const uint8_t *
find_word(struct weir_bytes in, const char *word)
{
    const size_t n = strlen(word);

    for (size_t i = 0; in.n >= n && i <= in.n - n; i++)
        if (strncasecmp((const char *)in.p + i, word, n) == 0)
            return in.p + i;
    return NULL;
}

static struct weir_bytes
from_to(const uint8_t *p, const uint8_t *end)
{
    return (struct weir_bytes){ p, (uint32_t)(end - p) };
}

/* Of p and end, the first place of a character between them, or end. */
static const uint8_t *
first_of(const uint8_t *p, const uint8_t *end, char c)
{
    const uint8_t *at = memchr(p, c, (size_t)(end - p));

    return at != NULL ? at : end;
}

/* ---- parameters of a header, RFC 2045 section 5.1 -------------------------------------------- */

struct parameter {
    struct weir_bytes name, value; /* without blanks around them; a value without its quotes */
};

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct weir_bytes
trimmed(const uint8_t *p, const uint8_t *end)
{
    while (p < end && is_blank(*p))
        p++;
    while (end > p && is_blank(end[-1]))
        end--;
    return from_to(p, end);
}

/* The quote that closes, or end. A backslash makes any character one of the text. */
static const uint8_t *
end_of_quoted(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    return p;
}

/* The semicolon behind what begins at p, or end; those in quotes are text. */
static const uint8_t *
end_of_item(const uint8_t *p, const uint8_t *end)
{
    for (; p < end && *p != ';'; p++)
        if (*p == '"' && (p = end_of_quoted(p + 1, end)) == end)
            break;
    return p;
}

static struct weir_bytes
value_of(const uint8_t *p, const uint8_t *end)
{
    const struct weir_bytes value = trimmed(p, end);

    if (value.n == 0 || value.p[0] != '"')
        return value;
    return trimmed(value.p + 1, end_of_quoted(value.p + 1, value.p + value.n));
}

/* The parameter behind the item at p. Returns where it begins; NULL: there is none. */
static const uint8_t *
next_parameter(const uint8_t *p, const uint8_t *end, struct parameter *out)
{
    const uint8_t *behind, *equals;

    p = end_of_item(p, end);
    if (p == end)
        return NULL;
    behind = end_of_item(p + 1, end);
    equals = first_of(p + 1, behind, '=');
    out->name = trimmed(p + 1, equals);
    out->value = value_of(equals < behind ? equals + 1 : behind, behind);
    return p + 1;
}

/* Whether there is a parameter of this name, in any case; its first value that is not empty. */
static bool
find_parameter(struct weir_bytes header, const char *name, struct weir_bytes *value)
{
    const uint8_t *p = header.p, *end = header.p + header.n;
    struct parameter one;
    bool any = false;

    *value = (struct weir_bytes){ NULL, 0 };
    while (value->n == 0 && (p = next_parameter(p, end, &one)) != NULL) {
        if (one.name.n != strlen(name) ||
            strncasecmp((const char *)one.name.p, name, one.name.n) != 0)
            continue;
        any = true;
        *value = one.value;
    }
    return any;
}

/* RFC 8187 section 3.2: what is behind the charset and the language, as it stands. */
static struct weir_bytes
extended_text(struct weir_bytes value)
{
    const uint8_t *end = value.p + value.n, *p;

    if (value.n == 0)
        return value;
    p = first_of(value.p, end, '\'');
    p = p < end ? first_of(p + 1, end, '\'') : p;
    return p < end ? from_to(p + 1, end) : from_to(end, end);
}

/* Who gets a file takes the extended name, if there is one; who gets a form, the plain one. */
bool
multipart_file_name(struct weir_bytes disposition, struct weir_bytes *name)
{
    if (find_parameter(disposition, "filename*", name)) {
        *name = extended_text(*name);
        if (name->n > 0)
            return true;
    }
    return find_parameter(disposition, "filename", name) && name->n > 0;
}

bool
multipart_boundary(struct weir_bytes content_type, struct weir_bytes *boundary)
{
    if (content_type.n == 0 || find_word(content_type, "multipart/form-data") != content_type.p)
        return false;
    return find_parameter(content_type, "boundary", boundary) && boundary->n > 0 &&
           boundary->n <= BOUNDARY_MAX;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Behind a line and those that go on with it, which begin with a blank. */
static const uint8_t *
end_of_line(const uint8_t *p, const uint8_t *end)
{
    do {
        p = first_of(p, end, '\n');
        p = p < end ? p + 1 : end;
    } while (p < end && (*p == ' ' || *p == '\t'));
    return p;
}

/* The Content-Disposition among the lines of a part's head; empty: there is none. */
static struct weir_bytes
disposition_of(const uint8_t *p, const uint8_t *end)
{
    static const char name[] = "content-disposition";

    for (const uint8_t *behind; p < end; p = behind) {
        const uint8_t *colon;
        struct weir_bytes word;

        behind = end_of_line(p, end);
        colon = first_of(p, behind, ':');
        word = trimmed(p, colon);
        if (colon < behind && word.n == strlen(name) &&
            strncasecmp((const char *)word.p, name, word.n) == 0)
            return from_to(colon + 1, behind);
    }
    return from_to(end, end);
}

/* Whether the part is a file, and its name. */
static bool
is_file(struct weir_bytes disposition, struct weir_bytes *name)
{
    struct weir_bytes extended;
    const bool also = find_parameter(disposition, "filename*", &extended);
    const bool any = find_parameter(disposition, "filename", name);

    if (also && name->n == 0)
        *name = extended_text(extended);
    return any || also;
}

/* The next "--boundary" from p on; NULL: there is none. */
static const uint8_t *
find_delimiter(const uint8_t *p, const uint8_t *end, struct weir_bytes boundary)
{
    while ((size_t)(end - p) >= boundary.n + 2U) {
        p = memchr(p, '-', (size_t)(end - p) - boundary.n - 1);
        if (p == NULL)
            return NULL;
        if (p[1] == '-' && memcmp(p + 2, boundary.p, boundary.n) == 0)
            return p;
        p++;
    }
    return NULL;
}

/* Behind the empty line that ends a part's headers; NULL: it has not come. */
static const uint8_t *
end_of_head(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        const uint8_t *line = memchr(p, '\n', (size_t)(end - p));

        if (line == NULL)
            return NULL;
        if (line == p || (line == p + 1 && *p == '\r'))
            return line + 1;
        p = line + 1;
    }
    return NULL;
}

/* Without the end of line that belongs to the delimiter behind it. */
static struct weir_bytes
without_line_end(struct weir_bytes content)
{
    if (content.n > 0 && content.p[content.n - 1] == '\n')
        content.n--;
    if (content.n > 0 && content.p[content.n - 1] == '\r')
        content.n--;
    return content;
}

enum multipart
multipart_file(struct weir_bytes body, struct weir_bytes boundary, unsigned i,
               struct weir_bytes *file, struct weir_bytes *name)
{
    const uint8_t *end = body.p + body.n;
    const uint8_t *at = find_delimiter(body.p, end, boundary), *head, *next;

    if (at == NULL)
        return MULTIPART_NONE;
    for (; at != NULL; at = next) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL || (head = end_of_head(at + 1, end)) == NULL)
            return MULTIPART_END;
        next = find_delimiter(head, end, boundary);
        if (!is_file(disposition_of(at + 1, head), name) || i-- > 0)
            continue;
        *file = from_to(head, next != NULL ? next : end);
        if (next == NULL)
            return MULTIPART_PART;
        *file = without_line_end(*file);
        return MULTIPART_FILE;
    }
    return MULTIPART_END;
}
