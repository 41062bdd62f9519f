#include "detect/tag.h"

#include <stdlib.h>

enum key_name { KEY_FLOW, KEY_ADDRESS };

struct tags {
    struct keyed *keyed; /* value.count: packets or bytes to come; value.next: enum tag_metric */
    struct tag_stats stats;
};

static bool
have_tags(const struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        if (rules->at[i].state != NULL && rules->at[i].state->tag.n > 0)
            return true;
    return false;
}

int
tags_new(const struct rules *rules, const struct keyed_opts *opts, struct tags **out,
         struct weir_errbuf *err)
{
    struct tags *t;

    *out = NULL;
    if (!have_tags(rules))
        return WEIR_E_OK;
    t = calloc(1, sizeof(*t));
    if (t == NULL || (t->keyed = keyed_new(TAGS_MAX, opts)) == NULL) {
        tags_free(t);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    *out = t;
    return WEIR_E_OK;
}

void
tags_free(struct tags *t)
{
    if (t == NULL)
        return;
    keyed_free(t->keyed);
    free(t);
}

void
tags_share(struct tags *t, const struct tags *with)
{
    if (t == NULL || with == NULL)
        return;
    keyed_free(t->keyed);
    t->keyed = keyed_share(with->keyed);
}

void
tags_get_stats(const struct tags *t, struct tag_stats *out)
{
    *out = t != NULL ? t->stats : (struct tag_stats){ 0, 0 };
    if (t != NULL)
        out->lost = keyed_lost(t->keyed);
}

void
tags_begin(struct tags *t, const struct tag *tag, const struct subject *subject)
{
    struct keyed_key key = { subject->flow_id, 0, KEY_FLOW, 0 };
    struct keyed_value *v;
    uint64_t now;

    if (tag->host)
        key = (struct keyed_key){ tag->dst ? subject->dst : subject->src, 0, KEY_ADDRESS, 0 };
    if (tag->host ? !subject->has_addresses : subject->flow_id == 0)
        return;
    now = keyed_turn(t->keyed, subject->time);
    v = keyed_take(t->keyed, &key, now);
    v->next = tag->metric;
    v->count = tag->n;
    v->until = tag->metric == TAG_SECONDS ? seconds_after(now, tag->n) + 1 : UINT64_MAX;
}

/* Whether a tag holds; what it has to come becomes less. */
static bool
count_key(struct tags *t, struct keyed_key key, uint64_t now, uint32_t bytes)
{
    struct keyed_value *v = keyed_find(t->keyed, &key, now);
    uint64_t taken;

    if (v == NULL)
        return false;
    if (v->next == TAG_SECONDS)
        return true;
    taken = v->next == TAG_BYTES ? bytes : 1;
    if (taken >= v->count)
        keyed_drop(t->keyed, &key);
    else
        v->count -= taken;
    return true;
}

bool
tags_count(struct tags *t, const struct subject *subject, uint32_t bytes)
{
    struct keyed_key flow = { subject->flow_id, 0, KEY_FLOW, 0 };
    struct keyed_key src = { subject->src, 0, KEY_ADDRESS, 0 };
    struct keyed_key dst = { subject->dst, 0, KEY_ADDRESS, 0 };
    const uint64_t now = keyed_turn(t->keyed, subject->time);
    bool holds;

    if (!keyed_was_used(t->keyed))
        return false;
    holds = subject->flow_id != 0 && count_key(t, flow, now, bytes);
    if (subject->has_addresses) {
        holds |= count_key(t, src, now, bytes);
        if (subject->src != subject->dst)
            holds |= count_key(t, dst, now, bytes);
    }
    t->stats.packets += holds;
    return holds;
}
