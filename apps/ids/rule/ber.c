#include "rule/ber.h"

#include "rule/content.h"

#include <stdlib.h>
#include <string.h>

enum { PLACE_MAX = 65535 };

/* A word and a number, "oversize_length 1024". */
static int
number_of(struct step *step, struct text word, struct text value, struct weir_errbuf *err)
{
    int64_t v;

    if (text_is(word, "oversize_length") && text_int(value, 1, INT32_MAX - 1, &v)) {
        step->index |= ASN1_LENGTH;
        step->length = (int32_t)v;
    } else if (text_is(word, "absolute_offset") && text_int(value, 0, PLACE_MAX, &v)) {
        step->offset = (int32_t)v;
    } else if (text_is(word, "relative_offset") && text_int(value, -PLACE_MAX, PLACE_MAX, &v)) {
        step->offset = (int32_t)v;
        step->flags |= STEP_RELATIVE;
    } else {
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "bitstring_overflow, double_overflow, oversize_length N, "
                            "absolute_offset N or relative_offset N expected, not '%.*s'",
                            TEXT(word));
    }
    return WEIR_E_OK;
}

int
asn1_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text part, word;
    struct step *step;
    int rc = step_new(rule, STEP_ASN1, &step, err);

    while (rc == WEIR_E_OK && text_next(&value, ',', &part)) {
        text_next(&part, ' ', &word);
        part = part.p != NULL ? text_trim(part) : (struct text){ "", 0 };
        if (text_is(word, "bitstring_overflow") && part.n == 0)
            step->index |= ASN1_BIT_STRING;
        else if (text_is(word, "double_overflow") && part.n == 0)
            step->index |= ASN1_REAL;
        else
            rc = number_of(step, word, part, err);
    }
    if (rc == WEIR_E_OK && step->index == 0)
        rc = weir_err_set(err, WEIR_E_SYNTAX,
                          "bitstring_overflow, double_overflow or oversize_length expected");
    return rc;
}

/* "0x30", "48". */
static bool
type_of(struct text text, int64_t *type)
{
    char digits[8] = "";
    char *end = digits;

    if (text.n < 3 || text.n >= sizeof(digits) || text.p[0] != '0' || text.p[1] != 'x')
        return text_int(text, 0, UINT8_MAX, type);
    memcpy(digits, text.p + 2, text.n - 2);
    *type = strtol(digits, &end, 16);
    return strspn(digits, "0123456789abcdefABCDEF") == text.n - 2 && *end == '\0' &&
           *type <= UINT8_MAX;
}

static int
element_take(struct rule *rule, uint8_t index, struct text type, struct weir_errbuf *err)
{
    struct step *step;
    int64_t v;
    int rc;

    if (!type_of(type, &v))
        return weir_err_set(err, WEIR_E_SYNTAX, "a type of 0 to 255 expected, not '%.*s'",
                            TEXT(type));
    rc = step_new(rule, STEP_BER, &step, err);
    if (rc != WEIR_E_OK)
        return rc;
    step->offset = (int32_t)v;
    step->index = index;
    step->flags |= STEP_RELATIVE;
    return rc;
}

int
ber_data_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return element_take(rule, BER_DATA, value, err);
}

int
ber_skip_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text type;

    text_next(&value, ',', &type);
    if (value.p != NULL && !text_is(text_trim(value), "optional"))
        return weir_err_set(err, WEIR_E_SYNTAX, "optional expected, not '%.*s'", TEXT(value));
    return element_take(rule, value.p != NULL ? BER_SKIP_OPTIONAL : BER_SKIP, type, err);
}
