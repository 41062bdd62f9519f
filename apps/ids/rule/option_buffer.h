/* Options about a buffer as a whole, and numbers of a transaction. */
#ifndef IDS_OPTION_BUFFER_H
#define IDS_OPTION_BUFFER_H

#include "rule/rule.h"

/* Which instances of a number have to fit. */
enum number_index {
    INDEX_ANY,
    INDEX_ALL,           /* and there is one */
    INDEX_ALL_OR_ABSENT, /* all that there are */
    INDEX_OR_ABSENT,     /* any, or there is none */
    INDEX_COUNT,         /* so many fit: compare[1] */
    INDEX_TOTAL,         /* so many there are, whatever they are */
    INDEX_AT,            /* that at length; below 0, from the end */
    INDEX_AT_OR_OUT,     /* the same, or there is none at that place */
};

/* A comparison of the buffer's length, or of a number in it. id: enum buffer_id. */
int comparison_new(struct rule *rule, enum step_kind kind, unsigned id, struct text value,
                   int64_t max, struct weir_errbuf *err);

/* Each takes an option's value. */
int absent_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int entropy_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ssl_state_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ssl_version_take(struct rule *rule, struct text value, struct weir_errbuf *err);
/* What stands behind the word count, for all keywords on many numbers; false: it is another one. */
bool count_of(struct text value, struct text *count);
int tls_wire_version_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tls_not_before_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tls_not_after_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tls_expired_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tls_valid_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int filesize_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int tls_chain_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int dns_opcode_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int dns_rcode_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int dns_rrtype_take(struct rule *rule, struct text value, struct weir_errbuf *err);

/* Whether ssl_version stands where it is known what it is about. */
int ssl_version_check(const struct rule *rule, struct weir_errbuf *err);

/* Whether absent goes with what else is asked of its buffer, once steps are grouped. */
int absent_check(const struct rule *rule, struct weir_errbuf *err);

#endif
