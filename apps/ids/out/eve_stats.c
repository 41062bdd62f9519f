#include "out/eve_stats.h"

#include <stdio.h>

static void
put_decoder(struct json *j, const struct weir_monitor_stats *stats)
{
    json_open(j, "decoder");
    json_u64(j, "pkts", stats->packets);
    json_u64(j, "bytes", stats->bytes);
    json_u64(j, "invalid", stats->events[WEIR_EV_BAD_PACKET]);
    if (stats->packets > 0)
        json_u64(j, "avg_pkt_size", stats->bytes / stats->packets);
    json_close(j);
}

static void
put_flows(const struct eve_out *eve, struct json *j, const struct weir_monitor_stats *stats)
{
    json_open(j, "flow");
    json_u64(j, "total", stats->flows);
    json_u64(j, "active", stats->live_flows);
    json_u64(j, "tcp", eve->count.flows[EVE_FLOW_TCP]);
    json_u64(j, "udp", eve->count.flows[EVE_FLOW_UDP]);
    json_u64(j, "icmpv4", eve->count.flows[EVE_FLOW_ICMPV4]);
    json_u64(j, "icmpv6", eve->count.flows[EVE_FLOW_ICMPV6]);
    json_u64(j, "memcap", stats->overload[WEIR_OVERLOAD_FLOWS]);
    json_close(j);
}

static void
put_defrag(struct json *j, const struct weir_monitor_stats *stats)
{
    json_open(j, "defrag");
    json_u64(j, "fragments", stats->fragments);
    json_u64(j, "reassembled", stats->datagrams);
    json_u64(j, "max_frag_hits", stats->overload[WEIR_OVERLOAD_FRAGMENTS]);
    json_close(j);
}

static void
put_tcp(const struct eve_out *eve, struct json *j, const struct weir_monitor_stats *stats)
{
    const uint64_t *events = stats->events;

    json_open(j, "tcp");
    json_u64(j, "sessions", eve->count.flows[EVE_FLOW_TCP]);
    json_u64(j, "syn", events[WEIR_EV_SYN]);
    json_u64(j, "synack", events[WEIR_EV_SYN_ACK]);
    json_u64(j, "rst", events[WEIR_EV_RST]);
    json_u64(j, "urg", events[WEIR_EV_URGENT]);
    json_u64(j, "invalid_checksum", stats->bad_checksums);
    json_u64(j, "segment_memcap_drop", stats->overload[WEIR_OVERLOAD_MEMCAP]);
    json_u64(j, "reassembly_gap", events[WEIR_EV_GAP]);
    json_u64(j, "overlap", events[WEIR_EV_RETRANSMIT] + events[WEIR_EV_FAKE_RETRANSMIT]);
    json_u64(j, "overlap_diff_data", events[WEIR_EV_FAKE_RETRANSMIT]);
    json_u64(j, "insert_list_fail", stats->overload[WEIR_OVERLOAD_SEGMENTS]);
    json_close(j);
}

static void
put_detect(struct json *j, const struct eve_counters *counters)
{
    json_open(j, "detect");
    json_open_array(j, "engines");
    json_open(j, NULL);
    json_u64(j, "id", 0);
    json_u64(j, "rules_loaded", counters->rules_loaded);
    json_u64(j, "rules_failed", counters->rules_failed);
    json_close(j);
    json_close(j);
    json_u64(j, "alert", counters->alerts);
    json_u64(j, "alerts_suppressed", counters->alerts_suppressed);
    json_close(j);
}

/* What goes over both has the transport behind its name: "dns_udp", "failed_tcp". */
static void
put_app(struct json *j, const char *key, const uint64_t n[APP_PROTOS][2])
{
    char name[32];

    json_open(j, key);
    for (unsigned app = APP_UNKNOWN; app < APP_PROTOS; app++) {
        bool both = app == APP_UNKNOWN || app == APP_DNS;

        for (unsigned udp = 0; udp < 2; udp++) {
            snprintf(name, sizeof(name), "%s%s", app_proto_name(app),
                     !both      ? ""
                     : udp != 0 ? "_udp"
                                : "_tcp");
            if (n[app][udp] > 0)
                json_u64(j, name, n[app][udp]);
        }
    }
    json_close(j);
}

static void
put_ips(struct json *j, const struct weir_monitor_stats *stats)
{
    json_open(j, "ips");
    json_u64(j, "accepted", stats->forwarded);
    json_u64(j, "blocked", stats->dropped + stats->fail_closed);
    json_u64(j, "rejected", stats->rejects);
    json_u64(j, "replaced", stats->rewritten);
    json_close(j);
}

void
eve_stats(struct eve_out *eve, const struct weir_monitor_stats *stats,
          const struct eve_counters *counters)
{
    struct weir_event at = { .time = counters->now };
    const struct eve_ends nowhere = { .ip_version = 0 };
    struct json j;

    if (!eve_writes(&eve->opts, EVE_STATS) || (stats->packets == 0 && !counters->live))
        return;
    eve->count.written[EVE_STATS]++;
    eve_begin_ends(&j, eve->out, &at, "stats", &nowhere);
    json_open(&j, "stats");
    json_u64(&j, "uptime", (counters->now - counters->start) / 1000000000);
    if (counters->live) {
        json_open(&j, "capture");
        json_u64(&j, "kernel_packets", counters->kernel_packets);
        json_u64(&j, "kernel_drops", counters->kernel_drops);
        json_u64(&j, "kernel_ifdrops", counters->interface_drops);
        json_close(&j);
    }
    put_decoder(&j, stats);
    put_flows(eve, &j, stats);
    put_defrag(&j, stats);
    put_tcp(eve, &j, stats);
    if (counters->in_line)
        put_ips(&j, stats);
    put_detect(&j, counters);
    json_open(&j, "app_layer");
    put_app(&j, "flow", eve->count.app_flows);
    put_app(&j, "tx", eve->count.app_tx);
    json_end(&j);
}
