/*
 * What a client sends between its SYN and its server's SYN/ACK: segs.h, DOUBT_EARLY. It says what
 * it acknowledges, which only who has the SYN/ACK can know, so that decides when a SYN/ACK comes.
 */
#include "reasm_parts.h"

/* What became of it: rare.early. */
enum early {
    EARLY_NONE,  /* there was nothing */
    EARLY_WAITS, /* the server may still be heard */
    EARLY_TAKEN, /* the capture does not have the server: nothing waits any more */
};

uint64_t
early_end(const struct weir_flow *flow)
{
    return flow_cold(flow)->start / TICK_NS + EARLY_TICKS;
}

bool
reasm_holds_early(struct engine *e, struct weir_flow *flow)
{
    struct rare *rare = reasm_need_rare(flow);

    if (rare == NULL)
        return !e->opts.one_sided; /* nothing can be held, or found wrong */
    if (rare->early != EARLY_NONE)
        return rare->early == EARLY_WAITS;
    rare->early_ack = e->packet->tcp_ack;
    rare->early = e->opts.one_sided || tick_now(e) >= early_end(flow) ? EARLY_TAKEN : EARLY_WAITS;
    engine_arm(e, flow);
    return rare->early == EARLY_WAITS;
}

bool
early_waits(struct weir_flow *flow)
{
    const struct rare *rare = flow_rare(flow);

    return rare != NULL && rare->early == EARLY_WAITS &&
           !(flow_side(flow, WEIR_TOCLIENT)->flags & SIDE_SEEN);
}

/* It is beyond doubt. */
static void
lift_early(struct engine *e, struct weir_flow *flow)
{
    struct flow_cold *cold = flow_cold(flow);
    struct segs *queue = cold->rare->queue[WEIR_TOSERVER];

    if (cold->fin_doubt[WEIR_TOSERVER] == DOUBT_EARLY)
        cold->fin_doubt[WEIR_TOSERVER] = DOUBT_NONE;
    for (uint32_t i = 0; i < segs_count(queue); i++)
        if (queued_at(queue, i)->doubt == DOUBT_EARLY)
            queued_at(queue, i)->doubt = DOUBT_NONE;
    reasm_drain(e, flow, WEIR_TOSERVER);
}

/* The server has nothing of what waits but what came on a SYN. */
static void
drop_early(struct engine *e, struct weir_flow *flow)
{
    struct rare *rare = flow_rare(flow);
    struct segs *queue = rare->queue[WEIR_TOSERVER];
    uint32_t i = 0;

    while (i < segs_count(queue)) {
        struct queued *q = queued_at(queue, i);

        if (q->doubt == DOUBT_REFUSED) {
            i++;
            continue;
        }
        rare->queued[WEIR_TOSERVER] -= q->seg.len;
        rare->undelivered += q->seg.len;
        e->stats.undelivered += q->seg.len;
        seg_drop(&q->seg, flow_mem(flow));
        segs_remove(queue, i, 1);
    }
    rare->urgent[WEIR_TOSERVER] = NO_URGENT;
    rare->sent[WEIR_TOSERVER] = 0;
    rare->beyond[WEIR_TOSERVER] = (struct beyond){ 0, 0, 0, 0 };
    flow_side(flow, WEIR_TOSERVER)->flags &= (uint8_t)~SIDE_FIN_WAITS;
}

void
reasm_take_early(struct engine *e, struct weir_flow *flow)
{
    if (!early_waits(flow))
        return;
    flow_rare(flow)->early = EARLY_TAKEN;
    lift_early(e, flow);
}

void
reasm_refuse_early(struct weir_flow *flow)
{
    if (early_waits(flow))
        flow_rare(flow)->early = EARLY_NONE;
}

int64_t
reasm_syn_end(struct weir_flow *flow, enum weir_dir dir)
{
    struct segs *queue = has_queue(flow, dir) ? *queue_of(flow, dir) : NULL;

    if (dir == WEIR_TOCLIENT || flow_rare(flow) == NULL || flow_rare(flow)->early == EARLY_NONE)
        return reasm_seen_end(flow, dir);
    if (queue == NULL || queued_at(queue, 0)->doubt != DOUBT_REFUSED || segs_at(queue, 0)->off != 0)
        return 0;
    return segs_at(queue, 0)->len;
}

bool
reasm_early_is_right(const struct weir_flow *flow, uint32_t server_base)
{
    const struct rare *rare = flow_rare(flow);

    return rare == NULL || rare->early == EARLY_NONE || rare->early_ack == server_base;
}

void
reasm_judge_early(struct engine *e, struct weir_flow *flow, uint32_t server_base)
{
    struct rare *rare = flow_rare(flow);

    if (rare == NULL || rare->early == EARLY_NONE)
        return;
    if (reasm_early_is_right(flow, server_base))
        lift_early(e, flow);
    else
        drop_early(e, flow);
    rare->early = EARLY_NONE;
}
