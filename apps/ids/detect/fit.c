#include "detect/fit.h"

#include "detect_proto.h"
#include "eve.h"

#include "detect/check.h"
#include "rule/vars.h"

#include <weir/flow.h>

/* ---- the header of a rule ------------------------------------------------------------------ */

static uint8_t
rule_proto(unsigned proto)
{
    switch (proto) {
    case WEIR_PROTO_TCP:
        return RULE_TCP;
    case WEIR_PROTO_UDP:
        return RULE_UDP;
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        return RULE_ICMP;
    default:
        return RULE_OTHER;
    }
}

static void
ends_of_packet(const struct weir_packet *pkt, struct ends *out)
{
    bool ports = pkt->proto == WEIR_PROTO_TCP || pkt->proto == WEIR_PROTO_UDP;

    *out = (struct ends){ .ip_version = pkt->ip_version };
    if (pkt->ip_version == 0)
        return;
    out->proto = rule_proto(pkt->proto);
    out->src = address_number(&pkt->src, pkt->ip_version);
    out->dst = address_number(&pkt->dst, pkt->ip_version);
    out->src_port = ports ? pkt->src_port : 0;
    out->dst_port = ports ? pkt->dst_port : 0;
}

static void
ends_of_flow(const struct weir_flow *flow, enum weir_dir dir, struct ends *out)
{
    struct weir_tuple tuple;

    weir_flow_tuple(flow, &tuple);
    *out = (struct ends){
        .src = address_number(&tuple.addr[dir], tuple.ip_version),
        .dst = address_number(&tuple.addr[!dir], tuple.ip_version),
        .src_port = tuple.port[dir],
        .dst_port = tuple.port[!dir],
        .ip_version = tuple.ip_version,
        .proto = rule_proto(tuple.proto),
    };
}

const struct ends *
occasion_ends(struct occasion *at)
{
    if (at->has_ends)
        return &at->ends;
    if (eve_by_packet(at->ev))
        ends_of_packet(at->ev->packet, &at->ends);
    else if (at->ev->flow != NULL)
        ends_of_flow(at->ev->flow, at->ev->direction, &at->ends);
    else
        at->ends = (struct ends){ .proto = 0 };
    at->has_ends = true;
    return &at->ends;
}

static bool
in_set(const struct ranges *set, u128 value)
{
    return set == NULL || ranges_have(set, value);
}

/*
 * Ports do not matter where the flow speaks one of the rule's services, as in Snort; where it
 * speaks something else, or nobody knows what, they decide.
 */
static bool
needs_ports(const struct occasion *at, const struct rule *rule)
{
    return at->app_proto <= APP_UNKNOWN || !(rule->services >> at->app_proto & 1);
}

static bool
ports_fit(const struct rule *rule, uint16_t src, uint16_t dst)
{
    return in_set(rule->src_port, src) && in_set(rule->dst_port, dst);
}

/* Source and destination; turned: the other way round. */
static bool
ends_fit(const struct rule *rule, const struct ends *ends, bool any_port, bool turned)
{
    if (turned)
        return (any_port || ports_fit(rule, ends->dst_port, ends->src_port)) &&
               in_set(rule->src, ends->dst) && in_set(rule->dst, ends->src);
    return (any_port || ports_fit(rule, ends->src_port, ends->dst_port)) &&
           in_set(rule->src, ends->src) && in_set(rule->dst, ends->dst);
}

static bool
header_fits(struct occasion *at, const struct rule *rule, bool any_port)
{
    const struct ends *ends = occasion_ends(at);

    if (ends->proto == 0) /* no IP header: only a rule that asks nothing of it */
        return rule->protos == RULE_IP && rule->ip_version == 0 && rule->src == NULL &&
               rule->dst == NULL && rule->src_port == NULL && rule->dst_port == NULL;
    if (!(rule->protos & ends->proto) ||
        (rule->ip_version != 0 && rule->ip_version != ends->ip_version))
        return false;
    if (rule->of_flow)
        return ends_fit(rule, ends, any_port, at->ev->direction == WEIR_TOCLIENT);
    return ends_fit(rule, ends, any_port, false) ||
           (rule->both_ways && ends_fit(rule, ends, any_port, true));
}

/* ---- the flow and the packet --------------------------------------------------------------- */

bool
has_stream(const struct occasion *at)
{
    return at->established || (at->midstream && weir_flow_midstream(at->ev->flow));
}

/* As Suricata's flow:established: TCP, the handshake; others, both sides have spoken. */
static bool
is_established(const struct occasion *at)
{
    const struct weir_event *ev = at->ev;
    struct weir_flow_counts back;

    if (ev->flow == NULL)
        return false;
    if (weir_flow_proto(ev->flow) == WEIR_PROTO_TCP)
        return has_stream(at);
    weir_flow_counts(ev->flow, !ev->direction, &back);
    return back.packets > 0;
}

static bool
app_fits(const struct occasion *at, const struct rule *rule)
{
    uint32_t app = UINT32_C(1) << at->app_proto;

    if ((rule->app_any | rule->app_none) == 0)
        return true;
    if (at->app_proto == APP_UNKNOWN_YET) /* it may still become anything */
        return (rule->app_any & app) != 0;
    return (rule->app_any == 0 || rule->app_any & app) && !(rule->app_none & app);
}

static bool
flow_fits(const struct occasion *at, const struct rule *rule)
{
    uint8_t other = at->ev->direction == WEIR_TOSERVER ? RULE_TO_CLIENT : RULE_TO_SERVER;

    if (rule->flow & (RULE_TO_SERVER | RULE_TO_CLIENT) &&
        (at->ev->flow == NULL || rule->flow & other))
        return false;
    if (rule->flow & RULE_ESTABLISHED)
        return is_established(at);
    return !(rule->flow & RULE_NOT_ESTABLISHED) || !is_established(at);
}

