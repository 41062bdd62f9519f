/* Kinds of references: what reference names, with the beginning of the address it stands for. */
#ifndef IDS_REFERENCES_H
#define IDS_REFERENCES_H

#include "rule/lexer.h"

struct references; /* opaque */

/* Read "config reference: name address" lines. Text with file:line in err on failure. */
int references_load(const char *path, struct references **out, struct weir_errbuf *err);
void references_free(struct references *references);

/*
 * "https://cve.org/CVERecord?id=" for "cve"; of the built-in ones if references is NULL. NULL:
 * none.
 */
const char *reference_prefix(const struct references *references, struct text name);

#endif
