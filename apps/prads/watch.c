#include "watched.h"

#include "core/order.h"
#include "for_programs.h"
#include <weir/flow.h>
#include <weir/tap.h>

#include <stdlib.h>
#include <string.h>

/* ---- sightings ----------------------------------------------------------------------------- */

/* Hops between the sender and here, if the packet at hand is a sender's. */
static uint8_t
distance_of(const struct weir_packet *pkt, uint8_t version, const struct weir_addr *addr)
{
    if (pkt == NULL || pkt->ip_version != version || pkt->ttl == 0 ||
        memcmp(pkt->src.b, addr->b, version == 4 ? 4 : 16) != 0)
        return 0;
    return (uint8_t)(fp_first_ttl(pkt->ttl) - pkt->ttl);
}

/* The outermost id of the event at hand; 0: none. At a flow's end there may be no packet. */
static uint16_t
vlan_of(const struct weir_event *ev)
{
    struct weir_tuple tuple;

    if (ev->flow == NULL)
        return ev->packet != NULL && ev->packet->n_vlan > 0 ? ev->packet->vlan[0] : 0;
    weir_flow_tuple(ev->flow, &tuple);
    return tuple.n_vlan > 0 ? tuple.vlan[0] : 0;
}

/* What the end of a flow tells was seen with its last packet, not when it timed out. */
static uint64_t
time_of(const struct weir_event *ev)
{
    return ev->type == WEIR_EV_FLOW_END ? weir_flow_last_time(ev->flow) : ev->time;
}

struct inventory *
watch_inventory(struct watch *w)
{
    order_turn_here(w->order);
    inventory_expire(w->inventory, w->ev->time);
    return w->inventory;
}

void
watch_see(struct watch *w, uint8_t version, const struct weir_addr *addr, struct sighting *s)
{
    const struct weir_packet *pkt = w->ev->packet;
    struct inventory *inventory;
    struct host host;

    if (w->opts.home != NULL && !homenets_have(w->opts.home, version, addr)) {
        w->stats.foreign++;
        return;
    }
    s->time = time_of(w->ev);
    inventory = watch_inventory(w);
    if (!(s->heard
              ? inventory_hear(inventory, version, addr, &s->fact, s->time, &host)
              : inventory_see(inventory, version, addr, vlan_of(w->ev), &s->fact, s->time, &host)))
        return;
    w->stats.facts[s->fact.kind]++;
    s->news.distance = distance_of(pkt, version, addr);
    report_news(&w->opts.report, w->ev, &host, s);
}

/* named: whether the asset log has a line for it. */
static void
see_service(struct watch *w, bool *named, bool server, uint16_t port, const struct end *end,
            struct sighting *s)
{
    if (!is_checked(w, server ? CHECK_SERVER : CHECK_CLIENT))
        return;
    s->fact.kind = server ? FACT_SERVER : FACT_CLIENT;
    if (s->fact.value[0] == '@' && inventory_has_better(watch_inventory(w), end->version,
                                                        &end->addr, s->fact.kind, end->proto, port))
        return; /* what is known says more */
    s->fact.proto = end->proto;
    s->fact.port = port;
    s->news.what = *named ? DETECT_NONE : server ? DETECT_SERVER : DETECT_CLIENT;
    s->news.proto = end->proto;
    s->news.port = port;
    s->news.service = s->fact.source;
    s->news.application = s->fact.value;
    *named = true;
    watch_see(w, end->version, &end->addr, s);
}

void
watch_see_service(struct watch *w, struct watched *x, enum weir_dir dir, struct sighting *s)
{
    struct weir_tuple tuple;
    struct end end;

    weir_flow_tuple(w->ev->flow, &tuple);
    end = (struct end){ tuple.addr[watch_turn(x, dir)], tuple.ip_version, tuple.proto };
    see_service(w, &x->named[dir], dir == WEIR_TOCLIENT, tuple.port[watch_turn(x, WEIR_TOCLIENT)],
                &end, s);
}

void
watch_see_sender(struct watch *w, struct watched *x, bool server, struct sighting *s)
{
    const struct weir_packet *pkt = w->ev->packet;
    struct end end = { pkt->src, pkt->ip_version, pkt->proto };

    see_service(w, &x->named[w->ev->direction], server, server ? pkt->src_port : pkt->dst_port,
                &end, s);
}

