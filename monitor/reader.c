#include "reader.h"

#include "checksum.h"
#include "engine.h"
#include "hosts.h"
#include "quote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MAX_NESTED = 4 }; /* fragments inside what was put together from fragments */

/* ---- life ---------------------------------------------------------------------------------- */

/* Twice the cap: blocks lie where the ones before them were left. */
int
reader_start(struct reader *r)
{
    const size_t cap = (size_t)(r->opts->memcap / FRAG_SHARE), size = 2 * cap;
    void *range;

    if (r->range != NULL)
        return WEIR_E_OK;
    range = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (range == MAP_FAILED)
        return WEIR_E_NOMEM;
    if (r->in_line && (r->frags.verdicts = calloc(1, sizeof(*r->frags.verdicts))) == NULL) {
        munmap(range, size);
        return WEIR_E_NOMEM;
    }
    r->range = range;
    r->range_size = size;
    frag_init(&r->frags, range, size, cap);
    return WEIR_E_OK;
}

void
reader_free(struct reader *r)
{
    if (r->range == NULL)
        return;
    mem_end_joining(&r->frags.mem);
    munmap(r->range, r->range_size);
    free(r->frags.verdicts);
    r->range = NULL;
}

/* ---- batches ------------------------------------------------------------------------------- */

/* Behind its last arrival, which may be due before the next packet. */
static struct moment
end_of(const struct reader *r, const struct batch *batch)
{
    const struct arrival *last = &batch->at[batch->n - 1];
    struct moment end = { .packet = r->number + 1 };

    if (last->kind == ARRIVES_EXPIRED)
        end = (struct moment){ end.packet, last->told.tick, last->told.id, 1 };
    else if (last->kind == ARRIVES_TICK)
        end.phase = PHASE_SETTLE;
    else if (last->kind == ARRIVES_SETTLE)
        end.phase = PHASE_PACKET;
    else if (last->kind == ARRIVES_END)
        end.packet = UINT64_MAX;
    return end;
}

void
reader_flush(struct reader *r)
{
    if (r->batch->n == 0)
        return;
    r->batch->next = end_of(r, r->batch);
    r->batch = r->hand_over(r->ctx, r->batch);
}

void
reader_recycle(struct reader *r, struct batch *batch)
{
    frag_take_back(&r->frags, &batch->lent);
    batch->n = 0;
    batch->used = 0;
}

/* To a batch that has room. */
static inline struct arrival *
add_here(struct reader *r, enum arrival_kind kind, unsigned core)
{
    return batch_add(r->batch, kind, core, r->clock);
}

static struct arrival *
add(struct reader *r, enum arrival_kind kind, unsigned core)
{
    struct arrival *a;

    if (r->batch->n == r->batch->room)
        reader_flush(r);
    a = add_here(r, kind, core);
    a->plain = false;
    return a;
}

/* Something for all cores, before the packet that comes next. Not inline: it is seldom. */
static __attribute__((noinline)) void
add_for_all(struct reader *r, enum arrival_kind kind)
{
    add(r, kind, ALL_CORES)->pkt.number = r->number + 1;
}

void
reader_end(struct reader *r)
{
    frag_clear(&r->frags);
    add_for_all(r, ARRIVES_END);
    reader_flush(r);
}

void
reader_forget(struct reader *r)
{
    if (r->frags.verdicts != NULL)
        frag_verdict_clear(r->frags.verdicts, &r->frags.mem);
}

/* ---- what the reader tells ----------------------------------------------------------------- */

/* What belongs to no flow is told where the first shard is. */
static struct arrival *
tell(struct reader *r, enum arrival_kind kind, const struct weir_packet *pkt, unsigned type)
{
    struct arrival *a = add(r, kind, core_of_shard(0, r->n_cores));

    a->pkt = *pkt;
    a->told = (struct told){ .type = (uint8_t)type };
    return a;
}

void
reader_raise(struct reader *r, const struct weir_event *ev)
{
    struct arrival *a = tell(r, ARRIVES_EVENT, r->packet, ev->type);

    if (ev->type == WEIR_EV_FRAG_BAD) {
        a->told.why = ev->frag_bad.why;
        a->told.discarded = ev->frag_bad.discarded;
    } else if (ev->type == WEIR_EV_FRAG_OVERLAP) {
        a->told.conflict = ev->frag_overlap.conflict;
        a->told.discarded = ev->frag_overlap.discarded;
    }
}

