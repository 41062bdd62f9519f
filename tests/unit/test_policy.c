#include "tcp_policy.h"

#include "overlap_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 64 };

/* The stream as a map of bytes; each knows the segment that brought it, as that came. */
struct map {
    char byte[ROOM];
    int start[ROOM], end[ROOM];
};

static void
put(struct map *m, enum weir_policy policy, const struct step *step)
{
    int start = step->off, end = start + (int)strlen(step->data);

    for (int p = start; p < end; p++) {
        if (m->byte[p] != '.' && !policy_new_wins(policy, start - m->start[p], end - m->end[p]))
            continue;
        m->byte[p] = step->data[p - start];
        m->start[p] = start;
        m->end[p] = end;
    }
}

static void
every_sequence_gives_what_its_target_makes_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        struct map m;

        memset(m.byte, '.', sizeof(m.byte));
        for (const struct step *step = sequences[i].steps; step->data != NULL; step++) {
            put(&m, sequences[i].policy, step);
            assert_memory_equal(m.byte + 1, step->expect, strlen(step->expect));
            assert_int_equal(m.byte[1 + strlen(step->expect)], '.');
        }
    }
}

/* Figure 4 and the results for each target; offsets count from 1. */
static void
novak_and_sturges_results(void **state)
{
    static const struct step steps[] = {
        { 2, "AAA", "" },  { 6, "BB", "" },   { 8, "CCC", "" },  { 12, "D", "" }, { 15, "EE", "" },
        { 17, "FFF", "" }, { 20, "GG", "" },  { 22, "HH", "" },  { 24, "I", "" }, { 3, "JJJJ", "" },
        { 8, "KKK", "" },  { 11, "LLL", "" }, { 14, "MMM", "" }, { 18, "N", "" }, { 21, "O", "" },
        { 22, "P", "" },   { 24, "QQ", "" },  { 1, "0", "" },
    };
    static const char *const expected[] = {
        [WEIR_POLICY_LINUX] = "0AAAJJBCCCLLLMMMFFFGGHHQQ",
        [WEIR_POLICY_FIRST] = "0AAAJBBCCCLDLMEEFFFGGHHIQ",
        [WEIR_POLICY_LAST] = "0AJJJJBKKKLLLMMMFNFGOPHQQ",
        [WEIR_POLICY_BSD] = "0AAAJJBCCCLLLMMMFFFGGHHIQ",
        [WEIR_POLICY_OLD_LINUX] = "0AAAJJBKKKLLLMMMFFFGGHHQQ",
        [WEIR_POLICY_WINDOWS] = "0AAAJJBCCCLLLMMMFFFGGHHIQ",
        [WEIR_POLICY_WINDOWS2K3] = "0AAAJJBCCCLLLMMMFFFGGHHIQ",
        [WEIR_POLICY_VISTA] = "0AAAJBBCCCLDLMEEFFFGGHHIQ",
        [WEIR_POLICY_SOLARIS] = "0AJJJBBKKKLLLMMMFFFGGHHQQ",
        [WEIR_POLICY_MACOS] = "0AAAJJBCCCLLLMMMFFFGGHHIQ",
        [WEIR_POLICY_IRIX] = "0AAAJJBCCCLLLMMMFFFGGHHIQ",
        [WEIR_POLICY_HPUX10] = "0AAAJJBCCCLLLMMMFFFGGHHIQ",
        [WEIR_POLICY_HPUX11] = "0AJJJBBKKKLLLMMMFFFGGHHQQ",
    };

    (void)state;
    for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++) {
        struct map m;

        memset(m.byte, '.', sizeof(m.byte));
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
            put(&m, (enum weir_policy)policy, &steps[i]);
        assert_memory_equal(m.byte + 1, expected[policy], 25);
    }
}

struct part {
    int start, end;
};

static bool
wins(unsigned policy, struct part new, struct part old)
{
    return policy_new_wins((enum weir_policy)policy, new.start - old.start, new.end - old.end);
}

/*
 * The table of overlap_vectors.py lets a new segment have a byte if it wins against every segment
 * that ever brought it; the queue only knows the one that has it now. It is the same.
 */
static void
who_wins_against_the_holder_wins_against_all_before(void **state)
{
    struct part all[15];
    size_t n = 0;

    (void)state;
    for (int start = 0; start < 5; start++)
        for (int end = start + 1; end < 6; end++)
            all[n++] = (struct part){ start, end };
    assert_int_equal(n, 15);
    for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++)
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++)
                for (size_t c = 0; c < n; c++) {
                    struct part holder = wins(policy, all[b], all[a]) ? all[b] : all[a];

                    assert_int_equal(wins(policy, all[c], holder),
                                     wins(policy, all[c], all[a]) && wins(policy, all[c], all[b]));
                }
}

static void
how_far_before_or_behind_does_not_matter(void **state)
{
    static const int far[] = { -2147483647, -1000, -1, 0, 1, 1000, 2147483647 };

    (void)state;
    for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++)
        for (size_t s = 0; s < 7; s++)
            for (size_t e = 0; e < 7; e++)
                assert_int_equal(policy_new_wins((enum weir_policy)policy, far[s], far[e]),
                                 policy_new_wins((enum weir_policy)policy, (s > 3) - (s < 3),
                                                 (e > 3) - (e < 3)));
}

static void
a_policy_is_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned policy = 0; policy < WEIR_POLICY_COUNT; policy++)
        assert_int_equal(weir_policy_find(weir_policy_name(policy)), policy);
    assert_null(weir_policy_name(WEIR_POLICY_COUNT));
    assert_int_equal(weir_policy_find("bsd-right"), WEIR_POLICY_BSD);
    assert_int_equal(weir_policy_find("old-solaris"), WEIR_POLICY_SOLARIS);
    assert_int_equal(weir_policy_find("Linux"), -1);
    assert_int_equal(weir_policy_find(""), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_gives_what_its_target_makes_of_it),
        cmocka_unit_test(novak_and_sturges_results),
        cmocka_unit_test(who_wins_against_the_holder_wins_against_all_before),
        cmocka_unit_test(how_far_before_or_behind_does_not_matter),
        cmocka_unit_test(a_policy_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