void
watch_see_name(struct watch *w, uint8_t version, const struct weir_addr *addr, const char *source,
               const char *name, uint8_t confidence)
{
    struct sighting s = {
        .fact = { .kind = FACT_NAME, .source = source, .value = name, .confidence = confidence },
        .evidence = source,
        .news = { .what = DETECT_NONE }
    };

    if (is_checked(w, CHECK_NAME) && name[0] != '\0')
        watch_see(w, version, addr, &s);
}

void
watch_detail(struct sighting *s, const char *key, const char *value)
{
    if (s->n_details < DETAILS_MAX)
        s->detail[s->n_details++] = (struct detail){ key, value };
}

const char *
watch_text(char text[TEXT_MAX], struct weir_bytes bytes)
{
    size_t n = bytes.n < TEXT_MAX - 1 ? bytes.n : TEXT_MAX - 1;

    for (size_t i = 0; i < n; i++)
        text[i] = bytes.p[i] < ' ' || bytes.p[i] == 0x7f ? '.' : (char)bytes.p[i];
    text[n] = '\0';
    return text;
}

/* ---- events -------------------------------------------------------------------------------- */

static void
flow_begins(struct watch *w, struct watched *x)
{
    x->watch = w;
    x->detect.first = &x->first;
    if (!watch_wants_packets(w)) /* those of no flow, at most */
        weir_tap_want(w->ev->tap, w->spec.want & ~WEIR_EV_BIT(WEIR_EV_PACKET));
    if (weir_flow_proto(w->ev->flow) != WEIR_PROTO_TCP)
        x->proto = APP_UNKNOWN;
    else if (weir_flow_midstream(w->ev->flow))
        watch_guess_sides(w, x);
}

/* Hosts that are known were seen as long as their flow was. */
static void
flow_ends(struct watch *w, struct watched *x)
{
    struct weir_tuple tuple;

    watch_stream_end(w, x);
    weir_flow_tuple(w->ev->flow, &tuple);
    for (int dir = 0; dir < 2 && tuple.proto == WEIR_PROTO_TCP; dir++)
        if (weir_flow_next_offset(w->ev->flow, watch_turn(x, (unsigned)dir)) > 0)
            watch_name_anyhow(w, x, (enum weir_dir)dir);
    for (int side = 0; side < 2; side++)
        inventory_touch(watch_inventory(w), tuple.ip_version, &tuple.addr[side],
                        weir_flow_last_time(w->ev->flow));
}

static void
take(struct watch *w, struct watched *x)
{
    switch (w->ev->type) {
    case WEIR_EV_FLOW_START:
        flow_begins(w, x);
        break;
    case WEIR_EV_SYN:
        watch_system(w, FP_SYN);
        break;
    case WEIR_EV_SYN_ACK:
        watch_system(w, FP_SYNACK);
        break;
    case WEIR_EV_PACKET:
        watch_packet(w);
        break;
    case WEIR_EV_PAYLOAD:
        watch_payload(w, x);
        break;
    case WEIR_EV_GAP:
        watch_gap(w, x);
        break;
    case WEIR_EV_DATAGRAM:
        watch_datagram(w, x);
        break;
    case WEIR_EV_FLOW_END:
        flow_ends(w, x);
        break;
    default:
        break;
    }
}

/* What the flow takes is its shard's. */
static void
enter(struct watch *w, const struct weir_flow *flow)
{
    w->at = share_of(&w->shares, weir_flow_shard(flow));
    if (w->http != NULL)
        http_use(w->http, &w->at->http);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct watch *w = ev->app;

    w->ev = ev;
    if (ev->flow != NULL)
        enter(w, ev->flow);
    take(w, ctx);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

/* The beginning of a stream stays until the segment that goes beyond WATCH_BYTES was looked at. */
enum { SEGMENT_MAX = 65535 };

/* ---- set-up -------------------------------------------------------------------------------- */

static void
host_gone(void *ctx, const struct host *host, const struct known *known, enum host_end why)
{
    report_gone(&((struct watch *)ctx)->opts.report, host, known, why);
}

static uint64_t
wanted(const struct watch *w)
{
    const struct watch_opts *opts = &w->opts;
    uint64_t want = WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_FLOW_END) |
                    WEIR_EV_BIT(WEIR_EV_DATAGRAM);

    if (watch_wants_packets(w) || is_checked(w, CHECK_ARP))
        want |= WEIR_EV_BIT(WEIR_EV_PACKET);
    if (opts->checks & CHECK_BIT(CHECK_SYN))
        want |= WEIR_EV_BIT(WEIR_EV_SYN);
    if (opts->checks & CHECK_BIT(CHECK_SYNACK))
        want |= WEIR_EV_BIT(WEIR_EV_SYN_ACK);
    if (opts->checks & (CHECK_BIT(CHECK_SERVER) | CHECK_BIT(CHECK_CLIENT) | CHECK_BIT(CHECK_NAME)))
        want |= WEIR_EV_BIT(WEIR_EV_PAYLOAD) | WEIR_EV_BIT(WEIR_EV_GAP);
    return want;
}

