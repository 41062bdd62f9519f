/* Which rules meet which bytes, and which of their contents is looked for first. */
#include "detect/groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct vars *vars;
    struct rules rules;
    struct groups *groups;
    char text[1024];
    uint64_t found;
};

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

    groups_free(f->groups);
    rules_free(&f->rules);
    vars_free(f->vars);
    return 0;
}

static void
make(struct fixture *f, const char *rules)
{
    struct weir_errbuf err = { "" };

    groups_free(f->groups);
    rules_free(&f->rules);
    assert_int_equal(rules_load_text(&f->rules, f->vars, "t", (struct text){ rules, strlen(rules) },
                                     NULL, NULL, &err),
                     WEIR_E_OK);
    assert_int_equal(f->rules.refused, 0);
    assert_int_equal(groups_new(&f->rules, &f->groups, &err), WEIR_E_OK);
}

/* Where a single rule is: a letter for each kind of bytes, large to the server, small back. */
static const char *
places(struct fixture *f, const char *header, const char *options)
{
    static const char letters[GROUP_KINDS][2] = { "Tt", "Ss", "Ll", "Uu", "Oo" };
    static char said[2 * GROUP_KINDS + 1];
    size_t n = 0;

    snprintf(f->text, sizeof(f->text), "alert %s any any -> any any (%s sid:1;)", header, options);
    make(f, f->text);
    for (int kind = 0; kind < GROUP_KINDS; kind++)
        for (int dir = 0; dir < 2; dir++)
            if (!group_is_empty(&f->groups->group[kind][dir]))
                said[n++] = letters[kind][dir];
    said[n] = '\0';
    return said;
}

static void
contents_of_tcp_meet_the_stream_or_lone_segments(void **state)
{
    assert_string_equal(places(*state, "tcp", "content:\"a\";"), "TtLl");
    assert_string_equal(places(*state, "tcp", "content:\"a\"; flow:established;"), "Tt");
    assert_string_equal(places(*state, "tcp", "content:\"a\"; flow:only_stream;"), "Tt");
    assert_string_equal(places(*state, "tcp", "content:\"a\"; flow:no_stream;"), "SsLl");
    assert_string_equal(places(*state, "tcp-pkt", "content:\"a\";"), "SsLl");
    assert_string_equal(places(*state, "tcp-stream", "content:\"a\";"), "Tt");
}

static void
what_means_packets_meets_segments_too(void **state)
{
    static const char *const options[] = { "content:\"a\"; depth:4;", "content:\"a\"; offset:4;",
                                           "content:\"a\"; startswith;",
                                           "content:\"a\"; dsize:>4;" };

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        assert_string_equal(places(*state, "tcp", options[i]), "TtSsLl");
    assert_string_equal(places(*state, "tcp", "content:\"a\"; content:\"b\"; within:4;"), "TtLl");
    assert_string_equal(places(*state, "tcp", "content:\"a\"; ttl:>4;"), "TtLl");
}

static void
rules_without_contents_meet_every_packet(void **state)
{
    assert_string_equal(places(*state, "tcp", "flags:S;"), "SsLl");
    assert_string_equal(places(*state, "tcp", "flow:established;"), "Ss");
    assert_string_equal(places(*state, "ip", "ttl:1;"), "SsLlUuOo");
}

static void
directions_and_protocols_part_them(void **state)
{
    assert_string_equal(places(*state, "tcp", "content:\"a\"; flow:to_server;"), "TL");
    assert_string_equal(places(*state, "tcp", "content:\"a\"; flow:from_server,established;"), "t");
    assert_string_equal(places(*state, "udp", "content:\"a\"; flow:to_client;"), "u");
    assert_string_equal(places(*state, "icmp", "itype:8;"), "Oo");
    assert_string_equal(places(*state, "ip", "content:\"a\";"), "TtLlUuOo");
    assert_string_equal(places(*state, "udp", "content:\"a\"; flow:only_stream;"), "");
}

static void
rules_on_events_are_sorted_by_them(void **state)
{
    struct fixture *f = *state;
    const struct groups *g;

    make(f, "alert tcp any any -> any any (flow-event:rst; sid:1;)\n"
            "alert tcp any any -> any any (flow-event:gap; content:\"a\"; sid:2;)\n"
            "alert tcp any any -> any any (content:\"a\"; sid:3;)\n"
            "alert tcp any any -> any any (flow-event:rst; sid:4;)\n");
    g = f->groups;
    assert_int_equal(g->first[WEIR_EV_RST + 1] - g->first[WEIR_EV_RST], 2);
    assert_int_equal(g->by_event[g->first[WEIR_EV_RST]], 0);
    assert_int_equal(g->by_event[g->first[WEIR_EV_RST] + 1], 3);
    assert_int_equal(g->first[WEIR_EV_GAP + 1] - g->first[WEIR_EV_GAP], 1);
    assert_int_equal(g->by_event[g->first[WEIR_EV_GAP]], 1);
    assert_int_equal(g->first[WEIR_EV_COUNT], 3);
    assert_int_equal(g->patterns, 4); /* only those of sid 3 */
}

static int
fast_of(struct fixture *f, const char *options)
{
    places(f, "tcp", options);
    return f->groups->fast[0];
}

