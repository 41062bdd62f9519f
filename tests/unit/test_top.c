/* What weir top makes of two answers. */
#include "top_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
read_exact(const char *text, size_t n, struct top_sample *out)
{
    char *exact = malloc(n > 0 ? n : 1);
    bool good;

    assert_non_null(exact);
    memcpy(exact, text, n);
    good = top_read(exact, n, out);
    free(exact);
    return good;
}

static struct top_sample
sample(const char *text)
{
    struct top_sample s;

    assert_true(read_exact(text, strlen(text), &s));
    return s;
}

static void
what_the_socket_says_is_read_back(void **state)
{
    static struct reply to;
    struct counts c = { .kernel_drops = 7, .has_rules = true, .alerts = UINT64_MAX };
    struct top_sample s;

    (void)state;
    c.monitor.events[WEIR_EV_GAP] = 3;
    counts_json(&c, &to);
    assert_true(read_exact(to.at, to.n - 1, &s));
    assert_true(s.n > WEIR_EV_COUNT && s.n < TOP_MOST);
    assert_int_equal(*top_find(&s, "drops", "kernel"), 7);
    assert_int_equal(*top_find(&s, "events", "gap"), 3);
    assert_true(*top_find(&s, "", "alerts") == UINT64_MAX);
    assert_null(top_find(&s, "", "gap"));
    for (size_t n = 0; n < to.n - 1; n++)
        assert_false(read_exact(to.at, n, &s));
}

static void
anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"a\":1}x",
        "{\"a\":-1}",
        "{\"a\":\"b\"}",
        "{\"a\":18446744073709551616}",
        "{\"a\":1,}",
        "{\"a\":{\"b\":{\"c\":1}}}",
        "{\"\":{\"c\":1}}",
        "{\"a\\\"\":1}",
        "{a:1}",
    };
    struct top_sample s;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(read_exact(bad[i], strlen(bad[i]), &s));
    assert_true(read_exact("{}", 2, &s));
    assert_int_equal(s.n, 0);
}

static void
more_than_there_is_room_for_is_left_out(void **state)
{
    static struct reply to;
    struct top_sample s;

    (void)state;
    reply_add(&to, "{");
    for (unsigned i = 0; i < TOP_MOST + 5; i++)
        reply_add(&to, "\"a_name_of_more_than_thirty_two_bytes_%u\":1,", i);
    reply_add(&to, "\"z\":1}");
    assert_true(read_exact(to.at, to.n, &s));
    assert_int_equal(s.n, TOP_MOST);
}

static void
texts_cannot_move_the_cursor(void **state)
{
    static const char json[] = "{\"program\":\"w\033[2J\",\"version\":\"1\"}";
    char text[16];

    (void)state;
    assert_true(top_text(json, sizeof(json) - 1, "program", text, sizeof(text)));
    assert_string_equal(text, "w?[2J");
    assert_true(top_text(json, sizeof(json) - 1, "version", text, sizeof(text)));
    assert_string_equal(text, "1");
    assert_false(top_text(json, sizeof(json) - 1, "error", text, sizeof(text)));
    assert_false(top_text("{\"a\":1}", 7, "a", text, sizeof(text)));
}

static void
rates_are_those_between_two_answers(void **state)
{
    static const char expected[] =
        "weir 1  up 1:01:01  cores 2  CPU 150 %\n"
        "\n"
        "                                     total             per s\n"
        "packets                               3000              1000\n"
        "bits                                  1600             400.0\n"
        "flows                                    9               0.0\n"
        "live flows                               3\n"
        "\n"
        "cores: packets, and CPU time\n"
        "  core 0                              2100               550  CPU  95 %\n"
        "  core 1                               900               450  CPU   0 %\n"
        "\n"
        "lost: none\n"
        "\n"
        "limits: none\n"
        "\n"
        "events\n"
        "  gap                                   12               5.0\n"
        "  fin                                   50               0.5\n"
        "  rst                                   90               0.0\n"
        "  syn                                    4               0.0\n";
    static struct reply to;
    const struct top_sample before = sample(
        "{\"uptime_ms\":0,\"cpu_ms\":1000,\"cores\":2,\"packets\":1000,\"bytes\":100,\"flows\":9,"
        "\"live_flows\":7,\"core_packets\":{\"0\":1000,\"1\":0},"
        "\"core_cpu_ms\":{\"0\":100,\"1\":5},\"events\":{\"syn\":4,\"fin\":49,\"gap\":2,\"rst\":90,"
        "\"urgent\":0}}");
    const struct top_sample now = sample(
        "{\"uptime_ms\":3661999,\"cpu_ms\":4000,\"cores\":2,\"packets\":3000,\"bytes\":200,"
        "\"flows\":9,\"live_flows\":3,\"core_packets\":{\"0\":2100,\"1\":900},"
        "\"core_cpu_ms\":{\"0\":2000,\"1\":5},\"drops\":{\"kernel\":0},"
        "\"events\":{\"syn\":4,\"fin\":50,\"gap\":12,\"rst\":90,\"urgent\":0}}");

    (void)state;
    top_table("weir 1", &before, &now, 2, 80, &to);
    reply_add(&to, "%c", '\0');
    assert_string_equal(to.at, expected);
}

