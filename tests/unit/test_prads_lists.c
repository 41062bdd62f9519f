/* Makers of cards, DHCP clients, home networks: lists that are read from text. */
#include "dhcp_print.h"
#include "homenet.h"
#include "mac.h"

#include <weir/error.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- makers ---------------------------------------------------------------------------------- */

static void
the_longest_prefix_names_the_maker(void **state)
{
    char text[] = "# comment\n"
                  "00:50:C2\tIeeeRegist # IEEE\n"
                  "00:50:C2:00:10:00/36  Jmbs   # JMBS\n"
                  "00-50-C2-00-10-07\tExact\n"
                  "01:00:5E/25 Multicast\n"
                  "02-BF-00-00-00-00/16\tNlb\n"
                  "00:50:C2\tSecond\n"
                  "bad line\n"
                  "00:11\n"
                  "00:22:33/99 TooLong\n";
    static const struct {
        uint8_t mac[6];
        const char *vendor;
    } cases[] = {
        { { 0x00, 0x50, 0xc2, 0xff, 0, 0 }, "IeeeRegist" },
        { { 0x00, 0x50, 0xc2, 0x00, 0x1f, 0xff }, "Jmbs" },
        { { 0x00, 0x50, 0xc2, 0x00, 0x20, 0 }, "IeeeRegist" },
        { { 0x00, 0x50, 0xc2, 0x00, 0x10, 7 }, "Exact" },
        { { 0x01, 0x00, 0x5e, 0x7f, 0, 0 }, "Multicast" },
        { { 0x01, 0x00, 0x5e, 0x80, 0, 0 }, NULL },
        { { 0x02, 0xbf, 1, 2, 3, 4 }, "Nlb" },
        { { 0x00, 0x22, 0x33, 0, 0, 0 }, NULL },
    };
    struct weir_errbuf err;
    struct mac_list *list;

    (void)state;
    assert_int_equal(mac_list_parse(text, "test", &list, &err), WEIR_E_OK);
    assert_int_equal(mac_list_size(list), 6);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *vendor = mac_vendor(list, cases[i].mac);

        if (cases[i].vendor == NULL)
            assert_null(vendor);
        else
            assert_string_equal(vendor, cases[i].vendor);
    }
    mac_list_free(list);
}

/* ---- DHCP ------------------------------------------------------------------------------------ */

enum { HEADER = 236 };

static const uint8_t options[] = "\x63\x82\x53\x63"
                                 "\x35\1\1"
                                 "\x32\4\1\2\3\4"
                                 "\x3c\7MSFT 98"
                                 "\x37\3\1\x1c\2"
                                 "\xff\0\0";

static size_t
message(uint8_t out[HEADER + sizeof(options)])
{
    memset(out, 0, HEADER);
    memcpy(out + HEADER, options, sizeof(options) - 1);
    return HEADER + sizeof(options) - 1;
}

static void
a_client_is_recognised(void **state)
{
    char text[] = "1:16:53,50,60,55,255:1,28,3:MSFT 98:Other:requested\n"
                  "1:16:53,50,60,55,255:1,28,2:.:Other:no vendor class\n"
                  "3:16:53,50,60,55,255:1,28,2:MSFT 98:Other:type\n"
                  "1:128:53,50,60,55,255:1,28,2:MSFT 98:Windows:98 SE: really\n";
    uint8_t data[HEADER + sizeof(options)];
    struct dhcp_print print;
    struct weir_errbuf err;
    struct dhcp_list *list;
    char printed[DHCP_TEXT_MAX];
    const struct dhcp_signature *sig;

    (void)state;
    assert_int_equal(dhcp_list_parse(text, "test", &list, &err), WEIR_E_OK);
    assert_int_equal(dhcp_list_size(list), 4);
    assert_true(dhcp_take(data, message(data), 100, &print));
    dhcp_text(&print, printed);
    assert_string_equal(printed, "1:100:53,50,60,55,255:1,28,2:MSFT 98");
    sig = dhcp_match(list, &print);
    assert_non_null(sig);
    assert_string_equal(sig->text, "1:128:53,50,60,55,255:1,28,2:MSFT 98");
    assert_string_equal(sig->os, "Windows");
    assert_string_equal(sig->detail, "98 SE: really");
    print.n_requested = 0;
    assert_null(dhcp_match(list, &print));
    dhcp_list_free(list);
}

