#include "fuzz_facts.h"

#undef NDEBUG
#include <assert.h>
#include <string.h>

enum { RING = 1024 }; /* delivered bytes a direction that are remembered */

/* What one app has seen of a flow. */
struct seen {
    bool started, ended, over, fin[2], gap[2];
    bool urgent[2];      /* it sent an urgent pointer */
    struct facts *facts; /* set by the first event */
    int64_t next[2], payload[2];
    uint8_t ring[2][RING]; /* of the last bytes before next, by offset */
};

/* FNV-1a of 64 bits. */
static void
mix(struct facts *facts, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n-- > 0)
        facts->sum = (facts->sum ^ *at++) * UINT64_C(0x100000001b3);
}

static void
mix_event(struct facts *facts, const struct weir_event *ev)
{
    const uint64_t id = ev->has_flow ? weir_flow_id(ev->flow) : 0;

    mix(facts, &ev->type, sizeof(ev->type));
    mix(facts, &ev->direction, ev->has_flow ? sizeof(ev->direction) : 0);
    mix(facts, &ev->time, sizeof(ev->time));
    mix(facts, &ev->number, sizeof(ev->number));
    mix(facts, &id, sizeof(id));
    for (const struct weir_field *f = weir_event_fields(ev->type); f->name != NULL; f++) {
        const struct weir_bytes bytes = weir_event_bytes(ev, f);
        const int64_t value = weir_event_int(ev, f);

        mix(facts, &value, sizeof(value));
        mix(facts, bytes.p, bytes.n);
    }
}

/* An event of a sleeping app that found no memory to wait in is missing, and counted. */
static bool
complete(const struct facts *facts)
{
    struct weir_monitor_stats stats;

    weir_monitor_get_stats(facts->m, &stats);
    return stats.tap_dropped == 0;
}

/* ---- the stream: every byte once, in order, or in a gap ---- */

/* One byte that was urgent is left out, without a gap. */
static bool
skips_urgent(const struct seen *s, unsigned dir, int64_t offset)
{
    return s->urgent[dir] && offset == s->next[dir] + 1;
}

static void
check_step(const struct seen *s, unsigned dir, int64_t offset, int64_t length)
{
    assert(length > 0 && !s->fin[dir]);
    assert(offset == s->next[dir] || skips_urgent(s, dir, offset) || !complete(s->facts));
}

/* An urgent byte before the offset can be read back, though it was not shown. */
static void
remember_urgent(struct seen *s, unsigned dir, const struct weir_flow *flow, int64_t offset)
{
    if (skips_urgent(s, dir, offset))
        weir_flow_read(flow, dir, offset - 1, &s->ring[dir][(uint64_t)(offset - 1) % RING], 1);
}

static void
remember(struct seen *s, unsigned dir, const struct weir_event *ev)
{
    remember_urgent(s, dir, ev->flow, ev->payload.offset);
    for (uint32_t i = 0; i < ev->payload.data.n; i++)
        s->ring[dir][(uint64_t)(ev->payload.offset + i) % RING] = ev->payload.data.p[i];
}

/* What was just delivered can be read back, and what is read back was delivered. */
static void
check_history(const struct seen *s, unsigned dir, const struct weir_event *ev)
{
    const int64_t end = ev->payload.offset + ev->payload.length;
    const int64_t from = end > RING ? end - RING : 0;
    uint8_t bytes[RING];
    size_t n = weir_flow_read(ev->flow, dir, ev->payload.offset, bytes, RING);

    assert(weir_flow_next_offset(ev->flow, dir) == end);
    assert((int64_t)n == (ev->payload.length < RING ? ev->payload.length : RING));
    assert(memcmp(bytes, ev->payload.data.p, n) == 0);
    n = weir_flow_read(ev->flow, dir, from, bytes, RING);
    for (size_t i = 0; i < n; i++)
        assert(bytes[i] == s->ring[dir][(uint64_t)(from + (int64_t)i) % RING]);
}

static void
check_payload(struct seen *s, unsigned dir, const struct weir_event *ev)
{
    check_step(s, dir, ev->payload.offset, ev->payload.length);
    assert((int64_t)ev->payload.data.n == ev->payload.length);
    assert(ev->payload.after_gap == s->gap[dir] || !complete(s->facts));
    remember(s, dir, ev);
    if (s->facts->reads_back)
        check_history(s, dir, ev);
    s->gap[dir] = false;
    s->next[dir] = ev->payload.offset + ev->payload.length;
    s->payload[dir] += ev->payload.length;
}

static void
check_gap(struct seen *s, unsigned dir, const struct weir_event *ev)
{
    check_step(s, dir, ev->gap.offset, ev->gap.length);
    remember_urgent(s, dir, ev->flow, ev->gap.offset);
    s->gap[dir] = true;
    s->next[dir] = ev->gap.offset + ev->gap.length;
}

/* ---- other events ---- */

static void
check_fake(const struct weir_event *ev)
{
    const struct weir_bytes old = ev->fake_retransmit.old_data, new = ev->fake_retransmit.new_data;
    const int64_t diff = ev->fake_retransmit.diff_offset, n = ev->fake_retransmit.diff_length;

    assert(n > 0 && diff >= ev->fake_retransmit.offset);
    assert(diff + n <= ev->fake_retransmit.offset + ev->fake_retransmit.length);
    assert(old.n == n && new.n == n);
    assert(old.p[0] != new.p[0] && old.p[n - 1] != new.p[n - 1]);
}

static void
check_retransmit(const struct weir_event *ev)
{
    assert(ev->retransmit.length >= 0 && ev->retransmit.fresh >= 0);
    assert(ev->retransmit.length > 0 || ev->retransmit.syn || ev->retransmit.fin);
}

