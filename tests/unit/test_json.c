#include "json.h"

#include "support/capture_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct out out;
static struct json j;
static char text[1 << 16];

static int
begin(void **state)
{
    (void)state;
    capture_open(&out);
    json_begin(&j, &out);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    return capture_close(&out);
}

static void
assert_line(const char *expected)
{
    json_end(&j);
    assert_true(out_flush(&out));
    capture_text(text, sizeof(text));
    assert_string_equal(text, expected);
}

static void
an_object_without_members(void **state)
{
    (void)state;
    assert_line("{}\n");
}

static void
members_of_every_kind(void **state)
{
    (void)state;
    json_str(&j, "s", "x");
    json_i64(&j, "i", INT64_MIN);
    json_u64(&j, "u", UINT64_MAX);
    json_bool(&j, "t", true);
    json_bool(&j, "f", false);
    json_base64(&j, "b", (const uint8_t *)"foob", 4);
    json_key(&j, "own");
    out_str(&out, "1.5");
    assert_line("{\"s\":\"x\",\"i\":-9223372036854775808,\"u\":18446744073709551615,"
                "\"t\":true,\"f\":false,\"b\":\"Zm9vYg==\",\"own\":1.5}\n");
}

static void
nested_objects_and_arrays_get_their_commas(void **state)
{
    (void)state;
    json_open(&j, "a");
    json_open_array(&j, "empty");
    json_close(&j);
    json_open_array(&j, "b");
    json_u64(&j, NULL, 1);
    json_open(&j, NULL);
    json_u64(&j, "c", 2);
    json_close(&j);
    json_open(&j, NULL);
    json_close(&j);
    json_close(&j);
    json_close(&j);
    json_u64(&j, "d", 3);
    assert_line("{\"a\":{\"empty\":[],\"b\":[1,{\"c\":2},{}]},\"d\":3}\n");
}

static void
the_end_closes_what_is_open(void **state)
{
    (void)state;
    json_open_array(&j, "a");
    json_open(&j, NULL);
    assert_line("{\"a\":[{}]}\n");
}

static void
numbers_of_every_length_are_whole(void **state)
{
    char expected[1000] = "{";
    uint64_t number = 1;

    (void)state;
    for (unsigned i = 0; i < 20; i++, number = number * 10 + i % 10) {
        json_u64(&j, "n", number - 1);
        json_u64(&j, "n", number);
        sprintf(expected + strlen(expected), "%s\"n\":%llu,\"n\":%llu", i > 0 ? "," : "",
                (unsigned long long)(number - 1), (unsigned long long)number);
    }
    strcat(expected, "}\n");
    assert_line(expected);
}

/* Wherever among others they stand. */
static void
bytes_that_are_escaped_are_found(void **state)
{
    static const struct {
        char c;
        const char *text;
    } all[] = {
        { 0x1f, "\\u001f" },   { ' ', " " },        { '"', "\\\"" },       { '!', "!" },
        { '\\', "\\\\" },      { '[', "[" },        { '~', "~" },          { 0x7f, "\\u007f" },
        { '\x80', "\\u0080" }, { '\0', "\\u0000" }, { '\xff', "\\u00ff" },
    };
    enum { N = 18 };
    char expected[10000] = "{";

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        for (int at = 0; at < N; at++) {
            char t[N];

            memset(t, 'a', N);
            t[at] = all[i].c;
            json_text(&j, "t", t, N);
            sprintf(expected + strlen(expected), "%s\"t\":\"%.*s%s%.*s\"",
                    i + (size_t)at > 0 ? "," : "", at, "aaaaaaaaaaaaaaaaaa", all[i].text,
                    N - 1 - at, "aaaaaaaaaaaaaaaaaa");
        }
    }
    strcat(expected, "}\n");
    assert_line(expected);
}

static void
controls_quotes_and_slashes_are_escaped(void **state)
{
    (void)state;
    json_text(&j, "t", "\"\\/\b\f\n\r\t\0\x1f\x7f", 11);
    assert_line("{\"t\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\"}\n");
}

static void
valid_utf8_stays_as_it_is(void **state)
{
    static const char good[] = "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 "
                               "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf";
    char expected[128];

    (void)state;
    json_str(&j, "t", good);
    snprintf(expected, sizeof(expected), "{\"t\":\"%s\"}\n", good);
    assert_line(expected);
}

/* Cut, overlong, surrogates, beyond U+10FFFF, continuation bytes alone: RFC 3629 section 3. */
static void
bytes_that_are_no_utf8_are_written_one_by_one(void **state)
{
    static const char *const bad[][2] = {
        { "\xc3", "\\u00c3" },
        { "\x80", "\\u0080" },
        { "\xc0\xaf", "\\u00c0\\u00af" },
        { "\xe0\x9f\xbf", "\\u00e0\\u009f\\u00bf" },
        { "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080" },
        { "\xf0\x8f\xbf\xbf", "\\u00f0\\u008f\\u00bf\\u00bf" },
        { "\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080" },
        { "\xf5", "\\u00f5" },
        { "\xe2\x82", "\\u00e2\\u0082" },
        { "\xe2(\xa1", "\\u00e2(\\u00a1" },
    };
    char expected[1024] = "{\"t\":[";

    (void)state;
    json_open_array(&j, "t");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_str(&j, NULL, bad[i][0]);
        snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%s\"%s\"",
                 i > 0 ? "," : "", bad[i][1]);
    }
    strcat(expected, "]}\n");
    assert_line(expected);
}

#define LINE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LINE(an_object_without_members),
        LINE(members_of_every_kind),
        LINE(nested_objects_and_arrays_get_their_commas),
        LINE(the_end_closes_what_is_open),
        LINE(numbers_of_every_length_are_whole),
        LINE(bytes_that_are_escaped_are_found),
        LINE(controls_quotes_and_slashes_are_escaped),
        LINE(valid_utf8_stays_as_it_is),
        LINE(bytes_that_are_no_utf8_are_written_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
