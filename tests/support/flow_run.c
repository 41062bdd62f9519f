#include "support/flow_run.h"

#include <assert.h>
#include <stdlib.h>

enum { CLIENT_ISN = 1000, SERVER_ISN = 5000 };

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct flow_run *run = ctx;

    (void)ev;
    run->alerted |= UINT64_C(1) << (rule - run->rules.at);
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    detect_event(((struct flow_run *)ev->app)->detect, ctx, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

bool
run_load(struct flow_run *run, const char *rules, size_t n)
{
    struct weir_errbuf err = { "" };

    *run = (struct flow_run){ .vars = vars_new(),
                              .room = malloc(RUN_SEGMENTS * sizeof(*run->room)) };
    return run->vars != NULL && run->room != NULL &&
           rules_load_text(&run->rules, run->vars, "rules", (struct text){ rules, n }, NULL, NULL,
                           &err) == WEIR_E_OK &&
           run->rules.n > 0 && run->rules.n <= RUN_RULES &&
           groups_new(&run->rules, &run->groups, &err) == WEIR_E_OK;
}

static void
feed(struct flow_run *run, struct segment s)
{
    struct weir_frame frame;
    int rc;

    assert(run->n < RUN_SEGMENTS);
    s.ms = run->n;
    frame = tcp_frame(&s, run->room[run->n++]);
    rc = weir_monitor_feed(run->m, &frame, 1);
    assert(rc == WEIR_E_OK);
    (void)rc;
}

/* The client's segment at an offset of its stream. */
static void
client(struct flow_run *run, uint8_t flags, int64_t offset, const uint8_t *data, size_t n,
       unsigned urgent)
{
    feed(run, (struct segment){ .dir = WEIR_TOSERVER,
                                .flags = urgent > 0 ? flags | WEIR_TH_URG : flags,
                                .urgent = (uint16_t)urgent,
                                .seq = (uint32_t)(CLIENT_ISN + 1 + offset),
                                .ack = flags & WEIR_TH_ACK ? SERVER_ISN + 1 : 0,
                                .data = data,
                                .n = (uint32_t)n });
}

void
run_begin(struct flow_run *run)
{
    struct weir_app app = { .name = "ids",
                            .spec = &run->spec,
                            .flow_size = sizeof(struct flow_scan),
                            .history = DETECT_WINDOW,
                            .arg = run };
    struct detect_opts opts = { .any = run->any, .memory = 16 << 20 };
    struct weir_errbuf err = { "" };
    int rc = detect_new(run->groups, &opts, on_alert, run, &run->detect, &err);

    if (rc == WEIR_E_OK)
        rc = weir_monitor_new(NULL, &run->m);
    assert(rc == WEIR_E_OK);
    run->spec =
        (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = detect_wants(run->detect) };
    rc = weir_monitor_add(run->m, &app);
    assert(rc == WEIR_E_OK);
    (void)rc;
    run->n = 0;
    run->alerted = 0;
    client(run, WEIR_TH_SYN, -1, NULL, 0, 0);
    feed(run, (struct segment){ .dir = WEIR_TOCLIENT,
                                .flags = WEIR_TH_SYN | WEIR_TH_ACK,
                                .seq = SERVER_ISN,
                                .ack = CLIENT_ISN + 1 });
    client(run, WEIR_TH_ACK, 0, NULL, 0, 0);
}

void
run_send(struct flow_run *run, const uint8_t *data, size_t from, size_t n, unsigned urgent)
{
    assert(n <= RUN_BYTES);
    client(run, WEIR_TH_ACK, (int64_t)from, data + from, n, urgent);
}

uint64_t
run_end(struct flow_run *run, size_t total)
{
    client(run, WEIR_TH_ACK | WEIR_TH_FIN, (int64_t)total, NULL, 0, 0);
    weir_monitor_end(run->m);
    weir_monitor_free(run->m);
    run->stats = *detect_get_stats(run->detect);
    detect_free(run->detect);
    run->m = NULL;
    run->detect = NULL;
    return run->alerted;
}

void
run_free(struct flow_run *run)
{
    groups_free(run->groups);
    rules_free(&run->rules);
    vars_free(run->vars);
    free(run->room);
}
