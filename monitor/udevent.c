/*
 * Events of the program's own: a filter makes them of others, which come before them in the table,
 * so that one pass over it finds all that an event gives rise to.
 */
#include "engine.h"

#include <string.h>

int
weir_event_define(struct weir_monitor *m, const struct weir_event_def *def, unsigned *type)
{
    struct engine *e = &m->e;
    bool built_in = def->base < WEIR_EV_COUNT;

    if (e->started || def->filter == NULL || def->base >= WEIR_EV_COUNT + e->n_defs)
        return WEIR_E_INVAL;
    if (e->n_defs == WEIR_EV_DEFINED_MAX)
        return WEIR_E_LIMIT;
    e->defs[e->n_defs] = (struct definition){
        .pub = *def,
        .root = built_in ? (uint8_t)def->base : e->defs[def->base - WEIR_EV_COUNT].root,
    };
    *type = WEIR_EV_COUNT + e->n_defs++;
    return WEIR_E_OK;
}

const char *
weir_monitor_event_name(const struct weir_monitor *m, unsigned type)
{
    const struct engine *e = &m->e;

    if (type < WEIR_EV_COUNT)
        return weir_event_name(type);
    return type < WEIR_EV_COUNT + e->n_defs ? e->defs[type - WEIR_EV_COUNT].pub.name : NULL;
}

/* From the last on: whatever wants a definition comes behind it. */
void
engine_place_definitions(struct engine *e)
{
    for (unsigned i = e->n_defs; i-- > 0;) {
        struct definition *def = &e->defs[i];

        def->live = e->want >> (WEIR_EV_COUNT + i) & 1;
        if (!def->live)
            continue;
        def->at = e->layout.app_stride;
        e->layout.app_stride += (def->pub.flow_size + 15) / 16 * 16;
        e->bases |= WEIR_EV_BIT(def->pub.base);
        e->want |= WEIR_EV_BIT(def->pub.base);
    }
}

void
engine_raise_defined(struct engine *e, struct weir_flow *flow, const struct weir_event *ev,
                     engine_push *push)
{
    uint8_t *part = flow != NULL ? flow_apps(flow) : engine_flowless(e);
    uint64_t raised = WEIR_EV_BIT(ev->type);

    struct weir_event own = *ev;

    for (unsigned i = 0; i < e->n_defs; i++) {
        const struct definition *def = &e->defs[i];

        own.type = (uint8_t)def->pub.base;
        if (!def->live || !(raised >> own.type & 1) ||
            !def->pub.filter(def->pub.arg, part + def->at, &own))
            continue;
        own.type = (uint8_t)(WEIR_EV_COUNT + i);
        raised |= WEIR_EV_BIT(own.type);
        e->stats.defined[i]++;
        push(e, flow, &own);
    }
}

void
engine_start_definitions(const struct engine *e, uint8_t *part)
{
    for (unsigned i = 0; i < e->n_defs; i++)
        if (e->defs[i].live)
            memset(part + e->defs[i].at, 0, e->defs[i].pub.flow_size);
}
