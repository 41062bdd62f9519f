/*
 * Nothing in detection calls malloc() for a packet: streams, copies sent again, what waits, alerts.
 */
#include "detect/detect.h"
#include "support/allocs.h"
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLOWS = 4000, WARM = 400 };

static const char rules_text[] =
    "alert tcp any any -> any any (msg:\"stream\"; flow:established,to_server,only_stream; "
    "content:\"firstsecnd\"; sid:1;)\n"
    "alert tcp any any -> any any (msg:\"packet\"; flow:established,no_stream; content:\"thi\"; "
    "offset:0; depth:3; dsize:5; sid:2;)\n"
    "alert tcp any any -> any any (msg:\"event\"; flow-event:fake_retransmit,diff_length>1; "
    "content:\"other\"; sid:3;)\n"
    "alert tcp any any -> any any (msg:\"later\"; flow:established; content:\"first\"; "
    "content:\"third\"; distance:5; within:5; sid:4;)\n"
    "alert tcp any any -> any any (msg:\"missing\"; flow:established; content:\"first\"; "
    "content:!\"never\"; isdataat:12,relative; sid:5;)\n"
    "alert tcp any any -> any any (msg:\"end\"; flow-event:gap; sid:6;)\n"
    "alert tcp any any -> any any (msg:\"number\"; flow:established; content:\"first\"; "
    "byte_extract:1,-1,v,relative; byte_test:1,!=,v,-2,relative; sid:7;)\n"
    "alert tcp any any -> any any (msg:\"state\"; flow:established; content:\"first\"; "
    "flowbits:set,a; flowint:n,+,1; xbits:set,x,track ip_pair,expire 100; tag:session,3,packets; "
    "threshold:type limit, "
    "track by_flow, count 1, seconds 60; sid:8;)\n"
    "alert tcp any any -> any any (msg:\"asked\"; flow-event:fin; flowbits:isset,a; flowint:n,>,0; "
    "xbits:isset,x,track ip_pair; detection_filter:track by_flow, count 1, seconds 60; sid:9;)\n"
#ifdef HAVE_PCRE2
    "alert tcp any any -> any any (msg:\"expression\"; flow:established; content:\"first\"; "
    "pcre:\"/^s(ec|x)+nd/R\"; pcre:\"/(*NO_JIT)(?:(\\w)|x)*h/R\"; sid:10;)\n"
#endif
    ;

#ifdef HAVE_PCRE2
enum { RULES = 10 };
#else
enum { RULES = 9 };
#endif

struct test {
    struct rules rules;
    struct vars *vars;
    struct groups *groups;
    struct detect *detect;
    uint64_t alerts[RULES + 1]; /* by sid */
};

static void
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    (void)ev;
    ((struct test *)ctx)->alerts[rule->sid]++;
}

static weir_fut
on_event(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    detect_event(((struct test *)ev->app)->detect, ctx, ev);
    return weir_ok(0);
}

static const weir_fn stages[] = { on_event };

/* Data comes late, twice, changed, and behind a hole. */
static const struct segment script[] = {
    { .flags = WEIR_TH_SYN, .seq = 1000 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 5000, .ack = 1001 },
    { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001 },
    { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "first", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1011, .ack = 5001, .data = "third", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1006, .ack = 5001, .data = "secnd", .n = 5 },
    { .flags = WEIR_TH_ACK, .seq = 1006, .ack = 5001, .data = "other", .n = 5 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK, .seq = 5001, .ack = 1016 },
    { .flags = WEIR_TH_ACK, .seq = 1016, .ack = 5001, .data = "fourth", .n = 6 },
    { .flags = WEIR_TH_ACK, .seq = 1030, .ack = 5001, .data = "fifth", .n = 5 },
    { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK | WEIR_TH_FIN, .seq = 5001, .ack = 1035 },
    { .flags = WEIR_TH_ACK | WEIR_TH_FIN, .seq = 1035, .ack = 5002 },
};

static void
play(struct weir_monitor *m, unsigned flow)
{
    uint8_t room[FRAME_ROOM];

    for (size_t i = 0; i < sizeof(script) / sizeof(*script); i++) {
        struct segment segment = script[i];
        struct weir_frame frame;

        segment.ms = flow * 100 + (unsigned)i;
        segment.client_port = (uint16_t)(1024 + flow);
        frame = tcp_frame(&segment, room);
        frame.stable = false; /* what is kept has to be copied */
        assert_int_equal(weir_monitor_feed(m, &frame, 1), WEIR_E_OK);
    }
}

static void
packets_cost_no_allocation(void **state)
{
    static struct test t;
    struct weir_errbuf err = { "" };
    struct detect_opts opts = { .any = true, .memory = 64 << 20 };
    struct weir_tap_spec spec = { .stage = stages, .n_stages = 1 };
    struct weir_app app = { .name = "ids",
                            .spec = &spec,
                            .flow_size = sizeof(struct flow_scan),
                            .history = DETECT_WINDOW,
                            .arg = &t };
    struct weir_monitor *m;
    uint64_t before;

    (void)state;
    t.vars = vars_new();
    assert_int_equal(rules_load_text(&t.rules, t.vars, "rules",
                                     (struct text){ rules_text, sizeof(rules_text) - 1 }, NULL,
                                     NULL, &err),
                     WEIR_E_OK);
    assert_int_equal(t.rules.n, RULES);
    assert_int_equal(groups_new(&t.rules, &t.groups, &err), WEIR_E_OK);
    assert_int_equal(detect_new(t.groups, &opts, on_alert, &t, &t.detect, &err), WEIR_E_OK);
    spec.want = detect_wants(t.detect);
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    for (unsigned i = 0; i < WARM; i++)
        play(m, i);
    before = allocs();
    assert_true(before > 0); /* they are counted */
    for (unsigned i = WARM; i < FLOWS; i++)
        play(m, i);
    assert_int_equal(allocs(), before);
    weir_monitor_end(m);
    assert_int_equal(allocs(), before);
    for (unsigned sid = 1; sid <= RULES; sid++)
        assert_int_equal(t.alerts[sid], FLOWS);
    weir_monitor_free(m);
    detect_free(t.detect);
    groups_free(t.groups);
    rules_free(&t.rules);
    vars_free(t.vars);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_cost_no_allocation),
    };

    return cmocka_run_group_tests_name("detect_allocs", tests, NULL, NULL);
}
