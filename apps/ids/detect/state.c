#include "detect/state.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { PAIR_NAME = 1U << 31, NO_NAME = UINT32_MAX };

/* A rule's flowbits, xbits or hostbits, in numbers. */
struct use {
    uint8_t op, of; /* as in struct bits */
    bool each;
    uint32_t expire;
    uint32_t n, n_others;
    uint32_t *name;  /* owned */
    uint32_t *other; /* owned: the group's names, to unset; NULL and BITS_RESET: all */
};

struct int_use {
    uint8_t op, compare;
    uint32_t value, name, other; /* NO_NAME: value */
};

struct plan {
    struct use *use;      /* owned */
    struct int_use *ints; /* owned */
    uint16_t n, n_ints;
    uint16_t n_first; /* ints that are tests, before the first change */
    bool tests;
};

enum name_kind { NAME_BIT, NAME_INT, NAME_KEYED, NAME_KINDS };

struct state {
    struct plan **by_rule; /* owned, and NULL for most */
    size_t n;
    const char **text[NAME_KEYED]; /* owned, by kind and number; the texts are the book's */
    uint32_t n_texts[NAME_KEYED];
    struct keyed *keyed; /* NULL: no rule has bits of addresses */
    struct state_stats stats;
};

/* ---- names --------------------------------------------------------------------------------- */

struct name {
    char *text; /* owned */
    uint8_t kind;
    uint32_t number;
};

struct group {
    struct group *next;
    const char *text;
    uint32_t n, *name;
};

struct name_book {
    void *tree;
    uint32_t n[NAME_KINDS];
    const char **text[NAME_KINDS]; /* by number; of the tree's */
};

/* While a plan is made. */
struct names {
    struct name_book *book;
    struct group *groups;
    bool keyed;  /* a name is that of an address */
    bool failed; /* no memory */
};

static int
by_text(const void *a, const void *b)
{
    const struct name *x = a, *y = b;

    return x->kind != y->kind ? x->kind - y->kind : strcmp(x->text, y->text);
}

struct name_book *
name_book_new(void)
{
    return calloc(1, sizeof(struct name_book));
}

static void
name_free(void *p)
{
    struct name *name = p;

    free(name->text);
    free(name);
}

void
name_book_free(struct name_book *book)
{
    if (book == NULL)
        return;
    tdestroy(book->tree, name_free);
    for (int kind = 0; kind < NAME_KINDS; kind++)
        free(book->text[kind]);
    free(book);
}

/* Room for one more text of the kind, doubled at powers of two. */
static bool
grow_texts(struct name_book *book, enum name_kind kind)
{
    uint32_t n = book->n[kind];
    const char **more;

    if ((n & (n - 1)) != 0)
        return true;
    more = realloc(book->text[kind], (n == 0 ? 1 : 2 * (size_t)n) * sizeof(*more));
    if (more == NULL)
        return false;
    book->text[kind] = more;
    return true;
}

/* A name that is new in the book. */
static uint32_t
enter(struct names *names, enum name_kind kind, const char *text)
{
    struct name_book *book = names->book;
    struct name *name = malloc(sizeof(*name));
    uint32_t first = kind == NAME_INT ? MEMORY_NUMBERS : 0;

    if (name != NULL) {
        *name = (struct name){ strdup(text), (uint8_t)kind, first + book->n[kind] };
        if (name->text != NULL && grow_texts(book, kind) &&
            tsearch(name, &book->tree, by_text) != NULL) {
            book->text[kind][book->n[kind]++] = name->text;
            return name->number;
        }
        name_free(name);
    }
    names->failed = true;
    return 0;
}

static uint32_t
number_of(struct names *names, enum name_kind kind, const char *text)
{
    const struct name key = { (char *)(uintptr_t)text, (uint8_t)kind, 0 };
    struct name **found = tfind(&key, &names->book->tree, by_text);

    names->keyed |= kind == NAME_KEYED;
    return found != NULL ? (*found)->number : enter(names, kind, text);
}

static struct group *
group_of(struct names *names, const char *text)
{
    struct group *g = names->groups;

    while (g != NULL && strcmp(g->text, text) != 0)
        g = g->next;
    if (g != NULL || (g = calloc(1, sizeof(*g))) == NULL)
        return g;
    g->text = text;
    g->next = names->groups;
    names->groups = g;
    return g;
}

static void
join_group(struct names *names, struct group *g, uint32_t name)
{
    uint32_t *more;

    for (uint32_t i = 0; i < g->n; i++)
        if (g->name[i] == name)
            return;
    more = realloc(g->name, (g->n + 1) * sizeof(*more));
    if (more == NULL) {
        names->failed = true;
        return;
    }
    g->name = more;
    more[g->n++] = name;
}

