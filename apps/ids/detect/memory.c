#include "detect/memory.h"

#include <string.h>

/* Sorted by name: flows have few of them, though rules may know thousands. */
struct memory {
    uint32_t n, room;
    struct named {
        uint32_t name, value;
    } at[];
};

static size_t
size_of(uint32_t room)
{
    return sizeof(struct memory) + room * sizeof(struct named);
}

/* The first that is not below the name. */
static uint32_t
position(const struct memory *m, uint32_t name)
{
    uint32_t low = 0, high = m->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (m->at[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const uint32_t *
memory_find(const struct memory *m, uint32_t name)
{
    uint32_t i;

    if (m == NULL)
        return NULL;
    i = position(m, name);
    return i < m->n && m->at[i].name == name ? &m->at[i].value : NULL;
}

bool
memory_at(const struct memory *m, uint32_t i, uint32_t *name, uint32_t *value)
{
    if (m == NULL || i >= m->n)
        return false;
    *name = m->at[i].name;
    *value = m->at[i].value;
    return true;
}

/* Room for one more, in blocks of 64, 128, ... bytes. */
static bool
grow(struct memory **memory, struct mem *mem)
{
    struct memory *old = *memory, *m;
    uint32_t room = old == NULL ? 7 : 2 * old->room + 1;

    if (old != NULL && old->n < old->room)
        return true;
    m = mem_alloc(mem, size_of(room));
    if (m == NULL)
        return false;
    m->n = 0;
    if (old != NULL)
        memcpy(m, old, size_of(old->n));
    m->room = room;
    memory_free(old, mem);
    *memory = m;
    return true;
}

bool
memory_set(struct memory **memory, struct mem *mem, uint32_t name, uint32_t value)
{
    uint32_t i = *memory != NULL ? position(*memory, name) : 0;
    struct memory *m = *memory;

    if (m != NULL && i < m->n && m->at[i].name == name) {
        m->at[i].value = value;
        return true;
    }
    if (!grow(memory, mem))
        return false;
    m = *memory;
    memmove(&m->at[i + 1], &m->at[i], (m->n - i) * sizeof(*m->at));
    m->at[i] = (struct named){ name, value };
    m->n++;
    return true;
}

static void
cut(struct memory *m, uint32_t from, uint32_t to)
{
    memmove(&m->at[from], &m->at[to], (m->n - to) * sizeof(*m->at));
    m->n -= to - from;
}

void
memory_unset(struct memory *m, uint32_t name)
{
    uint32_t i;

    if (m == NULL)
        return;
    i = position(m, name);
    if (i < m->n && m->at[i].name == name)
        cut(m, i, i + 1);
}

void
memory_unset_bits(struct memory *m)
{
    if (m != NULL)
        cut(m, 0, position(m, MEMORY_NUMBERS));
}

void
memory_free(struct memory *m, struct mem *mem)
{
    if (m != NULL)
        mem_free(mem, m, size_of(m->room));
}
