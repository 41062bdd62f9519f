/* Addresses, ports, lists and variables of rules' headers. */
#include "rule/vars.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int
set_up(void **state)
{
    *state = vars_new();
    return *state == NULL;
}

static int
tear_down(void **state)
{
    vars_free(*state);
    return 0;
}

static struct text
text(const char *s)
{
    return (struct text){ s, strlen(s) };
}

static const struct ranges *
resolve(void **state, enum var_kind kind, const char *expression)
{
    const struct ranges *set;
    struct weir_errbuf err = { "" };

    assert_int_equal(vars_resolve(*state, kind, text(expression), &set, &err), WEIR_E_OK);
    return set;
}

static bool
has(const struct ranges *set, const char *address)
{
    unsigned version = strchr(address, ':') != NULL ? 6 : 4;
    struct weir_addr addr;

    assert_int_equal(inet_pton(version == 6 ? AF_INET6 : AF_INET, address, addr.b), 1);
    return ranges_have(set, address_number(&addr, version));
}

static void
refused(void **state, enum var_kind kind, const char *expression, const char *why)
{
    const struct ranges *set;
    struct weir_errbuf err = { "" };

    assert_int_not_equal(vars_resolve(*state, kind, text(expression), &set, &err), WEIR_E_OK);
    assert_null(set);
    assert_non_null(strstr(err.text, why));
}

static void
an_address_is_itself_and_a_prefix_its_network(void **state)
{
    const struct ranges *set = resolve(state, VAR_ADDRESSES, "[10.0.0.1, 192.168.2.7/24]");

    assert_true(has(set, "10.0.0.1"));
    assert_false(has(set, "10.0.0.2"));
    assert_true(has(set, "192.168.2.0") && has(set, "192.168.2.255"));
    assert_false(has(set, "192.168.3.0"));
}

static void
masks_and_spans_are_networks_too(void **state)
{
    const struct ranges *set = resolve(state, VAR_ADDRESSES,
                                       "[10.1.0.0/255.255.0.0,172.16.0.5-172.16.0.9]");

    assert_true(has(set, "10.1.255.255") && !has(set, "10.2.0.0"));
    assert_true(has(set, "172.16.0.5") && has(set, "172.16.0.9"));
    assert_false(has(set, "172.16.0.4") || has(set, "172.16.0.10"));
}

static void
ipv6_and_ipv4_do_not_meet(void **state)
{
    const struct ranges *set = resolve(state, VAR_ADDRESSES, "2001:db8::/32");

    assert_true(has(set, "2001:db8:1::5") && !has(set, "2001:db9::"));
    assert_false(has(set, "32.1.13.184"));
    assert_false(has(resolve(state, VAR_ADDRESSES, "0.0.0.0/0"), "::1"));
    assert_true(has(resolve(state, VAR_ADDRESSES, "::/0"), "2001::"));
}

static void
a_negated_member_is_taken_out_of_its_list(void **state)
{
    const struct ranges *set = resolve(state, VAR_ADDRESSES,
                                       "[10.0.0.0/8,![10.1.0.0/16,10.2.0.1]]");

    assert_true(has(set, "10.0.0.1") && has(set, "10.2.0.2"));
    assert_false(has(set, "10.1.0.1") || has(set, "10.2.0.1") || has(set, "11.0.0.1"));
}

static void
a_list_of_negations_is_all_but_them(void **state)
{
    const struct ranges *set = resolve(state, VAR_ADDRESSES, "[!10.0.0.1,!10.0.0.2]");

    assert_true(has(set, "10.0.0.3") && has(set, "2001::1"));
    assert_false(has(set, "10.0.0.1") || has(set, "10.0.0.2"));
}

static void
variables_stand_for_their_expressions(void **state)
{
    const struct ranges *outside = resolve(state, VAR_ADDRESSES, "$EXTERNAL_NET");

    assert_true(has(outside, "8.8.8.8") && !has(outside, "192.168.1.1"));
    assert_int_equal(vars_set(*state, VAR_PORTS, text("MINE"), text("[80,$FTP_PORTS]"), NULL),
                     WEIR_E_OK);
    assert_true(ranges_have(resolve(state, VAR_PORTS, "$MINE"), 21));
    assert_false(ranges_have(resolve(state, VAR_PORTS, "!$MINE"), 80));
}