/* Sequence numbers that a side has used, with those of the event at hand. */
static int64_t
stream_size(const struct weir_event *ev, enum weir_dir dir)
{
    int64_t next = weir_flow_next_offset(ev->flow, dir);
    struct weir_flow_counts counts;

    if (ev->direction == dir && ev->type == WEIR_EV_PAYLOAD)
        next = ev->payload.offset + ev->payload.length;
    else if (ev->direction == dir && ev->type == WEIR_EV_PACKET && ev->packet != NULL)
        next += ev->packet->payload_wire;
    weir_flow_counts(ev->flow, dir, &counts);
    return next + !!(counts.tcp_flags & WEIR_TH_SYN) + !!(counts.tcp_flags & WEIR_TH_FIN);
}

/* Which sides have sent a FIN, as CLOSING_... */
static bool
closing_fits(const struct check *check, const struct weir_event *ev)
{
    struct weir_flow_counts client, server;
    unsigned which;

    if (ev->flow == NULL)
        return false;
    weir_flow_counts(ev->flow, WEIR_TOSERVER, &client);
    weir_flow_counts(ev->flow, WEIR_TOCLIENT, &server);
    which = !!(client.tcp_flags & WEIR_TH_FIN) + 2U * !!(server.tcp_flags & WEIR_TH_FIN);
    return check->flags >> which & 1;
}

/* What the client and the server did, against the side or sides that the check asks about. */
static bool
sides_fit(const struct check *check, int64_t by_client, int64_t by_server)
{
    bool client = compare_holds(&check->compare, by_client);
    bool server = compare_holds(&check->compare, by_server);

    if (check->how == 's' || check->how == 'c')
        return check->how == 's' ? server : client;
    return check->how == 'b' ? server && client : server || client;
}

static bool
stream_size_fits(const struct check *check, const struct weir_event *ev)
{
    return ev->flow != NULL && weir_flow_proto(ev->flow) == WEIR_PROTO_TCP &&
           sides_fit(check, stream_size(ev, WEIR_TOSERVER), stream_size(ev, WEIR_TOCLIENT));
}

/* By whole seconds of the clock, as Suricata counts. */
static int64_t
age_of(const struct weir_flow *flow)
{
    const uint64_t second = 1000000000;

    return (int64_t)(weir_flow_last_time(flow) / second) -
           (int64_t)(weir_flow_start_time(flow) / second);
}

static bool
counts_fit(const struct check *check, const struct weir_event *ev)
{
    struct weir_flow_counts client, server;

    if (ev->flow == NULL)
        return false;
    if (check->kind == CHECK_FLOW_AGE)
        return compare_holds(&check->compare, age_of(ev->flow));
    weir_flow_counts(ev->flow, WEIR_TOSERVER, &client);
    weir_flow_counts(ev->flow, WEIR_TOCLIENT, &server);
    return check->kind == CHECK_FLOW_PACKETS
               ? sides_fit(check, (int64_t)client.packets, (int64_t)server.packets)
               : sides_fit(check, (int64_t)client.bytes, (int64_t)server.bytes);
}

bool
occasion_is_held_up(struct occasion *at)
{
    const struct weir_packet *pkt = at->ev->packet;
    const struct ends *ends = occasion_ends(at);

    return at->ev->type == WEIR_EV_PAYLOAD && pkt != NULL &&
           (pkt->src_port != ends->src_port ||
            address_number(&pkt->src, pkt->ip_version) != ends->src);
}

/*
 * Of a packet that is gone nobody knows the flags, the TTL and so on. The sender can have his bytes
 * held up as he likes, so that must not be a way past rules; dsize has met the segment when it
 * came.
 */
static bool
check_fits(struct occasion *at, const struct check *check, bool gone)
{
    const struct weir_packet *pkt = at->ev->packet;

    if (check->kind == CHECK_STREAM_SIZE)
        return stream_size_fits(check, at->ev);
    if (check->kind == CHECK_FLOW_AGE || check->kind == CHECK_FLOW_PACKETS ||
        check->kind == CHECK_FLOW_BYTES)
        return counts_fit(check, at->ev);
    if (check->kind == CHECK_CLOSING)
        return closing_fits(check, at->ev);
    if (check->kind == CHECK_SAMEIP)
        return occasion_ends(at)->proto != 0 && at->ends.src == at->ends.dst;
    if (gone)
        return check->kind != CHECK_DSIZE;
    return pkt != NULL && packet_check_fits(check, pkt);
}

static bool
packet_fits(struct occasion *at, const struct rule *rule)
{
    bool gone = rule->n_checks > 0 && occasion_is_held_up(at);

    for (unsigned i = 0; i < rule->n_checks; i++)
        if (!check_fits(at, &rule->check[i], gone))
            return false;
    return true;
}

bool
rule_fits_flow(struct occasion *at, const struct rule *rule)
{
    return header_fits(at, rule, !needs_ports(at, rule)) && app_fits(at, rule) &&
           flow_fits(at, rule);
}

bool
rule_fits(struct occasion *at, const struct rule *rule)
{
    return rule_fits_flow(at, rule) && packet_fits(at, rule);
}

bool
rule_may_fit(struct occasion *at, const struct rule *rule)
{
    return at->app_proto == APP_UNKNOWN_YET &&
           (rule->app_any | rule->app_none | rule->services) != 0 &&
           header_fits(at, rule, rule->services != 0) && flow_fits(at, rule) &&
           packet_fits(at, rule);
}
