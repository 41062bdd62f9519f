/* What rules remember and ask: matches one after the other, and who of them holds. */
#include "detect/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 1 << 16, SECOND = 1000000000 };

struct fixture {
    struct rules rules;
    struct vars *vars;
    struct state *state;
    struct name_book *book;
    void *base;
    struct mem mem;
    struct memory *flow[2];
    struct subject subject;
};

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .vars = vars_new() };
    f.base = aligned_alloc(64, SIZE);
    mem_init(&f.mem, f.base, SIZE, SIZE);
    f.subject = (struct subject){ .memory = &f.flow[0],
                                  .mem = &f.mem,
                                  .flow_id = 1,
                                  .has_addresses = true,
                                  .src = 10,
                                  .dst = 20,
                                  .time = SECOND };
    *state = &f;
    return f.vars == NULL || f.base == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    memory_free(f->flow[0], &f->mem);
    memory_free(f->flow[1], &f->mem);
    assert_int_equal(f->mem.used, 0);
    state_free(f->state);
    name_book_free(f->book);
    rules_free(&f->rules);
    vars_free(f->vars);
    free(f->base);
    return 0;
}

/* Rules 0, 1, ... have these options, one string each. */
static void
begin(struct fixture *f, const char *const *options)
{
    const struct keyed_opts opts = { .seed = 1 };
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; options[i] != NULL; i++) {
        char line[256];
        int n = snprintf(line, sizeof(line), "alert ip any any -> any any (%s; sid:%u;)",
                         options[i], i + 1);

        assert_int_equal(rules_load_text(&f->rules, f->vars, "t", (struct text){ line, (size_t)n },
                                         NULL, NULL, &err),
                         WEIR_E_OK);
    }
    assert_int_equal(f->rules.refused, 0);
    f->book = name_book_new();
    assert_non_null(f->book);
    assert_int_equal(state_new(&f->rules, f->book, &opts, &f->state, &err), WEIR_E_OK);
}
#define BEGIN(...) begin(f, (const char *const[]){ __VA_ARGS__, NULL })

static bool
holds(struct fixture *f, uint32_t rule)
{
    return state_holds(f->state, rule, &f->subject);
}

/* The rule's tests and, if they hold, what it changes. */
static bool
matches(struct fixture *f, uint32_t rule)
{
    return holds(f, rule) && state_apply(f->state, rule, &f->subject);
}

/* Packets of the other direction. */
static void
turn(struct fixture *f)
{
    u128 src = f->subject.src;

    f->subject.src = f->subject.dst;
    f->subject.dst = src;
}

static void
rules_without_state_cost_nothing(void **state)
{
    struct fixture *f = *state;

    BEGIN("noalert", "threshold:type limit,track by_src,count 1,seconds 1", "tag:session");
    assert_null(f->state);
    assert_false(state_is_used(f->state, 0));
}

static void
flowbits_are_the_flows(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowbits:set,a", "flowbits:isset,a", "flowbits:isnotset,a", "flowbits:unset,a",
          "msg:\"x\"");
    assert_false(state_is_used(f->state, 4));
    assert_true(state_is_tested(f->state, 1) && !state_is_tested(f->state, 0));
    assert_true(!holds(f, 1) && holds(f, 2) && holds(f, 0));
    assert_int_equal(f->mem.used, 0);
    assert_true(matches(f, 0) && matches(f, 0) && holds(f, 1) && !holds(f, 2));
    turn(f);
    assert_true(holds(f, 1));
    f->subject.memory = &f->flow[1];
    assert_false(holds(f, 1));
    f->subject.memory = &f->flow[0];
    assert_true(matches(f, 3) && !holds(f, 1));
}

static void
toggle_turns_a_bit_round(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowbits:toggle,a", "flowbits:isset,a");
    assert_true(matches(f, 0) && holds(f, 1));
    assert_true(matches(f, 0) && !holds(f, 1));
}

static void
or_needs_one_and_and_needs_each(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowbits:set,a", "flowbits:set,b", "flowbits:isset,a|b", "flowbits:isset,a&b",
          "flowbits:isnotset,a|b", "flowbits:isnotset,a&b", "flowbits:isset,a; flowbits:isset,b",
          "flowbits:unset,a&b");
    assert_true(!holds(f, 2) && !holds(f, 3) && holds(f, 4) && holds(f, 5) && !holds(f, 6));
    matches(f, 0);
    assert_true(holds(f, 2) && !holds(f, 3) && holds(f, 4) && !holds(f, 5) && !holds(f, 6));
    matches(f, 1);
    assert_true(holds(f, 2) && holds(f, 3) && !holds(f, 4) && !holds(f, 5) && holds(f, 6));
    matches(f, 7);
    assert_true(!holds(f, 2) && holds(f, 5));
}

