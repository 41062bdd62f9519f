/*
 * What a rule with flow-event looks for its contents in: of bytes that were sent twice and differ,
 * either copy, with what stands around it in the segment; of an event that shows bytes, these; of
 * any other, the payload of its packet.
 */
#ifndef IDS_COPIES_H
#define IDS_COPIES_H

#include "detect/match.h"

#include <weir/event.h>

/* The copy that came with the event. False: there are no bytes. */
bool copy_new(const struct weir_event *ev, struct buffer *out);

/*
 * The copy that was there before: the segment with the earlier bytes in the place of its own, put
 * together in room. False: nobody knows them any more, or the event is no fake_retransmit.
 */
bool copy_old(const struct weir_event *ev, uint8_t *room, size_t size, struct buffer *out);

#endif
