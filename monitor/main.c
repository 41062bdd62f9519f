/* weir: prints flow events. */
#include "cli.h"
#include "core/order.h"
#include "engine.h"
#include "json.h"
#include "keep.h"
#include "out.h"
#include "out_json.h"
#include "out_text.h"
#include "streams.h"
#include "top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_BYTES = 256, MOST_BYTES = 262144 };

/* Too many to read, or of little interest by themselves. */
#define DEFAULT_EVENTS                                                                             \
    (WEIR_EV_ALL & ~(WEIR_EV_BIT(WEIR_EV_PACKET) | WEIR_EV_BIT(WEIR_EV_PAYLOAD) |                  \
                     WEIR_EV_BIT(WEIR_EV_STATE) | WEIR_EV_BIT(WEIR_EV_DATAGRAM) |                  \
                     WEIR_EV_BIT(WEIR_EV_DUP_ACK) | WEIR_EV_BIT(WEIR_EV_WINDOW_UPDATE)))

struct program {
    struct cli cli;
    bool json, summary, colour;
    uint64_t events;    /* bits of those to print */
    bool events_chosen; /* by --events */
    bool bytes_given;
    uint32_t bytes; /* of a field that shows bytes */
    const char *streams_dir;
    const char *keep_file;
    struct keep *keep; /* NULL: -w was not given */
    struct out out;
    struct part *part; /* by core */
    unsigned n_parts;
};

/* What a core has of it. */
struct part {
    struct program *prg;
    struct out *out; /* the program's, or ordered */
    struct out ordered;
    struct streams *streams;
};

/* ---- options ------------------------------------------------------------------------------- */

static int
take_json(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->json = true;
    return WEIR_E_OK;
}

static int
take_summary(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->summary = true;
    return WEIR_E_OK;
}

static int
take_streams(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)err;
    ((struct program *)ctx)->streams_dir = value;
    return WEIR_E_OK;
}

static int
take_write(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)err;
    ((struct program *)ctx)->keep_file = value;
    return WEIR_E_OK;
}

static int
take_bytes(void *ctx, const char *value, struct weir_errbuf *err)
{
    uint64_t n;

    if (!cli_parse_size(value, &n) || n > MOST_BYTES)
        return weir_err_set(err, WEIR_E_INVAL, "--bytes: 0 to %d is expected, not '%s'", MOST_BYTES,
                            value);
    ((struct program *)ctx)->bytes = (uint32_t)n;
    ((struct program *)ctx)->bytes_given = true;
    return WEIR_E_OK;
}

/* One word of --events: a name, "all", or either with a - before it. */
static int
choose(struct program *prg, const char *word, struct weir_errbuf *err)
{
    bool minus = word[0] == '-';
    const char *name = word + minus;
    int type = weir_event_by_name(name);
    uint64_t bits;

    if (type < 0 && strcmp(name, "all") != 0)
        return weir_err_set(err, WEIR_E_INVAL, "--events: '%s' is no event (weir(1) lists them)",
                            name);
    bits = type < 0 ? WEIR_EV_ALL : WEIR_EV_BIT(type);
    if (!prg->events_chosen && !minus)
        prg->events = 0; /* the first name replaces the default, the first -name cuts it */
    prg->events_chosen = true;
    if (minus)
        prg->events &= ~bits;
    else
        prg->events |= bits;
    return WEIR_E_OK;
}

static int
take_events(void *ctx, const char *value, struct weir_errbuf *err)
{
    char words[1024], *rest = words, *word;
    int rc = WEIR_E_OK;

    if (snprintf(words, sizeof(words), "%s", value) >= (int)sizeof(words))
        return weir_err_set(err, WEIR_E_INVAL, "--events: the list is too long");
    while (rc == WEIR_E_OK && (word = strsep(&rest, ",")) != NULL)
        rc = choose(ctx, word, err);
    return rc;
}

static const struct cli_option options[] = {
    { 0, "json", NULL, "one JSON object a line instead of text", take_json },
    { 0, "events", "LIST",
      "a,b,-c: which events; all: every one (default: all but packet, payload, datagram)",
      take_events },
    { 0, "bytes", "N", "bytes to show of payload (default: 256)", take_bytes },
    { 0, "summary", NULL, "a table of counts by event instead of the events", take_summary },
    { 'w', NULL, "FILE", "write the packets of flows with such an event to a pcapng file",
      take_write },
    { 0, "streams", "DIR", "write each direction's reassembled bytes to a file", take_streams },
    { 0, NULL, NULL, NULL, NULL },
};

