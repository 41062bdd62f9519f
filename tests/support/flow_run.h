/* Runs detection over one TCP flow, segment by segment, and keeps which rules alerted. */
#ifndef WEIR_TEST_FLOW_RUN_H
#define WEIR_TEST_FLOW_RUN_H

#include "detect/detect.h"
#include "support/frames.h"

enum { RUN_RULES = 64, RUN_SEGMENTS = 2500, RUN_BYTES = FRAME_ROOM - 64 };

struct flow_run {
    struct rules rules;
    struct vars *vars;
    struct groups *groups; /* NULL: no rules are loaded */

    bool any; /* of struct detect_opts; may be set before each flow */

    /* Of the flow at hand. */
    struct detect *detect;
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    uint8_t (*room)[FRAME_ROOM]; /* of RUN_SEGMENTS frames, for all flows */
    unsigned n;
    uint64_t alerted;          /* rules by their place in the file, a bit each */
    struct detect_stats stats; /* since run_end() */
};

/* Load rules, RUN_RULES at most, those that are refused left out; false: no memory, or no rule. */
bool run_load(struct flow_run *run, const char *rules, size_t n);

/* Begin a flow: its handshake is done. run_end() ends it, with a FIN of the client. */
void run_begin(struct flow_run *run);

/*
 * The client sends bytes [from, from + n) of data; at most RUN_SEGMENTS times, RUN_BYTES each. The
 * urgent pointer counts from 1, 0: none.
 */
void run_send(struct flow_run *run, const uint8_t *data, size_t from, size_t n, unsigned urgent);

/* Returns the rules that alerted; total: bytes of the client's stream. */
uint64_t run_end(struct flow_run *run, size_t total);

void run_free(struct flow_run *run);

#endif
