#include "rule/requires.h"

#include "rule/compare.h"
#include "rule/options.h"

#include <string.h>

/* Suricata's version whose rule language is meant to be understood: 8.0.0. */
static const int64_t our_version = 8000000;

/* 7, 7.0 or 7.0.10, each part up to 999, as one number; a suffix (-dev) means nothing. */
static bool
take_version(struct text t, int64_t *out)
{
    int64_t part, scale = 1000000;
    struct text word, plain;

    text_next(&t, '-', &plain);
    for (*out = 0; scale > 0 && text_next(&plain, '.', &word); scale /= 1000) {
        if (!text_int(word, 0, 999, &part))
            return false;
        *out += part * scale;
    }
    return plain.p == NULL;
}

/* ">= 7.0.3 < 8": all have to hold. */
static int
check_range(struct text range, bool *holds, struct weir_errbuf *err)
{
    struct text rest = text_trim(range), word;

    *holds = true;
    do {
        struct compare cmp = { .op = CMP_EQ };

        if (!compare_sign(&rest, &cmp.op) || !text_next(&rest, ' ', &word) ||
            !take_version(word, &cmp.value))
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "version, an operator and a version expected, not '%.*s'",
                                TEXT(range));
        *holds = *holds && compare_holds(&cmp, our_version);
        rest = rest.p != NULL ? text_trim(rest) : rest;
    } while (rest.p != NULL && rest.n > 0);
    return WEIR_E_OK;
}

/* Ranges with | between them: one has to hold. */
static int
check_version(struct text value, bool *holds, struct weir_errbuf *err)
{
    struct text range;
    bool one;
    int rc = WEIR_E_OK;

    *holds = false;
    while (rc == WEIR_E_OK && text_next(&value, '|', &range)) {
        rc = check_range(range, &one, err);
        *holds = *holds || one;
    }
    return rc;
}

/* There are no optional features, and what is not known here is not there either. */
int
requires_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text part, key;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && text_next(&value, ',', &part)) {
        bool holds = false;

        text_next(&part, ' ', &key);
        part = part.p != NULL ? text_trim(part) : (struct text){ key.p + key.n, 0 };
        if (text_is(key, "version"))
            rc = check_version(part, &holds, err);
        else if (text_is(key, "keyword"))
            holds = option_is_known(part);
        else if (key.n == 0)
            rc = weir_err_set(err, WEIR_E_SYNTAX, "version, feature or keyword expected");
        rule->unmet = rule->unmet || !holds;
    }
    return rc;
}

int
requires_check(struct text options, struct rule *rule, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    struct option_text option = { 0 };
    int rc = WEIR_E_OK;

    if (memmem(options.p, options.n, "requires", strlen("requires")) == NULL)
        return WEIR_E_OK;
    while (rc == WEIR_E_OK && option_next(&options, &option, &why) == WEIR_E_OK)
        if (text_is(option.name, "requires"))
            rc = requires_take(rule, option.value, &why);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "requires: %s", why.text);
}