/* ---- the app ------------------------------------------------------------------------------- */

static void
keep_streams(struct part *part, struct stream_state *state, const struct weir_event *ev)
{
    if (ev->flow == NULL)
        return;
    if (ev->type == WEIR_EV_FLOW_START && weir_flow_proto(ev->flow) == WEIR_PROTO_TCP)
        streams_start(part->streams, state, ev->flow);
    else if (ev->type == WEIR_EV_PAYLOAD)
        streams_write(part->streams, state, ev);
    else if (ev->type == WEIR_EV_FLOW_END)
        streams_end(part->streams, state, ev);
}

static weir_fut
print_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct part *part = ev->app;
    struct program *prg = part->prg;

    if (part->streams != NULL)
        keep_streams(part, ctx, ev);
    if (prg->keep != NULL && prg->events >> ev->type & 1)
        keep_mark(prg->keep, ev, NULL);
    if (prg->summary || (prg->events >> ev->type & 1) == 0)
        return weir_ok(0);
    if (prg->json)
        out_json_event(part->out, ev, prg->bytes);
    else
        out_text_event(part->out, ev, prg->bytes, prg->colour);
    return weir_ok(0);
}

static const weir_fn stages[] = { print_event };

static void
at_end(void *arg)
{
    const struct program *prg = arg;

    if (prg->keep != NULL)
        keep_end(prg->keep);
}

static void
after_batch(void *arg)
{
    struct program *prg = arg;

    cli_check_output(&prg->cli, &prg->out);
}

/* ---- the summary --------------------------------------------------------------------------- */

static void
print_summary_json(struct program *prg, const struct weir_monitor_stats *stats, uint64_t events)
{
    struct json j;

    json_begin(&j, &prg->out);
    json_str(&j, "event_type", "summary");
    json_u64(&j, "packets", stats->packets);
    json_u64(&j, "bytes", stats->bytes);
    json_u64(&j, "flows", stats->flows);
    json_u64(&j, "no_flow", stats->no_flow);
    json_u64(&j, "fragments", stats->fragments);
    json_u64(&j, "undelivered", stats->undelivered);
    json_open(&j, "events");
    for (int i = 0; i < WEIR_EV_COUNT; i++)
        if (events >> i & 1)
            json_u64(&j, weir_event_name((unsigned)i), stats->events[i]);
    json_end(&j);
}

static void
print_row(struct out *out, const char *name, uint64_t count)
{
    char row[80];

    snprintf(row, sizeof(row), "%-18s%14llu\n", name, (unsigned long long)count);
    out_str(out, row);
}

static void
print_summary_text(struct program *prg, const struct weir_monitor_stats *stats, uint64_t events)
{
    print_row(&prg->out, "packets", stats->packets);
    print_row(&prg->out, "bytes", stats->bytes);
    print_row(&prg->out, "flows", stats->flows);
    print_row(&prg->out, "no_flow", stats->no_flow);
    print_row(&prg->out, "fragments", stats->fragments);
    print_row(&prg->out, "undelivered", stats->undelivered);
    out_char(&prg->out, '\n');
    for (int i = 0; i < WEIR_EV_COUNT; i++)
        if (events >> i & 1)
            print_row(&prg->out, weir_event_name((unsigned)i), stats->events[i]);
    out_end_record(&prg->out);
}

static void
print_summary(struct program *prg, const struct weir_monitor *m)
{
    uint64_t events = prg->events_chosen ? prg->events : WEIR_EV_ALL;
    struct weir_monitor_stats stats;

    weir_monitor_get_stats(m, &stats);
    if (prg->json)
        print_summary_json(prg, &stats, events);
    else
        print_summary_text(prg, &stats, events);
}

/* ---- main ---------------------------------------------------------------------------------- */

static uint64_t
wanted(const struct program *prg)
{
    uint64_t want = prg->summary && prg->keep == NULL ? 0 : prg->events;

    if (prg->streams_dir != NULL)
        want |= WEIR_EV_BIT(WEIR_EV_FLOW_START) | WEIR_EV_BIT(WEIR_EV_PAYLOAD) |
                WEIR_EV_BIT(WEIR_EV_FLOW_END);
    return want;
}

