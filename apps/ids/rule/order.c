#include "rule/order.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* What a rule does with a kind of state, in the order of being looked at. */
enum role { ROLE_SETS, ROLE_SETS_AND_TESTS, ROLE_TESTS, ROLE_NONE };

enum { KINDS = 4 }; /* flowbits, flowint, bits of addresses, of pairs of them */

enum { DEPTH_MAX = 16 }; /* rules that may build on each other; also what a circle comes to */

struct place {
    uint8_t action;      /* rank */
    uint8_t role[KINDS]; /* enum role */
    uint8_t depth;       /* of ROLE_SETS_AND_TESTS by flowbits: how many such it builds on */
    size_t index;
};

uint8_t
rule_action_rank(uint8_t action)
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
    place->action = rule_action_rank(rule->action);
    for (int i = 0; i < KINDS; i++)
        place->role[i] = role_of(sets[i], tests[i]);
}

/* ---- flowbits that build on each other ----------------------------------------------------- */

/*
 * A flowbit that rules set and test, and how deep those that set it lie. A leaf of a tsearch tree.
 */
struct bit {
    const char *name;
    uint8_t depth; /* 0: none sets it */
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct bit *)a)->name, ((const struct bit *)b)->name);
}

static struct bit *
bit_of(void **tree, const char *name)
{
    struct bit *bit = calloc(1, sizeof(*bit)), **found;

    if (bit == NULL)
        return NULL;
    bit->name = name;
    found = tsearch(bit, tree, by_name);
    if (found == NULL || *found != bit)
        free(bit);
    return found != NULL ? *found : NULL;
}

static bool
sets_itself(const struct rule_state *state, const char *name)
{
    for (unsigned i = 0; i < state->n_bits; i++)
        for (unsigned k = 0; state->bits[i].op < BITS_ISSET && k < state->bits[i].n; k++)
            if (state->bits[i].of == BITS_OF_FLOW && strcmp(state->bits[i].name[k], name) == 0)
                return true;
    return false;
}

/* Put one use into a depth (tests), or a depth into the use's bits. Returns false for no memory. */
static bool
visit(void **tree, const struct rule_state *state, const struct bits *bits, uint8_t *depth)
{
    bool tests = bits->op >= BITS_ISSET;

    for (unsigned i = 0; bits->of == BITS_OF_FLOW && i < bits->n; i++) {
        struct bit *bit = bit_of(tree, bits->name[i]);

        if (bit == NULL)
            return false;
        if (!tests && bit->depth < *depth)
            bit->depth = *depth;
        else if (tests && bit->depth >= *depth && bit->depth < DEPTH_MAX &&
                 !sets_itself(state, bit->name))
            *depth = (uint8_t)(bit->depth + 1);
    }
    return true;
}

/* What it tests, then what it sets. Returns false for no memory. */
static bool
deepen(void **tree, const struct rule_state *state, struct place *place, bool *changed)
{
    uint8_t depth = place->depth != 0 ? place->depth : 1;

    for (unsigned i = 0; i < state->n_bits; i++)
        if (state->bits[i].op >= BITS_ISSET && !visit(tree, state, &state->bits[i], &depth))
            return false;
    for (unsigned i = 0; i < state->n_bits; i++)
        if (state->bits[i].op < BITS_ISSET && !visit(tree, state, &state->bits[i], &depth))
            return false;
    *changed |= depth != place->depth;
    place->depth = depth;
    return true;
}

/* Those that set and test come behind those of them that set what they test. */
static bool
find_depths(const struct rules *rules, struct place *place)
{
    void *tree = NULL;
    bool changed = true, good = true;

    for (int round = 0; good && changed && round < DEPTH_MAX; round++) {
        changed = false;
        for (size_t i = 0; good && i < rules->n; i++)
            if (place[i].role[0] == ROLE_SETS_AND_TESTS)
                good = deepen(&tree, rules->at[i].state, &place[i], &changed);
    }
    tdestroy(tree, free);
    return good;
}

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->action != y->action)
        return x->action < y->action ? -1 : 1;
    if (x->role[0] == y->role[0] && x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
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
    if (!find_depths(rules, place)) {
        free(place);
        free(sorted);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    qsort(place, rules->n, sizeof(*place), by_place);
    for (size_t i = 0; i < rules->n; i++)
        sorted[i] = rules->at[place[i].index];
    free(rules->at);
    rules->at = sorted;
    free(place);
    return WEIR_E_OK;
}
