/* Events as one readable line each, in the manner of tcpdump. */
#ifndef WEIR_OUT_TEXT_H
#define WEIR_OUT_TEXT_H

#include "out.h"

#include <weir/event.h>

#include <stdbool.h>

/* max_bytes: how many bytes of a field that shows bytes are written. colour: for a terminal. */
void out_text_event(struct out *out, const struct weir_event *ev, uint32_t max_bytes, bool colour);

#endif
