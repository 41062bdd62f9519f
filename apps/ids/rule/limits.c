#include "rule/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
limits_free(struct limits *limits)
{
    free(limits->at);
    *limits = (struct limits){ NULL, 0, 0 };
}

/* ---- one line ------------------------------------------------------------------------------ */

static int
parse_suppress(struct text rest, struct vars *vars, struct limit *limit,
               struct threshold_list *list, struct weir_errbuf *err)
{
    unsigned both = WORD_TRACK | WORD_IP;
    int rc = threshold_parse(rest, WORD_GID | WORD_SID, both, list, err);

    if (rc != WEIR_E_OK || (list->given & both) == 0)
        return rc;
    if ((list->given & both) != both)
        return weir_err_set(err, WEIR_E_SYNTAX, "track and ip expected, or neither");
    if (list->threshold.track > TRACK_EITHER || list->threshold.track == TRACK_BOTH)
        return weir_err_set(err, WEIR_E_SYNTAX, "track: by_src, by_dst or by_either expected");
    return vars_resolve(vars, VAR_ADDRESSES, list->ip, &limit->ip, err);
}

static int
parse_threshold(struct text rest, struct threshold_list *list, struct weir_errbuf *err)
{
    int rc = threshold_parse(rest, WORD_GID | WORD_SID | WORD_TYPE | WORD_TRACK,
                             WORD_COUNT | WORD_SECONDS | WORD_MULTIPLIER, list, err);

    return rc == WEIR_E_OK ? threshold_check(list, err) : rc;
}

static int
parse_rate(struct text rest, struct threshold_list *list, struct weir_errbuf *err)
{
    int rc = threshold_parse(rest,
                             WORD_GID | WORD_SID | WORD_TRACK | WORD_COUNT | WORD_SECONDS |
                                 WORD_ACTION | WORD_TIMEOUT,
                             0, list, err);

    if (rc == WEIR_E_OK && list->threshold.track == TRACK_EITHER)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "track: 'by_either' goes with suppress only");
    return rc;
}

static int
parse_words(struct text word, struct text rest, struct vars *vars, struct limit *limit,
            struct threshold_list *list, struct weir_errbuf *err)
{
    if (text_is(word, "suppress")) {
        limit->kind = LIMIT_SUPPRESS;
        return parse_suppress(rest, vars, limit, list, err);
    }
    if (text_is(word, "threshold") || text_is(word, "event_filter")) {
        limit->kind = LIMIT_THRESHOLD;
        return parse_threshold(rest, list, err);
    }
    if (text_is(word, "rate_filter")) {
        limit->kind = LIMIT_RATE;
        return parse_rate(rest, list, err);
    }
    return weir_err_set(err, WEIR_E_SYNTAX,
                        "suppress, threshold, event_filter or rate_filter expected, not '%.*s'",
                        TEXT(word));
}

static int
parse_line(struct text line, struct vars *vars, struct limit *limit, struct weir_errbuf *err)
{
    struct threshold_list list = { .gid = 0 };
    struct weir_errbuf why = { "" };
    size_t n = 0;
    struct text word;
    int rc;

    while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    word = text_of(line.p, line.p + n);
    *limit = (struct limit){ .kind = LIMIT_SUPPRESS };
    rc = parse_words(word, text_trim(text_of(line.p + n, line.p + line.n)), vars, limit, &list,
                     &why);
    if (rc == WEIR_E_OK && list.gid == 0 && list.sid != 0)
        rc = weir_err_set(&why, WEIR_E_SYNTAX, "gen_id 0 goes with sig_id 0 only");
    if (rc == WEIR_E_OK && list.gid == DETECTORS_GID && limit->kind != LIMIT_SUPPRESS)
        rc = weir_err_set(&why, WEIR_E_SYNTAX,
                          "gen_id %u: detectors count themselves, and go with suppress only",
                          DETECTORS_GID);
    limit->gid = list.gid;
    limit->sid = list.sid;
    limit->threshold = list.threshold;
    limit->action = list.action;
    limit->timeout = list.timeout;
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", why.text);
}

/* ---- files --------------------------------------------------------------------------------- */

