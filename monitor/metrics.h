/*
 * The counters as OpenMetrics text, and the little of HTTP that fetches it: one GET, one answer,
 * and the connection ends. What comes is from strangers.
 */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include "counts.h"

#include <weir/error.h>

#include <sys/socket.h>

enum metrics_request {
    METRICS_MORE,     /* the head of the request is not there as a whole */
    METRICS_ANSWERED, /* with an error */
    METRICS_WANTED,   /* the counters are */
};

/* Look at the n bytes that came so far; full: more are not taken. */
enum metrics_request metrics_read(const char *in, size_t n, bool full, struct reply *to);

/* HTTP's head and the text. program: "weir-ids". */
void metrics_answer(const struct counts *c, const char *program, struct reply *to);

/* There is none: "503 Service Unavailable", say. */
void metrics_refuse(const char *status, struct reply *to);

/* "9100", "127.0.0.1:9100", "[::1]:9100". Text in err if it is none. */
int metrics_address(const char *text, struct sockaddr_storage *out, socklen_t *n,
                    struct weir_errbuf *err);

#endif
