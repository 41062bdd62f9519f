/*
 * Which content of a rule the prefilter looks for. fast_pattern names it, else it is the longest;
 * but a name is passed over where it says little and another content says more: --explain tells.
 */
#ifndef IDS_FAST_H
#define IDS_FAST_H

#include "rule/rules.h"

/* fast gets the step of each rule, or -1. false: no memory. */
bool fast_choose(const struct rules *rules, int8_t *fast);

#endif
