/*
 * Which address is what: prefixes, of which the longest wins, as a sorted table of where the answer
 * changes. IPv4 addresses lie in ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
 */
#ifndef WEIR_HOSTS_H
#define WEIR_HOSTS_H

#include <weir/monitor.h>

struct hosts;

/*
 * Addresses in none of the prefixes are other. Of equal prefixes the last one counts.
 *
 * Returns WEIR_E_OK, WEIR_E_INVAL for a prefix or policy that there is not, WEIR_E_NOMEM.
 */
int hosts_new(const struct weir_host_policy *prefixes, size_t n, enum weir_policy other,
              struct hosts **out);

/* NULL is allowed. */
void hosts_free(struct hosts *hosts);

enum weir_policy
hosts_find(const struct hosts *hosts, const struct weir_addr *addr, unsigned ip_version);

#endif
