/* Options of rules that remember or limit: what becomes of their text, and what is refused. */
#include "rule/order.h"
#include "rule/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct rules rules;
    struct vars *vars;
    char said[1024];
};

static void
on_refused(void *ctx, const char *text)
{
    struct fixture *f = ctx;

    snprintf(f->said, sizeof(f->said), "%s", text);
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

    rules_free(&f->rules);
    vars_free(f->vars);
    return 0;
}

static void
load(struct fixture *f, const char *text)
{
    struct weir_errbuf err = { "" };

    f->said[0] = '\0';
    assert_int_equal(rules_load_text(&f->rules, f->vars, "t", (struct text){ text, strlen(text) },
                                     on_refused, f, &err),
                     WEIR_E_OK);
}

/* The rule made of these options. */
static const struct rule *
options(struct fixture *f, const char *text)
{
    static unsigned sid = 1000;
    char line[1024];

    snprintf(line, sizeof(line), "alert tcp any any -> any any (%s sid:%u;)", text, ++sid);
    load(f, line);
    assert_string_equal(f->said, "");
    return &f->rules.at[f->rules.n - 1];
}

static const struct bits *
bits(struct fixture *f, const char *text)
{
    const struct rule *rule = options(f, text);

    assert_int_equal(rule->state->n_bits, 1);
    return rule->state->bits;
}

static void
flowbits_have_an_operator_and_names(void **state)
{
    static const struct {
        const char *text;
        enum bits_op op;
        bool each;
        unsigned n;
    } good[] = {
        { "flowbits:set,a;", BITS_SET, true, 1 },
        { "flowbits: set , a.b-c ;", BITS_SET, true, 1 },
        { "flowbits:set,a&b&c;", BITS_SET, true, 3 },
        { "flowbits:unset,a;", BITS_UNSET, true, 1 },
        { "flowbits:toggle,a;", BITS_TOGGLE, true, 1 },
        { "flowbits:isset,a|b;", BITS_ISSET, false, 2 },
        { "flowbits:isset,a&b;", BITS_ISSET, true, 2 },
        { "flowbits:isnotset, a | b ;", BITS_ISNOTSET, false, 2 },
        { "flowbits:reset;", BITS_RESET, true, 0 },
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        const struct bits *b = bits(*state, good[i].text);

        assert_int_equal(b->of, BITS_OF_FLOW);
        assert_int_equal(b->op, good[i].op);
        assert_int_equal(b->n, good[i].n);
        assert_true(b->n == 0 || b->each == good[i].each);
        assert_null(b->group);
    }
    assert_string_equal(bits(*state, "flowbits:set, x.y ;")->name[0], "x.y");
}

static void
flowbits_may_have_a_group(void **state)
{
    const struct bits *b = bits(*state, "flowbits:set,a,g;");

    assert_string_equal(b->name[0], "a");
    assert_string_equal(b->group, "g");
    b = bits(*state, "flowbits:isset,any,g;");
    assert_true(b->whole && !b->each && b->n == 0);
    b = bits(*state, "flowbits:isnotset,all,g;");
    assert_true(b->whole && b->each);
    b = bits(*state, "flowbits:isset,any;"); /* without a group a name as any other */
    assert_true(!b->whole && b->n == 1);
    assert_string_equal(bits(*state, "flowbits:reset,g;")->group, "g");
    assert_string_equal(bits(*state, "flowbits:setx,a,g;")->group, "g");
}

static void
noalert_comes_in_many_words(void **state)
{
    assert_true(options(*state, "noalert;")->noalert);
    assert_true(options(*state, "flowbits:noalert;")->noalert);
    assert_true(options(*state, "hostbits:noalert;")->noalert);
    assert_true(options(*state, "xbits:noalert;")->noalert);
    assert_false(options(*state, "flowbits:set,noalert;")->noalert);
    assert_null(options(*state, "flowbits:noalert;")->state);
}

static void
bits_of_addresses_have_a_side_and_a_time(void **state)
{
    const struct bits *b = bits(*state, "xbits:set,a,track ip_src;");

    assert_int_equal(b->of, BITS_OF_SRC);
    assert_int_equal(b->expire, 30);
    b = bits(*state, "xbits:isset, a , track  ip_dst , expire 60;");
    assert_int_equal(b->of, BITS_OF_DST);
    assert_int_equal(b->expire, 60);
    assert_int_equal(bits(*state, "xbits:toggle,a,track ip_pair;")->of, BITS_OF_PAIR);
    b = bits(*state, "hostbits:unset,a;");
    assert_int_equal(b->of, BITS_OF_SRC);
    assert_int_equal(b->expire, 300);
    assert_int_equal(bits(*state, "hostbits:isnotset,a,dst;")->of, BITS_OF_DST);
}

