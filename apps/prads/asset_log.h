/* What is news about an asset, in the three forms of PRADS: asset log, standard output, FIFO. */
#ifndef WEIR_PRADS_ASSET_LOG_H
#define WEIR_PRADS_ASSET_LOG_H

#include "asset.h"
#include "conn.h"
#include "out.h"

struct news {
    enum detection what;
    const struct asset *asset;
    uint64_t time; /* seconds, of the packet */
    uint16_t port;
    uint8_t proto;
    uint8_t distance; /* hops */

    const char *fingerprint, *os, *detail; /* TCP, UDP, ICMP */
    const char *shown;                     /* the fingerprint in the form of standard output */
    uint16_t mss;                          /* 0: no link is named */
    uint32_t uptime;                       /* first timestamp; 0: none */

    const char *service, *application; /* server, client */
    const struct conn *conn;           /* likewise; NULL: none is known */
};

/* The first line of a new asset log. */
void asset_log_header(struct out *out);

void asset_log_file(struct out *out, const struct news *news);
void asset_log_stdout(struct out *out, const struct news *news);
void asset_log_fifo(struct out *out, const struct news *news);

#endif