/* One packet may take the room of many datagrams: they are told of together. */
void
reader_overload(struct reader *r)
{
    const unsigned n = r->batch->n;
    struct arrival *last = n > 0 ? &r->batch->at[n - 1] : NULL;

    if (last == NULL || last->kind != ARRIVES_EVENT || last->told.type != WEIR_EV_OVERLOAD ||
        last->pkt.number != r->packet->number)
        last = tell(r, ARRIVES_EVENT, r->packet, WEIR_EV_OVERLOAD);
    last->told.times++;
    r->lacked_room = true;
}

void
reader_expire(struct reader *r, const struct weir_packet *pkt, uint64_t tick, uint64_t id)
{
    struct arrival *a = tell(r, ARRIVES_EXPIRED, pkt, WEIR_EV_FRAG_TIMEOUT);

    r->batch->core[r->batch->n - 1] = ALL_CORES;
    a->told.before = r->number + 1;
    a->told.tick = tick;
    a->told.id = id;
}

/* ---- fragments ----------------------------------------------------------------------------- */

static bool
fragment_is_sound(struct reader *r, struct arrival *a)
{
    if (r->opts->no_checksums || ip_checksum_right(&a->pkt))
        return true;
    tell(r, ARRIVES_EVENT, &a->pkt, WEIR_EV_BAD_CHECKSUM)->told.layer = WEIR_LAYER_IPV4;
    return false;
}

/*
 * What came before it, and what it completes. Where two of its datagrams, one in the other, come
 * behind others, of which not all have left, it does not leave either: one may be what a target
 * waits for.
 */
static void
note_verdicts(struct came *came, const struct whole *whole)
{
    if (whole->after != NULL && came->after != NULL) {
        came->late = true;
        frag_verdict_release(whole->after);
    } else if (whole->after != NULL) {
        came->after = whole->after;
    }
    if (whole->verdict != NULL) {
        whole->verdict->also = came->completes;
        came->completes = whole->verdict;
    }
}

/*
 * A fragment. The packet that completes a datagram is the datagram from then on; inside a tunnel
 * that may be a fragment again, so there is a limit.
 */
static void
take_fragment(struct reader *r, struct arrival *a)
{
    bool whole_before = false;

    a->fragments = 1;
    for (unsigned n = 0; a->result == DECODE_FRAGMENT && n < MAX_NESTED; n++) {
        struct whole whole = { .datagram = NULL };
        bool completes;

        r->packet = &a->pkt;
        if (!fragment_is_sound(r, a))
            return;
        completes = frag_add(r, &a->pkt, &whole);
        note_verdicts(&a->came, &whole);
        if (!completes)
            return;
        a->datagrams++;
        whole_before = true;
        a->result = (uint8_t)decode_whole(&whole.frame, whole.ip, &a->pkt, &a->fault);
        frag_lend(&r->frags, whole.datagram, &r->batch->lent);
    }
    if (a->result == DECODE_FRAGMENT && whole_before) {
        a->result = DECODE_BAD;
        a->fault = (struct decode_fault){ WEIR_LAYER_LINK, WEIR_BAD_LAYERS };
    }
}

/* ---- a packet ------------------------------------------------------------------------------ */

static __attribute__((noinline)) void
pass_ticks(struct reader *r)
{
    const uint64_t until = r->clock / TICK_NS;
    uint64_t tick;

    while ((tick = frag_next_tick(&r->frags)) <= until)
        while (frag_due_id(&r->frags, tick) != UINT64_MAX)
            frag_expire(r, tick);
    add_for_all(r, ARRIVES_TICK);
    r->tick_at = (until + 1) * TICK_NS;
}

void
reader_reach(struct reader *r, uint64_t time)
{
    if (time > r->clock)
        r->clock = time;
    if (r->clock >= r->tick_at)
        pass_ticks(r);
}

void
reader_pass_time(struct reader *r, uint64_t ns)
{
    reader_reach(r, r->clock + ns);
    add_for_all(r, ARRIVES_SETTLE);
}

int
reader_wait_ms(const struct reader *r, uint64_t now, int most)
{
    const uint64_t clock = r->clock + now - r->read_at;
    const uint64_t ms = clock < r->tick_at ? (r->tick_at - clock) / 1000000 + 1 : 1;

    return ms > (uint64_t)most ? most : (int)ms;
}

static void
make_room(struct reader *r, size_t n)
{
    if (WEIR_UNLIKELY(!batch_has_room(r->batch, n)))
        reader_flush(r);
}

