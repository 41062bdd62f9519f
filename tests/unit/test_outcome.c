/* What becomes of matches in whole flows: what rules remember of each other, pass, and limits. */
#include "support/rule_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S WEIR_TH_SYN
#define A WEIR_TH_ACK
#define F WEIR_TH_FIN

static void
expect(struct rule_run *f, const char *alerts)
{
    assert_string_equal(f->said, alerts);
    f->said[0] = '\0';
}

static struct outcome_stats
stats(struct rule_run *f)
{
    struct outcome_stats out;

    outcome_get_stats(detect_outcome(f->detect), &out);
    return out;
}

/* ---- state --------------------------------------------------------------------------------- */

static void
a_request_is_remembered_for_the_answer(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:to_client; flowbits:isset,get; content:\"200\"; "
             "sid:1;)\n"
             "alert tcp any any -> any any (flow:to_server; content:\"GET\"; flowbits:set,get; "
             "noalert; sid:2;)\n");
    handshake(f);
    server(f, A, 0, 0, "200");
    client(f, A, 0, 3, "GET");
    expect(f, "");
    server(f, A, 3, 3, "200");
    expect(f, "1@6 ");
    f->port = 1001; /* of another flow nothing is known */
    handshake(f);
    server(f, A, 0, 0, "200");
    expect(f, "");
}

static void
bits_are_set_by_whole_matches_only(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"one\"; content:\"two\"; flowbits:set,a; "
             "flowint:n,+,1; sid:1;)\n"
             "alert tcp any any -> any any (content:\"three\"; flowbits:isset,a; flowint:n,==,1; "
             "sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "one three");
    expect(f, "");
    client(f, A, 9, 0, "two three");
    expect(f, "1@5 2@5 ");
    client(f, A, 18, 0, "one two three");
    expect(f, "1@6 "); /* now n is 2 */
}

/*
 * In one packet, whatever the order of the file, and though one of them is looked for in the
 * packet.
 */
static void
those_that_set_come_first(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flowbits:isset,a; content:\"x\"; sid:4;)\n"
             "alert tcp any any -> any any (flowbits:isset,a; flow:to_server; dsize:1; sid:3;)\n"
             "alert tcp any any -> any any (flowbits:isset,a; content:\"x\"; flowbits:set,b; "
             "sid:2;)\n"
             "alert tcp any any -> any any (flow:to_server; flowbits:isset,b; dsize:1; sid:5;)\n"
             "alert tcp any any -> any any (content:\"x\"; flowbits:set,a; sid:1;)\n");
    handshake(f);
    client(f, A, 0, 0, "x");
    expect(f, "1@4 2@4 4@4 3@4 5@4 ");
    client(f, A, 1, 0, "y");
    expect(f, "3@5 5@5 ");
}

static void
a_rule_that_waits_is_asked_again(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"set\"; flowbits:set,a; noalert; sid:1;)\n"
             "alert tcp any any -> any any (content:\"clear\"; flowbits:unset,a; noalert; sid:2;)\n"
             "alert tcp any any -> any any (content:\"begin\"; content:\"end\"; distance:0; "
             "flowbits:isset,a; sid:3;)\n"
             "alert tcp any any -> any any (content:\"begin\"; content:!\"never\"; within:50;  "
             "flowbits:isset,a; sid:4;)\n");
    handshake(f);
    client(f, A, 0, 0, "set begin");
    client(f, A, 9, 0, " end");
    expect(f, "3@5 ");
    client(f, A, 13, 0, "begin");
    client(f, A, 18, 0, "clear end");
    client(f, A | F, 27, 0, "");
    expect(f, "");
    f->port = 1001;
    handshake(f);
    client(f, A, 0, 0, "set begin");
    client(f, A | F, 9, 0, "");
    expect(f, "4@13 ");
}

