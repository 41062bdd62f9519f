/*
 * Variables of rules ($HOME_NET, $HTTP_PORTS), and what addresses and ports of a header become:
 * sets of numbers. A list means its plain members, or everything if there are none, without its
 * negated ones (as in Suricata).
 */
#ifndef IDS_VARS_H
#define IDS_VARS_H

#include "rule/lexer.h"
#include "rule/ranges.h"

#include <weir/packet.h>

enum var_kind { VAR_ADDRESSES, VAR_PORTS };

struct vars;

/* Suricata's defaults are set. NULL: no memory. */
struct vars *vars_new(void);
void vars_free(struct vars *vars);

/* Set or replace; the value is parsed when it is used. */
int vars_set(struct vars *vars, enum var_kind kind, struct text name, struct text value,
             struct weir_errbuf *err);

/* Whether a ! stands in an expression that vars_resolve() took, or in a variable that it names. */
bool vars_negate(const struct vars *vars, enum var_kind kind, struct text expression);

/* The set of an expression, which lives as long as vars; equal expressions share one. */
int vars_resolve(struct vars *vars, enum var_kind kind, struct text expression,
                 const struct ranges **out, struct weir_errbuf *err);

/* An address as a number. */
u128 address_number(const struct weir_addr *addr, unsigned ip_version);

/* Whether a set is everything of its kind. */
bool is_any(const struct ranges *set, enum var_kind kind);

#endif
