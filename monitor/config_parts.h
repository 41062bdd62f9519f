/* What config_yaml.c takes from config.c. */
#ifndef WEIR_CONFIG_PARTS_H
#define WEIR_CONFIG_PARTS_H

#include "config_file.h"

/* Add name[0..n) = value; file was kept. WEIR_E_NOMEM, WEIR_E_LIMIT. */
int config_add(struct config *config, const char *name, size_t n, const char *value,
               const char *file, unsigned line);

/* A copy of a file's name, which lives with the configuration; NULL: no memory. */
const char *config_keep_file(struct config *config, const char *name);

/* Add the settings of a text; file was kept. By libyaml, in config_yaml.c, or not at all. */
int config_parse(struct config *config, const char *file, const char *text, size_t n,
                 struct weir_errbuf *err);

#endif