/* What each core needs. */
static int
make_parts(struct program *prg, struct order *order, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    prg->n_parts = prg->cli.monitor.cores;
    prg->part = calloc(prg->n_parts, sizeof(*prg->part));
    if (prg->part == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    for (unsigned i = 0; i < prg->n_parts && rc == WEIR_E_OK; i++) {
        struct part *part = &prg->part[i];

        part->prg = prg;
        part->out = order != NULL ? &part->ordered : &prg->out;
        if (order != NULL)
            rc = out_open_ordered(&part->ordered, &prg->out, order_end(order, i));
        if (rc == WEIR_E_OK && prg->streams_dir != NULL)
            rc = streams_new(prg->streams_dir, prg->n_parts, &part->streams, err);
    }
    return rc;
}

static void
free_parts(struct program *prg)
{
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; prg->part != NULL && i < prg->n_parts; i++) {
        out_close_ordered(&prg->part[i].ordered);
        if (streams_free(prg->part[i].streams, &err) == WEIR_E_OK)
            continue;
        cli_error(&prg->cli, "%s", err.text);
        prg->cli.failed = true;
    }
    free(prg->part);
}

static int
add_app(struct program *prg, struct weir_monitor *m, struct weir_tap_spec *spec)
{
    void *arg[MAX_CORES];
    struct weir_app app = { .name = "weir", .spec = spec, .arg = &prg->part[0], .core_arg = arg };

    *spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = wanted(prg) };
    app.flow_size = prg->streams_dir != NULL ? sizeof(struct stream_state) : 0;
    for (unsigned i = 0; i < prg->n_parts; i++)
        arg[i] = &prg->part[i];
    return spec->want != 0 ? weir_monitor_add(m, &app) : WEIR_E_OK;
}

static int
set_up(struct program *prg, struct weir_monitor **m, struct weir_tap_spec *spec,
       struct weir_errbuf *err)
{
    int rc = cli_open_output(&prg->cli, NULL, &prg->out, err);

    if (rc == WEIR_E_OK && prg->keep_file != NULL)
        rc = keep_open(&prg->cli, prg->keep_file, &prg->keep, err);
    if (rc != WEIR_E_OK)
        return rc;
    rc = weir_monitor_new(&prg->cli.monitor, m);
    if (rc == WEIR_E_OK && prg->keep != NULL)
        rc = keep_add(prg->keep, *m);
    if (rc == WEIR_E_OK && (rc = make_parts(prg, monitor_order(*m), err)) != WEIR_E_OK)
        return rc;
    if (rc == WEIR_E_OK)
        rc = add_app(prg, *m, spec);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s", weir_strerror(rc));
}

static void
run(struct program *prg)
{
    struct weir_monitor *m = NULL;
    struct weir_tap_spec spec;
    struct weir_errbuf err = { "" };

    if (set_up(prg, &m, &spec, &err) != WEIR_E_OK) {
        cli_error(&prg->cli, "%s", err.text);
        prg->cli.failed = true;
        keep_close(prg->keep, &prg->cli);
        free_parts(prg);
        cli_close_output(&prg->cli, &prg->out);
        weir_monitor_free(m);
        return;
    }
    cli_run(&prg->cli, m, after_batch, prg);
    if (prg->summary && !prg->cli.unstarted)
        print_summary(prg, m);
    free_parts(prg);
    cli_flush_output(&prg->cli, &prg->out);
    cli_close_output(&prg->cli, &prg->out);
    keep_close(prg->keep, &prg->cli);
    cli_stats(&prg->cli, m, prg->json);
    cli_summary(&prg->cli, m);
    weir_monitor_free(m);
}

int
main(int argc, char **argv)
{
    struct program prg = {
        .cli = { .program = "weir",
                 .synopsis = "[options] -r FILE|DIR|- | -i INTERFACE [filter words]\n"
                             "       weir top [options]",
                 .about = "Print the flow events of a capture or an interface; top: show what a "
                          "running program counts.",
                 .options = options,
                 .at_end = at_end,
                 .no_logs = true },
        .events = DEFAULT_EVENTS,
        .bytes = DEFAULT_BYTES,
    };
    int code;

    if (argc > 1 && strcmp(argv[1], "top") == 0)
        return top_main(argc - 1, argv + 1);
    prg.cli.ctx = &prg;
    code = cli_parse(&prg.cli, argc, argv);
    if (code < 0) {
        if (prg.summary && prg.bytes_given)
            cli_notice(&prg.cli, "no effect with --summary: --bytes");
        prg.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
        run(&prg);
        code = cli_exit_code(&prg.cli);
    }
    cli_free(&prg.cli);
    return code;
}