/* Names belong to the group that any rule names beside them. */
static void
note_group(struct names *names, const struct bits *bits)
{
    struct group *g = bits->group != NULL ? group_of(names, bits->group) : NULL;

    names->failed |= bits->group != NULL && g == NULL;
    for (unsigned i = 0; g != NULL && i < bits->n; i++)
        join_group(names, g, number_of(names, NAME_BIT, bits->name[i]));
}

static void
names_free(struct names *names)
{
    while (names->groups != NULL) {
        struct group *g = names->groups;

        names->groups = g->next;
        free(g->name);
        free(g);
    }
}

/* ---- plans --------------------------------------------------------------------------------- */

static uint32_t *
copy_numbers(struct names *names, const struct group *g, uint32_t *n)
{
    uint32_t *copy = g != NULL ? calloc(g->n + 1, sizeof(*copy)) : NULL;

    names->failed |= copy == NULL;
    if (copy == NULL)
        return NULL;
    if (g->n > 0)
        memcpy(copy, g->name, g->n * sizeof(*copy));
    *n = g->n;
    return copy;
}

static uint32_t *
number_all(struct names *names, const struct bits *bits)
{
    uint32_t *number = calloc(bits->n + 1U, sizeof(*number));
    enum name_kind kind = bits->of == BITS_OF_FLOW ? NAME_BIT : NAME_KEYED;

    names->failed |= number == NULL;
    for (unsigned i = 0; number != NULL && i < bits->n; i++)
        number[i] = number_of(names, kind, bits->name[i]) |
                    (bits->of == BITS_OF_PAIR ? (uint32_t)PAIR_NAME : 0);
    return number;
}

static void
plan_bits(struct names *names, const struct bits *bits, struct use *use)
{
    struct group *g = bits->group != NULL ? group_of(names, bits->group) : NULL;

    *use = (struct use){
        .op = bits->op, .of = bits->of, .each = bits->each, .expire = bits->expire, .n = bits->n
    };
    use->name = bits->whole ? copy_numbers(names, g, &use->n) : number_all(names, bits);
    if ((bits->op == BITS_SETX || bits->op == BITS_RESET) && bits->group != NULL)
        use->other = copy_numbers(names, g, &use->n_others);
}

static void
plan_int(struct names *names, const struct flowint *f, struct int_use *use)
{
    *use = (struct int_use){ f->op, f->compare, f->value, number_of(names, NAME_INT, f->name),
                             NO_NAME };
    if (f->other != NULL)
        use->other = number_of(names, NAME_INT, f->other);
}

static bool
is_change(uint8_t op)
{
    return op < FLOWINT_COMPARE;
}

static struct plan *
plan_new(struct names *names, const struct rule_state *state)
{
    struct plan *plan = calloc(1, sizeof(*plan));

    if (plan != NULL) {
        plan->use = calloc(state->n_bits + 1U, sizeof(*plan->use));
        plan->ints = calloc(state->n_ints + 1U, sizeof(*plan->ints));
    }
    if (plan == NULL || plan->use == NULL || plan->ints == NULL) {
        names->failed = true;
        return plan;
    }
    for (; plan->n < state->n_bits; plan->n++) {
        plan_bits(names, &state->bits[plan->n], &plan->use[plan->n]);
        plan->tests |= state->bits[plan->n].op >= BITS_ISSET;
    }
    for (; plan->n_ints < state->n_ints; plan->n_ints++) {
        plan_int(names, &state->ints[plan->n_ints], &plan->ints[plan->n_ints]);
        plan->tests |= !is_change(state->ints[plan->n_ints].op);
    }
    while (plan->n_first < plan->n_ints && !is_change(plan->ints[plan->n_first].op))
        plan->n_first++;
    return plan;
}

static void
plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (unsigned i = 0; i < plan->n; i++) {
        free(plan->use[i].name);
        free(plan->use[i].other);
    }
    free(plan->use);
    free(plan->ints);
    free(plan);
}

/* ---- life ---------------------------------------------------------------------------------- */

static bool
has_state(const struct rule *rule)
{
    return rule->state != NULL && (rule->state->n_bits > 0 || rule->state->n_ints > 0);
}

static bool
any_has_state(const struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        if (has_state(&rules->at[i]))
            return true;
    return false;
}

static void
plan_all(struct state *s, const struct rules *rules, struct names *names)
{
    for (size_t i = 0; i < rules->n; i++)
        for (unsigned k = 0; has_state(&rules->at[i]) && k < rules->at[i].state->n_bits; k++)
            note_group(names, &rules->at[i].state->bits[k]);
    for (size_t i = 0; i < rules->n; i++)
        if (has_state(&rules->at[i]))
            s->by_rule[i] = plan_new(names, rules->at[i].state);
}

