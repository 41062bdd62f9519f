/* Alerts of a packet: the gravest are told, the gravest first, so many as it may have. */
#include "out/packet_alerts.h"

#include "rule/rules.h"
#include "rule/vars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct packet_alerts *q;
    struct eve_out *eve;
    struct out out;
    struct eve_opts opts;
    struct eve_flow flow;
    char path[32];
    char told[512]; /* "3@1 4@1 ": sid and packet */
};

static void
on_told(void *ctx, const struct eve_draft *draft)
{
    struct fixture *f = ctx;
    const size_t n = strlen(f->told);

    eve_alert_end(f->eve, draft);
    snprintf(f->told + n, sizeof(f->told) - n, "%u@%llu ", draft->rule->sid,
             (unsigned long long)draft->ev.number);
}

static int
set_up(void **state)
{
    static struct fixture f;
    struct weir_errbuf err;
    int fd;

    memset(&f, 0, sizeof(f));
    strcpy(f.path, "/tmp/weir-test-XXXXXX");
    fd = mkstemp(f.path);
    f.opts = (struct eve_opts){ .types = 1U << EVE_ALERT, .payload_buffer_size = 64 };
    *state = &f;
    return fd < 0 || close(fd) != 0 || out_open(&f.out, f.path, false, &err) != WEIR_E_OK ||
           eve_out_new(&f.opts, &f.out, &f.eve, &err) != WEIR_E_OK;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    packet_alerts_free(f->q);
    eve_out_free(f->eve);
    unlink(f->path);
    return 0;
}

static void
may_have(struct fixture *f, uint32_t most)
{
    struct weir_errbuf err;

    assert_int_equal(packet_alerts_new(most, on_told, f, &f->q, &err), WEIR_E_OK);
}

static void
add(struct fixture *f, const struct rule *rule, uint64_t number)
{
    const struct weir_event ev = { .type = WEIR_EV_BAD_PACKET, .number = number };
    const struct eve_about about = { .app = APP_UNKNOWN_YET };

    packet_alerts_add(f->q, f->eve, &f->flow, rule, &ev, &about);
}

static struct rule
rule(uint8_t action, uint32_t priority, uint32_t sid)
{
    static char msg[] = "m";

    return (
        struct rule){ .action = action, .priority = priority, .gid = 1, .sid = sid, .msg = msg };
}

/* Whether the log has alerts of these sids, in this order; it is closed. */
static void
log_has(struct fixture *f, const char *sids)
{
    char line[4096], said[256] = "";
    struct weir_errbuf err;
    FILE *file;

    assert_int_equal(out_close(&f->out, &err), WEIR_E_OK);
    file = fopen(f->path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *at = strstr(line, "\"signature_id\":");

        assert_non_null(at);
        assert_string_equal(line + strlen(line) - 2, "}\n");
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "%d ", atoi(at + 15));
    }
    fclose(file);
    assert_string_equal(said, sids);
}

static void
the_gravest_come_first(void **state)
{
    struct fixture *f = *state;
    const struct rule all[] = { rule(ACTION_ALERT, 3, 7), rule(ACTION_ALERT, 3, 5),
                                rule(ACTION_ALERT, 1, 9), rule(ACTION_DROP, 4, 8),
                                rule(ACTION_REJECT, 2, 6) };

    may_have(f, 15);
    for (unsigned i = 0; i < 5; i++)
        add(f, &all[i], 1);
    assert_string_equal(f->told, "");
    assert_true(packet_alerts_wait(f->q));
    packet_alerts_end(f->q);
    assert_string_equal(f->told, "8@1 6@1 9@1 5@1 7@1 ");
    assert_int_equal(packet_alerts_over(f->q), 0);
    assert_int_equal(f->eve->count.written[EVE_ALERT], 5);
    log_has(f, "8 6 9 5 7 ");
}

static void
past_the_limit_the_least_grave_go(void **state)
{
    struct fixture *f = *state;
    const struct rule low = rule(ACTION_ALERT, 3, 1), middle = rule(ACTION_ALERT, 2, 2),
                      high = rule(ACTION_ALERT, 1, 3);

    may_have(f, 2);
    add(f, &low, 1);
    add(f, &middle, 1);
    add(f, &high, 1);
    add(f, &low, 1);
    packet_alerts_end(f->q);
    assert_string_equal(f->told, "3@1 2@1 ");
    assert_int_equal(packet_alerts_over(f->q), 2);
    add(f, &low, 2);
    packet_alerts_end(f->q);
    assert_string_equal(f->told, "3@1 2@1 1@2 ");
    assert_int_equal(f->eve->count.written[EVE_ALERT], 3);
    log_has(f, "3 2 1 ");
}

static void
the_limit_is_the_packets_where_some_had_to_be_told(void **state)
{
    struct fixture *f = *state;
    const struct rule low = rule(ACTION_ALERT, 3, 1), high = rule(ACTION_ALERT, 1, 3);

    may_have(f, 2);
    add(f, &low, 1);
    packet_alerts_tell(f->q);
    add(f, &low, 1);
    add(f, &high, 1);
    packet_alerts_end(f->q);
    assert_string_equal(f->told, "1@1 3@1 ");
    assert_int_equal(packet_alerts_over(f->q), 1);
    log_has(f, "1 3 ");
}

static void
what_is_no_packets_has_no_limit(void **state)
{
    struct fixture *f = *state;
    const struct rule low = rule(ACTION_ALERT, 3, 1), high = rule(ACTION_ALERT, 1, 3);

    may_have(f, 2);
    add(f, &low, 0);
    add(f, &high, 0);
    add(f, &high, 0);
    packet_alerts_end(f->q);
    assert_string_equal(f->told, "3@0 1@0 3@0 ");
    assert_int_equal(packet_alerts_over(f->q), 0);
    log_has(f, "3 1 3 ");
}

/* Records that are longer than all that may wait: those that wait are told before. */
static void
no_record_is_lost_for_want_of_room(void **state)
{
    enum { ALERTS = 5, LONG = 1 << 20 };

    struct fixture *f = *state;
    struct rule all[ALERTS];
    char *msg = malloc(LONG);

    assert_non_null(msg);
    memset(msg, 'x', LONG - 1);
    msg[LONG - 1] = '\0';
    may_have(f, 15);
    for (unsigned i = 0; i < ALERTS; i++) {
        all[i] = rule(ACTION_ALERT, 3, ALERTS - i);
        all[i].msg = msg;
        add(f, &all[i], 1);
    }
    packet_alerts_end(f->q);
    free(msg);
    assert_string_equal(f->told, "3@1 4@1 5@1 1@1 2@1 ");
    assert_int_equal(f->eve->count.written[EVE_ALERT], ALERTS);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_gravest_come_first),
        TEST(past_the_limit_the_least_grave_go),
        TEST(the_limit_is_the_packets_where_some_had_to_be_told),
        TEST(what_is_no_packets_has_no_limit),
        TEST(no_record_is_lost_for_want_of_room),
    };
#undef TEST

    return cmocka_run_group_tests_name("packet_alerts", tests, NULL, NULL);
}
