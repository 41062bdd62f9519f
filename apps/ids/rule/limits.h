/*
 * Threshold files: which alerts are suppressed, and how often rules may alert, a line each,
 *
 *     suppress gen_id 1, sig_id 2, track by_src, ip 10.0.0.0/8
 *     threshold gen_id 1, sig_id 2, type limit, track by_src, count 1, seconds 60
 *     rate_filter gen_id 1, sig_id 2, track by_src, count 9, seconds 1, new_action drop, timeout 60
 *
 * event_filter is another word for threshold, sig_id 0 stands for all rules of the gen_id, and both
 * 0 for all. A backslash at a line's end joins the next, # begins a comment.
 */
#ifndef IDS_LIMITS_H
#define IDS_LIMITS_H

#include "rule/rules.h"

/*
 * Of alerts that detectors raise, not rules; they count themselves, so a line can only suppress
 * them.
 */
enum { DETECTORS_GID = 600 };

enum limit_kind { LIMIT_SUPPRESS, LIMIT_THRESHOLD, LIMIT_RATE };

struct limit {
    uint8_t kind;      /* enum limit_kind */
    uint8_t action;    /* LIMIT_RATE: enum rule_action, what it makes of a rule's own ... */
    uint32_t timeout;  /* ... for so many seconds; 0: while the rate is too high */
    uint32_t gid, sid; /* 0: all */
    struct threshold threshold; /* LIMIT_SUPPRESS: only its track */
    const struct ranges *ip;    /* LIMIT_SUPPRESS: lives with the variables; NULL: whatever it is */
};

struct limits {
    struct limit *at; /* in the file's order; owned */
    size_t n;
    size_t refused; /* lines that could not be used */
};

/* Add a file's lines, or those of a text that is called `name`. An error: nothing could be read. */
int limits_load(struct limits *limits, struct vars *vars, const char *path, refused_fn refused,
                void *ctx, struct weir_errbuf *err);
int limits_load_text(struct limits *limits, struct vars *vars, const char *name, struct text text,
                     refused_fn refused, void *ctx, struct weir_errbuf *err);

void limits_free(struct limits *limits);

#endif
