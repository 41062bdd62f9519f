#include "out/eve_out.h"

#include "digest.h"
#include "out/community.h"
#include "out/event_names.h"
#include "out_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of records; those of files differ from the setting's. */
static const char *const record_name[EVE_TYPES] = {
    [EVE_ALERT] = "alert",     [EVE_PACKET] = "packet", [EVE_DROP] = "drop",
    [EVE_ANOMALY] = "anomaly", [EVE_HTTP] = "http",     [EVE_DNS] = "dns",
    [EVE_TLS] = "tls",         [EVE_SSH] = "ssh",       [EVE_FILEINFO] = "fileinfo",
    [EVE_FLOW] = "flow",       [EVE_STATS] = "stats",   [EVE_FLOW_EVENT] = "flow_event",
};

/* What is gathered may be longer by half while it grows at its end, and tells of a hole there and
 * one before. */
#define PAYLOAD_ROOM(opts) (2 * (size_t)(opts)->payload_buffer_size + 2 * EVE_HOLE_TEXT)

/* ---- life ---------------------------------------------------------------------------------- */

void
eve_out_free(struct eve_out *eve)
{
    if (eve == NULL)
        return;
    digest_free(eve->digest);
    free(eve->payload);
    free(eve);
}

int
eve_out_new(const struct eve_opts *opts, struct out *out, struct eve_out **eve,
            struct weir_errbuf *err)
{
    struct eve_out *new = calloc(1, sizeof(*new));
    int rc = WEIR_E_NOMEM;

    *eve = NULL;
    if (new == NULL || (new->payload = malloc(PAYLOAD_ROOM(opts))) == NULL)
        goto fail;
    new->opts = *opts;
    new->out = out;
    if (out == NULL)
        new->opts.types = 0;
    if (opts->community_id && (rc = digest_new(&new->digest)) != WEIR_E_OK)
        goto fail;
    *eve = new;
    return WEIR_E_OK;

fail:
    eve_out_free(new);
    if (rc == WEIR_E_UNSUPPORTED)
        return weir_err_set(err, rc, "community-id: weir-ids was built without libcrypto");
    return weir_err_set(err, rc, "out of memory");
}

/* Events that `weir` prints by default. */
static uint64_t
told_by_default(void)
{
    return WEIR_EV_ALL & ~(WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_PAYLOAD) |
                           WEIR_EV_BIT(WEIR_EV_STATE) | WEIR_EV_BIT(WEIR_EV_DATAGRAM) |
                           WEIR_EV_BIT(WEIR_EV_DUP_ACK) | WEIR_EV_BIT(WEIR_EV_WINDOW_UPDATE));
}

uint64_t
eve_wants(const struct eve_out *eve)
{
    const struct eve_opts *opts = &eve->opts;
    uint64_t wants = WEIR_EV_BIT(WEIR_EV_FLOW_END);

    if (opts->types == 0)
        return 0;
    if (opts->community_id || eve_writes(opts, EVE_FLOW) || eve->input.interfaces != NULL)
        wants |= WEIR_EV_BIT(WEIR_EV_FLOW_START); /* for the type of ICMP */
    if (eve_writes(opts, EVE_FLOW) || eve_writes(opts, EVE_ALERT))
        wants |= WEIR_EV_BIT(WEIR_EV_GAP);
    if (eve_writes(opts, EVE_ANOMALY))
        wants |= anomaly_events(opts->anomaly_decode, opts->anomaly_stream);
    if (eve_writes(opts, EVE_FLOW_EVENT))
        wants |= told_by_default();
    return wants;
}

/* ---- what all records have ----------------------------------------------------------------- */

void
eve_put_counts(struct json *j, const struct weir_flow *flow)
{
    struct weir_flow_counts to_server, to_client;

    weir_flow_counts(flow, WEIR_TOSERVER, &to_server);
    weir_flow_counts(flow, WEIR_TOCLIENT, &to_client);
    json_u64(j, "pkts_toserver", to_server.packets);
    json_u64(j, "pkts_toclient", to_client.packets);
    json_u64(j, "bytes_toserver", to_server.bytes);
    json_u64(j, "bytes_toclient", to_client.bytes);
}

void
eve_put_time(struct json *j, const char *key, uint64_t ns)
{
    char text[TIME_TEXT];

    time_text(ns, text);
    json_str(j, key, text);
}

