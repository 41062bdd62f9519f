#include "rule/tally.h"

#include <stdlib.h>
#include <string.h>

bool
tally_add(struct tally *tally, const char *text)
{
    struct said *more;
    char *copy;

    for (size_t i = 0; i < tally->n; i++) {
        if (strcmp(tally->at[i].text, text) == 0) {
            tally->at[i].n++;
            return true;
        }
    }
    if (tally->n == TALLY_MAX) {
        tally->at[TALLY_MAX - 1].n++;
        return true;
    }
    if (tally->n == TALLY_MAX - 1)
        text = "others";
    more = realloc(tally->at, (tally->n + 1) * sizeof(*more));
    if (more == NULL)
        return false;
    tally->at = more;
    copy = strdup(text);
    if (copy == NULL)
        return false;
    more[tally->n++] = (struct said){ copy, 1 };
    return true;
}

static int
more_first(const void *a, const void *b)
{
    const struct said *x = a, *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return strcmp(x->text, y->text);
}

void
tally_sort(struct tally *tally)
{
    if (tally->n > 0)
        qsort(tally->at, tally->n, sizeof(*tally->at), more_first);
}

void
tally_free(struct tally *tally)
{
    for (size_t i = 0; i < tally->n; i++)
        free(tally->at[i].text);
    free(tally->at);
    *tally = (struct tally){ NULL, 0 };
}
