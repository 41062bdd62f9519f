/*
 * How often rules alert: thresholds one by one, and all of them against a model that keeps every
 * match and counts them anew each time.
 */
#include "detect/threshold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

struct fixture {
    struct rules rules;
    struct vars *vars;
    struct limits limits;
    struct thresholds *thresholds;
    struct subject subject;
    const char *proto; /* of the rules */
    uint8_t action;
};

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .vars = vars_new(), .proto = "ip" };
    f.subject = (struct subject){
        .flow_id = 1, .has_addresses = true, .src = 10, .dst = 20, .time = SECOND
    };
    *state = &f;
    return f.vars == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    thresholds_free(f->thresholds);
    limits_free(&f->limits);
    rules_free(&f->rules);
    vars_free(f->vars);
    return 0;
}

/* One rule a string, sid 1, 2, ..., and a threshold file. */
static void
begin(struct fixture *f, const char *const *options, const char *limits)
{
    const struct keyed_opts opts = { .seed = 1 };
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; options[i] != NULL; i++) {
        char line[256];
        int n = snprintf(line, sizeof(line), "alert %s any any -> any any (%s sid:%u;)", f->proto,
                         options[i], i + 1);

        assert_int_equal(rules_load_text(&f->rules, f->vars, "t", (struct text){ line, (size_t)n },
                                         NULL, NULL, &err),
                         WEIR_E_OK);
    }
    assert_int_equal(limits_load_text(&f->limits, f->vars, "t",
                                      (struct text){ limits, strlen(limits) }, NULL, NULL, &err),
                     WEIR_E_OK);
    assert_int_equal(f->rules.refused + f->limits.refused, 0);
    assert_int_equal(thresholds_new(&f->rules, &f->limits, &opts, &f->thresholds, &err), WEIR_E_OK);
}
#define BEGIN(limits, ...) begin(f, (const char *const[]){ __VA_ARGS__, NULL }, limits)

static bool
alerts(struct fixture *f, uint32_t rule)
{
    f->action = ACTION_ALERT;
    return thresholds_let(f->thresholds, rule, &f->subject, &f->action) == LET_ALERT;
}

/* Matches at these seconds, and which of them alert: "x.x". */
static void
expect(struct fixture *f, uint32_t rule, const unsigned *seconds, const char *which)
{
    char said[64] = "";

    for (unsigned i = 0; which[i] != '\0'; i++) {
        f->subject.time = (100 + seconds[i]) * SECOND;
        said[i] = alerts(f, rule) ? 'x' : '.';
    }
    assert_string_equal(said, which);
}
#define EXPECT(rule, which, ...) expect(f, rule, (const unsigned[]){ __VA_ARGS__ }, which)

static void
no_limits_cost_nothing(void **state)
{
    struct fixture *f = *state;

    BEGIN("suppress gen_id 1, sig_id 77\n", "", "flowbits:set,a;");
    assert_null(f->thresholds);
}

static void
limit_is_the_first_few_of_a_time(void **state)
{
    struct fixture *f = *state;

    BEGIN("", "threshold:type limit, track by_src, count 2, seconds 10;");
    EXPECT(0, "xx...xx.", 0, 1, 2, 9, 10, 11, 12, 13);
}

static void
threshold_is_each_nth(void **state)
{
    struct fixture *f = *state;

    BEGIN("", "threshold:type threshold, track by_src, count 3, seconds 10;");
    EXPECT(0, "..x..x....x.", 0, 1, 2, 3, 4, 10, 11, 12, 22, 23, 32, 33);
}

static void
both_is_once_a_time_after_so_many(void **state)
{
    struct fixture *f = *state;

    BEGIN("", "threshold:type both, track by_src, count 2, seconds 10;");
    EXPECT(0, ".x...x.", 0, 1, 2, 10, 11, 12, 21);
}

/* Ports that came before do not count again, but alert when there were enough. */
static void
ports_count_once_in_their_window(void **state)
{
    static const struct {
        unsigned seconds;
        uint16_t port;
        bool alerts;
    } as[] = { { 0, 1, false },  { 1, 1, false },  { 2, 2, false },  { 3, 1, false },
               { 4, 3, true },   { 5, 1, true },   { 10, 3, true },  { 11, 3, false },
               { 12, 4, false }, { 13, 4, false }, { 14, 3, false }, { 15, 5, true } };
    struct fixture *f = *state;

    f->proto = "udp";
    BEGIN("", "detection_filter:track by_src, count 2, seconds 10, unique_on dst_port;");
    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
        f->subject.time = (100 + as[i].seconds) * SECOND;
        f->subject.src_port = (uint16_t)i;
        f->subject.dst_port = as[i].port;
        assert_int_equal(alerts(f, 0), as[i].alerts);
    }
}