/* Flows one after the other, each with half a KiB of bits, in a pool for two hundred of them. */
static void
what_is_remembered_goes_with_the_flow(void **state)
{
    struct rule_run *f = *state;
    char rule[2048];
    int n = snprintf(rule, sizeof(rule), "alert tcp any any -> any any (content:\"x\"; sid:1;");

    for (int i = 0; i < 40; i++)
        n += snprintf(rule + n, sizeof(rule) - (size_t)n, "flowbits:set,name%d;", i);
    snprintf(rule + n, sizeof(rule) - (size_t)n, ")");
    f->opts.memory = (160 << 10) * MEM_SHARDS;
    begin(f, rule);
    for (int i = 0; i < 1000; i++) {
        f->n = 0; /* the flow before is over */
        f->ms += 120000;
        f->said[0] = '\0';
        f->port = (uint16_t)(1001 + i);
        handshake(f);
        client(f, A, 0, 0, "x");
        assert_string_not_equal(f->said, "");
        client(f, WEIR_TH_RST, 1, 0, "");
    }
    weir_monitor_end(f->m);
    assert_int_equal(stats(f).state.changes, 40000);
    assert_int_equal(stats(f).state.no_memory, 0);
    assert_true(f->alerted);
}

/* ---- actions ------------------------------------------------------------------------------- */

static void
pass_is_for_the_packet(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:to_server; dsize:>0; sid:1;)\n"
             "drop tcp any any -> any any (flow:to_server; dsize:2; sid:2;)\n"
             "alert tcp any any -> any any (flow:to_server; dsize:3; flowbits:set,a; sid:3;)\n"
             "alert tcp any any -> any any (content:\"abc\"; sid:4;)\n"
             "pass tcp any any -> any any (flow:to_server; dsize:3; sid:5;)\n"
             "alert tcp any any -> any any (flow:to_server; flowbits:isset,a; dsize:1; sid:6;)\n");
    handshake(f);
    client(f, A, 0, 0, "ab");
    expect(f, "2@4 1@4 ");
    assert_int_equal(f->action, ACTION_ALERT);
    client(f, A, 2, 0, "abc");
    expect(f, "");
    client(f, A, 5, 0, "x");
    expect(f, "6@6 1@6 "); /* what was passed over was remembered all the same */
    assert_int_equal(stats(f).passed, 1);
    assert_int_equal(stats(f).passed_by, 3);
}

static void
a_pass_rule_may_alert(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:to_server; dsize:3; sid:1;)\n"
             "pass tcp any any -> any any (flow:to_server; dsize:3; alert; sid:2;)\n");
    handshake(f);
    client(f, A, 0, 0, "abc");
    expect(f, "2@4 ");
}

static void
pass_by_the_stream_is_for_the_flow(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"x\"; sid:1;)\n"
             "alert tcp any any -> any any (flow:to_server; dsize:>0; sid:2;)\n"
             "pass tcp any any -> any any (content:\"trusted\"; sid:3;)\n");
    handshake(f);
    client(f, A, 0, 0, "x");
    expect(f, "2@4 1@4 ");
    client(f, A, 1, 0, "trusted x");
    expect(f, "2@5 "); /* the packet's own event came before */
    client(f, A, 10, 0, "x");
    server(f, A, 0, 11, "x");
    expect(f, "");
    weir_monitor_end(f->m);
    assert_true(f->alerted);
}

static void
pass_by_addresses_is_for_the_flow(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"x\"; sid:1;)\n"
             "pass ip 10.0.0.1 any -> any any (sid:2;)\n");
    handshake(f);
    server(f, A, 0, 0, "x");
    expect(f, "");
    weir_monitor_end(f->m);
    assert_false(f->alerted);
}

static void
noalert_and_thresholds_say_nothing(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"x\"; noalert; sid:1;)\n"
             "alert tcp any any -> any any (content:\"x\"; flowint:n,+,1; threshold:type limit, "
             "track by_rule, count 1, seconds 60; sid:2;)\n"
             "alert tcp any any -> any any (content:\"y\"; flowint:n,==,3; sid:3;)\n");
    handshake(f);
    for (int i = 0; i < 3; i++)
        client(f, A, i, 0, "x");
    client(f, A, 3, 0, "y");
    expect(f, "2@4 3@7 "); /* thresholds keep alerts back, and nothing else */
    assert_int_equal(stats(f).threshold.held, 2);
}

