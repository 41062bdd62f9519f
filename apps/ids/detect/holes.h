/*
 * Where urgent bytes lay in a direction's offsets. They are read out of band: their offsets count,
 * and weir_flow_read() shows them, but they are no bytes of the stream. A bit for each of the last
 * HOLES_SPAN offsets, so that no number of them is too many.
 */
#ifndef IDS_HOLES_H
#define IDS_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOLES_SPAN = 65536 }; /* a multiple of 64 */

/*
 * All zero at first. An offset stands for those HOLES_SPAN behind it too, so each has to be noted.
 */
struct holes {
    uint64_t bit[HOLES_SPAN / 64];
};

/* Whether [from, to) are urgent bytes, or bytes of the stream. */
void holes_note(struct holes *h, int64_t from, int64_t to, bool urgent);

/* Take urgent bytes out of p, n bytes from offset on, HOLES_SPAN at most; returns how many stay. */
size_t holes_squeeze(const struct holes *h, int64_t offset, uint8_t *p, size_t n);

#endif
