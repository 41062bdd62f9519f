/* Decoder events: what is odd about headers, in exact bytes. */
#include "detect/anomaly.h"

#include "decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {
#define X(upper, name) name,
    ANOMALY_LIST(X)
#undef X
};

/* Those of a frame of n bytes, as the engine shows it. */
static u128
found_in(uint16_t link, const uint8_t *bytes, size_t n)
{
    struct weir_frame frame = {
        .data = bytes, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .link = link
    };
    struct decode_fault fault = { WEIR_LAYER_LINK, WEIR_BAD_NONE };
    struct weir_packet pkt;
    bool bad = decode(&frame, &pkt, &fault) == DECODE_BAD;
    struct weir_event ev = { .type = bad ? WEIR_EV_BAD_PACKET : WEIR_EV_PACKET, .packet = &pkt };

    if (bad) {
        ev.bad_packet.layer = (uint8_t)fault.layer;
        ev.bad_packet.why = (uint8_t)fault.why;
    }
    return anomalies_of(&ev);
}

/* Exactly these, each followed by a blank. */
static void
expect(u128 found, const char *expected)
{
    char text[1024] = "";

    for (int i = 0; i < ANOMALIES; i++)
        if (found >> i & 1)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", names[i]);
    assert_string_equal(text, expected);
}

/* ---- IPv4 ---------------------------------------------------------------------------------- */

/* A header with these options, padded with ends, and a UDP datagram without data. */
static void
options(const char *bytes, size_t n, const char *expected)
{
    uint8_t p[20 + 40 + 8] = { 0x45, [8] = 64, [9] = 17, [15] = 1, [19] = 2 };
    size_t header = 20 + (n + 3) / 4 * 4;

    p[0] = (uint8_t)(0x40 | header / 4);
    p[3] = (uint8_t)(header + 8);
    memcpy(p + 20, bytes, n);
    p[header + 5] = 8;
    expect(found_in(228, p, header + 8), expected);
}

static void
ipv4_options_have_lengths_and_pointers(void **state)
{
    (void)state;
    options("", 0, "");
    options("\1\1\7\7\4\0\0\0\0", 9, "");
    options("\7\7\4\0\0\0\0\7\7\4\0\0\0\0", 14, "ipv4.opt_duplicate ");
    options("\7\11\4\0", 4, "ipv4.opt_invalid_len ");
    options("\7\1\4\0", 4, "ipv4.opt_invalid_len ");
    options("\7\2\0\0", 4, "ipv4.opt_invalid_len ");
    options("\1\1\1\7", 4, "ipv4.opt_invalid ");
    options("\7\7\3\0\0\0\0", 7, "ipv4.opt_malformed ");
    options("\7\7\5\0\0\0\0", 7, "ipv4.opt_malformed ");
    options("\7\7\14\0\0\0\0", 7, "ipv4.opt_malformed ");
    options("\104\10\5\0\0\0\0\0", 8, "");
    options("\104\10\4\0\0\0\0\0", 8, "ipv4.opt_malformed ");
    options("\224\4\0\0", 4, "");
    options("\224\3\0\0", 4, "ipv4.opt_invalid_len ");
    options("\x1e\2\0\0", 4, "ipv4.opt_unknown ");
}

static void
protocols_are_known(void **state)
{
    uint8_t p[28] = { 0x45, [3] = 28, [8] = 64, [9] = 253, [15] = 1, [19] = 2 };

    (void)state;
    expect(found_in(228, p, sizeof(p)), "ipv4.unknown_protocol ");
    p[6] = 0x20; /* a fragment: what it is part of is judged when it is whole */
    expect(found_in(228, p, sizeof(p)), "");
    p[6] = 0;
    p[9] = 58;
    expect(found_in(228, p, sizeof(p)), "ipv4.icmpv6 ");
}

/* ---- IPv6 ---------------------------------------------------------------------------------- */

