/* How rules were compiled, and what each of them cost, for people. */
#ifndef IDS_EXPLAIN_H
#define IDS_EXPLAIN_H

#include "detect/detect.h"

#include <stdio.h>

/* Print how each rule of this sid, of any gid, is tested. false: there is none. */
bool explain(FILE *to, const struct groups *groups, uint32_t sid);

/* Print a table of rules, those that took longest first: times looked at, matches, time. */
void explain_profile(FILE *to, const struct groups *groups, const struct rule_profile *profile);

#endif
