#include "cli_parts.h"

#include "for_programs.h"
#include "cli_inline.h"
#include "cli_live.h"
#include "control.h"
#include "metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- values -------------------------------------------------------------------------------- */

bool
cli_parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    unsigned shift = 0;
    const char *unit;
    char *end;

    errno = 0;
    *bytes = strtoull(text, &end, 10);
    if (end == text || errno != 0 || *text == '-' || *text == '+' || *text == ' ')
        return false;
    if (*end != '\0' && (unit = strchr(units, *end & ~0x20)) != NULL) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
        if (*end == 'i')
            end++;
    }
    if (*end == 'B')
        end++;
    if (*end != '\0' || *bytes > UINT64_MAX >> shift)
        return false;
    *bytes <<= shift;
    return true;
}

int
cli_make_dir(const char *path, struct weir_errbuf *err)
{
    char part[4096];
    struct stat st;

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return weir_err_set(err, WEIR_E_INVAL, "%s: the name is too long", path);
    for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            break;
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return weir_err_set(err, WEIR_E_IO, "cannot make the folder %s: %s", path, strerror(errno));
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return weir_err_set(err, WEIR_E_IO, "%s is not a folder", path);
    return WEIR_E_OK;
}

/* ---- common options ------------------------------------------------------------------------ */

static int
take_input(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    const char **more = realloc(cli->inputs, (cli->n_inputs + 1) * sizeof(*more));
    struct stat st;

    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    cli->inputs = more;
    cli->inputs[cli->n_inputs++] = value;
    if (strcmp(value, "-") != 0 && stat(value, &st) != 0)
        return weir_err_set(err, WEIR_E_NOENT, "%s: %s", value, strerror(errno));
    return WEIR_E_OK;
}

int
cli_append_filter(struct cli *cli, const char *words, size_t n)
{
    size_t have = cli->filter != NULL ? strlen(cli->filter) : 0;
    char *longer = realloc(cli->filter, have + n + 2);

    if (longer == NULL)
        return WEIR_E_NOMEM;
    if (have > 0)
        longer[have++] = ' ';
    memcpy(longer + have, words, n);
    longer[have + n] = '\0';
    cli->filter = longer;
    return WEIR_E_OK;
}

/* A filter file: lines are joined, what follows a # is a comment. */
static int
take_filter_file(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    FILE *file = fopen(value, "r");
    char *line = NULL;
    size_t size = 0;
    int rc = WEIR_E_OK;

    if (cli->filter != NULL)
        rc = weir_err_set(err, WEIR_E_INVAL, "-F: there is a filter already");
    else if (file == NULL)
        rc = weir_err_set(err, WEIR_E_NOENT, "%s: %s", value, strerror(errno));
    while (rc == WEIR_E_OK && getline(&line, &size, file) >= 0)
        rc = cli_append_filter(cli, line, strcspn(line, "#\n"));
    if (rc == WEIR_E_OK && ferror(file)) /* a folder opens, but cannot be read */
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", value, strerror(errno));
    free(line);
    if (file != NULL)
        fclose(file);
    return rc;
}

static int
take_checksums(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;

    cli->monitor.no_checksums = strcmp(value, "none") == 0;
    cli->checksums_given = true;
    if (strcmp(value, "all") != 0 && !cli->monitor.no_checksums)
        return weir_err_set(err, WEIR_E_INVAL, "-k: all or none is expected, not '%s'", value);
    return WEIR_E_OK;
}

static int
take_log_dir(void *ctx, const char *value, struct weir_errbuf *err)
{
    ((struct cli *)ctx)->log_dir = value;
    ((struct cli *)ctx)->log_dir_given = true;
    return cli_make_dir(value, err);
}

static int
take_cores(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    char *end;
    const unsigned long n = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end != '\0' || n < 1 || n > MAX_CORES)
        return weir_err_set(err, WEIR_E_INVAL, "-j: 1 to %d is expected, not '%s'", MAX_CORES,
                            value);
    cli->monitor.cores = (uint32_t)n;
    return WEIR_E_OK;
}

