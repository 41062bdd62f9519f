#include "app/parts.h"

#include <weir/flow.h>
#include <weir/packet.h>
#include <weir/tap.h>

#include <stdlib.h>
#include <string.h>

enum { DNS_PORT = 53 };
enum { POOL_SHARE = 4 }; /* messages in pieces have a fourth of opts.memory beside it */

/* ---- life */

/* Without libhtp or libcrypto the rest works. */
static bool
make_parts(struct app_layer *app)
{
    const size_t pool = app->opts.memory / POOL_SHARE / MEM_SHARDS;
    int rc = digest_new(&app->digest);

    if (rc == WEIR_E_OK || rc == WEIR_E_UNSUPPORTED)
        rc = app_http_new(&app->opts, &app->http);
    if (rc == WEIR_E_OK || rc == WEIR_E_UNSUPPORTED)
        rc = shares_init(&app->shares, app->opts.cores,
                         pool > POOL_MIN_BYTES ? pool : POOL_MIN_BYTES);
    app->scratch.p = malloc(SCRATCH);
    app->bytes = malloc(APP_HISTORY);
    return rc == WEIR_E_OK && app->scratch.p != NULL && app->bytes != NULL &&
           mem_shards_init(&app->shards, app->opts.cores, app->opts.memory);
}

int
app_new(const struct app_opts *opts, app_fn *fn, app_event_fn *event_fn, void *ctx,
        struct app_layer **out, struct weir_errbuf *err)
{
    struct app_layer *app = calloc(1, sizeof(*app));

