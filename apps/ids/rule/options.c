#include "rule/options.h"

#include "rule/bytes.h"
#include "rule/content.h"
#include "rule/pcre.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

typedef int (*take_fn)(struct rule *rule, struct text value, struct weir_errbuf *err);

static int
no_memory(struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

/* ---- what a rule says ---------------------------------------------------------------------- */

static int
msg_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text inner;
    char *to;

    if (!text_unquote(value, &inner))
        return weir_err_set(err, WEIR_E_SYNTAX, "a quoted string expected, not '%.*s'",
                            TEXT(value));
    to = malloc(inner.n + 1);
    if (to == NULL)
        return no_memory(err);
    free(rule->msg);
    rule->msg = to;
    for (size_t i = 0; i < inner.n; i++) {
        if (inner.p[i] == '\\' && i + 1 < inner.n)
            i++;
        *to++ = inner.p[i];
    }
    *to = '\0';
    return WEIR_E_OK;
}

static int
take_u32(struct text value, int64_t min, uint32_t *to, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(value, min, UINT32_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number from %lld to %u expected, not '%.*s'",
                            (long long)min, UINT32_MAX, TEXT(value));
    *to = (uint32_t)v;
    return WEIR_E_OK;
}

static int
sid_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_u32(value, 1, &rule->sid, err);
}

static int
gid_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_u32(value, 0, &rule->gid, err);
}

static int
rev_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_u32(value, 0, &rule->rev, err);
}

static int
priority_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(value, 1, 255, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a number from 1 to 255 expected, not '%.*s'",
                            TEXT(value));
    rule->priority = (uint32_t)v;
    rule->has_priority = true;
    return WEIR_E_OK;
}

static int
classtype_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    rule->class = class_by_name(value);
    if (rule->class == NULL)
        return weir_err_set(err, WEIR_E_NOENT, "'%.*s' is no known classification", TEXT(value));
    return WEIR_E_OK;
}

static int
add_pair(struct pair **pairs, uint16_t *n, struct text key, struct text value,
         struct weir_errbuf *err)
{
    struct pair *more;

    if (*n == 1024)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %u expected", *n);
    more = realloc(*pairs, (*n + 1U) * sizeof(*more));
    if (more == NULL)
        return no_memory(err);
    *pairs = more;
    more[*n] = (struct pair){ strndup(key.p, key.n), strndup(value.p, value.n) };
    ++*n;
    return more[*n - 1].key != NULL && more[*n - 1].value != NULL ? WEIR_E_OK : no_memory(err);
}

static int
reference_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text type;

    if (memchr(value.p, ',', value.n) == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "type,text expected, not '%.*s'", TEXT(value));
    text_next(&value, ',', &type);
    return add_pair(&rule->reference, &rule->n_reference, type, text_trim(value), err);
}

static int
metadata_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text part, key;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && text_next(&value, ',', &part)) {
        if (part.n == 0)
            continue;
        text_next(&part, ' ', &key);
        part = part.p != NULL ? text_trim(part) : text_of(key.p + key.n, key.p + key.n);
        rc = add_pair(&rule->metadata, &rule->n_metadata, key, part, err);
    }
    return rc;
}

/* ---- flow ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint8_t bit, excludes;
} flow_words[] = {
    { "to_server", RULE_TO_SERVER, RULE_TO_CLIENT },
    { "from_client", RULE_TO_SERVER, RULE_TO_CLIENT },
    { "to_client", RULE_TO_CLIENT, RULE_TO_SERVER },
    { "from_server", RULE_TO_CLIENT, RULE_TO_SERVER },
    { "established", RULE_ESTABLISHED, RULE_NOT_ESTABLISHED },
    { "not_established", RULE_NOT_ESTABLISHED, RULE_ESTABLISHED },
    { "stateless", 0, RULE_ESTABLISHED | RULE_NOT_ESTABLISHED },
    { "only_stream", RULE_ONLY_STREAM, RULE_NO_STREAM },
    { "no_stream", RULE_NO_STREAM, RULE_ONLY_STREAM },
};

static int
flow_word(struct rule *rule, struct text word, struct weir_errbuf *err)
{
    for (size_t i = 0; i < sizeof(flow_words) / sizeof(*flow_words); i++) {
        if (!text_is(word, flow_words[i].name))
            continue;
        if (rule->flow & flow_words[i].excludes)
            return weir_err_set(err, WEIR_E_SYNTAX, "'%.*s' contradicts a word before it",
                                TEXT(word));
        rule->flow |= flow_words[i].bit;
        return WEIR_E_OK;
    }
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "'%.*s' is not supported", TEXT(word));
}

static int
flow_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text word;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && text_next(&value, ',', &word))
        rc = flow_word(rule, word, err);
    return rc;
}

/* ---- comparisons --------------------------------------------------------------------------- */

