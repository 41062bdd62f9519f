/* What watch.c and its parts share; for them alone. */
#ifndef WEIR_PRADS_WATCHED_H
#define WEIR_PRADS_WATCHED_H

#include "watch.h"

#include "detect_proto.h"
#include "digest.h"
#include "dns.h"
#include "http.h"
#include "put.h"
#include "share.h"
#include "ssh.h"
#include "tls.h"

enum { TEXT_MAX = FACT_VALUE_MAX };

/* Of a shard. */
enum { HTTP_FLOWS = 256, POOL_BYTES = POOL_MIN_BYTES };

struct watch {
    struct watch_opts opts;
    struct weir_tap_spec spec;
    struct inventory *inventory; /* of all cores: see watch_inventory() */
    bool lent;                   /* it is the first core's */
    struct order *order;         /* NULL: there is one core */
    struct shares shares;
    struct share *at;      /* of the flow at hand: its shard's */
    struct digest *digest; /* NULL: built without libcrypto */
    struct http *http;     /* NULL: built without libhtp */
    struct watch_stats stats;
    const struct weir_event *ev; /* the one at hand */
    enum weir_dir parsing;      /* the direction whose bytes the parser has, as in struct watched */
    uint8_t bytes[WATCH_BYTES]; /* the beginning of a stream, read back */
};

/* What the app keeps in a flow. */
struct watched {
    struct watch *watch;
    struct detect_proto detect;
    struct detect_first first;
    union {
        struct tls tls;
        struct ssh_side ssh[2];
        struct gather dns[2];
        struct http_flow *http;
    } parser;
    uint8_t proto;    /* enum app_proto that parser is of; APP_UNKNOWN_YET: none */
    bool swapped;     /* midstream: the server was taken for the client. What is by direction here
                         is as it should have been */
    uint8_t looks[2]; /* by enum weir_dir: times that signatures were tried */
    bool named[2];    /* who sends in a direction is in the asset log */
    bool parsed[2];   /* the parser needs no more of a direction */
};

/* Who offers or uses a service. */
struct end {
    struct weir_addr addr;
    uint8_t version, proto;
};

static inline bool
is_checked(const struct watch *w, enum check check)
{
    return w->opts.checks >> check & 1;
}

/* From the flow's direction to what it is in fact, and back. */
static inline enum weir_dir
watch_turn(const struct watched *x, unsigned dir)
{
    return (dir == WEIR_TOCLIENT) != x->swapped ? WEIR_TOCLIENT : WEIR_TOSERVER;
}

/* Checks that look at each packet of a flow. */
static inline bool
watch_wants_packets(const struct watch *w)
{
    return w->opts.checks & (CHECK_BIT(CHECK_FIN) | CHECK_BIT(CHECK_RST) | CHECK_BIT(CHECK_ACK) |
                             CHECK_BIT(CHECK_UDP) | CHECK_BIT(CHECK_ICMP));
}

/*
 * The inventory, in this core's turn: what is asked of it before the event is over is answered as
 * if one core had watched all flows.
 */
struct inventory *watch_inventory(struct watch *w);

/* A sighting of a host, in the event at hand; time, vlan and distance are found here. */
void watch_see(struct watch *w, uint8_t version, const struct weir_addr *addr,
               struct sighting *sighting);

/*
 * A server or client of the event's flow, by who sends in a direction. details go to the sighting;
 * the asset log has the first of a direction.
 */
void watch_see_service(struct watch *w, struct watched *x, enum weir_dir dir, struct sighting *s);

/* The same of the sender of a datagram, whose role its content tells. */
void watch_see_sender(struct watch *w, struct watched *x, bool server, struct sighting *s);

/* A name of a host. */
void watch_see_name(struct watch *w, uint8_t version, const struct weir_addr *addr,
                    const char *source, const char *name, uint8_t confidence);

/* Add to a sighting's details. value lives as long as that. */
void watch_detail(struct sighting *s, const char *key, const char *value);

/* Bytes of the wire as text: control characters become dots. */
const char *watch_text(char text[TEXT_MAX], struct weir_bytes bytes);

/* ---- watch_stream.c */

/* Nobody saw who began: by what goes by custom over the ports. */
void watch_guess_sides(struct watch *w, struct watched *x);

/* The next bytes of a stream. */
void watch_payload(struct watch *w, struct watched *x);
void watch_gap(struct watch *w, struct watched *x);

/* Nothing named who sends in a direction: its protocol, or what goes by custom over the port. */
void watch_name_anyhow(struct watch *w, struct watched *x, enum weir_dir dir);

/* The flow ends: give back what parsers hold. */
void watch_stream_end(struct watch *w, struct watched *x);

/* For http_new(): ctx is the flow's struct watched. */
void watch_http(void *ctx, const struct http_event *event);

/* ---- watch_datagram.c */

void watch_datagram(struct watch *w, struct watched *x);

/* A DNS message, over UDP or TCP. */
void watch_dns(struct watch *w, struct watched *x, struct weir_bytes bytes);

/* ---- watch_packet.c: systems and network cards */

void watch_system(struct watch *w, enum fp_kind kind);
void watch_packet(struct watch *w);
void watch_arp(struct watch *w);
void watch_neighbour(struct watch *w);

#endif
