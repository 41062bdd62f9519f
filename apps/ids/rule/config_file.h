/* Files of "config NAME: value" lines, with # for comments: classification.config and the like. */
#ifndef IDS_CONFIG_FILE_H
#define IDS_CONFIG_FILE_H

#include "rule/lexer.h"

/* Take a line's value; text in err on failure, without file and line. */
typedef int (*config_fn)(void *ctx, struct text value, struct weir_errbuf *err);

/* Call take() for each line of that name; any other line is an error. */
int config_file_read(const char *path, const char *name, config_fn take, void *ctx,
                     struct weir_errbuf *err);

/* The whole file, owned by the caller, who frees out->p. */
int file_read(const char *path, struct text *out, struct weir_errbuf *err);

#endif
