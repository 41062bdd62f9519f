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

/* The value of a parameter, in quotes or up to the next one. */
static struct weir_bytes
value_at(const uint8_t *p, const uint8_t *end)
{
    if (p < end && *p == '"')
        return from_to(p + 1, first_of(p + 1, end, '"'));
    return from_to(p, first_of(p, end, ';'));
}

bool
multipart_file_name(struct weir_bytes disposition, struct weir_bytes *name)
{
    static const char word[] = "filename=";
    const uint8_t *end = disposition.p + disposition.n, *p = find_word(disposition, word);

    if (p == NULL)
        return false;
    p += strlen(word);
    *name = value_at(p, first_of(p, end, '\n'));
    while (name->n > 0 && (name->p[name->n - 1] == ' ' || name->p[name->n - 1] == '\r'))
        name->n--;
    return name->n > 0;
}

bool
multipart_boundary(struct weir_bytes content_type, struct weir_bytes *boundary)
{
    static const char name[] = "boundary=";
    const uint8_t *end = content_type.p + content_type.n, *p;

    if (content_type.n == 0 || find_word(content_type, "multipart/form-data") != content_type.p)
        return false;
    p = find_word(content_type, name);
    if (p == NULL)
        return false;
    *boundary = value_at(p + strlen(name), end);
    while (boundary->n > 0 && boundary->p[boundary->n - 1] == ' ')
        boundary->n--;
    return boundary->n > 0 && boundary->n <= BOUNDARY_MAX;
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
        if (find_word(from_to(at, head), "filename") == NULL || i-- > 0)
            continue;
        if (!multipart_file_name(from_to(at, head), name))
            *name = (struct weir_bytes){ NULL, 0 };
        *file = from_to(head, next != NULL ? next : end);
        if (next == NULL)
            return MULTIPART_PART;
        *file = without_line_end(*file);
        return MULTIPART_FILE;
    }
    return MULTIPART_END;
}
