/*
 * Community ID, version 1: a name of a flow that other programs give it, too
 * (https://github.com/corelight/community-id-spec).
 */
#ifndef IDS_COMMUNITY_H
#define IDS_COMMUNITY_H

#include <weir/flow.h>

#include <stdint.h>

struct digest;

enum { COMMUNITY_TEXT = 32 }; /* "1:", 28 characters of base64, the end */

/* icmp_type, icmp_code: of the flow's first packet, if it is ICMP. */
void community_id(struct digest *digest, uint16_t seed, const struct weir_tuple *tuple,
                  uint8_t icmp_type, uint8_t icmp_code, char text[COMMUNITY_TEXT]);

#endif
