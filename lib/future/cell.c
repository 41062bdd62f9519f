#include "future/cell.h"

#include <stdlib.h>
#include <string.h>

/* Cells are made in slabs, and freed when the core is. */
struct slab {
    struct slab *next;
    uint64_t n;
    struct weir_cell *cells;
};

/* Slabs double what there is, so a core has few of them; more than this at once would stall it. */
#define SLAB_MAX 65536

static uint64_t
slab_size(const struct weir_core *core)
{
    const uint64_t made = core->stats.cells, most = core->opts.max_cells;
    uint64_t n = made == 0 ? core->opts.cells : made < SLAB_MAX ? made : SLAB_MAX;

    if (most != 0 && n > most - made)
        n = most - made;
    return n;
}

static void
hand_out(struct weir_core *core, struct slab *slab)
{
    for (uint64_t i = slab->n; i-- > 0;) {
        cell_poison(&slab->cells[i]);
        slab->cells[i].next = core->free;
        core->free = &slab->cells[i];
    }
    slab->next = core->slabs;
    core->slabs = slab;
    core->stats.cells += slab->n;
    core->stats.grown++;
}

bool
cells_grow(struct weir_core *core)
{
    const uint64_t n = slab_size(core);
    struct slab *slab = NULL;

    if (n == 0 || (slab = calloc(1, sizeof(*slab))) == NULL)
        return false;
    slab->n = n;
    slab->cells = aligned_alloc(sizeof(struct weir_cell), n * sizeof(struct weir_cell));
    if (slab->cells == NULL) {
        free(slab);
        return false;
    }
    memset(slab->cells, 0, n * sizeof(struct weir_cell));
    hand_out(core, slab);
    return true;
}

bool
cells_reserve(struct weir_core *core, unsigned n)
{
    uint64_t there = core->stats.cells - core->stats.live;

    while (there < n) {
        if (!cells_grow(core))
            return false;
        there = core->stats.cells - core->stats.live;
    }
    return true;
}

void
cells_free_all(struct weir_core *core)
{
    struct slab *slab;

    while ((slab = core->slabs) != NULL) {
        core->slabs = slab->next;
        free(slab->cells);
        free(slab);
    }
}

struct weir_cell *
cells_at(const struct weir_core *core, uint64_t number)
{
    for (struct slab *slab = core->slabs; slab != NULL; slab = slab->next) {
        if (number < slab->n)
            return &slab->cells[number];
        number -= slab->n;
    }
    return NULL;
}

bool
cells_own(const struct weir_core *core, const struct weir_cell *cell)
{
    for (const struct slab *slab = core->slabs; slab != NULL; slab = slab->next)
        if (cell >= slab->cells && cell < slab->cells + slab->n)
            return true;
    return false;
}
