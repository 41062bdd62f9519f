/*
 * What is remembered by key: of an address, of a pair of them, of a flow or a rule. A table of
 * fixed size; when it is full, what was used longest ago is forgotten, so that the hash decides
 * nothing.
 *
 * Threads: one core; or several that share it (keyed_share()), of which each waits for its turn
 * with keyed_turn() before it asks, and keeps nothing of an answer behind the event at hand.
 */
#ifndef IDS_KEYED_H
#define IDS_KEYED_H

#include "rule/ranges.h"

#include <stdbool.h>
#include <stdint.h>

struct keyed_key {
    u128 a, b;     /* addresses, or numbers that stand for something */
    uint32_t name; /* what is remembered of them, ... */
    uint64_t kind; /* ... and of which kind it is; or 0 */
};

struct keyed_value {
    uint64_t until; /* time after which it means nothing */
    uint64_t start, count, next;
};

struct keyed;
struct order;

struct keyed_opts {
    uint64_t seed;       /* of hashes; decides nothing */
    struct order *order; /* of the cores that share the table; NULL: it is one core's */
};

/* Room for `max` values; memory is touched as it is used. NULL: no memory. */
struct keyed *keyed_new(uint32_t max, const struct keyed_opts *opts);

/* One more owner, who calls keyed_free(), too: not while another one does. */
struct keyed *keyed_share(struct keyed *table);
void keyed_free(struct keyed *table);

/*
 * Wait until all other cores are past this one's packet. Returns the greatest time of those for
 * which the table was asked so far, this event's included: it is the table's, for what a core has
 * seen depends on how many there are.
 */
uint64_t keyed_turn(struct keyed *table, uint64_t time);

/* The value of a key; NULL: there is none, or it means nothing at this time any more. */
struct keyed_value *keyed_find(struct keyed *table, const struct keyed_key *key, uint64_t now);

/* The same, made if it is missing: all zero then, until it is set to last. */
struct keyed_value *keyed_take(struct keyed *table, const struct keyed_key *key, uint64_t now);

/* Forget a key's value, if there is one. */
void keyed_drop(struct keyed *table, const struct keyed_key *key);

/* Whether anything was ever remembered. */
bool keyed_was_used(const struct keyed *table);

/* Values that were forgotten though they still meant something. */
uint64_t keyed_lost(const struct keyed *table);

#endif
