/* What the control socket and the metrics say, apart from their sockets. */
#include "control.h"
#include "metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

static const struct control_opts ids = { .program = "weir-ids", .reloads = true, .reopens = true };
static const struct control_opts plain = { .program = "weir" };

static enum control_action
command(const struct control_opts *opts, const char *line, struct reply *to)
{
    const size_t n = strlen(line);
    char *exact = malloc(n + 1); /* no byte behind the line is read, nor taken as an end */
    enum control_action action;

    assert_non_null(exact);
    memcpy(exact, line, n);
    exact[n] = 'x';
    reply_clear(to);
    action = control_command(opts, exact, n, to);
    free(exact);
    reply_add(to, "%c", '\0');
    return action;
}

static void
commands_are_known_by_their_whole_name(void **state)
{
    struct reply to;

    (void)state;
    assert_int_equal(command(&ids, "version", &to), CONTROL_NOTHING);
    assert_string_equal(to.at, "{\"program\":\"weir-ids\",\"version\":\"" PACKAGE_VERSION "\"}\n");
    assert_int_equal(command(&ids, "stats", &to), CONTROL_STATS);
    assert_string_equal(to.at, "");
    assert_int_equal(command(&ids, "stats\r", &to), CONTROL_STATS);
    assert_int_equal(command(&ids, "reload-rules", &to), CONTROL_RELOAD);
    assert_string_equal(to.at, "{\"ok\":true}\n");
    assert_int_equal(command(&ids, "ruleset-reload-rules", &to), CONTROL_RELOAD);
    assert_int_equal(command(&ids, "reopen-logs", &to), CONTROL_REOPEN);
    assert_int_equal(command(&ids, "shutdown", &to), CONTROL_SHUTDOWN);
}

static void
anything_else_is_an_error_in_one_line(void **state)
{
    static const char *const lines[] = { "",   "shut",        "shutdowns", "SHUTDOWN", " shutdown",
                                         "\r", "stats \"x\"", "\xff\x01",  "%s%n" };
    struct reply to;

    (void)state;
    for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        assert_int_equal(command(&ids, lines[i], &to), CONTROL_NOTHING);
        assert_memory_equal(to.at, "{\"error\":\"unknown command", 25);
        assert_ptr_equal(strchr(to.at, '\n'), to.at + to.n - 2);
    }
}

static void
what_a_program_lacks_is_refused(void **state)
{
    struct reply to;

    (void)state;
    assert_int_equal(command(&plain, "reload-rules", &to), CONTROL_NOTHING);
    assert_string_equal(to.at, "{\"error\":\"this program has no rules\"}\n");
    assert_int_equal(command(&plain, "reopen-logs", &to), CONTROL_NOTHING);
    assert_string_equal(to.at, "{\"error\":\"no logs are open\"}\n");
    assert_int_equal(command(&plain, "shutdown", &to), CONTROL_SHUTDOWN);
}

/* ---- counters ------------------------------------------------------------------------------ */

static struct counts
some_counts(void)
{
    struct counts c = { .kernel_drops = 7, .cores = 3, .uptime_ms = 12034, .cpu_ms = 5 };

    c.monitor.packets = UINT64_MAX;
    c.monitor.live_flows = 4;
    c.monitor.overload[1] = 9;
    c.monitor.events[WEIR_EV_GAP] = 2;
    return c;
}

static void
json_has_every_counter(void **state)
{
    struct counts c = some_counts();
    struct reply to = { .n = 0 };

    (void)state;
    counts_json(&c, &to);
    assert_false(to.cut);
    reply_add(&to, "%c", '\0');
    assert_non_null(strstr(to.at, "\"packets\":18446744073709551615,"));
    assert_non_null(strstr(to.at, "\"drops\":{\"kernel\":7,"));
    assert_non_null(strstr(to.at, "\"memcap\":9,"));
    assert_non_null(strstr(to.at, "\"gap\":2,"));
    assert_null(strstr(to.at, "alerts"));
    for (unsigned i = 0; i < WEIR_EV_COUNT; i++)
        assert_non_null(strstr(to.at, weir_event_name(i)));
    c.has_rules = true;
    c.alerts = 5;
    reply_clear(&to);
    counts_json(&c, &to);
    reply_add(&to, "%c", '\0');
    assert_non_null(strstr(to.at, "\"alerts\":5,"));
}

/* The largest numbers there are: no answer is ever cut. */
static void
answers_fit(void **state)
{
    struct counts c;
    struct reply to = { .n = 0 };

    (void)state;
    memset(&c, 0xff, sizeof(c));
    c.has_rules = true;
    c.n_ports = COUNTS_PORTS;
    for (unsigned i = 0; i < COUNTS_PORTS; i++) {
        memset(c.port[i].name, 'x', COUNTS_NAME - 1);
        c.port[i].name[COUNTS_NAME - 1] = '\0';
    }
    counts_json(&c, &to);
    assert_false(to.cut);
    reply_clear(&to);
    metrics_answer(&c, "weir-ids", &to);
    assert_false(to.cut);
    assert_true(to.n < sizeof(to.at) / 2);
}

