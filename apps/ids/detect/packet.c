/* Rules on packets: of all protocols. */
#include "detect/parts.h"

/* In line such a rule acts on each packet. */
static bool
has_met(const struct detect *d, const struct rule *rule)
{
    return rule->of_ends && d->opts.act == NULL && d->at.ev->flow != NULL &&
           d->scan->met >> d->at.ev->direction & 1;
}

static void
look_at_packet(struct detect *d, uint32_t rule)
{
    if (!d->rule[rule].app_only && !has_met(d, &d->rule[rule]) &&
        detect_fits(d, rule, (enum weir_dir)d->at.ev->direction) && detect_payload_fits(d, rule))
        detect_raise_here(d, rule);
}

static void
on_packet_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ends;
    detect_mark(ctx, rule, 0);
}

static const struct group *
packet_group(const struct detect *d)
{
    enum group_kind kind = GROUP_OTHER;

    if (d->at.ev->packet->proto == WEIR_PROTO_TCP)
        kind = has_stream(&d->at) ? GROUP_SEGMENT : GROUP_LONE;
    else if (d->at.ev->packet->proto == WEIR_PROTO_UDP)
        kind = GROUP_UDP;
    return &d->groups->group[kind][d->at.ev->direction];
}

/* The target drops a packet with a bad checksum: only rules on that event see it. */
static void
scan_packet(struct detect *d, void look(struct detect *d, uint32_t rule))
{
    const struct weir_packet *pkt = d->at.ev->packet;
    const struct group *group;

    if (pkt == NULL || pkt->bad_checksum)
        return;
    prefilter_prefetch(d->scan->dir[d->at.ev->direction].stream);
    group = packet_group(d);
    detect_mark_always(d, group, 0);
    if (group->prefilter != NULL && pkt->payload_len > 0)
        prefilter_scan(group->prefilter, d->prefilters, pkt->payload,
                       pkt->payload_len < group->reach ? pkt->payload_len : group->reach,
                       on_packet_match, d);
    detect_take_marks(d, look);
    d->scan->met |= (uint8_t)(1U << d->at.ev->direction);
}

void
detect_scan_packet(struct detect *d)
{
    scan_packet(d, look_at_packet);
}

static void
look_again(struct detect *d, uint32_t rule)
{
    if (outcome_is_asked(d->outcome, rule))
        look_at_packet(d, rule);
}

void
detect_scan_packet_again(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct weir_event packet = *ev;

    if (ev->flow == NULL || ev->type == WEIR_EV_PACKET || ev->type == WEIR_EV_ESTABLISHED ||
        occasion_is_held_up(&d->at))
        return;
    packet.type = WEIR_EV_PACKET;
    d->at.ev = &packet;
    scan_packet(d, look_again);
    d->at.ev = ev;
}

void
detect_scan_packet_named(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    struct weir_event packet = *ev;
    const struct group *group;

    if (ev->packet == NULL || ev->flow == NULL || d->scan->named[ev->direction] ||
        d->at.app_proto <= APP_UNKNOWN ||
        (ev->type == WEIR_EV_PAYLOAD && !d->scan->app.heard[ev->direction]))
        return;
    d->scan->named[ev->direction] = true;
    packet.type = WEIR_EV_PACKET;
    d->at.ev = &packet;
    group = packet_group(d);
    for (size_t i = 0; i < group->n_always; i++) {
        uint32_t rule = group->always[i];

        if (d->rule[rule].app_only && detect_fits(d, rule, (enum weir_dir)ev->direction))
            detect_raise_here(d, rule);
    }
    d->at.ev = ev;
}
