#include "rule/rules.h"

#include "rule/content.h"
#include "rule/header.h"
#include "rule/options.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
pairs_free(struct pair *pairs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(pairs[i].key);
        free(pairs[i].value);
    }
    free(pairs);
}

static void
rule_free(struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        step_clear(&rule->step[i]);
    free(rule->step);
    free(rule->event);
    free(rule->msg);
    free(rule->text);
    pairs_free(rule->metadata, rule->n_metadata);
    pairs_free(rule->reference, rule->n_reference);
}

/* A leaf of by_sid. */
struct sid {
    uint32_t gid, sid;
    const char *file;
    unsigned line;
};

void
rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        rule_free(&rules->at[i]);
    for (size_t i = 0; i < rules->n_files; i++)
        free(rules->files[i]);
    tdestroy(rules->by_sid, free);
    free(rules->at);
    free(rules->files);
    *rules = (struct rules){ .n = 0 };
}

/* ---- one rule ------------------------------------------------------------------------------ */

static int
by_sid(const void *a, const void *b)
{
    const struct sid *x = a, *y = b;

    if (x->gid != y->gid)
        return x->gid < y->gid ? -1 : 1;
    return x->sid < y->sid ? -1 : x->sid > y->sid;
}

/* Each pair of gid and sid may be used once. */
static int
claim_sid(struct rules *rules, const struct rule *rule, struct weir_errbuf *err)
{
    struct sid *sid = malloc(sizeof(*sid)), **found;

    if (sid == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    *sid = (struct sid){ rule->gid, rule->sid, rule->file, rule->line };
    found = tsearch(sid, &rules->by_sid, by_sid);
    if (found != NULL && *found == sid)
        return WEIR_E_OK;
    free(sid);
    if (found == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    return weir_err_set(err, WEIR_E_INVAL, "sid: %u:%u is taken by %s:%u", rule->gid, rule->sid,
                        (*found)->file, (*found)->line);
}

static int
parse_rule(struct rules *rules, struct vars *vars, struct text line, struct rule *rule,
           struct weir_errbuf *err)
{
    struct rule_text text;
    int rc = rule_split(line, &text, err);

    if (rc == WEIR_E_OK)
        rc = header_parse(&text, vars, rule, err);
    if (rc == WEIR_E_OK)
        rc = options_parse(text.options, rule, err);
    return rc == WEIR_E_OK ? claim_sid(rules, rule, err) : rc;
}

static bool
append(struct rules *rules, const struct rule *rule)
{
    struct rule *more;

    if ((rules->n & (rules->n - 1)) == 0) { /* room is a power of two */
        more = realloc(rules->at, (rules->n == 0 ? 1 : 2 * rules->n) * sizeof(*more));
        if (more == NULL)
            return false;
        rules->at = more;
    }
    rules->at[rules->n++] = *rule;
    return true;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Where reading stands. */
struct reader {
    struct rules *rules;
    struct vars *vars;
    const char *file;
    unsigned line; /* of the rule's beginning */
    refused_fn refused;
    void *ctx;
};

/* A comment that would be a rule. */
static bool
is_disabled_rule(struct text line)
{
    static const char *const actions[] = { "alert ", "drop ", "pass ", "reject " };

    while (line.n > 0 && (line.p[0] == '#' || line.p[0] == ' '))
        line.p++, line.n--;
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (line.n > strlen(actions[i]) && memcmp(line.p, actions[i], strlen(actions[i])) == 0)
            return line.p[line.n - 1] == ')';
    return false;
}

static int
refuse(struct reader *r, int rc, const struct weir_errbuf *why)
{
    char text[sizeof(why->text) + 4096 + 16];

    r->rules->refused++;
    snprintf(text, sizeof(text), "%s:%u: %s", r->file, r->line, why->text);
    if (r->refused != NULL)
        r->refused(r->ctx, text);
    return rc == WEIR_E_NOMEM ? rc : WEIR_E_OK;
}

/* Only memory that runs out is an error here. */
static int
take_line(struct reader *r, struct text line)
{
    struct rule rule = { .file = r->file, .line = r->line, .gid = 1 };
    struct weir_errbuf err = { "" };
    int rc;

    line = text_trim(line);
    if (line.n == 0 || line.p[0] == '#') {
        r->rules->disabled += is_disabled_rule(line);
        return WEIR_E_OK;
    }
    if (memchr(line.p, '\0', line.n) != NULL)
        rc = weir_err_set(&err, WEIR_E_SYNTAX, "text expected, not a zero byte");
    else
        rc = parse_rule(r->rules, r->vars, line, &rule, &err);
    if (rc == WEIR_E_OK && r->rules->keep_text && (rule.text = strndup(line.p, line.n)) == NULL)
        rc = weir_err_set(&err, WEIR_E_NOMEM, "out of memory");
    if (rc == WEIR_E_OK && !append(r->rules, &rule))
        rc = weir_err_set(&err, WEIR_E_NOMEM, "out of memory");
    if (rc == WEIR_E_OK)
        return rc;
    rule_free(&rule);
    return refuse(r, rc, &err);
}

/*
 * Cut a line off *rest, with those that a backslash at its end joins to it; joins are made in
 * place, with spaces. Returns how many lines it took.
 */
static unsigned
next_line(char **rest, char *end, struct text *line)
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

static int
read_lines(struct reader *r, char *text, size_t n)
{
    char *rest = text, *end = text + n;
    unsigned next = 1;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && rest < end) {
        struct text line;

        r->line = next;
        next += next_line(&rest, end, &line);
        rc = take_line(r, line);
    }
    return rc;
}

/* ---- files --------------------------------------------------------------------------------- */

static const char *
keep_name(struct rules *rules, const char *name)
{
    char **more = realloc(rules->files, (rules->n_files + 1) * sizeof(*more));

    if (more == NULL)
        return NULL;
    rules->files = more;
    more[rules->n_files] = strdup(name);
    return more[rules->n_files] != NULL ? more[rules->n_files++] : NULL;
}

int
rules_load_text(struct rules *rules, struct vars *vars, const char *name, struct text text,
                refused_fn refused, void *ctx, struct weir_errbuf *err)
{
    struct reader r = { rules, vars, keep_name(rules, name), 0, refused, ctx };
    char *copy = malloc(text.n + 1);
    int rc = WEIR_E_NOMEM;

    if (copy != NULL && r.file != NULL) {
        if (text.n > 0)
            memcpy(copy, text.p, text.n);
        rc = read_lines(&r, copy, text.n);
    }
    free(copy);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", name, weir_strerror(rc));
}

/* The whole file, owned by the caller. */
static int
read_file(const char *path, struct text *out, struct weir_errbuf *err)
{
    FILE *file = fopen(path, "r");
    size_t room = 0, n = 0, got = 1;
    char *p = NULL, *more;
    bool failed = file == NULL;

    while (!failed && got > 0) {
        if (n == room) {
            room = room == 0 ? 65536 : 2 * room;
            if ((more = realloc(p, room)) == NULL) {
                errno = ENOMEM;
                failed = true;
                break;
            }
            p = more;
        }
        got = fread(p + n, 1, room - n, file);
        n += got;
        failed = ferror(file) != 0;
    }
    *out = (struct text){ p, n };
    if (failed)
        weir_err_set(err, WEIR_E_IO, "%s: %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    return failed ? WEIR_E_IO : WEIR_E_OK;
}

int
rules_load(struct rules *rules, struct vars *vars, const char *path, refused_fn refused, void *ctx,
           struct weir_errbuf *err)
{
    struct text text;
    int rc = read_file(path, &text, err);
    struct text rest = text;

    if (rest.n >= 3 && memcmp(rest.p, "\xef\xbb\xbf", 3) == 0) /* UTF-8, as some editors mark it */
        rest = (struct text){ rest.p + 3, rest.n - 3 };
    if (rc == WEIR_E_OK)
        rc = rules_load_text(rules, vars, path, rest, refused, ctx, err);
    free((char *)text.p);
    return rc;
}
