/* Records of flows that ended. */
#include "out/eve_out.h"

#include <weir/flow.h>

#include <stdio.h>

static const char *
phase_text(const struct weir_flow *flow)
{
    switch (weir_flow_phase(flow)) {
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
    case WEIR_END_FIN: /* remembered for a while, and then it times out */
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

/* How far the connection came, in Suricata's words; of one that is closing, that it is. */
static const char *
tcp_state(const struct weir_flow *flow, uint8_t ts, uint8_t tc)
{
    switch (weir_flow_phase(flow)) {
    case WEIR_FLOW_CLOSED:
        return "closed";
    case WEIR_FLOW_ESTABLISHED:
        return (ts | tc) & WEIR_TH_FIN ? "fin_wait1" : "established";
    case WEIR_FLOW_NEW:
        break;
    }
    if (tc & WEIR_TH_SYN)
        return "syn_recv";
    return ts & WEIR_TH_SYN ? "syn_sent" : "none";
}

static void
put_hex(struct json *j, const char *key, uint8_t flags)
{
    char text[4];

    snprintf(text, sizeof(text), "%02x", flags);
    json_str(j, key, text);
}

static void
put_flags(struct json *j, uint8_t both)
{
    static const struct {
        const char *name;
        uint8_t bit;
    } flags[] = {
        { "syn", WEIR_TH_SYN },  { "fin", WEIR_TH_FIN }, { "rst", WEIR_TH_RST },
        { "psh", WEIR_TH_PUSH }, { "ack", WEIR_TH_ACK }, { "urg", WEIR_TH_URG },
        { "ecn", WEIR_TH_ECE },  { "cwr", WEIR_TH_CWR },
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (both & flags[i].bit)
            json_bool(j, flags[i].name, true);
}

static void
put_tcp(struct json *j, const struct weir_flow *flow, const struct eve_flow *own)
{
    struct weir_flow_counts ts, tc;

    weir_flow_counts(flow, WEIR_TOSERVER, &ts);
    weir_flow_counts(flow, WEIR_TOCLIENT, &tc);
    json_open(j, "tcp");
    put_hex(j, "tcp_flags", ts.tcp_flags | tc.tcp_flags);
    put_hex(j, "tcp_flags_ts", ts.tcp_flags);
    put_hex(j, "tcp_flags_tc", tc.tcp_flags);
    put_flags(j, ts.tcp_flags | tc.tcp_flags);
    json_str(j, "state", tcp_state(flow, ts.tcp_flags, tc.tcp_flags));
    if (own->gap_n[WEIR_TOSERVER] > 0)
        json_bool(j, "ts_gap", true);
    if (own->gap_n[WEIR_TOCLIENT] > 0)
        json_bool(j, "tc_gap", true);
    json_close(j);
}

void
eve_flow_record(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
                const struct eve_about *about)
{
    struct weir_event whole = *ev; /* client to server, and of no single packet */
    uint64_t start = weir_flow_start_time(ev->flow), end = weir_flow_last_time(ev->flow);
    struct json j;

    eve->count.app_flows[about->app][weir_flow_proto(ev->flow) == WEIR_PROTO_UDP]++;
    if (!eve_writes(&eve->opts, EVE_FLOW))
        return;
    whole.packet = NULL;
    whole.number = 0;
    whole.direction = WEIR_TOSERVER;
    eve_out_begin(eve, &j, EVE_FLOW, EVE_OF_FLOW, flow, &whole, about);
    eve_put_app(&j, about);
    json_open(&j, "flow");
    eve_put_counts(&j, ev->flow);
    eve_put_time(&j, "start", start);
    eve_put_time(&j, "end", end);
    json_u64(&j, "age", (end - start) / 1000000000);
    json_str(&j, "state", about->bypassed ? "bypassed" : phase_text(ev->flow));
    json_str(&j, "reason", reason_text(ev->flow_end.reason));
    json_bool(&j, "alerted", about->alerted);
    if (about->tx_count > 0)
        json_u64(&j, "tx_cnt", about->tx_count);
    json_close(&j);
    if (weir_flow_proto(ev->flow) == WEIR_PROTO_TCP)
        put_tcp(&j, ev->flow, flow);
    if (eve->opts.metadata)
        eve_put_metadata(&j, about);
    json_end(&j);
}