static void
suppressed_flows_have_not_alerted(void **state)
{
    struct rule_run *f = *state;

    begin_with(f, "alert tcp any any -> any any (content:\"x\"; sid:1;)\n",
               "suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0.1");
    assert_int_equal(f->l.limits.n, 1);
    handshake(f);
    client(f, A, 0, 0, "x");
    expect(f, "");
    weir_monitor_end(f->m);
    assert_false(f->alerted);
    f->port = 1001;
}

static void
rate_filter_changes_the_alerts_action(void **state)
{
    struct rule_run *f = *state;

    begin_with(
        f, "alert tcp any any -> any any (content:\"x\"; sid:1;)\n",
        "rate_filter gen_id 1, sig_id 1, track by_rule, count 1, seconds 9, new_action reject, "
        "timeout 9");
    handshake(f);
    client(f, A, 0, 0, "x");
    assert_int_equal(f->action, ACTION_ALERT);
    client(f, A, 1, 0, "x");
    assert_int_equal(f->action, ACTION_REJECT);
    expect(f, "1@4 1@5 ");
}

/* ---- tags ---------------------------------------------------------------------------------- */

static void
a_tag_records_what_follows_in_the_flow(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"x\"; tag:session,2,packets; sid:1;)");
    handshake(f);
    client(f, A, 0, 0, "x");
    f->port = 1001; /* another flow is not tagged */
    client(f, S, -1, 0, "");
    f->port = 1000;
    server(f, A, 0, 1, "");
    client(f, A, 1, 0, "y");
    client(f, A, 2, 0, "y");
    client(f, A, 3, 0, "x"); /* once more */
    client(f, A, 4, 0, "x"); /* and again, before it is over */
    client(f, A, 5, 0, "y");
    client(f, A, 6, 0, "y");
    client(f, A, 7, 0, "y");
    expect(f, "1@4 +6 +7 1@9 +10 1@10 +11 +12 ");
    assert_int_equal(stats(f).tag.packets, 5);
}

static void
tags_count_bytes_and_seconds_too(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (content:\"x\"; tag:session,60,bytes; sid:1;)\n"
             "alert tcp any any -> any any (content:\"z\"; tag:session,2,seconds; sid:2;)");
    handshake(f);
    client(f, A, 0, 0, "x");
    for (int i = 1; i < 4; i++)
        client(f, A, i, 0, "y"); /* 55 bytes each */
    expect(f, "1@4 +5 +6 ");
    client(f, A, 4, 0, "z");
    f->ms += 1999;
    client(f, A, 5, 0, "y");
    client(f, A, 6, 0, "y");
    expect(f, "2@8 +9 ");
}

static void
a_tag_may_be_of_an_address(void **state)
{
    struct rule_run *f = *state;

    begin(f, "alert tcp any any -> any any (flow:to_client; content:\"x\"; "
             "tag:host,2,packets,dst; sid:1;)");
    handshake(f);
    server(f, A, 0, 0, "x");
    f->port = 1001;
    client(f, S, -1, 0, ""); /* from 10.0.0.1 */
    server(f, S | A, -1, 0, "");
    client(f, A, 0, 0, "");
    expect(f, "1@4 +5 +6 ");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rule_run_set_up, rule_run_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_request_is_remembered_for_the_answer),
        T(bits_are_set_by_whole_matches_only),
        T(those_that_set_come_first),
        T(a_rule_that_waits_is_asked_again),
        T(what_is_remembered_goes_with_the_flow),
        T(pass_is_for_the_packet),
        T(a_pass_rule_may_alert),
        T(pass_by_the_stream_is_for_the_flow),
        T(pass_by_addresses_is_for_the_flow),
        T(noalert_and_thresholds_say_nothing),
        T(suppressed_flows_have_not_alerted),
        T(rate_filter_changes_the_alerts_action),
        T(a_tag_records_what_follows_in_the_flow),
        T(tags_count_bytes_and_seconds_too),
        T(a_tag_may_be_of_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
