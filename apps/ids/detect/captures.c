#include "detect/captures.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = sizeof(uint16_t), ROOM_FIRST = 128 - sizeof(struct captures) };

/* Bytes that one takes, so that the next is aligned. */
static size_t
size_of(const struct captured *c)
{
    return (sizeof(*c) + c->name_n + c->n + ALIGNMENT - 1U) / ALIGNMENT * ALIGNMENT;
}

struct captures *
captures_new(void)
{
    struct captures *c = malloc(sizeof(*c) + CAPTURES_MAX);

    if (c != NULL)
        *c = (struct captures){ .room = CAPTURES_MAX };
    return c;
}

const struct captured *
captures_next(const struct captures *c, const struct captured *before)
{
    const uint8_t *p;

    if (c == NULL)
        return NULL;
    p = before != NULL ? (const uint8_t *)before + size_of(before) : c->at;
    return p < c->at + c->n ? (const struct captured *)(const void *)p : NULL;
}

static void
take_out(struct captures *c, const struct captured *what, const void *name)
{
    for (const struct captured *have = captures_next(c, NULL); have != NULL;
         have = captures_next(c, have)) {
        size_t at = (size_t)((const uint8_t *)have - c->at), n = size_of(have);

        if (have->kind != what->kind || have->name_n != what->name_n ||
            memcmp(have->name, name, what->name_n) != 0)
            continue;
        memmove(c->at + at, c->at + at + n, c->n - at - n);
        c->n = (uint16_t)(c->n - n);
        return;
    }
}

bool
captures_put(struct captures *c, const struct captured *what, const void *name, const void *bytes)
{
    uint8_t *p;

    take_out(c, what, name);
    if (size_of(what) > (size_t)c->room - c->n)
        return false;
    p = c->at + c->n;
    c->n = (uint16_t)(c->n + size_of(what));
    memcpy(p, what, sizeof(*what));
    memcpy(p + sizeof(*what), name, what->name_n);
    memcpy(p + sizeof(*what) + what->name_n, bytes, what->n);
    return true;
}

/* Room for so many bytes more, in blocks of 128, 256, ... bytes. */
static bool
grow(struct captures **c, struct mem *mem, size_t n)
{
    struct captures *old = *c, *more;
    size_t used = old != NULL ? old->n : 0, room = old != NULL ? old->room : 0;

    if (used + n <= room)
        return true;
    for (room = ROOM_FIRST; room < used + n;)
        room = 2 * (room + sizeof(*more)) - sizeof(*more);
    if (room > CAPTURES_MAX || (more = mem_alloc(mem, sizeof(*more) + room)) == NULL)
        return false;
    more->n = (uint16_t)used;
    more->room = (uint16_t)room;
    if (old != NULL)
        memcpy(more->at, old->at, used);
    captures_free(old, mem);
    *c = more;
    return true;
}

bool
captures_keep(struct captures **c, struct mem *mem, const struct captured *what)
{
    if (*c != NULL)
        take_out(*c, what, what->name);
    return grow(c, mem, size_of(what)) && captures_put(*c, what, what->name, captured_bytes(what));
}

void
captures_free(struct captures *c, struct mem *mem)
{
    if (c != NULL)
        mem_free(mem, c, sizeof(*c) + c->room);
}
