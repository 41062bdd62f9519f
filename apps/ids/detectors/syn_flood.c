/*
 * SYN flood: many handshakes with one port of a host that never come to their third step. The
 * sources may be forged, so the key is the target, and it is the target that is told of.
 */
#include "detectors/detector.h"

/* One more, or, when the handshake is done, one less. */
WEIR_HANDLER(count, look, void *, nothing_kept, event, ev)
{
    struct sighting *at;
    struct weir_tuple tuple;
    struct key key;

    (void)nothing_kept;
    if (ev->flow == NULL || (at = sight(ev, WEIR_TOSERVER)) == NULL)
        return nothing();
    at->host = WEIR_TOCLIENT;
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'S', &tuple);
    key_addr(&key, &tuple, WEIR_TOCLIENT);
    key_bytes(&key, &tuple.port[WEIR_TOCLIENT], sizeof(tuple.port[0]));
    return detector_judge(at, detector_count(at, &key, ev->type == WEIR_EV_SYN ? 1 : -1));
}

const struct detector_kind syn_flood = {
    .name = "syn-flood",
    .look = look_raw,
    .want = WEIR_EV_BIT(WEIR_EV_SYN) | WEIR_EV_BIT(WEIR_EV_ESTABLISHED),
    .is_posted = true, /* a SYN adds one, at most */
    .param = { { "count", 500, 1000000 }, { "seconds", 10, 86400 } },
    .alert = { { 3, "WEIR DETECTOR SYN flood", "attempted-dos", 2 } },
};
