/*
 * What may be odd about a packet's headers, beyond flow events: Suricata's decoder events, by its
 * names. rule/ knows the names, detect/anomaly.c what they mean.
 */
#ifndef IDS_RULE_ANOMALY_H
#define IDS_RULE_ANOMALY_H

#include <weir/event.h>

/* clang-format off */
#define ANOMALY_LIST(X)                                                                            \
    X(ETHERNET_TOO_SMALL,      "ethernet.pkt_too_small")                                           \
    X(SLL_TOO_SMALL,           "sll.pkt_too_small")                                                \
    X(NULL_TOO_SMALL,          "ltnull.pkt_too_small")                                             \
    X(HDLC_TOO_SMALL,          "chdlc.pkt_too_small")                                              \
    X(ETHERNET_UNKNOWN,        "ethernet.unknown_ethertype")                                       \
    X(VLAN_UNKNOWN,            "vlan.unknown_type")                                                \
    X(VLAN_TOO_MANY,           "vlan.too_many_layers")                                             \
    X(NULL_UNSUPPORTED,        "ltnull.unsupported_type")                                          \
    X(ARP_TOO_SMALL,           "arp.pkt_too_small")                                                \
    X(ARP_HARDWARE,            "arp.unsupported_hardware")                                         \
    X(ARP_PROTOCOL,            "arp.unsupported_protocol")                                         \
    X(ARP_HARDWARE_SIZE,       "arp.invalid_hardware_size")                                        \
    X(ARP_PROTOCOL_SIZE,       "arp.invalid_protocol_size")                                        \
    X(ARP_OPCODE,              "arp.unsupported_opcode")                                           \
    X(MPLS_ROUTER_ALERT,       "mpls.bad_label_router_alert")                                      \
    X(MPLS_IMPLICIT_NULL,      "mpls.bad_label_implicit_null")                                     \
    X(MPLS_RESERVED,           "mpls.bad_label_reserved")                                          \
    X(GRE_TOO_SMALL,           "gre.pkt_too_small")                                                \
    X(GRE_VERSION,             "gre.wrong_version")                                                \
    X(GRE0_RECUR,              "gre.version0_recur")                                               \
    X(GRE0_FLAGS,              "gre.version0_flags")                                               \
    X(GRE1_CHECKSUM,           "gre.version1_chksum")                                              \
    X(GRE1_ROUTE,              "gre.version1_route")                                               \
    X(GRE1_SSR,                "gre.version1_ssr")                                                 \
    X(GRE1_RECUR,              "gre.version1_recur")                                               \
    X(GRE1_FLAGS,              "gre.version1_flags")                                               \
    X(GRE1_NO_KEY,             "gre.version1_no_key")                                              \
    X(GRE1_PROTOCOL,           "gre.version1_wrong_protocol")                                      \
    X(IGMP_TOO_SMALL,          "igmp.pkt_too_small")                                               \
    X(SCTP_TOO_SMALL,          "sctp.pkt_too_small")                                               \
    X(ESP_TOO_SMALL,           "esp.pkt_too_small")                                                \
    X(IPV4_OPT_INVALID,        "ipv4.opt_invalid")                                                 \
    X(IPV4_OPT_INVALID_LEN,    "ipv4.opt_invalid_len")                                             \
    X(IPV4_OPT_MALFORMED,      "ipv4.opt_malformed")                                               \
    X(IPV4_OPT_DUPLICATE,      "ipv4.opt_duplicate")                                               \
    X(IPV4_OPT_UNKNOWN,        "ipv4.opt_unknown")                                                 \
    X(IPV4_ICMPV6,             "ipv4.icmpv6")                                                      \
    X(IPV4_UNKNOWN_PROTOCOL,   "ipv4.unknown_protocol")                                            \
    X(IPV6_TOO_SMALL,          "ipv6.pkt_too_small")                                               \
    X(IPV6_TRUNC_EXTHDR,       "ipv6.trunc_exthdr")                                                \
    X(IPV6_DUPL_FH,            "ipv6.exthdr_dupl_fh")                                              \
    X(IPV6_USELESS_FH,         "ipv6.exthdr_useless_fh")                                           \
    X(IPV6_DUPL_RH,            "ipv6.exthdr_dupl_rh")                                              \
    X(IPV6_DUPL_HH,            "ipv6.exthdr_dupl_hh")                                              \
    X(IPV6_DUPL_DH,            "ipv6.exthdr_dupl_dh")                                              \
    X(IPV6_DUPL_AH,            "ipv6.exthdr_dupl_ah")                                              \
    X(IPV6_INVALID_OPTLEN,     "ipv6.exthdr_invalid_optlen")                                       \
    X(IPV6_AH_RESERVED,        "ipv6.exthdr_ah_res_not_null")                                      \
    X(IPV6_HOPOPTS_UNKNOWN,    "ipv6.hopopts_unknown_opt")                                         \
    X(IPV6_HOPOPTS_PADDING,    "ipv6.hopopts_only_padding")                                        \
    X(IPV6_DSTOPTS_UNKNOWN,    "ipv6.dstopts_unknown_opt")                                         \
    X(IPV6_DSTOPTS_PADDING,    "ipv6.dstopts_only_padding")                                        \
    X(IPV6_RH_TYPE_0,          "ipv6.rh_type_0")                                                   \
    X(IPV6_ZERO_LEN_PADN,      "ipv6.zero_len_padn")                                               \
    X(IPV6_FH_RESERVED,        "ipv6.fh_non_zero_reserved_field")                                  \
    X(IPV6_DATA_AFTER_NONE,    "ipv6.data_after_none_header")                                      \
    X(IPV6_UNKNOWN_HEADER,     "ipv6.unknown_next_header")                                         \
    X(IPV6_ICMPV4,             "ipv6.icmpv4")                                                      \
    X(ICMPV4_UNKNOWN_TYPE,     "icmpv4.unknown_type")                                              \
    X(ICMPV4_UNKNOWN_CODE,     "icmpv4.unknown_code")                                              \
    X(ICMPV4_QUOTE_TRUNC,      "icmpv4.ipv4_trunc_pkt")                                            \
    X(ICMPV4_QUOTE_VERSION,    "icmpv4.ipv4_unknown_ver")                                          \
    X(ICMPV6_UNKNOWN_TYPE,     "icmpv6.unknown_type")                                              \
    X(ICMPV6_UNKNOWN_CODE,     "icmpv6.unknown_code")                                              \
    X(ICMPV6_UNASSIGNED,       "icmpv6.unassigned_type")                                           \
    X(ICMPV6_EXPERIMENTAL,     "icmpv6.experimentation_type")                                      \
    X(ICMPV6_QUOTE_TRUNC,      "icmpv6.ipv6_trunc_pkt")                                            \
    X(ICMPV6_QUOTE_VERSION,    "icmpv6.ipv6_unknown_version")                                      \
    X(ICMPV6_MLD_HOP_LIMIT,    "icmpv6.mld_message_with_invalid_hl")                               \
    X(TCP_HLEN_TOO_SMALL,      "tcp.hlen_too_small")                                               \
    X(TCP_INVALID_OPTLEN,      "tcp.invalid_optlen")                                               \
    X(TCP_OPT_INVALID_LEN,     "tcp.opt_invalid_len")                                              \
    X(TCP_OPT_DUPLICATE,       "tcp.opt_duplicate")                                                \
    X(TCP_BROKEN_ACK,          "stream.pkt_broken_ack")
/* clang-format on */

enum anomaly {
#define X(upper, name) ANOMALY_##upper,
    ANOMALY_LIST(X)
#undef X
        ANOMALIES
};

/* What rules wait for: a flow event, by its type; an anomaly; or any IP fragment. */
enum { TEST_ANOMALY = WEIR_EV_COUNT, TEST_FRAGMENT = WEIR_EV_COUNT + ANOMALIES, TEST_TYPES };

#endif