static void
metrics_are_openmetrics(void **state)
{
    const struct counts c = some_counts();
    struct reply to = { .n = 0 };
    char *body, *length;

    (void)state;
    metrics_answer(&c, "weir", &to);
    reply_add(&to, "%c", '\0');
    body = strstr(to.at, "\r\n\r\n");
    length = strstr(to.at, "Content-Length: ");
    assert_non_null(body);
    assert_non_null(length);
    assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
    assert_non_null(strstr(to.at, "Content-Type: application/openmetrics-text; version=1.0.0; "
                                  "charset=utf-8\r\n"));
    assert_non_null(strstr(body, "# TYPE weir_packets counter\n"));
    assert_non_null(strstr(body, "\nweir_packets_total 18446744073709551615\n"));
    assert_non_null(strstr(body, "# TYPE weir_live_flows gauge\n"));
    assert_non_null(strstr(body, "\nweir_live_flows 4\n"));
    assert_non_null(strstr(body, "\nweir_uptime_seconds 12.034\n"));
    assert_non_null(strstr(body, "\nweir_cpu_seconds_total 0.005\n"));
    assert_non_null(strstr(body, "\nweir_drops_total{reason=\"kernel\"} 7\n"));
    assert_non_null(strstr(body, "\nweir_events_total{event=\"gap\"} 2\n"));
    assert_null(strstr(body, "weir_alerts"));
    assert_string_equal(body + strlen(body) - 7, "\n# EOF\n");
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static enum metrics_request
request(const char *text, bool full, struct reply *to)
{
    const size_t n = strlen(text);
    char *exact = malloc(n > 0 ? n : 1);
    enum metrics_request what;

    assert_non_null(exact);
    memcpy(exact, text, n);
    reply_clear(to);
    what = metrics_read(exact, n, full, to);
    free(exact);
    reply_add(to, "%c", '\0');
    return what;
}

static void
one_path_is_served(void **state)
{
    static const char whole[] = "GET /metrics?x=y HTTP/1.1\r\nHost: a\r\n\r\n";
    char part[sizeof(whole)];
    struct reply to;

    (void)state;
    assert_int_equal(request(whole, false, &to), METRICS_WANTED);
    assert_int_equal(request("GET /metrics HTTP/1.0\n\n", false, &to), METRICS_WANTED);
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        memcpy(part, whole, n);
        part[n] = '\0';
        assert_int_equal(request(part, false, &to), METRICS_MORE);
    }
}

static void
other_requests_are_told_why(void **state)
{
    static const struct {
        const char *text, *status;
    } all[] = {
        { "GET / HTTP/1.1\r\n\r\n", "404" },
        { "GET /metrics2 HTTP/1.1\r\n\r\n", "404" },
        { "POST /metrics HTTP/1.1\r\n\r\n", "405" },
        { "HEAD /x HTTP/1.1\r\n\r\n", "405" },
        { "GET /metrics\r\n\r\n", "400" },
        { "GET /metrics \r\n\r\n", "400" },
        { "GET metrics HTTP/1.1\r\n\r\n", "400" },
        { "GET /metrics HTTP/2.0\r\n\r\n", "400" },
        { "GET\n\n", "400" },
        { "GET \n\n", "400" },
        { "\n\n", "400" },
        { "\r\n\r\n", "400" },
        { " GET /metrics HTTP/1.1\n\n", "400" },
    };
    struct reply to;

    (void)state;
    for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
        assert_int_equal(request(all[i].text, false, &to), METRICS_ANSWERED);
        assert_memory_equal(to.at, "HTTP/1.1 ", 9);
        assert_memory_equal(to.at + 9, all[i].status, 3);
    }
    assert_int_equal(request("GET /metrics HTTP/1.1\r\nX: y", true, &to), METRICS_ANSWERED);
    assert_memory_equal(to.at + 9, "431", 3);
}

static void
the_address_is_the_loopback_unless_one_is_named(void **state)
{
    static const char *const bad[] = {
        "",         "0",         "65536",          "9100x", "x:9100", ":9100", "1.2.3.4:",
        "::1:9100", "[::1:9100", "[1.2.3.4]:9100", "[::1]", "-1",     " 9100", "localhost:1"
    };
    struct sockaddr_storage address;
    struct weir_errbuf err;
    socklen_t n;

    (void)state;
    assert_int_equal(metrics_address("9100", &address, &n, &err), WEIR_E_OK);
    assert_int_equal(address.ss_family, AF_INET);
    assert_int_equal(n, sizeof(struct sockaddr_in));
    assert_int_equal(ntohs(((struct sockaddr_in *)(void *)&address)->sin_port), 9100);
    assert_int_equal(ntohl(((struct sockaddr_in *)(void *)&address)->sin_addr.s_addr), 0x7f000001);
    assert_int_equal(metrics_address("10.1.2.3:80", &address, &n, &err), WEIR_E_OK);
    assert_int_equal(ntohl(((struct sockaddr_in *)(void *)&address)->sin_addr.s_addr), 0x0a010203);
    assert_int_equal(metrics_address("[::1]:9100", &address, &n, &err), WEIR_E_OK);
    assert_int_equal(address.ss_family, AF_INET6);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(metrics_address(bad[i], &address, &n, &err), WEIR_E_INVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_known_by_their_whole_name),
        cmocka_unit_test(anything_else_is_an_error_in_one_line),
        cmocka_unit_test(what_a_program_lacks_is_refused),
        cmocka_unit_test(json_has_every_counter),
        cmocka_unit_test(answers_fit),
        cmocka_unit_test(metrics_are_openmetrics),
        cmocka_unit_test(one_path_is_served),
        cmocka_unit_test(other_requests_are_told_why),
        cmocka_unit_test(the_address_is_the_loopback_unless_one_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
