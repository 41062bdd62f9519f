#include "prads.h"

#include "for_programs.h"
#include "hash.h"
#include "pool.h"
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

struct prads {
    struct watch_opts opts;
    struct homenets home;
    const char *sig_dir;                 /* NULL: /etc/prads, if it is there */
    const char *stacks;                  /* NULL: those that come with weir */
    struct watch *watch[MAX_CORES];      /* by core */
    struct watch_opts beside[MAX_CORES]; /* likewise, with lists of their own where they must be */
    unsigned n;
    struct out log, json;
    char log_path[PATH_SIZE], json_path[PATH_SIZE];
};

struct prads *
prads_new(void)
{
    struct prads *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->opts.checks = CHECKS_DEFAULT;
    return p;
}

static void
free_services(struct watch_opts *opts)
{
    service_list_free(opts->server);
    service_list_free(opts->client);
    service_list_free(opts->udp);
}

static void
free_signatures(struct watch_opts *opts)
{
    for (unsigned i = 0; i < FP_KINDS; i++)
        fp_list_free(opts->os[i]);
    p0f_list_free(opts->stacks);
    free_services(opts);
    mac_list_free(opts->macs);
    dhcp_list_free(opts->dhcp);
}

void
prads_free(struct prads *p)
{
    if (p == NULL)
        return;
    for (unsigned i = p->n; i-- > 0;) {
        watch_free(p->watch[i]);
        free_services(&p->beside[i]);
    }
    free_signatures(&p->opts);
    free(p);
}

/* ---- options ------------------------------------------------------------------------------- */

static const char *const checks[CHECKS] = {
#define X(upper, lower, text) [CHECK_##upper] = lower,
    CHECK_LIST(X)
#undef X
};

/* For messages. */
static const char check_names[] =
#define X(upper, lower, text) lower " "
    CHECK_LIST(X)
#undef X
        "all";

/* Returns the check's bit, 0 if there is none of this name. */
static uint32_t
check_named(const char *name, size_t n)
{
    if (n == 3 && memcmp(name, "all", 3) == 0)
        return CHECKS_ALL;
    for (unsigned i = 0; i < CHECKS; i++)
        if (strlen(checks[i]) == n && memcmp(checks[i], name, n) == 0)
            return CHECK_BIT(i);
    return 0;
}

/* "syn,server", or "-dhcp,icmp": a list that begins with a sign changes what is the default. */
static int
take_checks(void *ctx, const char *list, struct weir_errbuf *err)
{
    struct prads *p = ctx;
    uint32_t chosen = list[0] == '-' || list[0] == '+' ? p->opts.checks : 0;
    const char *at = list;

    do {
        bool off = *at == '-';
        const char *name = at + (*at == '-' || *at == '+');
        size_t n = strcspn(name, ",");
        uint32_t bit = check_named(name, n);

        if (bit == 0)
            return weir_err_set(err, WEIR_E_INVAL, "--checks: '%.*s' is none of: %s", (int)n, name,
                                check_names);
        chosen = off ? chosen & ~bit : chosen | bit;
        at = name[n] == ',' ? name + n + 1 : NULL;
    } while (at != NULL);
    p->opts.checks = chosen;
    return WEIR_E_OK;
}

static int
take_home(void *ctx, const char *nets, struct weir_errbuf *err)
{
    struct prads *p = ctx;

    if (!homenets_parse_hosts(&p->home, nets))
        return weir_err_set(
            err, WEIR_E_INVAL,
            "--home: networks are expected (10.0.0.0/8,fe80::/64,10.1.2.3), not '%s'", nets);
    p->opts.home = &p->home;
    return WEIR_E_OK;
}

static int
take_sig_dir(void *ctx, const char *dir, struct weir_errbuf *err)
{
    struct prads *p = ctx;

    (void)err;
    p->sig_dir = dir;
    return WEIR_E_OK;
}

