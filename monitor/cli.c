#include "cli.h"

#include "cli_dump.h"
#include "cli_inline.h"
#include "cli_live.h"
#include "cli_set.h"
#include "control.h"
#include "decode.h"
#include "engine.h"
#include "hash.h"
#include "metrics.h"

#include <weir/log.h>
#include <weir/port.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_BATCH = 256, BATCHES_A_LOOK = 64, COLUMN_HELP = 26 };

#define END_WAIT_NS UINT64_C(10000000000) /* so long the end of a live run waits for an output */

/* ---- messages ------------------------------------------------------------------------------ */

static bool progress_shown;

static void
clear_progress(void)
{
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
}

enum { MOST_OUTPUTS = 8 };

static _Atomic int caught; /* the signal that stops the run; 0: none */

static struct out *outputs[MOST_OUTPUTS]; /* that are open */

/* What the program printed before comes before, wherever both go to the same place. */
static void
flush_outputs(const struct cli *cli)
{
    if (cli->interface != NULL || caught != 0) /* packets, and who wants an end, wait for nothing */
        return;
    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        if (outputs[i] != NULL)
            (void)out_flush(outputs[i]);
}

static void
say(const struct cli *cli, const char *format, va_list args)
{
    flush_outputs(cli);
    clear_progress();
    fprintf(stderr, "%s: ", cli->program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void
cli_error(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}

void
cli_notice(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}

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

static int
append_filter(struct cli *cli, const char *words, size_t n)
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
        rc = append_filter(cli, line, strcspn(line, "#\n"));
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

/* CPUs that this process may run on. */
static uint32_t
cpus_allowed(void)
{
    cpu_set_t set;
    int n = 1;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        n = CPU_COUNT(&set);
    return (uint32_t)(n < 1 ? 1 : n > MAX_CORES ? MAX_CORES : n);
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
static int
take_nothing(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)ctx, (void)value, (void)err;
    return WEIR_E_OK;
}

/* The same. */
static int
take_list(void *ctx, const char *value, struct weir_errbuf *err)
{
    return take_nothing(ctx, value, err);
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

static const struct cli_option common[] = {
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
    { 0, "list-interfaces", NULL, "print the interfaces there are, and stop", take_list },
    { 0, "snaplen", "BYTES", "live: capture so much of each packet (262144)", cli_take_snaplen },
    { 0, "no-promisc", NULL, "live: only what the interface takes in anyway", cli_take_no_promisc },
    { 0, "buffer", "SIZE", "live: what the kernel holds for an interface (16MiB)",
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
    { 'V', "version", NULL, "print the version", take_nothing },
    { 'h', "help", NULL, "print this", take_nothing },
    { 0, NULL, NULL, NULL, NULL },
};

/* ---- the command line ---------------------------------------------------------------------- */

static void
help_of(const struct cli_option *option)
{
    char left[80], letter[8] = "    ";

    if (option->letter != 0)
        snprintf(letter, sizeof(letter), "-%c%s", option->letter, option->name != NULL ? ", " : "");
    snprintf(left, sizeof(left), "  %s%s%s%s%s", letter, option->name != NULL ? "--" : "",
             option->name != NULL ? option->name : "", option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    if (strlen(left) >= COLUMN_HELP)
        printf("%s\n%*s%s\n", left, COLUMN_HELP, "", option->help);
    else
        printf("%-*s%s\n", COLUMN_HELP, left, option->help);
}

static void
help(const struct cli *cli)
{
    printf("Usage: %s %s\n%s\n\n", cli->program, cli->synopsis, cli->about);
    for (const struct cli_option *o = cli->options; o->help != NULL; o++)
        help_of(o);
    if (cli->beside_options != NULL)
        printf("\nWith %s beside:\n", cli->beside_name);
    for (const struct cli_option *o = cli->beside_options; o != NULL && o->help != NULL; o++)
        help_of(o);
    printf("\n");
    for (const struct cli_option *o = common; o->help != NULL; o++)
        help_of(o);
    printf(
        "\nExit codes: 0 done, 1 run-time or read error, 2 wrong command line or configuration,\n"
        "%s128 + n a replay cut by signal n. The manual: %s(1).\n",
        cli->exits != NULL ? cli->exits : "", cli->program);
}

static bool
matches(const struct cli_option *option, char letter, const char *name, size_t n)
{
    if (letter != 0)
        return option->letter == letter;
    return option->name != NULL && strlen(option->name) == n && memcmp(option->name, name, n) == 0;
}

/* The option, and the ctx that its take() wants; NULL: there is none. */
static const struct cli_option *
find_option(struct cli *cli, char letter, const char *name, size_t n, void **ctx)
{
    const struct {
        const struct cli_option *table;
        void *ctx;
    } tables[] = { { cli->options, cli->ctx },
                   { cli->beside_options, cli->beside },
                   { common, cli } };

    for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        *ctx = tables[i].ctx;
        for (const struct cli_option *o = tables[i].table; o != NULL && o->help != NULL; o++)
            if (matches(o, letter, name, n))
                return o;
    }
    return NULL;
}

/* Where the parser stands. */
struct words {
    char **at, **end;
};

/* What was asked for is on standard output: the exit code. */
static int
printed(const struct cli *cli)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    cli_error(cli, "standard output: %s", strerror(errno));
    return EXIT_FAILED;
}

/* Returns -1 to go on, or the exit code. */
static int
apply(struct cli *cli, const struct cli_option *option, void *ctx, const char *value)
{
    struct weir_errbuf err = { "" };

    if (option->letter == 'h' && option->take == take_nothing) {
        help(cli);
        return printed(cli);
    }
    if (option->letter == 'V' && option->take == take_nothing) {
        printf("%s %s\n", cli->program, PACKAGE_VERSION);
        return printed(cli);
    }
    if (option->take == take_list)
        return cli_list_interfaces(cli);
    if (option->take(ctx, value, &err) == WEIR_E_OK)
        return -1;
    cli_error(cli, "%s", err.text);
    return EXIT_USAGE;
}

static int
usage_error(const struct cli *cli, const char *what, const char *word, size_t n)
{
    cli_error(cli, "%s '%.*s' (try %s --help)", what, (int)n, word, cli->program);
    return EXIT_USAGE;
}

static int
parse_long(struct cli *cli, const char *word, struct words *words)
{
    const char *equals = strchr(word, '='), *value = NULL;
    size_t n = equals != NULL ? (size_t)(equals - word) : strlen(word);
    void *ctx;
    const struct cli_option *option = find_option(cli, 0, word + 2, n - 2, &ctx);

    if (option == NULL)
        return usage_error(cli, "unknown option", word, n);
    if (option->value == NULL && equals != NULL)
        return usage_error(cli, "no value is expected by", word, n);
    if (option->value != NULL) {
        if (equals == NULL && words->at == words->end)
            return usage_error(cli, "a value is expected by", word, n);
        value = equals != NULL ? equals + 1 : *words->at++;
    }
    return apply(cli, option, ctx, value);
}

/* "-qr FILE", "-rFILE": letters, up to one that takes a value. */
static int
parse_short(struct cli *cli, const char *word, struct words *words)
{
    int code = -1;

    for (const char *p = word + 1; *p != '\0' && code < 0; p++) {
        char name[] = { '-', *p, '\0' };
        void *ctx;
        const struct cli_option *option = find_option(cli, *p, NULL, 0, &ctx);

        if (option == NULL)
            return usage_error(cli, "unknown option", name, 2);
        if (option->value == NULL) {
            code = apply(cli, option, ctx, NULL);
            continue;
        }
        if (p[1] != '\0')
            return apply(cli, option, ctx, p + 1);
        if (words->at == words->end)
            return usage_error(cli, "a value is expected by", name, 2);
        return apply(cli, option, ctx, *words->at++);
    }
    return code;
}

static const char *
live_option(const struct cli *cli)
{
    return cli->n_pairs > 0 ? "--inline" : cli->n_ports > 0 ? "--port" : "-i";
}

static int
check(struct cli *cli, bool words)
{
    const char *fault = cli_inline_fault(cli);

    if (words && cli->filter == NULL)
        cli_error(cli, "out of memory");
    else if (fault != NULL)
        cli_error(cli, "%s", fault);
    else if (cli->interface != NULL && cli->n_inputs > 0)
        cli_error(cli, "%s and -r exclude each other", live_option(cli));
    else if (cli->n_ports > 0 && cli->n_interfaces > cli->n_ports)
        cli_error(cli, "-i and --port exclude each other");
    else if (cli->n_ports > 0 && cli->dpdk == NULL)
        cli_error(cli, "--port: --dpdk 'ARGS' is expected beside it");
    else if (cli->n_ports == 0 && cli->n_pairs == 0 && cli->dpdk != NULL)
        cli_error(cli, "--dpdk: a --port or --inline is expected beside it");
    else if (words && cli->interface == NULL && cli->n_inputs == 0)
        cli_error(cli, "'%s': a filter needs an input: -r FILE or -i INTERFACE", cli->filter);
    else if (cli->interface == NULL && cli->n_inputs == 0 && !cli->input_optional)
        cli_error(cli, "an input is expected: -r FILE or -i INTERFACE (try %s --help)",
                  cli->program);
    else
        return -1;
    return EXIT_USAGE;
}

void
cli_blame(const struct cli *cli, const char *p, struct weir_errbuf *err)
{
    static const char set[] = "--set";
    const struct config_setting *setting = config_find(&cli->config, p);
    struct weir_errbuf said = *err;
    const char *why = said.text;

    if (setting == NULL)
        return;
    if (strncmp(why, set, sizeof(set) - 1) == 0) {
        why += sizeof(set) - 1;
        why += strspn(why, ": ");
    }
    weir_err_set(err, WEIR_E_INVAL, "%s:%u: %s", setting->file, setting->line, why);
}

/* Returns -1 to go on, or the exit code. */
static int
apply_setting(struct cli *cli, const char *text, bool of_file)
{
    struct weir_errbuf err = { "" };
    bool known, ignored = false;
    int rc = cli_set(cli, text, &known, &err);

    if (!known && cli->set != NULL)
        rc = cli->set(cli->ctx, text, &ignored, &err);
    else if (!known && of_file && cli_is_suricatas(text))
        ignored = true;
    else if (!known)
        rc = cli_set_unknown(text, &err);
    if (rc != WEIR_E_OK) {
        cli_blame(cli, text, &err);
        cli_error(cli, "%s", err.text);
        return EXIT_USAGE;
    }
    cli->ignored += ignored && of_file;
    if (ignored && (!of_file || cli->verbose > 0))
        cli_notice(cli, "%s%s: means nothing to %s, and is ignored", of_file ? "" : "--set ", text,
                   cli->program);
    return -1;
}

/* What the file says, then --set. Returns -1 to go on, or the exit code. */
static int
apply_settings(struct cli *cli)
{
    int code = -1;

    for (size_t i = 0; i < cli->config.n && code < 0; i++)
        code = apply_setting(cli, cli->config.at[i].text, true);
    if (code < 0 && cli->ignored > 0 && cli->verbose == 0)
        cli_notice(cli, "%s: %zu settings mean nothing to %s, and are ignored (-v lists them)",
                   cli->config_file, cli->ignored, cli->program);
    for (size_t i = 0; i < cli->n_sets && code < 0; i++)
        code = apply_setting(cli, cli->sets[i], false);
    return code;
}

/* ---- signals ------------------------------------------------------------------------------- */

static struct weir_log *volatile reopened[MOST_OUTPUTS]; /* by SIGHUP; those there are */

static void
on_signal(int number)
{
    caught = number;
}

/* Before the outputs are open nobody knows what it asks for. */
static volatile sig_atomic_t hung_up;

static void
on_hangup(int number)
{
    (void)number;
    hung_up = 1;
    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        if (reopened[i] != NULL)
            weir_log_reopen(reopened[i]);
}

static bool
is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What opens logs anew does not interrupt a read. */
static const struct sigaction hangup_action = { .sa_handler = on_hangup, .sa_flags = SA_RESTART };

/* Signals that ask for something must not kill the program while it begins. */
static void
listen_early(void)
{
    if (!is_ignored(SIGHUP))
        sigaction(SIGHUP, &hangup_action, NULL);
    cli_listen();
}

/* ---- the command line, as a whole ----------------------------------------------------------- */

/*
 * A file that took the place of a closed standard error would get the notices. Input and output
 * fail as before: their stand-ins are open the wrong way round.
 */
static int
hold_standard_fds(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd)
            return EXIT_FAILED;
    return -1;
}

int
cli_parse(struct cli *cli, int argc, char **argv)
{
    struct words words = { argv + 1, argv + argc };
    bool only_words = false, filter_words = false;
    int code = hold_standard_fds();

    listen_early();
    cli->log_dir = ".";
    cli->monitor.seed = hash_draw_monitor_seed();
    while (words.at < words.end && code < 0) {
        const char *word = *words.at++;

        if (only_words || word[0] != '-' || word[1] == '\0') {
            if (cli->filter != NULL && !filter_words)
                return usage_error(cli, "-F gave a filter; unexpected", word, strlen(word));
            filter_words = true;
            append_filter(cli, word, strlen(word));
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] == '-') {
            code = parse_long(cli, word, &words);
        } else {
            code = parse_short(cli, word, &words);
        }
    }
    cli->monitor.live = cli->interface != NULL;
    if (cli->monitor.cores == 0) /* DPDK's threads do not share CPUs with others unless asked to */
        cli->monitor.cores = cli->monitor.live && cli->dpdk == NULL ? cpus_allowed() : 1;
    cli_inline_prepare(cli);
    if (code < 0)
        code = check(cli, filter_words);
    if (code < 0)
        code = apply_settings(cli);
    if (code < 0)
        code = cli_find_identity(cli);
    if (code < 0 && cli->dump_config) {
        cli_dump_all(cli);
        code = printed(cli);
    }
    return code;
}

void
cli_free(struct cli *cli)
{
    free(cli->inputs);
    free(cli->interfaces);
    for (unsigned i = 0; i < cli->n_pairs; i++)
        free(cli->pairs[i]);
    cli->n_pairs = 0;
    cli->interfaces = NULL;
    free(cli->filter);
    free(cli->hosts);
    free(cli->sets);
    config_free(&cli->config);
    cli->sets = NULL;
    cli->hosts = NULL;
    cli->inputs = NULL;
    cli->filter = NULL;
}

/* ---- signals in a run ---------------------------------------------------------------------- */

/* A mapped capture that shrank is the port's to mend; any other fault ends the program. */
static void
on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!weir_capfile_fault(info->si_addr))
        signal(number, SIG_DFL);
}

