/*
 * Where a capture lost more than a window, both ends go on beyond anything that was allowed when it
 * was seen last. What one of them sends there proves nothing: its peer may drop it, that is how
 * trackers are blinded. But a receiver acknowledges there only what its sender sent there; where
 * both agree, the capture is what is wrong.
 */
#ifndef WEIR_RESYNC_H
#define WEIR_RESYNC_H

#include "reasm.h"

/*
 * The sender of a direction sent from .. to, beyond the window (both the same: no data). True: the
 * receiver's ACK agrees; it has been taken over, and the window with it.
 */
bool
resync_sent(struct engine *e, struct weir_flow *flow, enum weir_dir dir, int64_t from, int64_t to);

/*
 * The receiver of a direction acknowledged ack and offers room up to edge, beyond what was ever
 * allowed. True: the sender agrees; the ACK can be taken over like any.
 */
bool resync_acked(struct weir_flow *flow, enum weir_dir dir, int64_t ack, int64_t edge);

#endif
