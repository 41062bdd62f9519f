/*
 * RST injection: a third party resets a connection in the name of one of its ends. What gives it
 * away is that this end knows nothing of it: it goes on after a RST of its own. Also a RST that has
 * come from further away than all else.
 */
#include "detectors/detector.h"

struct flow {
    bool bad[2]; /* the side has "sent" a RST that its peer did not take */
};

#define SIGNS                                                                                      \
    (WEIR_EV_BIT(WEIR_EV_BAD_RST) | WEIR_EV_BIT(WEIR_EV_RST_IGNORED) |                             \
     WEIR_EV_BIT(WEIR_EV_DATA_AFTER_END) | WEIR_EV_BIT(WEIR_EV_TTL_JUMP))

/* Payload is of interest only behind a RST that was refused. */
static void
expect_data(struct flow *flow, const struct weir_event *ev)
{
    flow->bad[ev->direction] = true;
    narrow(ev, SIGNS | WEIR_EV_BIT(WEIR_EV_PAYLOAD));
}

/* A side that goes on tells once of each refused RST, or of several in a row. */
static bool
goes_on(struct flow *flow, const struct weir_event *ev)
{
    const bool told = flow->bad[ev->direction];

    flow->bad[ev->direction] = false;
    if (!flow->bad[!ev->direction])
        narrow(ev, SIGNS);
    return told;
}

static bool
is_evidence(struct flow *flow, const struct weir_event *ev)
{
    switch (ev->type) {
    case WEIR_EV_FLOW_START:
        narrow(ev, weir_flow_proto(ev->flow) == WEIR_PROTO_TCP ? SIGNS : 0);
        return false;
    case WEIR_EV_BAD_RST:
        if (weir_flow_phase(ev->flow) != WEIR_FLOW_NEW)
            expect_data(flow, ev);
        return false;
    case WEIR_EV_PAYLOAD:
        return goes_on(flow, ev);
    case WEIR_EV_DATA_AFTER_END:
        return ev->data_after_end.why == WEIR_AFTER_RST;
    case WEIR_EV_TTL_JUMP:
        return ev->packet != NULL && ev->packet->tcp_flags & WEIR_TH_RST;
    default:
        return ev->type == WEIR_EV_RST_IGNORED;
    }
}

WEIR_HANDLER(count, look, struct flow *, flow, event, ev)
{
    struct sighting *at;
    struct weir_tuple tuple;
    struct key key;

    if (ev->flow == NULL || !is_evidence(flow, ev) ||
        (at = sight(ev, (enum weir_dir)ev->direction)) == NULL)
        return nothing();
    at->host = WEIR_TOSERVER;
    weir_flow_tuple(ev->flow, &tuple);
    key_begin(&key, 'R', &tuple);
    key_addr(&key, &tuple, WEIR_TOSERVER);
    key_addr(&key, &tuple, WEIR_TOCLIENT);
    return detector_judge(at, detector_count(at, &key, 1));
}

const struct detector_kind rst_injection = {
    .name = "rst-injection",
    .look = look_raw,
    .want = SIGNS | WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_PAYLOAD),
    .flow_size = sizeof(struct flow),
    .param = { { "count", 2, 1000000 }, { "seconds", 60, 86400 } },
    .alert = { { 6, "WEIR DETECTOR RST injected into a connection", "attempted-dos", 2 } },
};
