/*
 * What a running program tells of itself, to the control socket and to who collects metrics: a
 * snapshot of its counters, taken between two reads, and its forms.
 */
#ifndef WEIR_COUNTS_H
#define WEIR_COUNTS_H

#include <weir/monitor.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that is sent; what does not fit is left out, and cut tells. */
struct reply {
    size_t n;
    bool cut;
    char at[49152]; /* some three times what any answer takes */
};

void reply_clear(struct reply *to);
void reply_add(struct reply *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum { COUNTS_PORTS = 16, COUNTS_NAME = 32, COUNTS_CORES = 64 };

/* Of a packet thread, the reader's work in it. */
struct counts_core {
    uint64_t packets, cpu_ms;
};

/* Of a port that is sent through, too. */
struct counts_port {
    char name[COUNTS_NAME];
    uint64_t received, lost; /* came; of these, those that were lost before they were read */
    uint64_t sent;
    uint64_t send_drops, send_large; /* could not leave; of these, were too large */
};

struct counts {
    struct weir_monitor_stats monitor;
    uint64_t kernel_packets, kernel_drops, interface_drops, frames_copied,
        frames_verified; /* live */
    uint64_t log_dropped;
    uint32_t cores;
    struct counts_core core[COUNTS_CORES];
    unsigned n_ports; /* 0: not inline */
    struct counts_port port[COUNTS_PORTS];
    uint64_t unseen; /* packets that the filter left out, and that went on */
    bool has_rules;  /* what follows means something */
    uint64_t rules_loaded, rules_failed, alerts, alerts_suppressed;
    /* Of the moment they are told. */
    uint64_t uptime_ms, cpu_ms;
};

/* One of them, by name: "flows". */
struct counts_field {
    const char *name;
    const char *help;        /* for metrics */
    size_t offset;           /* in struct counts, of a uint64_t */
    bool gauge, rules, wire; /* it may fall; only with has_rules; only inline */
};

/* In the order in which they are told; ends with a name that is NULL. */
extern const struct counts_field counts_fields[];

/* NULL: this program does not have it. */
const uint64_t *counts_get(const struct counts *c, const struct counts_field *field);

/* Packets or records that are lost, by reason: 0, 1, ... NULL: there is no such reason. */
const char *counts_drop(const struct counts *c, unsigned reason, uint64_t *n);

/* What is told of each port, by number: 0, 1, ... NULL: there is no such value. */
const char *counts_of_port(const struct counts_port *port, unsigned which, uint64_t *n);

/* The name of a limit (enum weir_overload); NULL: there is none. */
const char *counts_limit(unsigned limit);

/* One object in one line. */
void counts_json(const struct counts *c, struct reply *to);

#endif
