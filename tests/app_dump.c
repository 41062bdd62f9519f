/*
 * Prints what the application layer of weir-ids finds in captures, a value a line with the number
 * of its packet, transaction and side: app_dump [-a] [-m] [-l LAYERS] [-L] [-q] FILE... (-a: flows
 * seen from one side, -m: flows without their SYN, too; -L: LZMA,
 * -q: totals only). For whole runs (tests/verify/app-*).
 */
#include "app/app.h"

#include <weir/monitor.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN = 300 }; /* bytes of a value */

struct dump {
    struct app_layer *app;
    const struct weir_event *ev; /* at hand */
    bool quiet;
};

static const char *const names[BUFFERS] = {
#define X(upper, name, proto, sides, body) name,
    BUFFER_LIST(X)
#undef X
};

static const bool bodies[BUFFERS] = {
#define X(upper, name, proto, sides, body) body,
    BUFFER_LIST(X)
#undef X
};

static void
begin_line(const struct dump *d, const struct tx *tx, enum weir_dir dir)
{
    printf("%" PRIu64 "\t%s\t", d->ev->number, dir == WEIR_TOSERVER ? ">" : "<");
    if (tx != NULL)
        printf("%s/%" PRIu64, app_proto_name(tx->proto), tx->id);
    putchar('\t');
}

static void
value(const struct tx_bytes *bytes)
{
    if (bytes->start > 0)
        printf("@%" PRId64 " ", bytes->start);
    for (uint32_t i = 0; i < bytes->n && i < SHOWN; i++)
        if (bytes->p[i] >= 0x20 && bytes->p[i] < 0x7f && bytes->p[i] != '\\')
            putchar(bytes->p[i]);
        else
            printf("\\x%02x", bytes->p[i]);
    if (bytes->n > SHOWN)
        printf("... (%" PRIu32 ")", bytes->n);
    putchar('\n');
}

static void
show(const struct dump *d, struct tx *tx, enum weir_dir dir, bool body)
{
    struct tx_bytes bytes;

    for (unsigned id = 0; id < BUFFERS; id++)
        for (unsigned i = 0;
             bodies[id] == body && tx_buffer(tx, dir, (enum buffer_id)id, i, &bytes); i++) {
            begin_line(d, tx, dir);
            printf("%s\t", names[id]);
            value(&bytes);
        }
}

static void
on_tx(void *ctx, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    static const char *const stages[] = { "head", "body", "end", "gone" };
    const struct dump *d = ctx;

    if (d->quiet)
        return;
    begin_line(d, tx, dir);
    puts(stages[stage]);
    if (stage == TX_HEAD || stage == TX_END)
        show(d, tx, dir, stage == TX_END);
    else if (stage == TX_BODY)
        show(d, tx, dir, true);
}

static void
on_note(void *ctx, const char *name, struct tx *tx, enum weir_dir dir)
{
    if (((const struct dump *)ctx)->quiet)
        return;
    begin_line(ctx, tx, dir);
    puts(name);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct dump *d = ev->app;

    d->ev = ev;
    app_event(d->app, ctx, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

static int
dump_file(struct dump *d, const char *path)
{
    const struct weir_tap_spec spec = { .stage = stages, .n_stages = 1, .want = app_wants() };
    const struct weir_monitor_opts opts = { .no_checksums = true };
    const struct weir_app app = { .name = "dump",
                                  .spec = &spec,
                                  .flow_size = sizeof(struct app_flow),
                                  .history = APP_HISTORY,
                                  .arg = d };
    struct weir_errbuf err = { "" };
    struct weir_monitor *m = NULL;
    struct weir_port *port = NULL;
    int rc = weir_port_open_file(path, NULL, &port, &err);

    if (rc == WEIR_E_OK)
        rc = weir_monitor_new(&opts, &m);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_add(m, &app);
    if (rc == WEIR_E_OK)
        rc = weir_monitor_run(m, port, &err);
    if (m != NULL)
        weir_monitor_end(m);
    weir_monitor_free(m);
    weir_port_close(port);
    if (rc != WEIR_E_OK)
        fprintf(stderr, "%s: %s %s\n", path, weir_strerror(rc), err.text);
    return rc;
}

static void
totals(const struct app_layer *app)
{
    const struct app_stats *stats = app_get_stats(app);

    printf("0\t\t\ttotals\tno_memory=%" PRIu64 ",bodies_cut=%" PRIu64 ",text_cut=%" PRIu64
           ",events=%" PRIu64 ",lost=%" PRIu64 ",malformed=%" PRIu64 "\n",
           stats->no_memory, stats->bodies_cut, stats->text_cut, stats->events,
           app_http_stats(app)->lost, app_http_stats(app)->malformed);
}

int
main(int argc, char **argv)
{
    struct app_opts opts = app_defaults();
    struct weir_errbuf err = { "" };
    struct dump d = { .app = NULL };
    int rc, c;

    while ((c = getopt(argc, argv, "aml:Lq")) != -1)
        if (c == 'm')
            opts.midstream = true;
        else if (c == 'a')
            opts.one_sided = true;
        else if (c == 'q')
            d.quiet = true;
        else if (c == 'l')
            opts.layers = (uint8_t)atoi(optarg);
        else if (c == 'L')
            opts.lzma = true;
    rc = app_new(&opts, on_tx, on_note, &d, &d.app, &err);
    for (int i = optind; rc == WEIR_E_OK && i < argc; i++)
        rc = dump_file(&d, argv[i]);
    if (rc == WEIR_E_OK)
        totals(d.app);
    app_free(d.app);
    return rc == WEIR_E_OK ? 0 : 1;
}
