/* Urgent bytes that are taken out of a stream's bytes. */
#include "detect/holes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
nothing_is_taken_where_nothing_was_noted(void **state)
{
    static struct holes h;
    uint8_t text[] = "abcdef";

    (void)state;
    assert_int_equal(holes_squeeze(&h, 0, text, 6), 6);
    assert_int_equal(holes_squeeze(&h, 1000000, text, 6), 6);
    assert_int_equal(holes_squeeze(&h, 0, text, 0), 0);
    assert_string_equal(text, "abcdef");
}

static void
urgent_bytes_are_taken_out(void **state)
{
    static struct holes h;
    uint8_t text[] = "XaXXbcX";

    (void)state;
    holes_note(&h, 60, 61, true);
    holes_note(&h, 62, 64, true);
    holes_note(&h, 66, 67, true);
    assert_int_equal(holes_squeeze(&h, 60, text, 7), 3);
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(holes_squeeze(&h, 62, text, 2), 0);
}

/* What lay HOLES_SPAN before an offset is forgotten when that is noted. */
static void
the_latest_note_of_an_offset_counts(void **state)
{
    static struct holes h;
    uint8_t text[] = "abcd";

    (void)state;
    holes_note(&h, 0, 3 * HOLES_SPAN + 7, true);
    holes_note(&h, 5, HOLES_SPAN + 2, false);
    assert_int_equal(holes_squeeze(&h, HOLES_SPAN, text, 4), 2);
    holes_note(&h, HOLES_SPAN, 2 * HOLES_SPAN, false);
    assert_int_equal(holes_squeeze(&h, HOLES_SPAN, text, 4), 4);
}

/* Against one flag an offset, over three times round. */
static void
it_agrees_with_flags(void **state)
{
    static struct holes h;
    static bool urgent[3 * HOLES_SPAN];
    static uint8_t bytes[HOLES_SPAN], expected[HOLES_SPAN];
    uint64_t seed = 1;

    (void)state;
    for (int64_t at = 0; at < 3 * HOLES_SPAN - 300;) {
        int64_t n;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        n = 1 + (int64_t)(seed >> 33) % (seed >> 40 & 7 ? 9 : 200);
        memset(urgent + at, seed >> 50 & 1, (size_t)n);
        holes_note(&h, at, at + n, seed >> 50 & 1);
        at += n;
        if ((seed >> 60) == 0 && at >= HOLES_SPAN) {
            int64_t from = at - HOLES_SPAN + (int64_t)(seed % HOLES_SPAN);
            size_t kept = 0;

            for (int64_t i = from; i < at; i++) {
                bytes[i - from] = (uint8_t)(i * 7);
                if (!urgent[i])
                    expected[kept++] = (uint8_t)(i * 7);
            }
            assert_int_equal(holes_squeeze(&h, from, bytes, (size_t)(at - from)), kept);
            assert_memory_equal(bytes, expected, kept);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_where_nothing_was_noted),
        cmocka_unit_test(urgent_bytes_are_taken_out),
        cmocka_unit_test(the_latest_note_of_an_offset_counts),
        cmocka_unit_test(it_agrees_with_flags),
    };

    return cmocka_run_group_tests_name("holes", tests, NULL, NULL);
}
