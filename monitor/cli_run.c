#include "cli_parts.h"

#include "cli_inline.h"
#include "cli_live.h"
#include "control.h"
#include "decode.h"
#include "engine.h"

#include <weir/port.h>

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_BATCH = 256, BATCHES_A_LOOK = 64 };

#define OFFLOAD_LOOK_NS UINT64_C(10000000000)

/* ---- progress ------------------------------------------------------------------------------ */

uint64_t
cli_wall_ns(void)
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
    uint64_t shown_at;   /* monotonic ns of the last progress line, */
    uint64_t offload_at; /* and look at what is known of checksums; 0: none so far */
    unsigned batches;
    bool terminal;
    _Atomic bool told_link; /* of this input */
    bool told_rules;        /* that there are none */
};

static void
show_progress(struct run *run, const struct weir_port *port)
{
    uint64_t now = cli_wall_ns(), done;
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
    cli_progress_shown = true;
}

static void
count_cores(const struct weir_monitor *m, struct counts *to)
{
    struct core_stats core[COUNTS_CORES];

    to->cores = monitor_get_cores(m, core, COUNTS_CORES);
    for (unsigned i = 0; i < to->cores; i++)
        to->core[i] = (struct counts_core){ core[i].packets, core[i].cpu_ns / 1000000 };
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
    to->frames_copied = cli->frames_copied;
    to->frames_verified = cli->frames_verified;
    to->log_dropped = cli_dropped_so_far(cli);
    count_cores(run->m, to);
    cli_inline_count(cli, to);
    if (cli->count != NULL)
        cli->count(cli->ctx, to);
    control_answer(run->control);
}

/* Live, nobody waits for the end. */
static void
look_for_offload(struct run *run)
{
    struct cli *cli = run->cli;
    const uint64_t now = cli_wall_ns();
    struct weir_monitor_stats stats;

    if (run->offload_at == 0)
        run->offload_at = now;
    if (cli->told_offload || now - run->offload_at < OFFLOAD_LOOK_NS)
        return;
    run->offload_at = now;
    monitor_settle(run->m);
    weir_monitor_get_stats(run->m, &stats);
    cli->told_offload = cli_tell_offload(cli, &stats);
}

static void
look_up(struct run *run, const struct weir_port *port)
{
    struct counts *wanted = control_wants(run->control);

    if (wanted != NULL)
        answer_control(run, wanted);
    if (run->cli->interface != NULL)
        look_for_offload(run);
    if (cli_was_asked()) {
        monitor_settle(run->m);
        cli_tell_counters(run->cli, run->m);
    }
    if (cli_was_asked_for_rules() && !run->told_rules) {
        run->told_rules = true;
        cli_notice(run->cli, "SIGUSR2: %s has no rules that could be loaded anew",
                   run->cli->program);
    }
    if (run->terminal && run->bytes_total > 0 && ++run->batches % BATCHES_A_LOOK == 0)
        show_progress(run, port);
}

/* ---- inputs -------------------------------------------------------------------------------- */

