#include "rule/compare.h"

#include <string.h>

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
    case CMP_OUTSIDE:
        return x <= cmp->first || cmp->value <= x;
    case CMP_WITHIN:
        return cmp->first <= x && x <= cmp->value;
    case CMP_ANY_BIT:
        return (x & cmp->value) != 0;
    case CMP_MASKED:
        return (x & cmp->first) == cmp->value;
    case CMP_NOT_MASKED:
        return (x & cmp->first) != cmp->value;
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

static bool
cut(struct text *t, const char *word)
{
    size_t n = strlen(word);

    if (t->n < n || memcmp(t->p, word, n) != 0)
        return false;
    *t = text_trim(text_of(t->p + n, t->p + t->n));
    return true;
}

bool
compare_sign(struct text *t, uint8_t *op)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
        if (cut(t, signs[i].sign)) {
            *op = (uint8_t)signs[i].op;
            return true;
        }
    }
    return false;
}

/*
 * Decimal, with a point or without, in units of 1/FRACTION; digits too small for that are left out.
 */
static bool
take_fraction(struct text t, int64_t max, int64_t *v)
{
    struct text rest = t, whole;
    int64_t unit = FRACTION;

    text_next(&rest, '.', &whole);
    if (!text_int(whole, 0, max, v))
        return false;
    *v *= FRACTION;
    for (size_t i = 0; rest.p != NULL && i < rest.n; i++) {
        if (rest.p[i] < '0' || rest.p[i] > '9')
            return false;
        unit /= 10;
        *v += (rest.p[i] - '0') * unit;
    }
    return *v <= max * FRACTION;
}

typedef bool (*number_fn)(struct text t, int64_t max, int64_t *v);

static bool
take_number(struct text t, int64_t max, int64_t *v)
{
    uint64_t size;

    *v = 0;
    if (t.n < 3 || t.p[0] != '0' || (t.p[1] | 0x20) != 'x') {
        if (!text_size(t, max, &size))
            return false;
        *v = (int64_t)size;
        return true;
    }
    if (t.n > 2 + 15)
        return false;
    for (size_t i = 2; i < t.n; i++) {
        char low = t.p[i] | 0x20;

        if (!(low >= '0' && low <= '9') && !(low >= 'a' && low <= 'f'))
            return false;
        *v = *v << 4 | (low <= '9' ? low - '0' : low - 'a' + 10);
    }
    return *v <= max;
}

/* Two numbers with one of the words between them; false: there is no such word. */
static bool
take_range(struct text value, int64_t max, number_fn take, struct compare *out, bool *ok)
{
    static const char *const words[] = { "<=>", "<>", "-" };
    bool negated = cut(&value, "!");

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        const char *at = memmem(value.p, value.n, words[i], strlen(words[i]));
        struct text low, high;

        if (at == NULL)
            continue;
        low = text_trim(text_of(value.p, at));
        high = text_trim(text_of(at + strlen(words[i]), value.p + value.n));
        *ok = take(low, max, &out->first) && take(high, max, &out->value);
        if (i == 0) {
            out->op = CMP_WITHIN;
            *ok = *ok && !negated && out->first <= out->value;
        } else {
            out->op = negated ? CMP_OUTSIDE : CMP_BETWEEN;
            *ok = *ok && out->first + 1 < out->value;
        }
        return true;
    }
    return false;
}

/*
 * &MASK=N or &MASK!=N; false: no mask stands there. One that never holds is wrong, as in Suricata.
 */
static bool
take_masked(struct text value, int64_t max, number_fn take, struct compare *out, bool *ok)
{
    struct text mask = { NULL, 0 };
    size_t n = 0;

    if (!cut(&value, "&"))
        return false;
    while (n < value.n && value.p[n] != '=' && value.p[n] != '!')
        n++;
    mask = text_trim(text_of(value.p, value.p + n));
    value = text_of(value.p + n, value.p + value.n);
    out->op = cut(&value, "!") ? CMP_NOT_MASKED : CMP_MASKED;
    *ok = cut(&value, "=") && take(mask, max, &out->first) && take(value, max, &out->value) &&
          (out->value & ~out->first) == 0;
    return true;
}

static int
parse(struct text value, int64_t max, number_fn take, struct compare *out, struct weir_errbuf *err)
{
    struct text rest = value;
    bool ok = false;

    *out = (struct compare){ .op = CMP_EQ };
    if (value.n > 0 && !take_masked(value, max, take, out, &ok) &&
        !take_range(value, max, take, out, &ok)) {
        compare_sign(&rest, &out->op);
        ok = take(rest, max, &out->value);
    }
    if (!ok)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "N, <N, >N, !N, N<>M, N<=>M or &M=N, each up to %lld, expected, not "
                            "'%.*s'",
                            (long long)max, TEXT(value));
    return WEIR_E_OK;
}

int
compare_parse(struct text value, int64_t max, struct compare *out, struct weir_errbuf *err)
{
    return parse(value, max, take_number, out, err);
}

int
compare_parse_fraction(struct text value, int64_t max, struct compare *out, struct weir_errbuf *err)
{
    return parse(value, max, take_fraction, out, err);
}
