/* Threshold files: what becomes of their lines, and what is said of those that are refused. */
#include "rule/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct limits limits;
    struct vars *vars;
    char said[4096];
};

static void
on_refused(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    size_t n = strlen(f->said);

    snprintf(f->said + n, sizeof(f->said) - n, "%s\n", text);
}

static int
set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .vars = vars_new() };
    *state = &fixture;
    return fixture.vars == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    limits_free(&f->limits);
    vars_free(f->vars);
    return 0;
}

static void
load(struct fixture *f, const char *text)
{
    struct weir_errbuf err = { "" };

    f->said[0] = '\0';
    assert_int_equal(limits_load_text(&f->limits, f->vars, "t.conf",
                                      (struct text){ text, strlen(text) }, on_refused, f, &err),
                     WEIR_E_OK);
}

static const struct limit *
line(struct fixture *f, const char *text)
{
    load(f, text);
    assert_string_equal(f->said, "");
    return &f->limits.at[f->limits.n - 1];
}

static bool
has_ip(const struct limit *limit, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct weir_addr addr = { { a, b, c, d } };

    return ranges_have(limit->ip, address_number(&addr, 4));
}

static void
suppress_is_for_all_or_for_addresses(void **state)
{
    const struct limit *l = line(*state, "suppress gen_id 1, sig_id 2");

    assert_true(l->kind == LIMIT_SUPPRESS && l->gid == 1 && l->sid == 2 && l->ip == NULL);
    l = line(*state, "suppress gen_id 1, sig_id 2, track by_src, ip 10.1.0.0/16\n");
    assert_int_equal(l->threshold.track, TRACK_SRC);
    assert_true(has_ip(l, 10, 1, 2, 3) && !has_ip(l, 10, 2, 2, 3));
    l = line(*state,
             "suppress\tgen_id 1,sig_id 2 , track by_either, ip [10.0.0.0/8, !10.1.0.0/16]");
    assert_int_equal(l->threshold.track, TRACK_EITHER);
    assert_true(has_ip(l, 10, 2, 2, 3) && !has_ip(l, 10, 1, 2, 3));
    l = line(*state, "suppress gen_id 0, sig_id 0, track by_dst, ip $HOME_NET");
    assert_int_equal(l->threshold.track, TRACK_DST);
    assert_true(has_ip(l, 192, 168, 1, 1) && !has_ip(l, 8, 8, 8, 8));
}

static void
thresholds_and_event_filters_are_the_same(void **state)
{
    static const char *const words[] = { "threshold", "event_filter" };

    for (size_t i = 0; i < 2; i++) {
        const struct limit *l;
        char text[128];

        snprintf(text, sizeof(text),
                 "%s gen_id 1, sig_id 9, type both, track by_dst, count 4, seconds 60", words[i]);
        l = line(*state, text);
        assert_true(l->kind == LIMIT_THRESHOLD && l->gid == 1 && l->sid == 9);
        assert_true(l->threshold.type == THRESHOLD_BOTH && l->threshold.track == TRACK_DST);
        assert_true(l->threshold.count == 4 && l->threshold.seconds == 60);
    }
}

static void
rate_filters_have_an_action_and_a_timeout(void **state)
{
    const struct limit *l = line(*state, "rate_filter gen_id 1, sig_id 9, track by_rule, count 4, "
                                         "seconds 2, new_action drop, timeout 0");

    assert_true(l->kind == LIMIT_RATE && l->threshold.track == TRACK_RULE);
    assert_true(l->threshold.count == 4 && l->threshold.seconds == 2);
    assert_true(l->action == ACTION_DROP && l->timeout == 0);
}

static void
lines_join_and_comments_are_left_out(void **state)
{
    struct fixture *f = *state;

    load(f, "# suppress gen_id 1, sig_id 1\n\n"
            "  suppress gen_id 1, \\\n sig_id 2\r\n"
            "suppress gen_id 1, \\\r\nsig_id 3\n"
            "nonsense\n"
            "suppress gen_id 1, sig_id 4");
    assert_int_equal(f->limits.n, 3);
    assert_int_equal(f->limits.at[1].sid, 3);
    assert_int_equal(f->limits.refused, 1);
    assert_non_null(strstr(f->said, "t.conf:7: suppress, threshold, event_filter or rate_filter "));
}

static void
what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "threshold gen_id 600, sig_id 1, type limit, track by_src, count 1, seconds 60",
          "gen_id 600: detectors count themselves" },
        { "suppress", "t.conf:1: " },
        { "suppress gen_id 1", "sig_id expected" },
        { "suppress sig_id 1", "gen_id expected" },
        { "suppress gen_id 0, sig_id 1", "gen_id 0 goes with sig_id 0 only" },
        { "suppress gen_id 1, sig_id -1", "sig_id: a number" },
        { "suppress gen_id 1, sig_id 1, track by_src", "track and ip expected" },
        { "suppress gen_id 1, sig_id 1, ip 1.2.3.4", "track and ip expected" },
        { "suppress gen_id 1, sig_id 1, track by_rule, ip 1.2.3.4", "by_src, by_dst or by_either" },
        { "suppress gen_id 1, sig_id 1, track by_src, ip 1.2.3", "an address" },
        { "suppress gen_id 1, sig_id 1, track by_src, ip $NONE", "NONE" },
        { "suppress gen_id 1, sig_id 1, track by_src, ip", "ip: addresses expected" },
        { "suppress gen_id 1, sig_id 1, count 3", "not known here" },
        { "threshold gen_id 1, sig_id 1, type limit, track by_src, count 1", "seconds expected" },
        { "threshold gen_id 1, sig_id 1, track by_src, count 1, seconds 1", "type expected" },
        { "event_filter gen_id 1, sig_id 1, type limit, track by_either, count 1, seconds 1",
          "suppress only" },
        { "rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, timeout 1",
          "new_action expected" },
        { "rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, new_action warn, "
          "timeout 1",
          "new_action: 'warn' is no action" },
        { "rate_filter gen_id 1, sig_id 1, track by_either, count 1, seconds 1, new_action drop, "
          "timeout 1",
          "suppress only" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        load(f, bad[i].text);
        if (strstr(f->said, bad[i].why) == NULL)
            fail_msg("'%s' is said of '%s', not '%s'", f->said, bad[i].text, bad[i].why);
        assert_int_equal(f->limits.n, 0);
        assert_int_equal(f->limits.refused, i + 1);
    }
}

static void
a_file_that_is_missing_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct weir_errbuf err = { "" };

    assert_int_equal(limits_load(&f->limits, f->vars, "/nowhere/t.conf", on_refused, f, &err),
                     WEIR_E_IO);
    assert_non_null(strstr(err.text, "/nowhere/t.conf: "));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(suppress_is_for_all_or_for_addresses),
        T(thresholds_and_event_filters_are_the_same),
        T(rate_filters_have_an_action_and_a_timeout),
        T(lines_join_and_comments_are_left_out),
        T(what_is_wrong_is_refused),
        T(a_file_that_is_missing_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
