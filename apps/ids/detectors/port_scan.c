/*
 * Port scans: one host that asks in vain for many ports of another (vertical), or for one port of
 * many others (horizontal). In vain: refused, unanswered, broken off before a byte was sent, or
 * asked with flags that no connection begins with.
 *
 * Two questions for each attempt, one after the other, with a sighting each.
 */
#include "detectors/detector.h"

enum { VERTICAL, HORIZONTAL };    /* alerts */
enum { PARAM_HOSTS = PARAM_OWN }; /* of one port; PARAM_COUNT: ports of one host */
enum { UNREACHABLE = 3, TOO_BIG = 4, UNREACHABLE_V6 = 1 }; /* RFC 792, RFC 4443 3.1 */

struct flow {
    bool told; /* this attempt was counted */
};

static bool
is_silent(const struct weir_flow *flow)
{
    struct weir_flow_counts asks, answers;

    weir_flow_counts(flow, WEIR_TOSERVER, &asks);
    weir_flow_counts(flow, WEIR_TOCLIENT, &answers);
    return asks.payload == 0 && answers.payload == 0 &&
           (answers.packets == 0 || (asks.tcp_flags | answers.tcp_flags) & WEIR_TH_RST);
}

static bool
is_unreachable(const struct weir_event *ev)
{
    bool v4 = ev->packet == NULL || ev->packet->ip_version == 4;

    if (ev->direction != WEIR_TOSERVER) /* an answer that comes too late */
        return false;
    if (!v4)
        return ev->icmp_error.type == UNREACHABLE_V6;
    return ev->icmp_error.type == UNREACHABLE && ev->icmp_error.code != TOO_BIG;
}

static bool
is_odd(const struct weir_event *ev)
{
    return ev->direction == WEIR_TOSERVER && ev->bad_flags.why != WEIR_BAD_FLAGS_RST_DATA &&
           ev->bad_flags.why != WEIR_BAD_FLAGS_NO_ACK;
}

static void
choose_events(const struct weir_event *ev)
{
    switch (weir_flow_proto(ev->flow)) {
    case WEIR_PROTO_TCP:
        narrow(ev, WEIR_EV_BIT(WEIR_EV_RST) | WEIR_EV_BIT(WEIR_EV_BAD_FLAGS) |
                       WEIR_EV_BIT(WEIR_EV_ICMP_ERROR) | WEIR_EV_BIT(WEIR_EV_FLOW_END));
        break;
    case WEIR_PROTO_UDP:
        narrow(ev, WEIR_EV_BIT(WEIR_EV_ICMP_ERROR));
        break;
    default:
        narrow(ev, 0);
        break;
    }
}

static bool
is_in_vain(const struct weir_event *ev)
{
    switch (ev->type) {
    case WEIR_EV_FLOW_START:
        choose_events(ev);
        return false;
    case WEIR_EV_ICMP_ERROR:
        return is_unreachable(ev);
    case WEIR_EV_BAD_FLAGS:
        return is_odd(ev);
    default: /* a RST, or the end */
        return !weir_flow_midstream(ev->flow) && is_silent(ev->flow);
    }
}

static count_fut
count_ports(struct sighting *at)
{
    struct weir_tuple tuple;
    struct key key;

    weir_flow_tuple(at->flow, &tuple);
    key_begin(&key, 'V', &tuple);
    key_addr(&key, &tuple, WEIR_TOSERVER);
    key_addr(&key, &tuple, WEIR_TOCLIENT);
    return detector_judge(
        at, detector_distinct(at, &key, &tuple.port[WEIR_TOCLIENT], sizeof(tuple.port[0])));
}

static count_fut
count_hosts(struct sighting *at)
{
    struct weir_tuple tuple;
    struct key key;

    weir_flow_tuple(at->flow, &tuple);
    key_begin(&key, 'H', &tuple);
    key_addr(&key, &tuple, WEIR_TOSERVER);
    key_bytes(&key, &tuple.port[WEIR_TOCLIENT], sizeof(tuple.port[0]));
    return detector_judge(
        at, detector_distinct(at, &key, &tuple.addr[WEIR_TOCLIENT], sizeof(tuple.addr[0])));
}

/* The second question, when all is said about the first. */
static weir_fut
go_on(void *ctx, weir_fut in)
{
    struct sighting *at = ctx;

    (void)in;
    at->alert = HORIZONTAL;
    at->threshold = PARAM_HOSTS;
    return count_hosts(at).f;
}

WEIR_HANDLER(count, look, struct flow *, flow, event, ev)
{
    struct sighting *ports, *hosts;
    count_fut first;

    if (ev->flow == NULL || flow->told || !is_in_vain(ev))
        return nothing();
    flow->told = true;
    ports = sight(ev, WEIR_TOSERVER);
    hosts = sight(ev, WEIR_TOSERVER);
    first = ports != NULL ? count_ports(ports) : nothing();
    return hosts != NULL ? count_of(weir_always(first.f, go_on, hosts)) : first;
}

const struct detector_kind port_scan = {
    .name = "port-scan",
    .look = look_raw,
    .want = WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_RST) |
            WEIR_EV_BIT(WEIR_EV_BAD_FLAGS) | WEIR_EV_BIT(WEIR_EV_ICMP_ERROR) |
            WEIR_EV_BIT(WEIR_EV_FLOW_END),
    .flow_size = sizeof(struct flow),
    .param = { { "ports", 20, 65536 }, { "seconds", 60, 86400 }, { "hosts", 25, 1000000 } },
    .alert = { { 1, "WEIR DETECTOR port scan of a host", "attempted-recon", 2 },
               { 2, "WEIR DETECTOR scan of many hosts for a port", "attempted-recon", 2 } },
};
