/*
 * What --set changes: names of Suricata's configuration, and stream.ambiguity. Those that mean
 * something here are taken; others that Suricata knows are noted once; the rest is an error.
 */
#ifndef IDS_SETTINGS_H
#define IDS_SETTINGS_H

#include "app/app.h"
#include "rule/vars.h"

#include <weir/monitor.h>

struct settings {
    struct vars *vars;
    bool midstream; /* stream.midstream */
    bool any;       /* stream.ambiguity */
    struct given {
        enum var_kind kind;
        struct text name; /* in the text it was set with */
    } * given;            /* variables that were set; owned */
    size_t n_given;
    struct app_opts app; /* app_defaults() at first */
    struct weir_host_policy *hosts; /* host-os-policy: n_hosts of them, owned */
    size_t n_hosts;
};

/*
 * Take "name=value"; text must outlive the settings. *ignored: the name is Suricata's, but means
 * nothing here.
 */
int
settings_set(struct settings *settings, const char *text, bool *ignored, struct weir_errbuf *err);

/*
 * Whether all variables that were set have values that can be used, so that the command line is
 * blamed and not a rule. They may name each other in any order: call it when all are set.
 */
int settings_check(const struct settings *settings, struct weir_errbuf *err);

/* Free what settings_set() made, and vars. */
void settings_free(struct settings *settings);

#endif
