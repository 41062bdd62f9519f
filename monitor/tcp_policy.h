/* What differs between target hosts: Novak and Sturges, Target-Based TCP Stream Reassembly (2007). */
#ifndef WEIR_TCP_POLICY_H
#define WEIR_TCP_POLICY_H

#include <weir/monitor.h>

#include <stdbool.h>

/*
 * Who owns the bytes that a new segment shares with one that waits: the new one?
 *
 * start, end: below, equal to or above 0 as the new segment starts (ends) before, with or behind
 * the old one, both taken as they came.
 */
bool policy_new_wins(enum weir_policy policy, int start, int end);

#endif
