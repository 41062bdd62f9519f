#include "cli_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const timeouts[WEIR_TIMEOUT_COUNT] = {
    [WEIR_TIMEOUT_TCP_NEW] = "flow-timeouts.tcp.new",
    [WEIR_TIMEOUT_TCP_ESTABLISHED] = "flow-timeouts.tcp.established",
    [WEIR_TIMEOUT_TCP_CLOSED] = "flow-timeouts.tcp.closed",
    [WEIR_TIMEOUT_UDP_NEW] = "flow-timeouts.udp.new",
    [WEIR_TIMEOUT_UDP_ESTABLISHED] = "flow-timeouts.udp.established",
    [WEIR_TIMEOUT_ICMP_NEW] = "flow-timeouts.icmp.new",
    [WEIR_TIMEOUT_ICMP_ESTABLISHED] = "flow-timeouts.icmp.established",
    [WEIR_TIMEOUT_OTHER] = "flow-timeouts.default.new",
};

static bool
is_named(const char *text, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(text, name, n) == 0;
}

static int
set_seconds(uint32_t *to, const char *text, const char *value, struct weir_errbuf *err)
{
    unsigned long seconds;
    char *end;

    errno = 0;
    seconds = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || seconds == 0 ||
        seconds > WEIR_TIMEOUT_MAX)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set %.*s: seconds (1 to %lu) are expected, not '%s'",
                            (int)(value - 1 - text), text, (unsigned long)WEIR_TIMEOUT_MAX, value);
    *to = (uint32_t)seconds;
    return WEIR_E_OK;
}

int
cli_set(struct cli *cli, const char *text, bool *known, struct weir_errbuf *err)
{
    const char *equals = strchr(text, '=');

    *known = equals != NULL;
    for (unsigned i = 0; i < WEIR_TIMEOUT_COUNT && *known; i++)
        if (is_named(text, (size_t)(equals - text), timeouts[i]))
            return set_seconds(&cli->monitor.timeout[i], text, equals + 1, err);
    *known = false;
    return WEIR_E_OK;
}
