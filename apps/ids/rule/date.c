#include "rule/date.h"

#include <string.h>

enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };

/* Days from 1970-01-01 to a day of the Gregorian calendar, counted in years from March on. */
static int64_t
days_to(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = year - (month <= 2);
    const int64_t m = month > 2 ? month - 3 : month + 9;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool
is_digits(struct text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] < '0' || t.p[i] > '9')
            return false;
    return t.n > 0;
}

/* One of these stands before a part, which is so much. */
static const struct {
    const char *before;
    int64_t least, most;
} parts[PARTS] = {
    [YEAR] = { "", 1970, 9999 }, [MONTH] = { "-", 1, 12 },  [DAY] = { "-", 1, 31 },
    [HOUR] = { " T", 0, 23 },    [MINUTE] = { ":", 0, 59 }, [SECOND] = { ":", 0, 60 },
};

bool
date_take(struct text t, int64_t *out)
{
    int64_t at[PARTS] = { 0, 1, 1, 0, 0, 0 };
    size_t n, k = 0;

    if (is_digits(t))
        return text_int(t, 0, INT64_MAX, out);
    for (; t.n > 0 && k < PARTS; k++) {
        if (k > 0 && memchr(parts[k].before, t.p[0], strlen(parts[k].before)) == NULL)
            return false;
        if (k > 0)
            t = text_of(t.p + 1, t.p + t.n);
        for (n = 0; n < t.n && t.p[n] >= '0' && t.p[n] <= '9';)
            n++;
        if (!text_int(text_of(t.p, t.p + n), parts[k].least, parts[k].most, &at[k]))
            return false;
        t = text_of(t.p + n, t.p + t.n);
    }
    *out = days_to(at[YEAR], at[MONTH], at[DAY]) * 86400 + at[HOUR] * 3600 + at[MINUTE] * 60 +
           at[SECOND];
    return t.n == 0 && k > MONTH;
}
