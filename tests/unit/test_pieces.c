#include "pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

enum { MAX = 256 };

static uint16_t owner[PIECES_UNITS];
static struct piece piece[MAX];
static uint8_t data[65536];

static struct pieces
nothing(void)
{
    memset(owner, 0, sizeof(owner));
    memset(data, '.', sizeof(data));
    return (struct pieces){ .owner = owner, .piece = piece };
}

static void
add(struct pieces *p, enum frag_policy policy, uint32_t start, uint32_t n, int letter)
{
    uint8_t bytes[256];

    memset(bytes, letter, sizeof(bytes));
    pieces_add(p, policy, start, start + n, data, bytes, n);
}

/* Novak and Sturges' experiment for fragments; a letter in the result stands for eight bytes. */
static void
check_vector(enum frag_policy policy, const char *expected)
{
    static const struct {
        uint8_t offset, n;
        char letter;
    } fragment[] = {
        { 0, 24, 'A' },   { 32, 16, 'B' },  { 48, 24, 'C' },  { 80, 8, 'D' },  { 104, 16, 'E' },
        { 120, 24, 'F' }, { 144, 16, 'G' }, { 160, 16, 'H' }, { 176, 8, 'I' }, { 8, 32, 'J' },
        { 48, 24, 'K' },  { 72, 24, 'L' },  { 96, 24, 'M' },  { 128, 8, 'N' }, { 152, 8, 'O' },
        { 160, 8, 'P' },  { 176, 16, 'Q' },
    };
    struct pieces p = nothing();

    for (size_t i = 0; i < sizeof(fragment) / sizeof(fragment[0]); i++)
        add(&p, policy, fragment[i].offset, fragment[i].n, fragment[i].letter);
    assert_int_equal(p.covered, 24);
    for (size_t i = 0; i < 192; i++)
        assert_int_equal(data[i], expected[i / 8]);
    assert_int_equal(data[192], '.');
}

static void
published_vectors_of_all_policies(void **state)
{
    (void)state;
    check_vector(FRAG_BSD, "AAAJJBCCCLLLMMMFFFGGHHIQ");
    check_vector(FRAG_OLD_LINUX, "AAAJJBKKKLLLMMMFFFGGPHQQ");
    check_vector(FRAG_WINDOWS, "AAAJBBCCCLLLMEEFFFGGHHIQ");
    check_vector(FRAG_SOLARIS, "AAAJBBCCCLLLMMMFFFGGHHIQ");
    check_vector(FRAG_FIRST, "AAAJBBCCCLDLMEEFFFGGHHIQ");
    check_vector(FRAG_LAST, "AJJJJBKKKLLLMMMFNFGOPHQQ");
}

/* ---- against a map that knows who came first and last at every byte ---- */

static uint32_t
next_random(uint32_t *x)
{
    *x = *x * 1664525 + 1013904223;
    return *x >> 8;
}

/* Who wins in words: the sentences of Novak's paper, by policy. s, e: the new; os, oe: the old. */
static bool
wins(enum frag_policy policy, int s, int e, int os, int oe)
{
    switch (policy) {
    case FRAG_LAST:
        return true;
    case FRAG_BSD: /* the old one stays, unless the new one starts before it */
        return s < os;
    case FRAG_OLD_LINUX: /* the old one stays, if it starts before the new one */
        return s <= os;
    case FRAG_WINDOWS: /* the new one wins if it reaches out on both sides */
        return s < os && e > oe;
    case FRAG_SOLARIS: /* the same, or to the same end */
        return s < os && e >= oe;
    default:
        return false;
    }
}

static void
random_fragments(enum frag_policy policy, uint32_t seed)
{
    struct pieces p = nothing();
    int start[512], end[512];
    uint8_t model[512];

    memset(model, '.', sizeof(model));
    for (int i = 0; i < 60; i++) {
        const uint32_t s = next_random(&seed) % 60 * 8, n = 8 + next_random(&seed) % 4 * 8;
        const int letter = 'A' + i;

        add(&p, policy, s, n, letter);
        for (int at = (int)s; at < (int)(s + n); at++) {
            if (model[at] != '.' && !wins(policy, (int)s, (int)(s + n), start[at], end[at]))
                continue;
            model[at] = (uint8_t)letter;
            start[at] = (int)s;
            end[at] = (int)(s + n);
        }
    }
    assert_memory_equal(data, model, sizeof(model));
}

static void
random_fragments_agree_with_a_map_of_bytes(void **state)
{
    (void)state;
    for (int policy = 0; policy < FRAG_DECIDE; policy++)
        for (uint32_t seed = 0; seed < 200; seed++)
            random_fragments((enum frag_policy)policy, seed);
}

/* ---- runs ---- */

static void
a_run_is_what_came_in_order(void **state)
{
    struct pieces p = nothing();

    (void)state;
    add(&p, FRAG_FIRST, 0, 16, 'A');
    add(&p, FRAG_FIRST, 16, 16, 'B');
    add(&p, FRAG_FIRST, 64, 16, 'C');
    add(&p, FRAG_FIRST, 48, 16, 'D'); /* touches C, but came later */
    assert_int_equal(pieces_find(&p, 0, 32).units, 4);
    assert_true(pieces_find(&p, 0, 32).same_run);
    assert_false(pieces_find(&p, 0, 32).same_piece);
    assert_true(pieces_find(&p, 16, 32).same_piece);
    assert_false(pieces_find(&p, 16, 24).same_piece);
    assert_int_equal(pieces_find(&p, 48, 80).units, 4);
    assert_false(pieces_find(&p, 48, 80).same_run);
    assert_int_equal(pieces_find(&p, 32, 48).units, 0);
    assert_int_equal(pieces_find(&p, 24, 56).units, 2);
}

static void
bytes_that_were_not_captured_are_zero(void **state)
{
    struct pieces p = nothing();
    const uint8_t bytes[] = "abcdefghijk";

    (void)state;
    pieces_add(&p, FRAG_FIRST, 8, 30, data, bytes, 11);
    assert_memory_equal(data, "........abcdefghijk\0\0\0\0\0\0\0\0\0\0\0..", 32);
    assert_int_equal(p.covered, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_of_all_policies),
        cmocka_unit_test(random_fragments_agree_with_a_map_of_bytes),
        cmocka_unit_test(a_run_is_what_came_in_order),
        cmocka_unit_test(bytes_that_were_not_captured_are_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
