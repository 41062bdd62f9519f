/* Numbers with a relation, in the forms of Suricata, Snort 2 and Snort 3. */
#ifndef IDS_COMPARE_H
#define IDS_COMPARE_H

#include "rule/lexer.h"

/* A number with a relation: x < value, first < x < value, ... */
enum compare_op {
    CMP_EQ,
    CMP_NE,
    CMP_LT,
    CMP_LE,
    CMP_GT,
    CMP_GE,
    CMP_BETWEEN, /* first < x < value */
    CMP_OUTSIDE, /* not so */
    CMP_WITHIN,  /* first <= x <= value */
    CMP_ANY_BIT, /* they have one in common */
    CMP_MASKED,  /* x & first == value */
    CMP_NOT_MASKED,
};

struct compare {
    uint8_t op; /* enum compare_op */
    int64_t value;
    int64_t first; /* CMP_BETWEEN and behind, but for CMP_ANY_BIT */
};

bool compare_holds(const struct compare *cmp, int64_t x);

/* Cut a sign (=, !=, !, <, <=, >, >=, ==) off the front of *t; false: there is none. */
bool compare_sign(struct text *t, uint8_t *op);

/*
 * 5, !5, <5, >=5, and so on; 3<>9 and 3-9, which take neither 3 nor 9 (as Suricata reads them),
 * perhaps behind a !; 3<=>9, which takes both (Snort 3); &0xc0=0x80 and &0xc0!=0x80, of the bits of
 * a mask. Numbers are decimal, perhaps with kb, MiB and so on behind, or begin with 0x.
 */
int compare_parse(struct text value, int64_t max, struct compare *out, struct weir_errbuf *err);

/* The same of decimal fractions up to max, as numbers of 1/FRACTION. */
enum { FRACTION = 1000000000 };

int compare_parse_fraction(struct text value, int64_t max, struct compare *out,
                           struct weir_errbuf *err);

#endif
