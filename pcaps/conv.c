#include "conv.h"

void
conv_sent(struct conv_side *side, int64_t from, int64_t to)
{
    if (from < to && to > side->next)
        side->next = to;
}

/* An island that the contiguous part has reached goes into it. */
static bool
land(struct conv_side *side)
{
    for (unsigned i = 0; i < side->n_islands; i++) {
        if (side->island[i].from > side->got)
            continue;
        if (side->island[i].to > side->got)
            side->got = side->island[i].to;
        side->island[i] = side->island[--side->n_islands];
        return true;
    }
    return false;
}

bool
conv_received(struct conv_side *side, int64_t from, int64_t to)
{
    if (from >= to)
        return true;
    if (side->n_islands == CONV_ISLANDS)
        return false;
    side->island[side->n_islands++] = (struct conv_range){ from, to };
    while (land(side))
        continue;
    return true;
}