bool
compare_holds(const struct compare *cmp, int64_t x)
{
    switch ((enum compare_op)cmp->op) {
    case CMP_EQ:
        return x == cmp->value;
    case CMP_NE:
        return x != cmp->value;
    case CMP_LT:
        return x < cmp->value;
    case CMP_LE:
        return x <= cmp->value;
    case CMP_GT:
        return x > cmp->value;
    case CMP_GE:
        return x >= cmp->value;
    case CMP_BETWEEN:
        return cmp->first < x && x < cmp->value;
    }
    return false;
}

static const struct {
    const char *sign;
    enum compare_op op;
} signs[] = {
    /* longer ones first */
    { "==", CMP_EQ }, { "!=", CMP_NE }, { "<=", CMP_LE }, { ">=", CMP_GE },
    { "=", CMP_EQ },  { "!", CMP_NE },  { "<", CMP_LT },  { ">", CMP_GT },
};

/* Cut a sign off the front of *t; false: there is none. */
static bool
take_sign(struct text *t, uint8_t *op)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
        size_t n = strlen(signs[i].sign);

        if (t->n < n || memcmp(t->p, signs[i].sign, n) != 0)
            continue;
        *op = (uint8_t)signs[i].op;
        *t = text_trim(text_of(t->p + n, t->p + t->n));
        return true;
    }
    return false;
}

/* 5, !5, <5, >=5, 3<>9 (as in Suricata: neither 3 nor 9). */
static int
take_compare(struct text value, int64_t max, struct compare *out, struct weir_errbuf *err)
{
    struct text rest = value, low;
    bool ok;

    *out = (struct compare){ .op = CMP_EQ };
    if (text_next(&rest, '<', &low) && low.n > 0 && rest.n > 0 && rest.p[0] == '>') {
        out->op = CMP_BETWEEN;
        rest = text_trim(text_of(rest.p + 1, rest.p + rest.n));
        ok = text_int(low, 0, max, &out->first) && text_int(rest, 0, max, &out->value) &&
             out->first < out->value;
    } else {
        rest = value;
        take_sign(&rest, &out->op);
        ok = text_int(rest, 0, max, &out->value);
    }
    if (!ok)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "N, <N, >N or N<>M, each up to %lld, expected, not '%.*s'",
                            (long long)max, TEXT(value));
    return WEIR_E_OK;
}

/* ---- checks of header fields --------------------------------------------------------------- */

static int
add_check(struct rule *rule, const struct check *check, struct weir_errbuf *err)
{
    if (rule->n_checks == CHECKS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d tests of header fields expected",
                            CHECKS_MAX);
    rule->check[rule->n_checks++] = *check;
    return WEIR_E_OK;
}

static int
take_field(struct rule *rule, enum check_kind kind, struct text value, int64_t max,
           struct weir_errbuf *err)
{
    struct check check = { .kind = (uint8_t)kind };
    int rc = take_compare(value, max, &check.compare, err);

    return rc == WEIR_E_OK ? add_check(rule, &check, err) : rc;
}

static int
dsize_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_DSIZE, value, 65535, err);
}

static int
ttl_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_TTL, value, 255, err);
}

static int
itype_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_ITYPE, value, 255, err);
}

static int
icode_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_ICODE, value, 255, err);
}

/* Letters of TCP flags; 0: none, 1 and 2: the two that were reserved once. */
static bool
take_letters(struct text t, uint8_t *flags)
{
    static const char letters[] = "FSRPAUEC";

    *flags = 0;
    for (size_t i = 0; i < t.n; i++) {
        const char *at = memchr(letters, t.p[i] & ~0x20, sizeof(letters) - 1);

        if (at != NULL)
            *flags |= (uint8_t)(1U << (at - letters));
        else if (t.p[i] == '1' || t.p[i] == '2')
            *flags |= t.p[i] == '1' ? WEIR_TH_CWR : WEIR_TH_ECE;
        else if (t.p[i] != '0')
            return false;
    }
    return t.n > 0;
}

