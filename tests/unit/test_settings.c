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

    settings = (struct settings){ .vars = vars_new() };
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

    assert_int_equal(settings_check(*state, &err), WEIR_E_OK);
    set(state, "vars.address-groups.ONE=[$TWO,10.0.0.1]", false);
    set(state, "vars.address-groups.TWO=!$HOME_NET", false);
    set(state, "vars.address-groups.HOME_NET=any", false);
    assert_int_not_equal(settings_check(*state, &err), WEIR_E_OK); /* of TWO nothing is left */
    set(state, "vars.address-groups.HOME_NET=10.0.0.0/8", false);
    assert_int_equal(settings_check(*state, &err), WEIR_E_OK);
    set(state, "vars.port-groups.MINE=eighty", false);
    assert_int_not_equal(settings_check(*state, &err), WEIR_E_OK);
    assert_string_equal(err.text, "--set: MINE: a port (80, 1024:, 80:90) expected, not 'eighty'");
}

static void
names_of_the_other_program_are_passed_over(void **state)
{
    set(state, "stats.enabled=no", true);
    set(state, "outputs.1.eve-log.enabled=yes", true);
    set(state, "stream.reassembly.depth=0", true);
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

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(midstream_is_switched),
        T(variables_are_replaced),
        T(variables_are_checked_when_all_are_set),
        T(names_of_the_other_program_are_passed_over),
        T(all_else_is_refused),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
