#include "out/alert.h"

#include "eve.h"
#include "json.h"

#include <weir/flow.h>

#include <stdio.h>
#include <string.h>

/* ---- parts --------------------------------------------------------------------------------- */

static void
put_counts(struct json *j, const struct weir_flow *flow)
{
    struct weir_flow_counts to_server, to_client;

    weir_flow_counts(flow, WEIR_TOSERVER, &to_server);
    weir_flow_counts(flow, WEIR_TOCLIENT, &to_client);
    json_u64(j, "pkts_toserver", to_server.packets);
    json_u64(j, "pkts_toclient", to_client.packets);
    json_u64(j, "bytes_toserver", to_server.bytes);
    json_u64(j, "bytes_toclient", to_client.bytes);
}

static void
put_time(struct json *j, const char *key, uint64_t ns)
{
    char text[TIME_TEXT];

    time_text(ns, text);
    json_str(j, key, text);
}

static bool
has_ports(unsigned proto)
{
    return proto == WEIR_PROTO_TCP || proto == WEIR_PROTO_UDP;
}

static void
put_tuple(struct json *j, const struct weir_flow *flow)
{
    struct weir_tuple tuple;
    char text[ADDR_TEXT];

    weir_flow_tuple(flow, &tuple);
    addr_text(&tuple.addr[0], tuple.ip_version, text);
    json_str(j, "src_ip", text);
    addr_text(&tuple.addr[1], tuple.ip_version, text);
    json_str(j, "dest_ip", text);
    if (has_ports(tuple.proto)) {
        json_u64(j, "src_port", tuple.port[0]);
        json_u64(j, "dest_port", tuple.port[1]);
    }
}

/* ---- alerts -------------------------------------------------------------------------------- */

/* Whether a key stands before i already: its values go together. */
static bool
came_before(const struct rule *rule, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (strcmp(rule->metadata[k].key, rule->metadata[i].key) == 0)
            return true;
    return false;
}

static void
put_metadata(struct json *j, const struct rule *rule)
{
    if (rule->n_metadata == 0)
        return;
    json_open(j, "metadata");
    for (unsigned i = 0; i < rule->n_metadata; i++) {
        const char *key = rule->metadata[i].key;

        if (came_before(rule, i))
            continue;
        json_open_array_text(j, key);
        for (unsigned k = i; k < rule->n_metadata; k++)
            if (strcmp(rule->metadata[k].key, key) == 0)
                json_text(j, NULL, rule->metadata[k].value, strlen(rule->metadata[k].value));
        json_close(j);
    }
    json_close(j);
}

static void
put_references(struct json *j, const struct rule *rule)
{
    char text[512];

    if (rule->n_reference == 0)
        return;
    json_open_array(j, "references");
    for (unsigned i = 0; i < rule->n_reference; i++) {
        snprintf(text, sizeof(text), "%s,%s", rule->reference[i].key, rule->reference[i].value);
        json_text(j, NULL, text, strlen(text));
    }
    json_close(j);
}

static void
put_alert(struct json *j, const struct rule *rule, const char *action)
{
    json_open(j, "alert");
    json_str(j, "action", action);
    json_u64(j, "gid", rule->gid);
    json_u64(j, "signature_id", rule->sid);
    json_u64(j, "rev", rule->rev);
    json_text(j, "signature", rule->msg, strlen(rule->msg));
    json_str(j, "category", rule->class != NULL ? rule->class->text : "");
    json_u64(j, "severity", rule->priority);
    put_references(j, rule);
    put_metadata(j, rule);
    json_close(j);
}

void
eve_alert(struct out *out, const struct rule *rule, const struct weir_event *ev, const char *action)
{
    struct json j;

    eve_begin(&j, out, ev, "alert");
    put_alert(&j, rule, action);
    if (ev->flow != NULL) {
        json_str(&j, "direction", ev->direction == WEIR_TOSERVER ? "to_server" : "to_client");
        json_open(&j, "flow");
        put_counts(&j, ev->flow);
        put_time(&j, "start", weir_flow_start_time(ev->flow));
        put_tuple(&j, ev->flow);
        json_close(&j);
    }
    json_end(&j);
}

/* ---- flows --------------------------------------------------------------------------------- */

static const char *
state_text(const struct weir_event *ev)
{
    switch (weir_flow_phase(ev->flow)) {
    case WEIR_FLOW_NEW:
        return "new";
    case WEIR_FLOW_ESTABLISHED:
        return "established";
    case WEIR_FLOW_CLOSED:
        return "closed";
    }
    return "new";
}

static const char *
reason_text(uint8_t reason)
{
    switch ((enum weir_end_reason)reason) {
    case WEIR_END_FIN:
    case WEIR_END_RST:
    case WEIR_END_TIMEOUT:
        return "timeout";
    case WEIR_END_REUSE:
        return "tcp_reuse";
    case WEIR_END_EVICTED:
        return "forced";
    case WEIR_END_EOF:
        return "shutdown";
    }
    return "unknown";
}

static void
put_flags(struct json *j, const struct weir_flow *flow)
{
    static const struct {
        const char *name;
        uint8_t bit;
    } flags[] = {
        { "syn", WEIR_TH_SYN },  { "fin", WEIR_TH_FIN }, { "rst", WEIR_TH_RST },
        { "psh", WEIR_TH_PUSH }, { "ack", WEIR_TH_ACK }, { "urg", WEIR_TH_URG },
        { "ecn", WEIR_TH_ECE },  { "cwr", WEIR_TH_CWR },
    };
    struct weir_flow_counts ts, tc;
    uint8_t both;
    char hex[8];

    weir_flow_counts(flow, WEIR_TOSERVER, &ts);
    weir_flow_counts(flow, WEIR_TOCLIENT, &tc);
    both = ts.tcp_flags | tc.tcp_flags;
    json_open(j, "tcp");
    snprintf(hex, sizeof(hex), "%02x", both);
    json_str(j, "tcp_flags", hex);
    snprintf(hex, sizeof(hex), "%02x", ts.tcp_flags);
    json_str(j, "tcp_flags_ts", hex);
    snprintf(hex, sizeof(hex), "%02x", tc.tcp_flags);
    json_str(j, "tcp_flags_tc", hex);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (both & flags[i].bit)
            json_bool(j, flags[i].name, true);
    json_close(j);
}

void
eve_flow(struct out *out, const struct weir_event *ev, bool alerted)
{
    struct weir_event whole = *ev; /* client to server, and of no single packet */
    uint64_t start = weir_flow_start_time(ev->flow), end = weir_flow_last_time(ev->flow);
    struct json j;

    whole.packet = NULL;
    whole.number = 0;
    whole.direction = WEIR_TOSERVER;
    eve_begin(&j, out, &whole, "flow");
    json_open(&j, "flow");
    put_counts(&j, ev->flow);
    put_time(&j, "start", start);
    put_time(&j, "end", end);
    json_u64(&j, "age", (end - start) / 1000000000);
    json_str(&j, "state", state_text(ev));
    json_str(&j, "reason", reason_text(ev->flow_end.reason));
    json_bool(&j, "alerted", alerted);
    json_close(&j);
    if (weir_flow_proto(ev->flow) == WEIR_PROTO_TCP)
        put_flags(&j, ev->flow);
    json_end(&j);
}
