/* Options on a packet's header fields, against exact bytes. */
#include "detect/check.h"

#include "rule/option_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int take_fn(struct rule *rule, struct text value, struct weir_errbuf *err);

/* Whether the option, with this value, takes the packet. */
static bool
fits(take_fn *take, const char *value, const struct weir_packet *pkt)
{
    struct rule rule = { .n_checks = 0 };
    struct weir_errbuf err = { "" };
    bool yes;

    if (take(&rule, (struct text){ value, strlen(value) }, &err) != WEIR_E_OK)
        fail_msg("%s: %s", value, err.text);
    yes = packet_check_fits(&rule.check[0], pkt);
    free(rule.check);
    return yes;
}

static void
refuses(take_fn *take, const char *value)
{
    struct rule rule = { .n_checks = 0 };
    struct weir_errbuf err = { "" };

    if (take(&rule, (struct text){ value, strlen(value) }, &err) != WEIR_E_SYNTAX)
        fail_msg("%s is taken", value);
    free(rule.check);
}

/*
 * IPv4 with options (a NOP, record route, end), DF, id 0x1234, then TCP with MSS 1460 and wscale 7.
 */
static const uint8_t tcp_frame[] = {
    /* Ethernet with three tags: 200, 300, 400 */
    2,    0, 0,  0,    0,    1, 2,   0, 0,  0,    0,    2, 0x88, 0xa8, 0,    200,  0x81,
    0,    1, 44, 0x81, 0,    1, 144, 8, 0,  0x47, 0x10, 0, 61,   0x12, 0x34, 0x40, 0,
    64,   6, 0,  0,    10,   0, 0,   1, 10, 0,    0,    2, 1,    7,    4,    4,    0,
    0,    0, 0,  0x30, 0x39, 0, 80,  0, 0,  0,    9,    0, 0,    0,    8,    0x70, 0x12,
    0x20, 0, 0,  0,    0,    0, 2,   4, 5,  0xb4, 1,    3, 3,    7,    'x',  'y',  'z'
};
enum { IP_AT = 26, TCP_AT = 54 };

static struct weir_packet
tcp_packet(void)
{
    return (struct weir_packet){
        .frame = tcp_frame,
        .caplen = sizeof(tcp_frame),
        .link = 1,
        .ip = tcp_frame + IP_AT,
        .ip_version = 4,
        .ttl = 64,
        .proto = WEIR_PROTO_TCP,
        .n_vlan = 2,
        .vlan = { 200, 300 },
        .l4 = tcp_frame + TCP_AT,
        .tcp_flags = WEIR_TH_SYN | WEIR_TH_ACK,
        .tcp_window = 0x2000,
        .tcp_seq = 9,
        .tcp_ack = 8,
        .tcp_options = tcp_frame + TCP_AT + 20,
        .n_tcp_options = 8,
        .payload_wire = 3,
    };
}

static void
ipv4_fields_are_read(void **state)
{
    struct weir_packet pkt = tcp_packet();

    (void)state;
    assert_true(fits(ttl_take, "64", &pkt) && !fits(ttl_take, "<64", &pkt));
    assert_true(fits(tos_take, "0x10", &pkt) && !fits(tos_take, "!16", &pkt));
    assert_true(fits(ttl_take, "-64", &pkt) && fits(ttl_take, "64-", &pkt) &&
                fits(ttl_take, "- 65", &pkt) && fits(ttl_take, "63-65", &pkt));
    assert_false(fits(ttl_take, "-63", &pkt) || fits(ttl_take, "65-", &pkt) ||
                 fits(ttl_take, "64-66", &pkt));
    refuses(ttl_take, "-");
    refuses(ttl_take, "-256");
    refuses(ttl_take, "x-");
    assert_true(fits(tos_take, "x10", &pkt) && fits(tos_take, "! X1f", &pkt) &&
                !fits(tos_take, "!x10", &pkt));
    refuses(tos_take, "xg");
    refuses(tos_take, "x100");
    assert_true(fits(id_take, "4660", &pkt) && fits(id_take, "\"4660\"", &pkt) &&
                !fits(id_take, "4661", &pkt));
    assert_true(fits(fragoffset_take, "0", &pkt) && !fits(fragoffset_take, ">0", &pkt));
    assert_true(fits(ip_proto_take, "TCP", &pkt) && fits(ip_proto_take, "!udp", &pkt) &&
                fits(ip_proto_take, "<7", &pkt) && !fits(ip_proto_take, "!6", &pkt));
    assert_true(fits(dsize_take, "3", &pkt) && !fits(dsize_take, "3<>9", &pkt));
}

static void
ip_options_are_found_before_their_end(void **state)
{
    struct weir_packet pkt = tcp_packet();
    static const uint8_t broken[24] = { 0x46, [20] = 7, [21] = 9 };

    (void)state;
    assert_true(fits(ipopts_take, "rr", &pkt) && fits(ipopts_take, "nop", &pkt) &&
                fits(ipopts_take, "eol", &pkt) && fits(ipopts_take, "any", &pkt));
    assert_false(fits(ipopts_take, "ts", &pkt));
    pkt.ip = broken;
    assert_false(fits(ipopts_take, "lsrr", &pkt));
    pkt.ip_version = 6;
    assert_false(fits(ipopts_take, "any", &pkt));
}

