/*
 * What is remembered by key: of an address, of a pair of them, of a flow or a rule. A table of fixed
 * size; when it is full, what was used longest ago is forgotten, so that the hash decides nothing.
 *
 * Threads: one core. Whoever asks gets the value by a call with a key: nothing else is kept of it, so
 * that another core may hold the table some day.
 */
#ifndef IDS_KEYED_H
#define IDS_KEYED_H

#include "rule/ranges.h"

#include <stdint.h>

struct keyed_key {
    u128 a, b;     /* addresses, or numbers that stand for something */
    uint32_t name; /* what is remembered of them */
};

struct keyed_value {
    uint64_t until; /* time after which it means nothing */
    uint64_t start, count, next;
};

struct keyed;

/* Room for `max` values; memory is touched as it is used. NULL: no memory. */
struct keyed *keyed_new(uint32_t max, uint64_t seed);
void keyed_free(struct keyed *table);

/* The value of a key; NULL: there is none, or it means nothing at this time any more. */
struct keyed_value *keyed_find(struct keyed *table, const struct keyed_key *key, uint64_t now);

/* The same, made if it is missing: all zero then, until it is set to last. */
struct keyed_value *keyed_take(struct keyed *table, const struct keyed_key *key, uint64_t now);

/* Forget a key's value, if there is one. */
void keyed_drop(struct keyed *table, const struct keyed_key *key);

/* Values that were forgotten though they still meant something. */
uint64_t keyed_lost(const struct keyed *table);

#endif