static size_t
ipv6_packet(uint8_t *p, uint8_t next, const char *rest, size_t n)
{
    memset(p, 0, 40);
    p[0] = 0x60;
    p[5] = (uint8_t)n;
    p[6] = next;
    p[7] = 64;
    p[23] = 1;
    p[39] = 2;
    memcpy(p + 40, rest, n);
    return 40 + n;
}

#define UDP "\0\1\0\2\0\10\0\0"

static void
ipv6(uint8_t next, const char *rest, size_t n, const char *expected)
{
    uint8_t p[256];

    n = ipv6_packet(p, next, rest, n);
    expect(found_in(229, p, n), expected);
}
#define IPV6(next, rest, expected) ipv6(next, rest, sizeof(rest) - 1, expected)

static void
ipv6_headers_come_once(void **state)
{
    (void)state;
    IPV6(17, UDP, "");
    IPV6(44, "\21\0\0\0\0\0\0\1" UDP, "ipv6.exthdr_useless_fh ");
    IPV6(44, "\54\0\0\0\0\0\0\1\21\0\0\0\0\0\0\1" UDP,
         "ipv6.exthdr_dupl_fh ipv6.exthdr_useless_fh ");
    IPV6(44, "\21\1\0\1\0\0\0\1" UDP, "ipv6.fh_non_zero_reserved_field ");
    IPV6(60, "\53\0\5\2\0\0\0\0\74\0\2\0\0\0\0\0\21\0\5\2\0\0\0\0" UDP, "");
    IPV6(60, "\74\0\5\2\0\0\0\0\74\0\5\2\0\0\0\0\21\0\5\2\0\0\0\0" UDP, "ipv6.exthdr_dupl_dh ");
    IPV6(43, "\21\0\0\0\0\0\0\0" UDP, "ipv6.rh_type_0 ");
    IPV6(43, "\53\0\2\0\0\0\0\0\21\0\2\0\0\0\0\0" UDP, "ipv6.exthdr_dupl_rh ");
    IPV6(51, "\21\1\0\1\0\0\0\0\0\0\0\0" UDP, "ipv6.exthdr_ah_res_not_null ");
    IPV6(0, "\0\0\5\2\0\0\1\0\21\0\5\2\0\0\1\0" UDP, "ipv6.exthdr_dupl_hh ipv6.zero_len_padn ");
}

static void
ipv6_options_are_read(void **state)
{
    (void)state;
    IPV6(0, "\21\0\5\2\0\0\1\0" UDP, "ipv6.zero_len_padn ");
    IPV6(0, "\21\0\1\4\0\0\0\0" UDP, "ipv6.hopopts_only_padding ");
    IPV6(0, "\21\0\7\4\0\0\0\0" UDP, "ipv6.hopopts_unknown_opt ");
    IPV6(60, "\21\0\0\0\0\0\0\0" UDP, "ipv6.dstopts_only_padding ");
    IPV6(60, "\21\0\7\4\0\0\0\0" UDP, "ipv6.dstopts_unknown_opt ");
    IPV6(60, "\21\0\5\5\0\0\0\0" UDP, "ipv6.exthdr_invalid_optlen ");
}

static void
ipv6_ends_as_it_should(void **state)
{
    (void)state;
    IPV6(59, "", "");
    IPV6(59, "x", "ipv6.data_after_none_header ");
    IPV6(253, "x", "ipv6.unknown_next_header ");
    IPV6(1, "\10\0\0\0\0\0\0\0", "ipv6.icmpv4 ");
    IPV6(60, "\21\1\0\0\0\0\0\0", "ipv6.trunc_exthdr ");
    IPV6(60, "\21\0\0\0", "ipv6.trunc_exthdr ");
    IPV6(44, "\6\0\0\0\0\0\0\1", "ipv6.trunc_exthdr ipv6.exthdr_useless_fh ");
    expect(found_in(229, (const uint8_t *)"\x60", 1), "ipv6.pkt_too_small ");
}

/* ---- behind IP ----------------------------------------------------------------------------- */

