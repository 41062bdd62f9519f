/*
 * What the programs share (DESIGN.md section 8, the contract of command lines): options, inputs,
 * signals, progress, closing summary and exit codes. A program adds its own options as a table,
 * its apps to the monitor, and prints what its apps make.
 *
 * Threads: one. Globals: what signal handlers need, and what is open: cli_parts.h.
 */
#ifndef WEIR_CLI_H
#define WEIR_CLI_H

#include "config_file.h"
#include "counts.h"
#include "out.h"

#include <weir/error.h>
#include <weir/monitor.h>
#include <weir/verdict.h>

#include <stdbool.h>
#include <stddef.h>

/* Exit codes; one that was cut by signal n is 128 + n. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* run-time and read errors */
    EXIT_USAGE = 2,  /* command line, configuration, rules */
    EXIT_ALERTED = 3,
};

/* An option, common or a program's own. A table ends with one whose help is NULL. */
struct cli_option {
    char letter;       /* 0: only long */
    const char *name;  /* long name without dashes; NULL: only short */
    const char *value; /* what its value is called in --help; NULL: takes none */
    const char *help;  /* one sentence */
    /* Take the value (NULL if it takes none). Not WEIR_E_OK: text in err, a usage error. */
    int (*take)(void *ctx, const char *value, struct weir_errbuf *err);
};

struct cli_dump;

struct cli {
    const char *program;  /* "weir" */
    const char *synopsis; /* behind the name in --help */
    const char *about;    /* one line */
    const char *exits;    /* for --help: "3 for this, ", exit codes of its own; NULL: none */
    const struct cli_option *options; /* the program's own */
    void *ctx;                        /* for their take() and set() */
    /* Take a "name=value" that the common part does not know, which lives until cli_free().
     * *ignored: the name is Suricata's, but means nothing here. NULL: no other name is known. */
    int (*set)(void *ctx, const char *text, bool *ignored, struct weir_errbuf *err);
    /* Call cli_dump_put() for each of the program's own settings; may be NULL. */
    void (*dump)(void *ctx, struct cli_dump *dump);
    const struct cli_option
        *beside_options;     /* of an app that can run beside; NULL: there is none */
    const char *beside_name; /* what --with calls it */
    void *beside;            /* for their take() */
    bool beside_on;          /* set by a program when --with named it */
    bool no_logs;            /* the program writes nothing to log_dir */
    /* SIGUSR1: the counters go to standard error; what else is to be told. May be NULL. */
    void (*asked)(void *ctx);
    /*
     * The same for who asks at the control socket: add to the counters what they lack. May be NULL.
     */
    void (*count)(void *ctx, struct counts *counts);
    bool reloads; /* SIGUSR2 loads rules */
    /* Called when the monitor has ended, while its frames are still there; may be NULL. */
    void (*at_end)(void *ctx);
    bool input_optional; /* set by a program whose options made an input needless (-T) */

    const struct cli_option *beside_given; /* the last of beside_options; NULL: none */
    const char **inputs;                   /* files, folders and "-", in order */
    size_t n_inputs;
    const char *interface;   /* -i or --port, the first; NULL: a replay */
    const char **interfaces; /* -i or --port, all */
    size_t n_interfaces;
    const char *dpdk; /* --dpdk, DPDK's own options; NULL: the interfaces are the kernel's */
    size_t n_ports;   /* --port; all interfaces or none */
    /* --inline: its texts, owned; two interfaces each, or none. */
    char *pairs[COUNTS_PORTS / 2];
    unsigned n_pairs;
    int claim[COUNTS_PORTS]; /* sockets that tell other programs of the interfaces that we send
                                through */
    unsigned n_claims;
    bool fail_given; /* by an option: stronger than a setting */
    struct weir_outlet outlet;
    struct weir_port *wire[COUNTS_PORTS];            /* NULL: not open */
    struct weir_port_stats wire_stats[COUNTS_PORTS]; /* when it was looked at last */
    _Atomic uint64_t unseen,
        unseen_lost;               /* packets that the filter left out; that could not go on */
    uint32_t snaplen, buffer, mtu; /* bytes; 0: the port's defaults */
    bool no_promisc, immediate;
    const char *user, *group;               /* to become, by option; NULL: nobody else */
    const char *run_as_user, *run_as_group; /* the same by setting, for live runs */
    char *filter;                           /* BPF; NULL: none */
    const char *log_dir;                    /* -l; "." if not given */
    bool log_dir_given, checksums_given;    /* by an option: stronger than a setting */
    bool quiet, strict_input, no_map, stats, dump_config;
    const char *control, *metrics; /* NULL: none */
    const char *config_file;       /* -c; NULL: none */
    struct config config;          /* what it says */
    const char **sets;             /* --set, in order: stronger than the file */
    size_t n_sets;
    size_t ignored; /* settings of the file that mean nothing here */
    unsigned verbose;
    struct weir_monitor_opts monitor;
    struct weir_host_policy *hosts; /* monitor.hosts, owned */