static void
put_community_id(struct eve_out *eve, struct json *j, const struct eve_flow *flow,
                 const struct weir_event *ev)
{
    struct eve_community *last = &eve->community;
    struct weir_tuple tuple;

    if (eve->digest == NULL || ev->flow == NULL)
        return;
    weir_flow_tuple(ev->flow, &tuple);
    if (last->text[0] == '\0' || memcmp(&tuple, &last->tuple, sizeof(tuple)) != 0 ||
        flow->icmp_type != last->icmp_type || flow->icmp_code != last->icmp_code) {
        *last = (struct eve_community){ tuple, flow->icmp_type, flow->icmp_code, "" };
        community_id(eve->digest, eve->opts.community_id_seed, &tuple, flow->icmp_type,
                     flow->icmp_code, last->text);
    }
    json_str(j, "community_id", last->text);
}

static void
put_mac(struct json *j, const char *key, const uint8_t *p)
{
    char text[18];

    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4],
             p[5]);
    json_str(j, key, text);
}

static void
put_ethernet(struct json *j, const struct weir_packet *pkt)
{
    enum { LINK_ETHERNET = 1, MACS = 12 };

    if (pkt == NULL || pkt->link != LINK_ETHERNET || pkt->caplen < MACS)
        return;
    json_open(j, "ether");
    put_mac(j, "src_mac", pkt->frame + 6);
    put_mac(j, "dest_mac", pkt->frame);
    json_close(j);
}

/* Of a flow of ICMP: what its first packet was. */
static void
put_icmp(struct eve_ends *ends, const struct eve_flow *flow)
{
    if (ends->proto != WEIR_PROTO_ICMP && ends->proto != WEIR_PROTO_ICMPV6)
        return;
    ends->icmp_type = flow->icmp_type;
    ends->icmp_code = flow->icmp_code;
}

/* Where flows go by no VLAN, that of their first packet. */
static void
put_vlan(struct eve_ends *ends, const struct eve_flow *flow)
{
    if (ends->n_vlan > 0)
        return;
    ends->n_vlan = flow->n_vlan;
    memcpy(ends->vlan, flow->vlan, sizeof(flow->vlan));
}

/* The packet's; where there is none, that of the flow's first one. */
static const char *
interface_of(const struct eve_out *eve, enum eve_source source, const struct eve_flow *flow,
             const struct weir_event *ev)
{
    const bool of_packet = ev->packet != NULL && source == EVE_OF_PACKET;

    return eve->input.interfaces[of_packet ? ev->packet->port : flow->interface];
}

void
eve_out_begin(struct eve_out *eve, struct json *j, enum eve_type type, enum eve_source source,
              const struct eve_flow *flow, const struct weir_event *ev,
              const struct eve_about *about)
{
    struct eve_ends ends;

    eve->count.written[type]++;
    eve_ends(ev, &ends);
    if (type == EVE_FLOW)
        put_icmp(&ends, flow);
    if (ev->flow != NULL)
        put_vlan(&ends, flow);
    ends.all_digits = true;
    eve_begin_ends(j, eve->out, ev, record_name[type], &ends);
    if (eve->input.interfaces != NULL)
        json_str(j, "in_iface", interface_of(eve, source, flow, ev));
    if (eve->opts.pcap_file && eve->input.file != NULL && *eve->input.file != NULL)
        json_str(j, "pcap_filename", *eve->input.file);
    if (ends.ip_version != 0)
        json_u64(j, "ip_v", ends.ip_version);
    if (source == EVE_OF_PACKET)
        json_str(j, "pkt_src", ev->number != 0 ? "wire/pcap" : "stream (flow timeout)");
    put_community_id(eve, j, flow, ev);
    if (eve->opts.ethernet && source == EVE_OF_PACKET)
        put_ethernet(j, ev->packet);
    if (about->has_tx_id)
        json_u64(j, "tx_id", about->tx_id);
}

void
eve_put_app(struct json *j, const struct eve_about *about)
{
    if (about->app != APP_UNKNOWN_YET)
        json_str(j, "app_proto", app_proto_name(about->app));
}

void
eve_put_context(struct eve_out *eve, struct json *j, const struct weir_event *ev,
                const struct eve_about *about)
{
    eve_put_app(j, about);
    if (ev->flow != NULL)
        json_str(j, "direction", ev->direction == WEIR_TOSERVER ? "to_server" : "to_client");
    if (eve->opts.metadata)
        eve_put_metadata(j, about);
}

