/*
 * The order in which rules of the same packet are looked at: pass before drop, reject and alert,
 * and of these those that set bits and variables before those that test them, step by step where
 * flowbits build on each other; else as they came.
 */
#ifndef IDS_ORDER_H
#define IDS_ORDER_H

#include "rule/rules.h"

/* By action: 0, pass, comes first, then drop, reject and the rest. */
uint8_t rule_action_rank(uint8_t action);

/* WEIR_E_OK or WEIR_E_NOMEM; then they are in the order they were in. */
int rules_sort(struct rules *rules, struct weir_errbuf *err);

#endif
