#include "out/packet_alerts.h"

#include "rule/order.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Bytes of records that wait: two that are as long as one may be, at least. */
enum { TEXT_SIZE = 2 * (OUT_RECORD_MAX + 8) };

struct packet_alerts {
    packet_alert_fn tell;
    void *ctx;
    uint32_t most;
    uint32_t n;               /* that wait, the gravest first */
    uint32_t told;            /* of the same packet */
    struct eve_draft **order; /* n of them, then those that are free: most in all */
    struct eve_draft *at;     /* most of them; owned */
    uint8_t *text;            /* what they say; owned */
    size_t used;              /* bytes of it */
    uint64_t over;
};

void
packet_alerts_free(struct packet_alerts *q)
{
    if (q == NULL)
        return;
    if (q->text != NULL)
        munmap(q->text, TEXT_SIZE);
    free(q->order);
    free(q->at);
    free(q);
}

int
packet_alerts_new(uint32_t most, packet_alert_fn tell, void *ctx, struct packet_alerts **out,
                  struct weir_errbuf *err)
{
    struct packet_alerts *q = calloc(1, sizeof(*q));
    void *text = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *out = NULL;
    if (q != NULL) {
        q->tell = tell;
        q->ctx = ctx;
        q->most = most;
        q->text = text != MAP_FAILED ? text : NULL;
        q->order = calloc(most, sizeof(struct eve_draft *));
        q->at = calloc(most, sizeof(*q->at));
    }
    if (q == NULL || q->text == NULL || q->order == NULL || q->at == NULL) {
        packet_alerts_free(q);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < most; i++)
        q->order[i] = &q->at[i];
    *out = q;
    return WEIR_E_OK;
}

static int
compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* As strcmp(): below 0 if a is the graver one. */
static int
by_gravity(const struct rule *a, const struct rule *b)
{
    int by = compare(rule_action_rank(a->action), rule_action_rank(b->action));

    if (by == 0)
        by = compare(a->priority, b->priority);
    if (by == 0)
        by = compare(a->gid, b->gid);
    return by != 0 ? by : compare(a->sid, b->sid);
}

/* Where an alert of the rule belongs among those that wait. */
static uint32_t
place_of(const struct packet_alerts *q, const struct rule *rule)
{
    uint32_t i = q->n;

    while (i > 0 && by_gravity(q->order[i - 1]->rule, rule) > 0)
        i--;
    return i;
}

/* How many alerts the packet may still have, with those that wait. */
static uint32_t
limit_of(const struct packet_alerts *q, const struct weir_event *ev)
{
    const uint32_t told = q->told < q->most ? q->told : q->most;

    return ev->number != 0 ? q->most - told : q->most;
}

void
packet_alerts_add(struct packet_alerts *q, struct eve_out *eve, const struct eve_flow *flow,
                  const struct rule *rule, const struct weir_event *ev,
                  const struct eve_about *about)
{
    struct eve_room room;
    struct eve_draft *draft;
    uint32_t place;

    if (ev->number == 0 && q->n == q->most)
        packet_alerts_tell(q);
    place = place_of(q, rule);
    if (q->n == limit_of(q, ev)) {
        q->over++;
        if (place == q->n)
            return;
        q->n--;
    }
    draft = q->order[q->n];
    room = (struct eve_room){ q->text + q->used, TEXT_SIZE - q->used };
    if (!eve_alert_begin(eve, flow, rule, ev, about, room, draft) && q->used > 0) {
        packet_alerts_tell(q);
        packet_alerts_add(q, eve, flow, rule, ev, about);
        return;
    }
    q->used += (size_t)(draft->bytes.p + draft->bytes.n - room.p);
    memmove(&q->order[place + 1], &q->order[place], (q->n - place) * sizeof(draft));
    q->order[place] = draft;
    q->n++;
}

bool
packet_alerts_wait(const struct packet_alerts *q)
{
    return q->n > 0;
}

void
packet_alerts_tell(struct packet_alerts *q)
{
    for (uint32_t i = 0; i < q->n; i++)
        q->tell(q->ctx, q->order[i]);
    q->told += q->n;
    q->n = 0;
    q->used = 0;
}

void
packet_alerts_end(struct packet_alerts *q)
{
    packet_alerts_tell(q);
    q->told = 0;
}

uint64_t
packet_alerts_over(const struct packet_alerts *q)
{
    return q->over;
}