static void
ipv4(uint8_t proto, const char *rest, size_t n, const char *expected)
{
    uint8_t p[256] = { 0x45, [8] = 64, [15] = 1, [19] = 2 };

    p[3] = (uint8_t)(20 + n);
    p[9] = proto;
    memcpy(p + 20, rest, n);
    expect(found_in(228, p, 20 + n), expected);
}
#define IPV4(proto, rest, expected) ipv4(proto, rest, sizeof(rest) - 1, expected)

static void
icmp_types_have_codes(void **state)
{
    (void)state;
    IPV4(1, "\10\0\0\0\0\0\0\0", "");
    IPV4(1, "\10\1\0\0\0\0\0\0", "icmpv4.unknown_code ");
    IPV4(1, "\1\0\0\0\0\0\0\0", "icmpv4.unknown_type ");
    IPV4(1, "\377\0\0\0\0\0\0\0", "icmpv4.unknown_type ");
    IPV4(1, "\3\3\0\0\0\0\0\0", "");
    IPV4(1, "\3\3\0\0\0\0\0\0\105\0", "icmpv4.ipv4_trunc_pkt ");
    IPV4(1, "\3\3\0\0\0\0\0\0\140\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
         "icmpv4.ipv4_unknown_ver ");
    IPV6(58, "\200\0\0\0\0\0\0\0", "");
    IPV6(58, "\200\1\0\0\0\0\0\0", "icmpv6.unknown_code ");
    IPV6(58, "\0\0\0\0\0\0\0\0", "icmpv6.unknown_type ");
    IPV6(58, "\144\0\0\0\0\0\0\0", "icmpv6.experimentation_type ");
    IPV6(58, "\11\0\0\0\0\0\0\0", "icmpv6.unassigned_type ");
    IPV6(58, "\217\0\0\0\0\0\0\0", "icmpv6.mld_message_with_invalid_hl ");
    IPV6(58, "\1\0\0\0\0\0\0\0\140", "icmpv6.ipv6_trunc_pkt ");
}

#define TCP(offset, flags, options) "\0\1\0\2\0\0\0\1\0\0\0\2" offset flags "\1\0\0\0\0\0" options

static void
tcp_headers_have_lengths(void **state)
{
    (void)state;
    IPV4(6, TCP("\x50", "\x10", ""), "");
    IPV4(6, TCP("\x50", "\x02", ""), "stream.pkt_broken_ack ");
    IPV4(6, TCP("\x40", "\x10", ""), "tcp.hlen_too_small ");
    IPV4(6, TCP("\x60", "\x10", ""), "tcp.invalid_optlen ");
    IPV4(6, TCP("\x60", "\x10", "\2\4\5\264"), "");
    IPV4(6, TCP("\x60", "\x10", "\2\3\5\264"), "tcp.opt_invalid_len ");
    IPV4(6, TCP("\x60", "\x10", "\2\5\5\264"), "tcp.opt_invalid_len ");
    IPV4(6, TCP("\x60", "\x10", "\1\1\1\2"), "tcp.opt_invalid_len ");
    IPV4(6, TCP("\x60", "\x10", "\4\2\4\2"), "tcp.opt_duplicate ");
    IPV4(6, TCP("\x70", "\x10", "\376\2\376\2\0\377\377\377"), "");
}

static void
other_protocols_have_headers(void **state)
{
    (void)state;
    IPV4(2, "\26\0\0\0\0\0\0\0", "");
    IPV4(2, "\26\0\0\0\0\0\0", "igmp.pkt_too_small ");
    IPV4(132, "12345678901", "sctp.pkt_too_small ");
    IPV4(50, "1234567", "esp.pkt_too_small ");
    IPV4(47, "\0\0\x12\x34", "");
    IPV4(47, "\0\2\x12\x34", "gre.wrong_version ");
    IPV4(47, "\5\0\x12\x34", "gre.version0_recur ");
    IPV4(47, "\0\10\x12\x34", "gre.version0_flags ");
    IPV4(47, "\x20\x01\x88\x0b\0\0\0\0", "");
    IPV4(47, "\xcf\x79\x88\x0c",
         "gre.version1_chksum gre.version1_route gre.version1_ssr gre.version1_recur "
         "gre.version1_flags gre.version1_no_key gre.version1_wrong_protocol ");
}