/* ---- anomalies and flow events ------------------------------------------------------------- */

static void
put_anomaly(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
            const struct eve_about *about, const char *type, const char *name)
{
    struct json j;

    eve_out_begin(eve, &j, EVE_ANOMALY, EVE_OF_PACKET, flow, ev, about);
    eve_put_app(&j, about);
    json_open(&j, "anomaly");
    if (strcmp(type, "applayer") == 0)
        eve_put_app(&j, about);
    json_str(&j, "type", type);
    json_str(&j, "event", name);
    if (strcmp(type, "applayer") == 0)
        json_str(&j, "layer", strchr(name, '.') != NULL ? "proto_parser" : "proto_detect");
    json_end(&j);
}

/* Of a kind and direction a flow tells once: its peer may make as many as it likes. */
static bool
was_told(struct eve_flow *flow, const struct weir_event *ev)
{
    uint64_t bit = UINT64_C(1) << anomaly_number(ev), *told = &flow->told[ev->direction];
    bool was = *told & bit & ~UINT64_C(1);

    *told |= bit;
    return was;
}

static void
tell_anomaly(struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev,
             const struct eve_about *about)
{
    char name[ANOMALY_NAME];
    enum anomaly_kind kind = anomaly_of(ev, name);

    if (kind != ANOMALY_NONE && ev->flow != NULL && !eve->opts.anomaly_repeat && was_told(flow, ev))
        return;
    if (kind == ANOMALY_DECODE && eve->opts.anomaly_decode)
        put_anomaly(eve, flow, ev, about, "decode", name);
    else if (kind == ANOMALY_STREAM && eve->opts.anomaly_stream)
        put_anomaly(eve, flow, ev, about, "stream", name);
}

static void
tell_flow_event(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev)
{
    const struct eve_about nothing = { .app = APP_UNKNOWN_YET };
    struct json j;

    eve_out_begin(eve, &j, EVE_FLOW_EVENT, EVE_OF_FLOW, flow, ev, &nothing);
    out_json_fields(&j, ev, eve->opts.flow_event_bytes);
    json_end(&j);
}

/* What later records say of the flow. */
static void
note(struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev)
{
    if (ev->type == WEIR_EV_FLOW_START && ev->packet != NULL) {
        flow->interface = ev->packet->port;
        flow->icmp_type = ev->packet->icmp_type;
        flow->icmp_code = ev->packet->icmp_code;
        flow->n_vlan = ev->packet->n_vlan < 2 ? ev->packet->n_vlan : 2;
        memcpy(flow->vlan, ev->packet->vlan, sizeof(flow->vlan));
    } else if (ev->type == WEIR_EV_GAP && ev->gap.length > 0) {
        flow->gap_at[ev->direction] = ev->gap.offset;
        flow->gap_n[ev->direction] = ev->gap.length < UINT32_MAX ? (uint32_t)ev->gap.length
                                                                 : UINT32_MAX;
    } else if (ev->type == WEIR_EV_FLOW_END) {
        switch (weir_flow_proto(ev->flow)) {
        case WEIR_PROTO_TCP:
            eve->count.flows[EVE_FLOW_TCP]++;
            break;
        case WEIR_PROTO_UDP:
            eve->count.flows[EVE_FLOW_UDP]++;
            break;
        case WEIR_PROTO_ICMP:
            eve->count.flows[EVE_FLOW_ICMPV4]++;
            break;
        case WEIR_PROTO_ICMPV6:
            eve->count.flows[EVE_FLOW_ICMPV6]++;
            break;
        default:
            eve->count.flows[EVE_FLOW_OTHER]++;
        }
    }
}

void
eve_event(struct eve_out *eve, struct eve_flow *flow, const struct weir_event *ev,
          const struct eve_about *about)
{
    if (eve->opts.types == 0)
        return;
    if (ev->flow != NULL)
        note(eve, flow, ev);
    if (eve_writes(&eve->opts, EVE_FLOW_EVENT) && told_by_default() >> ev->type & 1)
        tell_flow_event(eve, flow, ev);
    if (eve_writes(&eve->opts, EVE_ANOMALY))
        tell_anomaly(eve, flow, ev, about);
}

void
eve_app_anomaly(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
                const char *name, const struct eve_about *about)
{
    if (eve_writes(&eve->opts, EVE_ANOMALY) && eve->opts.anomaly_applayer)
        put_anomaly(eve, flow, ev, about, "applayer", name);
}
