/*
 * The inventory: hosts by their address, and what is known of each: a fact, since when, seen how
 * often and how long ago, on what evidence. A fact that is seen for the first time is news.
 *
 * A host that was not seen for a while is forgotten, by packet time. Where there is no room, one of
 * those goes that were seen longest ago, where that makes room; a fact costs a few hosts at most.
 * Who listens is told of both, and what they were.
 *
 * Memory: made at set-up and touched as it is used; limits are counted.
 */
#ifndef WEIR_PRADS_INVENTORY_H
#define WEIR_PRADS_INVENTORY_H

#include <weir/error.h>
#include <weir/packet.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a fact is about. */
enum fact_kind {
    FACT_OS,     /* the system, by a packet's headers */
    FACT_SERVER, /* a service that the host offers */
    FACT_CLIENT, /* a program that it uses */
    FACT_MAC,    /* its network card */
    FACT_DHCP,   /* how it asks for an address */
    FACT_NAME,   /* what it is called */
    FACT_KINDS
};

enum { FACT_VALUE_MAX = 1024 }; /* bytes of a value; what is longer is cut */

struct fact {
    enum fact_kind kind;
    uint8_t proto;      /* of the service or client; else 0 */
    uint16_t port;      /* likewise, the server's */
    const char *source; /* "ssh", "syn", "arp", "dns": within its kind */
    const char *value;  /* "OpenSSH 9.2p1" */
    uint8_t confidence; /* per cent */
};

/* A fact as it is held. */
struct known {
    struct fact fact;
    uint64_t first, last; /* nanoseconds since 1970-01-01 UTC */
    uint64_t seen;        /* times */
};

struct host {
    uint8_t version; /* 4 or 6 */
    struct weir_addr addr;
    uint16_t vlan;        /* where it was seen last; 0: none */
    uint64_t first, last; /* as above */
};

enum host_end { HOST_EXPIRED, HOST_EVICTED, HOST_EOF };

struct inventory; /* opaque */

struct inventory_opts {
    uint32_t hosts;  /* at most; 0: 4 Mi */
    uint32_t facts;  /* at most, of all hosts; 0: 16 Mi */
    size_t texts;    /* bytes of all values; 0: 1 GiB */
    uint16_t a_host; /* facts of one host, of a kind three quarters; 0: 256 */
    uint64_t expire; /* nanoseconds unseen; 0: 24 hours */
    uint64_t seed;   /* of hashes, never seen outside */
    /* A fact of a host that goes; in the order in which they became known. NULL: nobody asks. */
    void (*gone)(void *ctx, const struct host *host, const struct known *known, enum host_end why);
    void *ctx;
};

struct inventory_stats {
    uint64_t hosts, facts;     /* ever known */
    uint64_t expired, evicted; /* hosts */
    uint64_t too_many;         /* facts refused: opts.a_host */
    uint64_t no_room;          /* facts refused: opts.texts or opts.facts */
};

/* opts are copied. Returns WEIR_E_OK or WEIR_E_NOMEM. */
int inventory_new(const struct inventory_opts *opts, struct inventory **out);

/* NULL is allowed. Nobody is told of anything: inventory_end() before does that. */
void inventory_free(struct inventory *inv);

/*
 * A fact was seen at a time. host gets what is known of the host then. Returns true if it is news.
 */
bool inventory_see(struct inventory *inv, uint8_t version, const struct weir_addr *addr,
                   uint16_t vlan, const struct fact *fact, uint64_t time, struct host *host);

/* The same, of a host that others told of: it is none the younger. False, too: it is not known. */
bool inventory_hear(struct inventory *inv, uint8_t version, const struct weir_addr *addr,
                    const struct fact *fact, uint64_t time, struct host *host);

/* Whether a host is known. */
bool inventory_has(const struct inventory *inv, uint8_t version, const struct weir_addr *addr);

/*
 * Whether more is known of a host, of this kind and for this port, than a value that begins with @.
 */
bool
inventory_has_better(const struct inventory *inv, uint8_t version, const struct weir_addr *addr,
                     enum fact_kind kind, uint8_t proto, uint16_t port);

/* A host that may be known was seen. Returns whether it is. */
bool inventory_touch(struct inventory *inv, uint8_t version, const struct weir_addr *addr,
                     uint64_t time);

/* Forget who was not seen for long enough; a bounded number at a call. */
void inventory_expire(struct inventory *inv, uint64_t now);

/* Tell of all that is known, with HOST_EOF. */
void inventory_end(struct inventory *inv);

const struct inventory_stats *inventory_get_stats(const struct inventory *inv);

/* "os" and so on. */
const char *fact_kind_name(enum fact_kind kind);

#endif
