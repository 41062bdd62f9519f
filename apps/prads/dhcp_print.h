/*
 * Fingerprints of DHCP clients (RFC 2131), and their signatures (dhcp.fp), one line each:
 * type:ttl:options:requested:vendor class:OS:description, "." for what is empty.
 */
#ifndef WEIR_PRADS_DHCP_PRINT_H
#define WEIR_PRADS_DHCP_PRINT_H

#include "fingerprint.h"

#include <weir/error.h>

struct dhcp_list;

enum { DHCP_OPTIONS_MAX = 255, DHCP_TEXT_MAX = 2600 };

struct dhcp_print {
    uint8_t type; /* option 53; 0: none */
    uint8_t ttl;
    uint8_t n_options, n_requested, n_vendor;
    uint8_t option[DHCP_OPTIONS_MAX]; /* all, in order, 255 included */
    uint8_t requested[255];           /* option 55 */
    char vendor[256];                 /* option 60 */
};

struct dhcp_signature {
    const char *os, *detail;
    char *text; /* "1:16:53,50,55,255:1,28:.", as it is printed */
};

int dhcp_list_load(const char *path, struct dhcp_list **out, struct weir_errbuf *err);

/* The same from text, which is written to. WEIR_E_SYNTAX: a line is wrong. */
int dhcp_list_parse(char *text, const char *name, struct dhcp_list **out, struct weir_errbuf *err);

void dhcp_list_free(struct dhcp_list *list);
size_t dhcp_list_size(const struct dhcp_list *list);

/* Read the payload of a datagram; false: it is no DHCP message of a client. */
bool dhcp_take(const uint8_t *data, size_t n, uint8_t ttl, struct dhcp_print *out);

/* The first signature that fits; NULL: none does. */
const struct dhcp_signature *
dhcp_match(const struct dhcp_list *list, const struct dhcp_print *print);

/* "1:16:53,50,55,255:1,28:MSFT 5.0" */
void dhcp_text(const struct dhcp_print *print, char text[DHCP_TEXT_MAX]);

#endif
