/*
 * Runs rules over whole flows, packet by packet. Alerts are written down as "SID@PACKET ", packets
 * that are logged for a tag as "+PACKET ". What goes wrong beside ends the test.
 */
#ifndef WEIR_TEST_RULE_RUN_H
#define WEIR_TEST_RULE_RUN_H

#include "detect/detect.h"
#include "support/frames.h"
#include "support/loaded.h"

enum { CLIENT = 1001, SERVER = 5001 }; /* first sequence numbers of data */

/* A monitor with detection as its app. */
struct rule_run {
    struct loaded l;
    struct detect *detect;
    struct detect_opts opts; /* may be set before begin() */
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    char said[4096];
    uint8_t action;     /* of the latest alert */
    bool alerted;       /* of the latest flow_end */
    unsigned http_from; /* the packet from which on it is known that flows speak HTTP; 0: never */
    uint64_t ms;
    unsigned n;    /* packets */
    uint16_t port; /* the client's; 0: the usual one */
    uint8_t (*room)[FRAME_ROOM];
};

/* For cmocka: *state is a struct rule_run, one at a time. */
int rule_run_set_up(void **state);
int rule_run_tear_down(void **state);

/* Begin with these rules, and limits. */
void begin(struct rule_run *f, const char *rules);
void begin_with(struct rule_run *f, const char *rules, const char *limits);

/* A frame in the place of the next one; segments are a millisecond apart. */
void feed(struct rule_run *f, struct weir_frame frame);
void segment(struct rule_run *f, struct segment s);
uint8_t *next_room(struct rule_run *f);

/* Offsets count from the first byte of each direction. */
void client(struct rule_run *f, uint8_t flags, int off, int ack, const char *data);
void server(struct rule_run *f, uint8_t flags, int off, int ack, const char *data);

/* Packets 1 to 3. */
void handshake(struct rule_run *f);

#endif