static bool
has_logs(void)
{
    bool any = false;

    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        any |= reopened[i] != NULL;
    return any;
}

static void
catch_signals(void)
{
    struct sigaction stop = { .sa_handler = on_signal };
    struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    if (has_logs()) { /* under nohup, too: a terminal that is gone does no harm */
        sigaction(SIGHUP, &hangup_action, NULL);
    } else if (!is_ignored(SIGHUP)) {
        sigaction(SIGHUP, &stop, NULL);
        if (hung_up) /* it came early */
            caught = SIGHUP;
    }
    sigaction(SIGBUS, &fault, NULL);
}

/* ---- outputs ------------------------------------------------------------------------------- */

static void
note_output(struct out *out, bool reopens)
{
    out->stop = &caught;
    for (unsigned i = 0; i < MOST_OUTPUTS; i++) {
        if (outputs[i] == NULL) {
            outputs[i] = out;
            reopened[i] = reopens ? out->log : NULL;
            break;
        }
    }
}

int
cli_open_output(struct cli *cli, const char *path, struct out *out, struct weir_errbuf *err)
{
    const int rc = out_open(out, path, cli->interface != NULL, err);

    if (rc == WEIR_E_OK)
        note_output(out, path != NULL);
    return rc;
}

int
cli_open_fd(struct cli *cli, int fd, const char *name, struct out *out, struct weir_errbuf *err)
{
    const int rc = out_open_fd(out, fd, cli->interface != NULL, err);

    if (rc == WEIR_E_OK) {
        out->name = name;
        note_output(out, false);
    }
    return rc;
}

