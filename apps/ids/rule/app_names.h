/* Names of application protocols: in headers of rules, app-layer-protocol and service. */
#ifndef IDS_APP_NAMES_H
#define IDS_APP_NAMES_H

#include "rule/lexer.h"

struct app_name {
    const char *name;
    uint32_t apps;  /* a bit for each enum app_proto that it stands for; 0: none that is decoded */
    uint8_t protos; /* enum rule_proto: what carries it */
};

/* NULL: there is no such protocol. */
const struct app_name *app_name_find(struct text name);

/* As service has them (Snort), which has names of its own; 0: none that is decoded. */
uint32_t app_service(struct text name);

#endif
