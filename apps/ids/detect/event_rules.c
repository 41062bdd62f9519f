/* Rules on flow events, and on what is wrong with packets. */
#include "detect/parts.h"

#include "detect/anomaly.h"

static bool
conditions_hold(const struct event_test *test, const struct weir_event *ev)
{
    for (unsigned i = 0; i < test->n; i++)
        if (!compare_holds(&test->condition[i].compare,
                           weir_event_int(ev, test->condition[i].field)))
            return false;
    return true;
}

/* One of the tests of this type holds; TEST_FRAGMENT has none that could fail. */
static bool
a_test_holds(const struct rule *rule, unsigned type, const struct weir_event *ev)
{
    for (unsigned i = 0; i < rule->n_events; i++)
        if (rule->event[i].type == type && conditions_hold(&rule->event[i], ev))
            return true;
    return type == TEST_FRAGMENT;
}

void
detect_test_rules(struct detect *d, unsigned type)
{
    const struct groups *groups = d->groups;

    for (size_t i = groups->first[type]; i < groups->first[type + 1]; i++) {
        uint32_t rule = groups->by_event[i];

        d->stats.candidates++;
        if (d->profile != NULL)
            d->profile[rule].looks++;
        if (a_test_holds(&d->rule[rule], type, d->at.ev) &&
            detect_fits(d, rule, d->at.ev->direction) && detect_copies_fit(d, rule))
            detect_raise_here(d, rule);
    }
}

void
detect_test_anomalies(struct detect *d)
{
    const struct weir_event *ev = d->at.ev;
    u128 found;

    if (!groups_ask_packets(d->groups) || ev->packet == NULL)
        return;
    found = anomalies_of(ev);
    for (unsigned i = 0; found >> i != 0; i++)
        if (found >> i & 1)
            detect_test_rules(d, TEST_ANOMALY + i);
    if (ev->packet->fragment && ev->type == WEIR_EV_PACKET)
        detect_test_rules(d, TEST_FRAGMENT);
}