/* [!*+=]LETTERS[,LETTERS TO IGNORE]; the sign may stand behind the letters too (Snort). */
static int
flags_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_FLAGS, .how = '=' };
    struct text rest = value, letters;
    bool ok;

    text_next(&rest, ',', &letters);
    if (letters.n > 0 && strchr("!*+=", letters.p[0]) != NULL) {
        check.how = letters.p[0];
        letters.p++, letters.n--;
    } else if (letters.n > 0 && strchr("!*+=", letters.p[letters.n - 1]) != NULL) {
        check.how = letters.p[--letters.n];
    }
    ok = take_letters(letters, &check.flags);
    if (rest.p != NULL)
        ok = ok && take_letters(text_trim(rest), &check.mask);
    if (!ok)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "letters of FSRPAUEC, perhaps with one of !*+= before, expected, not "
                            "'%.*s'",
                            TEXT(value));
    return add_check(rule, &check, err);
}

/* ---- flow-event ---------------------------------------------------------------------------- */

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
    if (!take_sign(&rest, &cond->compare.op))
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

static int
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

/* ---- the table ----------------------------------------------------------------------------- */

enum value { NO_VALUE, MAY_HAVE_VALUE, NEEDS_VALUE };

static const struct {
    const char *name;
    enum value value;
    take_fn take;
} options[] = {
    { "msg", NEEDS_VALUE, msg_take },
    { "sid", NEEDS_VALUE, sid_take },
    { "gid", NEEDS_VALUE, gid_take },
    { "rev", NEEDS_VALUE, rev_take },
    { "classtype", NEEDS_VALUE, classtype_take },
    { "priority", NEEDS_VALUE, priority_take },
    { "reference", NEEDS_VALUE, reference_take },
    { "metadata", NEEDS_VALUE, metadata_take },
    { "flow", NEEDS_VALUE, flow_take },
    { "flow-event", NEEDS_VALUE, flow_event_take },
    { "content", NEEDS_VALUE, content_take },
    { "nocase", NO_VALUE, nocase_take },
    { "rawbytes", NO_VALUE, rawbytes_take },
    { "offset", NEEDS_VALUE, offset_take },
    { "depth", NEEDS_VALUE, depth_take },
    { "distance", NEEDS_VALUE, distance_take },
    { "within", NEEDS_VALUE, within_take },
    { "startswith", NO_VALUE, startswith_take },
    { "endswith", NO_VALUE, endswith_take },
    { "fast_pattern", MAY_HAVE_VALUE, fast_pattern_take },
    { "isdataat", NEEDS_VALUE, isdataat_take },
    { "byte_test", NEEDS_VALUE, byte_test_take },
    { "byte_jump", NEEDS_VALUE, byte_jump_take },
    { "byte_extract", NEEDS_VALUE, byte_extract_take },
    { "byte_math", NEEDS_VALUE, byte_math_take },
    { "pcre", NEEDS_VALUE, pcre_take },
    { "dsize", NEEDS_VALUE, dsize_take },
    { "flags", NEEDS_VALUE, flags_take },
    { "ttl", NEEDS_VALUE, ttl_take },
    { "itype", NEEDS_VALUE, itype_take },
    { "icode", NEEDS_VALUE, icode_take },
};

static int
parse_one(const struct option_text *option, struct rule *rule, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    int rc;

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        if (!text_is(option->name, options[i].name))
            continue;
        if (options[i].value == NEEDS_VALUE && option->value.n == 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "%s: a value expected", options[i].name);
        if (options[i].value == NO_VALUE && option->has_value)
            return weir_err_set(err, WEIR_E_SYNTAX, "%s: no value expected", options[i].name);
        rc = options[i].take(rule, option->value, &why);
        return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", options[i].name, why.text);
    }
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "option '%.*s' is not supported",
                        TEXT(option->name));
}

static int
check_all(struct rule *rule, struct weir_errbuf *err)
{
    if (rule->sid == 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "sid expected: a rule needs one");
    if (rule->msg == NULL && (rule->msg = calloc(1, 1)) == NULL)
        return no_memory(err);
    if (!rule->has_priority)
        rule->priority = rule->class != NULL ? rule->class->priority : 3;
    if (rule->event != NULL && rule->flow & RULE_ONLY_STREAM)
        return weir_err_set(err, WEIR_E_UNSUPPORTED,
                            "flow:only_stream does not go with flow-event, whose contents are "
                            "looked for in the packet");
    return contents_check(rule, err);
}

int
options_parse(struct text text, struct rule *rule, struct weir_errbuf *err)
{
    struct option_text option = { 0 };
    int rc;

    while ((rc = option_next(&text, &option, err)) == WEIR_E_OK) {
        rc = parse_one(&option, rule, err);
        if (rc != WEIR_E_OK)
            return rc;
    }
    return rc == WEIR_E_NOENT ? check_all(rule, err) : rc;
}
