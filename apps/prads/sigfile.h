/* Signature files, line by line: blank lines and comments are passed over. */
#ifndef WEIR_PRADS_SIGFILE_H
#define WEIR_PRADS_SIGFILE_H

#include <weir/error.h>

#include <stddef.h>

enum { SIGFILE_LINE_MAX = 4096 };

/* Cut the next line off at *text, its end of line taken away. NULL: there is none left. */
char *sigfile_next(char **text);

/* The whole file as text, freed with free(). Returns WEIR_E_*, with a text in err. */
int sigfile_read(const char *path, char **text, struct weir_errbuf *err);

/* Cut a field off at the first such character; NULL: there is none, and *rest stays. */
char *sigfile_field(char **rest, char separator);

#endif
