/*
 * Runs the application layer over one TCP flow and writes down what it tells: heads with their
 * buffers as they come, bodies whole where they end. Checks the order of what is told, and that
 * bytes of bodies come again as they were.
 */
#ifndef WEIR_TEST_APP_RUN_H
#define WEIR_TEST_APP_RUN_H

#include "app/app.h"
#include "support/frames.h"

enum { APP_RUN_SEGMENTS = 6000, APP_RUN_BYTES = FRAME_ROOM - 64, APP_RUN_TEXT = 1 << 20 };

/* A body as it came to be known. */
struct seen_body {
    uint8_t *p;
    size_t n, room;
    int64_t end; /* offset behind what was shown */
    bool holes;
};

struct app_run {
    struct app_layer *app;
    struct weir_monitor *m;
    struct weir_tap_spec spec;
    uint8_t (*room)[FRAME_ROOM];
    unsigned n;
    bool lossy;
    uint64_t late;    /* ms that passed beside one for each packet */
    uint32_t next[2]; /* by enum weir_dir: sequence number */
    unsigned bodies;  /* times TX_BODY was told */
    unsigned events;
    unsigned alive; /* transactions */
    size_t n_text;
    char *text;           /* terminated */
    struct app_flow flow; /* as it was at the flow's end */
};

/* Begin a flow, one at a time: its handshake is done. */
void app_run_begin(struct app_run *run, const struct app_opts *opts);

/* A side sends n bytes in pieces of so many, at most APP_RUN_BYTES. */
void app_run_send(struct app_run *run, enum weir_dir dir, const void *p, size_t n, size_t piece);

/*
 * n bytes of a side are lost, which the other side acknowledges with the next ones. Between two
 * packets more time passes from then on than the engine has patience for holes.
 */
void app_run_lose(struct app_run *run, enum weir_dir dir, size_t n);

/* A datagram of UDP between the same hosts, port 53. */
void app_run_datagram(struct app_run *run, enum weir_dir dir, const void *p, size_t n);

/* A side closes. */
void app_run_fin(struct app_run *run, enum weir_dir dir);

/* Somebody sends a RST in the name of a side. */
void app_run_rst(struct app_run *run, enum weir_dir dir);

/* The flow ends; text stays until app_run_free(). */
void app_run_end(struct app_run *run);
void app_run_free(struct app_run *run);

#endif
