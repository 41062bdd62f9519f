/*
 * SYN flood: many handshakes with one port of a host that never come to their third step. The
 * sources may be forged, so the key is the target, and it is the target that is told of.
 */
#include "detectors/detector.h"

struct flow {
    struct sighting at;
};

/* One more, or, when the handshake is done, one less. */
WEIR_HANDLER(count, look, struct flow *, flow, event, ev)
{
    struct weir_tuple tuple;
    struct key key;

    if (ev->flow == NULL)
        return nothing();
    sight(&flow->at, ev, WEIR_TOSERVER);
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'S', &tuple);
    key_addr(&key, &tuple, WEIR_TOCLIENT);
    key_bytes(&key, &tuple.port[WEIR_TOCLIENT], sizeof(tuple.port[0]));
    return detector_count(&flow->at, &key, ev->type == WEIR_EV_SYN ? 1 : -1);
}

WEIR_HANDLER(count, weigh, struct flow *, flow, count, half_open)
{
    if (half_open < flow->at.by->param[PARAM_COUNT])
        return nothing();
    return detector_turn(&flow->at, 0, WEIR_TOCLIENT);
}

WEIR_HANDLER(count, tell, struct flow *, flow, count, before)
{
    return detector_tell(&flow->at, 0, before);
}

WEIR_CHAIN(stages, struct flow *, event, look, weigh, tell);

static const struct weir_tap_spec spec = {
    .stage = stages,
    .n_stages = 3,
    .want = WEIR_EV_BIT(WEIR_EV_SYN) | WEIR_EV_BIT(WEIR_EV_ESTABLISHED),
};

const struct detector_kind syn_flood = {
    .name = "syn-flood",
    .spec = &spec,
    .flow_size = sizeof(struct flow),
    .param = { { "count", 500, 1000000 }, { "seconds", 10, 86400 } },
    .alert = { { 3, "WEIR DETECTOR SYN flood", "attempted-dos", 2 } },
};