static int
make_parts(struct watch *w)
{
    int rc = w->lent ? WEIR_E_OK : inventory_new(&w->opts.inventory, &w->inventory);

    if (rc == WEIR_E_OK)
        rc = shares_init(&w->shares, w->opts.cores > 0 ? w->opts.cores : 1, POOL_BYTES);
    if (rc == WEIR_E_OK && (rc = digest_new(&w->digest)) == WEIR_E_UNSUPPORTED)
        rc = WEIR_E_OK;
    if (rc == WEIR_E_OK && (rc = http_new(&(struct http_opts){ .flows = HTTP_FLOWS }, watch_http,
                                          &w->http)) == WEIR_E_UNSUPPORTED)
        rc = WEIR_E_OK;
    return rc;
}

static int
make(const struct watch_opts *opts, struct watch *first, struct watch **out,
     struct weir_errbuf *err)
{
    struct watch *w = calloc(1, sizeof(*w));
    int rc = WEIR_E_NOMEM;

    *out = NULL;
    if (w != NULL) {
        w->opts = *opts;
        w->opts.inventory.gone = host_gone;
        w->opts.inventory.ctx = w;
        w->lent = first != NULL;
        w->inventory = first != NULL ? first->inventory : NULL;
        w->spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = wanted(w) };
        rc = make_parts(w);
    }
    if (rc == WEIR_E_OK) {
        *out = w;
        return rc;
    }
    watch_free(w);
    return weir_err_set(err, rc, "%s", weir_strerror(rc));
}

int
watch_new(const struct watch_opts *opts, struct watch **out, struct weir_errbuf *err)
{
    return make(opts, NULL, out, err);
}

int
watch_beside(struct watch *first, const struct watch_opts *opts, struct watch **out,
             struct weir_errbuf *err)
{
    return make(opts, first, out, err);
}

void
watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    if (!w->lent)
        inventory_free(w->inventory);
    shares_free(&w->shares);
    digest_free(w->digest);
    http_free(w->http);
    free(w);
}

int
watch_add(struct watch *const *watch, struct weir_monitor *m)
{
    struct order *order = monitor_order(m);
    void *arg[MAX_CORES] = { watch[0] };

    for (unsigned i = 0; i < (order != NULL ? order->n : 1); i++) {
        watch[i]->order = order;
        arg[i] = watch[i];
    }
    return weir_monitor_add(m,
                            &(struct weir_app){ .name = "prads",
                                                .spec = &watch[0]->spec,
                                                .flow_size = sizeof(struct watched),
                                                .history = WATCH_BYTES + SEGMENT_MAX,
                                                .no_flow_packets = is_checked(watch[0], CHECK_ARP),
                                                .arg = watch[0],
                                                .core_arg = arg });
}

void
watch_end(struct watch *w)
{
    inventory_end(w->inventory);
}

const struct watch_stats *
watch_get_stats(const struct watch *w)
{
    return &w->stats;
}

const struct inventory_stats *
watch_get_inventory(const struct watch *w)
{
    return inventory_get_stats(w->inventory);
}

struct pool_stats
watch_get_pool(const struct watch *w)
{
    return shares_stats(&w->shares);
}

uint64_t
watch_get_http_limited(const struct watch *w)
{
    const struct http_stats *stats = w->http != NULL ? http_get_stats(w->http) : NULL;

    return stats != NULL ? stats->flows + stats->requests + stats->pending + stats->head : 0;
}
