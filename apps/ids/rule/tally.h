/* How often something was said, by what was said. */
#ifndef IDS_TALLY_H
#define IDS_TALLY_H

#include <stdbool.h>
#include <stddef.h>

enum { TALLY_MAX = 256 };

struct tally {
    struct said {
        char *text; /* owned */
        size_t n;
    } * at; /* owned; what was said most often first, once tally_sort() was called */
    size_t n;
};

/* The last of TALLY_MAX texts is "others", for all that come behind it. Returns false if memory ran
 * out. */
bool tally_add(struct tally *tally, const char *text);
void tally_sort(struct tally *tally);
void tally_free(struct tally *tally);

#endif
