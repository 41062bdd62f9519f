#include "rule/lines.h"

#include "rule/header.h"

#include <string.h>

/* ---- comments ------------------------------------------------------------------------------ */

static char *
line_end(char *p, char *end)
{
    char *found = memchr(p, '\n', (size_t)(end - p));

    return found != NULL ? found : end;
}

static void
blank(char *from, char *to)
{
    for (; from < to; from++)
        if (*from != '\n' && *from != '\r')
            *from = ' ';
}

/* Where the line of #end ends, behind one of #begin; NULL: there is none. */
static char *
block_end(char *p, char *end)
{
    while (p < end) {
        char *stop = line_end(p, end);

        if (text_is(text_trim(text_of(p, stop)), "#end"))
            return stop;
        p = stop < end ? stop + 1 : end;
    }
    return NULL;
}

/* Behind the mark that ends a comment; NULL: there is none. */
static char *
comment_end(char *p, char *end)
{
    char *close = memmem(p, (size_t)(end - p), "*/", 2);

    return close != NULL ? close + 2 : NULL;
}

/* Where one mark has no end those behind it have none, either, and need not be looked for. */
void
lines_blank(char *text, char *end)
{
    bool comments = true, blocks = true;
    char *stop;

    for (char *p = text; p < end; p = stop < end ? stop + 1 : end) {
        struct text line;
        char *close = NULL;

        stop = line_end(p, end);
        line = text_trim(text_of(p, stop));
        if (comments && line.n >= 2 && memcmp(line.p, "/*", 2) == 0) {
            close = comment_end(p + (line.p - p) + 2, end);
            comments = close != NULL;
        } else if (blocks && text_is(line, "#begin")) {
            close = block_end(stop, end);
            blocks = close != NULL;
        }
        if (close == NULL)
            continue;
        blank(p, close);
        stop = close > stop ? line_end(close, end) : stop;
    }
}

/* ---- lines --------------------------------------------------------------------------------- */

bool
line_begins_rule(struct text line)
{
    struct text word;
    uint8_t action;

    line = text_trim(line);
    return text_next(&line, ' ', &word) && line.p != NULL && header_action(word, &action);
}

/* With the lines that a backslash joins. */
static unsigned
joined_line(char **rest, char *end, struct text *line)
{
    char *from = *rest, *p = from;
    unsigned lines = 1;

    for (; p < end && *p != '\n'; p++) {
        char *after = p + 1 < end && p[1] == '\r' ? p + 2 : p + 1;

        if (*p != '\\' || after >= end || *after != '\n')
            continue;
        while (p < after)
            *p++ = ' ';
        *p = ' ';
        lines++;
    }
    *line = text_of(from, p);
    *rest = p < end ? p + 1 : end;
    return lines;
}

/* Whether it ends as a rule's options do: one of them, and the parenthesis. */
static bool
is_closed(struct text line)
{
    line = text_trim(line);
    if (line.n == 0 || line.p[line.n - 1] != ')')
        return false;
    line.n--;
    line = text_trim(line);
    return line.n > 0 && (line.p[line.n - 1] == ';' || line.p[line.n - 1] == '(');
}

unsigned
lines_next(char **rest, char *end, struct text *line)
{
    unsigned lines = joined_line(rest, end, line), more;
    struct text solid = text_trim(*line); /* up to its last line that is not blank */

    if (!line_begins_rule(*line))
        return lines;
    while (!is_closed(solid) && *rest < end) {
        char *from = *rest, *after = from;
        struct text next;

        more = joined_line(&after, end, &next);
        if (line_begins_rule(next))
            break;
        from[-1] = ' ';
        if (text_trim(next).n > 0 && text_trim(next).p[0] == '#')
            blank(from, from + next.n);
        *line = text_of(line->p, next.p + next.n);
        if (text_trim(next).n > 0)
            solid = text_trim(*line);
        *rest = after;
        lines += more;
    }
    return lines;
}
