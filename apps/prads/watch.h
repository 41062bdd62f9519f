/*
 * The app: watches flows and their streams, and reports what they tell about hosts.
 *
 * Both directions of a TCP flow are looked at from their first bytes on, as reassembled: by the
 * signatures of services and clients, up to WATCH_BYTES, and by the parsers of the protocol that is
 * recognised. UDP is looked at datagram by datagram.
 *
 * Threads: one for each core. The inventory and the logs are used in turns. Memory: made at set-up,
 *          but for libhtp's, which is bounded.
 */
#ifndef WEIR_PRADS_WATCH_H
#define WEIR_PRADS_WATCH_H

#include "dhcp_print.h"
#include "homenet.h"
#include "inventory.h"
#include "mac.h"
#include "p0f.h"
#include "pool.h"
#include "report.h"
#include "service.h"
#include "signature_fp.h"

#include <weir/monitor.h>

enum {
    WATCH_BYTES = 4096,  /* of a direction that signatures are tried on */
    WATCH_LOOKS = 8,     /* times that they are, as a stream grows */
    WATCH_PARSED = 65536 /* bytes of a direction that parsers are given */
};

/* clang-format off */
#define CHECK_LIST(X)                                                                              \
    X(SYN, "syn", "system, by a client's SYN")                                                     \
    X(SYNACK, "synack", "system, by a server's SYN/ACK")                                           \
    X(FIN, "fin", "system, by a FIN")                                                              \
    X(RST, "rst", "system, by a RST")                                                              \
    X(ACK, "ack", "system, by an ACK within a connection")                                         \
    X(UDP, "udp", "how UDP is sent")                                                               \
    X(ICMP, "icmp", "how ICMP is sent")                                                            \
    X(SERVER, "server", "services, by what servers say")                                           \
    X(CLIENT, "client", "programs, by what clients say")                                           \
    X(ARP, "arp", "network cards, by ARP")                                                         \
    X(NDP, "ndp", "network cards, by IPv6's neighbour discovery")                                  \
    X(DHCP, "dhcp", "how addresses are asked for, and names told")                                 \
    X(NAME, "name", "names, by DNS, TLS and DHCP")
/* clang-format on */

enum check {
#define X(upper, lower, text) CHECK_##upper,
    CHECK_LIST(X)
#undef X
        CHECKS
};

#define CHECK_BIT(check) (1U << (check))
#define CHECKS_ALL       (CHECK_BIT(CHECKS) - 1)
#define CHECKS_DEFAULT                                                                             \
    (CHECKS_ALL & ~(CHECK_BIT(CHECK_FIN) | CHECK_BIT(CHECK_RST) | CHECK_BIT(CHECK_ACK) |           \
                    CHECK_BIT(CHECK_UDP) | CHECK_BIT(CHECK_ICMP)))

struct watch_opts {
    uint32_t cores;                  /* 0: 1 */
    uint32_t checks;                 /* CHECK_BIT()s */
    const struct homenets *home;     /* hosts outside are not reported; NULL: all are at home */
    struct inventory_opts inventory; /* gone and ctx are set here */
    struct report report;            /* lent */
    /* Signatures, lent; NULL: there are none. */
    struct fp_list *os[FP_KINDS];
    struct p0f_list *stacks;
    struct service_list *server, *client, *udp;
    struct mac_list *macs;
    struct dhcp_list *dhcp;
};

struct watch_stats {
    uint64_t facts[FACT_KINDS]; /* that were news */
    uint64_t foreign;           /* sightings of hosts that are not at home */
};

struct watch; /* opaque */

/* opts are copied. Returns WEIR_E_*, with a text in err. */
int watch_new(const struct watch_opts *opts, struct watch **out, struct weir_errbuf *err);

/* Another core's, with the inventory of the first; of opts, service lists of its own. */
int watch_beside(struct watch *first, const struct watch_opts *opts, struct watch **out,
                 struct weir_errbuf *err);

/* NULL is allowed; after the monitor is freed, and the first one last. */
void watch_free(struct watch *watch);

/* Let them listen, each on its core. Only before the first packet. */
int watch_add(struct watch *const *watch, struct weir_monitor *m);

/* The run is over: the first reports of all hosts since when and until when they were seen. */
void watch_end(struct watch *watch);

const struct watch_stats *watch_get_stats(const struct watch *watch);
const struct inventory_stats *watch_get_inventory(const struct watch *watch);
struct pool_stats watch_get_pool(const struct watch *watch);

/* Connections that HTTP's limits left out, wholly or from some point on. */
uint64_t watch_get_http_limited(const struct watch *watch);

#endif
