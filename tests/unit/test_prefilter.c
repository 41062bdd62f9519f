/* One pass over bytes finds the patterns of all rules, in blocks and in streams. */
#include "detect/prefilter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMORY = 1 << 20 };

struct fixture {
    struct prefilter *pf;
    struct prefilter_scratch *scratch;
    struct prefilter_ends ends[8]; /* by rule */
    uint64_t before;
    struct mem mem;
    void *range;
    uint64_t found; /* rules, a bit each */
};

static int
set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .range = aligned_alloc(64, MEMORY) };
    if (fixture.range == NULL)
        return 1;
    mem_init(&fixture.mem, fixture.range, MEMORY, MEMORY);
    *state = &fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    prefilter_free(f->pf);
    prefilter_free_scratch(f->scratch);
    free(f->range);
    return 0;
}

#define PATTERN(text, nocase, rule)                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1, nocase, rule                                    \
    }

static void
make(struct fixture *f, bool streams)
{
    struct pattern patterns[] = {
        PATTERN("attack", false, 0),   PATTERN("attack", false, 7), /* two rules, one pattern */
        PATTERN("attack", true, 1),    PATTERN("a", false, 2),
        PATTERN("\0\xff\0", false, 3), PATTERN("(.*)+", false, 4), /* no expression */
        PATTERN("tac", false, 5),      PATTERN("|\\\"", false, 6),
    };
    struct weir_errbuf err = { "" };

    assert_int_equal(prefilter_new(patterns, sizeof(patterns) / sizeof(*patterns), streams,
                                   &f->scratch, &f->pf, &err),
                     WEIR_E_OK);
}

static void
note(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    struct fixture *f = ctx;

    assert_int_equal(f->found >> rule & 1, 0);
    f->found |= UINT64_C(1) << rule;
    f->ends[rule] = ends;
}

#define R(n) (UINT64_C(1) << (n))

static uint64_t
scan(struct fixture *f, const char *bytes, size_t n)
{
    f->found = 0;
    prefilter_scan(f->pf, f->scratch, (const uint8_t *)bytes, (uint32_t)n, note, f);
    return f->found;
}

static uint64_t
scan_stream(struct fixture *f, struct prefilter_stream *stream, const char *text)
{
    f->found = 0;
    prefilter_scan_stream(f->pf, stream, f->scratch, f->before, (const uint8_t *)text,
                          (uint32_t)strlen(text), note, f);
    return f->found;
}

static void
ends_are_those_in_the_bytes_at_hand(void **state)
{
    struct fixture *f = *state;
    struct prefilter_stream *stream;

    make(f, false);
    assert_int_equal(scan(f, "tac tac tac", 11), R(2) | R(5));
    assert_int_equal(f->ends[5].first, 3);
    assert_int_equal(f->ends[5].last, 11);
    prefilter_free(f->pf);
    make(f, true);
    stream = prefilter_open(f->pf, &f->mem);
    scan_stream(f, stream, "xx ta");
    f->before = 5;
    assert_int_equal(scan_stream(f, stream, "c tac"), R(2) | R(5));
    assert_int_equal(f->ends[5].first, 1);
    assert_int_equal(f->ends[5].last, 5);
    prefilter_close(prefilter_stream_size(f->pf), &f->mem, stream);
}

static void
every_rule_of_a_pattern_is_told(void **state)
{
    struct fixture *f = *state;

    make(f, false);
    assert_int_equal(scan(f, "an attack", 9), R(0) | R(7) | R(1) | R(2) | R(5));
    assert_int_equal(scan(f, "an aTTack", 9), R(1) | R(2));
    assert_int_equal(scan(f, "AN ATTACK", 9), R(1));
    assert_int_equal(scan(f, "", 0), 0);
}

static void
patterns_are_bytes(void **state)
{
    struct fixture *f = *state;

    make(f, false);
    assert_int_equal(scan(f, "..\0\xff\0..", 7), R(3));
    assert_int_equal(scan(f, "..\0\xff..", 6), 0);
    assert_int_equal(scan(f, "xxxx", 4), 0);
    assert_int_equal(scan(f, "(.*)+", 5), R(4));
    assert_int_equal(scan(f, "|\\\"", 3), R(6));
}

static void
a_stream_remembers_what_came(void **state)
{
    struct fixture *f = *state;
    struct prefilter_stream *one, *two;

    make(f, true);
    one = prefilter_open(f->pf, &f->mem);
    two = prefilter_open(f->pf, &f->mem);
    assert_non_null(one);
    assert_non_null(two);
    assert_int_equal(scan_stream(f, one, ".att"), R(2));
    assert_int_equal(scan_stream(f, two, "ac"), R(2));
    assert_int_equal(scan_stream(f, one, "ac"), R(2) | R(5));
    assert_int_equal(scan_stream(f, two, "k"), 0);
    assert_int_equal(scan_stream(f, one, "k"), R(0) | R(7) | R(1));
    assert_int_equal(scan_stream(f, one, "k"), 0);
    prefilter_close(prefilter_stream_size(f->pf), &f->mem, one);
    prefilter_close(prefilter_stream_size(f->pf), &f->mem, two);
    assert_int_equal(f->mem.used, 0);
}

static void
a_stream_that_is_reset_forgets(void **state)
{
    struct fixture *f = *state;
    struct prefilter_stream *stream;

    make(f, true);
    stream = prefilter_open(f->pf, &f->mem);
    assert_non_null(stream);
    scan_stream(f, stream, "atta");
    prefilter_reset(stream, f->scratch);
    assert_int_equal(scan_stream(f, stream, "ck"), 0);
    prefilter_close(prefilter_stream_size(f->pf), &f->mem, stream);
}

static void
streams_are_refused_when_memory_ends(void **state)
{
    struct prefilter_stream *stream[64];
    struct fixture *f = *state;
    size_t n = 0;

    make(f, true);
    f->mem.cap = 5 * mem_block_size(prefilter_stream_size(f->pf));
    while (n < 64 && (stream[n] = prefilter_open(f->pf, &f->mem)) != NULL)
        n++;
    assert_in_range(n, 1, 5);
    assert_true(f->mem.used <= f->mem.cap);
    prefilter_close(prefilter_stream_size(f->pf), &f->mem, stream[--n]);
    stream[n] = prefilter_open(f->pf, &f->mem);
    assert_non_null(stream[n++]);
    while (n > 0)
        prefilter_close(prefilter_stream_size(f->pf), &f->mem, stream[--n]);
    prefilter_close(prefilter_stream_size(f->pf), &f->mem, NULL);
    assert_int_equal(f->mem.used, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_rule_of_a_pattern_is_told),
        T(ends_are_those_in_the_bytes_at_hand),
        T(patterns_are_bytes),
        T(a_stream_remembers_what_came),
        T(a_stream_that_is_reset_forgets),
        T(streams_are_refused_when_memory_ends),
    };

    return cmocka_run_group_tests_name("prefilter", tests, NULL, NULL);
}
