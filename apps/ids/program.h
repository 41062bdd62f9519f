/* weir-ids, for the files that make it up: main.c (the command line), load.c (rules), run.c (what
 * happens to events, core by core) and summary.c. */
#ifndef IDS_PROGRAM_H
#define IDS_PROGRAM_H

#include "../prads/prads.h"
#include "app/app.h"
#include "for_programs.h"
#include "cli.h"
#include "detect/detect.h"
#include "detectors/detectors.h"
#include "enforce.h"
#include "http.h"
#include "keep.h"
#include "out.h"
#include "out/eve_out.h"
#include "out/packet_alerts.h"
#include "rule/limits.h"
#include "rule/rules.h"
#include "settings.h"

/* What the app keeps of a flow. */
struct flow_state {
    struct flow_scan scan;
    bool bypassed; /* nothing but its end is looked at any more */
    bool detected; /* a detector has alerted on it */
    bool dropped;  /* in line: so are all of its packets from now on */
    bool deep[2];  /* by enum weir_dir: stream.reassembly.depth was reached */
    struct eve_flow eve;
};

/* Rules, what limits them, and the groups they are tested in. */
struct ruleset {
    struct rules rules;
    struct limits limits; /* threshold-file */
    struct groups *groups;
    double seconds; /* that making the groups took */
};

/*
 * An alert that is about to wait for the packet's end; what it refers to lasts as long as the
 * event.
 */
struct held_alert {
    const struct rule *rule;
    struct weir_event ev;
    struct eve_about about;
};

enum { HELD_MAX = 16 };

struct reload; /* opaque */
struct program;

/* What a core has of the program; the rest changes only while no core is at a packet. */
struct part {
    struct program *prg;
    struct detect *detect;
    struct app_layer *app;
    struct detectors *detectors;
    struct eve_out *eve;
    struct out *fast;                     /* the program's, or ordered */
    struct out eve_ordered, fast_ordered; /* where there are several cores */
    struct flow_state *flow;              /* whose event is under way, ... */
    const struct weir_event *ev;
    struct held_alert held[HELD_MAX];
    unsigned n_held;
    struct packet_alerts *alerts; /* of the packet at hand */
    unsigned core;
    struct tx *tx;        /* ... with a transaction of it; NULL: none */
    struct enforced done; /* in line: to the packet that was dropped last */
    uint64_t dropped, rejected, replaced, not_replaced; /* in line: packets; matches that replace */
    uint64_t bypassed, deep;                            /* flows; directions of flows */
};

struct program {
    struct cli cli;
    struct settings settings;
    const char **rule_files;
    size_t n_rule_files;
    bool only;    /* -S was given */
    bool in_line; /* packets wait for what is said of them */
    bool test, init_errors_fatal, fail_on_alert, profile;
    uint32_t *explain; /* sids; owned */
    size_t n_explain;
    const char *keep_file; /* -w */

    struct ruleset *set; /* that is tested; owned */
    struct reload *reload;
    uint32_t generation;          /* how often other rules took its place */
    struct part *part[MAX_CORES]; /* by core; owned */
    unsigned n_parts;
    struct out eve_out, fast;
    char eve_path[4096], fast_path[4096];
    struct eve_out *eve; /* of records that are no core's */
    struct keep *keep;   /* NULL: -w was not given */
    struct prads *prads; /* NULL: not built, or no memory */
    bool with_prads;

    struct weir_monitor *m;
    struct weir_tap_spec *spec;
    unsigned app;        /* monitor_last_app(): whose state in flows struct flow_state is */
    uint64_t told;       /* bits of the events that records tell of */
    uint64_t interval;   /* ns between records of stats; 0: only at the end */
    uint64_t next_stats; /* live: ns of the clock; 0: not before the first look */
};

/* load.c: returns -1 to go on, or the exit code. */
int program_load(struct program *prg);

/* The files once more, on any thread. Text in err on failure: a file that cannot be read. */
int
ruleset_load(struct program *prg, size_t *n_files, struct ruleset **out, struct weir_errbuf *err);
void ruleset_free(struct ruleset *set);

/* What became of the rules. */
void ruleset_tell(struct program *prg, const struct ruleset *set, bool always);

/* reload.c: SIGUSR2 loads the rules anew, on a thread of their own, while the ones before are
 * tested. reload_check() goes over to them when they are ready: call it between two packets. */
void reload_listen(void);
int reload_start(struct program *prg, struct weir_errbuf *err);
bool reload_check(struct program *prg);
void reload_stop(struct program *prg);

/* run.c: returns the exit code. */
int program_run(struct program *prg);

/* summary.c: what was found, and what limits cost. */
void program_summary(const struct program *prg);

/* The sums of all cores', between two packets. */
struct program_counts {
    struct detect_stats detect;
    struct outcome_stats outcome;
    struct detectors_stats detectors;
    struct app_stats app;
    struct http_stats http;
    struct pool_stats pool;
    struct eve_counts eve;
    uint64_t bypassed, deep;
    uint64_t over; /* alerts beyond packet-alert-max */
    uint64_t dropped, rejected, replaced, not_replaced;
};

void program_count(const struct program *prg, struct program_counts *out);

uint64_t program_alerts(const struct program_counts *counts);

/* Matches that came to no alert: suppressed, or held by a threshold. */
uint64_t program_held(const struct program_counts *counts);

#endif
