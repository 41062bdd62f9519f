/*
 * Assets: hosts by their address, and what was seen of each. Whoever asks "is this news?" gets the
 * same answer once.
 *
 * Memory: both tables have their cap; what finds no room is counted, and is no news.
 */
#ifndef WEIR_PRADS_ASSET_H
#define WEIR_PRADS_ASSET_H

#include "table.h"

#include <weir/packet.h>

/* What a host was recognised by. */
enum detection {
    DETECT_SYN, /* the first five in the order of enum fp_kind */
    DETECT_SYNACK,
    DETECT_FIN,
    DETECT_RST,
    DETECT_ACK,
    DETECT_UDP,
    DETECT_ICMP,
    DETECT_SERVER,
    DETECT_CLIENT,
    DETECT_ARP,
    DETECT_NDP,
    DETECT_DHCP,
    DETECT_NONE, /* nothing that the asset log knows */
};

struct asset {
    struct weir_addr addr; /* with version: the key */
    uint64_t version;      /* 4 or 6 */
    const char *vendor;    /* of the first card; NULL: not known */
    uint8_t mac[6];
    bool has_mac;
    uint16_t vlan; /* where it was seen last */
};

struct assets {
    struct table hosts;   /* struct asset */
    struct table records; /* of what was seen */
    struct hash_key text; /* identities of texts */
};

enum asset_news {
    ASSET_OLD,
    ASSET_NEW,
    ASSET_CHANGED,
};

/* max: hosts; there is room for four records each. Returns WEIR_E_*. */
int assets_new(struct assets *assets, uint32_t max, uint64_t seed);
void assets_free(struct assets *assets);

/* The asset of this address, made if missing; NULL: there is no room. */
struct asset *
assets_get(struct assets *assets, uint8_t version, const struct weir_addr *addr, bool *made);

/* Whether this kind of fingerprint with this identity is news for the asset. */
bool asset_is_new_os(struct assets *assets, const struct asset *asset, enum detection kind,
                     uint64_t identity);

/*
 * Whether an application behind a port is news. A name that is only the port's custom ("@www")
 * gives way to any other at once; any other change is news when it has been seen 202 times.
 *
 * @param server  whether the asset is the server here; out: whether it was when the port was new.
 */
enum asset_news asset_service(struct assets *assets, const struct asset *asset, uint8_t proto,
                              uint16_t port, const char *application, bool *server);

enum asset_news asset_set_mac(struct asset *asset, const uint8_t mac[6]);

/* A number for a text; two texts have the same only by a chance of 2^-64. */
uint64_t assets_identity(const struct assets *assets, const char *text);

#endif
