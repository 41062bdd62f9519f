#include "rule/order.h"

#include <stdlib.h>
#include <string.h>

/* What a rule does with a kind of state, in the order of being looked at. */
enum role { ROLE_SETS, ROLE_SETS_AND_TESTS, ROLE_TESTS, ROLE_NONE };

enum { KINDS = 4 }; /* flowbits, flowint, bits of addresses, of pairs of them */

struct place {
    uint8_t action;      /* rank */
    uint8_t role[KINDS]; /* enum role */
    size_t index;
};

static uint8_t
rank(uint8_t action)
{
    switch (action) {
    case ACTION_PASS:
        return 0;
    case ACTION_DROP:
    case ACTION_BLOCK:
        return 1;
    case ACTION_REJECT:
    case ACTION_REJECT_SRC:
    case ACTION_REJECT_DST:
    case ACTION_REJECT_BOTH:
        return 2;
    default:
        return 3;
    }
}

static unsigned
kind_of(const struct bits *bits)
{
    return bits->of == BITS_OF_FLOW ? 0 : bits->of == BITS_OF_PAIR ? 3 : 2;
}

static uint8_t
role_of(bool sets, bool tests)
{
    if (sets)
        return tests ? ROLE_SETS_AND_TESTS : ROLE_SETS;
    return tests ? ROLE_TESTS : ROLE_NONE;
}

static void
place_of(const struct rule *rule, struct place *place)
{
    bool sets[KINDS] = { false }, tests[KINDS] = { false };
    const struct rule_state *state = rule->state;

    for (unsigned i = 0; state != NULL && i < state->n_bits; i++) {
        const struct bits *bits = &state->bits[i];

        *(bits->op < BITS_ISSET ? &sets[kind_of(bits)] : &tests[kind_of(bits)]) = true;
    }
    for (unsigned i = 0; state != NULL && i < state->n_ints; i++)
        *(state->ints[i].op < FLOWINT_COMPARE ? &sets[1] : &tests[1]) = true;
    place->action = rank(rule->action);
    for (int i = 0; i < KINDS; i++)
        place->role[i] = role_of(sets[i], tests[i]);
}

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->action != y->action)
        return x->action < y->action ? -1 : 1;
    for (int i = 0; i < KINDS; i++)
        if (x->role[i] != y->role[i])
            return x->role[i] < y->role[i] ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

int
rules_sort(struct rules *rules, struct weir_errbuf *err)
{
    struct place *place = calloc(rules->n + 1, sizeof(*place));
    size_t room = 1;
    struct rule *sorted;

    while (room < rules->n)
        room *= 2; /* as rules_load() has it */
    sorted = calloc(room, sizeof(*sorted));
    if (place == NULL || sorted == NULL) {
        free(place);
        free(sorted);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < rules->n; i++) {
        place_of(&rules->at[i], &place[i]);
        place[i].index = i;
    }
    qsort(place, rules->n, sizeof(*place), by_place);
    for (size_t i = 0; i < rules->n; i++)
        sorted[i] = rules->at[place[i].index];
    free(rules->at);
    rules->at = sorted;
    free(place);
    return WEIR_E_OK;
}
