/*
 * A storm of fake retransmissions: bytes that come again, and are others. One may be a broken host;
 * many from one host to another mean that somebody tries what the target and its monitor believe.
 */
#include "detectors/detector.h"

WEIR_HANDLER(count, look, void *, nothing_kept, event, ev)
{
    struct sighting *at;
    enum weir_dir dir = (enum weir_dir)ev->direction;
    struct weir_tuple tuple;
    struct key key;

    (void)nothing_kept;
    if (ev->flow == NULL || (at = sight(ev, dir)) == NULL)
        return nothing();
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'F', &tuple);
    key_addr(&key, &tuple, dir);
    key_addr(&key, &tuple, !dir);
    return detector_judge(at, detector_count(at, &key, 1));
}

const struct detector_kind fake_storm = {
    .name = "fake-retransmit",
    .look = look_raw,
    .want = WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT),
    .param = { { "count", 10, 1000000 }, { "seconds", 60, 86400 } },
    .alert = { { 5, "WEIR DETECTOR storm of fake retransmissions", "protocol-command-decode", 2 } },
};
