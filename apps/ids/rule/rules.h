/*
 * Rule files: one rule a line (a backslash at its end joins the next), # begins a comment. A rule
 * that cannot be used is refused, with file, line and reason; the others load.
 */
#ifndef IDS_RULES_H
#define IDS_RULES_H

#include "rule/rule.h"
#include "rule/vars.h"

struct rules {
    struct rule *at; /* in the order of the files; owned */
    size_t n;
    size_t refused;  /* rules that could not be used */
    size_t disabled; /* rules behind a # */
    void *by_sid;    /* tsearch() tree */
    char **files;    /* their names, owned */
    size_t n_files;
    bool keep_text; /* set by who wants the text of rules: a line, joined ones as one */
};

/* Told of each refused rule: "FILE:LINE: what was expected". */
typedef void (*refused_fn)(void *ctx, const char *text);

/* Add the rules of a file, or of a text that is called `name`. An error: nothing could be read. */
int rules_load(struct rules *rules, struct vars *vars, const char *path, refused_fn refused,
               void *ctx, struct weir_errbuf *err);
int rules_load_text(struct rules *rules, struct vars *vars, const char *name, struct text text,
                    refused_fn refused, void *ctx, struct weir_errbuf *err);

void rules_free(struct rules *rules);

#endif