/* "10.0.0.1", "10.0.0.0/8", "2001:db8::/32". */
static bool
parse_network(const char *text, struct weir_host_policy *out)
{
    size_t n = strcspn(text, "/");
    char addr[INET6_ADDRSTRLEN], *end;
    unsigned long most, prefix;

    if (n >= sizeof(addr))
        return false;
    memcpy(addr, text, n);
    addr[n] = '\0';
    out->ip_version = strchr(addr, ':') != NULL ? 6 : 4;
    if (inet_pton(out->ip_version == 4 ? AF_INET : AF_INET6, addr, out->addr.b) != 1)
        return false;
    prefix = most = out->ip_version == 4 ? 32 : 128;
    if (text[n] == '/') {
        prefix = strtoul(text + n + 1, &end, 10);
        if (text[n + 1] < '0' || text[n + 1] > '9' || *end != '\0')
            return false;
    }
    out->prefix = (uint8_t)prefix;
    return prefix <= most;
}

int
cli_add_host(struct cli *cli, const struct weir_host_policy *host, struct weir_errbuf *err)
{
    size_t n = cli->monitor.n_hosts;
    struct weir_host_policy *more = realloc(cli->hosts, (n + 1) * sizeof(*more));

    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    more[n] = *host;
    cli->monitor.hosts = cli->hosts = more;
    cli->monitor.n_hosts = n + 1;
    return WEIR_E_OK;
}

static int
no_policy(const char *name, size_t n, struct weir_errbuf *err)
{
    char names[200] = "";

    for (unsigned i = 0; i < WEIR_POLICY_COUNT; i++) {
        size_t at = strlen(names);

        snprintf(names + at, sizeof(names) - at, "%s%s", i > 0 ? ", " : "", weir_policy_name(i));
    }
    return weir_err_set(err, WEIR_E_INVAL, "--policy: '%.*s' is none of %s", (int)n, name, names);
}

/* NAME for all hosts, or NAME=ADDRESS[/LEN] for some. */
static int
take_policy(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    size_t n = strcspn(value, "=");
    struct weir_host_policy host = { .prefix = 0 };
    char name[16] = "";
    int policy;

    if (n < sizeof(name))
        memcpy(name, value, n);
    policy = weir_policy_find(name);
    if (policy < 0)
        return no_policy(value, n, err);
    host.policy = (enum weir_policy)policy;
    if (value[n] == '\0') {
        cli->monitor.policy = host.policy;
        return WEIR_E_OK;
    }
    if (!parse_network(value + n + 1, &host))
        return weir_err_set(err, WEIR_E_INVAL,
                            "--policy: an address (10.0.0.1, 10.0.0.0/8, 2001:db8::/32) is "
                            "expected, not '%s'",
                            value + n + 1);
    return cli_add_host(cli, &host, err);
}

static int
take_memcap(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;

    if (!cli_parse_size(value, &cli->monitor.memcap) || cli->monitor.memcap < UINT64_C(256) << 20)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--memcap: a size of at least 256MiB is expected, not '%s'", value);
    return WEIR_E_OK;
}

static int
take_retain(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    uint64_t size;

    if (!cli_parse_size(value, &size) || size == 0 || size > 16 << 20)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--retain: a size of at most 16MiB is expected, not '%s'", value);
    cli->monitor.retain = (uint32_t)size;
    return WEIR_E_OK;
}

static int
take_strict(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->strict_input = true;
    return WEIR_E_OK;
}

static int
take_no_map(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->no_map = true;
    return WEIR_E_OK;
}

static int
take_stats(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->stats = true;
    return WEIR_E_OK;
}

static int
take_control(void *ctx, const char *value, struct weir_errbuf *err)
{
    ((struct cli *)ctx)->control = value;
    return control_check_path(value, err);
}

static int
take_metrics(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct sockaddr_storage address;
    socklen_t n;

    ((struct cli *)ctx)->metrics = value;
    return metrics_address(value, &address, &n, err);
}

static int
take_quiet(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->quiet = true;
    return WEIR_E_OK;
}

static int
take_verbose(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct cli *)ctx)->verbose++;
    return WEIR_E_OK;
}

/* Answered where options are parsed. */
int
cli_take_nothing(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)ctx, (void)value, (void)err;
    return WEIR_E_OK;
}

/* The same. */
int
cli_take_list(void *ctx, const char *value, struct weir_errbuf *err)
{
    return cli_take_nothing(ctx, value, err);
}

/* They are taken when all options are known: cli_apply_settings(). */
static int
take_set(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;
    const char **more = realloc(cli->sets, (cli->n_sets + 1) * sizeof(*more));

    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    cli->sets = more;
    more[cli->n_sets++] = value;
    return WEIR_E_OK;
}

