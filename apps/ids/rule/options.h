/*
 * Options of rules, one function each, in a table: what stands in parentheses, put into a rule.
 * An option that is not in the table is not supported, and its rule is refused.
 */
#ifndef IDS_OPTIONS_H
#define IDS_OPTIONS_H

#include "rule/rule.h"

bool option_is_known(struct text name);

/* Parse all options and check that they go together. Text in err on failure. */
int options_parse(struct text options, struct rule *rule, struct weir_errbuf *err);

#endif
