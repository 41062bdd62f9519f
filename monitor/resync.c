#include "resync.h"

static bool
agree(const struct beyond *beyond)
{
    return beyond->acked != 0 && beyond->acked >= beyond->from && beyond->acked <= beyond->to;
}

static void
jump(struct weir_flow *flow, enum weir_dir dir, struct beyond *beyond)
{
    struct side *side = flow_side(flow, dir);

    side->edge = (uint32_t)greater(beyond->edge, beyond->acked);
    reasm_note_sent(flow, dir, beyond->acked);
    *beyond = (struct beyond){ 0 };
}

bool
resync_sent(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t from, int64_t to)
{
    struct rare *rare = reasm_need_rare(flow);
    struct beyond *beyond;
    int64_t acked;

    if (rare == NULL || !(flow_side(flow, dir)->flags & SIDE_ACKED))
        return false;
    beyond = &rare->beyond[dir];
    if (from < beyond->from || from > beyond->to)
        beyond->from = beyond->to = from;
    beyond->to = greater(beyond->to, to);
    if (!agree(beyond))
        return false;
    acked = beyond->acked;
    jump(flow, dir, beyond);
    flow_side(flow, dir)->acked = (uint32_t)acked;
    reasm_acked(e, flow, dir);
    return true;
}

bool
resync_acked(struct weir_flow *flow, enum weir_dir dir, int64_t ack, int64_t edge)
{
    struct rare *rare = reasm_need_rare(flow);
    struct beyond *beyond;

    if (rare == NULL)
        return false;
    beyond = &rare->beyond[dir];
    beyond->acked = ack;
    beyond->edge = edge;
    if (!agree(beyond))
        return false;
    jump(flow, dir, beyond);
    return true;
}
