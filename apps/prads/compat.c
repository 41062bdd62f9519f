#include "compat.h"

#include "compat_live.h"
#include "conn_log.h"
#include "hash.h"
#include "sigfile.h"

#include <weir/monitor.h>
#include <weir/port.h>

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_LOG     "/var/log/prads-asset.log"
#define FALLBACK_LOG    "./prads-asset.log"
#define DEFAULT_SIG_DIR "/etc/prads"
#define END_WAIT_NS     UINT64_C(10000000000) /* the end of a live run waits so long for outputs */

enum { READ_BATCH = 256, LIVE_SNAPLEN = 1604, HOUSEKEEPING_SECONDS = 60 };

/* ---- signatures ------------------------------------------------------------------------------ */

static void say(struct compat *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
say(struct compat *c, const char *format, ...)
{
    char text[4400];
    va_list args;

    if (c->opts.quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    out_str(&c->said, text);
    out_end_record(&c->said);
}

static void
say_bad_line(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "weir-prads: %s\n", text);
}

/* The path that was set, or the file in the folder of signatures. */
static const char *
path_of(const struct compat *c, const char *set, const char *name, char path[4096])
{
    const char *dir = c->opts.text[TEXT_SIG_DIR];

    if (set != NULL)
        return set;
    snprintf(path, 4096, "%s/%s", dir != NULL ? dir : DEFAULT_SIG_DIR, name);
    return path;
}

static int
load_systems(struct compat *c, struct weir_errbuf *err)
{
    static const struct {
        enum fp_kind kind;
        const char *tag, *file;
    } files[] = {
        { FP_SYN, "CO_SYN", "tcp-syn.fp" },       { FP_SYNACK, "CO_SYNACK", "tcp-synack.fp" },
        { FP_ACK, "CO_ACK", "tcp-stray-ack.fp" }, { FP_FIN, "CO_FIN", "tcp-fin.fp" },
        { FP_RST, "CO_RST", "tcp-rst.fp" },
    };
    char path[4096];

    for (unsigned i = 0; i < FP_KINDS; i++) {
        enum fp_kind kind = files[i].kind;
        int rc;

        if ((c->opts.checks >> kind & 1) == 0)
            continue;
        path_of(c, NULL, files[i].file, path);
        say(c, "  %-11s %s\n", files[i].tag, path);
        rc = fp_list_load(path, c->opts.checks & CHECK_RST, &c->os[kind], err);
        if (rc != WEIR_E_OK)
            return rc;
    }
    return WEIR_E_OK;
}

/* A file of services that cannot be read is told, and missed. */
static void
load_service(struct compat *c, unsigned which, unsigned check, const char *tag, const char *path)
{
    struct weir_errbuf err;

    if ((c->opts.checks & check) == 0)
        return;
    say(c, "  %-11s %s\n", tag, path);
    if (service_list_load(path, say_bad_line, NULL, &c->service[which], &err) != WEIR_E_OK)
        fprintf(stderr, "weir-prads: %s\n", err.text);
}

static void
load_mac(struct compat *c)
{
    struct weir_errbuf err;
    char path[4096];
    const char *file = path_of(c, c->opts.text[TEXT_MAC], "mac.sig", path);

    if ((c->opts.checks & CHECK_MAC) == 0)
        return;
    say(c, "  %-11s %s\n", "CS_MAC", file);
    if (mac_list_load(file, &c->macs, &err) != WEIR_E_OK)
        fprintf(stderr, "weir-prads: %s\n", err.text);
}

static int
load_dhcp(struct compat *c, struct weir_errbuf *err)
{
    char path[4096];

    if ((c->opts.checks & CHECK_DHCP) == 0)
        return WEIR_E_OK;
    path_of(c, NULL, "dhcp.fp", path);
    say(c, "  %-11s %s\n", "CO_DHCP", path);
    return dhcp_list_load(path, &c->dhcps, err);
}

static int
load(struct compat *c, struct weir_errbuf *err)
{
    char *const *text = c->opts.text;
    char path[4096];
    int rc;

    say(c, "[*] Loading fingerprints:\n");
    load_mac(c);
    rc = load_systems(c, err);
    if (rc == WEIR_E_OK)
        rc = load_dhcp(c, err);
    if (rc != WEIR_E_OK)
        return rc;
    load_service(c, SERVICE_TCP, CHECK_SERVICE_TCP, "CS_TCP_SERVER",
                 path_of(c, text[TEXT_SERVICE_TCP], "tcp-service.sig", path));
    load_service(c, SERVICE_UDP, CHECK_SERVICE_UDP, "CS_UDP_SERVICES",
                 path_of(c, text[TEXT_SERVICE_UDP], "udp-service.sig", path));
    load_service(c, CLIENT_TCP, CHECK_CLIENT_TCP, "CS_TCP_CLIENT",
                 path_of(c, text[TEXT_CLIENT_TCP], "tcp-clients.sig", path));
    return WEIR_E_OK;
}

/* ---- the banner ------------------------------------------------------------------------------ */

struct named_check {
    unsigned check;
    const char *name;
};

static void
say_checks(struct compat *c, const char *title, const struct named_check *checks)
{
    char text[200];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", title);

    for (; checks->name != NULL; checks++)
        if (c->opts.checks & checks->check)
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", checks->name);
    say(c, "%s\n", text);
}

static void
say_all_checks(struct compat *c)
{
    static const struct named_check systems[] = {
        { CHECK_SYN, "SYN" }, { CHECK_SYNACK, "SYNACK" }, { CHECK_RST, "RST" },
        { CHECK_FIN, "FIN" }, { CHECK_ACK, "ACK" },       { 0, NULL },
    };
    static const struct named_check services[] = {
        { CHECK_SERVICE_TCP, "TCP-SERVER" },
        { CHECK_CLIENT_TCP, "TCP-CLIENT" },
        { CHECK_SERVICE_UDP, "UDP-SERVICES" },
        { CHECK_ICMP, "ICMP" },
        { CHECK_ARP, "ARP" },
        { CHECK_MAC, "MAC" },
        { 0, NULL },
    };
    unsigned any = 0;

    say_checks(c, "[*] OS checks enabled:", systems);
    for (unsigned i = 0; services[i].name != NULL; i++)
        any |= services[i].check;
    if (c->opts.checks & any)
        say_checks(c, "[*] Service checks enabled:", services);
}

/* ---- outputs --------------------------------------------------------------------------------- */

static bool
is_live(const struct compat *c)
{
    return c->opts.text[TEXT_FILE] == NULL;
}

/* Returns whether the log is open; that it is not is told, and the run goes on. */
static bool
open_log_file(struct compat *c, const char *path, struct weir_errbuf *err)
{
    struct stat st;
    bool there = stat(path, &st) == 0;

    if (out_open(&c->log, path, is_live(c), err) != WEIR_E_OK)
        return false;
    say(c, "logging to file '%s'\n", path);
    if (!there)
        asset_log_header(&c->log);
    return true;
}

static int
open_log(struct compat *c, struct weir_errbuf *err)
{
    const char *path = c->opts.text[TEXT_LOG] != NULL ? c->opts.text[TEXT_LOG] : DEFAULT_LOG;

    if (open_log_file(c, path, err))
        return WEIR_E_OK;
    if (errno != EACCES && errno != EISDIR)
        return WEIR_E_IO;
    fprintf(stderr, "weir-prads: %s; logging to " FALLBACK_LOG "\n", err->text);
    return open_log_file(c, FALLBACK_LOG, err) ? WEIR_E_OK : WEIR_E_IO;
}

/* Held open for reading, too, so that it can be opened while nobody reads. */
static int
open_fifo(struct compat *c, struct weir_errbuf *err)
{
    const char *path = c->opts.text[TEXT_FIFO];

    if (path == NULL)
        return WEIR_E_OK;
    if (mkfifo(path, 0660) != 0 && errno != EEXIST)
        fprintf(stderr, "creating fifo: %s\n", strerror(errno));
    c->fifo_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
    if (c->fifo_fd < 0) {
        fprintf(stderr, "Logging to fifo failed!: %s\n", strerror(errno));
        return WEIR_E_OK;
    }
    return out_open_fd(&c->fifo, c->fifo_fd, path, is_live(c), err);
}

static int
open_said(struct compat *c, struct weir_errbuf *err)
{
    const int rc = c->said.log != NULL ? WEIR_E_OK : out_open(&c->said, NULL, is_live(c), err);

    c->said.stop = compat_live_stop();
    return rc;
}

int
compat_open_outputs(struct compat *c, struct weir_errbuf *err)
{
    int rc = open_said(c, err);

    if (rc == WEIR_E_OK)
        rc = open_log(c, err);
    if (rc == WEIR_E_OK)
        rc = open_fifo(c, err);
    c->log.stop = c->fifo.stop = compat_live_stop();
    return rc;
}

/* Whether an error has ended an output: nothing is gained by going on. `| head` is no error. */
static bool
has_failed(const struct compat *c)
{
    if (out_error(&c->said) == EPIPE)
        raise(SIGPIPE);
    return out_error(&c->log) != 0 || out_error(&c->said) != 0 || out_error(&c->fifo) != 0 ||
           out_error(&c->conn_file) != 0;
}

int
compat_close_output(struct out *out)
{
    struct weir_errbuf err;

    if (out->dropped > 0)
        fprintf(stderr, "weir-prads: %s: %llu records dropped: they came too fast, or at the end\n",
                out->name, (unsigned long long)out->dropped);
    if (out_close(out, &err) == WEIR_E_OK)
        return 0;
    fprintf(stderr, "weir-prads: %s\n", err.text);
    return 1;
}

int
compat_close_outputs(struct compat *c)
{
    int code = compat_close_output(&c->log);

    code |= compat_close_output(&c->fifo);
    if (c->fifo_fd >= 0)
        close(c->fifo_fd);
    c->fifo_fd = -1;
    code |= compat_close_output(&c->conn_file);
    return code | compat_close_output(&c->said);
}

/* ---- the app --------------------------------------------------------------------------------- */

static weir_fut
on_packet(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    compat_packet(ev->app, ctx, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_packet };

static const struct weir_tap_spec spec = { .stage = stages,
                                           .n_stages = 1,
                                           .want = WEIR_EV_BIT(WEIR_EV_PACKET) };

static int
make_monitor(struct compat *c, bool live, struct weir_monitor **m, struct weir_errbuf *err)
{
    struct weir_monitor_opts opts = {
        .memcap = c->opts.memcap,
        .seed = hash_draw_monitor_seed(),
        .no_checksums = true,
        .packets_only = true,
        .live = live,
    };
    struct weir_app app = { .name = "prads",
                            .spec = &spec,
                            .flow_size = sizeof(struct compat_flow),
                            .no_flow_packets = true,
                            .arg = c };
    int rc = weir_monitor_new(&opts, m);

    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(*m, &app);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static int
make_tables(struct compat *c, struct weir_errbuf *err)
{
    int rc = assets_new(&c->assets, c->opts.max_assets, hash_draw_seed());

    if (rc == WEIR_E_OK)
        rc = conns_new(&c->conns, c->opts.max_connections, hash_draw_seed());
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "no address space for the tables");
}

/* ---- the run --------------------------------------------------------------------------------- */

static void
housekeeping(struct compat *c, uint64_t now)
{
    compat_end_connections(c, now, false);
    compat_make_room(c);
    compat_live_rotate(c, now);
}

static void
on_signals(struct compat *c)
{
    uint64_t now = (uint64_t)time(NULL);

    if (compat_live_asked_again())
        compat_config_again(&c->opts);
    housekeeping(c, now);
}

static int
pump(struct compat *c, struct weir_monitor *m, struct weir_port *port, bool live)
{
    struct weir_frame frames[READ_BATCH];
    struct weir_errbuf err = { "" };
    int n, rc = WEIR_E_OK;

    do {
        n = weir_port_read(port, frames, READ_BATCH, &err);
        if (n > 0)
            rc = weir_monitor_feed(m, frames, (unsigned)n);
        if (live && compat_live_due(HOUSEKEEPING_SECONDS))
            on_signals(c);
        if (has_failed(c))
            return 1;
    } while ((n > 0 || (n == 0 && live)) && rc == WEIR_E_OK && !compat_live_stopped());
    if (n < 0)
        fprintf(stderr, "weir-prads: %s\n", err.text);
    if (rc != WEIR_E_OK)
        fprintf(stderr, "weir-prads: %s\n", weir_strerror(rc));
    return n < 0 || rc != WEIR_E_OK;
}

static void
say_limits(const struct compat *c)
{
    uint64_t assets = c->assets.hosts.refused, records = c->assets.records.refused;

    if (assets + records + c->conns.table.refused > 0)
        fprintf(stderr,
                "weir-prads: limits: %llu looks at assets, %llu at what was seen of them, %llu at "
                "connections found no room (see --max-assets, --max-connections)\n",
                (unsigned long long)assets, (unsigned long long)records,
                (unsigned long long)c->conns.table.refused);
}

static void
say_end(struct compat *c, const struct weir_port *port, bool live)
{
    struct weir_port_stats stats;
    char text[300];

    say_limits(c);
    if (c->opts.quiet)
        return;
    compat_stats_print(&c->stats, &c->said);
    weir_port_get_stats(port, &stats);
    snprintf(text, sizeof(text), "-- libpcap:\n-- %-39s:%12llu\n-- %-39s:%12llu\n-- %-39s:%12llu\n",
             "Total packets received", (unsigned long long)stats.frames, "Total packets dropped",
             (unsigned long long)stats.kernel_drops, "Total packets dropped by Interface",
             (unsigned long long)stats.interface_drops);
    if (live)
        say(c, "%s", text);
    say(c, "[*] prads ended.\n");
}

/* No packet comes any more: connections that are told of at the end need not be dropped. */
static void
let_outputs_wait(struct compat *c)
{
    struct out *const all[] = { &c->log, &c->said, &c->fifo, &c->conn_file };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i]->log != NULL)
            out_let_wait(all[i], END_WAIT_NS);
}