/* The book may grow on another thread, when other rules are loaded. */
static bool
copy_texts(struct state *s, const struct name_book *book)
{
    for (int kind = 0; kind < NAME_KEYED; kind++) {
        size_t size = book->n[kind] * sizeof(*book->text[kind]);

        if (size == 0)
            continue;
        s->text[kind] = malloc(size);
        if (s->text[kind] == NULL)
            return false;
        memcpy(s->text[kind], book->text[kind], size);
        s->n_texts[kind] = book->n[kind];
    }
    return true;
}

int
state_new(const struct rules *rules, struct name_book *book, const struct keyed_opts *opts,
          struct state **out, struct weir_errbuf *err)
{
    struct state *s;
    struct names names = { .book = book };
    bool failed;

    *out = NULL;
    if (!any_has_state(rules))
        return WEIR_E_OK;
    s = calloc(1, sizeof(*s));
    failed = s == NULL || (s->by_rule = calloc(rules->n, sizeof(struct plan *))) == NULL;
    if (!failed) {
        s->n = rules->n;
        plan_all(s, rules, &names);
        if (names.keyed)
            s->keyed = keyed_new(STATE_KEYS_MAX, opts);
        failed = names.failed || (names.keyed && s->keyed == NULL) || !copy_texts(s, book);
    }
    names_free(&names);
    if (failed) {
        state_free(s);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    *out = s;
    return WEIR_E_OK;
}

void
state_free(struct state *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        plan_free(s->by_rule[i]);
    keyed_free(s->keyed);
    for (int kind = 0; kind < NAME_KEYED; kind++)
        free(s->text[kind]);
    free(s->by_rule);
    free(s);
}

void
state_share(struct state *s, const struct state *with)
{
    if (s == NULL || with == NULL || s->keyed == NULL || with->keyed == NULL)
        return;
    keyed_free(s->keyed);
    s->keyed = keyed_share(with->keyed);
}

void
state_inherit(struct state *s, const struct state *before)
{
    if (s == NULL || before == NULL)
        return;
    s->stats = before->stats;
    state_share(s, before);
}

bool
state_is_used(const struct state *s, uint32_t rule)
{
    return s != NULL && s->by_rule[rule] != NULL;
}

bool
state_is_tested(const struct state *s, uint32_t rule)
{
    return state_is_used(s, rule) && s->by_rule[rule]->tests;
}

void
state_tell(const struct state *s, const struct memory *memory, known_fn tell, void *ctx)
{
    uint32_t number, value;

    for (uint32_t i = 0; s != NULL && memory_at(memory, i, &number, &value); i++) {
        bool is_bit = number < MEMORY_NUMBERS;
        enum name_kind kind = is_bit ? NAME_BIT : NAME_INT;

        number -= is_bit ? 0 : MEMORY_NUMBERS;
        if (number < s->n_texts[kind])
            tell(ctx, s->text[kind][number], is_bit, value);
    }
}

uint64_t
state_changes(const struct state *s)
{
    return s != NULL ? s->stats.changes : 0;
}

void
state_get_stats(const struct state *s, struct state_stats *out)
{
    *out = s != NULL ? s->stats : (struct state_stats){ 0, 0, 0 };
    if (s != NULL && s->keyed != NULL)
        out->lost = keyed_lost(s->keyed);
}

/* ---- bits ---------------------------------------------------------------------------------- */

/* Whether there is somebody whose bits they could be. */
static bool
has_owner(const struct use *use, const struct subject *subject)
{
    if (use->of == BITS_OF_TX)
        return subject->flow_id != 0 && subject->tx != 0;
    return use->of == BITS_OF_FLOW ? subject->memory != NULL : subject->has_addresses;
}

static struct keyed_key
key_of(const struct use *use, uint32_t name, const struct subject *subject)
{
    bool turned = subject->src > subject->dst; /* a pair has no direction */

    if (use->of == BITS_OF_TX)
        return (struct keyed_key){ subject->flow_id, subject->tx, name, 1 };
    if (use->of == BITS_OF_PAIR)
        return (struct keyed_key){ turned ? subject->dst : subject->src,
                                   turned ? subject->src : subject->dst, name, 0 };
    return (struct keyed_key){ use->of == BITS_OF_DST ? subject->dst : subject->src, 0, name, 0 };
}

static bool
bit_is_set(struct state *s, const struct use *use, uint32_t name, const struct subject *subject)
{
    struct keyed_key key;

    if (use->of == BITS_OF_FLOW)
        return memory_find(*subject->memory, name) != NULL;
    key = key_of(use, name, subject);
    return keyed_find(s->keyed, &key, keyed_turn(s->keyed, subject->time)) != NULL;
}

static bool
bits_hold(struct state *s, const struct use *use, const struct subject *subject)
{
    bool wanted = use->op == BITS_ISSET;

    if (!has_owner(use, subject))
        return false;
    for (uint32_t i = 0; i < use->n; i++) {
        bool good = bit_is_set(s, use, use->name[i], subject) == wanted;

        if (good != use->each)
            return good;
    }
    return use->each && use->n > 0;
}

static void
set_name(struct state *s, uint32_t name, uint32_t value, const struct subject *subject)
{
    s->stats.changes++;
    if (!memory_set(subject->memory, subject->mem, name, value))
        s->stats.no_memory++;
}

static void
set_bit(struct state *s, const struct use *use, uint32_t name, const struct subject *subject)
{
    struct keyed_key key;
    uint64_t now;

    if (use->of == BITS_OF_FLOW) {
        set_name(s, name, 1, subject);
        return;
    }
    now = keyed_turn(s->keyed, subject->time);
    key = key_of(use, name, subject);
    keyed_take(s->keyed, &key, now)->until = seconds_after(now, use->expire);
    s->stats.changes++;
}

static void
unset_bit(struct state *s, const struct use *use, uint32_t name, const struct subject *subject)
{
    struct keyed_key key;

    s->stats.changes++;
    if (use->of == BITS_OF_FLOW) {
        memory_unset(*subject->memory, name);
        return;
    }
    (void)keyed_turn(s->keyed, subject->time);
    key = key_of(use, name, subject);
    keyed_drop(s->keyed, &key);
}

static void
unset_others(struct state *s, const struct use *use, const struct subject *subject)
{
    if (use->op == BITS_RESET && use->other == NULL)
        memory_unset_bits(*subject->memory);
    for (uint32_t i = 0; i < use->n_others; i++)
        unset_bit(s, use, use->other[i], subject);
}

static void
change_bits(struct state *s, const struct use *use, const struct subject *subject)
{
    if (use->op >= BITS_ISSET || !has_owner(use, subject))
        return;
    unset_others(s, use, subject);
    for (uint32_t i = 0; i < use->n; i++) {
        bool is_set = use->op == BITS_TOGGLE && bit_is_set(s, use, use->name[i], subject);

        if (use->op == BITS_UNSET || is_set)
            unset_bit(s, use, use->name[i], subject);
        else
            set_bit(s, use, use->name[i], subject);
    }
}

/* ---- numbers ------------------------------------------------------------------------------- */

/*
 * What a number is compared with or changed by; false: the variable that stands for it is not set.
 */
static bool
value_of(const struct int_use *use, const struct subject *subject, uint32_t *value)
{
    const uint32_t *other = &use->value;

    if (use->other != NO_NAME)
        other = memory_find(*subject->memory, use->other);
    if (other != NULL)
        *value = *other;
    return other != NULL;
}

static bool
test_number(const struct int_use *use, const uint32_t *number, uint32_t value)
{
    struct compare compare = { .op = use->compare, .value = value };

    return number != NULL && compare_holds(&compare, *number);
}

/* Test a number or change it, modulo 2^32. False: the rule does not match. */
static bool
run_number(struct state *s, const struct int_use *use, const struct subject *subject)
{
    const uint32_t *number = memory_find(*subject->memory, use->name);
    uint32_t value = 0;

    if (use->op == FLOWINT_ISSET || use->op == FLOWINT_ISNOTSET)
        return (number != NULL) == (use->op == FLOWINT_ISSET);
    if (!value_of(use, subject, &value))
        return false;
    if (use->op == FLOWINT_COMPARE)
        return test_number(use, number, value);
    if (use->op == FLOWINT_SUBTRACT && number == NULL)
        return false;
    if (use->op == FLOWINT_SUBTRACT)
        value = *number - value;
    else if (use->op == FLOWINT_ADD && number != NULL)
        value += *number;
    set_name(s, use->name, value, subject);
    return true;
}

static bool
run_numbers(struct state *s, const struct plan *plan, unsigned n, const struct subject *subject)
{
    if (n > 0 && subject->memory == NULL)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!run_number(s, &plan->ints[i], subject))
            return false;
    return true;
}

/* ---- rules --------------------------------------------------------------------------------- */

bool
state_holds(struct state *s, uint32_t rule, const struct subject *subject)
{
    const struct plan *plan = s->by_rule[rule];

    for (unsigned i = 0; i < plan->n; i++)
        if (plan->use[i].op >= BITS_ISSET && !bits_hold(s, &plan->use[i], subject))
            return false;
    return run_numbers(s, plan, plan->n_first, subject);
}

bool
state_apply(struct state *s, uint32_t rule, const struct subject *subject)
{
    const struct plan *plan = s->by_rule[rule];

    if (!run_numbers(s, plan, plan->n_ints, subject))
        return false;
    for (unsigned i = 0; i < plan->n; i++)
        change_bits(s, &plan->use[i], subject);
    return true;
}
