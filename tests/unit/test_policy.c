#include "tcp_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* One segment: where it starts, what it brings; and what is known of the stream after it. */
struct step {
    int off;
    const char *data;
    const char *expect; /* from offset 1 on; '.' where nothing is known */
};

enum { ROOM = 32, SEGMENTS = 24 };

/* The stream as a map of bytes. The relation looked at is that of the segments as they came. */
struct map {
    char byte[ROOM];
    int start[SEGMENTS], end[SEGMENTS];
    int n;
};

static void
put(struct map *m, enum weir_policy policy, const struct step *step)
{
    int start = step->off, end = start + (int)strlen(step->data);

    for (int p = start; p < end; p++) {
        bool held = false;

        for (int i = 0; i < m->n; i++)
            if (m->start[i] <= p && p < m->end[i] &&
                !policy_new_wins(policy, start - m->start[i], end - m->end[i]))
                held = true;
        if (!held)
            m->byte[p] = step->data[p - start];
    }
    m->start[m->n] = start;
    m->end[m->n++] = end;
}

static void
run(enum weir_policy policy, const struct step *steps, size_t n)
{
    struct map m = { .n = 0 };

    memset(m.byte, '.', sizeof(m.byte));
    for (size_t i = 0; i < n; i++) {
        put(&m, policy, &steps[i]);
        assert_memory_equal(m.byte + 1, steps[i].expect, strlen(steps[i].expect));
        assert_int_equal(m.byte[1 + strlen(steps[i].expect)], '.');
    }
}

/* Novak and Sturges, figure 4 and the results for Linux; offsets count from 1. */
static void
linux_gives_novak_and_sturges_result(void **state)
{
    static const struct step steps[] = {
        { 2, "AAA", ".AAA" },
        { 6, "BB", ".AAA.BB" },
        { 8, "CCC", ".AAA.BBCCC" },
        { 12, "D", ".AAA.BBCCC.D" },
        { 15, "EE", ".AAA.BBCCC.D..EE" },
        { 17, "FFF", ".AAA.BBCCC.D..EEFFF" },
        { 20, "GG", ".AAA.BBCCC.D..EEFFFGG" },
        { 22, "HH", ".AAA.BBCCC.D..EEFFFGGHH" },
        { 24, "I", ".AAA.BBCCC.D..EEFFFGGHHI" },
        { 3, "JJJJ", ".AAAJJBCCC.D..EEFFFGGHHI" },
        { 8, "KKK", ".AAAJJBCCC.D..EEFFFGGHHI" },
        { 11, "LLL", ".AAAJJBCCCLLL.EEFFFGGHHI" },
        { 14, "MMM", ".AAAJJBCCCLLLMMMFFFGGHHI" },
        { 18, "N", ".AAAJJBCCCLLLMMMFFFGGHHI" },
        { 21, "O", ".AAAJJBCCCLLLMMMFFFGGHHI" },
        { 22, "P", ".AAAJJBCCCLLLMMMFFFGGHHI" },
        { 24, "QQ", ".AAAJJBCCCLLLMMMFFFGGHHQQ" },
        { 1, "0", "0AAAJJBCCCLLLMMMFFFGGHHQQ" },
    };

    (void)state;
    run(WEIR_POLICY_LINUX, steps, sizeof(steps) / sizeof(steps[0]));
}

static void
linux_lets_a_segment_win_that_starts_before(void **state)
{
    static const struct step steps[] = {
        { 3, "B", "..B" },
        { 9, "D", "..B.....D" },
        { 12, "EE", "..B.....D..EE" },
        { 2, "AA", ".AA.....D..EE" },
        { 1, "JJJJ", "JJJJ....D..EE" },
        { 8, "LLL", "JJJJ...LLL.EE" },
        { 11, "MMM", "JJJJ...LLLMMM" },
    };

    (void)state;
    run(WEIR_POLICY_LINUX, steps, sizeof(steps) / sizeof(steps[0]));
}

static void
linux_lets_a_segment_win_that_starts_with_but_ends_behind(void **state)
{
    static const struct step steps[] = {
        { 1, "CCC", "CCC" },
        { 15, "HH", "CCC...........HH" },
        { 17, "II", "CCC...........HHII" },
        { 1, "KKK", "CCC...........HHII" },
        { 1, "LLLL", "LLLL..........HHII" },
        { 15, "P", "LLLL..........HHII" },
        { 15, "QQ", "LLLL..........HHII" },
    };

    (void)state;
    run(WEIR_POLICY_LINUX, steps, sizeof(steps) / sizeof(steps[0]));
}

static void
linux_keeps_old_bytes_where_the_new_starts_behind(void **state)
{
    static const struct step steps[] = {
        { 1, "AA", "AA" },
        { 16, "FFF", "AA.............FFF" },
        { 19, "GG", "AA.............FFFGG" },
        { 2, "JJ", "AAJ............FFFGG" },
        { 20, "O", "AAJ............FFFGG" },
        { 17, "N", "AAJ............FFFGG" },
    };

    (void)state;
    run(WEIR_POLICY_LINUX, steps, sizeof(steps) / sizeof(steps[0]));
}

static void
how_far_before_or_behind_does_not_matter(void **state)
{
    static const int far[] = { -2147483647, -1000, -1, 0, 1, 1000, 2147483647 };

    (void)state;
    for (size_t s = 0; s < 7; s++)
        for (size_t e = 0; e < 7; e++)
            assert_int_equal(
                policy_new_wins(WEIR_POLICY_LINUX, far[s], far[e]),
                policy_new_wins(WEIR_POLICY_LINUX, (s > 3) - (s < 3), (e > 3) - (e < 3)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_gives_novak_and_sturges_result),
        cmocka_unit_test(linux_lets_a_segment_win_that_starts_before),
        cmocka_unit_test(linux_lets_a_segment_win_that_starts_with_but_ends_behind),
        cmocka_unit_test(linux_keeps_old_bytes_where_the_new_starts_behind),
        cmocka_unit_test(how_far_before_or_behind_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