static void
every_prefix_of_a_message_is_safe(void **state)
{
    uint8_t data[HEADER + sizeof(options)];
    size_t size = message(data);
    struct dhcp_print print;

    (void)state;
    for (size_t n = 0; n <= size; n++) {
        uint8_t *copy = malloc(n + 1);

        memcpy(copy, data, n);
        assert_int_equal(dhcp_take(copy, n, 64, &print), n >= HEADER + 4);
        free(copy);
    }
}

/* An option that ends with the packet is left out; padding is listed; a long list ends. */
static void
odd_messages_are_read_as_by_prads(void **state)
{
    uint8_t data[HEADER + 4 + 600] = { 0 };
    struct dhcp_print print;
    char text[DHCP_TEXT_MAX];

    (void)state;
    memcpy(data + HEADER, "\x63\x82\x53\x63\x35\1\7\0\x36\1\1\x0c\2ho", 15);
    assert_true(dhcp_take(data, HEADER + 15, 64, &print));
    dhcp_text(&print, text);
    assert_string_equal(text, "7:64:53,0,54:.:.");
    memset(data + HEADER + 4, 0, 600);
    assert_true(dhcp_take(data, sizeof(data), 64, &print));
    assert_int_equal(print.n_options, DHCP_OPTIONS_MAX);
    dhcp_text(&print, text);
}

static void
wrong_dhcp_lines_are_told(void **state)
{
    static const char *const wrong[] = { "1:16:53:.:.:a", "x:16:53:.:.:a:b", "1:16:53,:.:.:a:b",
                                         "1:16:256:.:.:a:b", "1:999:53:.:.:a:b" };
    struct weir_errbuf err;
    struct dhcp_list *list;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char copy[100];

        assert_int_equal(dhcp_list_parse(strcpy(copy, wrong[i]), "test", &list, &err),
                         WEIR_E_SYNTAX);
        assert_null(list);
    }
}

/* ---- home networks --------------------------------------------------------------------------- */

static bool
at_home(const struct homenets *nets, const char *text)
{
    uint8_t version = strchr(text, ':') != NULL ? 6 : 4;
    struct weir_addr addr = { { 0 } };

    assert_int_equal(inet_pton(version == 4 ? AF_INET : AF_INET6, text, addr.b), 1);
    return homenets_have(nets, version, &addr);
}

static void
home_networks_hold_their_hosts_and_no_other(void **state)
{
    struct homenets nets;

    (void)state;
    assert_true(homenets_parse(&nets, "10.0.0.0/8, 192.168.4.0/255.255.252.0,fe80::/64"));
    assert_true(at_home(&nets, "10.255.0.1"));
    assert_true(at_home(&nets, "192.168.7.255"));
    assert_false(at_home(&nets, "192.168.8.0"));
    assert_false(at_home(&nets, "11.0.0.1"));
    assert_false(at_home(&nets, "138.0.0.1"));
    assert_true(at_home(&nets, "fe80::1234"));
    assert_false(at_home(&nets, "fe80:0:0:1::1"));
    assert_false(at_home(&nets, "a00::1"));
    assert_true(homenets_parse(&nets, "0.0.0.0/0,::/0"));
    assert_true(nets.all4 && nets.all6);
    assert_true(at_home(&nets, "2001:db8::1"));
}

static void
what_is_no_network_ends_the_list(void **state)
{
    struct homenets nets;

    (void)state;
    assert_false(homenets_parse(&nets, "10.0.0.0/8,192.168.0.1,172.16.0.0/12"));
    assert_int_equal(nets.n, 1);
    assert_false(homenets_parse(&nets, "10.0.0.0/33"));
    assert_false(homenets_parse(&nets, "x/8"));
    assert_false(homenets_parse(&nets, ""));
    assert_int_equal(nets.n, 0);
    assert_false(at_home(&nets, "10.0.0.1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_names_the_maker),
        cmocka_unit_test(a_client_is_recognised),
        cmocka_unit_test(every_prefix_of_a_message_is_safe),
        cmocka_unit_test(odd_messages_are_read_as_by_prads),
        cmocka_unit_test(wrong_dhcp_lines_are_told),
        cmocka_unit_test(home_networks_hold_their_hosts_and_no_other),
        cmocka_unit_test(what_is_no_network_ends_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
