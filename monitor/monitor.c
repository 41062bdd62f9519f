#include <weir/monitor.h>

#include "core/core.h"
#include "cores.h"
#include "hosts.h"
#include "reasm.h"
#include "state/shared.h"
#include "syns.h"

#include <assert.h>
#include <poll.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_MEMCAP (UINT64_C(4) << 30)
#define LEAST_MEMCAP   (UINT64_C(256) << 20)
#define HELD_CORE_MAX  (UINT64_C(64) << 30)
#define PASS_NS        UINT64_C(1000000) /* of no packets in a queue, before all hear of it */

enum {
    MAX_HISTORY = 1 << 20,
    MAX_STAGES = 255, /* a tap counts them in a byte */
};

/* ---- life ---------------------------------------------------------------------------------- */

static bool
opts_are_valid(const struct weir_monitor_opts *opts)
{
    for (unsigned i = 0; i < WEIR_TIMEOUT_COUNT; i++)
        if (opts->timeout[i] > WEIR_TIMEOUT_MAX)
            return false;
    return (opts->memcap == 0 || opts->memcap >= LEAST_MEMCAP) && opts->retain <= RETAIN_MAX &&
           (unsigned)opts->policy < WEIR_POLICY_COUNT && opts->cores <= MAX_CORES &&
           opts->held_packets <= UINT16_MAX && opts->held_core <= HELD_CORE_MAX &&
           (opts->outlet == NULL || opts->outlet->send != NULL);
}

int
weir_monitor_new(const struct weir_monitor_opts *opts, struct weir_monitor **out)
{
    return monitor_new_sized(opts, NULL, out);
}

int
monitor_new_sized(const struct weir_monitor_opts *opts, const struct cores_sizes *sizes,
                  struct weir_monitor **out)
{
    static const struct weir_monitor_opts defaults;
    struct weir_monitor *m;
    struct engine *e;
    int rc;

    *out = NULL;
    if (opts == NULL)
        opts = &defaults;
    if (!opts_are_valid(opts))
        return WEIR_E_INVAL;
    m = aligned_alloc(alignof(struct weir_monitor), sizeof(*m));
    if (m == NULL)
        return WEIR_E_NOMEM;
    memset(m, 0, sizeof(*m));
    m->call_at = UINT64_MAX;
    e = &m->e;
    e->stop = &m->stop;
    e->opts = *opts;
    if (e->opts.memcap == 0)
        e->opts.memcap = DEFAULT_MEMCAP;
    e->secret = (struct hash_key){ mix64(opts->seed + 1), mix64(~opts->seed) };
    if (e->opts.retain == 0)
        e->opts.retain = KEPT_WINDOW;
    e->window = e->opts.retain;
    engine_set_timeouts(e, opts->timeout);
    e->n_cores = opts->cores > 0 ? opts->cores : 1;
    rc = hosts_new(opts->hosts, opts->n_hosts, opts->policy, &e->hosts);
    e->opts.hosts = NULL; /* copied; not ours to keep */
    if (opts->outlet != NULL)
        e->outlet = *opts->outlet;
    e->opts.outlet = NULL;
    if (rc == WEIR_E_OK)
        rc = engine_make_core(e);
    if (rc == WEIR_E_OK)
        rc = cores_new(e, e->n_cores, sizes, &m->cores);
    if (rc != WEIR_E_OK) {
        weir_monitor_free(m);
        return rc;
    }
    *out = m;
    return WEIR_E_OK;
}

