/* Signature files of all kinds: what loads obeys its bounds. The first byte chooses the kind. */
#include "compat_options.h"
#include "dhcp_print.h"
#include "homenet.h"
#include "literal.h"
#include "mac.h"
#include "p0f.h"
#include "service.h"
#include "signature_fp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_bad(void *ctx, const char *text)
{
    (void)ctx;
    assert(strncmp(text, "fuzz: near '", 12) == 0);
}

static void
try_fp(char *text)
{
    struct fingerprint fp = { .window = 5840, .ttl = 64, .size = 40 };
    struct weir_errbuf err;
    struct fp_list *list;

    if (fp_list_parse(text, "fuzz", true, &list, &err) != WEIR_E_OK)
        return;
    fp_list_match(list, &fp, FP_SYN);
    fp_list_free(list);
}

static void
try_service(char *text)
{
    static const uint8_t payload[] = "Server: nginx/1.0\r\n220 host ESMTP\n";
    struct weir_errbuf err;
    struct service_list *list;
    struct service_hit hit;

    if (service_list_parse(text, "fuzz", on_bad, NULL, &list, &err) != WEIR_E_OK)
        return;
    if (service_match(list, payload, sizeof(payload) - 1, &hit))
        assert(strlen(hit.application) < SERVICE_APP_MAX);
    service_list_free(list);
}

static void
try_mac(char *text)
{
    static const uint8_t mac[6] = { 0, 0x50, 0xc2, 1, 2, 3 };
    struct weir_errbuf err;
    struct mac_list *list;

    if (mac_list_parse(text, "fuzz", &list, &err) != WEIR_E_OK)
        return;
    mac_vendor(list, mac);
    mac_list_free(list);
}

static void
try_dhcp(char *text)
{
    struct dhcp_print print = { .type = 1 };
    struct weir_errbuf err;
    struct dhcp_list *list;

    if (dhcp_list_parse(text, "fuzz", &list, &err) != WEIR_E_OK)
        return;
    dhcp_match(list, &print);
    dhcp_list_free(list);
}

static void
try_rest(char *text)
{
    struct compat_options opts = { .checks = 0 };
    uint8_t literal[LITERAL_MAX];
    struct homenets nets;

    assert(literal_of(text, literal) <= LITERAL_MAX);
    homenets_parse(&nets, text);
    assert(nets.n <= HOMENETS_MAX);
    compat_config_parse(&opts, text);
    compat_options_free(&opts);
}

static void
try_stacks(char *text)
{
    struct p0f_print print = { .version = 4, .ttl = 60, .mss = 1460, .window = 29200 };
    struct weir_errbuf err = { "" };
    struct p0f_list *list;
    bool fuzzy;

    if (p0f_list_parse(strdup(text), "fuzz", &list, &err) != WEIR_E_OK) {
        assert(list == NULL && strncmp(err.text, "fuzz:", 5) == 0);
        return;
    }
    p0f_match(list, &print, false, &fuzzy);
    p0f_match(list, &print, true, &fuzzy);
    p0f_list_free(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(char *) = { try_fp,   try_service, try_mac,
                                             try_dhcp, try_rest,    try_stacks };
    char *text;

    if (size < 1 || size > 600)
        return 0;
    text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    tries[data[0] % (sizeof(tries) / sizeof(tries[0]))](text);
    free(text);
    return 0;
}