static void
flowints_have_values_or_names(void **state)
{
    const struct rule_state *s =
        options(*state, "flowint:a.b,=,5; flowint: n , + , m ; flowint:n,isset; "
                        "flowint:n,notset; flowint:n,<=,4294967295; flowint:n,-,1;")
            ->state;

    assert_int_equal(s->n_ints, 6);
    assert_string_equal(s->ints[0].name, "a.b");
    assert_int_equal(s->ints[0].op, FLOWINT_ASSIGN);
    assert_int_equal(s->ints[0].value, 5);
    assert_int_equal(s->ints[1].op, FLOWINT_ADD);
    assert_string_equal(s->ints[1].other, "m");
    assert_int_equal(s->ints[2].op, FLOWINT_ISSET);
    assert_int_equal(s->ints[3].op, FLOWINT_ISNOTSET);
    assert_int_equal(s->ints[4].op, FLOWINT_COMPARE);
    assert_int_equal(s->ints[4].compare, CMP_LE);
    assert_int_equal(s->ints[4].value, UINT32_MAX);
    assert_int_equal(s->ints[5].op, FLOWINT_SUBTRACT);
}

static void
thresholds_take_their_words_in_any_order(void **state)
{
    static const struct {
        const char *text;
        struct threshold is;
    } good[] = {
        { "threshold:type limit, track by_src, count 1, seconds 60;",
          { THRESHOLD_LIMIT, TRACK_SRC, 1, 60, 0, 0 } },
        { "threshold: type both , count 70 ,seconds 5m, track  by_dst;",
          { THRESHOLD_BOTH, TRACK_DST, 70, 300, 0, 0 } },
        { "threshold:type threshold,track by_rule,count 2,seconds 1h;",
          { THRESHOLD_EACH, TRACK_RULE, 2, 3600, 0, 0 } },
        { "threshold:type backoff, track by_flow, count 1, multiplier 10;",
          { THRESHOLD_BACKOFF, TRACK_FLOW, 1, 0, 10, 0 } },
        { "detection_filter:track by_src, count 3, seconds 1, unique_on dst_port;",
          { THRESHOLD_FILTER, TRACK_SRC, 3, 1, 0, UNIQUE_DST_PORT } },
        { "detection_filter:track by_both, count 3, seconds 1;",
          { THRESHOLD_FILTER, TRACK_BOTH, 3, 1, 0, 0 } },
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        const struct threshold *is = &options(*state, good[i].text)->state->threshold;

        assert_int_equal(is->type, good[i].is.type);
        assert_int_equal(is->track, good[i].is.track);
        assert_int_equal(is->count, good[i].is.count);
        assert_int_equal(is->seconds, good[i].is.seconds);
        assert_int_equal(is->multiplier, good[i].is.multiplier);
        assert_int_equal(is->unique, good[i].is.unique);
    }
}

static void
tags_count_packets_bytes_or_seconds(void **state)
{
    const struct tag *t = &options(*state, "tag:session;")->state->tag;

    assert_true(t->n == 5 && t->metric == TAG_PACKETS && !t->host);
    t = &options(*state, "tag: session, 300 , seconds;")->state->tag;
    assert_true(t->n == 300 && t->metric == TAG_SECONDS);
    t = &options(*state, "tag:host,9,bytes,dst;")->state->tag;
    assert_true(t->n == 9 && t->metric == TAG_BYTES && t->host && t->dst);
    t = &options(*state, "tag:session,packets 7;")->state->tag;
    assert_true(t->n == 7 && t->metric == TAG_PACKETS && !t->host);
    t = &options(*state, "tag:host_src, bytes  8 ;")->state->tag;
    assert_true(t->n == 8 && t->metric == TAG_BYTES && t->host && !t->dst);
    t = &options(*state, "tag:host_dst,seconds 9;")->state->tag;
    assert_true(t->n == 9 && t->metric == TAG_SECONDS && t->host && t->dst);
}

