/* Options that wait for an event: flow-event, and Suricata's names for events. */
#ifndef IDS_OPTION_EVENT_H
#define IDS_OPTION_EVENT_H

#include "rule/rule.h"

int flow_event_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int stream_event_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int decode_event_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int app_layer_event_take(struct rule *rule, struct text value, struct weir_errbuf *err);

/* ipv4-csum and its kin: valid or invalid. */
int ipv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tcpv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tcpv6_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int udpv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int udpv6_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int icmpv4_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int icmpv6_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int igmp_csum_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
