/* asn1 of Snort 2 and Suricata, ber_data and ber_skip of Snort 3. */
#ifndef IDS_RULE_BER_H
#define IDS_RULE_BER_H

#include "rule/rule.h"

/* index of STEP_ASN1: what is asked for; a length beyond step->length is, too. */
enum { ASN1_BIT_STRING = 1, ASN1_REAL = 2, ASN1_LENGTH = 4 };

/* index of STEP_BER, whose offset is the element's first byte. */
enum { BER_DATA, BER_SKIP, BER_SKIP_OPTIONAL };

int asn1_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ber_data_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int ber_skip_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
