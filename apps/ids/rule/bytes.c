#include "rule/bytes.h"

#include "rule/content.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLACE_MAX = 65535,
    MULTIPLIER_MAX = 65535,
    NAME_MAX_LENGTH = 64,
};

/* An option while it is read; a bit says that what has to be there was. */
struct taking {
    struct rule *rule;
    struct step *step;
    struct number *number;
    unsigned given;
};

enum { GIVEN_BYTES = 1, GIVEN_OFFSET = 2, GIVEN_OP = 4, GIVEN_OPERAND = 8, GIVEN_NAME = 16 };

typedef int (*word_fn)(struct taking *t, struct text value, struct weir_errbuf *err);

/* ---- numbers and variables ----------------------------------------------------------------- */

/* Decimal, or hexadecimal behind 0x; up to 64 bits. */
static bool
text_u64(struct text t, uint64_t *out)
{
    bool hex = t.n > 2 && t.p[0] == '0' && (t.p[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : 10;
    uint64_t v = 0;

    for (size_t i = hex ? 2 : 0; i < t.n; i++) {
        int c = t.p[i] | 0x20;
        unsigned digit = c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : (unsigned)(t.p[i] - '0');

        if (digit >= base || v > (UINT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *out = v;
    return t.n > 0;
}

static int
operand_take(struct taking *t, struct text value, struct weir_errbuf *err)
{
    t->given |= GIVEN_OPERAND;
    t->number->operand_by = step_that_sets(t->rule, value);
    if (t->number->operand_by == 0 && !text_u64(value, &t->number->operand))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "a number, or a variable set before, expected, not '%.*s'",
                            TEXT(value));
    return WEIR_E_OK;
}

static int
offset_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    int64_t v = 0;

    t->given |= GIVEN_OFFSET;
    t->step->offset_by = step_that_sets(t->rule, value);
    if (t->step->offset_by == 0 && !text_int(value, -PLACE_MAX, PLACE_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "an offset of at most %d, or a variable set before, expected, not "
                            "'%.*s'",
                            PLACE_MAX, TEXT(value));
    t->step->offset = (int32_t)v;
    return WEIR_E_OK;
}

static int
bytes_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    int64_t v = 0;

    t->given |= GIVEN_BYTES;
    t->number->n_by = step_that_sets(t->rule, value);
    if (t->number->n_by == 0 && !text_int(value, 0, DIGITS_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "up to %d bytes, or a variable set before, expected, not '%.*s'",
                            DIGITS_MAX, TEXT(value));
    t->number->n = (uint8_t)v;
    return WEIR_E_OK;
}

static bool
is_name(struct text t)
{
    for (size_t i = 0; i < t.n; i++) {
        int c = t.p[i] | 0x20;
        bool digit = t.p[i] >= '0' && t.p[i] <= '9';

        if (!(c >= 'a' && c <= 'z') && t.p[i] != '_' &&
            !(i > 0 && (digit || t.p[i] == '-' || t.p[i] == '.')))
            return false;
    }
    return t.n > 0 && t.n <= NAME_MAX_LENGTH;
}

static int
name_take(struct taking *t, struct text value, struct weir_errbuf *err)
{
    t->given |= GIVEN_NAME;
    if (!is_name(value))
        return weir_err_set(err, WEIR_E_SYNTAX, "a variable's name expected, not '%.*s'",
                            TEXT(value));
    if (t->number->name != NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "one name expected, not '%.*s' too", TEXT(value));
    t->number->name = strndup(value.p, value.n);
    return t->number->name != NULL ? WEIR_E_OK : weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

/* ---- operators ----------------------------------------------------------------------------- */

struct sign {
    const char *text;
    enum number_op op;
};

static const struct sign test_signs[] = {
    { "<", NUMBER_LT },  { "<=", NUMBER_LE }, { "=", NUMBER_EQ },
    { "==", NUMBER_EQ }, { ">=", NUMBER_GE }, { ">", NUMBER_GT },
    { "&", NUMBER_AND }, { "^", NUMBER_XOR }, { NULL, NUMBER_LT },
};

static const struct sign math_signs[] = {
    { "+", NUMBER_ADD },    { "-", NUMBER_SUBTRACT },    { "*", NUMBER_MULTIPLY },
    { "/", NUMBER_DIVIDE }, { "<<", NUMBER_SHIFT_LEFT }, { ">>", NUMBER_SHIFT_RIGHT },
    { NULL, NUMBER_ADD },
};

static bool
sign_find(const struct sign *signs, struct text value, uint8_t *op)
{
    for (; signs->text != NULL; signs++) {
        if (!text_is(value, signs->text))
            continue;
        *op = (uint8_t)signs->op;
        return true;
    }
    return false;
}

/* A ! before it turns it round; alone it means != (Snort). */
static int
test_sign_take(struct taking *t, struct text value, struct weir_errbuf *err)
{
    struct text sign = value;

    t->given |= GIVEN_OP;
    if (sign.n > 0 && sign.p[0] == '!') {
        t->step->flags |= STEP_NEGATED;
        sign = text_trim(text_of(sign.p + 1, sign.p + sign.n));
    }
    t->number->op = NUMBER_EQ;
    if (sign.n == 0 && t->step->flags & STEP_NEGATED)
        return WEIR_E_OK;
    if (!sign_find(test_signs, sign, &t->number->op))
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "one of < <= = >= > & ^, perhaps behind a !, expected, not '%.*s'",
                            TEXT(value));
    return WEIR_E_OK;
}

static int
math_sign_take(struct taking *t, struct text value, struct weir_errbuf *err)
{
    t->given |= GIVEN_OP;
    if (!sign_find(math_signs, value, &t->number->op))
        return weir_err_set(err, WEIR_E_SYNTAX, "one of + - * / << >> expected, not '%.*s'",
                            TEXT(value));
    return WEIR_E_OK;
}

/* ---- words --------------------------------------------------------------------------------- */

static int
relative_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    t->step->flags |= STEP_RELATIVE;
    return WEIR_E_OK;
}

static int
endian_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    t->number->little = text_is(value, "little");
    if (!t->number->little && !text_is(value, "big"))
        return weir_err_set(err, WEIR_E_SYNTAX, "big or little expected, not '%.*s'", TEXT(value));
    return WEIR_E_OK;
}

static int
little_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    t->number->little = true;
    return WEIR_E_OK;
}

static int
big_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    t->number->little = false;
    return WEIR_E_OK;
}

