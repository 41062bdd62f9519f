/*
 * DHCP: RFC 2131 with the options of RFC 2132, 4702 and 3396 as far as named; DHCPv6: RFC 8415.
 *
 * Memory: what is parsed refers to the bytes it was read from.
 */
#ifndef WEIR_DHCP_H
#define WEIR_DHCP_H

#include "put.h"

#include <weir/error.h>
#include <weir/event.h>

enum {
    DHCP_HEADER = 236, /* the cookie follows */
    DHCP_ORDER = 64    /* options whose order is kept */
};

enum dhcp_option_code {
    DHCP_PAD = 0,
    DHCP_HOSTNAME = 12,
    DHCP_REQUESTED = 50,
    DHCP_OVERLOAD = 52,
    DHCP_TYPE = 53,
    DHCP_SERVER_ID = 54,
    DHCP_REQUEST_LIST = 55,
    DHCP_VENDOR_CLASS = 60,
    DHCP_CLIENT_ID = 61,
    DHCP_FQDN = 81,
    DHCP_OPTIONS_END = 255,
};

enum dhcp_message_type {
    DHCP_BOOTP = 0, /* no option says */
    DHCP_DISCOVER,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM,
};

struct dhcp_message {
    uint8_t op;   /* 1: to a server, 2: from one */
    uint8_t type; /* enum dhcp_message_type, or another */
    uint32_t xid;
    const uint8_t *ciaddr, *yiaddr, *siaddr, *giaddr; /* four bytes each */
    struct weir_bytes mac;                            /* hlen bytes, 16 at most */
    struct weir_bytes options;                        /* behind the cookie: dhcp_next() */
    struct weir_bytes request_list, vendor_class, hostname, client_id;
    struct weir_bytes fqdn;               /* the name of option 81 as it came: fqdn_wire */
    bool fqdn_wire;                       /* in labels of DNS, not as text */
    const uint8_t *requested, *server_id; /* four bytes each; NULL: not there */
    uint8_t order[DHCP_ORDER];            /* codes as they came, the end included */
    uint8_t n_order;
    bool order_more;  /* there were more */
    bool odd;         /* an option's length contradicts its code: what it says is left out */
    bool has_end;     /* option 255 was there */
    uint8_t overload; /* bits: 1: options in file, 2: in sname too, which are not read */
};

/*
 * WEIR_E_OK; WEIR_E_TRUNC: cut within the header or an option; WEIR_E_MALFORMED: not a message, or
 * no cookie. Of an option that comes twice the first counts.
 */
int dhcp_parse(const uint8_t *p, size_t n, struct dhcp_message *out);

/* Take the next option off, without padding; false: at the end, or cut. */
bool dhcp_next(struct weir_bytes *options, uint8_t *code, struct weir_bytes *data);

/* "DISCOVER"; NULL: unknown. */
const char *dhcp_type_name(unsigned type);

/* ---- DHCPv6 */

enum dhcp6_option_code {
    DHCP6_CLIENT_ID = 1,
    DHCP6_ORO = 6,
    DHCP6_RELAY_MESSAGE = 9,
    DHCP6_VENDOR_CLASS = 16,
    DHCP6_FQDN = 39,
};

enum { DHCP6_RELAYS = 8 }; /* RFC 8415 section 7.6: HOP_COUNT_LIMIT */

struct dhcp6_message {
    uint8_t type;                   /* 1: SOLICIT, 3: REQUEST, 7: REPLY, ... of the innermost */
    uint8_t relays;                 /* messages of relays around it */
    uint32_t xid;                   /* 24 bits */
    struct weir_bytes client_id;    /* DUID */
    struct weir_bytes mac;          /* that the DUID was made of: types 1 and 3 on Ethernet */
    struct weir_bytes request_list; /* two bytes each */
    uint32_t enterprise;            /* of vendor_class */
    struct weir_bytes vendor_class; /* the first of its strings */
    struct weir_bytes fqdn;         /* in labels of DNS */
};

/* WEIR_E_OK, WEIR_E_TRUNC, WEIR_E_MALFORMED. */
int dhcp6_parse(const uint8_t *p, size_t n, struct dhcp6_message *out);

/* Labels of DNS without compression as text, as far as they can be read. */
void dhcp_labels_text(struct weir_bytes labels, struct put *put);

#endif