bool
reader_quotes(const struct reader *r, const struct weir_packet *pkt, struct flow_ref *ref)
{
    struct weir_packet quoted;
    enum weir_layer layer;

    if (r->opts->packets_only || !quote_read(pkt, &quoted) ||
        (!r->opts->no_checksums && !checksums_right(pkt, &layer)))
        return false;
    flow_ref(&quoted, r->by_vlan, &r->secret, ref);
    return true;
}

/* An ICMP error is for the flow of the packet that it quotes, too. */
static __attribute__((noinline)) void
add_quote(struct reader *r, const struct weir_packet *pkt)
{
    struct flow_ref ref;
    struct arrival *a;

    if (!reader_quotes(r, pkt, &ref))
        return;
    a = add(r, ARRIVES_QUOTE, core_of_shard(ref.shard, r->n_cores));
    a->pkt = *pkt;
    a->ref = ref;
}

static inline void
dispatch(struct reader *r, struct arrival *a)
{
    if (WEIR_UNLIKELY(a->result != DECODE_FLOW)) {
        a->kind = ARRIVES_NO_FLOW;
        return;
    }
    r->syns += a->pkt.tcp_flags >> 1 & 1; /* WEIR_TH_SYN; 0 for all but TCP */
    a->syns = r->syns;
    flow_ref(&a->pkt, r->by_vlan, &r->secret, &a->ref);
}

/* Where its datagrams' verdicts will be known. */
static void
note_core(const struct arrival *a, uint8_t core)
{
    for (struct frag_verdict *v = a->came.completes; v != NULL; v = v->also)
        v->core = core;
}

/*
 * The same where the packet is a fragment: what there is to tell of it stands before it.
 *
 * Not inline: what all packets take stays short.
 */
static __attribute__((noinline)) struct arrival *
read_fragment(struct reader *r, const struct weir_frame *frame)
{
    struct arrival a = r->batch->at[--r->batch->n], *to;

    a.came = (struct came){ .frame = frame->data, .len = frame->caplen, .port = frame->port };
    r->lacked_room = false;
    take_fragment(r, &a);
    a.came.lacked_room = r->lacked_room;
    /* Of no flow: where it is known what became of the datagram before it. */
    to = add(r, ARRIVES_PACKET, a.came.after != NULL ? a.came.after->core : 0);
    *to = a;
    return to;
}

static inline __attribute__((always_inline)) void
take(struct reader *r, const struct weir_frame *frame)
{
    struct weir_frame kept;
    struct arrival *a;

    if (frame->time > r->clock)
        r->clock = clock_of(frame);
    if (WEIR_UNLIKELY(r->clock >= r->tick_at))
        pass_ticks(r);
    if (WEIR_UNLIKELY((r->number + 1) % SETTLE_EVERY == 0))
        add_for_all(r, ARRIVES_SETTLE);
    make_room(r, frame->caplen);
    frame = batch_keep(r->batch, frame, &kept);
    a = add_here(r, ARRIVES_PACKET, 0); /* the core of the first shard, if it is of no flow */
    a->fragments = a->datagrams = 0;
    a->bytes = frame->wirelen;
    a->verified = frame->verified;
    a->result = (uint8_t)decode_next(frame, &a->pkt, &a->fault, &a->plain);
    a->pkt.number = ++r->number;
    if (WEIR_UNLIKELY(a->result == DECODE_FRAGMENT))
        a = read_fragment(r, frame);
    dispatch(r, a);
    if (r->only != NULL)
        engine_foresee(r->only, r->batch, a);
    else if (a->kind == ARRIVES_PACKET)
        r->batch->core[r->batch->n - 1] = (uint8_t)core_of_shard(a->ref.shard, r->n_cores);
    if (WEIR_UNLIKELY(a->fragments > 0))
        note_core(a, r->batch->core[r->batch->n - 1]);
    if (a->pkt.proto != WEIR_PROTO_TCP && a->kind == ARRIVES_PACKET && packet_is_icmp(&a->pkt))
        add_quote(r, &a->pkt);
}

void
reader_take(struct reader *r, const struct weir_frame *frame)
{
    take(r, frame);
}

/*
 * A copy of its own, so that reader_take() has one caller in a program, of which it becomes a part.
 */
void
reader_take_burst(struct reader *r, const struct weir_frame *frames, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        take(r, &frames[i]);
}