int
weir_monitor_add(struct weir_monitor *m, const struct weir_app *app)
{
    struct engine *e = &m->e;

    if (e->started || app->history > MAX_HISTORY || app->spec->n_stages > MAX_STAGES ||
        (app->spec->n_stages == 0 && app->spec->want != 0) ||
        app->spec->want >> (WEIR_EV_COUNT + e->n_defs) != 0)
        return WEIR_E_INVAL;
    if (e->n_apps == MAX_APPS)
        return WEIR_E_LIMIT;
    e->apps[e->n_apps] = (struct app){ .pub = *app };
    for (unsigned i = 0; i < e->n_cores; i++)
        e->apps[e->n_apps].core_arg[i] = app->core_arg != NULL ? app->core_arg[i] : app->arg;
    e->apps[e->n_apps].pub.arg = e->apps[e->n_apps].core_arg[0];
    e->n_apps++;
    e->want |= app->spec->want;
    e->history |= app->history > 0;
    e->no_flow_packets |= app->no_flow_packets && app->spec->want & WEIR_EV_BIT(WEIR_EV_PACKET);
    if (app->history > e->window)
        e->window = app->history;
    return WEIR_E_OK;
}

void
weir_monitor_free(struct weir_monitor *m)
{
    if (m == NULL)
        return;
    cores_free(m->cores);
    engine_release(&m->e);
    hosts_free(m->e.hosts);
    free(m);
}

/* ---- packets ------------------------------------------------------------------------------- */

/* The first packet: all apps are known, so the size of a flow is. */
static int
start(struct weir_monitor *m, uint64_t time)
{
    return m->cores->started ? WEIR_E_OK : cores_start(m->cores, time);
}

int
weir_monitor_feed(struct weir_monitor *m, const struct weir_frame *frames, unsigned n)
{
    struct reader *reader = &m->cores->reader;
    int rc = n > 0 ? start(m, frames[0].time) : WEIR_E_OK;

    if (rc != WEIR_E_OK)
        return rc;
    if (n == 0)
        weir_core_run(m->e.core, UINT32_MAX);
    if (n == 0 && m->e.inl != NULL)
        inline_flush(&m->e);
    for (unsigned i = 0; i < n; i++)
        reader_take(reader, &frames[i]);
    cores_flush(m->cores);
    return WEIR_E_OK;
}

static uint64_t
clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int
monitor_read(struct weir_monitor *m, const struct weir_frame *frames, unsigned n)
{
    int rc = n > 0 ? start(m, frames[0].time) : WEIR_E_OK;

    if (n > 0 && m->e.opts.live)
        m->cores->reader.read_at = clock_ns();
    for (unsigned i = 0; i < n && rc == WEIR_E_OK; i++) {
        if (frames[i].time >= m->call_at) {
            cores_settle(m->cores);
            m->call_at = m->call(m->call_ctx, frames[i].time);
        }
        reader_take(&m->cores->reader, &frames[i]);
    }
    return rc;
}

void
monitor_read_queue(struct weir_monitor *m, unsigned queue, const struct weir_frame *frames,
                   unsigned n)
{
    assert(m->call_at == UINT64_MAX); /* live there are none */
    cores_take(m->cores, queue, frames, n, clock_ns());
}

void
monitor_commit(struct weir_monitor *m, unsigned queue)
{
    cores_commit(m->cores, queue);
}

/* A queue is looked at more often than that the others need hear of it. */
static void
pass_time_of_queues(struct weir_monitor *m, uint64_t now)
{
    if (now - m->passed_at < PASS_NS)
        return;
    m->passed_at = now;
    cores_pass_time(m->cores, 0, now);
}

void
monitor_pass_time(struct weir_monitor *m)
{
    struct reader *r = &m->cores->reader;
    const uint64_t now = clock_ns();

    if (!m->cores->started)
        return;
    if (m->cores->parallel) {
        pass_time_of_queues(m, now);
        return;
    }
    reader_pass_time(r, now - r->read_at);
    r->read_at = now;
}

int
monitor_wait_ms(const struct weir_monitor *m)
{
    if (!m->cores->started)
        return MONITOR_WAIT_MS;
    return reader_wait_ms(&m->cores->reader, clock_ns(), MONITOR_WAIT_MS);
}

void
monitor_call_at(struct weir_monitor *m, uint64_t time, uint64_t (*fn)(void *ctx, uint64_t now),
                void *ctx)
{
    m->call_at = time;
    m->call = fn;
    m->call_ctx = ctx;
}