static void
detection_filter_is_all_beyond_so_many(void **state)
{
    struct fixture *f = *state;

    BEGIN("", "detection_filter:track by_src, count 2, seconds 10;");
    EXPECT(0, "..xxx..x", 0, 1, 2, 3, 10, 11, 12, 13);
}

static void
backoff_waits_longer_and_longer(void **state)
{
    struct fixture *f = *state;
    char said[101] = "";

    BEGIN("", "threshold:type backoff, track by_flow, count 2, multiplier 5;");
    for (unsigned i = 0; i < 100; i++)
        said[i] = alerts(f, 0) ? 'x' : '.';
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(said[i] == 'x', i + 1 == 2 || i + 1 == 10 || i + 1 == 50);
}

static void
each_track_counts_apart(void **state)
{
    static const struct {
        const char *track;
        bool src, dst, flow, turned; /* whether another one, or both turned round, counts anew */
    } tracks[] = {
        { "by_src", true, false, false, true },   { "by_dst", false, true, false, true },
        { "by_both", true, true, false, false },  { "by_rule", false, false, false, false },
        { "by_flow", false, false, true, false },
    };
    struct fixture *f = *state;
    char options[128];

    for (size_t i = 0; i < sizeof(tracks) / sizeof(*tracks); i++) {
        snprintf(options, sizeof(options), "threshold:type limit, track %s, count 1, seconds 60;",
                 tracks[i].track);
        BEGIN("", options, options);
        assert_true(alerts(f, 0) && !alerts(f, 0));
        assert_true(alerts(f, 1)); /* so does each rule */
        f->subject.src = 11;
        assert_int_equal(alerts(f, 0), tracks[i].src);
        f->subject.src = 10;
        f->subject.dst = 21;
        assert_int_equal(alerts(f, 0), tracks[i].dst);
        f->subject.src = 20;
        f->subject.dst = 10;
        assert_int_equal(alerts(f, 0), tracks[i].turned);
        f->subject.flow_id = 2;
        assert_int_equal(alerts(f, 0), tracks[i].flow);
        tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
}

static void
a_rule_has_the_nearest_threshold(void **state)
{
    struct fixture *f = *state;
    char said[5] = "";

    BEGIN("threshold gen_id 0, sig_id 0, type limit, track by_rule, count 4, seconds 60\n"
          "threshold gen_id 1, sig_id 0, type limit, track by_rule, count 3, seconds 60\n"
          "event_filter gen_id 1, sig_id 2, type limit, track by_rule, count 2, seconds 60\n"
          "event_filter gen_id 1, sig_id 2, type limit, track by_rule, count 9, seconds 60\n"
          "event_filter gen_id 1, sig_id 3, type limit, track by_rule, count 2, seconds 60\n",
          "", "", "threshold:type limit, track by_rule, count 1, seconds 60;", "gid:7;");
    for (uint32_t rule = 0; rule < 4; rule++) {
        said[rule] = '0';
        for (unsigned i = 0; i < 9; i++)
            said[rule] = (char)(said[rule] + alerts(f, rule));
    }
    assert_string_equal(said, "3214");
}

static void
suppress_looks_at_addresses(void **state)
{
    struct fixture *f = *state;
    struct threshold_stats stats;

    f->subject.src = (u128)0xffff << 32 | 0x0a000001; /* 10.0.0.1 */
    f->subject.dst = (u128)0xffff << 32 | 0x0a000002;
    BEGIN("suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0.1\n"
          "suppress gen_id 1, sig_id 2, track by_src, ip 10.0.0.2\n"
          "suppress gen_id 1, sig_id 3, track by_dst, ip 10.0.0.2\n"
          "suppress gen_id 1, sig_id 4, track by_either, ip [10.0.0.2,1.2.3.4]\n"
          "suppress gen_id 1, sig_id 5\n"
          "suppress gen_id 1, sig_id 6, track by_src, ip 10.0.0.2\n"
          "suppress gen_id 1, sig_id 6, track by_src, ip 10.0.0.0/30\n"
          "suppress gen_id 7, sig_id 0\n",
          "", "", "", "", "", "", "", "gid:7;");
    assert_true(!alerts(f, 0) && alerts(f, 1) && !alerts(f, 2) && !alerts(f, 3));
    assert_true(!alerts(f, 4) && !alerts(f, 5) && alerts(f, 6) && !alerts(f, 7));
    thresholds_get_stats(f->thresholds, &stats);
    assert_int_equal(stats.suppressed, 6);
    f->subject.has_addresses = false;
    assert_true(alerts(f, 0) && !alerts(f, 4));
}

static void
what_is_suppressed_is_not_counted(void **state)
{
    struct fixture *f = *state;
    struct threshold_stats stats;

    f->subject.src = (u128)0xffff << 32 | 0x0a000001;
    BEGIN("suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0.1\n",
          "threshold:type limit, track by_rule, count 1, seconds 60;");
    assert_false(alerts(f, 0));
    f->subject.src = 5;
    assert_true(alerts(f, 0) && !alerts(f, 0));
    thresholds_get_stats(f->thresholds, &stats);
    assert_true(stats.suppressed == 1 && stats.held == 1 && stats.lost == 0);
}

/* Which of the matches have the new action. */
static void
expect_rate(struct fixture *f, const unsigned *seconds, const char *which)
{
    char said[64] = "";

    for (unsigned i = 0; which[i] != '\0'; i++) {
        f->subject.time = (100 + seconds[i]) * SECOND;
        assert_true(alerts(f, 0));
        said[i] = f->action == ACTION_DROP ? 'd' : 'a';
    }
    assert_string_equal(said, which);
}

static void
rate_filter_changes_the_action_for_a_time(void **state)
{
    struct fixture *f = *state;

    BEGIN("rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds 10, new_action drop, "
          "timeout 20\n",
          "", "");
    expect_rate(f, (const unsigned[]){ 0, 1, 2, 3, 15, 24, 26, 27, 28 }, "aadddaaad");
    f->action = ACTION_ALERT;
    assert_true(alerts(f, 1));
    assert_int_equal(f->action, ACTION_ALERT);
}

static void
without_a_timeout_it_lasts_as_long_as_the_rate(void **state)
{
    struct fixture *f = *state;

    BEGIN("rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 10, new_action drop, "
          "timeout 0\n",
          "");
    expect_rate(f, (const unsigned[]){ 0, 1, 10, 11, 12 }, "addad");
}

/* ---- the model ----------------------------------------------------------------------------- */

enum { MATCHES = 3000, SOURCES = 3 };

struct past {
    uint64_t at;
    unsigned src;
};

/*
 * Whether match n alerts: go through all before it. A time begins with the first match that no
 * earlier one holds.
 */
static bool
model(const struct threshold *th, const struct past *past, unsigned n)
{
    uint64_t start = 0;
    unsigned in_time = 0;
    bool alert = false;

    for (unsigned i = 0; i <= n; i++) {
        if (past[i].src != past[n].src)
            continue;
        if (in_time == 0 || past[i].at - start > th->seconds * SECOND) {
            start = past[i].at;
            in_time = 0;
        }
        in_time++;
        alert = th->type == THRESHOLD_LIMIT  ? in_time <= th->count
                : th->type == THRESHOLD_BOTH ? in_time == th->count
                : th->type == THRESHOLD_EACH ? in_time % th->count == 0
                                             : in_time > th->count;
    }
    return alert;
}

static void
all_types_do_as_the_model(void **state)
{
    static const char *const options[] = {
        "threshold:type limit, track by_src, count 3, seconds 7;",
        "threshold:type threshold, track by_src, count 3, seconds 7;",
        "threshold:type both, track by_src, count 3, seconds 7;",
        "detection_filter:track by_src, count 3, seconds 7;",
        "threshold:type threshold, track by_src, count 1, seconds 1;",
        "threshold:type limit, track by_src, count 1, seconds 1;",
        NULL,
    };
    static struct past past[MATCHES];
    struct fixture *f = *state;
    uint64_t x = 3, now = SECOND;

    begin(f, options, "");
    for (unsigned n = 0; n < MATCHES; n++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        now += x >> 61 == 0 ? 9 * SECOND : (x >> 40) % 4 * SECOND / 2;
        past[n] = (struct past){ now, (unsigned)(x >> 33) % SOURCES };
        f->subject.src = past[n].src;
        f->subject.time = now;
        for (uint32_t rule = 0; rule < f->rules.n; rule++)
            if (alerts(f, rule) != model(&f->rules.at[rule].state->threshold, past, n))
                fail_msg("match %u of rule %u", n, rule);
    }
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(no_limits_cost_nothing),
        T(limit_is_the_first_few_of_a_time),
        T(threshold_is_each_nth),
        T(both_is_once_a_time_after_so_many),
        T(ports_count_once_in_their_window),
        T(detection_filter_is_all_beyond_so_many),
        T(backoff_waits_longer_and_longer),
        T(each_track_counts_apart),
        T(a_rule_has_the_nearest_threshold),
        T(suppress_looks_at_addresses),
        T(what_is_suppressed_is_not_counted),
        T(rate_filter_changes_the_action_for_a_time),
        T(without_a_timeout_it_lasts_as_long_as_the_rate),
        T(all_types_do_as_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
