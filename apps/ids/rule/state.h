/*
 * What rules remember and ask of what others remembered: flowbits, flowint, xbits, hostbits, and
 * what they say of their alerts: threshold, detection_filter, tag, noalert.
 */
#ifndef IDS_RULE_STATE_H
#define IDS_RULE_STATE_H

#include "rule/threshold.h"

enum bits_op {
    BITS_SET,
    BITS_SETX, /* set, and unset all others of the group */
    BITS_UNSET,
    BITS_TOGGLE,
    BITS_RESET, /* unset the group's, or all */
    BITS_ISSET,
    BITS_ISNOTSET,
};

/* Whose bits: a flow's, an address's, or a transaction's. */
enum bits_of { BITS_OF_FLOW, BITS_OF_SRC, BITS_OF_DST, BITS_OF_PAIR, BITS_OF_TX };

struct bits {
    uint8_t op; /* enum bits_op */
    uint8_t of; /* enum bits_of */
    bool each;  /* tests: it has to hold for each name; else for one of them */
    bool whole; /* the group's names stand for the names */
    uint16_t n;
    uint32_t expire; /* seconds after BITS_SET; not BITS_OF_FLOW */
    char **name;     /* owned, n of them */
    char *group;     /* owned; NULL: none */
};

enum flowint_op {
    FLOWINT_ASSIGN,
    FLOWINT_ADD,
    FLOWINT_SUBTRACT,
    FLOWINT_COMPARE,
    FLOWINT_ISSET,
    FLOWINT_ISNOTSET,
};

struct flowint {
    uint8_t op;      /* enum flowint_op */
    uint8_t compare; /* enum compare_op */
    uint32_t value;
    char *name;  /* owned */
    char *other; /* owned; not NULL: the variable that stands for the value */
};

enum tag_metric { TAG_PACKETS, TAG_BYTES, TAG_SECONDS };

/* Packets after the alert that are recorded, too. */
struct tag {
    uint32_t n;     /* 0: there is no tag */
    uint8_t metric; /* enum tag_metric */
    bool host;      /* of an address; else of the flow */
    bool dst;       /* host: the destination's */
};

enum { BITS_NAMES_MAX = 64, STATE_USES_MAX = 64 };

struct rule_state {
    struct bits *bits;    /* owned */
    struct flowint *ints; /* owned */
    uint16_t n_bits, n_ints;
    struct threshold threshold;
    struct tag tag;
};

struct rule;

void rule_state_free(struct rule_state *state);

/* Each takes an option's value. */
int flowbits_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int flowint_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int xbits_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int hostbits_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int threshold_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int detection_filter_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tag_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int noalert_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int alert_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
