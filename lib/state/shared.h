/* Shared state from inside. */
#ifndef WEIR_STATE_SHARED_H
#define WEIR_STATE_SHARED_H

#include <weir/shared.h>

struct order;

/* The cores of this order use the table, each in its turn. */
void shared_set_order(struct weir_shared *s, struct order *order);

/*
 * As weir_shared_add(), of who has its turn already, at this time; n: at most WEIR_SHARED_KEY_MAX.
 */
int64_t shared_add_at(struct weir_shared *s, const void *key, size_t n, int64_t delta, uint64_t ttl,
                      uint64_t now);

#endif
