#include "front.h"

#include "engine.h"
#include "reader.h"

void
front_begin(struct front *f, struct batch *batch)
{
    f->batch = batch;
    f->number = f->syns = 0;
    batch_add(batch, ARRIVES_SETTLE, NO_CORE, 0); /* nobody's, as long as no mark is due */
}

/* A tick that passes stands in front of the batch. */
static void
begin_with(struct front *f, uint64_t time)
{
    f->first = f->clock = time;
    f->tick_end = (time / TICK_NS + 1) * TICK_NS;
}

/* An ICMP error is for the flow of the packet that it quotes, too. There is room. */
static __attribute__((noinline)) void
add_quote(struct front *f, const struct weir_packet *pkt)
{
    struct flow_ref ref;
    struct arrival *a;

    if (!reader_quotes(f->reader, pkt, &ref))
        return;
    a = batch_add(f->batch, ARRIVES_QUOTE, core_of_shard(ref.shard, f->reader->n_cores), f->clock);
    a->plain = false;
    a->pkt = *pkt;
    a->ref = ref;
}

static void
dispatch(struct front *f, struct arrival *a, uint8_t *core)
{
    if (WEIR_UNLIKELY(a->result != DECODE_FLOW)) {
        a->kind = ARRIVES_NO_FLOW;
        return;
    }
    f->syns += a->pkt.tcp_flags >> 1 & 1; /* WEIR_TH_SYN; 0 for all but TCP */
    a->syns = f->syns;
    flow_ref(&a->pkt, f->reader->by_vlan, &f->reader->secret, &a->ref);
    *core = (uint8_t)core_of_shard(a->ref.shard, f->reader->n_cores);
    if (a->pkt.proto != WEIR_PROTO_TCP && packet_is_icmp(&a->pkt))
        add_quote(f, &a->pkt);
}

enum front_result
front_take(struct front *f, const struct weir_frame *frame)
{
    struct batch *batch = f->batch;
    const size_t used = batch->used;
    const uint64_t time = clock_of(frame);
    struct weir_frame kept;
    struct arrival *a;

    if (f->number == 0)
        begin_with(f, time);
    else if (!batch_has_room(batch, frame->caplen) || time >= f->tick_end)
        return FRONT_FULL;
    if (time > f->clock)
        f->clock = time;
    frame = batch_keep(batch, frame, &kept);
    a = batch_add(batch, ARRIVES_PACKET, 0, f->clock); /* the first core, if it is of no flow */
    a->fragments = a->datagrams = 0;
    a->bytes = frame->wirelen;
    a->verified = frame->verified;
    a->result = (uint8_t)decode_next(frame, &a->pkt, &a->fault, &a->plain);
    if (WEIR_UNLIKELY(a->result == DECODE_FRAGMENT)) {
        batch->n--;
        batch->used = used;
        return FRONT_FRAGMENT;
    }
    a->pkt.number = ++f->number;
    dispatch(f, a, &batch->core[batch->n - 1]);
    return FRONT_TAKEN;
}

/* Before its packets, if a mark is due before one of them. */
static void
mark(struct front *f, const struct reader *r)
{
    struct arrival *first = &f->batch->at[0];

    if (r->number / SETTLE_EVERY == (r->number + f->number) / SETTLE_EVERY)
        return;
    f->batch->core[0] = ALL_CORES;
    first->clock = r->clock;
    first->pkt.number = r->number + 1;
}

void
front_stamp(struct front *f, struct reader *r)
{
    mark(f, r);
    for (unsigned i = 1; i < f->batch->n; i++) {
        struct arrival *a = &f->batch->at[i];

        a->pkt.number += r->number;
        if (a->clock < r->clock)
            a->clock = r->clock;
        if (a->kind == ARRIVES_PACKET)
            a->syns += r->syns;
    }
    r->number += f->number;
    r->syns += f->syns;
    if (f->clock > r->clock)
        r->clock = f->clock;
    r->read_at = f->read_at;
    f->batch->next = (struct moment){ .packet = r->number + 1 };
}
