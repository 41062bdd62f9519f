/* pcre: a regular expression among the contents. */
#ifndef IDS_PCRE_H
#define IDS_PCRE_H

#include "rule/rule.h"

int pcre_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
