#include "rule/content.h"

#include "rule/pcre.h"
#include "rule/regex.h"

#include <stdlib.h>
#include <string.h>

enum { CONTENT_MAX = 4096, PLACE_MAX = 1 << 20 /* as in Suricata */ };

int
step_new(struct rule *rule, enum step_kind kind, struct step **out, struct weir_errbuf *err)
{
    struct step *more;

    *out = NULL;
    if (rule->n_steps == STEPS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d contents and the like expected",
                            STEPS_MAX);
    more = realloc(rule->step, (rule->n_steps + 1U) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    rule->step = more;
    *out = &rule->step[rule->n_steps++];
    **out = (struct step){
        .kind = (uint8_t)kind, .buffer = rule->buffer, .chain = rule->chain, .turn = rule->turn
    };
    return WEIR_E_OK;
}

void
step_move(struct step *step, unsigned buffer)
{
    step->buffer = (uint8_t)buffer;
    step->chain = 0;
    step->turn = 0;
}

void
step_clear(struct step *step)
{
    free(step->bytes);
    free(step->instead);
    if (step->number != NULL)
        free(step->number->name);
    free(step->number);
    free(step->compare);
    regex_free(step->regex);
    catches_free(step->catches);
}

uint8_t
step_that_sets(const struct rule *rule, struct text name)
{
    for (unsigned i = rule->n_steps; i > 0; i--) {
        const struct number *number = rule->step[i - 1].number;

        if (number != NULL && number->name != NULL && text_is(name, number->name))
            return (uint8_t)i;
    }
    return 0;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "41 42 43" of |41 42 43|, whose first bar was read; *at goes behind the second one. */
static int
take_hex(struct text t, size_t *at, struct step *step, struct weir_errbuf *err)
{
    int high = -1, digit;

    for (; *at < t.n && t.p[*at] != '|'; ++*at) {
        if (t.p[*at] == ' ')
            continue;
        digit = hex_digit(t.p[*at]);
        if (digit < 0)
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "pairs of hexadecimal digits expected between "
                                "bars, found '%c'",
                                t.p[*at]);
        if (high >= 0)
            step->bytes[step->n++] = (uint8_t)(high << 4 | digit);
        high = high >= 0 ? -1 : digit;
    }
    if (*at == t.n)
        return weir_err_set(err, WEIR_E_SYNTAX, "'|' expected at the end of hexadecimal digits");
    if (high >= 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "an odd number of hexadecimal digits");
    return WEIR_E_OK;
}

/* They have room at step->bytes, whose length grows. */
static int
take_bytes(struct text t, struct step *step, struct weir_errbuf *err)
{
    for (size_t i = 0; i < t.n; i++) {
        int rc = WEIR_E_OK;

        if (t.p[i] == '|') {
            i++;
            rc = take_hex(t, &i, step, err);
        } else if (t.p[i] != '\\') {
            step->bytes[step->n++] = (uint8_t)t.p[i];
        } else if (i + 1 < t.n && strchr("\\\";:|", t.p[i + 1]) != NULL) {
            step->bytes[step->n++] = (uint8_t)t.p[++i];
        } else {
            rc = weir_err_set(err, WEIR_E_SYNTAX, "one of \\ \" ; : expected behind a backslash");
        }
        if (rc != WEIR_E_OK)
            return rc;
    }
    return step->n > 0 ? WEIR_E_OK : weir_err_set(err, WEIR_E_SYNTAX, "bytes expected");
}

/* The string, and what stands behind it (Snort 3: ",nocase,depth 5"); false: it is not quoted. */
static bool
split_quoted(struct text value, struct text *inner, struct text *rest)
{
    size_t i = 1;

    *rest = (struct text){ NULL, 0 };
    if (value.n < 2 || value.p[0] != '"')
        return false;
    while (i < value.n && value.p[i] != '"')
        i += value.p[i] == '\\' ? 2 : 1;
    if (i + 1 >= value.n)
        return text_unquote(value, inner);
    *inner = text_of(value.p + 1, value.p + i);
    *rest = text_trim(text_of(value.p + i + 1, value.p + value.n));
    if (rest->p[0] != ',')
        return false;
    *rest = text_of(rest->p + 1, rest->p + rest->n);
    return true;
}

static int
take_string(struct rule *rule, struct text inner, bool negated, struct weir_errbuf *err)
{
    struct step *step;
    int rc;

    if (inner.n > CONTENT_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d bytes expected", CONTENT_MAX);
    rc = step_new(rule, STEP_CONTENT, &step, err);
    if (rc != WEIR_E_OK)
        return rc;
    step->flags = negated ? STEP_NEGATED : 0;
    step->bytes = malloc(inner.n + 1);
    if (step->bytes == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    return take_bytes(inner, step, err);
}

static int take_modifiers(struct rule *rule, struct text list, struct weir_errbuf *err);

int
content_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    bool negated = value.n > 0 && value.p[0] == '!';
    struct text inner, rest;
    int rc;

    if (negated)
        value = text_trim(text_of(value.p + 1, value.p + value.n));
    if (!split_quoted(value, &inner, &rest))
        return weir_err_set(err, WEIR_E_SYNTAX, "a quoted string expected, not '%.*s'",
                            TEXT(value));
    rc = take_string(rule, inner, negated, err);
    return rc == WEIR_E_OK ? take_modifiers(rule, rest, err) : rc;
}

/* ---- modifiers ----------------------------------------------------------------------------- */

int
last_content(struct rule *rule, struct step **out, struct weir_errbuf *err)
{
    for (unsigned i = rule->n_steps; i > 0; i--) {
        *out = &rule->step[i - 1];
        if ((*out)->kind == STEP_CONTENT)
            return WEIR_E_OK;
    }
    *out = NULL;
    return weir_err_set(err, WEIR_E_SYNTAX, "a content expected before it");
}

int
nocase_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    int rc = last_content(rule, &step, err);

    (void)value;
    if (rc != WEIR_E_OK)
        return rc;
    step->flags |= STEP_NOCASE;
    for (unsigned i = 0; i < step->n; i++)
        if (step->bytes[i] >= 'A' && step->bytes[i] <= 'Z')
            step->bytes[i] |= 0x20;
    return WEIR_E_OK;
}

/* Nothing is decoded before contents are looked for, so all bytes are raw. */
int
rawbytes_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;

    (void)value;
    return last_content(rule, &step, err);
}

