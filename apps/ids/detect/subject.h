/* Whom a match is about: whose bits and numbers a rule means, and whose matches are counted. */
#ifndef IDS_SUBJECT_H
#define IDS_SUBJECT_H

#include "detect/memory.h"
#include "rule/ranges.h"

struct subject {
    struct memory **memory; /* of the flow; NULL: there is no flow */
    struct mem *mem;        /* where that comes from */
    uint64_t flow_id;       /* 0: there is no flow */
    uint64_t tx;            /* 1 + the transaction's number in its flow; 0: there is none */
    bool has_addresses;
    u128 src, dst;
    uint16_t src_port, dst_port;
    uint64_t time; /* of the event, ns */
};

/* A time that is so many seconds after another; the greatest there is if it is beyond that. */
static inline uint64_t
seconds_after(uint64_t time, uint32_t seconds)
{
    uint64_t ns = seconds * UINT64_C(1000000000);

    return time > UINT64_MAX - 1 - ns ? UINT64_MAX - 1 : time + ns;
}

#endif
