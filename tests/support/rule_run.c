#include "support/rule_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG
#include <assert.h>

enum { ROOMS = 4000 };

static void
check(int rc, const struct weir_errbuf *err)
{
    if (rc != WEIR_E_OK)
        fprintf(stderr, "%s\n", err->text);
    assert(rc == WEIR_E_OK);
}

/* ---- the app ------------------------------------------------------------------------------- */

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct rule_run *f = ctx;
    const size_t n = strlen(f->said);

    f->action = outcome_action(detect_outcome(f->detect));
    snprintf(f->said + n, sizeof(f->said) - n, "%u@%u ", rule->sid, (unsigned)ev->number);
}

static void
on_tagged(void *ctx, const struct weir_event *ev)
{
    struct rule_run *f = ctx;
    const size_t n = strlen(f->said);

    snprintf(f->said + n, sizeof(f->said) - n, "+%u ", (unsigned)ev->number);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct rule_run *f = ev->app;
    struct flow_scan *scan = ctx;

    if (f->http_from != 0 && ev->flow != NULL && ev->number >= f->http_from)
        scan->app.proto = APP_HTTP;
    detect_event(f->detect, scan, ev);
    if (ev->type == WEIR_EV_FLOW_END)
        f->alerted = scan->alerted;
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

/* ---- a run --------------------------------------------------------------------------------- */

int
rule_run_set_up(void **state)
{
    static struct rule_run f;

    f = (struct rule_run){ .l = { .vars = vars_new() }, .opts = { .memory = 64 << 20 } };
    f.room = malloc(ROOMS * sizeof(*f.room));
    *state = &f;
    return f.l.vars == NULL || f.room == NULL;
}

int
rule_run_tear_down(void **state)
{
    struct rule_run *f = *state;

    weir_monitor_free(f->m);
    detect_free(f->detect);
    unload(&f->l);
    free(f->room);
    return 0;
}

void
begin(struct rule_run *f, const char *rules)
{
    begin_with(f, rules, "");
}

void
begin_with(struct rule_run *f, const char *rules, const char *limits)
{
    struct weir_app app = { .name = "ids",
                            .spec = &f->spec,
                            .flow_size = sizeof(struct flow_scan),
                            .history = DETECT_WINDOW,
                            .arg = f };
    struct weir_errbuf err = { "" };

    load(&f->l, rules, limits);
    f->opts.outcome.limits = &f->l.limits;
    f->opts.outcome.tagged = on_tagged;
    f->opts.outcome.ctx = f;
    check(detect_new(f->l.groups, &f->opts, on_alert, f, &f->detect, &err), &err);
    app.no_flow_packets = groups_ask_packets(f->l.groups);
    f->spec =
        (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = detect_wants(f->detect) };
    check(weir_monitor_new(NULL, &f->m), &err);
    check(weir_monitor_add(f->m, &app), &err);
}

uint8_t *
next_room(struct rule_run *f)
{
    assert(f->n < ROOMS);
    return f->room[f->n++];
}

void
feed(struct rule_run *f, struct weir_frame frame)
{
    const int rc = weir_monitor_feed(f->m, &frame, 1);

    assert(rc == WEIR_E_OK);
}

void
segment(struct rule_run *f, struct segment s)
{
    s.ms = f->ms++;
    s.client_port = f->port;
    feed(f, tcp_frame(&s, next_room(f)));
}

void
client(struct rule_run *f, uint8_t flags, int off, int ack, const char *data)
{
    segment(f, (struct segment){ .dir = WEIR_TOSERVER,
                                 .flags = flags,
                                 .seq = CLIENT + (uint32_t)off,
                                 .ack = flags & WEIR_TH_ACK ? SERVER + (uint32_t)ack : 0,
                                 .data = data,
                                 .n = (uint32_t)strlen(data) });
}

void
server(struct rule_run *f, uint8_t flags, int off, int ack, const char *data)
{
    segment(f, (struct segment){ .dir = WEIR_TOCLIENT,
                                 .flags = flags,
                                 .seq = SERVER + (uint32_t)off,
                                 .ack = flags & WEIR_TH_ACK ? CLIENT + (uint32_t)ack : 0,
                                 .data = data,
                                 .n = (uint32_t)strlen(data) });
}

void
handshake(struct rule_run *f)
{
    client(f, WEIR_TH_SYN, -1, 0, "");
    server(f, WEIR_TH_SYN | WEIR_TH_ACK, -1, 0, "");
    client(f, WEIR_TH_ACK, 0, 0, "");
}
