#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"

#include "literal.h"

#include <hs.h>
#include <pcre2.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JIT_STACK_LEAST = 32 << 10,
    JIT_STACK_MOST = 1 << 20,
    LITERAL_LEAST = 2, /* bytes of a literal that is looked for in an expression's place */
    ESCAPED_MAX = 4 * LITERAL_MAX + 1,
};

/* A database of each: one expression among a hundred literals takes 60 ms to compile, apart 2. */
enum { LITERALS, EXPRESSIONS, DATABASES };

struct regex_list {
    char **pattern;
    pcre2_code **code;
    unsigned n, n_always;
    uint64_t *maybe;  /* a bit for each: it may match */
    uint64_t *always; /* likewise: Hyperscan does not know it */
    size_t words;
    hs_database_t *db[DATABASES];
    hs_scratch_t *scratch;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

int
regex_list_new(struct regex_list **out)
{
    struct regex_list *list = calloc(1, sizeof(*list));

    *out = list;
    if (list == NULL)
        return WEIR_E_NOMEM;
    list->match = pcre2_match_data_create(REGEX_GROUPS, NULL);
    list->context = pcre2_match_context_create(NULL);
    list->stack = pcre2_jit_stack_create(JIT_STACK_LEAST, JIT_STACK_MOST, NULL);
    if (list->match != NULL && list->context != NULL && list->stack != NULL) {
        pcre2_jit_stack_assign(list->context, NULL, list->stack);
        return WEIR_E_OK;
    }
    regex_list_free(list);
    *out = NULL;
    return WEIR_E_NOMEM;
}

void
regex_list_free(struct regex_list *list)
{
    if (list == NULL)
        return;
    for (unsigned i = 0; i < list->n; i++) {
        free(list->pattern[i]);
        pcre2_code_free(list->code[i]);
    }
    free(list->pattern);
    free(list->code);
    free(list->maybe);
    free(list->always);
    hs_free_scratch(list->scratch);
    for (unsigned i = 0; i < DATABASES; i++)
        hs_free_database(list->db[i]);
    pcre2_jit_stack_free(list->stack);
    pcre2_match_context_free(list->context);
    pcre2_match_data_free(list->match);
    free(list);
}

static int
make_room(struct regex_list *list, struct weir_errbuf *err)
{
    size_t n = list->n + 1;
    char **patterns = realloc(list->pattern, n * sizeof(*patterns));
    pcre2_code **codes;

    if (patterns != NULL)
        list->pattern = patterns;
    codes = patterns != NULL ? realloc(list->code, n * sizeof(*codes)) : NULL;
    if (codes == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    list->code = codes;
    return WEIR_E_OK;
}

int
regex_list_add(struct regex_list *list, const char *pattern, struct weir_errbuf *err)
{
    PCRE2_SIZE at;
    PCRE2_UCHAR why[120];
    pcre2_code *code;
    char *copy;
    int number;

    if (make_room(list, err) != WEIR_E_OK)
        return WEIR_E_NOMEM;
    code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &number, &at, NULL);
    if (code == NULL) {
        pcre2_get_error_message(number, why, sizeof(why));
        return weir_err_set(err, WEIR_E_SYNTAX, "%s at character %zu", (const char *)why, at);
    }
    copy = strdup(pattern);
    if (copy == NULL) {
        pcre2_code_free(code);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without it matching is slower, not other */
    list->code[list->n] = code;
    list->pattern[list->n++] = copy;
    return WEIR_E_OK;
}

/* ---- the scan ahead ------------------------------------------------------------------------ */

static void
set_bit(uint64_t *bits, unsigned i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* What Hyperscan is given for a database. */
struct expressions {
    const char **pattern;
    unsigned *flags, *ids, n;
};

/* Hyperscan takes it with these flags; 0: it does not. */
static unsigned
flags_for(const char *pattern)
{
    static const unsigned choice[] = { 0, HS_FLAG_PREFILTER };

    for (unsigned i = 0; i < 2; i++) {
        const unsigned flags = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY | choice[i];
        hs_expr_info_t *info = NULL;
        hs_compile_error_t *why = NULL;

        if (hs_expression_info(pattern, flags, &info, &why) == HS_SUCCESS) {
            free(info);
            return flags;
        }
        hs_free_compile_error(why);
    }
    return 0;
}

static bool
as_literal(const char *pattern, char escaped[ESCAPED_MAX])
{
    uint8_t literal[LITERAL_MAX];
    size_t n = literal_of(pattern, literal);

    for (size_t i = 0; i < n; i++)
        sprintf(escaped + 4 * i, "\\x%02x", literal[i]);
    return n >= LITERAL_LEAST;
}

/*
 * In the place of an expression stand bytes that are in all its matches, if there are such: whole
 * expressions take Hyperscan a hundred times as long to compile.
 */
static void
choose(struct regex_list *list, char (*escaped)[ESCAPED_MAX], struct expressions all[DATABASES])
{
    for (unsigned i = 0; i < list->n; i++) {
        bool literal = as_literal(list->pattern[i], escaped[i]);
        unsigned flags = literal ? HS_FLAG_SINGLEMATCH : flags_for(list->pattern[i]);
        struct expressions *to = &all[literal ? LITERALS : EXPRESSIONS];

        if (flags == 0) {
            set_bit(list->always, i);
            list->n_always++;
            continue;
        }
        to->pattern[to->n] = literal ? escaped[i] : list->pattern[i];
        to->flags[to->n] = flags;
        to->ids[to->n++] = i;
    }
}

static bool
compile(struct regex_list *list, const struct expressions *all, hs_database_t **db)
{
    hs_compile_error_t *why = NULL;

    if (all->n == 0)
        return true;
    if (hs_compile_multi(all->pattern, all->flags, all->ids, all->n, HS_MODE_BLOCK, NULL, db,
                         &why) != HS_SUCCESS) {
        hs_free_compile_error(why);
        *db = NULL;
        return false;
    }
    return hs_alloc_scratch(*db, &list->scratch) == HS_SUCCESS;
}

/* Together they are too much, though each alone is not: all are asked always. */
static void
give_up(struct regex_list *list)
{
    for (unsigned i = 0; i < DATABASES; i++) {
        hs_free_database(list->db[i]);
        list->db[i] = NULL;
    }
    for (unsigned i = 0; i < list->n; i++)
        set_bit(list->always, i);
    list->n_always = list->n;
}

static bool
expressions_make(struct expressions *all, size_t n)
{
    all->pattern = calloc(n, sizeof(*all->pattern));
    all->flags = calloc(n, sizeof(*all->flags));
    all->ids = calloc(n, sizeof(*all->ids));
    return all->pattern != NULL && all->flags != NULL && all->ids != NULL;
}

static void
expressions_free(struct expressions *all)
{
    free(all->pattern);
    free(all->flags);
    free(all->ids);
}

int
regex_list_ready(struct regex_list *list, struct weir_errbuf *err)
{
    struct expressions all[DATABASES] = { { .n = 0 }, { .n = 0 } };
    size_t n = list->n + 1;
    char(*escaped)[ESCAPED_MAX] = calloc(n, sizeof(*escaped));
    bool ready;

    list->words = (n + 63) / 64;
    list->maybe = calloc(list->words, sizeof(uint64_t));
    list->always = calloc(list->words, sizeof(uint64_t));
    ready = expressions_make(&all[LITERALS], n) && expressions_make(&all[EXPRESSIONS], n) &&
            list->maybe != NULL && list->always != NULL && escaped != NULL;
    if (ready) {
        choose(list, escaped, all);
        for (unsigned i = 0; i < DATABASES; i++)
            if (!compile(list, &all[i], &list->db[i])) {
                give_up(list);
                break;
            }
    }
    for (unsigned i = 0; i < DATABASES; i++)
        expressions_free(&all[i]);
    free(escaped);
    return ready ? WEIR_E_OK : weir_err_set(err, WEIR_E_NOMEM, "out of memory");
}

/* ---- matching ------------------------------------------------------------------------------ */

static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
    (void)from, (void)to, (void)flags;
    set_bit(ctx, id);
    return 0;
}

static bool
ask(struct regex_list *list, unsigned i, const uint8_t *data, size_t n, struct regex_groups *groups)
{
    int rc = pcre2_match(list->code[i], data, n, 0, 0, list->match, list->context);

    if (rc < 0)
        return false;
    groups->at = pcre2_get_ovector_pointer(list->match);
    groups->n = rc == 0 ? REGEX_GROUPS : (unsigned)rc;
    return true;
}

int
regex_list_match(struct regex_list *list, const uint8_t *data, size_t n,
                 struct regex_groups *groups)
{
    memcpy(list->maybe, list->always, list->words * sizeof(uint64_t));
    for (unsigned i = 0; i < DATABASES; i++)
        if (list->db[i] != NULL && hs_scan(list->db[i], (const char *)data, (unsigned)n, 0,
                                           list->scratch, on_match, list->maybe) != HS_SUCCESS)
            return regex_list_match_slow(list, data, n, groups);
    for (size_t w = 0; w < list->words; w++)
        for (uint64_t bits = list->maybe[w]; bits != 0; bits &= bits - 1) {
            unsigned i = (unsigned)(w * 64) + (unsigned)__builtin_ctzll(bits);

            if (ask(list, i, data, n, groups))
                return (int)i;
        }
    return -1;
}

int
regex_list_match_slow(struct regex_list *list, const uint8_t *data, size_t n,
                      struct regex_groups *groups)
{
    for (unsigned i = 0; i < list->n; i++)
        if (ask(list, i, data, n, groups))
            return (int)i;
    return -1;
}

unsigned
regex_list_unfiltered(const struct regex_list *list)
{
    return list->n_always;
}
