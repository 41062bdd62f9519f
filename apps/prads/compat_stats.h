/* What was counted, and the block of lines at the end. */
#ifndef WEIR_PRADS_COMPAT_STATS_H
#define WEIR_PRADS_COMPAT_STATS_H

#include "out.h"

#include <weir/packet.h>

/* In the order in which they are printed. */
enum counter {
    COUNT_PACKETS,
    COUNT_ETHERNET,
    COUNT_VLAN,
    COUNT_ARP,
    COUNT_IPV4,
    COUNT_IPV6,
    COUNT_OTHER_LINK,
    COUNT_IP_IN_IPV4,
    COUNT_IP_IN_IPV6,
    COUNT_GRE,
    COUNT_TCP,
    COUNT_UDP,
    COUNT_ICMP,
    COUNT_OTHER,
    COUNT_SESSIONS,
    COUNT_ASSETS,
    COUNT_TCP_OS,
    COUNT_UDP_OS,
    COUNT_ICMP_OS,
    COUNT_DHCP_OS,
    COUNT_TCP_SERVICE,
    COUNT_TCP_CLIENT,
    COUNT_UDP_SERVICE,
    COUNT_UDP_CLIENT,
    COUNT_N
};

struct compat_stats {
    uint64_t at[COUNT_N];
};

/* Count a packet by its headers; has_flow: its innermost IP header leads to something. */
void compat_stats_packet(struct compat_stats *stats, const struct weir_packet *pkt, bool has_flow);

void compat_stats_print(const struct compat_stats *stats, struct out *out);

#endif
