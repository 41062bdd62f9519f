#include "eve.h"

#include "support/capture_out.h"
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char text[1 << 16];

static void
assert_time(uint64_t ns, const char *expected)
{
    char time[TIME_TEXT];

    time_text(ns, time);
    assert_string_equal(time, expected);
}

/* As `date -u -d @SECONDS` says. */
static void
times_over_leap_years_and_centuries(void **state)
{
    const uint64_t second = 1000000000;

    (void)state;
    assert_time(0, "1970-01-01T00:00:00.000000+0000");
    assert_time(951782399 * second + 999999999, "2000-02-28T23:59:59.999999+0000");
    assert_time(951782400 * second, "2000-02-29T00:00:00.000000+0000");
    assert_time(951868800 * second, "2000-03-01T00:00:00.000000+0000");
    assert_time(1704164645 * second + 678901234, "2024-01-02T03:04:05.678901+0000");
    assert_time(4107542400 * second, "2100-03-01T00:00:00.000000+0000");
    assert_time(UINT64_MAX, "2554-07-21T23:34:33.709551+0000");
}

static void
addresses_as_rfc_5952_writes_them(void **state)
{
    char addr[ADDR_TEXT];

    (void)state;
    addr_text(&(struct weir_addr){ .b = { 192, 168, 1, 10 } }, 4, addr);
    assert_string_equal(addr, "192.168.1.10");
    addr_text(&(struct weir_addr){ .b = { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, 6, addr);
    assert_string_equal(addr, "2001:db8::1");
    for (unsigned n = 0; n < 256; n++) {
        char expected[ADDR_TEXT];

        sprintf(expected, "%u.%u.0.%u", n, 255 - n, n);
        addr_text(&(struct weir_addr){ .b = { (uint8_t)n, (uint8_t)(255 - n), 0, (uint8_t)n } }, 4,
                  addr);
        assert_string_equal(addr, expected);
    }
}

static void
protocols_by_name_or_number(void **state)
{
    static const struct {
        unsigned proto;
        const char *text;
    } known[] = { { 6, "TCP" },    { 17, "UDP" }, { 1, "ICMP" },     { 58, "IPv6-ICMP" },
                  { 132, "SCTP" }, { 47, "047" }, { 4, "IP-in-IP" }, { 41, "IPv6" } };
    char proto[PROTO_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        proto_text(known[i].proto, proto);
        assert_string_equal(proto, known[i].text);
    }
}

/* ---- records ---- */

static void
assert_record(const struct weir_event *ev, const char *expected)
{
    struct out out;
    struct json j;

    capture_open(&out);
    eve_begin(&j, &out, ev, "test");
    json_end(&j);
    assert_true(out_flush(&out));
    capture_text(text, sizeof(text));
    assert_int_equal(capture_close(&out), WEIR_E_OK);
    assert_string_equal(text, expected);
}

static void
without_packet_and_flow_only_the_time_is_known(void **state)
{
    const struct weir_event ev = { .time = 1 };

    (void)state;
    assert_record(&ev, "{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\","
                       "\"event_type\":\"test\"}\n");
}

static void
a_packet_without_a_flow_has_addresses_but_no_ports(void **state)
{
    const struct weir_packet pkt = {
        .number = 7,
        .ip_version = 4,
        .proto = WEIR_PROTO_TCP,
        .src = { .b = { 10, 0, 0, 1 } },
        .dst = { .b = { 10, 0, 0, 2 } },
        .src_port = 1000,
        .dst_port = 80,
        .n_vlan = 3,
        .vlan = { 5, 6, 7 },
    };
    const struct weir_event ev = { .number = 7, .packet = &pkt };

    (void)state;
    assert_record(&ev, "{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\",\"pcap_cnt\":7,"
                       "\"event_type\":\"test\",\"vlan\":[5,6,7],\"src_ip\":\"10.0.0.1\","
                       "\"dest_ip\":\"10.0.0.2\",\"proto\":\"TCP\"}\n");
}

static void
icmp_has_type_and_code_instead_of_ports(void **state)
{
    const struct weir_packet pkt = {
        .number = 1,
        .ip_version = 6,
        .proto = WEIR_PROTO_ICMPV6,
        .src = { .b = { [15] = 1 } },
        .dst = { .b = { [15] = 2 } },
        .icmp_type = 128,
    };
    const struct weir_event ev = { .number = 1, .packet = &pkt };

    (void)state;
    assert_record(&ev, "{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\",\"pcap_cnt\":1,"
                       "\"event_type\":\"test\",\"src_ip\":\"::1\",\"dest_ip\":\"::2\","
                       "\"proto\":\"IPv6-ICMP\",\"icmp_type\":128,\"icmp_code\":0}\n");
}

/* Of a flow: the packet tells the ends; the flow's end, which has no packet, its direction. */
static weir_fut
check_ends(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);

    (void)ctx;
    if (ev->type == WEIR_EV_FLOW_END)
        assert_record(ev, "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,"
                          "\"event_type\":\"test\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,"
                          "\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,\"proto\":\"UDP\"}\n");
    else
        assert_record(ev, ev->direction == WEIR_TOSERVER
                              ? "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,"
                                "\"pcap_cnt\":1,\"event_type\":\"test\",\"src_ip\":\"10.0.0.1\","
                                "\"src_port\":1000,\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,"
                                "\"proto\":\"UDP\"}\n"
                              : "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"flow_id\":1,"
                                "\"pcap_cnt\":2,\"event_type\":\"test\",\"src_ip\":\"10.0.0.2\","
                                "\"src_port\":53,\"dest_ip\":\"10.0.0.1\",\"dest_port\":1000,"
                                "\"proto\":\"UDP\"}\n");
    ++*(unsigned *)ev->app;
    return weir_ok(0);
}

static void
source_and_destination_are_those_of_the_packet(void **state)
{
    static const weir_fn stages[] = { check_ends };
    static const struct weir_tap_spec spec = {
        .stage = stages,
        .n_stages = 1,
        .want = WEIR_EV_BIT(WEIR_EV_DATAGRAM) | WEIR_EV_BIT(WEIR_EV_FLOW_END),
    };
    unsigned seen = 0;
    const struct weir_app app = { .name = "eve", .spec = &spec, .arg = &seen };
    uint8_t room[2][FRAME_ROOM];
    const struct weir_frame frames[] = { udp_frame(WEIR_TOSERVER, "q", 1, 0, room[0]),
                                         udp_frame(WEIR_TOCLIENT, "a", 1, 0, room[1]) };
    struct weir_monitor *m;

    (void)state;
    assert_int_equal(weir_monitor_new(NULL, &m), WEIR_E_OK);
    assert_int_equal(weir_monitor_add(m, &app), WEIR_E_OK);
    assert_int_equal(weir_monitor_feed(m, frames, 2), WEIR_E_OK);
    weir_monitor_end(m);
    weir_monitor_free(m);
    assert_int_equal(seen, 3);
}

static void
addresses_can_have_all_digits(void **state)
{
    const struct weir_addr six = { { 0xfe, 0x80, [14] = 0x0a, [15] = 0xbc } },
                           four = { { 10, 0, 0, 9 } };
    char said[ADDR_TEXT];

    (void)state;
    addr_text_whole(&six, 6, said);
    assert_string_equal(said, "fe80:0000:0000:0000:0000:0000:0000:0abc");
    addr_text(&six, 6, said);
    assert_string_equal(said, "fe80::abc");
    addr_text_whole(&four, 4, said);
    assert_string_equal(said, "10.0.0.9");
}

static void
dates_have_four_digits_of_year(void **state)
{
    char said[DATE_TEXT];

    (void)state;
    date_text(0, said);
    assert_string_equal(said, "1970-01-01T00:00:00");
    date_text(UINT64_C(253402300799), said);
    assert_string_equal(said, "9999-12-31T23:59:59");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_over_leap_years_and_centuries),
        cmocka_unit_test(addresses_as_rfc_5952_writes_them),
        cmocka_unit_test(protocols_by_name_or_number),
        cmocka_unit_test(without_packet_and_flow_only_the_time_is_known),
        cmocka_unit_test(a_packet_without_a_flow_has_addresses_but_no_ports),
        cmocka_unit_test(icmp_has_type_and_code_instead_of_ports),
        cmocka_unit_test(source_and_destination_are_those_of_the_packet),
        cmocka_unit_test(addresses_can_have_all_digits),
        cmocka_unit_test(dates_have_four_digits_of_year),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
