#include "engine.h"

#include "core/core.h"
#include "frag.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int
engine_make_core(struct engine *e)
{
    const struct weir_core_opts opts = { .id = e->index, .seed = e->opts.seed };
    int rc = weir_core_new(&opts, &e->core);

    if (rc != WEIR_E_OK)
        return rc;
    if ((rc = inline_new(&e->outlet, &e->opts, &e->inl)) != WEIR_E_OK)
        return rc;
    weir_core_set_tap_ops(e->core, &engine_tap_ops, e);
    if (e->inl != NULL)
        e->core->tap_hooks = &inline_hooks;
    e->core->replays = !e->opts.live;
    return WEIR_E_OK;
}

int
engine_copy(const struct engine *first, unsigned index, struct engine **out)
{
    struct engine *e = aligned_alloc(alignof(struct engine), sizeof(*e));
    int rc;

    *out = NULL;
    if (e == NULL)
        return WEIR_E_NOMEM;
    *e = *first;
    e->index = index;
    e->core = NULL;
    e->inl = NULL;
    for (unsigned i = 0; i < e->n_apps; i++)
        e->apps[i].pub.arg = e->apps[i].core_arg[index];
    rc = engine_make_core(e);
    if (rc == WEIR_E_OK) {
        *out = e;
        return WEIR_E_OK;
    }
    weir_core_free(e->core);
    free(e);
    return rc;
}

/*
 * Address space for the core's shards, used as needed. Four times the cap: what was freed in small
 * blocks serves no larger one.
 */
static int
reserve(struct engine *e)
{
    size_t size = 4 * (size_t)e->opts.memcap / e->n_cores + (size_t)N_SHARDS * 4 * ARENA_UNIT;
    void *range = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (range == MAP_FAILED)
        return WEIR_E_NOMEM;
    madvise(range, size, MADV_HUGEPAGE); /* a fault is dearer than all else for a new flow */
    e->range = range;
    e->range_size = size;
    arena_init(&e->arena, range, size);
    e->arena.pools = e->opts.live; /* in a replay what a shard has must not depend on others */
    e->layout.base = e->arena.next;
    return WEIR_E_OK;
}

static int
start_shards(struct engine *e, uint64_t time)
{
    struct first_table *tables = arena_take(&e->arena, N_SHARDS * sizeof(*tables));

    if (tables == NULL)
        return WEIR_E_NOMEM;
    for (unsigned i = 0; i < N_SHARDS; i++)
        e->next_tick[i] = UINT64_MAX;
    for (unsigned i = e->index; i < N_SHARDS; i += e->n_cores) {
        if (!shard_init(&e->shards[i], &e->arena, &e->layout, e, &e->wheels[i], &tables[i]))
            return WEIR_E_NOMEM;
        e->tables[i] = shard_table(&e->shards[i]);
        wheel_init(&e->wheels[i], time / TICK_NS);
    }
    return WEIR_E_OK;
}

int
engine_start(struct engine *e, uint64_t time)
{
    size_t stride;
    uint64_t fragments = e->opts.memcap / FRAG_SHARE;
    int rc;

    engine_place_apps(e);
    engine_place_definitions(e);
    stride = e->layout.app_stride;
    if (!shard_layout(&e->layout, (size_t)((e->opts.memcap - fragments) / N_SHARDS), stride))
        return WEIR_E_LIMIT;
    if (e->flowless == NULL)
        e->flowless = calloc(N_SHARDS, e->layout.app_stride + 1);
    if (e->flowless == NULL || (e->range == NULL && reserve(e) != WEIR_E_OK))
        return WEIR_E_NOMEM;
    if (e->inl != NULL && (rc = inline_start(e->inl, &e->opts)) != WEIR_E_OK)
        return rc;
    if ((rc = start_shards(e, time)) != WEIR_E_OK)
        return rc;
    e->tick = time / TICK_NS;
    e->started = true;
    return WEIR_E_OK;
}

void
engine_release(struct engine *e)
{
    weir_core_free(e->core);
    inline_free(e->inl);
    if (e->range != NULL) {
        arena_give_back(&e->arena, e->range);
        munmap(e->range, e->range_size);
    }
    free(e->flowless);
}

void
engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    engine_release(e);
    free(e);
}