/* As many bytes as the content has: in line they take its place in the packet; else the rule just
 * alerts, as in Suricata and Snort. */
int
replace_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step, other = { .n = 0 };
    struct text inner;
    int rc;

    if ((rc = last_content(rule, &step, err)) != WEIR_E_OK)
        return rc;
    if (!text_unquote(value, &inner))
        return weir_err_set(err, WEIR_E_SYNTAX, "a quoted string expected, not '%.*s'",
                            TEXT(value));
    if (step->flags & STEP_NEGATED || step->instead != NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "one for a content that has to be there expected");
    if ((other.bytes = malloc(inner.n + 1)) == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    rc = take_bytes(inner, &other, err);
    if (rc == WEIR_E_OK && other.n != step->n)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "%u bytes expected, as the content has, not %u",
                          step->n, other.n);
    if (rc != WEIR_E_OK || !rule->in_line) {
        free(other.bytes);
        return rc;
    }
    step->instead = other.bytes;
    rule->replaces = true;
    rule->flow |= RULE_NO_STREAM;
    return WEIR_E_OK;
}

/* A number, or who sets the variable that stands for it. */
struct place {
    int32_t number;
    uint8_t by;
};

static int
place_parse(const struct rule *rule, struct text value, int64_t min, struct place *out,
            struct weir_errbuf *err)
{
    int64_t v = 0;

    *out = (struct place){ .by = step_that_sets(rule, value) };
    if (out->by == 0 && !text_int(value, min, PLACE_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "a number from %lld to %d, or a variable set before, expected, not "
                            "'%.*s'",
                            (long long)min, PLACE_MAX, TEXT(value));
    out->number = (int32_t)v;
    return WEIR_E_OK;
}

/* The value of a modifier that must not come twice, nor with those that exclude it. */
static int
take_place(struct rule *rule, struct text value, int64_t min, uint16_t excluded, struct step **step,
           struct place *out, struct weir_errbuf *err)
{
    int rc = last_content(rule, step, err);

