#include "detect/number.h"

static uint64_t
read_binary(const struct number *number, const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[number->little ? n - 1 - i : i];
    return v;
}

static unsigned
digit_of(uint8_t c)
{
    uint8_t low = c | 0x20;

    if (c >= '0' && c <= '9')
        return c - '0';
    return low >= 'a' && low <= 'f' ? low - 'a' + 10U : 16;
}

/* As strtoul(), but for signs: spaces, perhaps 0x, digits. */
static bool
read_text(const struct number *number, const uint8_t *p, unsigned n, uint64_t *value,
          unsigned *used)
{
    unsigned i = 0, digits = 0;
    uint64_t v = 0;

    while (i < n && (p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r')))
        i++;
    if (number->base == NUMBER_HEX && i + 2 < n && p[i] == '0' && (p[i + 1] | 0x20) == 'x' &&
        digit_of(p[i + 2]) < 16)
        i += 2;
    for (; i < n && digit_of(p[i]) < number->base; i++, digits++) {
        if (v > (UINT64_MAX - digit_of(p[i])) / number->base)
            return false;
        v = v * number->base + digit_of(p[i]);
    }
    *value = v;
    *used = i;
    return digits > 0;
}

bool
number_read(const struct number *number, const uint8_t *p, unsigned n, uint64_t *value,
            unsigned *used)
{
    *used = n;
    if (number->base == NUMBER_BINARY)
        *value = read_binary(number, p, n);
    else if (!read_text(number, p, n, value, used))
        return false;
    return true;
}

uint64_t
number_masked(const struct number *number, uint64_t value)
{
    return number->mask != 0 ? (value & number->mask) >> __builtin_ctzll(number->mask) : value;
}

bool
number_holds(const struct number *number, uint64_t value, uint64_t operand)
{
    switch ((enum number_op)number->op) {
    case NUMBER_LT:
        return value < operand;
    case NUMBER_LE:
        return value <= operand;
    case NUMBER_EQ:
        return value == operand;
    case NUMBER_GE:
        return value >= operand;
    case NUMBER_GT:
        return value > operand;
    case NUMBER_AND:
        return (value & operand) != 0;
    case NUMBER_XOR:
        return (value ^ operand) != 0;
    case NUMBER_ADD:
    case NUMBER_SUBTRACT:
    case NUMBER_MULTIPLY:
    case NUMBER_DIVIDE:
    case NUMBER_SHIFT_LEFT:
    case NUMBER_SHIFT_RIGHT:
        break;
    }
    return false;
}

bool
number_compute(const struct number *number, uint64_t value, uint64_t operand, uint64_t *out)
{
    if (number->op == NUMBER_DIVIDE && operand == 0)
        return false;
    if ((number->op == NUMBER_SHIFT_LEFT || number->op == NUMBER_SHIFT_RIGHT) && operand >= 64)
        return false;
    if (number->op == NUMBER_ADD)
        *out = value + operand;
    else if (number->op == NUMBER_SUBTRACT)
        *out = value - operand;
    else if (number->op == NUMBER_MULTIPLY)
        *out = value * operand;
    else if (number->op == NUMBER_DIVIDE)
        *out = value / operand;
    else if (number->op == NUMBER_SHIFT_LEFT)
        *out = value << operand;
    else
        *out = value >> operand;
    return true;
}

uint64_t
number_scale(const struct number *number, uint64_t value)
{
    value *= number->multiplier;
    if (number->align > 1 && value % number->align != 0)
        value += number->align - value % number->align;
    return value;
}
