/*
 * What weir top shows: two answers of a control socket, and the rates between them as a table.
 */
#ifndef WEIR_TOP_TABLE_H
#define WEIR_TOP_TABLE_H

#include "counts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOP_MOST = 512, TOP_NAME = 32 };

struct top_counter {
    char group[TOP_NAME]; /* "events"; "": none */
    char name[TOP_NAME];
    uint64_t value;
};

struct top_sample {
    size_t n;
    struct top_counter at[TOP_MOST]; /* what is beyond is left out */
};

/* Read an answer of n bytes: an object of numbers and of objects of numbers. False: it is none. */
bool top_read(const char *json, size_t n, struct top_sample *out);

/* A text of an object of texts, {"error":"busy"}; what could move a cursor becomes '?'. */
bool top_text(const char *json, size_t n, const char *key, char *out, size_t size);

/* NULL: it has none. */
const uint64_t *top_find(const struct top_sample *sample, const char *group, const char *name);

enum { TOP_COLUMNS = 71, TOP_COLUMNS_LEAST = 46 };

/*
 * before: seconds ago; the same as now: there are no rates yet. title: the program. columns: the
 * lines are no longer than TOP_COLUMNS, nor than these, from TOP_COLUMNS_LEAST on, unless numbers
 * are large.
 */
void top_table(const char *title, const struct top_sample *before, const struct top_sample *now,
               double seconds, unsigned columns, struct reply *to);

#endif
