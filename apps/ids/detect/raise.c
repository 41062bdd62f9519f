/* A rule has matched: what it captured is kept, and what comes of it is told. */
#include "detect/parts.h"

#include "eve.h"

/* What the rule captured counts from now on, also where no alert comes of it (as in Suricata). */
static void
keep_captures(struct detect *d, uint32_t rule)
{
    const struct weir_event *ev = d->at.ev;
    struct captures **flow = &d->scan->past.captures;

    if (d->at.packet == 0 || d->at.packet != d->of_packet_number)
        d->of_packet->n = 0;
    d->of_packet_number = d->at.packet;
    if (d->caught_by != &d->rule[rule])
        d->caught->n = 0;
    for (const struct captured *c = captures_next(d->caught, NULL); c != NULL;
         c = captures_next(d->caught, c)) {
        bool kept = true;

        if (c->kind == CAPTURE_PACKET)
            kept = captures_put(d->of_packet, c, c->name, captured_bytes(c));
        else if (c->kind != CAPTURE_ALERT && ev->flow != NULL)
            kept = captures_keep(flow, d->mem, c);
        d->stats.captures_lost += !kept;
    }
}

void
detect_raise(struct detect *d, uint32_t rule, enum weir_dir dir)
{
    struct weir_event ev;
    bool alerts;

    if (d->tx == NULL && d->at.packet != 0 && d->alerted[rule] == d->at.packet)
        return;
    d->alerted[rule] = d->at.packet;
    if (d->profile != NULL)
        d->profile[rule].matches++;
    keep_captures(d, rule);
    alerts = outcome_alerts(d->outcome, &d->at, &d->scan->past, rule, dir);
    if (d->opts.act != NULL && outcome_acts(d->outcome))
        d->opts.act(d->ctx, &d->rule[rule], d->at.ev);
    if (!alerts)
        return;
    d->scan->alerted = true;
    d->stats.alerts++;
    ev = *d->at.ev;
    if (ev.direction != dir || !eve_by_packet(&ev))
        ev.packet = NULL;
    ev.direction = (uint8_t)dir;
    d->alert(d->ctx, &d->rule[rule], &ev);
}

bool
detect_is_one_sided(const struct detect *d)
{
    const struct weir_event *ev = d->at.ev;

    return ev->flow != NULL && d->scan->app.established && app_is_one_sided(ev);
}

/* Everything of a rule but its contents. */
bool
detect_fits(struct detect *d, uint32_t rule, enum weir_dir dir)
{
    return rule_fits(&d->at, &d->rule[rule]) &&
           outcome_may(d->outcome, &d->at, &d->scan->past, rule, dir);
}
