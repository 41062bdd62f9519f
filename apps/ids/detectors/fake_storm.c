/*
 * A storm of fake retransmissions: bytes that come again, and are others. One may be a broken host;
 * many from one host to another mean that somebody tries what the target and its monitor believe.
 */
#include "detectors/detector.h"

struct flow {
    struct sighting at;
};

WEIR_HANDLER(count, look, struct flow *, flow, event, ev)
{
    enum weir_dir dir = (enum weir_dir)ev->direction;
    struct weir_tuple tuple;
    struct key key;

    if (ev->flow == NULL)
        return nothing();
    sight(&flow->at, ev, dir);
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'F', &tuple);
    key_addr(&key, &tuple, dir);
    key_addr(&key, &tuple, !dir);
    return detector_count(&flow->at, &key, 1);
}

WEIR_HANDLER(count, weigh, struct flow *, flow, count, n)
{
    if (n < flow->at.by->param[PARAM_COUNT])
        return nothing();
    return detector_turn(&flow->at, 0, (enum weir_dir)flow->at.direction);
}

WEIR_HANDLER(count, tell, struct flow *, flow, count, before)
{
    return detector_tell(&flow->at, 0, before);
}

WEIR_CHAIN(stages, struct flow *, event, look, weigh, tell);

static const struct weir_tap_spec spec = {
    .stage = stages,
    .n_stages = 3,
    .want = WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT),
};

const struct detector_kind fake_storm = {
    .name = "fake-retransmit",
    .spec = &spec,
    .flow_size = sizeof(struct flow),
    .param = { { "count", 10, 1000000 }, { "seconds", 60, 86400 } },
    .alert = { { 5, "WEIR DETECTOR storm of fake retransmissions", "protocol-command-decode", 2 } },
};
