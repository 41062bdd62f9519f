/*
 * What futures cost, as ratios to a direct call through a pointer in the same run. The subjects
 * take turns, round by round; of each the median of all rounds counts.
 */
#include "stages.h"

#include <weir/core.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 61, CALLS = 200000 };

static uint64_t counter, event = 60;
static struct weir_core *core;
static struct weir_tap tap_of_three, tap_that_sleeps;
static callback volatile direct = count_bytes; /* read anew each time: no call is inlined */

/* Nothing is kept in registers from one call to the next. */
#define FORGET() __asm__ volatile("" ::: "memory")

static void
call_directly(void)
{
    for (unsigned i = 0; i < CALLS; i++) {
        direct(&counter, event);
        FORGET();
    }
}

static void
push(unsigned type)
{
    for (unsigned i = 0; i < CALLS; i++) {
        (void)weir_tap_push(&tap_of_three, &counter, type, &event);
        FORGET();
    }
}

static void
push_wanted(void)
{
    push(TYPE_WANTED);
}

static void
push_unwanted(void)
{
    push(TYPE_UNWANTED);
}

static void
sleep_and_resume(void)
{
    for (unsigned i = 0; i < CALLS; i++) {
        (void)weir_tap_push(&tap_that_sleeps, &counter, TYPE_WANTED, &event);
        (void)weir_resolve(bench_pending, weir_ok(7));
        (void)weir_core_run(core, 256);
        FORGET();
    }
}

static struct subject {
    const char *name;
    void (*run)(void);
    double bar; /* at most so many times the first one */
    double ns[ROUNDS];
} subjects[] = {
    { .name = "direct call through a pointer", .run = call_directly, .bar = 1 },
    { .name = "event through a tap of three stages", .run = push_wanted, .bar = 5 },
    { .name = "event that the tap does not want", .run = push_unwanted, .bar = 0.6 },
    { .name = "stage sleeps, is resolved, resumes", .run = sleep_and_resume, .bar = 16 },
};
enum { SUBJECTS = sizeof(subjects) / sizeof(subjects[0]) };

/* CPU time: what others do on this machine counts less. */
static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
measure(void (*run)(void))
{
    const double start = cpu_ns();

    run();
    return (cpu_ns() - start) / CALLS;
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(struct subject *s)
{
    qsort(s->ns, ROUNDS, sizeof(s->ns[0]), compare);
    return s->ns[ROUNDS / 2];
}

static void
print_all(void)
{
    const double unit = median(&subjects[0]);

    printf("%-38s %8s %7s %6s\n", "", "ns", "ratio", "bar");
    for (unsigned i = 0; i < SUBJECTS; i++) {
        const double ns = median(&subjects[i]), ratio = ns / unit;

        printf("%-38s %8.2f %7.2f %6.1f%s\n", subjects[i].name, ns, ratio, subjects[i].bar,
               ratio > subjects[i].bar ? "  missed" : "");
    }
}

int
main(void)
{
    if (weir_core_new(NULL, &core) != WEIR_E_OK)
        return 1;
    weir_core_enter(core);
    weir_tap_init(&tap_of_three, &bench_three_stages);
    weir_tap_init(&tap_that_sleeps, &bench_stage_sleeps);
    for (unsigned i = 0; i < SUBJECTS; i++)
        subjects[i].run(); /* warm */
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < SUBJECTS; i++)
            subjects[i].ns[round] = measure(subjects[i].run);
    print_all();
    return weir_core_free(core) == 0 ? 0 : 1;
}
