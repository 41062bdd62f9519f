/*
 * How a running program is asked and told: lines on a Unix stream socket (--control), and counters
 * for who collects them (--metrics). One thread serves both; nobody who is slow, or too many, holds
 * up the others or the packets.
 *
 * Threads: all calls but control_wants() and control_answer() are the main thread's. Those two
 * belong to whoever reads packets, make no system call and wait for nothing.
 */
#ifndef WEIR_CONTROL_H
#define WEIR_CONTROL_H

#include "counts.h"

#include <weir/error.h>

enum {
    CONTROL_LINE_MAX = 4096, /* bytes of a command, its newline among them */
    CONTROL_CLIENTS = 8,     /* at the same time, of each kind */
};

struct control_opts {
    const char *program;
    const char *path;    /* of the socket; NULL: none */
    const char *metrics; /* metrics_address(); NULL: none */
    bool reloads;        /* SIGUSR2 loads rules */
    bool reopens;        /* SIGHUP opens logs anew */
    uint64_t started;    /* monotonic ns */
};

struct control; /* opaque */

/* Make the sockets; nobody is served yet. *out: NULL if nothing is wanted. */
int control_open(const struct control_opts *opts, struct control **out, struct weir_errbuf *err);

/* From here on commands are answered, with the privileges that this thread has now. */
int control_start(struct control *c, struct weir_errbuf *err);

/* Stop, and remove the socket. NULL is allowed. */
void control_close(struct control *c);

/* Between two reads: where to write what was asked for, followed by control_answer(). NULL: nothing
 * was asked. c may be NULL. */
struct counts *control_wants(struct control *c);
void control_answer(struct control *c);

/* A path that a socket can have. */
int control_check_path(const char *path, struct weir_errbuf *err);

/* ---- for tests ----------------------------------------------------------------------------- */

enum control_action {
    CONTROL_NOTHING, /* the answer is there */
    CONTROL_STATS,   /* the answer is to be made from counters */
    CONTROL_RELOAD,
    CONTROL_REOPEN,
    CONTROL_SHUTDOWN,
};

/* What a line, without its newline, asks for; but for CONTROL_STATS its answer. */
enum control_action
control_command(const struct control_opts *opts, const char *line, size_t n, struct reply *to);

#endif