/* Everything that is idle is expired at the end of a capture, however young that is. */
static int
run(struct compat *c, struct weir_port *port, bool live)
{
    struct weir_errbuf err = { "" };
    struct weir_monitor *m = NULL;
    int code = 1;

    if (make_tables(c, &err) == WEIR_E_OK && make_monitor(c, live, &m, &err) == WEIR_E_OK) {
        say(c, "[*] Sniffing...\n");
        code = pump(c, m, port, live);
        if (live)
            let_outputs_wait(c);
        weir_monitor_end(m);
        compat_end_connections(c, live ? (uint64_t)time(NULL) : UINT64_MAX, true);
        say_end(c, port, live);
    } else {
        fprintf(stderr, "weir-prads: %s\n", err.text);
    }
    weir_monitor_free(m);
    return code;
}

static char *
read_filter_file(const char *path)
{
    struct weir_errbuf err;
    char *text, *rest, *line, *filter;

    if (sigfile_read(path, &text, &err) != WEIR_E_OK) {
        fprintf(stderr, "weir-prads: %s\n", err.text);
        return NULL;
    }
    filter = calloc(1, strlen(text) + 2);
    rest = text;
    while (filter != NULL && (line = sigfile_next(&rest)) != NULL) {
        line[strcspn(line, "#")] = '\0';
        strcat(strcat(filter, line), " ");
    }
    free(text);
    return filter;
}

