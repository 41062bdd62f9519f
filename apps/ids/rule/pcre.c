#include "rule/pcre.h"

#include "rule/buffer.h"
#include "rule/content.h"
#include "rule/regex.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    char letter;
    uint8_t flag;
} letters[] = {
    { 'i', REGEX_NOCASE },   { 's', REGEX_DOT_ALL },  { 'm', REGEX_LINES },
    { 'x', REGEX_SPACED },   { 'A', REGEX_ANCHORED }, { 'E', REGEX_END_ONLY },
    { 'G', REGEX_UNGREEDY }, { 'O', REGEX_PATIENT },  { 'B', 0 }, /* raw bytes: all are */
};

static int
letter_take(char letter, unsigned *flags, struct step *step, struct weir_errbuf *err)
{
    if (letter == 'R') {
        step->flags |= STEP_RELATIVE;
        return WEIR_E_OK;
    }
    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        if (letters[i].letter != letter)
            continue;
        *flags |= letters[i].flag;
        return WEIR_E_OK;
    }
    if (buffer_of_flag(letter) >= 0) {
        step_move(step, (unsigned)buffer_of_flag(letter));
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "flag '%c' is not supported", letter);
}

/* /expression/flags, or m and another sign for both slashes. */
static int
expression_split(struct text t, struct text *pattern, struct text *flags, struct weir_errbuf *err)
{
    const char *end;

    if (t.n > 1 && t.p[0] == 'm')
        t.p++, t.n--;
    else if (t.n == 0 || t.p[0] != '/')
        t.n = 0;
    end = t.n > 1 ? memrchr(t.p + 1, t.p[0], t.n - 1) : NULL;
    if (end == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "/expression/flags expected");
    *pattern = text_of(t.p + 1, end);
    *flags = text_of(end + 1, t.p + t.n);
    return WEIR_E_OK;
}

/* ---- what is captured ---------------------------------------------------------------------- */

static const struct {
    const char *word;
    uint8_t kind;
} kinds[] = { { "flow", CAPTURE_FLOW }, { "pkt", CAPTURE_PACKET }, { "alert", CAPTURE_ALERT } };

void
catches_free(struct catches *catches)
{
    for (unsigned i = 0; catches != NULL && i < catches->n; i++)
        free(catches->at[i].name);
    free(catches);
}

static int
catch_add(struct step *step, unsigned group, uint8_t kind, struct text name,
          struct weir_errbuf *err)
{
    struct catch *catch;

    if (group > REGEX_GROUPS_MAX || (step->catches != NULL && step->catches->n == CATCHES_MAX))
        return weir_err_set(err, WEIR_E_LIMIT, "more than %u groups have names", CATCHES_MAX);
    if (name.n > CAPTURED_NAME_MAX)
        return weir_err_set(err, WEIR_E_SYNTAX, "a name of %zu bytes, at most %u are taken", name.n,
                            CAPTURED_NAME_MAX);
    if (step->catches == NULL)
        step->catches = calloc(1, sizeof(*step->catches));
    if (step->catches == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    catch = &step->catches->at[step->catches->n];
    *catch = (struct catch){ (uint8_t)group, kind, strndup(name.p, name.n) };
    if (catch->name == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    step->catches->n++;
    return WEIR_E_OK;
}

/* Names behind the flags: ",flow:a, pkt:b" (Suricata), one a group. */
static int
take_listed(struct step *step, struct text list, struct weir_errbuf *err)
{
    unsigned n = 0, groups = regex_groups(step->regex);
    struct text part, word;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && list.p != NULL && list.n > 0 && text_next(&list, ',', &part)) {
        size_t kind = 0;

        text_next(&part, ':', &word);
        while (kind < sizeof(kinds) / sizeof(*kinds) && !text_is(word, kinds[kind].word))
            kind++;
        if (part.p == NULL || part.n == 0 || kind == sizeof(kinds) / sizeof(*kinds))
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "flow:NAME, pkt:NAME or alert:NAME expected behind the flags");
        if (++n > groups)
            return weir_err_set(err, WEIR_E_SYNTAX, "%u variables, but %u groups", n, groups);
        rc = catch_add(step, n, kinds[kind].kind, text_trim(part), err);
    }
    return rc;
}

/* Groups whose own names begin with flow_, pkt_ or alert_; others are the expression's affair. */
static int
take_named(struct step *step, struct weir_errbuf *err)
{
    const char *name;
    unsigned group;
    int rc = WEIR_E_OK;

    for (unsigned i = 0; rc == WEIR_E_OK && (name = regex_named(step->regex, i, &group)) != NULL;
         i++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
            size_t n = strlen(kinds[k].word);

            if (strncmp(name, kinds[k].word, n) == 0 && name[n] == '_' && name[n + 1] != '\0')
                rc = catch_add(step, group, kinds[k].kind,
                               (struct text){ name + n + 1, strlen(name + n + 1) }, err);
        }
    }
    return rc;
}

/* ---- the whole of it ----------------------------------------------------------------------- */

static int
expression_take(struct step *step, struct text inner, struct weir_errbuf *err)
{
    struct text pattern = { NULL, 0 }, list = { NULL, 0 }, letter;
    unsigned flags = 0;
    int rc = expression_split(inner, &pattern, &list, err);

    text_next(&list, ',', &letter);
    for (size_t i = 0; rc == WEIR_E_OK && i < letter.n; i++)
        rc = letter_take(letter.p[i], &flags, step, err);
    if (rc != WEIR_E_OK)
        return rc;
    if (flags & REGEX_ANCHORED)
        step->flags |= STEP_STARTSWITH;
    rc = regex_new(pattern, flags, &step->regex, err);
    if (rc == WEIR_E_OK)
        rc = take_listed(step, list, err);
    return rc == WEIR_E_OK ? take_named(step, err) : rc;
}

int
pcre_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    bool negated = value.n > 0 && value.p[0] == '!';
    struct text inner;
    struct step *step;
    int rc;

    if (negated)
        value = text_trim(text_of(value.p + 1, value.p + value.n));
    if (!text_unquote(value, &inner))
        return weir_err_set(err, WEIR_E_SYNTAX, "a quoted string expected, not '%.*s'",
                            TEXT(value));
    rc = step_new(rule, STEP_PCRE, &step, err);
    if (rc != WEIR_E_OK)
        return rc;
    step->flags = negated ? STEP_NEGATED : 0;
    return expression_take(step, inner, err);
}
