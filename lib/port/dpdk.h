/* What programs ask about DPDK beyond <weir/port.h>. */
#ifndef WEIR_PORT_DPDK_H
#define WEIR_PORT_DPDK_H

#include <weir/port.h>

/* WEIR_E_UNSUPPORTED, and in err what to do, if this build has no DPDK. */
int dpdk_check(struct weir_errbuf *err);

/*
 * How the port was set up, one line: driver, descriptors, pool, clock, link, what the card offers.
 */
const char *dpdk_describe(const struct weir_port *port);

/*
 * What DPDK logged last, lines of its own words, bounded; "" without DPDK. Valid until it logs on.
 */
const char *dpdk_said(void);

#endif