static int
open_port(struct compat *c, bool live, struct weir_port **port)
{
    char *const *text = c->opts.text;
    char *filter = text[TEXT_FILTER_FILE] != NULL ? read_filter_file(text[TEXT_FILTER_FILE]) : NULL;
    struct weir_port_opts opts = { .filter = filter != NULL ? filter : text[TEXT_FILTER],
                                   .snaplen = LIVE_SNAPLEN };
    struct weir_errbuf err = { "" };
    int rc;

    if (live)
        rc = compat_live_open(text[TEXT_INTERFACE], &opts, port, &err);
    else
        rc = weir_port_open_file(text[TEXT_FILE], &opts, port, &err);
    free(filter);
    if (rc == WEIR_E_OK)
        return 0;
    if (!live && rc != WEIR_E_SYNTAX)
        fprintf(stderr, "[!] '%s' not a pcap. Bailing.\n", text[TEXT_FILE]);
    fprintf(stderr, "weir-prads: %s\n", err.text);
    return 1;
}

/* Returns -1 to go on, or the exit code. */
static int
begin(struct compat *c)
{
    struct weir_errbuf err = { "" };
    const char *nets = c->opts.text[TEXT_NETS] != NULL ? c->opts.text[TEXT_NETS] : "0.0.0.0/0,::/0";

    if (open_said(c, &err) != WEIR_E_OK) {
        fprintf(stderr, "weir-prads: %s\n", err.text);
        return 1;
    }
    say(c, "[*] weir-prads %s\n    Using %s\n", PACKAGE_VERSION, pcap_lib_version());
    if (!homenets_parse(&c->home, nets))
        fprintf(stderr, "weir-prads: home networks end where '%s' is none\n", nets);
    if (c->opts.ring)
        fprintf(stderr, "weir-prads: -B: there is no ring buffer in shared memory\n");
    if (compat_open_outputs(c, &err) != WEIR_E_OK || load(c, &err) != WEIR_E_OK) {
        fprintf(stderr, "weir-prads: %s\n", err.text);
        return 1;
    }
    say_all_checks(c);
    return -1;
}