/* A live run goes on with what it cannot write, for days: so it is told now. */
static void
tell_trouble(const struct cli *cli, struct out *out)
{
    const int error = cli->interface != NULL ? out_trouble(out) : 0;

    if (error != 0)
        cli_error(cli, "%s: %s; records are lost until it can be written again", out->name,
                  strerror(error));
}

void
cli_check_output(struct cli *cli, struct out *out)
{
    const int error = out_error(out);

    if (error == 0) {
        tell_trouble(cli, out);
        return;
    }
    cli->failed = cli->failed_output = true;
    if (error == EPIPE)
        raise(SIGPIPE);
}

void
cli_flush_output(struct cli *cli, struct out *out)
{
    if (cli->interface == NULL && caught == 0) /* or else to close it will do, and not for ever */
        (void)out_flush(out);
    cli_check_output(cli, out);
    cli->log_dropped += out->dropped;
    if (out->dropped > 0)
        cli_notice(cli, "%s: %llu records dropped: %s", out->name, (unsigned long long)out->dropped,
                   cli->interface != NULL ? "they came faster than they could be written"
                                          : "the run was cut while they waited to be written");
}

void
cli_close_output(struct cli *cli, struct out *out)
{
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; i < MOST_OUTPUTS; i++) {
        if (outputs[i] != out)
            continue;
        outputs[i] = NULL;
        reopened[i] = NULL;
    }
    if (out_close(out, &err) == WEIR_E_OK)
        return;
    cli_error(cli, "%s", err.text);
    cli->failed = true;
}

