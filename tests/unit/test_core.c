#include "future_help.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- reports ---- */

static char lines[16][256];
static unsigned n_lines;

static void
keep_line(void *arg, const char *line)
{
    assert_ptr_equal(arg, lines);
    if (n_lines < 16)
        snprintf(lines[n_lines], sizeof(lines[0]), "%s", line);
    n_lines++;
}

static int
enter_reporting_core(void **state)
{
    (void)state;
    n_lines = 0;
    return enter_core_with(&(struct weir_core_opts){
        .id = 7, .stall_ns = 2000000, .report = keep_line, .report_arg = lines });
}

/* ---- cores ---- */

static void
a_thread_has_one_current_core_or_none(void **state)
{
    struct weir_core *other, *first = core;

    (void)state;
    assert_int_equal(weir_core_new(&(struct weir_core_opts){ .id = 4 }, &other), WEIR_E_OK);
    assert_ptr_equal(weir_core_current(), first);
    assert_ptr_equal(weir_core_enter(other), first);
    assert_ptr_equal(weir_core_current(), other);
    assert_int_equal(weir_core_id(other), 4);
    assert_int_equal(weir_core_free(other), 0);
    assert_null(weir_core_current());
    assert_null(weir_core_enter(first));
    assert_int_equal(weir_core_free(NULL), 0);
}

static void
run_makes_its_core_current_and_goes_back(void **state)
{
    struct weir_promise p = weir_promise_new();
    struct weir_core *mine = core;
    struct seen seen;

    (void)state;
    watch(weir_then(weir_future(p), plus_one, NULL), &seen);
    weir_resolve(p, weir_ok(1));
    weir_core_enter(NULL);
    assert_int_equal(weir_core_run(mine, 10), 2);
    assert_null(weir_core_current());
    weir_core_enter(mine);
    assert_outcome(seen, WEIR_E_OK, 2);
    assert_int_equal(weir_core_run(mine, 10), 0);
    assert_int_equal(stats().ran, 2);
}

static weir_fut
run_inside(void *ctx, weir_fut in)
{
    (void)in;
    return weir_ok(weir_core_run(ctx, 100));
}

static void
a_handler_cannot_run_the_core_again(void **state)
{
    struct weir_promise p = weir_promise_new(), q = weir_promise_new();
    struct seen outer, inner;

    (void)state;
    watch(weir_then(weir_future(p), run_inside, core), &outer);
    watch(weir_future(q), &inner);
    weir_resolve(p, weir_ok(0));
    weir_resolve(q, weir_ok(0));
    run_all();
    assert_outcome(outer, WEIR_E_OK, 0);
    assert_int_equal(inner.times, 1);
}

static void
the_pool_grows_up_to_its_limit_and_then_stays(void **state)
{
    const struct weir_core_opts opts = { .cells = 2, .max_cells = 7 };
    struct weir_core_stats s;
    struct weir_promise p[8];
    struct weir_core *small;

    (void)state;
    assert_int_equal(weir_core_new(&opts, &small), WEIR_E_OK);
    weir_core_enter(small);
    weir_core_get_stats(small, &s);
    assert_int_equal(s.cells, 2);
    assert_int_equal(s.grown, 0);
    for (unsigned i = 0; i < 8; i++)
        p[i] = weir_promise_new();
    assert_null(p[7].cell);
    for (unsigned i = 0; i < 7; i++) {
        weir_detach(weir_future(p[i]));
        weir_resolve(p[i], weir_ok(0));
    }
    weir_core_get_stats(small, &s);
    assert_int_equal(s.cells, 7);
    assert_int_equal(s.grown, 2);
    assert_int_equal(s.live, 0);
    assert_int_equal(s.no_memory, 1);
    weir_core_free(small);
    weir_core_enter(core);
}

static void
a_forgotten_future_is_reported_with_where_it_was_made(void **state)
{
    struct weir_promise p = weir_promise_new();
    weir_fut f = weir_then(weir_future(p), plus_one, NULL);
    char made[32], waits[32];

    (void)state;
    snprintf(made, sizeof(made), "test_core.c:%d", __LINE__ - 5);
    snprintf(waits, sizeof(waits), "test_core.c:%d waits", __LINE__ - 5);
    assert_int_equal(weir_core_report(core), 2);
    assert_int_equal(n_lines, 2);
    assert_non_null(strstr(lines[0], "core 7: "));
    assert_non_null(strstr(lines[0], made));
    assert_non_null(strstr(lines[0], "promise"));
    assert_non_null(strstr(lines[1], waits));
    assert_non_null(strstr(lines[1], made));
    assert_int_equal(weir_core_free(core), 2);
    assert_int_equal(n_lines, 4);
    core = NULL;
    (void)f;
}

static void
every_kind_of_cell_has_a_line_of_its_own(void **state)
{
    static const char *const words[] = { "when_all", "part", "after", "sem_take", "timeout" };
    weir_fut in[2] = { weir_after(5), weir_timeout(weir_future(weir_promise_new()), 7) }, f;
    char all[16 * 256] = "";
    struct weir_sem sem;

    (void)state;
    weir_sem_init(&sem, 0);
    f = weir_when_all(in, 2, NULL);
    weir_detach(weir_sem_take(&sem, 1));
    assert_int_equal(weir_core_report(core), 7);
    for (unsigned i = 0; i < n_lines; i++)
        strcat(all, lines[i]);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_non_null(strstr(all, words[i]));
    weir_cancel(f);
    weir_sem_break(&sem);
    run_all();
    assert_int_equal(weir_core_free(core), 1);
    core = NULL;
}

