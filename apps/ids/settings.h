/*
 * What --set changes: names of Suricata's configuration, stream.ambiguity and detectors. Those that
 * mean something here are taken; others that Suricata knows are noted once; the rest is an error.
 */
#ifndef IDS_SETTINGS_H
#define IDS_SETTINGS_H

#include "rule/classes.h"
#include "rule/references.h"
#include "detectors/detectors.h"
#include "enforce.h"
#include "out/outputs.h"
#include "app/app.h"
#include "rule/vars.h"

#include <weir/monitor.h>

struct cli_dump;

struct settings {
    struct vars *vars;
    struct outputs outputs;      /* outputs.*, stats.* */
    bool midstream;              /* stream.midstream */
    bool any;                    /* stream.ambiguity */
    bool bypass;                 /* stream.bypass */
    struct enforce_opts enforce; /* in line: stream.drop-invalid, stream.inline; urgent bytes */
    uint64_t depth;              /* stream.reassembly.depth: bytes of a direction; 0: all */
    uint32_t alert_max;          /* packet-alert-max */
    const char *threshold_file;  /* in the text it was set with; NULL: none */
    struct given {
        enum var_kind kind;
        struct text name; /* in the text it was set with */
    } * given;            /* variables that were set; owned */
    size_t n_given;
    struct app_opts app;            /* app_defaults() at first */
    struct weir_host_policy *hosts; /* host-os-policy: n_hosts of them, owned */
    size_t n_hosts;
    struct classes *classes;             /* classification-file; NULL: the built-in ones; owned */
    struct references *references;       /* reference-config-file; likewise */
    struct detectors_settings detectors; /* detectors. */
    struct text rule_path;               /* default-rule-path */
    struct configured_file {
        struct text name, path; /* "rule-files.0" and its value */
    } * rule_file;              /* owned */
    size_t n_rule_files;
};

/* What is not set; vars is NULL if memory ran out. */
struct settings settings_default(void);

/*
 * Take "name=value"; text must outlive the settings. *ignored: the name is Suricata's, but means
 * nothing here.
 */
int
settings_set(struct settings *settings, const char *text, bool *ignored, struct weir_errbuf *err);

/*
 * Whether all variables that were set have values that can be used, so that the command line is
 * blamed and not a rule. They may name each other in any order: call it when all are set. *blamed
 * lies in the text of the one that has not.
 */
int settings_check(const struct settings *settings, const char **blamed, struct weir_errbuf *err);

/* Where file i of rule-files is. WEIR_E_INVAL, with a text: the name is too long. */
int settings_rule_file(const struct settings *settings, size_t i, char path[4096],
                       struct weir_errbuf *err);

/* What the settings are now. */
void settings_dump(const struct settings *settings, struct cli_dump *dump);

/* Free what settings_set() made, and vars. */
void settings_free(struct settings *settings);

#endif