/* ---- counters ------------------------------------------------------------------------------ */

enum {
    LOG_DROPPED = 13,
    N_COUNTERS,
    N_LIMITS = sizeof(((struct weir_monitor_stats *)NULL)->overload) / sizeof(uint64_t),
    N_INLINE = 10,
    MOST_COUNTERS = N_COUNTERS + N_LIMITS + N_INLINE + COUNTS_PORTS * 5,
};

struct counter {
    char name[COUNTS_NAME + 16];
    uint64_t value;
};

/* What is counted inline, behind the others; returns how many there are then. */
static unsigned
gather_wire(const struct cli *cli, const struct weir_monitor_stats *s, struct counter *all,
            unsigned n)
{
    struct counts counts = { .monitor = *s };
    const char *name;
    uint64_t value;

    cli_inline_count(cli, &counts);
    for (const struct counts_field *f = counts_fields; f->name != NULL; f++) {
        if (!f->wire || counts_get(&counts, f) == NULL)
            continue;
        snprintf(all[n].name, sizeof(all[n].name), "%s", f->name);
        all[n++].value = *counts_get(&counts, f);
    }
    for (unsigned i = 0; i < counts.n_ports; i++)
        for (unsigned k = 0; (name = counts_of_port(&counts.port[i], k, &value)) != NULL; k++) {
            snprintf(all[n].name, sizeof(all[n].name), "%s_%s", counts.port[i].name, name);
            all[n++].value = value;
        }
    return n;
}

