/*
 * What --set changes: names of Suricata's configuration. Those that mean something here are taken;
 * others that Suricata knows are noted once; the rest is an error.
 */
#ifndef IDS_SETTINGS_H
#define IDS_SETTINGS_H

#include "rule/vars.h"

#include <weir/monitor.h>

struct settings {
    struct vars *vars;
    bool midstream;                 /* stream.midstream */
    struct weir_host_policy *hosts; /* host-os-policy: n_hosts of them, owned */
    size_t n_hosts;
};

/*
 * Take "name=value". *ignored: the name is Suricata's, but means nothing here.
 */
int
settings_set(struct settings *settings, const char *text, bool *ignored, struct weir_errbuf *err);

/* Free what settings_set() made; vars are the caller's. */
void settings_free(struct settings *settings);

#endif