static void
fragment_bits_have_a_sign(void **state)
{
    struct weir_packet pkt = tcp_packet();

    (void)state;
    assert_true(fits(fragbits_take, "D", &pkt) && fits(fragbits_take, "!M", &pkt) &&
                fits(fragbits_take, "+D", &pkt) && fits(fragbits_take, "D+", &pkt) &&
                fits(fragbits_take, "*MD", &pkt));
    assert_false(fits(fragbits_take, "MD", &pkt) || fits(fragbits_take, "+MD", &pkt) ||
                 fits(fragbits_take, "M", &pkt) || fits(fragbits_take, "!D", &pkt) ||
                 fits(fragbits_take, "*MR", &pkt));
    refuses(fragbits_take, "X");
    refuses(fragbits_take, "+");
    refuses(fragbits_take, "1");
}

static void
tcp_fields_are_read(void **state)
{
    struct weir_packet pkt = tcp_packet();

    (void)state;
    assert_true(fits(flags_take, "!0", &pkt) && !fits(flags_take, "!0,SA", &pkt) &&
                !fits(flags_take, "0", &pkt) && fits(flags_take, "0,SA", &pkt));
    assert_true(fits(seq_take, "9", &pkt) && fits(ack_take, "8", &pkt) &&
                fits(window_take, "8192", &pkt) && fits(window_take, "!0", &pkt));
    assert_true(fits(mss_take, "1460", &pkt) && fits(mss_take, "500<>2000", &pkt) &&
                !fits(mss_take, "<536", &pkt) && fits(wscale_take, "7", &pkt));
    assert_true(fits(flags_take, "SA", &pkt) && fits(flags_take, "+S", &pkt) &&
                fits(flags_take, "S,A", &pkt) && !fits(flags_take, "S", &pkt));
    pkt.n_tcp_options = 3; /* the first option is cut */
    assert_false(fits(mss_take, ">0", &pkt));
    pkt.caplen = TCP_AT + 19;
    assert_false(fits(seq_take, "9", &pkt));
    pkt.proto = WEIR_PROTO_UDP;
    pkt.caplen = sizeof(tcp_frame);
    assert_false(fits(ack_take, "8", &pkt));
}

static void
vlan_tags_are_counted_from_both_ends(void **state)
{
    struct weir_packet pkt = tcp_packet();

    (void)state;
    assert_true(fits(vlan_id_take, "count >2", &pkt) && !fits(vlan_id_take, "count 2", &pkt));
    assert_true(fits(vlan_id_take, "200,0", &pkt) && fits(vlan_id_take, "400,-1", &pkt) &&
                fits(vlan_id_take, "0x12C,1", &pkt) && fits(vlan_id_take, "300", &pkt) &&
                fits(vlan_id_take, ">100,all", &pkt) && fits(vlan_id_take, "!500,all", &pkt));
    assert_false(fits(vlan_id_take, "200,1", &pkt) || fits(vlan_id_take, "500", &pkt) ||
                 fits(vlan_id_take, ">200,all", &pkt));
    assert_true(fits(vlan_layers_take, "3", &pkt) && !fits(vlan_layers_take, "!3", &pkt));
    pkt.link = 101; /* put together: what the decoder kept */
    assert_true(fits(vlan_layers_take, "2", &pkt) && fits(vlan_id_take, "300,-1", &pkt) &&
                !fits(vlan_id_take, ">0,2", &pkt));
    pkt.n_vlan = 0;
    assert_true(fits(vlan_layers_take, "0", &pkt) && !fits(vlan_id_take, "!1,all", &pkt));
    refuses(vlan_id_take, "1,3");
    refuses(vlan_id_take, "4096");
}

static void
icmp_fields_depend_on_the_type(void **state)
{
    static const uint8_t bytes[8] = { 8, 0, 0, 0, 0x55, 0x15, 0x08, 0xa8 };
    struct weir_packet pkt = { .frame = bytes,
                               .caplen = 8,
                               .l4 = bytes,
                               .proto = WEIR_PROTO_ICMP,
                               .ip_version = 4,
                               .icmp_type = 8 };

    (void)state;
    assert_true(fits(icmp_id_take, "\"21781\"", &pkt) && fits(icmp_seq_take, "\" 2216 \"", &pkt));
    assert_true(fits(icmp_id_take, "21781", &pkt) && fits(icmp_seq_take, "2216", &pkt) &&
                fits(itype_take, "<=8", &pkt) && fits(icode_take, "0", &pkt));
    pkt.icmp_type = 3;
    assert_false(fits(icmp_id_take, "21781", &pkt) || fits(icmp_seq_take, "2216", &pkt));
    pkt.proto = WEIR_PROTO_ICMPV6;
    pkt.icmp_type = 2;
    assert_true(fits(icmpv6_mtu_take, "1427441832", &pkt) && !fits(icmpv6_mtu_take, "<9", &pkt));
    pkt.icmp_type = 128;
    assert_true(fits(icmp_id_take, ">0", &pkt) && !fits(icmpv6_mtu_take, ">0", &pkt));
    pkt.caplen = 7;
    assert_false(fits(itype_take, ">=0", &pkt));
}

static void
a_rule_has_so_many_checks(void **state)
{
    const struct check check = { .kind = CHECK_SAMEIP };
    struct rule rule = { .n_checks = 0 };
    struct weir_errbuf err = { "" };

    (void)state;
    for (int i = 0; i < CHECKS_MAX; i++)
        assert_int_equal(check_add(&rule, &check, &err), WEIR_E_OK);
    assert_int_equal(check_add(&rule, &check, &err), WEIR_E_LIMIT);
    free(rule.check);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_fields_are_read),
        cmocka_unit_test(ip_options_are_found_before_their_end),
        cmocka_unit_test(fragment_bits_have_a_sign),
        cmocka_unit_test(tcp_fields_are_read),
        cmocka_unit_test(vlan_tags_are_counted_from_both_ends),
        cmocka_unit_test(icmp_fields_depend_on_the_type),
        cmocka_unit_test(a_rule_has_so_many_checks),
    };

    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
