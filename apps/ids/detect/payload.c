/* A rule's sections, compared with a payload and with what else there is. */
#include "detect/parts.h"

#include "detect/copies.h"

void
detect_begin_rule(struct detect *d, const struct rule *rule)
{
    d->decoded->n = 0;
    d->caught->n = 0;
    d->caught_by = rule;
}

enum match_answer
detect_match(struct detect *d, struct match *m)
{
    enum match_answer answer;

    m->caught = d->caught;
    m->lost = 0;

    m->scratch = d->scratch;
    m->decoded = d->decoded;
    m->limits = 0;
    answer = match_rule(m);
    d->stats.pcre_limits += m->limits;
    d->stats.captures_lost += m->lost;
    d->stats.given_up += m->budget < 0 && m->limits == 0;
    return answer;
}

enum transform_answer
detect_transform(struct detect *d, const struct match *m, const struct section *section,
                 struct buffer *buffer)
{
    enum transform_answer answer;

    if (section->chain == 0)
        return TRANSFORM_DONE;
    answer = transform(d->transformer, m->rule, section->chain, d->scratch, buffer);
    d->stats.transforms_lost += transformer_lost(d->transformer);
    return answer;
}

/* Buffers beside the payload: what base64_decode made of it, and headers of the packet. */
static bool
rest_fits(struct detect *d, const struct rule *rule, uint64_t *variable)
{
    const struct weir_packet *pkt = d->at.ev->packet;

    for (unsigned i = rule->n_payload > 0; i < rule->n_sections; i++) {
        const struct section *section = &rule->section[i];
        struct buffer buffer = { d->decoded->bytes, 0, (int64_t)d->decoded->n, true };
        struct match m = { .rule = rule, .buffer = &buffer, .fast = -1, .variable = variable };

        if (section->buffer != BUFFER_BASE64 &&
            (pkt == NULL || !headers_show(pkt, section->buffer, &buffer)))
            return false;
        if (detect_transform(d, &m, section, &buffer) != TRANSFORM_DONE)
            return false;
        m.first = section->first;
        m.behind = section->behind;
        if (detect_match(d, &m) != MATCH_YES)
            return false;
    }
    return true;
}

enum match_answer
detect_match_all(struct detect *d, struct match *m)
{
    uint64_t variable[STEPS_MAX] = { 0 };
    enum match_answer answer;

    m->variable = variable;
    m->first = 0;
    m->behind = m->rule->n_payload;
    detect_begin_rule(d, m->rule);
    answer = detect_match(d, m);
    if (answer != MATCH_YES || rest_fits(d, m->rule, variable))
        return answer;
    return m->buffer->final || m->until == INT64_MAX ? MATCH_NO : MATCH_WAIT;
}

bool
detect_payload_fits(struct detect *d, uint32_t rule)
{
    const struct weir_packet *pkt = d->at.ev->packet;
    struct buffer buffer;
    struct match m = { .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };

    if (d->rule[rule].n_payload == 0 && d->rule[rule].n_sections == 0)
        return true;
    if (d->rule[rule].n_payload == 0) {
        uint64_t variable[STEPS_MAX] = { 0 };

        detect_begin_rule(d, &d->rule[rule]);
        return rest_fits(d, &d->rule[rule], variable);
    }
    if (pkt == NULL || pkt->l4 == NULL || pkt->payload_len == 0)
        return false;
    buffer = (struct buffer){ pkt->payload, 0, pkt->payload_len, true };
    return detect_match_all(d, &m) == MATCH_YES;
}

bool
detect_copies_fit(struct detect *d, uint32_t rule)
{
    struct buffer buffer;
    struct match m = { .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };
    unsigned copy;

    if (d->at.ev->type != WEIR_EV_FAKE_RETRANSMIT || d->rule[rule].n_payload == 0)
        return detect_payload_fits(d, rule);
    copy = d->rule[rule].event->copy;
    if (copy != COPY_OLD && copy_new(d->at.ev, &buffer) && detect_match_all(d, &m) == MATCH_YES)
        return true;
    m = (struct match){ .rule = &d->rule[rule], .buffer = &buffer, .fast = -1 };
    return copy != COPY_NEW && copy_old(d->at.ev, d->window, DETECT_WINDOW, &buffer) &&
           detect_match_all(d, &m) == MATCH_YES;
}
