/* Makers of network cards (mac.sig): "AA:BB:CC[:DD:EE:FF][/bits] Short # long". */
#ifndef WEIR_PRADS_MAC_H
#define WEIR_PRADS_MAC_H

#include <weir/error.h>

#include <stddef.h>
#include <stdint.h>

struct mac_list;

/* Lines that are none are passed over. Returns WEIR_E_*, with a text in err. */
int mac_list_load(const char *path, struct mac_list **out, struct weir_errbuf *err);

/* The same from text, which is written to and has to outlive the list. */
int mac_list_parse(char *text, const char *name, struct mac_list **out, struct weir_errbuf *err);

void mac_list_free(struct mac_list *list);

size_t mac_list_size(const struct mac_list *list);

/* The maker of the longest prefix; of equal ones the first. NULL: it is not known. */
const char *mac_vendor(const struct mac_list *list, const uint8_t mac[6]);

#endif
