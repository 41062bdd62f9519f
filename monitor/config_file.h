/*
 * Configuration files: YAML in the layout of suricata.yaml, flattened into the dotted names of
 * --set.
 *
 *     vars:                       vars.address-groups.HOME_NET=[10.0.0.0/8]
 *       address-groups:
 *         HOME_NET: "[10.0.0.0/8]"
 *     outputs:                    outputs.0=eve-log
 *       - eve-log:                outputs.0.eve-log.enabled=yes
 *           enabled: yes
 *     rule-files: [a, b]          rule-files.0=a, rule-files.1=b
 *
 * A key without a value sets nothing. `include:`, with a name or a list of names, reads other files
 * in its place, named from the folder of the file that includes them. Aliases and keys that come
 * twice in a mapping are refused, so are a second document, and tags but !include.
 *
 * Threads: a configuration belongs to one thread.
 */
#ifndef WEIR_CONFIG_FILE_H
#define WEIR_CONFIG_FILE_H

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>

enum {
    CONFIG_NAME_MAX = 1024,      /* bytes of a dotted name */
    CONFIG_DEPTH_MAX = 32,       /* mappings and lists in each other */
    CONFIG_INCLUDE_MAX = 8,      /* files in each other */
    CONFIG_SETTINGS_MAX = 16384, /* of all files */
    CONFIG_FILE_MAX = 8 << 20,   /* bytes of a file */
    CONFIG_KEYS_MAX = 4096,      /* of one mapping */
};

struct config_setting {
    char *text;       /* "name=value"; owned */
    const char *file; /* as it was named; lives with the configuration */
    unsigned line;    /* of the value */
};

struct config {
    bool no_include; /* set by who wants no other file to be opened */
    struct config_setting *at;
    size_t n, room;
    char **files; /* their names; owned */
    size_t n_files;
    unsigned open;     /* files in each other, now */
    const char *under; /* the name where an included file stands, n_under bytes; lent */
    size_t n_under;
};

/*
 * Add the settings of a file, in its order. WEIR_E_NOENT, WEIR_E_IO, WEIR_E_SYNTAX ("FILE:LINE:
 * why" in err), WEIR_E_LIMIT, WEIR_E_NOMEM; WEIR_E_UNSUPPORTED: built without libyaml.
 */
int config_load(struct config *config, const char *path, struct weir_errbuf *err);

/* The same of text in memory; name is what its file is called. */
int config_load_text(struct config *config, const char *name, const char *text, size_t n,
                     struct weir_errbuf *err);

/* The setting in whose text p lies; NULL: none. */
const struct config_setting *config_find(const struct config *config, const char *p);

void config_free(struct config *config);

#endif
