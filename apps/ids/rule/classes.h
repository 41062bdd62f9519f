/* Classifications of alerts: what classtype names, with the priority it stands for. */
#ifndef IDS_CLASSES_H
#define IDS_CLASSES_H

#include "rule/lexer.h"

struct class
{
    const char *name;
    const char *text; /* "category" of alerts */
    unsigned priority;
};

/* One of the names that Snort and Suricata ship; NULL: it is none. */
const struct class *class_by_name(struct text name);

#endif
