/* What --set takes, passes over and refuses. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int
set_up(void **state)
{
    static struct settings settings;

    settings = settings_default();
    *state = &settings;
    return settings.vars == NULL;
}

static int
tear_down(void **state)
{
    settings_free(*state);
    return 0;
}

static void
set(void **state, const char *text, bool is_ignored)
{
    struct weir_errbuf err = { "" };
    bool ignored = !is_ignored;

    assert_int_equal(settings_set(*state, text, &ignored, &err), WEIR_E_OK);
    assert_int_equal(ignored, is_ignored);
}

static void
refused(void **state, const char *text, const char *why)
{
    struct weir_errbuf err = { "" };
    bool ignored = true;

    assert_int_not_equal(settings_set(*state, text, &ignored, &err), WEIR_E_OK);
    assert_false(ignored);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' is said of '%s', not '%s'", err.text, text, why);
}

static void
midstream_is_switched(void **state)
{
    const struct settings *settings = *state;

    assert_false(settings->midstream);
    set(state, "stream.midstream=true", false);
    assert_true(settings->midstream);
    set(state, "stream.midstream = no", false);
    assert_false(settings->midstream);
    set(state, "stream.midstream=1", false);
    assert_true(settings->midstream);
    refused(state, "stream.midstream=", "true or false is expected");
    assert_true(settings->midstream);
}

static void
ambiguity_is_kept_or_any(void **state)
{
    const struct settings *settings = *state;

    assert_false(settings->any);
    set(state, "stream.ambiguity=any", false);
    assert_true(settings->any);
    set(state, "stream.ambiguity = kept", false);
    assert_false(settings->any);
    refused(state, "stream.ambiguity=both", "kept or any is expected, not 'both'");
    refused(state, "stream.ambiguity=", "stream.ambiguity: kept or any");
}

static void
variables_are_replaced(void **state)
{
    struct settings *settings = *state;
    struct text home = { "$HOME_NET", 9 }, ports = { "$MINE", 5 };
    const struct ranges *set_of;
    struct weir_errbuf err = { "" };

    set(state, "vars.address-groups.HOME_NET=10.1.2.3", false);
    set(state, "vars.port-groups.MINE=[80,81]", false);
    assert_int_equal(vars_resolve(settings->vars, VAR_ADDRESSES, home, &set_of, &err), WEIR_E_OK);
    assert_int_equal(set_of->n, 1);
    assert_true(set_of->at[0].first == (((u128)0xffff << 32) | 0x0a010203));
    assert_int_equal(vars_resolve(settings->vars, VAR_PORTS, ports, &set_of, &err), WEIR_E_OK);
    assert_true(ranges_have(set_of, 80) && ranges_have(set_of, 81) && !ranges_have(set_of, 82));
    refused(state, "vars.port-groups.A B=80", "no name of a variable");
    refused(state, "vars.address-groups.=any", "no name of a variable");
}

static void
variables_are_checked_when_all_are_set(void **state)
{
    struct weir_errbuf err = { "" };
    const char *blamed;

    assert_int_equal(settings_check(*state, &blamed, &err), WEIR_E_OK);
    set(state, "vars.address-groups.ONE=[$TWO,10.0.0.1]", false);
    set(state, "vars.address-groups.TWO=!$HOME_NET", false);
    set(state, "vars.address-groups.HOME_NET=any", false);
    assert_int_not_equal(settings_check(*state, &blamed, &err),
                         WEIR_E_OK); /* of TWO nothing is left */
    set(state, "vars.address-groups.HOME_NET=10.0.0.0/8", false);
    assert_int_equal(settings_check(*state, &blamed, &err), WEIR_E_OK);
    set(state, "vars.port-groups.MINE=eighty", false);
    assert_int_not_equal(settings_check(*state, &blamed, &err), WEIR_E_OK);
    assert_string_equal(err.text, "--set: MINE: a port (80, 1024:, 80:90) expected, not 'eighty'");
}

static void
names_of_the_other_program_are_passed_over(void **state)
{
    set(state, "stats.decoder-events=no", true);
    set(state, "outputs.2.pcap-log.enabled=yes", true);
    set(state, "stream.reassembly.depth=0", false);
}

static void
all_else_is_refused(void **state)
{
    refused(state, "colour=red", "'colour' is no known name");
    refused(state, "statsx.enabled=no", "no known name");
    refused(state, ".stats=no", "no known name");
    refused(state, "=1", "no known name");
    refused(state, "", "name=value is expected");
    refused(state, "stats.enabled", "name=value is expected");
}