    bool failed;        /* something that makes the exit code 1 */
    bool failed_output; /* output is lost: nothing is gained by going on */
    bool bad_filter;    /* it does not compile, or there is no such interface or port */
    bool unstarted;     /* nothing was read: what there would be to tell at the end is nothing */
    /* Live, as of about a second ago: packets that passed the filter; of them, those that the
     * kernel lost; those that an interface lost; those that came in pieces, and were copied. */
    _Atomic uint64_t kernel_packets, kernel_drops, interface_drops, frames_copied, frames_verified;
    unsigned queues;       /* wanted of a live port: one, in which packets keep their order, or one
                              for each core that was asked for */
    bool told_offload;     /* live: that a card computes checksums */
    uint64_t log_dropped;  /* live: records for which an output had no room */
    int wait_ms;           /* live: so long may be waited for packets; 0: as long as is usual */
    const char *input_now; /* the file that is read; NULL: none, or an interface */
    uint64_t started;      /* monotonic ns */
    uint64_t first_time;   /* ns: of the first packet (live: when it began); 0: none */
    _Atomic uint64_t last_time; /* ns: the greatest of a packet; 0: none */
};

/*
 * Parse the command line into cli, whose members up to no_logs are set. --help and --version are
 * answered here.
 *
 * Returns -1 to go on, or the exit code.
 */
int cli_parse(struct cli *cli, int argc, char **argv);

/* Say what the hosts of a network are, as --policy does. Text in err if memory ran out. */
int cli_add_host(struct cli *cli, const struct weir_host_policy *host, struct weir_errbuf *err);

/*
 * Feed the monitor with all inputs, in order, or the interface, until the end or a signal, then
 * end its flows. Between batches after_batch() (may be NULL) is called; it may set failed and
 * failed_output to end the run.
 */
void cli_run(struct cli *cli, struct weir_monitor *m, void (*after_batch)(void *arg), void *arg);

/*
 * Open an output: in a replay it makes the reader wait, live it drops and counts. SIGHUP opens
 * those with a path anew.
 */
int cli_open_output(struct cli *cli, const char *path, struct out *out, struct weir_errbuf *err);

/* As above, to a descriptor, which stays the caller's; name is for messages, and must stay. */
int
cli_open_fd(struct cli *cli, int fd, const char *name, struct out *out, struct weir_errbuf *err);

/*
 * End the run if an error has ended the output. Standard output that nobody reads any more ends the
 * program, by SIGPIPE, as if it had written itself.
 */
void cli_check_output(struct cli *cli, struct out *out);

/* Wait until an output has written all, and count what it dropped. */
void cli_flush_output(struct cli *cli, struct out *out);

/* Close an output; say what was lost, which makes the exit code 1. */
void cli_close_output(struct cli *cli, struct out *out);

/* The closing summary on standard error, unless -q: packets, bytes, flows, events, drops, time. */
void cli_summary(const struct cli *cli, const struct weir_monitor *m);

/*
 * With --stats: what was counted and how often each limit was hit, on standard output, a line each
 * or as one JSON object. Whatever the program writes there has to be flushed before.
 */
void cli_stats(struct cli *cli, const struct weir_monitor *m, bool json);

/* 0, 1 or 128 + signal, from what happened in cli_run(). */
int cli_exit_code(const struct cli *cli);

/*
 * Text in err of a fault in a setting, the text of which p lies in: FILE:LINE takes the place of
 * the
 * --set that it names.
 */
void cli_blame(const struct cli *cli, const char *p, struct weir_errbuf *err);

/* Free what cli_parse() made. */
void cli_free(struct cli *cli);

/* "weir: TEXT" on standard error, behind the progress bar. notice() is silenced by -q. */
void
cli_error(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void
cli_notice(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Make the folder and its parents if they are missing. */
int cli_make_dir(const char *path, struct weir_errbuf *err);

/* "4G", "256MiB", "65536": bytes, in powers of 1024. Returns false if it is none. */
bool cli_parse_size(const char *text, uint64_t *bytes);

#endif
