/*
 * Regular expressions of rules. The one place that knows PCRE2; without it (regex_none.c) there are
 * no expressions.
 *
 * Threads: an expression is constant and may be shared; a scratch belongs to one core.
 * Memory:  regex_find() takes none but the scratch's.
 */
#ifndef IDS_REGEX_H
#define IDS_REGEX_H

#include "rule/lexer.h"

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum regex_flag {
    REGEX_NOCASE = 1,
    REGEX_DOT_ALL = 2,
    REGEX_LINES = 4,     /* ^ and $ at each line */
    REGEX_SPACED = 8,    /* spaces and comments in the expression mean nothing */
    REGEX_ANCHORED = 16, /* at the beginning only */
    REGEX_END_ONLY = 32, /* $ not before a last line feed */
    REGEX_UNGREEDY = 64,
    REGEX_PATIENT = 128, /* with a higher limit */
};

struct regex;
struct regex_scratch;

/* WEIR_E_SYNTAX: it is no expression; WEIR_E_UNSUPPORTED: there is no PCRE2. err says why. */
int regex_new(struct text pattern, unsigned flags, struct regex **out, struct weir_errbuf *err);
void regex_free(struct regex *regex);

int regex_scratch_new(struct regex_scratch **out);
void regex_scratch_free(struct regex_scratch *scratch);

/* REGEX_LIMIT: it took too many steps, or too much memory, to know. */
enum regex_answer { REGEX_NO, REGEX_YES, REGEX_LIMIT };

struct regex_bytes {
    const uint8_t *p;
    size_t n;
    bool begins; /* nothing comes before p */
};

/* The first match that starts at from or behind: [at[0], at[1]). */
enum regex_answer regex_find(const struct regex *regex, struct regex_scratch *scratch,
                             const struct regex_bytes *bytes, size_t from, size_t at[2]);

/* How many groups it has. */
unsigned regex_groups(const struct regex *regex);

/* The name of its i-th named group, and the number of that; NULL: there are no more. */
const char *regex_named(const struct regex *regex, unsigned i, unsigned *group);

enum { REGEX_GROUPS_MAX = 8 }; /* whose places are kept, as in Suricata */

/* Where a group is in what regex_find() found last; false: it took no part. */
bool regex_captured(const struct regex_scratch *scratch, unsigned group, size_t at[2]);

/* The first match's first group: [at[0], at[1]). REGEX_NO: there is no match, or not that group. */
enum regex_answer regex_group(const struct regex *regex, struct regex_scratch *scratch,
                              const struct regex_bytes *bytes, size_t at[2]);

#endif