static void
groups_are_made_of_what_is_named_beside_them(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowbits:set,a,g", "flowbits:set,b,g", "flowbits:set,c", "flowbits:isset,any,g",
          "flowbits:isset,all,g", "flowbits:isnotset,all,g", "flowbits:setx,b,g",
          "flowbits:isset,a", "flowbits:isset,b", "flowbits:isset,c", "flowbits:reset,g",
          "flowbits:reset", "flowbits:isset,any,none", "flowbits:isset,all,none");
    assert_true(!holds(f, 3) && !holds(f, 4) && holds(f, 5) && !holds(f, 12) && !holds(f, 13));
    matches(f, 0);
    matches(f, 2);
    assert_true(holds(f, 3) && !holds(f, 4) && !holds(f, 5));
    matches(f, 1);
    assert_true(holds(f, 4));
    matches(f, 6);
    assert_true(!holds(f, 7) && holds(f, 8) && holds(f, 9));
    matches(f, 10);
    assert_true(!holds(f, 8) && holds(f, 9));
    matches(f, 11);
    assert_false(holds(f, 9));
}

static void
without_a_flow_nothing_holds(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowbits:set,a", "flowbits:isset,a", "flowbits:isnotset,a", "flowint:n,notset",
          "xbits:isnotset,a,track ip_src", "xbits:set,a,track ip_src");
    f->subject.memory = NULL;
    assert_true(matches(f, 0)); /* there is nobody to remember it */
    assert_true(!holds(f, 1) && !holds(f, 2) && !holds(f, 3) && holds(f, 4));
    f->subject.has_addresses = false;
    assert_true(!holds(f, 4) && matches(f, 5));
}

static void
xbits_belong_to_addresses(void **state)
{
    struct fixture *f = *state;

    BEGIN("xbits:set,a,track ip_src,expire 10", "xbits:isset,a,track ip_src",
          "xbits:isset,a,track ip_dst", "hostbits:isset,a", "xbits:isset,a,track ip_pair",
          "xbits:isset,b,track ip_src", "flowbits:isset,a");
    assert_true(matches(f, 0));
    f->subject.memory = &f->flow[1]; /* of another flow, too */
    assert_true(holds(f, 1) && !holds(f, 2) && holds(f, 3) && !holds(f, 4));
    assert_true(!holds(f, 5) && !holds(f, 6));
    turn(f);
    assert_true(!holds(f, 1) && holds(f, 2) && !holds(f, 3));
    turn(f);
    f->subject.dst = 30;
    assert_true(holds(f, 1));
}

static void
pairs_have_no_direction(void **state)
{
    struct fixture *f = *state;

    BEGIN("xbits:set,a,track ip_pair", "xbits:isset,a,track ip_pair", "xbits:isset,a,track ip_src");
    matches(f, 0);
    turn(f);
    assert_true(holds(f, 1) && !holds(f, 2));
    f->subject.dst = 30;
    assert_false(holds(f, 1));
    f->subject.src = f->subject.dst = 0; /* even :: has bits of its own */
    matches(f, 0);
    assert_false(holds(f, 2));
}

static void
transactions_have_bits_of_their_own(void **state)
{
    struct fixture *f = *state;

    BEGIN("http.uri; bsize:1; xbits:set,a,track tx", "http.uri; bsize:1; xbits:isset,a,track tx",
          "xbits:isset,a,track ip_src", "http.uri; bsize:1; xbits:isnotset,a,track tx");
    matches(f, 0);
    assert_true(!holds(f, 1) && !holds(f, 3)); /* there is none */
    f->subject.flow_id = 10;                   /* as an address is */
    f->subject.src = 10;
    f->subject.tx = 1;
    assert_true(!holds(f, 1) && holds(f, 3));
    matches(f, 0);
    assert_true(holds(f, 1) && !holds(f, 2) && !holds(f, 3));
    f->subject.tx = 2;
    assert_true(!holds(f, 1) && holds(f, 3));
    f->subject.tx = 1;
    f->subject.flow_id = 11;
    assert_false(holds(f, 1));
}

/* Of one core, with what is known beside it and before it. */
static struct state *
another(struct fixture *f, const struct state *with, const struct state *before)
{
    const struct keyed_opts opts = { .seed = 2 };
    struct weir_errbuf err = { "" };
    struct state *s;

    assert_int_equal(state_new(&f->rules, f->book, &opts, &s, &err), WEIR_E_OK);
    state_share(s, with);
    state_inherit(s, before);
    return s;
}

static void
cores_know_the_same_of_addresses(void **state)
{
    struct fixture *f = *state;
    struct state *beside, *after, *beside_after;
    struct state_stats stats;

    BEGIN("xbits:set,a,track ip_src,expire 10", "xbits:isset,a,track ip_src");
    beside = another(f, f->state, NULL);
    assert_false(state_holds(beside, 1, &f->subject));
    matches(f, 0);
    assert_true(state_holds(beside, 1, &f->subject));
    state_get_stats(beside, &stats);
    assert_int_equal(stats.changes, 0); /* they are the other's */

    after = another(f, NULL, NULL);
    beside_after = another(f, after, NULL);
    state_inherit(after, f->state);
    state_inherit(beside_after, beside);
    state_free(f->state);
    f->state = after;
    state_free(beside);
    assert_true(state_holds(beside_after, 1, &f->subject));
    f->subject.src = 11;
    assert_true(state_apply(beside_after, 0, &f->subject));
    assert_true(holds(f, 1));
    state_free(beside_after);
}

