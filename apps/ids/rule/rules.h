/*
 * Rule files (rule/lines.h says what lines and comments are). A rule that cannot be used is
 * refused, with file, line and reason; the others load.
 */
#ifndef IDS_RULES_H
#define IDS_RULES_H

#include "rule/rule.h"
#include "rule/tally.h"
#include "rule/vars.h"

/* What became of a file's rules. */
struct rule_file {
    char *name; /* as given; owned */
    size_t loaded, refused, disabled;
    size_t skipped;        /* they require what is not there */
    size_t replaced;       /* by a later revision; not among the loaded ones */
    struct tally refusals; /* by reason */
    struct tally notes;    /* what has to be known of some that were loaded */
};

struct rules {
    struct rule *at; /* in the order of the files; owned */
    size_t n;
    size_t refused;          /* rules that could not be used */
    size_t disabled;         /* rules behind a # */
    size_t skipped;          /* rules that require what is not there */
    void *by_sid;            /* tsearch() tree */
    struct rule_file *files; /* owned */
    size_t n_files;
    const struct classes *classes; /* set before files are loaded; NULL: the built-in ones */
    bool in_line;   /* set by who can change packets; else rules that do are refused */
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
