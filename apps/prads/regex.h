/*
 * Lists of regular expressions (PCRE2), of which the first that matches is wanted. One scan by
 * Hyperscan says which may match; only those are asked, in their order. The answer is that of
 * asking all of them.
 *
 * Threads: a list belongs to one thread. regex_list_match() allocates nothing.
 */
#ifndef WEIR_PRADS_REGEX_H
#define WEIR_PRADS_REGEX_H

#include <weir/error.h>

#include <stddef.h>
#include <stdint.h>

struct regex_list;

enum { REGEX_GROUPS = 10 }; /* the whole match and nine groups */

/* Where a group matched; start == end: it is empty or took no part. */
struct regex_groups {
    const size_t *at; /* start and end of each, by number */
    unsigned n;       /* of those that can be read */
};

int regex_list_new(struct regex_list **out);
void regex_list_free(struct regex_list *list);

/* Add an expression. WEIR_E_SYNTAX: it is none; err says why, and the list is as before. */
int regex_list_add(struct regex_list *list, const char *pattern, struct weir_errbuf *err);

/* All were added. Expressions that Hyperscan does not take are asked always. */
int regex_list_ready(struct regex_list *list, struct weir_errbuf *err);

/* The number of the first that matches, in the order they were added; -1: none. */
int regex_list_match(struct regex_list *list, const uint8_t *data, size_t n,
                     struct regex_groups *groups);

/* The same without Hyperscan, for tests. */
int regex_list_match_slow(struct regex_list *list, const uint8_t *data, size_t n,
                          struct regex_groups *groups);

/* How many are asked always. */
unsigned regex_list_unfiltered(const struct regex_list *list);

#endif
