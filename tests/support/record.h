/*
 * Events of a monitor written down as text, a line each: "fake_retransmit > offset=0 length=5 ..."
 */
#ifndef WEIR_TEST_RECORD_H
#define WEIR_TEST_RECORD_H

#include <weir/monitor.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_ROOM = 1 << 21, STREAM_ROOM = 1 << 16 };

struct record {
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    size_t n;
    char text[RECORD_ROOM]; /* always terminated */
    bool gather;            /* payload events are put together here instead of being written down */
    size_t n_stream[2];
    uint8_t stream[2][STREAM_ROOM];
};

/* A monitor whose events of these types are recorded. > is to the server, < to the client. */
void record_start(struct record *r, uint64_t want, const struct weir_monitor_opts *opts);

/* Feed one frame. */
void record_feed(struct record *r, struct weir_frame frame);

/* Forget the text that was recorded so far. */
void record_clear(struct record *r);

/* End the flows; free the monitor. */
void record_end(struct record *r);
void record_free(struct record *r);

#endif