static void
check_end(struct seen *s, const struct weir_event *ev)
{
    s->ended = true;
    if (!complete(s->facts) || weir_flow_proto(ev->flow) != WEIR_PROTO_TCP)
        return;
    assert(ev->flow_end.payload_toserver == s->payload[WEIR_TOSERVER]);
    assert(ev->flow_end.payload_toclient == s->payload[WEIR_TOCLIENT]);
}

static void
check_kind(struct seen *s, unsigned dir, const struct weir_event *ev)
{
    switch ((enum weir_event_type)ev->type) {
    case WEIR_EV_PACKET:
        s->urgent[dir] |= (ev->packet->tcp_flags & WEIR_TH_URG) != 0;
        break;
    case WEIR_EV_PAYLOAD:
        check_payload(s, dir, ev);
        break;
    case WEIR_EV_GAP:
        check_gap(s, dir, ev);
        break;
    case WEIR_EV_FAKE_RETRANSMIT:
        check_fake(ev);
        break;
    case WEIR_EV_RETRANSMIT:
        check_retransmit(ev);
        break;
    case WEIR_EV_OUT_OF_ORDER:
        assert(ev->out_of_order.hole > 0 && ev->out_of_order.length > 0);
        break;
    case WEIR_EV_FIN:
        assert(!s->fin[dir]);
        s->fin[dir] = true;
        break;
    case WEIR_EV_FLOW_END:
        check_end(s, ev);
        break;
    default:
        break;
    }
}

/* flow_start comes first and once, flow_end last and once. */
static void
check_flow_event(struct facts *facts, struct seen *s, const struct weir_event *ev)
{
    assert(!s->ended && !s->over && ev->direction < 2);
    assert(s->started == (ev->type != WEIR_EV_FLOW_START));
    if (!s->started)
        facts->flows++;
    s->started = true;
    check_kind(s, ev->direction, ev);
}

/* Fragments belong to no flow; of a timeout's packet only the ends are known. */
static void
check_fragment(const struct weir_event *ev)
{
    assert(!ev->has_flow && ev->packet->fragment && ev->packet->ip_version != 0);
    assert(ev->type != WEIR_EV_FRAG_TIMEOUT || (ev->number == 0 && ev->packet->caplen == 0));
}

static void
check_event(struct facts *facts, struct seen *s, const struct weir_event *ev)
{
    assert((ev->packet != NULL) == (ev->number != 0) || ev->type == WEIR_EV_FRAG_TIMEOUT);
    if (ev->type >= WEIR_EV_FRAG_OVERLAP && ev->type <= WEIR_EV_FRAG_BAD)
        check_fragment(ev);
    assert(ev->packet == NULL || ev->packet->number == ev->number);
    assert(ev->has_flow == (ev->flow != NULL));
    s->facts = facts;
    if (ev->has_flow)
        check_flow_event(facts, s, ev);
    if (facts->sleeps)
        return;
    assert(ev->number == 0 || ev->number >= facts->number);
    facts->number = ev->number != 0 ? ev->number : facts->number;
    mix_event(facts, ev);
}

/* ---- the app ---- */

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct facts *facts = ev->app;

    facts->core = weir_core_current();
    check_event(facts, ctx, ev);
    if (!facts->sleeps || (ev->number + ev->type) % 5 != 0 || facts->n_sleeping == MAX_SLEEPING)
        return weir_ok(0);
    facts->sleeping[facts->n_sleeping] = weir_promise_new();
    return weir_future(facts->sleeping[facts->n_sleeping++]);
}

static void
on_end(void *ctx, weir_fut why)
{
    struct seen *s = ctx;

    assert(!s->over && (weir_is_ready(why) || weir_code(why) == WEIR_E_CANCELED));
    s->over = true;
    if (!s->started)
        return; /* events without a flow; or nothing but what found no memory */
    assert(s->ended || !weir_is_ready(why) || !complete(s->facts));
    s->facts->ends++;
}

void
facts_listen(struct facts *facts, struct weir_monitor *m, bool sleeps, uint32_t history)
{
    static const weir_fn stages[] = { on_event };
    static const struct weir_tap_spec spec = {
        .stage = stages,
        .n_stages = 1,
        .want = WEIR_EV_ALL,
        .queue_max = 65535,
        .on_end = on_end,
    };
    const struct weir_app app = {
        .name = "facts",
        .spec = &spec,
        .flow_size = sizeof(struct seen),
        .history = history,
        .arg = facts,
    };

    *facts = (struct facts){ .m = m,
                             .sleeps = sleeps,
                             .reads_back = history > 0 && !sleeps,
                             .sum = UINT64_C(0xcbf29ce484222325) };
    assert(weir_monitor_add(m, &app) == WEIR_E_OK);
}

void
facts_wake(struct facts *facts, unsigned n)
{
    struct weir_core *before = weir_core_enter(facts->core);

    while (n-- > 0 && facts->n_sleeping > 0)
        weir_resolve(facts->sleeping[--facts->n_sleeping], weir_ok(0));
    weir_core_enter(before);
}

void
facts_check_end(const struct facts *facts)
{
    struct weir_monitor_stats stats;
    struct weir_core_stats core = { .live = 0 };

    weir_monitor_get_stats(facts->m, &stats);
    assert(stats.live_flows == 0);
    assert(facts->flows == stats.flows || stats.tap_dropped != 0);
    assert(facts->ends == facts->flows);
    if (facts->core != NULL)
        weir_core_get_stats(facts->core, &core);
    assert(core.live == facts->n_sleeping); /* promises that nobody resolved; no cell else */
}
