/* Tests of a packet's header fields: all of a rule's checks but those that ask the flow. */
#ifndef IDS_CHECK_H
#define IDS_CHECK_H

#include "rule/rule.h"

#include <weir/packet.h>

#include <stddef.h>

/* Not for CHECK_SAMEIP, CHECK_CLOSING, CHECK_FLOW_... and CHECK_STREAM_SIZE. A field that the
 * packet does not have fits nothing. */
bool packet_check_fits(const struct check *check, const struct weir_packet *pkt);

/* Whether n bytes of its transport header are there: a bad packet may end inside it. */
bool packet_has_header(const struct weir_packet *pkt, ptrdiff_t n);

#endif