static int
leave_nothing(void **state)
{
    (void)state;
    return weir_core_free(core) == 0 ? 0 : -1;
}

#ifdef WEIR_DEBUG_FUTURES

/* ---- debug builds ---- */

static void
abort_silently(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

/* Whether @act aborts, in a child. */
static bool
aborts(void (*act)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
resolve_on_a_foreign_core(void)
{
    struct weir_promise p = weir_promise_new();
    struct weir_core *other;

    if (weir_core_new(&(struct weir_core_opts){ .report = abort_silently }, &other) == WEIR_E_OK)
        weir_core_enter(other);
    weir_resolve(p, weir_ok(0));
}

static void
consume_twice(void)
{
    weir_fut f = weir_future(weir_promise_new());

    weir_detach(weir_then(f, plus_one, NULL));
    weir_detach(weir_then(f, plus_one, NULL));
}

static void
consume_after_it_was_consumed(void)
{
    struct weir_promise p = weir_promise_new();

    weir_detach(weir_future(p));
    weir_resolve(p, weir_ok(0));
    weir_detach(weir_future(p));
}

static void
write_into_a_free_cell(void)
{
    struct weir_promise p = weir_promise_new();

    weir_resolve(p, weir_ok(0));
    weir_detach(weir_future(p));
    ((char *)p.cell)[40] = 1;
    weir_detach(weir_future(weir_promise_new()));
}

static void
broken_rules_stop_the_program(void **state)
{
    (void)state;
    assert_true(aborts(resolve_on_a_foreign_core));
    assert_true(aborts(consume_twice));
    assert_true(aborts(consume_after_it_was_consumed));
    assert_true(aborts(write_into_a_free_cell));
}

static weir_fut
wait_for_long(void *ctx, weir_fut in)
{
    const struct timespec long_time = { .tv_nsec = 4000000 };

    (void)ctx;
    nanosleep(&long_time, NULL);
    return in;
}

static weir_fut
compute_for_long(void *ctx, weir_fut in)
{
    struct timespec start, now;

    (void)ctx;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < 4000000);
    return in;
}

static void
a_handler_that_holds_the_core_up_is_named(void **state)
{
    static const weir_fn stalls[] = { wait_for_long, compute_for_long };
    char site[32];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct weir_promise p = weir_promise_new();

        weir_detach(weir_then(weir_future(p), stalls[i], NULL));
        snprintf(site, sizeof(site), "test_core.c:%d", __LINE__ - 1);
        weir_resolve(p, weir_ok(0));
        run_all();
        assert_int_equal(n_lines, i + 1);
        assert_non_null(strstr(lines[i], site));
    }
}

static void
with_a_seed_ready_handlers_run_late(void **state)
{
    struct weir_core *calm = core, *wild;
    struct seen seen = { 0 };
    weir_fut f;

    (void)state;
    assert_int_equal(weir_core_new(&(struct weir_core_opts){ .seed = 1 }, &wild), WEIR_E_OK);
    weir_core_enter(wild);
    f = weir_then(weir_ok(5), note, &seen);
    assert_true(weir_is_asleep(f));
    assert_int_equal(seen.times, 0);
    weir_detach(f);
    weir_core_run(wild, 100);
    assert_outcome(seen, WEIR_E_OK, 5);
    assert_int_equal(weir_core_free(wild), 0);
    weir_core_enter(calm);
}

/* Write the order in which 8 handlers run with this seed. */
static void
draw_order(uint64_t seed, char order[9])
{
    struct weir_core *calm = core, *wild;
    struct weir_promise p[8];
    struct seen seen[8];
    char *end = order;

    assert_int_equal(weir_core_new(&(struct weir_core_opts){ .seed = seed }, &wild), WEIR_E_OK);
    weir_core_enter(wild);
    for (unsigned i = 0; i < 8; i++) {
        p[i] = weir_promise_new();
        watch(weir_future(p[i]), &seen[i]);
        weir_resolve(p[i], weir_ok(0));
    }
    while (weir_core_run(wild, 1) > 0)
        for (unsigned i = 0; i < 8; i++)
            if (seen[i].times == 1) {
                seen[i].times = 2;
                *end++ = (char)('0' + i);
            }
    *end = '\0';
    assert_int_equal(weir_core_free(wild), 0);
    weir_core_enter(calm);
}

static void
the_seed_draws_the_order_of_handlers(void **state)
{
    char a[9], again[9], b[9];

    (void)state;
    draw_order(1, a);
    draw_order(1, again);
    draw_order(2, b);
    assert_int_equal(strlen(a), 8);
    assert_string_equal(a, again);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, "01234567");
}

#endif

#define reporting(fact) cmocka_unit_test_setup_teardown(fact, enter_reporting_core, leave_nothing)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_core(a_thread_has_one_current_core_or_none),
        in_core(run_makes_its_core_current_and_goes_back),
        in_core(a_handler_cannot_run_the_core_again),
        in_core(the_pool_grows_up_to_its_limit_and_then_stays),
        reporting(a_forgotten_future_is_reported_with_where_it_was_made),
        reporting(every_kind_of_cell_has_a_line_of_its_own),
#ifdef WEIR_DEBUG_FUTURES
        in_core(broken_rules_stop_the_program),
        reporting(a_handler_that_holds_the_core_up_is_named),
        in_core(with_a_seed_ready_handlers_run_late),
        in_core(the_seed_draws_the_order_of_handlers),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
