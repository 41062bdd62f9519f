/* Headers of rules: action, protocol, addresses, ports and direction. */
#ifndef IDS_HEADER_H
#define IDS_HEADER_H

#include "rule/rule.h"
#include "rule/vars.h"

/* false: it is no word that a rule begins with. */
bool header_action(struct text word, uint8_t *action);

/* Text in err on failure. */
int header_parse(const struct rule_text *text, struct vars *vars, struct rule *rule,
                 struct weir_errbuf *err);

#endif
