#include "future/cell.h"

#ifdef WEIR_DEBUG_FUTURES

#include <string.h>
#include <sys/resource.h>
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

static uint64_t
read_clock(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct debug_time
debug_clock(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return (struct debug_time){ .ns = read_clock(CLOCK_MONOTONIC),
                                .cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID),
                                .waits = (uint64_t)usage.ru_nvcsw };
}

/* Whom the kernel put aside for others is not to blame: who computed, or chose to wait, is. */
void
debug_check_stall(const struct weir_core *core, struct debug_time since, const char *what,
                  const char *site)
{
    const struct debug_time now = debug_clock();
    const uint64_t limit = core->opts.stall_ns;

    if (now.ns - since.ns > limit &&
        (now.cpu_ns - since.cpu_ns > limit || now.waits != since.waits))
        report_line(core, "%s %s ran for %llu us", what, site,
                    (unsigned long long)(now.ns - since.ns) / 1000);
}

#endif