static int
take_stacks(void *ctx, const char *file, struct weir_errbuf *err)
{
    struct prads *p = ctx;

    (void)err;
    p->stacks = file;
    return WEIR_E_OK;
}

static bool
read_number(const char *text, uint64_t least, uint64_t most, uint64_t *to)
{
    char *end;

    errno = 0;
    *to = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *to >= least &&
           *to <= most;
}

static int
take_expire(void *ctx, const char *seconds, struct weir_errbuf *err)
{
    struct prads *p = ctx;
    uint64_t value;

    if (!read_number(seconds, 1, WEIR_TIMEOUT_MAX, &value))
        return weir_err_set(err, WEIR_E_INVAL,
                            "--expire: seconds (1 to %lu) are expected, not '%s'",
                            (unsigned long)WEIR_TIMEOUT_MAX, seconds);
    p->opts.inventory.expire = value * 1000000000;
    return WEIR_E_OK;
}

static int
take_max_assets(void *ctx, const char *number, struct weir_errbuf *err)
{
    struct prads *p = ctx;
    uint64_t value;

    if (!read_number(number, 1, UINT32_C(1) << 28, &value))
        return weir_err_set(err, WEIR_E_INVAL,
                            "--max-assets: a number (1 to 268435456) is expected, not '%s'",
                            number);
    p->opts.inventory.hosts = (uint32_t)value;
    return WEIR_E_OK;
}

/* main() has looked for it before. */
static int
take_compat(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)ctx, (void)value, (void)err;
    return WEIR_E_OK;
}

static const struct cli_option options[] = {
    { 0, "compat", NULL, "do what PRADS does, with its options: --compat --help has them",
      take_compat },
    { 0, "checks", "LIST",
      "what to look for: all, or a list (syn,server) of: syn synack fin\n"
      "                          rst ack udp icmp server client arp ndp dhcp name; one that\n"
      "                          begins with a sign (-dhcp,+icmp) changes the default: all but\n"
      "                          fin, rst, ack, udp and icmp",
      take_checks },
    { 0, "home", "NETS", "hosts to report: 10.0.0.0/8,fe80::/64 (default: all)", take_home },
    { 0, "sig-dir", "DIR", "signatures (default: /etc/prads, where it is)", take_sig_dir },
    { 0, "stacks", "FILE", "signatures of TCP stacks in p0f 3's form, instead of weir's own",
      take_stacks },
    { 0, "expire", "SECONDS", "forget assets that were not seen for so long (86400)", take_expire },
    { 0, "max-assets", "N", "know so many at most (4194304)", take_max_assets },
    { 0, NULL, NULL, NULL, NULL },
};

/* The first is the program's alone. */
const struct cli_option *const prads_options = options + 1;

/* ---- signatures ---------------------------------------------------------------------------- */

struct loading {
    struct prads *prads;
    const struct cli *cli;
    const char *dir;
    bool must; /* the folder was asked for, so a file that is not there is told */
};

/* A misspelt folder would go unnoticed with -q, and nothing be recognised. */
static int
look_at_folder(const struct loading *l, struct weir_errbuf *err)
{
    struct stat st;

    if (!l->must || (stat(l->dir, &st) == 0 && S_ISDIR(st.st_mode)))
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_NOENT, "--sig-dir: %s is not a folder", l->dir);
}

/* The path of a file; false: it is not there, and need not be. */
static bool
find_file(const struct loading *l, const char *name, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", l->dir, name);
    if (access(path, F_OK) == 0)
        return true;
    if (l->must)
        cli_notice(l->cli, "%s: not there", path);
    return false;
}

static void
tell_bad_line(void *ctx, const char *text)
{
    cli_notice(((const struct loading *)ctx)->cli, "%s", text);
}