static int
hex_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    t->number->base = NUMBER_HEX;
    return WEIR_E_OK;
}

static int
dec_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    t->number->base = NUMBER_DEC;
    return WEIR_E_OK;
}

static int
oct_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    t->number->base = NUMBER_OCT;
    return WEIR_E_OK;
}

/* "string,hex" or "string hex"; the base may stand before it, too. */
static int
string_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    if (text_is(value, "hex"))
        return hex_word(t, value, err);
    if (text_is(value, "oct"))
        return oct_word(t, value, err);
    if (value.n > 0 && !text_is(value, "dec"))
        return weir_err_set(err, WEIR_E_SYNTAX, "hex, dec or oct expected, not '%.*s'",
                            TEXT(value));
    if (t->number->base == NUMBER_BINARY)
        t->number->base = NUMBER_DEC;
    return WEIR_E_OK;
}

static int
bitmask_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    if (!text_u64(value, &t->number->mask) || t->number->mask == 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "a mask that is not zero expected, not '%.*s'",
                            TEXT(value));
    return WEIR_E_OK;
}

static int
multiplier_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(value, 1, MULTIPLIER_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a multiplier from 1 to %d expected, not '%.*s'",
                            MULTIPLIER_MAX, TEXT(value));
    t->number->multiplier = (uint32_t)v;
    return WEIR_E_OK;
}

static int
align_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    if (value.n != 0 && !text_is(value, "2") && !text_is(value, "4"))
        return weir_err_set(err, WEIR_E_SYNTAX, "align 2 or 4 expected, not '%.*s'", TEXT(value));
    t->number->align = text_is(value, "2") ? 2 : 4;
    return WEIR_E_OK;
}

static int
jump_from(struct taking *t, enum jump_from from, struct weir_errbuf *err)
{
    if (t->number->from != JUMP_FROM_HERE)
        return weir_err_set(err, WEIR_E_SYNTAX, "one of from_beginning and from_end expected");
    t->number->from = (uint8_t)from;
    return WEIR_E_OK;
}

static int
from_beginning_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value;
    return jump_from(t, JUMP_FROM_BEGINNING, err);
}

static int
from_end_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    (void)value;
    return jump_from(t, JUMP_FROM_END, err);
}

