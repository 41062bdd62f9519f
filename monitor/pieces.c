#include "pieces.h"

#include <string.h>

struct pieces_found
pieces_find(const struct pieces *p, uint32_t start, uint32_t end)
{
    struct pieces_found found = { 0, true, true };
    uint32_t first = 0;

    for (uint32_t u = start / 8; u * 8 < end; u++) {
        const uint32_t owner = p->owner[u];

        if (owner == 0)
            continue;
        if (found.units++ == 0)
            first = owner;
        found.same_run = found.same_run && p->piece[owner - 1].run == p->piece[first - 1].run;
        found.same_piece = found.same_piece && owner == first;
    }
    if (found.units > 0)
        found.same_piece = found.same_piece && p->piece[first - 1].start == start &&
                           p->piece[first - 1].end == end;
    return found;
}

/* Eight bytes of the new fragment, fewer at its end. */
static void
copy_unit(uint8_t *to, uint32_t size, const uint8_t *from, uint32_t at, uint32_t n)
{
    const uint32_t here = at >= n ? 0 : n - at < size ? n - at : size;

    if (here > 0)
        memcpy(to, from + at, here);
    memset(to + here, 0, size - here);
}

static void
note_piece(struct pieces *p, uint32_t start, uint32_t end)
{
    const bool follows = p->n > 0 && p->piece[p->tail].end == start;

    p->piece[p->n] = (struct piece){ .start = (uint16_t)start,
                                     .end = (uint16_t)end,
                                     .run = follows ? p->piece[p->tail].run : (uint16_t)p->n };
    if (p->n == 0 || end > p->piece[p->tail].end)
        p->tail = (uint16_t)p->n;
    p->n++;
}

void
pieces_add(struct pieces *p, enum frag_policy policy, uint32_t start, uint32_t end, uint8_t *data,
           const uint8_t *from, uint32_t n)
{
    note_piece(p, start, end);
    for (uint32_t u = start / 8; u * 8 < end; u++) {
        const uint32_t at = u * 8, size = end - at < 8 ? end - at : 8;

        if (p->owner[u] != 0) {
            const struct piece *old = &p->piece[p->owner[u] - 1];

            if (!frag_new_wins(policy, (int)start - old->start, (int)end - old->end))
                continue;
        } else {
            p->covered++;
        }
        p->owner[u] = (uint16_t)p->n;
        copy_unit(data + at, size, from, at - start, n);
    }
}
