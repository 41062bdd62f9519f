/* pcre: a regular expression among the contents. */
#ifndef IDS_PCRE_H
#define IDS_PCRE_H

#include "rule/rule.h"

/* NULL is allowed. */
void catches_free(struct catches *catches);

int pcre_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
