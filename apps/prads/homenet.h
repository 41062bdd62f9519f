/* Home networks: "10.0.0.0/8,192.168.0.0/255.255.0.0,fe80::/64". */
#ifndef WEIR_PRADS_HOMENET_H
#define WEIR_PRADS_HOMENET_H

#include <weir/packet.h>

enum { HOMENETS_MAX = 128 };

struct homenets {
    unsigned n;
    bool all4, all6; /* every address of the kind is at home */
    struct homenet {
        struct weir_addr addr, mask;
        uint8_t version;
    } at[HOMENETS_MAX];
};

/*
 * Read a list, in place of what was there. Reading ends at the first that is none: false, and
 * those before it count.
 */
bool homenets_parse(struct homenets *nets, const char *text);

/* The same where an address alone is one, too. */
bool homenets_parse_hosts(struct homenets *nets, const char *text);

bool homenets_have(const struct homenets *nets, uint8_t version, const struct weir_addr *addr);

#endif