/* Returns how many there are. */
static unsigned
gather_counters(const struct cli *cli, const struct weir_monitor *m,
                struct counter all[MOST_COUNTERS])
{
    const struct weir_field *limits = weir_event_fields(WEIR_EV_OVERLOAD);
    struct weir_monitor_stats s;

    weir_monitor_get_stats(m, &s);
    const struct counter fixed[N_COUNTERS] = {
        { "packets", s.packets },
        { "bytes", s.bytes },
        { "flows", s.flows },
        { "no_flow", s.no_flow },
        { "fragments", s.fragments },
        { "datagrams", s.datagrams },
        { "bad_checksums", s.bad_checksums },
        { "undelivered", s.undelivered },
        { "kernel_packets", cli->kernel_packets },
        { "kernel_drops", cli->kernel_drops },
        { "interface_drops", cli->interface_drops },
        { "frames_copied", cli->frames_copied },
        { "tap_dropped", s.tap_dropped },
        { "log_dropped", cli->log_dropped },
    };

    memcpy(all, fixed, sizeof(fixed));
    for (unsigned i = 0; i < N_LIMITS; i++) {
        struct counter *c = &all[N_COUNTERS + i];

        snprintf(c->name, sizeof(c->name), "limit_%s", limits[0].names[i]);
        c->value = s.overload[i];
    }
    return gather_wire(cli, &s, all, N_COUNTERS + N_LIMITS);
}

static void
print_counters(FILE *file, const struct counter *counters, unsigned n, bool json)
{
    if (json)
        fprintf(file, "{\"event_type\":\"stats\"");
    for (unsigned i = 0; i < n; i++)
        fprintf(file, json ? ",\"%s\":%llu" : "%-18s%14llu\n", counters[i].name,
                (unsigned long long)counters[i].value);
    if (json)
        fprintf(file, "}\n");
}

/* What open outputs dropped is not in log_dropped yet. */
static uint64_t
dropped_so_far(const struct cli *cli)
{
    uint64_t n = cli->log_dropped;

    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        if (outputs[i] != NULL)
            n += outputs[i]->dropped;
    return n;
}

/* SIGUSR1 asked for them. */
static void
tell_counters(const struct cli *cli, const struct weir_monitor *m)
{
    struct counter all[MOST_COUNTERS];
    const unsigned n = gather_counters(cli, m, all);

    all[LOG_DROPPED].value = dropped_so_far(cli);
    clear_progress();
    print_counters(stderr, all, n, false);
    if (cli->asked != NULL)
        cli->asked(cli->ctx);
}

/* ---- progress ------------------------------------------------------------------------------ */

static uint64_t
wall_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* What cli_run() carries from input to input. */
struct run {
    struct cli *cli;
    struct weir_monitor *m;
    void (*after_batch)(void *arg);
    void *arg;
    uint64_t bytes_total;     /* of all inputs; 0: unknown */
    uint64_t bytes_done;      /* of those before this one */
    uint64_t packets;         /* read */
    struct control *control;  /* NULL: none */
    struct weir_port **ports; /* still open, since flows refer to their frames */
    size_t n_ports;
    uint64_t shown_at; /* wall clock of the last progress line */
    unsigned batches;
    bool terminal;
    bool told_link; /* of this input */
};

static void
show_progress(struct run *run, const struct weir_port *port)
{
    uint64_t now = wall_ns(), done;
    struct weir_port_stats input;
    double seconds, part;
    char bar[21];

    if (now - run->shown_at < 100000000)
        return;
    run->shown_at = now;
    weir_port_get_stats(port, &input);
    done = run->bytes_done + input.bytes_read;
    seconds = (double)(now - run->cli->started) / 1e9;
    part = (double)done / (double)run->bytes_total;
    part = part > 1 ? 1 : part;
    for (int i = 0; i < 20; i++)
        bar[i] = i < (int)(part * 20) ? '=' : ' ';
    bar[20] = '\0';
    fprintf(stderr, "\r%s: [%s] %3d%%  %.0f MB/s  %.2f Mpps  ETA %.0f s\033[K", run->cli->program,
            bar, (int)(part * 100), (double)done / 1e6 / seconds,
            (double)run->packets / 1e6 / seconds, part > 0 ? seconds / part - seconds : 0.0);
    progress_shown = true;
}

