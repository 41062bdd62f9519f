#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule/regex.h"

#include <pcre2.h>

#include <stdlib.h>

enum {
    JIT_STACK_LEAST = 32 << 10,
    JIT_STACK_MOST = 512 << 10,
    ROOM = 1 << 20,     /* for what PCRE2 takes while it matches without JIT */
    HEAP_MOST = 384,    /* KiB of it; it doubles, and the halves before stay taken */
    STEPS_LIMIT = 3500, /* Suricata's match limit: from each place */
    PATIENT_LIMIT = 100000,
    ALIGNMENT = 16,
};

struct regex {
    pcre2_code *code;
    bool patient;
};

struct regex_scratch {
    pcre2_general_context *memory;
    pcre2_match_data *match;
    pcre2_match_context *limit[2]; /* by patient */
    pcre2_jit_stack *stack;
    size_t used; /* of room */
    uint8_t *room;
};

int
regex_new(struct text pattern, unsigned flags, struct regex **out, struct weir_errbuf *err)
{
    static const uint32_t options[] = {
        PCRE2_CASELESS, PCRE2_DOTALL,         PCRE2_MULTILINE, PCRE2_EXTENDED,
        PCRE2_ANCHORED, PCRE2_DOLLAR_ENDONLY, PCRE2_UNGREEDY,
    };
    struct regex *regex = calloc(1, sizeof(*regex));
    uint32_t wanted = PCRE2_NEVER_UTF;
    PCRE2_UCHAR why[120];
    PCRE2_SIZE at;
    int number;

    *out = NULL;
    if (regex == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    for (unsigned i = 0; i < sizeof(options) / sizeof(*options); i++)
        wanted |= flags >> i & 1 ? options[i] : 0;
    regex->patient = flags & REGEX_PATIENT;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, wanted, &number, &at, NULL);
    if (regex->code == NULL) {
        free(regex);
        pcre2_get_error_message(number, why, sizeof(why));
        return weir_err_set(err, WEIR_E_SYNTAX, "%s at character %zu", (const char *)why, at);
    }
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE); /* without it matching is slower */
    *out = regex;
    return WEIR_E_OK;
}

void
regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

/* ---- scratch ------------------------------------------------------------------------------- */

static void *
take_room(size_t n, void *ctx)
{
    struct regex_scratch *scratch = ctx;
    uint8_t *p = scratch->room + scratch->used;

    if (n > ROOM - ALIGNMENT - scratch->used)
        return NULL;
    scratch->used += (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return p;
}

/* PCRE2 keeps what it takes for the next match, and asks for more only when that is too little. */
static void
leave_room(void *p, void *ctx)
{
    (void)p, (void)ctx;
}

static pcre2_match_context *
limits_new(pcre2_jit_stack *stack, uint32_t steps)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);

    if (limits == NULL)
        return NULL;
    pcre2_set_match_limit(limits, steps);
    pcre2_set_heap_limit(limits, HEAP_MOST);
    pcre2_jit_stack_assign(limits, NULL, stack);
    return limits;
}

int
regex_scratch_new(struct regex_scratch **out)
{
    struct regex_scratch *scratch = calloc(1, sizeof(*scratch));

    *out = scratch;
    if (scratch == NULL)
        return WEIR_E_NOMEM;
    scratch->room = malloc(ROOM);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_LEAST, JIT_STACK_MOST, NULL);
    scratch->limit[0] = limits_new(scratch->stack, STEPS_LIMIT);
    scratch->limit[1] = limits_new(scratch->stack, PATIENT_LIMIT);
    if (scratch->room != NULL)
        scratch->memory = pcre2_general_context_create(take_room, leave_room, scratch);
    if (scratch->memory != NULL)
        scratch->match = pcre2_match_data_create(1 + REGEX_GROUPS_MAX, scratch->memory);
    if (scratch->stack != NULL && scratch->limit[0] != NULL && scratch->limit[1] != NULL &&
        scratch->match != NULL)
        return WEIR_E_OK;
    regex_scratch_free(scratch);
    *out = NULL;
    return WEIR_E_NOMEM;
}

/* The match data and the general context are in the room. */
void
regex_scratch_free(struct regex_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_match_context_free(scratch->limit[0]);
    pcre2_match_context_free(scratch->limit[1]);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch->room);
    free(scratch);
}

/* ---- matching ------------------------------------------------------------------------------ */

enum regex_answer
regex_find(const struct regex *regex, struct regex_scratch *scratch,
           const struct regex_bytes *bytes, size_t from, size_t at[2])
{
    int rc = pcre2_match(regex->code, bytes->p, bytes->n, from, bytes->begins ? 0 : PCRE2_NOTBOL,
                         scratch->match, scratch->limit[regex->patient]);
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(scratch->match);

    if (rc == PCRE2_ERROR_NOMATCH)
        return REGEX_NO;
    if (rc < 0)
        return REGEX_LIMIT;
    at[1] = place[1] > from ? place[1] : from; /* \K in an assertion may put them anywhere, */
    at[0] = place[0] > from ? place[0] : from; /* but the search goes on */
    at[0] = at[0] < at[1] ? at[0] : at[1];
    return REGEX_YES;
}

unsigned
regex_groups(const struct regex *regex)
{
    uint32_t n = 0;

    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

/* An entry of the table of names is the group's number, two bytes, and the name with its zero. */
const char *
regex_named(const struct regex *regex, unsigned i, unsigned *group)
{
    uint32_t n = 0, size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &n);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    if (i >= n)
        return NULL;
    table += (size_t)i * size;
    *group = (unsigned)(table[0] << 8 | table[1]);
    return (const char *)table + 2;
}

bool
regex_captured(const struct regex_scratch *scratch, unsigned group, size_t at[2])
{
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(scratch->match) + 2 * (size_t)group;

    if (group > REGEX_GROUPS_MAX || place[0] == PCRE2_UNSET || place[0] > place[1])
        return false;
    at[0] = place[0];
    at[1] = place[1];
    return true;
}

enum regex_answer
regex_group(const struct regex *regex, struct regex_scratch *scratch,
            const struct regex_bytes *bytes, size_t at[2])
{
    int rc = pcre2_match(regex->code, bytes->p, bytes->n, 0, bytes->begins ? 0 : PCRE2_NOTBOL,
                         scratch->match, scratch->limit[regex->patient]);
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(scratch->match);

    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        return REGEX_LIMIT;
    if (rc < 0 || rc == 1 || place[2] == PCRE2_UNSET || place[2] > place[3])
        return REGEX_NO;
    at[0] = place[2];
    at[1] = place[3];
    return REGEX_YES;
}
