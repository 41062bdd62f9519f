/*
 * Signatures of services and clients (.sig files), one line each:
 * service,v/application/version/info/,PCRE
 */
#ifndef WEIR_PRADS_SERVICE_H
#define WEIR_PRADS_SERVICE_H

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERVICE_APP_MAX = 512 };

struct service_list;

/* What a payload showed. The texts live until the next match. */
struct service_hit {
    const char *service;     /* "http" */
    const char *application; /* "Apache 2.4 (Debian)" */
};

/* bad() is told of each line that is passed over. Returns WEIR_E_*, with a text in err. */
int service_list_load(const char *path, void (*bad)(void *ctx, const char *text), void *ctx,
                      struct service_list **out, struct weir_errbuf *err);

/* The same from text, which is written to. */
int service_list_parse(char *text, const char *name, void (*bad)(void *ctx, const char *text),
                       void *ctx, struct service_list **out, struct weir_errbuf *err);

void service_list_free(struct service_list *list);

size_t service_list_size(const struct service_list *list);

/* The first signature that matches, in the order of the file. */
bool
service_match(struct service_list *list, const uint8_t *data, size_t n, struct service_hit *hit);

/* What goes by custom over a port: "@www" of 80 for TCP; NULL: nothing that is known. */
const char *service_of_port(uint8_t proto, uint16_t port);

#endif
