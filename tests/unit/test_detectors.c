/*
 * Detectors on flows made in memory: that nothing asks for memory, and that they wait where the
 * tables that they ask answer later.
 */
#include "detectors/detectors.h"
#include "support/allocs.h"
#include "support/frames.h"

#include <weir/future.h>
#include <weir/shared.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t delay; /* ns until a table answers; 0: at once */
static uint64_t waits;

/* ---- tables that answer later: calls of the detectors come here (--wrap) -------------------- */

weir_fut __real_weir_shared_add(struct weir_shared *s, const void *key, size_t n, int64_t delta,
                                uint64_t ttl);
weir_fut __real_weir_shared_count_distinct(struct weir_shared *s, const void *key, size_t n,
                                           const void *member, size_t m, uint64_t ttl);
weir_fut __real_weir_shared_compare_and_set(struct weir_shared *s, const void *key, size_t n,
                                            int64_t expected, int64_t value, uint64_t ttl);
weir_fut __wrap_weir_shared_add(struct weir_shared *s, const void *key, size_t n, int64_t delta,
                                uint64_t ttl);
weir_fut __wrap_weir_shared_count_distinct(struct weir_shared *s, const void *key, size_t n,
                                           const void *member, size_t m, uint64_t ttl);
weir_fut __wrap_weir_shared_compare_and_set(struct weir_shared *s, const void *key, size_t n,
                                            int64_t expected, int64_t value, uint64_t ttl);

static weir_fut
answer(void *ctx, weir_fut in)
{
    (void)in;
    return weir_ok((uintptr_t)ctx);
}

static weir_fut
later(weir_fut f)
{
    if (delay == 0 || !weir_is_ready(f))
        return f;
    waits++;
    return weir_then(weir_after(delay), answer, (void *)(uintptr_t)weir_value(f));
}

weir_fut
__wrap_weir_shared_add(struct weir_shared *s, const void *key, size_t n, int64_t delta,
                       uint64_t ttl)
{
    return later(__real_weir_shared_add(s, key, n, delta, ttl));
}

weir_fut
__wrap_weir_shared_count_distinct(struct weir_shared *s, const void *key, size_t n,
                                  const void *member, size_t m, uint64_t ttl)
{
    return later(__real_weir_shared_count_distinct(s, key, n, member, m, ttl));
}

weir_fut
__wrap_weir_shared_compare_and_set(struct weir_shared *s, const void *key, size_t n,
                                   int64_t expected, int64_t value, uint64_t ttl)
{
    return later(__real_weir_shared_compare_and_set(s, key, n, expected, value, ttl));
}

/* ---- runs ---------------------------------------------------------------------------------- */

struct test {
    struct detectors *all;
    struct weir_monitor *m;
    uint64_t alerts[16]; /* by sid */
    uint64_t number[16]; /* of the packet of the last one */
};

static bool
on_alert(void *ctx, const struct rule *rule, const struct weir_event *ev)
{
    struct test *t = ctx;

    assert_int_equal(rule->gid, DETECTORS_GID);
    assert_true(rule->sid < 16 && rule->msg[0] != '\0' && rule->class != NULL);
    assert_non_null(ev->flow);
    assert_null(ev->packet);
    t->alerts[rule->sid]++;
    t->number[rule->sid] = ev->number;
    return true;
}

static void
begin(struct test *t, const struct detectors_settings *settings)
{
    *t = (struct test){ .all = NULL };
    assert_int_equal(detectors_new(settings, on_alert, t, NULL, &t->all, NULL), WEIR_E_OK);
    assert_int_equal(weir_monitor_new(NULL, &t->m), WEIR_E_OK);
    assert_int_equal(detectors_add(&t->all, 1, t->m, NULL), WEIR_E_OK);
}

static void
end(struct test *t)
{
    weir_monitor_end(t->m);
    weir_monitor_free(t->m);
    detectors_free(t->all);
}

static void
feed(struct test *t, struct segment segment)
{
    uint8_t room[FRAME_ROOM];
    struct weir_frame frame = tcp_frame(&segment, room);

    frame.stable = false;
    assert_int_equal(weir_monitor_feed(t->m, &frame, 1), WEIR_E_OK);
}

