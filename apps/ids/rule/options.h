/*
 * Options of rules, one function each, in a table: what stands in parentheses, put into a rule.
 * An option that is not in the table is not supported, and its rule is refused.
 */
#ifndef IDS_OPTIONS_H
#define IDS_OPTIONS_H

#include "rule/rule.h"

/*
 * 5, !5, <5, <=5, >5, >=5, =5; 3<>9: neither 3 nor 9; 3<=>9: these too (Snort 3). All up to max.
 */
int compare_take(struct text value, int64_t max, struct compare *out, struct weir_errbuf *err);

/* Parse all options and check that they go together. Text in err on failure. */
int options_parse(struct text options, struct rule *rule, struct weir_errbuf *err);

#endif
