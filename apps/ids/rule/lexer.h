/*
 * Text of rules: pieces of it, and the shape all rules have,
 *
 *     action proto source ports direction destination ports (name; name:value; ...)
 *
 * or, of Snort 3, without all that stands between the protocol and the parenthesis.
 *
 * What words and options mean is for others to say.
 */
#ifndef IDS_LEXER_H
#define IDS_LEXER_H

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text that somebody else holds; not terminated. For "%.*s": TEXT(piece). */
struct text {
    const char *p;
    size_t n;
};
#define TEXT(t) (int)(t).n, (t).p

static inline struct text
text_of(const char *p, const char *end)
{
    return (struct text){ p, (size_t)(end - p) };
}

bool text_is(struct text t, const char *word);
bool text_is_nocase(struct text t, const char *word);
struct text text_trim(struct text t);

/* Cut what stands before the first sep off *rest and trim it; false: nothing is left. */
bool text_next(struct text *rest, char sep, struct text *part);

/* A whole decimal number, with a sign if min is negative; false: it is none, or out of range. */
bool text_int(struct text t, int64_t min, int64_t max, int64_t *value);

/* A size: "100kb", "1 MiB", "4096", "0"; false: it is none, or more than max. */
bool text_size(struct text t, int64_t max, uint64_t *bytes);

/* Without the quotes around it; false: there are none. */
bool text_unquote(struct text t, struct text *inner);

enum { HEADER_WORDS = 7 };

struct rule_text {
    struct text word[HEADER_WORDS]; /* brackets and braces hold words together */
    struct text options;            /* what stands between the parentheses */
    bool elided;                    /* there are two words, the rest is empty */
};

/* Text in err on failure: what was expected. */
int rule_split(struct text line, struct rule_text *out, struct weir_errbuf *err);

struct option_text {
    struct text name, value; /* trimmed */
    bool has_value;          /* there was a colon */
};

/* Cut an option off *rest: it ends at a semicolon without a backslash. WEIR_E_NOENT: no more. */
int option_next(struct text *rest, struct option_text *out, struct weir_errbuf *err);

#endif