/* Bytes that come again and are others; all with one pair of hosts. */
static void
fake(struct test *t, unsigned flow)
{
    struct segment script[] = {
        { .flags = WEIR_TH_SYN, .seq = 1000 },
        { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_SYN | WEIR_TH_ACK, .seq = 5000, .ack = 1001 },
        { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "first", .n = 5 },
        { .flags = WEIR_TH_ACK, .seq = 1001, .ack = 5001, .data = "other", .n = 5 },
        { .flags = WEIR_TH_RST, .seq = 5000, .ack = 5001 },
        { .flags = WEIR_TH_ACK, .seq = 1006, .ack = 5001, .data = "goes on", .n = 7 },
        { .dir = WEIR_TOCLIENT, .flags = WEIR_TH_ACK, .seq = 5001, .ack = 1013 },
        { .flags = WEIR_TH_ACK | WEIR_TH_RST, .seq = 1013, .ack = 5001 },
    };

    for (size_t i = 0; i < sizeof(script) / sizeof(*script); i++) {
        script[i].ms = flow * 20 + (unsigned)i;
        script[i].client_port = (uint16_t)(1024 + flow);
        feed(t, script[i]);
    }
}

static const struct detectors_settings defaults;

static void
nothing_asks_for_memory(void **state)
{
    struct test t;
    uint64_t before;

    (void)state;
    begin(&t, &defaults);
    for (unsigned i = 0; i < 500; i++)
        fake(&t, i);
    before = allocs();
    assert_true(before > 0); /* they are counted */
    for (unsigned i = 500; i < 20000; i++)
        fake(&t, i);
    assert_int_equal(allocs(), before);
    assert_true(t.alerts[5] > 5 && t.alerts[5] < 10); /* once a minute */
    assert_true(t.alerts[6] > 5 && t.alerts[6] < 10);
    end(&t);
}

static void
an_alert_waits_for_answers_and_is_about_its_own_packet(void **state)
{
    struct test at_once, waited;

    (void)state;
    begin(&at_once, &defaults);
    for (unsigned i = 0; i < 30; i++)
        fake(&at_once, i);
    end(&at_once);
    assert_int_equal(at_once.alerts[5], 1);
    assert_int_equal(at_once.number[5], 9 * 8 + 4);

    waits = 0;
    delay = 150 * MS;
    begin(&waited, &defaults);
    for (unsigned i = 0; i < 30; i++)
        fake(&waited, i);
    end(&waited);
    delay = 0;
    assert_true(waits > 60);
    assert_memory_equal(waited.alerts, at_once.alerts, sizeof(waited.alerts));
    assert_int_equal(waited.number[5], at_once.number[5]);
    assert_int_equal(waited.number[6], at_once.number[6]);
}

static struct text
text(const char *s)
{
    return text_of(s, s + strlen(s));
}

static void
those_that_are_off_do_not_listen(void **state)
{
    struct detectors_settings settings = defaults;
    struct detectors_stats stats;
    struct test t;

    (void)state;
    assert_int_equal(detectors_set(&settings, text("fake-retransmit.enabled"), text("no"), NULL),
                     WEIR_E_OK);
    assert_int_equal(detectors_set(&settings, text("rst-injection.count"), text("31"), NULL),
                     WEIR_E_OK);
    begin(&t, &settings);
    for (unsigned i = 0; i < 30; i++)
        fake(&t, i);
    detectors_get_stats(t.all, &stats);
    assert_int_equal(stats.alerts, 0);
    fake(&t, 30);
    detectors_get_stats(t.all, &stats);
    assert_int_equal(stats.alerts, 1);
    assert_int_equal(t.alerts[6], 1);
    end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asks_for_memory),
        cmocka_unit_test(an_alert_waits_for_answers_and_is_about_its_own_packet),
        cmocka_unit_test(those_that_are_off_do_not_listen),
    };

    return cmocka_run_group_tests_name("detectors", tests, NULL, NULL);
}