static void
bits_of_addresses_expire(void **state)
{
    struct fixture *f = *state;
    uint64_t start = f->subject.time;

    BEGIN("xbits:set,a,track ip_src,expire 10", "xbits:isset,a,track ip_src",
          "xbits:toggle,a,track ip_src,expire 5", "xbits:unset,a,track ip_src", "hostbits:set,h",
          "hostbits:isset,h");
    matches(f, 0);
    matches(f, 4);
    f->subject.time = start + UINT64_C(10) * SECOND - 1;
    assert_true(holds(f, 1));
    f->subject.time++;
    assert_false(holds(f, 1));
    matches(f, 2); /* it is not set any more */
    assert_true(holds(f, 1));
    matches(f, 0); /* begins the time anew */
    f->subject.time += UINT64_C(9) * SECOND;
    assert_true(holds(f, 1));
    matches(f, 3);
    assert_false(holds(f, 1));
    f->subject.time = start + UINT64_C(299) * SECOND;
    assert_true(holds(f, 5));
    f->subject.time += SECOND;
    assert_false(holds(f, 5));
}

static void
numbers_count(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowint:n,+,2", "flowint:n,==,4", "flowint:n,isset", "flowint:n,notset", "flowint:n,-,3",
          "flowint:n,=,7", "flowint:n,>,m", "flowint:m,=,6", "flowint:n,<,100");
    assert_true(!holds(f, 1) && !holds(f, 2) && holds(f, 3) && !holds(f, 8));
    assert_false(state_apply(f->state, 4, &f->subject)); /* there is nothing to subtract from */
    matches(f, 0);
    assert_true(!holds(f, 1) && holds(f, 2) && !holds(f, 3) && holds(f, 8));
    matches(f, 0);
    assert_true(holds(f, 1));
    matches(f, 4);
    assert_false(holds(f, 1));
    matches(f, 5);
    assert_false(holds(f, 6)); /* m is not set */
    matches(f, 7);
    assert_true(holds(f, 6));
}

static void
numbers_and_bits_of_one_name_differ(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowint:a,=,0", "flowbits:isset,a", "flowbits:set,a; flowbits:unset,b", "flowint:a,==,0",
          "flowbits:reset");
    matches(f, 0);
    assert_false(holds(f, 1));
    matches(f, 2);
    assert_true(holds(f, 1));
    matches(f, 4);
    assert_true(!holds(f, 1) && holds(f, 3));
}

static void
a_number_is_changed_before_it_is_tested_as_written(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowint:n,+,1; flowint:n,>=,3; flowbits:set,third", "flowbits:isset,third",
          "flowint:n,<,2; flowint:n,+,1");
    assert_true(holds(f, 0)); /* what comes behind the change is tested then */
    assert_false(state_apply(f->state, 0, &f->subject));
    assert_true(matches(f, 2) && !holds(f, 2)); /* 2 */
    assert_false(holds(f, 1));
    assert_true(matches(f, 0) && holds(f, 1));
}

static void
numbers_wrap(void **state)
{
    struct fixture *f = *state;

    BEGIN("flowint:n,=,4294967295", "flowint:n,+,2", "flowint:n,==,1", "flowint:n,-,2",
          "flowint:n,==,4294967295");
    assert_true(matches(f, 0) && matches(f, 1) && holds(f, 2));
    assert_true(matches(f, 3) && holds(f, 4));
}

static void
want_of_memory_is_counted(void **state)
{
    struct fixture *f = *state;
    struct state_stats stats;

    BEGIN("flowbits:set,a", "flowbits:isset,a");
    f->mem.cap = 0;
    assert_true(matches(f, 0) && !holds(f, 1));
    state_get_stats(f->state, &stats);
    assert_int_equal(stats.no_memory, 1);
    assert_int_equal(stats.changes, 1);
}

static void
addresses_that_make_room_are_counted(void **state)
{
    struct fixture *f = *state;
    struct state_stats stats;

    BEGIN("xbits:set,a,track ip_src,expire 1000", "xbits:isset,a,track ip_src");
    for (unsigned i = 0; i < STATE_KEYS_MAX + 3; i++) {
        f->subject.src = i;
        matches(f, 0);
    }
    state_get_stats(f->state, &stats);
    assert_int_equal(stats.lost, 3);
    assert_true(holds(f, 1));
    f->subject.src = 0;
    assert_false(holds(f, 1));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(rules_without_state_cost_nothing),
        T(flowbits_are_the_flows),
        T(toggle_turns_a_bit_round),
        T(or_needs_one_and_and_needs_each),
        T(groups_are_made_of_what_is_named_beside_them),
        T(without_a_flow_nothing_holds),
        T(xbits_belong_to_addresses),
        T(pairs_have_no_direction),
        T(transactions_have_bits_of_their_own),
        T(cores_know_the_same_of_addresses),
        T(bits_of_addresses_expire),
        T(numbers_count),
        T(numbers_and_bits_of_one_name_differ),
        T(a_number_is_changed_before_it_is_tested_as_written),
        T(numbers_wrap),
        T(want_of_memory_is_counted),
        T(addresses_that_make_room_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
