/* Lines about connections: one when it begins (-x), one when it is over (-x, -L). */
#ifndef WEIR_PRADS_CONN_LOG_H
#define WEIR_PRADS_CONN_LOG_H

#include "conn.h"
#include "out.h"

/* The columns, "|[tag]" behind them; tag NULL: for sguil, with IPv4 addresses as numbers. */
void conn_log_line(struct out *out, const struct conn *conn, const char *tag);

/* "conn[   1] 10.0.0.1:40000 -> 10.0.0.2:22", client first */
void conn_log_packet(struct out *out, const struct conn *conn);

/* An address as text, into a record of out. */
void conn_log_addr(struct out *out, uint8_t version, const struct weir_addr *addr);

#endif