/* Somebody asked at the control socket. */
static void
answer_control(struct run *run, struct counts *to)
{
    const struct cli *cli = run->cli;

    monitor_settle(run->m);
    weir_monitor_get_stats(run->m, &to->monitor);
    to->kernel_packets = cli->kernel_packets;
    to->kernel_drops = cli->kernel_drops;
    to->interface_drops = cli->interface_drops;
    to->log_dropped = dropped_so_far(cli);
    to->cores = cli->monitor.cores;
    cli_inline_count(cli, to);
    if (cli->count != NULL)
        cli->count(cli->ctx, to);
    control_answer(run->control);
}

static void
look_up(struct run *run, const struct weir_port *port)
{
    struct counts *wanted = control_wants(run->control);

    if (wanted != NULL)
        answer_control(run, wanted);
    if (cli_was_asked()) {
        monitor_settle(run->m);
        tell_counters(run->cli, run->m);
    }
    if (run->terminal && run->bytes_total > 0 && ++run->batches % BATCHES_A_LOOK == 0)
        show_progress(run, port);
}

/* ---- inputs -------------------------------------------------------------------------------- */

static bool
stopped(const struct run *run)
{
    return caught != 0 || run->cli->failed_output;
}

/* A capture whose frames nobody can read looks like one in which nothing happened. */
static void
look_at_links(struct run *run, const struct weir_frame *frames, int n, const char *name)
{
    for (int i = 0; i < n && !run->told_link; i++) {
        if (decode_knows_link(frames[i].link))
            continue;
        cli_notice(run->cli, "%s: frames of link type %u cannot be read: they belong to no flow",
                   name, frames[i].link);
        run->told_link = true;
    }
}

static void
look_at_times(struct cli *cli, const struct weir_frame *frames, int n)
{
    if (n > 0 && cli->first_time == 0)
        cli->first_time = frames[0].time;
    for (int i = 0; i < n; i++)
        if (frames[i].time > cli->last_time)
            cli->last_time = frames[i].time;
}

/* A port that is read. */
struct pump {
    struct run *run;
    struct weir_port *port;
    const char *name;
    bool stable; /* its frames outlive the next read */
};

/* One read. Returns whether to go on. Called by one core at a time. */
static bool
pull(void *ctx)
{
    struct pump *pump = ctx;
    struct run *run = pump->run;
    struct cli *cli = run->cli;
    struct weir_frame frames[READ_BATCH];
    struct weir_errbuf err = { "" };
    const int n = weir_port_read(pump->port, frames, READ_BATCH, &err);

    pump->stable |= n > 0 && frames[0].stable;
    look_at_links(run, frames, n, pump->name);
    look_at_times(cli, frames, n);
    if (n == 0 && cli->interface != NULL)
        monitor_pass_time(run->m);
    if (n > 0 && monitor_read(run->m, frames, (unsigned)n) != WEIR_E_OK) {
        cli_error(cli, "out of memory: address space for the flows (see --memcap)");
        cli->failed = cli->failed_output = true;
    }
    if (run->after_batch != NULL)
        run->after_batch(run->arg);
    run->packets += n > 0 ? (uint64_t)n : 0;
    look_up(run, pump->port);
    if (n < 0 && caught == 0) {
        cli_error(cli, "%s", err.text[0] != '\0' ? err.text : pump->name);
        cli->failed = true;
    }
    return (n > 0 || (n == 0 && cli->interface != NULL)) && !stopped(run);
}

/* Read the port to its end. Returns whether its frames outlive the next read. */
static bool
read_port(struct run *run, struct weir_port *port, const char *name)
{
    struct pump pump = { .run = run, .port = port, .name = name };

    monitor_pull(run->m, port, pull, &pump);
    return pump.stable;
}

/* Of the last record, which is cut. */
static void
tell_cut(const struct cli *cli, const struct weir_port_stats *input, const char *name)
{
    void (*tell)(const struct cli *, const char *, ...) = cli->strict_input ? cli_error
                                                                            : cli_notice;
    char at[32] = "";

    if (input->cut_claimed == 0) {
        tell(cli, "%s: input_truncated: its last record is cut; all before it was read", name);
        return;
    }
    if (input->cut_at > 0)
        snprintf(at, sizeof(at), ", at byte %llu,", (unsigned long long)input->cut_at);
    tell(cli,
         "%s: input_truncated: its last record%s claims %llu bytes, of which %llu are there; all "
         "before it was read",
         name, at, (unsigned long long)input->cut_claimed, (unsigned long long)input->cut_left);
}

static void
tell_end(struct run *run, const struct weir_port *port, const char *name)
{
    struct cli *cli = run->cli;
    struct weir_port_stats input;

    weir_port_get_stats(port, &input);
    run->bytes_done += input.bytes_total;
    if (input.shrank) {
        cli_error(cli, "%s: input_shrank: the file was cut while it was read", name);
        cli->failed = true;
    } else if (input.truncated && caught == 0) {
        tell_cut(cli, &input, name);
        cli->failed |= cli->strict_input;
    }
    if (cli->verbose > 0)
        cli_notice(cli, "%s: %llu frames, %llu refused by the filter", name,
                   (unsigned long long)input.frames, (unsigned long long)input.filtered);
}

