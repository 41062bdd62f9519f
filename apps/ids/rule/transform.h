/*
 * Transforms of buffers: options behind a buffer's name that change what the contents behind them
 * see. Those that follow each other without a content between them are a chain, each given what
 * the one before it made; one behind a content begins a new chain on the buffer itself.
 */
#ifndef IDS_RULE_TRANSFORM_H
#define IDS_RULE_TRANSFORM_H

#include "rule/rule.h"

enum { XOR_KEY_MAX = 255 };

enum transform_kind {
    TRANSFORM_TO_LOWERCASE,
    TRANSFORM_TO_UPPERCASE,
    TRANSFORM_STRIP_WHITESPACE,
    TRANSFORM_COMPRESS_WHITESPACE, /* of spaces in a row the first stays */
    TRANSFORM_URL_DECODE,
    TRANSFORM_DOTPREFIX,
    TRANSFORM_XOR,
    TRANSFORM_TO_MD5,
    TRANSFORM_TO_SHA1,
    TRANSFORM_TO_SHA256,
    TRANSFORM_HEADER_LOWERCASE,
    TRANSFORM_STRIP_PSEUDO_HEADERS,
    TRANSFORM_FROM_BASE64,
    TRANSFORM_PCREXFORM,
    TRANSFORM_GUNZIP,
    TRANSFORM_ZLIB_DEFLATE,
    TRANSFORM_SUBSLICE,
    TRANSFORM_FIELD, /* no option of its own: the value of a header line of that name */
};

/* What of from_base64 ends, or spoils, the digits. */
enum base64_mode {
    BASE64_STOP,   /* the first other byte ends it (RFC 4648) */
    BASE64_SKIP,   /* other bytes are passed over (RFC 2045) */
    BASE64_STRICT, /* any other byte: nothing is decoded */
};

struct transform {
    uint8_t kind;        /* enum transform_kind */
    uint8_t mode;        /* FROM_BASE64: enum base64_mode */
    bool cut;            /* SUBSLICE: what lies outside is left out; or else there is nothing */
    uint16_t n;          /* bytes of text */
    uint32_t offset;     /* FROM_BASE64: bytes passed over ... */
    uint32_t limit;      /* ... and read, 0: all; GUNZIP, ZLIB_DEFLATE: made, at most */
    int32_t first, many; /* SUBSLICE: where it begins, below 0 from the end; and so many bytes, 0:
                            all, below 0: up to so many before the end */
    uint8_t *text;       /* XOR: the key; FIELD: the name; owned */
    struct regex *regex; /* PCREXFORM; owned */
};

/* Take the option if it is a transform. *known says whether it is. */
int transform_option(struct rule *rule, struct text name, struct text value, bool *known,
                     struct weir_errbuf *err);

bool transform_is_known(struct text name);

/* The contents that follow are looked for in values of header lines of that name. */
int transform_field(struct rule *rule, struct text name, struct weir_errbuf *err);

/* What of a rule is behind equal chains belongs together: *chain becomes the first that is equal.
 */
void transform_same(const struct rule *rule, uint8_t *chain);

/*
 * Whether bytes that a chain shows are in the buffer it is made from, but for a dot before them
 * and, if *nocase is set, for their case.
 */
bool transform_keeps(const struct rule *rule, unsigned chain, bool *nocase, bool *dot);

/* Whether a chain needs all of the buffer. */
bool transform_needs_all(const struct rule *rule, unsigned chain);

/* Free what a rule's transforms own. */
void transforms_clear(struct rule *rule);

#endif