void
monitor_when_done(struct weir_monitor *m, unsigned core, void (*done)(void *arg), void *arg)
{
    struct engine *e = m->cores->engine[core];

    e->done = done;
    e->done_arg = arg;
}

unsigned
monitor_last_app(const struct weir_monitor *m)
{
    return m->e.n_apps - 1;
}

void *
monitor_flow_state(const struct weir_monitor *m, unsigned app, const struct weir_flow *flow)
{
    return flow_apps(flow) + m->e.apps[app].state;
}

/* What comes through a pipe has no size; an interface has none either, but never waits for long. */
static bool
is_stream(const struct weir_port *port)
{
    struct weir_port_stats stats;

    if (weir_port_fd(port) >= 0)
        return false;
    weir_port_get_stats(port, &stats);
    return stats.bytes_total == 0;
}

uint64_t
monitor_syns(const struct weir_flow *flow)
{
    return flow_shard(flow)->engine->syns;
}

static int
queue_fd(void *ctx, unsigned queue)
{
    const struct monitor_input *input = ctx;

    return weir_port_queue_fd(input->port, queue);
}

static bool
pull_all(void *ctx)
{
    const struct monitor_input *input = ctx;

    return input->pull(input->ctx);
}

static int
pull_queue(void *ctx, unsigned queue)
{
    const struct monitor_input *input = ctx;

    return input->pull_queue(input->ctx, queue);
}

/* A core reads one queue; where there are more, one core has them all in turn. */
static unsigned
queues_to_read(const struct weir_monitor *m, const struct monitor_input *input)
{
    const unsigned n = weir_port_queues(input->port);

    return m->e.opts.live && input->pull_queue != NULL && n <= m->cores->n ? n : 1;
}

void
monitor_pull(struct weir_monitor *m, const struct monitor_input *input)
{
    struct monitor_input copy = *input;
    const struct source source = { .pull = pull_all,
                                   .stream = is_stream(input->port),
                                   .queues = queues_to_read(m, input),
                                   .pull_queue = pull_queue,
                                   .queue_fd = queue_fd,
                                   .ctx = &copy };

    cores_run(m->cores, &source);
}

void
monitor_settle(struct weir_monitor *m)
{
    if (m->cores->started)
        cores_settle(m->cores);
}

struct order *
monitor_order(const struct weir_monitor *m)
{
    return m->cores->order;
}

void
weir_monitor_share(const struct weir_monitor *m, struct weir_shared *s)
{
    shared_set_order(s, m->cores->order);
}

/* What weir_monitor_run() is at. */
struct run {
    struct weir_monitor *m;
    struct weir_port *port;
    struct weir_errbuf *err;
    int rc;
    atomic_flag failed; /* a queue has, and said why */
    bool empty;         /* live: the port gave all that it had */
};

/* Ports wait for long: until the next tick has come nobody need ask one that has nothing. */
static bool
has_none_by_the_tick(const struct run *run)
{
    struct pollfd fd = { .fd = weir_port_fd(run->port), .events = POLLIN };

    return run->empty && fd.fd >= 0 && poll(&fd, 1, monitor_wait_ms(run->m)) == 0;
}

static bool
pull_port(void *ctx)
{
    struct run *run = ctx;
    struct weir_frame frames[BATCH_MANY];
    int n = 0;

    if (!has_none_by_the_tick(run))
        n = weir_port_read(run->port, frames, BATCH_MANY, run->err);
    run->empty = run->m->e.opts.live && n < BATCH_MANY;
    if (n == 0 && run->m->e.opts.live)
        monitor_pass_time(run->m);
    run->rc = n < 0 ? n : monitor_read(run->m, frames, (unsigned)n);
    return run->rc == WEIR_E_OK && !run->m->stop && (n > 0 || run->m->e.opts.live);
}

static int
fail_queue(struct run *run, int rc, const struct weir_errbuf *err)
{
    if (!atomic_flag_test_and_set(&run->failed)) {
        run->rc = rc;
        if (run->err != NULL)
            *run->err = *err;
    }
    return rc;
}

