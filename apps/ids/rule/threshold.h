/*
 * How often a rule may alert: threshold and detection_filter of a rule, and what the lines of a
 * threshold file (rule/limits.h) have in common with them.
 */
#ifndef IDS_THRESHOLD_H
#define IDS_THRESHOLD_H

#include "rule/lexer.h"

enum threshold_type {
    THRESHOLD_NONE,
    THRESHOLD_LIMIT,   /* the first `count` in `seconds` */
    THRESHOLD_EACH,    /* each count-th in `seconds` ("threshold") */
    THRESHOLD_BOTH,    /* once in `seconds`, when there were `count` */
    THRESHOLD_BACKOFF, /* number count, count * multiplier, count * multiplier^2, ... */
    THRESHOLD_FILTER,  /* all beyond the first `count` in `seconds` ("detection_filter") */
};

/* Whose matches are counted together. */
enum track { TRACK_SRC, TRACK_DST, TRACK_BOTH, TRACK_EITHER, TRACK_RULE, TRACK_FLOW };

/* What counts once, however often it comes. */
enum unique { UNIQUE_NOTHING, UNIQUE_SRC_PORT, UNIQUE_DST_PORT };

struct threshold {
    uint8_t type;  /* enum threshold_type */
    uint8_t track; /* enum track */
    uint32_t count, seconds, multiplier;
    uint8_t unique; /* enum unique; of THRESHOLD_FILTER */
};

/* Words that may stand in a list, "type limit, track by_src, ...": a bit each. */
enum threshold_word {
    WORD_TYPE = 1,
    WORD_TRACK = 2,
    WORD_COUNT = 4,
    WORD_SECONDS = 8,
    WORD_MULTIPLIER = 16,
    WORD_GID = 32,
    WORD_SID = 64,
    WORD_IP = 128,
    WORD_ACTION = 256,
    WORD_TIMEOUT = 512,
    WORD_UNIQUE = 1024,
};

/* What such a list said. */
struct threshold_list {
    struct threshold threshold;
    unsigned given; /* enum threshold_word */
    uint32_t gid, sid, timeout;
    uint8_t action; /* enum rule_action */
    struct text ip;
};

/*
 * Read the list: it has to have the words `needed`, and may have those of `allowed`. As many as
 * threshold_check() asks for is the caller's to say.
 */
int threshold_parse(struct text text, unsigned needed, unsigned allowed, struct threshold_list *out,
                    struct weir_errbuf *err);

/* Whether a threshold with a type has what that type needs, and nothing else. */
int threshold_check(const struct threshold_list *list, struct weir_errbuf *err);

#endif
