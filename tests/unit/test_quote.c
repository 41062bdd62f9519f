/* What ICMP errors quote: RFC 792, RFC 4443 section 3. */
#include "quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 10.0.0.1:1000 > 10.0.0.2:53, and eight bytes of its UDP header. */
static const uint8_t udp4[] = { 0x45, 0, 0,  40, 0, 1, 0,    0,    64, 17, 0, 0,  10, 0,
                                0,    1, 10, 0,  0, 2, 0x03, 0xe8, 0,  53, 0, 20, 0,  0 };

static struct weir_packet
error(uint8_t proto, uint8_t type, const uint8_t *quote, uint32_t n)
{
    return (struct weir_packet){ .ip_version = proto == WEIR_PROTO_ICMP ? 4 : 6,
                                 .proto = proto,
                                 .icmp_type = type,
                                 .payload = quote,
                                 .payload_len = n,
                                 .n_vlan = 1,
                                 .vlan = { 7 },
                                 .has_vni = true,
                                 .vni = 9 };
}

static void
addresses_ports_and_what_was_around_are_read(void **state)
{
    struct weir_packet pkt = error(WEIR_PROTO_ICMP, 3, udp4, sizeof(udp4)), quoted;

    (void)state;
    assert_true(quote_read(&pkt, &quoted));
    assert_int_equal(quoted.proto, WEIR_PROTO_UDP);
    assert_memory_equal(quoted.src.b, "\x0a\0\0\1", 4);
    assert_memory_equal(quoted.dst.b, "\x0a\0\0\2", 4);
    assert_int_equal(quoted.src_port, 1000);
    assert_int_equal(quoted.dst_port, 53);
    assert_int_equal(quoted.vlan[0], 7);
    assert_int_equal(quoted.vni, 9);
}

static void
an_echo_is_named_by_its_identifier(void **state)
{
    uint8_t echo[28];
    struct weir_packet pkt = error(WEIR_PROTO_ICMP, 11, echo, sizeof(echo)), quoted;

    (void)state;
    memcpy(echo, udp4, sizeof(echo));
    echo[9] = WEIR_PROTO_ICMP;
    memcpy(echo + 20, "\x08\0\0\0\x12\x34\0\1", 8);
    assert_true(quote_read(&pkt, &quoted));
    assert_int_equal(quoted.src_port, 0x1234);
    assert_int_equal(quoted.dst_port, 0x1234);
}

static void
ipv6_is_quoted_by_icmpv6(void **state)
{
    uint8_t tcp6[48] = { 0x60, 0, 0, 0, 0, 20, WEIR_PROTO_TCP, 64 };
    struct weir_packet pkt = error(WEIR_PROTO_ICMPV6, 1, tcp6, sizeof(tcp6)), quoted;

    (void)state;
    tcp6[8] = 0x20;
    tcp6[39] = 2;
    memcpy(tcp6 + 40, "\x1f\x90\0\x50", 4);
    assert_true(quote_read(&pkt, &quoted));
    assert_int_equal(quoted.src.b[0], 0x20);
    assert_int_equal(quoted.dst.b[15], 2);
    assert_int_equal(quoted.src_port, 8080);
    assert_int_equal(quoted.dst_port, 80);
}

static void
options_of_the_quoted_header_are_passed_over(void **state)
{
    uint8_t long4[32];
    struct weir_packet pkt = error(WEIR_PROTO_ICMP, 3, long4, sizeof(long4)), quoted;

    (void)state;
    memcpy(long4, udp4, 20);
    long4[0] = 0x46;
    memset(long4 + 20, 1, 4);
    memcpy(long4 + 24, udp4 + 20, 8);
    assert_true(quote_read(&pkt, &quoted));
    assert_int_equal(quoted.dst_port, 53);
}

static void
what_is_no_error_or_names_no_flow_is_refused(void **state)
{
    uint8_t second[28];
    struct weir_packet pkt = error(WEIR_PROTO_ICMP, 8, udp4, sizeof(udp4)), quoted;

    (void)state;
    assert_false(quote_read(&pkt, &quoted)); /* an echo request */
    pkt = error(WEIR_PROTO_ICMPV6, 129, udp4, sizeof(udp4));
    assert_false(quote_read(&pkt, &quoted));
    pkt = error(WEIR_PROTO_ICMPV6, 1, udp4, sizeof(udp4));
    assert_false(quote_read(&pkt, &quoted)); /* IPv4 in ICMPv6 */
    memcpy(second, udp4, sizeof(second));
    second[7] = 5; /* a later fragment */
    pkt = error(WEIR_PROTO_ICMP, 3, second, sizeof(second));
    assert_false(quote_read(&pkt, &quoted));
}

/* Each cut lies in a block of its own size: AddressSanitizer sees a byte too many. */
static void
every_prefix_is_refused_and_safe(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 26; n++) { /* the first six bytes of transport are needed */
        uint8_t *copy = malloc(n > 0 ? n : 1);
        struct weir_packet pkt = error(WEIR_PROTO_ICMP, 3, copy, n), quoted;

        memcpy(copy, udp4, n);
        assert_false(quote_read(&pkt, &quoted));
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_ports_and_what_was_around_are_read),
        cmocka_unit_test(an_echo_is_named_by_its_identifier),
        cmocka_unit_test(ipv6_is_quoted_by_icmpv6),
        cmocka_unit_test(options_of_the_quoted_header_are_passed_over),
        cmocka_unit_test(what_is_no_error_or_names_no_flow_is_refused),
        cmocka_unit_test(every_prefix_is_refused_and_safe),
    };

    return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