static int
post_offset_word(struct taking *t, struct text value, struct weir_errbuf *err)
{
    int64_t v;

    if (!text_int(value, -PLACE_MAX, PLACE_MAX, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a post_offset of at most %d expected, not '%.*s'",
                            PLACE_MAX, TEXT(value));
    t->number->post_offset = (int32_t)v;
    return WEIR_E_OK;
}

enum { TEST = 1, JUMP = 2, EXTRACT = 4, MATH = 8, ALL = 15 };

enum word_value { NO_VALUE, MAY_HAVE_VALUE, NEEDS_VALUE };

static const struct word {
    const char *name;
    unsigned of;
    enum word_value value;
    word_fn take;
} words[] = {
    { "relative", ALL, NO_VALUE, relative_word },
    { "big", ALL, NO_VALUE, big_word },
    { "little", ALL, NO_VALUE, little_word },
    { "endian", ALL, NEEDS_VALUE, endian_word },
    { "string", ALL, MAY_HAVE_VALUE, string_word },
    { "hex", ALL, NO_VALUE, hex_word },
    { "dec", ALL, NO_VALUE, dec_word },
    { "oct", ALL, NO_VALUE, oct_word },
    { "bitmask", ALL, NEEDS_VALUE, bitmask_word },
    { "multiplier", JUMP | EXTRACT, NEEDS_VALUE, multiplier_word },
    { "align", JUMP | EXTRACT, MAY_HAVE_VALUE, align_word },
    { "from_beginning", JUMP, NO_VALUE, from_beginning_word },
    { "from_end", JUMP, NO_VALUE, from_end_word },
    { "post_offset", JUMP, NEEDS_VALUE, post_offset_word },
    { "bytes", MATH, NEEDS_VALUE, bytes_word },
    { "offset", MATH, NEEDS_VALUE, offset_word },
    { "oper", MATH, NEEDS_VALUE, math_sign_take },
    { "rvalue", MATH, NEEDS_VALUE, operand_take },
    { "result", MATH, NEEDS_VALUE, name_take },
};

static unsigned
bit_of(const struct step *step)
{
    return 1U << (step->kind - STEP_BYTE_TEST);
}

static int
word_take(struct taking *t, struct text part, struct weir_errbuf *err)
{
    struct text rest = part, name;

    text_next(&rest, ' ', &name);
    rest = rest.p != NULL ? text_trim(rest) : text_of(part.p + part.n, part.p + part.n);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        const struct word *word = &words[i];

        if (!(word->of & bit_of(t->step)) || !text_is(name, word->name))
            continue;
        if (word->value == NEEDS_VALUE && rest.n == 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "a value expected behind %s", word->name);
        if (word->value == NO_VALUE && rest.n > 0)
            return weir_err_set(err, WEIR_E_SYNTAX, "no value expected behind %s", word->name);
        return word->take(t, rest, err);
    }
    if (text_is(name, "dce"))
        return weir_err_set(err, WEIR_E_UNSUPPORTED, "dce is not supported: DCE/RPC is not parsed");
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "'%.*s' is not supported", TEXT(part));
}

/* ---- options ------------------------------------------------------------------------------- */

static int
number_check(const struct taking *t, unsigned needed, struct weir_errbuf *err)
{
    const struct number *number = t->number;

    if ((t->given & needed) != needed)
        return weir_err_set(err, WEIR_E_SYNTAX, "bytes, offset, oper, rvalue and result expected");
    if (number->n == 0 && number->n_by == 0 && number->base == NUMBER_BINARY &&
        t->step->kind != STEP_BYTE_JUMP)
        return weir_err_set(err, WEIR_E_SYNTAX, "1 to %d bytes, or 0 with string, expected",
                            BINARY_MAX);
    if (number->base == NUMBER_BINARY && number->n > BINARY_MAX)
        return weir_err_set(err, WEIR_E_SYNTAX, "at most %d bytes, or string, expected",
                            BINARY_MAX);
    if (t->step->offset < 0 && !(t->step->flags & STEP_RELATIVE))
        return weir_err_set(err, WEIR_E_SYNTAX, "relative expected with a negative offset");
    if (number->op == NUMBER_DIVIDE && number->operand_by == 0 && number->operand == 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "rvalue: a divisor that is not zero expected");
    return WEIR_E_OK;
}

/* Values that have their places, then words in any order. */
static int
number_take(struct rule *rule, enum step_kind kind, const word_fn *first, unsigned needed,
            struct text value, struct weir_errbuf *err)
{
    struct taking t = { .rule = rule };
    struct text rest = value, part;
    int rc = step_new(rule, kind, &t.step, err);

    if (rc != WEIR_E_OK)
        return rc;
    t.step->number = t.number = calloc(1, sizeof(*t.number));
    if (t.number == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    t.number->multiplier = 1;
    for (; rc == WEIR_E_OK && *first != NULL; first++) {
        if (!text_next(&rest, ',', &part))
            return weir_err_set(err, WEIR_E_SYNTAX, "more values expected than '%.*s'",
                                TEXT(value));
        rc = (*first)(&t, part, err);
    }
    while (rc == WEIR_E_OK && text_next(&rest, ',', &part))
        rc = word_take(&t, part, err);
    return rc == WEIR_E_OK ? number_check(&t, needed, err) : rc;
}

int
byte_test_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const word_fn first[] = { bytes_word, test_sign_take, operand_take, offset_word, NULL };

    return number_take(rule, STEP_BYTE_TEST, first, 0, value, err);
}

int
byte_jump_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const word_fn first[] = { bytes_word, offset_word, NULL };

    return number_take(rule, STEP_BYTE_JUMP, first, 0, value, err);
}

int
byte_extract_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const word_fn first[] = { bytes_word, offset_word, name_take, NULL };

    return number_take(rule, STEP_BYTE_EXTRACT, first, 0, value, err);
}

int
byte_math_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    static const word_fn first[] = { NULL };

    return number_take(rule, STEP_BYTE_MATH, first,
                       GIVEN_BYTES | GIVEN_OFFSET | GIVEN_OP | GIVEN_OPERAND | GIVEN_NAME, value,
                       err);
}
