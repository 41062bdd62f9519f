/*
 * What rules remember of one flow: bits that are set, and numbers by name. Blocks of detection's
 * pool, and none for a flow of which nothing is remembered.
 */
#ifndef IDS_MEMORY_H
#define IDS_MEMORY_H

#include "mem.h"

#include <stdint.h>

enum { MEMORY_NUMBERS = 1U << 30 }; /* names from here on are of numbers, those below of bits */

struct memory; /* NULL: nothing is remembered */

/* The value of a name, for a bit 1; NULL: it is not set. */
const uint32_t *memory_find(const struct memory *memory, uint32_t name);

/* The i-th by number; false: there are not so many. */
bool memory_at(const struct memory *memory, uint32_t i, uint32_t *name, uint32_t *value);

/* Returns false if there is no memory. */
bool memory_set(struct memory **memory, struct mem *mem, uint32_t name, uint32_t value);
void memory_unset(struct memory *memory, uint32_t name);
void memory_unset_bits(struct memory *memory);

void memory_free(struct memory *memory, struct mem *mem);

#endif
