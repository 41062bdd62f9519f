#include "app/app.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct app_opts
app_defaults(void)
{
    return (struct app_opts){ .request_body = 100 << 10,
                              .response_body = 100 << 10,
                              .memory = 256 << 20,
                              .bomb = 1 << 20,
                              .time = 1000000,
                              .layers = 2,
                              .lzma = false,
                              .midstream = false,
                              .one_sided = false,
                              .off = 0,
                              .dns_ports = { 0, 0 } };
}

/* ---- values */

static int
expected(struct text name, struct text value, const char *what, struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_INVAL, "%.*s: %s is expected, not '%.*s'", TEXT(name), what,
                        TEXT(value));
}

static bool
is_word(struct text value, const char *word)
{
    return value.n == strlen(word) && strncasecmp(value.p, word, value.n) == 0;
}

static bool
take_bool(struct text value, bool *to)
{
    *to = is_word(value, "yes") || is_word(value, "true") || is_word(value, "on") ||
          is_word(value, "1");
    return *to || is_word(value, "no") || is_word(value, "false") || is_word(value, "off") ||
           is_word(value, "0");
}

/* ---- settings: each is told whose it is, and what it expects */

enum kind { KIND_SIZE64, KIND_SIZE32, KIND_COUNT8, KIND_PORT, KIND_BOOL };

struct setting {
    const char *name;
    enum kind kind;
    size_t at; /* in struct app_opts */
};

#define HTP       "app-layer.protocols.http.libhtp.default-config."
#define DNS       "app-layer.protocols.dns."
#define AT(field) offsetof(struct app_opts, field)

static const struct setting settings[] = {
    { HTP "request-body-limit", KIND_SIZE64, AT(request_body) },
    { HTP "response-body-limit", KIND_SIZE64, AT(response_body) },
    { HTP "compression-bomb-limit", KIND_SIZE32, AT(bomb) },
    { HTP "decompression-time-limit", KIND_SIZE32, AT(time) },
    { HTP "response-body-decompress-layer-limit", KIND_COUNT8, AT(layers) },
    { HTP "lzma-enabled", KIND_BOOL, AT(lzma) },
    { DNS "detection-ports.dp", KIND_PORT, AT(dns_ports) },
    { DNS "tcp.detection-ports.dp", KIND_PORT, AT(dns_ports) },
    { DNS "udp.detection-ports.dp", KIND_PORT, AT(dns_ports) + sizeof(uint16_t) },
    { "stream.async-oneside", KIND_BOOL, AT(one_sided) },
};

static bool
put_number(uint8_t *to, struct text value, int64_t min, int64_t max, size_t size)
{
    int64_t n;

    if (!text_int(value, min, max, &n))
        return false;
    if (size == 1)
        *to = (uint8_t)n;
    else
        memcpy(to, &(uint16_t){ (uint16_t)n }, sizeof(uint16_t));
    return true;
}

static bool
put_size(uint8_t *to, struct text value, int64_t max, size_t size)
{
    uint64_t n;

    if (!text_size(value, max, &n))
        return false;
    if (size == sizeof(uint32_t))
        memcpy(to, &(uint32_t){ (uint32_t)n }, sizeof(uint32_t));
    else
        memcpy(to, &n, sizeof(n));
    return true;
}

static int
put(struct app_opts *opts, const struct setting *setting, struct text value,
    struct weir_errbuf *err)
{
    uint8_t *to = (uint8_t *)opts + setting->at;
    const struct text name = { setting->name, strlen(setting->name) };
    bool yes;

    switch (setting->kind) {
    case KIND_SIZE64:
        return put_size(to, value, INT64_C(1) << 40, sizeof(uint64_t))
                   ? WEIR_E_OK
                   : expected(name, value, "a size (100kb)", err);
    case KIND_SIZE32:
        return put_size(to, value, 1 << 30, sizeof(uint32_t))
                   ? WEIR_E_OK
                   : expected(name, value, "a size up to 1gb", err);
    case KIND_COUNT8:
        return put_number(to, value, 1, 255, 1) ? WEIR_E_OK
                                                : expected(name, value, "1 to 255", err);
    case KIND_PORT:
        return put_number(to, value, 1, 65535, 2) ? WEIR_E_OK
                                                  : expected(name, value, "one port", err);
    default:
        if (!take_bool(value, &yes))
            return expected(name, value, "yes or no", err);
        *(bool *)to = yes;
        return WEIR_E_OK;
    }
}

/* app-layer.protocols.NAME.enabled; -1: it is none of ours. */
static int
proto_of(struct text name)
{
    static const unsigned ours[] = { APP_HTTP, APP_DNS, APP_TLS, APP_SSH };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        const char *proto = app_proto_name(ours[i]);
        const size_t n = strlen(proto), front = strlen("app-layer.protocols.");

        if (name.n == front + n + strlen(".enabled") &&
            strncmp(name.p, "app-layer.protocols.", front) == 0 &&
            strncmp(name.p + front, proto, n) == 0 &&
            strncmp(name.p + front + n, ".enabled", strlen(".enabled")) == 0)
            return (int)ours[i];
    }
    return -1;
}

static int
enable(struct app_opts *opts, int proto, struct text name, struct text value,
       struct weir_errbuf *err)
{
    bool yes = false;

    if (!is_word(value, "detection-only") && !take_bool(value, &yes))
        return expected(name, value, "yes, no or detection-only", err);
    opts->off &= ~(1U << proto);
    opts->off |= yes ? 0 : 1U << proto;
    return WEIR_E_OK;
}

int
app_opts_set(struct app_opts *opts, struct text name, struct text value, bool *known,
             struct weir_errbuf *err)
{
    const int proto = proto_of(name);

    *known = true;
    if (proto >= 0)
        return enable(opts, proto, name, value, err);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (!text_is(name, settings[i].name))
            continue;
        if (strcmp(settings[i].name, DNS "detection-ports.dp") == 0) {
            int rc = put(opts, &settings[i], value, err);

            opts->dns_ports[1] = opts->dns_ports[0];
            return rc;
        }
        return put(opts, &settings[i], value, err);
    }
    *known = false;
    return WEIR_E_OK;
}

const char *
app_opts_show(const struct app_opts *opts, unsigned i, char value[32])
{
    const uint8_t *at;
    uint64_t n = 0;

    if (i >= sizeof(settings) / sizeof(settings[0]))
        return NULL;
    at = (const uint8_t *)opts + settings[i].at;
    switch (settings[i].kind) {
    case KIND_SIZE64:
        memcpy(&n, at, sizeof(uint64_t));
        break;
    case KIND_SIZE32:
        n = *(const uint32_t *)(const void *)at;
        break;
    case KIND_PORT:
        n = *(const uint16_t *)(const void *)at;
        break;
    case KIND_COUNT8:
        n = *at;
        break;
    case KIND_BOOL:
        snprintf(value, 32, "%s", *(const bool *)at ? "yes" : "no");
        return settings[i].name;
    }
    snprintf(value, 32, "%" PRIu64, n);
    return settings[i].name;
}