/* A frame without addresses: its EtherType and what follows. */
static void
ethernet(const char *rest, size_t n, const char *expected)
{
    uint8_t p[128] = { 0 };

    memcpy(p + 12, rest, n);
    expect(found_in(1, p, 12 + n), expected);
}
#define ETHERNET(rest, expected) ethernet(rest, sizeof(rest) - 1, expected)

#define ARP(head) "\x08\x06" head "12345678901234567890"
#define IP4       "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\1\2\3\4\5\6\7\10" UDP

static void
ethertypes_are_known(void **state)
{
    (void)state;
    ETHERNET("\x08\0" IP4, "");
    ETHERNET("\x12\x34", "ethernet.unknown_ethertype ");
    ETHERNET("\x81\0\0\1\x12\x34", "vlan.unknown_type ");
    ETHERNET("\x81\0\0\1\x81\0\0\1\x81\0\0\1\x08\0" IP4, "");
    ETHERNET("\x81\0\0\1\x81\0\0\1\x81\0\0\1\x81\0\0\1\x08\0" IP4, "vlan.too_many_layers ");
    ETHERNET(ARP("\0\1\x08\0\6\4\0\1"), "");
    ETHERNET(ARP("\0\2\x08\1\5\3\0\x0b"),
             "arp.unsupported_hardware arp.unsupported_protocol arp.invalid_hardware_size "
             "arp.invalid_protocol_size arp.unsupported_opcode ");
    ETHERNET("\x08\x06\0\1", "arp.pkt_too_small ");
    ETHERNET("\x88\x47\0\x01\0\0\0\0\x01\0" IP4, "");
    ETHERNET("\x88\x47\0\0\x11\0" IP4, "mpls.bad_label_router_alert ");
    ETHERNET("\x88\x47\0\0\x31\0" IP4, "mpls.bad_label_implicit_null ");
    ETHERNET("\x88\x47\0\0\xf1\0" IP4, "mpls.bad_label_reserved ");
    ETHERNET("\x88\x47\0\1\x01\0" IP4, "");
    expect(found_in(0, (const uint8_t *)"\x63\0\0\0x", 5), "ltnull.unsupported_type ");
}

static void
short_links_and_tunnels_have_names(void **state)
{
    static const uint8_t none[16];

    (void)state;
    expect(found_in(1, none, 13), "ethernet.pkt_too_small ");
    expect(found_in(113, none, 15), "sll.pkt_too_small ");
    expect(found_in(0, none, 3), "ltnull.pkt_too_small ");
    IPV4(47, "\0\0\10", "gre.pkt_too_small ");
}

static void
every_prefix_is_safe(void **state)
{
    uint8_t p[256];
    size_t n = ipv6_packet(p, 0,
                           "\74\0\5\2\0\0\1\0\54\0\7\4\0\0\0\0\6\0\0\0\0\0\0\1"
                           "\0\1\0\2\0\0\0\1\0\0\0\2\x70\2\1\0\0\0\0\0\2\4\5\264\4\2\0\0",
                           24 + 28);

    (void)state;
    for (size_t cut = 0; cut <= n; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);

        assert_non_null(copy);
        memcpy(copy, p, cut);
        assert_true(found_in(229, copy, cut) >> ANOMALIES == 0);
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_options_have_lengths_and_pointers),
        cmocka_unit_test(protocols_are_known),
        cmocka_unit_test(ipv6_headers_come_once),
        cmocka_unit_test(ipv6_options_are_read),
        cmocka_unit_test(ipv6_ends_as_it_should),
        cmocka_unit_test(icmp_types_have_codes),
        cmocka_unit_test(tcp_headers_have_lengths),
        cmocka_unit_test(other_protocols_have_headers),
        cmocka_unit_test(ethertypes_are_known),
        cmocka_unit_test(short_links_and_tunnels_have_names),
        cmocka_unit_test(every_prefix_is_safe),
    };

    return cmocka_run_group_tests_name("anomaly", tests, NULL, NULL);
}
