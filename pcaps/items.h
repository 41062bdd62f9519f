/* What may stand on a packet's line behind its direction: flags, bytes, header fields, options. */
#ifndef WEIR_PCAPS_ITEMS_H
#define WEIR_PCAPS_ITEMS_H

#include "script.h"

/* Read the rest of the line into script->line. */
int items_read(struct script *script);

/* The rest of the line is bytes only; add them to the packet's data. */
int items_read_bytes(struct script *script);

#endif
