/* Which records are asked for, in Suricata's names and in ours. */
#include "out/outputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct outputs outputs;

static int
set_up(void **state)
{
    outputs = outputs_default();
    *state = &outputs;
    return 0;
}

static int
try(const char *setting, bool *ignored, struct weir_errbuf *err)
{
    const char *equals = strchr(setting, '=');

    *err = (struct weir_errbuf){ "" };
    return outputs_set(&outputs, text_of(setting, equals),
                       text_of(equals + 1, setting + strlen(setting)), ignored, err);
}

static void
set(const char *setting)
{
    struct weir_errbuf err;
    bool ignored = true;

    if (try(setting, &ignored, &err) != WEIR_E_OK || ignored)
        fail_msg("%s: %s", setting, ignored ? "ignored" : err.text);
}

static void
passed_over(const char *setting)
{
    struct weir_errbuf err;
    bool ignored = false;

    assert_int_equal(try(setting, &ignored, &err), WEIR_E_OK);
    if (!ignored)
        fail_msg("%s was taken", setting);
}

static void
refused(const char *setting, const char *why)
{
    struct weir_errbuf err;
    bool ignored;

    assert_int_equal(try(setting, &ignored, &err), WEIR_E_INVAL);
    assert_string_equal(err.text, why);
}

static bool
writes(enum eve_type type)
{
    return eve_writes(&outputs.eve, type);
}

static void
all_but_flow_events_are_written(void **state)
{
    (void)state;
    for (unsigned type = 0; type < EVE_TYPES; type++)
        assert_int_equal(writes((enum eve_type)type), type != EVE_FLOW_EVENT);
    assert_true(outputs.eve_on && outputs.fast_on && !outputs.stats_off);
}

static void
a_list_of_types_names_all_of_them(void **state)
{
    (void)state;
    set("outputs.1=eve-log");
    set("outputs.1.eve-log.types.0=alert");
    set("outputs.1.eve-log.types.0.alert.payload=no");
    set("outputs.1.eve-log.types.1=files");
    passed_over("outputs.1.eve-log.types.2=smtp");
    assert_int_equal(outputs.eve.types, 1U << EVE_ALERT | 1U << EVE_FILEINFO);
    assert_false(outputs.eve.payload);
    set("outputs.eve-log.types=[dns, flow]");
    assert_int_equal(outputs.eve.types, 1U << EVE_DNS | 1U << EVE_FLOW);
    set("outputs.flow-event=yes");
    set("outputs.eve-log.types=tls");
    assert_int_equal(outputs.eve.types, 1U << EVE_TLS | 1U << EVE_FLOW_EVENT);
    set("outputs.eve-log.flow-event=no");
    set("outputs.eve-log.ssh=yes");
    set("outputs.eve-log.types.9.tls.enabled=no");
    assert_int_equal(outputs.eve.types, 1U << EVE_SSH);
}

static void
a_list_of_outputs_names_all_of_them(void **state)
{
    (void)state;
    set("outputs.0=fast");
    assert_true(outputs.fast_on && !outputs.eve_on);
    set("outputs.0.fast.enabled=no");
    set("outputs.1=eve-log");
    assert_true(!outputs.fast_on && outputs.eve_on);
    passed_over("outputs.2=pcap-log");
    passed_over("outputs.2.pcap-log.enabled=yes");
    set("outputs.1.eve-log.filename=other.json");
    assert_int_equal(outputs.eve_file.n, 10);
}

/* Only one eve.json is written: what is said of a second one must not change it. */
static void
a_second_log_is_passed_over(void **state)
{
    (void)state;
    set("outputs.1.eve-log.packet=no");
    passed_over("outputs.2.eve-log.packet=yes");
    passed_over("outputs.2.eve-log.enabled=no");
    set("outputs.eve-log.payload=no");
    assert_true(!outputs.eve.packet && !outputs.eve.payload && outputs.eve_on);
}

static void
short_names_are_those_of_alerts(void **state)
{
    (void)state;
    set("outputs.eve-log.payload=no");
    set("outputs.eve-log.alert.packet=no");
    set("outputs.eve-log.payload-buffer-size=16kb");
    set("outputs.eve-log.community-id=no");
    set("outputs.eve-log.community-id-seed=7");
    set("outputs.eve-log.metadata=no");
    assert_false(outputs.eve.payload || outputs.eve.packet || outputs.eve.community_id ||
                 outputs.eve.metadata);
    assert_int_equal(outputs.eve.payload_buffer_size, 16384);
    assert_int_equal(outputs.eve.community_id_seed, 7);
    assert_true(outputs.eve.rule_metadata);
    set("outputs.eve-log.alert.metadata=no");
    assert_false(outputs.eve.rule_metadata || outputs.eve.alert_flow);
    set("outputs.eve-log.alert.http=no");
    assert_true(!outputs.eve.alert_http && outputs.eve.alert_dns && writes(EVE_HTTP));
    set("outputs.eve-log.alert.metadata.rule.raw=yes");
    set("outputs.eve-log.types.3.anomaly.types.stream=no");
    set("outputs.eve-log.http.dump-all-headers=request");
    assert_true(outputs.eve.rule_raw && !outputs.eve.anomaly_stream &&
                outputs.eve.http_request_headers && !outputs.eve.http_response_headers);
}

static void
counters_can_be_switched_off_or_come_often(void **state)
{
    (void)state;
    set("stats.enabled=no");
    set("stats.interval=8");
    assert_true(outputs.stats_off && outputs.eve.stats_interval == 8);
    passed_over("stats.decoder-events=yes");
}

static void
values_are_checked(void **state)
{
    (void)state;
    refused("outputs.eve-log.payload=perhaps",
            "--set outputs.eve-log.payload: yes or no is expected, not 'perhaps'");
    refused("outputs.eve-log.payload-buffer-size=65537",
            "--set outputs.eve-log.payload-buffer-size: a size of at most 64KiB is expected, not "
            "'65537'");
    refused("outputs.eve-log.community-id-seed=65536",
            "--set outputs.eve-log.community-id-seed: 0 to 65535 is expected, not '65536'");
    refused("outputs.eve-log.types=alert,colour",
            "--set outputs.eve-log.types: a list of alert, anomaly, http, dns, tls, ssh, files, "
            "flow, stats, flow-event is expected, not 'alert,colour'");
    refused("stats.interval=0", "--set stats.interval: 1 to 1000000000 is expected, not '0'");
    refused("outputs.fast.filename=", "--set outputs.fast.filename: the name of a file is "
                                      "expected, not ''");
    passed_over("outputs.eve-log.types.x=1");
    passed_over("outputs.0.syslog=1");
    passed_over("outputs=1");
    passed_over("outputs.=1");
    passed_over("outputs.eve-log.alert.xff.enabled=no");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        T(all_but_flow_events_are_written),
        T(a_list_of_types_names_all_of_them),
        T(a_list_of_outputs_names_all_of_them),
        T(a_second_log_is_passed_over),
        T(short_names_are_those_of_alerts),
        T(counters_can_be_switched_off_or_come_often),
        T(values_are_checked),
    };

    return cmocka_run_group_tests_name("outputs", tests, NULL, NULL);
}
