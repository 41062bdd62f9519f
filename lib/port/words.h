/* A text of options as a shell would take it apart. */
#ifndef WEIR_PORT_WORDS_H
#define WEIR_PORT_WORDS_H

#include <weir/error.h>

/* Words that blanks part; '...', "..." and \ keep blanks. */
struct words {
    char **at; /* n, and a NULL; at[0] is first */
    int n;
    char *bytes;
};

/*
 * Take text apart, behind a word "first". Returns WEIR_E_OK, WEIR_E_SYNTAX (a quotation mark that
 * is not closed) or WEIR_E_NOMEM.
 */
int words_split(struct words *words, const char *first, const char *text);

void words_free(struct words *words);

#endif
