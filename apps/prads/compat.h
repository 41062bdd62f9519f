/*
 * PRADS over weir's flows: what it looks at in each packet, and its habits.
 *
 * Threads: one.
 */
#ifndef WEIR_PRADS_COMPAT_H
#define WEIR_PRADS_COMPAT_H

#include "asset_log.h"
#include "compat_options.h"
#include "compat_stats.h"
#include "dhcp_print.h"
#include "mac.h"
#include "service.h"
#include "signature_fp.h"

#include <weir/event.h>

enum { SERVICE_TCP, CLIENT_TCP, SERVICE_UDP, SERVICE_LISTS };

struct compat {
    struct compat_options opts;
    struct homenets home;
    struct fp_list *os[FP_KINDS]; /* NULL: not loaded */
    struct service_list *service[SERVICE_LISTS];
    struct mac_list *macs;
    struct dhcp_list *dhcps;
    struct assets assets;
    struct conns conns;
    struct compat_stats stats;
    struct out log, said, fifo, conn_file; /* said: standard output */
    uint32_t generation;                   /* of the table of connections */
    bool tagged;                           /* a packet had a VLAN tag */
    int fifo_fd;                           /* of fifo */
    uint64_t bad_dns;                      /* messages that could not be read */
    uint64_t clock;                        /* greatest packet time, seconds */
};

/* What the app keeps in a flow. */
struct compat_flow {
    struct conn *conn;
    uint32_t generation; /* of the table that conn lies in */
    bool server_high;    /* who receives toserver packets is conn->key.addr[1] */
};

/* A packet, of a flow or of none. */
void compat_packet(struct compat *c, struct compat_flow *flow, const struct weir_event *ev);

/* Tell the end of connections that are over at a time, in seconds; all: of the others, too. */
void compat_end_connections(struct compat *c, uint64_t now, bool all);

/*
 * Forget connections that are over and, if there is little room left, all assets, which are news
 * again then. Not in the middle of a packet.
 */
void compat_make_room(struct compat *c);

/* Standard output, the asset log and the FIFO. WEIR_E_*, with a text in err. */
int compat_open_outputs(struct compat *c, struct weir_errbuf *err);

/* Write what is left. Returns 1 if something was lost, which is told; else 0. */
int compat_close_outputs(struct compat *c);

/* Close one; what it dropped or could not write is told. Returns 0 or 1. */
int compat_close_output(struct out *out);

/* The program: returns its exit code. */
int compat_main(int argc, char **argv);

#endif
