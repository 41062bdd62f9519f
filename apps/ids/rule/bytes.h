/* byte_test, byte_jump, byte_extract and byte_math: numbers among the bytes, and variables. */
#ifndef IDS_BYTES_H
#define IDS_BYTES_H

#include "rule/rule.h"

int byte_test_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int byte_jump_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int byte_extract_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int byte_math_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
