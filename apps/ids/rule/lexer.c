#include "rule/lexer.h"

#include <string.h>
#include <strings.h>

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
text_is(struct text t, const char *word)
{
    return strlen(word) == t.n && memcmp(t.p, word, t.n) == 0;
}

bool
text_is_nocase(struct text t, const char *word)
{
    return strlen(word) == t.n && strncasecmp(t.p, word, t.n) == 0;
}

struct text
text_trim(struct text t)
{
    while (t.n > 0 && is_space(t.p[0]))
        t.p++, t.n--;
    while (t.n > 0 && is_space(t.p[t.n - 1]))
        t.n--;
    return t;
}

bool
text_next(struct text *rest, char sep, struct text *part)
{
    const char *end;

    if (rest->p == NULL)
        return false;
    end = rest->n > 0 ? memchr(rest->p, sep, rest->n) : NULL;
    if (end == NULL) {
        *part = text_trim(*rest);
        *rest = (struct text){ NULL, 0 };
    } else {
        *part = text_trim(text_of(rest->p, end));
        *rest = text_of(end + 1, rest->p + rest->n);
    }
    return true;
}

bool
text_int(struct text t, int64_t min, int64_t max, int64_t *value)
{
    bool minus = min < 0 && t.n > 0 && t.p[0] == '-';
    int64_t v = 0;

    if (minus)
        t.p++, t.n--;
    if (t.n == 0 || t.n > 18)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] < '0' || t.p[i] > '9')
            return false;
        v = 10 * v + (t.p[i] - '0');
    }
    *value = minus ? -v : v;
    return *value >= min && *value <= max;
}

static bool
is_unit(struct text t, const char *unit)
{
    return t.n == strlen(unit) && strncasecmp(t.p, unit, t.n) == 0;
}

/* Of a unit in any case; 0: it is none. */
static int64_t
factor_of(struct text unit)
{
    if (unit.n == 0 || is_unit(unit, "b"))
        return 1;
    if (is_unit(unit, "kb") || is_unit(unit, "kib"))
        return 1 << 10;
    if (is_unit(unit, "mb") || is_unit(unit, "mib"))
        return 1 << 20;
    return is_unit(unit, "gb") || is_unit(unit, "gib") ? 1 << 30 : 0;
}

bool
text_size(struct text value, int64_t max, uint64_t *to)
{
    struct text digits = value;
    int64_t factor, n;

    digits.n = 0;
    while (digits.n < value.n && value.p[digits.n] >= '0' && value.p[digits.n] <= '9')
        digits.n++;
    factor = factor_of(text_trim(text_of(value.p + digits.n, value.p + value.n)));
    if (factor == 0 || !text_int(digits, 0, max / factor, &n))
        return false;
    *to = (uint64_t)(n * factor);
    return true;
}

bool
text_unquote(struct text t, struct text *inner)
{
    if (t.n < 2 || t.p[0] != '"' || t.p[t.n - 1] != '"')
        return false;
    *inner = (struct text){ t.p + 1, t.n - 2 };
    return true;
}

/* ---- the shape of a rule ------------------------------------------------------------------- */

/* Cut a word off *rest; spaces inside brackets belong to it. Empty: none is left. */
static struct text
header_word(struct text *rest, bool *closed)
{
    struct text from = text_trim(*rest);
    unsigned depth = 0;
    size_t n = 0;

    for (; n < from.n; n++) {
        if (depth == 0 && (is_space(from.p[n]) || from.p[n] == '('))
            break;
        if (from.p[n] == '[')
            depth++;
        else if (from.p[n] == ']' && depth > 0)
            depth--;
    }
    *closed = depth == 0;
    *rest = (struct text){ from.p + n, from.n - n };
    return (struct text){ from.p, n };
}

static int
split_header(struct text *rest, struct rule_text *out, struct weir_errbuf *err)
{
    static const char *const names[HEADER_WORDS] = {
        "an action",         "a protocol",  "source addresses",
        "source ports",      "a direction", "destination addresses",
        "destination ports",
    };

    for (unsigned i = 0; i < HEADER_WORDS; i++) {
        bool closed;

        out->word[i] = header_word(rest, &closed);
        out->elided = i == 2 && out->word[i].n == 0 && rest->n > 0;
        if (out->elided)
            return WEIR_E_OK;
        if (!closed)
            return weir_err_set(err, WEIR_E_SYNTAX, "%s: ']' expected for '%.*s'", names[i],
                                out->word[i].n < 20 ? (int)out->word[i].n : 20, out->word[i].p);
        if (out->word[i].n == 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "the header is too short: %s expected",
                                names[i]);
    }
    return WEIR_E_OK;
}

int
rule_split(struct text line, struct rule_text *out, struct weir_errbuf *err)
{
    struct text rest = line;
    int rc;

    *out = (struct rule_text){ .elided = false };
    rc = split_header(&rest, out, err);
    if (rc != WEIR_E_OK)
        return rc;
    rest = text_trim(rest);
    if (rest.n == 0 || rest.p[0] != '(')
        return weir_err_set(err, WEIR_E_SYNTAX, "'(' expected behind the header, not '%.*s'",
                            rest.n < 20 ? (int)rest.n : 20, rest.p);
    if (rest.n < 2 || rest.p[rest.n - 1] != ')')
        return weir_err_set(err, WEIR_E_SYNTAX, "')' expected at the end of the rule");
    out->options = text_of(rest.p + 1, rest.p + rest.n - 1);
    return WEIR_E_OK;
}

/* Where the option ends; NULL: it does not. */
static const char *
option_end(struct text t)
{
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] == '\\')
            i++;
        else if (t.p[i] == ';')
            return t.p + i;
    }
    return NULL;
}

int
option_next(struct text *rest, struct option_text *out, struct weir_errbuf *err)
{
    struct text from = text_trim(*rest), whole;
    const char *end = option_end(from), *colon;

    if (from.n == 0)
        return WEIR_E_NOENT;
    if (end == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "';' expected behind '%.*s'",
                            from.n < 40 ? (int)from.n : 40, from.p);
    whole = text_of(from.p, end);
    *rest = text_of(end + 1, from.p + from.n);
    colon = whole.n > 0 ? memchr(whole.p, ':', whole.n) : NULL;
    out->has_value = colon != NULL;
    out->name = text_trim(colon != NULL ? text_of(whole.p, colon) : whole);
    out->value = colon != NULL ? text_trim(text_of(colon + 1, whole.p + whole.n))
                               : (struct text){ whole.p + whole.n, 0 };
    if (out->name.n == 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "an option expected before ';'");
    return WEIR_E_OK;
}