static int
go(struct compat *c)
{
    bool live = is_live(c);
    struct weir_port *port = NULL;
    int code = begin(c);

    if (code >= 0)
        return code;
    if (!live)
        say(c, "[*] Reading from file %s\n", c->opts.text[TEXT_FILE]);
    code = open_port(c, live, &port);
    if (code == 0 && live)
        code = compat_live_settle(c);
    compat_live_catch_signals();
    if (code == 0)
        code = run(c, port, live);
    weir_port_close(port);
    return code;
}

static void
clean_up(struct compat *c)
{
    for (unsigned i = 0; i < FP_KINDS; i++)
        fp_list_free(c->os[i]);
    for (unsigned i = 0; i < SERVICE_LISTS; i++)
        service_list_free(c->service[i]);
    mac_list_free(c->macs);
    dhcp_list_free(c->dhcps);
    assets_free(&c->assets);
    conns_free(&c->conns);
    compat_options_free(&c->opts);
}

int
compat_main(int argc, char **argv)
{
    struct compat c = { .fifo_fd = -1 };
    int code = compat_options_parse(&c.opts, argc, argv);

    if (code < 0 && c.opts.help) {
        compat_usage();
        code = 0;
    } else if (code < 0 && c.opts.version) {
        printf("weir-prads %s\n", PACKAGE_VERSION);
        code = 0;
    } else if (code < 0) {
        code = go(&c);
        code |= compat_close_outputs(&c);
    }
    clean_up(&c);
    return code;
}
