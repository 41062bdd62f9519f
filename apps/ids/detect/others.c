#include "detect/others.h"

#include <string.h>

static size_t
size_of(size_t words)
{
    return sizeof(struct others) + words * sizeof(uint64_t);
}

struct others *
others_new(struct mem *mem, size_t n_rules)
{
    size_t words = n_rules / 64 + 1;
    struct others *o = mem_alloc(mem, size_of(words));

    if (o == NULL)
        return NULL;
    memset(o, 0, size_of(words));
    o->words = words;
    return o;
}

static void
forget(struct others *o, struct mem *mem, unsigned i)
{
    mem_free(mem, o->at[i].bytes, (size_t)(o->at[i].to - o->at[i].from));
    o->n--;
    memmove(&o->at[i], &o->at[i + 1], (o->n - i) * sizeof(*o->at));
    if (o->n == 0)
        memset(o->told, 0, o->words * sizeof(*o->told));
}

void
others_free(struct others *o, struct mem *mem)
{
    if (o == NULL)
        return;
    while (o->n > 0)
        forget(o, mem, o->n - 1);
    mem_free(mem, o, size_of(o->words));
}

static bool
is_known(const struct others *o, int64_t from, const uint8_t *p, size_t n)
{
    for (unsigned i = 0; i < o->n; i++)
        if (o->at[i].from == from && o->at[i].to == from + (int64_t)n &&
            memcmp(o->at[i].bytes, p, n) == 0)
            return true;
    return false;
}

enum others_added
others_add(struct others *o, struct mem *mem, int64_t from, const uint8_t *p, size_t n, int64_t end)
{
    int64_t to = from + (int64_t)n;
    uint8_t *bytes;

    if (is_known(o, from, p, n))
        return OTHERS_KNOWN;
    if (o->n == OTHERS_MAX || n > OTHER_BYTES_MAX || (bytes = mem_alloc(mem, n)) == NULL)
        return OTHERS_LOST;
    memcpy(bytes, p, n);
    o->at[o->n++] = (struct other){ from, to, (to > end ? to : end) + OTHER_REACH, bytes };
    o->looks = 0;
    return OTHERS_ADDED;
}

void
others_forget_begun(struct others *o, struct mem *mem, int64_t before)
{
    for (unsigned i = o->n; i-- > 0;)
        if (o->at[i].from < before)
            forget(o, mem, i);
}

void
others_forget_behind(struct others *o, struct mem *mem, int64_t end)
{
    for (unsigned i = o->n; i-- > 0;)
        if (end >= o->at[i].until)
            forget(o, mem, i);
}

static bool
is_within(const struct other *other, int64_t start, size_t n)
{
    return other->from >= start && other->to <= start + (int64_t)n;
}

static size_t
length(const struct other *other)
{
    return (size_t)(other->to - other->from);
}

bool
others_are_in(const struct others *o, int64_t from, int64_t to)
{
    for (unsigned i = 0; i < o->n; i++)
        if (o->at[i].from >= from && o->at[i].to <= to)
            return true;
    return false;
}

void
others_forget_same(struct others *o, struct mem *mem, int64_t start, const uint8_t *p, size_t n)
{
    for (unsigned i = o->n; i-- > 0;) {
        const struct other *other = &o->at[i];

        if (is_within(other, start, n) &&
            memcmp(p + (other->from - start), other->bytes, length(other)) == 0)
            forget(o, mem, i);
    }
}

bool
others_are_due(struct others *o, int64_t end)
{
    bool last = false; /* chance for one of them */

    for (unsigned i = 0; i < o->n; i++) {
        if (o->at[i].to > o->seen && o->at[i].to <= end)
            o->looks = 0;
        last |= end >= o->at[i].until;
    }
    o->seen = end;
    if (o->n == 0 || (o->looks >= LOOKS_FREE && end < o->next && !last))
        return false;
    o->looks++;
    if (o->looks >= LOOKS_FREE)
        o->next = end +
                  ((int64_t)LOOK_STEP << (o->looks - LOOKS_FREE < 8 ? o->looks - LOOKS_FREE : 8));
    return true;
}

unsigned
others_lay(const struct others *o, int which, int64_t start, uint8_t *p, size_t n)
{
    unsigned laid = 0;

    for (unsigned i = 0; i < o->n; i++) {
        const struct other *other = &o->at[i];

        if ((which != ALL_OTHERS && which != (int)i) || !is_within(other, start, n))
            continue;
        memcpy(p + (other->from - start), other->bytes, length(other));
        laid++;
    }
    return laid;
}
