/* Options that ask for a state of the flow: flow, stream_size, app-layer-protocol, service. */
#ifndef IDS_OPTION_FLOW_H
#define IDS_OPTION_FLOW_H

#include "rule/rule.h"

int flow_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int stream_size_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int app_layer_protocol_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int service_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