static void
what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "flowbits:sat,a;", "flowbits: set, unset, toggle" },
        { "flowbits:set;", "a name expected" },
        { "flowbits:set,;", "a name of 1 to 255" },
        { "flowbits:set,a b;", "a name expected, not 'a b'" },
        { "flowbits:set,a|b;", "isset and isnotset only" },
        { "flowbits:isset,a|b&c;", "either | or &" },
        { "flowbits:isset,a|;", "a name of 1 to 255" },
        { "flowbits:setx,a;", "a group expected" },
        { "flowbits:set,a,g,h;", "nothing expected behind the group" },
        { "xbits:set,a;", "xbits: track expected" },
        { "xbits:set,a,track flow;", "ip_src, ip_dst, ip_pair or tx" },
        { "xbits:set,a,track tx;", "track tx goes with buffers and events" },
        { "http.uri; bsize:1; xbits:set,a,track tx,expire 5;", "expire does not go" },
        { "xbits:set,a,track ip_src,expire 0;", "expire: seconds" },
        { "xbits:reset,a,track ip_src;", "isnotset or noalert expected" },
        { "xbits:set,a,trick ip_src;", "track or expire" },
        { "hostbits:set,a,both;", "hostbits: src or dst" },
        { "hostbits:set;", "a name expected" },
        { "flowint:a;", "name,operator,value" },
        { "flowint:a,+;", "a value expected behind '+'" },
        { "flowint:a,isset,1;", "no value expected" },
        { "flowint:a,*,1;", "one of = + -" },
        { "flowint:a,+,4294967296;", "up to 4294967295" },
        { "flowint:a,+,1,2;", "name,operator,value" },
        { "flowint:a b,+,1;", "a name expected" },
        { "threshold:type limit, track by_src, count 1;", "threshold: seconds expected" },
        { "threshold:track by_src, count 1, seconds 1;", "type expected" },
        { "threshold:type limit, track by_src, count 0, seconds 1;", "count: a number from 1" },
        { "threshold:type limit, track by_src, count 1, seconds 1d;", "seconds: a number" },
        { "threshold:type limit, track by_src, count 1, seconds 2000000h;", "seconds: a number" },
        { "threshold:type limit, track by_cat, count 1, seconds 1;", "track: 'by_cat'" },
        { "threshold:type limit, track by_either, count 1, seconds 1;", "suppress only" },
        { "threshold:type limits, track by_src, count 1, seconds 1;", "type: 'limits'" },
        { "threshold:type limit, type both, track by_src, count 1, seconds 1;", "twice" },
        { "threshold:type limit, track by_src, count 1, seconds 1, ip 1.1.1.1;", "not known here" },
        { "threshold:type limit, track by_src, count 1, seconds 1, multiplier 2;",
          "multiplier does not go" },
        { "threshold:type backoff, track by_flow, count 1;", "multiplier expected" },
        { "threshold:type backoff, track by_src, count 1, multiplier 2;", "by_flow only" },
        { "threshold:type backoff, track by_flow, count 1, multiplier 1;", "multiplier: a number" },
        { "threshold:type limit, track by_src, count 1, seconds 1; detection_filter:track by_src, "
          "count 1, seconds 1;",
          "one threshold or detection_filter" },
        { "detection_filter:track by_src, count 1;", "seconds expected" },
        { "detection_filter:track by_src, count 1, seconds 1, unique_on dst_port;",
          "unique_on: a rule of TCP or UDP" },
        { "detection_filter:track by_src, count 1, seconds 1, unique_on port;",
          "unique_on: 'port' is not known" },
        { "detection_filter:type limit, track by_src, count 1, seconds 1;", "not known here" },
        { "tag:flow;", "session or host" },
        { "tag:session,5;", "packets, bytes or seconds" },
        { "tag:session,0,packets;", "a number" },
        { "tag:session,1,packets,src;", "behind session neither" },
        { "tag:host,1,packets;", "src or dst behind host" },
        { "tag:session,packets;", "a number expected" },
        { "tag:session,pockets 3;", "packets, bytes or seconds" },
        { "tag:host_src,packets 3,src;", "src or dst behind host" },
        { "tag:host,1,packets,side;", "src or dst behind host" },
        { "tag:host;", "src or dst behind host" },
        { "tag:session; tag:session;", "one for a rule" },
        { "noalert:yes;", "no value" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char line[1024];

        snprintf(line, sizeof(line), "alert ip any any -> any any (%s sid:1;)", bad[i].text);
        load(f, line);
        if (strstr(f->said, bad[i].why) == NULL)
            fail_msg("'%s' is said of '%s', not '%s'", f->said, bad[i].text, bad[i].why);
        assert_int_equal(f->rules.n, 0);
    }
}

