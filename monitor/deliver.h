/*
 * How an event reaches the taps of its flow. engine_deliver() does it for all; what nearly every
 * packet raises is handed over inline, where it is raised.
 */
#ifndef WEIR_DELIVER_H
#define WEIR_DELIVER_H

#include "engine.h"

static inline struct weir_tap *
app_tap(uint8_t *part, const struct app *app)
{
    return (struct weir_tap *)(void *)(part + app->tap);
}

static inline void *
app_state(uint8_t *part, const struct app *app)
{
    return part + app->state;
}

/* Fill in what all events have but their base. */
static inline void
complete(const struct engine *e, struct weir_flow *flow, struct weir_event *ev)
{
    ev->time = e->now;
    ev->packet = e->packet;
    ev->number = e->packet != NULL ? e->packet->number : 0;
    ev->flow = flow;
    ev->has_flow = flow != NULL;
}

/* Told of a tap that cannot take an event. */
typedef void take_full(struct engine *e, struct weir_tap *tap, void *state, struct weir_event *ev);

/*
 * A tap takes no more events while its stage sleeps. A replay waits as long as handlers can run;
 * live, or when nothing here can wake the stage, the event is dropped, and the other taps are told.
 */
take_full engine_push_again;

static inline void
push_to(struct engine *e, const struct app *app, uint8_t *part, unsigned type,
        struct weir_event *ev, take_full *full)
{
    struct weir_tap *tap = app_tap(part, app);

    ev->tap = tap;
    if (!weir_tap_wants(tap, type))
        return;
    ev->app = app->pub.arg;
    if (weir_tap_push(tap, app_state(part, app), type, ev) == WEIR_TAP_FULL)
        full(e, tap, app_state(part, app), ev);
}

/* part: where the taps of its flow are. */
static inline void
push_to_all(struct engine *e, uint8_t *part, unsigned type, struct weir_event *ev, take_full *full)
{
    for (const struct app *app = e->apps; app->pub.spec != NULL; app++)
        push_to(e, app, part, type, ev, full);
}

/* For types that events are defined on. */
void engine_deliver_with_defined(struct engine *e, struct weir_flow *flow, struct weir_event *ev);

/* engine_deliver() of a flow's event. */
static inline __attribute__((always_inline)) void
deliver_here(struct engine *e, struct weir_flow *flow, unsigned type, struct weir_event *ev)
{
    ev->type = (uint8_t)type;
    if (WEIR_UNLIKELY(e->bases >> type & 1)) {
        engine_deliver_with_defined(e, flow, ev);
        return;
    }
    ev->base = (uint8_t)type;
    complete(e, flow, ev);
    push_to_all(e, flow_apps(flow), type, ev, engine_push_again);
}

#endif
