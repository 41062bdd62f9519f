/* Suricata's names of stream and decoder events, and what raises them here. */
#ifndef IDS_EVENT_NAMES_H
#define IDS_EVENT_NAMES_H

#include "rule/lexer.h"

enum { SOURCES_MAX = 3 };

struct event_name {
    const char *name;
    const char *source[SOURCES_MAX]; /* as flow-event has it: one of them; none: it never comes */
    const char *flags;  /* of TCP, as flags has it, that the packet has to have; NULL: any */
    uint8_t flow;       /* enum rule_flow; 0: any */
    uint8_t closing;    /* CLOSING_... bits; 0: any */
    uint8_t ip_version; /* of the packet; 0: either */
};

/* Which sides have sent a FIN: a bit for each case. */
enum {
    CLOSING_NOBODY = 1,
    CLOSING_CLIENT = 2,
    CLOSING_SERVER = 4,
    CLOSING_BOTH = 8,
    CLOSING_ANY = CLOSING_CLIENT | CLOSING_SERVER | CLOSING_BOTH,
};

/* NULL: there is no such name; "stream." stands before those of stream-event. */
const struct event_name *event_name_find(struct text name);

#endif