static void
actions_have_names(void **state)
{
    static const struct {
        const char *name;
        enum rule_action action;
    } good[] = {
        { "alert", ACTION_ALERT },
        { "pass", ACTION_PASS },
        { "drop", ACTION_DROP },
        { "block", ACTION_BLOCK },
        { "reject", ACTION_REJECT },
        { "rejectsrc", ACTION_REJECT_SRC },
        { "rejectdst", ACTION_REJECT_DST },
        { "rejectboth", ACTION_REJECT_BOTH },
    };
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
        char line[128];

        snprintf(line, sizeof(line), "%s ip any any -> any any (sid:%u;)", good[i].name, i + 1);
        load(f, line);
        assert_int_equal(f->rules.n, i + 1);
        assert_int_equal(f->rules.at[i].action, good[i].action);
    }
}

static void
rules_that_set_come_before_those_that_test(void **state)
{
    static const struct {
        const char *action, *options;
        unsigned place;
    } rule[] = {
        { "alert", "", 11 },
        { "alert", "flowbits:isset,a;", 6 },
        { "alert", "flowbits:isset,a; flowbits:set,b;", 5 },
        { "alert", "flowbits:set,a;", 3 },
        { "alert", "flowbits:unset,a;", 4 },
        { "pass", "", 0 },
        { "alert", "xbits:isset,a,track ip_pair;", 10 },
        { "alert", "hostbits:set,a;", 9 },
        { "alert", "flowint:n,>,5;", 8 },
        { "alert", "flowint:n,+,1;", 7 },
        { "reject", "flowbits:isset,a;", 2 },
        { "drop", "", 1 },
        { "alert", "", 12 },
    };
    struct fixture *f = *state;
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; i < sizeof(rule) / sizeof(*rule); i++) {
        char line[256];

        snprintf(line, sizeof(line), "%s ip any any -> any any (%s sid:%u;)", rule[i].action,
                 rule[i].options, rule[i].place + 1);
        load(f, line);
        assert_string_equal(f->said, "");
    }
    assert_int_equal(rules_sort(&f->rules, &err), WEIR_E_OK);
    for (unsigned i = 0; i < f->rules.n; i++)
        assert_int_equal(f->rules.at[i].sid, i + 1);
    load(f, "alert ip any any -> any any (sid:100;)"); /* there is room behind it */
    assert_int_equal(f->rules.at[f->rules.n - 1].sid, 100);
}

static void
sort(struct fixture *f, const char *const *options, const char *order)
{
    struct weir_errbuf err = { "" };
    char said[32] = "";

    for (unsigned i = 0; options[i] != NULL; i++) {
        char line[256];

        snprintf(line, sizeof(line), "alert ip any any -> any any (%s sid:%u;)", options[i], i + 1);
        load(f, line);
        assert_string_equal(f->said, "");
    }
    assert_int_equal(rules_sort(&f->rules, &err), WEIR_E_OK);
    for (unsigned i = 0; i < f->rules.n; i++)
        said[i] = (char)('0' + f->rules.at[i].sid);
    assert_string_equal(said, order);
    tear_down((void **)&f);
    set_up((void **)&f);
}
#define SORT(order, ...) sort(f, (const char *const[]){ __VA_ARGS__, NULL }, order)

static void
rules_come_behind_what_they_build_on(void **state)
{
    struct fixture *f = *state;

    SORT("54321", "flowbits:isset,d;", "flowbits:isset,c; flowbits:set,d;",
         "flowbits:isset,b; flowbits:set,c;", "flowbits:isset,a; flowbits:set,b;",
         "flowbits:set,a;");
    SORT("12", "flowbits:isnotset,a; flowbits:set,a;", "flowbits:isset,a; flowbits:set,b;");
    SORT("21", "flowbits:isset,a|b; flowbits:set,c;", "flowbits:isset,x; flowbits:unset,b;");
    /* in a circle there is no order, but always the same one */
    SORT("12", "flowbits:isset,a; flowbits:set,b;", "flowbits:isset,b; flowbits:set,a;");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(flowbits_have_an_operator_and_names),
        T(flowbits_may_have_a_group),
        T(noalert_comes_in_many_words),
        T(bits_of_addresses_have_a_side_and_a_time),
        T(flowints_have_values_or_names),
        T(thresholds_take_their_words_in_any_order),
        T(tags_count_packets_bytes_or_seconds),
        T(what_is_wrong_is_refused),
        T(actions_have_names),
        T(rules_that_set_come_before_those_that_test),
        T(rules_come_behind_what_they_build_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