/* Flows refer to the frames of a mapped capture until they end. */
static void
keep_port(struct run *run, struct weir_port *port)
{
    struct weir_port **more = realloc(run->ports, (run->n_ports + 1) * sizeof(*more));

    if (more == NULL) {
        cli_error(run->cli, "out of memory");
        exit(EXIT_FAILED);
    }
    run->ports = more;
    run->ports[run->n_ports++] = port;
}

static int
open_live(struct cli *cli, struct weir_port **port, struct weir_errbuf *err)
{
    const struct weir_port_opts opts = cli_live_opts(cli);
    struct weir_errbuf why = { "" };
    int rc;

    cli->first_time = cli_now(cli);
    rc = cli_live_open(cli, &opts, false, port, &why);
    return rc == WEIR_E_OK ? rc
                           : weir_err_set(err, rc, "%s%s", why.text,
                                          rc == WEIR_E_NOENT && cli->dpdk == NULL
                                              ? " (--list-interfaces names all)"
                                              : "");
}

static bool
open_control(struct run *run)
{
    struct cli *cli = run->cli;
    const struct control_opts opts = { .program = cli->program,
                                       .path = cli->control,
                                       .metrics = cli->metrics,
                                       .reloads = cli->reloads,
                                       .reopens = has_logs(),
                                       .started = cli->started };
    struct weir_errbuf err = { "" };

    if (control_open(&opts, &run->control, &err) == WEIR_E_OK)
        return true;
    cli_error(cli, "%s", err.text);
    cli->failed = cli->failed_output = true;
    return false;
}

/* Inputs and outputs are open: give up privileges. Returns whether to go on. */
static bool
settle(struct run *run)
{
    struct cli *cli = run->cli;
    struct weir_errbuf err = { "" };

    if (!cli_settle(cli))
        return false;
    if (control_start(run->control, &err) == WEIR_E_OK)
        return true;
    cli_error(cli, "%s", err.text);
    cli->failed = true;
    return false;
}

/* in_folder: a file that is no capture was not asked for by name, and is passed over. */
static void
run_port(struct run *run, const char *name, bool in_folder)
{
    struct cli *cli = run->cli;
    const bool live = cli->interface != NULL;
    struct weir_port_opts opts = { .filter = cli->filter, .no_map = cli->no_map };
    struct weir_errbuf err = { "" };
    struct weir_port *port;
    bool stable;
    int rc = live ? open_live(cli, &port, &err) : weir_port_open_file(name, &opts, &port, &err);

    if (rc == WEIR_E_FORMAT && in_folder) {
        cli_notice(cli, "%s (passed over)", err.text);
        return;
    }
    if (rc == WEIR_E_IO && caught != 0) /* a pipe without a header yet: the signal cut the read */
        return;
    if (rc != WEIR_E_OK) {
        cli_error(cli, "%s", err.text);
        cli->failed = true;
        cli->bad_filter |= rc == WEIR_E_SYNTAX ||
                           (live && (rc == WEIR_E_NOENT || rc == WEIR_E_INVAL));
        return;
    }
    if (live && !settle(run)) {
        weir_port_close(port);
        return;
    }
    run->told_link = false;
    cli->input_now = cli->interface == NULL ? name : NULL;
    stable = read_port(run, port, name);
    cli->input_now = NULL;
    tell_end(run, port, name);
    if (stable || cli->n_pairs > 0) /* inline, the end lets go of what was held */
        keep_port(run, port);
    else
        weir_port_close(port);
}

static int
not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool
ends_in_slash(const char *path)
{
    size_t n = strlen(path);

    return n > 0 && path[n - 1] == '/';
}

/* Call each() with every input: a folder's files in the order of their names' bytes. */
static void
for_each_input(struct run *run, void each(struct run *run, const char *name, bool in_folder))
{
    for (size_t i = 0; i < run->cli->n_inputs; i++) {
        const char *input = run->cli->inputs[i];
        struct dirent **entries;
        struct stat st;
        int n;

        if (strcmp(input, "-") == 0 || stat(input, &st) != 0 || !S_ISDIR(st.st_mode)) {
            each(run, input, false);
            continue;
        }
        n = scandir(input, &entries, not_hidden, by_bytes);
        if (n < 0) { /* to open it will say why */
            each(run, input, false);
            continue;
        }
        for (int k = 0; k < n; k++) {
            char path[4096];

            snprintf(path, sizeof(path), "%s%s%s", input, ends_in_slash(input) ? "" : "/",
                     entries[k]->d_name);
            if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
                each(run, path, true);
            free(entries[k]);
        }
        free(entries);
    }
}