static void
ports_are_numbers_and_ranges_open_at_either_end(void **state)
{
    assert_true(ranges_have(resolve(state, VAR_PORTS, "1024:"), 65535));
    assert_false(ranges_have(resolve(state, VAR_PORTS, "1024:"), 1023));
    assert_true(ranges_have(resolve(state, VAR_PORTS, ":100"), 0));
    assert_true(ranges_have(resolve(state, VAR_PORTS, "[80:90,!85]"), 84));
    assert_false(ranges_have(resolve(state, VAR_PORTS, "[80:90,!85]"), 85));
    assert_false(ranges_have(resolve(state, VAR_PORTS, "!80,!85"), 85));
    assert_true(ranges_have(resolve(state, VAR_PORTS, "!80,!85"), 84));
    assert_true(ranges_have(resolve(state, VAR_PORTS, "[1:3,!2],9"), 9));
    assert_true(is_any(resolve(state, VAR_PORTS, "any"), VAR_PORTS));
}

static void
equal_expressions_share_one_set(void **state)
{
    assert_ptr_equal(resolve(state, VAR_PORTS, "[1,2]"), resolve(state, VAR_PORTS, "[1,2]"));
}

static void
what_is_wrong_is_named(void **state)
{
    refused(state, VAR_ADDRESSES, "10.0.0.256", "'10.0.0.256'");
    refused(state, VAR_ADDRESSES, "10.0.0.0/33", "address");
    refused(state, VAR_ADDRESSES, "10.0.0.0/255.0.255.0", "address");
    refused(state, VAR_ADDRESSES, "[10.0.0.1,]", "found nothing");
    refused(state, VAR_ADDRESSES, "[10.0.0.1", "'[10.0.0.1'");
    refused(state, VAR_ADDRESSES, "$NO_SUCH", "vars.address-groups.NO_SUCH");
    refused(state, VAR_ADDRESSES, "!any", "leaves nothing");
    refused(state, VAR_PORTS, "65536", "port");
    refused(state, VAR_PORTS, "90:80", "port");
    refused(state, VAR_PORTS, ":", "port");
    refused(state, VAR_PORTS, "", "found nothing");
}

/* Doubling at each of many levels would take for ever, too. */
static void
variables_that_need_themselves_are_refused(void **state)
{
    assert_int_equal(vars_set(*state, VAR_PORTS, text("A"), text("[$B,$B]"), NULL), WEIR_E_OK);
    assert_int_equal(vars_set(*state, VAR_PORTS, text("B"), text("[$A,$A]"), NULL), WEIR_E_OK);
    refused(state, VAR_PORTS, "$A", "themselves");
}

static void
a_negation_is_seen_through_variables(void **state)
{
    struct vars *vars = vars_new();
    struct weir_errbuf err;
    static const struct {
        const char *text;
        bool negates;
    } as[] = { { "any", false },          { "1.2.3.4", false },   { "!1.2.3.4", true },
               { "[1.2.3.4,!$B]", true }, { "$HOME_NET", false }, { "$EXTERNAL_NET", true },
               { "[1.2.3.4,$A]", true },  { "$NOBODY", false } };

    (void)state;
    assert_non_null(vars);
    assert_int_equal(vars_set(vars, VAR_ADDRESSES, (struct text){ "A", 1 },
                              (struct text){ "[$B,10.0.0.1]", 13 }, &err),
                     WEIR_E_OK);
    assert_int_equal(vars_set(vars, VAR_ADDRESSES, (struct text){ "B", 1 },
                              (struct text){ "[10.0.0.0/8,!10.0.0.2]", 22 }, &err),
                     WEIR_E_OK);
    for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++)
        assert_int_equal(
            vars_negate(vars, VAR_ADDRESSES, (struct text){ as[i].text, strlen(as[i].text) }),
            as[i].negates);
    vars_free(vars);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_address_is_itself_and_a_prefix_its_network),
        T(masks_and_spans_are_networks_too),
        T(ipv6_and_ipv4_do_not_meet),
        T(a_negated_member_is_taken_out_of_its_list),
        T(a_list_of_negations_is_all_but_them),
        T(variables_stand_for_their_expressions),
        T(ports_are_numbers_and_ranges_open_at_either_end),
        T(a_negation_is_seen_through_variables),
        T(equal_expressions_share_one_set),
        T(what_is_wrong_is_named),
        T(variables_that_need_themselves_are_refused),
    };

    return cmocka_run_group_tests_name("vars", tests, NULL, NULL);
}