static int
append(struct limits *limits, const struct limit *limit)
{
    struct limit *more = realloc(limits->at, (limits->n + 1) * sizeof(*more));

    if (more == NULL)
        return WEIR_E_NOMEM;
    limits->at = more;
    more[limits->n++] = *limit;
    return WEIR_E_OK;
}

struct reader {
    struct limits *limits;
    struct vars *vars;
    const char *name;
    unsigned line; /* of the entry's beginning */
    refused_fn refused;
    void *ctx;
};

/* Only memory that runs out is an error here. */
static int
take_line(struct reader *r, struct text line)
{
    struct weir_errbuf err = { "" };
    struct limit limit;
    char text[sizeof(err.text) + 4096 + 16];
    int rc;

    line = text_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return WEIR_E_OK;
    if (memchr(line.p, '\0', line.n) != NULL)
        rc = weir_err_set(&err, WEIR_E_SYNTAX, "text expected, not a zero byte");
    else
        rc = parse_line(line, r->vars, &limit, &err);
    if (rc == WEIR_E_OK)
        return append(r->limits, &limit);
    r->limits->refused++;
    snprintf(text, sizeof(text), "%s:%u: %s", r->name, r->line, err.text);
    if (r->refused != NULL)
        r->refused(r->ctx, text);
    return rc == WEIR_E_NOMEM ? rc : WEIR_E_OK;
}

/* Whether a backslash ends the line; it becomes a space, as what is behind it. */
static bool
goes_on(char *line, size_t n)
{
    size_t end = n;

    while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r'))
        end--;
    if (end == 0 || line[end - 1] != '\\')
        return false;
    memset(line + end - 1, ' ', n - end + 1);
    return true;
}

/* Read a line, and those that are joined to it, to the end of *line; lines: how many. */
static int
read_line(FILE *file, char **line, size_t *n, unsigned *lines)
{
    char *part = NULL, *more;
    size_t room = 0;
    ssize_t got;
    int rc = WEIR_E_OK;

    *n = *lines = 0;
    do {
        got = getline(&part, &room, file);
        if (got <= 0)
            break;
        more = realloc(*line, *n + (size_t)got + 1);
        if (more == NULL) {
            rc = WEIR_E_NOMEM;
            break;
        }
        memcpy(more + *n, part, (size_t)got);
        *line = more;
        *n += (size_t)got;
        ++*lines;
    } while (goes_on(*line, *n));
    free(part);
    return rc;
}

static int
read_lines(struct reader *r, FILE *file)
{
    unsigned next = 1, lines;
    char *line = NULL;
    size_t n;
    int rc;

    while ((rc = read_line(file, &line, &n, &lines)) == WEIR_E_OK && lines > 0) {
        r->line = next;
        next += lines;
        rc = take_line(r, (struct text){ line, n });
        if (rc != WEIR_E_OK)
            break;
    }
    free(line);
    return rc;
}

static int
load(struct reader *r, FILE *file, struct weir_errbuf *err)
{
    int rc;

    if (file == NULL)
        return weir_err_set(err, WEIR_E_IO, "%s: %s", r->name, strerror(errno));
    errno = 0;
    rc = read_lines(r, file);
    if (rc != WEIR_E_OK)
        weir_err_set(err, rc, "%s: %s", r->name, weir_strerror(rc));
    else if (ferror(file))
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", r->name, strerror(errno));
    fclose(file);
    return rc;
}

int
limits_load(struct limits *limits, struct vars *vars, const char *path, refused_fn refused,
            void *ctx, struct weir_errbuf *err)
{
    struct reader r = { limits, vars, path, 0, refused, ctx };

    return load(&r, fopen(path, "r"), err);
}

int
limits_load_text(struct limits *limits, struct vars *vars, const char *name, struct text text,
                 refused_fn refused, void *ctx, struct weir_errbuf *err)
{
    struct reader r = { limits, vars, name, 0, refused, ctx };

    if (text.n == 0)
        return WEIR_E_OK;
    return load(&r, fmemopen((void *)(uintptr_t)text.p, text.n, "r"), err);
}
