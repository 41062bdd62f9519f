#include "compat_stats.h"

#include "ether.h"

#include <stdio.h>

enum { WIDTH = 39 };

static void
count_transport(struct compat_stats *stats, const struct weir_packet *pkt)
{
    switch (pkt->proto) {
    case WEIR_PROTO_TCP:
        stats->at[COUNT_TCP]++;
        break;
    case WEIR_PROTO_UDP:
        stats->at[COUNT_UDP]++;
        break;
    case WEIR_PROTO_ICMP:
    case WEIR_PROTO_ICMPV6:
        stats->at[COUNT_ICMP]++;
        break;
    case 47:
        stats->at[COUNT_GRE]++;
        break;
    default:
        stats->at[COUNT_OTHER]++;
        break;
    }
}

/* Headers around the innermost: all are taken for the kind of the outermost. */
static void
count_tunnels(struct compat_stats *stats, const struct weir_packet *pkt, bool six)
{
    stats->at[six ? COUNT_IPV6 : COUNT_IPV4] += pkt->tunnel;
    stats->at[six ? COUNT_IP_IN_IPV6 : COUNT_IP_IN_IPV4] += pkt->tunnel;
}

void
compat_stats_packet(struct compat_stats *stats, const struct weir_packet *pkt, bool has_flow)
{
    unsigned n_tags, type = ether_type(pkt, &n_tags);

    stats->at[COUNT_PACKETS]++;
    stats->at[COUNT_ETHERNET]++;
    stats->at[COUNT_VLAN] += pkt->n_vlan > 0 || n_tags > 0;
    if (pkt->ip_version == 4)
        stats->at[COUNT_IPV4]++;
    else if (pkt->ip_version == 6)
        stats->at[COUNT_IPV6]++;
    else if (type == ETHER_ARP)
        stats->at[COUNT_ARP]++;
    else
        stats->at[COUNT_OTHER_LINK]++;
    if (pkt->tunnel > 0)
        count_tunnels(stats, pkt, type == ETHER_IPV6);
    if (has_flow)
        count_transport(stats, pkt);
}

static void
line(struct out *out, const char *label, uint64_t value)
{
    char text[100];

    snprintf(text, sizeof(text), "-- %-*s:%12llu\n", WIDTH, label, (unsigned long long)value);
    out_str(out, text);
}

void
compat_stats_print(const struct compat_stats *stats, struct out *out)
{
    static const char *const labels[COUNT_N] = {
        "Total packets received from libpcap",
        "Total Ethernet packets received",
        "Total VLAN packets received",
        "Total ARP packets received",
        "Total IPv4 packets received",
        "Total IPv6 packets received",
        "Total Other link packets received",
        "Total IPinIPv4 packets received",
        "Total IPinIPv6 packets received",
        "Total GRE packets received",
        "Total TCP packets received",
        "Total UDP packets received",
        "Total ICMP packets received",
        "Total Other transport packets received",
        "Total sessions tracked",
        "Total assets detected",
        "Total TCP OS fingerprints detected",
        "Total UDP OS fingerprints detected",
        "Total ICMP OS fingerprints detected",
        "Total DHCP OS fingerprints detected",
        "Total TCP service assets detected",
        "Total TCP client assets detected",
        "Total UDP service assets detected",
        "Total UDP client assets detected",
    };

    out_str(out, "-- prads:\n");
    for (unsigned i = 0; i < COUNT_N; i++) {
        if (i == COUNT_SESSIONS)
            out_str(out, "--\n");
        line(out, labels[i], stats->at[i]);
    }
    out_end_record(out);
}
