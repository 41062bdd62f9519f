/* What bounds counts of connections that cores have not yet told each other. */
#ifndef WEIR_SYNS_H
#define WEIR_SYNS_H

#include <weir/flow.h>

#include <stdint.h>

/* Segments with SYN so far, those of other cores too, when the flow's core took its last packet. */
uint64_t monitor_syns(const struct weir_flow *flow);

#endif
