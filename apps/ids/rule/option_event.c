#include "rule/option_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

static bool
is_field_char(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

static const struct weir_field *
field_by_name(unsigned type, struct text name)
{
    for (const struct weir_field *f = weir_event_fields(type); f->name != NULL; f++)
        if (text_is(name, f->name))
            return f;
    return NULL;
}

/* A value as the field's kind has it. */
static bool
take_value(const struct weir_field *field, struct text t, int64_t *out)
{
    if (field->kind == WEIR_FIELD_BOOL && (text_is(t, "true") || text_is(t, "false"))) {
        *out = t.p[0] == 't';
        return true;
    }
    for (int i = 0; field->kind == WEIR_FIELD_ENUM && field->names[i] != NULL; i++) {
        if (text_is(t, field->names[i])) {
            *out = i;
            return true;
        }
    }
    return field->kind != WEIR_FIELD_ENUM && field->kind != WEIR_FIELD_BYTES &&
           text_int(t, -INT64_C(1000000000000000000), INT64_C(1000000000000000000), out);
}

/* Long enough for the fields, and for the values of a field, of any event. */
struct words {
    char text[256];
    size_t n;
};

static void
add_word(struct words *words, const char *word)
{
    int n = snprintf(words->text + words->n, sizeof(words->text) - words->n, "%s%s",
                     words->n > 0 ? ", " : "", word);

    if (n > 0 && (size_t)n < sizeof(words->text) - words->n)
        words->n += (size_t)n;
}

static int
no_field(unsigned type, struct text name, struct weir_errbuf *err)
{
    struct words fields = { "", 0 };

    for (const struct weir_field *f = weir_event_fields(type); f->name != NULL; f++)
        add_word(&fields, f->name);
    return weir_err_set(err, WEIR_E_NOENT, "%s has no field '%.*s' (%s)", weir_event_name(type),
                        TEXT(name), fields.n > 0 ? fields.text : "it has none");
}

static int
bad_value(const struct weir_field *field, struct text value, struct weir_errbuf *err)
{
    struct words values = { "", 0 };

    if (field->kind == WEIR_FIELD_BYTES)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "%s holds bytes, which cannot be compared",
                            field->name);
    for (int i = 0; field->kind == WEIR_FIELD_ENUM && field->names[i] != NULL; i++)
        add_word(&values, field->names[i]);
    if (field->kind == WEIR_FIELD_BOOL)
        add_word(&values, "true, false");
    return weir_err_set(err, WEIR_E_SYNTAX, "a value of %s (%s) expected, not '%.*s'", field->name,
                        values.n > 0 ? values.text : "a number", TEXT(value));
}

static int
take_condition(struct event_test *test, struct text part, struct weir_errbuf *err)
{
    struct event_condition *cond = &test->condition[test->n];
    struct text name = { part.p, 0 }, rest;

    while (name.n < part.n && is_field_char(part.p[name.n]))
        name.n++;
    rest = text_trim(text_of(part.p + name.n, part.p + part.n));
    if (test->n == CONDITIONS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d conditions expected", CONDITIONS_MAX);
    cond->field = field_by_name(test->type, name);
    if (cond->field == NULL)
        return no_field(test->type, name, err);
    if (!compare_sign(&rest, &cond->compare.op))
        return weir_err_set(err, WEIR_E_SYNTAX, "one of = != < <= > >= expected behind '%.*s'",
                            TEXT(name));
    if (!take_value(cond->field, rest, &cond->compare.value))
        return bad_value(cond->field, rest, err);
    if (cond->compare.op > CMP_NE &&
        (cond->field->kind == WEIR_FIELD_ENUM || cond->field->kind == WEIR_FIELD_BOOL))
        return weir_err_set(err, WEIR_E_SYNTAX, "= or != expected behind '%.*s'", TEXT(name));
    test->n++;
    return WEIR_E_OK;
}

/* "copy old" and so on; false: it is a condition. */
static bool
is_copy(struct text part, struct text *which)
{
    struct text word;

    text_next(&part, ' ', &word);
    *which = part.p != NULL ? text_trim(part) : text_of(word.p, word.p);
    return text_is(word, "copy");
}

static int
take_copy(struct event_test *test, struct text which, struct weir_errbuf *err)
{
    static const char *const copies[] = { "new", "old", "any" };

    if (test->type != WEIR_EV_FAKE_RETRANSMIT)
        return weir_err_set(err, WEIR_E_SYNTAX, "copy goes with fake_retransmit only");
    for (uint8_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
        if (text_is(which, copies[i])) {
            test->copy = i;
            return WEIR_E_OK;
        }
    }
    return weir_err_set(err, WEIR_E_SYNTAX, "old, new or any expected behind copy, not '%.*s'",
                        TEXT(which));
}

int
flow_event_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    char name[32] = "";
    struct text part, which;
    int type, rc = WEIR_E_OK;

    text_next(&value, ',', &part);
    if (part.n < sizeof(name))
        memcpy(name, part.p, part.n);
    type = weir_event_by_name(name);
    if (type < 0)
        return weir_err_set(err, WEIR_E_NOENT, "'%.*s' is no event (weir(1) lists them)",
                            TEXT(part));
    if (rule->event != NULL)
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "one for a rule expected");
    rule->event = calloc(1, sizeof(*rule->event));
    if (rule->event == NULL)
        return no_memory(err);
    rule->event->type = (uint8_t)type;
    while (rc == WEIR_E_OK && text_next(&value, ',', &part))
        rc = is_copy(part, &which) ? take_copy(rule->event, which, err)
                                   : take_condition(rule->event, part, err);
    return rc;
}
