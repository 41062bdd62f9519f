#include "core/core.h"

#include "future/cell.h"

#include <stdlib.h>

__thread struct weir_core *core_current __attribute__((tls_model("initial-exec")));

#define DEFAULT_CELLS    1024
#define DEFAULT_STALL_NS 10000000

static void
set_options(struct weir_core *core, const struct weir_core_opts *opts)
{
    if (opts != NULL)
        core->opts = *opts;
    if (core->opts.cells == 0)
        core->opts.cells = DEFAULT_CELLS;
    if (core->opts.max_cells != 0 && core->opts.cells > core->opts.max_cells)
        core->opts.cells = core->opts.max_cells;
    if (core->opts.stall_ns == 0)
        core->opts.stall_ns = DEFAULT_STALL_NS;
    core->random = core->opts.seed;
}

int
weir_core_new(const struct weir_core_opts *opts, struct weir_core **out)
{
    struct weir_core *core = calloc(1, sizeof(*core));

    *out = NULL;
    if (core == NULL)
        return WEIR_E_NOMEM;
    set_options(core, opts);
    core->ready.last = &core->ready.first;
    core->budget = CORE_BUDGET_BETWEEN_RUNS;
    core->soon_sorted = true;
    wheel_init(&core->wheel, 0);
    if (!cells_grow(core)) {
        weir_core_free(core);
        return WEIR_E_NOMEM;
    }
    core->stats.grown = 0;
    *out = core;
    return WEIR_E_OK;
}

uint64_t
weir_core_free(struct weir_core *core)
{
    struct core_poller *poller;
    uint64_t left;

    if (core == NULL)
        return 0;
    while ((poller = core->pollers) != NULL)
        poller->core_ends(poller);
    left = weir_core_report(core);
    if (core_current == core)
        core_current = NULL;
    cells_free_all(core);
    free(core);
    return left;
}

struct weir_core *
weir_core_enter(struct weir_core *core)
{
    struct weir_core *before = core_current;

    core_current = core;
    return before;
}

struct weir_core *
weir_core_current(void)
{
    return core_current;
}

uint32_t
weir_core_id(const struct weir_core *core)
{
    return core->opts.id;
}

void
weir_core_get_stats(const struct weir_core *core, struct weir_core_stats *out)
{
    *out = core->stats;
}

void
weir_core_set_tap_ops(struct weir_core *core, const struct weir_tap_ops *ops, void *arg)
{
    core->tap_ops = ops;
    core->tap_arg = arg;
}
