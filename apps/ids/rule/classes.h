/*
 * Classifications of alerts: what classtype names, with the priority it stands for. Read from a
 * classification.config, or those that Snort and Suricata ship.
 */
#ifndef IDS_CLASSES_H
#define IDS_CLASSES_H

#include "rule/lexer.h"

struct class
{
    const char *name;
    const char *text; /* "category" of alerts */
    unsigned priority;
};

struct classes; /* opaque */

/* Read "config classification: name,text,priority" lines. Text with file:line in err on failure. */
int classes_load(const char *path, struct classes **out, struct weir_errbuf *err);
void classes_free(struct classes *classes);

/* Of those, or of the built-in ones if classes is NULL; NULL: it is none. */
const struct class *class_by_name(const struct classes *classes, struct text name);

#endif