    *out = NULL;
    if (app == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    app->opts = *opts;
    app->shows_bodies = true;
    app->fn = fn;
    app->event_fn = event_fn;
    app->ctx = ctx;
    if (app->opts.cores == 0)
        app->opts.cores = 1;
    if (!make_parts(app)) {
        app_free(app);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    app->mem = mem_of_core(&app->shards);
    app->at = app->shares.at;
    app_next_turn(app);
    *out = app;
    return WEIR_E_OK;
}

void
app_free(struct app_layer *app)
{
    if (app == NULL)
        return;
    http_free(app->http);
    digest_free(app->digest);
    shares_free(&app->shares);
    mem_shards_free(&app->shards);
    free(app->scratch.p);
    free(app->bytes);
    free(app);
}

const struct app_stats *
app_get_stats(const struct app_layer *app)
{
    return &app->stats;
}

const struct http_stats *
app_http_stats(const struct app_layer *app)
{
    static const struct http_stats none;

    return app->http != NULL ? http_get_stats(app->http) : &none;
}

struct pool_stats
app_pool_stats(const struct app_layer *app)
{
    return shares_stats(&app->shares);
}

uint64_t
app_wants(void)
{
    return WEIR_EV_BIT(WEIR_EV_ESTABLISHED) | WEIR_EV_BIT(WEIR_EV_PAYLOAD) |
           WEIR_EV_BIT(WEIR_EV_GAP) | WEIR_EV_BIT(WEIR_EV_FIN) | WEIR_EV_BIT(WEIR_EV_RST) |
           WEIR_EV_BIT(WEIR_EV_DATAGRAM) | WEIR_EV_BIT(WEIR_EV_FLOW_END);
}

enum app_proto
app_flow_proto(const struct app_flow *flow)
{
    return (enum app_proto)flow->proto;
}

/* ---- the parser of a flow */

static const struct app_ops *
ops_of(unsigned proto)
{
    switch (proto) {
    case APP_HTTP:
        return &app_http;
    case APP_DNS:
        return &app_dns;
    case APP_TLS:
        return &app_tls;
    case APP_SSH:
        return &app_ssh;
    default:
        return NULL;
    }
}

/* Where the server was taken for the client, the directions are the other way round. */
static enum weir_dir
turn(const struct app_flow *flow, unsigned dir)
{
    return (dir == WEIR_TOCLIENT) != flow->detect.swapped ? WEIR_TOCLIENT : WEIR_TOSERVER;
}

/* The parser is told what passed without it, before it is told anything else. */
static void
settle(struct app_flow *flow)
{
    struct app_conn *conn = flow->conn;
    const uint32_t n = conn->may_pass - flow->pass;

    conn->may_pass = flow->pass = 0;
    if (n > 0)
        ops_of(flow->proto)->pass(conn, turn(flow, flow->passing), n);
}

/* dir: as the parser sees it, whose bytes were fed */
static void
let_pass(struct app_flow *flow, enum weir_dir dir)
{
    const struct app_ops *ops = ops_of(flow->proto);

    if (ops->may_pass == NULL)
        return;
    flow->passing = turn(flow, dir);
    flow->conn->may_pass = flow->pass = ops->may_pass(flow->conn, dir);
}

static void
close_parser(struct app_layer *app, struct app_flow *flow)
{
    const struct app_ops *ops = ops_of(flow->proto);

    if (flow->conn == NULL)
        return;
    settle(flow);
    ops->close(app, flow->conn);
    app_release(app, flow->conn, ops->size);
    flow->conn = NULL;
}

/* As if nothing of the flow had been seen. */
static void
forget_first(struct app_layer *app, struct app_flow *flow)
{
    app_release(app, flow->detect.first, sizeof(*flow->detect.first));
    flow->detect = (struct detect_proto){ .first = NULL };
}

static void
close_flow(struct app_layer *app, struct app_flow *flow)
{
    close_parser(app, flow);
    app_release(app, flow->detect.first, sizeof(*flow->detect.first));
    flow->detect.first = NULL;
    flow->done = true;
}

static bool
is_off(const struct app_layer *app, unsigned proto)
{
    return app->opts.off >> proto & 1;
}

static void
open_parser(struct app_layer *app, struct app_flow *flow)
{
    const struct app_ops *ops = ops_of(flow->proto);

    flow->conn = ops != NULL && !is_off(app, flow->proto) ? app_make(app, ops->size) : NULL;
    flow->done = flow->conn == NULL;
    if (flow->done)
        return;
    flow->conn->app = app;
    flow->conn->flow = flow;
    if (ops->open(app, flow->conn))
        return;
    app_release(app, flow->conn, ops->size);
    flow->conn = NULL;
    flow->done = true;
}

/* Between transactions most flows of this kind wait for long: a parser would only take memory. */
static void
rest(struct app_layer *app, struct app_flow *flow)
{
    close_parser(app, flow);
    flow->idle = true;
}

/* What comes in a direction is from this offset on. */
static void
wake(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev, int64_t offset)
{
    const enum weir_dir dir = (enum weir_dir)ev->direction;

    flow->idle = false;
    flow->base[dir] = offset;
    flow->base[!dir] = weir_flow_next_offset(ev->flow, !dir);
    open_parser(app, flow);
    for (unsigned i = 0; i < 2 && !flow->done; i++)
        if (flow->fin[i])
            ops_of(flow->proto)->end(app, flow->conn, turn(flow, i));
}

/* dir: as the parser sees it */
static void
feed(struct app_layer *app, struct app_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    if (bytes.n == 0)
        return;
    settle(flow);
    flow->conn->dir = dir;
    ops_of(flow->proto)->feed(app, flow->conn, dir, bytes);
    let_pass(flow, dir);
}

static void
feed_gap(struct app_layer *app, struct app_flow *flow, enum weir_dir dir, uint64_t n)
{
    settle(flow);
    flow->conn->dir = dir;
    ops_of(flow->proto)->gap(app, flow->conn, dir, n);
}

/* What a direction brought since the protocol at hand begins; n: how much that is. */
static bool
read_beginning(struct app_layer *app, const struct app_flow *flow, const struct weir_event *ev,
               unsigned dir, size_t *n)
{
    const int64_t base = flow->base[dir];
    const int64_t next = weir_flow_next_offset(ev->flow, (enum weir_dir)dir);

    *n = next > base ? (size_t)(next - base) : 0;
    return *n <= APP_HISTORY &&
           weir_flow_read(ev->flow, (enum weir_dir)dir, base, app->bytes, *n) == *n;
}

/* Before the protocol was known; what is not held any more is a hole. */
static void
feed_beginning(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev,
               unsigned dir)
{
    size_t n;

    if (read_beginning(app, flow, ev, dir, &n))
        feed(app, flow, turn(flow, dir), (struct weir_bytes){ app->bytes, (uint32_t)n });
    else
        feed_gap(app, flow, turn(flow, dir), n);
}

/* ---- which protocol */

/* Where DNS was said to be expected it is as at its own port. */
static uint16_t
port_for_detection(const struct app_layer *app, const struct weir_flow *flow, uint16_t port)
{
    const bool udp = weir_flow_proto(flow) == WEIR_PROTO_UDP;

    return port != 0 && port == app->opts.dns_ports[udp] ? DNS_PORT : port;
}

static struct detect_ports
ports_of(const struct app_layer *app, const struct weir_flow *flow)
{
    struct weir_tuple tuple;

    weir_flow_tuple(flow, &tuple);
    return (struct detect_ports){
        .server = port_for_detection(app, flow, tuple.port[WEIR_TOCLIENT]),
        .client = port_for_detection(app, flow, tuple.port[WEIR_TOSERVER]),
        .midstream = weir_flow_midstream(flow),
    };
}

static void
is_known(struct app_layer *app, struct app_flow *flow, enum app_proto proto)
{
    flow->proto = (uint8_t)proto;
    app->stats.flows[proto]++;
    open_parser(app, flow);
}

/* Most flows are known by the first bytes that come, so that none are kept. */
static void
lend_first(struct app_layer *app, struct app_flow *flow)
{
    if (flow->detect.first == NULL)
        flow->detect.first = &app->first;
}

/* Behind what detection says: first bytes that did not decide are the flow's. */
static enum app_proto
keep_first(struct app_layer *app, struct app_flow *flow)
{
    struct detect_proto *d = &flow->detect;
    struct detect_first *own = d->first != &app->first ? d->first : NULL;

    d->first = own;
    if (d->answer != APP_UNKNOWN_YET) {
        app_release(app, own, sizeof(*own));
        d->first = NULL;
    } else if (own == NULL && d->n[0] + d->n[1] > 0) {
        d->first = app_alloc(app, sizeof(*d->first));
        if (d->first != NULL)
            *d->first = app->first;
        else
            d->answer = APP_UNKNOWN;
    }
    return (enum app_proto)d->answer;
}

/* Who is expected to speak first; of SSH either. */
static bool
client_speaks_first(enum app_proto proto)
{
    return proto == APP_HTTP || proto == APP_TLS || proto == APP_DNS;
}

/* The other side has not spoken yet, and its first bytes may have a name. */
static bool
waits_for_other(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev,
                enum weir_dir dir)
{
    if (flow->half || weir_flow_next_offset(ev->flow, !dir) > flow->base[!dir])
        return false;
    flow->half = true;
    forget_first(app, flow);
    flow->detect.cut[dir] = true;
    return true;
}

static void
detect(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev, enum weir_dir dir,
       struct weir_bytes bytes)
{
    enum app_proto proto;

    lend_first(app, flow);
    (void)detect_stream(&flow->detect, ports_of(app, ev->flow), dir, bytes);
    proto = keep_first(app, flow);
    if (proto == APP_UNKNOWN_YET || (proto == APP_UNKNOWN && waits_for_other(app, flow, ev, dir)))
        return;
    is_known(app, flow, proto);
    flow->heard[dir] = true;
    if (!flow->done && flow->half)
        app_tell_event(app, "applayer_detect_protocol_only_one_direction", NULL, turn(flow, dir));
    if (!flow->done && dir == WEIR_TOCLIENT && !flow->detect.swapped &&
        client_speaks_first(proto) &&
        weir_flow_next_offset(ev->flow, WEIR_TOSERVER) <= flow->base[WEIR_TOSERVER])
        app_tell_event(app, "applayer_wrong_direction_first_data", NULL, WEIR_TOCLIENT);
    for (unsigned i = 0; i < 2 && !flow->done; i++) /* the client's first */
        feed_beginning(app, flow, ev, i ^ flow->detect.swapped);
}

/* The first bytes of the other side, once the protocol is known: do they speak it, too? */
static void
check_other(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const enum weir_dir dir = (enum weir_dir)ev->direction;
    struct detect_proto alone = { .first = &app->first };
    enum app_proto proto;

    if (flow->heard[dir])
        return;
    flow->heard[dir] = true;
    if (flow->half || ev->payload.offset != flow->base[dir])
        return;
    alone.cut[!dir] = true;
    proto = detect_stream(&alone, ports_of(app, ev->flow), dir, ev->payload.data);
    if (proto == APP_UNKNOWN)
        app_tell_event(app, "applayer_detect_protocol_only_one_direction", NULL, turn(flow, dir));
    else if (proto != APP_UNKNOWN_YET && proto != flow->proto)
        app_tell_event(app, "applayer_mismatch_protocol_both_directions", NULL, turn(flow, dir));
}

/* What CONNECT led to is another protocol, to be found anew in what follows its heads. */
static void
enter_tunnel(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev,
             const uint64_t from[2])
{
    const bool swapped = flow->detect.swapped;
    size_t n;

    close_parser(app, flow);
    flow->proto = APP_UNKNOWN_YET;
    forget_first(app, flow);
    flow->half = flow->heard[0] = flow->heard[1] = false;
    for (unsigned dir = 0; dir < 2; dir++)
        flow->base[dir] += (int64_t)from[dir ^ swapped];
    for (unsigned dir = 0; dir < 2 && flow->proto == APP_UNKNOWN_YET; dir++)
        if (read_beginning(app, flow, ev, dir, &n) && n > 0)
            detect(app, flow, ev, (enum weir_dir)dir,
                   (struct weir_bytes){ app->bytes, (uint32_t)n });
}

static void
after_bytes(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const struct app_ops *ops = ops_of(flow->proto);
    uint64_t from[2];

    if (flow->proto == APP_HTTP && app_http_is_tunnel(flow->conn, from))
        enter_tunnel(app, flow, ev, from);
    else if (ops->ended(flow->conn, WEIR_TOSERVER) && ops->ended(flow->conn, WEIR_TOCLIENT))
        close_flow(app, flow);
    else if (ops->idle != NULL && ops->idle(flow->conn))
        rest(app, flow);
}

/* ---- events */

/*
 * A host has taken bytes before the handshake's end (RFC 7413): its SYN/ACK was seen. A SYN that
 * nobody answered may have any source.
 */
static bool
is_early(const struct weir_event *ev)
{
    struct weir_flow_counts receiver;

    if (weir_flow_phase(ev->flow) != WEIR_FLOW_NEW)
        return false;
    weir_flow_counts(ev->flow, !ev->direction, &receiver);
    return receiver.packets > 0;
}

bool
app_is_one_sided(const struct weir_event *ev)
{
    struct weir_flow_counts sender, receiver;

    if (weir_flow_proto(ev->flow) != WEIR_PROTO_TCP)
        return false;
    weir_flow_counts(ev->flow, !ev->direction, &receiver);
    if (receiver.packets != 0) /* of nearly all packets of nearly all flows */
        return false;
    weir_flow_counts(ev->flow, (enum weir_dir)ev->direction, &sender);
    return sender.tcp_flags & WEIR_TH_SYN && sender.packets > 1;
}

static bool
is_read(const struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const bool midstream = weir_flow_midstream(ev->flow);

    if (midstream && app->opts.midstream)
        return true;
    if (!flow->established)
        flow->established = (!midstream && is_early(ev)) ||
                            (app->opts.one_sided && app_is_one_sided(ev));
    return flow->established;
}

/* The flow goes on in spite of a RST: its protocol is looked for in what follows. */
static void
begin_anew(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const enum weir_dir dir = (enum weir_dir)ev->direction;

    flow->reset = flow->idle = flow->half = flow->heard[0] = flow->heard[1] = false;
    flow->proto = APP_UNKNOWN_YET;
    forget_first(app, flow);
    flow->base[dir] = ev->payload.offset;
    flow->base[!dir] = weir_flow_next_offset(ev->flow, !dir);
}

static void
on_payload(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const struct weir_bytes data = ev->payload.data;

    if (ev->payload.length <= flow->pass && ev->direction == flow->passing &&
        data.n == ev->payload.length) { /* most bytes of all */
        flow->pass -= data.n;
        return;
    }
    if (!is_read(app, flow, ev)) {
        close_flow(app, flow);
        return;
    }
    if (flow->reset)
        begin_anew(app, flow, ev);
    if (flow->proto == APP_UNKNOWN_YET) {
        detect(app, flow, ev, (enum weir_dir)ev->direction, data);
    } else {
        check_other(app, flow, ev);
        if (flow->idle)
            wake(app, flow, ev, ev->payload.offset);
        if (!flow->done)
            feed(app, flow, turn(flow, ev->direction), data);
    }
    if (flow->done || flow->conn == NULL)
        return;
    if (data.n < ev->payload.length)
        feed_gap(app, flow, turn(flow, ev->direction), (uint64_t)ev->payload.length - data.n);
    after_bytes(app, flow, ev);
}

static void
on_gap(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const enum weir_dir dir = (enum weir_dir)ev->direction;

    if (flow->proto == APP_UNKNOWN_YET) {
        lend_first(app, flow);
        (void)detect_gap(&flow->detect, ports_of(app, ev->flow), dir);
        if (keep_first(app, flow) == APP_UNKNOWN)
            is_known(app, flow, APP_UNKNOWN);
        return;
    }
    if (flow->idle)
        wake(app, flow, ev, ev->gap.offset);
    if (flow->conn != NULL) {
        feed_gap(app, flow, turn(flow, dir), (uint64_t)ev->gap.length);
        after_bytes(app, flow, ev);
    }
}

static void
on_fin(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const struct app_ops *ops = ops_of(flow->proto);

    flow->fin[ev->direction] = true;
    if (flow->conn != NULL && ops->end != NULL) {
        settle(flow);
        flow->conn->dir = turn(flow, ev->direction);
        ops->end(app, flow->conn, flow->conn->dir);
    }
    if (flow->fin[0] && flow->fin[1])
        close_flow(app, flow);
}

/* The flow begins with an answer, from the port of DNS to another: its question was not seen. */
static bool
answers_the_unseen(const struct app_layer *app, const struct weir_event *ev,
                   struct weir_bytes bytes)
{
    const struct detect_ports ports = ports_of(app, ev->flow);

    return ev->direction == WEIR_TOSERVER && bytes.n > 2 && bytes.p[2] >> 7 == 1 &&
           ports.client == DNS_PORT && ports.server != DNS_PORT;
}

static void
on_rst(struct app_layer *app, struct app_flow *flow)
{
    const struct app_ops *ops = ops_of(flow->proto);

    if (flow->conn != NULL)
        settle(flow);
    if (!flow->idle && (flow->conn == NULL || ops->pause == NULL || ops->pause(app, flow->conn)))
        return;
    close_parser(app, flow);
    flow->reset = true;
}

static void
detect_of_datagram(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev,
                   struct weir_bytes bytes)
{
    enum app_proto proto;

    if (flow->proto != APP_UNKNOWN_YET)
        return;
    proto = detect_datagram(ports_of(app, ev->flow), (enum weir_dir)ev->direction, bytes);
    flow->proto = (uint8_t)proto;
    flow->detect.swapped = proto == APP_DNS && answers_the_unseen(app, ev, bytes);
    app->stats.flows[proto]++;
}

static void
on_datagram(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    if (weir_flow_proto(ev->flow) != WEIR_PROTO_UDP)
        return;
    detect_of_datagram(app, flow, ev, ev->datagram.data);
    if (flow->proto == APP_DNS && !is_off(app, APP_DNS))
        app_dns_datagram(app, flow, turn(flow, ev->direction), ev->datagram.data);
}

/* Rules on packets ask what the flow speaks, before the datagram's own event tells. */
static void
on_packet(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    const struct weir_packet *packet = ev->packet;

    if (packet == NULL || packet->bad_checksum || packet->payload_len == 0 ||
        weir_flow_proto(ev->flow) != WEIR_PROTO_UDP || packet->proto != WEIR_PROTO_UDP)
        return;
    detect_of_datagram(app, flow, ev, (struct weir_bytes){ packet->payload, packet->payload_len });
}

static void
on_tcp(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    switch (ev->type) {
    case WEIR_EV_PAYLOAD:
        on_payload(app, flow, ev);
        break;
    case WEIR_EV_GAP:
        on_gap(app, flow, ev);
        break;
    case WEIR_EV_FIN:
        on_fin(app, flow, ev);
        break;
    case WEIR_EV_RST:
        on_rst(app, flow);
        break;
    default:
        break;
    }
}

void
app_show_bodies(struct app_layer *app, bool shown)
{
    app->shows_bodies = shown;
    if (app->http != NULL)
        http_skim(app->http, !shown);
}

/* What the flow takes is its shard's. */
static void
enter(struct app_layer *app, const struct weir_flow *flow)
{
    const unsigned shard = weir_flow_shard(flow);

    app->mem = mem_of_shard(&app->shards, shard);
    app->at = share_of(&app->shares, shard);
    app->at->http.mem = app->mem;
    if (app->http != NULL)
        http_use(app->http, &app->at->http);
}

void
app_event(struct app_layer *app, struct app_flow *flow, const struct weir_event *ev)
{
    if (ev->flow == NULL)
        return;
    app_next_turn(app);
    enter(app, ev->flow);
    if (ev->type == WEIR_EV_ESTABLISHED)
        flow->established = true;
    else if (ev->type == WEIR_EV_DATAGRAM)
        on_datagram(app, flow, ev);
    else if (ev->type == WEIR_EV_PACKET)
        on_packet(app, flow, ev);
    else if (ev->type == WEIR_EV_FLOW_END)
        close_flow(app, flow);
    else if (!flow->done)
        on_tcp(app, flow, ev);
}
