#include "rule/pcre.h"

#include "rule/buffer.h"
#include "rule/content.h"
#include "rule/regex.h"

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

/*
 * Cut names for groups off the flags: ",flow:a, pkt:b" (Suricata), one a group. Nothing here asks for
 * what they would hold.
 */
static int
variables_cut(struct text *flags, unsigned *n, struct weir_errbuf *err)
{
    struct text rest = *flags, part, kind;

    text_next(&rest, ',', flags);
    while (rest.p != NULL && rest.n > 0 && text_next(&rest, ',', &part)) {
        if (!text_next(&part, ':', &kind) || part.p == NULL || part.n == 0 ||
            !(text_is(kind, "flow") || text_is(kind, "pkt") || text_is(kind, "alert")))
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "flow:NAME, pkt:NAME or alert:NAME expected behind the flags");
        ++*n;
    }
    return WEIR_E_OK;
}

static int
expression_take(struct step *step, struct text inner, struct weir_errbuf *err)
{
    struct text pattern = { NULL, 0 }, letter = { NULL, 0 };
    unsigned flags = 0, n = 0;
    int rc = expression_split(inner, &pattern, &letter, err);

    if (rc == WEIR_E_OK)
        rc = variables_cut(&letter, &n, err);
    for (size_t i = 0; rc == WEIR_E_OK && i < letter.n; i++)
        rc = letter_take(letter.p[i], &flags, step, err);
    if (rc != WEIR_E_OK)
        return rc;
    if (flags & REGEX_ANCHORED)
        step->flags |= STEP_STARTSWITH;
    rc = regex_new(pattern, flags, &step->regex, err);
    if (rc == WEIR_E_OK && n > regex_groups(step->regex))
        return weir_err_set(err, WEIR_E_SYNTAX, "%u variables, but %u groups", n,
                            regex_groups(step->regex));
    return rc;
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