static void
expect_network(const struct settings *settings, size_t i, u128 first, unsigned prefix,
               enum weir_policy policy)
{
    assert_true(i < settings->n_hosts);
    assert_int_equal(settings->hosts[i].ip_version, 6);
    assert_true(address_number(&settings->hosts[i].addr, 6) == first);
    assert_int_equal(settings->hosts[i].prefix, prefix);
    assert_int_equal(settings->hosts[i].policy, policy);
}

/* Lists become networks, IPv4 ones inside ::ffff:0:0/96. */
static void
hosts_are_gathered_by_policy(void **state)
{
    const struct settings *settings = *state;
    const u128 v4 = (u128)0xffff << 32;

    set(state, "host-os-policy.windows=[0.0.0.0/0]", false);
    set(state, "host-os-policy.old-solaris=[10.0.0.6-10.0.0.9, 2001:db8::/32]", false);
    set(state, "host-os-policy.bsd-right=[10.0.0.0/30,!10.0.0.1]", false);
    set(state, "host-os-policy.vista=any", false);
    assert_int_equal(settings->n_hosts, 7);
    expect_network(settings, 0, v4, 96, WEIR_POLICY_WINDOWS);
    expect_network(settings, 1, v4 | 0x0a000006, 127, WEIR_POLICY_SOLARIS);
    expect_network(settings, 2, v4 | 0x0a000008, 127, WEIR_POLICY_SOLARIS);
    expect_network(settings, 3, (u128)0x20010db8 << 96, 32, WEIR_POLICY_SOLARIS);
    expect_network(settings, 4, v4 | 0x0a000000, 128, WEIR_POLICY_BSD);
    expect_network(settings, 5, v4 | 0x0a000002, 127, WEIR_POLICY_BSD);
    expect_network(settings, 6, 0, 0, WEIR_POLICY_VISTA);
    refused(state, "host-os-policy.amiga=[10.0.0.1]", "'amiga' is no kind of host");
    refused(state, "host-os-policy.a-name-that-is-long=[10.0.0.1]", "is no kind of host");
    refused(state, "host-os-policy=[10.0.0.1]", "is no kind of host");
    refused(state, "host-os-policy.linux=", "host-os-policy.linux: an address expected");
    refused(state, "host-os-policy.linux=[10.0.0.1,x]", "an address");
    assert_int_equal(settings->n_hosts, 7);
}

static void
expect_rule_file(void **state, size_t i, const char *path)
{
    struct weir_errbuf err = { "" };
    char said[4096];

    assert_int_equal(settings_rule_file(*state, i, said, &err), WEIR_E_OK);
    assert_string_equal(said, path);
}

static void
rule_files_lie_in_their_folder(void **state)
{
    const struct settings *settings = *state;

    set(state, "rule-files.0=a.rules", false);
    set(state, "rule-files.1=/abs/b.rules", false);
    expect_rule_file(state, 0, "a.rules");
    set(state, "default-rule-path=/var/rules", false);
    expect_rule_file(state, 0, "/var/rules/a.rules");
    expect_rule_file(state, 1, "/abs/b.rules");
    set(state, "rule-files.0=c.rules", false);
    assert_int_equal(settings->n_rule_files, 2);
    expect_rule_file(state, 0, "/var/rules/c.rules");
}

static void
alerts_are_limited(void **state)
{
    const struct settings *settings = *state;

    set(state, "packet-alert-max=65535", false);
    assert_int_equal(settings->alert_max, 65535);
    refused(state, "packet-alert-max=0", "1 to 65535 is expected, not '0'");
    refused(state, "packet-alert-max=65536", "1 to 65535 is expected");
    assert_null(settings->threshold_file);
    set(state, "threshold-file = a/b.config", false);
    assert_string_equal(settings->threshold_file, "a/b.config");
    refused(state, "threshold-file=", "a file is expected");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(midstream_is_switched),
        T(alerts_are_limited),
        T(ambiguity_is_kept_or_any),
        T(variables_are_replaced),
        T(hosts_are_gathered_by_policy),
        T(variables_are_checked_when_all_are_set),
        T(names_of_the_other_program_are_passed_over),
        T(all_else_is_refused),
        T(rule_files_lie_in_their_folder),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