static void
add_size(struct run *run, const char *name, bool in_folder)
{
    struct stat st;

    (void)in_folder;
    if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
        run->bytes_total += (uint64_t)st.st_size;
}

static void
run_input(struct run *run, const char *name, bool in_folder)
{
    if (!stopped(run))
        run_port(run, name, in_folder);
}

/* No packet comes any more: what the end of a live run tells of all flows need not be dropped. */
static void
let_outputs_wait(const struct cli *cli)
{
    for (unsigned i = 0; i < MOST_OUTPUTS && cli->interface != NULL; i++)
        if (outputs[i] != NULL)
            out_let_wait(outputs[i], END_WAIT_NS);
}

void
cli_run(struct cli *cli, struct weir_monitor *m, void (*after_batch)(void *arg), void *arg)
{
    struct run run = { .cli = cli, .m = m, .after_batch = after_batch, .arg = arg };

    catch_signals();
    cli->started = wall_ns();
    run.terminal = !cli->quiet && isatty(STDERR_FILENO);
    if (!open_control(&run)) {
        ; /* it was told why */
    } else if (cli->interface != NULL) {
        run_port(&run, cli->interface, false);
    } else if (settle(&run)) {
        for_each_input(&run, add_size);
        for_each_input(&run, run_input);
    }
    clear_progress();
    let_outputs_wait(cli);
    weir_monitor_end(m);
    if (cli->at_end != NULL)
        cli->at_end(cli->ctx);
    if (after_batch != NULL)
        after_batch(arg);
    control_close(run.control);
    for (size_t i = 0; i < run.n_ports; i++)
        weir_port_close(run.ports[i]);
    free(run.ports);
}

/* ---- the end ------------------------------------------------------------------------------- */

static uint64_t
all_events(const struct weir_monitor_stats *stats)
{
    uint64_t n = 0;

    for (int i = 0; i < WEIR_EV_COUNT; i++)
        n += stats->events[i];
    return n;
}

static void
tell_wire(const struct cli *cli, const struct weir_monitor_stats *s)
{
    struct counts counts = { .n_ports = 0 };

    cli_inline_count(cli, &counts);
    cli_notice(cli,
               "%llu packets went on, %llu were dropped by verdicts, %llu past a bound; %llu could "
               "not be sent",
               (unsigned long long)(s->forwarded + cli->unseen - cli->unseen_lost),
               (unsigned long long)s->dropped, (unsigned long long)s->fail_closed,
               (unsigned long long)(s->send_drops + cli->unseen_lost));
    for (unsigned i = 0; i < counts.n_ports; i++)
        cli_notice(cli, "%s: %llu packets left by it, %llu could not", counts.port[i].name,
                   (unsigned long long)counts.port[i].sent,
                   (unsigned long long)counts.port[i].send_drops);
}

void
cli_summary(const struct cli *cli, const struct weir_monitor *m)
{
    double seconds = (double)(wall_ns() - cli->started) / 1e9;
    struct weir_monitor_stats s;

    if (cli->bad_filter) /* nothing was read */
        return;
    weir_monitor_get_stats(m, &s);
    if (s.offload)
        cli_notice(cli, "more than 20 %% of a sender's checksums are wrong, and its packets were "
                        "left out; if its network card computes them, use -k none");
    cli_notice(cli,
               "%llu packets, %llu bytes, %llu flows, %llu events, %llu drops, %.3f s, "
               "%.0f packets/s",
               (unsigned long long)s.packets, (unsigned long long)s.bytes,
               (unsigned long long)s.flows, (unsigned long long)all_events(&s),
               (unsigned long long)(s.tap_dropped + cli->kernel_drops + cli->interface_drops),
               seconds, seconds > 0 ? (double)s.packets / seconds : 0.0);
    if (cli->interface != NULL)
        cli_notice(cli,
                   "%llu packets received by %s, %llu of them dropped, %llu more dropped by "
                   "interfaces",
                   (unsigned long long)cli->kernel_packets,
                   cli->dpdk != NULL ? "DPDK" : "the kernel", (unsigned long long)cli->kernel_drops,
                   (unsigned long long)cli->interface_drops);
    if (cli->n_pairs > 0)
        tell_wire(cli, &s);
}

void
cli_stats(struct cli *cli, const struct weir_monitor *m, bool json)
{
    struct counter all[MOST_COUNTERS];

    if (!cli->stats || cli->bad_filter)
        return;
    print_counters(stdout, all, gather_counters(cli, m, all), json);
    if (fflush(stdout) != 0)
        cli->failed = true;
}

int
cli_exit_code(const struct cli *cli)
{
    if (cli->bad_filter)
        return EXIT_USAGE;
    if (cli->failed)
        return EXIT_FAILED;
    /* A signal cuts the end of a replay, too, in which flows are told of. */
    return caught != 0 && cli->interface == NULL ? 128 + (int)caught : EXIT_DONE;
}
