#include "future/cell.h"

#ifdef WEIR_DEBUG_FUTURES

#include <string.h>
#include <time.h>

/* ---- free cells are poisoned, but for their gen and the link of the free list ---- */

#define POISON 0xdb

void
cell_poison(struct weir_cell *cell)
{
    const uint16_t gen = cell->gen;

    memset(cell, POISON, sizeof(*cell));
    cell->gen = gen;
    cell->state = CELL_FREE;
}

void
cell_check_poison(struct weir_core *core, const struct weir_cell *cell)
{
    struct weir_cell expected = *cell;

    cell_poison(&expected);
    expected.next = cell->next;
    if (memcmp(&expected, cell, sizeof(expected)) != 0)
        broken_rule(core, "a cell was written to after it had been freed");
}

/* ---- futures are used where and as often as they may ---- */

void
debug_check_owner(const struct weir_core *core, const struct weir_cell *cell)
{
    if (core == NULL)
        broken_rule(core, "a future is used without a current core");
    if (cell != NULL && !cells_own(core, cell))
        broken_rule(core, "a promise or future of another core is used here");
}

void
debug_check_source(const struct weir_core *core, const struct weir_cell *source)
{
    debug_check_owner(core, source);
    if (source->state == CELL_FREE)
        broken_rule(core, "a future is used after it was consumed");
    if ((source->out != NULL && source->kind != CELL_TAP) ||
        (source->flags & (CELL_DETACHED | CELL_DROPPED)) != 0)
        broken_rule(core, "the future made at %s is consumed twice", source->site);
    if (source->state == CELL_RUNNING)
        broken_rule(core, "the future made at %s waits for itself", source->site);
}

/* ---- handlers run late, and in an order drawn by the seed ---- */

/* xorshift64: never 0. */
static uint64_t
draw(struct weir_core *core)
{
    core->random ^= core->random << 13;
    core->random ^= core->random >> 7;
    core->random ^= core->random << 17;
    return core->random;
}

/* Of more, the later ones wait: a draw must not cost as much as the queue is long. */
#define DRAW_FROM 16

struct weir_cell *
debug_queue_pop(struct weir_core *core)
{
    struct weir_cell **link = &core->ready.first, *cell;

    for (uint64_t steps = draw(core) % DRAW_FROM; steps > 0 && (*link)->next != NULL; steps--)
        link = &(*link)->next;
    cell = *link;
    *link = cell->next;
    if (*link == NULL)
        core->ready.last = link;
    return cell;
}

/* ---- handlers that hold the core up ---- */

uint64_t
debug_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
debug_check_stall(const struct weir_core *core, uint64_t since, const char *what, const char *site)
{
    const uint64_t took = debug_clock() - since;

    if (took > core->opts.stall_ns)
        report_line(core, "%s %s ran for %llu us", what, site, (unsigned long long)took / 1000);
}

#endif
