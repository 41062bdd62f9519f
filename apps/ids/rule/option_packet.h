/* Options that test a packet's headers: dsize, ttl, flags, icmp_id, vlan.id, ... */
#ifndef IDS_OPTION_PACKET_H
#define IDS_OPTION_PACKET_H

#include "rule/rule.h"

/* Add one; at most CHECKS_MAX for a rule. */
int check_add(struct rule *rule, const struct check *check, struct weir_errbuf *err);

int dsize_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ttl_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tos_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int id_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ipopts_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int fragbits_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int fragoffset_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ip_proto_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int sameip_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int itype_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int icode_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int icmp_id_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int icmp_seq_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int icmpv6_mtu_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flags_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int seq_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ack_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int window_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int mss_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int wscale_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int vlan_id_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int vlan_layers_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
