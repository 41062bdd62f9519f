#include "cli_set.h"

#include "cli_dump.h"
#include "engine.h"

#include <errno.h>
#include <stdio.h>
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

/* First words of the names in suricata.yaml, of this version or that. */
static const char *const suricatas[] = {
    "vars",
    "stats",
    "outputs",
    "logging",
    "plugins",
    "af-packet",
    "af-xdp",
    "dpdk",
    "pcap",
    "pcap-file",
    "app-layer",
    "datasets",
    "security",
    "runmode",
    "unix-command",
    "reputation",
    "action-order",
    "engine-analysis",
    "pcre",
    "host-os-policy",
    "host-mode",
    "defrag",
    "flow",
    "flow-timeouts",
    "vlan",
    "livedev",
    "stream",
    "host",
    "ippair",
    "decoder",
    "detect",
    "mpm-algo",
    "spm-algo",
    "threading",
    "profiling",
    "lua",
    "nfq",
    "capture",
    "exception-policy",
    "packet-alert-max",
    "max-pending-packets",
    "default-packet-size",
    "asn1-max-frames",
    "default-log-dir",
    "default-rule-path",
    "rule-files",
    "classification-file",
    "reference-config-file",
    "threshold-file",
    "run-as",
    "pid-file",
    "sensor-name",
    "include",
    /* in its stock file, though of no interest here */
    "suricata-version",
    "coredump",
    "heartbeat",
    "ipfw",
    "legacy",
    "luajit",
    "magic-file",
    "multi-detect",
    "napatech",
    "netmap",
    "nflog",
    "pfring",
    "umask",
    "windivert",
};

bool
cli_is_suricatas(const char *text)
{
    size_t n;

    text += strspn(text, " \t");
    n = strcspn(text, ".= \t");
    for (size_t i = 0; i < sizeof(suricatas) / sizeof(*suricatas); i++)
        if (strlen(suricatas[i]) == n && memcmp(suricatas[i], text, n) == 0)
            return true;
    return false;
}

int
cli_set_unknown(const char *text, struct weir_errbuf *err)
{
    if (strchr(text, '=') == NULL)
        return weir_err_set(err, WEIR_E_INVAL, "--set: name=value is expected, not '%s'", text);
    return weir_err_set(err, WEIR_E_INVAL, "--set: '%.*s' is no known name",
                        (int)strcspn(text, "="), text);
}

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

/* To *no the contrary of a value yes or no. */
static int
set_not(bool *no, const char *text, const char *value, struct weir_errbuf *err)
{
    bool yes = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

    if (!yes && strcmp(value, "no") != 0 && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
        return weir_err_set(err, WEIR_E_INVAL, "--set %.*s: yes or no is expected, not '%s'",
                            (int)(value - 1 - text), text, value);
    *no = !yes;
    return WEIR_E_OK;
}

/* What -k said stays. */
static int
set_checksums(struct cli *cli, const char *text, const char *value, struct weir_errbuf *err)
{
    bool no;
    int rc = set_not(&no, text, value, err);

    if (rc == WEIR_E_OK && !cli->checksums_given)
        cli->monitor.no_checksums = no;
    return rc;
}

/* What --fail-open or --fail-closed said stays. */
static int
set_fail(struct cli *cli, const char *value, struct weir_errbuf *err)
{
    const bool closed = strcmp(value, "closed") == 0;

    if (!closed && strcmp(value, "open") != 0)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set inline.fail: open or closed is expected, not '%s'", value);
    if (!cli->fail_given)
        cli->monitor.fail_closed = closed;
    return WEIR_E_OK;
}

int
cli_set(struct cli *cli, const char *text, bool *known, struct weir_errbuf *err)
{
    const char *equals = strchr(text, '=');
    size_t n = equals != NULL ? (size_t)(equals - text) : 0;

    *known = n > 0;
    for (unsigned i = 0; i < WEIR_TIMEOUT_COUNT && *known; i++)
        if (is_named(text, n, timeouts[i]))
            return set_seconds(&cli->monitor.timeout[i], text, equals + 1, err);
    if (is_named(text, n, "stream.checksum-validation"))
        return set_checksums(cli, text, equals + 1, err);
    if (is_named(text, n, "vlan.use-for-tracking"))
        return set_not(&cli->monitor.no_vlan, text, equals + 1, err);
    if (is_named(text, n, "inline.fail"))
        return set_fail(cli, equals + 1, err);
    *known = is_named(text, n, "run-as.user") || is_named(text, n, "run-as.group");
    if (*known) {
        *(text[n - 1] == 'r' ? &cli->run_as_user : &cli->run_as_group) = equals + 1;
        return WEIR_E_OK;
    }
    *known = is_named(text, n, "default-log-dir");
    if (*known && !cli->log_dir_given) /* made where a log is opened */
        cli->log_dir = equals + 1;
    return WEIR_E_OK;
}

void
cli_set_dump(const struct cli *cli, struct cli_dump *dump)
{
    cli_dump_put(dump, "default-log-dir", "%s", cli->log_dir);
    for (unsigned i = 0; i < WEIR_TIMEOUT_COUNT; i++)
        cli_dump_put(dump, timeouts[i], "%u",
                     cli->monitor.timeout[i] != 0 ? cli->monitor.timeout[i] : engine_timeouts[i]);
    cli_dump_put(dump, "inline.fail", "%s", cli->monitor.fail_closed ? "closed" : "open");
    cli_dump_put(dump, "stream.checksum-validation", "%s",
                 cli->monitor.no_checksums ? "no" : "yes");
    cli_dump_put(dump, "vlan.use-for-tracking", "%s", cli->monitor.no_vlan ? "no" : "yes");
}
