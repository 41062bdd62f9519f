/*
 * requires: what a rule needs of the program. Rules are written for Suricata's versions; weir-ids
 * answers for one of them.
 */
#ifndef IDS_REQUIRES_H
#define IDS_REQUIRES_H

#include "rule/rule.h"

/*
 * Look for it among the options, before anything else of the rule is looked at: the rest may be
 * what only others understand. Sets rule->unmet if something that is asked for is not there.
 */
int requires_check(struct text options, struct rule *rule, struct weir_errbuf *err);

/* Sets rule->unmet if something that is asked for is not there. */
int requires_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