    if (rc == WEIR_E_OK)
        rc = place_parse(rule, value, min, out, err);
    if (rc != WEIR_E_OK)
        return rc;
    if ((*step)->flags & excluded)
        return weir_err_set(err, WEIR_E_SYNTAX, "not with another place of the same content");
    return WEIR_E_OK;
}

int
offset_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    struct place v;
    int rc = take_place(rule, value, 0, STEP_RELATIVE | STEP_OFFSET | STEP_STARTSWITH, &step, &v,
                        err);

    if (rc != WEIR_E_OK)
        return rc;
    step->offset = v.number;
    step->offset_by = v.by;
    step->flags |= STEP_OFFSET;
    return rc;
}

int
depth_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    struct place v;
    int rc = take_place(rule, value, 1, STEP_RELATIVE | STEP_DEPTH, &step, &v, err);

    if (rc != WEIR_E_OK)
        return rc;
    step->length = v.number;
    step->length_by = v.by;
    step->flags |= STEP_DEPTH;
    return rc;
}

int
distance_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    struct place v;
    int rc = take_place(rule, value, -PLACE_MAX, STEP_DEPTH | STEP_OFFSET, &step, &v, err);

    if (rc != WEIR_E_OK)
        return rc;
    if (step->flags & STEP_RELATIVE && (step->offset != 0 || step->offset_by != 0))
        return weir_err_set(err, WEIR_E_SYNTAX, "one for a content expected");
    step->offset = v.number;
    step->offset_by = v.by;
    step->flags |= STEP_RELATIVE;
    return rc;
}

int
within_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    struct place v;
    int rc = take_place(rule, value, 1, STEP_DEPTH | STEP_OFFSET | STEP_WITHIN, &step, &v, err);

    if (rc != WEIR_E_OK)
        return rc;
    step->length = v.number;
    step->length_by = v.by;
    step->flags |= STEP_RELATIVE | STEP_WITHIN;
    return rc;
}

int
startswith_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    int rc = last_content(rule, &step, err);

    (void)value;
    if (rc != WEIR_E_OK)
        return rc;
    if (step->flags & (STEP_DEPTH | STEP_OFFSET | STEP_RELATIVE))
        return weir_err_set(err, WEIR_E_SYNTAX, "not with another place of the same content");
    step->length = step->n;
    step->flags |= STEP_STARTSWITH | STEP_DEPTH;
    return rc;
}

int
endswith_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    int rc = last_content(rule, &step, err);

    (void)value;
    if (rc == WEIR_E_OK)
        step->flags |= STEP_ENDSWITH;
    return rc;
}

static bool
has_fast(const struct rule *rule)
{
    for (unsigned i = 0; i < rule->n_steps; i++)
        if (rule->step[i].flags & STEP_FAST)
            return true;
    return false;
}

/* offset,length of a part of the content. */
static int
fast_part_take(struct step *step, struct text value, struct weir_errbuf *err)
{
    struct text rest = value, first;
    int64_t at, n;

    if (!text_next(&rest, ',', &first) || rest.p == NULL || !text_int(first, 0, step->n, &at) ||
        !text_int(text_trim(rest), 1, step->n, &n) || at + n > step->n)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "only, or offset,length within the %u bytes of its content, expected, "
                            "not '%.*s'",
                            step->n, TEXT(value));
    step->fast_at = (uint16_t)at;
    step->fast_n = (uint16_t)n;
    return WEIR_E_OK;
}

/*
 * "only" (Snort 2) says that a second look is needless; it is cheap, and done. Of a negated content
 * (Suricata) nothing is looked for first.
 */
int
fast_pattern_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step;
    int rc = last_content(rule, &step, err);

    if (rc == WEIR_E_OK && value.n > 0 && !text_is(value, "only"))
        rc = fast_part_take(step, value, err);
    if (rc != WEIR_E_OK || step->flags & STEP_NEGATED)
        return rc;
    if (has_fast(rule))
        return weir_err_set(err, WEIR_E_SYNTAX, "one for a rule expected");
    step->flags |= STEP_FAST;
    return rc;
}