static int
pull_port_queue(void *ctx, unsigned queue)
{
    struct run *run = ctx;
    struct weir_frame frames[BATCH_MANY];
    struct weir_errbuf err = { "" };
    unsigned all = 0;
    int n;

    do {
        n = weir_port_read_queue(run->port, queue, frames, BATCH_MANY, &err);
        if (n > 0)
            monitor_read_queue(run->m, queue, frames, (unsigned)n);
        all += n > 0 ? (unsigned)n : 0;
    } while (n > 0 && all < BATCH_MANY);
    monitor_commit(run->m, queue);
    if (n < 0)
        return fail_queue(run, n, &err);
    if (all == 0 && queue == 0)
        monitor_pass_time(run->m);
    return run->m->stop ? -1 : (int)all;
}

int
weir_monitor_run(struct weir_monitor *m, struct weir_port *port, struct weir_errbuf *err)
{
    struct run run = { .m = m, .port = port, .err = err, .failed = ATOMIC_FLAG_INIT };
    const struct monitor_input input = {
        .port = port, .pull = pull_port, .pull_queue = pull_port_queue, .ctx = &run
    };

    monitor_pull(m, &input);
    return run.rc;
}

void
weir_monitor_stop(struct weir_monitor *m)
{
    m->stop = true;
}

/* ---- the end ------------------------------------------------------------------------------- */

void
weir_monitor_end(struct weir_monitor *m)
{
    if (m->cores->started)
        cores_end(m->cores);
}

/* All counters are whole numbers of 64 bits but one. */
static void
add_stats(struct weir_monitor_stats *to, const struct weir_monitor_stats *from)
{
    to->packets += from->packets;
    to->bytes += from->bytes;
    to->flows += from->flows;
    to->live_flows += from->live_flows;
    to->no_flow += from->no_flow;
    to->lookups += from->lookups;
    to->fragments += from->fragments;
    to->datagrams += from->datagrams;
    to->undelivered += from->undelivered;
    to->bad_checksums += from->bad_checksums;
    to->tap_dropped += from->tap_dropped;
    to->forwarded += from->forwarded;
    to->send_drops += from->send_drops;
    to->dropped += from->dropped;
    to->fail_closed += from->fail_closed;
    to->fail_open += from->fail_open;
    to->held += from->held;
    to->held_max = from->held_max > to->held_max ? from->held_max : to->held_max;
    to->rejects += from->rejects;
    to->rewritten += from->rewritten;
    to->late_fragments += from->late_fragments;
    for (size_t i = 0; i < sizeof(to->overload) / sizeof(*to->overload); i++)
        to->overload[i] += from->overload[i];
    for (unsigned i = 0; i < WEIR_EV_COUNT; i++)
        to->events[i] += from->events[i];
    for (unsigned i = 0; i < WEIR_EV_DEFINED_MAX; i++)
        to->defined[i] += from->defined[i];
}

void
weir_monitor_get_stats(const struct weir_monitor *m, struct weir_monitor_stats *out)
{
    const struct cores *c = m->cores;

    *out = m->e.stats;
    out->memory = c->reader.frags.mem.used;
    for (unsigned k = 0; k < c->n; k++) {
        const struct engine *e = c->engine[k];

        if (e == NULL)
            continue;
        if (k > 0)
            add_stats(out, &e->stats);
        for (unsigned i = 0; i < N_SHARDS; i++)
            out->memory += e->shards[i].mem.used;
    }
    out->offload = cores_see_offload(c);
}

unsigned
monitor_get_cores(const struct weir_monitor *m, struct core_stats *out, unsigned most)
{
    const struct cores *c = m->cores;

    for (unsigned i = 0; i < c->n && i < most; i++) {
        const struct engine *e = c->engine[i];

        out[i] = (struct core_stats){ .packets = e != NULL ? e->stats.packets : 0,
                                      .cpu_ns = cores_cpu_ns(c, i) };
    }
    return c->n;
}
