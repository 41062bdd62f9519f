#include "detect/parts.h"

#include <weir/verdict.h>

/* Where contents are is looked for once more: for matches of rules that replace, and only then. */
static bool
find(struct detect *d, const struct rule *rule, const struct weir_packet *pkt,
     int64_t placed[STEPS_MAX])
{
    const struct buffer buffer = { pkt->payload, 0, pkt->payload_len, true };
    struct match m = { .rule = rule,
                       .behind = rule->n_payload,
                       .buffer = &buffer,
                       .fast = -1,
                       .placed = placed,
                       .scratch = d->scratch,
                       .decoded = d->decoded };

    for (unsigned i = 0; i < rule->n_payload; i++)
        placed[i] = -1;
    return match_rule(&m) == MATCH_YES;
}

bool
detect_replace(struct detect *d, const struct rule *rule, const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;
    int64_t placed[STEPS_MAX];
    bool done = true;

    if (pkt == NULL || pkt->payload == NULL || !find(d, rule, pkt, placed))
        return false;
    for (unsigned i = 0; i < rule->n_payload; i++) {
        const struct step *step = &rule->step[i];

        if (step->instead != NULL && placed[i] >= 0)
            done &= weir_rewrite_payload(ev, (uint32_t)placed[i], step->instead, step->n) ==
                    WEIR_E_OK;
    }
    return done;
}