/* The first look, and a program that began anew. */
static void
without_a_before_there_are_no_rates(void **state)
{
    static struct reply to;
    const struct top_sample now = sample("{\"packets\":3000,\"events\":{\"syn\":4}}");
    const struct top_sample more = sample("{\"packets\":9000,\"cpu_ms\":9}");

    (void)state;
    top_table("weir 1", &now, &now, 0, 80, &to);
    reply_add(&to, "%c", '\0');
    assert_null(strstr(to.at, "per s"));
    assert_non_null(strstr(to.at, "packets                               3000\n"));
    reply_clear(&to);
    top_table("weir 1", &more, &now, 1, 80, &to);
    reply_add(&to, "%c", '\0');
    assert_non_null(
        strstr(to.at, "packets                               3000               0.0\n"));
    assert_null(strstr(to.at, "CPU"));
}

static size_t
widest(const char *text)
{
    size_t most = 0;

    for (size_t n; *text != '\0'; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        most = n > most ? n : most;
    }
    return most;
}

/* Down to the least width the CPU time of a core is there. */
static void
on_a_narrow_terminal_columns_move_together(void **state)
{
    static struct reply to;
    const struct top_sample before = sample(
        "{\"cpu_ms\":0,\"cores\":2,\"packets\":0,\"drops\":{\"kernel\":0,\"log\":0},"
        "\"core_packets\":{\"0\":0,\"1\":0},\"core_cpu_ms\":{\"0\":0,\"1\":0}}");
    const struct top_sample now = sample(
        "{\"cpu_ms\":1950,\"cores\":2,\"packets\":123456,\"drops\":{\"kernel\":5,\"log\":1},"
        "\"core_packets\":{\"0\":100000,\"1\":23456},"
        "\"core_cpu_ms\":{\"0\":950,\"1\":1000}}");

    (void)state;
    for (unsigned columns = TOP_COLUMNS_LEAST; columns <= 100; columns++) {
        reply_clear(&to);
        top_table("weir 1", &before, &now, 1, columns, &to);
        reply_add(&to, "%c", '\0');
        assert_true(widest(to.at) <= columns && widest(to.at) <= TOP_COLUMNS);
        assert_true(widest(to.at) + 5 > columns || columns > TOP_COLUMNS); /* all that there is */
        assert_non_null(strstr(to.at, " 95 %\n"));
        assert_non_null(strstr(to.at, " 100 %\n"));
    }
    reply_clear(&to);
    top_table("weir 1", &before, &now, 1, 50, &to);
    reply_add(&to, "%c", '\0');
    assert_string_equal(to.at, "weir 1  up 0:00:00  cores 2  CPU 195 %\n"
                               "\n"
                               "                         total     per s\n"
                               "packets                 123456    123456\n"
                               "\n"
                               "cores: packets, and CPU time\n"
                               "  core 0                100000    100000  95 %\n"
                               "  core 1                 23456     23456 100 %\n"
                               "\n"
                               "lost\n"
                               "  by the kernel              5       5.0\n"
                               "  records of logs            1       1.0\n"
                               "\n"
                               "limits: none\n"
                               "\n"
                               "events: none\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_socket_says_is_read_back),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(more_than_there_is_room_for_is_left_out),
        cmocka_unit_test(texts_cannot_move_the_cursor),
        cmocka_unit_test(rates_are_those_between_two_answers),
        cmocka_unit_test(without_a_before_there_are_no_rates),
        cmocka_unit_test(on_a_narrow_terminal_columns_move_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
