/*
 * Options that ask for a state of the flow: flow, flow.age, stream_size, app-layer-protocol,
 * service.
 */
#ifndef IDS_OPTION_FLOW_H
#define IDS_OPTION_FLOW_H

#include "rule/rule.h"

int flow_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int stream_size_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_age_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_packets_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_packets_toserver_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_packets_toclient_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_bytes_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_bytes_toserver_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flow_bytes_toclient_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int app_layer_protocol_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int service_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
