/* Dates as rules on certificates have them. */
#ifndef IDS_DATE_H
#define IDS_DATE_H

#include "rule/lexer.h"

/*
 * 2015-10, 2015-10-22, 2015-10-22 23, ...:59, ...:59:59, or with a T before the hour: the first
 * second of it, UTC; digits alone are seconds since 1970-01-01. False: it is none of these.
 */
bool date_take(struct text t, int64_t *out);

#endif