static int
take_config(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;

    if (cli->config_file != NULL)
        return weir_err_set(err, WEIR_E_INVAL, "-c: one file is expected (it may include others)");
    cli->config_file = value;
    return config_load(&cli->config, value, err);
}

static int
take_dump(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct cli *cli = ctx;

    (void)value, (void)err;
    cli->dump_config = cli->input_optional = true;
    return WEIR_E_OK;
}

const struct cli_option cli_common[] = {
    { 'r', "read", "FILE|DIR|-", "read a capture, all files of a folder, or standard input",
      take_input },
    { 'i', "interface", "IFACE", "capture on an interface; may be repeated", cli_take_interface },
    { 0, "dpdk", "'ARGS'", "start DPDK with these options of its own, and read --port",
      cli_take_dpdk },
    { 0, "port", "NAME|NUMBER", "with --dpdk: read this port; may be repeated", cli_take_port },
    { 0, "inline", "A:B",
      "stand between two interfaces, or with --dpdk ports: what comes in at\n"
      "                          one leaves by the other; may be repeated",
      cli_take_inline },
    { 0, "fail-open", NULL, "inline: past the bounds of what waits, packets go on (default)",
      cli_take_fail_open },
    { 0, "fail-closed", NULL, "inline: past the bounds of what waits, packets are dropped",
      cli_take_fail_closed },
    { 0, "mtu", "BYTES", "with --dpdk: take in frames up to this MTU (1500)", cli_take_mtu },
    { 0, "list-interfaces", NULL, "print the interfaces there are, and stop", cli_take_list },
    { 0, "snaplen", "BYTES", "live: capture so much of each packet (262144)", cli_take_snaplen },
    { 0, "no-promisc", NULL, "live: only what the interface takes in anyway", cli_take_no_promisc },
    { 0, "buffer", "SIZE", "live: what the kernel holds for an interface and thread (16MiB)",
      cli_take_buffer },
    { 0, "immediate", NULL, "live: look at packets at once, not within 100 ms",
      cli_take_immediate },
    { 0, "user", "USER", "go on as this user once inputs and outputs are open", cli_take_user },
    { 0, "group", "GROUP", "the same for the group (default: the user's)", cli_take_group },
    { 'F', "filter-file", "FILE", "read the packet filter (BPF) from a file", take_filter_file },
    { 'k', "checksums", "all|none", "verify checksums (default) or take all as right",
      take_checksums },
    { 'l', "log-dir", "DIR", "folder for log files, made if missing (default: .)", take_log_dir },
    { 'j', "cores", "N", "packet threads (default: 1; with -i: one for each CPU)", take_cores },
    { 0, "policy", "NAME[=NET]",
      "what target hosts, or those of a network (10.0.0.0/8), are: linux\n"
      "                          (default), first, last, bsd, old-linux, windows, windows2k3,\n"
      "                          vista, solaris, macos, irix, hpux10, hpux11; may be repeated",
      take_policy },
    { 0, "memcap", "SIZE", "memory for flows and their data (default: 4GiB)", take_memcap },
    { 0, "retain", "SIZE",
      "acknowledged data a direction with which what comes\n"
      "                          again is compared (default: 64KiB)",
      take_retain },
    { 'c', "config", "FILE", "read settings from a file in the layout of suricata.yaml",
      take_config },
    { 0, "dump-config", NULL, "print the settings in force, and stop", take_dump },
    { 0, "set", "NAME=VALUE",
      "change a setting, flow-timeouts.tcp.established=60 for example;\n"
      "                          the manual has the names",
      take_set },
    { 0, "strict-input", NULL, "a capture whose last record is cut makes the exit code 1",
      take_strict },
    { 0, "no-map", NULL, "read captures through libpcap instead of mapping them", take_no_map },
    { 0, "stats", NULL, "print counters at the end, those of every limit among them", take_stats },
    { 0, "control", "PATH", "answer commands on a Unix socket: weir top, for example",
      take_control },
    { 0, "metrics", "[ADDR:]PORT",
      "answer GET /metrics with the counters, as OpenMetrics\n"
      "                          text (address: 127.0.0.1)",
      take_metrics },
    { 'q', "quiet", NULL, "no progress, notices and closing summary", take_quiet },
    { 'v', "verbose", NULL, "say more; may be repeated", take_verbose },
    { 'V', "version", NULL, "print the version", cli_take_nothing },
    { 'h', "help", NULL, "print this", cli_take_nothing },
    { 0, NULL, NULL, NULL, NULL },
};