static int
load_systems(struct loading *l, struct weir_errbuf *err)
{
    static const char *const files[FP_KINDS] = { [FP_SYN] = "tcp-syn.fp",
                                                 [FP_SYNACK] = "tcp-synack.fp",
                                                 [FP_FIN] = "tcp-fin.fp",
                                                 [FP_RST] = "tcp-rst.fp",
                                                 [FP_ACK] = "tcp-stray-ack.fp" };
    struct watch_opts *opts = &l->prads->opts;
    char path[PATH_SIZE];
    int rc = WEIR_E_OK;

    for (unsigned i = 0; i < FP_KINDS && rc == WEIR_E_OK; i++)
        if (opts->checks >> (CHECK_SYN + i) & 1 && find_file(l, files[i], path))
            rc = fp_list_load(path, true, &opts->os[i], err);
    return rc;
}

/* What comes of the same files for other cores was told of. */
static void
tell_nobody(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static int
load_services(struct loading *l, struct watch_opts *opts, struct weir_errbuf *err)
{
    const bool first = opts == &l->prads->opts;
    const struct {
        const char *file;
        struct service_list **list;
        enum check check;
    } lists[] = {
        { "tcp-service.sig", &opts->server, CHECK_SERVER },
        { "tcp-clients.sig", &opts->client, CHECK_CLIENT },
        { "udp-service.sig", &opts->udp, CHECK_SERVER },
    };
    char path[PATH_SIZE];
    int rc = WEIR_E_OK;

    for (unsigned i = 0; i < sizeof(lists) / sizeof(*lists) && rc == WEIR_E_OK; i++)
        if (l->prads->opts.checks & CHECK_BIT(lists[i].check) && find_file(l, lists[i].file, path))
            rc = service_list_load(path, first ? tell_bad_line : tell_nobody, l, lists[i].list,
                                   err);
    return rc;
}

/* Stacks of today: the file that was named, or the one that comes with weir. */
static int
load_stacks(struct loading *l, struct weir_errbuf *err)
{
    struct watch_opts *opts = &l->prads->opts;
    const char *path = l->prads->stacks != NULL ? l->prads->stacks : WEIR_DATADIR "/stacks.fp";

    if ((opts->checks & (CHECK_BIT(CHECK_SYN) | CHECK_BIT(CHECK_SYNACK))) == 0) {
        if (l->prads->stacks != NULL)
            cli_notice(l->cli, "no effect without syn or synack of --checks: --stacks");
        return WEIR_E_OK;
    }
    if (l->prads->stacks == NULL && access(path, R_OK) != 0) {
        cli_notice(l->cli, "%s: not there, so few systems have a name; --stacks names another file",
                   path);
        return WEIR_E_OK;
    }
    return p0f_list_load(path, &opts->stacks, err);
}

/* Makers of cards: the list of a folder that was asked for, one that the system has, or PRADS's. */
static int
load_macs(struct loading *l, struct weir_errbuf *err)
{
    static const char *const elsewhere[] = { "/usr/share/wireshark/manuf" };
    struct watch_opts *opts = &l->prads->opts;
    char path[PATH_SIZE];

    if ((opts->checks & (CHECK_BIT(CHECK_ARP) | CHECK_BIT(CHECK_NDP))) == 0)
        return WEIR_E_OK;
    if (l->must && find_file(l, "mac.sig", path))
        return mac_list_load(path, &opts->macs, err);
    for (unsigned i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
        if (access(elsewhere[i], R_OK) == 0)
            return mac_list_load(elsewhere[i], &opts->macs, err);
    return find_file(l, "mac.sig", path) ? mac_list_load(path, &opts->macs, err) : WEIR_E_OK;
}

int
prads_load(struct prads *p, const struct cli *cli, struct weir_errbuf *err)
{
    struct loading l = { .prads = p,
                         .cli = cli,
                         .dir = p->sig_dir != NULL ? p->sig_dir : "/etc/prads",
                         .must = p->sig_dir != NULL };
    char path[PATH_SIZE];
    int rc = look_at_folder(&l, err);

    if (rc == WEIR_E_OK)
        rc = load_systems(&l, err);
    if (rc == WEIR_E_OK)
        rc = load_stacks(&l, err);
    if (rc == WEIR_E_OK)
        rc = load_services(&l, &p->opts, err);
    if (rc == WEIR_E_OK)
        rc = load_macs(&l, err);
    if (rc == WEIR_E_OK && p->opts.checks & CHECK_BIT(CHECK_DHCP) && find_file(&l, "dhcp.fp", path))
        rc = dhcp_list_load(path, &p->opts.dhcp, err);
    p->n = p->opts.cores = cli->monitor.cores;
    l.must = false;
    for (unsigned i = 1; i < p->n && rc == WEIR_E_OK; i++)
        rc = load_services(&l, &p->beside[i], err);
    return rc;
}

/* ---- the run ------------------------------------------------------------------------------- */

static int
open_log(struct cli *cli, const char *name, struct out *out, char path[PATH_SIZE],
         struct weir_errbuf *err)
{
    if (snprintf(path, PATH_SIZE, "%s/%s", cli->log_dir, name) >= PATH_SIZE)
        return weir_err_set(err, WEIR_E_INVAL, "%s: the name is too long", cli->log_dir);
    return cli_open_output(cli, path, out, err);
}

/* The asset log begins with the names of its columns, where it is new. */
static int
open_asset_log(struct prads *p, struct cli *cli, struct weir_errbuf *err)
{
    struct stat st;
    int rc = open_log(cli, "prads-asset.log", &p->log, p->log_path, err);

    p->opts.report.log = &p->log;
    if (rc == WEIR_E_OK && stat(p->log_path, &st) == 0 && st.st_size == 0)
        report_header(&p->opts.report);
    return rc;
}

/* One for each core; what they match with takes room that is its own. */
static int
make_watches(struct prads *p, struct weir_errbuf *err)
{
    int rc = watch_new(&p->opts, &p->watch[0], err);

    for (unsigned i = 1; i < p->n && rc == WEIR_E_OK; i++) {
        struct watch_opts opts = p->opts;

        opts.server = p->beside[i].server;
        opts.client = p->beside[i].client;
        opts.udp = p->beside[i].udp;
        rc = watch_beside(p->watch[0], &opts, &p->watch[i], err);
    }
    return rc;
}

int
prads_open(struct prads *p, struct cli *cli, struct weir_errbuf *err)
{
    int rc = cli_make_dir(cli->log_dir, err);

    if (rc == WEIR_E_OK)
        rc = open_asset_log(p, cli, err);
    if (rc == WEIR_E_OK)
        rc = open_log(cli, "assets.json", &p->json, p->json_path, err);
    if (rc != WEIR_E_OK)
        return rc;
    p->opts.report.json = &p->json;
    p->opts.inventory.seed = hash_draw_seed();
    return make_watches(p, err);
}

int
prads_add(struct prads *p, struct weir_monitor *m)
{
    return watch_add(p->watch, m);
}

void
prads_check(struct prads *p, struct cli *cli)
{
    cli_check_output(cli, &p->log);
    cli_check_output(cli, &p->json);
}

void
prads_end(struct prads *p, struct cli *cli)
{
    watch_end(p->watch[0]);
    cli_flush_output(cli, &p->log);
    cli_flush_output(cli, &p->json);
}

void
prads_close(struct prads *p, struct cli *cli)
{
    cli_close_output(cli, &p->log);
    cli_close_output(cli, &p->json);
}

static void
tell_limits(const struct prads *p, const struct cli *cli)
{
    const struct inventory_stats *inv = watch_get_inventory(p->watch[0]);
    struct pool_stats pool = { .exhausted = 0 };
    char too_long[POOL_TEXT];
    uint64_t http = 0;

    for (unsigned i = 0; i < p->n; i++) {
        const struct pool_stats one = watch_get_pool(p->watch[i]);

        pool_stats_add(&pool, &one);
        http += watch_get_http_limited(p->watch[i]);
    }
    if (inv->evicted + inv->too_many + inv->no_room > 0)
        cli_notice(cli,
                   "limits: %llu assets gave room to others, %llu facts beyond those an asset may "
                   "have, %llu for which there was no room",
                   (unsigned long long)inv->evicted, (unsigned long long)inv->too_many,
                   (unsigned long long)inv->no_room);
    pool_put_too_long(&pool, too_long);
    if (pool.exhausted + http > 0 || strcmp(too_long, "0") != 0)
        cli_notice(
            cli,
            "limits: %llu messages not read for want of memory, %llu HTTP connections not read "
            "to their end; too long to be read: %s",
            (unsigned long long)pool.exhausted, (unsigned long long)http, too_long);
}

void
prads_summary(const struct prads *p, const struct cli *cli)
{
    const struct inventory_stats *inv = watch_get_inventory(p->watch[0]);
    uint64_t facts[FACT_KINDS] = { 0 };

    if (cli->unstarted)
        return;
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < FACT_KINDS; k++)
            facts[k] += watch_get_stats(p->watch[i])->facts[k];
    cli_notice(cli,
               "%llu assets: %llu systems, %llu services, %llu clients, %llu cards, %llu DHCP "
               "clients, %llu names",
               (unsigned long long)inv->hosts, (unsigned long long)facts[FACT_OS],
               (unsigned long long)facts[FACT_SERVER], (unsigned long long)facts[FACT_CLIENT],
               (unsigned long long)facts[FACT_MAC], (unsigned long long)facts[FACT_DHCP],
               (unsigned long long)facts[FACT_NAME]);
    tell_limits(p, cli);
}

/* ---- the program --------------------------------------------------------------------------- */

struct program {
    struct cli cli;
    struct prads *prads;
};

static void
after_batch(void *arg)
{
    struct program *prg = arg;

    prads_check(prg->prads, &prg->cli);
}

static int
set_up(struct program *prg, struct weir_monitor **m, struct weir_errbuf *err)
{
    int rc = prads_open(prg->prads, &prg->cli, err);

    if (rc != WEIR_E_OK)
        return rc;
    rc = weir_monitor_new(&prg->cli.monitor, m);
    if (rc == WEIR_E_OK)
        rc = prads_add(prg->prads, *m);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static int
run(struct program *prg)
{
    struct weir_monitor *m = NULL;
    struct weir_errbuf err = { "" };

    if (prads_load(prg->prads, &prg->cli, &err) != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        return EXIT_USAGE;
    }
    if (set_up(prg, &m, &err) != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        prg->cli.failed = true;
    } else {
        cli_run(&prg->cli, m, after_batch, prg);
        prads_end(prg->prads, &prg->cli);
        cli_stats(&prg->cli, m, false);
        cli_summary(&prg->cli, m);
        prads_summary(prg->prads, &prg->cli);
    }
    prads_close(prg->prads, &prg->cli);
    weir_monitor_free(m);
    return cli_exit_code(&prg->cli);
}

int
prads_main(int argc, char **argv)
{
    struct program prg = {
        .cli = { .program = "weir-prads",
                 .synopsis = "[options] -r FILE|DIR|- | -i INTERFACE [filter words]\n"
                             "       weir-prads --compat [options of PRADS]",
                 .about = "Report hosts, their systems and their services, from packets.",
                 .options = options },
        .prads = prads_new(),
    };
    int code = EXIT_FAILED;

    prg.cli.ctx = prg.prads;
    if (prg.prads == NULL)
        cli_error(&prg.cli, "out of memory");
    else
        code = cli_parse(&prg.cli, argc, argv);
    if (code < 0)
        code = run(&prg);
    prads_free(prg.prads);
    cli_free(&prg.cli);
    return code;
}
