/* Rules to be looked at closely, in their order. */
#include "detect/parts.h"

#include <time.h>

void
detect_mark(struct detect *d, uint32_t rule, int64_t beyond)
{
    size_t word = rule / 64;

    d->marked[word] |= UINT64_C(1) << rule % 64;
    d->low = word < d->low ? word : d->low;
    d->high = word + 1 > d->high ? word + 1 : d->high;
    d->beyond[rule] = beyond;
}

static uint64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
look_and_measure(struct detect *d, uint32_t rule, void look(struct detect *d, uint32_t rule))
{
    uint64_t begin = now();

    look(d, rule);
    d->profile[rule].ns += now() - begin;
    d->profile[rule].looks++;
}

void
detect_take_marks(struct detect *d, void look(struct detect *d, uint32_t rule))
{
    for (size_t word = d->low; word < d->high; word++) {
        while (d->marked[word] != 0) {
            uint32_t rule = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(d->marked[word]);

            d->marked[word] &= d->marked[word] - 1;
            d->stats.candidates++;
            if (d->profile == NULL)
                look(d, rule);
            else
                look_and_measure(d, rule, look);
        }
    }
    d->low = d->groups->rules->n / 64 + 1;
    d->high = 0;
}

void
detect_mark_always(struct detect *d, const struct group *group, int64_t beyond)
{
    for (size_t i = 0; i < group->n_always; i++)
        detect_mark(d, group->always[i], beyond);
}