/* fast_pattern_offset of Snort 3. */
static int
part_at_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step = &rule->step[rule->n_steps - 1];
    int64_t v;

    if (!text_int(value, 0, step->n - 1, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number up to %d expected, not '%.*s'",
                            step->n - 1, TEXT(value));
    step->fast_at = (uint16_t)v;
    step->fast_n = step->fast_n != 0 && step->fast_n <= step->n - v ? step->fast_n
                                                                    : (uint16_t)(step->n - v);
    return WEIR_E_OK;
}

static int
part_length_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct step *step = &rule->step[rule->n_steps - 1];
    int64_t v;

    if (!text_int(value, 1, step->n, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number from 1 to %u expected, not '%.*s'",
                            step->n, TEXT(value));
    step->fast_n = (uint16_t)(v < step->n - step->fast_at ? v : step->n - step->fast_at);
    return WEIR_E_OK;
}

/* ---- modifiers in the content's own option (Snort 3) --------------------------------------- */

static const struct {
    const char *name;
    bool value;
    int (*take)(struct rule *rule, struct text value, struct weir_errbuf *err);
} modifiers[] = {
    { "nocase", false, nocase_take },
    { "offset", true, offset_take },
    { "depth", true, depth_take },
    { "distance", true, distance_take },
    { "within", true, within_take },
    { "fast_pattern", false, fast_pattern_take },
    { "fast_pattern_offset", true, part_at_take },
    { "fast_pattern_length", true, part_length_take },
    { "startswith", false, startswith_take },
    { "endswith", false, endswith_take },
};

static int
take_modifier(struct rule *rule, struct text name, struct text value, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    int rc;

    for (size_t i = 0; i < sizeof(modifiers) / sizeof(*modifiers); i++) {
        if (!text_is(name, modifiers[i].name))
            continue;
        if (modifiers[i].value != (value.n > 0))
            return weir_err_set(err, WEIR_E_SYNTAX, "%s value expected behind %s",
                                modifiers[i].value ? "a" : "no", modifiers[i].name);
        rc = modifiers[i].take(rule, value, &why);
        return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", modifiers[i].name, why.text);
    }
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "'%.*s' is not supported", TEXT(name));
}

static int
take_modifiers(struct rule *rule, struct text list, struct weir_errbuf *err)
{
    struct text part, name;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && text_next(&list, ',', &part)) {
        text_next(&part, ' ', &name);
        rc = take_modifier(rule, name, text_trim(part), err);
    }
    return rc;
}

/* ---- isdataat ------------------------------------------------------------------------------ */

int
isdataat_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text rest = value, part;
    bool negated = value.n > 0 && value.p[0] == '!';
    struct step *step;
    struct place at;
    int rc;

    text_next(&rest, ',', &part);
    if (negated)
        part = text_trim(text_of(part.p + 1, part.p + part.n));
    rc = place_parse(rule, part, 0, &at, err);
    if (rc == WEIR_E_OK)
        rc = step_new(rule, STEP_ISDATAAT, &step, err);
    if (rc != WEIR_E_OK)
        return rc;
    step->offset = at.number;
    step->offset_by = at.by;
    step->flags = negated ? STEP_NEGATED : 0;
    while (text_next(&rest, ',', &part)) {
        if (text_is(part, "relative"))
            step->flags |= STEP_RELATIVE;
        else if (!text_is(part, "rawbytes"))
            return weir_err_set(err, WEIR_E_SYNTAX, "relative expected, not '%.*s'", TEXT(part));
    }
    return WEIR_E_OK;
}

/* ---- all of them --------------------------------------------------------------------------- */

int
contents_check(const struct rule *rule, struct weir_errbuf *err)
{
    for (unsigned i = 0; i < rule->n_steps; i++) {
        const struct step *step = &rule->step[i];

        if (step->kind == STEP_CONTENT && step->flags & (STEP_DEPTH | STEP_WITHIN) &&
            step->length_by == 0 && step->length < step->n)
            return weir_err_set(
                err, WEIR_E_SYNTAX, "%s: at least the %u bytes of its content expected, not %d",
                step->flags & STEP_DEPTH ? "depth" : "within", step->n, step->length);
    }
    return WEIR_E_OK;
}
