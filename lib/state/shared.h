/* Shared state from inside. */
#ifndef WEIR_STATE_SHARED_H
#define WEIR_STATE_SHARED_H

#include <weir/shared.h>

struct order;

/* The cores of this order use the table, each in its turn. */
void shared_set_order(struct weir_shared *s, struct order *order);

#endif
