#include "detect/parts.h"

#include <weir/flow.h>

const struct outcome *
detect_outcome(const struct detect *d)
{
    return d->outcome;
}

const struct captures *
detect_packet_captures(const struct detect *d)
{
    return d->of_packet;
}

const struct captures *
detect_alert_captures(const struct detect *d)
{
    for (const struct captured *c = captures_next(d->caught, NULL); c != NULL;
         c = captures_next(d->caught, c))
        if (c->kind == CAPTURE_ALERT)
            return d->caught;
    return NULL;
}

const struct rule_profile *
detect_get_profile(const struct detect *d)
{
    return d->profile;
}

const struct detect_stats *
detect_get_stats(const struct detect *d)
{
    return &d->stats;
}

static bool
kind_is_used(const struct groups *groups, enum group_kind kind)
{
    return !group_is_empty(&groups->group[kind][0]) || !group_is_empty(&groups->group[kind][1]);
}

uint64_t
detect_wants(const struct detect *d)
{
    const struct groups *groups = d->groups;
    uint64_t wants = WEIR_EV_BIT(WEIR_EV_ESTABLISHED) | WEIR_EV_BIT(WEIR_EV_FLOW_END);

    if (outcome_wants_packets(d->outcome))
        wants |= WEIR_EV_BIT(WEIR_EV_PACKET);
    for (int kind = GROUP_SEGMENT; kind < GROUP_KINDS; kind++)
        if (kind_is_used(groups, kind))
            wants |= WEIR_EV_BIT(WEIR_EV_PACKET);
    if (kind_is_used(groups, GROUP_STREAM))
        wants |= WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_GAP) |
                 WEIR_EV_BIT(WEIR_EV_FIN) | WEIR_EV_BIT(WEIR_EV_RST) |
                 (d->opts.any ? WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT) : 0);
    for (unsigned type = 0; type < WEIR_EV_COUNT; type++)
        if (groups->first[type] < groups->first[type + 1])
            wants |= WEIR_EV_BIT(type);
    if (groups_ask_packets(groups))
        wants |= WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_BAD_PACKET);
    return wants;
}

/*
 * What stands for the packet of an event. One packet may be shown to three: to its flow, to the
 * flow that an ICMP error quotes, and to nobody's, as a fragment; which may be on three cores.
 */
static uint64_t
packet_of(const struct weir_event *ev)
{
    enum { OF_FLOW, QUOTED, OF_NONE, WAYS };
    const unsigned way = ev->flow == NULL                 ? OF_NONE
                         : ev->type == WEIR_EV_ICMP_ERROR ? QUOTED
                                                          : OF_FLOW;

    return ev->number != 0 ? ev->number * WAYS + way : 0;
}

/*
 * A host has taken bytes before the handshake's end, so that their content counts as established:
 * data on a SYN, which the SYN/ACK accepted (RFC 7413: the application gets them at once, and a
 * client that never sends the third step must not get past rules), and what the server answers. But
 * a SYN that nobody answered may have any source, and its data be meant for the monitor only.
 */
static bool
is_early(const struct weir_event *ev)
{
    struct weir_flow_counts receiver;

    if (weir_flow_midstream(ev->flow) || weir_flow_phase(ev->flow) != WEIR_FLOW_NEW)
        return false;
    weir_flow_counts(ev->flow, !ev->direction, &receiver);
    return receiver.packets > 0;
}

void
detect_begin(struct detect *d, struct flow_scan *scan, const struct weir_event *ev)
{
    d->mem = ev->flow != NULL ? mem_of_shard(&d->shards, weir_flow_shard(ev->flow))
                              : mem_of_core(&d->shards);
    if (scan->generation != d->generation)
        detect_renew(d, scan);
    d->changes = outcome_changes(d->outcome);
    d->at = (struct occasion){ .ev = ev,
                               .packet = packet_of(ev),
                               .established = scan->established,
                               .midstream = d->opts.midstream,
                               .app_proto = (uint8_t)app_flow_proto(&scan->app) };
    d->scan = scan;
    d->window_back = -1;
    if (ev->type == WEIR_EV_PAYLOAD && !scan->established)
        d->at.established = scan->opened = scan->opened || is_early(ev);
    d->at.established |= detect_is_one_sided(d);
}

struct tx *
detect_tx(const struct detect *d)
{
    return d->tx;
}

void
detect_event(struct detect *d, struct flow_scan *scan, const struct weir_event *ev)
{
    detect_begin(d, scan, ev);
    detect_go_on(d);
    if (ev->type == WEIR_EV_FLOW_END)
        detect_forget(d);
}

void
detect_forget(struct detect *d)
{
    outcome_forget(d->outcome, &d->scan->past);
}

void
detect_go_on(struct detect *d)
{
    struct flow_scan *scan = d->scan;
    const struct weir_event *ev = d->at.ev;

    d->at.app_proto = (uint8_t)app_flow_proto(&scan->app);
    if (scan->past.passed) {
        if (ev->type == WEIR_EV_FLOW_END)
            detect_release(d);
        return;
    }

    switch (ev->type) {
    case WEIR_EV_PACKET:
        outcome_packet(d->outcome, &d->at, &scan->past);
        detect_test_anomalies(d);
        if (ev->flow != NULL)
            detect_scan_packet(d);
        break;
    case WEIR_EV_BAD_PACKET:
        detect_test_anomalies(d);
        break;
    case WEIR_EV_ESTABLISHED: /* what the packet's own event was too early for */
        scan->established = d->at.established = true;
        detect_scan_packet(d);
        break;
    case WEIR_EV_PAYLOAD:
        detect_scan_payload(d);
        detect_scan_packet_named(d);
        break;
    case WEIR_EV_DATAGRAM:
        detect_scan_packet_named(d);
        break;
    case WEIR_EV_GAP:
        detect_pass_gap(d);
        break;
    case WEIR_EV_FAKE_RETRANSMIT:
        if (d->view != NULL)
            detect_note_conflict(d);
        break;
    case WEIR_EV_FIN:
        detect_finish(d, ev->direction);
        break;
    case WEIR_EV_RST:
    case WEIR_EV_FLOW_END:
        detect_finish(d, WEIR_TOSERVER);
        detect_finish(d, WEIR_TOCLIENT);
        break;
    default:
        break;
    }
    detect_test_rules(d, ev->type);
    if (outcome_changes(d->outcome) != d->changes)
        detect_scan_packet_again(d);
    if (ev->type == WEIR_EV_FLOW_END)
        detect_release(d);
}