static bool
stopped(const struct run *run)
{
    return cli_caught != 0 || run->cli->failed_output;
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

/* Queues are read at the same time; the first time of a live run is known. */
static void
look_at_times(struct cli *cli, const struct weir_frame *frames, int n)
{
    uint64_t was = atomic_load_explicit(&cli->last_time, memory_order_relaxed), last = was;

    if (n > 0 && cli->first_time == 0)
        cli->first_time = frames[0].time;
    for (int i = 0; i < n; i++)
        if (frames[i].time > last)
            last = frames[i].time;
    while (last > was &&
           !atomic_compare_exchange_weak_explicit(&cli->last_time, &was, last, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
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
    int n;

    if (cli->interface != NULL)
        cli->wait_ms = monitor_wait_ms(run->m);
    n = weir_port_read(pump->port, frames, READ_BATCH, &err);

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
    if (n < 0 && cli_caught == 0) {
        cli_error(cli, "%s", err.text[0] != '\0' ? err.text : pump->name);
        cli->failed = true;
    }
    return (n > 0 || (n == 0 && cli->interface != NULL)) && !stopped(run);
}

/* What the first core does beside, between its reads. n: frames, or an error. Returns whether to go
 * on. */
static bool
keep_house(struct pump *pump, int n, const struct weir_errbuf *err)
{
    struct run *run = pump->run;
    struct cli *cli = run->cli;

    if (n == 0)
        monitor_pass_time(run->m);
    if (run->after_batch != NULL)
        run->after_batch(run->arg);
    look_up(run, pump->port);
    if (n < 0 && cli_caught == 0) {
        cli_error(cli, "%s", err->text[0] != '\0' ? err->text : pump->name);
        cli->failed = true;
    }
    return n >= 0 && !stopped(run);
}

/* Some reads of a queue of a live port. Called by a core for each queue at the same time. */
static int
pull_queue(void *ctx, unsigned queue)
{
    struct pump *pump = ctx;
    struct run *run = pump->run;
    struct weir_frame frames[READ_BATCH];
    struct weir_errbuf err = { "" };
    int n, all = 0;

    do {
        n = weir_port_read_queue(pump->port, queue, frames, READ_BATCH, &err);
        look_at_links(run, frames, n, pump->name);
        look_at_times(run->cli, frames, n);
        if (n > 0)
            monitor_read_queue(run->m, queue, frames, (unsigned)n);
        all += n > 0 ? n : 0;
    } while (n > 0 && all < READ_BATCH);
    monitor_commit(run->m, queue);
    if (queue == 0 && !keep_house(pump, n < 0 ? n : all, &err))
        return -1;
    return all;
}

/* Read the port to its end. Returns whether its frames outlive the next read. */
static bool
read_port(struct run *run, struct weir_port *port, const char *name)
{
    struct pump pump = { .run = run, .port = port, .name = name };
    const struct monitor_input input = {
        .port = port, .pull = pull, .pull_queue = pull_queue, .ctx = &pump
    };

    monitor_pull(run->m, &input);
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
    } else if (input.truncated && cli_caught == 0) {
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
                                       .reopens = cli_has_logs(),
                                       .started = cli->started };
    struct weir_errbuf err = { "" };

    if (control_open(&opts, &run->control, &err) == WEIR_E_OK)
        return true;
    cli_error(cli, "%s", err.text);
    cli->failed = cli->failed_output = cli->unstarted = true;
    return false;
}

/* Inputs and outputs are open: give up privileges. Returns whether to go on. */
static bool
settle(struct run *run)
{
    struct cli *cli = run->cli;
    struct weir_errbuf err = { "" };

    if (!cli_settle(cli)) {
        cli->unstarted = true;
        return false;
    }
    if (control_start(run->control, &err) == WEIR_E_OK)
        return true;
    cli_error(cli, "%s", err.text);
    cli->failed = cli->unstarted = true;
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
    if (rc == WEIR_E_IO &&
        cli_caught != 0) /* a pipe without a header yet: the signal cut the read */
        return;
    if (rc != WEIR_E_OK) {
        cli_error(cli, "%s", err.text);
        cli->failed = true;
        cli->bad_filter |= rc == WEIR_E_SYNTAX ||
                           (live && (rc == WEIR_E_NOENT || rc == WEIR_E_INVAL));
        cli->unstarted |= live || rc == WEIR_E_SYNTAX;
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

void
cli_run(struct cli *cli, struct weir_monitor *m, void (*after_batch)(void *arg), void *arg)
{
    struct run run = { .cli = cli, .m = m, .after_batch = after_batch, .arg = arg };

    cli_catch_signals();
    cli->started = cli_wall_ns();
    run.terminal = !cli->quiet && isatty(STDERR_FILENO);
    if (!open_control(&run)) {
        ; /* it was told why */
    } else if (cli->interface != NULL) {
        run_port(&run, cli->interface, false);
    } else if (settle(&run)) {
        for_each_input(&run, add_size);
        for_each_input(&run, run_input);
    }
    cli_reads_no_more();
    cli_clear_progress();
    cli_let_outputs_wait(cli);
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
