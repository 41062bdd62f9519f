#include "literal.h"

#include <stdbool.h>
#include <string.h>

/* Where the reader stands, the run of literal bytes that ends here, and the best so far. */
struct reader {
    const char *p;
    unsigned depth; /* of groups; nothing inside one is looked at */
    bool give_up;   /* something was met that is not understood, or an alternative */
    uint8_t run[LITERAL_MAX], best[LITERAL_MAX];
    size_t n, n_best;
};

static void
end_run(struct reader *r)
{
    if (r->n > r->n_best) {
        memcpy(r->best, r->run, r->n);
        r->n_best = r->n;
    }
    r->n = 0;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* {3}, {3,} or {3,5} at p: its length; 0: it is none. */
static size_t
counted(const char *p)
{
    const char *at = p;

    if (*at++ != '{' || !is_digit(*at))
        return 0;
    at += strspn(at, "0123456789");
    if (*at == ',')
        at += 1 + strspn(at + 1, "0123456789");
    return *at == '}' ? (size_t)(at - p) + 1 : 0;
}

/* What may follow an element: how often it comes. Whether it always does. */
static bool
skip_quantifier(struct reader *r, bool *any)
{
    size_t n = *r->p == '*' || *r->p == '?' || *r->p == '+' ? 1 : counted(r->p);
    bool always = n == 0 || *r->p == '+';

    *any = n > 0;
    r->p += n;
    if (n > 0 && (*r->p == '?' || *r->p == '+')) /* lazy, possessive */
        r->p++;
    return always;
}

static void
take_byte(struct reader *r, uint8_t byte)
{
    bool any, always = skip_quantifier(r, &any);

    if (r->depth > 0)
        return;
    if (r->n == LITERAL_MAX)
        end_run(r);
    if (always)
        r->run[r->n++] = byte;
    if (any)
        end_run(r);
}

/* Something that is no certain byte. */
static void
take_other(struct reader *r)
{
    bool any;

    skip_quantifier(r, &any);
    if (r->depth == 0)
        end_run(r);
}

/* \xHH; \x{HHHH} is left alone. */
static void
take_hex(struct reader *r)
{
    int value = 0, digit;

    if (*r->p == '{') {
        r->give_up = true;
        return;
    }
    for (int i = 0; i < 2 && (digit = hex_digit(*r->p)) >= 0; i++, r->p++)
        value = value * 16 + digit;
    take_byte(r, (uint8_t)value);
}

static void
take_octal(struct reader *r)
{
    int value = 0;

    for (int i = 0; i < 2 && *r->p >= '0' && *r->p <= '7'; i++)
        value = value * 8 + (*r->p++ - '0');
    take_byte(r, (uint8_t)value);
}

static void
take_escape(struct reader *r)
{
    static const char controls[] = "nrtfae", bytes[] = "\n\r\t\f\a\033";
    char c = *r->p;
    const char *at;

    if (c == '\0') {
        r->give_up = true;
        return;
    }
    r->p++;
    if (c == 'x')
        take_hex(r);
    else if (c == '0')
        take_octal(r);
    else if ((at = strchr(controls, c)) != NULL)
        take_byte(r, (uint8_t)bytes[at - controls]);
    else if (strchr("dDsSwWhHvVRbBAZzG", c) != NULL)
        take_other(r);
    else if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        r->give_up = true; /* back references, \Q, \c, \p and the like */
    else
        take_byte(r, (uint8_t)c);
}

/* [...]: a ] that comes first is a member. */
static void
take_class(struct reader *r)
{
    if (*r->p == '^')
        r->p++;
    if (*r->p == ']')
        r->p++;
    while (*r->p != '\0' && *r->p != ']') {
        if (*r->p == '[' || (r->p[0] == '\\' && (r->p[1] == 'Q' || r->p[1] == '\0'))) {
            r->give_up = *r->p == '\\' || strchr(":.=", r->p[1]) != NULL;
            if (r->give_up)
                return;
        }
        r->p += *r->p == '\\' ? 2 : 1;
    }
    if (*r->p == ']')
        r->p++;
    else
        r->give_up = true;
    take_other(r);
}

static void
take_special(struct reader *r, char c)
{
    switch (c) {
    case '(':
        if (r->depth == 0)
            end_run(r);
        r->depth++;
        r->give_up = *r->p == '?' || *r->p == '*';
        break;
    case ')':
        r->give_up = r->depth == 0;
        r->depth -= r->depth > 0;
        take_other(r);
        break;
    case '|':
        r->give_up = r->depth == 0;
        break;
    case '[':
        take_class(r);
        break;
    case '\\':
        take_escape(r);
        break;
    default: /* . ^ $ and quantifiers that are out of place */
        take_other(r);
        break;
    }
}

size_t
literal_of(const char *pattern, uint8_t literal[LITERAL_MAX])
{
    struct reader r = { .p = pattern };

    while (*r.p != '\0' && !r.give_up) {
        char c = *r.p++;

        if (strchr("()|[\\.^$*+?", c) != NULL)
            take_special(&r, c);
        else
            take_byte(&r, (uint8_t)c);
    }
    if (r.give_up || r.depth > 0)
        return 0;
    end_run(&r);
    memcpy(literal, r.best, r.n_best);
    return r.n_best;
}