static void
the_longest_content_is_looked_for_unless_one_is_named(void **state)
{
    assert_int_equal(fast_of(*state, "content:\"ab\"; content:\"abcd\"; content:\"abc\";"), 1);
    assert_int_equal(fast_of(*state, "content:\"ab\"; content:\"cd\";"), 0);
    assert_int_equal(fast_of(*state, "content:\"ab\"; fast_pattern; content:\"abcd\";"), 0);
    assert_int_equal(fast_of(*state, "content:!\"abcd\"; content:\"ab\";"), 1);
    assert_int_equal(fast_of(*state, "isdataat:4; content:\"ab\";"), 1);
    assert_int_equal(fast_of(*state, "content:!\"abcd\"; depth:9;"), -1);
    assert_int_equal(fast_of(*state, "isdataat:4;"), -1);
}

static void
what_many_rules_name_is_left_for_a_better_sign(void **state)
{
    struct fixture *f = *state;

    make(f,
         "alert tcp any any -> any any (content:\"login\"; fast_pattern; content:\"unusual1\"; "
         "sid:1;)\n"
         "alert tcp any any -> any any (content:\"login\"; fast_pattern; content:\"unusual2\"; "
         "sid:2;)\n"
         "alert tcp any any -> any any (content:\"login\"; fast_pattern; content:\"abc\"; sid:3;)\n"
         "alert tcp any any -> any any (content:\"Login\"; fast_pattern; content:\"unusual4\"; "
         "sid:4;)\n"
         "alert tcp any any -> any any (content:\"login\"; fast_pattern; content:!\"unusual5\"; "
         "sid:5;)\n");
    assert_int_equal(f->groups->fast[0], 1);
    assert_int_equal(f->groups->fast[1], 1);
    assert_int_equal(f->groups->fast[2], 0);
    assert_int_equal(f->groups->fast[3], 0);
    assert_int_equal(f->groups->fast[4], 0);
}

static struct plan
plan_of(struct fixture *f, const char *options)
{
    places(f, "tcp", options);
    return f->groups->plan[0];
}

/* Of rules whose fast pattern has three bytes. */
static void
a_content_behind_the_fast_pattern_has_its_range(void **state)
{
    struct plan p = plan_of(*state, "content:\"abc\"; fast_pattern; content:\"defgh\"; distance:2; "
                                    "within:20;");

    assert_int_equal(p.probe, 1);
    assert_int_equal(p.low, 2);
    assert_int_equal(p.high, 22);
    assert_int_equal(p.back, 3);
    p = plan_of(*state, "content:\"abc\"; fast_pattern; content:\"de\"; distance:0; within:4; "
                        "content:\"ghi\"; distance:-1; within:9;");
    assert_int_equal(p.probe, 2);
    assert_int_equal(p.low, 1);
    assert_int_equal(p.high, 12);
    assert_int_equal(p.back, 4);
    p = plan_of(*state, "content:\"abc\"; fast_pattern; content:\"de\"; distance:0;");
    assert_int_equal(p.high, PLAN_FAR);
    p = plan_of(*state, "content:\"abc\"; fast_pattern; content:\"de\";");
    assert_int_equal(p.probe, -1);
    assert_int_equal(p.back, PLAN_FAR);
    p = plan_of(*state, "content:\"de\"; content:\"abc\"; distance:0; fast_pattern;");
    assert_int_equal(p.back, PLAN_FAR);
}

static void
note(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ends;
    ((struct fixture *)ctx)->found |= UINT64_C(1) << rule;
}

/* Of a content over FAST_MAX bytes the first FAST_MAX are looked for. */
static void
a_long_content_is_found_by_its_beginning(void **state)
{
    static const uint8_t bytes[] = "0123456789abcdef0123456789abcdef";
    struct fixture *f = *state;

    make(f, "alert udp any any -> any any (content:\"0123456789abcdef0123456789abcdefX\"; sid:1;)\n"
            "alert udp any any -> any any (content:!\"z\"; sid:2;)\n");
    prefilter_scan(f->groups->group[GROUP_UDP][0].prefilter, f->groups->scratch, bytes, 31, note,
                   f);
    assert_int_equal(f->found, 0);
    prefilter_scan(f->groups->group[GROUP_UDP][0].prefilter, f->groups->scratch, bytes, 32, note,
                   f);
    assert_int_equal(f->found, 1);
    assert_int_equal(f->groups->group[GROUP_UDP][0].n_always, 1);
    assert_int_equal(f->groups->group[GROUP_UDP][0].always[0], 1);
}

static void
no_rules_make_empty_groups(void **state)
{
    struct fixture *f = *state;

    make(f, "# nothing\n");
    for (int kind = 0; kind < GROUP_KINDS; kind++)
        assert_true(group_is_empty(&f->groups->group[kind][0]) &&
                    group_is_empty(&f->groups->group[kind][1]));
    assert_int_equal(f->groups->first[WEIR_EV_COUNT], 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(contents_of_tcp_meet_the_stream_or_lone_segments),
        T(what_means_packets_meets_segments_too),
        T(rules_without_contents_meet_every_packet),
        T(directions_and_protocols_part_them),
        T(rules_on_events_are_sorted_by_them),
        T(the_longest_content_is_looked_for_unless_one_is_named),
        T(a_long_content_is_found_by_its_beginning),
        T(what_many_rules_name_is_left_for_a_better_sign),
        T(a_content_behind_the_fast_pattern_has_its_range),
        T(no_rules_make_empty_groups),
    };

    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
