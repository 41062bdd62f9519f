/* A DNS message (RFC 1035) as one line of text, in the form of PRADS's passive DNS. */
#ifndef WEIR_PRADS_COMPAT_DNS_H
#define WEIR_PRADS_COMPAT_DNS_H

#include "out.h"

#include <stddef.h>
#include <stdint.h>

/*
 * "QUERY,NOERROR,62903,qr|rd|ra||1||apache.org,IN,A||0||0||0" into the record being made.
 * Returns false, with nothing written, if the message cannot be read to its end.
 */
bool compat_dns_text(struct out *out, const uint8_t *data, size_t n);

#endif
