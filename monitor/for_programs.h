/*
 * What programs ask of a monitor beyond <weir/monitor.h>. Of its inside they know nothing: this,
 * and what programs share, is all that they include of this room.
 *
 * Threads: as <weir/monitor.h> has them, where nothing is said.
 */
#ifndef WEIR_FOR_PROGRAMS_H
#define WEIR_FOR_PROGRAMS_H

#include <weir/monitor.h>

#include <stdbool.h>
#include <stdint.h>

enum { MAX_CORES = 64 };

struct order;

/* The monitor's order; NULL: there is one core. */
struct order *monitor_order(const struct weir_monitor *m);

/*
 * For programs, which do more between reads: pull() is called, by one core at a time, until it
 * returns false, and calls monitor_read(). The frames need not outlive pull(), unless stable.
 *
 * pull_queue(), of a live port with several queues, at most one a core, is called instead from the
 * first packet on, by a core for each queue at the same time, and calls monitor_read_queue() and
 * behind a burst monitor_commit(). It never waits. It returns more than 0 if packets came, 0 if
 * none did, less if all is over. What follows is for pull(), and the pull_queue() of queue 0.
 */
struct monitor_input {
    struct weir_port *port;
    bool (*pull)(void *ctx);
    int (*pull_queue)(void *ctx, unsigned queue); /* NULL: pull() reads all queues */
    void *ctx;
};

void monitor_pull(struct weir_monitor *m, const struct monitor_input *input);
int monitor_read(struct weir_monitor *m, const struct weir_frame *frames, unsigned n);
void monitor_read_queue(struct weir_monitor *m, unsigned queue, const struct weir_frame *frames,
                        unsigned n);
void monitor_commit(struct weir_monitor *m, unsigned queue);

/*
 * Call fn(ctx, its time) before the first packet of monitor_read() whose time is not before this
 * one: when all cores have done what came earlier, and wait. It returns the time of the next call;
 * UINT64_MAX: there is none.
 */
void monitor_call_at(struct weir_monitor *m, uint64_t time, uint64_t (*fn)(void *ctx, uint64_t now),
                     void *ctx);

/* What each core has done, when all have settled. */
struct core_stats {
    uint64_t packets; /* that it followed, and the CPU time of its thread, that of reading in it */
    uint64_t cpu_ns;
};

/* Returns how many cores there are, of which the first @most are told. */
unsigned monitor_get_cores(const struct weir_monitor *m, struct core_stats *out, unsigned most);

/*
 * In a stage, on this core: call done(arg) once, when all events of the packet at hand, or of the
 * flow that was due, have been told, and before these go. The last one asked for counts.
 */
void monitor_when_done(struct weir_monitor *m, unsigned core, void (*done)(void *arg), void *arg);

/* The app that was added last, and its state in a flow of the core that asks. */
unsigned monitor_last_app(const struct weir_monitor *m);
void *monitor_flow_state(const struct weir_monitor *m, unsigned app, const struct weir_flow *flow);

/*
 * In pull(), live: there is no packet for now. Time has passed since the last one as the machine's
 * clock says: timers run, and handlers that can.
 */
void monitor_pass_time(struct weir_monitor *m);

/*
 * In pull(), live: so many milliseconds, 1 to MONITOR_WAIT_MS, packets may be waited for. Then a
 * tick has passed, at which handlers that sleep on time wake.
 */
enum { MONITOR_WAIT_MS = 100 };
int monitor_wait_ms(const struct weir_monitor *m);

/*
 * In pull(): wait until all cores are done with what was read; to its end nothing more is handed
 * on.
 */
void monitor_settle(struct weir_monitor *m);

#endif
